//! Inputs: what a recipe asks of its user, and what the user gives.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::error::InputError;
use super::secret;
use super::value::{holds_nul, intrinsic_name, meant_function};
use crate::nearest::nearest;
use crate::source::Source;

/// What an input's value has to be. An intrinsic function is taken for any of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputType {
    /// A text; numbers, `true` and `false` are taken as they are spelled.
    #[default]
    Text,
    /// A whole number.
    Integer,
    /// How much of something: a whole number over 0.
    Size,
    /// A port: a whole number from 1 to 65535.
    Port,
    /// `true` or `false`.
    Boolean,
    /// A list of texts; at a command line separated by commas, or as JSON.
    List,
}

impl InputType {
    fn expected(self) -> &'static str {
        match self {
            InputType::Text => "a text",
            InputType::Integer => "a whole number",
            InputType::Size => "a whole number over 0",
            InputType::Port => "a port, from 1 to 65535",
            InputType::Boolean => "`true` or `false`",
            InputType::List => "a list of texts",
        }
    }
}

/// What a recipe says about one of its inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputDeclaration {
    /// Its name, in camelCase.
    pub name: String,
    /// What it is for, in one line.
    pub description: String,
    /// What its value has to be.
    pub kind: InputType,
    /// Its value when it is not given.
    pub default: Option<Value>,
    /// Whether it has to be given.
    pub required: bool,
    /// The condition on other inputs under which it has to be given.
    pub required_when: Option<String>,
    /// The condition on other inputs under which it must not be given.
    pub forbidden_when: Option<String>,
    /// Whether its value must not be shown, and should come from a secret store.
    pub secret: bool,
    /// The key under which the vendor keeps the value in a secret that holds JSON.
    pub secret_key: Option<String>,
    /// Whether its values are names of containers.
    pub names_containers: bool,
    /// The values that are allowed; empty when all are.
    pub allowed: Vec<String>,
    /// Whether the empty text is a value, where all texts are allowed.
    pub may_be_empty: bool,
}

/// A value that a user gives to an input. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub enum InputValue {
    /// The value itself, or an intrinsic function that gives it.
    Plain(Value),
    /// Where ECS finds the value: an ARN, the name of an SSM parameter, or an intrinsic function.
    ValueFrom(Value),
}

impl fmt::Debug for InputValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InputValue::Plain(_) => "Plain(..)",
            InputValue::ValueFrom(_) => "ValueFrom(..)",
        })
    }
}

/// An input's value in a form that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputValueError {
    /// `value` and `valueFrom`, or something beside one of them.
    #[error("an input is given as `value` or as `valueFrom`, not as both")]
    Both,
    /// A map with one key, which is nearly one of the two.
    #[error(
        "an input is given as `{{value: ...}}` or as `{{valueFrom: ...}}`, and its key is spelled otherwise"
    )]
    Misspelt,
    /// A text that begins like one of the forms and is not valid.
    #[error(
        "the input begins like `{{value: ...}}` or `{{valueFrom: ...}}`, and is neither YAML nor JSON; put the value in quotes"
    )]
    Syntax,
    /// A `valueFrom` that is neither a text nor an intrinsic function.
    #[error("`valueFrom` has to be an ARN, the name of an SSM parameter, or an intrinsic function")]
    ValueFrom,
}

impl InputValue {
    /// Reads a value from a command line: a plain text, an intrinsic function, or `{value: ...}` or
    /// `{valueFrom: ...}` as JSON or as YAML in one line.
    pub fn parse(text: &str) -> Result<InputValue, InputValueError> {
        let trimmed = text.trim();
        let plain = || Ok(InputValue::Plain(Value::String(text.to_owned())));
        if trimmed.starts_with('!') {
            let function = in_one_line(trimmed).filter(|value| intrinsic_name(value).is_some());
            return function.map_or_else(plain, |function| Ok(InputValue::Plain(function)));
        }
        if !trimmed.starts_with('{') {
            return plain();
        }
        if let Some(name) = bare_reference(trimmed) {
            return Ok(InputValue::ValueFrom(Value::from(name)));
        }
        match serde_json::from_str(trimmed)
            .ok()
            .or_else(|| in_one_line(trimmed))
        {
            Some(Value::Object(map)) if is_form(&map) => InputValue::from_form(map),
            Some(Value::Object(map)) if is_nearly_a_form(&map) => Err(InputValueError::Misspelt),
            Some(value) if intrinsic_name(&value).is_some() => Ok(InputValue::Plain(value)),
            None if begins_like_a_form(trimmed) => Err(InputValueError::Syntax),
            _ => plain(),
        }
    }

