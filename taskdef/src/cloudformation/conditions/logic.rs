//! What the definitions of conditions say about each other: which of them can be true together.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cloudformation::intrinsic::{Assignment, Evaluation, LoopItem, function, scalar_text};
use crate::cloudformation::template::Template;

/// How deep a condition is followed, within its definition and into those of others.
const MAX_DEPTH: usize = 200;

/// What decides whether conditions can be true together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Their logic: the same comparison has one result, and a value equals one text at most.
    ///
    /// What a person switches is open: a comparison of two texts, and the values that a parameter may have.
    Logic,
    /// The template as it stands, with such comparisons and `AllowedValues`.
    Template,
    /// The same, and the values of parameters that are known here.
    Values,
}

/// Whether the definitions of the conditions allow the assignment, as far as it can be seen.
pub(crate) fn can_occur(template: &Template<'_>, assignment: &Assignment, decided: By) -> bool {
    occurs(template, assignment, decided, None)
}

/// The same as the template stands, with the values of these parameters.
pub(crate) fn can_occur_with(
    template: &Template<'_>,
    assignment: &Assignment,
    parameters: &BTreeSet<String>,
) -> bool {
    occurs(template, assignment, By::Values, Some(parameters))
}

fn occurs(
    template: &Template<'_>,
    assignment: &Assignment,
    decided: By,
    parameters: Option<&BTreeSet<String>>,
) -> bool {
    let mut known = Known {
        template,
        decided,
        parameters,
        named: BTreeMap::new(),
        compared: Vec::new(),
        found: BTreeMap::new(),
        depth: 0,
    };
    assignment
        .iter()
        .all(|(name, truth)| known.learn_name(name, *truth))
        && assignment.iter().all(|(name, truth)| {
            let definition = template.condition(name);
            let follows = definition.and_then(|definition| known.truth(definition));
            follows.is_none_or(|follows| follows == *truth)
        })
}

/// What `Fn::Equals` compares.
#[derive(Clone, Debug, PartialEq)]
enum Comparison<'k> {
    /// Two texts, and whether they are equal.
    Texts(bool),
    /// A value of the deployment with a text.
    With(&'k Value, Cow<'k, str>),
    /// Anything else, as it is written.
    Other(&'k Value),
}

impl<'k> Comparison<'k> {
    fn of(definition: &'k Value, argument: &'k Value) -> Self {
        let Some([left, right]) = argument.as_array().map(Vec::as_slice) else {
            return Comparison::Other(definition);
        };
        match (literal(left), literal(right)) {
            (Some(left), Some(right)) => Comparison::Texts(left == right),
            (None, Some(text)) => Comparison::With(left, text),
            (Some(text), None) => Comparison::With(right, text),
            (None, None) => Comparison::Other(definition),
        }
    }
}

/// A text that stands for itself. How a fraction is written out is not certain.
fn literal(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) if text.contains("{{resolve:") => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) if number.is_f64() => None,
        other => scalar_text(other).map(Cow::Owned),
    }
}

/// What is known of conditions, to find the truth of others.
struct Known<'k> {
    template: &'k Template<'k>,
    decided: By,
    /// The parameters whose values count; all where none are named.
    parameters: Option<&'k BTreeSet<String>>,
    /// What is assumed of conditions, and what follows from it for those in their definitions.
    named: BTreeMap<&'k str, bool>,
    /// The same of comparisons.
    compared: Vec<(Comparison<'k>, bool)>,
    /// The truth of every other condition that was looked at; none while it is looked at.
    found: BTreeMap<&'k str, Option<bool>>,
    depth: usize,
}

impl<'k> Known<'k> {
    /// Assumes a condition; false where that contradicts what is known.
    fn learn_name(&mut self, name: &'k str, truth: bool) -> bool {
        if let Some(known) = self.named.insert(name, truth) {
            return known == truth;
        }
        let definition = self.template.condition(name);
        definition.is_none_or(|definition| self.learn(definition, truth))
    }

    /// Assumes what a definition says. A chain of conditions can be as long as a template; what is
    /// too deep is not followed.
    fn learn(&mut self, definition: &'k Value, truth: bool) -> bool {
        if self.depth == MAX_DEPTH {
            return true;
        }
        self.depth += 1;
        let possible = self.learn_definition(definition, truth);
        self.depth -= 1;
        possible
    }

