//! One container: planned for each combination of the conditions that decide what it runs.
//!
//! Entry point, command, image and user decide together, so the container is planned as a whole
//! for every combination, as if it had no conditions; each property is then written back as
//! `Fn::If` over the conditions that matter to it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::Assignment;
use crate::container::View;
use crate::edit::{CannotMerge, Edit, apply};
use crate::image::ImageRequest;
use crate::recipe::{Arrangement, ContainerFacts, Workload, Wrapping};
use crate::report::{Code, ProcessChange};

use super::facts::{
    check_user, facts, needs_config, replaced_variables, said_about_image, ways_out, words,
};
use super::image::{Inspected, Lookup, inspect, references};
use super::slots::Slot;
use super::task::render_refusal;
use super::variant::{Variant, folded, variants};
use super::wrap::{Recognised, Stated, Words, arrange, recognise};
use super::{Note, Refusal, Task, merge};

/// What is to be done with one container.
pub(crate) struct SlotPlan {
    /// Edits for each combination of conditions, with the container as it is there.
    variants: Vec<(Assignment, Map<String, Value>, Vec<Edit>)>,
    /// The sidecars that it needs.
    pub(crate) sidecars: BTreeSet<usize>,
    /// What the recipe's texts may say about it.
    pub(crate) facts: ContainerFacts,
    pub(crate) notes: Vec<Note>,
    pub(crate) processes: Vec<ProcessChange>,
}

/// The questions about a container's image: none where its config does not matter.
pub(crate) fn requests(task: &Task<'_>, slot: &Slot<'_>) -> Vec<ImageRequest> {
    let mut requests = Vec::new();
    for variant in variants(task, slot).unwrap_or_default() {
        let view = View::new(task.dialect, &variant.container);
        let needed = match words(task, view, "entryPoint", &variant.given) {
            Ok(entry_point) => needs_config(task, view, &entry_point),
            Err(_) => false,
        };
        if let (true, Some(image)) = (needed, view.get("image"))
            && let Ok(found) = references(task, image, &variant.given)
        {
            requests.extend(found.references.into_iter().map(|reference| ImageRequest {
                reference,
                platform: task.platform.clone(),
            }));
        }
    }
    requests
}

/// Plans a container, for every combination of conditions.
pub(crate) fn plan_slot(
    task: &Task<'_>,
    slot: &Slot<'_>,
    lookup: Lookup<'_>,
) -> Result<SlotPlan, Vec<Refusal>> {
    if View::new(task.dialect, slot.container).has_generated_keys() {
        return Err(vec![Refusal::new(
            Code::CannotReadContainers,
            "the container takes settings from a transform".to_owned(),
            "write the container definition inline",
        )]);
    }
    let variants = variants(task, slot).map_err(|refusal| vec![refusal])?;
    let mut plan: Option<SlotPlan> = None;
    let mut refusals: Vec<Refusal> = Vec::new();
    for variant in variants {
        match plan_variant(task, &variant, lookup) {
            Ok(one) => plan = Some(joined(plan, one)),
            Err(found) => {
                let when = conditions_text(&variant.given, slot);
                refusals.extend(found.into_iter().map(|refusal| refusal.when(&when)));
            }
        }
    }
    refusals.dedup();
    match plan {
        Some(plan) if refusals.is_empty() => Ok(named_by_conditions(plan, slot)),
        _ => Err(refusals),
    }
}

fn joined(all: Option<SlotPlan>, one: SlotPlan) -> SlotPlan {
    let Some(mut all) = all else { return one };
    all.variants.extend(one.variants);
    all.sidecars.extend(one.sidecars);
    for note in one.notes {
        if !all.notes.contains(&note) {
            all.notes.push(note);
        }
    }
    all.processes.extend(one.processes);
    all
}

/// Says with each process under which conditions it runs, where they differ.
fn named_by_conditions(mut plan: SlotPlan, slot: &Slot<'_>) -> SlotPlan {
    let (first, rest) = match plan.processes.split_first() {
        Some(split) => split,
        None => return plan,
    };
    let same = |one: &ProcessChange, other: &ProcessChange| {
        one.before == other.before && one.after == other.after
    };
    if rest.iter().all(|process| same(process, first)) {
        plan.processes.truncate(1);
        return plan;
    }
    for (process, (given, _, _)) in plan.processes.iter_mut().zip(&plan.variants) {
        process.given = Some(conditions_text(given, slot));
    }
    plan
}

