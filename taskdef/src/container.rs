//! A typed, read-only view of task definitions and container definitions, in any dialect.

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::{function, is_no_value, scalar_text};
use crate::dialect::Dialect;

/// A setting as the document gives it. An intrinsic function is never mistaken for a value:
/// every reader has to say what it does with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting<'v, T> {
    /// Not there, `null`, or `AWS::NoValue`.
    Absent,
    /// A literal.
    Known(T),
    /// An intrinsic function.
    Intrinsic(&'v Value),
    /// A literal of the wrong type.
    Malformed,
}

/// An object whose keys are read by their canonical names.
#[derive(Clone, Copy)]
pub(crate) struct View<'v> {
    dialect: Dialect,
    map: &'v Map<String, Value>,
}

impl<'v> View<'v> {
    pub(crate) fn new(dialect: Dialect, map: &'v Map<String, Value>) -> Self {
        View { dialect, map }
    }

    /// The value of a canonical top-level key.
    pub(crate) fn get(self, key: &str) -> Option<&'v Value> {
        self.dialect.find(self.map, key)
    }

    /// The object itself.
    pub(crate) fn map(self) -> &'v Map<String, Value> {
        self.map
    }

    fn setting<T>(self, key: &str, read: impl FnOnce(&'v Value) -> Option<T>) -> Setting<'v, T> {
        match self.get(key) {
            None | Some(Value::Null) => Setting::Absent,
            Some(value) if self.dialect.has_functions() && is_no_value(value) => Setting::Absent,
            Some(value) if self.dialect.function(value).is_some() => Setting::Intrinsic(value),
            Some(value) => read(value).map_or(Setting::Malformed, Setting::Known),
        }
    }

    /// A scalar as text.
    pub(crate) fn text(self, key: &str) -> Setting<'v, String> {
        self.setting(key, scalar_text)
    }

    /// A list of words; each element is a scalar or an intrinsic function.
    pub(crate) fn words(self, key: &str) -> Setting<'v, &'v [Value]> {
        self.setting(key, |value| {
            let items = value.as_array()?;
            let is_word =
                |item: &Value| scalar_text(item).is_some() || self.dialect.function(item).is_some();
            items.iter().all(is_word).then_some(items.as_slice())
        })
    }

    /// A list of anything.
    pub(crate) fn list(self, key: &str) -> Setting<'v, &'v [Value]> {
        self.setting(key, |value| value.as_array().map(Vec::as_slice))
    }

    /// An object, to be read by canonical keys in turn.
    pub(crate) fn object(self, key: &str) -> Setting<'v, View<'v>> {
        let dialect = self.dialect;
        self.setting(key, |value| {
            value.as_object().map(|map| View { dialect, map })
        })
    }

    /// A container's name as it is written, so that no parameter's value is shown; its position when it has none.
    pub(crate) fn label(self, position: usize) -> String {
        let stated = self.get("name").map(shown);
        stated.unwrap_or_else(|| format!("number {}", position + 1))
    }

    /// Whether the object takes content from elsewhere: `Fn::Transform` or `Fn::ForEach` among its keys.
    pub(crate) fn has_generated_keys(self) -> bool {
        self.dialect.has_functions() && has_generated_keys(self.map)
    }
}

/// Whether an object takes content from elsewhere: `Fn::Transform` or `Fn::ForEach` among its keys.
pub(crate) fn has_generated_keys(map: &Map<String, Value>) -> bool {
    map.keys()
        .any(|key| key == "Fn::Transform" || key.starts_with("Fn::ForEach::"))
}

/// `container.user`: absent, empty, `0`, `root`, `0:0` and `root:root` are root.
pub(crate) fn normalised_user(user: &str) -> String {
    // The part after the colon is a group; user 0 is root in any.
    match user.split(':').next() {
        None | Some("" | "0" | "root") => "root".to_owned(),
        Some(_) => user.to_owned(),
    }
}

/// A value as a person would write it on one line: text as it is, an intrinsic function in its short form.
pub(crate) fn shown(value: &Value) -> String {
    match function(value) {
        Some(("Ref", Value::String(target))) => format!("!Ref {target}"),
        Some((name, argument)) => {
            let name = name.strip_prefix("Fn::").unwrap_or(name);
            match argument {
                Value::String(text) => format!("!{name} {text}"),
                other => format!("!{name} {}", shown_items(other)),
            }
        }
        None => scalar_text(value).unwrap_or_else(|| shown_items(value)),
    }
}

fn shown_items(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) if function(value).is_none() => {
            let keys: Vec<&str> = map.keys().map(String::as_str).collect();
            format!("{{{}}}", keys.join(", "))
        }
        Value::Null => "null".to_owned(),
        other => shown(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_shown_as_a_person_writes_them() {
        let table = [
            (json!("a b"), "a b"),
            (json!(7), "7"),
            (json!({"Ref": "Image"}), "!Ref Image"),
            (json!({"Fn::Sub": "${A}"}), "!Sub ${A}"),
            (
                json!({"Fn::If": ["C", "a", {"Ref": "B"}]}),
                "!If [C, a, !Ref B]",
            ),
            (json!({"Fn::Join": null}), "!Join null"),
            (json!({"Fn::Join": [null, {"a": 1}]}), "!Join [null, {a}]"),
            (json!({"Ref": null}), "!Ref null"),
        ];
        for (value, text) in table {
            assert_eq!(shown(&value), text);
        }
    }
}
