//! What the tags of a task definition say about it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cloudformation::intrinsic::{as_if, function, is_no_value};
use crate::container::View;
use crate::dialect::Dialect;
use crate::report::Code;
use crate::settings::{Mode, SelectionTags};

use super::select::{Text, known_text};
use super::{Note, Task};

/// What the tags of a task definition say.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    /// `outrigger:instrument`, or kilt's tags.
    pub(crate) instrument: Option<bool>,
    /// Only these containers.
    pub(crate) only: Option<Vec<String>>,
    /// Not these containers.
    pub(crate) except: Vec<String>,
    /// Names that do not stand in the document as such, and are not shown.
    pub(crate) hidden: BTreeSet<String>,
    /// Tags that cannot be understood, each with what is wrong.
    pub(crate) notes: Vec<Note>,
    /// Tags whose value only a deployment knows.
    pub(crate) unknown: Vec<String>,
    /// Template parameters that the tags depend on.
    pub(crate) parameters: BTreeSet<String>,
    /// `kilt-include` and `kilt-ignore`, whose meaning depends on the mode.
    kilt: Kilt,
}

#[derive(Debug, Default)]
struct Kilt {
    include: bool,
    ignore: bool,
}

impl Tags {
    /// Whether containers are selected by name.
    pub(crate) fn name_containers(&self) -> bool {
        self.only.is_some() || !self.except.is_empty()
    }

    /// Whether any of them is about the selection.
    fn decide(&self) -> bool {
        self.instrument.is_some()
            || self.name_containers()
            || self.kilt.include
            || self.kilt.ignore
            || !self.notes.is_empty()
            || !self.unknown.is_empty()
    }
}

const OUR_TAGS: &[&str] = &[
    "outrigger:instrument",
    "outrigger:containers",
    "outrigger:exclude-containers",
    "kilt-include",
    "kilt-ignore",
    "kilt-include-containers",
    "kilt-ignore-containers",
];

/// Reads the tags that select.
pub(crate) fn tags(task: &Task<'_>) -> Tags {
    let mut tags = Tags::default();
    if let Some(value) = task.view.get("tags") {
        read_tags(task, value, &mut tags);
    }
    let selection = &task.settings.selection;
    if selection.tags == SelectionTags::Ignored {
        let why = "it has tags about instrumentation, which are not followed in this run";
        let note = Note::new(Code::TagsIgnored, why.to_owned());
        return Tags {
            notes: tags.decide().then_some(note).into_iter().collect(),
            ..Tags::default()
        };
    }
    if tags.instrument.is_none() {
        // As in kilt: each of the two is about one of the modes.
        tags.instrument = match (selection.mode, tags.kilt.include, tags.kilt.ignore) {
            (Mode::OptIn, true, _) | (Mode::OptOut, true, false) => Some(true),
            (Mode::OptOut, _, true) | (Mode::OptIn, false, true) => Some(false),
            (_, false, false) => None,
        };
    }
    tags
}

fn read_tags(task: &Task<'_>, value: &Value, tags: &mut Tags) {
    if let Some((_, yes, no)) = as_if(value) {
        // A tag under a condition is not known unless it is not one of ours.
        let mut branches = Tags::default();
        read_tags(task, yes, &mut branches);
        read_tags(task, no, &mut branches);
        if branches.decide() {
            tags.unknown.push("a tag under a condition".to_owned());
        }
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| read_tags(task, item, tags)),
        Value::Object(map) if function(value).is_none() => {
            let view = View::new(task.dialect, map);
            let Some(key) = view.get("key").and_then(|key| known_text(task, key).ok()) else {
                return;
            };
            if OUR_TAGS.contains(&key.text.as_str()) {
                let stated = view.get("value").unwrap_or(&Value::Null);
                match known_text(task, stated) {
                    Ok(value) => {
                        read_tag(&key.text, &value.text, tags);
                        tags.hide(stated, &value);
                        tags.parameters.extend(key.parameters);
                        tags.parameters.extend(value.parameters);
                    }
                    Err(_) => tags.unknown.push(format!("`{}`", key.text)),
                }
            }
        }
        other if function(other).is_some() && !is_no_value(other) => {
            tags.notes.push(Note::new(
                Code::SelectionTag,
                match task.dialect {
                    Dialect::Terraform => {
                        "the tags are known only after apply, and were not looked at"
                    }
                    _ => "a tag is an intrinsic function, and was not looked at",
                }
                .to_owned(),
            ));
        }
        _ => {}
    }
}

impl Tags {
    /// The value of an expression is not shown.
    fn hide(&mut self, stated: &Value, value: &Text) {
        if function(stated).is_some() {
            let names = value.text.split([':', ' ']).map(str::to_owned);
            self.hidden.extend(names);
        }
    }
}

fn read_tag(key: &str, value: &str, tags: &mut Tags) {
    let names = || -> Vec<String> {
        let names = value.split([':', ' ']).filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    };
    if key.contains("containers") && value.contains(',') {
        tags.notes.push(Note::new(
            Code::SelectionTag,
            format!("the tag `{key}` contains a comma; names are separated by colons or spaces"),
        ));
    }
    // YAML's `False` is the text `False` to CloudFormation.
    let is = |truth: &str| value.eq_ignore_ascii_case(truth);
    match key {
        "outrigger:instrument" => match (is("true"), is("false")) {
            (true, _) => tags.instrument = Some(true),
            (_, true) => tags.instrument = Some(false),
            _ => tags.notes.push(Note::new(
                Code::SelectionTag,
                format!("the tag `{key}` is neither `true` nor `false`, and was not followed"),
            )),
        },
        "kilt-include" | "kilt-ignore" if is("false") => {}
        "kilt-include" => tags.kilt.include = true,
        "kilt-ignore" => tags.kilt.ignore = true,
        "outrigger:containers" | "kilt-include-containers" => {
            tags.only.get_or_insert_default().extend(names());
        }
        _ => tags.except.extend(names()),
    }
}
