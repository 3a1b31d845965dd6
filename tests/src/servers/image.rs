//! Images made by a test: manifests, configs and indexes, byte for byte.

use ring::digest::{SHA256, digest as sha256};
use serde_json::{Value, json};

/// Media types of the two families of formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// [OCI](https://github.com/opencontainers/image-spec/blob/main/media-types.md).
    Oci,
    /// [Docker, schema 2](https://distribution.github.io/distribution/spec/manifest-v2-2/).
    Docker,
}

impl Family {
    fn index(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.index.v1+json",
            Self::Docker => "application/vnd.docker.distribution.manifest.list.v2+json",
        }
    }

    fn manifest(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.manifest.v1+json",
            Self::Docker => "application/vnd.docker.distribution.manifest.v2+json",
        }
    }

    fn config(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.config.v1+json",
            Self::Docker => "application/vnd.docker.container.image.v1+json",
        }
    }

    fn layer(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.layer.v1.tar",
            Self::Docker => "application/vnd.docker.image.rootfs.diff.tar",
        }
    }
}

/// A manifest or an index, with all that it refers to.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// What the registry is told that it is.
    pub media_type: &'static str,
    /// Its bytes.
    pub body: Vec<u8>,
    /// Configs and layers.
    pub blobs: Vec<Vec<u8>>,
    /// What an index refers to.
    pub children: Vec<Artifact>,
}

impl Artifact {
    /// The digest of its bytes.
    pub fn digest(&self) -> String {
        digest(&self.body)
    }

    fn descriptor(&self, platform: Option<&Value>) -> Value {
        let mut descriptor = described(self.media_type, &self.body);
        if let (Value::Object(members), Some(platform)) = (&mut descriptor, platform) {
            members.insert("platform".to_owned(), platform.clone());
        }
        descriptor
    }
}

/// The digest of these bytes.
pub fn digest(bytes: &[u8]) -> String {
    let hex: String = sha256(&SHA256, bytes)
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{hex}")
}

/// An image with one empty layer, and this as its config blob.
pub fn image(family: Family, config: &Value) -> Artifact {
    let config = config.to_string().into_bytes();
    let layer = empty_layer();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": family.manifest(),
        "config": described(family.config(), &config),
        "layers": [described(family.layer(), &layer)],
    });
    Artifact {
        media_type: family.manifest(),
        body: manifest.to_string().into_bytes(),
        blobs: vec![config, layer],
        children: Vec::new(),
    }
}

/// An index of images, each with its platform.
pub fn index(family: Family, images: Vec<(Value, Artifact)>) -> Artifact {
    let manifests: Vec<Value> = images
        .iter()
        .map(|(platform, image)| image.descriptor(Some(platform)))
        .collect();
    listing(
        family,
        &manifests,
        images.into_iter().map(|(_, image)| image).collect(),
    )
}

/// An index of one index that does not say what is in it.
pub fn nested(inner: Artifact) -> Artifact {
    listing(Family::Oci, &[inner.descriptor(None)], vec![inner])
}

fn listing(family: Family, manifests: &[Value], children: Vec<Artifact>) -> Artifact {
    let index = json!({
        "schemaVersion": 2,
        "mediaType": family.index(),
        "manifests": manifests,
    });
    Artifact {
        media_type: family.index(),
        body: index.to_string().into_bytes(),
        blobs: Vec::new(),
        children,
    }
}

/// A config with this `config` part, whole enough for every tool.
pub fn config(os: &str, architecture: &str, process: &Value) -> Value {
    json!({
        "created": "1970-01-01T00:00:00Z",
        "architecture": architecture,
        "os": os,
        "config": process,
        "rootfs": {"type": "layers", "diff_ids": [digest(&empty_layer())]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "a test"}],
    })
}

/// A tar archive without files: two blocks of zeros.
fn empty_layer() -> Vec<u8> {
    vec![0; 1024]
}

fn described(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(bytes), "size": bytes.len()})
}
