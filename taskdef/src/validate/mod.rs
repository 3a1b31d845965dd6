//! What ECS would not take, or could not run: rules that a task definition has to keep after the rewrite.
//!
//! Only what the rewrite broke is an error; what was broken before is a warning. Violations are
//! compared by rule and subject, for each combination of conditions by itself: branches that
//! exclude each other are never added up, and may share a name. What only a deployment knows
//! breaks no rule.

mod containers;
mod explore;
mod fargate;
mod grow;
mod length;
mod ports;
mod read;
mod references;
mod reserved;
mod size;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::cloudformation::conditions::By;
use crate::cloudformation::find::Found;
use crate::cloudformation::intrinsic::Assignment;
use crate::cloudformation::launch::OldPlatform;
use crate::plan::compose::changed;
use crate::plan::instrument::Instrumented;
use crate::plan::scope::not_fargate;
use crate::plan::task::{Run, Task};
use crate::report::{Code, Finding, Outcome, Severity};
use crate::settings::{LaunchTypes, Settings, TaskSize};
use crate::source::Change;
use crate::work::Basis;

use explore::{Explored, MAX_COMBINATIONS, Setting, Tree, conditions_text, explore};
use read::{Container, Definition, Reader, Version};
use references::{Reference, references};

/// A task definition's surroundings, as far as rules depend on them.
#[derive(Clone, Copy)]
struct Surroundings<'s> {
    setting: Setting<'s>,
    settings: &'s Settings,
    /// Its logical ID.
    id: &'s str,
    /// Whether it can run on Fargate.
    fargate: bool,
    /// What in the document runs tasks on an old platform version.
    old_platforms: &'s [OldPlatform<'s>],
}

/// A task definition under one combination of conditions.
struct Case<'c, 'v> {
    reader: &'c Reader<'c>,
    definition: &'c Definition<'v>,
    references: &'c [Reference<'v>],
    surroundings: &'c Surroundings<'c>,
    /// All of it, where it may be too long.
    whole: Option<&'v Map<String, Value>>,
}

/// A rule that is broken.
#[derive(Clone, Debug)]
struct Violation {
    code: Code,
    /// What breaks it: the same before and after a rewrite that does not concern it.
    subject: String,
    /// The container that it is about, where there is one.
    container: Option<String>,
    message: String,
    hint: Cow<'static, str>,
}

impl Violation {
    fn new(code: Code, subject: String, message: String, hint: &'static str) -> Self {
        Violation {
            code,
            subject,
            container: None,
            message,
            hint: Cow::Borrowed(hint),
        }
    }

    /// The one with the same rule and subject.
    fn known<'k>(&self, others: &'k [Violation]) -> Option<&'k Violation> {
        let mut others = others.iter();
        others.find(|other| (other.code, &other.subject) == (self.code, &self.subject))
    }

    /// The same, about a container.
    fn of(mut self, container: &Container<'_>) -> Self {
        self.container = Some(container.label.clone().into_owned());
        self
    }
}

/// Some rules compare containers with each other. With more than these, only the number is told, which ECS does not take.
const MAX_CONTAINERS: usize = 500;

/// Every rule, in the order of their findings.
const RULES: &[fn(&Case<'_, '_>, &mut Vec<Violation>)] = &[
    containers::names,
    containers::count,
    containers::essential,
    references::to_nothing,
    references::cycles,
    references::conditions,
    containers::variables,
    ports::taken_twice,
    ports::host,
    fargate::capabilities,
    fargate::privileged,
    fargate::links,
    fargate::host_volumes,
    reserved::task_size,
    reserved::sums,
    reserved::reservations,
    fargate::platform_version,
    fargate::pid_mode,
    containers::memory,
    containers::execution_role,
    length::check,
];

/// Holds what became of a task definition against the rules; what breaks one is refused.
pub(crate) fn validated(
    run: Run<'_>,
    found: &Found<'_>,
    properties: &Map<String, Value>,
    others: &[&Value],
    mut one: Instrumented,
) -> Instrumented {
    let settings = run.settings;
    let is_left = matches!(one.report.outcome, Outcome::LeftAlone | Outcome::Refused);
    let grows = settings.task_size == TaskSize::Grow;
    // Without changes there are warnings only, and here nobody asks for those.
    if is_left || one.changes.is_empty() && settings.only_refusals && !grows {
        return one;
    }
    let given = found
        .condition
        .map(|condition| (condition.to_owned(), true));
    let given = given.into_iter().collect();
    let surroundings = Surroundings {
        setting: Setting {
            dialect: run.dialect,
            template: run.template,
            given: &given,
        },
        settings,
        id: &found.id,
        // Nothing else is in scope, unless all is.
        fargate: settings.launch_types == LaunchTypes::Fargate
            || not_fargate(&Task::new(run, found, properties), others, &found.id).is_none(),
        old_platforms: run.old_platforms,
    };
    if grows {
        grow::grow(surroundings, properties, &mut one);
    }
    let findings = violations(surroundings, properties, &one.changes);
    let is_error = |finding: &Finding| finding.severity == Severity::Error;
    if findings.iter().any(is_error) {
        one.changes.clear();
        // What would have been done is not part of the report of what was done.
        one.report.containers.clear();
        one.report.changes.clear();
        one.report.outcome = Outcome::Refused;
    }
    one.report.findings.extend(findings);
    one
}

