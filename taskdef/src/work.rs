//! What is done with the task definitions of a document, whatever kind of document it is.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cloudformation::find::{Found, Survey};
use crate::cloudformation::launch::{OldPlatform, old_platforms};
use crate::cloudformation::template::Template;
use crate::dialect::{Dialect, functions_in};
use crate::image::{Answers, ImageRequest};
use crate::judge::judged;
use crate::mark::enter_size;
use crate::mark::upgrade::{Start, asked as by_marker, finished, start, unread};
use crate::plan::compose::{changed, compose, differences};
use crate::plan::image::Lookup;
use crate::plan::inputs::{said_about_inputs, unmatched_containers};
use crate::plan::instrument::{Instrumented, images_needed as asked_by};
use crate::plan::matches::{AllMatched, Alone};
use crate::plan::rendered::Rendered;
use crate::plan::task::{Run, Task};
use crate::recipe::{ImageSecrets, Recipes};
use crate::report::{Code, Finding, Outcome, Report, Severity, TaskDefinitionReport};
use crate::settings::{Marks, OnUnresolved, Settings};
use crate::source::Change;
use crate::validate::validated;
use crate::{DocumentError, Rewritten};

/// The task definitions of a document, and what in it decides about them.
pub(crate) struct Work<'d> {
    pub(crate) survey: Survey<'d>,
    pub(crate) dialect: Dialect,
    pub(crate) template: Template<'d>,
    /// A task definition as the only one of its document, for selectors.
    pub(crate) alone: Box<dyn Fn(&Found<'_>) -> Alone<'d> + 'd>,
}

impl Work<'_> {
    /// The questions about images that have to be answered before [`Work::rewrite`].
    pub(crate) fn images_needed(
        self,
        recipes: &Recipes,
        settings: &Settings,
    ) -> Result<BTreeSet<ImageRequest>, DocumentError> {
        self.done(Some(recipes), settings, |runs, survey, _| {
            let asked = survey.found.iter().map(|found| asked(runs, found, &survey));
            asked.flatten().collect()
        })
    }

    /// Rewrites every task definition; each changes whole, or not at all.
    pub(crate) fn rewrite(
        self,
        recipes: &Recipes,
        settings: &Settings,
        answers: &Answers,
    ) -> Result<Rewritten, DocumentError> {
        let lookup = Lookup::Answers(answers);
        self.done(Some(recipes), settings, |runs, survey, _| {
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
            rewritten.report = rewritten
                .report
                .without(&ImageSecrets::of(Some(recipes), settings));
            if rewritten.report.is_refused() && settings.on_unresolved == OnUnresolved::Fail {
                rewritten.changes.clear();
            }
            rewritten
        })
    }

    /// Judges, without resolving anything, whether every task definition in scope carries the recipe.
    pub(crate) fn check(
        self,
        recipes: &Recipes,
        settings: &Settings,
        answers: &Answers,
    ) -> Result<Report, DocumentError> {
        self.done(Some(recipes), settings, |runs, survey, _| {
            let task_definitions = survey
                .found
                .iter()
                .map(|found| told(judged(runs, found, &survey.others, answers), settings))
                .collect();
            let report = Report {
                task_definitions,
                findings: survey.findings,
            };
            report.without(&ImageSecrets::of(Some(recipes), settings))
        })
    }

    /// Makes ready what stays the same for all task definitions, and does the work with it.
    pub(crate) fn done<Done>(
        self,
        recipes: Option<&Recipes>,
        settings: &Settings,
        work: impl FnOnce(&[Run<'_>], Survey<'_>, Basis<'_>) -> Done,
    ) -> Result<Done, DocumentError> {
        let Work {
            mut survey,
            dialect,
            template,
            alone,
        } = self;
        if let (false, Some(recipes)) = (dialect.has_functions(), recipes) {
            literal_inputs(recipes, dialect)?;
        }
        let matched = AllMatched::new(&survey, &settings.selection, &alone);
        survey.findings.extend(matched.findings(dialect));
        let old_platforms = old_platforms(&survey.others);
        let bound = recipes.into_iter().flat_map(|recipes| {
            let each = recipes.iter();
            each.map(move |recipe| Rendered::new(recipe, recipes, dialect))
        });
        let rendered: Vec<Rendered<'_>> = bound.collect();
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
        let basis = Basis {
            dialect,
            template: &template,
            settings,
            matched: &matched,
            old_platforms: &old_platforms,
        };
        Ok(work(&runs, survey, basis))
    }
}

/// What stays the same for all task definitions, whatever the recipes are.
#[derive(Clone, Copy)]
pub(crate) struct Basis<'b> {
    pub(crate) dialect: Dialect,
    pub(crate) template: &'b Template<'b>,
    pub(crate) settings: &'b Settings,
    pub(crate) matched: &'b AllMatched,
    pub(crate) old_platforms: &'b [OldPlatform<'b>],
}

