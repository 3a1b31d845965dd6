//! From an old and a new value to edits: the smallest parts that differ are changed, all others stay.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Step;
use super::align::align;
use super::draft::{Added, Draft, Gap};
use super::splice::{Applied, Old};
use super::spot::{Collection, Spot};
use super::tree::{Kind, NodeId};
use super::write::{attribute_text, key_text, quoted, text_after_tag};

impl<'a, 't> Draft<'a, 't> {
    /// Goes from the root to the places of the changes, whose paths begin with `depth` steps to this spot. `new` is
    /// the whole new value of the spot. Old values are dropped on the way, to save memory.
    pub(super) fn visit(
        &mut self,
        spot: Spot<'t>,
        new: &'a Value,
        changes: &mut [Applied],
        depth: usize,
    ) {
        if let [
            Applied {
                path,
                old: Old::Value(old),
            },
        ] = changes
            && path.len() == depth
        {
            let old = old.take().unwrap_or_default();
            return self.change(spot, &old, new);
        }
        self.note(spot.node, new, true);
        if self.tree.kind(spot.node) == Kind::Alias {
            return;
        }
        let Some(function) = self.tree.function(spot.node) else {
            return self.visit_entries(spot, new, changes, depth, new);
        };
        let inside = |change: &Applied| matches!(change.path.get(depth), Some(Step::Key(key)) if key == function);
        match (changes, new.get(function)) {
            (changes, Some(inner)) if changes.iter().all(inside) => match changes {
                [
                    Applied {
                        path,
                        old: Old::Value(Some(old)),
                    },
                ] if path.len() == depth + 1 => {
                    if !self.edit_inside(spot, old, inner) && !self.edit_after_tag(spot, inner) {
                        self.replace(spot, new);
                    }
                }
                changes => self.visit_entries(spot, inner, changes, depth + 1, new),
            },
            // The function gets a sibling, so it is no function any more.
            _ => self.replace(spot, new),
        }
    }

