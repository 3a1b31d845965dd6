use proptest::prelude::*;
use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

use super::*;

fn told(values: &[&str]) -> String {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
    }
    match of(&headers) {
        Ok(Challenge::Basic) => "basic".to_owned(),
        Ok(Challenge::Bearer(Realm { url, service })) => format!("{url} {service:?}"),
        Err(reason) => format!("error: {reason}"),
    }
}

#[test]
fn challenges_of_real_registries_and_odd_ones() {
    let rows: [&[&str]; 14] = [
        &[
            r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull""#,
        ],
        &[
            r#"Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:a/b:pull,push""#,
        ],
        &[
            r#"Basic realm="https://1234.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com""#,
        ],
        &[r#"BEARER REALM = "https://a.example/?x=y" , Service=plain"#],
        &[r#"Basic realm="Registry, \"quoted\"", Bearer realm="https://a.example/t""#],
        &["Negotiate", "Basic realm=x"],
        &["Digest realm=\"x\", nonce=\"y\""],
        &[r#"Bearer realm="/token""#],
        &[r#"Bearer realm="file:///etc/passwd""#],
        &[r#"Bearer realm="https://user:pass@a.example/t#f""#],
        &[r#"Bearer realm="https://a.example/t"#],
        &["Bearer"],
        &["realm=x"],
        &[],
    ];
    let table: Vec<String> = rows
        .iter()
        .map(|row| format!("{row:?} -> {}", told(row)))
        .collect();
    insta::assert_snapshot!(table.join("\n"), @r#"
    ["Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:library/nginx:pull\""] -> https://auth.docker.io/token Some("registry.docker.io")
    ["Bearer realm=\"https://ghcr.io/token\",service=\"ghcr.io\",scope=\"repository:a/b:pull,push\""] -> https://ghcr.io/token Some("ghcr.io")
    ["Basic realm=\"https://1234.dkr.ecr.eu-west-1.amazonaws.com/\",service=\"ecr.amazonaws.com\""] -> basic
    ["BEARER REALM = \"https://a.example/?x=y\" , Service=plain"] -> https://a.example/?x=y Some("plain")
    ["Basic realm=\"Registry, \\\"quoted\\\"\", Bearer realm=\"https://a.example/t\""] -> https://a.example/t None
    ["Negotiate", "Basic realm=x"] -> basic
    ["Digest realm=\"x\", nonce=\"y\""] -> error: neither Basic nor Bearer
    ["Bearer realm=\"/token\""] -> error: the token server's address is no URL
    ["Bearer realm=\"file:///etc/passwd\""] -> error: the token server's address is no URL
    ["Bearer realm=\"https://user:pass@a.example/t#f\""] -> https://a.example/t None
    ["Bearer realm=\"https://a.example/t"] -> https://a.example/t None
    ["Bearer"] -> error: the token server is missing
    ["realm=x"] -> error: it does not say how
    [] -> error: it does not say how
    "#);
    assert_eq!(
        told(&[&format!("Basic {}", "x".repeat(5000))]),
        "error: the header is too long"
    );
}

proptest! {
    #[test]
    fn no_header_panics(text in any::<Vec<u8>>()) {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(&text) {
            headers.insert(WWW_AUTHENTICATE, value);
        }
        let _ = of(&headers);
    }

    #[test]
    fn a_bearer_challenge_is_read_as_it_was_written(
        path in "[a-z/]{0,20}",
        service in "[ -~]{0,20}",
    ) {
        let escaped = service.replace('\\', "\\\\").replace('"', "\\\"");
        let text = format!("Bearer realm=\"https://a.example/{path}\", service=\"{escaped}\"");
        let expected = format!("https://a.example/{path} {:?}", Some(service));
        prop_assert_eq!(told(&[&text]), expected);
    }
}
