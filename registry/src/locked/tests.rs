use std::collections::BTreeSet;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use taskdef::image::{Answers, Credentials, ImageRequest, Platform};

use super::Locked;
use crate::{ImageConfigs, LockFile, answered_by_tag};

const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

fn requests(references: &[&str]) -> BTreeSet<ImageRequest> {
    references
        .iter()
        .map(|reference| ImageRequest {
            reference: (*reference).to_owned(),
            platform: Platform::LinuxAmd64,
            credentials: Credentials::Unstated,
        })
        .collect()
}

/// Polls once: an answer from a lock file has nothing to wait for.
fn resolve(configs: &impl ImageConfigs, requests: &BTreeSet<ImageRequest>) -> Answers {
    let future = pin!(configs.resolve_all(requests));
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answers) => answers,
        Poll::Pending => panic!("the answers were not ready"),
    }
}

fn locked() -> Locked {
    let text = format!(
        r#"{{"version": 1, "images": {{
            "docker.io/library/nginx:1.27": {{"linux/amd64": {{"cmd": ["nginx"]}}}},
            "registry.example/app:1@{DIGEST}": {{"linux/amd64": {{"cmd": ["app"]}}}}
        }}}}"#
    );
    Locked::new(LockFile::parse("outrigger.lock", &text).unwrap())
}

#[test]
fn every_request_has_an_answer() {
    let pinned = format!("registry.example/app:1@{DIGEST}");
    let requests = requests(&[
        "nginx:1.27",
        "docker.io/nginx:1.27",
        &pinned,
        "redis",
        "no pe",
    ]);
    let answers = resolve(&locked(), &requests);
    let lines: Vec<String> = answers
        .iter()
        .map(|(request, answer)| match answer {
            Ok(config) => format!("{}: {:?}", request.reference, config.cmd),
            Err(failure) => format!("{}: {}", request.reference, failure.message),
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    docker.io/nginx:1.27: ["nginx"]
    nginx:1.27: ["nginx"]
    no pe: not an image reference: the repository name `no pe` has the character ` `
    redis: image `docker.io/library/redis:latest` for `linux/amd64` is not in the lock file `outrigger.lock`
    registry.example/app:1@sha256:1111111111111111111111111111111111111111111111111111111111111111: ["app"]
    "#);
    assert_eq!(answers.into_keys().collect::<BTreeSet<_>>(), requests);
}

#[test]
fn a_password_in_a_reference_does_not_come_back() {
    let requests = requests(&["user:hunter2@registry.example/app"]);
    let answers = locked().answers(&requests);
    let failure = answers.into_values().next().unwrap().unwrap_err();
    insta::assert_snapshot!(failure.message, @"not an image reference: an image reference holds no user name and no password");
}

#[test]
fn answers_by_tag_are_those_that_can_move() {
    let pinned = format!("registry.example/app:1@{DIGEST}");
    let requests = requests(&["nginx:1.27", &pinned, "redis", "no pe"]);
    let answers = locked().answers(&requests);
    let movable: Vec<&str> = answered_by_tag(&answers)
        .map(|request| request.reference.as_str())
        .collect();
    assert_eq!(movable, ["nginx:1.27"]);
}

#[test]
fn a_tag_is_a_warning_once() {
    let mut requests = requests(&["nginx:1.27"]);
    let other = ImageRequest {
        platform: Platform::AnyLinux,
        ..requests.first().unwrap().clone()
    };
    requests.insert(other);
    let completed = super::Completed {
        unchecked: requests,
        ..super::Completed::default()
    };
    let warnings = completed.warnings();
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].1.image.as_deref(), Some("nginx:1.27"));
}
