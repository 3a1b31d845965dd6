//! Helper programs: small shell scripts.

#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::{CANARY, in_file, run};
use crate::credentials::docker::{DockerConfig, DockerConfigError, HelperPrograms};
use crate::credentials::login;
use crate::remote::{Credential, Origin, Secret};

/// A folder with helper programs, and a configuration that names them.
struct Machine {
    folder: TempDir,
    timeout: Duration,
}

impl Machine {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            timeout: Duration::from_secs(60),
        }
    }

    /// Installs `docker-credential-<name>`, which notes what it is asked for and then does `body`.
    fn with(self, name: &str, body: &str) -> Self {
        let folder = self.folder.path();
        let script = format!(
            "#!/bin/sh\nread -r server; echo \"$1 $server\" >>'{}'\n{body}\n",
            folder.join("asked").display()
        );
        install(&folder.join(format!("docker-credential-{name}")), &script);
        self
    }

    fn config(&self, text: &str) -> DockerConfig {
        let path = format!("{}:/usr/bin:/bin", self.folder.path().display());
        let programs = HelperPrograms {
            search_path: Some(path.into()),
            timeout: self.timeout,
        };
        DockerConfig::parse("config.json", text, programs).unwrap()
    }

    fn lookup(&self, text: &str, registry: &str) -> Result<Option<Credential>, DockerConfigError> {
        run(self.config(text).lookup(registry))
    }

    /// The error of a lookup, which must not hold what the helper has printed.
    fn error(&self, text: &str) -> DockerConfigError {
        let error = self.lookup(text, "example.com").unwrap_err();
        let hint = error.hint().unwrap_or_default();
        assert!(!format!("{error:?} {error} {hint}").contains(CANARY));
        error
    }

    fn asked(&self) -> String {
        fs::read_to_string(self.folder.path().join("asked")).unwrap_or_default()
    }
}

