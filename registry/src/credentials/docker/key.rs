//! What the keys of `auths` and `credHelpers` stand for.

use crate::reference::{DEFAULT_REGISTRY, canonical_registry};

/// How docker has always called its own registry.
const DEFAULT_SERVER: &str = "https://index.docker.io/v1/";

/// A key, read: a host, or a URL of one.
///
/// `docker` writes hosts, and for its own registry a URL; older versions wrote URLs for all, and
/// people write what they like. As in docker, the host alone counts, whatever stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// As it stands in the file.
    pub(super) written: String,
    registry: String,
}

impl Key {
    pub(super) fn parse(written: &str) -> Self {
        let text = ["https://", "http://"]
            .iter()
            .find_map(|scheme| written.strip_prefix(scheme))
            .unwrap_or(written);
        let host = text.split('/').next().unwrap_or_default();
        Self {
            written: written.to_owned(),
            // A host that is none stays what it is, and is never asked for.
            registry: canonical_registry(host).unwrap_or_else(|_| host.to_owned()),
        }
    }
}

/// What a helper program is asked for.
pub(super) fn server(registry: &str) -> &str {
    match registry {
        DEFAULT_REGISTRY => DEFAULT_SERVER,
        registry => registry,
    }
}

/// The entry for a registry. Of several keys, the one that docker writes wins.
pub(super) fn best<'a, T>(entries: &'a [(Key, T)], registry: &str) -> Option<(&'a Key, &'a T)> {
    entries
        .iter()
        .filter(|(key, _)| key.registry == registry)
        .min_by_key(|(key, _)| (key.written != server(registry), &key.written))
        .map(|(key, entry)| (key, entry))
}
