//! The servers of the tests serve: skopeo, which knows nothing of us, reads back what they hold.

#![cfg(test)]

use std::path::Path;
use std::process::{Command, Output};

use outrigger_tests::servers::image::{Artifact, Family, digest};
use outrigger_tests::servers::{Access, Authority, Login, Registry, TokenServer, program, samples};
use serde_json::Value;

/// `skopeo inspect` of an image, with these arguments more; `None` where it is not installed.
fn skopeo(registry: &Registry, image: &str, more: &[&str]) -> Option<Output> {
    let program = program("SKOPEO", "skopeo").unwrap()?;
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(program)
        .env("HOME", home.path())
        .env("REGISTRY_AUTH_FILE", home.path().join("auth.json"))
        .args(["--override-os", "linux", "--override-arch", "amd64"])
        .args(["inspect", "--raw"])
        .args(more)
        .arg(format!("docker://{}/{image}", registry.host()))
        .output()
        .unwrap();
    Some(output)
}

fn document(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

const PLAIN: &str = "--tls-verify=false";

fn anna() -> String {
    format!("--creds={}:{}", Login::USER, Login::PASSWORD)
}

/// Pushes one image, and has it read with and without the password.
fn check_login(registry: &Registry, tls: &str) {
    registry
        .push("team/app", "1", &samples::single(Family::Oci))
        .unwrap();
    let Some(refused) = skopeo(registry, "team/app:1", &[tls]) else {
        return;
    };
    assert!(!refused.status.success());
    let wrong = format!("--creds={}:wrong", Login::USER);
    let refused = skopeo(registry, "team/app:1", &[tls, &wrong]).unwrap();
    assert!(!refused.status.success());
    let read = skopeo(registry, "team/app:1", &[tls, &anna(), "--config"]).unwrap();
    assert_eq!(document(&read)["config"], samples::process("amd64"));
}

fn cert_dir(folder: &Path) -> String {
    format!("--cert-dir={}", folder.display())
}

#[test]
fn every_sample_can_be_read() {
    let Some(registry) = Registry::start(Access::Open, None).unwrap() else {
        return;
    };
    for (name, sample) in [
        ("oci", samples::single(Family::Oci)),
        ("docker", samples::single(Family::Docker)),
        ("index", samples::multi_platform(Family::Oci)),
        ("list", samples::multi_platform(Family::Docker)),
        ("attestations", samples::with_attestations()),
        ("nested", samples::nested_index()),
        ("hundred", samples::hundred_platforms()),
        ("windows", samples::windows()),
        ("no-rootfs", samples::without_rootfs()),
        ("no-command", samples::without_command()),
        ("no-process", samples::without_process()),
        ("shell", samples::shell_form()),
        ("not-root", samples::not_root()),
    ] {
        assert_eq!(registry.push(name, "1", &sample).unwrap(), sample.digest());
        let Some(read) = skopeo(&registry, &format!("{name}:1"), &[PLAIN]) else {
            return;
        };
        document(&read);
        assert_eq!(digest(&read.stdout), sample.digest(), "{name}");
        if let Some(entrypoint) = expected_entrypoint(name, &sample) {
            let config = skopeo(&registry, &format!("{name}:1"), &[PLAIN, "--config"]).unwrap();
            assert_eq!(
                document(&config)["config"]["Entrypoint"],
                entrypoint,
                "{name}"
            );
        }
    }
}

/// The entry point for linux/amd64, where skopeo finds it: it reads no nested index.
fn expected_entrypoint(name: &str, sample: &Artifact) -> Option<Value> {
    let image = match name {
        "nested" | "windows" => return None,
        "hundred" => sample.children.last().unwrap(),
        _ => sample.children.first().unwrap_or(sample),
    };
    let config: Value = serde_json::from_slice(&image.blobs[0]).unwrap();
    Some(config["config"]["Entrypoint"].clone())
}

#[test]
fn a_registry_with_tls() {
    let authority = Authority::new().unwrap();
    let Some(registry) = Registry::start(Access::Open, Some(&authority)).unwrap() else {
        return;
    };
    registry
        .push("app", "1", &samples::single(Family::Oci))
        .unwrap();
    let trusting = cert_dir(registry.folder());
    let Some(read) = skopeo(&registry, "app:1", &[&trusting, "--config"]) else {
        return;
    };
    assert_eq!(document(&read)["config"], samples::process("amd64"));
    let doubting = skopeo(&registry, "app:1", &[]).unwrap();
    assert!(!doubting.status.success());
}

#[test]
fn a_registry_with_passwords() {
    let Some(registry) = Registry::start(Access::Password, None).unwrap() else {
        return;
    };
    check_login(&registry, PLAIN);
}

#[test]
fn a_registry_with_tokens() {
    let tokens = TokenServer::start(None).unwrap();
    let Some(registry) = Registry::start(Access::Token(&tokens), None).unwrap() else {
        return;
    };
    check_login(&registry, PLAIN);
    let seen = tokens.seen();
    let granted: Vec<_> = seen.iter().filter(|request| request.granted).collect();
    assert!(
        seen.is_empty() || granted[0].scopes == ["repository:team/app:pull"],
        "{seen:?}"
    );
}

#[test]
fn a_registry_with_tokens_and_tls() {
    let authority = Authority::new().unwrap();
    let tokens = TokenServer::start(Some(&authority)).unwrap();
    let access = Access::Token(&tokens);
    let Some(registry) = Registry::start(access, Some(&authority)).unwrap() else {
        return;
    };
    assert!(tokens.url().starts_with("https://"));
    check_login(&registry, &cert_dir(registry.folder()));
}

#[test]
fn nothing_is_left_behind() {
    let tokens = TokenServer::start(None).unwrap();
    let Some(registry) = Registry::start(Access::Token(&tokens), None).unwrap() else {
        return;
    };
    let (address, folder) = (registry.address(), registry.folder().to_owned());
    assert!(std::net::TcpStream::connect(address).is_ok());
    drop(registry);
    assert!(std::net::TcpStream::connect(address).is_err());
    assert!(!folder.exists());
}
