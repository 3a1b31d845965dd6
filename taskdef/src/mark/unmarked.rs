//! A recipe without a marker: what it wrote is recognised by the recipe itself, and taken apart only
//! where that is certain.
//!
//! Certain is what bears the recipe's own names: its wrapper, its sidecars and what refers to them,
//! its variables with the recipe's values. What may just as well be the user's own (a capability, a
//! user, a role) stays, with a finding. Of the program the words behind the wrapper stay stated.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cloudformation::find::Found;
use crate::cloudformation::intrinsic::Assignment;
use crate::container::View;
use crate::edit::{self, Edit};
use crate::plan::agents::check_own_sidecar;
use crate::plan::container::stated_words;
use crate::plan::recognise::{Recognised, known, recognise};
use crate::plan::select::name;
use crate::plan::slots::{Slot, slots};
use crate::plan::task::Run;
use crate::plan::variant::{Row, Variant, folded, variants};
use crate::plan::words::{Stated, Words};
use crate::plan::{About, Note, Refusal, Task, cannot_merge, render_refusal};
use crate::recipe::Wrapping;
use crate::report::{Code, ContainerReport, Finding};
use crate::source::Path;

use super::own::{may_be_the_users, settings, stand_there};
use super::tag::tag_edit;
use super::take::{Taken, processes, rebuilt};

/// Takes a recipe off that left no marker; nothing where the task definition does not carry it.
pub(super) fn taken_apart(
    run: Run<'_>,
    found: &Found<'_>,
    properties: &Map<String, Value>,
    notes: &mut Vec<Finding>,
) -> Result<Option<Taken>, Vec<Finding>> {
    let task = Task::new(run, found, properties);
    let Some(definitions) = task.dialect.find(properties, "containerDefinitions") else {
        return Ok(None);
    };
    slots(definitions, &task.given).map_err(|refusal| vec![refusal.finding(None)])?;
    let mut apart = Apart {
        task: &task,
        carries: false,
        refused: Vec::new(),
        notes: Vec::new(),
        containers: Vec::new(),
    };
    let value = rebuilt(
        task.dialect,
        definitions,
        &task.given,
        &mut |container, given| apart.container(container, given),
    );
    if !apart.refused.is_empty() {
        return Err(apart.refused);
    }
    if !apart.carries {
        return Ok(None);
    }
    apart.task_settings(properties);
    let mut after = properties.clone();
    let key = task.dialect.key("", "containerDefinitions").into_owned();
    after.insert(key, value.unwrap_or_else(|| Value::Array(Vec::new())));
    let tag = tag_edit(task.dialect, &after, run.recipe_name(), false);
    let tag: Vec<&Edit> = tag.iter().collect();
    let changes = edit::apply(&mut after, &tag, task.at(&task.given))
        .map_err(|place| vec![cannot_merge(task.dialect, &place).finding(None)])?;
    notes.extend(apart.notes);
    Ok(Some(Taken {
        properties: after,
        containers: apart.containers,
        changes,
    }))
}

/// A task definition that is taken apart.
struct Apart<'a, 't> {
    task: &'a Task<'t>,
    /// Whether anything of the recipe was found.
    carries: bool,
    refused: Vec<Finding>,
    notes: Vec<Finding>,
    containers: Vec<ContainerReport>,
}

/// A container without the recipe, and what has changed, one line each.
type Bare = (Map<String, Value>, Vec<String>);

/// What is done to a container under one combination of conditions.
#[derive(Default)]
pub(super) struct Undone {
    pub(super) edits: Vec<Edit>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) notes: Vec<Note>,
    /// Whether the recipe's wrapper starts its program.
    pub(super) wrapped: bool,
}

