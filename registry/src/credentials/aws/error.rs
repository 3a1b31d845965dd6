//! What can go wrong between AWS and a credential. No secret is part of any of it.

use super::super::SECRET_NAME_MAX;
use crate::reference::shown_up_to;
use crate::remote::CredentialError;

/// Why AWS gives no credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AwsError {
    /// For a registry of Amazon ECR.
    #[error("no token for the registry `{registry}`: {problem}")]
    Registry {
        /// The registry's host.
        registry: String,
        /// What happened.
        problem: AwsProblem,
    },
    /// For an object in Amazon S3.
    #[error("`{uri}` cannot be read: {problem}")]
    Object {
        /// Where it should be.
        uri: String,
        /// What happened.
        problem: AwsProblem,
    },
    /// For an object in Amazon S3 that is to be written.
    #[error("`{uri}` cannot be written: {problem}")]
    Unwritten {
        /// Where it should be.
        uri: String,
        /// What happened.
        problem: AwsProblem,
    },
    /// For a secret in Secrets Manager.
    #[error("the secret `{secret}` cannot be used: {problem}")]
    Secret {
        /// The secret's name or ARN.
        secret: String,
        /// What happened.
        problem: AwsProblem,
    },
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AwsProblem {
    /// The whole chain knows no credentials.
    #[error("no AWS credentials were found")]
    NoIdentity,
    /// A part of the chain should have had them.
    #[error("the AWS credentials could not be loaded: {reason}")]
    Identity {
        /// What kind of failure it was.
        reason: &'static str,
    },
    /// A secret is named without an ARN, and nothing says where to look.
    #[error("its name is no ARN, and no AWS region is configured")]
    NoRegion,
    /// Nothing says in which region buckets are.
    #[error("no AWS region is configured")]
    NoBucketRegion,
    /// A text that is no region.
    #[error("`{region}` is not a region of AWS")]
    Region {
        /// The text.
        region: String,
    },
    /// A bucket in another region.
    #[error("the bucket is in another region{}", .region.as_ref().map(|region| format!(", `{region}`")).unwrap_or_default())]
    BucketElsewhere {
        /// Its region, where S3 says it.
        region: Option<String>,
    },
    /// The name of a secret that is none.
    #[error("this is neither the ARN of a secret in Secrets Manager nor a name of one")]
    Name,
    /// A configured endpoint that is no URL.
    #[error("the endpoint `{endpoint}` cannot be used")]
    Endpoint {
        /// As configured.
        endpoint: String,
    },
    /// There is no HTTP client.
    #[error("{reason}")]
    Setup {
        /// Why.
        reason: String,
    },
    /// No answer.
    #[error("`{endpoint}` {reason}")]
    Unreachable {
        /// The host.
        endpoint: String,
        /// What happened.
        reason: String,
    },
    /// More than any of the answers that are wanted.
    #[error("it has more than {limit} bytes")]
    TooLong {
        /// How many are read.
        limit: usize,
    },
    /// The credentials do not allow the call.
    #[error("`{action}` is not allowed{}", said_after_colon(.said))]
    Denied {
        /// The action.
        action: &'static str,
        /// What AWS says: who is not allowed what.
        said: Option<String>,
    },
    /// There is no such secret.
    #[error("there is none of this name in `{region}`")]
    NotFound {
        /// The region that was asked.
        region: String,
    },
    /// Another refusal.
    #[error("`{action}` was refused with status {status}{}", code_after_comma(.code))]
    Refused {
        /// The action.
        action: &'static str,
        /// The HTTP status.
        status: u16,
        /// The error's code.
        code: Option<String>,
    },
    /// An answer without what it should hold.
    #[error("the answer to `{action}` cannot be read")]
    Answer {
        /// The action.
        action: &'static str,
    },
    /// The secret holds something else.
    #[error("its value {problem}")]
    Content {
        /// What is wrong with it, without any of it.
        problem: &'static str,
    },
}

fn said_after_colon(said: &Option<String>) -> String {
    said.as_ref()
        .map(|said| format!(": {said}"))
        .unwrap_or_default()
}

fn code_after_comma(code: &Option<String>) -> String {
    code.as_ref()
        .map(|code| format!(", `{code}`"))
        .unwrap_or_default()
}

