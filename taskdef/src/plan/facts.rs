//! What is known of a container: its lists, its user, and what its image says.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::{
    Assignment, Unknown, as_if, call, function, is_no_value, scalar_text,
};
use crate::cloudformation::template::is_true;
use crate::container::{Setting, View, normalised_user};
use crate::image::ImageConfig;
use crate::process;
use crate::recipe::ContainerFacts;
use crate::report::Code;

use super::image::{Inspected, wants_digest};
use super::recognise::Recognised;
use super::words::{Words, may_vanish};
use super::{Note, Refusal, Task};

/// Whether the image's config takes part: in the process, or in what the recipe asks.
pub(crate) fn needs_config(
    task: &Task<'_>,
    view: View<'_>,
    entry_point: &Words,
    given: &Assignment,
) -> bool {
    wraps_what_the_image_says(task, entry_point)
        || asks_user_of_image(task, view, given)
        || wants_digest(task, view.get("image"))
}

fn wraps_what_the_image_says(task: &Task<'_>, entry_point: &Words) -> bool {
    let stated: &[Value] = match entry_point {
        Words::List(items) => items,
        Words::Whole(..) => return false,
    };
    task.recipe.wraps() && process::needs_image(stated)
}

fn asks_user_of_image(task: &Task<'_>, view: View<'_>, given: &Assignment) -> bool {
    task.recipe.asks_user() && own_user(task, view, given).is_none()
}

/// The container's own user: normalised, or an expression that is not known. An empty one is none.
fn own_user(task: &Task<'_>, view: View<'_>, given: &Assignment) -> Option<Value> {
    let known = |user: &str| {
        let user = (!user.is_empty()).then(|| normalised_user(user));
        user.map(Value::String)
    };
    match view.text("user") {
        // A loop variable may stand in any text.
        Setting::Known(user) => match task.constant(&Value::String(user.clone()), given) {
            Some(Value::String(user)) => known(&user),
            _ => Some(call("Fn::Sub", Value::String(user))),
        },
        Setting::Intrinsic(value) => match task.constant(value, given).as_ref().map(scalar_text) {
            Some(Some(user)) => known(&user),
            _ => Some(value.clone()),
        },
        Setting::Absent | Setting::Malformed => None,
    }
}

