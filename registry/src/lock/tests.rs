use proptest::prelude::*;
use taskdef::image::{ImageAnswer, ImageConfig, Platform};

use super::{LockFile, LockedPlatform};
use crate::reference::ImageReference;

const D1: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const D2: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

fn error(text: &str) -> String {
    LockFile::parse("outrigger.lock", text)
        .unwrap_err()
        .to_string()
}

/// A lock file with these platforms for nginx.
fn nginx(platforms: &str) -> LockFile {
    let text = format!(
        r#"{{"version": 1, "images": {{"docker.io/library/nginx:1.27": {{{platforms}}}}}}}"#
    );
    LockFile::parse("outrigger.lock", &text).unwrap()
}

fn lookup(lock: &LockFile, reference: &str, platform: Platform) -> ImageAnswer {
    lock.lookup(&ImageReference::parse(reference).unwrap(), &platform)
}

fn failure(lock: &LockFile, reference: &str, platform: Platform) -> String {
    let failure = lookup(lock, reference, platform).unwrap_err();
    format!("{}\n{}", failure.message, failure.hint.unwrap())
}

#[test]
fn an_image_that_was_pinned_is_still_the_recorded_one() {
    let lock = nginx(&format!(
        r#""linux/amd64": {{"digest": "{D1}", "cmd": ["nginx"]}}"#
    ));
    for reference in [format!("nginx@{D1}"), format!("nginx:1.27@{D1}")] {
        let config = lookup(&lock, &reference, Platform::LinuxAmd64).unwrap();
        assert_eq!(config.cmd, ["nginx"], "{reference}");
        assert!(lookup(&lock, &reference, Platform::LinuxArm64).is_err());
    }
    for reference in [format!("nginx@{D2}"), format!("other/nginx@{D1}")] {
        assert!(lookup(&lock, &reference, Platform::LinuxAmd64).is_err());
    }
    let mixed = nginx(&format!(
        r#""linux/amd64": {{"digest": "{D1}"}}, "linux/arm64": {{"digest": "{D2}"}}"#
    ));
    assert!(lookup(&mixed, &format!("nginx@{D1}"), Platform::LinuxAmd64).is_err());
}

