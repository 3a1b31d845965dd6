//! Finds every ECS task definition in a document and rewrites its container definitions by a recipe.
//!
//! The promise: the workload's own program still runs, with exactly the arguments it would have
//! had, or the task definition is refused with a reason.
//!
//! # The way of the data
//!
//! ```text
//! bytes --source--> document --find--> task definitions --images_needed--> questions
//!                                            |                                | a shell has them answered
//!                                            v                                v
//!                                       plan(task, image configs) --> edits + findings
//!                                            v
//!                                       apply(edits): a task definition changes whole, or not at all
//!                                            v
//!                                       validate: what the rewrite broke refuses the task definition
//!                                            v
//!                                       changes --source--> spliced text, and a report
//! ```
//!
//! - [`source`]: text with positions; parses a template and splices changes into its text.
//! - [`terraform`]: plans as Terraform shows them, in and out without a tree of their own.
//! - `cloudformation`: where task definitions hide, intrinsic functions, conditions.
//! - `dialect`: the only code that knows another spelling than the ECS API's.
//! - `container`: a typed, read-only view in which an intrinsic function is never mistaken for a value.
//! - `process`: how ECS merges entry point and command with those of the image.
//! - [`recipe`]: what a vendor's agent needs, as data.
//! - `plan`: from a task definition, a recipe and image configs to edits.
//! - `edit`: changes as data, and the only code that writes them.
//! - [`mark`]: what a recipe did, held in labels and a tag; upgrade and removal.
//! - [`registration`]: task definitions by themselves, as the ECS API takes and gives them.
//! - [`selector`]: JSONPath queries that choose task definitions and containers.
//! - `validate`: what ECS would not take, held against the result.
//! - [`dry_run`]: a recipe tried on samples, for whoever writes one.
//! - [`report`]: what was done, what was left alone, and why.
//! - [`mod@outline`]: the containers, how they hang together and where they stand, for reports that show it.
//!
//! Deliberately absent: files, network, clock, environment. A shell brings the text and the
//! answers ([`image::Answers`]) and writes the result.

mod cloudformation;
mod container;
mod dialect;
mod digest;
pub mod dry_run;
mod edit;
pub mod image;
mod judge;
#[cfg(test)]
mod laws;
pub mod mark;
pub mod nearest;
pub mod outline;
mod plan;
mod process;
pub mod recipe;
pub mod registration;
pub mod report;
pub mod selector;
pub mod settings;
pub mod source;
pub mod terraform;
mod validate;
mod work;

use std::collections::BTreeSet;

use serde_json::Value;

use cloudformation::find::{
    Found, Survey, WHERE_A_TRANSFORM_MAY_STAND, in_snippet, in_template, kind_of_fragment,
};
use cloudformation::template::Template;
use dialect::Dialect;
use image::{Answers, ImageRequest};
use mark::Removal;
use plan::matches::Alone;
use recipe::Recipes;
use report::Report;
use settings::Settings;
use source::Change;
use work::Work;

/// Why a document cannot be worked on at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not a template: no object, or no `Resources` in it.
    #[error("not a CloudFormation template: it has no `Resources`")]
    NotATemplate,
    /// A part of a template that holds nothing by a name.
    #[error("the transform stands where no task definition can be seen: not in an object")]
    NotASnippet,
    /// Not a task definition: no object, or no `containerDefinitions` in it.
    #[error("not a task definition: it has no `containerDefinitions`")]
    NotATaskDefinition,
    /// None of the kinds of document that are understood.
    #[error(
        "neither a CloudFormation template (`Resources`), nor a task definition (`containerDefinitions`), nor the output of `describe-task-definition` (`taskDefinition`)"
    )]
    Unknown,
    /// An input that only a template can give a meaning.
    #[error(
        "recipe `{recipe}`: the input `{input}` is an intrinsic function, and there are none in a {document}"
    )]
    IntrinsicInput {
        /// The recipe.
        recipe: String,
        /// Its input.
        input: String,
        /// What the document is.
        document: &'static str,
    },
}

impl DocumentError {
    /// The way out, where the document itself does not say it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            DocumentError::NotASnippet => Some(WHERE_A_TRANSFORM_MAY_STAND),
            _ => None,
        }
    }
}

/// The result of [`rewrite`].
#[derive(Clone, Debug, Default)]
pub struct Rewritten {
    /// The new values, by their place in the document; empty when the run failed.
    pub changes: Vec<Change>,
    /// What was done, what was left alone, and why.
    pub report: Report,
}

