//! The road through one task definition: select, plan, apply, all or nothing.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::container::{View, shown};
use crate::edit::{self, Edit};
use crate::image::ImageRequest;
use crate::report::{Code, ContainerReport, Finding, Outcome, TaskDefinitionReport};
use crate::source::{Change, Path, Step};

use super::container::{SlotPlan, apply_slot, plan_slot, requests};
use super::image::Lookup;
use super::literal::{refuse_no_values, unknown_definition};
use super::scope::{check_operating_system, out_of_scope};
use super::select::{Choice, check_proxies, choose, excluded, name, not_meant};
use super::sidecar::place_sidecars;
use super::slots::{Slot, slots};
use super::tags::{Tags, tags};
use super::{Note, Refusal, Task, cannot_merge, merge, render_refusal};

/// What became of a task definition, and the changes to its properties, none if it stays as it is.
pub(crate) struct Instrumented {
    pub(crate) changes: Vec<Change>,
    pub(crate) report: TaskDefinitionReport,
}

/// The containers of a task definition, each with what is done about it.
pub(crate) struct Selection<'d> {
    /// The key of the container definitions, as the document spells it.
    key: String,
    /// The container definitions.
    pub(crate) definitions: &'d Value,
    pub(crate) slots: Vec<Slot<'d>>,
    choices: Vec<Choice>,
}

impl Selection<'_> {
    /// The way from the properties to a place in the container definitions, or to an item there.
    pub(crate) fn path(&self, inner: &[Step], item: Option<usize>) -> Path {
        let key = Step::Key(self.key.clone());
        let item = item.map(Step::Index);
        [key]
            .into_iter()
            .chain(inner.iter().cloned())
            .chain(item)
            .collect()
    }
}

/// Whether a task definition is in scope, and meant.
pub(crate) fn is_meant(task: &Task<'_>, others: &[&Value], id: &str) -> bool {
    out_of_scope(task, others, id).is_none() && not_meant(task, &tags(task)).is_none()
}

/// What the images of a task definition are asked.
pub(crate) fn images_needed(
    task: &Task<'_>,
    properties: &Map<String, Value>,
    others: &[&Value],
    id: &str,
) -> BTreeSet<ImageRequest> {
    let mut needed = BTreeSet::new();
    if !is_meant(task, others, id) {
        return needed;
    }
    let mut findings = Vec::new();
    if let Ok(selection) = select(task, properties, &tags(task), &mut findings) {
        for (slot, choice) in selection.slots.iter().zip(&selection.choices) {
            if matches!(choice, Choice::Selected) {
                needed.extend(requests(task, slot));
            }
        }
    }
    needed
}

/// Rewrites a task definition, or says why it stays as it is.
pub(crate) fn instrument(
    task: &Task<'_>,
    properties: &Map<String, Value>,
    others: &[&Value],
    id: &str,
    lookup: Lookup<'_>,
) -> Instrumented {
    let mut report = TaskDefinitionReport {
        id: id.to_owned(),
        outcome: Outcome::LeftAlone,
        containers: Vec::new(),
        changes: Vec::new(),
        findings: Vec::new(),
    };
    if let Some(note) = out_of_scope(task, others, id) {
        report.findings.push(note.finding(None));
        return Instrumented {
            changes: Vec::new(),
            report,
        };
    }
    match rewritten(task, properties, lookup, &mut report) {
        Ok(changes) => Instrumented { changes, report },
        Err(refusals) => {
            // What would have been done is not part of the report of what was done.
            report.containers.clear();
            report.changes.clear();
            report.findings.extend(refusals);
            report.outcome = Outcome::Refused;
            Instrumented {
                changes: Vec::new(),
                report,
            }
        }
    }
}

