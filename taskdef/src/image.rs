//! What the library asks about images, and what it is told.
//!
//! A shell collects [`ImageRequest`]s from [`crate::images_needed`], has them
//! answered (by a lock file or a registry) and hands the [`Answers`] to
//! [`crate::rewrite`].

use std::collections::BTreeMap;
use std::fmt;

/// The platform whose image config is wanted.
///
/// Mirrors the `platform` object of an
/// [OCI image index](https://github.com/opencontainers/image-spec/blob/main/image-index.md).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Platform {
    /// `linux/amd64`: `X86_64`, and Fargate's default.
    LinuxAmd64,
    /// `linux/arm64`: `ARM64`.
    LinuxArm64,
    /// The task definition does not say: every Linux platform of the image has to agree.
    AnyLinux,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Platform::LinuxAmd64 => "linux/amd64",
            Platform::LinuxArm64 => "linux/arm64",
            Platform::AnyLinux => "linux/*",
        })
    }
}

/// What [`repositoryCredentials`](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RepositoryCredentials.html)
/// of a container says about reading its image.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Credentials {
    /// Nothing: whoever asks brings credentials of their own, if any are needed.
    #[default]
    Unstated,
    /// The secret that holds them: its ARN, or its name.
    Secret(String),
    /// A secret that only a deployment knows: why, as the rest of a sentence ("depends on the
    /// resource `Login`"). A lock file answers all the same.
    Unknown(String),
}

/// One question: the config of this image, for this platform.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageRequest {
    /// The image reference as the task definition gives it.
    pub reference: String,
    /// The platform that the task runs on.
    pub platform: Platform,
    /// What the container says about credentials: two containers may read one image with different ones.
    pub credentials: Credentials,
}

/// The part of an [OCI image config](https://github.com/opencontainers/image-spec/blob/main/config.md)
/// that decides what a container runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// Digest of what the reference names (the index, if there is one), where it is known.
    pub digest: Option<String>,
    /// `Entrypoint`; empty when the image has none.
    pub entrypoint: Vec<String>,
    /// `Cmd`; empty when the image has none.
    pub cmd: Vec<String>,
    /// `User`; empty when the image has none (root).
    pub user: String,
    /// `WorkingDir`; empty when the image has none.
    pub working_dir: String,
}

/// Why a question has no answer. Concerns only the task definitions that asked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFailure {
    /// What kind of failure, in kebab case: all that is told where names may not be.
    pub code: &'static str,
    /// What happened, for a finding: lower case, one line, no full stop.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
}

/// The answer to one [`ImageRequest`].
pub type ImageAnswer = Result<ImageConfig, ImageFailure>;

/// The answers to all questions of a document.
pub type Answers = BTreeMap<ImageRequest, ImageAnswer>;