/// A combination of conditions for a person, without those that the container itself stands under.
fn conditions_text(given: &Assignment, slot: &Slot<'_>) -> String {
    let deciding = given
        .iter()
        .filter(|(name, _)| !slot.given.contains_key(*name));
    let texts: Vec<String> = deciding
        .map(|(name, truth)| match truth {
            true => name.clone(),
            false => format!("not {name}"),
        })
        .collect();
    texts.join(" and ")
}

/// Plans a container as if it had no conditions.
fn plan_variant(
    task: &Task<'_>,
    variant: &Variant<'_>,
    lookup: Lookup<'_>,
) -> Result<SlotPlan, Vec<Refusal>> {
    let refuse = |refusal| vec![refusal];
    let view = View::new(task.dialect, &variant.container);
    let given = &variant.given;
    let entry_point = words(task, view, "entryPoint", given).map_err(refuse)?;
    let command = words(task, view, "command", given).map_err(refuse)?;
    if entry_point == Words::List(vec![Value::from("")]) && task.recipe.recipe().wraps() {
        return Err(vec![Refusal::new(
            Code::EmptyArgumentEntryPoint,
            "the entry point is one empty argument, which cannot be started".to_owned(),
            "remove it, or state the program",
        )]);
    }
    check_user(task, view).map_err(refuse)?;
    let mut notes = Vec::new();
    let inspected = match needs_config(task, view, &entry_point) {
        false => None,
        true => {
            let ways_out = ways_out(task, view, &entry_point);
            let lookup = match entry_point.is_absent() {
                true => lookup.without_assumptions(),
                false => lookup,
            };
            Some(inspect(task, view.get("image"), given, lookup, &ways_out).map_err(refuse)?)
        }
    };
    let config = inspected.as_ref().map(|inspected| &inspected.config);
    if let Some(config) = config {
        said_about_image(task, view, &entry_point, config, &mut notes).map_err(refuse)?;
    }
    let stated = Stated {
        entry_point: &entry_point,
        command: &command,
        image_entry_point: texts(config.map(|config| config.entrypoint.as_slice())),
        image_command: texts(config.map(|config| config.cmd.as_slice())),
    };
    let wrappings = task
        .recipe
        .wrappings()
        .map_err(|error| refuse(render_refusal(&error)))?;
    let recognised = recognise(&stated, &wrappings);
    let facts = facts(task, view, given, config, recognised);
    let workload = task
        .recipe
        .workload(&task.facts, &facts)
        .map_err(|error| refuse(render_refusal(&error)))?;
    let edits = variant_edits(&stated, recognised, &workload, inspected, &mut notes)?;
    replaced_variables(view, &workload.settings, &mut notes);
    let processes = process_change(task, variant, &stated, &edits);
    Ok(SlotPlan {
        sidecars: workload.sidecars.iter().copied().collect(),
        variants: vec![(given.clone(), variant.container.clone().into_owned(), edits)],
        facts,
        notes,
        processes,
    })
}

/// Everything that is done to the container under one combination.
fn variant_edits(
    stated: &Stated<'_>,
    recognised: Recognised,
    workload: &Workload,
    inspected: Option<Inspected>,
    notes: &mut Vec<Note>,
) -> Result<Vec<Edit>, Vec<Refusal>> {
    let refusals = workload.refusals.iter().map(|refusal| Refusal {
        code: Code::RecipeRefused,
        message: refusal.message.clone(),
        hint: refusal.hint.clone(),
    });
    let refusals: Vec<Refusal> = refusals.collect();
    if !refusals.is_empty() {
        return Err(refusals);
    }
    for warning in &workload.warnings {
        let note = Note::new(Code::AssumesOfImage, warning.message.clone());
        notes.push(note.with_hint(warning.hint.clone()));
    }
    let mut edits = Vec::new();
    if let Some((parameters, reference)) = inspected.and_then(|inspected| inspected.resolved) {
        let names: Vec<String> = parameters.iter().map(|name| format!("`{name}`")).collect();
        notes.push(Note::new(
            Code::ParameterResolved,
            format!(
                "the image is written as it was inspected; {} no longer choose it",
                names.join(", ")
            ),
        ));
        edits.push(Edit::Set(
            vec!["image".to_owned()],
            Value::String(reference),
        ));
    }
    let process = process_edits(stated, recognised, workload.process.as_ref(), notes);
    edits.extend(process.map_err(|refusal| vec![refusal])?);
    edits.extend(merge::edits(&workload.settings));
    Ok(edits)
}

