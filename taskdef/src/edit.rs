//! Changes as data, and the only code that writes them.
//!
//! Paths and natural keys are in canonical spelling, values and entries in that of the document.
//! Where the document has `Fn::If`, an edit goes into every branch; `AWS::NoValue` becomes
//! a branch with our entries only; any other intrinsic function cannot be merged.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::{Assignment, as_if, call, function, is_no_value, no_value};
use crate::container::{has_generated_keys, shown};
use crate::source::New;

mod place;
mod restore;

pub(crate) use place::{Place, Where};
pub(crate) use restore::{Restored, behind};
use restore::{restore, stripped};

/// One change of a task definition or a container definition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Edit {
    /// A setting gets this value.
    Set(Vec<String>, Value),
    /// A setting goes away.
    Remove(Vec<String>),
    /// A list with a natural key gets this entry: merged into the one with the same key, or appended.
    Upsert {
        /// The list.
        list: Vec<String>,
        /// Its natural key.
        key: String,
        /// The entry.
        entry: Map<String, Value>,
    },
    /// A list loses the entry with this key.
    RemoveEntry {
        /// The list.
        list: Vec<String>,
        /// Its natural key.
        key: String,
        /// The entry's key.
        name: String,
    },
    /// A set of texts gets these members.
    Include(Vec<String>, Vec<Value>),
    /// A list loses what was added to it, and gets back what was there.
    Restore(Vec<String>, Restored),
    /// A list loses the words that it starts with.
    Strip(Vec<String>, Vec<Value>),
}

impl Edit {
    /// Where it works, in canonical spelling.
    fn path(&self) -> &[String] {
        match self {
            Edit::Set(path, _)
            | Edit::Remove(path)
            | Edit::Include(path, _)
            | Edit::Restore(path, _)
            | Edit::Strip(path, _)
            | Edit::Upsert { list: path, .. }
            | Edit::RemoveEntry { list: path, .. } => path,
        }
    }
}

/// Why an edit cannot be made; the place is given as canonical keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CannotMerge {
    /// An intrinsic function stands where something has to be merged.
    Intrinsic(String),
    /// Something of another type stands there.
    WrongType(String),
}

impl CannotMerge {
    fn at(value: &Value, path: &[String]) -> Self {
        let path = path.join(".");
        match function(value) {
            Some(_) => CannotMerge::Intrinsic(path),
            None => CannotMerge::WrongType(path),
        }
    }
}

/// Applies edits in order to `target`; says in one line each what has changed, without values.
pub(crate) fn apply<'p>(
    target: &mut Map<String, Value>,
    edits: &[&Edit],
    place: impl Into<Place<'p>>,
) -> Result<Vec<String>, CannotMerge> {
    let place = place.into();
    let mut said: Vec<String> = Vec::new();
    for edit in edits {
        let mut effects = Vec::new();
        apply_one(target, edit, place, &mut effects)?;
        for effect in effects {
            if !said.contains(&effect) {
                said.push(effect);
            }
        }
    }
    Ok(said)
}

/// What edits make of an object, if anything changes; only the members that they touch are copied.
pub(crate) fn changed<'p>(
    object: &Map<String, Value>,
    edits: &[&Edit],
    place: impl Into<Place<'p>>,
) -> Result<(Option<New>, Vec<String>), CannotMerge> {
    let place = place.into();
    if edits.is_empty() {
        return Ok((None, Vec::new()));
    }
    let mut touched: Vec<Cow<'_, str>> = Vec::with_capacity(edits.len());
    for first in edits.iter().filter_map(|edit| edit.path().first()) {
        let key = place.dialect.key("", first);
        if !touched.contains(&key) {
            touched.push(key);
        }
    }
    let is_touched = |key: &str| touched.iter().any(|touched| touched == key);
    let members = object.iter().filter(|(key, _)| is_touched(key));
    let mut after: Map<String, Value> = members
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let said = apply(&mut after, edits, place)?;
    if object
        .keys()
        .any(|key| is_touched(key) && !after.contains_key(key))
    {
        let kept = object.iter().filter_map(|(key, value)| {
            let value = match is_touched(key) {
                true => after.get_mut(key)?.take(),
                false => value.clone(),
            };
            Some((key.clone(), value))
        });
        let mut whole: Map<String, Value> = kept.collect();
        after.retain(|key, _| !object.contains_key(key));
        whole.extend(after);
        return Ok((Some(New::Value(Value::Object(whole))), said));
    }
    let differs = |(key, value): &(String, Value)| object.get(key) != Some(value);
    let members: Vec<(String, Value)> = after.into_iter().filter(differs).collect();
    Ok(((!members.is_empty()).then_some(New::Members(members)), said))
}

