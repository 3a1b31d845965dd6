//! Puts changes into the text of a document.

use serde_json::Value;

use super::diff::Changes;
use super::draft::Draft;
use super::style::style_of;
use super::text::Text;
use super::{Change, Format, Source, SourceError, Spliced, Step, json, yaml};

impl Source<'_> {
    /// Puts changes into the text. Every byte outside of what they change stays; without changes it is the same text.
    /// The document ends here: its value becomes the new one, and the new text is compared with it.
    pub fn splice(mut self, changes: Vec<Change>) -> Result<Spliced, SourceError> {
        let mark = if self.has_mark { "\u{feff}" } else { "" };
        let mut tree_of_changes = Changes::default();
        for change in changes {
            put(&mut self.value, &mut tree_of_changes, change)?;
        }
        if tree_of_changes.old.is_none() && tree_of_changes.below.is_empty() {
            return Ok(Spliced {
                text: format!("{mark}{}", self.text.as_str()),
                expanded_aliases: vec![],
            });
        }
        let (style, layout) = style_of(self.text, &self.tree, self.format);
        let mut draft = Draft::new(self.text, &self.tree, style, layout);
        draft.visit(draft.root(), &self.value, &tree_of_changes);
        let expanded = draft.expand_aliases();
        let name_of = |alias| {
            let start = self.tree.start(alias);
            let name = self.text.slice(start, self.tree.end(alias));
            (
                name.trim_start_matches('*').to_owned(),
                self.text.position(start).0,
            )
        };
        let expanded_aliases = expanded.into_iter().map(name_of).collect();
        let text = draft.into_text()?;
        drop((std::mem::take(&mut self.tree), tree_of_changes));
        if !agrees(Text::new(&text), self.format, &self.value) {
            return Err(SourceError::Disagrees);
        }
        let text = if self.has_mark {
            format!("{mark}{text}")
        } else {
            text
        };
        Ok(Spliced {
            text,
            expanded_aliases,
        })
    }
}

/// Whether a text holds exactly this value.
fn agrees(text: Text<'_>, format: Format, value: &Value) -> bool {
    match format {
        Format::Json => json::matches(text, value),
        Format::Yaml => yaml::parse(text).is_ok_and(|(read, _)| read == *value),
    }
}

/// Puts one change into the value, and the old value into the changes.
fn put(value: &mut Value, changes: &mut Changes, change: Change) -> Result<(), SourceError> {
    let path = change.path;
    let missing = |path: &[Step]| SourceError::NoSuchPath {
        path: written(path),
    };
    let (mut place, mut node) = (value, changes);
    for (index, step) in path.iter().enumerate() {
        if node.old.is_some() {
            return Err(SourceError::OverlappingChanges {
                path: written(&path),
            });
        }
        let last = index + 1 == path.len();
        place = match (step, place) {
            (Step::Key(key), Value::Object(map)) => {
                if last && !map.contains_key(key) {
                    map.insert(key.clone(), change.value);
                    node.below.entry(step.clone()).or_default();
                    return Ok(());
                }
                map.get_mut(key).ok_or_else(|| missing(&path))?
            }
            (Step::Index(index), Value::Array(list)) => {
                list.get_mut(*index).ok_or_else(|| missing(&path))?
            }
            _ => return Err(missing(&path)),
        };
        if last && *place == change.value && !node.below.contains_key(step) {
            return Ok(());
        }
        node = node.below.entry(step.clone()).or_default();
    }
    if node.old.is_some() || !node.below.is_empty() {
        return Err(SourceError::OverlappingChanges {
            path: written(&path),
        });
    }
    node.old = Some(std::mem::replace(place, change.value));
    Ok(())
}

/// A path as a person would write it.
fn written(path: &[Step]) -> String {
    let steps: Vec<String> = path
        .iter()
        .map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::Index(index) => index.to_string(),
        })
        .collect();
    steps.join(".")
}
