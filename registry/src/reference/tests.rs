use proptest::prelude::*;

use proptest::strategy::ValueTree as _;

use super::ImageReference;

const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn canonical(text: &str) -> String {
    match ImageReference::parse(text) {
        Ok(reference) => reference.to_string(),
        Err(error) => format!("error: {error}"),
    }
}

/// One line for each text: the text, and what becomes of it.
fn table(texts: &[&str]) -> String {
    let lines: Vec<String> = texts
        .iter()
        .map(|text| {
            let short = |text: &str| text.replace(HEX, "<hex>");
            format!("{:?} -> {}", short(text), short(&canonical(text)))
        })
        .collect();
    lines.join("\n")
}

#[test]
fn names_are_brought_into_their_canonical_form() {
    let pinned = format!("nginx@sha256:{HEX}");
    let tagged_and_pinned = format!("registry.example/app:1@sha256:{HEX}");
    let sha512 = format!("nginx@sha512:{HEX}{HEX}");
    insta::assert_snapshot!(table(&[
        "nginx",
        "nginx:1.27",
        &pinned,
        &tagged_and_pinned,
        &sha512,
        "library/nginx",
        "bitnami/nginx:1",
        "docker.io/nginx",
        "docker.io/library/nginx",
        "index.docker.io/nginx",
        "registry-1.docker.io/bitnami/nginx",
        "Docker.IO/nginx",
        "public.ecr.aws/nginx/nginx:1.27",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1",
        "registry.example:5000/app",
        "Registry.Example:05000/app:Tag_1.x-Y",
        "host:5000",
        "host:5000/app:1",
        "localhost",
        "localhost/app",
        "localhost:5000/a/b/c",
        "LocalHost/app",
        "[::1]:5000/app",
        "[2001:DB8:0::1]/app",
        "a__b/c.d/e--f/g_h:_",
        "xn--bcher-kva.example/app",
    ]), @r#"
    "nginx" -> docker.io/library/nginx:latest
    "nginx:1.27" -> docker.io/library/nginx:1.27
    "nginx@sha256:<hex>" -> docker.io/library/nginx@sha256:<hex>
    "registry.example/app:1@sha256:<hex>" -> registry.example/app:1@sha256:<hex>
    "nginx@sha512:<hex><hex>" -> docker.io/library/nginx@sha512:<hex><hex>
    "library/nginx" -> docker.io/library/nginx:latest
    "bitnami/nginx:1" -> docker.io/bitnami/nginx:1
    "docker.io/nginx" -> docker.io/library/nginx:latest
    "docker.io/library/nginx" -> docker.io/library/nginx:latest
    "index.docker.io/nginx" -> docker.io/library/nginx:latest
    "registry-1.docker.io/bitnami/nginx" -> docker.io/bitnami/nginx:latest
    "Docker.IO/nginx" -> docker.io/library/nginx:latest
    "public.ecr.aws/nginx/nginx:1.27" -> public.ecr.aws/nginx/nginx:1.27
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1" -> 123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1
    "registry.example:5000/app" -> registry.example:5000/app:latest
    "Registry.Example:05000/app:Tag_1.x-Y" -> registry.example:5000/app:Tag_1.x-Y
    "host:5000" -> docker.io/library/host:5000
    "host:5000/app:1" -> host:5000/app:1
    "localhost" -> docker.io/library/localhost:latest
    "localhost/app" -> localhost/app:latest
    "localhost:5000/a/b/c" -> localhost:5000/a/b/c:latest
    "LocalHost/app" -> localhost/app:latest
    "[::1]:5000/app" -> [::1]:5000/app:latest
    "[2001:DB8:0::1]/app" -> [2001:db8::1]/app:latest
    "a__b/c.d/e--f/g_h:_" -> docker.io/a__b/c.d/e--f/g_h:_
    "xn--bcher-kva.example/app" -> xn--bcher-kva.example/app:latest
    "#);
}

#[test]
fn disguised_addresses_are_written_as_addresses() {
    insta::assert_snapshot!(table(&[
        "127.0.0.1/app",
        "127.1/app",
        "127.0.1:80/app",
        "2130706433:80/app",
        "0x7f000001:80/app",
        "0X7F.1/app",
        "0177.0.0.1/app",
        "169.254.43518/app",
        "[::ffff:169.254.169.254]/app",
        "[::ffff:a9fe:a9fe]:80/app",
        "[0:0:0:0:0:0:0:1]/app",
        "1.2.3.4.5/app",
        "256.0.0.1/app",
        "127.0.0.08/app",
        "4294967296:80/app",
        "registry.0x/app",
        "99999999999999999999999999.1/app",
        "2130706433/app",
        "[fe80::1%eth0]/app",
    ]), @r#"
    "127.0.0.1/app" -> 127.0.0.1/app:latest
    "127.1/app" -> 127.0.0.1/app:latest
    "127.0.1:80/app" -> 127.0.0.1:80/app:latest
    "2130706433:80/app" -> 127.0.0.1:80/app:latest
    "0x7f000001:80/app" -> 127.0.0.1:80/app:latest
    "0X7F.1/app" -> 127.0.0.1/app:latest
    "0177.0.0.1/app" -> 127.0.0.1/app:latest
    "169.254.43518/app" -> 169.254.169.254/app:latest
    "[::ffff:169.254.169.254]/app" -> 169.254.169.254/app:latest
    "[::ffff:a9fe:a9fe]:80/app" -> 169.254.169.254:80/app:latest
    "[0:0:0:0:0:0:0:1]/app" -> [::1]/app:latest
    "1.2.3.4.5/app" -> error: the host `1.2.3.4.5` ends in a number and is not an IPv4 address
    "256.0.0.1/app" -> error: the host `256.0.0.1` ends in a number and is not an IPv4 address
    "127.0.0.08/app" -> error: the host `127.0.0.08` ends in a number and is not an IPv4 address
    "4294967296:80/app" -> error: the host `4294967296` ends in a number and is not an IPv4 address
    "registry.0x/app" -> error: the host `registry.0x` ends in a number and is not an IPv4 address
    "99999999999999999999999999.1/app" -> error: the host `99999999999999999999999999.1` ends in a number and is not an IPv4 address
    "2130706433/app" -> docker.io/2130706433/app:latest
    "[fe80::1%eth0]/app" -> error: the host `[fe80::1%eth0]` is not an IPv6 address in brackets
    "#);
}

#[test]
fn errors_of_the_whole_say_what_is_wrong() {
    insta::assert_snapshot!(table(&[
        "",
        HEX,
        "https://registry.example/app",
        "user:password@registry.example/app",
    ]), @r#"
    "" -> error: the image reference is empty
    "<hex>" -> error: 64 hexadecimal digits are the ID of a local image, which no registry knows
    "https://registry.example/app" -> error: an image reference does not begin with a scheme such as `https://`
    "user:password@registry.example/app" -> error: an image reference holds no user name and no password
    "#);
}

#[test]
fn errors_of_the_repository_say_what_is_wrong() {
    let long = format!("registry.example/{}", "a/".repeat(127) + "bc");
    insta::assert_snapshot!(table(&[
        "Nginx",
        "Team/app",
        "registry.example/Team/app",
        "nginx ",
        "ngi\nnx",
        "nginx?",
        "bücher",
        "registry.example/${Name}",
        "{{resolve:ssm:image}}",
        "/nginx",
        "a//b",
        "a/",
        "registry.example/",
        "registry.example/:1",
        ":1",
        "@sha256:00",
        "-a/b",
        "a_/b",
        "a..b",
        "a._b",
        "a___b",
        &long,
    ]), @r#"
    "Nginx" -> error: the repository name `Nginx` has the upper-case letter `N`
    "Team/app" -> error: the repository name `Team/app` has the upper-case letter `T`
    "registry.example/Team/app" -> error: the repository name `Team/app` has the upper-case letter `T`
    "nginx " -> error: the repository name `nginx ` has the character ` `
    "ngi\nnx" -> error: the repository name `ngi\nnx` has the character `\n`
    "nginx?" -> error: the repository name `nginx?` has the character `?`
    "bücher" -> error: the repository name `bücher` has the character `ü`
    "registry.example/${Name}" -> error: the repository name `${Name}` has the character `$`
    "{{resolve:ssm:image}}" -> error: the repository name `{{resolve` has the character `{`
    "/nginx" -> error: the repository name `/nginx` has an empty part
    "a//b" -> error: the repository name `a//b` has an empty part
    "a/" -> error: the repository name `a/` has an empty part
    "registry.example/" -> error: the repository name is missing
    "registry.example/:1" -> error: the repository name is missing
    ":1" -> error: the repository name is missing
    "@sha256:00" -> error: the repository name is missing
    "-a/b" -> error: the part `-a` of the repository name `-a/b` begins or ends with a separator
    "a_/b" -> error: the part `a_` of the repository name `a_/b` begins or ends with a separator
    "a..b" -> error: the repository name `a..b` has the separator `..`: allowed are `.`, `_`, `__` and dashes
    "a._b" -> error: the repository name `a._b` has the separator `._`: allowed are `.`, `_`, `__` and dashes
    "a___b" -> error: the repository name `a___b` has the separator `___`: allowed are `.`, `_`, `__` and dashes
    "registry.example/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/bc" -> error: the repository name is 256 characters long, more than 255
    "#);
}

#[test]
fn errors_of_the_host_say_what_is_wrong() {
    let long = format!("{}.example/app", "a".repeat(250));
    insta::assert_snapshot!(table(&[
        ":5000/app",
        "registry..example/app",
        "registry.example./app",
        "-registry.example/app",
        "my_registry.example/app",
        "registry.example:/app",
        "registry.example:0/app",
        "registry.example:65536/app",
        "registry.example:+80/app",
        "registry.example:tag/app",
        "::1/app",
        "[::1]x:80/app",
        "[::g]/app",
        &long,
    ]), @r#"
    ":5000/app" -> error: the host of the registry is missing
    "registry..example/app" -> error: the host `registry..example` has an empty part
    "registry.example./app" -> error: the host `registry.example.` has an empty part
    "-registry.example/app" -> error: the part `-registry` of the host `-registry.example` begins or ends with a dash
    "my_registry.example/app" -> error: the host `my_registry.example` has the character `_`
    "registry.example:/app" -> error: the port `` of the host `registry.example` is not a number from 1 to 65535
    "registry.example:0/app" -> error: the port `0` of the host `registry.example` is not a number from 1 to 65535
    "registry.example:65536/app" -> error: the port `65536` of the host `registry.example` is not a number from 1 to 65535
    "registry.example:+80/app" -> error: the port `+80` of the host `registry.example` is not a number from 1 to 65535
    "registry.example:tag/app" -> error: the port `tag` of the host `registry.example` is not a number from 1 to 65535
    "::1/app" -> error: the host `::1` has more than one colon: an IPv6 address stands in brackets
    "[::1]x:80/app" -> error: the host `[::1]x` is not an IPv6 address in brackets
    "[::g]/app" -> error: the host `[::g]` is not an IPv6 address in brackets
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/app" -> error: the host of the registry is 258 characters long, more than 253
    "#);
}

#[test]
fn errors_of_tag_and_digest_say_what_is_wrong() {
    let long = format!("nginx:{}", "1".repeat(129));
    let upper = format!("nginx@sha256:{}", HEX.to_uppercase());
    let half = format!("nginx@sha512:{HEX}");
    let two = format!("nginx@sha256:{HEX}@sha256:{HEX}");
    insta::assert_snapshot!(table(&[
        "nginx:",
        "nginx:.1",
        "nginx:1:2",
        "nginx:1.27?",
        &long,
        "nginx@",
        "nginx@latest",
        "nginx@md5:00",
        "nginx@sha256:00",
        &upper,
        &half,
        &two,
    ]), @r#"
    "nginx:" -> error: the tag is empty
    "nginx:.1" -> error: the tag `.1` does not begin with a letter, a digit or `_`
    "nginx:1:2" -> error: the tag `1:2` has the character `:`
    "nginx:1.27?" -> error: the tag `1.27?` has the character `?`
    "nginx:111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111" -> error: the tag is 129 characters long, more than 128
    "nginx@" -> error: the digest `` is not of the form `sha256:` and 64 hexadecimal digits
    "nginx@latest" -> error: the digest `latest` is not of the form `sha256:` and 64 hexadecimal digits
    "nginx@md5:00" -> error: the digest algorithm `md5` is not known: known are `sha256` and `sha512`
    "nginx@sha256:00" -> error: the digest `sha256:00` has 2 hexadecimal digits and not 64
    "nginx@sha256:0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF" -> error: the digest `sha256:0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF` has the character `A`, which is no lower-case hexadecimal digit
    "nginx@sha512:<hex>" -> error: the digest `sha512:<hex>` has 64 hexadecimal digits and not 128
    "nginx@sha256:<hex>@sha256:<hex>" -> error: the digest `sha256:<hex>@sha256:0123456789abcdef0...` has the character `@`, which is no lower-case hexadecimal digit
    "#);
}

#[test]
fn messages_repeat_long_texts_in_part_only() {
    let message = canonical(&"A".repeat(10_000));
    assert!(message.len() < 200, "{message}");
    let message = canonical(&format!("nginx:{}", "?".repeat(100)));
    assert!(
        message.contains(&format!("`{}...`", "?".repeat(96))),
        "{message}"
    );
}

/// A name that is too long only with `library/` could not be parsed again.
#[test]
fn the_longest_name_is_counted_in_its_canonical_form() {
    let parse = |length: usize| ImageReference::parse(&"a".repeat(length));
    let longest = parse(255 - "library/".len()).unwrap();
    assert_eq!(longest.repository().len(), 255);
    assert_eq!(ImageReference::parse(&longest.to_string()), Ok(longest));
    let error = parse(256 - "library/".len()).unwrap_err();
    insta::assert_snapshot!(error, @"the repository name is 256 characters long, more than 255");
}

#[test]
fn parts_are_given_one_by_one() {
    let text = format!("registry.example:5000/team/app:1@sha256:{HEX}");
    let reference: ImageReference = text.parse().unwrap();
    assert_eq!(reference.registry(), "registry.example:5000");
    assert_eq!(reference.repository(), "team/app");
    assert_eq!(reference.tag(), Some("1"));
    assert_eq!(reference.digest(), Some(format!("sha256:{HEX}").as_str()));
    assert!(reference.is_pinned());

    let reference = ImageReference::parse(&format!("nginx@sha256:{HEX}")).unwrap();
    assert_eq!(reference.tag(), None);
    assert!(reference.is_pinned());

    let reference = ImageReference::parse("nginx").unwrap();
    assert_eq!(reference.tag(), Some("latest"));
    assert_eq!(reference.digest(), None);
    assert!(!reference.is_pinned());
}

/// Texts of the grammar, ambiguous ones included, and near misses.
fn reference_text() -> impl Strategy<Value = String> {
    let host = prop_oneof![
        "[a-zA-Z0-9]([a-zA-Z0-9-]{0,5}[a-zA-Z0-9])?(\\.[a-zA-Z0-9]{1,4}){0,3}",
        "(0x|0)?[0-9a-f]{1,10}(\\.(0x|0)?[0-9]{1,3}){0,4}",
        "\\[([0-9a-fA-F]{1,4}:){2}:[0-9a-fA-F]{1,4}\\]",
        "\\[::ffff:[0-9]{1,3}(\\.[0-9]{1,3}){3}\\]",
        Just("localhost".to_owned()),
        "(index\\.|registry-1\\.)?docker\\.io",
    ];
    let path = "[a-z0-9]{1,3}([._-]?[a-z0-9]{1,3}){0,2}(/[a-z0-9]{1,4}){0,2}";
    let tag = proptest::option::of(":[a-zA-Z0-9_.-]{1,8}");
    let digest = proptest::option::of("@sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})");
    let port = proptest::option::of(":[0-9]{1,5}");
    let registry = proptest::option::of((host, port));
    (registry, path, tag, digest).prop_map(|(registry, path, tag, digest)| {
        let registry = registry.map(|(host, port)| host + &port.unwrap_or_default() + "/");
        let text = registry.unwrap_or_default() + &path;
        text + &tag.unwrap_or_default() + &digest.unwrap_or_default()
    })
}

/// What holds for every text that parses.
fn check_laws(text: &str) -> Result<(), TestCaseError> {
    let Ok(reference) = ImageReference::parse(text) else {
        return Ok(());
    };
    let canonical = reference.to_string();
    prop_assert_eq!(ImageReference::parse(&canonical), Ok(reference.clone()));
    prop_assert_eq!(reference.is_pinned(), text.contains('@'));
    prop_assert!(reference.tag().is_some() || reference.is_pinned());
    let named = format!("{}/{}", reference.registry(), reference.repository());
    prop_assert!(canonical.starts_with(&named));
    let lower = |text: &str| text.bytes().all(|byte| !byte.is_ascii_uppercase());
    prop_assert!(lower(&named), "{}", named);
    Ok(())
}

proptest! {
    #[test]
    fn what_is_displayed_parses_to_the_same_reference(text in reference_text()) {
        check_laws(&text)?;
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        check_laws(&text)?;
    }

    #[test]
    fn no_text_of_the_grammars_characters_panics(text in "[a-zA0-9.:/@_\\[\\]% -]{0,40}") {
        check_laws(&text)?;
    }

    #[test]
    fn messages_are_one_line(text in any::<String>()) {
        if let Err(error) = ImageReference::parse(&text) {
            let message = error.to_string();
            prop_assert!(!message.chars().any(char::is_control), "{:?}", message);
            prop_assert!(!message.ends_with('.'));
        }
    }
}

#[test]
fn most_generated_texts_parse() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let parsed = (0..200)
        .filter(|_| {
            let text = reference_text().new_tree(&mut runner).unwrap().current();
            ImageReference::parse(&text).is_ok()
        })
        .count();
    assert!(parsed > 80, "{parsed} of 200");
}
