//! Whose rights count: the AWS SDK's own chain of places to look for credentials.

use std::time::{Duration, Instant, SystemTime};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;

use super::http::Http;
use super::{Aws, AwsProblem};
use crate::credentials::kept::Answer;

/// AWS credentials. Their `Debug` shows no secret.
pub(super) type Identity = Credentials;

/// Credentials are renewed when they have less than this left.
const MARGIN: Duration = Duration::from_secs(60);
/// How long a failure counts: several registries are asked for together, and the chain may have
/// waited for a metadata service that is not there.
const FAILURE_KEPT: Duration = Duration::from_secs(30);

/// Region, endpoints and the chain, as configured on this machine.
pub(super) async fn find(http: Http) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .load()
        .await
}

/// The credentials, found once and renewed before they expire.
pub(super) async fn get(aws: &Aws) -> Result<Identity, AwsProblem> {
    aws.identity.get((), false, ask(aws)).await
}

async fn ask(aws: &Aws) -> Answer<Result<Identity, AwsProblem>> {
    let value = load(aws).await;
    let until = match &value {
        Ok(identity) => identity.expiry().map(good_until),
        Err(_) => Some(Instant::now() + FAILURE_KEPT),
    };
    Answer { value, until }
}

async fn load(aws: &Aws) -> Result<Identity, AwsProblem> {
    let provider = aws.config().await?.credentials_provider();
    let provider = provider.ok_or(AwsProblem::NoIdentity)?;
    let identity = provider.provide_credentials().await;
    identity.map_err(|error| problem(&error))
}

fn good_until(expiry: SystemTime) -> Instant {
    let left = expiry.duration_since(SystemTime::now()).unwrap_or_default();
    Instant::now() + left.saturating_sub(MARGIN)
}

/// The chain's own texts may repeat what a program or file has said: only their kind is told.
fn problem(error: &CredentialsError) -> AwsProblem {
    let reason = match error {
        CredentialsError::CredentialsNotLoaded(_) => return AwsProblem::NoIdentity,
        CredentialsError::InvalidConfiguration(_) => "the AWS configuration is not valid",
        CredentialsError::ProviderTimedOut(_) => "their source did not answer in time",
        _ => "their source gave none; a login may have expired",
    };
    AwsProblem::Identity { reason }
}
