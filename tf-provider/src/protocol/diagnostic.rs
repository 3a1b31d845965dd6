//! What a provider says of what went wrong.

use super::messages;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Terraform stops.
    Error,
    /// Terraform goes on.
    Warning,
}

/// A step to an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An attribute of an object or a block.
    Attribute(String),
    /// An element of a map.
    Key(String),
    /// An element of a list.
    Index(usize),
}

/// A [diagnostic](https://developer.hashicorp.com/terraform/plugin/framework/diagnostics): what
/// Terraform shows a person, with the line of the configuration that the path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What it is, in one line.
    pub summary: String,
    /// What to do about it.
    pub detail: String,
    /// The attribute that it is about; empty where it is about no single one.
    pub path: Vec<Step>,
}

impl Diagnostic {
    /// An error about one attribute.
    pub fn error(attribute: &str, summary: String, detail: String) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            summary,
            detail,
            path: vec![Step::Attribute(attribute.to_owned())],
        }
    }

    /// An error about no single attribute.
    pub fn general(summary: String) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            summary,
            detail: String::new(),
            path: Vec::new(),
        }
    }

    pub(crate) fn to_message(&self) -> messages::Diagnostic {
        messages::Diagnostic {
            severity: match self.severity {
                Severity::Error => 1,
                Severity::Warning => 2,
            },
            summary: self.summary.clone(),
            detail: self.detail.clone(),
            attribute: (!self.path.is_empty()).then(|| path(&self.path)),
        }
    }
}

/// A path to an attribute, as the protocol writes it.
pub(crate) fn path(steps: &[Step]) -> messages::AttributePath {
    let selector = |step: &Step| match step {
        Step::Attribute(name) => messages::Selector::Attribute(name.clone()),
        Step::Key(key) => messages::Selector::Key(key.clone()),
        Step::Index(index) => messages::Selector::Index(i64::try_from(*index).unwrap_or(i64::MAX)),
    };
    let steps = steps.iter().map(|step| messages::PathStep {
        selector: Some(selector(step)),
    });
    messages::AttributePath {
        steps: steps.collect(),
    }
}

/// Why a function has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// What went wrong, and the way out.
    pub text: String,
    /// The argument that it is about, from 0.
    pub argument: Option<usize>,
}

impl FunctionError {
    /// An error about one argument.
    pub fn argument(argument: usize, text: String) -> FunctionError {
        FunctionError {
            text,
            argument: Some(argument),
        }
    }

    pub(crate) fn to_message(&self) -> messages::FunctionError {
        messages::FunctionError {
            text: self.text.clone(),
            argument: self.argument.and_then(|index| i64::try_from(index).ok()),
        }
    }
}