    fn learn_definition(&mut self, definition: &'k Value, truth: bool) -> bool {
        if let Some(Value::String(name)) = definition.get("Condition") {
            return self.learn_name(name, truth);
        }
        match function(definition) {
            Some(("Fn::Equals", argument)) => {
                let comparison = Comparison::of(definition, argument);
                match self.comparison(&comparison) {
                    Some(known) => known == truth,
                    None if matches!(comparison, Comparison::Texts(_)) => true,
                    None => {
                        self.compared.push((comparison, truth));
                        true
                    }
                }
            }
            Some(("Fn::Not", Value::Array(items))) => {
                let mut items = items.iter().take(1);
                items.all(|item| self.learn(item, !truth))
            }
            Some(("Fn::And", Value::Array(items))) if truth => {
                items.iter().all(|item| self.learn(item, true))
            }
            Some(("Fn::Or", Value::Array(items))) if !truth => {
                items.iter().all(|item| self.learn(item, false))
            }
            _ => true,
        }
    }

    /// The truth of a definition, where it follows from what is known.
    fn truth(&mut self, definition: &'k Value) -> Option<bool> {
        if self.depth == MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let truth = self.truth_of(definition);
        self.depth -= 1;
        truth
    }

    fn truth_of(&mut self, definition: &'k Value) -> Option<bool> {
        if let Some(Value::String(name)) = definition.get("Condition") {
            if let Some(truth) = self.named.get(name.as_str()) {
                return Some(*truth);
            }
            if let Some(truth) = self.found.get(name.as_str()) {
                return *truth;
            }
            let definition = self.template.condition(name)?;
            self.found.insert(name, None);
            let truth = self.truth(definition);
            self.found.insert(name, truth);
            return truth;
        }
        match function(definition)? {
            ("Fn::Equals", argument) => self.comparison(&Comparison::of(definition, argument)),
            ("Fn::Not", Value::Array(items)) => self.truth(items.first()?).map(|truth| !truth),
            ("Fn::And", Value::Array(items)) => all(items.iter().map(|item| self.truth(item))),
            ("Fn::Or", Value::Array(items)) => {
                let not = |item| self.truth(item).map(|truth| !truth);
                all(items.iter().map(not)).map(|truth| !truth)
            }
            _ => None,
        }
    }

    /// The result of a comparison, where it follows from what is known.
    fn comparison(&self, comparison: &Comparison<'k>) -> Option<bool> {
        match comparison {
            Comparison::Texts(equal) => (self.decided != By::Logic).then_some(*equal),
            Comparison::With(operand, text) => {
                let learned = self.learned(operand, text);
                learned.or_else(|| self.declared(operand, text))
            }
            Comparison::Other(_) => {
                let mut compared = self.compared.iter();
                let same = compared.find(|(known, _)| known == comparison);
                same.map(|(_, truth)| *truth)
            }
        }
    }

    /// Whether a value is this text, by what is known of comparisons with it: it is no two texts.
    fn learned(&self, operand: &Value, text: &str) -> Option<bool> {
        let mut compared = self.compared.iter();
        compared.find_map(|(known, truth)| match known {
            Comparison::With(other, known) if *other == operand => match known == text {
                true => Some(*truth),
                false => truth.then_some(false),
            },
            _ => None,
        })
    }

    /// Whether a value is this text, by what the template says of parameters, and by their values.
    fn declared(&self, operand: &Value, text: &str) -> Option<bool> {
        if self.decided == By::Logic {
            return None;
        }
        if self.decided == By::Values {
            let evaluation = Evaluation {
                template: self.template,
                parameters: true,
                given: &Assignment::new(),
                item: &LoopItem::new(),
            };
            let mut used = BTreeSet::new();
            let value = evaluation.text(operand, &mut used);
            let named = |named: &BTreeSet<String>| !used.is_empty() && used.is_subset(named);
            let counts = self.parameters.is_none_or(named);
            if let Ok(value) = value
                && counts
            {
                return Some(value == text);
            }
        }
        let ("Ref", Value::String(parameter)) = function(operand)? else {
            return None;
        };
        let allowed = self.template.allowed_values(parameter)?;
        if !allowed.iter().any(|value| value == text) {
            return Some(false);
        }
        let mut others = allowed.iter().filter(|value| *value != text);
        let only = others.all(|other| self.learned(operand, other) == Some(false));
        only.then_some(true)
    }
}

/// Conjunction in three values.
fn all(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = Some(true);
    for value in values {
        match value {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = None,
        }
    }
    known
}
