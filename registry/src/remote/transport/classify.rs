//! What an error of the HTTP client means.

use std::error::Error;
use std::io;

use reqwest::Url;
use rustls::CertificateError;

use super::super::error::Cause;
use super::super::guard::{Refusal, host_of};

/// The cause behind a failed request. The error's own text is not used: it holds the URL.
pub(super) fn classify(error: &reqwest::Error, url: &Url, request: &str) -> Cause {
    let host = host_of(url);
    let unreachable = |reason| Cause::Unreachable {
        host: host.clone(),
        attempts: 1,
        reason,
    };
    for cause in chain(error) {
        if let Some(refusal) = cause.downcast_ref::<Refusal>() {
            return Cause::Address(refusal.clone());
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return match tls {
                rustls::Error::InvalidCertificate(error) => not_trusted(error, host),
                rustls::Error::InvalidMessage(_) => Cause::NotTls { host },
                _ => unreachable("TLS is not agreed on"),
            };
        }
    }
    let kind =
        chain(error).find_map(|cause| cause.downcast_ref::<io::Error>().map(io::Error::kind));
    if let Some(reason) = of_the_proxy(error) {
        unreachable(reason)
    } else if error.is_dns() {
        Cause::HostUnknown { host }
    } else if error.is_connect() && error.is_timeout() {
        unreachable("it does not answer")
    } else if error.is_connect() {
        match kind {
            Some(io::ErrorKind::ConnectionRefused) => unreachable("it is refused"),
            Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
                unreachable("it is closed")
            }
            _ => unreachable("it fails"),
        }
    } else {
        Cause::BrokenOff {
            request: request.to_owned(),
            attempts: 1,
        }
    }
}

/// An error and all that are inside it. [`io::Error::source`] leaves out what it wraps.
fn chain<'e>(error: &'e reqwest::Error) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    let mut next: Option<&'e (dyn Error + 'static)> = Some(error);
    std::iter::from_fn(move || {
        let current = next?;
        next = match current
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(wrapped) => Some(wrapped),
            None => current.source(),
        };
        Some(current)
    })
}

/// Why a proxy made no connection. The type of such an error is not to be had, only its text.
fn of_the_proxy(error: &reqwest::Error) -> Option<&'static str> {
    chain(error).find_map(|cause| {
        let text = cause.to_string();
        Some(match text.strip_prefix("tunnel error: ")? {
            "proxy authorization required" => "the proxy wants another user name and password",
            "failed to create underlying connection" => "the proxy cannot be reached",
            _ => "the proxy refuses it",
        })
    })
}

fn not_trusted(error: &CertificateError, host: String) -> Cause {
    let reason = match error {
        CertificateError::UnknownIssuer => "nobody here knows its authority",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name"
        }
        CertificateError::Revoked => "it was revoked",
        _ => "it is not valid",
    };
    Cause::Certificate {
        host,
        reason: reason.to_owned(),
    }
}
