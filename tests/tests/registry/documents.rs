//! Manifests and configs that are not what they should be.

use registry::remote::Settings;
use serde_json::json;
use taskdef::image::Platform;

use crate::hostile::{Case, but, case, table};
use crate::images::{CONFIG, INDEX, Images, MANIFEST};
use crate::server::{Reply, ReplyBody};

/// What nobody changes.
fn as_usual(_: &mut Settings) {}

/// Name, type and body.
const MANIFESTS: [(&str, &str, &str); 15] = [
    ("truncated", MANIFEST, r#"{"schemaVersion":2,"config":{"#),
    ("a web page", "text/html", "<html>sign in</html>"),
    ("empty", MANIFEST, ""),
    ("an empty object", "application/json", "{}"),
    (
        "both",
        MANIFEST,
        r#"{"schemaVersion":2,"config":{},"manifests":[]}"#,
    ),
    (
        "twice",
        MANIFEST,
        r#"{"schemaVersion":2,"config":{},"Config":{}}"#,
    ),
    (
        "an index by its type",
        INDEX,
        r#"{"schemaVersion":2,"config":{}}"#,
    ),
    (
        "two types",
        MANIFEST,
        r#"{"mediaType":"application/vnd.oci.image.index.v1+json","config":{}}"#,
    ),
    (
        "another type",
        "application/json",
        r#"{"mediaType":"application/vnd.x+json","config":{}}"#,
    ),
    (
        "schema 1",
        "application/vnd.docker.distribution.manifest.v1+prettyjws; charset=utf-8",
        "{}",
    ),
    (
        "schema 1 by its version",
        "application/json",
        r#"{"schemaVersion":1,"fsLayers":[]}"#,
    ),
    ("no digest", MANIFEST, r#"{"config":{"size":2}}"#),
    (
        "a path for a digest",
        MANIFEST,
        r#"{"config":{"digest":"../../../x","size":2}}"#,
    ),
    (
        "a negative size",
        MANIFEST,
        concat!(
            r#"{"config":{"digest":"sha256:0123456789abcdef0123456789abcdef"#,
            r#"0123456789abcdef0123456789abcdef","size":-1}}"#,
        ),
    ),
    (
        "a config of 9 MiB",
        MANIFEST,
        concat!(
            r#"{"config":{"digest":"sha256:0123456789abcdef0123456789abcdef"#,
            r#"0123456789abcdef0123456789abcdef","size":9437184}}"#,
        ),
    ),
];

#[test]
fn manifests_that_are_none() {
    let mut cases: Vec<(&str, Case)> = Vec::new();
    for (name, media_type, body) in MANIFESTS {
        cases.push((name, case(name, move |_| Reply::ok(media_type, body))));
    }
    let deep = |before: &'static str| {
        case("deep", move |_| {
            Reply::ok(MANIFEST, before.to_owned() + &"[".repeat(1_000_000))
        })
    };
    cases.push(("deep", deep("")));
    cases.push(("deep inside", deep(r#"{"manifests":[{"platform":"#)));
    cases.push(("deep elsewhere", deep(r#"{"layers":"#)));
    let many = format!(r#"{{"manifests":[{}]}}"#, vec!["{}"; 4097].join(","));
    let many = case("many", move |_| Reply::ok(INDEX, many.clone()));
    cases.push(("many", many));
    let table = crate::run(table(cases, as_usual));
    insta::assert_snapshot!(table, @"
    truncated (1 requests): manifest-invalid: image `HOST/app:1` cannot be read from `HOST`: the manifest is not valid: it ends too early (line 1, column 29): GET http://HOST/v2/app/manifests/1
    a web page (1 requests): manifest-invalid: image `HOST/app:1` cannot be read from `HOST`: the manifest is not valid: it is no JSON (line 1, column 1): GET http://HOST/v2/app/manifests/1
    empty (1 requests): manifest-invalid: image `HOST/app:1` cannot be read from `HOST`: the manifest is not valid: it ends too early (line 1, column 0): GET http://HOST/v2/app/manifests/1
    an empty object (1 requests): manifest-invalid: image `HOST/app:1` cannot be read from `HOST`: the manifest is not valid: it is no manifest of an image: GET http://HOST/v2/app/manifests/1
    both (1 requests): manifest-ambiguous: image `HOST/app:1` cannot be read from `HOST`: the manifest is an index and an image at the same time: GET http://HOST/v2/app/manifests/1
    twice (1 requests): manifest-invalid: image `HOST/app:1` cannot be read from `HOST`: the manifest is not valid: a name is there twice (line 1, column 39): GET http://HOST/v2/app/manifests/1
    an index by its type (1 requests): manifest-invalid: image `HOST/app:1` cannot be read from `HOST`: the manifest is not valid: it is not what its type says: GET http://HOST/v2/app/manifests/1
    two types (1 requests): manifest-invalid: image `HOST/app:1` cannot be read from `HOST`: the manifest is not valid: its type is another one in the answer's header: GET http://HOST/v2/app/manifests/1
    another type (1 requests): not-an-image: image `HOST/app:1` cannot be read from `HOST`: the reference names no container image but `application/vnd.x+json`
      hint: check the name and the tag of the image
    schema 1 (1 requests): manifest-schema-1: image `HOST/app:1` cannot be read from `HOST`: the image has a manifest of schema 1, which registries and runtimes gave up
      hint: push the image again with a current tool
    schema 1 by its version (1 requests): manifest-schema-1: image `HOST/app:1` cannot be read from `HOST`: the image has a manifest of schema 1, which registries and runtimes gave up
      hint: push the image again with a current tool
    no digest (1 requests): manifest-invalid: image `HOST/app:1` cannot be read from `HOST`: the manifest is not valid: the digest `` is not of the form `sha256:` and 64 hexadecimal digits: GET http://HOST/v2/app/manifests/1
    a path for a digest (1 requests): manifest-invalid: image `HOST/app:1` cannot be read from `HOST`: the manifest is not valid: the digest `../../../x` is not of the form `sha256:` and 64 hexadecimal digits: GET http://HOST/v2/app/manifests/1
    a negative size (1 requests): manifest-invalid: image `HOST/app:1` cannot be read from `HOST`: the manifest is not valid: it does not have the form that it should have (line 1, column 103): GET http://HOST/v2/app/manifests/1
    a config of 9 MiB (1 requests): answer-too-large: image `HOST/app:1` cannot be read from `HOST`: the answer has more than 8388608 bytes: GET http://HOST/v2/app/blobs/sha256:012345
    deep (1 requests): manifest-invalid: image `HOST/app:1` cannot be read from `HOST`: the manifest is not valid: it does not have the form that it should have (line 1, column 0): GET http://HOST/v2/app/manifests/1
    deep inside (1 requests): manifest-invalid: image `HOST/app:1` cannot be read from `HOST`: the manifest is not valid: it does not have the form that it should have (line 1, column 26): GET http://HOST/v2/app/manifests/1
    deep elsewhere (1 requests): manifest-invalid: image `HOST/app:1` cannot be read from `HOST`: the manifest is not valid: it ends too early (line 1, column 1000010): GET http://HOST/v2/app/manifests/1
    many (1 requests): manifest-invalid: image `HOST/app:1` cannot be read from `HOST`: the manifest is not valid: a list is too long (line 1, column 12305): GET http://HOST/v2/app/manifests/1
    ");
}

#[test]
fn bytes_that_are_not_what_was_announced() {
    const OTHER: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let blanks = |media_type, count| move |_: Reply| Reply::ok(media_type, vec![b' '; count]);
    let endless = |status| move |_: Reply| Reply::new(status).body(ReplyBody::Endless);
    let status = |status| move |_: Reply| Reply::new(status);
    let (root, manifest, config) = ("/manifests/1", "/manifests/sha256", "/blobs/");
    let table = crate::run(table(
        vec![
            (
                "index, another digest in the header",
                but(root, |_| {
                    Reply::ok(MANIFEST, "{}").header("docker-content-digest", OTHER)
                }),
            ),
            (
                "manifest, other bytes",
                but(manifest, blanks(MANIFEST, 248)),
            ),
            ("config, other bytes", but(config, blanks(CONFIG, 105))),
            ("config, too short", but(config, blanks(CONFIG, 2))),
            ("config, too long", but(config, blanks(CONFIG, 1 << 20))),
            ("config, endless", but(config, endless(200))),
            ("index, endless", but(root, endless(200))),
            ("index, 5 MiB", but(root, blanks(INDEX, 5 << 20))),
            (
                "index, compressed",
                but(root, |reply| reply.header("content-encoding", "gzip")),
            ),
            ("config, gone", but(config, status(404))),
            ("config, no content", but(config, status(204))),
            ("index, part of it", but(root, status(206))),
            ("endless refusal", but(root, endless(400))),
        ],
        as_usual,
    ));
    insta::assert_snapshot!(table, @"
    index, another digest in the header (1 requests): digest-mismatch: image `HOST/app:1` cannot be read from `HOST`: the manifest has the digest `sha256:44136f` and not `sha256:012345`: GET http://HOST/v2/app/manifests/1: 200
    manifest, other bytes (2 requests): digest-mismatch: image `HOST/app:1` cannot be read from `HOST`: the manifest has the digest `sha256:52d199` and not `sha256:84c36c`: GET http://HOST/v2/app/manifests/sha256:84c36c: 200
    config, other bytes (3 requests): digest-mismatch: image `HOST/app:1` cannot be read from `HOST`: the config has the digest `sha256:d54e5b` and not `sha256:5bd855`: GET http://HOST/v2/app/blobs/sha256:5bd855: 200
    config, too short (3 requests): size-mismatch: image `HOST/app:1` cannot be read from `HOST`: the config has 2 bytes where 105 are announced: GET http://HOST/v2/app/blobs/sha256:5bd855: 200
    config, too long (3 requests): size-mismatch: image `HOST/app:1` cannot be read from `HOST`: the config has 1048576 bytes where 105 are announced: GET http://HOST/v2/app/blobs/sha256:5bd855: 200
    config, endless (3 requests): size-mismatch: image `HOST/app:1` cannot be read from `HOST`: the config has more than the 105 bytes that are announced: GET http://HOST/v2/app/blobs/sha256:5bd855: 200
    index, endless (1 requests): answer-too-large: image `HOST/app:1` cannot be read from `HOST`: the answer has more than 4194304 bytes: GET http://HOST/v2/app/manifests/1: 200
    index, 5 MiB (1 requests): answer-too-large: image `HOST/app:1` cannot be read from `HOST`: the answer has more than 4194304 bytes: GET http://HOST/v2/app/manifests/1: 200
    index, compressed (1 requests): answer-encoded: image `HOST/app:1` cannot be read from `HOST`: the answer is encoded, which was not asked for: GET http://HOST/v2/app/manifests/1: 200
    config, gone (3 requests): image-incomplete: image `HOST/app:1` cannot be read from `HOST`: the registry lost the config of the image: GET http://HOST/v2/app/blobs/sha256:5bd855: 404
    config, no content (3 requests): unexpected-answer: image `HOST/app:1` cannot be read from `HOST`: an unexpected answer: GET http://HOST/v2/app/blobs/sha256:5bd855: 204
    index, part of it (1 requests): unexpected-answer: image `HOST/app:1` cannot be read from `HOST`: an unexpected answer: GET http://HOST/v2/app/manifests/1: 206
    endless refusal (1 requests): unexpected-answer: image `HOST/app:1` cannot be read from `HOST`: an unexpected answer: GET http://HOST/v2/app/manifests/1: 400
    ");
}

/// Name, and config.
const CONFIGS: [(&str, &str); 15] = [
    ("nothing", "{}"),
    ("no-process", r#"{"os":"linux","architecture":"amd64"}"#),
    (
        "nulls",
        r#"{"os":"linux","architecture":"amd64","config":{"Entrypoint":null,"Cmd":null,"User":null,"Env":null}}"#,
    ),
    (
        "null-config",
        r#"{"os":"linux","architecture":"amd64","config":null}"#,
    ),
    (
        "shell-form",
        r#"{"os":"linux","architecture":"amd64","created":"","config":{"Entrypoint":["/bin/sh","-c","exec app"],"ArgsEscaped":true,"Shell":["/bin/bash"],"Healthcheck":{"Test":["NONE"]}}}"#,
    ),
    (
        "non-root",
        r#"{"os":"linux","architecture":"amd64","config":{"Entrypoint":["app"],"Cmd":["a","b c"],"User":"1000:1000"}}"#,
    ),
    (
        "other-case",
        r#"{"os":"linux","architecture":"amd64","CONFIG":{"entrypoint":["app"],"CMD":["x"],"u\u017fer":"1"}}"#,
    ),
    (
        "twice",
        r#"{"os":"linux","architecture":"amd64","config":{"Entrypoint":["app"],"entrypoint":["other"]}}"#,
    ),
    (
        "text",
        r#"{"os":"linux","architecture":"amd64","config":{"Entrypoint":"app"}}"#,
    ),
    (
        "numbers",
        r#"{"os":"linux","architecture":"amd64","config":{"Cmd":[1]}}"#,
    ),
    ("list", "[]"),
    ("not-json", "<html>"),
    ("truncated", r#"{"os":"linux","config":{"Cmd":["#),
    ("two-documents", "{} {}"),
    ("control-character", "{\"config\":{\"Cmd\":[\"\u{0}\"]}}"),
];

#[test]
fn configs() {
    let mut images = Images::default();
    let mut add = |tag: &str, config_type: &str, config: &str| {
        let config = images.add(config_type, config.as_bytes());
        let manifest = json!({"schemaVersion": 2, "config": config}).to_string();
        let manifest = images.add(MANIFEST, manifest.as_bytes());
        images.tag(tag, &manifest);
    };
    for (tag, config) in CONFIGS {
        add(tag, CONFIG, config);
    }
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    let deep = format!(
        r#"{{"os":"linux","architecture":"amd64","history":{open}1{close},"config":{{"Cmd":["deep"]}}}}"#
    );
    add("deep-elsewhere", CONFIG, &deep);
    let words = vec![r#""""#; 65_537].join(",");
    let many = format!(r#"{{"config":{{"Cmd":[{words}]}}}}"#);
    add("many-words", CONFIG, &many);
    let long = format!(r#"{{"config":{{"Cmd":["{}"]}}}}"#, "x".repeat(300_000));
    add("long-word", CONFIG, &long);
    add("helm", "application/vnd.cncf.helm.config.v1+json", "{}");
    let tags = CONFIGS.iter().map(|(tag, _)| *tag).chain([
        "deep-elsewhere",
        "many-words",
        "long-word",
        "helm",
    ]);
    let rows: Vec<(&str, Platform)> = tags.map(|tag| (tag, Platform::LinuxAmd64)).collect();
    let table = crate::run(crate::chosen::table(images, &rows));
    insta::assert_snapshot!(table, @"
    nothing linux/amd64: [] [] user `` in `` for 
    no-process linux/amd64: [] [] user `` in `` for linux/amd64
    nulls linux/amd64: [] [] user `` in `` for linux/amd64
    null-config linux/amd64: [] [] user `` in `` for linux/amd64
    shell-form linux/amd64: [/bin/sh -c exec app] [] user `` in `` for linux/amd64
    non-root linux/amd64: [app] [a b c] user `1000:1000` in `` for linux/amd64
    other-case linux/amd64: [app] [x] user `1` in `` for linux/amd64
    twice linux/amd64: config-invalid: image `HOST/app:twice` cannot be read from `HOST`: the image config is not valid: a name is there twice (line 1, column 80): GET http://HOST/v2/app/blobs/sha256:0d0e89: 200
    text linux/amd64: config-invalid: image `HOST/app:text` cannot be read from `HOST`: the image config is not valid: it does not have the form that it should have (line 1, column 65): GET http://HOST/v2/app/blobs/sha256:4a5e6a: 200
    numbers linux/amd64: config-invalid: image `HOST/app:numbers` cannot be read from `HOST`: the image config is not valid: it does not have the form that it should have (line 1, column 55): GET http://HOST/v2/app/blobs/sha256:bd6166: 200
    list linux/amd64: config-invalid: image `HOST/app:list` cannot be read from `HOST`: the image config is not valid: it does not have the form that it should have (line 1, column 0): GET http://HOST/v2/app/blobs/sha256:4f53cd: 200
    not-json linux/amd64: config-invalid: image `HOST/app:not-json` cannot be read from `HOST`: the image config is not valid: it is no JSON (line 1, column 1): GET http://HOST/v2/app/blobs/sha256:b7d082: 200
    truncated linux/amd64: config-invalid: image `HOST/app:truncated` cannot be read from `HOST`: the image config is not valid: it ends too early (line 1, column 31): GET http://HOST/v2/app/blobs/sha256:aca6f0: 200
    two-documents linux/amd64: config-invalid: image `HOST/app:two-documents` cannot be read from `HOST`: the image config is not valid: it is no JSON (line 1, column 4): GET http://HOST/v2/app/blobs/sha256:2cec2b: 200
    control-character linux/amd64: config-invalid: image `HOST/app:control-character` cannot be read from `HOST`: the image config is not valid: it is no JSON (line 1, column 20): GET http://HOST/v2/app/blobs/sha256:195fa4: 200
    deep-elsewhere linux/amd64: [] [deep] user `` in `` for linux/amd64
    many-words linux/amd64: config-invalid: image `HOST/app:many-words` cannot be read from `HOST`: the image config is not valid: a list is too long (line 1, column 196629): GET http://HOST/v2/app/blobs/sha256:cc2e63: 200
    long-word linux/amd64: config-invalid: image `HOST/app:long-word` cannot be read from `HOST`: the image config is not valid: its texts are too long: GET http://HOST/v2/app/blobs/sha256:630d95: 200
    helm linux/amd64: not-an-image: image `HOST/app:helm` cannot be read from `HOST`: the reference names no container image but `application/vnd.cncf.helm.config.v1+json`
      hint: check the name and the tag of the image
    ");
}
