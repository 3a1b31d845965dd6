//! [Digests](https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests).

use std::fmt::Write as _;

use ring::digest::{Algorithm, SHA256, SHA512, digest};

/// The digest of some bytes, by the algorithm of `like`.
pub(super) fn of(bytes: &[u8], like: &str) -> String {
    match like.split_once(':') {
        Some(("sha512", _)) => hex("sha512", &SHA512, bytes),
        _ => sha256(bytes),
    }
}

/// The digest that a registry gives by default.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex("sha256", &SHA256, bytes)
}

fn hex(name: &str, algorithm: &'static Algorithm, bytes: &[u8]) -> String {
    let mut text = format!("{name}:");
    for byte in digest(algorithm, bytes).as_ref() {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
