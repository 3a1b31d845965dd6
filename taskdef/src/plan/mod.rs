//! From a task definition, a recipe and image configs to a rewritten task definition, whole or not at all.

pub(crate) mod agents;
pub(crate) mod assumed;
pub(crate) mod compose;
pub(crate) mod container;
pub(crate) mod facts;
pub(crate) mod image;
pub(crate) mod inherit;
pub(crate) mod inputs;
pub(crate) mod instrument;
pub(crate) mod literal;
pub(crate) mod matches;
pub(crate) mod merge;
pub(crate) mod program;
pub(crate) mod recognise;
pub(crate) mod regions;
pub(crate) mod rendered;
pub(crate) mod replaced;
pub(crate) mod scope;
pub(crate) mod select;
pub(crate) mod shell;
pub(crate) mod sidecar;
pub(crate) mod slots;
pub(crate) mod tags;
pub(crate) mod task;
pub(crate) mod variant;
pub(crate) mod words;
pub(crate) mod wrap;

pub(crate) use task::Task;

use crate::dialect::Dialect;
use crate::edit;
use crate::report::{Code, Finding, Severity};

/// Why a task definition cannot be instrumented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What kind.
    pub(crate) code: Code,
    /// What was found.
    pub(crate) message: String,
    /// The way out.
    pub(crate) hint: Option<String>,
}

impl Refusal {
    pub(crate) fn new(code: Code, message: String, hint: &str) -> Self {
        Refusal {
            code,
            message,
            hint: Some(hint.to_owned()),
        }
    }

    /// Says under which conditions this is so; none is an empty text.
    pub(crate) fn when(mut self, conditions: &str) -> Self {
        if !conditions.is_empty() {
            self.message = format!("{} (when {conditions})", self.message);
        }
        self
    }

    pub(crate) fn finding(self, about: Option<&About>) -> Finding {
        finding(self.code, Severity::Error, self.message, self.hint, about)
    }
}

/// Something to say that refuses nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    code: Code,
    severity: Severity,
    message: String,
    hint: Option<String>,
}

impl Note {
    pub(crate) fn new(code: Code, message: String) -> Self {
        let severity = match code {
            Code::BranchLeftAlone
            | Code::SelectionTag
            | Code::EmptyEntryPoint
            | Code::EnvironmentReplaced
            | Code::ImageNotRead
            | Code::ParameterResolved
            | Code::OverrideChangesProgram
            | Code::AssumesCertificates
            | Code::MarkerIncomplete
            | Code::MayBeTheUsers
            | Code::NotMarked
            | Code::AssumesLibc
            | Code::AssumesOfImage
            | Code::AssumesShell
            | Code::AssumesSudo
            | Code::ParameterizedSelection
            | Code::CompatibilityUnknown
            | Code::MutableAgentImage
            | Code::SecretInClear
            | Code::SecretWithoutKey
            | Code::SettingReplaced
            | Code::UnknownDefinition
            | Code::UnknownContainer => Severity::Warning,
            _ => Severity::Note,
        };
        Note {
            code,
            severity,
            message,
            hint: None,
        }
    }

    pub(crate) fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    pub(crate) fn finding(self, about: Option<&About>) -> Finding {
        finding(self.code, self.severity, self.message, self.hint, about)
    }
}

/// The container that a finding is about.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) container: String,
    pub(crate) image: String,
}

fn finding(
    code: Code,
    severity: Severity,
    message: String,
    hint: Option<String>,
    about: Option<&About>,
) -> Finding {
    Finding {
        code,
        severity,
        container: about.map(|about| about.container.clone()),
        image: about.map(|about| about.image.clone()),
        message,
        hint,
    }
}

/// An edit met something that it cannot look into.
pub(crate) fn cannot_merge(dialect: Dialect, place: &edit::CannotMerge) -> Refusal {
    match place {
        edit::CannotMerge::Intrinsic(path) if dialect == Dialect::Terraform => Refusal::new(
            Code::CannotMerge,
            format!(
                "`{}` is known only after apply, so nothing can be added to it",
                dialect.shown(path)
            ),
            "write it so that it is known when the plan is made",
        ),
        edit::CannotMerge::Intrinsic(path) => Refusal::new(
            Code::CannotMerge,
            format!("`{path}` holds an intrinsic function, so nothing can be added to it"),
            "write it as a literal; `Fn::If` is understood",
        ),
        edit::CannotMerge::WrongType(path) => Refusal::new(
            Code::Malformed,
            format!("`{path}` is not what ECS takes there"),
            "correct it; nothing can be added to it as it is",
        ),
    }
}

/// A recipe's text could not be rendered for this task definition.
pub(crate) fn render_refusal(error: &crate::recipe::RenderError) -> Refusal {
    Refusal {
        code: Code::RecipeRefused,
        message: error.about_document().unwrap_or_else(|| error.to_string()),
        hint: error.hint().map(str::to_owned),
    }
}
