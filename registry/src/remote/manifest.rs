//! [Manifests](https://github.com/opencontainers/image-spec/blob/main/manifest.md) and
//! [indexes](https://github.com/opencontainers/image-spec/blob/main/image-index.md), in the
//! spelling of OCI and in Docker's.

use serde::de::MapAccess;

use super::error::Cause;
use super::json::{self, List, Member, Members, Read, set};
use super::platform::Named;
use crate::reference::{check_digest, shown};

/// The types that are asked for, and understood.
pub(super) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json";

/// Entries of an index that are read: far more than any image has platforms.
const ENTRIES_MAX: usize = 4096;

/// What a manifest can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Index,
    Image,
    SchemaOne,
}

/// Types of an image config. Old registries and builders wrote the last three, and
/// [moby](https://github.com/moby/moby/blob/master/distribution/registry.go) takes them.
const CONFIG_TYPES: [&str; 6] = [
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
    "application/octet-stream",
    "application/json",
    "text/html",
    "",
];

/// Where another document is, and how long.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Descriptor {
    pub(super) digest: String,
    pub(super) size: u64,
}

/// One image of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IndexEntry {
    pub(super) descriptor: Descriptor,
    /// Absent where the index does not say.
    pub(super) platform: Option<Named>,
}

/// A manifest that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Manifest {
    /// Several images, for several platforms.
    Index(Vec<IndexEntry>),
    /// One image: where its config is.
    Image(Descriptor),
}

impl Manifest {
    /// About how many bytes of memory it takes.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Index(entries) => 512 * entries.len(),
            Self::Image(_) => 512,
        }
    }
}

#[derive(Debug, Default)]
struct Document {
    schema_version: Member<u64>,
    media_type: Member<String>,
    config: Member<Read<Target>>,
    manifests: Member<List<Read<Target>, ENTRIES_MAX>>,
}

impl Members for Document {
    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        access: &mut A,
    ) -> Result<bool, A::Error> {
        match name {
            "schemaversion" => set(&mut self.schema_version, access),
            "mediatype" => set(&mut self.media_type, access),
            "config" => set(&mut self.config, access),
            "manifests" => set(&mut self.manifests, access),
            _ => Ok(false),
        }
    }
}

#[derive(Debug, Default)]
struct Target {
    media_type: Member<String>,
    digest: Member<String>,
    size: Member<u64>,
    platform: Member<Read<PlatformObject>>,
}

impl Members for Target {
    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        access: &mut A,
    ) -> Result<bool, A::Error> {
        match name {
            "mediatype" => set(&mut self.media_type, access),
            "digest" => set(&mut self.digest, access),
            "size" => set(&mut self.size, access),
            "platform" => set(&mut self.platform, access),
            _ => Ok(false),
        }
    }
}

#[derive(Debug, Default)]
struct PlatformObject {
    os: Member<String>,
    architecture: Member<String>,
    variant: Member<String>,
}

impl Members for PlatformObject {
    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        access: &mut A,
    ) -> Result<bool, A::Error> {
        match name {
            "os" => set(&mut self.os, access),
            "architecture" => set(&mut self.architecture, access),
            "variant" => set(&mut self.variant, access),
            _ => Ok(false),
        }
    }
}

/// Reads a manifest that came with this `Content-Type`; `request` is for messages.
pub(super) fn read(
    content_type: Option<&str>,
    body: &[u8],
    request: &str,
) -> Result<Manifest, Cause> {
    let invalid = |reason: String| Cause::Manifest {
        reason,
        request: request.to_owned(),
    };
    let announced = content_type.map(bare_type).unwrap_or_default();
    if kind(&announced) == Some(Kind::SchemaOne) {
        return Err(Cause::SchemaOne);
    }
    let document: Document = json::read(body).map_err(invalid)?;
    let stated = document.media_type.value.as_deref().map(bare_type);
    if document.schema_version.value == Some(1)
        || stated.as_deref().and_then(kind) == Some(Kind::SchemaOne)
    {
        return Err(Cause::SchemaOne);
    }
    if let Some(stated) = &stated
        && kind(&announced).is_some_and(|announced| kind(stated) != Some(announced))
    {
        return Err(invalid(
            "its type is another one in the answer's header".to_owned(),
        ));
    }
    if let Some(stated) = stated.filter(|stated| !stated.is_empty() && kind(stated).is_none()) {
        let media_type = shown(&stated);
        return Err(Cause::NotAnImage { media_type });
    }
    let stated = document.media_type.value.as_deref().map(bare_type);
    let kind = kind(&announced).or_else(|| stated.as_deref().and_then(kind));
    match (document.config.value, document.manifests.value, kind) {
        (Some(_), Some(_), _) => Err(Cause::Ambiguous {
            request: request.to_owned(),
        }),
        (Some(Read(config)), None, Some(Kind::Image) | None) => image(config, invalid),
        (None, Some(List(entries)), Some(Kind::Index) | None) => index(entries, invalid),
        (None, None, None) => Err(invalid("it is no manifest of an image".to_owned())),
        _ => Err(invalid("it is not what its type says".to_owned())),
    }
}

