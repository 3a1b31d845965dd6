//! The role that is assumed in every account:
//! [AssumeRole](https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use registry::credentials::aws::SharedCredentialsProvider;
use tokio::sync::Mutex;

use crate::api::{Api, ApiError, STS, element};
use crate::schedules::encoded;

/// An hour: more is not allowed to whoever is in a role already.
const DURATION: Duration = Duration::from_secs(3600);
/// Credentials with less than this left are renewed.
const MARGIN: Duration = Duration::from_secs(5 * 60);
/// What the sessions are called in the accounts' logs.
const SESSION: &str = "outrigger-fleet";

/// A role of the same name in every account.
#[derive(Clone, PartialEq, Eq)]
pub struct Role {
    name: String,
    external_id: Option<String>,
    tags: Vec<(String, String)>,
}

/// Shows no external ID.
impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Role")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Why a text names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role's name has letters, digits, `+=,.@_-`, and a slash after each part of its path")]
pub struct RoleError;

impl Role {
    /// A role by its name, with its path if it has one (`security/outrigger`).
    ///
    /// # Errors
    ///
    /// When it is no name of a role.
    pub fn new(
        name: &str,
        external_id: Option<String>,
        tags: Vec<(String, String)>,
    ) -> Result<Role, RoleError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c);
        let is_name = !name.is_empty() && name.len() <= 512 && name.chars().all(fits);
        match is_name && !name.starts_with('/') && !name.ends_with('/') {
            true => Ok(Role {
                name: name.to_owned(),
                external_id,
                tags,
            }),
            false => Err(RoleError),
        }
    }

    pub(super) fn arn(&self, partition: &str, account: &str) -> String {
        format!("arn:{partition}:iam::{account}:role/{}", self.name)
    }

    fn form(&self, arn: &str) -> String {
        let seconds = DURATION.as_secs();
        let mut form = format!(
            "Action=AssumeRole&Version=2011-06-15&RoleArn={}&RoleSessionName={SESSION}&DurationSeconds={seconds}",
            encoded(arn)
        );
        if let Some(id) = &self.external_id {
            form.push_str(&format!("&ExternalId={}", encoded(id)));
        }
        for (place, (key, value)) in (1..).zip(&self.tags) {
            let (key, value) = (encoded(key), encoded(value));
            form.push_str(&format!(
                "&Tags.member.{place}.Key={key}&Tags.member.{place}.Value={value}"
            ));
        }
        form
    }
}

/// Assumes the role, and gives credentials that renew themselves.
pub(super) async fn assume(
    api: &Arc<Api>,
    role: &Role,
    arn: &str,
) -> Result<SharedCredentialsProvider, ApiError> {
    let form = role.form(arn);
    let first = session(api, &form).await?;
    Ok(SharedCredentialsProvider::new(Assumed {
        api: Arc::clone(api),
        form,
        current: Mutex::new(first),
    }))
}

async fn session(api: &Api, form: &str) -> Result<Credentials, ApiError> {
    let until = SystemTime::now() + DURATION;
    let answer = api.form(&STS, "AssumeRole", form).await?;
    let part = |name: &str| {
        let part = element(&answer, name);
        part.ok_or_else(|| ApiError::unreadable("sts:AssumeRole"))
    };
    Ok(Credentials::new(
        part("AccessKeyId")?,
        part("SecretAccessKey")?,
        Some(part("SessionToken")?),
        Some(until),
        "assumed role",
    ))
}

/// An assumed role, kept until shortly before it ends.
struct Assumed {
    api: Arc<Api>,
    form: String,
    current: Mutex<Credentials>,
}

/// Shows neither credentials nor the external ID.
impl fmt::Debug for Assumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assumed").finish_non_exhaustive()
    }
}

impl Assumed {
    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let mut current = self.current.lock().await;
        let soon = SystemTime::now() + MARGIN;
        if current.expiry().is_some_and(|expiry| expiry <= soon) {
            let renewed = session(&self.api, &self.form).await;
            *current = renewed.map_err(CredentialsError::provider_error)?;
        }
        Ok(current.clone())
    }
}

impl ProvideCredentials for Assumed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent() {
        let tags = vec![("team".to_owned(), "a b".to_owned())];
        let role = Role::new("security/outrigger", Some("x&y".to_owned()), tags).unwrap();
        let arn = role.arn("aws", "123456789012");
        insta::assert_snapshot!(role.form(&arn), @"Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fsecurity%2Foutrigger&RoleSessionName=outrigger-fleet&DurationSeconds=3600&ExternalId=x%26y&Tags.member.1.Key=team&Tags.member.1.Value=a%20b");
        assert!(!format!("{role:?}").contains("x&y"));
    }

    #[test]
    fn names() {
        let named = |name: &str| Role::new(name, None, Vec::new()).is_ok();
        assert!(named("Outrigger_Fleet") && named("a/b"));
        assert!(!named("") && !named("/a") && !named("a/") && !named("a b") && !named("a:b"));
    }
}
