//! Where the credentials for a registry come from.
//!
//! Each [`CredentialSource`](crate::remote::CredentialSource) here answers with a credential, with
//! "none known", or with an error that names file, host, helper or secret, and never what they
//! hold:
//!
//! - [`aws`]: the secrets that `repositoryCredentials` names, and Amazon ECR, private and public;
//! - [`docker`]: the `config.json` that `docker login` writes, and the helper programs it names;
//! - [`SecretPolicy`] says which secrets may be read for which registry.
//!
//! Chained in this order, `(Aws, Option<DockerConfig>)`, they are what a run needs. Deliberately
//! absent: the environment, which the shell reads, except that the AWS SDK's own chain looks for
//! AWS credentials where AWS documents them.

pub mod aws;
pub mod docker;
mod kept;
mod policy;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use policy::{CredentialsNotAllowed, SecretPolicy, SecretPolicyError};

use crate::remote::{Credential, Secret};

/// The [longest name or ARN](https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html)
/// of a secret.
const SECRET_NAME_MAX: usize = 2048;

/// Reads base64 of `user:password`; `None` when the text is something else.
fn login_from_base64(text: &str) -> Option<Credential> {
    let bytes = STANDARD.decode(text).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (username, password) = text.split_once(':')?;
    // As docker reads it: some tools have padded passwords with zeros.
    Some(login(username, password.trim_matches('\0')))
}

fn login(username: &str, password: &str) -> Credential {
    Credential::password(username, Secret::new(password))
}
