//! Platforms as the lock file names them.

use std::fmt;
use std::str::FromStr;

use taskdef::image::Platform;

use crate::reference::shown;

/// A platform that an image was recorded for: `linux/amd64`, `linux/arm/v7`, `windows/amd64`,
/// or `linux/*` where all Linux platforms agree.
///
/// Wider than [`Platform`], because an image index holds more than a task can ask for. Names are
/// those of an [OCI image index](https://github.com/opencontainers/image-spec/blob/main/image-index.md).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedPlatform(String);

impl LockedPlatform {
    /// Whether its operating system is Linux.
    pub fn is_linux(&self) -> bool {
        self.0.starts_with("linux/")
    }
}

impl From<&Platform> for LockedPlatform {
    fn from(platform: &Platform) -> Self {
        Self(platform.to_string())
    }
}

impl fmt::Display for LockedPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for LockedPlatform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The variant that `arm64` means: two names for one platform would hide entries.
        if text == "linux/arm64/v8" {
            return Err(PlatformError::DefaultVariant);
        }
        let parts: Vec<&str> = text.split('/').collect();
        let named = (2..=3).contains(&parts.len()) && parts.iter().all(|part| is_name(part));
        if named || text == Platform::AnyLinux.to_string() {
            Ok(Self(text.to_owned()))
        } else {
            Err(PlatformError::Form { text: shown(text) })
        }
    }
}

/// Why a text is no platform of a lock file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlatformError {
    /// Not `os/architecture` with an optional variant.
    #[error("the platform `{text}` is not of the form `linux/amd64` or `linux/arm/v7`")]
    Form {
        /// The text.
        text: String,
    },
    /// The long name of `linux/arm64`.
    #[error("the platform `linux/arm64/v8` is written `linux/arm64`")]
    DefaultVariant,
}

fn is_name(part: &str) -> bool {
    !part.is_empty()
        && part.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
        })
}
