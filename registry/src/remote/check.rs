//! Whether an answer is what was asked for.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::digest;
use super::error::Cause;
use super::transport::Answer;
use crate::reference::check_digest;

/// What a registry calls the digest of what it answers with.
const DIGEST_HEADER: &str = "docker-content-digest";

/// Checks that an answer is what was asked for. `root` is what a reference names; other parts
/// are named by a manifest.
pub(super) fn expect_found(answer: &Answer, what: &'static str, root: bool) -> Result<(), Cause> {
    let request = answer.shown();
    match answer.status {
        StatusCode::OK => Ok(()),
        StatusCode::NOT_FOUND if root => Err(Cause::ImageNotFound { request }),
        StatusCode::NOT_FOUND => Err(Cause::PartNotFound { what, request }),
        _ => Err(Cause::Status { request }),
    }
}

/// The digest of a manifest: that by which it was asked for, or else that of its bytes, which
/// the registry must not contradict.
pub(super) fn checked_digest(name: &str, answer: &Answer) -> Result<String, Cause> {
    if name.contains(':') {
        check_digest_of("manifest", name, answer)?;
        return Ok(name.to_owned());
    }
    if let Some(stated) = stated_digest(&answer.headers) {
        check_digest_of("manifest", stated, answer)?;
    }
    Ok(digest::sha256(&answer.body))
}

/// Checks bytes against the digest that they were announced with.
pub(super) fn check_digest_of(
    what: &'static str,
    expected: &str,
    answer: &Answer,
) -> Result<(), Cause> {
    let actual = digest::of(&answer.body, expected);
    if actual == expected {
        return Ok(());
    }
    Err(Cause::Digest {
        what,
        expected: expected.to_owned(),
        actual,
        request: answer.shown(),
    })
}

/// The digest that a registry says its answer has.
pub(super) fn stated_digest(headers: &HeaderMap) -> Option<&str> {
    let stated = headers.get(DIGEST_HEADER)?.to_str().ok()?;
    check_digest(stated).ok().map(|()| stated)
}
