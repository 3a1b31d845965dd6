//! Why an image could not be read.
//!
//! No text here holds a credential or a query, which can hold one: requests are named by
//! [`shown_url`](super::trace::shown_url).

use std::fmt;

use taskdef::image::{ImageFailure, Platform};

use super::credentials::CredentialError;
use super::guard::{Forbidden, Refusal};
use super::origin::Origin;
use super::settings::split_port;
use crate::reference::ReferenceError;

/// Why one image could not be read: which, from where, and what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolveError {
    /// The image, in canonical form; nothing where the reference is none.
    pub(super) image: Option<String>,
    /// The registry that was asked; a mirror is named as such.
    pub(super) registry: String,
    pub(super) cause: Cause,
}

impl ResolveError {
    /// What went wrong, stable and in kebab case.
    pub fn code(&self) -> &'static str {
        self.cause.code()
    }

    /// The way out.
    pub fn hint(&self) -> Option<String> {
        self.cause.hint(&self.registry)
    }
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.image {
            Some(image) => write!(
                f,
                "image `{image}` cannot be read from `{}`: {}",
                self.registry, self.cause
            ),
            None => write!(f, "{}", self.cause),
        }
    }
}

impl std::error::Error for ResolveError {}

impl From<&ResolveError> for ImageFailure {
    fn from(error: &ResolveError) -> Self {
        Self {
            code: error.code(),
            message: format!("{error} ({})", error.code()),
            hint: error.hint(),
        }
    }
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Cause {
    #[error("not an image reference: {0}")]
    Reference(#[from] ReferenceError),
    #[error("the `repositoryCredentials` of the container {why}")]
    CredentialsUnknown { why: String },
    #[error("the registry is none of those that are allowed")]
    RegistryNotAllowed,
    #[error("{0}, which is not contacted")]
    Address(Refusal),
    #[error("the host `{host}` is not known")]
    HostUnknown { host: String },
    #[error("no connection to `{host}` in {}: {reason}", times(*.attempts))]
    Unreachable {
        host: String,
        attempts: u32,
        reason: &'static str,
    },
    #[error("`{host}` does not speak TLS")]
    NotTls { host: String },
    #[error("the certificate of `{host}` is not trusted: {reason}")]
    Certificate { host: String, reason: String },
    #[error("certificates and proxies cannot be set up: {reason}")]
    Setup { reason: String },
    #[error("no whole answer within {seconds} s in {}: {request}", times(*.attempts))]
    Timeout {
        request: String,
        seconds: u64,
        attempts: u32,
    },
    #[error("the time for all images was over{}", .request.as_ref().map(|request| format!(" at {request}")).unwrap_or_default())]
    Deadline { request: Option<String> },
    #[error("too many requests: {request}{}", wait(*.retry_after))]
    RateLimited {
        request: String,
        retry_after: Option<u64>,
    },
    #[error("the registry fails in {}: {request}", times(*.attempts))]
    ServerError { request: String, attempts: u32 },
    #[error("the answer breaks off in {}: {request}", times(*.attempts))]
    BrokenOff { request: String, attempts: u32 },
    #[error("an unexpected answer: {request}")]
    Status { request: String },
    #[error("the image does not exist, or is private and no credentials were found: {request}")]
    CredentialsRequired { request: String },
    #[error("the credentials from {origin} are refused, they are wrong or have expired: {request}")]
    CredentialsRefused { origin: Origin, request: String },
    #[error(
        "the credentials from {origin} do not give access to the image, or it does not exist: \
         {request}"
    )]
    AccessDenied { origin: Origin, request: String },
    #[error("{0}")]
    Credentials(CredentialError),
    #[error(
        "its token server `{realm}` is another host, gets no credentials, and does not give \
         access without them: {request}"
    )]
    RealmNotAllowed { realm: String, request: String },
    #[error("its token server `{realm}` does not use https")]
    RealmNotHttps { realm: String },
    #[error("it asks for credentials in a way that is not known: {reason}")]
    Challenge { reason: String },
    #[error("no usable token: {reason}: {request}")]
    Token {
        request: String,
        reason: &'static str,
    },
    #[error("it redirects to `{host}`, which asks for credentials of its own: {request}")]
    ForeignChallenge { host: String, request: String },
    #[error("a redirect {reason} is not followed: {request}")]
    Redirect {
        request: String,
        reason: &'static str,
    },
    #[error("more than {limit} redirects: {request}")]
    RedirectLimit { request: String, limit: usize },
    #[error("the answer is encoded, which was not asked for: {request}")]
    Encoded { request: String },
    #[error("the answer has more than {limit} bytes: {request}")]
    TooLarge { request: String, limit: u64 },
    #[error("the {what} has {actual} bytes where {expected} are announced: {request}")]
    Size {
        what: &'static str,
        expected: u64,
        actual: u64,
        request: String,
    },
    #[error("the {what} has more than the {expected} bytes that are announced: {request}")]
    Longer {
        what: &'static str,
        expected: u64,
        request: String,
    },
    #[error("the {what} has the digest `{actual}` and not `{expected}`: {request}")]
    Digest {
        what: &'static str,
        expected: String,
        actual: String,
        request: String,
    },
    #[error("the reference names no container image but `{media_type}`")]
    NotAnImage { media_type: String },
    #[error("the image has a manifest of schema 1, which registries and runtimes gave up")]
    SchemaOne,
    #[error("the manifest is not valid: {reason}: {request}")]
    Manifest { reason: String, request: String },
    #[error("the manifest is an index and an image at the same time: {request}")]
    Ambiguous { request: String },
    #[error("indexes inside indexes, more than {limit} deep")]
    TooDeep { limit: usize },
    #[error("the index holds more than {limit} images to look at")]
    TooManyPlatforms { limit: usize },
    #[error("the image config is not valid: {reason}: {request}")]
    Config { reason: String, request: String },
    #[error("the image does not exist: {request}")]
    ImageNotFound { request: String },
    #[error("the registry lost the {what} of the image: {request}")]
    PartNotFound { what: &'static str, request: String },
    #[error("the image is not for `{platform}`, {offered}")]
    PlatformNotFound { platform: Platform, offered: String },
    #[error(
        "the image has a different entry point, command or user on {platforms}, and the task \
         definition does not say where it runs"
    )]
    PlatformsDiffer { platforms: String },
}

