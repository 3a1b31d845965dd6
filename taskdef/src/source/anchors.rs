//! What aliases stand for, within bounds: a few lines of nested aliases can stand for gigabytes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::MAX_DEPTH;
use super::tree::NodeId;

/// A value with an anchor.
pub(super) struct Anchored {
    pub(super) node: NodeId,
    pub(super) value: Value,
    weight: usize,
    height: usize,
}

/// The anchored values of a document, by the number that the parser gave them.
pub(super) struct Anchors {
    values: BTreeMap<usize, Anchored>,
    /// How much more may be copied.
    budget: usize,
}

/// Why an alias cannot be replaced by a value.
pub(super) enum Refused {
    /// The anchor does not end before the alias.
    Unknown,
    TooDeep,
    TooLarge,
}

impl Anchors {
    pub(super) fn new(text_length: usize) -> Self {
        Anchors {
            values: BTreeMap::new(),
            budget: (16 << 20) + text_length.saturating_mul(8),
        }
    }

    /// Keeps a copy of a value.
    pub(super) fn insert(&mut self, id: usize, node: NodeId, value: &Value) -> Result<(), Refused> {
        let weight = weight_of(value);
        self.spend(weight)?;
        let height = height_of(value);
        self.values.insert(
            id,
            Anchored {
                node,
                value: value.clone(),
                weight,
                height,
            },
        );
        Ok(())
    }

    /// What the alias of this number stands for, at this depth of the document.
    pub(super) fn get(&mut self, id: usize, depth: usize) -> Result<&Anchored, Refused> {
        let weight = self.values.get(&id).ok_or(Refused::Unknown)?.weight;
        self.spend(weight)?;
        match self.values.get(&id) {
            Some(anchored) if depth + anchored.height > MAX_DEPTH => Err(Refused::TooDeep),
            Some(anchored) => Ok(anchored),
            None => Err(Refused::Unknown),
        }
    }

    fn spend(&mut self, weight: usize) -> Result<(), Refused> {
        self.budget = self.budget.checked_sub(weight).ok_or(Refused::TooLarge)?;
        Ok(())
    }
}

/// About how many bytes a value takes.
fn weight_of(value: &Value) -> usize {
    let content = match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(weight_of).sum(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| key.len() + weight_of(value))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    content + 32
}

/// How many objects and arrays stand inside of one another.
fn height_of(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(height_of).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(height_of).max().unwrap_or(0),
        _ => 0,
    }
}
