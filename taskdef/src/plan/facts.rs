//! What is known of a container: its lists, its user, and what its image says.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::{
    Assignment, Evaluation, Unknown, function, is_no_value, scalar_text,
};
use crate::container::{Setting, View, normalised_user};
use crate::image::ImageConfig;
use crate::process;
use crate::recipe::ContainerFacts;
use crate::report::Code;

use super::wrap::{Recognised, Words};
use super::{Note, Refusal, Task};

/// Whether the image's config takes part: in the process, or in what the recipe asks.
pub(crate) fn needs_config(task: &Task<'_>, view: View<'_>, entry_point: &Words) -> bool {
    wraps_what_the_image_says(task, entry_point) || asks_user_of_image(task, view)
}

fn wraps_what_the_image_says(task: &Task<'_>, entry_point: &Words) -> bool {
    let stated: &[Value] = match entry_point {
        Words::List(items) => items,
        Words::Whole(..) => return false,
    };
    task.recipe.recipe().wraps() && process::needs_image(stated)
}

fn asks_user_of_image(task: &Task<'_>, view: View<'_>) -> bool {
    let own = view.text("user");
    task.recipe.asks_user() && (own == Setting::Absent || own == Setting::Known(String::new()))
}

/// Reads entry point or command.
pub(crate) fn words(
    task: &Task<'_>,
    view: View<'_>,
    key: &str,
    given: &Assignment,
) -> Result<Words, Refusal> {
    match view.words(key) {
        Setting::Absent => Ok(Words::List(Vec::new())),
        Setting::Known(items) => {
            let items = items.iter().filter(|item| !is_no_value(item));
            Ok(Words::List(items.cloned().collect()))
        }
        Setting::Intrinsic(value) => {
            let never_empty = never_empty(task, value, given);
            Ok(Words::Whole(value.clone(), never_empty))
        }
        Setting::Malformed => Err(Refusal::new(
            Code::Malformed,
            format!("`{}` is not a list of texts", task.dialect.key("", key)),
            "write it as a list of texts",
        )),
    }
}

/// Whether a list that is an intrinsic function certainly has an element.
fn never_empty(task: &Task<'_>, value: &Value, given: &Assignment) -> bool {
    let not_empty = |value: &Value| value.as_array().is_some_and(|items| !items.is_empty());
    match function(value) {
        Some(("Fn::Split", _)) => return true,
        Some(("Fn::FindInMap", Value::Array(keys))) => {
            if let Some(mapping) = keys.first().and_then(Value::as_str) {
                let entries = task
                    .template
                    .mapping_named(mapping)
                    .and_then(Value::as_object);
                let lists = entries.into_iter().flat_map(Map::values).map(|entry| {
                    match keys.get(2).and_then(Value::as_str) {
                        Some(second) => entry.get(second).into_iter().collect::<Vec<_>>(),
                        None => entry
                            .as_object()
                            .into_iter()
                            .flat_map(Map::values)
                            .collect(),
                    }
                });
                let lists: Vec<&Value> = lists.flatten().collect();
                if keys.len() == 3 && !lists.is_empty() && lists.into_iter().all(not_empty) {
                    return true;
                }
            }
        }
        _ => {}
    }
    task.items.iter().all(|item| {
        let evaluation = Evaluation {
            template: task.template,
            parameters: task.resolves_parameters(),
            given,
            item,
        };
        let known: Result<Value, Unknown> = evaluation.value(value, &mut BTreeSet::new());
        known.is_ok_and(|known| not_empty(&known))
    })
}

/// Warns of, or refuses, what an image says that means something else in the document.
pub(crate) fn said_about_image(
    task: &Task<'_>,
    view: View<'_>,
    entry_point: &Words,
    config: &ImageConfig,
    notes: &mut Vec<Note>,
) -> Result<(), Refusal> {
    let explicit = matches!(view.list("entryPoint"), Setting::Known([]));
    if explicit && !config.entrypoint.is_empty() {
        notes.push(Note::new(
            Code::EmptyEntryPoint,
            "the entry point is an empty list; ECS takes the image's, and so does this".to_owned(),
        ));
    }
    if view_has_no_platform(task) {
        notes.push(Note::new(
            Code::PlatformDefault,
            format!(
                "no platform is stated; the image config of {} was taken",
                task.platform
            ),
        ));
    }
    if !wraps_what_the_image_says(task, entry_point) {
        return Ok(());
    }
    let variables = task.items.iter().flat_map(|item| item.keys());
    let forms: Vec<String> = variables
        .flat_map(|name| [format!("${{{name}}}"), format!("&{{{name}}}")])
        .chain(["{{resolve:".to_owned()])
        .collect();
    let mut texts = config.entrypoint.iter().chain(&config.cmd);
    match texts.any(|text| forms.iter().any(|form| text.contains(form.as_str()))) {
        false => Ok(()),
        true => Err(Refusal::new(
            Code::ImageTextUnsafe,
            "the image's entry point or command contains a text that CloudFormation would replace"
                .to_owned(),
            "state `EntryPoint` and `Command` in the template",
        )),
    }
}

fn view_has_no_platform(task: &Task<'_>) -> bool {
    match task.view.object("runtimePlatform") {
        Setting::Absent => true,
        Setting::Known(runtime) => runtime.text("cpuArchitecture") == Setting::Absent,
        _ => false,
    }
}

/// How a person can make the image's config unnecessary.
pub(crate) fn ways_out(task: &Task<'_>, view: View<'_>, entry_point: &Words) -> String {
    let mut keys = Vec::new();
    if wraps_what_the_image_says(task, entry_point) {
        keys.extend(["entryPoint", "command"]);
    }
    if asks_user_of_image(task, view) {
        keys.push("user");
    }
    let keys: Vec<String> = keys
        .into_iter()
        .map(|key| format!("`{}`", task.dialect.key("", key)))
        .collect();
    let keys = match keys.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    };
    format!("write the image reference as text, or state {keys}")
}

pub(crate) fn facts(
    task: &Task<'_>,
    view: View<'_>,
    given: &Assignment,
    config: Option<&ImageConfig>,
    recognised: Recognised,
) -> ContainerFacts {
    let image_user = || match config {
        Some(config) => Value::String(normalised_user(&config.user)),
        None => Value::Null,
    };
    let user = match view.text("user") {
        Setting::Known(user) if !user.is_empty() => Value::String(normalised_user(&user)),
        Setting::Intrinsic(value) => match task.constant(value, given) {
            Some(known) => scalar_text(&known)
                .map_or(Value::Null, |user| Value::String(normalised_user(&user))),
            None => value.clone(),
        },
        _ => image_user(),
    };
    let copy = |key| view.get(key).cloned().unwrap_or_default();
    ContainerFacts {
        name: copy("name"),
        image: copy("image"),
        user,
        readonly_root_filesystem: copy("readonlyRootFilesystem"),
        wrapper_in_image: recognised == Recognised::InImage,
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
