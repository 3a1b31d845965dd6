//! Why a text is not a plan that can be worked on.

use crate::DocumentError;

/// Why a text is not a plan that can be worked on. Holds nothing of the plan but addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Nothing was given.
    #[error("the plan is empty")]
    Empty,
    /// The file that `terraform plan -out` writes.
    #[error("a saved plan in Terraform's own format, and not its JSON")]
    Saved,
    /// The events of `terraform plan -json`.
    #[error("the events of `terraform plan -json`, and not the plan itself")]
    Events,
    /// What `terraform plan` and `terraform show` print for people.
    #[error("not JSON: it begins like what Terraform prints for people")]
    ForPeople,
    /// A state, as `terraform show -json` prints it or as it is stored.
    #[error("a state, and not a plan")]
    State,
    /// A CloudFormation template.
    #[error("a CloudFormation template, and not a plan")]
    Template,
    /// A task definition by itself.
    #[error("a task definition by itself, and not a plan")]
    TaskDefinition,
    /// UTF-16, as a redirection in PowerShell writes it.
    #[error("the text is UTF-16")]
    Utf16,
    /// Another encoding.
    #[error("the text is not UTF-8: byte {byte} of line {line}")]
    NotUtf8 {
        /// The line, from 1.
        line: usize,
        /// The byte in it, from 1.
        byte: usize,
    },
    /// The JSON is broken.
    #[error("not JSON: line {line}, column {column}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
    },
    /// A part that is not what Terraform writes.
    #[error("the plan is not what Terraform writes: line {line}, column {column}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
    },
    /// JSON, but not a plan.
    #[error("not a plan: it has no `format_version` and no `planned_values`")]
    Unknown,
    /// A format of another major version.
    #[error("the format of the plan is `{0}`, and only `1.x` is understood")]
    Format(String),
    /// Terraform could not make the plan.
    #[error("the plan is incomplete, because Terraform met an error when it made it (`errored`)")]
    Errored,
    /// A plan that changes nothing but the state.
    #[error("the plan only refreshes the state, and says nothing of the task definitions")]
    RefreshOnly,
    /// `planned_values` and `resource_changes` differ.
    #[error("`{0}` is not the same in `planned_values` and in `resource_changes`")]
    Disagrees(String),
    /// A task definition that is not what Terraform writes.
    #[error("`{0}` is not what Terraform writes")]
    Resource(String),
    /// The result would not be what was meant.
    #[error("what was written for `{0}` is not what was meant")]
    NotWritten(String),
    /// What is wrong whatever the kind of document.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl PlanError {
    /// The way out.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            PlanError::Empty | PlanError::Unknown | PlanError::Syntax { .. } => Some(
                "make the plan's JSON with `terraform plan -out tfplan` and `terraform show -json tfplan`",
            ),
            PlanError::Saved => Some(
                "give its JSON: `terraform show -json <plan> | tf-filter`, or `tofu show -json <plan> | tf-filter`",
            ),
            PlanError::Events | PlanError::ForPeople => {
                Some("`terraform plan -out tfplan`, then `terraform show -json tfplan | tf-filter`")
            }
            PlanError::State => Some(
                "a state holds what is deployed; `terraform plan -out tfplan`, then `terraform show -json tfplan | tf-filter`",
            ),
            PlanError::Template | PlanError::TaskDefinition => Some("`cfn-filter` rewrites it"),
            PlanError::Utf16 => Some(
                "in PowerShell, write it with `terraform show -json tfplan | Out-File -Encoding utf8 plan.json`",
            ),
            PlanError::Format(_) => Some("use a version of Outrigger that knows this format"),
            PlanError::Errored => {
                Some("correct what `terraform plan` reports, and make the plan again")
            }
            PlanError::RefreshOnly => Some("make the plan without `-refresh-only`"),
            PlanError::Disagrees(_) | PlanError::Resource(_) | PlanError::Malformed { .. } => {
                Some("give the plan as `terraform show -json` prints it")
            }
            PlanError::NotWritten(_) => Some("report this as a mistake of Outrigger"),
            PlanError::NotUtf8 { .. } => None,
            PlanError::Document(error) => error.hint(),
        }
    }
}