fn apply_one(
    target: &mut Map<String, Value>,
    edit: &Edit,
    place: Place<'_>,
    said: &mut Vec<String>,
) -> Result<(), CannotMerge> {
    match edit {
        Edit::Set(path, value) => at(target, "", path, place, &mut |old, _| {
            match &old {
                Some(old) if old == value => {}
                Some(_) => said.push(format!("{} changed", path.join("."))),
                None => said.push(format!("{} added", path.join("."))),
            }
            Ok(Some(value.clone()))
        }),
        Edit::Remove(path) => at(target, "", path, place, &mut |old, _| {
            if old.is_some() {
                said.push(format!("{} removed", path.join(".")));
            }
            Ok(None)
        }),
        Edit::Upsert { list, key, entry } => upsert_entry(target, list, key, entry, place, said),
        Edit::RemoveEntry { list, key, name } => remove_entry(target, list, key, name, place, said),
        Edit::Restore(path, restored) => restore(target, path, restored, place, said),
        Edit::Strip(path, words) => at(target, "", path, place, &mut |old, given| {
            let rest = old.as_ref().map(|list| stripped(list, words, given));
            if rest != old {
                said.push(format!("{} changed", path.join(".")));
            }
            Ok(rest)
        }),
        Edit::Include(path, members) => at(target, "", path, place, &mut |old, given| {
            branches(old, path, Place { given, ..place }, &mut |old, _| {
                let mut items = as_list(old, path)?;
                for member in members {
                    if !items.contains(member) {
                        items = without_branches(items, &|item| item == member).0;
                        items.push(member.clone());
                        said.push(format!("{} {} added", path.join("."), shown(member)));
                    }
                }
                Ok(Some(Value::Array(items)))
            })
        }),
    }
}

fn upsert_entry(
    target: &mut Map<String, Value>,
    list: &[String],
    key: &str,
    entry: &Map<String, Value>,
    place: Place<'_>,
    said: &mut Vec<String>,
) -> Result<(), CannotMerge> {
    let holder = list.last().map_or("", String::as_str);
    let spelled_key = place.dialect.key(holder, key);
    let name = entry.get(spelled_key.as_ref()).unwrap_or(&Value::Null);
    let mut verbs = Vec::new();
    at(target, "", list, place, &mut |old, given| {
        branches(old, list, Place { given, ..place }, &mut |old, _| {
            upsert(old, &spelled_key, name, entry, list, &mut verbs)
        })
    })?;
    verbs.dedup();
    let list = list.join(".");
    let what = match name {
        Value::Null => list,
        name => format!("{list} {}", shown(name)),
    };
    said.extend(verbs.iter().map(|verb| format!("{what} {verb}")));
    Ok(())
}

fn remove_entry(
    target: &mut Map<String, Value>,
    list: &[String],
    key: &str,
    name: &str,
    place: Place<'_>,
    said: &mut Vec<String>,
) -> Result<(), CannotMerge> {
    let spelled_key = place
        .dialect
        .key(list.last().map_or("", String::as_str), key);
    let wanted = Value::String(name.to_owned());
    at(target, "", list, place, &mut |old, given| {
        branches(old, list, Place { given, ..place }, &mut |old, _| {
            let Some(Value::Array(items)) = old else {
                return Ok(old);
            };
            let (kept, removed) = without(items, &spelled_key, &wanted);
            if removed {
                said.push(format!("{} {name} removed", list.join(".")));
            }
            Ok((!removed || !kept.is_empty()).then_some(Value::Array(kept)))
        })
    })
}

/// What an edit makes of the value at its place, under these conditions; `None` is absent.
type Leaf<'l> = dyn FnMut(Option<Value>, &Assignment) -> Result<Option<Value>, CannotMerge> + 'l;

/// Walks to `path` below `map`, into every branch on the way, and lets `leaf` change what is there.
fn at(
    map: &mut Map<String, Value>,
    parent: &str,
    path: &[String],
    place: Place<'_>,
    leaf: &mut Leaf<'_>,
) -> Result<(), CannotMerge> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(());
    };
    let spelled = place.dialect.key(parent, key);
    let old = map.get_mut(spelled.as_ref()).map(std::mem::take);
    let new = if rest.is_empty() {
        let old = old.filter(|value| !value.is_null() && !is_no_value(value));
        leaf(old, place.given)?
    } else {
        branches(old, path, place, &mut |old, given| {
            let mut inner = match old {
                Some(Value::Object(inner))
                    if place.dialect.has_functions() && has_generated_keys(&inner) =>
                {
                    return Err(CannotMerge::Intrinsic(path.join(".")));
                }
                Some(Value::Object(inner)) => inner,
                None => Map::new(),
                Some(other) => return Err(CannotMerge::at(&other, std::slice::from_ref(key))),
            };
            at(&mut inner, key, rest, Place { given, ..place }, leaf)?;
            Ok((!inner.is_empty()).then_some(Value::Object(inner)))
        })?
    };
    match new {
        Some(value) => {
            map.insert(spelled.into_owned(), value);
        }
        None => {
            map.shift_remove(spelled.as_ref());
        }
    }
    Ok(())
}

