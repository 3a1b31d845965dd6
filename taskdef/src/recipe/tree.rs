//! Settings with expressions in them: folded as far as the inputs decide, and rendered.
//!
//! An expression that gives nothing (an input that was not given) leaves its
//! key out. Inside a list it leaves out the whole element, so that an
//! environment variable without a value is no variable. What is empty because
//! everything in it was left out is left out too.

use std::sync::Arc;

use minijinja::Environment;
use serde_json::{Map, Value};

use super::error::RenderError;
use super::expression::{Compiled, Given};
use super::position::Position;
use super::scope::Scope;
use super::value::is_intrinsic;

/// A value with expressions in it.
#[derive(Clone)]
pub(super) enum Tree {
    /// Left out.
    Nothing,
    /// Known.
    Value(Value),
    /// What an input gives as `valueFrom`, and the expression that reads it.
    ValueFrom(Value, Arc<Compiled>),
    /// An expression or a text.
    Dynamic(Arc<Compiled>),
    /// A list; an element that is one expression and gives a list is spliced.
    List(Vec<Tree>),
    /// A map.
    Map(Entries),
}

/// The entries of a map, in order.
pub(super) type Entries = Vec<(String, Tree)>;

/// What rendering needs beside the tree.
#[derive(Clone, Copy)]
pub(super) struct Rendering<'a> {
    pub(super) scope: &'a Scope<'a>,
    pub(super) texts: &'a Environment<'static>,
}

impl Rendering<'_> {
    fn evaluate(self, compiled: &Arc<Compiled>) -> Result<Tree, RenderError> {
        Ok(match compiled.evaluate(self.scope, self.texts)? {
            Given::Nothing => Tree::Nothing,
            Given::Value(value) => Tree::Value(value),
            Given::ValueFrom(value) => Tree::ValueFrom(value, Arc::clone(compiled)),
        })
    }

    pub(super) fn holds(self, condition: &Compiled) -> Result<bool, RenderError> {
        self.scope
            .holds(condition, || condition.holds(self.scope, self.texts))
    }
}

impl Tree {
    /// Evaluates everything that reads only inputs. What fails stays, to fail when it is needed.
    pub(super) fn fold(&self, rendering: Rendering<'_>) -> Tree {
        match self {
            Tree::Dynamic(compiled) if compiled.only_inputs() => rendering
                .evaluate(compiled)
                .unwrap_or_else(|_| self.clone()),
            Tree::List(items) => {
                Tree::List(items.iter().map(|item| item.fold(rendering)).collect())
            }
            Tree::Map(entries) => Tree::Map(fold(entries, rendering)),
            other => other.clone(),
        }
    }

    /// Calls the function for every expression that is left.
    pub(super) fn each_dynamic(&self, visit: &mut dyn FnMut(&Arc<Compiled>)) {
        match self {
            Tree::Dynamic(compiled) => visit(compiled),
            Tree::List(items) => items.iter().for_each(|item| item.each_dynamic(visit)),
            Tree::Map(entries) => entries
                .iter()
                .for_each(|(_, item)| item.each_dynamic(visit)),
            Tree::Nothing | Tree::Value(_) | Tree::ValueFrom(..) => {}
        }
    }

    /// The value, or nothing when it is left out.
    pub(super) fn render(&self, rendering: Rendering<'_>) -> Result<Option<Value>, RenderError> {
        match self {
            Tree::Nothing => Ok(None),
            Tree::Value(value) => Ok(Some(value.clone())),
            Tree::ValueFrom(value, compiled) if compiled.position == Position::Reference => {
                Ok(Some(value.clone()))
            }
            Tree::ValueFrom(_, compiled) => Err(RenderError::ValueFrom {
                place: compiled.place.clone(),
                name: compiled.source.clone(),
            }),
            Tree::Dynamic(compiled) => rendering.evaluate(compiled)?.render(rendering),
            Tree::List(items) => render_list(items, rendering),
            Tree::Map(entries) => {
                let mut map = Map::new();
                for (key, item) in entries {
                    if let Some(value) = item.render(rendering)? {
                        map.insert(key.clone(), value);
                    }
                }
                Ok((entries.is_empty() || !map.is_empty()).then_some(Value::Object(map)))
            }
        }
    }

    /// The value of a list, for words of a process.
    pub(super) fn render_words(&self, rendering: Rendering<'_>) -> Result<Vec<Value>, RenderError> {
        Ok(match self.render(rendering)? {
            Some(Value::Array(words)) => words,
            Some(word) => vec![word],
            None => Vec::new(),
        })
    }
}