/// The user decides between the ways of a recipe, so it has to be readable.
pub(crate) fn check_user(task: &Task<'_>, view: View<'_>) -> Result<(), Refusal> {
    match view.text("user") {
        Setting::Malformed => Err(Refusal::new(
            Code::Malformed,
            format!("`{}` is not a text", task.dialect.key("", "user")),
            "write it as a text",
        )),
        _ => Ok(()),
    }
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
///
/// One empty text does not count: an empty parameter gives it.
fn never_empty(task: &Task<'_>, value: &Value, given: &Assignment) -> bool {
    let known = |parameters| -> Vec<Result<Value, Unknown>> {
        task.evaluations(parameters, given)
            .map(|evaluation| evaluation.value(value, &mut BTreeSet::new()))
            .collect()
    };
    let proves = |known: &Result<Value, Unknown>| known.as_ref().is_ok_and(has_words);
    let refutes =
        |known: &Result<Value, Unknown>| known.as_ref().is_ok_and(|known| !has_words(known));
    if known(true).iter().any(refutes) {
        return false;
    }
    match function(value) {
        Some(("Fn::Split", Value::Array(items))) => match items.as_slice() {
            [_, text] => !may_be_empty_text(task, text, given),
            _ => false,
        },
        Some(("Fn::FindInMap", Value::Array(keys))) if mapping_has_words(task, keys) => true,
        // Another value of a parameter may be an empty list.
        _ => known(false).iter().all(proves),
    }
}

/// Whether the value is known to be an empty text, itself or a branch of it.
fn may_be_empty_text(task: &Task<'_>, value: &Value, given: &Assignment) -> bool {
    if let Some((_, yes, no)) = as_if(value) {
        return may_be_empty_text(task, yes, given) || may_be_empty_text(task, no, given);
    }
    task.evaluations(true, given).any(|evaluation| {
        let known = evaluation.text(value, &mut BTreeSet::new());
        known.is_ok_and(|text| text.is_empty())
    })
}

/// Whether an entry point may turn out as one empty word: the container runtime drops it.
pub(crate) fn is_one_empty_word(task: &Task<'_>, words: &Words, given: &Assignment) -> bool {
    let Words::List(items) = words else {
        return false;
    };
    let mut staying = items.iter().filter(|item| !may_vanish(item));
    match (staying.next(), staying.next()) {
        (Some(only), None) => may_be_empty_text(task, only, given),
        _ => false,
    }
}

fn has_words(list: &Value) -> bool {
    match list.as_array().map(Vec::as_slice) {
        None | Some([]) => false,
        Some([only]) => only != "",
        Some(_) => true,
    }
}

/// Whether every list that a mapping can give has an element.
fn mapping_has_words(task: &Task<'_>, keys: &[Value]) -> bool {
    let [Value::String(mapping), _, second] = keys else {
        return false;
    };
    let entries = task
        .template
        .mapping_named(mapping)
        .and_then(Value::as_object);
    let mut lists = entries.into_iter().flat_map(Map::values).flat_map(|entry| {
        let members = entry.as_object().into_iter().flatten();
        members.filter(|(key, _)| second.as_str().is_none_or(|second| *key == second))
    });
    entries.is_some_and(|entries| !entries.is_empty()) && lists.all(|(_, list)| has_words(list))
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
    if config.entrypoint == [""] {
        return Err(Refusal::new(
            Code::EmptyArgumentEntryPoint,
            "the image's entry point is one empty argument, which the container runtime drops"
                .to_owned(),
            &format!("state {}", process_keys(task)),
        ));
    }
    let forms = task.replaced();
    let mut texts = config.entrypoint.iter().chain(&config.cmd);
    match texts.any(|text| forms.iter().any(|form| text.contains(form.as_str()))) {
        false => Ok(()),
        true => Err(Refusal::new(
            Code::ImageTextUnsafe,
            "the image's entry point or command contains a text that CloudFormation would replace"
                .to_owned(),
            &format!("state {}", process_keys(task)),
        )),
    }
}

/// Texts that CloudFormation may replace by something that ends a quoted word of a shell:
/// dynamic references, and loop variables unless every value is known not to.
pub(crate) fn unquotable_texts(task: &Task<'_>) -> Vec<String> {
    let ends_a_word =
        |value: &Option<String>| value.as_ref().is_none_or(|value| value.contains('\''));
    let unsafe_variables = task.items.iter().flat_map(|item| {
        let values = item.iter().filter(|(_, value)| ends_a_word(value));
        values.map(|(name, _)| format!("${{{name}}}"))
    });
    let replaced = task.template.replaced_texts().iter();
    unsafe_variables
        .chain(replaced.map(|&text| text.to_owned()))
        .collect()
}

/// Texts that CloudFormation replaces wherever they stand: dynamic references and loop variables.
pub(super) fn replaced_texts(task: &Task<'_>) -> Vec<String> {
    // Every item has the same variables.
    let variables = task.items.first().into_iter().flat_map(|item| item.keys());
    variables
        .flat_map(|name| [format!("${{{name}}}"), format!("&{{{name}}}")])
        .chain(
            task.template
                .replaced_texts()
                .iter()
                .map(|&text| text.to_owned()),
        )
        .collect()
}

fn view_has_no_platform(task: &Task<'_>) -> bool {
    match task.view.object("runtimePlatform") {
        Setting::Absent => true,
        Setting::Known(runtime) => runtime.text("cpuArchitecture") == Setting::Absent,
        _ => false,
    }
}

/// Where the process is stated, for a hint.
pub(crate) fn process_keys(task: &Task<'_>) -> String {
    let key = |key| task.dialect.key("", key);
    let (entry_point, command) = (key("entryPoint"), key("command"));
    let document = task.dialect.document();
    format!("`{entry_point}` and `{command}` in the {document}")
}

/// What a person can state to make the image's config unnecessary, if that is enough.
pub(crate) fn to_state(
    task: &Task<'_>,
    view: View<'_>,
    entry_point: &Words,
    given: &Assignment,
) -> Option<String> {
    if wants_digest(task, view.get("image")) {
        return None;
    }
    let mut keys = Vec::new();
    if wraps_what_the_image_says(task, entry_point) {
        keys.extend(["entryPoint", "command"]);
    }
    if asks_user_of_image(task, view, given) {
        keys.push("user");
    }
    let keys: Vec<String> = keys
        .into_iter()
        .map(|key| format!("`{}`", task.dialect.key("", key)))
        .collect();
    match keys.split_last() {
        Some((last, [])) => Some(last.clone()),
        Some((last, rest)) => Some(format!("{} and {last}", rest.join(", "))),
        None => None,
    }
}

/// How a person can make the image's config unnecessary.
pub(crate) fn ways_out(to_state: Option<String>) -> String {
    match to_state {
        None => "write the image reference as text".to_owned(),
        Some(keys) => format!("write the image reference as text, or state {keys}"),
    }
}

/// `readonlyRootFilesystem`, in whatever way a truth value is spelled; null where nothing is stated.
fn read_only(task: &Task<'_>, view: View<'_>, given: &Assignment) -> Value {
    let Some(stated) = view.get("readonlyRootFilesystem") else {
        return Value::Null;
    };
    let known = task.constant(stated, given).as_ref().and_then(scalar_text);
    match known {
        Some(text) if is_true(&text) => Value::Bool(true),
        Some(text) if is_false(&text) => Value::Bool(false),
        _ => stated.clone(),
    }
}

/// What CloudFormation takes for false.
fn is_false(text: &str) -> bool {
    text.eq_ignore_ascii_case("false") || text.eq_ignore_ascii_case("no")
}

pub(crate) fn facts(
    task: &Task<'_>,
    view: View<'_>,
    given: &Assignment,
    inspected: Option<&Inspected>,
    recognised: Recognised,
) -> ContainerFacts {
    let config = inspected.map(|inspected| &inspected.config);
    let written_image = inspected.and_then(|inspected| inspected.written.as_ref());
    let user = own_user(task, view, given).unwrap_or_else(|| match config {
        Some(config) => Value::String(normalised_user(&config.user)),
        None => Value::Null,
    });
    let copy = |key| view.get(key).cloned().unwrap_or_default();
    ContainerFacts {
        name: copy("name"),
        image: written_image.cloned().unwrap_or_else(|| copy("image")),
        user,
        readonly_root_filesystem: read_only(task, view, given),
        wrapper_in_image: recognised == Recognised::InImage,
    }
}