/// Finds the containers and decides about each.
fn select<'d>(
    task: &Task<'_>,
    properties: &'d Map<String, Value>,
    tags: &Tags,
    findings: &mut Vec<Finding>,
) -> Result<Selection<'d>, Vec<Finding>> {
    let refuse = |refusal: Refusal| vec![refusal.finding(None)];
    if let Some(unknown) = tags.unknown.first() {
        return Err(refuse(Refusal::new(
            Code::UnknownName,
            format!(
                "{unknown} decides whether this is instrumented, and its value is not known here"
            ),
            "give the tag a literal value",
        )));
    }
    refuse_no_values(task, properties)?;
    let view = View::new(task.dialect, properties);
    let definitions = task.dialect.find(properties, "containerDefinitions");
    let incomplete = match (view.has_generated_keys(), definitions) {
        (true, _) => Some("settings of the task definition come from a transform or a loop"),
        (false, None) => Some("the task definition has no container definitions"),
        (false, Some(_)) => None,
    };
    if let Some(why) = incomplete {
        return Err(refuse(Refusal::new(
            Code::CannotReadContainers,
            format!("{why}, so what runs cannot be known"),
            "write the task definition out",
        )));
    }
    let definitions = definitions.unwrap_or(&Value::Null);
    let slots = slots(definitions, &task.given).map_err(refuse)?;
    check_operating_system(task).map_err(refuse)?;
    check_proxies(task, &slots).map_err(refuse)?;
    let mut choices = Vec::new();
    let mut errors = Vec::new();
    for (position, slot) in slots.iter().enumerate() {
        let about = task.about(slot, position);
        match choose(
            task,
            View::new(task.dialect, slot.container),
            &slot.path,
            tags,
        ) {
            Ok(choice) => choices.push(choice),
            Err(refusal) => errors.push(refusal.finding(Some(&about))),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    findings.extend(unmatched_names(task, &slots, tags));
    let named_by = parameters_of_names(task, &slots, tags);
    let named_by = parameterized("the names that the tags select by depend", &named_by);
    findings.extend(named_by.map(|note| note.finding(None)));
    Ok(Selection {
        key: task.dialect.key("", "containerDefinitions").into_owned(),
        definitions,
        slots,
        choices,
    })
}

/// What a person should know about the tags' part in the selection.
fn about_tags(task: &Task<'_>, tags: &Tags) -> Vec<Note> {
    let mut notes = Vec::new();
    let decide = tags.instrument == Some(true) || tags.only.is_some();
    if decide && excluded(task) {
        let why = "a tag selects it, and wins over the `exclude` that matches it";
        notes.push(Note::new(Code::TagOverExclude, why.to_owned()));
    }
    notes.extend(parameterized(
        "the tags that select it depend",
        &tags.parameters,
    ));
    notes
}

/// Says that the selection follows the values that template parameters have here.
fn parameterized(what: &str, parameters: &BTreeSet<String>) -> Option<Note> {
    let names: Vec<String> = parameters.iter().map(|name| format!("`{name}`")).collect();
    let which = match names.as_slice() {
        [] => return None,
        [one] => format!("the parameter {one}, whose value here was taken"),
        _ => format!(
            "the parameters {}, whose values here were taken",
            names.join(", ")
        ),
    };
    let note = Note::new(Code::ParameterizedSelection, format!("{what} on {which}"));
    let hint = "rewrite again when a deployment gives another value, or write it as text";
    Some(note.with_hint(Some(hint.to_owned())))
}

/// Template parameters that the names of containers depend on, where tags select by name.
fn parameters_of_names(task: &Task<'_>, slots: &[Slot<'_>], tags: &Tags) -> BTreeSet<String> {
    let slots = slots.iter().filter(|_| tags.name_containers());
    slots
        .filter_map(|slot| name(task, View::new(task.dialect, slot.container)))
        .flat_map(|name| name.parameters)
        .collect()
}

/// Names in tags that no container has.
fn unmatched_names(task: &Task<'_>, slots: &[Slot<'_>], tags: &Tags) -> Vec<Finding> {
    let known: BTreeSet<String> = slots
        .iter()
        .filter_map(|slot| name(task, View::new(task.dialect, slot.container)))
        .map(|name| name.text)
        .collect();
    let stated = tags.only.iter().flatten().chain(&tags.except);
    stated
        .filter(|name| !known.contains(*name))
        .map(|name| {
            let which = match tags.hidden.contains(name) {
                true => "a container".to_owned(),
                false => format!("the container `{name}`"),
            };
            let why = format!("a tag names {which}, which is not there");
            Note::new(Code::SelectionTag, why).finding(None)
        })
        .collect()
}

