//! What a rewrite does with a task definition that is marked: nothing where recipe, inputs and images are
//! the same; else the recipe comes off by its marker, and is put on anew.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cloudformation::conditions::{anywhere, combinations};
use crate::cloudformation::find::Found;
use crate::cloudformation::intrinsic::Assignment;
use crate::dialect::Dialect;
use crate::digest;
use crate::plan::Note;
use crate::plan::compose::{changed, differences};
use crate::plan::instrument::Instrumented;
use crate::plan::task::Run;
use crate::report::{Code, Finding, Outcome};

use super::label::{Label, Labels, own_label};
use super::labels_in;
use super::put::under;
use super::take::{Ground, Purpose, rebuilt, taken_off};

/// Whether the program of a container came from another image than the one that it has now.
pub(crate) fn has_moved(run: &Run<'_>, found: &Found<'_>, properties: &Map<String, Value>) -> bool {
    let given = given(found);
    let ground = Ground {
        dialect: run.dialect,
        template: run.template,
        given: &given,
    };
    is_moved_anywhere(ground, run.recipe_name(), properties)
}

fn given(found: &Found<'_>) -> Assignment {
    let condition = found.condition;
    let condition = condition.map(|condition| (condition.to_owned(), true));
    condition.into_iter().collect()
}

/// What a rewrite begins with.
pub(crate) enum Start {
    /// The task definition as it is.
    AsItIs,
    /// The task definition without the recipes of the run.
    TakenOff(Map<String, Value>),
    /// It cannot be judged what was there before.
    Refused(Vec<Finding>),
}

/// Decides what a rewrite by these recipes begins with.
pub(crate) fn start(runs: &[Run<'_>], found: &Found<'_>, properties: &Map<String, Value>) -> Start {
    let Some(run) = runs.first().filter(|run| run.dialect != Dialect::Terraform) else {
        return Start::AsItIs;
    };
    let marked = labels_in(run.dialect, properties);
    let mut own: Vec<(&Run<'_>, &Labels)> = runs
        .iter()
        .filter_map(|run| Some((run, marked.get(run.recipe_name())?)))
        .collect();
    if own.is_empty() {
        return Start::AsItIs;
    }
    // The last that was applied comes off first.
    own.sort_by_key(|(_, labels)| std::cmp::Reverse(labels.order()));
    let given = given(found);
    let ground = Ground {
        dialect: run.dialect,
        template: run.template,
        given: &given,
    };
    let stale = own
        .iter()
        .any(|(run, labels)| is_stale(ground, run, labels, properties));
    let mut current = properties.clone();
    let mut refused = Vec::new();
    for (run, _) in &own {
        match taken_off(ground, &current, run.recipe_name(), Purpose::Upgrade) {
            Ok(taken) => current = taken.properties,
            Err(findings) => refused.extend(findings),
        }
    }
    // What the marker does not hold matters only where the recipe comes off.
    refused.retain(|finding| stale || finding.code != Code::MarkerIncomplete);
    match (refused.is_empty(), stale) {
        (false, _) => Start::Refused(refused),
        (true, true) => Start::TakenOff(current),
        (true, false) => Start::AsItIs,
    }
}

/// Whether the recipe, its inputs, or an image that the program came from are not those of the marker.
fn is_stale(
    ground: Ground<'_>,
    run: &Run<'_>,
    labels: &Labels,
    properties: &Map<String, Value>,
) -> bool {
    let digest = run.rendered.recipe.digest();
    if labels.unreadable || labels.read.iter().any(|label| label.digest != digest) {
        return true;
    }
    is_moved_anywhere(ground, run.recipe_name(), properties)
}

/// Whether the program of a container came from another image than the one that it has now.
fn is_moved_anywhere(ground: Ground<'_>, recipe: &str, properties: &Map<String, Value>) -> bool {
    let mut moved = false;
    if let Some(definitions) = ground.dialect.find(properties, "containerDefinitions") {
        let mut visit = |container: &Map<String, Value>, given: &Assignment| {
            moved |= is_moved(ground, recipe, container, given);
            None
        };
        let _nothing = rebuilt(ground.dialect, definitions, ground.given, &mut visit);
    }
    moved
}

/// Whether a container's program came from another image than the one that it has now.
fn is_moved(
    ground: Ground<'_>,
    recipe: &str,
    container: &Map<String, Value>,
    given: &Assignment,
) -> bool {
    let moved = |container: &Map<String, Value>| {
        let label = own_label(ground.dialect, container, recipe);
        let known = label.and_then(|label| label.image);
        let image = ground.dialect.find(container, "image").map(digest::short);
        known.is_some_and(|known| image != Some(known))
    };
    let mut conditions = BTreeSet::new();
    for key in ["image", "dockerLabels"] {
        if let Some(value) = ground.dialect.find(container, key) {
            anywhere(value, &mut conditions);
        }
    }
    if conditions.is_empty() {
        return moved(container);
    }
    // What cannot be judged is looked at anew.
    let combinations = combinations(ground.template, &conditions, given);
    combinations.is_none_or(|all| all.iter().any(|given| moved(&under(container, given))))
}

/// What became of a task definition whose recipes were taken off first: the changes to it as it is in the document.
pub(crate) fn finished(
    run: &Run<'_>,
    properties: &Map<String, Value>,
    without: &Map<String, Value>,
    mut one: Instrumented,
) -> Instrumented {
    let changes = std::mem::take(&mut one.changes);
    if one.report.outcome != Outcome::Rewritten {
        return one;
    }
    let after = changed(without, changes).unwrap_or_else(|| without.clone());
    if essence(run.dialect, properties) == essence(run.dialect, &after) {
        one.report.outcome = Outcome::Unchanged;
        one.report.changes.clear();
        for container in &mut one.report.containers {
            container.changes.clear();
        }
        return one;
    }
    let why = "it carried the recipe in another version, with other inputs or for another image; that was taken off first, and the changes are told from there";
    one.report
        .findings
        .push(Note::new(Code::Upgraded, why.to_owned()).finding(None));
    one.changes = differences(properties, after);
    one
}

/// What of a task definition matters: not which digest a marker has, nor what ECS fills in.
fn essence(dialect: Dialect, properties: &Map<String, Value>) -> Value {
    let mut value = Value::Object(properties.clone());
    reduce(dialect, &mut value);
    value
}

fn reduce(dialect: Dialect, value: &mut Value) {
    match value {
        Value::Array(items) => {
            let tag = |item: &Value| {
                let key = item.as_object().and_then(|map| dialect.find(map, "key"));
                key.is_some_and(|key| key == super::TAG)
            };
            items.retain(|item| !tag(item));
            items.iter_mut().for_each(|item| reduce(dialect, item));
        }
        Value::Object(map) => {
            for value in map.values_mut() {
                reduce(dialect, value);
            }
            let hollow = |value: &Value| match value {
                Value::Null => true,
                Value::Array(items) => items.is_empty(),
                Value::Object(map) => map.is_empty(),
                _ => false,
            };
            let zero = dialect.key("", "cpu").into_owned();
            let unset = |key: &String, value: &Value| *key == zero && *value == 0;
            map.retain(|key, value| !(hollow(value) || unset(key, value)));
        }
        Value::String(text) if text.starts_with("{\"format\":") => {
            if let Some(label) = Label::read(text) {
                let plain = Label {
                    digest: String::new(),
                    image: None,
                    order: 0,
                    ..label
                };
                *text = plain.text();
            }
        }
        _ => {}
    }
}
