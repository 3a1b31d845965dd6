//! One container: planned for each combination of the conditions that decide what it runs.
//!
//! Entry point, command, image and user decide together, so the container is planned as a whole
//! for every combination, as if it had no conditions; each property is then written back as
//! `Fn::If` over the conditions that matter to it.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;

use crate::cloudformation::conditions::By;
use crate::cloudformation::intrinsic::Assignment;
use crate::container::View;
use crate::edit::{CannotMerge, Edit, apply, changed};
use crate::image::ImageRequest;
use crate::recipe::{ContainerFacts, Workload};
use crate::report::{Code, ProcessChange};
use crate::source::New;

use super::assumed::assumed;
use super::facts::{
    check_user, facts, is_one_empty_word, needs_config, said_about_image, to_state,
    unquotable_texts, words,
};
use super::image::{Inspected, Lookup, References, inspect, question, references};
use super::program::{one_wrapper, process_change, process_edits};
use super::recognise::{Recognised, known, recognise};
use super::rendered::Additions;
use super::replaced::{replaced_entries, replaced_variables};
use super::slots::Slot;
use super::variant::{Variant, folded, variants};
use super::words::{Stated, Words};
use super::{Note, Refusal, Task, render_refusal};

/// What is to be done with one container.
pub(crate) struct SlotPlan<'d> {
    /// Edits for each combination of conditions, with the container as it is there.
    variants: Vec<(Variant<'d>, Edits)>,
    /// The sidecars that it needs.
    pub(crate) sidecars: BTreeSet<usize>,
    /// What the recipe's texts may say about it.
    pub(crate) facts: ContainerFacts,
    pub(crate) notes: Vec<Note>,
    /// Whether the recipe's wrapper starts its program.
    pub(crate) wrapped: bool,
    pub(crate) processes: Vec<ProcessChange>,
}

/// What is done to a container.
#[derive(PartialEq)]
struct Edits {
    /// What is its own: its process, and its image.
    own: Vec<Edit>,
    /// What the recipe asks of others too; none where it stays as it is.
    added: Option<Rc<Additions>>,
}

impl Edits {
    /// What leaves a container as it is.
    const NONE: Edits = Edits {
        own: Vec::new(),
        added: None,
    };

    fn new(own: Vec<Edit>, added: Rc<Additions>) -> Self {
        let added = Some(added);
        Edits { own, added }
    }

    fn all(&self) -> Vec<&Edit> {
        let added = self.added.iter().flat_map(|added| &added.edits);
        self.own.iter().chain(added).collect()
    }
}

/// The questions about a container's image: none where its config does not matter.
pub(crate) fn requests(task: &Task<'_>, slot: &Slot<'_>) -> Vec<ImageRequest> {
    let mut requests = Vec::new();
    for variant in variants(task, slot).unwrap_or_default() {
        // A value that a parameter does not have there is no image to ask about.
        if variant.ruled_out != Some(By::Values)
            && let Some(found) = inspected_references(task, &variant)
        {
            let view = View::new(task.dialect, &variant.container);
            let references = found.references.into_iter();
            requests.extend(
                references.map(|reference| question(task, view, &variant.given, reference)),
            );
        }
    }
    requests
}

/// The references that a container's image can stand for, where its config matters.
fn inspected_references(task: &Task<'_>, variant: &Variant<'_>) -> Option<References> {
    let view = View::new(task.dialect, &variant.container);
    let entry_point = words(task, view, "entryPoint", &variant.given).ok()?;
    if !needs_config(task, view, &entry_point, &variant.given) {
        return None;
    }
    references(task, view.get("image")?, &variant.given).ok()
}

