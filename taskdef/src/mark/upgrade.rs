//! What a rewrite does with a task definition that is marked: nothing where recipe, inputs and images are
//! the same; else the recipe comes off by its marker, and is put on anew.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cloudformation::find::Found;
use crate::cloudformation::intrinsic::Assignment;
use crate::dialect::Dialect;
use crate::image::{Answers, ImageRequest};
use crate::plan::compose::{changed, differences};
use crate::plan::instrument::{Instrumented, is_meant};
use crate::plan::task::Run;
use crate::plan::{Note, Task};
use crate::report::{Code, Finding, Outcome};

use super::label::{Label, Labels};
use super::take::{Ground, Purpose, taken_off};
use super::{labels_in, origin};

/// Whether the program of a container came from another image than the one that it has now, or the
/// image says something else now.
pub(crate) fn has_moved(
    run: &Run<'_>,
    found: &Found<'_>,
    properties: &Map<String, Value>,
    answers: &Answers,
) -> bool {
    origin::has_moved(&Task::new(*run, found, properties), properties, answers)
}

/// The questions about the images that programs came from; none about what is not meant.
pub(crate) fn asked(
    run: &Run<'_>,
    found: &Found<'_>,
    properties: &Map<String, Value>,
    others: &[&Value],
) -> BTreeSet<ImageRequest> {
    let task = Task::new(*run, found, properties);
    match is_meant(&task, others, &found.id) {
        true => origin::asked(&task, properties),
        false => BTreeSet::new(),
    }
}

/// What is to be said of a marked task definition that stays as it is.
pub(crate) fn unread(
    run: &Run<'_>,
    found: &Found<'_>,
    properties: &Map<String, Value>,
    answers: &Answers,
) -> Vec<Finding> {
    origin::unread(&Task::new(*run, found, properties), properties, answers)
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

/// Decides what a rewrite by these recipes begins with. Before images are answered, what they say
/// could make anything stale.
pub(crate) fn start(
    runs: &[Run<'_>],
    found: &Found<'_>,
    properties: &Map<String, Value>,
    answers: Option<&Answers>,
) -> Start {
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
    let stale = own.iter().any(|(run, labels)| {
        is_another(run, labels)
            || match answers {
                Some(answers) => has_moved(run, found, properties, answers),
                None => true,
            }
    });
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

/// Whether the recipe or its inputs are not those of the marker.
fn is_another(run: &Run<'_>, labels: &Labels) -> bool {
    let digest = run.rendered.recipe.digest();
    labels.unreadable || labels.read.iter().any(|label| label.digest != digest)
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
                    order: 0,
                    ..label
                };
                *text = plain.text();
            }
        }
        _ => {}
    }
}
