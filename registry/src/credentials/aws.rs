//! Credentials from AWS: Amazon ECR, and the secrets of `repositoryCredentials`.
//!
//! ```text
//! 123456789012.dkr.ecr.eu-central-1.amazonaws.com --GetAuthorizationToken--> AWS:<token>
//! arn:aws:secretsmanager:...:secret:hub-AbCdEf    --GetSecretValue-->        username, password
//! ```
//!
//! Whose rights count are those of whoever runs the program: the AWS SDK's own chain finds their
//! credentials (environment, profile, SSO, web identity, container, instance). The calls
//! are small, and made here: `docs/decisions.md` says why. Another account's repository or secret
//! is a matter of that repository's or secret's policy.

mod api;
mod call;
mod endpoint;
mod error;
mod http;
mod identity;
mod object;
mod place;
mod secret;
#[cfg(test)]
mod tests;
mod token;
mod variables;

use std::fmt;
use std::pin::Pin;

pub use aws_credential_types::provider::SharedCredentialsProvider;
pub use aws_types::SdkConfig;
use tokio::sync::OnceCell;

use super::kept::Kept;
use super::{SECRET_NAME_MAX, SecretPolicy};
use crate::reference::shown_up_to;
use crate::remote::{Credential, CredentialError, CredentialSource, Origin, Settings, Wanted};
pub use api::{ApiAnswer, ApiRequest};
pub use endpoint::Service;
pub use error::{AwsError, AwsProblem};
use http::Http;
use identity::Identity;
pub use object::{ObjectUri, ObjectUriError, StoredObject, WriteWhen};
use place::Registry;
pub use variables::config_of_variables;

/// How region, credentials and endpoints are found. A pointer, so that a program that knows them
/// already does not hold all places where they may be.
type Find = fn(Http) -> Pin<Box<dyn Future<Output = SdkConfig> + Send>>;

/// AWS, as a source of credentials for registries. Nothing happens before the first question.
pub struct Aws {
    settings: Settings,
    policy: SecretPolicy,
    http: OnceCell<Result<Http, AwsProblem>>,
    find: Find,
    config: OnceCell<SdkConfig>,
    identity: Kept<(), Result<Identity, AwsProblem>>,
    tokens: Kept<Registry, Result<Credential, AwsProblem>>,
}

impl Aws {
    /// Looks for credentials, region and endpoints where the AWS SDKs do: in the environment, in
    /// `~/.aws`, and at the metadata service of the machine. Certificates and proxies are those
    /// of the registries' settings.
    pub fn from_environment(settings: Settings, policy: SecretPolicy) -> Self {
        Self::with(settings, policy, |http| Box::pin(identity::find(http)))
    }

    /// Uses credentials, region and endpoints that are known already.
    pub fn new(settings: Settings, policy: SecretPolicy, config: SdkConfig) -> Self {
        Self {
            config: OnceCell::new_with(Some(config)),
            ..Self::with(settings, policy, |_| {
                Box::pin(async { SdkConfig::builder().build() })
            })
        }
    }

    fn with(settings: Settings, policy: SecretPolicy, find: Find) -> Self {
        Self {
            settings,
            policy,
            http: OnceCell::new(),
            find,
            config: OnceCell::new(),
            identity: Kept::new(),
            tokens: Kept::new(),
        }
    }

    /// The credential for a registry of Amazon ECR, by the name that
    /// [`ImageReference::registry`](crate::ImageReference::registry) gives it; `None` for any
    /// other host. A token is kept until shortly before it expires, unless it is to be renewed.
    ///
    /// Public ECR answers without credentials, too: where AWS gives none, for whatever reason,
    /// there is none.
    ///
    /// # Errors
    /// Names the registry, and why AWS gives no token for it.
    pub async fn registry(
        &self,
        registry: &str,
        renew: bool,
    ) -> Result<Option<Credential>, AwsError> {
        let Some(place) = Registry::parse(registry) else {
            return Ok(None);
        };
        let asking = token::ask(self, &place);
        match self.tokens.get(place.clone(), renew, asking).await {
            Ok(credential) => {
                let credential = credential.found_in(Origin::Ecr);
                Ok(Some(credential.preemptive().renewable()))
            }
            Err(_) if place.is_public() => Ok(None),
            Err(problem) => Err(AwsError::Registry {
                registry: registry.to_owned(),
                problem,
            }),
        }
    }

