//! The references that an image expression can stand for.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cloudformation::intrinsic::{Assignment, Unknown};
use crate::plan::Task;
use crate::plan::regions::{is_copy, placeless, rows};

/// The references that an image expression can stand for.
pub(crate) struct References {
    /// One, or one for each item of a loop and each row of a mapping.
    pub(crate) references: BTreeSet<String>,
    /// Whether it is another one in another region or account.
    pub(super) by_place: bool,
    /// The template parameters that it depends on.
    pub(crate) parameters: BTreeSet<String>,
}

/// Evaluates an image for every item of the loops around it, and for every place where the
/// template may be deployed.
pub(crate) fn references(
    task: &Task<'_>,
    image: &Value,
    given: &Assignment,
) -> Result<References, Unknown> {
    let mut found = References {
        references: BTreeSet::new(),
        by_place: false,
        parameters: BTreeSet::new(),
    };
    let texts = |image: &Value, found: &mut References| -> Result<Vec<String>, Unknown> {
        let evaluations = task.evaluations(task.resolves_parameters(), given);
        evaluations
            .map(|evaluation| evaluation.text(image, &mut found.parameters))
            .collect()
    };
    let here = texts(image, &mut found).map_err(|unknown| named(task, image, unknown))?;
    found.references.extend(here);
    let elsewhere = match task.settings.for_one_stack {
        true => Vec::new(),
        false => rows(task.template, image)?,
    };
    for row in elsewhere {
        match texts(&row, &mut found) {
            Ok(references) => references.into_iter().for_each(|there| {
                if !found.references.iter().any(|known| is_copy(known, &there)) {
                    found.by_place = true;
                    found.references.insert(there);
                }
            }),
            // A place that the mapping has no image for.
            Err(Unknown::Malformed(_)) => {}
            Err(unknown) => return Err(unknown),
        }
    }
    Ok(found)
}

/// What an image expression stands for, whatever place it is deployed in.
pub(crate) fn placeless_references(
    task: &Task<'_>,
    image: &Value,
    given: &Assignment,
) -> Result<BTreeSet<String>, Unknown> {
    let mut expressions = rows(task.template, image)?;
    if expressions.is_empty() {
        expressions.push(image.clone());
    }
    let mut found = BTreeSet::new();
    for expression in &expressions {
        let expression = placeless(expression);
        for evaluation in task.evaluations(task.resolves_parameters(), given) {
            match evaluation.text(&expression, &mut BTreeSet::new()) {
                Ok(reference) => drop(found.insert(reference)),
                Err(Unknown::Malformed(_)) => {}
                Err(unknown) => return Err(unknown),
            }
        }
    }
    Ok(found)
}

/// A parameter that is not evaluated is the reason that a person can do most about: it comes first.
fn named(task: &Task<'_>, image: &Value, unknown: Unknown) -> Unknown {
    match &unknown {
        Unknown::Pseudo(_) if !task.resolves_parameters() => match parameter_in(task, image) {
            Some(name) => Unknown::Parameter(name.to_owned()),
            None => unknown,
        },
        _ => unknown,
    }
}

/// The first template parameter that an expression refers to.
fn parameter_in<'v>(task: &Task<'_>, value: &'v Value) -> Option<&'v str> {
    let declared = |name: &&str| task.template.parameter(name).is_some();
    match value {
        Value::String(text) => text
            .split("${")
            .skip(1)
            .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
            .find(declared),
        Value::Array(items) => items.iter().find_map(|item| parameter_in(task, item)),
        Value::Object(map) => match map.get("Ref").and_then(Value::as_str) {
            Some(name) => Some(name).filter(declared),
            None => map.values().find_map(|item| parameter_in(task, item)),
        },
        _ => None,
    }
}
