//! Markers: what a recipe did to a task definition, so that it can be taken off again exactly.
//!
//! Each container that a recipe changed or added has one docker label, `outrigger.<recipe>`, whose
//! value is JSON. It does not repeat the container: it holds what cannot be read
//! from it. Of an entry point that was stated, that the original stands behind the wrapper's words;
//! of one that came from the image, that it was absent; of a variable that was replaced, what it
//! was. With what was written goes a short digest, so that a container that was changed afterwards
//! is told from one that was not. So a removal or an upgrade needs the definition alone, not the
//! recipe of those days. [`TAG`] on the task definition names the recipes, for inventories; nothing
//! depends on it, because a deployment by `describe-task-definition` may lose it.
//!
//! - `label`: the label's form.
//! - `record`: from a container before and after to what the label holds.
//! - `put`, `tag`, `size`: labels and tag come on, after a recipe has had its turn.
//! - `origin`: where a program came from an image, which one, and what it said.
//! - `take`: labels are followed back; `verify`: where what was written stands there still.
//! - `upgrade`: what a rewrite does with a task definition that carries its recipe already.
//! - [`remove()`](crate::remove) works with `remove` and, without markers, with `unmarked` and `own`.
//!
//! No secret is held: a variable that came from a secret input, in clear, is told to be lost.

mod label;
mod origin;
mod own;
mod put;
mod record;
pub(crate) mod remove;
mod size;
mod tag;
mod take;
mod unmarked;
pub(crate) mod upgrade;
mod verify;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::dialect::Dialect;
use crate::recipe::{BoundRecipe, Recipes};

pub(crate) use label::{added_by, labels_of, wrapped_by_another};
pub(crate) use put::mark;
pub(crate) use size::enter_size;

use label::{FORMAT, Labels};

/// The tag that names the recipes of a task definition.
pub const TAG: &str = "outrigger:recipe";

/// What is to be taken off.
#[derive(Clone, Copy, Debug, Default)]
pub struct Removal<'r> {
    /// The names of the recipes; where there are none, every recipe that is marked or among `recipes`.
    pub names: &'r [String],
    /// Recipes with their inputs: what they would write is recognised where there is no marker.
    pub recipes: Option<&'r Recipes>,
}

impl Removal<'_> {
    /// Whether a recipe of this name is meant.
    fn means(&self, recipe: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| name == recipe)
    }
}

/// What marks a recipe in a task definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The recipe's name.
    pub recipe: String,
    /// The version of the marker's form.
    pub format: u64,
    /// The digest of the recipe and its inputs.
    pub digest: String,
    /// The containers with its label; none where only the tag is there.
    pub containers: Vec<String>,
}

/// The markers of one task definition in the ECS API's spelling, in the order in which the recipes were applied.
pub fn markers(task_definition: &Value) -> Vec<Marker> {
    let Some(properties) = task_definition.as_object() else {
        return Vec::new();
    };
    let mut found: Vec<(u64, Marker)> = Vec::new();
    let containers = properties.get("containerDefinitions");
    for container in containers.and_then(Value::as_array).into_iter().flatten() {
        let Some(map) = container.as_object() else {
            continue;
        };
        let name = container.get("name").and_then(Value::as_str);
        let name = name.unwrap_or_default();
        for (recipe, text) in labels_of(Dialect::Ecs, map) {
            let read: Value = text
                .as_str()
                .and_then(|text| serde_json::from_str(text).ok())
                .unwrap_or_default();
            let number = |key: &str| read.get(key).and_then(Value::as_u64).unwrap_or_default();
            let digest = read
                .get("digest")
                .and_then(Value::as_str)
                .unwrap_or_default();
            match found.iter_mut().find(|(_, marker)| marker.recipe == recipe) {
                Some((_, marker)) => marker.containers.push(name.to_owned()),
                None => found.push((
                    number("order"),
                    Marker {
                        recipe: recipe.to_owned(),
                        format: number("format"),
                        digest: digest.to_owned(),
                        containers: vec![name.to_owned()],
                    },
                )),
            }
        }
    }
    found.sort_by_key(|(order, _)| *order);
    let mut markers: Vec<Marker> = found.into_iter().map(|(_, marker)| marker).collect();
    for (recipe, digest) in tag::tagged(Dialect::Ecs, properties) {
        if !markers.iter().any(|marker| marker.recipe == recipe) {
            markers.push(Marker {
                recipe,
                format: FORMAT,
                digest,
                containers: Vec::new(),
            });
        }
    }
    markers
}

/// The digest that a marker of this recipe with these inputs has. No value of a secret takes part.
pub fn digest(recipe: &BoundRecipe) -> String {
    recipe.digest()
}

/// Whether a container has a label of this recipe.
pub(crate) fn is_marked(dialect: Dialect, properties: &Map<String, Value>, recipe: &str) -> bool {
    labels_in(dialect, properties).contains_key(recipe)
}

/// The labels of a task definition by recipe.
fn labels_in(dialect: Dialect, properties: &Map<String, Value>) -> BTreeMap<String, Labels> {
    let mut found: BTreeMap<String, Labels> = BTreeMap::new();
    if let Some(definitions) = dialect.find(properties, "containerDefinitions") {
        each_container(definitions, &mut |container| {
            for (recipe, text) in labels_of(dialect, container) {
                found.entry(recipe.to_owned()).or_default().read(text);
            }
        });
    }
    found
}

/// Visits every container, under whatever condition.
fn each_container(value: &Value, visit: &mut dyn FnMut(&Map<String, Value>)) {
    use crate::cloudformation::intrinsic::{as_if, function};
    if let Some((_, yes, no)) = as_if(value) {
        each_container(yes, visit);
        each_container(no, visit);
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| each_container(item, visit)),
        Value::Object(map) if function(value).is_none() => visit(map),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
