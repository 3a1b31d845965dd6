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
//! - [`selector`]: JSONPath queries that choose task definitions and containers.
//! - `validate`: what ECS would not take, held against the result.
//! - [`report`]: what was done, what was left alone, and why.
//!
//! Deliberately absent: files, network, clock, environment. A shell brings the text and the
//! answers ([`image::Answers`]) and writes the result.

mod cloudformation;
mod container;
mod dialect;
mod edit;
pub mod image;
#[cfg(test)]
mod laws;
mod plan;
mod process;
pub mod recipe;
pub mod report;
pub mod selector;
pub mod settings;
pub mod source;
mod validate;

use std::collections::BTreeSet;

use serde_json::Value;

use cloudformation::find::{Found, Survey, in_snippet, in_template};
use cloudformation::launch::old_platforms;
use cloudformation::template::Template;
use dialect::Dialect;
use image::{Answers, ImageRequest};
use plan::image::Lookup;
use plan::inputs::{said_about_inputs, unmatched_containers};
use plan::instrument::{Instrumented, images_needed as asked_by, instrument};
use plan::matches::AllMatched;
use plan::rendered::Rendered;
use plan::task::{Run, Task};
use recipe::BoundRecipe;
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
    /// Not a task definition: no object, or no `containerDefinitions` in it.
    #[error("not a task definition: it has no `containerDefinitions`")]
    NotATaskDefinition,
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

/// The questions about images that have to be answered before [`rewrite`].
///
/// # Errors
///
/// When the document is not a template.
pub fn images_needed(
    document: &Value,
    kind: DocumentKind,
    recipe: &BoundRecipe,
    settings: &Settings,
) -> Result<BTreeSet<ImageRequest>, DocumentError> {
    surveyed(document, kind, recipe, settings, |run, survey| {
        let mut needed = BTreeSet::new();
        for found in &survey.found {
            if let Some(properties) = found.properties {
                let task = Task::new(run, found, properties);
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
    recipe: &BoundRecipe,
    settings: &Settings,
    answers: &Answers,
) -> Result<Rewritten, DocumentError> {
    let lookup = Lookup::Answers(answers);
    surveyed(document, kind, recipe, settings, |run, survey| {
        let mut rewritten = Rewritten::default();
        rewritten.report.findings = survey.findings;
        rewritten.report.findings.extend(run.matched.findings());
        rewritten.report.findings.extend(said_about_inputs(recipe));
        for found in &survey.found {
            let one = instrumented(run, found, &survey.others, lookup);
            let changes = one.changes.into_iter().map(|change| Change {
                path: [found.path.as_slice(), &change.path].concat(),
                ..change
            });
            rewritten.changes.extend(changes);
            let told = told(one.report, settings);
            rewritten.report.task_definitions.push(told);
        }
        if !settings.only_refusals {
            let unmatched = unmatched_containers(recipe, &rewritten.report);
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
    recipe: &BoundRecipe,
    settings: &Settings,
    answers: &Answers,
) -> Result<Report, DocumentError> {
    surveyed(document, kind, recipe, settings, |run, survey| {
        let task_definitions = survey
            .found
            .iter()
            .map(|found| told(judged(run, found, &survey.others, answers), settings))
            .collect();
        let mut findings = survey.findings;
        findings.extend(run.matched.findings());
        Report {
            task_definitions,
            findings,
        }
    })
}

/// Finds what a document holds, and does the work with it.
fn surveyed<Done>(
    document: &Value,
    kind: DocumentKind,
    recipe: &BoundRecipe,
    settings: &Settings,
    work: impl FnOnce(Run<'_>, Survey<'_>) -> Done,
) -> Result<Done, DocumentError> {
    let survey = survey(document, kind)?;
    let template = Template::new(document, settings);
    let rendered = Rendered::new(recipe, dialect(kind));
    let matched = AllMatched::new(document, &survey, dialect(kind), &settings.selection);
    let old_platforms = old_platforms(&survey.others);
    let run = Run {
        dialect: dialect(kind),
        template: &template,
        rendered: &rendered,
        settings,
        matched: &matched,
        old_platforms: &old_platforms,
    };
    Ok(work(run, survey))
}

/// Users that an image which was not inspected may have; what the recipe asks differs only by root or not.
const POSSIBLE_USERS: [&str; 2] = ["root", "not-root"];

fn judged(
    run: Run<'_>,
    found: &Found<'_>,
    others: &[&Value],
    answers: &Answers,
) -> TaskDefinitionReport {
    let mut reports = POSSIBLE_USERS
        .iter()
        .map(|user| instrumented(run, found, others, Lookup::Judge(answers, user)).report);
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
            hint: Some("rewrite the template, and check the result".to_owned()),
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

/// What a rewrite would change, in one line.
fn would_change(report: &TaskDefinitionReport) -> String {
    let containers = report
        .containers
        .iter()
        .filter(|container| !container.changes.is_empty())
        .map(|container| {
            let changes = container.changes.join(", ");
            format!("`{}` ({changes})", container.name)
        });
    let task = report.changes.iter().cloned();
    containers.chain(task).collect::<Vec<_>>().join(", ")
}

fn survey(document: &Value, kind: DocumentKind) -> Result<Survey<'_>, DocumentError> {
    let survey = match kind {
        DocumentKind::Template => in_template(document),
        DocumentKind::Snippet => in_snippet(document),
        DocumentKind::TaskDefinition => bare(document),
    };
    survey.ok_or(match kind {
        DocumentKind::Template | DocumentKind::Snippet => DocumentError::NotATemplate,
        DocumentKind::TaskDefinition => DocumentError::NotATaskDefinition,
    })
}

/// A task definition that is the whole document.
fn bare(document: &Value) -> Option<Survey<'_>> {
    let properties = document.as_object()?;
    properties.get("containerDefinitions")?;
    let family = properties.get("family").and_then(Value::as_str);
    Some(Survey {
        found: vec![Found {
            path: source::Path::new(),
            id: family.unwrap_or("task definition").to_owned(),
            properties: Some(properties),
            condition: None,
            loops: Vec::new(),
        }],
        ..Survey::default()
    })
}

fn dialect(kind: DocumentKind) -> Dialect {
    match kind {
        DocumentKind::Template | DocumentKind::Snippet => Dialect::CloudFormation,
        DocumentKind::TaskDefinition => Dialect::Ecs,
    }
}

fn instrumented(
    run: Run<'_>,
    found: &Found<'_>,
    others: &[&Value],
    lookup: Lookup<'_>,
) -> Instrumented {
    match found.properties {
        Some(properties) => {
            let task = Task::new(run, found, properties);
            let one = instrument(&task, properties, others, &found.id, lookup);
            validated(run, found, properties, others, one)
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
