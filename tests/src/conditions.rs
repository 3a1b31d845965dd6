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

/// More of these are not looked at one by one.
const MOST_WORLDS: usize = 4096;

/// Every assignment of these conditions that a template allows, whatever its parameters are, and whichever comparisons
/// of two texts a person turns; none if there are too many to try.
pub fn possible(template: &Value, names: &BTreeSet<String>) -> Vec<Assignment> {
    // What is compared, and the texts that it is compared with.
    let mut questions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    decided(template, names, &mut |what, text| {
        let texts = questions.entry(what.to_owned()).or_default();
        texts.insert(text.to_owned());
        false
    });
    let mut worlds: Vec<BTreeMap<String, Option<String>>> = vec![BTreeMap::new()];
    for (what, texts) in questions {
        // It may be another text, too.
        let answers: Vec<Option<String>> = texts.into_iter().map(Some).chain([None]).collect();
        if worlds.len() * answers.len() > MOST_WORLDS {
            return Vec::new();
        }
        let with = |world: &BTreeMap<_, _>| {
            let answers = answers.iter().cloned();
            let worlds = answers.map(|answer| {
                let mut world = world.clone();
                world.insert(what.clone(), answer);
                world
            });
            worlds.collect::<Vec<_>>()
        };
        worlds = worlds.iter().flat_map(with).collect();
    }
    let mut all = BTreeSet::new();
    for world in worlds {
        let is = |what: &str, text: &str| {
            let answer = world.get(what).and_then(Option::as_deref);
            answer == Some(text)
        };
        all.insert(decided(template, names, &mut |what, text| is(what, text)));
    }
    all.into_iter().collect()
}

fn decided(
    template: &Value,
    names: &BTreeSet<String>,
    ask: &mut dyn FnMut(&str, &str) -> bool,
) -> Assignment {
    let mut conditions = Conditions {
        template,
        ask,
        known: Assignment::new(),
    };
    let names = names.iter();
    let truths = names.map(|name| (name.clone(), conditions.named(name)));
    truths.collect()
}

/// The conditions of a template, where it is answered whether something is a text.
struct Conditions<'c> {
    template: &'c Value,
    ask: &'c mut dyn FnMut(&str, &str) -> bool,
    known: Assignment,
}

impl Conditions<'_> {
    fn named(&mut self, name: &str) -> bool {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let template = self.template;
        let definition = template.get("Conditions").and_then(|all| all.get(name));
        self.known.insert(name.to_owned(), false);
        let truth = match definition {
            Some(definition) => self.holds(definition, name),
            None => (self.ask)(name, "true"),
        };
        self.known.insert(name.to_owned(), truth);
        truth
    }

    fn holds(&mut self, definition: &Value, place: &str) -> bool {
        let Some((function, argument)) = intrinsic(definition) else {
            return (self.ask)(place, "true");
        };
        match (function, argument) {
            ("Condition", Value::String(name)) => self.named(name),
            ("Fn::Equals", Value::Array(items)) => match items.as_slice() {
                // A person turns each by itself.
                [Value::String(_), Value::String(_)] => (self.ask)(place, "true"),
                [Value::String(text), other] | [other, Value::String(text)] => {
                    (self.ask)(&other.to_string(), text)
                }
                _ => (self.ask)(&definition.to_string(), "true"),
            },
            ("Fn::Not" | "Fn::And" | "Fn::Or", Value::Array(items)) => {
                let items = items.iter().enumerate();
                let parts =
                    items.map(|(index, item)| self.holds(item, &format!("{place}/{index}")));
                // All are asked.
                let parts: Vec<bool> = parts.collect();
                match function {
                    "Fn::Not" => parts == [false],
                    "Fn::And" => parts.iter().all(|truth| *truth),
                    _ => parts.iter().any(|truth| *truth),
                }
            }
            _ => (self.ask)(place, "true"),
        }
    }
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