/// Plans a container, for every combination of conditions; none where no combination can occur.
pub(crate) fn plan_slot<'d>(
    task: &Task<'_>,
    slot: &Slot<'d>,
    lookup: Lookup<'_>,
) -> Result<Option<SlotPlan<'d>>, Vec<Refusal>> {
    if View::new(task.dialect, slot.container).has_generated_keys() {
        return Err(vec![Refusal::new(
            Code::CannotReadContainers,
            "the container takes settings from a transform".to_owned(),
            "write the container definition inline",
        )]);
    }
    let mut plan: Option<SlotPlan<'d>> = None;
    let mut refusals: Vec<Refusal> = Vec::new();
    let mut left: Vec<(Variant<'d>, Vec<Refusal>)> = Vec::new();
    let by_template = |variant: &Variant<'_>| variant.ruled_out == Some(By::Template);
    for variant in variants(task, slot).map_err(|refusal| vec![refusal])? {
        let when = conditions_text(&variant.given, slot);
        let spare = variant.ruled_out.is_some().then(|| variant.clone());
        match (plan_occurring(task, variant, lookup), spare) {
            (Ok(one), _) => plan = Some(joined(plan, one)),
            (Err(found), Some(variant)) if found.is_empty() || by_template(&variant) => {
                left.push((variant, found));
            }
            (Err(found), _) => {
                refusals.extend(found.into_iter().map(|refusal| refusal.when(&when)));
            }
        }
    }
    if plan.is_none() && refusals.is_empty() {
        refusals.extend(left.drain(..).flat_map(|(_, found)| found));
    }
    refusals.dedup();
    let plan = match (refusals.is_empty(), plan) {
        (false, _) => return Err(refusals),
        (true, None) => return Ok(None),
        (true, Some(plan)) => plan,
    };
    let mut plan = named_by_conditions(plan, slot, !left.is_empty());
    for (variant, refusals) in left {
        plan.notes.extend(left_alone(&variant, slot, refusals));
        plan.variants.push((variant, Edits::NONE));
    }
    Ok(Some(plan))
}

/// Plans a combination of conditions; of one that cannot occur, no refusal is said where it is to stay as it is.
fn plan_occurring<'d>(
    task: &Task<'_>,
    variant: Variant<'d>,
    lookup: Lookup<'_>,
) -> Result<SlotPlan<'d>, Vec<Refusal>> {
    if variant.ruled_out.is_none() {
        return plan_variant(task, variant, lookup);
    }
    let by_values = variant.ruled_out == Some(By::Values);
    if by_values && inspected_references(task, &variant).is_some() {
        return Err(Vec::new());
    }
    let is_judged = matches!(lookup, Lookup::Judge(..));
    let plan = plan_variant(task, variant, lookup)?;
    let stays = |(_, edits): &(Variant<'_>, Edits)| edits.own.is_empty();
    // Whether it could be rewritten is not known while judging.
    match is_judged && !plan.variants.iter().all(stays) {
        true => Err(Vec::new()),
        false => Ok(plan),
    }
}

/// Says that a combination that cannot occur stays as it is.
fn left_alone(variant: &Variant<'_>, slot: &Slot<'_>, refusals: Vec<Refusal>) -> Vec<Note> {
    let when = conditions_text(&variant.given, slot);
    let says = |why: &str| format!("the container stays as it is when {when}, which {why}");
    if variant.ruled_out == Some(By::Values) {
        let text = says("cannot be with the value that the image's parameter has here");
        let hint = "rewrite again when a deployment gives another value".to_owned();
        return vec![Note::new(Code::BranchLeftAlone, text).with_hint(Some(hint))];
    }
    let note = |refusal: Refusal| {
        let text = says("cannot be as the template is: ") + &refusal.message;
        Note::new(Code::BranchLeftAlone, text).with_hint(refusal.hint)
    };
    refusals.into_iter().map(note).collect()
}

fn joined<'d>(all: Option<SlotPlan<'d>>, one: SlotPlan<'d>) -> SlotPlan<'d> {
    let Some(mut all) = all else { return one };
    all.variants.extend(one.variants);
    all.sidecars.extend(one.sidecars);
    for note in one.notes {
        if !all.notes.contains(&note) {
            all.notes.push(note);
        }
    }
    all.wrapped |= one.wrapped;
    all.processes.extend(one.processes);
    all
}

