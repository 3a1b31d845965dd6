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
//! - `cloudformation`: where task definitions hide, intrinsic functions, conditions.
//! - `dialect`: the only code that knows another spelling than the ECS API's.
//! - `container`: a typed, read-only view in which an intrinsic function is never mistaken for a value.
//! - `process`: how ECS merges entry point and command with those of the image.
//! - [`recipe`]: what a vendor's agent needs, as data.
//! - `plan`: from a task definition, a recipe and image configs to edits.
//! - `edit`: changes as data, and the only code that writes them.
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
pub mod dry_run;
mod edit;
pub mod image;
#[cfg(test)]
mod laws;
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
mod validate;

use std::collections::BTreeSet;

use serde_json::Value;

use cloudformation::find::{
    Found, Survey, WHERE_A_TRANSFORM_MAY_STAND, in_snippet, in_template, kind_of_fragment,
};
use cloudformation::launch::old_platforms;
use cloudformation::template::Template;
use dialect::Dialect;
use image::{Answers, ImageRequest};
use plan::compose::{compose, joined, would_change};
use plan::image::Lookup;
use plan::inputs::{said_about_inputs, unmatched_containers};
use plan::instrument::{Instrumented, images_needed as asked_by};
use plan::matches::AllMatched;
use plan::rendered::Rendered;
use plan::task::{Run, Task};
use recipe::Recipes;
use report::{Code, Finding, Outcome, Report, Severity, TaskDefinitionReport};
use settings::{OnUnresolved, Settings};
use source::Change;
use validate::validated;

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
        "recipe `{recipe}`: the input `{input}` is an intrinsic function, and there are none in a bare task definition"
    )]
    IntrinsicInput {
        /// The recipe.
        recipe: String,
        /// Its input.
        input: String,
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
    surveyed(document, kind, recipes, settings, |runs, survey| {
        let mut needed = BTreeSet::new();
        for found in &survey.found {
            let Some(properties) = found.properties else {
                continue;
            };
            for run in runs {
                let task = Task::new(*run, found, properties);
                needed.extend(asked_by(&task, properties, &survey.others, &found.id));
            }
        }
        needed
    })
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
    let lookup = Lookup::Answers(answers);
    surveyed(document, kind, recipes, settings, |runs, survey| {
        let mut rewritten = Rewritten::default();
        rewritten.report.findings = survey.findings;
        let said = recipes.iter().flat_map(said_about_inputs);
        rewritten.report.findings.extend(said);
        for found in &survey.found {
            let one = instrumented(runs, found, &survey.others, lookup);
            let changes = one.changes.into_iter().map(|change| Change {
                path: [found.path.as_slice(), &change.path].concat(),
                ..change
            });
            rewritten.changes.extend(changes);
            let told = told(one.report, settings);
            rewritten.report.task_definitions.push(told);
        }
        if !settings.only_refusals {
            let report = &rewritten.report;
            let recipes = recipes.iter();
            let unmatched = recipes.flat_map(|recipe| unmatched_containers(recipe, report));
            let unmatched: Vec<_> = unmatched.collect();
            rewritten.report.findings.extend(unmatched);
        }
        if rewritten.report.is_refused() && settings.on_unresolved == OnUnresolved::Fail {
            rewritten.changes.clear();
        }
        rewritten
    })
}

/// Judges, without resolving anything, whether every task definition in scope carries the recipe.
///
/// A task definition carries it when rewriting would change nothing; one that does not, or that
/// cannot be judged, is [`Outcome::Refused`].
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
    surveyed(document, kind, recipes, settings, |runs, survey| {
        let task_definitions = survey
            .found
            .iter()
            .map(|found| told(judged(runs, found, &survey.others, answers), settings))
            .collect();
        Report {
            task_definitions,
            findings: survey.findings,
        }
    })
}