    /// Takes a value from a document: `{value: ...}`, `{valueFrom: ...}`, or the value itself.
    pub fn from_value(value: Value) -> Result<InputValue, InputValueError> {
        match value {
            Value::Object(map) if is_form(&map) => InputValue::from_form(map),
            Value::Object(map) if is_nearly_a_form(&map) => Err(InputValueError::Misspelt),
            value => Ok(InputValue::Plain(value)),
        }
    }

    fn from_form(mut map: Map<String, Value>) -> Result<InputValue, InputValueError> {
        match (map.shift_remove("value"), map.shift_remove("valueFrom")) {
            (Some(value), None) => Ok(InputValue::Plain(value)),
            (None, Some(value)) => {
                let text = value.as_str().is_some_and(|text| !text.is_empty());
                if text || intrinsic_name(&value).is_some() {
                    Ok(InputValue::ValueFrom(value))
                } else {
                    Err(InputValueError::ValueFrom)
                }
            }
            _ => Err(InputValueError::Both),
        }
    }
}

/// The reference in `{valueFrom: arn:...:KEY::}`, which YAML would not take without quotes.
fn bare_reference(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('{')?.strip_suffix('}')?.trim();
    let name = inside.strip_prefix("valueFrom:")?.trim();
    let bare = |c: char| c.is_ascii_alphanumeric() || "/:._-+=@".contains(c);
    (!name.is_empty() && name.chars().all(bare)).then_some(name)
}

/// Whether a text that is not valid was most likely meant as one of the two forms. Taking it
/// as it stands would put a secret's reference into the environment as clear text.
fn begins_like_a_form(text: &str) -> bool {
    let inside = text.trim_start_matches(['{', '"', '\'', ' ']);
    inside.starts_with("value:") || inside.starts_with("valueFrom")
}

/// A value in one line of YAML, short forms of intrinsic functions included.
fn in_one_line(text: &str) -> Option<Value> {
    Source::parse(text)
        .ok()
        .map(|source| source.value().clone())
}

/// Whether a map is one of the two forms, and not a value that happens to be a map.
fn is_form(map: &Map<String, Value>) -> bool {
    !map.is_empty() && map.keys().all(|key| key == "value" || key == "valueFrom")
}

/// Whether a map was most likely meant as one of the two forms.
fn is_nearly_a_form(map: &Map<String, Value>) -> bool {
    let is_near =
        |key: &String| key.eq_ignore_ascii_case("value") || nearest(key, ["valueFrom"]).is_some();
    map.len() == 1 && map.keys().any(is_near)
}

/// The inputs of one recipe after checking; none that was declared is absent.
pub(super) type BoundInputs = BTreeMap<String, Option<InputValue>>;

/// Checks what can be checked without conditions, and fills in defaults.
///
/// Gives the inputs, and the names of those that were given.
pub(super) fn check(
    declarations: &[InputDeclaration],
    given: BTreeMap<String, InputValue>,
    errors: &mut Vec<InputError>,
) -> (BoundInputs, Vec<String>) {
    let mut names = Vec::new();
    let mut bound: BoundInputs = declarations
        .iter()
        .map(|declaration| {
            let default = declaration.default.clone().map(InputValue::Plain);
            (declaration.name.clone(), default)
        })
        .collect();
    for (name, value) in given {
        let Some(declaration) = declarations.iter().find(|known| known.name == name) else {
            let known = declarations.iter().map(|known| known.name.as_str());
            let nearest = nearest(&name, known).map(str::to_owned);
            errors.push(InputError::Unknown { name, nearest });
            continue;
        };
        match check_value(declaration, value) {
            Ok(InputValue::Plain(Value::Null)) => continue,
            // As an unset variable of a shell gives it: not given.
            Err(InputError::Empty { .. }) if declaration.required => continue,
            Ok(value) => {
                bound.insert(name.clone(), Some(value));
            }
            Err(error) => errors.push(error),
        }
        names.push(name);
    }
    (bound, names)
}

