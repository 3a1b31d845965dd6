//! How a program that is wrapped already is recognised.

use serde_json::Value;

use crate::cloudformation::intrinsic::Assignment;
use crate::recipe::Wrapping;
use crate::settings::KnownAgent;

use super::Task;
use super::words::{Stated, Words, may_vanish};

/// How a container relates to a recipe's wrappers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recognised {
    /// The process does not mention a wrapper.
    Plain,
    /// It starts with one, which the task definition states.
    Wrapped,
    /// It starts with one, which the task definition states, and no program stands behind it.
    Hollow,
    /// It starts with one, and with one again.
    Twice,
    /// It starts with one, which the image brings.
    InImage,
    /// It mentions one in another place.
    Foreign,
}

/// A process as far as it is known here, and what it may be wrapped with.
pub(crate) struct Known {
    /// The effective entry point.
    pub(crate) entry_point: Words,
    /// The effective command.
    pub(crate) command: Words,
    /// Whether the first argument comes from the image.
    pub(crate) starts_in_image: bool,
    /// The recipe's wrappings.
    pub(crate) wrappings: Vec<Wrapping>,
}

/// A process for each item of the loops around it. A word that is an expression is read as its
/// value, so that a wrapper is the same program in whatever way it is written.
pub(crate) fn known(
    task: &Task<'_>,
    given: &Assignment,
    stated: &Stated<'_>,
    wrappings: &[&Wrapping],
) -> Vec<Known> {
    let (entry_point, command) = stated.effective();
    let evaluations = task.evaluations(task.resolves_parameters(), given);
    let items = evaluations.map(|evaluation| {
        let wrapping = |wrapping: &&Wrapping| Wrapping {
            wrapper: wrapping
                .wrapper
                .iter()
                .map(|word| evaluation.simplified(word))
                .collect(),
            ..Wrapping::clone(wrapping)
        };
        Known {
            entry_point: entry_point.simplified(&evaluation),
            command: command.simplified(&evaluation),
            starts_in_image: stated.starts_in_image(),
            wrappings: wrappings.iter().map(wrapping).collect(),
        }
    });
    items.collect()
}

/// Looks for the recipe's wrappers in a process, and for other programs of the agent's.
pub(crate) fn recognise(process: &[Known], agent_programs: &[String]) -> Recognised {
    let mut items = process
        .iter()
        .map(|known| recognise_one(known, agent_programs));
    let first = items.next().unwrap_or(Recognised::Plain);
    match items.all(|other| other == first) {
        true => first,
        // One and the same definition cannot be wrapped for some items and not for others.
        false => Recognised::Foreign,
    }
}

fn recognise_one(known: &Known, agent_programs: &[String]) -> Recognised {
    let wrappings = &known.wrappings;
    let arguments = known.head();
    let matching = wrappings
        .iter()
        .filter(|wrapping| starts_with(&arguments, wrapping));
    // The longest is the one that was meant.
    if let Some(wrapping) = matching.max_by_key(|wrapping| wrapping.wrapper.len()) {
        let rest = arguments.get(wrapping.wrapper.len()..).unwrap_or_default();
        let again = |wrapping: &Wrapping| starts_with(rest, wrapping);
        let twice = wrappings.iter().any(again);
        return match (known.starts_in_image, twice) {
            (true, _) => Recognised::InImage,
            (false, true) => Recognised::Twice,
            (false, false) if known.is_hollow(wrapping) => Recognised::Hollow,
            (false, false) => Recognised::Wrapped,
        };
    }
    let programs: Vec<&str> = wrappings
        .iter()
        .flat_map(programs)
        .chain(agent_programs.iter().map(String::as_str))
        .collect();
    let mut all = known.entry_point.values().chain(known.command.values());
    match all.any(|value| mentions(value, &programs)) {
        true => Recognised::Foreign,
        false => Recognised::Plain,
    }
}

/// The agent whose wrapper a process starts with.
pub(crate) fn wrapped_by<'k>(
    process: &[Known],
    agents: &'k [KnownAgent],
) -> Option<&'k KnownAgent> {
    let mut heads = process.iter().map(Known::head);
    heads.find_map(|arguments| {
        agents.iter().find(|agent| {
            let mut wrappings = agent.wrappings.iter();
            wrappings.any(|wrapping| starts_with(&arguments, wrapping))
        })
    })
}

impl Known {
    /// The arguments that are known to stand first.
    fn head(&self) -> Vec<&Value> {
        let mut arguments = self.entry_point.head();
        if self.entry_point.elements().is_some() {
            arguments.extend(self.command.head());
        }
        arguments
    }

    /// Whether no program stands behind the wrapper, or none under a condition.
    fn is_hollow(&self, wrapping: &Wrapping) -> bool {
        let lists = self.entry_point.elements().zip(self.command.elements());
        let Some((entry_point, command)) = lists else {
            return false;
        };
        let words = [entry_point, command].concat();
        let behind = words.get(wrapping.wrapper.len()..).unwrap_or_default();
        if let Some(script) = &wrapping.script {
            let text = behind.first().and_then(Value::as_str);
            let program = text.and_then(|text| text.strip_prefix(script.as_str()));
            return program.is_some_and(|program| program.trim().is_empty());
        }
        let own = wrapping.command.as_deref().unwrap_or_default();
        let own = [&wrapping.suffix, own].concat();
        let program = behind.strip_suffix(own.as_slice()).unwrap_or(behind);
        program.iter().all(may_vanish)
    }
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
