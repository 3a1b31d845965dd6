//! The docker label of a container: what a recipe did to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::as_if;
use crate::container::{Setting, View};
use crate::dialect::Dialect;

/// What the names of labels begin with; the recipe's name follows.
const PREFIX: &str = "outrigger.";

/// The version of the form.
pub(super) const FORMAT: u64 = 1;

/// A part of a container or a task definition by its canonical name.
pub(super) type Nodes = BTreeMap<String, Node>;

/// What is to be put back in one place. What a recipe wrote is held as a short digest, which is
/// empty where that is known only after a deployment, or is a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Node {
    /// Nothing was there; what was written.
    Absent(String),
    /// What was there; what was written.
    Was(Value, String),
    /// What was there stands behind these words.
    Behind(Vec<Value>),
    /// What was there cannot be held; what was written.
    Lost(String),
    /// A list of entries with a natural key, or a set.
    List(ListNode),
    /// The places in an object.
    In(Nodes),
}

/// What is to be put back in a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListNode {
    /// What was written, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) now: BTreeMap<String, String>,
    /// What stood there, each with its place; of what cannot be held only the key, as a text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) back: Vec<(usize, Value)>,
    /// Whether the list was there, without entries.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) empty: bool,
}

/// What a recipe did to a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Label {
    /// The version of this form.
    pub(super) format: u64,
    /// The digest of the recipe and its inputs.
    pub(super) digest: String,
    /// Which of the task definition's recipes this is, from 1 in the order of application.
    pub(super) order: u64,
    /// Whether the recipe added the container.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) added: bool,
    /// The digest of the image's reference and the platform, where the program came from the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) image: Option<String>,
    /// The digest of what that image said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) program: Option<String>,
    /// Whether `dockerLabels` was there, without labels.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) no_labels: bool,
    /// What is to be put back in the container.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) container: Nodes,
    /// What is to be put back in the task definition.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) task: Nodes,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Label {
    pub(super) fn new(digest: String, order: u64) -> Label {
        Label {
            format: FORMAT,
            digest,
            order,
            added: false,
            image: None,
            program: None,
            no_labels: false,
            container: Nodes::new(),
            task: Nodes::new(),
        }
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a label's text; `None` is a form that is not known here.
    pub(super) fn read(text: &str) -> Option<Label> {
        let label: Label = serde_json::from_str(text).ok()?;
        (label.format == FORMAT).then_some(label)
    }
}

/// The name of a recipe's label.
pub(super) fn key(recipe: &str) -> String {
    format!("{PREFIX}{recipe}")
}

/// The labels of a container: the recipe's name, and the text, which may depend on conditions.
pub(crate) fn labels_of(dialect: Dialect, container: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let mut found = Vec::new();
    let value = match View::new(dialect, container).get("dockerLabels") {
        Some(value) => value,
        None => return found,
    };
    collect(dialect, value, &mut found);
    found
}

fn collect<'v>(dialect: Dialect, labels: &'v Value, found: &mut Vec<(&'v str, &'v Value)>) {
    if let Some((_, yes, no)) = as_if(labels).filter(|_| dialect.has_functions()) {
        collect(dialect, yes, found);
        collect(dialect, no, found);
        return;
    }
    for (key, text) in labels.as_object().into_iter().flatten() {
        if let Some(recipe) = key.strip_prefix(PREFIX) {
            found.push((recipe, text));
        }
    }
}

/// A container's own label of a recipe, where it is one text.
pub(super) fn own_label(
    dialect: Dialect,
    container: &Map<String, Value>,
    recipe: &str,
) -> Option<Label> {
    let view = match View::new(dialect, container).object("dockerLabels") {
        Setting::Known(_) => View::new(dialect, container).get("dockerLabels")?,
        _ => return None,
    };
    Label::read(view.get(key(recipe))?.as_str()?)
}

/// The recipe that added a container, by its label.
pub(crate) fn added_by(dialect: Dialect, container: &Map<String, Value>) -> Option<&str> {
    let labels = labels_of(dialect, container).into_iter();
    let mut added = labels.filter(|(_, text)| {
        let label = text.as_str().and_then(Label::read);
        label.is_some_and(|label| label.added)
    });
    added.next().map(|(recipe, _)| recipe)
}

/// A recipe other than this one that wraps a container's program, by its label.
pub(crate) fn wrapped_by_another<'c>(
    dialect: Dialect,
    container: &'c Map<String, Value>,
    recipe: &str,
) -> Option<&'c str> {
    let labels = labels_of(dialect, container).into_iter();
    let mut others = labels.filter(|(other, text)| {
        let mut labels = Labels::default();
        labels.read(text);
        let wraps = |label: &Label| label.container.contains_key("entryPoint");
        *other != recipe && labels.read.iter().any(wraps)
    });
    others.next().map(|(other, _)| other)
}

/// All labels of one recipe in a task definition.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels {
    /// Those that can be read, under whatever condition.
    pub(super) read: Vec<Label>,
    /// Whether there is one that cannot.
    pub(super) unreadable: bool,
}

impl Labels {
    pub(super) fn read(&mut self, text: &Value) {
        if let Some((_, yes, no)) = as_if(text) {
            self.read(yes);
            self.read(no);
            return;
        }
        match text.as_str().map(Label::read) {
            Some(Some(label)) => self.read.push(label),
            // A branch without a label is `AWS::NoValue`.
            None if crate::cloudformation::intrinsic::is_no_value(text) => {}
            _ => self.unreadable = true,
        }
    }

    /// Which of the recipes this is.
    pub(super) fn order(&self) -> u64 {
        self.read
            .iter()
            .map(|label| label.order)
            .max()
            .unwrap_or_default()
    }
}
