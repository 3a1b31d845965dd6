//! The lock file: image configs by reference and platform, written down.
//!
//! ```json
//! {
//!   "version": 1,
//!   "images": {
//!     "docker.io/library/nginx:1.27": {
//!       "linux/amd64": {
//!         "digest": "sha256:...",
//!         "entrypoint": ["/docker-entrypoint.sh"],
//!         "cmd": ["nginx", "-g", "daemon off;"],
//!         "user": "",
//!         "workingDir": ""
//!       }
//!     }
//!   }
//! }
//! ```
//!
//! References are written in their canonical form, platforms as `os/architecture` or
//! `os/architecture/variant`, and `linux/*` says that all Linux platforms of the image agree.
//! Every key of an entry may be left out: `digest` is then not known, the others are empty,
//! as `null` is. An unknown key, and one that is there twice, is an error.

mod platform;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use taskdef::image::{ImageAnswer, ImageConfig, ImageFailure, Platform};

use crate::reference::{ImageReference, shown};
pub use platform::{LockedPlatform, PlatformError};
pub use read::LockError;

/// The version of the format that this crate reads and writes.
const VERSION: u64 = 1;

/// A lock file that was read, or is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockFile {
    file: String,
    images: Images,
}

/// Configs by canonical reference, then by platform.
type Images = BTreeMap<String, Platforms>;
type Platforms = BTreeMap<LockedPlatform, ImageConfig>;

