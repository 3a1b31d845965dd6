//! HTTP for the AWS SDK's chain, and for the calls made here.
//!
//! A client of its own: the one for registries refuses loopback and link-local addresses, where
//! the metadata services of AWS are.

use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Request, RequestBuilder};

use super::AwsProblem;
use crate::remote::{Settings, unguarded_client};

/// The most that any of these services answers: a secret has up to 64 KiB.
const ANSWER_MAX: usize = 1024 * 1024;
/// The same for APIs that describe many things at once: ten services of ECS, each with a hundred events.
pub(super) const API_ANSWER_MAX: usize = 16 * 1024 * 1024;
/// The metadata services are on this machine, where no proxy can reach them for us.
const NEVER_BY_PROXY: &str = "127.0.0.0/8,169.254.0.0/16,fd00:ec2::/32,::1,localhost";
const TOTAL_TIMEOUT: Duration = Duration::from_secs(20);

/// The HTTP client of the calls to AWS.
#[derive(Clone, Debug)]
pub(super) struct Http {
    client: Client,
    timeout: Duration,
    longest: usize,
}

/// A status, headers and a whole body.
pub(super) struct Received {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Why there is no whole answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("did not answer in time")]
    Timeout,
    #[error("cannot be reached")]
    Connection,
    #[error("answers without end")]
    TooLong,
}

impl Http {
    pub(super) fn new(settings: &Settings) -> Result<Self, AwsProblem> {
        let mut settings = settings.clone();
        let direct = settings.proxies.no_proxy.get_or_insert_default();
        direct.push(',');
        direct.push_str(NEVER_BY_PROXY);
        let client = unguarded_client(&settings).map_err(|reason| AwsProblem::Setup { reason })?;
        Ok(Self {
            client,
            timeout: TOTAL_TIMEOUT,
            longest: ANSWER_MAX,
        })
    }

    /// The same client, for answers of up to so many bytes.
    pub(super) fn up_to(&self, longest: usize) -> Self {
        Self {
            longest,
            ..self.clone()
        }
    }

    /// The most bytes of an answer that are read.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// A request by any method.
    pub(super) fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.client.request(method, url)
    }

    pub(super) async fn send(&self, mut request: Request) -> Result<Received, Failure> {
        *request.timeout_mut() = Some(self.timeout);
        let mut response = self.client.execute(request).await.map_err(failure)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failure)? {
            if body.len() + chunk.len() > self.longest {
                return Err(Failure::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Received {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body,
        })
    }
}

/// What the client says holds the URL, and that nothing worth telling.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is the argument of `map_err`"
)]
fn failure(error: reqwest::Error) -> Failure {
    match error.is_timeout() {
        true => Failure::Timeout,
        false => Failure::Connection,
    }
}

impl HttpClient for Http {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        // The chain asks metadata services that may not be there, and waits a second for them.
        let asked = settings.connect_timeout().zip(settings.read_timeout());
        let timeout = asked.map_or(TOTAL_TIMEOUT, |(connect, read)| connect + read);
        SharedHttpConnector::new(Self {
            timeout: timeout.min(TOTAL_TIMEOUT),
            ..self.clone()
        })
    }
}

impl HttpConnector for Http {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let http = self.clone();
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?
                .map(|body| body.bytes().map(<[u8]>::to_vec).unwrap_or_default());
            let request =
                Request::try_from(request).map_err(|error| ConnectorError::user(error.into()))?;
            let received = http.send(request).await.map_err(connector_error)?;
            response(received).map_err(|error| ConnectorError::other(error, None))
        })
    }
}

fn connector_error(failure: Failure) -> ConnectorError {
    match failure {
        Failure::Timeout => ConnectorError::timeout(failure.into()),
        Failure::Connection => ConnectorError::io(failure.into()),
        Failure::TooLong => ConnectorError::other(failure.into(), None),
    }
}

fn response(received: Received) -> Result<HttpResponse, BoxError> {
    let mut response = HttpResponse::new(received.status.try_into()?, SdkBody::from(received.body));
    for (name, value) in &received.headers {
        let value = value.to_str()?.to_owned();
        response
            .headers_mut()
            .try_append(name.as_str().to_owned(), value)?;
    }
    Ok(response)
}
