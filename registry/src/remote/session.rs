//! One run: what it fetches it fetches once, and all of it within one time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use taskdef::image::{Answers, Credentials, ImageConfig, ImageFailure, ImageRequest, Platform};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::auth::Access;
use super::check::{check_digest_of, checked_digest, expect_found, stated_digest};
use super::choice::Chosen;
use super::config::{self, Config};
use super::credentials::CredentialSource;
use super::error::{Cause, ResolveError};
use super::flight::Flights;
use super::kept::Kept;
use super::manifest::{self, Descriptor, Manifest};
use super::place::Place;
use super::trace::{Log, Shows, Trace, shown_request};
use super::transport::{Answer, Call, Line, Transport};
use super::{ImageFound, Resolution};
use crate::ImageConfigs;
use crate::reference::ImageReference;

/// How long a registry is waited for that is asked whether a tag has moved.
const CHECK_TIME: Duration = Duration::from_secs(5);

/// Resolves images, each once, within the time that it was given.
///
/// Everything that it learns, tokens and failures included, ends with it: a tag can move, and
/// a registry can come back. Only what a digest names is kept for others, if the settings say
/// so. It needs a tokio runtime with time and I/O.
#[derive(Debug)]
pub struct Session<C>(Arc<Inner<C>>);

/// What the tasks of a session share.
#[derive(Debug)]
pub(super) struct Inner<C> {
    pub(super) line: Line,
    pub(super) source: Arc<C>,
    pub(super) access: Access,
    kept: Arc<Kept>,
    plain: Mutex<BTreeSet<String>>,
    manifests: Flights<(Place, String, Option<u64>), Arc<Found>>,
    configs: Flights<(Place, String, u64), Arc<Config>>,
}

/// A manifest, and the digest of its bytes.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) digest: String,
    pub(super) manifest: Manifest,
}

/// A question for a registry's API.
pub(super) struct Ask<'a> {
    method: Method,
    kind: &'static str,
    name: &'a str,
    accept: &'static str,
    limit: u64,
    expected: Option<(&'static str, u64)>,
}

impl<C: CredentialSource> Session<C> {
    pub(super) fn new(
        transport: Arc<Transport>,
        source: Arc<C>,
        kept: Arc<Kept>,
        time: Duration,
    ) -> Self {
        let now = Instant::now();
        // A time that no clock can hold is no limit.
        let year = Duration::from_secs(365 * 24 * 60 * 60);
        let deadline = now.checked_add(time.min(year)).unwrap_or(now);
        Self(Arc::new(Inner {
            line: Line::new(transport, deadline),
            source,
            access: Access::default(),
            kept,
            plain: Mutex::default(),
            manifests: Flights::default(),
            configs: Flights::default(),
        }))
    }

    /// Resolves images, all at once, and tells what was done for each.
    pub async fn resolve(
        &self,
        requests: BTreeSet<ImageRequest>,
    ) -> BTreeMap<ImageRequest, Resolution> {
        let mut tasks = JoinSet::new();
        for request in requests {
            let inner = Arc::clone(&self.0);
            tasks.spawn(async move {
                let trace = Trace::default();
                let found = inner.image(&request, &trace);
                let outcome = inner.in_time(&request, &trace, found).await;
                let steps = trace.steps();
                (request, Resolution { outcome, steps })
            });
        }
        all(tasks).await.into_iter().collect()
    }

    /// The digests of what references name now, with one `HEAD` each, which registries that
    /// limit pulls do not count. The platforms of the requests do not matter.
    pub async fn digests(
        &self,
        requests: BTreeSet<ImageRequest>,
    ) -> BTreeMap<ImageRequest, Result<String, ResolveError>> {
        let mut tasks = JoinSet::new();
        for request in requests {
            let inner = Arc::clone(&self.0);
            tasks.spawn(async move {
                let trace = Trace::default();
                let found = inner.digest(&request, &trace);
                let outcome = inner.in_time(&request, &trace, found).await;
                (request, outcome)
            });
        }
        all(tasks).await.into_iter().collect()
    }
}

