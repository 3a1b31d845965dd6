//! Terraform's values.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// A value. Lists, sets and tuples are one variant, and so are maps and objects: the
/// [`Type`](super::Type) that a schema states tells which.
///
/// Marks are not among them: the protocol takes a sensitive value's mark off before a provider
/// sees it, and puts it on what comes back.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Known after apply.
    Unknown,
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number of any size.
    Number(serde_json::Number),
    /// A text.
    String(String),
    /// A list, a set or a tuple.
    List(Vec<Value>),
    /// A map or an object.
    Object(BTreeMap<String, Value>),
}

impl Value {
    /// A text.
    pub fn string(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    /// An object of these attributes.
    pub fn object<const N: usize>(attributes: [(&str, Value); N]) -> Value {
        let named = attributes
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        Value::Object(named.collect())
    }

    /// An attribute of an object, or an element of a map: null where there is none.
    pub fn get(&self, name: &str) -> &Value {
        match self {
            Value::Object(attributes) => attributes.get(name).unwrap_or(&Value::Null),
            _ => &Value::Null,
        }
    }

    /// The text, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether nothing of it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Value::Unknown => false,
            Value::List(elements) => elements.iter().all(Value::is_wholly_known),
            Value::Object(attributes) => attributes.values().all(Value::is_wholly_known),
            _ => true,
        }
    }

    /// The value as JSON; `None` where something of it is unknown.
    pub fn to_json(&self) -> Option<Json> {
        Some(match self {
            Value::Unknown => return None,
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(number) => Json::Number(number.clone()),
            Value::String(text) => Json::String(text.clone()),
            Value::List(elements) => elements.iter().map(Value::to_json).collect::<Option<_>>()?,
            Value::Object(attributes) => {
                let attributes = attributes.iter();
                let attributes =
                    attributes.map(|(name, value)| Some((name.clone(), value.to_json()?)));
                Json::Object(attributes.collect::<Option<_>>()?)
            }
        })
    }
}

impl From<&Json> for Value {
    fn from(json: &Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => Value::Number(number.clone()),
            Json::String(text) => Value::String(text.clone()),
            Json::Array(elements) => Value::List(elements.iter().map(Value::from).collect()),
            Json::Object(attributes) => {
                let attributes = attributes.iter();
                Value::Object(
                    attributes
                        .map(|(name, value)| (name.clone(), value.into()))
                        .collect(),
                )
            }
        }
    }
}