    /// Visits the entries of a collection. Members that are new stand at the end of the object.
    fn visit_entries(
        &mut self,
        spot: Spot<'t>,
        new: &'a Value,
        changes: &mut [Applied],
        depth: usize,
        whole: &'a Value,
    ) {
        let collection = self.collection(spot);
        let entries = &collection.entries;
        let entry_of = |(key, value): (&'a String, &'a Value)| (Some(key.as_str()), value);
        let values: Vec<(Option<&'a str>, &'a Value)> = match new {
            Value::Object(map) => map.iter().map(entry_of).collect(),
            Value::Array(list) => list.iter().map(|item| (None, item)).collect(),
            _ => vec![],
        };
        let can_grow = !entries.is_empty() && self.has_brackets(spot.node);
        let fits = values.len() == entries.len() || (values.len() > entries.len() && can_grow);
        if !fits || !collection.kind.is_collection() {
            return self.replace(spot, whole);
        }
        let (mut changed, mut members, mut items) =
            (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for group in changes.chunk_by_mut(|one, next| one.path.get(depth) == next.path.get(depth)) {
            match group
                .first()
                .and_then(|change| change.path.get(depth))
                .cloned()
            {
                Some(Step::Key(key)) => drop(members.insert(key, group)),
                Some(Step::Index(index)) => drop(items.insert(index, group)),
                None => changed.extend(group.iter_mut().flat_map(Applied::take_members)),
            }
        }
        for (index, ((key, value), entry)) in values.iter().zip(entries).enumerate() {
            let below = match key {
                Some(key) => members.get_mut(*key),
                None => items.get_mut(&index),
            };
            let old = key.and_then(|key| changed.remove(key));
            match (below, old) {
                (Some(below), _) => {
                    self.visit(self.child(&collection, index), value, below, depth + 1);
                }
                (None, Some(old)) => self.change(self.child(&collection, index), &old, value),
                (None, None) => self.keep(entry.1, value),
            }
            self.keep_key(entry.0, *key);
        }
        let added = values.iter().skip(entries.len());
        let added = added
            .map(|(key, value)| Added { key: *key, value })
            .collect();
        self.gaps(
            &collection,
            &[Gap {
                at: entries.len(),
                removed: 0,
                added,
            }],
        );
    }

    /// Makes the edits that turn an old value into another one.
    fn change(&mut self, spot: Spot<'t>, old: &Value, new: &'a Value) {
        self.note(spot.node, new, true);
        if self.tree.kind(spot.node) == Kind::Alias {
            return;
        }
        let edited = match self.tree.function(spot.node) {
            None => self.edit_inside(spot, old, new),
            Some(function) => match (old.get(function), new.get(function)) {
                (Some(old), Some(inner)) if new.as_object().is_some_and(|map| map.len() == 1) => {
                    self.edit_inside(spot, old, inner) || self.edit_after_tag(spot, inner)
                }
                _ => false,
            },
        };
        if !edited {
            self.replace(spot, new);
        }
    }

    /// Changes the scalar of a short form, if it stays one.
    fn edit_after_tag(&mut self, spot: Spot<'t>, new: &Value) -> bool {
        let Some(function) = self
            .tree
            .function(spot.node)
            .filter(|_| self.tree.kind(spot.node).is_scalar())
        else {
            return false;
        };
        let text = match (function, new) {
            ("Fn::GetAtt", Value::Array(_)) => {
                attribute_text(new).map(|text| text_after_tag(&text))
            }
            ("Fn::GetAtt", _) => None,
            ("Ref" | "Condition", Value::String(text)) => Some(text_after_tag(text)),
            (_, Value::String(text)) => Some(quoted(text)),
            _ => None,
        };
        if let Some(text) = &text {
            self.replace_after_tag(spot, text);
        }
        text.is_some()
    }

    /// Changes entries of a collection, if old and new value are of one kind and have something in common.
    fn edit_inside(&mut self, spot: Spot<'t>, old: &Value, new: &'a Value) -> bool {
        let kind = self.tree.kind(spot.node);
        match (old, new) {
            (Value::Object(old), Value::Object(new)) if kind.is_mapping() => {
                self.edit_members(spot, old, new)
            }
            (Value::Array(old), Value::Array(new)) if kind.is_sequence() => {
                self.edit_items(spot, old, new)
            }
            _ => false,
        }
    }

    fn edit_members(
        &mut self,
        spot: Spot<'t>,
        old: &Map<String, Value>,
        new: &'a Map<String, Value>,
    ) -> bool {
        let same_keys = || old.len() == new.len() && old.keys().all(|key| new.contains_key(key));
        if !old.keys().any(|key| new.contains_key(key))
            || !(self.has_brackets(spot.node) || same_keys())
        {
            return false;
        }
        let collection = self.collection(spot);
        let mut gaps: Vec<Gap<'a>> = vec![];
        // Most members stand where they stood: a look at the next one spares most look-ups.
        let mut rest = new.iter().peekable();
        let mut kept = 0;
        let members = old.iter().zip(&collection.entries);
        for (index, ((key, value), (key_node, node))) in members.enumerate() {
            let found = match rest.next_if(|(next, _)| *next == key) {
                Some((_, changed)) => Some(changed),
                None => new.get(key),
            };
            let Some(changed) = found else {
                match gaps.last_mut() {
                    Some(gap) if gap.at + gap.removed == index => gap.removed += 1,
                    _ => gaps.push(Gap {
                        at: index,
                        removed: 1,
                        added: vec![],
                    }),
                }
                continue;
            };
            kept += 1;
            self.keep_key(*key_node, Some(key));
            if value == changed {
                self.keep(*node, changed);
            } else {
                self.change(self.child(&collection, index), value, changed);
            }
        }
        let mut added = vec![];
        if kept < new.len() {
            let is_new = |key: &str| !old.contains_key(key);
            let members = new.iter().filter(|(key, _)| is_new(key));
            added.extend(members.map(|(key, value)| Added {
                key: Some(key.as_str()),
                value,
            }));
        }
        match gaps.last_mut() {
            Some(gap) if gap.at + gap.removed == old.len() => gap.added = added,
            _ => gaps.push(Gap {
                at: old.len(),
                removed: 0,
                added,
            }),
        }
        self.gaps(&collection, &gaps);
        true
    }

    fn edit_items(&mut self, spot: Spot<'t>, old: &[Value], new: &'a [Value]) -> bool {
        let collection = self.collection(spot);
        if old.is_empty() || new.is_empty() || !self.has_brackets(spot.node) {
            return false;
        }
        let pairs = align(old, new);
        let (mut gaps, mut at, mut from) = (vec![], 0, 0);
        let ends = pairs.iter().copied().map(Some).chain([None]);
        for pair in ends {
            let (old_index, new_index) = pair.unwrap_or((old.len(), new.len()));
            let added = new.get(from..new_index).unwrap_or_default();
            let added = added
                .iter()
                .map(|value| Added { key: None, value })
                .collect();
            gaps.push(Gap {
                at,
                removed: old_index - at,
                added,
            });
            if let (Some(value), Some(changed)) = (old.get(old_index), new.get(new_index)) {
                if value != changed {
                    self.change(self.child(&collection, old_index), value, changed);
                } else if let Some((_, node)) = collection.entries.get(old_index) {
                    self.keep(*node, changed);
                }
            }
            (at, from) = (old_index + 1, new_index + 1);
        }
        self.gaps(&collection, &gaps);
        true
    }

    fn gaps(&mut self, collection: &Collection<'t>, gaps: &[Gap<'a>]) {
        for gap in gaps
            .iter()
            .filter(|gap| gap.removed > 0 || !gap.added.is_empty())
        {
            for (key, value) in collection.entries.iter().skip(gap.at).take(gap.removed) {
                self.remove_nodes(*key, self.tree.next(*value));
            }
            if collection.kind.is_block_collection() {
                self.block_gap(collection, gap);
            } else {
                self.flow_gap(collection, gap);
            }
        }
    }

