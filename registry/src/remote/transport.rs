//! One request and its whole answer: limits, retries, redirects.

mod classify;
mod hosts;
mod retry;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Body, Client, Method, Request, Response, StatusCode, Url};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use self::classify::classify;
use self::hosts::{Entry, Hosts};
use super::client;
use super::error::Cause;
use super::guard::Guard;
use super::settings::Settings;
use super::trace::{End, Log, Shows, shown_request, shown_url};

/// How much of an answer is read that is of no use, so that its connection stays of use.
const DISCARDED_MAX: u64 = 64 << 10;

/// What is kept from one session to the next: connections, and the counts.
#[derive(Debug)]
pub(super) struct Transport {
    pub(super) settings: Settings,
    pub(super) guard: Guard,
    client: OnceCell<Result<Client, Cause>>,
    requests: AtomicU64,
    bytes: AtomicU64,
    pub(super) images: AtomicU64,
}

/// What was sent and received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests, redirects, tokens and repetitions included.
    pub requests: u64,
    /// Bytes of answers' bodies.
    pub bytes: u64,
    /// Images that were asked for and are done with, found or not.
    pub images: u64,
}

impl Transport {
    pub(super) fn new(settings: Settings) -> Self {
        let guard = Guard::new(&settings, client::proxy_hosts(&settings));
        Self {
            settings,
            guard,
            client: OnceCell::new(),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            images: AtomicU64::new(0),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            requests: self.requests.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            images: self.images.load(Ordering::Relaxed),
        }
    }

    /// The client, built when it is first needed: reading certificates takes a while.
    async fn client(&self) -> Result<&Client, Cause> {
        let build = async || client::build(&self.settings, self.guard.clone());
        self.client
            .get_or_init(build)
            .await
            .as_ref()
            .map_err(Cause::clone)
    }
}

/// A body that is larger than nearly all of good registries, in bytes.
const LARGE: u64 = 256 << 10;
/// How many of those are in memory at once. The others wait, so that their sum is bounded, too.
const LARGE_AT_ONCE: usize = 4;

/// A request to make.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) accept: &'static str,
    pub(super) authorization: Option<HeaderValue>,
    /// What of us is in it, for the trace.
    pub(super) shows: Shows,
    /// A body of `application/x-www-form-urlencoded`.
    pub(super) form: Option<String>,
    /// How many bytes the answer may have.
    pub(super) limit: u64,
    /// What the answer is, and how many bytes it has to have.
    pub(super) expected: Option<(&'static str, u64)>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// The request that was answered: the last one, after redirects.
    pub(super) request: String,
    /// The host that answered, where it is not the one that was asked.
    pub(super) foreign: Option<String>,
    /// Held for as long as a large body is there.
    _room: Option<OwnedSemaphorePermit>,
}

impl Answer {
    /// The request with its status, for a message.
    pub(super) fn shown(&self) -> String {
        format!("{}: {}", self.request, self.status.as_u16())
    }
}

/// The requests of one session, within its time.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) transport: Arc<Transport>,
    pub(super) deadline: Instant,
    hosts: Hosts,
    in_flight: Semaphore,
    large: Arc<Semaphore>,
}

impl Line {
    pub(super) fn new(transport: Arc<Transport>, deadline: Instant) -> Self {
        let limits = &transport.settings.limits;
        Self {
            hosts: Hosts::new(limits.per_host),
            in_flight: Semaphore::new(limits.in_flight),
            large: Arc::new(Semaphore::new(LARGE_AT_ONCE)),
            transport,
            deadline,
        }
    }

    /// Makes a request, and follows where it is redirected.
    pub(super) async fn fetch(&self, mut call: Call, log: &Log) -> Result<Answer, Cause> {
        let asked = call.url.clone();
        let limit = self.transport.settings.limits.redirects;
        for _ in 0..=limit {
            let mut answer = self.with_retries(&call, log).await?;
            let Some(next) = redirect(&call, &answer)? else {
                if !same_origin(&asked, &call.url) {
                    answer.foreign = Some(super::guard::host_of(&call.url));
                }
                return Ok(answer);
            };
            if !same_origin(&call.url, &next) {
                call.authorization = None;
                call.shows = Shows::Nothing;
            }
            call.url = next;
        }
        let request = shown_request(&call.method, &asked);
        Err(Cause::RedirectLimit { request, limit })
    }

    /// One attempt: sends the request and reads what comes back.
    async fn attempt(
        &self,
        call: &Call,
        entry: &mut Entry<'_>,
        log: &Log,
    ) -> Result<Answer, Cause> {
        let transport = &self.transport;
        transport
            .guard
            .check_url(&call.url)
            .map_err(Cause::Address)?;
        let client = transport.client().await?;
        let _slot = entry.slot().await;
        let _in_flight = self.in_flight.acquire().await;
        let request = shown_request(&call.method, &call.url);
        let place = log.sending(&request, &call.shows);
        transport.requests.fetch_add(1, Ordering::Relaxed);
        let timeout = transport.settings.request_timeout;
        let exchange = async {
            let failed = |error: reqwest::Error| {
                if error.is_connect() {
                    // Nothing was asked of a host that could not be reached.
                    transport.requests.fetch_sub(1, Ordering::Relaxed);
                }
                classify(&error, &call.url, &request)
            };
            let response = client.execute(request_of(call)).await.map_err(failed)?;
            entry.answered(response.version());
            self.read(call, response, &request, (log, place)).await
        };
        let result = tokio::time::timeout(timeout, exchange)
            .await
            .unwrap_or_else(|_| Err(timed_out(request.clone(), timeout)));
        let end = result
            .as_ref()
            .err()
            .map_or(End::Whole, |cause| End::Failed(cause.code()));
        log.ended(place, end);
        result
    }