fn process_edits(
    stated: &Stated<'_>,
    recognised: Recognised,
    wrapping: Option<&Wrapping>,
    notes: &mut Vec<Note>,
) -> Result<Vec<Edit>, Refusal> {
    match recognised {
        Recognised::Foreign => Err(Refusal::new(
            Code::ForeignInstrumentation,
            "the process mentions the recipe's wrapper, but does not start with it".to_owned(),
            "remove the wrapper from entry point and command; the recipe adds it",
        )),
        Recognised::InImage => {
            notes.push(Note::new(
                Code::WrapperInImage,
                "the image itself starts the recipe's wrapper".to_owned(),
            ));
            Ok(Vec::new())
        }
        Recognised::Wrapped => {
            notes.push(Note::new(
                Code::AlreadyInstrumented,
                "the process starts with the recipe's wrapper already".to_owned(),
            ));
            Ok(Vec::new())
        }
        Recognised::Plain => {
            let Some(wrapping) = wrapping else {
                return Ok(Vec::new());
            };
            if !matches!(
                wrapping.arrangement,
                Arrangement::Prefix | Arrangement::None
            ) {
                notes.push(Note::new(
                    Code::OverrideChangesProgram,
                    "a command override at run time no longer replaces the command alone"
                        .to_owned(),
                ));
            }
            arrange(stated, wrapping)
        }
    }
}

fn texts(list: Option<&[String]>) -> Vec<Value> {
    list.unwrap_or_default()
        .iter()
        .cloned()
        .map(Value::String)
        .collect()
}

fn process_change(
    task: &Task<'_>,
    variant: &Variant<'_>,
    stated: &Stated<'_>,
    edits: &[Edit],
) -> Vec<ProcessChange> {
    if !task.recipe.recipe().wraps() {
        return Vec::new();
    }
    let shown = |words: (Words, Words)| [words.0.shown(), words.1.shown()].concat();
    let before = shown(stated.effective());
    let mut changed = variant.container.clone().into_owned();
    let rearranged = edits.iter().any(|edit| matches!(edit, Edit::Set(path, _) if path.len() == 1 && path.iter().any(|key| key == "entryPoint")));
    let after = match rearranged && apply(&mut changed, edits, task.at(&variant.given)).is_ok() {
        true => {
            let view = View::new(task.dialect, &changed);
            let part = |key| words(task, view, key, &variant.given);
            match (part("entryPoint"), part("command")) {
                (Ok(entry_point), Ok(command)) => shown((entry_point, command)),
                _ => before.clone(),
            }
        }
        false => before.clone(),
    };
    vec![ProcessChange {
        given: None,
        before,
        after,
    }]
}

/// Applies a container's plan; gives the new container and what has changed, one line each.
pub(crate) fn apply_slot(
    task: &Task<'_>,
    slot: &Slot<'_>,
    plan: &SlotPlan,
) -> Result<(Map<String, Value>, Vec<String>), CannotMerge> {
    let Some((_, _, first)) = plan.variants.first() else {
        return Ok((slot.container.clone(), Vec::new()));
    };
    if plan.variants.iter().all(|(_, _, edits)| edits == first) {
        let mut container = slot.container.clone();
        let said = apply(&mut container, first, task.at(&slot.given))?;
        return Ok((container, said));
    }
    let mut rows = Vec::new();
    let mut said: Vec<String> = Vec::new();
    for (given, before, edits) in &plan.variants {
        let mut after = before.clone();
        for line in apply(&mut after, edits, task.at(given))? {
            if !said.contains(&line) {
                said.push(line);
            }
        }
        rows.push((given, before, after));
    }
    Ok((folded(slot.container, &rows), said))
}
