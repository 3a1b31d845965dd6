//! Reading a lock file: strictly, with positions.

use std::collections::BTreeMap;
use std::collections::btree_map::{Entry, VacantEntry};
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use taskdef::image::ImageConfig;

use super::{Images, LockedPlatform, Platforms, VERSION};
use crate::reference::{ImageReference, check_digest, shown};

/// A text that is no lock file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}:{column}: {message}", shown(file))]
pub struct LockError {
    /// Name of the file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1; where it is about a key or a value, its last character.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// The entries of a lock file's text.
pub(super) fn images(file: &str, text: &str) -> Result<Images, LockError> {
    let Object(File { images, .. }) = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        let position = format!(" at line {line} column {column}");
        LockError {
            file: file.to_owned(),
            line,
            column: column.max(1),
            message: one_line(message.strip_suffix(&position).unwrap_or(&message)),
        }
    })?;
    Ok(images.0)
}

/// Longest message: the parser's own are shorter.
const MESSAGE_MAX: usize = 400;

/// An unknown key comes back in the parser's message as it is, however long.
fn one_line(message: &str) -> String {
    let mut characters = message.chars().map(|character| match character {
        character if character.is_control() => ' ',
        character => character,
    });
    let mut line: String = characters.by_ref().take(MESSAGE_MAX).collect();
    if characters.next().is_some() {
        line.push_str("...");
    }
    line
}

/// A struct that is written as an object and as nothing else: serde's derive also takes an
/// array of its fields.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(access)).map(Object)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "version")]
    _version: Version,
    images: ImagesByReference,
}

/// Read as soon as it comes: a later version may have keys that this one does not know.
struct Version;

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(VersionVisitor)
    }
}

struct VersionVisitor;

impl Visitor<'_> for VersionVisitor {
    type Value = Version;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the version of the format, {VERSION}")
    }

    fn visit_u64<E: Error>(self, version: u64) -> Result<Version, E> {
        if version == VERSION {
            return Ok(Version);
        }
        Err(E::custom(format_args!(
            "version {version} of the lock file's format is not known: known is {VERSION}"
        )))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Config {
    digest: Option<Digest>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    user: Option<String>,
    working_dir: Option<String>,
}

impl From<Config> for ImageConfig {
    fn from(config: Config) -> Self {
        Self {
            digest: config.digest.map(|Digest(digest)| digest),
            entrypoint: config.entrypoint.unwrap_or_default(),
            cmd: config.cmd.unwrap_or_default(),
            user: config.user.unwrap_or_default(),
            working_dir: config.working_dir.unwrap_or_default(),
        }
    }
}

struct Digest(String);

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        check_digest(&text).map_err(D::Error::custom)?;
        Ok(Self(text))
    }
}

/// A key of `images`.
struct ReferenceKey(ImageReference);

impl<'de> Deserialize<'de> for ReferenceKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let reference = ImageReference::parse(&text).map_err(|error| {
            D::Error::custom(format_args!(
                "`{}` is no image reference: {error}",
                shown(&text)
            ))
        })?;
        let canonical = reference.to_string();
        if canonical != text {
            return Err(D::Error::custom(format_args!(
                "the image `{}` is written `{canonical}` in a lock file",
                shown(&text)
            )));
        }
        Ok(Self(reference))
    }
}

/// A key below a reference.
struct PlatformKey(LockedPlatform);

impl<'de> Deserialize<'de> for PlatformKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

struct ImagesByReference(Images);

impl<'de> Deserialize<'de> for ImagesByReference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ImagesVisitor).map(Self)
    }
}

struct ImagesVisitor;

impl<'de> Visitor<'de> for ImagesVisitor {
    type Value = Images;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with an image reference for each key")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Images, A::Error> {
        let mut images = Images::new();
        while let Some(ReferenceKey(reference)) = access.next_key()? {
            let key = vacant(&mut images, reference.to_string())?;
            let ConfigsByPlatform(configs) = access.next_value()?;
            for config in configs.values() {
                check_agrees(&reference, config)?;
            }
            key.insert(configs);
        }
        Ok(images)
    }
}

struct ConfigsByPlatform(Platforms);

impl<'de> Deserialize<'de> for ConfigsByPlatform {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PlatformsVisitor).map(Self)
    }
}

struct PlatformsVisitor;

impl<'de> Visitor<'de> for PlatformsVisitor {
    type Value = Platforms;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a platform for each key")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Platforms, A::Error> {
        let mut platforms = Platforms::new();
        while let Some(PlatformKey(platform)) = access.next_key()? {
            let key = vacant(&mut platforms, platform)?;
            let Object::<Config>(config) = access.next_value()?;
            key.insert(config.into());
        }
        Ok(platforms)
    }
}

/// The place of a key that was not there before.
fn vacant<K: Ord + fmt::Display, V, E: Error>(
    map: &mut BTreeMap<K, V>,
    key: K,
) -> Result<VacantEntry<'_, K, V>, E> {
    match map.entry(key) {
        Entry::Vacant(entry) => Ok(entry),
        Entry::Occupied(entry) => Err(E::custom(format_args!(
            "the key `{}` is there twice",
            entry.key()
        ))),
    }
}

/// A pinned reference and its entry cannot name different digests.
fn check_agrees<E: Error>(reference: &ImageReference, config: &ImageConfig) -> Result<(), E> {
    match (reference.digest(), config.digest.as_deref()) {
        (Some(pinned), Some(digest)) if pinned != digest => Err(E::custom(format_args!(
            "an entry of `{reference}` has another digest, `{digest}`"
        ))),
        _ => Ok(()),
    }
}