impl LockFile {
    /// A lock file without entries, called `file` in messages.
    pub fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            images: Images::new(),
        }
    }

    /// Reads the text of a lock file; `file` is its name in messages.
    ///
    /// # Errors
    /// Names file, line and column of what is no lock file of a known version.
    pub fn parse(file: &str, text: &str) -> Result<Self, LockError> {
        Ok(Self {
            file: file.to_owned(),
            images: read::images(file, text)?,
        })
    }

    /// The text of the file: sorted, so that the same entries give the same bytes.
    pub fn to_text(&self) -> String {
        let images: Map<String, Value> = self
            .images
            .iter()
            .map(|(reference, platforms)| (reference.clone(), platforms_value(platforms)))
            .collect();
        let mut file = Map::new();
        file.insert("version".to_owned(), VERSION.into());
        file.insert("images".to_owned(), images.into());
        format!("{:#}\n", Value::Object(file))
    }

    /// Records what was found for an image and a platform, in place of what was there.
    pub fn insert(
        &mut self,
        reference: &ImageReference,
        platform: LockedPlatform,
        config: ImageConfig,
    ) {
        let platforms = self.images.entry(reference.to_string()).or_default();
        platforms.insert(platform, config);
    }

    /// What is recorded for exactly this image and platform.
    pub fn recorded(
        &self,
        reference: &ImageReference,
        platform: &LockedPlatform,
    ) -> Option<&ImageConfig> {
        self.images.get(&reference.to_string())?.get(platform)
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// What is recorded for an image and a platform.
    ///
    /// [`Platform::AnyLinux`] is answered by the entry `linux/*`, or where `linux/amd64`,
    /// `linux/arm64` and all other recorded Linux platforms of the image agree on entry point,
    /// command and user; the digest is then given only if they agree on that, too. An entry `linux/*` answers for no single platform:
    /// it does not say whether the image has it.
    ///
    /// # Errors
    /// A failure for the report: the entry is missing, or Linux platforms differ.
    pub fn lookup(&self, reference: &ImageReference, platform: &Platform) -> ImageAnswer {
        let recorded = self.images.get(&reference.to_string());
        let Some(platforms) = recorded.or_else(|| self.same_image(reference)) else {
            return Err(self.missing(reference, platform, ""));
        };
        let exact = platforms.get(&LockedPlatform::from(platform));
        let mut config = match (exact, platform) {
            (Some(config), _) => config.clone(),
            (None, Platform::AnyLinux) => self.agreed(reference, platforms)?,
            (None, _) => {
                let recorded = format!(" (recorded: {})", listed(platforms.keys()));
                return Err(self.missing(reference, platform, &recorded));
            }
        };
        if let Some(digest) = reference.digest() {
            config.digest = Some(digest.to_owned());
        }
        Ok(config)
    }

    /// What is recorded for the digest that a reference names, under another reference: pinning
    /// an image does not make another image of it.
    fn same_image(&self, reference: &ImageReference) -> Option<&Platforms> {
        let digest = reference.digest()?;
        let named = |config: &ImageConfig| config.digest.as_deref() == Some(digest);
        let mut images = self.images.iter().filter(|(recorded, platforms)| {
            let recorded = ImageReference::parse(recorded);
            let same = |recorded: ImageReference| {
                recorded.registry() == reference.registry()
                    && recorded.repository() == reference.repository()
            };
            recorded.is_ok_and(same) && platforms.values().all(named)
        });
        images.next().map(|(_, platforms)| platforms)
    }

    /// The config that all recorded Linux platforms share. Those that ECS runs have to be among
    /// them: one alone always agrees with itself.
    fn agreed(&self, reference: &ImageReference, platforms: &Platforms) -> ImageAnswer {
        let linux = || platforms.iter().filter(|(platform, _)| platform.is_linux());
        let of_ecs = [Platform::LinuxAmd64, Platform::LinuxArm64];
        let are_recorded = of_ecs
            .iter()
            .all(|platform| platforms.contains_key(&LockedPlatform::from(platform)));
        let (true, Some((_, first))) = (are_recorded, linux().next()) else {
            let recorded = format!(" (recorded: {})", listed(platforms.keys()));
            return Err(self.missing(reference, &Platform::AnyLinux, &recorded));
        };
        let process = |config: &ImageConfig| {
            let ImageConfig {
                entrypoint,
                cmd,
                user,
                ..
            } = config.clone();
            (entrypoint, cmd, user)
        };
        if linux().any(|(_, config)| process(config) != process(first)) {
            return Err(ImageFailure {
                code: "unknown-platform",
                message: format!(
                    "image `{reference}` has a different entry point, command or user on {} \
                     (lock file `{}`), and the task definition does not say where it runs",
                    listed(linux().map(|(platform, _)| platform)),
                    shown(&self.file),
                ),
                hint: Some("state the platform in the task definition".to_owned()),
            });
        }
        let mut config = first.clone();
        if linux().any(|(_, other)| other.digest != first.digest) {
            config.digest = None;
        }
        Ok(config)
    }

    fn missing(
        &self,
        reference: &ImageReference,
        platform: &Platform,
        recorded: &str,
    ) -> ImageFailure {
        ImageFailure {
            code: "not-in-lock-file",
            message: format!(
                "image `{reference}` for `{platform}` is not in the lock file `{}`{recorded}",
                shown(&self.file)
            ),
            hint: Some("add it with the command `lock`".to_owned()),
        }
    }
}

fn listed<'a>(platforms: impl Iterator<Item = &'a LockedPlatform>) -> String {
    let names: Vec<String> = platforms.map(|platform| format!("`{platform}`")).collect();
    names.join(", ")
}

fn platforms_value(platforms: &Platforms) -> Value {
    let entries: Map<String, Value> = platforms
        .iter()
        .map(|(platform, config)| (platform.to_string(), config_value(config)))
        .collect();
    entries.into()
}

fn config_value(config: &ImageConfig) -> Value {
    let mut entry = Map::new();
    if let Some(digest) = &config.digest {
        entry.insert("digest".to_owned(), digest.clone().into());
    }
    entry.insert("entrypoint".to_owned(), config.entrypoint.clone().into());
    entry.insert("cmd".to_owned(), config.cmd.clone().into());
    entry.insert("user".to_owned(), config.user.clone().into());
    entry.insert("workingDir".to_owned(), config.working_dir.clone().into());
    entry.into()
}