fn image(config: Target, invalid: impl Fn(String) -> Cause) -> Result<Manifest, Cause> {
    let media_type = config.media_type.value.as_deref().map(bare_type);
    let media_type = media_type.unwrap_or_default();
    if !CONFIG_TYPES.contains(&media_type.as_str()) {
        let media_type = shown(&media_type);
        return Err(Cause::NotAnImage { media_type });
    }
    descriptor(config).map(Manifest::Image).map_err(invalid)
}

fn index(entries: Vec<Read<Target>>, invalid: impl Fn(String) -> Cause) -> Result<Manifest, Cause> {
    let mut index = Vec::new();
    for Read(mut entry) in entries {
        let media_type = entry.media_type.value.as_deref().map(bare_type);
        // Signatures and other things can be listed beside images.
        if media_type
            .is_some_and(|media_type| !media_type.is_empty() && kind(&media_type).is_none())
        {
            continue;
        }
        let platform = entry.platform.value.take().and_then(|Read(platform)| {
            let text = |member: Member<String>| member.value.unwrap_or_default();
            Named::new(
                &text(platform.os),
                &text(platform.architecture),
                &text(platform.variant),
            )
        });
        if platform.as_ref().is_some_and(Named::is_attestation) {
            continue;
        }
        let descriptor = descriptor(entry).map_err(&invalid)?;
        index.push(IndexEntry {
            descriptor,
            platform,
        });
    }
    Ok(Manifest::Index(index))
}

fn descriptor(target: Target) -> Result<Descriptor, String> {
    let digest = target.digest.value.unwrap_or_default();
    check_digest(&digest).map_err(|error| error.to_string())?;
    let size = target.size.value.ok_or("a size is missing")?;
    Ok(Descriptor { digest, size })
}

/// A media type without its parameters.
fn bare_type(text: &str) -> String {
    let bare = text.split(';').next().unwrap_or_default();
    bare.trim().to_ascii_lowercase()
}

fn kind(media_type: &str) -> Option<Kind> {
    match media_type {
        "application/vnd.oci.image.index.v1+json"
        | "application/vnd.docker.distribution.manifest.list.v2+json" => Some(Kind::Index),
        "application/vnd.oci.image.manifest.v1+json"
        | "application/vnd.docker.distribution.manifest.v2+json" => Some(Kind::Image),
        "application/vnd.docker.distribution.manifest.v1+json"
        | "application/vnd.docker.distribution.manifest.v1+prettyjws" => Some(Kind::SchemaOne),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is kept between sessions is bounded by this.
    #[test]
    fn an_index_weighs_as_much_as_its_entries() {
        let descriptor = Descriptor {
            digest: "sha256:aa".to_owned(),
            size: 1,
        };
        let entry = IndexEntry {
            descriptor: descriptor.clone(),
            platform: None,
        };
        assert_eq!(Manifest::Image(descriptor).weight(), 512);
        assert_eq!(Manifest::Index(vec![entry; 3]).weight(), 1536);
    }

    /// Attestations and signatures stand beside images; an entry need not say what it is.
    #[test]
    fn an_index_is_read_without_what_is_no_image() {
        let entry = |size: u64, media_type: &str, os: &str, architecture: &str| {
            format!(
                r#"{{{media_type}"digest": "sha256:{}", "size": {size},
                "platform": {{"os": "{os}", "architecture": "{architecture}"}}}}"#,
                "a".repeat(64)
            )
        };
        let signature = r#""mediaType": "application/vnd.example.signature.v1+json", "#;
        let entries = [
            entry(1, "", "linux", "amd64"),
            entry(2, r#""mediaType": "", "#, "linux", "arm64"),
            entry(3, signature, "linux", "amd64"),
            entry(4, "", "unknown", "unknown"),
            entry(5, "", "unknown", "amd64"),
            entry(6, "", "linux", "unknown"),
        ];
        let index = format!(
            r#"{{"schemaVersion": 2, "manifests": [{}]}}"#,
            entries.join(", ")
        );
        let Ok(Manifest::Index(read)) = read(None, index.as_bytes(), "GET it") else {
            panic!("an index");
        };
        let sizes: Vec<u64> = read.iter().map(|entry| entry.descriptor.size).collect();
        assert_eq!(sizes, [1, 2, 5, 6]);
    }
}
