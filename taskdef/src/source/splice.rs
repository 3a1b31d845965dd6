//! Puts changes into the text of a document.

use serde_json::Value;

use super::draft::Draft;
use super::style::style_of;
use super::text::Text;
use super::{Change, Format, Path, Source, SourceError, Spliced, Step, json, yaml};

/// A change that the value of a document has seen.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) path: Path,
    /// The value before; none if the member is new.
    pub(super) old: Option<Value>,
}

impl Source<'_> {
    /// Puts changes into the text. Every byte outside of what they change stays; without changes it is the same text.
    ///
    /// The document ends here, to save memory: its value becomes the new one, with which the new text is compared.
    pub fn splice(mut self, changes: Vec<Change>) -> Result<Spliced, SourceError> {
        let mark = if self.has_mark { "\u{feff}" } else { "" };
        let mut applied = apply(&mut self.value, changes)?;
        if applied.is_empty() {
            let text = format!("{mark}{}", self.text.as_str());
            return Ok(Spliced {
                text,
                expanded_aliases: vec![],
            });
        }
        let (style, layout) = style_of(self.text, &self.tree, self.format);
        let mut draft = Draft::new(self.text, &self.tree, style, layout);
        draft.visit(draft.root(), &self.value, &mut applied, 0);
        let expanded = draft.expand_aliases();
        let name_of = |alias| {
            let start = self.tree.start(alias);
            let name = self.text.slice(start, self.tree.end(alias));
            (
                name.trim_start_matches('*').to_owned(),
                self.line_of(start).0,
            )
        };
        let expanded_aliases = expanded.into_iter().map(name_of).collect();
        let text = draft.into_text()?;
        drop((std::mem::take(&mut self.tree), applied));
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

/// Puts changes into a value. What comes back stands in the order of the paths, without what changes nothing.
fn apply(value: &mut Value, mut changes: Vec<Change>) -> Result<Vec<Applied>, SourceError> {
    changes.sort_by(|one, other| one.path.cmp(&other.path));
    // A path stands directly before those that go on from it.
    for (one, next) in changes.iter().zip(changes.iter().skip(1)) {
        if next.path.starts_with(&one.path) {
            return Err(SourceError::OverlappingChanges {
                path: written(&next.path),
            });
        }
    }
    let mut applied = Vec::with_capacity(changes.len());
    for change in changes {
        let same = value_at(value, &change.path).is_some_and(|old| *old == change.value);
        if !same {
            let Change { path, value: new } = change;
            match put(value, &path, new) {
                Some(old) => applied.push(Applied { path, old }),
                None => {
                    return Err(SourceError::NoSuchPath {
                        path: written(&path),
                    });
                }
            }
        }
    }
    Ok(applied)
}

fn value_at<'v>(value: &'v Value, path: &[Step]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.as_object()?.get(key),
        Step::Index(index) => value.as_array()?.get(*index),
    })
}

/// Puts a new value at a path, and gives the old one, if there was one. None if there is no such path.
fn put(value: &mut Value, path: &[Step], new: Value) -> Option<Option<Value>> {
    let Some((last, before)) = path.split_last() else {
        return Some(Some(std::mem::replace(value, new)));
    };
    let holder = before.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.as_object_mut()?.get_mut(key),
        Step::Index(index) => value.as_array_mut()?.get_mut(*index),
    });
    match last {
        Step::Key(key) => {
            let map = holder?.as_object_mut()?;
            match map.get_mut(key) {
                Some(place) => Some(Some(std::mem::replace(place, new))),
                None => Some(map.insert(key.clone(), new)),
            }
        }
        Step::Index(index) => {
            let list = holder?.as_array_mut()?;
            if *index == list.len() {
                list.push(new);
                return Some(None);
            }
            Some(Some(std::mem::replace(list.get_mut(*index)?, new)))
        }
    }
}

/// A path as a person would write it.
fn written(path: &[Step]) -> String {
    let step = |step: &Step| match step {
        Step::Key(key) => key.clone(),
        Step::Index(index) => index.to_string(),
    };
    path.iter().map(step).collect::<Vec<_>>().join(".")
}