/// Lets `change` work on a value, or on every branch of an `Fn::If`.
fn branches(
    old: Option<Value>,
    path: &[String],
    place: Place<'_>,
    change: &mut Leaf<'_>,
) -> Result<Option<Value>, CannotMerge> {
    let given = place.given;
    let Some(value) = old else {
        return change(None, given);
    };
    if !place.dialect.has_functions()
        && !value.is_null()
        && place.dialect.function(&value).is_none()
    {
        return change(Some(value), given);
    }
    if value.is_null() || is_no_value(&value) {
        return change(None, given);
    }
    if let Some((condition, yes, no)) = as_if(&value) {
        let condition = condition.to_owned();
        // A branch that is never taken here stays as it is.
        let mut side = |truth, branch: &Value| match place.branch(&condition, truth) {
            None => Ok((!is_no_value(branch)).then(|| branch.clone())),
            Some(given) => {
                let place = Place {
                    given: &given,
                    ..place
                };
                branches(Some(branch.clone()), path, place, change)
            }
        };
        let (yes, no) = (side(true, yes)?, side(false, no)?);
        return Ok(match (yes, no) {
            (None, None) => None,
            (yes, no) => {
                let side = |side: Option<Value>| side.unwrap_or_else(no_value);
                let items = vec![Value::String(condition), side(yes), side(no)];
                Some(call("Fn::If", Value::Array(items)))
            }
        });
    }
    if function(&value).is_some() {
        return Err(CannotMerge::at(&value, path));
    }
    change(Some(value), given)
}

fn as_list(old: Option<Value>, path: &[String]) -> Result<Vec<Value>, CannotMerge> {
    match old {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items),
        Some(other) => Err(CannotMerge::at(&other, path)),
    }
}

/// Merges `entry` into the element with the same key, or appends it.
fn upsert(
    old: Option<Value>,
    key: &str,
    name: &Value,
    entry: &Map<String, Value>,
    path: &[String],
    verbs: &mut Vec<&'static str>,
) -> Result<Option<Value>, CannotMerge> {
    let mut items = as_list(old, path)?;
    for item in &items {
        // An element that may be anything may also be ours.
        let readable = item.is_object() && (function(item).is_none() || as_if(item).is_some());
        if !readable && !is_no_value(item) {
            return Err(CannotMerge::at(item, path));
        }
    }
    // An entry without its key, such as a range of ports, is known by all that it says.
    if name.is_null() && items.iter().any(|item| item.as_object() == Some(entry)) {
        return Ok(Some(Value::Array(items)));
    }
    let first = items.iter().position(|item| is_named(item, key, name));
    if let Some((first, Value::Object(existing))) =
        first.and_then(|first| Some((first, items.get_mut(first)?)))
    {
        let mut changed = false;
        for (field, value) in entry {
            if existing.get(field) != Some(value) {
                existing.insert(field.clone(), value.clone());
                changed = true;
            }
        }
        // Of several with one name the last would win.
        let rest = items.split_off(first + 1);
        let (rest, others) = without(rest, key, name);
        let (mut items, conditional) = without_conditional(items, key, name);
        items.extend(rest);
        if changed || others || conditional {
            verbs.push("changed");
        }
        return Ok(Some(Value::Array(items)));
    }
    let (mut items, removed) = without_conditional(items, key, name);
    verbs.push(if removed { "changed" } else { "added" });
    items.push(Value::Object(entry.clone()));
    Ok(Some(Value::Array(items)))
}

/// The list without the elements of this key, plain or conditional.
fn without(items: Vec<Value>, key: &str, name: &Value) -> (Vec<Value>, bool) {
    let count = items.len();
    let plain: Vec<Value> = items
        .into_iter()
        .filter(|item| !is_named(item, key, name))
        .collect();
    let removed = plain.len() != count;
    let (kept, conditional) = without_conditional(plain, key, name);
    (kept, removed || conditional)
}

fn is_named(item: &Value, key: &str, name: &Value) -> bool {
    function(item).is_none() && item.get(key) == Some(name)
}

/// The list without the branches of conditional elements that have this key.
fn without_conditional(items: Vec<Value>, key: &str, name: &Value) -> (Vec<Value>, bool) {
    without_branches(items, &|item| is_named(item, key, name))
}

/// The list without the branches of conditional elements that are meant.
fn without_branches(items: Vec<Value>, meant: &dyn Fn(&Value) -> bool) -> (Vec<Value>, bool) {
    let mut removed = false;
    let kept = items
        .into_iter()
        .filter_map(|item| match as_if(&item) {
            Some(_) => {
                let rest = pruned(&item, meant, &mut removed);
                (!is_no_value(&rest)).then_some(rest)
            }
            None => Some(item),
        })
        .collect();
    (kept, removed)
}

fn pruned(item: &Value, meant: &dyn Fn(&Value) -> bool, removed: &mut bool) -> Value {
    if let Some((condition, yes, no)) = as_if(item) {
        let yes_rest = pruned(yes, meant, removed);
        let no_rest = pruned(no, meant, removed);
        if yes_rest == *yes && no_rest == *no {
            return item.clone();
        }
        if is_no_value(&yes_rest) && is_no_value(&no_rest) {
            return no_value();
        }
        let items = vec![Value::String(condition.to_owned()), yes_rest, no_rest];
        return call("Fn::If", Value::Array(items));
    }
    if meant(item) {
        *removed = true;
        return no_value();
    }
    item.clone()
}

#[cfg(test)]
mod tests;