/// The results of all tasks. A task that panics takes this one with it.
pub(super) async fn all<T: 'static>(mut tasks: JoinSet<T>) -> Vec<T> {
    let mut results = Vec::with_capacity(tasks.len());
    while let Some(result) = tasks.join_next().await {
        match result {
            Ok(result) => results.push(result),
            Err(error) => {
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
    results
}

impl<C: CredentialSource> ImageConfigs for Session<C> {
    async fn resolve_all(&self, requests: &BTreeSet<ImageRequest>) -> Answers {
        let resolved = self.resolve(requests.clone()).await;
        let answers = resolved.into_iter().map(|(request, resolution)| {
            let answer = resolution.outcome.map(|found| found.config);
            (request, answer.map_err(|error| ImageFailure::from(&error)))
        });
        answers.collect()
    }
}

impl<C: CredentialSource> Inner<C> {
    /// Ends with an error that names the image, at the end of the time if need be.
    async fn in_time<T>(
        &self,
        request: &ImageRequest,
        trace: &Trace,
        found: impl Future<Output = Result<T, Cause>>,
    ) -> Result<T, ResolveError> {
        let found = tokio::time::timeout_at(self.line.deadline, found).await;
        let found = found.unwrap_or_else(|_| {
            let request = trace.unfinished();
            Err(Cause::Deadline { request })
        });
        let images = &self.line.transport.images;
        images.fetch_add(1, Ordering::Relaxed);
        found.map_err(|cause| {
            let reference = ImageReference::parse(&request.reference).ok();
            let place = self.place(request).map(|(_, place)| place.registry).ok();
            let named = reference
                .as_ref()
                .map(|reference| reference.registry().to_owned());
            ResolveError {
                registry: place.or(named).unwrap_or_default(),
                image: reference.map(|reference| reference.to_string()),
                cause,
            }
        })
    }

    fn place(&self, request: &ImageRequest) -> Result<(ImageReference, Place), Cause> {
        let reference = ImageReference::parse(&request.reference)?;
        let transport = &self.line.transport;
        let secret = match &request.credentials {
            Credentials::Unstated => None,
            Credentials::Secret(secret) => Some(secret.clone()),
            Credentials::Unknown(why) => {
                return Err(Cause::CredentialsUnknown { why: why.clone() });
            }
        };
        let place = Place::of(&reference, secret, &transport.settings, &transport.guard)?;
        Ok((reference, place))
    }

    async fn image(
        self: &Arc<Self>,
        request: &ImageRequest,
        trace: &Trace,
    ) -> Result<ImageFound, Cause> {
        let (reference, place) = self.place(request)?;
        let name = reference.digest().or(reference.tag()).unwrap_or_default();
        let root = self.manifest(&place, name, None, trace).await?;
        let digest = root.digest.clone();
        let chosen = match request.platform {
            Platform::AnyLinux => self.any_linux(&place, root, trace).await?,
            _ => self.one(&place, root, &request.platform, trace).await?,
        };
        Ok(found(digest, chosen))
    }

    async fn digest(
        self: &Arc<Self>,
        request: &ImageRequest,
        trace: &Trace,
    ) -> Result<String, Cause> {
        let (reference, place) = self.place(request)?;
        let name = reference.digest().or(reference.tag()).unwrap_or_default();
        let log = Log::default();
        trace.uses(&log);
        match self.named_now(&place, name, &log).await? {
            Some(digest) if reference.digest().is_none_or(|pinned| pinned == digest) => Ok(digest),
            // The registry does not say, or says something else: the bytes do.
            _ => {
                let found = self.manifest(&place, name, None, trace).await?;
                Ok(found.digest.clone())
            }
        }
    }

    /// The digest that the registry says of a name, if it says one.
    async fn named_now(
        &self,
        place: &Place,
        name: &str,
        log: &Log,
    ) -> Result<Option<String>, Cause> {
        let mut ask = self.manifest_ask(name, None);
        ask.method = Method::HEAD;
        let answer = self.ask(place, &ask, log).await?;
        expect_found(&answer, "manifest", true)?;
        Ok(stated_digest(&answer.headers).map(str::to_owned))
    }

    fn manifest_ask<'a>(&self, name: &'a str, size: Option<u64>) -> Ask<'a> {
        Ask {
            method: Method::GET,
            kind: "manifests",
            name,
            accept: manifest::ACCEPT,
            limit: self.line.transport.settings.limits.manifest,
            expected: size.map(|size| ("manifest", size)),
        }
    }

    /// A manifest by tag or digest; `size` is what an index says of it.
    pub(super) async fn manifest(
        &self,
        place: &Place,
        name: &str,
        size: Option<u64>,
        trace: &Trace,
    ) -> Result<Arc<Found>, Cause> {
        let key = (place.clone(), name.to_owned(), size);
        let fetch = |log: Log| async move {
            if let Some(found) = self.kept_manifest(place, name, &log).await {
                return Ok(found);
            }
            let ask = self.manifest_ask(name, size);
            self.check_size(place, &ask)?;
            let answer = self.ask(place, &ask, &log).await?;
            expect_found(&answer, "manifest", size.is_none())?;
            let digest = checked_digest(name, &answer)?;
            let content_type = answer.headers.get(CONTENT_TYPE);
            let content_type = content_type.and_then(|value| value.to_str().ok());
            let manifest = manifest::read(content_type, &answer.body, &answer.request)?;
            let what = match manifest {
                Manifest::Index(_) => "index",
                Manifest::Image(_) => "manifest",
            };
            let bytes = answer.body.len() as u64;
            log.read(what, &digest, bytes);
            let found = Arc::new(Found { digest, manifest });
            self.kept.keep_manifest(place, name, &found);
            Ok(found)
        };
        self.manifests.get(key, trace, fetch).await
    }

    /// A manifest that an earlier session read: of a digest as it is, of a tag if it did not move.
    async fn kept_manifest(&self, place: &Place, name: &str, log: &Log) -> Option<Arc<Found>> {
        if let Some(found) = self.kept.manifest(place, name) {
            return Some(found);
        }
        let found = self.kept.tagged(place, name)?;
        // A registry that does not answer this, or not soon, is asked in full.
        let now = tokio::time::timeout(CHECK_TIME, self.named_now(place, name, log)).await;
        let now = now.ok().and_then(Result::ok).flatten();
        (now.as_deref() == Some(&found.digest)).then_some(found)
    }

    /// An image config.
    pub(super) async fn config(
        &self,
        place: &Place,
        descriptor: &Descriptor,
        trace: &Trace,
    ) -> Result<Arc<Config>, Cause> {
        let name = descriptor.digest.as_str();
        let key = (place.clone(), name.to_owned(), descriptor.size);
        let fetch = |log: Log| async move {
            if let Some(config) = self.kept.config(place, name) {
                return Ok(config);
            }
            let ask = Ask {
                method: Method::GET,
                kind: "blobs",
                name,
                accept: "*/*",
                limit: self.line.transport.settings.limits.config,
                expected: Some(("config", descriptor.size)),
            };
            self.check_size(place, &ask)?;
            let answer = self.ask(place, &ask, &log).await?;
            expect_found(&answer, "config", false)?;
            check_digest_of("config", name, &answer)?;
            let request = || answer.shown();
            let config = config::read(&answer.body).map_err(|reason| Cause::Config {
                reason,
                request: request(),
            })?;
            log.read("config", name, descriptor.size);
            let config = Arc::new(config);
            self.kept.keep_config(place, name, &config);
            Ok(config)
        };
        self.configs.get(key, trace, fetch).await
    }

    /// What is announced to be too large is not asked for.
    fn check_size(&self, place: &Place, ask: &Ask<'_>) -> Result<(), Cause> {
        match ask.expected {
            Some((_, size)) if size > ask.limit => Err(Cause::TooLarge {
                request: shown_request(
                    &ask.method,
                    &place.url(self.scheme(place), ask.kind, ask.name)?,
                ),
                limit: ask.limit,
            }),
            _ => Ok(()),
        }
    }

    /// Sends a question to a registry: with TLS, unless the registry may do without and does.
    pub(super) async fn send(
        &self,
        place: &Place,
        ask: &Ask<'_>,
        (authorization, shows): (Option<HeaderValue>, Shows),
        log: &Log,
    ) -> Result<Answer, Cause> {
        let call = |scheme| {
            Ok::<Call, Cause>(Call {
                method: ask.method.clone(),
                url: place.url(scheme, ask.kind, ask.name)?,
                accept: ask.accept,
                authorization: authorization.clone(),
                shows: shows.clone(),
                form: None,
                limit: ask.limit,
                expected: ask.expected,
            })
        };
        if self.scheme(place) == "https" {
            let answer = self.line.fetch(call("https")?, log).await;
            let without_tls = matches!(
                answer,
                Err(Cause::NotTls { .. } | Cause::Unreachable { .. })
            );
            if !(place.insecure && without_tls) {
                return answer;
            }
            self.set_plain(place);
        }
        self.line.fetch(call("http")?, log).await
    }

    fn scheme(&self, place: &Place) -> &'static str {
        let plain = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
        match place.insecure && plain.contains(place.host()) {
            true => "http",
            false => "https",
        }
    }

    fn set_plain(&self, place: &Place) {
        let mut plain = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
        plain.insert(place.host().to_owned());
    }
}

fn found(digest: String, chosen: Chosen) -> ImageFound {
    let Chosen { config, platforms } = chosen;
    ImageFound {
        config: ImageConfig {
            digest: Some(digest),
            entrypoint: config.entrypoint.clone(),
            cmd: config.cmd.clone(),
            user: config.user.clone(),
            working_dir: config.working_dir.clone(),
        },
        platforms,
        env: config.env.clone(),
    }
}
