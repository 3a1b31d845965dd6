//! How a program that is wrapped already is recognised.

use serde_json::Value;

use crate::recipe::Wrapping;
use crate::settings::KnownAgent;

use super::words::{Stated, Words};

/// How a container relates to a recipe's wrappers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recognised {
    /// The process does not mention a wrapper.
    Plain,
    /// It starts with one, which the task definition states.
    Wrapped,
    /// It starts with one, which the image brings.
    InImage,
    /// It mentions one in another place.
    Foreign,
}

/// Looks for the recipe's wrappers in a process, and for other programs of the agent's.
pub(crate) fn recognise(
    stated: &Stated<'_>,
    wrappings: &[&Wrapping],
    agent_programs: &[String],
) -> Recognised {
    let (entry_point, command) = stated.effective();
    let arguments = head(&entry_point, &command);
    if wrappings
        .iter()
        .any(|wrapping| starts_with(&arguments, wrapping))
    {
        return match stated.starts_in_image() {
            true => Recognised::InImage,
            false => Recognised::Wrapped,
        };
    }
    let programs: Vec<&str> = wrappings
        .iter()
        .flat_map(|wrapping| programs(wrapping))
        .chain(agent_programs.iter().map(String::as_str))
        .collect();
    let mut all = entry_point.values().chain(command.values());
    match all.any(|value| mentions(value, &programs)) {
        true => Recognised::Foreign,
        false => Recognised::Plain,
    }
}

/// The agent whose wrapper a process starts with.
pub(crate) fn wrapped_by<'k>(
    stated: &Stated<'_>,
    known: &'k [KnownAgent],
) -> Option<&'k KnownAgent> {
    let (entry_point, command) = stated.effective();
    let arguments = head(&entry_point, &command);
    known.iter().find(|known| {
        let mut wrappings = known.wrappings.iter();
        wrappings.any(|wrapping| starts_with(&arguments, wrapping))
    })
}

/// The arguments that are known to stand first.
fn head<'w>(entry_point: &'w Words, command: &'w Words) -> Vec<&'w Value> {
    let mut arguments = entry_point.head();
    if entry_point.elements().is_some() {
        arguments.extend(command.head());
    }
    arguments
}

fn starts_with(arguments: &[&Value], wrapping: &Wrapping) -> bool {
    let wrapper = &wrapping.wrapper;
    let Some((begin, rest)) = arguments.split_at_checked(wrapper.len()) else {
        return false;
    };
    if wrapper.is_empty() || !begin.iter().copied().eq(wrapper) {
        return false;
    }
    match &wrapping.script {
        None => true,
        Some(script) => rest
            .first()
            .and_then(|word| word.as_str())
            .and_then(|text| text.strip_prefix(script.as_str()))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')),
    }
}

/// The files that a wrapping starts.
fn programs(wrapping: &Wrapping) -> impl Iterator<Item = &str> {
    let words = wrapping.wrapper.iter().filter_map(Value::as_str);
    let script = wrapping
        .script
        .iter()
        .flat_map(|script| script.split_whitespace());
    words
        .take(1)
        .chain(script)
        .filter(|word| word.starts_with('/') && *word != "/bin/sh")
}

pub(crate) fn mentions(value: &Value, programs: &[&str]) -> bool {
    match value {
        Value::String(text) => programs.iter().any(|program| text.contains(program)),
        Value::Array(items) => items.iter().any(|item| mentions(item, programs)),
        Value::Object(map) => map.values().any(|item| mentions(item, programs)),
        _ => false,
    }
}