impl Apart<'_, '_> {
    fn container(
        &mut self,
        container: &Map<String, Value>,
        given: &Assignment,
    ) -> Option<Map<String, Value>> {
        let task = self.task;
        let slot = Slot {
            list: Path::new(),
            path: Path::new(),
            container,
            given: given.clone(),
            guards: Vec::new(),
        };
        let about = task.about(&slot, self.containers.len());
        let view = View::new(task.dialect, container);
        let name = name(task, view).map(|name| name.text).unwrap_or_default();
        if task
            .recipe
            .recipe()
            .sidecar_names()
            .contains(&name.as_str())
        {
            match check_own_sidecar(task, view, &name) {
                Ok(()) => {
                    self.carries = true;
                    let changes = vec!["container removed".to_owned()];
                    self.tell(&about, true, changes);
                    return None;
                }
                Err(refusal) => self.refused.push(refusal.finding(Some(&about))),
            }
            return Some(container.clone());
        }
        match self.without(&slot, &about) {
            Ok((after, said)) => {
                self.carries |= !said.is_empty();
                self.tell(&about, false, said);
                if let Some(told) = self.containers.last_mut() {
                    told.processes = processes(task.dialect, container, &after);
                }
                Some(after)
            }
            Err(refusals) => {
                let refusals = refusals.into_iter();
                self.refused
                    .extend(refusals.map(|refusal| refusal.finding(Some(&about))));
                Some(container.clone())
            }
        }
    }

    fn tell(&mut self, about: &About, sidecar: bool, changes: Vec<String>) {
        self.containers.push(ContainerReport {
            name: about.container.clone(),
            image: about.image.clone(),
            sidecar,
            wrapped: false,
            processes: Vec::new(),
            changes,
        });
    }

    /// A container of the workload without the recipe, and what has changed.
    fn without(&mut self, slot: &Slot<'_>, about: &About) -> Result<Bare, Vec<Refusal>> {
        let task = self.task;
        let variants = variants(task, slot).map_err(|refusal| vec![refusal])?;
        let mut said: Vec<String> = Vec::new();
        let mut table: Vec<Row<'_>> = Vec::new();
        let mut refusals: Vec<Refusal> = Vec::new();
        for variant in &variants {
            let found = of_variant(task, variant)?;
            refusals.extend(found.refusals);
            let mut after = variant.container.clone().into_owned();
            let edits: Vec<&Edit> = found.edits.iter().collect();
            let lines = edit::apply(&mut after, &edits, task.at(&variant.given))
                .map_err(|place| vec![cannot_merge(task.dialect, &place)])?;
            let new = lines.into_iter().filter(|line| !said.contains(line));
            said.extend(new.collect::<Vec<_>>());
            let notes = found
                .notes
                .into_iter()
                .filter(|_| found.wrapped || !edits.is_empty());
            for note in notes.map(|note| note.finding(Some(about))) {
                if !self.notes.contains(&note) {
                    self.notes.push(note);
                }
            }
            table.push((&variant.given, &variant.container, after));
        }
        refusals.dedup();
        if !refusals.is_empty() {
            return Err(refusals);
        }
        let after = match table.as_mut_slice() {
            [(_, _, only)] => std::mem::take(only),
            rows => folded(slot.container, rows),
        };
        Ok((after, said))
    }

    /// What the recipe asks of the task definition itself may be the user's own: it stays.
    fn task_settings(&mut self, properties: &Map<String, Value>) {
        let Ok(settings) = self.task.recipe.task(&self.task.facts, &[]) else {
            return;
        };
        let mut stays = BTreeSet::new();
        stand_there(self.task, "", &settings, properties, &mut stays);
        self.notes
            .extend(may_be_the_users(&stays).map(|note| note.finding(None)));
    }
}

