//! One request to the API of any service, for programs that work with more of AWS than images.
//!
//! Nothing is repeated and nothing is read into a type here: what a refusal means, and whether
//! to try again, is for whoever calls.

use reqwest::Method;
use serde_json::Value;

use super::call::{Content, JSON, SAID_MAX, error_code, host, signed};
use super::endpoint::{Service, Variant};
use super::http::{API_ANSWER_MAX, Failure, Received};
use super::identity;
use super::place::Region;
use super::{Aws, AwsProblem};
use crate::reference::shown_up_to;

/// The content of a form, as the [query protocol](https://smithy.io/2.0/aws/protocols/aws-query-protocol.html) sends it.
const FORM: &str = "application/x-www-form-urlencoded";

/// What is asked of a service, by the protocol that it speaks.
#[derive(Clone, Copy, Debug)]
pub enum ApiRequest<'r> {
    /// [AWS JSON 1.1](https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html).
    Json {
        /// The action.
        action: &'r str,
        /// Its input.
        input: &'r Value,
    },
    /// [REST with JSON](https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html), to be read.
    Get {
        /// Path and query, percent-encoded.
        path: &'r str,
    },
    /// The same, to be written.
    Put {
        /// Path and query, percent-encoded.
        path: &'r str,
        /// What is put there.
        input: &'r Value,
    },
    /// The query protocol, which answers with XML.
    Form {
        /// Action, version and parameters, percent-encoded.
        form: &'r str,
    },
}

/// What a service answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The code of an error, where the service speaks JSON.
    pub code: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Aws {
    /// Sends one request to a service of a region, signed, and gives what comes back, refusals too.
    ///
    /// # Errors
    /// No credentials, no such region, no answer.
    pub async fn request(
        &self,
        service: &Service,
        region: &str,
        request: ApiRequest<'_>,
    ) -> Result<ApiAnswer, AwsProblem> {
        let known = Region::parse(region).ok_or_else(|| AwsProblem::Region {
            region: shown_up_to(SAID_MAX, region),
        })?;
        let identity = identity::get(self).await?;
        let config = self.config().await?;
        let variant = Variant::of(config, Variant::default());
        let endpoint = service.endpoint(config, &known, variant);
        let target = match request {
            ApiRequest::Json { action, .. } => format!("{}.{action}", service.target),
            _ => String::new(),
        };
        let (method, path, body) = match request {
            ApiRequest::Json { input, .. } => (Method::POST, "", input.to_string()),
            ApiRequest::Get { path } => (Method::GET, path, String::new()),
            ApiRequest::Put { path, input } => (Method::PUT, path, input.to_string()),
            ApiRequest::Form { form } => (Method::POST, "", form.to_owned()),
        };
        let headers = match request {
            ApiRequest::Json { .. } => {
                vec![("content-type", JSON), ("x-amz-target", target.as_str())]
            }
            ApiRequest::Get { .. } => Vec::new(),
            ApiRequest::Put { .. } => vec![("content-type", "application/json")],
            ApiRequest::Form { .. } => vec![("content-type", FORM)],
        };
        let url = match path {
            "" => endpoint,
            path => format!("{}{path}", endpoint.trim_end_matches('/')),
        };
        let http = self.http().await?.up_to(API_ANSWER_MAX);
        let content = Content {
            method,
            headers,
            body: &body,
        };
        let signed = signed(&http, &identity, service, &known, (&url, &content))?;
        let received = http.send(signed).await;
        received.map(answer).map_err(|failure| match failure {
            Failure::TooLong => AwsProblem::TooLong {
                limit: API_ANSWER_MAX,
            },
            failure => AwsProblem::Unreachable {
                endpoint: host(&url),
                reason: failure.to_string(),
            },
        })
    }
}

fn answer(received: Received) -> ApiAnswer {
    let code = match received.status {
        200 => None,
        _ => {
            let body: Option<Value> = serde_json::from_slice(&received.body).ok();
            error_code(&received, body.as_ref())
        }
    };
    ApiAnswer {
        status: received.status,
        code,
        body: received.body,
    }
}
