//! One call to an AWS service: signed JSON over HTTP, and what its errors mean.
//!
//! The protocol is [AWS JSON 1.1](https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html)
//! with [Signature Version 4](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html).

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use reqwest::{Method, Request};
use serde_json::Value;

use super::endpoint::{Service, Variant};
use super::http::{Failure, Http, Received};
use super::identity::{self, Identity};
use super::place::Region;
use super::{Aws, AwsProblem};
use crate::reference::shown_up_to;

const ATTEMPTS: u32 = 3;
/// Before the second attempt; twice as long before the third.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// How much of what AWS says a message repeats.
pub(super) const SAID_MAX: usize = 400;
pub(super) const JSON: &str = "application/x-amz-json-1.1";

/// Calls an action of a service, more than once if that may help.
pub(super) async fn call(
    aws: &Aws,
    service: &Service,
    region: &Region,
    variant: Variant,
    (action, input): (&'static str, &Value),
) -> Result<Value, AwsProblem> {
    let identity = identity::get(aws).await?;
    let config = aws.config().await?;
    let http = aws.http().await?;
    let url = service.endpoint(config, region, Variant::of(config, variant));
    let target = format!("{}.{action}", service.target);
    let body = input.to_string();
    let content = Content {
        method: Method::POST,
        headers: vec![("content-type", JSON), ("x-amz-target", &target)],
        body: &body,
    };
    let sign = || signed(http, &identity, service, region, (&url, &content));
    again(http, &url, sign, |received| read(action, region, received)).await
}

/// Sends a request and reads its answer, more than once if that may help; it is signed each time.
pub(super) async fn again<T>(
    http: &Http,
    url: &str,
    request: impl Fn() -> Result<Request, AwsProblem>,
    read: impl Fn(&Received) -> Result<T, AwsProblem>,
) -> Result<T, AwsProblem> {
    let mut pause = FIRST_PAUSE;
    let mut attempt = 1;
    loop {
        let answer = match http.send(request()?).await {
            Ok(received) => read(&received),
            Err(Failure::TooLong) => Err(AwsProblem::TooLong {
                limit: http.longest(),
            }),
            Err(failure) => Err(AwsProblem::Unreachable {
                endpoint: host(url),
                reason: failure.to_string(),
            }),
        };
        match answer {
            Err(problem) if problem.may_pass() && attempt < ATTEMPTS => {
                tokio::time::sleep(pause).await;
                pause *= 2;
                attempt += 1;
            }
            answer => return answer,
        }
    }
}

/// What is sent to a URL.
pub(super) struct Content<'c> {
    pub(super) method: Method,
    pub(super) headers: Vec<(&'static str, &'c str)>,
    pub(super) body: &'c str,
}

/// The request, with a signature of this moment.
pub(super) fn signed(
    http: &Http,
    identity: &Identity,
    service: &Service,
    region: &Region,
    (url, content): (&str, &Content<'_>),
) -> Result<Request, AwsProblem> {
    let unusable = || AwsProblem::Endpoint {
        endpoint: shown_up_to(SAID_MAX, url),
    };
    let headers = content.headers.iter().copied();
    let signable = SignableRequest::new(
        content.method.as_str(),
        url,
        headers.clone(),
        SignableBody::Bytes(content.body.as_bytes()),
    )
    .map_err(|_| unusable())?;
    let settings = SigningSettings::default();
    let signature = signature(signable, identity, (service.signing, region), settings);
    let mut request = http
        .request(content.method.clone(), url)
        .body(content.body.to_owned());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    for (name, value) in signature.ok_or_else(unusable)? {
        request = request.header(name, value);
    }
    request.build().map_err(|_| unusable())
}

/// The headers of a [signature](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html)
/// of this moment.
pub(super) fn signature(
    request: SignableRequest<'_>,
    identity: &Identity,
    (service, region): (&str, &Region),
    settings: SigningSettings,
) -> Option<Vec<(&'static str, String)>> {
    let identity = identity.clone().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&region.name)
        .name(service)
        .time(SystemTime::now())
        .settings(settings)
        .build()
        .ok()?
        .into();
    let (instructions, _) = sign(request, &parameters).ok()?.into_parts();
    let (headers, _) = instructions.into_parts();
    let headers = headers
        .iter()
        .map(|header| (header.name(), header.value().to_owned()));
    Some(headers.collect())
}

/// The host of an endpoint, for messages.
pub(super) fn host(url: &str) -> String {
    let url = reqwest::Url::parse(url);
    let host = url.as_ref().ok().and_then(|url| url.host_str());
    host.unwrap_or_default().to_owned()
}

pub(super) fn read(
    action: &'static str,
    region: &Region,
    received: &Received,
) -> Result<Value, AwsProblem> {
    let body: Option<Value> = serde_json::from_slice(&received.body).ok();
    match (received.status, body) {
        (200, Some(body)) => Ok(body),
        (200, None) => Err(AwsProblem::Answer { action }),
        (_, body) => Err(refused(action, region, received, body.as_ref())),
    }
}

fn refused(
    action: &'static str,
    region: &Region,
    received: &Received,
    body: Option<&Value>,
) -> AwsProblem {
    let text = |key: &str| body.and_then(|body| body.get(key)).and_then(Value::as_str);
    let code = error_code(received, body).unwrap_or_default();
    match code.as_str() {
        // The only text that is repeated, because it names the missing right. Others may quote
        // the request, and with it the session's token.
        "AccessDeniedException" | "AccessDenied" => AwsProblem::Denied {
            action,
            said: text("message")
                .or_else(|| text("Message"))
                .map(|said| shown_up_to(SAID_MAX, said)),
        },
        "ResourceNotFoundException" => AwsProblem::NotFound {
            region: region.name.clone(),
        },
        _ => AwsProblem::Refused {
            action,
            status: received.status,
            code: Some(code).filter(|code| !code.is_empty()),
        },
    }
}

/// The code of an error, wherever a service puts it.
pub(super) fn error_code(received: &Received, body: Option<&Value>) -> Option<String> {
    let header = received.headers.get("x-amzn-errortype");
    let text = |key: &str| body?.get(key)?.as_str();
    header
        .and_then(|value| value.to_str().ok())
        .or_else(|| text("__type"))
        .map(plain_code)
}

/// `com.amazonaws.ecr#AccessDeniedException:http://...` is `AccessDeniedException`.
fn plain_code(written: &str) -> String {
    let code = written.rsplit_once('#').map_or(written, |(_, code)| code);
    code.chars()
        .take_while(char::is_ascii_alphanumeric)
        .take(64)
        .collect()
}
