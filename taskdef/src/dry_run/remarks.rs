//! What is wrong with a recipe, or worth a thought, for whoever writes it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::recipe::{Block, BlockKind, BoundRecipe, Place, Recipe};
use crate::report::Severity;

/// Something about a recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// An error: the recipe does not do what it has to. A warning: most likely a mistake.
    pub severity: Severity,
    /// Where in the file, if it is about one place.
    pub place: Option<Place>,
    /// What it is.
    pub message: String,
    /// The way out, where there is one.
    pub hint: Option<String>,
    /// The samples that show it.
    pub samples: Vec<String>,
}

impl Remark {
    pub(super) fn new(severity: Severity, message: impl Into<String>) -> Remark {
        Remark {
            severity,
            place: None,
            message: message.into(),
            hint: None,
            samples: Vec::new(),
        }
    }

    pub(super) fn error(message: impl Into<String>) -> Remark {
        Remark::new(Severity::Error, message)
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Remark {
        Remark {
            hint: Some(hint.into()),
            ..self
        }
    }

    fn at(self, place: Place) -> Remark {
        Remark {
            place: Some(place),
            ..self
        }
    }
}

/// A wrapper after which a shell would take one word of the program for all of it.
pub(super) fn shells(bound: &BoundRecipe) -> Option<Remark> {
    let wrappings = bound.wrappings().ok()?;
    let mut wrappings = wrappings
        .iter()
        .filter(|wrapping| wrapping.script.is_none());
    wrappings.find(|wrapping| {
        let words: Option<Vec<&str>> = wrapping.wrapper.iter().map(Value::as_str).collect();
        let is_shell = |program: &str| {
            let name = program.rsplit('/').next().unwrap_or_default();
            ["ash", "bash", "dash", "sh"].contains(&name)
        };
        match words.as_deref() {
            Some([program, .., last]) => {
                is_shell(program) && last.starts_with('-') && last.ends_with('c')
            }
            _ => false,
        }
    })?;
    let message = "the wrapper is a shell with `-c`, which takes the first word after it for the whole program";
    Some(
        Remark::error(message)
            .hint("use the arrangement `shell-join`, or a wrapper that starts what follows it"),
    )
}

/// What is odd about a recipe, by itself and after it was tried.
pub(super) fn about(recipe: &Recipe, reached: &BTreeSet<Block>) -> Vec<Remark> {
    let mut remarks = not_reached(recipe, reached);
    remarks.extend(about_inputs(recipe));
    remarks.extend(not_told(recipe));
    remarks
}

/// The parts of the recipe that took part in no sample.
fn not_reached(recipe: &Recipe, reached: &BTreeSet<Block>) -> Vec<Remark> {
    let blocks = recipe.blocks().into_iter();
    let blocks = blocks.filter(|block| !reached.contains(block));
    let remark = |block: Block| {
        let (severity, message) = match block.kind {
            BlockKind::Requirement => (Severity::Note, "no sample is refused by this requirement"),
            BlockKind::Assumption => (Severity::Warning, "no sample reaches this assumption"),
            BlockKind::Workload => (
                Severity::Warning,
                "no sample reaches this block of `workload`",
            ),
            BlockKind::Sidecar => (Severity::Warning, "no sample reaches this sidecar"),
            BlockKind::SidecarBlock => (
                Severity::Warning,
                "no sample reaches this block of a sidecar",
            ),
            BlockKind::Task => (Severity::Warning, "no sample reaches this block of `task`"),
        };
        let remark = Remark::new(severity, message).at(block.place);
        match severity {
            Severity::Note => remark,
            _ => remark.hint(
                "give the inputs under which its condition holds by `--set`, if it can hold at all",
            ),
        }
    };
    blocks.map(remark).collect()
}

fn about_inputs(recipe: &Recipe) -> Vec<Remark> {
    let unused = recipe.unused_inputs().into_iter().map(|(name, place)| {
        let message = format!("the input `{name}` is used nowhere");
        Remark::new(Severity::Warning, message).at(place)
    });
    let mut remarks: Vec<Remark> = unused.collect();
    let declared = remarks
        .iter()
        .any(|remark| remark.message.contains("`image`"));
    if !recipe.sidecar_names().is_empty() && !recipe.image_input_counts() && !declared {
        let message = "the first sidecar states its image, so that the input `image`, which every user expects, does nothing";
        let hint =
            "leave the image out of its settings, and make it the default of the input `image`";
        remarks.push(Remark::new(Severity::Warning, message).hint(hint));
    }
    remarks
}

/// What a user would want to know, and the recipe does not say.
fn not_told(recipe: &Recipe) -> Vec<Remark> {
    let permissions = recipe.permissions();
    let roles = [
        &permissions.execution_role,
        &permissions.task_role,
        &permissions.vendor,
    ];
    let told = [
        (
            "documentation",
            "where the vendor documents it",
            !recipe.documentation().is_empty(),
        ),
        (
            "permissions",
            "what the roles need",
            roles.iter().any(|notes| !notes.is_empty()),
        ),
        (
            "prerequisites",
            "what has to be there before",
            !permissions.prerequisites.is_empty(),
        ),
    ];
    let missing = told.into_iter().filter(|(_, _, told)| !told);
    let remark =
        |(key, what, _)| Remark::new(Severity::Note, format!("there is no `{key}`: {what}"));
    missing.map(remark).collect()
}
