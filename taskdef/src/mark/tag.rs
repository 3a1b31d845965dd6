//! The tag that names the recipes of a task definition.

use serde_json::{Map, Value};

use crate::dialect::Dialect;
use crate::edit::{self, Edit, Restored};
use crate::plan::{Note, Task};
use crate::report::{Code, TaskDefinitionReport};

use super::TAG;

/// How many tags a task definition may have, and how long a value may be
/// ([tag restrictions](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html#tag-restrictions)).
const MAX_TAGS: usize = 50;
const MAX_TAG_VALUE: usize = 256;

/// The recipes that the tag names, each with its digest.
pub(super) fn tagged(dialect: Dialect, properties: &Map<String, Value>) -> Vec<(String, String)> {
    let tags = dialect.find(properties, "tags").and_then(Value::as_array);
    let value = tags.into_iter().flatten().find_map(|tag| {
        let tag = tag.as_object()?;
        (dialect.find(tag, "key")?.as_str()? == TAG)
            .then(|| dialect.find(tag, "value")?.as_str())?
    });
    let names = value.unwrap_or_default().split(' ');
    names
        .filter_map(|name| {
            let (recipe, digest) = name.split_once('@')?;
            let recipe = recipe.split_once('/').map_or(recipe, |(recipe, _)| recipe);
            Some((recipe.to_owned(), digest.to_owned()))
        })
        .collect()
}

/// The tag that names these recipes.
fn tag_value(recipes: &[(String, String)]) -> String {
    let format = super::FORMAT;
    let names = recipes
        .iter()
        .map(|(recipe, digest)| format!("{recipe}/{format}@{digest}"));
    names.collect::<Vec<_>>().join(" ")
}

/// Names the recipe in the tag, where the task definition's tags have room for it.
pub(super) fn tag(
    task: &Task<'_>,
    properties: &mut Map<String, Value>,
    report: &mut TaskDefinitionReport,
) {
    let dialect = task.dialect;
    let (name, digest) = (task.recipe.recipe().name().to_owned(), task.recipe.digest());
    let mut recipes = tagged(dialect, properties);
    match recipes.iter_mut().find(|(known, _)| *known == name) {
        Some((_, known)) => *known = digest,
        None => recipes.push((name, digest)),
    }
    let value = tag_value(&recipes);
    let tags = dialect.find(properties, "tags").and_then(Value::as_array);
    let full = tags.is_some_and(|tags| tags.len() >= MAX_TAGS) && recipes.len() == 1;
    let entry = [("key", TAG), ("value", value.as_str())].map(|(key, text)| {
        let key = dialect.key("tags", key).into_owned();
        (key, Value::String(text.to_owned()))
    });
    let edit = Edit::Upsert {
        list: vec!["tags".to_owned()],
        key: "key".to_owned(),
        entry: entry.into_iter().collect(),
    };
    let fits = !full && value.len() <= MAX_TAG_VALUE;
    // What fails half way leaves nothing behind.
    let mut named = properties.clone();
    let done = fits.then(|| edit::apply(&mut named, &[&edit], task.at(&task.given)));
    match done {
        Some(Ok(said)) => {
            *properties = named;
            let said = said
                .into_iter()
                .filter(|line| !report.changes.contains(line));
            let said: Vec<String> = said.collect();
            report.changes.extend(said);
        }
        _ => {
            let why = format!(
                "the tag `{TAG}` finds no place among the tags; the labels of the containers say as much"
            );
            report
                .findings
                .push(Note::new(Code::NotTagged, why).finding(None));
        }
    }
}

/// The tag without a recipe; it goes with the last one.
pub(super) fn tag_edit(
    dialect: Dialect,
    properties: &Map<String, Value>,
    recipe: &str,
    no_tags: bool,
) -> Option<Edit> {
    let mut recipes = tagged(dialect, properties);
    let count = recipes.len();
    recipes.retain(|(name, _)| name != recipe);
    if recipes.len() == count {
        return None;
    }
    let list = vec!["tags".to_owned()];
    if recipes.is_empty() {
        let restored = Restored {
            key: Some("key".to_owned()),
            names: vec![TAG.to_owned()],
            back: Vec::new(),
            empty: no_tags,
        };
        return Some(Edit::Restore(list, restored));
    }
    let entry = [("key", TAG.to_owned()), ("value", tag_value(&recipes))];
    let entry =
        entry.map(|(key, text)| (dialect.key("tags", key).into_owned(), Value::String(text)));
    Some(Edit::Upsert {
        list,
        key: "key".to_owned(),
        entry: entry.into_iter().collect(),
    })
}
