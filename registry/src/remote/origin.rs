//! Where a credential was found, for whoever has to mend it.

use std::fmt;

/// Where a credential was found. No secret is part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Whoever calls this library gave it.
    Caller,
    /// A docker configuration that was named for this run.
    AuthFile {
        /// The file, or the variable with its text.
        name: String,
    },
    /// The docker configuration that `docker login` writes.
    DockerLogin {
        /// The file.
        file: String,
    },
    /// A credential helper.
    Helper {
        /// The program.
        program: String,
        /// The docker configuration that names it.
        file: String,
    },
    /// The secret of a container's `repositoryCredentials`.
    Secret {
        /// Its ARN or name.
        secret: String,
    },
    /// A token of Amazon ECR, for the AWS credentials of whoever runs the program.
    Ecr,
}

impl Origin {
    /// The way out where the registry does not take the credential.
    pub(super) fn hint_when_refused(&self, registry: &str) -> String {
        match self {
            Self::Caller => format!("check the user name and the password for `{registry}`"),
            Self::AuthFile { name } => format!("check what `{name}` holds for `{registry}`"),
            Self::DockerLogin { .. } => format!("log in again: `docker login {registry}`"),
            Self::Helper { program, .. } => {
                format!("log in again: `docker login {registry}`, or as `{program}` wants it")
            }
            Self::Secret { .. } => {
                "check the user name and the password that the secret holds".to_owned()
            }
            Self::Ecr => "check who you are for AWS (`aws sts get-caller-identity`), and the \
                 repository's policy"
                .to_owned(),
        }
    }

    /// The way out where the registry takes the credential and does not show the image.
    pub(super) fn hint_when_denied(&self, registry: &str) -> String {
        match self {
            Self::Ecr => "check the name, the repository's policy, and that you may \
                 `ecr:BatchGetImage` and `ecr:GetDownloadUrlForLayer`"
                .to_owned(),
            Self::DockerLogin { .. } => format!(
                "check the name, or log in as somebody who may read it: `docker login {registry}`"
            ),
            Self::Secret { .. } => {
                "check the name, and what the user in the secret may read".to_owned()
            }
            Self::Caller | Self::AuthFile { .. } | Self::Helper { .. } => {
                format!("check the name, and what the credentials for `{registry}` may read")
            }
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caller => f.write_str("the caller"),
            Self::AuthFile { name: file } | Self::DockerLogin { file } => write!(f, "`{file}`"),
            Self::Helper { program, file } => {
                write!(f, "the helper `{program}` (named in `{file}`)")
            }
            Self::Secret { secret } => write!(f, "the secret `{secret}`"),
            Self::Ecr => f.write_str("Amazon ECR (a token for your own AWS credentials)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Origin;
    use crate::remote::error::{Cause, ResolveError};

    fn origins() -> [Origin; 6] {
        let file = || "/home/me/.docker/config.json".to_owned();
        [
            Origin::Caller,
            Origin::AuthFile {
                name: "DOCKER_AUTH_CONFIG".to_owned(),
            },
            Origin::DockerLogin { file: file() },
            Origin::Helper {
                program: "docker-credential-desktop".to_owned(),
                file: file(),
            },
            Origin::Secret {
                secret: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:hub".to_owned(),
            },
            Origin::Ecr,
        ]
    }

    fn told(cause: impl Fn(Origin, String) -> Cause) -> String {
        let told = origins().map(|origin| {
            let error = ResolveError {
                image: None,
                registry: "a.example".to_owned(),
                cause: cause(origin, "GET https://a.example/: 401".to_owned()),
            };
            let hint = error.hint().unwrap_or_default();
            format!("{error}\n  hint: {hint}")
        });
        told.join("\n")
    }

    #[test]
    fn whose_credential_was_refused_and_the_way_out() {
        let refused = |origin, request| Cause::CredentialsRefused { origin, request };
        insta::assert_snapshot!(told(refused), @"
        the credentials from the caller are refused, they are wrong or have expired: GET https://a.example/: 401
          hint: check the user name and the password for `a.example`
        the credentials from `DOCKER_AUTH_CONFIG` are refused, they are wrong or have expired: GET https://a.example/: 401
          hint: check what `DOCKER_AUTH_CONFIG` holds for `a.example`
        the credentials from `/home/me/.docker/config.json` are refused, they are wrong or have expired: GET https://a.example/: 401
          hint: log in again: `docker login a.example`
        the credentials from the helper `docker-credential-desktop` (named in `/home/me/.docker/config.json`) are refused, they are wrong or have expired: GET https://a.example/: 401
          hint: log in again: `docker login a.example`, or as `docker-credential-desktop` wants it
        the credentials from the secret `arn:aws:secretsmanager:eu-central-1:123456789012:secret:hub` are refused, they are wrong or have expired: GET https://a.example/: 401
          hint: check the user name and the password that the secret holds
        the credentials from Amazon ECR (a token for your own AWS credentials) are refused, they are wrong or have expired: GET https://a.example/: 401
          hint: check who you are for AWS (`aws sts get-caller-identity`), and the repository's policy
        ");
        let denied = |origin, request| Cause::AccessDenied { origin, request };
        insta::assert_snapshot!(told(denied), @"
        the credentials from the caller do not give access to the image, or it does not exist: GET https://a.example/: 401
          hint: check the name, and what the credentials for `a.example` may read
        the credentials from `DOCKER_AUTH_CONFIG` do not give access to the image, or it does not exist: GET https://a.example/: 401
          hint: check the name, and what the credentials for `a.example` may read
        the credentials from `/home/me/.docker/config.json` do not give access to the image, or it does not exist: GET https://a.example/: 401
          hint: check the name, or log in as somebody who may read it: `docker login a.example`
        the credentials from the helper `docker-credential-desktop` (named in `/home/me/.docker/config.json`) do not give access to the image, or it does not exist: GET https://a.example/: 401
          hint: check the name, and what the credentials for `a.example` may read
        the credentials from the secret `arn:aws:secretsmanager:eu-central-1:123456789012:secret:hub` do not give access to the image, or it does not exist: GET https://a.example/: 401
          hint: check the name, and what the user in the secret may read
        the credentials from Amazon ECR (a token for your own AWS credentials) do not give access to the image, or it does not exist: GET https://a.example/: 401
          hint: check the name, the repository's policy, and that you may `ecr:BatchGetImage` and `ecr:GetDownloadUrlForLayer`
        ");
    }
}