/// What a removal breaks: a container that refers to one that goes away.
pub(crate) fn broken_by_removal(
    basis: Basis<'_>,
    found: &Found<'_>,
    properties: &Map<String, Value>,
    changes: &[Change],
) -> Vec<Finding> {
    let given = found
        .condition
        .map(|condition| (condition.to_owned(), true));
    let given = given.into_iter().collect();
    let surroundings = Surroundings {
        setting: Setting {
            dialect: basis.dialect,
            template: basis.template,
            given: &given,
        },
        settings: basis.settings,
        id: &found.id,
        fargate: false,
        old_platforms: basis.old_platforms,
    };
    let mut findings = violations(surroundings, properties, changes);
    // All else was so before the recipe came.
    findings.retain(|finding| {
        finding.severity == Severity::Error && finding.code == Code::RefersToNothing
    });
    for finding in &mut findings {
        finding.message.push_str(" after the removal");
        finding.hint = Some("remove that entry first, or keep the recipe".to_owned());
    }
    findings
}

/// The rules that the properties break after the changes: an error where they did not before, else a warning.
fn violations(
    surroundings: Surroundings<'_>,
    properties: &Map<String, Value>,
    changes: &[Change],
) -> Vec<Finding> {
    let long = length::may_be_over(properties, changes);
    let whole = long
        .then(|| changed(properties, changes.to_vec()))
        .flatten();
    let read = |reader: &Reader<'_>| {
        let broken = |changes, whole| {
            let definition = reader.definition(Version {
                properties,
                changes,
            });
            let case = Case {
                reader,
                definition: &definition,
                references: &references(reader, &definition),
                surroundings: &surroundings,
                whole,
            };
            let mut found = Vec::new();
            match definition.containers.len() {
                0..=MAX_CONTAINERS => RULES.iter().for_each(|rule| rule(&case, &mut found)),
                _ => containers::count(&case, &mut found),
            }
            found
        };
        let after = broken(changes, whole.as_ref());
        if after.is_empty() || changes.is_empty() {
            return after
                .into_iter()
                .map(|violation| (violation, false))
                .collect();
        }
        let before = broken(&[], long.then_some(properties));
        // What was so before is told as it was before.
        after
            .into_iter()
            .map(|violation| match violation.known(&before) {
                Some(known) => (known.clone(), false),
                None => (violation, true),
            })
            .collect()
    };
    findings(&explore(surroundings.setting, By::Template, &read))
}

/// Where a violation was found: the leaves where it is there, and those where the rewrite brought it.
struct Places<'v> {
    violation: &'v Violation,
    at: BTreeSet<usize>,
    new_at: BTreeSet<usize>,
}

/// One finding for each rule and subject, whatever the number of combinations.
fn findings(explored: &Explored<Vec<(Violation, bool)>>) -> Vec<Finding> {
    if matches!(&explored.tree, Tree::Leaf(found) if found.is_empty()) && !explored.partial {
        return Vec::new();
    }
    let leaves = explored.tree.leaves();
    let mut order: Vec<Places<'_>> = Vec::new();
    let mut known: BTreeMap<(Code, &str), usize> = BTreeMap::new();
    for (leaf, (_, found)) in leaves.iter().enumerate() {
        for (violation, is_new) in *found {
            let key = (violation.code, violation.subject.as_str());
            let position = *known.entry(key).or_insert_with(|| {
                order.push(Places {
                    violation,
                    at: BTreeSet::new(),
                    new_at: BTreeSet::new(),
                });
                order.len() - 1
            });
            if let Some(places) = order.get_mut(position) {
                places.at.insert(leaf);
                if *is_new {
                    // The numbers of the case that is refused.
                    if places.new_at.is_empty() {
                        places.violation = violation;
                    }
                    places.new_at.insert(leaf);
                }
            }
        }
    }
    let mut findings: Vec<Finding> = order
        .iter()
        .map(|places| finding(places, &leaves))
        .collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    if explored.partial {
        findings.push(unchecked());
    }
    findings
}

fn finding<T>(places: &Places<'_>, leaves: &[(Assignment, T)]) -> Finding {
    let (severity, at) = match places.new_at.is_empty() {
        true => (Severity::Warning, &places.at),
        false => (Severity::Error, &places.new_at),
    };
    let violation = places.violation;
    let mut message = violation.message.clone();
    if severity == Severity::Warning {
        message.push_str(", already before the rewrite");
    }
    let first = at.first().copied();
    if let Some(when) = first.and_then(|first| conditions_text(leaves, at, first)) {
        message = format!("{message} (when {when})");
    }
    Finding {
        code: violation.code,
        severity,
        container: violation.container.clone(),
        image: None,
        message,
        hint: Some(violation.hint.clone().into_owned()),
    }
}

/// Too many conditions are no reason to refuse: what ECS does not take, it says itself.
fn unchecked() -> Finding {
    Finding {
        code: Code::CombinationsNotChecked,
        severity: Severity::Warning,
        container: None,
        image: None,
        message: format!(
            "more than {MAX_COMBINATIONS} combinations of conditions decide what ECS is given, and the rest was not checked one by one"
        ),
        hint: Some("use fewer conditions, or check the stack in a test deployment".to_owned()),
    }
}