impl AwsError {
    pub(super) fn secret(secret: &str, problem: AwsProblem) -> Self {
        Self::Secret {
            secret: shown_up_to(SECRET_NAME_MAX, secret),
            problem,
        }
    }

    /// What happened.
    pub fn problem(&self) -> &AwsProblem {
        match self {
            Self::Registry { problem, .. }
            | Self::Object { problem, .. }
            | Self::Unwritten { problem, .. }
            | Self::Secret { problem, .. } => problem,
        }
    }

    /// The way out.
    pub fn hint(&self) -> Option<&'static str> {
        self.problem().hint()
    }
}

impl From<AwsError> for CredentialError {
    fn from(error: AwsError) -> Self {
        Self {
            code: error.problem().code(),
            message: error.to_string(),
            hint: error.hint().map(str::to_owned),
        }
    }
}

impl AwsProblem {
    /// Whether the same call may succeed a moment later.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, code, .. } => {
                let code = code.as_deref().unwrap_or_default();
                *status >= 500 || *status == 429 || code.contains("Throttl")
            }
            _ => false,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoIdentity | Self::Identity { .. } => "aws-credentials",
            Self::NoRegion | Self::Name => "secret-name",
            Self::NoBucketRegion | Self::BucketElsewhere { .. } => "bucket-region",
            Self::Region { .. } => "aws-region",
            Self::Endpoint { .. } => "aws-endpoint",
            Self::Setup { .. } => "network-setup",
            Self::Unreachable { .. } => "aws-unreachable",
            Self::Denied { .. } => "aws-denied",
            Self::NotFound { .. } => "secret-not-found",
            Self::Refused { .. } => "aws-refused",
            Self::Answer { .. } | Self::TooLong { .. } => "aws-answer",
            Self::Content { .. } => "secret-content",
        }
    }

    /// The way out.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoIdentity | Self::Identity { .. } => {
                "log in (`aws sso login`, `AWS_PROFILE`); `aws sts get-caller-identity` shows who you are"
            }
            Self::NoRegion => "name the secret by its ARN, or set `AWS_REGION`",
            Self::Region { .. } => "a region is written as `eu-central-1`",
            Self::NoBucketRegion => "set `AWS_REGION`",
            Self::BucketElsewhere { .. } => "copy the object to a bucket in the function's region",
            Self::Name => "an ARN begins with `arn:aws:secretsmanager:`",
            Self::Endpoint { .. } => "see `AWS_ENDPOINT_URL` and `endpoint_url` in the profile",
            Self::Denied {
                action: "GetSecretValue",
                ..
            } => "allow `secretsmanager:GetSecretValue`, and `kms:Decrypt` for a key of your own",
            Self::Denied {
                action: "GetObject",
                ..
            } => {
                "allow `s3:GetObject` on it, and `kms:Decrypt` for a key of your own, and check that it exists"
            }
            Self::Denied {
                action: "PutObject",
                ..
            } => {
                "allow `s3:PutObject` on it, and `kms:GenerateDataKey` and `kms:Decrypt` for a key of your own"
            }
            Self::Denied { .. } => "allow `ecr:GetAuthorizationToken` on `*`",
            Self::NotFound { .. } => "check its name, its account, and the region",
            Self::Refused {
                code: Some(code), ..
            } => return hint_for_code(code),
            Self::Content { .. } => r#"it has to be `{"username": "...", "password": "..."}`"#,
            Self::Setup { .. }
            | Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::TooLong { .. }
            | Self::Answer { .. } => return None,
        })
    }
}

fn hint_for_code(code: &str) -> Option<&'static str> {
    match code {
        "ExpiredTokenException" | "ExpiredToken" => Some("the AWS login has expired: log in again"),
        "UnrecognizedClientException" | "InvalidClientTokenId" => {
            Some("the AWS credentials are unknown there: another partition, or deleted keys")
        }
        "InvalidSignatureException" | "SignatureDoesNotMatch" | "RequestExpired" => {
            Some("the secret key is wrong, or this machine's clock")
        }
        "InvalidRequestException" => Some("the secret may be marked for deletion"),
        "DecryptionFailure" => Some("its KMS key cannot be used: is it enabled?"),
        _ => None,
    }
}