/// Says with each process under which conditions it runs, where they differ or are not all.
fn named_by_conditions<'d>(mut plan: SlotPlan<'d>, slot: &Slot<'_>, in_part: bool) -> SlotPlan<'d> {
    let (first, rest) = match plan.processes.split_first() {
        Some(split) => split,
        None => return plan,
    };
    let same = |one: &ProcessChange, other: &ProcessChange| {
        one.before == other.before && one.after == other.after
    };
    if !in_part && rest.iter().all(|process| same(process, first)) {
        plan.processes.truncate(1);
        return plan;
    }
    for (process, (variant, _)) in plan.processes.iter_mut().zip(&plan.variants) {
        process.given = Some(conditions_text(&variant.given, slot));
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
fn plan_variant<'d>(
    task: &Task<'_>,
    variant: Variant<'d>,
    lookup: Lookup<'_>,
) -> Result<SlotPlan<'d>, Vec<Refusal>> {
    let refuse = |refusal| vec![refusal];
    let view = View::new(task.dialect, &variant.container);
    let given = &variant.given;
    let (entry_point, command) = stated_words(task, view, given).map_err(refuse)?;
    check_user(task, view).map_err(refuse)?;
    let mut notes = Vec::new();
    let inspected = inspected(task, view, given, &entry_point, lookup).map_err(refuse)?;
    let config = inspected.as_ref().map(|inspected| &inspected.config);
    if let Some(config) = config {
        said_about_image(task, view, &entry_point, config, &mut notes).map_err(refuse)?;
    }
    let unquotable = unquotable_texts(task);
    let stated = Stated {
        entry_point: &entry_point,
        command: &command,
        image_entry_point: texts(config.map(|config| config.entrypoint.as_slice())),
        image_command: texts(config.map(|config| config.cmd.as_slice())),
        unquotable: &unquotable,
    };
    let wrappings = task
        .recipe
        .wrappings()
        .map_err(|error| refuse(render_refusal(&error)))?;
    let process = known(task, given, &stated, &wrappings);
    let recognised = recognise(&process, task.recipe.recipe().agent_programs());
    one_wrapper(task, view, &process, recognised).map_err(refuse)?;
    let facts = facts(task, view, given, inspected.as_ref(), recognised);
    let added = task
        .rendered
        .additions(&task.facts, &facts)
        .map_err(|error| refuse(render_refusal(&error)))?;
    let workload = &added.workload;
    refused(workload)?;
    assumed(task, view, given, &workload.warnings, &mut notes)?;
    let own = own_edits(
        view,
        &stated,
        recognised,
        workload,
        inspected.as_ref(),
        &mut notes,
    )?;
    replaced_variables(view, &workload.settings, &mut notes);
    replaced_entries(task, view, &workload.settings, &mut notes).map_err(refuse)?;
    let processes = match task.recipe.wraps() {
        true => vec![process_change(&stated, &own)],
        false => Vec::new(),
    };
    Ok(SlotPlan {
        sidecars: workload.sidecars.iter().copied().collect(),
        wrapped: recognised != Recognised::Plain || workload.process.is_some(),
        variants: vec![(variant, Edits::new(own, added))],
        facts,
        notes,
        processes,
    })
}

/// Entry point and command, where they matter: a recipe that does not wrap does not ask for them.
pub(crate) fn stated_words(
    task: &Task<'_>,
    view: View<'_>,
    given: &Assignment,
) -> Result<(Words, Words), Refusal> {
    if !task.recipe.recipe().wraps() {
        return Ok((Words::List(Vec::new()), Words::List(Vec::new())));
    }
    let entry_point = words(task, view, "entryPoint", given)?;
    if is_one_empty_word(task, &entry_point, given) {
        return Err(Refusal::new(
            Code::EmptyArgumentEntryPoint,
            "the entry point is one empty argument, which the container runtime drops".to_owned(),
            "remove it, or state the program",
        ));
    }
    Ok((entry_point, words(task, view, "command", given)?))
}

