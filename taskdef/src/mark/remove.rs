//! Recipes are taken off every task definition of a document.

use serde_json::{Map, Value};

use crate::cloudformation::find::Found;
use crate::cloudformation::intrinsic::Assignment;
use crate::container::{Setting, View};
use crate::plan::compose::{add_containers, add_lines, differences};
use crate::plan::instrument::Instrumented;
use crate::plan::select::repository;
use crate::plan::task::Run;
use crate::plan::{Note, Refusal};
use crate::recipe::{ImageSecrets, Wrapping};
use crate::report::{Code, Finding, Outcome, Severity, TaskDefinitionReport};
use crate::settings::{KnownAgent, OnUnresolved, Settings};
use crate::source::Change;
use crate::validate::broken_by_removal;
use crate::work::{Basis, Work, told, unreadable};
use crate::{DocumentError, Rewritten};

use super::tag::tagged;
use super::take::{Ground, Purpose, Taken, taken_off};
use super::unmarked::taken_apart;
use super::{Removal, each_container, labels_in};

/// Takes recipes off; each task definition changes whole, or not at all.
pub(crate) fn remove(
    work: Work<'_>,
    removal: &Removal<'_>,
    settings: &Settings,
) -> Result<Rewritten, DocumentError> {
    work.done(removal.recipes, settings, |runs, survey, basis| {
        let mut rewritten = Rewritten::default();
        rewritten.report.findings = survey.findings;
        for found in &survey.found {
            let one = removed(basis, runs, found, removal);
            let changes = one.changes.into_iter().map(|change| Change {
                path: [found.path.as_slice(), &change.path].concat(),
                ..change
            });
            rewritten.changes.extend(changes);
            let told = told(one.report, settings);
            rewritten.report.task_definitions.push(told);
        }
        let secrets = ImageSecrets::of(removal.recipes, settings);
        rewritten.report = rewritten.report.without(&secrets);
        if rewritten.report.is_refused() && settings.on_unresolved == OnUnresolved::Fail {
            rewritten.changes.clear();
        }
        rewritten
    })
}

