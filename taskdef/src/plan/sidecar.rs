//! Where a sidecar goes: where the containers that need it are.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::container::{View, shown};
use crate::edit::{self, Edit};
use crate::recipe::ContainerFacts;
use crate::report::{Code, ContainerReport, Finding, TaskDefinitionReport};
use crate::source::{Change, New, Path, Step};

use super::container::SlotPlan;
use super::inherit::{Inherited, inherited, inherits};
use super::instrument::Selection;
use super::rendered::Sidecar;
use super::select::name;
use super::slots::{Slot, guarded, value_at};
use super::{Refusal, Task, cannot_merge, merge, render_refusal};

/// Adds the sidecars that the planned containers need to the lists that those are in, or brings
/// those that are there up to date.
pub(crate) fn place_sidecars(
    task: &Task<'_>,
    selection: &Selection<'_>,
    plans: &[Option<SlotPlan<'_>>],
    changes: &mut Vec<Change>,
    report: &mut TaskDefinitionReport,
) -> Result<(), Vec<Finding>> {
    let refuse = |refusal: Refusal| vec![refusal.finding(None)];
    let needed: BTreeSet<usize> = plans
        .iter()
        .flatten()
        .flat_map(|plan| plan.sidecars.iter().copied())
        .collect();
    let slots = &selection.slots;
    // One that goes to the end stands behind those that are added with it.
    let (last, others): (Vec<usize>, Vec<usize>) = needed
        .into_iter()
        .partition(|index| task.recipe.recipe().sidecar_is_last(*index));
    for index in others.into_iter().chain(last) {
        let needing: Vec<(&Slot<'_>, &SlotPlan<'_>)> = planned(slots, plans)
            .filter(|(_, plan)| plan.sidecars.contains(&index))
            .collect();
        let mut lists: Vec<&Path> = needing.iter().map(|(slot, _)| &slot.list).collect();
        lists.dedup();
        for list in lists {
            let here = needing.iter().filter(|(slot, _)| slot.list == *list);
            let (here, facts): (Vec<&Slot<'_>>, Vec<ContainerFacts>) =
                here.map(|(slot, plan)| (*slot, plan.facts.clone())).unzip();
            let sidecar = task
                .rendered
                .sidecar(index, &task.facts, &facts)
                .map_err(|error| refuse(render_refusal(&error)))?;
            let selected = planned(slots, plans).map(|(slot, _)| slot);
            let selected = selected.filter(|slot| slot.list == *list);
            let sidecar = settled(task, sidecar, selected, report);
            let there = existing(task, slots, list, &sidecar.sidecar.definition);
            match there.is_empty() {
                true => insert(selection, list, &here, &sidecar.sidecar, changes, report),
                false => update(task, selection, &there, &here, &sidecar, changes, report)?,
            }
        }
    }
    Ok(())
}

/// The containers that are planned, with their plans.
fn planned<'p, 'd>(
    slots: &'p [Slot<'d>],
    plans: &'p [Option<SlotPlan<'d>>],
) -> impl Iterator<Item = (&'p Slot<'d>, &'p SlotPlan<'d>)> {
    let pairs = slots.iter().zip(plans);
    pairs.filter_map(|(slot, plan)| plan.as_ref().map(|plan| (slot, plan)))
}

/// A sidecar as it goes into one list of containers.
struct Settled {
    sidecar: Rc<Sidecar>,
    /// What it inherits: as the document spells it, and not part of the definition.
    log_configuration: Option<Value>,
}

/// Gives a sidecar what it inherits from the selected containers of its list.
fn settled<'s, 'd: 's>(
    task: &Task<'_>,
    sidecar: Rc<Sidecar>,
    selected: impl Iterator<Item = &'s Slot<'d>>,
    report: &mut TaskDefinitionReport,
) -> Settled {
    if !inherits(&sidecar.definition) {
        return Settled {
            sidecar,
            log_configuration: None,
        };
    }
    let name = sidecar
        .definition
        .get("name")
        .map(shown)
        .unwrap_or_default();
    let Inherited { value, note } = inherited(task, &name, selected);
    let finding = note.map(|note| note.finding(None));
    let new = finding.filter(|finding| !report.findings.contains(finding));
    report.findings.extend(new);
    let mut definition = sidecar.definition.clone();
    definition.shift_remove("logConfiguration");
    let mut spelled = sidecar.spelled.clone();
    let key = task.dialect.key("", "logConfiguration");
    if let Value::Object(map) = &mut spelled {
        match value {
            Some(value) => map.insert(key.into_owned(), value.clone()),
            None => map.shift_remove(key.as_ref()),
        };
    }
    Settled {
        sidecar: Rc::new(Sidecar {
            definition,
            spelled,
        }),
        log_configuration: value.cloned(),
    }
}