#[test]
fn what_is_written_is_sorted_and_stable() {
    let mut lock = LockFile::new("outrigger.lock");
    for (reference, platform) in [("redis", "linux/arm64"), ("nginx:1.27", "linux/*")] {
        let config = ImageConfig {
            cmd: vec!["a \"b\"".to_owned(), String::new()],
            ..ImageConfig::default()
        };
        let platform = platform.parse().unwrap();
        lock.insert(&ImageReference::parse(reference).unwrap(), platform, config);
    }
    let config = ImageConfig {
        digest: Some(D1.to_owned()),
        entrypoint: vec!["/start".to_owned()],
        user: "app".to_owned(),
        working_dir: "/srv".to_owned(),
        ..ImageConfig::default()
    };
    let amd64 = LockedPlatform::from(&Platform::LinuxAmd64);
    lock.insert(&ImageReference::parse("redis").unwrap(), amd64, config);
    let text = lock.to_text();
    assert_eq!(LockFile::parse("outrigger.lock", &text).as_ref(), Ok(&lock));
    insta::assert_snapshot!(text, @r#"
    {
      "version": 1,
      "images": {
        "docker.io/library/nginx:1.27": {
          "linux/*": {
            "entrypoint": [],
            "cmd": [
              "a \"b\"",
              ""
            ],
            "user": "",
            "workingDir": ""
          }
        },
        "docker.io/library/redis:latest": {
          "linux/amd64": {
            "digest": "sha256:1111111111111111111111111111111111111111111111111111111111111111",
            "entrypoint": [
              "/start"
            ],
            "cmd": [],
            "user": "app",
            "workingDir": "/srv"
          },
          "linux/arm64": {
            "entrypoint": [],
            "cmd": [
              "a \"b\"",
              ""
            ],
            "user": "",
            "workingDir": ""
          }
        }
      }
    }
    "#);
}

#[test]
fn keys_may_be_left_out_or_null() {
    let lock = nginx(r#""linux/amd64": {"entrypoint": null, "cmd": ["a"], "user": null}"#);
    let expected = ImageConfig {
        cmd: vec!["a".to_owned()],
        ..ImageConfig::default()
    };
    assert_eq!(
        lookup(&lock, "nginx:1.27", Platform::LinuxAmd64),
        Ok(expected)
    );
}

#[test]
fn texts_that_are_no_lock_file_are_errors_with_a_place() {
    let texts = [
        "",
        "[]",
        "[1, {}]",
        "{",
        "{}",
        r#"{"version": 1}"#,
        r#"{"images": {}}"#,
        r#"{"version": 2, "later": {}}"#,
        r#"{"version": "1", "images": {}}"#,
        r#"{"version": 1.0, "images": {}}"#,
        r#"{"version": 1, "images": []}"#,
        r#"{"version": 1, "images": {}, "image": {}}"#,
        r#"{"version": 1, "images": {}, "images": {}}"#,
        r#"{"version": 1, "images": {}} {}"#,
    ];
    let errors: Vec<String> = texts
        .iter()
        .map(|text| format!("`{text}`\n    {}", error(text)))
        .collect();
    insta::assert_snapshot!(errors.join("\n"), @r#"
    ``
        outrigger.lock:1:1: EOF while parsing a value
    `[]`
        outrigger.lock:1:1: invalid type: sequence, expected an object
    `[1, {}]`
        outrigger.lock:1:1: invalid type: sequence, expected an object
    `{`
        outrigger.lock:1:1: EOF while parsing an object
    `{}`
        outrigger.lock:1:2: missing field `version`
    `{"version": 1}`
        outrigger.lock:1:14: missing field `images`
    `{"images": {}}`
        outrigger.lock:1:14: missing field `version`
    `{"version": 2, "later": {}}`
        outrigger.lock:1:13: version 2 of the lock file's format is not known: known is 1
    `{"version": "1", "images": {}}`
        outrigger.lock:1:15: invalid type: string "1", expected the version of the format, 1
    `{"version": 1.0, "images": {}}`
        outrigger.lock:1:15: invalid type: floating point `1.0`, expected the version of the format, 1
    `{"version": 1, "images": []}`
        outrigger.lock:1:25: invalid type: sequence, expected an object with an image reference for each key
    `{"version": 1, "images": {}, "image": {}}`
        outrigger.lock:1:36: unknown field `image`, expected `version` or `images`
    `{"version": 1, "images": {}, "images": {}}`
        outrigger.lock:1:37: duplicate field `images`
    `{"version": 1, "images": {}} {}`
        outrigger.lock:1:30: trailing characters
    "#);
}

#[test]
fn entries_that_cannot_be_trusted_are_errors_with_a_place() {
    let images = [
        "\"nginx:1.27\": {}".to_owned(),
        "\"docker.io/library/Nginx:1\": {}".to_owned(),
        "\"a.b/c:1\": {},\n\"a.b/c:1\": {}".to_owned(),
        "\"a.b/c:1\": null".to_owned(),
        "\"a.b/c:1\": {\"amd64\": {}}".to_owned(),
        "\"a.b/c:1\": {\"windows/*\": {}}".to_owned(),
        "\"a.b/c:1\": {\"linux/arm64/v8\": {}}".to_owned(),
        "\"a.b/c:1\": {\"linux/amd64\": {},\n\"linux/amd64\": {}}".to_owned(),
        "\"a.b/c:1\": {\"linux/amd64\": []}".to_owned(),
        "\"a.b/c:1\": {\"linux/amd64\": [null, null, null, null, null]}".to_owned(),
        "\"a.b/c:1\": {\"linux/amd64\": {\n\"entryPoint\": []}}".to_owned(),
        "\"a.b/c:1\": {\"linux/amd64\": {\n\"line\\nbreak\": []}}".to_owned(),
        "\"a.b/c:1\": {\"linux/amd64\": {\"cmd\": [],\n\"cmd\": []}}".to_owned(),
        "\"a.b/c:1\": {\"linux/amd64\": {\"cmd\": \"sh\"}}".to_owned(),
        "\"a.b/c:1\": {\"linux/amd64\": {\"cmd\": [\"sh\", 1]}}".to_owned(),
        "\"a.b/c:1\": {\"linux/amd64\": {\"user\": 0}}".to_owned(),
        "\"a.b/c:1\": {\"linux/amd64\": {\"digest\": \"sha256:00\"}}".to_owned(),
        format!("\"a.b/c@{D1}\": {{\"linux/amd64\": {{\"digest\": \"{D2}\"}}}}"),
    ];
    let errors: Vec<String> = images
        .iter()
        .map(|images| {
            let text = format!("{{\"version\": 1, \"images\": {{\n{images}}}}}");
            format!("{images}\n    {}", error(&text))
        })
        .collect();
    insta::assert_snapshot!(errors.join("\n"), @r#"
    "nginx:1.27": {}
        outrigger.lock:2:12: the image `nginx:1.27` is written `docker.io/library/nginx:1.27` in a lock file
    "docker.io/library/Nginx:1": {}
        outrigger.lock:2:27: `docker.io/library/Nginx:1` is no image reference: the repository name `library/Nginx` has the upper-case letter `N`
    "a.b/c:1": {},
    "a.b/c:1": {}
        outrigger.lock:3:9: the key `a.b/c:1` is there twice
    "a.b/c:1": null
        outrigger.lock:2:15: invalid type: null, expected an object with a platform for each key
    "a.b/c:1": {"amd64": {}}
        outrigger.lock:2:19: the platform `amd64` is not of the form `linux/amd64` or `linux/arm/v7`
    "a.b/c:1": {"windows/*": {}}
        outrigger.lock:2:23: the platform `windows/*` is not of the form `linux/amd64` or `linux/arm/v7`
    "a.b/c:1": {"linux/arm64/v8": {}}
        outrigger.lock:2:28: the platform `linux/arm64/v8` is written `linux/arm64`
    "a.b/c:1": {"linux/amd64": {},
    "linux/amd64": {}}
        outrigger.lock:3:13: the key `linux/amd64` is there twice
    "a.b/c:1": {"linux/amd64": []}
        outrigger.lock:2:27: invalid type: sequence, expected an object
    "a.b/c:1": {"linux/amd64": [null, null, null, null, null]}
        outrigger.lock:2:27: invalid type: sequence, expected an object
    "a.b/c:1": {"linux/amd64": {
    "entryPoint": []}}
        outrigger.lock:3:12: unknown field `entryPoint`, expected one of `digest`, `entrypoint`, `cmd`, `user`, `workingDir`
    "a.b/c:1": {"linux/amd64": {
    "line\nbreak": []}}
        outrigger.lock:3:13: unknown field `line break`, expected one of `digest`, `entrypoint`, `cmd`, `user`, `workingDir`
    "a.b/c:1": {"linux/amd64": {"cmd": [],
    "cmd": []}}
        outrigger.lock:3:5: duplicate field `cmd`
    "a.b/c:1": {"linux/amd64": {"cmd": "sh"}}
        outrigger.lock:2:39: invalid type: string "sh", expected a sequence
    "a.b/c:1": {"linux/amd64": {"cmd": ["sh", 1]}}
        outrigger.lock:2:43: invalid type: integer `1`, expected a string
    "a.b/c:1": {"linux/amd64": {"user": 0}}
        outrigger.lock:2:37: invalid type: integer `0`, expected a string
    "a.b/c:1": {"linux/amd64": {"digest": "sha256:00"}}
        outrigger.lock:2:50: the digest `sha256:00` has 2 hexadecimal digits and not 64
    "a.b/c@sha256:1111111111111111111111111111111111111111111111111111111111111111": {"linux/amd64": {"digest": "sha256:2222222222222222222222222222222222222222222222222222222222222222"}}
        outrigger.lock:2:184: an entry of `a.b/c@sha256:1111111111111111111111111111111111111111111111111111111111111111` has another digest, `sha256:2222222222222222222222222222222222222222222222222222222222222222`
    "#);
}

#[test]
fn lookup_is_by_canonical_reference_and_platform() {
    let lock = nginx(r#""linux/amd64": {"cmd": ["amd64"]}, "linux/arm64": {"cmd": ["arm64"]}"#);
    let cmd = |reference, platform| lookup(&lock, reference, platform).unwrap().cmd;
    assert_eq!(cmd("nginx:1.27", Platform::LinuxAmd64), ["amd64"]);
    assert_eq!(cmd("nginx:1.27", Platform::LinuxArm64), ["arm64"]);
    assert_eq!(
        cmd("index.docker.io/nginx:1.27", Platform::LinuxArm64),
        ["arm64"]
    );
    insta::assert_snapshot!(failure(&lock, "nginx", Platform::LinuxAmd64), @"
    image `docker.io/library/nginx:latest` for `linux/amd64` is not in the lock file `outrigger.lock`
    add it with the command `lock`
    ");
}

#[test]
fn a_missing_platform_names_those_that_are_there() {
    let lock = nginx(r#""linux/*": {}, "windows/amd64": {}"#);
    insta::assert_snapshot!(failure(&lock, "nginx:1.27", Platform::LinuxAmd64), @"
    image `docker.io/library/nginx:1.27` for `linux/amd64` is not in the lock file `outrigger.lock` (recorded: `linux/*`, `windows/amd64`)
    add it with the command `lock`
    ");
    let lock = nginx(r#""windows/amd64": {}"#);
    insta::assert_snapshot!(failure(&lock, "nginx:1.27", Platform::AnyLinux), @"
    image `docker.io/library/nginx:1.27` for `linux/*` is not in the lock file `outrigger.lock` (recorded: `windows/amd64`)
    add it with the command `lock`
    ");
}

#[test]
fn any_linux_is_answered_by_its_own_entry() {
    let lock = nginx(r#""linux/*": {"cmd": ["all"]}, "linux/amd64": {"cmd": ["amd64"]}"#);
    let config = lookup(&lock, "nginx:1.27", Platform::AnyLinux).unwrap();
    assert_eq!(config.cmd, ["all"]);
}

#[test]
fn any_linux_is_answered_where_all_linux_platforms_agree() {
    let same = format!(r#"{{"digest": "{D1}", "cmd": ["a"], "user": "app"}}"#);
    let other = same.replace(D1, D2);
    let windows = r#""windows/amd64": {"cmd": ["w"]}"#;
    let lock = nginx(&format!(
        r#""linux/amd64": {same}, "linux/arm64": {same}, {windows}"#
    ));
    let config = lookup(&lock, "nginx:1.27", Platform::AnyLinux).unwrap();
    assert_eq!(
        (config.cmd, config.digest),
        (vec!["a".to_owned()], Some(D1.to_owned()))
    );

    let lock = nginx(&format!(r#""linux/amd64": {same}, "linux/arm64": {other}"#));
    let config = lookup(&lock, "nginx:1.27", Platform::AnyLinux).unwrap();
    assert_eq!((config.user.as_str(), config.digest), ("app", None));

    // One alone says nothing about the others.
    for alone in ["linux/amd64", "linux/arm64"] {
        let lock = nginx(&format!(r#""{alone}": {same}"#));
        assert!(lookup(&lock, "nginx:1.27", Platform::AnyLinux).is_err());
    }
}

#[test]
fn any_linux_names_the_platforms_that_differ() {
    for key in [
        r#""entrypoint": ["a"]"#,
        r#""cmd": ["a"]"#,
        r#""user": "a""#,
    ] {
        let lock = nginx(&format!(r#""linux/arm64": {{{key}}}, "linux/amd64": {{}}"#));
        assert!(
            lookup(&lock, "nginx:1.27", Platform::AnyLinux).is_err(),
            "{key}"
        );
    }
    let lock = nginx(r#""linux/arm64": {"cmd": ["a"]}, "linux/amd64": {}, "windows/amd64": {}"#);
    insta::assert_snapshot!(failure(&lock, "nginx:1.27", Platform::AnyLinux), @"
    image `docker.io/library/nginx:1.27` has a different entry point, command or user on `linux/amd64`, `linux/arm64` (lock file `outrigger.lock`), and the task definition does not say where it runs
    state the platform in the task definition
    ");
}

#[test]
fn a_pinned_reference_gives_its_own_digest() {
    let text = format!(r#"{{"version": 1, "images": {{"a.b/c@{D1}": {{"linux/amd64": {{}}}}}}}}"#);
    let lock = LockFile::parse("outrigger.lock", &text).unwrap();
    let config = lookup(&lock, &format!("a.b/c@{D1}"), Platform::LinuxAmd64).unwrap();
    assert_eq!(config.digest.as_deref(), Some(D1));
}

fn any_config() -> impl Strategy<Value = ImageConfig> {
    let digest = proptest::option::of("sha256:[0-9a-f]{64}");
    let words = || proptest::collection::vec(any::<String>(), 0..3);
    (digest, words(), words(), any::<String>(), any::<String>()).prop_map(
        |(digest, entrypoint, cmd, user, working_dir)| ImageConfig {
            digest,
            entrypoint,
            cmd,
            user,
            working_dir,
        },
    )
}

fn any_lock_file() -> impl Strategy<Value = LockFile> {
    let reference = "[a-c]{1,2}\\.d/[a-c]{1,2}:[0-9]";
    let platform = "linux/(amd64|arm64|arm/v7|\\*)|windows/amd64";
    let entry = (reference, platform, any_config());
    proptest::collection::vec(entry, 0..6).prop_map(|entries| {
        let mut lock = LockFile::new("outrigger.lock");
        for (reference, platform, config) in entries {
            let reference = ImageReference::parse(&reference).unwrap();
            lock.insert(&reference, platform.parse().unwrap(), config);
        }
        lock
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same(lock in any_lock_file()) {
        let text = lock.to_text();
        prop_assert!(text.ends_with("}\n"), "no newline at the end");
        prop_assert_eq!(LockFile::parse("outrigger.lock", &text), Ok(lock));
    }

    #[test]
    fn messages_are_one_line(text in "[{}\"a-z:\\[\\]\n\u{7f}, 0-9]{0,40}") {
        if let Err(error) = LockFile::parse("outrigger.lock", &text) {
            prop_assert!(!error.to_string().chars().any(char::is_control), "{error}");
        }
    }
}

#[test]
fn a_key_of_any_length_gives_a_message_that_ends() {
    let key = "k".repeat(10_000);
    let message = error(&format!(r#"{{"version": 1, "{key}": {{}}}}"#));
    assert!(message.contains(&format!("unknown field `{}", "k".repeat(300))));
    assert!(message.ends_with("..."), "{message}");
    assert!(message.len() < 500, "{} bytes", message.len());
}
