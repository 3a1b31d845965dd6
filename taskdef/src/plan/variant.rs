//! A container under each combination of the conditions that decide what it runs, and back.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cloudformation::conditions::{
    By, MAX_COMBINATIONS, anywhere, can_occur, can_occur_with, combinations, fold, of_branches,
    restrict,
};
use crate::cloudformation::intrinsic::{Assignment, as_if};
use crate::container::View;
use crate::report::Code;
use crate::settings::PinDigests;

use super::image::references;
use super::slots::Slot;
use super::words::may_vanish;
use super::{Refusal, Task};

/// The properties that decide what runs.
const DECIDING: &[&str] = &["entryPoint", "command", "user"];

/// One combination of conditions.
#[derive(Clone)]
pub(crate) struct Variant<'d> {
    pub(crate) given: Assignment,
    /// The container as it is under this combination.
    pub(crate) container: Cow<'d, Map<String, Value>>,
    /// What keeps it from occurring: it is planned like any other where it can be, and else stays as it is.
    pub(crate) ruled_out: Option<By>,
}

/// Splits a container by the conditions that decide what it runs.
pub(crate) fn variants<'d>(task: &Task<'_>, slot: &Slot<'d>) -> Result<Vec<Variant<'d>>, Refusal> {
    let view = View::new(task.dialect, slot.container);
    let mut conditions = BTreeSet::new();
    for key in DECIDING {
        let Some(value) = view.get(key) else { continue };
        of_branches(value, &mut conditions);
        each_list(value, &mut |items| {
            // A list that may vanish altogether, or be one empty word, decides like a condition of the whole list.
            if items.iter().all(may_vanish) || items.len() == 1 {
                items
                    .iter()
                    .for_each(|item| of_branches(item, &mut conditions));
            }
        });
    }
    // Which image it is, and with which credentials it is read.
    for key in ["image", "repositoryCredentials"] {
        if let Some(value) = view.get(key) {
            anywhere(value, &mut conditions);
        }
    }
    let recipe = task.recipe;
    let pins = task.settings.pin_digests != PinDigests::No;
    if conditions.is_empty() || !(recipe.recipe().wraps() || recipe.asks_user() || pins) {
        return Ok(vec![Variant {
            given: slot.given.clone(),
            container: Cow::Borrowed(slot.container),
            ruled_out: None,
        }]);
    }
    let combinations = combinations(task.template, &conditions, &slot.given).ok_or_else(|| {
        Refusal::new(
            Code::TooManyConditions,
            format!("more than {MAX_COMBINATIONS} combinations of conditions decide what the container runs"),
            "use fewer conditions in its image, entry point, command and user",
        )
    })?;
    Ok(combinations
        .into_iter()
        .map(|given| {
            let container = restricted(task, slot.container, &given);
            let mut variant = Variant {
                given,
                container: Cow::Owned(container),
                ruled_out: None,
            };
            variant.ruled_out = ruled_out(task, slot, &variant);
            variant
        })
        .collect())
}

/// What keeps a combination from occurring, where the container itself can be: the template, or a parameter that
/// chooses the image and has another value there.
fn ruled_out(task: &Task<'_>, slot: &Slot<'_>, variant: &Variant<'_>) -> Option<By> {
    let template = task.template;
    let by_template = |given| can_occur(template, given, By::Template);
    if by_template(&slot.given) && !by_template(&variant.given) {
        return Some(By::Template);
    }
    let image = View::new(task.dialect, &variant.container).get("image")?;
    let used = references(task, image, &variant.given).ok()?.parameters;
    let by_values = |given| can_occur_with(template, given, &used);
    (by_values(&slot.given) && !by_values(&variant.given)).then_some(By::Values)
}

fn each_list<'v>(value: &'v Value, visit: &mut dyn FnMut(&'v [Value])) {
    if let Some((_, yes, no)) = as_if(value) {
        each_list(yes, visit);
        each_list(no, visit);
    } else if let Value::Array(items) = value {
        visit(items);
    }
}

/// The container as it is under an assignment: what decides is read to the elements of its lists,
/// everything else only as a whole, so that an edit reaches the branches that it is meant for.
fn restricted(
    task: &Task<'_>,
    container: &Map<String, Value>,
    given: &Assignment,
) -> Map<String, Value> {
    let deciding: Vec<_> = DECIDING
        .iter()
        .map(|key| task.dialect.key("", key))
        .collect();
    container
        .iter()
        .filter_map(|(key, value)| {
            let value = match deciding.iter().any(|deciding| deciding == key) {
                true => restrict(value, given),
                false => Some(branch(value, given).clone()),
            };
            value.map(|value| (key.clone(), value))
        })
        .collect()
}

/// The branch of an `Fn::If` that an assignment takes.
fn branch<'v>(value: &'v Value, given: &Assignment) -> &'v Value {
    match as_if(value) {
        Some((condition, yes, no)) => match given.get(condition) {
            Some(true) => branch(yes, given),
            Some(false) => branch(no, given),
            None => value,
        },
        None => value,
    }
}

/// A container before and after, under one combination of conditions.
pub(crate) type Row<'r> = (&'r Assignment, &'r Map<String, Value>, Map<String, Value>);

/// Writes the properties that a plan touches as `Fn::If` over the conditions; the others stay as they were.
pub(crate) fn folded(original: &Map<String, Value>, rows: &[Row<'_>]) -> Map<String, Value> {
    let mut keys: Vec<&String> = original.keys().collect();
    for (_, _, after) in rows {
        let new: Vec<&String> = after.keys().filter(|key| !keys.contains(key)).collect();
        keys.extend(new);
    }
    let mut merged = original.clone();
    for key in keys {
        let untouched = rows
            .iter()
            .all(|(_, before, after)| before.get(key) == after.get(key));
        if untouched {
            continue;
        }
        let table: Vec<_> = rows
            .iter()
            .map(|(given, _, after)| (*given, after.get(key).cloned()))
            .collect();
        match fold(&table) {
            Some(value) => {
                merged.insert(key.clone(), value);
            }
            None => {
                merged.shift_remove(key);
            }
        }
    }
    merged
}
