//! The way back: a list without what a recipe added to it, and with what stood there before.

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::{Assignment, as_if, call, scalar_text};
use crate::container::shown;
use crate::plan::wrap::uncomposed;

use super::{CannotMerge, Place, as_list, at, branches, without, without_branches};

/// What a list was before.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Restored {
    /// Its natural key; none for a set of texts.
    pub(crate) key: Option<String>,
    /// The keys of the entries that go away.
    pub(crate) names: Vec<String>,
    /// Entries that come back, in order, each with its place.
    pub(crate) back: Vec<(usize, Value)>,
    /// Whether the list was there without entries.
    pub(crate) empty: bool,
}

pub(super) fn restore(
    target: &mut Map<String, Value>,
    path: &[String],
    restored: &Restored,
    place: Place<'_>,
    said: &mut Vec<String>,
) -> Result<(), CannotMerge> {
    let holder = path.last().map_or("", String::as_str);
    let key = restored.key.as_deref();
    let key = key.map(|key| place.dialect.key(holder, key).into_owned());
    at(target, "", path, place, &mut |old, given| {
        // A list that is not there has no branches that could differ.
        branches(old, path, Place { given, ..place }, &mut |old, _| {
            let was_there = old.is_some();
            let mut items = as_list(old, path)?;
            for name in &restored.names {
                let wanted = Value::String(name.clone());
                let removed;
                (items, removed) = match &key {
                    Some(key) => without(items, key, &wanted),
                    None => without_member(items, name),
                };
                if removed {
                    said.push(format!("{} {name} removed", path.join(".")));
                }
            }
            for (index, entry) in &restored.back {
                items.insert((*index).min(items.len()), entry.clone());
                let name = key.as_ref().and_then(|key| entry.get(key));
                let name = name.map(shown).unwrap_or_default();
                said.push(format!("{} {name} as it was", path.join(".")));
            }
            let stays = !items.is_empty() || (was_there && restored.empty);
            Ok(stays.then_some(Value::Array(items)))
        })
    })
}

fn without_member(items: Vec<Value>, name: &str) -> (Vec<Value>, bool) {
    let is = |item: &Value| scalar_text(item).as_deref() == Some(name);
    let count = items.len();
    let kept: Vec<Value> = items.into_iter().filter(|item| !is(item)).collect();
    let removed = kept.len() != count;
    let (kept, conditional) = without_branches(kept, &is);
    (kept, removed || conditional)
}

/// A list without the words that it starts with, in every branch that is taken; elsewhere as it is.
pub(super) fn stripped(list: &Value, words: &[Value], given: &Assignment) -> Value {
    let Some((condition, yes, no)) = as_if(list) else {
        return behind(list, words).unwrap_or_else(|| list.clone());
    };
    let side = |branch: &Value, truth| match given.get(condition) {
        Some(taken) if *taken != truth => branch.clone(),
        _ => stripped(branch, words, given),
    };
    let items = vec![
        Value::String(condition.to_owned()),
        side(yes, true),
        side(no, false),
    ];
    call("Fn::If", Value::Array(items))
}

/// What stands behind these words in a list, or in one that was composed of them and another list.
pub(crate) fn behind(list: &Value, words: &[Value]) -> Option<Value> {
    if let Value::Array(items) = list {
        let rest = items.strip_prefix(words)?;
        return (!rest.is_empty()).then(|| Value::Array(rest.to_vec()));
    }
    let (before, rest) = uncomposed(list)?;
    (before == words).then(|| rest.clone())
}
