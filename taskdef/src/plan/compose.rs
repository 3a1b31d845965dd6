//! Several recipes on one task definition: one after another, each on what the one before left.
//!
//! It changes whole or not at all, for all recipes together. A refusal by one recipe does not hide
//! what the others have to say. What a recipe asks may depend on what another one adds, so they
//! take turns until none of them finds anything to do; that is what makes a second run change
//! nothing. Recipes that undo each other's changes are refused.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::cloudformation::find::Found;
use crate::dialect::Dialect;
use crate::mark::{is_marked, mark};
use crate::report::{Code, ContainerReport, Finding, Outcome, TaskDefinitionReport};
use crate::settings::Marks;
use crate::source::{Change, New, Path, put};

use super::image::Lookup;
use super::instrument::{Instrumented, instrument};
use super::task::Run;
use super::{Refusal, Task};

/// How many turns each recipe has to settle with the others.
const TURNS: usize = 4;

/// Rewrites a task definition by every recipe of the run, or says why it stays as it is. One that
/// was `marked` gets its markers again.
pub(crate) fn compose(
    runs: &[Run<'_>],
    found: &Found<'_>,
    properties: &Map<String, Value>,
    others: &[&Value],
    (lookup, marked): (Lookup<'_>, bool),
) -> Instrumented {
    let by = |run: Run<'_>, properties: &Map<String, Value>| {
        let task = Task::new(run, found, properties);
        let one = instrument(&task, properties, others, &found.id, lookup);
        with_marker(&task, properties, one, (lookup, marked))
    };
    if let [run] = runs {
        return by(*run, properties);
    }
    let mut current = Cow::Borrowed(properties);
    let mut first = Vec::with_capacity(runs.len());
    let mut later = Vec::new();
    // The recipes in a row that found nothing to do; one that had its turn does not count again.
    let mut settled = 0;
    for (turn, run) in runs.iter().cycle().take(runs.len() * TURNS).enumerate() {
        let one = by(*run, &current);
        settled = match one.changes.is_empty() {
            true => settled + 1,
            false => 1,
        };
        current = match changed(&current, one.changes) {
            Some(changed) => Cow::Owned(changed),
            None => current,
        };
        match turn < runs.len() {
            true => first.push((run.recipe_name(), one.report)),
            false => later.push((run.recipe_name(), one.report)),
        }
        let refused = first.iter().any(|(_, report)| is_refused(report));
        if turn + 1 >= runs.len() && (settled >= runs.len() || refused) {
            break;
        }
    }
    let mut report = joined(&found.id, first);
    if settled < runs.len() && report.outcome != Outcome::Refused {
        refuse(&mut report, &disagreement(runs.len(), &later));
    }
    for (name, more) in later {
        add_turn(&mut report, name, more);
    }
    let changes = match report.outcome {
        Outcome::Rewritten => differences(properties, current.into_owned()),
        _ => Vec::new(),
    };
    Instrumented { changes, report }
}

/// The same with the recipe's marker, where there is to be one.
fn with_marker(
    task: &Task<'_>,
    properties: &Map<String, Value>,
    mut one: Instrumented,
    (lookup, was_marked): (Lookup<'_>, bool),
) -> Instrumented {
    let wanted = was_marked || task.settings.marks == Marks::Yes;
    if one.changes.is_empty() || task.dialect == Dialect::Terraform {
        return one;
    }
    if !wanted && !is_marked(task.dialect, properties, task.recipe.recipe().name()) {
        return one;
    }
    let changes = std::mem::take(&mut one.changes);
    if let Some(after) = changed(properties, changes) {
        let after = mark(task, properties, after, &mut one.report, lookup.answers());
        one.changes = differences(properties, after);
    }
    one
}

fn is_refused(report: &TaskDefinitionReport) -> bool {
    report.outcome == Outcome::Refused
}

/// The properties after these changes; none where nothing changes.
pub(crate) fn changed(
    properties: &Map<String, Value>,
    changes: Vec<Change>,
) -> Option<Map<String, Value>> {
    if changes.is_empty() {
        return None;
    }
    let mut whole = Value::Object(properties.clone());
    put(&mut whole, changes).ok()?;
    match whole {
        Value::Object(map) => Some(map),
        _ => None,
    }
}

/// What makes `before` into `after`: the members that differ, or the whole where one is gone.
pub(crate) fn differences(before: &Map<String, Value>, after: Map<String, Value>) -> Vec<Change> {
    let new = match before.keys().all(|key| after.contains_key(key)) {
        true => {
            let differs = |(key, value): &(String, Value)| before.get(key) != Some(value);
            New::Members(after.into_iter().filter(differs).collect())
        }
        false => New::Value(Value::Object(after)),
    };
    let path = Path::new();
    vec![Change { path, new }]
}

/// One report of what several recipes, by name, did with a task definition or say about it.
pub(crate) fn joined(
    id: &str,
    mut reports: Vec<(&str, TaskDefinitionReport)>,
) -> TaskDefinitionReport {
    let findings = named_findings(&mut reports);
    let mut joined = TaskDefinitionReport {
        id: id.to_owned(),
        outcome: outcome(&reports),
        containers: Vec::new(),
        changes: Vec::new(),
        findings,
    };
    for (_, report) in reports {
        add_containers(&mut joined.containers, report.containers);
        add_lines(&mut joined.changes, report.changes);
    }
    if is_refused(&joined) {
        // What would have been done is not part of the report of what was done.
        joined.containers.clear();
        joined.changes.clear();
    }
    joined
}

fn outcome(reports: &[(&str, TaskDefinitionReport)]) -> Outcome {
    let order = [Outcome::Refused, Outcome::Rewritten, Outcome::Unchanged];
    let is = |outcome: &Outcome| reports.iter().any(|(_, report)| report.outcome == *outcome);
    order.into_iter().find(is).unwrap_or(Outcome::LeftAlone)
}

/// The findings of all recipes in order: what all of them say is said once, all else with the recipe's name.
fn named_findings(reports: &mut [(&str, TaskDefinitionReport)]) -> Vec<Finding> {
    let lists: Vec<(&str, Vec<Finding>)> = reports
        .iter_mut()
        .map(|(name, report)| (*name, std::mem::take(&mut report.findings)))
        .collect();
    let by_all = |finding: &Finding| lists.iter().all(|(_, list)| list.contains(finding));
    let mut findings = Vec::new();
    for (position, (name, list)) in lists.iter().enumerate() {
        for finding in list {
            match (by_all(finding), position) {
                (true, 0) => findings.push(finding.clone()),
                (true, _) => {}
                (false, _) => findings.push(named(name, finding.clone())),
            }
        }
    }
    findings
}

fn named(recipe: &str, mut finding: Finding) -> Finding {
    // This one names the recipe itself.
    if finding.code != Code::NotInstrumented {
        finding.message = format!("recipe `{recipe}`: {}", finding.message);
    }
    finding
}

/// Adds what a recipe did with the containers to what others did; the n-th of a name is the n-th of that name.
pub(crate) fn add_containers(all: &mut Vec<ContainerReport>, more: Vec<ContainerReport>) {
    let mut taken = vec![false; all.len()];
    for container in more {
        let known = all
            .iter_mut()
            .zip(&mut taken)
            .find(|(known, taken)| !**taken && known.name == container.name);
        match known {
            Some((known, taken)) => {
                *taken = true;
                known.sidecar |= container.sidecar;
                known.wrapped |= container.wrapped;
                if known.processes.is_empty() {
                    known.processes = container.processes;
                }
                add_lines(&mut known.changes, container.changes);
            }
            None => all.push(container),
        }
    }
}

pub(crate) fn add_lines(all: &mut Vec<String>, more: Vec<String>) {
    for line in more {
        // Whatever became of it since: it was not there before.
        let added = line
            .strip_suffix("changed")
            .map(|place| format!("{place}added"));
        if !all.contains(&line) && added.is_none_or(|added| !all.contains(&added)) {
            all.push(line);
        }
    }
}

/// Adds what a recipe did in a later turn: it has said what it has to say in its first one, unless it refuses now.
fn add_turn(report: &mut TaskDefinitionReport, name: &str, more: TaskDefinitionReport) {
    if is_refused(&more) {
        for finding in more.findings {
            refuse_with(report, named(name, finding));
        }
    } else if !is_refused(report) {
        add_containers(&mut report.containers, more.containers);
        add_lines(&mut report.changes, more.changes);
    }
}

fn refuse(report: &mut TaskDefinitionReport, refusal: &Refusal) {
    refuse_with(report, refusal.clone().finding(None));
}

fn refuse_with(report: &mut TaskDefinitionReport, finding: Finding) {
    report.outcome = Outcome::Refused;
    report.containers.clear();
    report.changes.clear();
    report.findings.push(finding);
}

/// Recipes whose turns do not come to an end.
fn disagreement(recipes: usize, later: &[(&str, TaskDefinitionReport)]) -> Refusal {
    let last = later.iter().rev().take(recipes).rev();
    let still = last.filter(|(_, report)| report.outcome == Outcome::Rewritten);
    let wanted = still.map(|(name, report)| format!("`{name}` changes {}", would_change(report)));
    Refusal::new(
        Code::RecipesDisagree,
        format!(
            "the recipes undo each other's changes again and again: {}",
            wanted.collect::<Vec<_>>().join("; ")
        ),
        "give them inputs that agree, or use one of them",
    )
}

/// What a rewrite would change, in one line.
pub(crate) fn would_change(report: &TaskDefinitionReport) -> String {
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
