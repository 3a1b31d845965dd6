//! Where credentials come from.

use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::sync::Arc;

use super::origin::Origin;
use super::secret::Secret;
use super::settings::RegistryHost;

/// What a registry, or its token server, is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub(super) login: Login,
    pub(super) origin: Origin,
    pub(super) preemptive: bool,
    pub(super) renewable: bool,
}

/// The two kinds that registries know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Login {
    /// For `Authorization: Basic`.
    Password { username: String, password: Secret },
    /// What docker calls an `identitytoken`: exchanged for a token by
    /// [POST](https://distribution.github.io/distribution/spec/auth/oauth/).
    Identity { token: Secret },
}

impl Credential {
    /// A user name and a password, shown when the registry asks for them.
    pub fn password(username: impl Into<String>, password: Secret) -> Self {
        let username = username.into();
        Self::new(Login::Password { username, password })
    }

    /// A refresh token, shown to the registry's token server.
    pub fn identity(token: Secret) -> Self {
        Self::new(Login::Identity { token })
    }

    fn new(login: Login) -> Self {
        Self {
            login,
            origin: Origin::Caller,
            preemptive: false,
            renewable: false,
        }
    }

    /// Was found there: messages say so when it is refused.
    #[must_use]
    pub fn found_in(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// Shown with the first request: one round trip less where it is known that the registry
    /// asks everybody, as ECR does.
    #[must_use]
    pub fn preemptive(self) -> Self {
        Self {
            preemptive: true,
            ..self
        }
    }

    /// Asked for again, once, when it is refused: it may have expired.
    #[must_use]
    pub fn renewable(self) -> Self {
        Self {
            renewable: true,
            ..self
        }
    }
}

/// Whose credential is wanted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// The registry, as references name it: `docker.io`, `registry.example:5000`. With a
    /// mirror, the mirror's host.
    pub registry: String,
    /// The container's `repositoryCredentials.credentialsParameter`.
    pub secret: Option<String>,
    /// Whether what was given before was refused: a cached one is worth nothing.
    pub renew: bool,
}

/// Why a credential that should be there cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CredentialError {
    /// Stable, in kebab case.
    pub code: &'static str,
    /// What happened, without the credential: lower case, one line, no full stop.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
}

/// Finds credentials. Asked once for each registry and secret, and once more to renew.
///
/// Sources are chained as a pair: the first that knows a credential, or fails, answers.
pub trait CredentialSource: Send + Sync + 'static {
    /// The credential for a registry, if there is one.
    fn credential(
        &self,
        wanted: &Wanted,
    ) -> impl Future<Output = Result<Option<Credential>, CredentialError>> + Send;
}

impl<A: CredentialSource, B: CredentialSource> CredentialSource for (A, B) {
    async fn credential(&self, wanted: &Wanted) -> Result<Option<Credential>, CredentialError> {
        match self.0.credential(wanted).await? {
            Some(credential) => Ok(Some(credential)),
            None => self.1.credential(wanted).await,
        }
    }
}

/// A source that may not be there.
impl<C: CredentialSource> CredentialSource for Option<C> {
    async fn credential(&self, wanted: &Wanted) -> Result<Option<Credential>, CredentialError> {
        match self {
            Some(source) => source.credential(wanted).await,
            None => Ok(None),
        }
    }
}

/// A source that several share.
impl<C: CredentialSource> CredentialSource for Arc<C> {
    async fn credential(&self, wanted: &Wanted) -> Result<Option<Credential>, CredentialError> {
        C::credential(self, wanted).await
    }
}

/// Credentials that were given beforehand, by registry.
#[derive(Clone, Debug, Default)]
pub struct StaticCredentials(BTreeMap<String, Credential>);

impl StaticCredentials {
    /// Knows none: everything is read anonymously.
    pub fn none() -> Self {
        Self::default()
    }

    /// Also knows this one.
    #[must_use]
    pub fn with(mut self, registry: &RegistryHost, credential: Credential) -> Self {
        self.0.insert(registry.to_string(), credential);
        self
    }
}

impl CredentialSource for StaticCredentials {
    fn credential(
        &self,
        wanted: &Wanted,
    ) -> impl Future<Output = Result<Option<Credential>, CredentialError>> + Send {
        let found = match wanted.secret {
            // A container's own secret is for whoever can read it, and nothing takes its place.
            Some(_) => None,
            None => self.0.get(&wanted.registry).cloned(),
        };
        ready(Ok(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(source: &impl CredentialSource, registry: &str, secret: Option<&str>) -> String {
        let wanted = Wanted {
            registry: registry.to_owned(),
            secret: secret.map(str::to_owned),
            renew: false,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        format!(
            "{:?}",
            runtime.unwrap().block_on(source.credential(&wanted))
        )
    }

    #[test]
    fn the_first_source_that_knows_a_credential_answers() {
        let known = |registry: &str, username: &str| {
            let credential = Credential::password(username, Secret::new("hunter2"));
            StaticCredentials::none().with(&registry.parse().unwrap(), credential)
        };
        let chain = (
            known("a.example", "first"),
            (known("a.example", "second"), known("docker.io", "third")),
        );
        let table = [
            asked(&chain, "a.example", None),
            asked(&chain, "docker.io", None),
            asked(&chain, "b.example", None),
            asked(&chain, "a.example", Some("arn:aws:secretsmanager:...")),
        ];
        insta::assert_snapshot!(table.join("\n"), @r#"
    Ok(Some(Credential { login: Password { username: "first", password: Secret(..) }, origin: Caller, preemptive: false, renewable: false }))
    Ok(Some(Credential { login: Password { username: "third", password: Secret(..) }, origin: Caller, preemptive: false, renewable: false }))
    Ok(None)
    Ok(None)
    "#);
    }
}
