mod helpers;

use super::{DockerConfig, DockerConfigError, HelperPrograms};
use crate::credentials::login;
use crate::remote::{Credential, Origin, Secret};

/// Stands for every password here; it must not come back in a message.
const CANARY: &str = "canary-5ecret";

fn parse(text: &str) -> Result<DockerConfig, DockerConfigError> {
    DockerConfig::parse("config.json", text, HelperPrograms::default())
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn lookup(text: &str, registry: &str) -> Result<Option<Credential>, DockerConfigError> {
    run(parse(text).unwrap().lookup(registry))
}

/// What is found for a registry.
fn found(text: &str, registry: &str) -> Option<Credential> {
    lookup(text, registry).unwrap()
}

/// The same, as found in the file itself.
fn in_file(credential: Credential) -> Credential {
    let name = "config.json".to_owned();
    credential.found_in(Origin::AuthFile { name })
}

/// What stands under a key of [`auths`].
fn entry(key: &str) -> Option<Credential> {
    Some(in_file(login(&format!("for {key}"), CANARY)))
}

fn auths(keys: &[&str]) -> String {
    let entries: serde_json::Map<String, serde_json::Value> = keys
        .iter()
        .map(|key| {
            let entry = serde_json::json!({"username": format!("for {key}"), "password": CANARY});
            ((*key).to_owned(), entry)
        })
        .collect();
    serde_json::json!({"auths": entries}).to_string()
}

#[test]
fn all_spellings_of_dockers_own_registry() {
    for key in [
        "https://index.docker.io/v1/",
        "https://index.docker.io/v1",
        "https://index.docker.io/v2/",
        "index.docker.io",
        "docker.io",
        "registry-1.docker.io",
        "Docker.io",
    ] {
        assert_eq!(found(&auths(&[key]), "docker.io"), entry(key));
    }
}

#[test]
fn hosts_ports_and_schemes() {
    for (key, registry, expected) in [
        ("example.com", "example.com", true),
        ("https://example.com", "example.com", true),
        ("http://example.com/v2/", "example.com", true),
        ("example.com/team", "example.com", true),
        ("EXAMPLE.com", "example.com", true),
        ("example.com:5000", "example.com:5000", true),
        ("example.com:5000", "example.com", false),
        ("example.com", "example.com:5000", false),
        ("example.com", "registry.example.com", false),
        ("example.com.evil.test", "example.com", false),
        ("evil.test/example.com", "example.com", false),
        ("[::1]:5000", "[::1]:5000", true),
        ("", "docker.io", false),
        ("<none>", "docker.io", false),
    ] {
        let found = found(&auths(&[key]), registry);
        assert_eq!(found.is_some(), expected, "{key} for {registry}");
    }
}

#[test]
fn of_several_spellings_the_one_that_docker_writes_wins() {
    let text = auths(&["example.com/team", "https://example.com", "example.com"]);
    assert_eq!(found(&text, "example.com"), entry("example.com"));
    let text = auths(&["docker.io", "https://index.docker.io/v1/"]);
    assert_eq!(
        found(&text, "docker.io"),
        entry("https://index.docker.io/v1/")
    );
    let text = auths(&["http://example.com", "example.com/team"]);
    assert_eq!(found(&text, "example.com"), entry("example.com/team"));
}

#[test]
fn the_forms_of_an_entry() {
    let text = |fields: &str| format!(r#"{{"auths": {{"example.com": {fields}}}}}"#);
    let entry = |fields: &str| found(&text(fields), "example.com");
    // A password may hold colons; old tools have padded it with zeros.
    let pair = entry(r#"{"auth": "YW5uYTpvcGVuOnNlc2FtZQA="}"#);
    assert_eq!(pair, Some(in_file(login("anna", "open:sesame"))));
    let pair = entry(r#"{"username": "anna", "password": "sesame"}"#);
    assert_eq!(pair, Some(in_file(login("anna", "sesame"))));
    let token = entry(r#"{"auth": "YW5uYTo=", "identitytoken": "t0ken"}"#);
    let expected = in_file(Credential::identity(Secret::new("t0ken")));
    assert_eq!(token, Some(expected));
    for nothing in ["{}", "null", r#"{"auth": ""}"#, r#"{"email": "a@b.c"}"#] {
        assert_eq!(entry(nothing), None, "{nothing}");
    }
    assert_eq!(found("{}", "example.com"), None);
}

#[test]
fn what_is_no_configuration_is_said_without_repeating_it() {
    let said = |text: &str| {
        let error = parse(text).unwrap_err();
        assert!(!format!("{error:?} {error}").contains(CANARY), "{error:?}");
        error.to_string()
    };
    insta::assert_snapshot!(said(&format!("{{\n\"auths\": {CANARY}")), @"the docker configuration `config.json` is not JSON: line 2, column 10");
    insta::assert_snapshot!(said(&format!("\"{CANARY}\"")), @"the docker configuration `config.json` is not a JSON object");
    insta::assert_snapshot!(said(&format!(r#"{{"auths": "{CANARY}"}}"#)), @"`auths` in the docker configuration `config.json` is not a JSON object");
    insta::assert_snapshot!(said(&format!(r#"{{"auths": {{"example.com": "{CANARY}"}}}}"#)), @"`auths.example.com` in the docker configuration `config.json` is not a JSON object");
    insta::assert_snapshot!(said(&format!(r#"{{"credsStore": ["{CANARY}"]}}"#)), @"`credsStore` in the docker configuration `config.json` is not a text");
    insta::assert_snapshot!(said(&format!(r#"{{"credHelpers": {{"example.com": ["{CANARY}"]}}}}"#)), @"`credHelpers.example.com` in the docker configuration `config.json` is not a text");
}

#[test]
fn a_broken_entry_is_an_error_for_its_own_registry() {
    let text =
        format!(r#"{{"auths": {{"example.com": {{"auth": "{CANARY}"}}, "ok.test": {{}}}}}}"#);
    assert_eq!(lookup(&text, "ok.test").unwrap(), None);
    let error = lookup(&text, "example.com").unwrap_err();
    insta::assert_snapshot!(error, @"`auths.example.com.auth` in the docker configuration `config.json` is not base64 of `user:password`");
    insta::assert_snapshot!(error.hint().unwrap(), @"write the entry anew, as `docker login` does");
    let config = parse(&text).unwrap();
    assert_eq!(
        format!("{config:?}"),
        r#"DockerConfig { file: "config.json", .. }"#
    );
}

#[test]
fn no_file_is_no_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let read = |path: &std::path::Path| DockerConfig::read(path, HelperPrograms::default());
    assert!(read(&folder.path().join("config.json")).unwrap().is_none());
    let file = folder.path().join("file");
    std::fs::write(&file, auths(&["example.com"])).unwrap();
    assert!(read(&file.join("config.json")).unwrap().is_none());
    let login = run(read(&file).unwrap().unwrap().lookup("example.com"));
    let file = file.display().to_string();
    assert_eq!(
        login.unwrap(),
        entry("example.com").map(|entry| entry.found_in(Origin::DockerLogin { file }))
    );
    let error = read(folder.path()).unwrap_err();
    assert!(
        matches!(error, DockerConfigError::Unreadable { .. }),
        "{error}"
    );
}
