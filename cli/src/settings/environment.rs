//! Settings in the environment.

use std::collections::BTreeMap;

use serde_json::Value;
use taskdef::nearest::nearest;
use taskdef::recipe::InputValue;

use super::table::{INPUTS, OF_THE_MACRO, PREFIX, SETTINGS, Shape};
use super::{Given, Origin};
use crate::console::Variables;
use crate::{Exit, Failure, Problem};

/// What the environment gives.
#[derive(Default)]
pub(super) struct Environment {
    /// By the setting's key.
    pub(super) given: BTreeMap<&'static str, Given>,
    /// Key and value of inputs, as `--set` takes them. A value may be a secret.
    pub(super) inputs: Vec<(String, String)>,
}

/// Reads the variables; one that is empty is not set.
pub(super) fn read(variables: &Variables) -> Result<Environment, Failure> {
    let mut environment = Environment::default();
    let mut problems = misspelt(variables);
    let value = |name: &str| {
        let value = variables.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    };
    for setting in &SETTINGS {
        let Some(text) = value(&setting.variable()) else {
            continue;
        };
        let texts = match setting.shape {
            Shape::Text | Shape::Flag | Shape::File => vec![text.to_owned()],
            Shape::Words | Shape::Recipes => words(text),
            Shape::Lines => text
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect(),
        };
        let origin = Origin::Variable(setting.variable());
        environment
            .given
            .insert(setting.key, Given { texts, origin });
    }
    if let Some(text) = value(&format!("{PREFIX}{INPUTS}")) {
        match inputs(text) {
            Ok(inputs) => environment.inputs = inputs,
            Err(what) => problems.push(Problem {
                message: format!("the variable `{PREFIX}{INPUTS}` {what}"),
                hint: Some("it takes `{\"KEY\": VALUE, ...}`, with the keys of `--set`".to_owned()),
            }),
        }
    }
    match problems.is_empty() {
        true => Ok(environment),
        false => Err(Failure {
            exit: Exit::Usage,
            problems,
        }),
    }
}

/// Variables that look like a setting's and are none would have no effect. Others are somebody
/// else's.
fn misspelt(variables: &Variables) -> Vec<Problem> {
    let known = || {
        SETTINGS
            .iter()
            .map(|setting| setting.variable)
            .chain([INPUTS])
            .chain(OF_THE_MACRO)
    };
    let ours = variables
        .names()
        .filter_map(|name| name.strip_prefix(PREFIX));
    ours.filter(|name| known().all(|known| known != *name))
        .filter_map(|name| Some((name, nearest(name, known())?)))
        .map(|(name, near)| Problem {
            message: format!("there is no setting `{PREFIX}{name}`"),
            hint: Some(format!("did you mean `{PREFIX}{near}`?")),
        })
        .collect()
}

/// Values with commas or blanks between them.
fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| c == ',' || c.is_whitespace());
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// No message repeats any of it: a value may be a secret.
fn inputs(text: &str) -> Result<Vec<(String, String)>, String> {
    let Ok(Value::Object(map)) = serde_json::from_str(text) else {
        return Err("is not a JSON object".to_owned());
    };
    let entries = map.into_iter().map(|(key, value)| match value {
        Value::String(text) => Ok((key, text)),
        value => match InputValue::from_value(value) {
            Ok(value) => Ok((key, super::file::in_its_form(&value))),
            Err(error) => Err(format!("is wrong: input `{key}`: {error}")),
        },
    });
    entries.collect()
}