/// Written by another process: a program that is open for writing in this one cannot be started,
/// and another test may just be starting a child that still holds the file.
fn install(path: &Path, script: &str) {
    let mut shell = Command::new("sh")
        .args(["-c", "cat >\"$1\" && chmod 755 \"$1\"", "sh"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = shell.stdin.take().unwrap();
    input.write_all(script.as_bytes()).unwrap();
    drop(input);
    assert!(shell.wait().unwrap().success());
}

fn answers(user: &str) -> String {
    format!(r#"printf '{{"ServerURL":"x","Username":"{user}","Secret":"{CANARY}"}}'"#)
}

/// A credential as a helper gives it.
fn told_by(helper: &str, credential: Credential) -> Credential {
    credential.found_in(Origin::Helper {
        program: format!("docker-credential-{helper}"),
        file: "config.json".to_owned(),
    })
}

const NOT_FOUND: &str = "echo 'credentials not found in native keychain'; exit 1";
const OWN: &str = r#"{"credHelpers": {"example.com": "own"}, "credsStore": "store"}"#;
const STORE: &str = r#"{"credsStore": "store"}"#;

#[test]
fn the_registrys_own_helper_goes_before_the_store() {
    let machine = Machine::new()
        .with("own", &answers("own"))
        .with("store", &answers("store"));
    let found = |registry| machine.lookup(OWN, registry).unwrap().unwrap();
    assert_eq!(found("example.com"), told_by("own", login("own", CANARY)));
    assert_eq!(found("docker.io"), told_by("store", login("store", CANARY)));
    insta::assert_snapshot!(machine.asked(), @r"
    get example.com
    get https://index.docker.io/v1/
    ");
}

#[test]
fn a_user_called_token_is_an_identity_token() {
    let machine = Machine::new().with("store", &answers("<token>"));
    let found = machine.lookup(STORE, "example.com").unwrap().unwrap();
    let token = Credential::identity(Secret::new(CANARY));
    assert_eq!(found, told_by("store", token));
    assert!(!format!("{found:?}").contains(CANARY));
}

#[test]
fn a_helper_that_knows_nothing_leaves_it_to_the_file() {
    let machine = Machine::new().with("store", NOT_FOUND);
    assert_eq!(machine.lookup(STORE, "example.com").unwrap(), None);
    let text = r#"{"credsStore": "store", "auths": {"example.com": {"auth": "YTpi"}}}"#;
    let found = machine.lookup(text, "example.com").unwrap();
    assert_eq!(found, Some(in_file(login("a", "b"))));
    let empty = Machine::new().with("store", r#"echo '{"Username":"","Secret":""}'"#);
    assert_eq!(empty.lookup(STORE, "example.com").unwrap(), None);
}

#[test]
fn an_empty_name_takes_a_registry_out_of_the_store() {
    let machine = Machine::new().with("store", &answers("store"));
    let text = r#"{"credHelpers": {"example.com": ""}, "credsStore": "store"}"#;
    assert_eq!(machine.lookup(text, "example.com").unwrap(), None);
    assert_eq!(machine.asked(), "");
}

#[test]
fn a_store_that_is_not_installed_counts_where_the_file_lists_the_registry() {
    let machine = Machine::new();
    assert_eq!(machine.lookup(STORE, "example.com").unwrap(), None);
    let error = machine.error(r#"{"credsStore": "store", "auths": {"example.com": {}}}"#);
    insta::assert_snapshot!(error, @"the credential helper `docker-credential-store`, named in `config.json`, was asked for `example.com` and is not installed");
    insta::assert_snapshot!(error.hint().unwrap(), @"install it, or remove `store` from the file and log in again");
    machine.error(OWN);
}

#[test]
fn a_helper_that_fails() {
    let body = format!("echo {CANARY}; echo {CANARY} >&2; exit 3");
    let error = Machine::new().with("store", &body).error(STORE);
    insta::assert_snapshot!(error, @"the credential helper `docker-credential-store`, named in `config.json`, was asked for `example.com` and failed (exit status: 3)");
    insta::assert_snapshot!(error.hint().unwrap(), @"see what `echo example.com | docker-credential-store get` does");
}

#[test]
fn a_helper_that_prints_something_else() {
    for body in [
        format!("echo {CANARY}"),
        format!(r#"echo '{{"Username": "{CANARY}"}}'"#),
        format!(r#"echo '{{"Username": "a", "Secret": ["{CANARY}"]}}'"#),
        "true".to_owned(),
    ] {
        let error = Machine::new().with("store", &body).error(STORE);
        insta::allow_duplicates! {
            insta::assert_snapshot!(error, @"the credential helper `docker-credential-store`, named in `config.json`, was asked for `example.com` and printed something else than JSON with `Username` and `Secret`");
        }
    }
}

#[test]
fn a_helper_that_does_not_stop_printing() {
    let error = Machine::new()
        .with("store", "exec cat /dev/zero")
        .error(STORE);
    insta::assert_snapshot!(error, @"the credential helper `docker-credential-store`, named in `config.json`, was asked for `example.com` and printed more than 65536 bytes");
}

#[test]
fn a_helper_that_does_not_answer() {
    let mut machine = Machine::new().with("store", "exec sleep 600");
    machine.timeout = Duration::from_millis(200);
    insta::assert_snapshot!(machine.error(STORE), @"the credential helper `docker-credential-store`, named in `config.json`, was asked for `example.com` and did not answer within 200ms");
}

#[test]
fn a_helper_that_is_a_path_is_not_started() {
    let machine = Machine::new().with("store", &answers("store"));
    for name in ["../store", "/bin/sh", "a b", "a;b", "sto\u{2028}re", "a\\b"] {
        let text = serde_json::json!({"credHelpers": {"example.com": name}}).to_string();
        let error = machine.error(&text).to_string();
        assert!(error.contains("was not started"), "{error}");
        assert!(!error.contains('\u{2028}'), "{error}");
    }
    assert_eq!(machine.asked(), "");
}
