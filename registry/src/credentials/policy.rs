//! Which secrets may be read for which registry.
//!
//! Whoever writes a template chooses both the registry's host and the secret, and could send any
//! secret that the program may read to a host of their own. Where the program runs with rights of
//! its own, an administrator therefore binds each secret to a host.

use std::collections::{BTreeMap, BTreeSet};

use super::SECRET_NAME_MAX;
use crate::reference::{ReferenceError, canonical_registry, shown, shown_up_to};
use crate::remote::CredentialError;

/// Which secrets may be read for which registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPolicy {
    /// Any: the program runs with the rights of the person who starts it.
    Any,
    /// Only those that are bound to the registry: `registry-credentials: {host: [arn, ...]}`.
    Bound(BoundSecrets),
}

/// Secrets by the host of the one registry that may see them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoundSecrets {
    by_registry: BTreeMap<String, BTreeSet<String>>,
}

/// A registry in `registry-credentials` that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{registry}` in `registry-credentials` is not the host of a registry: {reason}")]
pub struct SecretPolicyError {
    /// The key as it was written.
    pub registry: String,
    /// What is wrong with it.
    pub reason: ReferenceError,
}

/// A secret that is not bound to the registry for which it would be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret `{secret}` is not bound to the registry `{registry}`, and was not read")]
pub struct CredentialsNotAllowed {
    /// The secret as the task definition names it.
    pub secret: String,
    /// The registry of the image.
    pub registry: String,
}

impl CredentialsNotAllowed {
    /// The way out.
    pub fn hint(&self) -> String {
        format!(
            "an administrator can bind its ARN to `{}` in the setting `registry-credentials`",
            self.registry
        )
    }
}

impl From<CredentialsNotAllowed> for CredentialError {
    fn from(error: CredentialsNotAllowed) -> Self {
        Self {
            code: "credentials-not-allowed",
            message: error.to_string(),
            hint: Some(error.hint()),
        }
    }
}

impl SecretPolicy {
    /// Only these secrets, each for the registry that it is listed with.
    ///
    /// # Errors
    /// Names the key that is not the host of a registry.
    pub fn bound<'a, S>(
        bindings: impl IntoIterator<Item = (&'a str, S)>,
    ) -> Result<Self, SecretPolicyError>
    where
        S: IntoIterator<Item = &'a str>,
    {
        let mut bound = BoundSecrets::default();
        for (registry, secrets) in bindings {
            let secrets = secrets.into_iter().map(str::to_owned);
            let registry = canonical_registry(registry).map_err(|reason| SecretPolicyError {
                registry: shown(registry),
                reason,
            })?;
            bound
                .by_registry
                .entry(registry)
                .or_default()
                .extend(secrets);
        }
        Ok(Self::Bound(bound))
    }

    /// Whether a secret may be read for a registry, by the name that
    /// [`ImageReference::registry`](crate::ImageReference::registry) gives it.
    ///
    /// A bound secret has to be named exactly as it is bound: a name without an ARN would be
    /// looked up in whatever account and region the program runs.
    ///
    /// # Errors
    /// Names secret and registry where it may not.
    pub fn check(&self, registry: &str, secret: &str) -> Result<(), CredentialsNotAllowed> {
        let allowed = match self {
            Self::Any => true,
            Self::Bound(bound) => bound
                .by_registry
                .get(registry)
                .is_some_and(|secrets| secrets.contains(secret)),
        };
        if allowed {
            return Ok(());
        }
        Err(CredentialsNotAllowed {
            secret: shown_up_to(SECRET_NAME_MAX, secret),
            registry: registry.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
