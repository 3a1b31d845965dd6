//! Puts changes into the text of a document.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::draft::Draft;
use super::plain::{Plain, is_ambiguous};
use super::style::style_of;
use super::text::Text;
use super::tree::Kind;
use super::{Change, Format, New, Path, Source, SourceError, Spliced, Step, json, yaml};

/// A change that the value of a document has seen.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) path: Path,
    pub(super) old: Old,
}

impl Applied {
    /// The changed members that are not new, each with its value before.
    pub(super) fn take_members(&mut self) -> impl Iterator<Item = (String, Value)> {
        let members = match &mut self.old {
            Old::Members(members) => std::mem::take(members),
            Old::Value(_) => vec![],
        };
        members
            .into_iter()
            .filter_map(|(key, old)| Some((key, old?)))
    }
}

/// What was there before a change.
#[derive(Debug)]
pub(super) enum Old {
    /// The value; none if the member or item is new.
    Value(Option<Value>),
    /// The members of an object that were changed, each with its value if it is not new.
    Members(Vec<(String, Option<Value>)>),
}

impl Source<'_> {
    /// Puts changes into the text. Every byte outside of what they change stays; without changes it is the same text.
    ///
    /// The document ends here, to save memory: its value becomes the new one, with which the new text is compared.
    pub fn splice(mut self, changes: Vec<Change>) -> Result<Spliced, SourceError> {
        let mark = if self.has_mark { "\u{feff}" } else { "" };
        let ambiguous = self.ambiguous();
        let in_quotes = in_quotes(&ambiguous, &self.value);
        let mut applied = apply(&mut self.value, changes)?;
        if applied.is_empty() {
            let text = format!("{mark}{}", self.text.as_str());
            return Ok(Spliced {
                text,
                value: self.value,
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
        if !agrees(Text::new(&text), (self.format, self.plain), &self.value) {
            return Err(SourceError::Disagrees);
        }
        if !ambiguous.is_empty() {
            check_quotes(&ambiguous, &in_quotes, &Source::read(&text, self.plain)?)?;
        }
        let text = if self.has_mark {
            format!("{mark}{text}")
        } else {
            text
        };
        Ok(Spliced {
            text,
            value: self.value,
            expanded_aliases,
        })
    }

    /// The texts without quotes of which readers do not agree whether they are texts, each with its places.
    fn ambiguous(&self) -> Ambiguous {
        let mut found = Ambiguous::new();
        if (self.format, self.plain) != (Format::Yaml, Plain::Aws) {
            return found;
        }
        for node in self
            .tree
            .nodes
            .iter()
            .filter(|node| node.kind == Kind::Plain)
        {
            let text = self.text.slice(node.start as usize, node.end as usize);
            if is_ambiguous(text) {
                let places = found.entry(text.to_owned()).or_default();
                places.push(self.text.position(node.start as usize));
            }
        }
        found
    }
}

type Ambiguous = BTreeMap<String, Vec<(usize, usize)>>;

/// How often each of the texts stands in quotes.
fn in_quotes(ambiguous: &Ambiguous, value: &Value) -> BTreeMap<String, usize> {
    let mut texts = BTreeMap::new();
    if !ambiguous.is_empty() {
        count(ambiguous, value, &mut texts);
    }
    for (text, all) in &mut texts {
        let plain = ambiguous.get(text).map_or(0, Vec::len);
        *all = all.saturating_sub(plain);
    }
    texts
}

fn count(ambiguous: &Ambiguous, value: &Value, texts: &mut BTreeMap<String, usize>) {
    match value {
        Value::String(text) if ambiguous.contains_key(text) => {
            *texts.entry(text.clone()).or_default() += 1;
        }
        Value::Array(items) => items.iter().for_each(|item| count(ambiguous, item, texts)),
        Value::Object(map) => map
            .values()
            .for_each(|value| count(ambiguous, value, texts)),
        _ => {}
    }
}

/// Refuses to move what stands without quotes: in quotes, or in another text, it would be another value
/// to another reader.
fn check_quotes(
    before: &Ambiguous,
    quoted_before: &BTreeMap<String, usize>,
    after: &Source<'_>,
) -> Result<(), SourceError> {
    let mut still = after.ambiguous();
    for text in before.keys() {
        still.entry(text.clone()).or_default();
    }
    let quoted = in_quotes(&still, &after.value);
    let count = |counts: &BTreeMap<String, usize>, text: &str| {
        counts.get(text).copied().unwrap_or_default()
    };
    for (text, places) in before {
        let is_moved = still.get(text).map_or(0, Vec::len) < places.len();
        if (is_moved || count(&quoted, text) > count(quoted_before, text))
            && let Some((line, column)) = places.first()
        {
            return Err(SourceError::Ambiguous {
                text: text.clone(),
                line: *line,
                column: *column,
            });
        }
    }
    Ok(())
}

/// Puts changes into a value that has no text of its own.
///
/// # Errors
///
/// When the value has no such place, or two changes concern the same one.
pub fn put(value: &mut Value, changes: Vec<Change>) -> Result<(), SourceError> {
    apply(value, changes).map(drop)
}

/// Whether a text holds exactly this value.
fn agrees(text: Text<'_>, (format, plain): (Format, Plain), value: &Value) -> bool {
    match format {
        Format::Json => json::matches(text, value),
        Format::Yaml => yaml::parse(text, plain).is_ok_and(|(read, _)| read == *value),
    }
}

/// Puts changes into a value. What comes back stands in the order of the paths, without what changes nothing.
fn apply(value: &mut Value, mut changes: Vec<Change>) -> Result<Vec<Applied>, SourceError> {
    changes.sort_by(|one, other| one.path.cmp(&other.path));
    check_apart(&changes)?;
    let mut applied = Vec::with_capacity(changes.len());
    for Change { path, new } in changes {
        let old = match new {
            New::Value(new) if value_at(value, &path) == Some(&new) => continue,
            New::Value(new) => put_value(value, &path, new).map(Old::Value),
            New::Members(new) => object_at(value, &path).map(|object| put_members(object, new)),
        };
        match old {
            Some(Old::Members(members)) if members.is_empty() => {}
            Some(old) => applied.push(Applied { path, old }),
            None => {
                return Err(SourceError::NoSuchPath {
                    path: written(&path),
                });
            }
        }
    }
    Ok(applied)
}

/// Refuses changes of which one lies within another. They stand in the order of their paths.
fn check_apart(changes: &[Change]) -> Result<(), SourceError> {
    // The changes whose places hold that of the next one, the outermost first.
    let mut around: Vec<&Change> = vec![];
    for change in changes {
        while around
            .pop_if(|outer| !change.path.starts_with(&outer.path))
            .is_some()
        {}
        let concerned = |outer: &&Change| match (&outer.new, change.path.get(outer.path.len())) {
            (New::Members(members), Some(Step::Key(key))) => {
                members.iter().any(|(member, _)| member == key)
            }
            _ => true,
        };
        if around.iter().any(concerned) {
            return Err(SourceError::OverlappingChanges {
                path: written(&change.path),
            });
        }
        around.push(change);
    }
    Ok(())
}

fn object_at<'v>(value: &'v mut Value, path: &[Step]) -> Option<&'v mut Map<String, Value>> {
    holder_at(value, path)?.as_object_mut()
}

fn put_members(object: &mut Map<String, Value>, new: Vec<(String, Value)>) -> Old {
    let mut members = Vec::with_capacity(new.len());
    for (key, new) in new {
        let old = match object.get_mut(&key) {
            Some(place) if *place == new => continue,
            Some(place) => Some(std::mem::replace(place, new)),
            None => object.insert(key.clone(), new),
        };
        members.push((key, old));
    }
    Old::Members(members)
}

fn value_at<'v>(value: &'v Value, path: &[Step]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.as_object()?.get(key),
        Step::Index(index) => value.as_array()?.get(*index),
    })
}

fn holder_at<'v>(value: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.as_object_mut()?.get_mut(key),
        Step::Index(index) => value.as_array_mut()?.get_mut(*index),
    })
}

/// Puts a new value at a path, and gives the old one, if there was one. None if there is no such path.
fn put_value(value: &mut Value, path: &[Step], new: Value) -> Option<Option<Value>> {
    let Some((last, before)) = path.split_last() else {
        return Some(Some(std::mem::replace(value, new)));
    };
    let holder = holder_at(value, before);
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