    /// Notes the value that an alias or an anchored node has in the end.
    fn note(&mut self, node: NodeId, value: &'a Value, changed: bool) {
        if self.tree.aliases.is_empty() {
            return;
        }
        if changed {
            self.changed.insert(node);
        }
        let anchored = self
            .tree
            .properties
            .get(&node)
            .is_some_and(|properties| properties.anchor.is_some());
        if anchored || self.tree.kind(node) == Kind::Alias {
            self.values.insert(node, Cow::Borrowed(value));
        }
    }

    fn keep_key(&mut self, node: NodeId, key: Option<&str>) {
        let anchored = self.tree.properties.contains_key(&node);
        if let Some(key) = key.filter(|_| anchored || self.tree.kind(node) == Kind::Alias) {
            self.values.insert(node, Cow::Owned(Value::from(key)));
        }
    }

    /// Notes the values of all aliases and anchored nodes in a part that stays.
    fn keep(&mut self, node: NodeId, value: &'a Value) {
        if self.tree.aliases.is_empty() {
            return;
        }
        self.note(node, value, false);
        let value = match self.tree.function(node) {
            Some(function) => value.get(function).unwrap_or(value),
            None => value,
        };
        let entries = self.tree.entries(node);
        match value {
            Value::Object(map) => {
                for ((key, value), (key_node, node)) in map.iter().zip(entries) {
                    self.keep_key(key_node, Some(key));
                    self.keep(node, value);
                }
            }
            Value::Array(list) => {
                for (value, (_, node)) in list.iter().zip(entries) {
                    self.keep(node, value);
                }
            }
            _ => {}
        }
    }

    /// Replaces each alias that no longer stands for the right value; says which.
    pub(super) fn expand_aliases(&mut self) -> Vec<NodeId> {
        let is_wrong = |(alias, target): (&NodeId, &NodeId)| {
            let same = !self.changed.contains(alias) && !self.changed.contains(target);
            let right = same || self.values.get(alias) == self.values.get(target);
            !self.is_gone(*alias) && (self.is_gone(*target) || !right)
        };
        let wrong = self.tree.aliases.iter().filter(|pair| is_wrong(*pair));
        let wrong: Vec<NodeId> = wrong.map(|(alias, _)| *alias).collect();
        let mut spots = vec![];
        self.spots_of(&wrong, self.root(), &mut spots);
        for spot in &spots {
            if let Some(value) = self.values.remove(&spot.node) {
                self.replace(*spot, &value);
            }
        }
        for alias in &wrong {
            // What has no spot is a key.
            if let Some(Value::String(key)) = self.values.remove(alias).as_deref() {
                let (start, end) = (self.tree.start(*alias), self.tree.end(*alias));
                self.edit(start, end, key_text(key, false), 0);
            }
        }
        wrong
    }
}
