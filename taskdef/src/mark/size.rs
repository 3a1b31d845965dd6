//! The size of a task that was made larger, after every recipe had its turn.

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::as_if;
use crate::dialect::Dialect;

use super::label::{Label, key};
use super::record::{self, Recorder};

/// Enters the size that a task had before it was made larger into the first recipe's labels.
pub(crate) fn enter_size(
    dialect: Dialect,
    before: &Map<String, Value>,
    after: &mut Map<String, Value>,
    recipe: &str,
) {
    let recorder = Recorder {
        dialect,
        secrets: &[],
        replaced: &[],
    };
    let size = |map: &Map<String, Value>| -> Map<String, Value> {
        let keys = ["cpu", "memory"].map(|key| dialect.key("", key).into_owned());
        let members = map.iter().filter(|(key, _)| keys.contains(key));
        members
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    let nodes = recorder.object("", &size(before), &size(after));
    let definitions = dialect.key("", "containerDefinitions").into_owned();
    if let (false, Some(definitions)) = (nodes.is_empty(), after.get_mut(&definitions)) {
        each_label(definitions, &key(recipe), &mut |text| {
            if let Some(mut label) = Label::read(text) {
                record::merge(&mut label.task, nodes.clone());
                *text = label.text();
            }
        });
    }
}

/// Visits the text of every label of this name.
fn each_label(value: &mut Value, name: &str, visit: &mut dyn FnMut(&mut String)) {
    match value {
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| each_label(item, name, visit)),
        Value::Object(map) => {
            for (key, value) in map {
                if key == name {
                    each_text(value, visit);
                } else {
                    each_label(value, name, visit);
                }
            }
        }
        _ => {}
    }
}

fn each_text(value: &mut Value, visit: &mut dyn FnMut(&mut String)) {
    if as_if(value).is_some() {
        let items = value.get_mut("Fn::If").and_then(Value::as_array_mut);
        items
            .into_iter()
            .flatten()
            .skip(1)
            .for_each(|item| each_text(item, visit));
    } else if let Value::String(text) = value {
        visit(text);
    }
}
