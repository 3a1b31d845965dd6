//! [Intrinsic functions](https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html):
//! recognised everywhere, evaluated where the value is known exactly.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use serde_json::{Map, Value};

use super::template::{Parameter, Template};

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
    /// Something that CloudFormation would not accept.
    Malformed(String),
}

/// Everything that decides the value of an expression.
pub(crate) struct Evaluation<'e> {
    /// Parameters, mappings and pseudo parameters.
    pub(crate) template: &'e Template<'e>,
    /// Whether parameters may be evaluated.
    pub(crate) parameters: bool,
    /// The branch of each condition.
    pub(crate) given: &'e Assignment,
    /// The loop variables.
    pub(crate) item: &'e LoopItem,
}

impl Evaluation<'_> {
    /// The value of an expression; the parameters that it depends on are added to `used`.
    pub(crate) fn value(
        &self,
        value: &Value,
        used: &mut BTreeSet<String>,
    ) -> Result<Value, Unknown> {
        match value {
            Value::String(text) => self.literal(text).map(Value::String),
            Value::Array(items) => {
                let mut known = Vec::with_capacity(items.len());
                for item in items {
                    let item = self.value(item, used)?;
                    if !is_no_value(&item) {
                        known.push(item);
                    }
                }
                Ok(Value::Array(known))
            }
            Value::Object(_) => match function(value) {
                Some((name, argument)) => self.call(name, argument, used),
                None => Err(Unknown::Malformed(
                    "an object where text is expected".to_owned(),
                )),
            },
            scalar => Ok(scalar.clone()),
        }
    }

    /// The expression with everything in it that is known written as its value.
    pub(crate) fn simplified(&self, value: &Value) -> Value {
        if let Ok(known) = self.value(value, &mut BTreeSet::new()) {
            return known;
        }
        match value {
            Value::Array(items) => items.iter().map(|item| self.simplified(item)).collect(),
            Value::Object(map) => map
                .iter()
                .map(|(key, item)| (key.clone(), self.simplified(item)))
                .collect(),
            unknown => unknown.clone(),
        }
    }

    /// The text of an expression.
    pub(crate) fn text(
        &self,
        value: &Value,
        used: &mut BTreeSet<String>,
    ) -> Result<String, Unknown> {
        let known = self.value(value, used)?;
        scalar_text(&known)
            .ok_or_else(|| Unknown::Malformed("not a text where one is expected".to_owned()))
    }

    fn texts(&self, value: &Value, used: &mut BTreeSet<String>) -> Result<Vec<String>, Unknown> {
        match self.value(value, used)? {
            Value::Array(items) => items
                .iter()
                .map(|item| {
                    scalar_text(item).ok_or_else(|| {
                        Unknown::Malformed("a list with something other than texts".to_owned())
                    })
                })
                .collect(),
            _ => Err(Unknown::Malformed(
                "not a list where one is expected".to_owned(),
            )),
        }
    }

    /// A literal text: loop variables stand in any string, and a dynamic reference is resolved only at deployment.
    fn literal(&self, text: &str) -> Result<String, Unknown> {
        let mut text = text.to_owned();
        for (name, value) in self.item {
            let forms = [format!("${{{name}}}"), format!("&{{{name}}}")];
            if !forms.iter().any(|form| text.contains(form.as_str())) {
                continue;
            }
            let Some(value) = value else {
                return Err(Unknown::Loop(name.clone()));
            };
            let alphanumeric: String = value
                .chars()
                .filter(|char| char.is_ascii_alphanumeric())
                .collect();
            let [plain, stripped] = &forms;
            text = text.replace(plain, value).replace(stripped, &alphanumeric);
        }
        let replaced = self.template.replaced_texts();
        if replaced.iter().any(|replaced| text.contains(replaced)) {
            return Err(Unknown::Dynamic);
        }
        Ok(text)
    }

    fn call(
        &self,
        name: &str,
        argument: &Value,
        used: &mut BTreeSet<String>,
    ) -> Result<Value, Unknown> {
        match (name, argument) {
            ("Ref", Value::String(target)) => self.reference(target, used),
            ("Fn::If", Value::Array(items)) => match items.as_slice() {
                [Value::String(condition), yes, no] => match self.given.get(condition) {
                    Some(true) => self.value(yes, used),
                    Some(false) => self.value(no, used),
                    None => Err(Unknown::Condition(condition.clone())),
                },
                _ => Err(malformed(name)),
            },
            ("Fn::Sub", Value::String(text)) => self.substitute(text, &Map::new(), used),
            ("Fn::Sub", Value::Array(items)) => match items.as_slice() {
                [Value::String(text), Value::Object(variables)] => {
                    self.substitute(text, variables, used)
                }
                _ => Err(malformed(name)),
            },
            ("Fn::Join", Value::Array(items)) => match items.as_slice() {
                [Value::String(delimiter), list] => {
                    let texts = self.texts(list, used)?;
                    self.literal(delimiter)
                        .map(|delimiter| texts.join(&delimiter))
                        .and_then(|joined| self.literal(&joined))
                        .map(Value::String)
                }
                _ => Err(malformed(name)),
            },
            ("Fn::Split", Value::Array(items)) => match items.as_slice() {
                [Value::String(delimiter), text] if !delimiter.is_empty() => {
                    let text = self.text(text, used)?;
                    Ok(text.split(delimiter.as_str()).map(Value::from).collect())
                }
                _ => Err(malformed(name)),
            },
            ("Fn::Select", Value::Array(items)) => match items.as_slice() {
                [index, list] => self.select(index, list, used),
                _ => Err(malformed(name)),
            },
            ("Fn::FindInMap", Value::Array(items)) => self.find_in_map(items, used),
            ("Fn::Base64", text) => {
                let text = self.text(text, used)?;
                Ok(Value::String(
                    base64::engine::general_purpose::STANDARD.encode(text),
                ))
            }
            ("Fn::GetAtt", _) => Err(Unknown::Resource(attribute_owner(argument))),
            _ => Err(Unknown::Function(name.to_owned())),
        }
    }

    fn reference(&self, target: &str, used: &mut BTreeSet<String>) -> Result<Value, Unknown> {
        if let Some(value) = self.item.get(target) {
            return value
                .clone()
                .map(Value::String)
                .ok_or_else(|| Unknown::Loop(target.to_owned()));
        }
        let target = self.literal(target)?;
        if target == "AWS::NoValue" {
            return Ok(no_value());
        }
        if target.starts_with("AWS::") {
            return self
                .template
                .pseudo_parameter(&target)
                .map(Value::String)
                .ok_or(Unknown::Pseudo(target));
        }
        let Some(parameter) = self.template.parameter(&target) else {
            return Err(Unknown::Resource(target));
        };
        if !self.parameters {
            return Err(match parameter {
                Parameter::Ssm => Unknown::Ssm(target),
                Parameter::Undeclared => Unknown::Undeclared(target),
                _ => Unknown::Parameter(target),
            });
        }
        match parameter {
            Parameter::NoEcho => Err(Unknown::NoEcho(target)),
            Parameter::Ssm => Err(Unknown::Ssm(target)),
            Parameter::Undeclared => Err(Unknown::Undeclared(target)),
            Parameter::WithoutValue => Err(Unknown::NoValueGiven(target)),
            Parameter::Value(value) => {
                used.insert(target);
                if value
                    .as_str()
                    .is_some_and(|text| text.contains("{{resolve:"))
                {
                    return Err(Unknown::Dynamic);
                }
                Ok(value)
            }
        }
    }

    /// `${Name}`, `${Resource.Attribute}`, `${!Literal}`.
    fn substitute(
        &self,
        text: &str,
        variables: &Map<String, Value>,
        used: &mut BTreeSet<String>,
    ) -> Result<Value, Unknown> {
        let text = self.literal(text)?;
        let mut result = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            result.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                return Err(Unknown::Malformed(
                    "a `${` without its `}` in `Fn::Sub`".to_owned(),
                ));
            };
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str("${");
                result.push_str(literal);
                result.push('}');
            } else if let Some(value) = variables.get(name) {
                result.push_str(&self.text(value, used)?);
            } else if let Some((owner, _)) = name.split_once('.') {
                return Err(Unknown::Resource(owner.to_owned()));
            } else {
                let value = self.reference(name.trim(), used)?;
                let value = scalar_text(&value)
                    .ok_or_else(|| Unknown::Malformed(format!("a list in `${{{name}}}`")))?;
                result.push_str(&value);
            }
            rest = after;
        }
        result.push_str(rest);
        if result.contains("{{resolve:") {
            return Err(Unknown::Dynamic);
        }
        Ok(Value::String(result))
    }

    fn select(
        &self,
        index: &Value,
        list: &Value,
        used: &mut BTreeSet<String>,
    ) -> Result<Value, Unknown> {
        let index: usize = self
            .text(index, used)?
            .parse()
            .map_err(|_| malformed("Fn::Select"))?;
        self.texts(list, used)?
            .get(index)
            .map(|text| Value::String(text.clone()))
            .ok_or_else(|| malformed("Fn::Select"))
    }

    fn find_in_map(&self, items: &[Value], used: &mut BTreeSet<String>) -> Result<Value, Unknown> {
        let ([map, first, second] | [map, first, second, _]) = items else {
            return Err(malformed("Fn::FindInMap"));
        };
        let map = self.text(map, used)?;
        let first = self.text(first, used)?;
        let second = self.text(second, used)?;
        match self.template.mapping(&map, &first, &second) {
            Some(value) => self.value(value, used),
            // With AWS::LanguageExtensions a default value may follow.
            None => match items.get(3).and_then(|last| last.get("DefaultValue")) {
                Some(default) => self.value(default, used),
                // The keys may be values of parameters, which are not shown.
                None => Err(Unknown::Malformed(
                    "a mapping has no entry for these keys".to_owned(),
                )),
            },
        }
    }
}

fn malformed(function: &str) -> Unknown {
    Unknown::Malformed(format!("`{function}` with arguments that it does not take"))
}

fn attribute_owner(argument: &Value) -> String {
    match argument {
        Value::Array(items) => items.first().and_then(Value::as_str).unwrap_or_default(),
        Value::String(text) => text
            .split_once('.')
            .map_or(text.as_str(), |(owner, _)| owner),
        _ => "",
    }
    .to_owned()
}

#[cfg(test)]
mod tests;
