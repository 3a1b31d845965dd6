//! What of a container a recipe replaces.

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::{as_if, function};
use crate::container::View;
use crate::digest;
use crate::recipe::NATURAL_KEYS;
use crate::report::Code;

use super::{Note, Refusal, Task};

/// Lists whose entries are about the recipe's own containers, or that have findings of their own.
const NOT_REPLACED: &[&str] = &["environment", "secrets", "volumesFrom", "dependsOn"];

/// An entry of the recipe's with the key of one that the container has already, and other members.
pub(crate) fn replaced_entries(
    task: &Task<'_>,
    view: View<'_>,
    settings: &Map<String, Value>,
    notes: &mut Vec<Note>,
) -> Result<(), Refusal> {
    let lists = NATURAL_KEYS.iter();
    for (list, key) in lists.filter(|(list, _)| !NOT_REPLACED.contains(list)) {
        let Some(stated) = view.get(list) else {
            continue;
        };
        let entries = settings.get(*list).and_then(Value::as_array);
        for entry in entries.into_iter().flatten() {
            let mut replaced = Vec::new();
            each_entry(stated, &mut |item| {
                let canonical = task.dialect.canonical(list, item);
                let same = |name: &str| {
                    let digest = |value: &Value| value.get(name).map(digest::short);
                    digest(&canonical) == digest(entry)
                };
                let members = entry.as_object().into_iter().flat_map(Map::keys);
                if same(key) {
                    replaced.extend(members.filter(|name| !same(name)).cloned());
                }
            });
            let shown = entry.get(*key).map(crate::container::shown);
            let shown = shown.unwrap_or_default();
            if replaced.iter().any(|name| name == "sourceVolume") {
                return Err(Refusal::new(
                    Code::CannotMerge,
                    format!(
                        "the recipe mounts a volume at `{shown}`, where the container has another one"
                    ),
                    "mount one of them at another path",
                ));
            }
            if !replaced.is_empty() {
                let why = format!(
                    "the entry `{shown}` of `{}` was there already and is replaced by the recipe's",
                    task.dialect.key("", list)
                );
                notes.push(Note::new(Code::SettingReplaced, why));
            }
        }
    }
    Ok(())
}

/// Visits the entries of a list, under whatever condition.
fn each_entry(list: &Value, visit: &mut dyn FnMut(&Value)) {
    if let Some((_, yes, no)) = as_if(list) {
        each_entry(yes, visit);
        each_entry(no, visit);
        return;
    }
    match list {
        Value::Array(items) => items.iter().for_each(|item| each_entry(item, visit)),
        Value::Object(_) if function(list).is_none() => visit(list),
        _ => {}
    }
}

/// A variable of the recipe that the container has already, with something else in it.
pub(crate) fn replaced_variables(
    view: View<'_>,
    settings: &Map<String, Value>,
    notes: &mut Vec<Note>,
) {
    for list in ["environment", "secrets"] {
        let entries = settings.get(list).and_then(Value::as_array);
        for entry in entries.into_iter().flatten() {
            let Some(name) = entry.get("name").and_then(Value::as_str) else {
                continue;
            };
            let other = match list {
                "environment" => "secrets",
                _ => "environment",
            };
            let value = entry.get("value").or(entry.get("valueFrom"));
            let same = view
                .get(list)
                .is_some_and(|found| differs(found, name, value));
            let moved = view
                .get(other)
                .is_some_and(|found| differs(found, name, None));
            if same || moved {
                notes.push(Note::new(
                    Code::EnvironmentReplaced,
                    format!(
                        "the variable `{name}` was there already and is replaced by the recipe's"
                    ),
                ));
            }
        }
    }
}

/// Whether an entry of this name, under whatever condition, holds something other than `value`.
fn differs(list: &Value, name: &str, value: Option<&Value>) -> bool {
    match list {
        Value::Array(items) => items.iter().any(|item| differs(item, name, value)),
        Value::Object(map) if function(list).is_some() => {
            map.values().any(|item| differs(item, name, value))
        }
        Value::Object(map) => {
            let is = |key: &str| key.eq_ignore_ascii_case("name");
            let named = map.iter().any(|(key, item)| is(key) && item == name);
            let has = map
                .iter()
                .any(|(key, item)| !is(key) && Some(item) == value);
            named && !has
        }
        _ => false,
    }
}