/// Finds what a document holds, and does the work with it.
fn surveyed<Done>(
    document: &Value,
    kind: DocumentKind,
    recipes: &Recipes,
    settings: &Settings,
    work: impl FnOnce(&[Run<'_>], Survey<'_>) -> Done,
) -> Result<Done, DocumentError> {
    let mut survey = survey(document, kind)?;
    let dialect = dialect(kind);
    if !dialect.has_functions() {
        literal_inputs(recipes)?;
    }
    let template = match dialect.has_functions() {
        true => Template::new(document, settings),
        false => Template::none(settings),
    };
    let matched = AllMatched::new(document, &survey, dialect, &settings.selection);
    survey.findings.extend(matched.findings());
    let old_platforms = old_platforms(&survey.others);
    let rendered: Vec<Rendered<'_>> = recipes
        .iter()
        .map(|recipe| Rendered::new(recipe, recipes, dialect))
        .collect();
    let runs: Vec<Run<'_>> = rendered
        .iter()
        .map(|rendered| Run {
            dialect,
            template: &template,
            rendered,
            settings,
            matched: &matched,
            old_platforms: &old_platforms,
        })
        .collect();
    Ok(work(&runs, survey))
}

/// Users that an image which was not inspected may have; what the recipe asks differs only by root or not.
const POSSIBLE_USERS: [&str; 2] = ["root", "not-root"];

/// Judges by every recipe by itself: a task definition carries all, or it does not carry one.
fn judged(
    runs: &[Run<'_>],
    found: &Found<'_>,
    others: &[&Value],
    answers: &Answers,
) -> TaskDefinitionReport {
    let by = |run: &Run<'_>| judged_by(*run, found, others, answers);
    match runs {
        [run] => by(run),
        runs => {
            let reports = runs.iter().map(|run| (run.recipe_name(), by(run)));
            joined(&found.id, reports.collect())
        }
    }
}

fn judged_by(
    run: Run<'_>,
    found: &Found<'_>,
    others: &[&Value],
    answers: &Answers,
) -> TaskDefinitionReport {
    let mut reports = POSSIBLE_USERS
        .iter()
        .map(|user| instrumented(&[run], found, others, Lookup::Judge(answers, user)).report);
    let settled = |report: &TaskDefinitionReport| {
        matches!(report.outcome, Outcome::Unchanged | Outcome::LeftAlone)
    };
    let Some(first) = reports.next() else {
        return unreadable(&found.id);
    };
    if settled(&first) {
        return first;
    }
    if let Some(other) = reports.find(settled) {
        return other;
    }
    let mut report = first;
    if report.outcome == Outcome::Rewritten {
        report.findings.push(Finding {
            code: Code::NotInstrumented,
            severity: Severity::Error,
            container: None,
            image: None,
            message: format!(
                "does not carry the recipe `{}`; rewriting would change {}",
                run.rendered.recipe.recipe().name(),
                would_change(&report)
            ),
            hint: Some(format!(
                "rewrite the {}, and check the result",
                run.dialect.document()
            )),
        });
    }
    report.outcome = Outcome::Refused;
    report
}

/// What the report tells of a task definition.
fn told(report: TaskDefinitionReport, settings: &Settings) -> TaskDefinitionReport {
    match settings.only_refusals {
        true => report.only_refusal(),
        false => report,
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

/// Refuses inputs that only a template can give a meaning.
fn literal_inputs(recipes: &Recipes) -> Result<(), DocumentError> {
    let mut intrinsic = recipes.iter().flat_map(|recipe| {
        let names = recipe.intrinsic_inputs().into_iter();
        names.map(|input| (recipe.recipe().name(), input))
    });
    match intrinsic.next() {
        None => Ok(()),
        Some((recipe, input)) => Err(DocumentError::IntrinsicInput {
            recipe: recipe.to_owned(),
            input: input.to_owned(),
        }),
    }
}

fn dialect(kind: DocumentKind) -> Dialect {
    match kind {
        DocumentKind::Template | DocumentKind::Snippet => Dialect::CloudFormation,
        DocumentKind::TaskDefinition => Dialect::Ecs,
    }
}

fn instrumented(
    runs: &[Run<'_>],
    found: &Found<'_>,
    others: &[&Value],
    lookup: Lookup<'_>,
) -> Instrumented {
    match found.properties {
        Some(properties) => {
            let one = compose(runs, found, properties, others, lookup);
            match runs.first() {
                Some(run) => validated(*run, found, properties, others, one),
                None => one,
            }
        }
        None => Instrumented {
            changes: Vec::new(),
            report: unreadable(&found.id),
        },
    }
}

fn unreadable(id: &str) -> TaskDefinitionReport {
    TaskDefinitionReport {
        id: id.to_owned(),
        outcome: Outcome::Refused,
        containers: Vec::new(),
        changes: Vec::new(),
        findings: vec![Finding {
            code: Code::Malformed,
            severity: Severity::Error,
            container: None,
            image: None,
            message: "the task definition has no properties that can be read".to_owned(),
            hint: Some("give it `Properties`, as an object".to_owned()),
        }],
    }
}
