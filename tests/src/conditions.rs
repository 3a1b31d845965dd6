//! A tiny evaluator of `Fn::If` and `AWS::NoValue`: what a template says once its conditions are decided.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// Condition name to its value.
pub type Assignment = BTreeMap<String, bool>;

/// More conditions than this are not enumerated.
const MOST_CONDITIONS: usize = 7;

/// The one key of an intrinsic function, and its argument.
pub fn intrinsic(value: &Value) -> Option<(&str, &Value)> {
    let map = value.as_object()?;
    let (key, argument) = map.iter().next()?;
    let known = key.starts_with("Fn::") || key == "Ref" || key == "Condition";
    (map.len() == 1 && known).then_some((key.as_str(), argument))
}

/// Whether the value is `{"Ref": "AWS::NoValue"}`.
pub fn is_no_value(value: &Value) -> bool {
    *value == json!({"Ref": "AWS::NoValue"})
}

/// The names of all conditions that `Fn::If` uses anywhere in the value.
pub fn used(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect(value, &mut names);
    names
}

fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        Value::Object(map) => {
            if let Some((name, _, _)) = branches(value) {
                names.insert(name.to_owned());
            }
            map.values().for_each(|item| collect(item, names));
        }
        _ => {}
    }
}

/// `Fn::If` taken apart: condition, value if true, value if false.
pub fn branches(value: &Value) -> Option<(&str, &Value, &Value)> {
    let ("Fn::If", Value::Array(parts)) = intrinsic(value)? else {
        return None;
    };
    let [condition, yes, no] = parts.as_slice() else {
        return None;
    };
    Some((condition.as_str()?, yes, no))
}

/// Every assignment of these conditions; none if there are too many to try.
pub fn assignments(names: &BTreeSet<String>) -> Vec<Assignment> {
    if names.len() > MOST_CONDITIONS {
        return Vec::new();
    }
    let mut all = vec![Assignment::new()];
    for name in names {
        all = all
            .into_iter()
            .flat_map(|so_far| {
                [true, false].map(|value| {
                    let mut next = so_far.clone();
                    next.insert(name.clone(), value);
                    next
                })
            })
            .collect();
    }
    all
}

/// The value with every `Fn::If` decided; `None` where nothing is left (`AWS::NoValue`).
pub fn under(value: &Value, assignment: &Assignment) -> Option<Value> {
    if is_no_value(value) {
        return None;
    }
    if let Some((condition, yes, no)) = branches(value) {
        let chosen = if assignment.get(condition).copied().unwrap_or(false) {
            yes
        } else {
            no
        };
        return under(chosen, assignment);
    }
    Some(match value {
        Value::Array(items) => items
            .iter()
            .filter_map(|item| under(item, assignment))
            .collect(),
        Value::Object(map) => Value::Object(
            map.iter()
                .filter_map(|(key, item)| Some((key.clone(), under(item, assignment)?)))
                .collect::<Map<_, _>>(),
        ),
        other => other.clone(),
    })
}
