//! Answers from registries, over the
//! [distribution protocol](https://github.com/opencontainers/distribution-spec/blob/main/spec.md).
//!
//! ```text
//! ImageRequest --place--> registry or mirror --manifest--> index --choice--> manifest --> config
//! ```
//!
//! [`Registries`] holds what is good for long: settings, connections, where credentials come
//! from. A [`Session`] holds what is good for one run: everything is fetched once in it, however
//! many ask, and within the time that it was given.
//!
//! What a digest names can be [`kept`](Limits::kept) for the sessions that follow.
//!
//! From the outside in: `session` fetches manifests and configs and checks that they are what
//! their digests say; `choice` finds the image of a platform; `auth` shows a registry as much
//! of us as it asks for; `transport` makes a request, with limits, repetitions and redirects;
//! `guard` sees every host before a connection is made.

mod auth;
mod challenge;
mod check;
mod choice;
mod client;
mod config;
mod credentials;
mod digest;
mod error;
mod flight;
mod guard;
mod json;
mod kept;
mod manifest;
mod origin;
mod place;
mod platform;
mod secret;
mod session;
mod settings;
mod trace;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use taskdef::image::ImageConfig;

pub use credentials::{Credential, CredentialError, CredentialSource, StaticCredentials, Wanted};
pub use error::ResolveError;
pub use origin::Origin;
pub use platform::Named;
pub use secret::Secret;
pub use session::Session;
pub use settings::{AllowedRealm, Limits, Mirror, Proxies, RegistryHost, SettingError, Settings};
pub use trace::{End, Shows, Step};
pub use transport::Counts;

use kept::Kept;
use transport::Transport;

/// The registries of the world, as far as the settings allow.
#[derive(Debug)]
pub struct Registries<C> {
    transport: Arc<Transport>,
    source: Arc<C>,
    kept: Arc<Kept>,
}

impl<C: CredentialSource> Registries<C> {
    /// Registries with these settings and credentials. Nothing is contacted yet.
    pub fn new(settings: Settings, source: C) -> Self {
        Self {
            kept: Arc::new(Kept::up_to(settings.limits.kept)),
            transport: Arc::new(Transport::new(settings)),
            source: Arc::new(source),
        }
    }

    /// Begins a run that has this much time.
    pub fn session(&self, time: Duration) -> Session<C> {
        let (transport, source) = (Arc::clone(&self.transport), Arc::clone(&self.source));
        Session::new(transport, source, Arc::clone(&self.kept), time)
    }

    /// Where credentials come from.
    pub fn source(&self) -> &C {
        &self.source
    }

    /// What was sent and received so far, in all sessions.
    pub fn counts(&self) -> Counts {
        self.transport.counts()
    }
}

/// An HTTP client with these settings that contacts whatever host it is told to.
///
/// For services that no template chooses. The reason that there is none is one line.
pub(crate) fn unguarded_client(settings: &Settings) -> Result<reqwest::Client, String> {
    client::unguarded(settings).map_err(|cause| cause.to_string())
}

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The image, or why it could not be read.
    pub outcome: Result<ImageFound, ResolveError>,
    /// What was done; what several requests needed stands with each.
    pub steps: Vec<Step>,
}

/// An image that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFound {
    /// What it runs, with the digest of what the reference names.
    pub config: ImageConfig,
    /// The platforms that the config was read for; none where the image does not say.
    pub platforms: Vec<Named>,
    /// Names of the image's environment variables.
    pub env: Vec<String>,
}
