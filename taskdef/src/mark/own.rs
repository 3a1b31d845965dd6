//! What in a container is certainly the recipe's own, without a marker: what bears its names.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::scalar_text;
use crate::container::View;
use crate::digest;
use crate::edit::{Edit, Restored};
use crate::judge::POSSIBLE_USERS;
use crate::plan::facts::facts;
use crate::plan::recognise::Recognised;
use crate::plan::variant::Variant;
use crate::plan::{Note, Refusal, Task, render_refusal};
use crate::recipe::{ContainerFacts, NATURAL_KEYS};
use crate::report::Code;

use super::record::natural_key;
use super::unmarked::Undone;
use super::verify::{each_branch, each_entry};

/// What the recipe asks beside the process, for every user that the image may have.
pub(super) fn settings(
    task: &Task<'_>,
    variant: &Variant<'_>,
    found: &mut Undone,
) -> Result<(), Refusal> {
    let view = View::new(task.dialect, &variant.container);
    let stated = facts(task, view, &variant.given, None, Recognised::Plain);
    let users: Vec<Value> = match &stated.user {
        Value::Null => POSSIBLE_USERS
            .iter()
            .map(|user| Value::from(*user))
            .collect(),
        user => vec![user.clone()],
    };
    let mut stays = BTreeSet::new();
    let mut own: Vec<(String, Vec<Value>)> = Vec::new();
    for user in users {
        let facts = ContainerFacts {
            user,
            ..stated.clone()
        };
        let added = task
            .rendered
            .additions(&task.facts, &facts)
            .map_err(|error| render_refusal(&error))?;
        let mut rest = added.workload.settings.clone();
        for list in OWN_LISTS {
            if let Some(Value::Array(entries)) = rest.shift_remove(*list) {
                own.push(((*list).to_owned(), entries));
            }
        }
        stand_there(task, "", &rest, &variant.container, &mut stays);
    }
    for list in OWN_LISTS {
        let wanted = own.iter().filter(|(key, _)| key == list);
        let wanted: Vec<&Value> = wanted.flat_map(|(_, entries)| entries).collect();
        own_entries(task, list, &wanted, &variant.container, found);
    }
    found.notes.extend(may_be_the_users(&stays));
    Ok(())
}

/// Lists whose entries bear names of the recipe's.
const OWN_LISTS: &[&str] = &["environment", "secrets", "volumesFrom", "dependsOn"];

/// Takes out the entries of a list that are the recipe's; one with another value is reported.
fn own_entries(
    task: &Task<'_>,
    list: &str,
    wanted: &[&Value],
    container: &Map<String, Value>,
    found: &mut Undone,
) {
    let Some(natural) = natural_key(list) else {
        return;
    };
    let sidecars = task.recipe.recipe().sidecar_names();
    let key = task.dialect.key(list, natural).into_owned();
    let mut names = BTreeSet::new();
    let mut differing = BTreeSet::new();
    let current = container.get(task.dialect.key("", list).as_ref());
    each_entry(task.dialect, current, &mut |entry| {
        let Some(name) = entry.get(&key).and_then(scalar_text) else {
            return;
        };
        let same_name =
            |wanted: &&&Value| wanted.get(natural).and_then(scalar_text).as_ref() == Some(&name);
        let mut candidates = wanted.iter().filter(same_name).peekable();
        // What refers to a sidecar goes with it.
        if sidecars.contains(&name.as_str()) && matches!(list, "volumesFrom" | "dependsOn") {
            names.insert(name);
        } else if candidates.peek().is_some() {
            let written = digest::of(&task.dialect.canonical(list, entry));
            match candidates
                .any(|wanted| digest::of(&task.dialect.canonical(list, wanted)) == written)
            {
                true => names.insert(name),
                false => differing.insert(name),
            };
        }
    });
    let differing = differing.into_iter().filter(|_| found.wrapped);
    found.refusals.extend(differing.map(|name| {
        Refusal::new(
            Code::CannotTakeApart,
            format!(
                "`{list} {name}` has another value than the recipe's, so whose it is is not certain"
            ),
            "give the recipe the inputs that it was given, or take the variable out by hand",
        )
    }));
    if !names.is_empty() {
        let restored = Restored {
            key: Some(natural.to_owned()),
            names: names.into_iter().collect(),
            back: Vec::new(),
            empty: false,
        };
        found
            .edits
            .push(Edit::Restore(vec![list.to_owned()], restored));
    }
}

/// The places where what a recipe asks stands, whoever wrote it.
pub(super) fn stand_there(
    task: &Task<'_>,
    parent: &str,
    wanted: &Map<String, Value>,
    container: &Map<String, Value>,
    places: &mut BTreeSet<String>,
) {
    let holder = parent.rsplit('.').next().unwrap_or_default();
    for (key, wanted) in wanted {
        let current = container.get(task.dialect.key(holder, key).as_ref());
        let place = match parent {
            "" => key.clone(),
            parent => format!("{parent}.{key}"),
        };
        each_branch(
            task.dialect,
            current,
            &mut |current| match (wanted, current) {
                (Value::Object(wanted), Value::Object(current)) => {
                    stand_there(task, &place, wanted, current, places);
                }
                (Value::Array(wanted), Value::Array(current)) if !wanted.is_empty() => {
                    let natural = NATURAL_KEYS.iter().find(|(list, _)| list == key);
                    let same = |one: &Value, other: &Value| match natural {
                        Some((list, name)) => {
                            let spelled = task.dialect.key(list, name);
                            one.get(*name) == other.get(spelled.as_ref())
                        }
                        None => one == other,
                    };
                    if wanted
                        .iter()
                        .any(|one| current.iter().any(|other| same(one, other)))
                    {
                        places.insert(format!("`{place}`"));
                    }
                }
                (wanted, current) => {
                    if digest::of(wanted) == digest::of(current) {
                        places.insert(format!("`{place}`"));
                    }
                }
            },
        );
    }
}

pub(super) fn may_be_the_users(places: &BTreeSet<String>) -> Option<Note> {
    let named: Vec<&str> = places.iter().map(String::as_str).collect();
    let why = format!(
        "{} may be the recipe's or was there before, and stays",
        named.join(", ")
    );
    let hint = "take it out by hand where nothing else needs it";
    let note = Note::new(Code::MayBeTheUsers, why).with_hint(Some(hint.to_owned()));
    (!places.is_empty()).then_some(note)
}