fn check_value(
    declaration: &InputDeclaration,
    value: InputValue,
) -> Result<InputValue, InputError> {
    let name = || declaration.name.clone();
    let (InputValue::Plain(given) | InputValue::ValueFrom(given)) = &value;
    if holds_nul(given) {
        return Err(InputError::Nul { name: name() });
    }
    if let Some((function, meant)) = meant_function(given) {
        let name = name();
        return Err(InputError::NoFunction {
            name,
            function,
            meant,
        });
    }
    let value = match value {
        InputValue::Plain(value) => value,
        InputValue::ValueFrom(value) => return value_from(declaration, value),
    };
    if let Some(function) = intrinsic_name(&value) {
        if declaration.secret {
            return Err(InputError::SecretIntrinsic {
                name: name(),
                function,
            });
        }
        return Ok(InputValue::Plain(value));
    }
    if let Some(arn) = value.as_str().filter(|_| declaration.secret)
        && secret::begins_like_an_arn(arn)
    {
        return value_from(declaration, Value::from(arn.trim()));
    }
    let wrong = || InputError::WrongType {
        name: name(),
        expected: declaration.kind.expected(),
    };
    let value = convert(declaration.kind, value).ok_or_else(wrong)?;
    let allowed = &declaration.allowed;
    if allowed.is_empty() && value == "" && !declaration.may_be_empty {
        return Err(InputError::Empty { name: name() });
    }
    if !allowed.is_empty()
        && !allowed
            .iter()
            .any(|allowed| value.as_str() == Some(allowed))
    {
        return Err(InputError::NotAllowed {
            name: name(),
            allowed: allowed.clone(),
        });
    }
    Ok(InputValue::Plain(value))
}

fn value_from(declaration: &InputDeclaration, value: Value) -> Result<InputValue, InputError> {
    match value.as_str() {
        Some(text) if !secret::names_one(text) => Err(InputError::NoSecret {
            name: declaration.name.clone(),
        }),
        _ => Ok(InputValue::ValueFrom(value)),
    }
}

/// The value in the input's own type, where it has one.
pub(super) fn convert(kind: InputType, value: Value) -> Option<Value> {
    match (kind, value) {
        (_, Value::Null) => Some(Value::Null),
        (InputType::Text, Value::Number(number)) => Some(Value::String(number.to_string())),
        (InputType::Text, Value::Bool(boolean)) => Some(Value::String(boolean.to_string())),
        (InputType::Text, value @ Value::String(_)) => Some(value),
        (InputType::Integer, Value::String(text)) => {
            text.trim().parse::<i64>().ok().map(Value::from)
        }
        (InputType::Integer, Value::Number(number)) => number.as_i64().map(Value::from),
        (InputType::Size, value) => integer_in(1..=i64::MAX, value),
        (InputType::Port, value) => integer_in(1..=65535, value),
        (InputType::Boolean, Value::String(text)) => {
            text.trim().parse::<bool>().ok().map(Value::Bool)
        }
        (InputType::Boolean, value @ Value::Bool(_)) => Some(value),
        (InputType::List, Value::String(text)) => list(&text),
        (InputType::List, Value::Array(items)) => texts(items),
        _ => None,
    }
}

fn integer_in(range: RangeInclusive<i64>, value: Value) -> Option<Value> {
    let integer = convert(InputType::Integer, value)?;
    let fits = integer
        .as_i64()
        .is_some_and(|number| range.contains(&number));
    fits.then_some(integer)
}

fn list(text: &str) -> Option<Value> {
    if text.trim().is_empty() {
        return Some(Value::Array(Vec::new()));
    }
    if text.trim_start().starts_with('[') {
        return match serde_json::from_str(text)
            .ok()
            .or_else(|| in_one_line(text))?
        {
            Value::Array(items) => texts(items),
            _ => None,
        };
    }
    Some(
        text.split(',')
            .map(|item| Value::from(item.trim()))
            .collect(),
    )
}

fn texts(items: Vec<Value>) -> Option<Value> {
    items
        .into_iter()
        .map(|item| match intrinsic_name(&item) {
            Some(_) => Some(item),
            None if item.is_null() => None,
            None => convert(InputType::Text, item),
        })
        .collect::<Option<Vec<_>>>()
        .map(Value::Array)
}
