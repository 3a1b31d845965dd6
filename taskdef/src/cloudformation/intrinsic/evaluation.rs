//! The value of an expression, where everything that it is made of is known.
//!
//! Nothing that is evaluated refers to itself: only a mapping stands elsewhere, and holds no
//! functions. So an evaluation goes no deeper than the document. What it makes is bounded here: a
//! few lines of a template can stand for any number of texts of any length.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use serde_json::{Map, Value};

use crate::cloudformation::template::{Parameter, Template};

use super::{Assignment, LoopItem, Unknown, function, is_no_value, no_value, scalar_text};

/// The longest text that an evaluation makes, in bytes: a whole task definition holds no more.
const MAX_TEXT: usize = 64 << 10;

/// How many values one evaluation looks at, and how many bytes of text it makes of them.
const MAX_WORK: usize = 4 * MAX_TEXT;

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
        self.walk(used).value(value)
    }

    /// The text of an expression.
    pub(crate) fn text(
        &self,
        value: &Value,
        used: &mut BTreeSet<String>,
    ) -> Result<String, Unknown> {
        self.walk(used).text(value)
    }

    /// The expression with everything in it that is known written as its value.
    pub(crate) fn simplified(&self, value: &Value) -> Value {
        self.walk(&mut BTreeSet::new()).simplified(value)
    }

    fn walk<'w>(&'w self, used: &'w mut BTreeSet<String>) -> Walk<'w> {
        Walk {
            by: self,
            used,
            left: MAX_WORK,
        }
    }
}

/// One evaluation under way.
struct Walk<'w> {
    by: &'w Evaluation<'w>,
    /// The parameters that were evaluated.
    used: &'w mut BTreeSet<String>,
    /// What is left of [`MAX_WORK`].
    left: usize,
}

