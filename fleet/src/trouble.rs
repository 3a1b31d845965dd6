//! What kept a part of the work from being done.

use serde::{Deserialize, Serialize};

use crate::api::ApiError;

/// A failure that concerns a part of the work, and the way out. Holds no value of a task definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trouble {
    /// What happened.
    pub message: String,
    /// The way out, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Trouble {
    /// What an API's failure means for the work.
    pub(crate) fn about(what: &str, error: &ApiError) -> Trouble {
        Trouble {
            message: format!("{what}: {error}"),
            hint: error.hint(),
        }
    }
}

impl From<&ApiError> for Trouble {
    fn from(error: &ApiError) -> Trouble {
        Trouble {
            message: error.to_string(),
            hint: error.hint(),
        }
    }
}
