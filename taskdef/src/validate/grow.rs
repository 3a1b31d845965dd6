//! Gives a task the smallest Fargate size that holds all containers, where a sidecar of the recipe reserves some of it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cloudformation::conditions::By;
use crate::plan::instrument::Instrumented;
use crate::report::{Code, Finding, Outcome, Severity};
use crate::source::{Change, New, Path};

use super::Surroundings;
use super::explore::{conditions_text, explore};
use super::read::{Definition, Fact, Reader, Version};
use super::reserved::{needed, of_task, reserved};
use super::size::{Kind, Size, smallest};

/// What becomes of the size of a task under one combination of conditions.
struct Fitted {
    cpu: Option<Value>,
    memory: Option<Value>,
    /// The size before and after, where it grows: CPU units and MiB.
    grown: Option<((u64, u64), (u64, u64))>,
}

/// Adds the growth to the changes, and says so.
pub(super) fn grow(
    surroundings: Surroundings<'_>,
    properties: &Map<String, Value>,
    one: &mut Instrumented,
) {
    if !surroundings.fargate {
        return;
    }
    let sidecars: BTreeSet<&str> = one
        .report
        .containers
        .iter()
        .filter(|container| container.sidecar)
        .map(|container| container.name.as_str())
        .collect();
    let version = Version {
        properties,
        changes: &one.changes,
    };
    // What a person switches keeps both of its sizes.
    let explored = explore(surroundings.setting, By::Logic, &|reader| {
        fitted(reader, version, &sidecars)
    });
    let grows = |fitted: &Fitted| fitted.grown.is_some();
    let leaves = explored.tree.leaves();
    if explored.partial || !leaves.iter().any(|(_, fitted)| grows(fitted)) {
        return;
    }
    let mut told = Vec::new();
    for (_, fitted) in &leaves {
        if let Some(grown) = fitted.grown.filter(|grown| !told.contains(grown)) {
            let same = leaves.iter().enumerate();
            let same = same.filter(|(_, (_, fitted))| fitted.grown == Some(grown));
            let same: BTreeSet<usize> = same.map(|(position, _)| position).collect();
            let first = same.first().copied().unwrap_or_default();
            let when = conditions_text(&leaves, &same, first);
            one.report.findings.push(said(grown, when));
            told.push(grown);
        }
    }
    let dialect = surroundings.setting.dialect;
    let folded = [
        (
            Kind::Cpu,
            explored.tree.folded(&|fitted| fitted.cpu.clone()),
        ),
        (
            Kind::Memory,
            explored.tree.folded(&|fitted| fitted.memory.clone()),
        ),
    ];
    let mut members = Vec::new();
    for (kind, value) in folded {
        let key = dialect.key("", kind.key()).into_owned();
        if let Some(value) = value.filter(|value| properties.get(&key) != Some(value)) {
            one.report.changes.push(format!("{} changed", kind.key()));
            members.push((key, value));
        }
    }
    add_members(&mut one.changes, members);
    one.report.outcome = Outcome::Rewritten;
}

/// The size that the task gets, as it is written.
fn fitted(reader: &Reader<'_>, version: Version<'_>, sidecars: &BTreeSet<&str>) -> Fitted {
    let definition = reader.definition(version);
    let taken = |kind: Kind| {
        let written = reader.written(definition.task, kind.key())?;
        Some(reader.taken(written))
    };
    let (cpu, memory) = (taken(Kind::Cpu), taken(Kind::Memory));
    let kept = || Fitted {
        cpu: cpu.cloned(),
        memory: memory.cloned(),
        grown: None,
    };
    let Some((before, after)) = growth(reader, &definition, sidecars) else {
        return kept();
    };
    let rewritten = |kind, value: Option<&Value>, before, after| match value {
        Some(value) if before != after => Some(rewritten(kind, value, after)),
        same => same.cloned(),
    };
    Fitted {
        cpu: rewritten(Kind::Cpu, cpu, before.0, after.0),
        memory: rewritten(Kind::Memory, memory, before.1, after.1),
        grown: Some((before, after)),
    }
}

/// The size before and after, where the task has to grow and may.
fn growth(
    reader: &Reader<'_>,
    definition: &Definition<'_>,
    sidecars: &BTreeSet<&str>,
) -> Option<((u64, u64), (u64, u64))> {
    let reserves = definition.containers.iter().any(|container| {
        let kinds = [Kind::Cpu, Kind::Memory];
        sidecars.contains(container.label.as_ref())
            && kinds
                .iter()
                .any(|kind| reserved(reader, container, *kind) > 0)
    });
    if !reserves {
        return None;
    }
    let (Fact::Known(cpu), Fact::Known(memory)) = (
        of_task(reader, definition, Kind::Cpu),
        of_task(reader, definition, Kind::Memory),
    ) else {
        return None;
    };
    let needed = needed(reader, definition);
    if needed.cpu <= cpu && needed.task_memory() <= memory {
        return None;
    }
    let after = smallest(needed.cpu.max(cpu), needed.task_memory().max(memory))?;
    Some(((cpu, memory), after))
}

/// Another size in the spelling of this one.
fn rewritten(kind: Kind, written: &Value, amount: u64) -> Value {
    match written {
        Value::String(text) => match Size::parse(kind, text) {
            Some(size) => Value::String(size.rewritten(amount)),
            None => Value::String(amount.to_string()),
        },
        _ => Value::from(amount),
    }
}

fn said(
    ((cpu, memory), (more_cpu, more_memory)): ((u64, u64), (u64, u64)),
    when: Option<String>,
) -> Finding {
    let when = when
        .map(|when| format!(" (when {when})"))
        .unwrap_or_default();
    Finding {
        code: Code::TaskSizeGrown,
        severity: Severity::Note,
        container: None,
        image: None,
        message: format!(
            "the task grows from {cpu} CPU units and {memory} MiB to {more_cpu} CPU units and {more_memory} MiB, the smallest size of Fargate that holds its containers{when}"
        ),
        hint: None,
    }
}

/// Adds members of the task definition to the changes.
fn add_members(changes: &mut Vec<Change>, members: Vec<(String, Value)>) {
    let whole = changes.iter_mut().find(|change| change.path.is_empty());
    match whole.map(|change| &mut change.new) {
        Some(New::Members(known)) => {
            known.retain(|(key, _)| members.iter().all(|(new, _)| new != key));
            known.extend(members);
        }
        Some(New::Value(Value::Object(map))) => map.extend(members),
        _ => changes.push(Change {
            path: Path::new(),
            new: New::Members(members),
        }),
    }
}
