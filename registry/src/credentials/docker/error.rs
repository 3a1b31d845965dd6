//! What can be wrong with a docker configuration. Nothing of what it holds is repeated, and
//! nothing of what a helper program prints.

use std::time::Duration;

use crate::remote::CredentialError;

/// Why a docker configuration gives no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DockerConfigError {
    /// The file is there and cannot be read.
    #[error("the docker configuration `{file}` cannot be read: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// The file is not JSON.
    #[error("the docker configuration `{file}` is not JSON: line {line}, column {column}")]
    NotJson {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// The file is JSON of another kind.
    #[error("the docker configuration `{file}` is not a JSON object")]
    NotObject {
        /// The file.
        file: String,
    },
    /// A part of the file has another form.
    #[error("`{at}` in the docker configuration `{file}` is not {expected}")]
    Form {
        /// The file.
        file: String,
        /// Where in the file.
        at: String,
        /// What belongs there: `a text`.
        expected: &'static str,
    },
    /// A helper program gave no answer.
    #[error(transparent)]
    Helper(#[from] HelperError),
}

impl DockerConfigError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } | Self::NotJson { .. } | Self::NotObject { .. } => None,
            Self::Form { .. } => Some("write the entry anew, as `docker login` does".to_owned()),
            Self::Helper(error) => error.hint(),
        }
    }
}

impl From<DockerConfigError> for CredentialError {
    fn from(error: DockerConfigError) -> Self {
        Self {
            code: match error {
                DockerConfigError::Helper(_) => "credential-helper",
                _ => "docker-config",
            },
            message: error.to_string(),
            hint: error.hint(),
        }
    }
}

/// Why a helper program gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the credential helper `docker-credential-{helper}`, named in `{file}`, \
     was asked for `{server}` and {problem}"
)]
pub struct HelperError {
    /// The docker configuration.
    pub file: String,
    /// The name there.
    pub helper: String,
    /// What was asked for.
    pub server: String,
    /// What happened.
    pub problem: HelperProblem,
}

/// What a helper program did instead of answering.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HelperProblem {
    /// Its name is a path, or holds characters that no program of this kind has.
    #[error("was not started: its name may hold letters, digits, `.`, `_` and `-` only")]
    Name,
    /// There is no such program.
    #[error("is not installed")]
    Missing,
    /// It cannot be started.
    #[error("could not be started: {reason}")]
    Start {
        /// What the system says.
        reason: String,
    },
    /// It did not end in time.
    #[error("did not answer within {within:?}")]
    TooSlow {
        /// How long it was waited for.
        within: Duration,
    },
    /// It printed more than any answer has.
    #[error("printed more than {limit} bytes")]
    TooMuch {
        /// How much is read.
        limit: u64,
    },
    /// It ended with an error.
    #[error("failed ({status})")]
    Failed {
        /// How it ended: `exit status: 1`.
        status: String,
    },
    /// What it printed is no answer.
    #[error("printed something else than JSON with `Username` and `Secret`")]
    Answer,
}

impl HelperError {
    /// Whether the program is not there.
    pub fn is_missing(&self) -> bool {
        self.problem == HelperProblem::Missing
    }

    /// The way out.
    pub fn hint(&self) -> Option<String> {
        let Self { helper, server, .. } = self;
        match self.problem {
            HelperProblem::Name => None,
            HelperProblem::Missing => Some(format!(
                "install it, or remove `{helper}` from the file and log in again"
            )),
            _ => Some(format!(
                "see what `echo {server} | docker-credential-{helper} get` does"
            )),
        }
    }
}
