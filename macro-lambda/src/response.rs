//! What CloudFormation gets back.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::problem::{Problem, error_message};

/// The [response of a macro](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros-author.html#template-macros-lambda-interface).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    request_id: String,
    status: Status,
    /// The processed template; there is none where the macro failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    fragment: Option<Box<RawValue>>,
    /// Why it failed. It shows in the change set and in the stack's events.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Success,
    Failure,
}

impl Response {
    pub(crate) fn success(request_id: String, fragment: Box<RawValue>) -> Self {
        Self {
            request_id,
            status: Status::Success,
            fragment: Some(fragment),
            error_message: None,
        }
    }

    pub(crate) fn failure(request_id: String, problems: &[Problem]) -> Self {
        Self {
            request_id,
            status: Status::Failure,
            fragment: None,
            error_message: Some(error_message(problems)),
        }
    }

    /// Whether the template was processed.
    pub fn is_success(&self) -> bool {
        self.status == Status::Success
    }
}
