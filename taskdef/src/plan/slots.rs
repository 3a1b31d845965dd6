//! Where containers stand: `ContainerDefinitions` and each of its elements may be an `Fn::If`.

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::{Assignment, as_if, call, function, is_no_value, no_value};
use crate::report::Code;
use crate::source::{Path, Step};

use super::Refusal;

/// One container definition and the conditions that it stands under.
#[derive(Clone, Debug)]
pub(crate) struct Slot<'d> {
    /// The list that it is in, from `ContainerDefinitions` inwards.
    pub(crate) list: Path,
    /// Where it is, from `ContainerDefinitions` inwards.
    pub(crate) path: Path,
    /// The container definition.
    pub(crate) container: &'d Map<String, Value>,
    /// The conditions of its list and its own.
    pub(crate) given: Assignment,
    /// Its own conditions, inside of its list, the outermost first.
    pub(crate) guards: Vec<(String, bool)>,
}

/// All containers of a `ContainerDefinitions` value, in order.
pub(crate) fn slots<'d>(
    definitions: &'d Value,
    given: &Assignment,
) -> Result<Vec<Slot<'d>>, Refusal> {
    let mut found = Vec::new();
    in_lists(definitions, &Path::new(), given, &mut found)?;
    Ok(found)
}

fn in_lists<'d>(
    value: &'d Value,
    path: &Path,
    given: &Assignment,
    found: &mut Vec<Slot<'d>>,
) -> Result<(), Refusal> {
    if let Some((condition, yes, no)) = as_if(value) {
        for (index, truth, branch) in [(1, true, yes), (2, false, no)] {
            if let Some(given) = assumed(given, condition, truth) {
                in_lists(branch, &branch_path(path, index), &given, found)?;
            }
        }
        return Ok(());
    }
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let mut here = path.clone();
                here.push(Step::Index(index));
                in_element(item, path, &here, given, &[], found)?;
            }
            Ok(())
        }
        other if is_no_value(other) => Ok(()),
        other => Err(unreadable(other, "the container definitions are")),
    }
}

fn in_element<'d>(
    value: &'d Value,
    list: &Path,
    path: &Path,
    given: &Assignment,
    guards: &[(String, bool)],
    found: &mut Vec<Slot<'d>>,
) -> Result<(), Refusal> {
    if let Some((condition, yes, no)) = as_if(value) {
        for (index, truth, branch) in [(1, true, yes), (2, false, no)] {
            if let Some(given) = assumed(given, condition, truth) {
                let mut guards = guards.to_vec();
                guards.push((condition.to_owned(), truth));
                in_element(
                    branch,
                    list,
                    &branch_path(path, index),
                    &given,
                    &guards,
                    found,
                )?;
            }
        }
        return Ok(());
    }
    if is_no_value(value) {
        return Ok(());
    }
    match value {
        Value::Object(container) if function(value).is_none() => {
            found.push(Slot {
                list: list.clone(),
                path: path.clone(),
                container,
                given: given.clone(),
                guards: guards.to_vec(),
            });
            Ok(())
        }
        other => Err(unreadable(other, &format!("{} is", numbered(list, path)))),
    }
}

/// `given` with one condition more; `None` when it says the opposite already.
pub(crate) fn assumed(given: &Assignment, condition: &str, truth: bool) -> Option<Assignment> {
    match given.get(condition) {
        Some(known) if *known != truth => None,
        Some(_) => Some(given.clone()),
        None => {
            let mut given = given.clone();
            given.insert(condition.to_owned(), truth);
            Some(given)
        }
    }
}

/// The way into a branch of an `Fn::If`.
pub(crate) fn branch_path(path: &Path, index: usize) -> Path {
    let mut path = path.clone();
    path.push(Step::Key("Fn::If".to_owned()));
    path.push(Step::Index(index));
    path
}

/// A container definition that has no name, by its place in its list.
fn numbered(list: &Path, path: &Path) -> String {
    match path.get(list.len()) {
        Some(Step::Index(index)) => format!("the container definition number {}", index + 1),
        _ => "a container definition".to_owned(),
    }
}

fn unreadable(value: &Value, what: &str) -> Refusal {
    let (form, hint) = match function(value) {
        Some((name, _)) => (
            format!("`{name}`"),
            "write the container definitions inline; `Fn::If` is understood",
        ),
        None => (
            "not of the right type".to_owned(),
            "write the container definitions as a list of objects",
        ),
    };
    Refusal::new(
        Code::CannotReadContainers,
        format!("{what} {form}, so what runs cannot be known"),
        hint,
    )
}

/// The value at `path` below `root`.
pub(crate) fn value_at<'v>(root: &'v Value, path: &[Step]) -> Option<&'v Value> {
    path.iter().try_fold(root, |value, step| match step {
        Step::Key(key) => value.get(key.as_str()),
        Step::Index(index) => value.get(*index),
    })
}

/// A value that is there only under these conditions, as nested `Fn::If`s.
pub(crate) fn guarded(value: Value, guards: &[(String, bool)]) -> Value {
    guards
        .iter()
        .rev()
        .fold(value, |value, (condition, truth)| {
            let condition = Value::String(condition.clone());
            let branches = match truth {
                true => vec![condition, value, no_value()],
                false => vec![condition, no_value(), value],
            };
            call("Fn::If", Value::Array(branches))
        })
}
