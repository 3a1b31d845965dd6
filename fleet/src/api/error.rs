//! What a service refuses, and why. Holds nothing of what was sent.

use registry::credentials::aws::{ApiAnswer, AwsProblem};
use serde_json::Value;

/// How much of what AWS says is repeated.
const SAID_MAX: usize = 400;

/// What kind of failure a call ended in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Too many calls: nothing was done.
    Throttled,
    /// The identity may not.
    Denied,
    /// There is no such thing.
    NotFound,
    /// No answer, or one that says that the service has failed: it may have done it.
    Unanswered,
    /// No credentials, no region: nothing was sent.
    Unsent,
    /// Another refusal.
    Other,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{action}` {what}")]
pub struct ApiError {
    /// The action, as policies write it (`ecs:DescribeServices`).
    pub action: String,
    /// What kind of failure.
    pub kind: ErrorKind,
    /// The service's own code.
    pub code: Option<String>,
    /// What the service says of it, where that does not repeat the request.
    pub said: Option<String>,
    what: String,
    hint: Option<&'static str>,
}

impl ApiError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        match self.kind {
            ErrorKind::Denied => Some(format!(
                "allow `{}`; `docs/fleet.md` has the whole policy",
                self.action
            )),
            ErrorKind::Throttled => {
                Some("lower `--shards` or `--in-motion`, or run it again later".to_owned())
            }
            _ => self.hint.map(str::to_owned),
        }
    }

    /// What could not be sent.
    pub(super) fn unsent(action: &str, problem: &AwsProblem) -> ApiError {
        let unanswered = matches!(problem, AwsProblem::Unreachable { .. });
        ApiError {
            action: action.to_owned(),
            kind: match unanswered {
                true => ErrorKind::Unanswered,
                false => ErrorKind::Unsent,
            },
            code: None,
            said: None,
            what: format!("could not be called: {problem}"),
            hint: problem.hint(),
        }
    }

    /// An answer without what it should hold.
    pub(crate) fn unreadable(action: &str) -> ApiError {
        ApiError {
            action: action.to_owned(),
            kind: ErrorKind::Other,
            code: None,
            said: None,
            what: "gave an answer that cannot be read".to_owned(),
            hint: None,
        }
    }

    /// What an action that takes several things did not do, though it did others: the first of
    /// them, with its `ErrorCode` and `ErrorMessage`.
    pub(crate) fn partial(action: &str, failed: &Value) -> ApiError {
        let member = |name: &str| failed.pointer(&format!("/0/{name}"))?.as_str();
        let refused = ApiError::refused(action, 200, member("ErrorCode"), member("ErrorMessage"));
        ApiError {
            what: self::refused(None, refused.code.as_deref(), refused.said.as_deref()),
            ..refused
        }
    }

    /// The same error without the service's words, where they may repeat a value.
    #[must_use]
    pub(crate) fn without_words(self) -> ApiError {
        let (status, code) = (None, self.code.as_deref());
        ApiError {
            what: refused(status, code, None),
            said: None,
            ..self
        }
    }

    fn refused(action: &str, status: u16, code: Option<&str>, said: Option<&str>) -> ApiError {
        let kind = match said {
            Some(said) if said.contains(CONCURRENT) => ErrorKind::Throttled,
            _ => kind(status, code.unwrap_or_default()),
        };
        // Words about a signature repeat the request, and with it the session's token.
        let speaks = kind == ErrorKind::Denied || code.is_some_and(|code| SPEAKING.contains(&code));
        let said = said.filter(|_| speaks).map(shortened);
        let what = match kind {
            ErrorKind::Denied => match &said {
                Some(said) => format!("is not allowed: {said}"),
                None => "is not allowed".to_owned(),
            },
            _ => refused(Some(status), code, said.as_deref()),
        };
        ApiError {
            action: action.to_owned(),
            kind,
            code: code.map(str::to_owned),
            said,
            what,
            hint: code.and_then(hint),
        }
    }
}

/// What ECS says, as a `ClientException`, of registrations in one family at once: nothing was done.
const CONCURRENT: &str = "Too many concurrent attempts";

/// Codes whose words are about what was asked, and not about who asked.
const SPEAKING: &[&str] = &[
    "ClientException",
    "ClusterNotFoundException",
    "InvalidParameterException",
    "ResourceNotFoundException",
    "ServiceNotActiveException",
    "ServiceNotFoundException",
    "ValidationException",
];

fn refused(status: Option<u16>, code: Option<&str>, said: Option<&str>) -> String {
    let status = status.map(|status| format!(" with status {status}"));
    let code = code.map(|code| format!(", `{code}`"));
    let said = said.map(|said| format!(": {said}"));
    let [status, code, said] = [status, code, said].map(Option::unwrap_or_default);
    format!("was refused{status}{code}{said}")
}

fn kind(status: u16, code: &str) -> ErrorKind {
    const THROTTLED: [&str; 5] = [
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
        "RequestThrottled",
        "BandwidthLimitExceeded",
    ];
    match code {
        _ if status == 429 || code.contains("Throttl") || THROTTLED.contains(&code) => {
            ErrorKind::Throttled
        }
        "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" | "NotAuthorized" => {
            ErrorKind::Denied
        }
        _ if code.ends_with("NotFoundException") => ErrorKind::NotFound,
        _ if status >= 500 => ErrorKind::Unanswered,
        _ if status == 404 => ErrorKind::NotFound,
        _ => ErrorKind::Other,
    }
}

fn hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "ExpiredTokenException" | "ExpiredToken" => "the AWS login has expired: log in again",
        "UnrecognizedClientException" | "InvalidClientTokenId" => {
            "the AWS credentials are unknown there: a region that is not enabled, another partition, or deleted keys"
        }
        "InvalidSignatureException" | "SignatureDoesNotMatch" | "RequestExpired" => {
            "the secret key is wrong, or this machine's clock"
        }
        "AWSOrganizationsNotInUseException" => {
            "name the accounts with `--account`, or run it from the organization's management account"
        }
        _ => return None,
    })
}

/// One line, not too long.
pub(crate) fn shortened(said: &str) -> String {
    let said: String = said
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .take(SAID_MAX)
        .collect();
    said.trim().trim_end_matches('.').to_owned()
}

pub(super) fn read_json(action: &str, answer: &ApiAnswer) -> Result<Value, ApiError> {
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    match (answer.status, body) {
        (200, Some(body)) => Ok(body),
        (200, None) => Err(ApiError::unreadable(action)),
        (status, body) => {
            let body = body.as_ref();
            let text = |key: &str| body?.get(key)?.as_str();
            let said = text("message").or_else(|| text("Message"));
            let code = answer.code.as_deref();
            Err(ApiError::refused(action, status, code, said))
        }
    }
}

pub(super) fn read_xml(action: &str, answer: &ApiAnswer) -> Result<String, ApiError> {
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    if answer.status == 200 {
        return Ok(text);
    }
    let (code, said) = (element(&text, "Code"), element(&text, "Message"));
    let (code, said) = (code.as_deref(), said.as_deref());
    Err(ApiError::refused(action, answer.status, code, said))
}

/// The text of the first element of this name in XML that has no attributes there.
pub(crate) fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let text = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ]
    .into_iter()
    .fold(text.trim().to_owned(), |text, (from, to)| {
        text.replace(from, to)
    });
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_part_that_was_not_done() {
        let told = |failed: &Value| {
            let error = ApiError::partial("events:PutTargets", failed);
            format!("{:?}: {error}", error.kind)
        };
        let failed = |code: &str| json!([{"TargetId": "1", "ErrorCode": code, "ErrorMessage": "Rule night does not exist."}]);
        let table = [
            told(&failed("ResourceNotFoundException")),
            told(&failed("ConcurrentModificationException")),
            told(&failed("ThrottlingException")),
            told(&json!([])),
            told(&Value::Null),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        NotFound: `events:PutTargets` was refused, `ResourceNotFoundException`: Rule night does not exist
        Other: `events:PutTargets` was refused, `ConcurrentModificationException`
        Throttled: `events:PutTargets` was refused, `ThrottlingException`
        Other: `events:PutTargets` was refused
        Other: `events:PutTargets` was refused
        ");
    }

    #[test]
    fn what_services_refuse() {
        let told = |status: u16, code: &str, body: &str| {
            let answer = ApiAnswer {
                status,
                code: Some(code.to_owned()),
                body: body.into(),
            };
            let error = match body.starts_with('<') {
                true => read_xml("sts:AssumeRole", &answer).unwrap_err(),
                false => read_json("ecs:UpdateService", &answer).unwrap_err(),
            };
            let hint = error.hint().unwrap_or_else(|| "-".to_owned());
            format!("{:?}: {error} ({hint})", error.kind)
        };
        let said = |text: &str| format!("{{\"message\": \"{text}\"}}");
        let xml = |code: &str| {
            format!("<Error><Code>{code}</Code><Message>not &lt;you&gt;</Message></Error>")
        };
        let concurrent =
            said("Too many concurrent attempts to create a new revision of the specified family.");
        let table = [
            told(
                400,
                "AccessDeniedException",
                &said("User: a is not authorized to perform: ecs:UpdateService."),
            ),
            told(400, "ThrottlingException", &said("Rate exceeded")),
            told(400, "ClientException", &concurrent),
            told(400, "ServiceNotFoundException", &said("Service not found.")),
            told(
                400,
                "InvalidSignatureException",
                &said("The canonical string was secret"),
            ),
            told(500, "ServerException", "{}"),
            told(403, "", &xml("AccessDenied")),
            told(403, "", &xml("ExpiredToken")),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        Denied: `ecs:UpdateService` is not allowed: User: a is not authorized to perform: ecs:UpdateService (allow `ecs:UpdateService`; `docs/fleet.md` has the whole policy)
        Throttled: `ecs:UpdateService` was refused with status 400, `ThrottlingException` (lower `--shards` or `--in-motion`, or run it again later)
        Throttled: `ecs:UpdateService` was refused with status 400, `ClientException`: Too many concurrent attempts to create a new revision of the specified family (lower `--shards` or `--in-motion`, or run it again later)
        NotFound: `ecs:UpdateService` was refused with status 400, `ServiceNotFoundException`: Service not found (-)
        Other: `ecs:UpdateService` was refused with status 400, `InvalidSignatureException` (the secret key is wrong, or this machine's clock)
        Unanswered: `ecs:UpdateService` was refused with status 500, `ServerException` (-)
        Denied: `sts:AssumeRole` is not allowed: not <you> (allow `sts:AssumeRole`; `docs/fleet.md` has the whole policy)
        Other: `sts:AssumeRole` was refused with status 403, `ExpiredToken` (the AWS login has expired: log in again)
        ");
    }
}