/// The containers of a list that have the sidecar's name.
fn existing<'s, 'd>(
    task: &Task<'_>,
    slots: &'s [Slot<'d>],
    list: &Path,
    sidecar: &Map<String, Value>,
) -> Vec<&'s Slot<'d>> {
    let wanted = sidecar.get("name").and_then(Value::as_str);
    slots
        .iter()
        .filter(|slot| slot.list == *list)
        .filter(|slot| {
            let name = name(task, View::new(task.dialect, slot.container));
            name.map(|name| name.text).as_deref() == wanted
        })
        .collect()
}

fn insert(
    selection: &Selection<'_>,
    list: &[Step],
    needing: &[&Slot<'_>],
    sidecar: &Sidecar,
    changes: &mut Vec<Change>,
    report: &mut TaskDefinitionReport,
) {
    let spelled = sidecar.spelled.clone();
    let element = match common_guards(needing) {
        Some(guards) => guarded(spelled, guards),
        None => spelled,
    };
    if let Some(Value::Array(items)) = value_at(selection.definitions, list) {
        // Behind the containers that are there, and the sidecars that were added to this list before.
        let mut path = selection.path(list, Some(items.len()));
        while changes.iter().any(|change| change.path == path)
            && let Some(Step::Index(end)) = path.last_mut()
        {
            *end += 1;
        }
        let new = New::Value(element);
        changes.push(Change { path, new });
    }
    let text = |key: &str| sidecar.definition.get(key).map(shown).unwrap_or_default();
    report.containers.push(ContainerReport {
        name: text("name"),
        image: text("image"),
        sidecar: true,
        wrapped: false,
        processes: Vec::new(),
        changes: vec!["container added".to_owned()],
    });
}

/// The conditions that all of these containers stand under, where they are the same.
fn common_guards<'s>(needing: &[&'s Slot<'_>]) -> Option<&'s [(String, bool)]> {
    let (first, rest) = needing.split_first()?;
    let same = rest.iter().all(|slot| slot.guards == first.guards);
    (same && !first.guards.is_empty()).then_some(&first.guards)
}

fn update(
    task: &Task<'_>,
    selection: &Selection<'_>,
    there: &[&Slot<'_>],
    needing: &[&Slot<'_>],
    settled: &Settled,
    changes: &mut Vec<Change>,
    report: &mut TaskDefinitionReport,
) -> Result<(), Vec<Finding>> {
    let sidecar = &settled.sidecar.definition;
    let covered = needing.iter().all(|slot| {
        there.iter().any(|sidecar| {
            sidecar
                .guards
                .iter()
                .all(|guard| slot.guards.contains(guard))
        })
    });
    if !covered {
        let refusal = Refusal::new(
            Code::CannotMerge,
            "the sidecar is there under conditions that the containers do not share".to_owned(),
            "remove the sidecar; the recipe adds its own",
        );
        return Err(vec![refusal.finding(None)]);
    }
    let mut settings = sidecar.clone();
    settings.shift_remove("name");
    for slot in there {
        let view = View::new(task.dialect, slot.container);
        // Absent is the same as ECS's default.
        let defaulted = settings.get("essential") == Some(&Value::Bool(true))
            && view.get("essential").is_none();
        let mut settings = settings.clone();
        if defaulted {
            settings.shift_remove("essential");
        }
        let mut edits = merge::edits(task.dialect, &settings);
        let log_configuration = settled.log_configuration.iter().cloned();
        edits.extend(
            log_configuration.map(|value| Edit::Set(vec!["logConfiguration".to_owned()], value)),
        );
        let edits: Vec<&Edit> = edits.iter().collect();
        let (new, said) = edit::changed(slot.container, &edits, task.at(&slot.given))
            .map_err(|place| vec![cannot_merge(task.dialect, &place).finding(None)])?;
        let path = selection.path(&slot.path, None);
        changes.extend(new.map(|new| Change { path, new }));
        // The report holds the containers in their order, before those that are added.
        let mut reported = selection.slots.iter().zip(&mut report.containers);
        if let Some((_, reported)) = reported.find(|(other, _)| other.path == slot.path) {
            reported.sidecar = true;
            reported.changes.extend(said);
        }
    }
    Ok(())
}