    /// Reads an answer within its limits.
    async fn read(
        &self,
        call: &Call,
        mut response: Response,
        request: &str,
        (log, place): (&Log, usize),
    ) -> Result<Answer, Cause> {
        let status = response.status();
        let wanted = status == StatusCode::OK;
        let code = status.as_u16();
        let location = redirect_target(status, response.headers(), &call.url);
        let location = location.and_then(Result::ok).map(|url| shown_url(&url));
        log.answered(place, code, 0, location.clone());
        let shown = || format!("{request}: {code}");
        if wanted {
            check_announced(call, &response, &shown)?;
        }
        let (mut body, mut room) = (Vec::new(), None);
        let failed = |error: reqwest::Error| classify(&error, &call.url, &shown());
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            let length = body.len() as u64 + chunk.len() as u64;
            self.transport
                .bytes
                .fetch_add(chunk.len() as u64, Ordering::Relaxed);
            log.answered(place, code, length, location.clone());
            if length > LARGE && room.is_none() {
                room = Arc::clone(&self.large).acquire_owned().await.ok();
            }
            match (wanted, call.expected) {
                (true, Some((what, expected))) if length > expected => {
                    let request = shown();
                    return Err(Cause::Longer {
                        what,
                        expected,
                        request,
                    });
                }
                (true, _) if length > call.limit => {
                    let (limit, request) = (call.limit, shown());
                    return Err(Cause::TooLarge { request, limit });
                }
                (false, _) if length > DISCARDED_MAX => break,
                _ => body.extend_from_slice(&chunk),
            }
        }
        check_length(call, wanted, body.len() as u64, &shown)?;
        Ok(Answer {
            status,
            headers: response.headers().clone(),
            body,
            request: request.to_owned(),
            foreign: None,
            _room: room,
        })
    }
}

fn timed_out(request: String, timeout: Duration) -> Cause {
    Cause::Timeout {
        request,
        seconds: timeout.as_secs().max(1),
        attempts: 1,
    }
}

fn request_of(call: &Call) -> Request {
    let mut request = Request::new(call.method.clone(), call.url.clone());
    let headers = request.headers_mut();
    headers.insert(header::ACCEPT, HeaderValue::from_static(call.accept));
    if let Some(authorization) = &call.authorization {
        headers.insert(header::AUTHORIZATION, authorization.clone());
    }
    if let Some(form) = &call.form {
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, form_type);
        *request.body_mut() = Some(Body::from(form.clone()));
    }
    request
}

/// What an answer says of itself, before it is read.
fn check_announced(
    call: &Call,
    response: &Response,
    shown: &impl Fn() -> String,
) -> Result<(), Cause> {
    // A digest is that of the bytes as they are; a small body could also grow without end.
    if let Some(encoding) = response.headers().get(header::CONTENT_ENCODING)
        && encoding != "identity"
    {
        return Err(Cause::Encoded { request: shown() });
    }
    if call.method == Method::HEAD {
        return Ok(());
    }
    match (response.content_length(), call.expected) {
        (Some(actual), Some((what, expected))) if actual != expected => Err(Cause::Size {
            what,
            expected,
            actual,
            request: shown(),
        }),
        (Some(actual), _) if actual > call.limit => Err(Cause::TooLarge {
            request: shown(),
            limit: call.limit,
        }),
        _ => Ok(()),
    }
}

fn check_length(
    call: &Call,
    wanted: bool,
    actual: u64,
    shown: &impl Fn() -> String,
) -> Result<(), Cause> {
    match call.expected {
        Some((what, expected)) if wanted && actual != expected => Err(Cause::Size {
            what,
            expected,
            actual,
            request: shown(),
        }),
        _ => Ok(()),
    }
}

/// Where an answer redirects to, if it does and may.
fn redirect(call: &Call, answer: &Answer) -> Result<Option<Url>, Cause> {
    let refused = |reason| {
        let request = answer.shown();
        Err(Cause::Redirect { request, reason })
    };
    let next = match redirect_target(answer.status, &answer.headers, &call.url) {
        None => return Ok(None),
        Some(Err(reason)) => return refused(reason),
        Some(Ok(next)) => next,
    };
    if call.method == Method::POST {
        return refused("of a request with credentials in its body");
    }
    match (call.url.scheme(), next.scheme()) {
        ("https", "http") => refused("from https to http"),
        (_, "http" | "https") => Ok(Some(next)),
        _ => refused("to something other than http"),
    }
}

/// The URL that an answer redirects to, without credentials of its own.
fn redirect_target(
    status: StatusCode,
    headers: &HeaderMap,
    url: &Url,
) -> Option<Result<Url, &'static str>> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = headers
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok());
    let next = location.and_then(|location| url.join(location).ok());
    let Some(mut next) = next.filter(Url::has_host) else {
        return Some(Err("to nowhere"));
    };
    let cleared = next.set_username("").and_then(|()| next.set_password(None));
    Some(cleared.map(|()| next).map_err(|()| "to nowhere"))
}

/// Whether two URLs are served by one program: only then a credential may go along.
pub(super) fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}