/// What a document is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DocumentKind {
    /// A CloudFormation template.
    #[default]
    Template,
    /// What a snippet-level `Fn::Transform` hands over: a part of a template.
    Snippet,
    /// One task definition in the ECS API's spelling, as `RegisterTaskDefinition` takes it.
    TaskDefinition,
}

impl DocumentKind {
    /// What CloudFormation hands to a macro: a whole template, or a part of one.
    pub fn of_fragment(fragment: &Value) -> DocumentKind {
        kind_of_fragment(fragment)
    }
}

/// The questions about images that have to be answered before [`rewrite`].
///
/// # Errors
///
/// When the document is not a template.
pub fn images_needed(
    document: &Value,
    kind: DocumentKind,
    recipes: &Recipes,
    settings: &Settings,
) -> Result<BTreeSet<ImageRequest>, DocumentError> {
    work(document, kind, settings)?.images_needed(recipes, settings)
}

/// Rewrites every task definition of a document; each changes whole, or not at all.
///
/// # Errors
///
/// When the document is not a template. What concerns one task definition is a finding.
pub fn rewrite(
    document: &Value,
    kind: DocumentKind,
    recipes: &Recipes,
    settings: &Settings,
    answers: &Answers,
) -> Result<Rewritten, DocumentError> {
    work(document, kind, settings)?.rewrite(recipes, settings, answers)
}

/// Takes recipes off again: by their markers exactly, without markers where what they did can be told
/// with certainty. Asks no image. Each task definition changes whole, or not at all.
///
/// One that carries no recipe that is meant is [`Outcome::LeftAlone`](report::Outcome::LeftAlone);
/// one that cannot be taken apart is [`Outcome::Refused`](report::Outcome::Refused).
///
/// # Errors
///
/// When the document is not a template.
pub fn remove(
    document: &Value,
    kind: DocumentKind,
    removal: &Removal<'_>,
    settings: &Settings,
) -> Result<Rewritten, DocumentError> {
    mark::remove::remove(work(document, kind, settings)?, removal, settings)
}

/// Judges, without resolving anything, whether every task definition in scope carries the recipe.
///
/// A task definition carries it when rewriting would change nothing; one that does not, or that
/// cannot be judged, is [`Outcome::Refused`](report::Outcome::Refused).
///
/// # Errors
///
/// When the document is not a template.
pub fn check(
    document: &Value,
    kind: DocumentKind,
    recipes: &Recipes,
    settings: &Settings,
    answers: &Answers,
) -> Result<Report, DocumentError> {
    work(document, kind, settings)?.check(recipes, settings, answers)
}

/// The task definitions of a document that is a value, and what decides about them.
fn work<'d>(
    document: &'d Value,
    kind: DocumentKind,
    settings: &'d Settings,
) -> Result<Work<'d>, DocumentError> {
    let dialect = dialect(kind);
    Ok(Work {
        survey: survey(document, kind)?,
        dialect,
        template: match dialect.has_functions() {
            true => Template::new(document, settings),
            false => Template::none(settings),
        },
        alone: Box::new(move |found| Alone::of(document, found, dialect)),
    })
}

fn dialect(kind: DocumentKind) -> Dialect {
    match kind {
        DocumentKind::Template | DocumentKind::Snippet => Dialect::CloudFormation,
        DocumentKind::TaskDefinition => Dialect::Ecs,
    }
}

fn survey(document: &Value, kind: DocumentKind) -> Result<Survey<'_>, DocumentError> {
    let survey = match kind {
        DocumentKind::Template => in_template(document),
        DocumentKind::Snippet => in_snippet(document),
        DocumentKind::TaskDefinition => bare(document),
    };
    survey.ok_or(match kind {
        // A snippet that has `Resources` is taken for a template.
        DocumentKind::Snippet if document.is_object() => DocumentError::NotATemplate,
        DocumentKind::Snippet => DocumentError::NotASnippet,
        DocumentKind::Template => DocumentError::NotATemplate,
        DocumentKind::TaskDefinition => DocumentError::NotATaskDefinition,
    })
}

/// A task definition that is the whole document.
fn bare(document: &Value) -> Option<Survey<'_>> {
    let properties = document.as_object()?;
    properties.get("containerDefinitions")?;
    let id = registration::id(properties);
    let finding = registration::not_accepted(properties);
    Some(Survey {
        findings: finding
            .map(|finding| (id.clone(), finding))
            .into_iter()
            .collect(),
        found: vec![Found {
            path: source::Path::new(),
            id,
            properties: Some(properties),
            condition: None,
            loops: Vec::new(),
        }],
        ..Survey::default()
    })
}