fn times(attempts: u32) -> String {
    match attempts {
        1 => "1 attempt".to_owned(),
        attempts => format!("{attempts} attempts"),
    }
}

fn wait(seconds: Option<u64>) -> String {
    seconds.map_or_else(String::new, |seconds| format!(", try again in {seconds} s"))
}

impl Cause {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Reference(_) => "image-reference",
            Self::CredentialsUnknown { .. } => "unknown-credentials",
            Self::RegistryNotAllowed => "registry-not-allowed",
            Self::Address(_) => "address-not-allowed",
            Self::HostUnknown { .. } => "host-unknown",
            Self::Unreachable { .. } => "registry-unreachable",
            Self::NotTls { .. } => "registry-without-tls",
            Self::Certificate { .. } => "certificate-not-trusted",
            Self::Setup { .. } => "network-setup",
            Self::Timeout { .. } => "registry-timeout",
            Self::Deadline { .. } => "deadline-exceeded",
            Self::RateLimited { .. } => "rate-limited",
            Self::ServerError { .. } => "registry-failed",
            Self::BrokenOff { .. } => "answer-broken-off",
            Self::Status { .. } => "unexpected-answer",
            Self::CredentialsRequired { .. } => "credentials-required",
            Self::CredentialsRefused { .. } => "credentials-refused",
            Self::AccessDenied { .. } => "access-denied",
            Self::Credentials(error) => error.code,
            Self::RealmNotAllowed { .. } => "realm-not-allowed",
            Self::RealmNotHttps { .. } => "realm-not-https",
            Self::Challenge { .. } => "challenge-unknown",
            Self::Token { .. } => "token-invalid",
            Self::ForeignChallenge { .. } => "foreign-challenge",
            Self::Redirect { .. } => "redirect-not-allowed",
            Self::RedirectLimit { .. } => "too-many-redirects",
            Self::Encoded { .. } => "answer-encoded",
            Self::TooLarge { .. } => "answer-too-large",
            Self::Size { .. } | Self::Longer { .. } => "size-mismatch",
            Self::Digest { .. } => "digest-mismatch",
            Self::NotAnImage { .. } => "not-an-image",
            Self::SchemaOne => "manifest-schema-1",
            Self::Manifest { .. } => "manifest-invalid",
            Self::Ambiguous { .. } => "manifest-ambiguous",
            Self::TooDeep { .. } => "index-too-deep",
            Self::TooManyPlatforms { .. } => "too-many-platforms",
            Self::Config { .. } => "config-invalid",
            Self::ImageNotFound { .. } => "image-not-found",
            Self::PartNotFound { .. } => "image-incomplete",
            Self::PlatformNotFound { .. } => "platform-not-found",
            Self::PlatformsDiffer { .. } => "unknown-platform",
        }
    }

    /// The way out, where there is another than to try again or to mend the registry.
    fn hint(&self, registry: &str) -> Option<String> {
        Some(match self {
            Self::RegistryNotAllowed => {
                format!("whoever runs this can allow the registry `{registry}`")
            }
            // Where a redirect leads is not the user's wish.
            Self::Address(refusal)
                if refusal.forbidden == Forbidden::Loopback
                    && split_port(&refusal.host).0 == split_port(registry).0 =>
            {
                format!("for a registry on this machine: `--insecure-registry {registry}`")
            }
            Self::CredentialsUnknown { .. } => {
                "state the secret as a literal, or use a lock file".to_owned()
            }
            Self::HostUnknown { .. } => "check the name of the image".to_owned(),
            Self::NotTls { host } => {
                format!("for a registry without TLS: `--insecure-registry {host}`")
            }
            Self::Certificate { .. } => {
                "give the certificate of its authority: `--ca-bundle FILE`".to_owned()
            }
            Self::RateLimited { .. } => {
                format!("credentials for `{registry}` or a mirror raise the limit")
            }
            Self::CredentialsRequired { .. } => {
                format!("check the name, or give credentials for `{registry}`")
            }
            Self::CredentialsRefused { origin, .. } => origin.hint_when_refused(registry),
            Self::AccessDenied { origin, .. } => origin.hint_when_denied(registry),
            Self::Credentials(error) => return error.hint.clone(),
            Self::RealmNotAllowed { realm, .. } => {
                format!("if that server may have them: `--allow-realm {registry}={realm}`")
            }
            Self::RealmNotHttps { .. } => {
                format!("for a registry without TLS: `--insecure-registry {registry}`")
            }
            Self::NotAnImage { .. } | Self::ImageNotFound { .. } => {
                "check the name and the tag of the image".to_owned()
            }
            Self::SchemaOne => "push the image again with a current tool".to_owned(),
            Self::PlatformNotFound { .. } => "state the architecture of the image in \
                 `RuntimePlatform`, or build the image for the task's"
                .to_owned(),
            Self::PlatformsDiffer { .. } => "state `RuntimePlatform` in the template".to_owned(),
            Self::Setup { .. } => "check `--ca-bundle`, and the proxies' URLs in `HTTPS_PROXY`, \
                 `HTTP_PROXY` and `ALL_PROXY`"
                .to_owned(),
            Self::Unreachable { .. } => "check network and proxy, or try again".to_owned(),
            Self::Timeout { .. }
            | Self::Deadline { .. }
            | Self::ServerError { .. }
            | Self::BrokenOff { .. } => "try again".to_owned(),
            _ => return None,
        })
    }

    /// Whether another request to the same host would fare no better.
    pub(super) fn is_of_the_host(&self) -> bool {
        matches!(
            self,
            Self::Address(_)
                | Self::HostUnknown { .. }
                | Self::Unreachable { .. }
                | Self::NotTls { .. }
                | Self::Certificate { .. }
                | Self::Timeout { .. }
        )
    }

    /// The same failure after that many attempts.
    pub(super) fn after(mut self, count: u32) -> Self {
        match &mut self {
            Self::Unreachable { attempts, .. }
            | Self::Timeout { attempts, .. }
            | Self::ServerError { attempts, .. }
            | Self::BrokenOff { attempts, .. } => *attempts = count,
            _ => {}
        }
        self
    }

    /// Whether the same request may fare better in a while.
    pub(super) fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::HostUnknown { .. }
                | Self::Unreachable { .. }
                | Self::Timeout { .. }
                | Self::ServerError { .. }
                | Self::BrokenOff { .. }
                | Self::RateLimited { .. }
        )
    }
}