impl Walk<'_> {
    fn spend(&mut self, work: usize) -> Result<(), Unknown> {
        let left = self.left.checked_sub(work);
        // What was too much once is not tried again with the rest.
        self.left = left.unwrap_or_default();
        left.map(|_| ()).ok_or(Unknown::TooLarge)
    }

    fn value(&mut self, value: &Value) -> Result<Value, Unknown> {
        self.spend(1)?;
        let known = match value {
            Value::String(text) => self.literal(text).map(Value::String),
            Value::Array(items) => {
                let mut known = Vec::new();
                for item in items {
                    let item = self.value(item)?;
                    if !is_no_value(&item) {
                        known.push(item);
                    }
                }
                Ok(Value::Array(known))
            }
            Value::Object(_) => match function(value) {
                Some((name, argument)) => self.call(name, argument),
                None => Err(Unknown::Malformed(
                    "an object where text is expected".to_owned(),
                )),
            },
            scalar => Ok(scalar.clone()),
        }?;
        if let Value::String(text) = &known {
            fits(text.len())?;
        }
        self.spend(size(&known))?;
        Ok(known)
    }

    fn simplified(&mut self, value: &Value) -> Value {
        if let Ok(known) = self.value(value) {
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

    fn text(&mut self, value: &Value) -> Result<String, Unknown> {
        let known = self.value(value)?;
        scalar_text(&known)
            .ok_or_else(|| Unknown::Malformed("not a text where one is expected".to_owned()))
    }

    fn texts(&mut self, value: &Value) -> Result<Vec<String>, Unknown> {
        match self.value(value)? {
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
        for (name, value) in self.by.item {
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
            for (form, value) in [(plain, value), (stripped, &alphanumeric)] {
                let added = text.matches(form.as_str()).count();
                fits(text.len().saturating_add(added.saturating_mul(value.len())))?;
                text = text.replace(form, value);
            }
        }
        let replaced = self.by.template.replaced_texts();
        if replaced.iter().any(|replaced| text.contains(replaced)) {
            return Err(Unknown::Dynamic);
        }
        Ok(text)
    }

    fn call(&mut self, name: &str, argument: &Value) -> Result<Value, Unknown> {
        match (name, argument) {
            ("Ref", Value::String(target)) => self.reference(target),
            ("Fn::If", Value::Array(items)) => match items.as_slice() {
                [Value::String(condition), yes, no] => match self.by.given.get(condition) {
                    Some(true) => self.value(yes),
                    Some(false) => self.value(no),
                    None => Err(Unknown::Condition(condition.clone())),
                },
                _ => Err(malformed(name)),
            },
            ("Fn::Sub", Value::String(text)) => self.substitute(text, &Map::new()),
            ("Fn::Sub", Value::Array(items)) => match items.as_slice() {
                [Value::String(text), Value::Object(variables)] => self.substitute(text, variables),
                _ => Err(malformed(name)),
            },
            ("Fn::Join", Value::Array(items)) => match items.as_slice() {
                [Value::String(delimiter), list] => {
                    let texts = self.texts(list)?;
                    let delimiter = self.literal(delimiter)?;
                    let delimiters = delimiter.len().saturating_mul(texts.len());
                    let length = texts.iter().map(String::len).sum::<usize>();
                    fits(length.saturating_add(delimiters))?;
                    self.literal(&texts.join(&delimiter)).map(Value::String)
                }
                _ => Err(malformed(name)),
            },
            ("Fn::Split", Value::Array(items)) => match items.as_slice() {
                [Value::String(delimiter), text] if !delimiter.is_empty() => {
                    let text = self.text(text)?;
                    Ok(text.split(delimiter.as_str()).map(Value::from).collect())
                }
                _ => Err(malformed(name)),
            },
            ("Fn::Select", Value::Array(items)) => match items.as_slice() {
                [index, list] => self.select(index, list),
                _ => Err(malformed(name)),
            },
            ("Fn::FindInMap", Value::Array(items)) => self.find_in_map(items),
            ("Fn::Base64", text) => {
                let text = self.text(text)?;
                Ok(Value::String(
                    base64::engine::general_purpose::STANDARD.encode(text),
                ))
            }
            ("Fn::GetAtt", _) => Err(Unknown::Resource(attribute_owner(argument))),
            _ => Err(Unknown::Function(name.to_owned())),
        }
    }

    fn reference(&mut self, target: &str) -> Result<Value, Unknown> {
        if let Some(value) = self.by.item.get(target) {
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
                .by
                .template
                .pseudo_parameter(&target)
                .map(Value::String)
                .ok_or(Unknown::Pseudo(target));
        }
        let Some(parameter) = self.by.template.parameter(&target) else {
            return Err(Unknown::Resource(target));
        };
        match parameter {
            Parameter::NoEcho => Err(Unknown::NoEcho(target)),
            Parameter::Ssm => Err(Unknown::Ssm(target)),
            Parameter::Undeclared => Err(Unknown::Undeclared(target)),
            _ if !self.by.parameters => Err(Unknown::Parameter(target)),
            Parameter::WithoutValue => Err(Unknown::NoValueGiven(target)),
            Parameter::Value(value) => {
                self.used.insert(target);
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
    fn substitute(&mut self, text: &str, variables: &Map<String, Value>) -> Result<Value, Unknown> {
        let text = self.literal(text)?;
        let mut known: BTreeMap<&str, String> = BTreeMap::new();
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
            } else {
                let value = match known.entry(name) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(self.variable(name, variables)?),
                };
                fits(result.len().saturating_add(value.len()))?;
                result.push_str(value);
            }
            rest = after;
        }
        result.push_str(rest);
        if result.contains("{{resolve:") {
            return Err(Unknown::Dynamic);
        }
        Ok(Value::String(result))
    }

    /// What stands for `${Name}`.
    fn variable(&mut self, name: &str, variables: &Map<String, Value>) -> Result<String, Unknown> {
        if let Some(value) = variables.get(name) {
            return self.text(value);
        }
        if let Some((owner, _)) = name.split_once('.') {
            return Err(Unknown::Resource(owner.to_owned()));
        }
        let value = self.reference(name.trim())?;
        scalar_text(&value).ok_or_else(|| Unknown::Malformed(format!("a list in `${{{name}}}`")))
    }

    fn select(&mut self, index: &Value, list: &Value) -> Result<Value, Unknown> {
        let index: usize = self
            .text(index)?
            .parse()
            .map_err(|_| malformed("Fn::Select"))?;
        self.texts(list)?
            .get(index)
            .map(|text| Value::String(text.clone()))
            .ok_or_else(|| malformed("Fn::Select"))
    }

    fn find_in_map(&mut self, items: &[Value]) -> Result<Value, Unknown> {
        let ([map, first, second] | [map, first, second, _]) = items else {
            return Err(malformed("Fn::FindInMap"));
        };
        let map = self.text(map)?;
        let first = self.text(first)?;
        let second = self.text(second)?;
        match self.by.template.mapping(&map, &first, &second) {
            Some(value) if is_literal(value) => self.value(value),
            Some(_) => Err(Unknown::Malformed(
                "a mapping with something other than texts and lists of texts".to_owned(),
            )),
            None if self.by.template.may_have_mapping(&map, &first) => {
                Err(Unknown::Function("Fn::FindInMap".to_owned()))
            }
            // With AWS::LanguageExtensions a default value may follow.
            None => match items.get(3).and_then(|last| last.get("DefaultValue")) {
                Some(default) => self.value(default),
                // The keys may be values of parameters, which are not shown.
                None => Err(Unknown::Malformed(
                    "a mapping has no entry for these keys".to_owned(),
                )),
            },
        }
    }
}

/// Refuses what is longer than any text that is made.
fn fits(length: usize) -> Result<(), Unknown> {
    match length <= MAX_TEXT {
        true => Ok(()),
        false => Err(Unknown::TooLarge),
    }
}

/// The bytes of text in a value.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        // An item takes memory even if it is empty.
        Value::Array(items) => items.iter().map(|item| 1 + size(item)).sum(),
        _ => 0,
    }
}

/// Whether a value is all that [a mapping](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/mappings-section-structure.html)
/// may hold.
fn is_literal(value: &Value) -> bool {
    let is_scalar = |value: &Value| !value.is_array() && !value.is_object();
    match value {
        Value::Array(items) => items.iter().all(is_scalar),
        value => is_scalar(value),
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