fn of_variant(task: &Task<'_>, variant: &Variant<'_>) -> Result<Undone, Vec<Refusal>> {
    let refuse = |refusal| vec![refusal];
    let view = View::new(task.dialect, &variant.container);
    let (entry_point, command) = stated_words(task, view, &variant.given).map_err(refuse)?;
    let stated = Stated {
        entry_point: &entry_point,
        command: &command,
        image_entry_point: Vec::new(),
        image_command: Vec::new(),
        unquotable: &[],
    };
    let wrappings = task
        .recipe
        .wrappings()
        .map_err(|error| refuse(render_refusal(&error)))?;
    let process = known(task, &variant.given, &stated, &wrappings);
    let mut found = Undone::default();
    match recognise(&process, task.recipe.recipe().agent_programs()) {
        Recognised::Plain | Recognised::InImage => {}
        Recognised::Foreign => found.refusals.push(Refusal::new(
            Code::CannotTakeApart,
            "the process mentions the recipe's wrapper, but does not start with it".to_owned(),
            BY_HAND,
        )),
        Recognised::Twice => found.refusals.push(Refusal::new(
            Code::CannotTakeApart,
            "the process starts with the recipe's wrapper twice".to_owned(),
            BY_HAND,
        )),
        Recognised::Wrapped | Recognised::Hollow => {
            found.wrapped = true;
            match unwrapped(&stated, &wrappings) {
                Ok(edits) => {
                    found.edits.extend(edits);
                    let why = "the program's words stay stated as they stand behind the wrapper; whether they came from the image is not known";
                    let hint = "remove from entry point and command what the image says itself";
                    let note = Note::new(Code::StaysStated, why.to_owned());
                    found.notes.push(note.with_hint(Some(hint.to_owned())));
                }
                Err(refusal) => found.refusals.push(refusal),
            }
        }
    }
    settings(task, variant, &mut found).map_err(refuse)?;
    Ok(found)
}

/// The way out where nothing is certain.
const BY_HAND: &str = "take it out by hand, or deploy the task definition from its source again";

/// The program without its wrapper, word for word.
fn unwrapped(stated: &Stated<'_>, wrappings: &[&Wrapping]) -> Result<Vec<Edit>, Refusal> {
    let cannot = |why: &str| Err(Refusal::new(Code::CannotTakeApart, why.to_owned(), BY_HAND));
    let path = |key: &str| vec![key.to_owned()];
    if stated.entry_point.is_absent() {
        return cannot(
            "the wrapper stands in the command, and what the image puts in front of it is not known",
        );
    }
    let written = match stated.entry_point {
        Words::List(items) => Value::Array(items.clone()),
        Words::Whole(value, _) => value.clone(),
    };
    let starts = |wrapping: &&&Wrapping| match &written {
        Value::Array(items) => items.starts_with(&wrapping.wrapper),
        whole => edit::behind(whole, &wrapping.wrapper).is_some(),
    };
    // The longest is the one that was meant.
    let mut matching: Vec<&&Wrapping> = wrappings.iter().filter(starts).collect();
    matching.sort_by_key(|wrapping| wrapping.wrapper.len());
    let Some(wrapping) = matching.pop() else {
        return cannot("the wrapper is written in another way than the recipe's");
    };
    if wrapping.script.is_some() {
        return cannot("wrapper and program stand in one text for a shell");
    }
    if !wrapping.suffix.is_empty() || wrapping.command.is_some() {
        return cannot("words of the recipe stand in front of the program and behind it");
    }
    if let Some(rest) = edit::behind(&written, &wrapping.wrapper) {
        return Ok(vec![Edit::Set(path("entryPoint"), rest)]);
    }
    // All of the program stands in the command; without an entry point the image's would come before it.
    match stated.command {
        Words::List(items) if !stated.command.may_be_empty() && !items.is_empty() => Ok(vec![
            Edit::Set(path("entryPoint"), Value::Array(items.clone())),
            Edit::Remove(path("command")),
        ]),
        Words::Whole(value, true) => Ok(vec![
            Edit::Set(path("entryPoint"), value.clone()),
            Edit::Remove(path("command")),
        ]),
        _ => cannot("no program stands behind the wrapper"),
    }
}