fn rewritten(
    task: &Task<'_>,
    properties: &Map<String, Value>,
    lookup: Lookup<'_>,
    report: &mut TaskDefinitionReport,
) -> Result<Vec<Change>, Vec<Finding>> {
    let tags = tags(task);
    let notes = tags.notes.iter().cloned().chain(about_tags(task, &tags));
    let notes = notes.chain(not_meant(task, &tags));
    report.findings.extend(notes.map(|note| note.finding(None)));
    if not_meant(task, &tags).is_some() {
        return Ok(Vec::new());
    }
    if let Some(unknown) = unknown_definition(task) {
        report.findings.push(unknown?.finding(None));
        return Ok(Vec::new());
    }
    let selection = select(task, properties, &tags, &mut report.findings)?;
    let mut plans = plan_all(task, &selection, lookup, report)?;
    if plans.iter().all(Option::is_none) {
        let note = Note::new(Code::NotSelected, "no container to instrument".to_owned());
        report.findings.push(note.finding(None));
        return Ok(Vec::new());
    }
    if plans.iter().flatten().all(|plan| plan.sidecars.is_empty()) {
        report.findings.extend(needless_sidecars(task, &selection));
    }
    let refuse = |refusal: Refusal| vec![refusal.finding(None)];
    let mut changes = apply_all(task, &selection, &mut plans, report)?;
    place_sidecars(task, &selection, &plans, &mut changes, report)?;
    let facts: Vec<_> = plans
        .iter()
        .flatten()
        .map(|plan| plan.facts.clone())
        .collect();
    let mut settings = task
        .recipe
        .task(&task.facts, &facts)
        .map_err(|error| refuse(render_refusal(&error)))?;
    // The execution role is the user's: one that the document states is never replaced.
    let role = task.stated.get("executionRoleArn");
    let kept = role.is_some() && role != settings.get("executionRoleArn");
    if kept && settings.shift_remove("executionRoleArn").is_some() {
        let why = "the task definition has an execution role already, and keeps it";
        let note = Note::new(Code::ExecutionRoleKept, why.to_owned());
        report.findings.push(note.finding(None));
    }
    if task.recipe.reads_family() && task.view.get("family").is_none() {
        let note = Note::new(Code::FamilyDefault, no_family(task));
        report.findings.push(note.finding(None));
    }
    let edits = merge::edits(task.dialect, &settings);
    let edits: Vec<&Edit> = edits.iter().collect();
    let (new, said) = edit::changed(properties, &edits, task.at(&task.given))
        .map_err(|place| refuse(cannot_merge(task.dialect, &place)))?;
    report.changes = said;
    changes.extend(new.map(|new| Change {
        path: Path::new(),
        new,
    }));
    report.outcome = match changes.is_empty() {
        true => Outcome::Unchanged,
        false => Outcome::Rewritten,
    };
    Ok(changes)
}

fn no_family(task: &Task<'_>) -> String {
    let stands = shown(&task.facts.family);
    format!(
        "the task definition states no family; the recipe's settings say `{stands}` in its place"
    )
}

/// Containers with the name of a sidecar that nothing needs: left alone, and said so.
fn needless_sidecars(task: &Task<'_>, selection: &Selection<'_>) -> Vec<Finding> {
    let slots = selection.slots.iter().zip(&selection.choices).enumerate();
    slots
        .filter(|(_, (_, choice))| matches!(choice, Choice::OwnSidecar))
        .map(|(position, (slot, _))| {
            let why = "it has the name of the recipe's sidecar, which is not needed here";
            let about = task.about(slot, position);
            Note::new(Code::NotWrapped, why.to_owned()).finding(Some(&about))
        })
        .collect()
}

fn plan_all<'d>(
    task: &Task<'_>,
    selection: &Selection<'d>,
    lookup: Lookup<'_>,
    report: &mut TaskDefinitionReport,
) -> Result<Vec<Option<SlotPlan<'d>>>, Vec<Finding>> {
    let mut plans = Vec::new();
    let mut errors = Vec::new();
    for (position, (slot, choice)) in selection.slots.iter().zip(&selection.choices).enumerate() {
        let about = task.about(slot, position);
        match choice {
            Choice::OwnSidecar | Choice::Sibling => plans.push(None),
            Choice::LeftAlone(note) => {
                report.findings.push(note.clone().finding(Some(&about)));
                plans.push(None);
            }
            Choice::Selected => match plan_slot(task, slot, lookup) {
                Ok(mut plan) => {
                    let notes = plan.as_mut().map(|plan| std::mem::take(&mut plan.notes));
                    let notes = notes.into_iter().flatten();
                    report
                        .findings
                        .extend(notes.map(|note| note.finding(Some(&about))));
                    plans.push(plan);
                }
                Err(refusals) => {
                    let refusals = refusals.into_iter();
                    errors.extend(refusals.map(|refusal| refusal.finding(Some(&about))));
                }
            },
        }
    }
    match errors.is_empty() {
        true => Ok(plans),
        false => Err(errors),
    }
}

fn apply_all(
    task: &Task<'_>,
    selection: &Selection<'_>,
    plans: &mut [Option<SlotPlan<'_>>],
    report: &mut TaskDefinitionReport,
) -> Result<Vec<Change>, Vec<Finding>> {
    let mut changes = Vec::new();
    for (position, (slot, plan)) in selection.slots.iter().zip(plans).enumerate() {
        let about = task.about(slot, position);
        let mut said = Vec::new();
        let mut processes = Vec::new();
        let mut wrapped = false;
        if let Some(plan) = plan {
            let (new, lines) = apply_slot(task, slot, plan)
                .map_err(|place| vec![cannot_merge(task.dialect, &place).finding(Some(&about))])?;
            let path = selection.path(&slot.path, None);
            changes.extend(new.map(|new| Change { path, new }));
            said = lines;
            processes = std::mem::take(&mut plan.processes);
            wrapped = plan.wrapped;
        }
        report.containers.push(ContainerReport {
            name: about.container,
            image: about.image,
            sidecar: false,
            wrapped,
            processes,
            changes: said,
        });
    }
    Ok(changes)
}