/// What the images of one task definition are asked.
fn asked(runs: &[Run<'_>], found: &Found<'_>, survey: &Survey<'_>) -> BTreeSet<ImageRequest> {
    let mut needed = BTreeSet::new();
    let Some(properties) = found.properties else {
        return needed;
    };
    let mut ask = |properties: &Map<String, Value>| {
        for run in runs {
            let task = Task::new(*run, found, properties);
            needed.extend(asked_by(&task, properties, &survey.others, &found.id));
        }
    };
    ask(properties);
    // What images say decides whether it stays as it is.
    if let Start::TakenOff(without) = start(runs, found, properties, None) {
        ask(&without);
    }
    let by_marker = |run| by_marker(run, found, properties, &survey.others);
    needed.extend(runs.iter().flat_map(by_marker));
    needed
}

/// What the report tells of a task definition.
pub(crate) fn told(report: TaskDefinitionReport, settings: &Settings) -> TaskDefinitionReport {
    match settings.only_refusals {
        true => report.only_refusal(),
        false => report,
    }
}

/// Refuses inputs that only a template can give a meaning.
fn literal_inputs(recipes: &Recipes, dialect: Dialect) -> Result<(), DocumentError> {
    let mut intrinsic = recipes.iter().flat_map(|recipe| {
        let names = recipe.intrinsic_inputs().into_iter();
        names.map(|input| (recipe.recipe().name(), input))
    });
    match intrinsic.next() {
        None => Ok(()),
        Some((recipe, input)) => Err(DocumentError::IntrinsicInput {
            recipe: recipe.to_owned(),
            input: input.to_owned(),
            document: match dialect {
                Dialect::Terraform => "plan",
                _ => "bare task definition",
            },
        }),
    }
}

pub(crate) fn instrumented(
    runs: &[Run<'_>],
    found: &Found<'_>,
    others: &[&Value],
    lookup: Lookup<'_>,
) -> Instrumented {
    let Some(properties) = found.properties else {
        return Instrumented {
            changes: Vec::new(),
            report: unreadable(&found.id),
        };
    };
    // A judgement is about what is there.
    let begin = match lookup {
        Lookup::Judge(..) => Start::AsItIs,
        _ => start(runs, found, properties, Some(lookup.answers())),
    };
    match begin {
        Start::AsItIs => {
            let mut one = composed(runs, found, properties, others, (lookup, false));
            if matches!(one.report.outcome, Outcome::Rewritten | Outcome::Unchanged)
                && !matches!(lookup, Lookup::Judge(..))
            {
                let unread = runs
                    .iter()
                    .flat_map(|run| unread(run, found, properties, lookup.answers()));
                one.report.findings.extend(unread);
            }
            one
        }
        Start::TakenOff(without) => upgraded(runs, found, &without, others, lookup),
        Start::Refused(findings) => {
            let one = composed(runs, found, properties, others, (lookup, false));
            // One that is not meant is left alone, whatever was done to it.
            if one.report.outcome == Outcome::LeftAlone {
                return one;
            }
            Instrumented {
                changes: Vec::new(),
                report: refused(&found.id, findings),
            }
        }
    }
}

/// A task definition whose recipes were taken off is rewritten by all of them.
pub(crate) fn upgraded(
    runs: &[Run<'_>],
    found: &Found<'_>,
    without: &Map<String, Value>,
    others: &[&Value],
    lookup: Lookup<'_>,
) -> Instrumented {
    let bare = Found {
        properties: Some(without),
        ..found.clone()
    };
    let one = composed(runs, &bare, without, others, (lookup, true));
    match (runs.first(), found.properties) {
        (Some(run), Some(properties)) => finished(run, properties, without, one),
        _ => one,
    }
}

/// Rewritten by all recipes, and held against the rules.
fn composed(
    runs: &[Run<'_>],
    found: &Found<'_>,
    properties: &Map<String, Value>,
    others: &[&Value],
    how: (Lookup<'_>, bool),
) -> Instrumented {
    let one = compose(runs, found, properties, others, how);
    let Some(run) = runs.first() else { return one };
    let mut one = validated(*run, found, properties, others, one);
    if run.dialect == Dialect::Terraform {
        return without_unknown(properties, one);
    }
    let grown = |finding: &Finding| finding.code == Code::TaskSizeGrown;
    let marks = how.1 || run.settings.marks == Marks::Yes;
    if marks && one.report.findings.iter().any(grown) {
        let changes = std::mem::take(&mut one.changes);
        if let Some(mut after) = changed(properties, changes) {
            enter_size(run.dialect, properties, &mut after, run.recipe_name());
            one.changes = differences(properties, after);
        }
    }
    one
}

/// Refuses what a recipe made of a value that a plan does not hold yet: nothing would put it in at apply.
fn without_unknown(properties: &Map<String, Value>, mut one: Instrumented) -> Instrumented {
    let brought = |after: Map<String, Value>| {
        let new = after.into_iter();
        let new = new.filter(|(key, value)| properties.get(key) != Some(value));
        let mut unknown = functions_in(&new.collect()).into_iter();
        let known = functions_in(properties);
        unknown.any(|place| !known.contains(&place))
    };
    if !changed(properties, one.changes.clone()).is_some_and(brought) {
        return one;
    }
    one.changes.clear();
    one.report.containers.clear();
    one.report.changes.clear();
    one.report.outcome = Outcome::Refused;
    one.report.findings.push(Finding {
        code: Code::UnknownValue,
        severity: Severity::Error,
        container: None,
        image: None,
        message: "the recipe writes a value of the task definition that is known only after apply"
            .to_owned(),
        hint: Some(
            "write `family` and `runtime_platform` so that they are known when the plan is made"
                .to_owned(),
        ),
    });
    one
}

pub(crate) fn refused(id: &str, findings: Vec<Finding>) -> TaskDefinitionReport {
    TaskDefinitionReport {
        id: id.to_owned(),
        outcome: Outcome::Refused,
        containers: Vec::new(),
        changes: Vec::new(),
        findings,
    }
}

pub(crate) fn unreadable(id: &str) -> TaskDefinitionReport {
    let finding = Finding {
        code: Code::Malformed,
        severity: Severity::Error,
        container: None,
        image: None,
        message: "the task definition has no properties that can be read".to_owned(),
        hint: Some("give it `Properties`, as an object".to_owned()),
    };
    refused(id, vec![finding])
}
