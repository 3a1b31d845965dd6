//! What may stand where an expression stands.

use serde_json::Value;

use super::value::intrinsic_name;

/// Where an expression stands, which says what it has to give. An intrinsic function may stand
/// anywhere but in a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// A condition.
    Condition,
    /// A text; numbers and booleans are written as one.
    Text,
    /// The same, and a `valueFrom` may stand here: the setting is a reference itself.
    Reference,
    /// An element of a list of texts: a text, or a list of them.
    Element,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A list of texts.
    Texts,
    /// A list of maps.
    Maps,
    /// A map.
    Map,
}

impl Position {
    /// The value as it is written here, if it may stand here.
    pub(super) fn take(self, value: Value) -> Result<Value, Value> {
        if intrinsic_name(&value).is_some() {
            return Ok(value);
        }
        match (self, value) {
            (
                Position::Text | Position::Reference | Position::Element,
                value @ (Value::Bool(_) | Value::Number(_)),
            ) => Ok(Value::String(value.to_string())),
            (
                Position::Text | Position::Reference | Position::Element,
                value @ Value::String(_),
            )
            | (Position::Map, value @ Value::Object(_))
            | (Position::Boolean | Position::Condition, value @ Value::Bool(_))
            | (Position::Integer, value @ Value::Number(_)) => Ok(value),
            (Position::Element | Position::Texts, Value::Array(items)) => texts(items),
            (Position::Maps, Value::Array(items)) if items.iter().all(Value::is_object) => {
                Ok(Value::Array(items))
            }
            (Position::Integer, Value::String(text)) => match text.parse::<i64>() {
                Ok(integer) => Ok(Value::from(integer)),
                Err(_) => Err(Value::String(text)),
            },
            (_, value) => Err(value),
        }
    }

    /// What has to stand here, with its article.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Position::Condition | Position::Boolean => "`true` or `false`",
            Position::Text | Position::Reference => "a text",
            Position::Element => "a text or a list of texts",
            Position::Integer => "a whole number",
            Position::Texts => "a list of texts",
            Position::Maps => "a list of maps",
            Position::Map => "a map",
        }
    }
}

/// A list of texts; numbers and booleans are written as one.
fn texts(items: Vec<Value>) -> Result<Value, Value> {
    let text = |item: &Value| match item {
        Value::Bool(_) | Value::Number(_) => Some(Value::String(item.to_string())),
        Value::String(_) => Some(item.clone()),
        item => intrinsic_name(item).map(|_| item.clone()),
    };
    let texts: Option<Vec<Value>> = items.iter().map(text).collect();
    texts.map(Value::Array).ok_or(Value::Array(items))
}

/// What a value is, with its article.
pub(super) fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "`true` or `false`",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) if intrinsic_name(value).is_some() => "an intrinsic function",
        Value::Object(_) => "a map",
    }
}