/// Folds every entry.
pub(super) fn fold(entries: &Entries, rendering: Rendering<'_>) -> Entries {
    entries
        .iter()
        .map(|(key, item)| (key.clone(), item.fold(rendering)))
        .collect()
}

fn render_list(items: &[Tree], rendering: Rendering<'_>) -> Result<Option<Value>, RenderError> {
    let mut list = Vec::with_capacity(items.len());
    for item in items {
        let spliced = matches!(item, Tree::Dynamic(_)) || is_folded_list(item);
        match render_element(item, rendering)? {
            Some(Value::Array(inner)) if spliced => list.extend(inner),
            Some(value) => list.push(value),
            None => {}
        }
    }
    Ok((items.is_empty() || !list.is_empty()).then_some(Value::Array(list)))
}

/// No setting of ECS is a list of lists, so a known list inside a list came from an expression.
fn is_folded_list(item: &Tree) -> bool {
    matches!(item, Tree::Value(Value::Array(_)))
}

/// An element of a list: a map that lacks a value is left out as a whole.
fn render_element(item: &Tree, rendering: Rendering<'_>) -> Result<Option<Value>, RenderError> {
    let Tree::Map(entries) = item else {
        return item.render(rendering);
    };
    let mut map = Map::new();
    for (key, item) in entries {
        match item.render(rendering)? {
            Some(value) => {
                map.insert(key.clone(), value);
            }
            None => return Ok(None),
        }
    }
    Ok(Some(Value::Object(map)))
}

/// Renders settings: variables that come from a secret store are split off into `secrets`.
pub(super) fn render_settings(
    entries: &Entries,
    rendering: Rendering<'_>,
) -> Result<Map<String, Value>, RenderError> {
    let mut settings = Map::new();
    for (key, item) in entries {
        match item {
            Tree::List(variables) if key == "environment" => {
                render_environment(variables, rendering, &mut settings)?;
            }
            _ => {
                if let Some(value) = item.render(rendering)? {
                    merge(&mut settings, key, value);
                }
            }
        }
    }
    Ok(settings)
}

fn render_environment(
    variables: &[Tree],
    rendering: Rendering<'_>,
    settings: &mut Map<String, Value>,
) -> Result<(), RenderError> {
    for variable in variables {
        let variable = evaluate_value(variable, rendering)?;
        if let Some(secret) = secret(&variable, rendering)? {
            merge(settings, "secrets", Value::Array(vec![secret]));
        } else if let Some(value) = render_element(&variable, rendering)? {
            merge(settings, "environment", Value::Array(vec![value]));
        }
    }
    Ok(())
}

/// A variable with its value evaluated, for only then it is known whether it is a secret.
fn evaluate_value(variable: &Tree, rendering: Rendering<'_>) -> Result<Tree, RenderError> {
    let Tree::Map(entries) = variable else {
        return Ok(variable.clone());
    };
    let mut evaluated = Vec::with_capacity(entries.len());
    for (key, item) in entries {
        let item = match item {
            Tree::Dynamic(compiled) => rendering.evaluate(compiled)?,
            other => other.clone(),
        };
        evaluated.push((key.clone(), item));
    }
    Ok(Tree::Map(evaluated))
}

/// The entry of `secrets` that a variable is, if its value is given as `valueFrom`.
fn secret(variable: &Tree, rendering: Rendering<'_>) -> Result<Option<Value>, RenderError> {
    let Tree::Map(entries) = variable else {
        return Ok(None);
    };
    let find = |wanted: &str| {
        entries
            .iter()
            .find(|(key, _)| key == wanted)
            .map(|(_, item)| item)
    };
    let Some(Tree::ValueFrom(given, _)) = find("value") else {
        return Ok(None);
    };
    let name = match find("name") {
        Some(name) => name.render(rendering)?,
        None => None,
    };
    let mut map = Map::new();
    map.insert("name".to_owned(), name.unwrap_or_default());
    map.insert("valueFrom".to_owned(), given.clone());
    Ok(Some(Value::Object(map)))
}

/// Merges a setting into others: lists are appended, maps merged, anything else replaced.
pub(super) fn merge(settings: &mut Map<String, Value>, key: &str, value: Value) {
    match (settings.get_mut(key), value) {
        (Some(Value::Array(existing)), Value::Array(added)) => existing.extend(added),
        (Some(Value::Object(existing)), Value::Object(added))
            if !is_intrinsic(existing) && !is_intrinsic(&added) =>
        {
            for (key, value) in added {
                merge(existing, &key, value);
            }
        }
        (_, value) => {
            settings.insert(key.to_owned(), value);
        }
    }
}