fn removed(
    basis: Basis<'_>,
    runs: &[Run<'_>],
    found: &Found<'_>,
    removal: &Removal<'_>,
) -> Instrumented {
    let mut report = TaskDefinitionReport {
        id: found.id.clone(),
        outcome: Outcome::LeftAlone,
        containers: Vec::new(),
        changes: Vec::new(),
        findings: Vec::new(),
    };
    let Some(properties) = found.properties else {
        report = unreadable(&found.id);
        return Instrumented {
            changes: Vec::new(),
            report,
        };
    };
    if let Some(note) = not_meant(basis, found) {
        report.findings.push(note.finding(None));
        return Instrumented {
            changes: Vec::new(),
            report,
        };
    }
    let after = without(basis, runs, found, properties, removal, &mut report);
    let mut changes = Vec::new();
    if let Some(after) = after.filter(|after| after != properties) {
        changes = differences(properties, after);
        report.outcome = Outcome::Rewritten;
        let broken = broken_by_removal(basis, found, properties, &changes);
        report.findings.extend(broken);
    }
    let is_error = |finding: &Finding| finding.severity == Severity::Error;
    if report.findings.iter().any(is_error) {
        report.outcome = Outcome::Refused;
        report.containers.clear();
        report.changes.clear();
        changes.clear();
    } else if report.outcome == Outcome::LeftAlone {
        report.containers.clear();
        let told = |finding: &Finding| finding.code == Code::NotMarked;
        if !report.findings.iter().any(told) {
            report.findings.push(carries_none(removal).finding(None));
        }
    }
    Instrumented { changes, report }
}

/// Why a task definition is not meant, if it is not: only what a person selects by JSONPath
/// counts, because its tags are about being instrumented.
fn not_meant(basis: Basis<'_>, found: &Found<'_>) -> Option<Note> {
    let matched = basis.matched.of(found)?;
    let narrowed = !basis.settings.selection.include.is_empty();
    let why = match (matched.exclude.task, narrowed && matched.include.is_empty()) {
        (true, _) => "`exclude` matches it",
        (false, true) => "no `include` matches it",
        (false, false) => return None,
    };
    Some(Note::new(Code::NotSelected, why.to_owned()))
}

fn carries_none(removal: &Removal<'_>) -> Note {
    let names: Vec<String> = removal
        .names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let why = match names.as_slice() {
        [] => "it carries no recipe".to_owned(),
        [one] => format!("it does not carry the recipe {one}"),
        _ => format!("it carries none of the recipes {}", names.join(", ")),
    };
    let hint = "without a marker a recipe is recognised only where it is given with its inputs";
    let hint = removal.recipes.is_none().then(|| hint.to_owned());
    Note::new(Code::CarriesNoRecipe, why).with_hint(hint)
}

/// The task definition without the recipes; nothing where something keeps one of them from being taken off.
fn without(
    basis: Basis<'_>,
    runs: &[Run<'_>],
    found: &Found<'_>,
    properties: &Map<String, Value>,
    removal: &Removal<'_>,
    report: &mut TaskDefinitionReport,
) -> Option<Map<String, Value>> {
    let given: Assignment = found
        .condition
        .map(|condition| (condition.to_owned(), true))
        .into_iter()
        .collect();
    let ground = Ground {
        dialect: basis.dialect,
        template: basis.template,
        given: &given,
    };
    let labels = labels_in(basis.dialect, properties);
    let mut marked: Vec<(&String, u64)> = labels
        .iter()
        .filter(|(recipe, _)| removal.means(recipe))
        .map(|(recipe, labels)| (recipe, labels.order()))
        .collect();
    // The last that was applied comes off first.
    marked.sort_by_key(|(_, order)| std::cmp::Reverse(*order));
    report
        .findings
        .extend(without_labels(basis, runs, properties, removal));
    report
        .findings
        .extend(unmarked(basis, runs, properties, removal));
    let mut current = properties.clone();
    let mut add = |current: &mut Map<String, Value>, taken: Taken| {
        add_containers(&mut report.containers, taken.containers);
        add_lines(&mut report.changes, taken.changes);
        *current = taken.properties;
    };
    let mut findings = Vec::new();
    for (recipe, _) in marked {
        match taken_off(ground, &current, recipe, Purpose::Removal) {
            Ok(taken) => add(&mut current, taken),
            Err(refused) => findings.extend(refused),
        }
    }
    let unmarked = runs.iter().rev().filter(|run| {
        let name = run.recipe_name();
        removal.means(name) && !labels.contains_key(name)
    });
    for run in unmarked {
        match taken_apart(*run, found, &current, &mut findings) {
            Ok(Some(taken)) => add(&mut current, taken),
            Ok(None) => {}
            Err(refused) => findings.extend(refused),
        }
    }
    let refused = findings
        .iter()
        .any(|finding| finding.severity == Severity::Error);
    report.findings.extend(findings);
    (!refused).then_some(current)
}

/// Recipes that the tag names and no label, which nothing else recognises.
fn without_labels(
    basis: Basis<'_>,
    runs: &[Run<'_>],
    properties: &Map<String, Value>,
    removal: &Removal<'_>,
) -> Vec<Finding> {
    let labels = labels_in(basis.dialect, properties);
    let known =
        |name: &str| labels.contains_key(name) || runs.iter().any(|run| run.recipe_name() == name);
    let tagged = tagged(basis.dialect, properties).into_iter();
    let tagged = tagged.filter(|(name, _)| removal.means(name) && !known(name));
    tagged
        .map(|(name, _)| {
            let refusal = Refusal::new(
                Code::CannotTakeApart,
                format!(
                    "the tag names the recipe `{name}`, and no container has its label any more"
                ),
                "give the recipe with its inputs, so that what it wrote is recognised",
            );
            refusal.finding(None)
        })
        .collect()
}

/// Recipes that a task definition carries without a marker, by their sidecars and wrappers, and that are not given
/// with their inputs: an error where they are meant by name, else a warning.
fn unmarked(
    basis: Basis<'_>,
    runs: &[Run<'_>],
    properties: &Map<String, Value>,
    removal: &Removal<'_>,
) -> Vec<Finding> {
    let labels = labels_in(basis.dialect, properties);
    let given = |name: &str| runs.iter().any(|run| run.recipe_name() == name);
    let agents = basis.settings.known_agents.iter().filter(|agent| {
        let name = agent.recipe.as_str();
        removal.means(name) && !labels.contains_key(name) && !given(name)
    });
    let definitions = basis.dialect.find(properties, "containerDefinitions");
    let carried = agents.filter(|agent| {
        let mut found = false;
        if let Some(definitions) = definitions {
            each_container(definitions, &mut |container| {
                found |= is_of(agent, View::new(basis.dialect, container));
            });
        }
        found
    });
    let finding = |agent: &KnownAgent| {
        let why = format!("it carries the recipe `{}` without a marker", agent.recipe);
        let hint = "give the recipe by name with its inputs, so that what it wrote is recognised";
        match removal.names.is_empty() {
            true => Note::new(Code::NotMarked, why)
                .with_hint(Some(hint.to_owned()))
                .finding(None),
            false => Refusal::new(Code::CannotTakeApart, why, hint).finding(None),
        }
    };
    carried.map(finding).collect()
}

/// Whether a container is a sidecar of an agent's by name and image, or starts with its wrapper.
fn is_of(agent: &KnownAgent, container: View<'_>) -> bool {
    let text = |key| match container.text(key) {
        Setting::Known(text) => text,
        _ => String::new(),
    };
    let image = text("image");
    let runs_agent = |known: &String| repository(&image).ends_with(known.as_str());
    let is_sidecar =
        agent.sidecars.contains(&text("name")) && agent.repositories.iter().any(runs_agent);
    let Setting::Known(words) = container.words("entryPoint") else {
        return is_sidecar;
    };
    let starts = |wrapping: &Wrapping| {
        let rest = words.strip_prefix(wrapping.wrapper.as_slice());
        let script = wrapping.script.as_deref().unwrap_or_default();
        let is_script = |rest: &[Value]| {
            let line = rest.first().and_then(Value::as_str);
            script.is_empty() || line.is_some_and(|line| line.starts_with(script))
        };
        !wrapping.wrapper.is_empty() && rest.is_some_and(is_script)
    };
    is_sidecar || agent.wrappings.iter().any(starts)
}