    /// What a secret in Secrets Manager holds, by its ARN, or by its name in the default region.
    ///
    /// # Errors
    /// Names the secret, and never shows what it holds.
    pub async fn secret(&self, secret: &str) -> Result<Credential, AwsError> {
        match secret::read(self, secret).await {
            Ok(credential) => {
                let secret = shown_up_to(SECRET_NAME_MAX, secret);
                let credential = credential.found_in(Origin::Secret { secret });
                Ok(credential.preemptive())
            }
            Err(problem) => Err(AwsError::secret(secret, problem)),
        }
    }

    /// What an object in Amazon S3 holds: 1 MiB at most, in the default region.
    ///
    /// # Errors
    /// Names the object.
    pub async fn object(&self, uri: &ObjectUri) -> Result<Vec<u8>, AwsError> {
        object::read(self, uri)
            .await
            .map_err(|problem| AwsError::Object {
                uri: uri.to_string(),
                problem,
            })
    }

    /// An object in Amazon S3 that a program keeps for itself, with its version, in the default
    /// region; nothing, where there is none. To learn that, it takes the right to list the bucket.
    ///
    /// # Errors
    /// Names the object.
    pub async fn stored(&self, uri: &ObjectUri) -> Result<Option<StoredObject>, AwsError> {
        object::stored(self, uri)
            .await
            .map_err(|problem| AwsError::Object {
                uri: uri.to_string(),
                problem,
            })
    }

    /// Writes an object in Amazon S3, in the default region, and gives its version; nothing, where
    /// the condition does not hold and so nothing was written.
    ///
    /// # Errors
    /// Names the object.
    pub async fn store(
        &self,
        uri: &ObjectUri,
        bytes: &[u8],
        when: WriteWhen<'_>,
    ) -> Result<Option<String>, AwsError> {
        object::write(self, uri, (bytes, when))
            .await
            .map_err(|problem| AwsError::Unwritten {
                uri: uri.to_string(),
                problem,
            })
    }

    /// AWS as somebody else sees it, with the same endpoints and connections: an assumed role, say.
    ///
    /// # Errors
    /// There is no HTTP client.
    pub async fn as_identity(
        &self,
        credentials: SharedCredentialsProvider,
    ) -> Result<Self, AwsProblem> {
        let config = self.config().await?.to_builder();
        let config = config.credentials_provider(credentials).build();
        let http = OnceCell::new_with(Some(Ok(self.http().await?.clone())));
        Ok(Self {
            http,
            ..Self::new(self.settings.clone(), self.policy.clone(), config)
        })
    }

    /// The region that is configured, if one is.
    ///
    /// # Errors
    /// There is no HTTP client.
    pub async fn region(&self) -> Result<Option<String>, AwsProblem> {
        let region = self.config().await?.region();
        Ok(region.map(|region| region.as_ref().to_owned()))
    }

    /// Region and endpoints, from wherever they are configured.
    async fn config(&self) -> Result<&SdkConfig, AwsProblem> {
        let http = self.http().await?;
        let find = || (self.find)(http.clone());
        Ok(self.config.get_or_init(find).await)
    }

    async fn http(&self) -> Result<&Http, AwsProblem> {
        let build = async || Http::new(&self.settings);
        let http = self.http.get_or_init(build).await;
        http.as_ref().map_err(AwsProblem::clone)
    }
}

impl CredentialSource for Aws {
    async fn credential(&self, wanted: &Wanted) -> Result<Option<Credential>, CredentialError> {
        let Some(secret) = &wanted.secret else {
            // On the heap: the SDK's futures are nested deeper than the compiler looks into.
            let asking = Box::pin(self.registry(&wanted.registry, wanted.renew));
            return Ok(asking.await?);
        };
        self.policy.check(&wanted.registry, secret)?;
        Ok(Some(Box::pin(self.secret(secret)).await?))
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws").finish_non_exhaustive()
    }
}
