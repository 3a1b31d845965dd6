//! Images that a test server holds. A repository's name plays no part: every repository has
//! all of them.

use std::collections::BTreeMap;

use ring::digest::{SHA256, SHA512, digest};
use serde_json::{Value, json};

use crate::server::{Reply, Seen};

pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(crate) const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// Documents by digest or tag.
#[derive(Clone, Debug, Default)]
pub(crate) struct Images {
    documents: BTreeMap<String, (String, Vec<u8>)>,
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex("sha256", digest(&SHA256, bytes).as_ref())
}

pub(crate) fn sha512(bytes: &[u8]) -> String {
    hex("sha512", digest(&SHA512, bytes).as_ref())
}

fn hex(name: &str, bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{name}:{hex}")
}

/// A config with this command.
pub(crate) fn config_of(architecture: &str, command: &str) -> Value {
    json!({
        "architecture": architecture,
        "os": "linux",
        "config": {"Cmd": [command], "Env": ["PATH=/bin"], "WorkingDir": "/srv"},
    })
}

pub(crate) fn platform(os: &str, architecture: &str) -> Value {
    json!({"os": os, "architecture": architecture})
}

impl Images {
    /// Keeps bytes; gives their descriptor.
    pub(crate) fn add(&mut self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = sha256(bytes);
        let document = (media_type.to_owned(), bytes.to_vec());
        self.documents.insert(digest.clone(), document);
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    fn add_json(&mut self, media_type: &str, value: &Value) -> Value {
        self.add(media_type, value.to_string().as_bytes())
    }

    /// An image with this config.
    pub(crate) fn image(&mut self, config: &Value) -> Value {
        self.image_as(MANIFEST, CONFIG, config)
    }

    pub(crate) fn image_as(
        &mut self,
        media_type: &str,
        config_type: &str,
        config: &Value,
    ) -> Value {
        let config = self.add_json(config_type, config);
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [],
        });
        self.add_json(media_type, &manifest)
    }

    /// An index of images, each with its platform or `null`.
    pub(crate) fn index(&mut self, entries: Vec<(Value, Value)>) -> Value {
        self.index_as(INDEX, entries)
    }

    pub(crate) fn index_as(&mut self, media_type: &str, entries: Vec<(Value, Value)>) -> Value {
        let manifests = entries.into_iter().map(|(mut entry, platform)| {
            if !platform.is_null() {
                entry["platform"] = platform;
            }
            entry
        });
        let manifests: Vec<Value> = manifests.collect();
        let index = json!({"schemaVersion": 2, "mediaType": media_type, "manifests": manifests});
        self.add_json(media_type, &index)
    }

    /// Gives a document another name: a tag, or a digest by another algorithm.
    pub(crate) fn tag(&mut self, name: &str, descriptor: &Value) {
        let document = self.document(descriptor).clone();
        self.documents.insert(name.to_owned(), document);
    }

    pub(crate) fn bytes(&self, descriptor: &Value) -> &[u8] {
        &self.document(descriptor).1
    }

    /// The bytes of what has this tag.
    pub(crate) fn bytes_of(&self, tag: &str) -> &[u8] {
        &self.documents[tag].1
    }

    fn document(&self, descriptor: &Value) -> &(String, Vec<u8>) {
        &self.documents[descriptor["digest"].as_str().unwrap()]
    }

    /// Answers as a registry does.
    pub(crate) fn reply(&self, seen: &Seen) -> Reply {
        let name = seen.path.rsplit('/').next().unwrap();
        let Some((media_type, bytes)) = self.documents.get(name) else {
            return Reply::new(404);
        };
        let reply = Reply::ok(media_type, bytes.clone());
        if seen.path.contains("/manifests/") {
            reply.header("docker-content-digest", &sha256(bytes))
        } else {
            reply
        }
    }
}

/// An index of two platforms and an attestation, as BuildKit pushes it, tagged `1`.
pub(crate) fn usual() -> Images {
    let mut images = Images::default();
    let amd64 = images.image(&config_of("amd64", "server"));
    let arm64 = images.image(&config_of("arm64", "server"));
    let attestation = images.image(&json!({"architecture": "unknown", "os": "unknown"}));
    let index = images.index(vec![
        (attestation, platform("unknown", "unknown")),
        (
            arm64,
            json!({"os": "linux", "architecture": "arm64", "variant": "v8"}),
        ),
        (amd64, platform("linux", "amd64")),
    ]);
    images.tag("1", &index);
    images
}
