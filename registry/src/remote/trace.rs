//! What was done to read an image, for people who ask why it failed or took long.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::{Method, Url};

use super::origin::Origin;
use crate::reference::shown_up_to;

/// Room for the longest URL that a reference makes.
const URL_SHOWN_MAX: usize = 700;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It has not, as far as is known.
    Open,
    /// With a whole answer.
    Whole,
    /// With an error, by its code.
    Failed(&'static str),
}

/// What a request showed of us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shows {
    /// Nothing.
    Nothing,
    /// A user name and a password, to the registry.
    Basic(Origin),
    /// A credential, to the registry's token server.
    Login(Origin),
    /// A token.
    Token,
}

impl fmt::Display for Shows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "anonymous",
            Self::Basic(_) => "basic",
            Self::Login(_) => "login",
            Self::Token => "token",
        })
    }
}

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// A request, and what came back.
    Request {
        /// Method and URL, without the query.
        request: String,
        /// What the request showed of us.
        shows: Shows,
        /// Status of the answer; absent when none came.
        status: Option<u16>,
        /// Bytes of the answer that were read.
        bytes: u64,
        /// Where a redirect led, without the query.
        redirect: Option<String>,
        /// How it ended.
        end: End,
    },
    /// Something was read and is what it should be.
    Read {
        /// `index`, `manifest`, `config`.
        what: &'static str,
        /// Its digest.
        digest: String,
        /// Its bytes.
        bytes: u64,
    },
}

impl Step {
    /// Where the credential was found that a request showed, if it did.
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Request {
                shows: Shows::Basic(origin) | Shows::Login(origin),
                ..
            } => Some(origin),
            _ => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request {
                request,
                shows,
                status,
                bytes,
                redirect,
                end,
            } => {
                write!(f, "{request} ({shows}): ")?;
                match status {
                    Some(status) => write!(f, "{status}, {bytes} bytes")?,
                    None => f.write_str("no answer")?,
                }
                if let Some(to) = redirect {
                    write!(f, ", redirects to {to}")?;
                }
                match end {
                    End::Whole => Ok(()),
                    End::Open => f.write_str(", not finished"),
                    End::Failed(code) => write!(f, ", {code}"),
                }
            }
            Self::Read {
                what,
                digest,
                bytes,
            } => write!(f, "{what} {digest}, {bytes} bytes"),
        }
    }
}

/// The steps of one thing that was fetched, however many images it was fetched for.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Vec<Step>>>);

impl Log {
    /// Notes a request that is about to be sent; gives its place.
    pub(super) fn sending(&self, request: &str, shows: &Shows) -> usize {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        steps.push(Step::Request {
            request: request.to_owned(),
            shows: shows.clone(),
            status: None,
            bytes: 0,
            redirect: None,
            end: End::Open,
        });
        steps.len() - 1
    }

    /// Notes what came back.
    pub(super) fn answered(&self, place: usize, code: u16, read: u64, location: Option<String>) {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Step::Request {
            status,
            bytes,
            redirect,
            ..
        }) = steps.get_mut(place)
        {
            *status = Some(code);
            *bytes = read;
            *redirect = location;
        }
    }

    /// Notes how it ended.
    pub(super) fn ended(&self, place: usize, how: End) {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Step::Request { end, .. }) = steps.get_mut(place) {
            *end = how;
        }
    }

    /// Notes what was read.
    pub(super) fn read(&self, what: &'static str, digest: &str, bytes: u64) {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = digest.to_owned();
        steps.push(Step::Read {
            what,
            digest,
            bytes,
        });
    }

    /// All steps so far.
    pub(super) fn steps(&self) -> Vec<Step> {
        let steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        steps.clone()
    }
}

/// What one image used: logs, each once, in the order in which they were first needed.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace(Arc<Mutex<Vec<Log>>>);

impl Trace {
    pub(super) fn uses(&self, log: &Log) {
        let mut logs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !logs.iter().any(|known| Arc::ptr_eq(&known.0, &log.0)) {
            logs.push(log.clone());
        }
    }

    pub(super) fn steps(&self) -> Vec<Step> {
        let logs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        logs.iter().flat_map(Log::steps).collect()
    }

    /// The request that has not ended.
    pub(super) fn unfinished(&self) -> Option<String> {
        self.steps().into_iter().rev().find_map(|step| match step {
            Step::Request {
                request,
                end: End::Open,
                ..
            } => Some(request),
            _ => None,
        })
    }
}

/// A URL for a message: the query of a redirect is often as good as a password.
pub(super) fn shown_url(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // A URL without a host has no user, and none of ours is such.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown_up_to(URL_SHOWN_MAX, shown.as_str())
}

/// A request for a message.
pub(super) fn shown_request(method: &Method, url: &Url) -> String {
    format!("{method} {}", shown_url(url))
}
