//! What is wrong, and the way out.

use taskdef::nearest::nearest;
use taskdef::report::Finding;

/// What is wrong with what was given. Holds no value of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(message: String) -> Self {
        Self {
            message,
            hint: None,
        }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// A key that is not known.
    pub(crate) fn unknown_key(place: &str, key: &str, known: &[&str]) -> Self {
        let problem = Self::new(format!("{place} has no `{key}`"));
        match nearest(key, known.iter().copied()) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => {
                let known: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
                problem.hint(format!("it has {}", known.join(", ")))
            }
        }
    }
}

impl From<&Finding> for Problem {
    fn from(finding: &Finding) -> Self {
        let container = finding.container.as_ref();
        let place = container.map(|name| format!("container `{name}`: "));
        Self {
            message: format!(
                "{}{} ({})",
                place.unwrap_or_default(),
                finding.message,
                finding.code
            ),
            hint: finding.hint.clone(),
        }
    }
}

/// The problems as a text of several lines.
pub(crate) fn told(problems: &[Problem]) -> String {
    let lines = problems.iter().map(|problem| match &problem.hint {
        Some(hint) => format!("{}\n  way out: {hint}", problem.message),
        None => problem.message.clone(),
    });
    lines.collect::<Vec<_>>().join("\n")
}
