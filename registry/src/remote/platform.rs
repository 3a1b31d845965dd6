//! Which image of an index a task runs.

use std::fmt;

use taskdef::image::Platform;

use crate::reference::shown;

/// A platform as an index or an image config names it, normalised as
/// [containerd](https://github.com/containerd/platforms/blob/main/database.go) does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    os: String,
    architecture: String,
    variant: String,
}

impl Named {
    /// A platform, unless neither system nor architecture is named.
    pub(super) fn new(os: &str, architecture: &str, variant: &str) -> Option<Self> {
        if os.is_empty() && architecture.is_empty() {
            return None;
        }
        let (architecture, variant) = (architecture.to_lowercase(), variant.to_lowercase());
        let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
            ("x86_64" | "x86-64" | "amd64", "v1" | "") => ("amd64", ""),
            ("x86_64" | "x86-64", variant) => ("amd64", variant),
            ("aarch64" | "arm64", "8" | "v8" | "") => ("arm64", ""),
            ("aarch64", variant) => ("arm64", variant),
            other => other,
        };
        // What a Linux machine takes for the missing name.
        let os = if os.is_empty() { "linux" } else { os };
        Some(Self {
            os: os.to_lowercase(),
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
        })
    }

    /// What BuildKit lists beside the images: statements about how they were built.
    pub(super) fn is_attestation(&self) -> bool {
        self.os == "unknown" && self.architecture == "unknown"
    }

    /// Whether a task of this platform can run the image.
    ///
    /// Variants other than the base ask for more than every machine of a platform has.
    pub(super) fn suits(&self, platform: &Platform) -> bool {
        let architecture = match platform {
            Platform::LinuxAmd64 => "amd64",
            Platform::LinuxArm64 => "arm64",
            Platform::AnyLinux => return self.os == "linux",
        };
        self.os == "linux" && self.architecture == architecture && self.variant.is_empty()
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", shown(&self.os), shown(&self.architecture))?;
        match self.variant.as_str() {
            "" => Ok(()),
            variant => write!(f, "/{}", shown(variant)),
        }
    }
}

/// How many platforms a message names.
const LISTED_MAX: usize = 12;

/// Platforms for a message: each once, in order, and not without end.
pub(super) fn listed<'p>(platforms: impl Iterator<Item = &'p Named>) -> String {
    let mut platforms: Vec<&Named> = platforms.collect();
    platforms.sort();
    platforms.dedup();
    let names: Vec<String> = platforms
        .iter()
        .take(LISTED_MAX)
        .map(|platform| format!("`{platform}`"))
        .collect();
    let rest = platforms.len().saturating_sub(LISTED_MAX);
    match (names.is_empty(), rest) {
        (true, _) => "no platform".to_owned(),
        (false, 0) => names.join(", "),
        (false, rest) => format!("{} and {rest} more", names.join(", ")),
    }
}
