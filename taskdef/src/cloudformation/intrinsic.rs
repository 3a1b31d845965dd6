//! [Intrinsic functions](https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html):
//! recognised everywhere, evaluated where the value is known exactly.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

mod evaluation;

pub(crate) use evaluation::Evaluation;

/// Truth values of conditions, by name.
pub(crate) type Assignment = BTreeMap<String, bool>;

/// The value of each loop variable of `Fn::ForEach` for one item; `None` where the collection is not literal.
pub(crate) type LoopItem = BTreeMap<String, Option<String>>;

/// A call of an intrinsic function: its name (`Ref`, `Fn::Sub`) and its argument.
pub(crate) fn function(value: &Value) -> Option<(&str, &Value)> {
    let map = value.as_object()?;
    let mut entries = map.iter();
    match (entries.next(), entries.next()) {
        (Some((name, argument)), None) if name == "Ref" || name.starts_with("Fn::") => {
            Some((name, argument))
        }
        _ => None,
    }
}

/// Whether the value is `Ref: AWS::NoValue`.
pub(crate) fn is_no_value(value: &Value) -> bool {
    matches!(function(value), Some(("Ref", Value::String(name))) if name == "AWS::NoValue")
}

/// `Ref: AWS::NoValue`.
pub(crate) fn no_value() -> Value {
    call("Ref", Value::String("AWS::NoValue".to_owned()))
}

/// A call of an intrinsic function as a value.
pub(crate) fn call(name: &str, argument: Value) -> Value {
    let mut map = Map::new();
    map.insert(name.to_owned(), argument);
    Value::Object(map)
}

/// Condition and branches, when the value is a well-formed `Fn::If`.
pub(crate) fn as_if(value: &Value) -> Option<(&str, &Value, &Value)> {
    match function(value)? {
        ("Fn::If", Value::Array(items)) => match items.as_slice() {
            [Value::String(condition), yes, no] => Some((condition, yes, no)),
            _ => None,
        },
        _ => None,
    }
}

/// The text of a scalar, as CloudFormation turns it into a string.
pub(crate) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Why a value is not known before the deployment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unknown {
    /// A template parameter, which the settings do not allow to be evaluated.
    Parameter(String),
    /// A parameter without a value.
    NoValueGiven(String),
    /// A `NoEcho` parameter.
    NoEcho(String),
    /// An SSM-typed parameter.
    Ssm(String),
    /// A parameter that the snippet does not declare.
    Undeclared(String),
    /// A resource, or an attribute of one.
    Resource(String),
    /// A pseudo parameter that is not known.
    Pseudo(String),
    /// A dynamic reference.
    Dynamic,
    /// A loop variable whose collection is not literal.
    Loop(String),
    /// A condition whose value is not known here.
    Condition(String),
    /// A function that cannot be evaluated.
    Function(String),
    /// More than a task definition may hold, or more than is evaluated.
    TooLarge,
    /// Something that CloudFormation would not accept.
    Malformed(String),
}

#[cfg(test)]
mod tests;