/// The image, where its config takes part.
fn inspected(
    task: &Task<'_>,
    view: View<'_>,
    given: &Assignment,
    entry_point: &Words,
    lookup: Lookup<'_>,
) -> Result<Option<Inspected>, Refusal> {
    if !needs_config(task, view, entry_point, given) {
        return Ok(None);
    }
    // Where the program comes from the image, nothing about the image is taken for granted.
    let lookup = match entry_point.is_absent() {
        true => lookup.without_assumptions(),
        false => lookup,
    };
    let to_state = || to_state(task, view, entry_point, given);
    inspect(task, view, given, lookup, &to_state).map(Some)
}

/// What the recipe itself refuses.
fn refused(workload: &Workload) -> Result<(), Vec<Refusal>> {
    let refusals = workload.refusals.iter().map(|refusal| Refusal {
        code: Code::RecipeRefused,
        message: refusal.message.clone(),
        hint: refusal.hint.clone(),
    });
    let refusals: Vec<Refusal> = refusals.collect();
    match refusals.is_empty() {
        true => Ok(()),
        false => Err(refusals),
    }
}

/// What is done to this container alone under one combination.
fn own_edits(
    view: View<'_>,
    stated: &Stated<'_>,
    recognised: Recognised,
    workload: &Workload,
    inspected: Option<&Inspected>,
    notes: &mut Vec<Note>,
) -> Result<Vec<Edit>, Vec<Refusal>> {
    let mut edits = Vec::new();
    if let Some(inspected) = inspected {
        edits.extend(image_edit(inspected, notes));
    }
    let process = process_edits(view, stated, recognised, workload.process.as_ref(), notes);
    edits.extend(process.map_err(|refusal| vec![refusal])?);
    Ok(edits)
}

/// The image as it was inspected, where it is not written that way.
fn image_edit(inspected: &Inspected, notes: &mut Vec<Note>) -> Option<Edit> {
    if !inspected.parameters.is_empty() {
        let names = inspected.parameters.iter();
        let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
        notes.push(Note::new(
            Code::ParameterResolved,
            format!(
                "the image is written as it was inspected, and no longer follows {}",
                names.join(", ")
            ),
        ));
    }
    let written = inspected.written.clone();
    written.map(|image| Edit::Set(vec!["image".to_owned()], image))
}

fn texts(list: Option<&[String]>) -> Vec<Value> {
    list.unwrap_or_default()
        .iter()
        .cloned()
        .map(Value::String)
        .collect()
}

/// Applies a container's plan to its definition: what it becomes, and what has changed, one line each.
pub(crate) fn apply_slot(
    task: &Task<'_>,
    slot: &Slot<'_>,
    plan: &SlotPlan<'_>,
) -> Result<(Option<New>, Vec<String>), CannotMerge> {
    let Some((_, first)) = plan.variants.first() else {
        return Ok((None, Vec::new()));
    };
    if plan
        .variants
        .iter()
        .skip(1)
        .all(|(_, edits)| edits == first)
    {
        return changed(slot.container, &first.all(), task.at(&slot.given));
    }
    let mut rows = Vec::new();
    let mut said: Vec<String> = Vec::new();
    for (variant, edits) in &plan.variants {
        let (given, before) = (&variant.given, &variant.container);
        let mut after = before.clone().into_owned();
        for line in apply(&mut after, &edits.all(), task.at(given))? {
            if !said.contains(&line) {
                said.push(line);
            }
        }
        rows.push((given, before.as_ref(), after));
    }
    let after = folded(slot.container, &rows);
    let new = (after != *slot.container).then_some(New::Value(Value::Object(after)));
    Ok((new, said))
}
