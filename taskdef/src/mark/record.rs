//! From an object before and after a rewrite to what has to be held to go back.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::{Assignment, function, is_no_value, scalar_text};
use crate::dialect::Dialect;
use crate::digest;
use crate::edit::{self, Edit, Restored, Where, behind};
use crate::plan::merge::SETS;
use crate::plan::recognise::mentions;
use crate::plan::wrap::uncomposed;
use crate::recipe::NATURAL_KEYS;

use super::label::{ListNode, Node, Nodes};

/// In the place of a digest: the recipe took away what was there.
pub(super) const GONE: &str = "-";

/// What decides about records.
pub(super) struct Recorder<'r> {
    pub(super) dialect: Dialect,
    /// Values of secret inputs in clear.
    pub(super) secrets: &'r [&'r str],
    /// Texts that CloudFormation replaces wherever they stand.
    pub(super) replaced: &'r [String],
}

impl Recorder<'_> {
    /// What has to be held of an object, by canonical key.
    pub(super) fn object(
        &self,
        parent: &str,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
    ) -> Nodes {
        let gone = before.keys().filter(|key| !after.contains_key(*key));
        let keys = after.keys().chain(gone);
        let mut nodes = Nodes::new();
        for key in keys {
            let (old, new) = (before.get(key), after.get(key));
            if old == new {
                continue;
            }
            let canonical = self.dialect.canonical_key(parent, key).into_owned();
            let stands = |value: &&Value| !(self.dialect.has_functions() && is_no_value(value));
            let (old, new) = (old.filter(stands), new.filter(stands));
            if old.is_none() && new.is_none() {
                continue;
            }
            let hidden = match canonical.as_str() {
                "environment" => self.hidden(before, after),
                _ => BTreeSet::new(),
            };
            let mut node = self.value(&canonical, old, new, &hidden);
            // Only a whole member can be held instead; an environment is never copied.
            if parent.is_empty() && !self.holds(&canonical, key, &node, old, new) {
                node = self.leaf(&canonical, old, new, canonical == "environment");
            }
            nodes.insert(canonical, node);
        }
        nodes
    }

    /// Variables whose former value is a secret: the recipe takes them from one.
    fn hidden(&self, before: &Map<String, Value>, after: &Map<String, Value>) -> BTreeSet<String> {
        let list = |map, key| {
            let list = self.dialect.find(map, key).and_then(Value::as_array);
            list.map(Vec::as_slice).unwrap_or_default()
        };
        let name = |entry: &Value| {
            let name = self.dialect.find(entry.as_object()?, "name")?;
            name.as_str().map(str::to_owned)
        };
        let new = |key| {
            let known = list(before, key);
            list(after, key)
                .iter()
                .filter(move |entry| !known.contains(entry))
        };
        let from_secrets = new("secrets").filter_map(name);
        let in_clear = new("environment").filter(|entry| mentions(entry, self.secrets));
        from_secrets.chain(in_clear.filter_map(name)).collect()
    }

    fn value(
        &self,
        key: &str,
        old: Option<&Value>,
        new: Option<&Value>,
        hidden: &BTreeSet<String>,
    ) -> Node {
        if let (Some(old), Some(new), "entryPoint" | "command") = (old, new, key)
            && let Some(words) = words_before(old, new)
        {
            return Node::Behind(words);
        }
        let plain = |value: Option<&Value>| {
            value.is_none_or(|value| self.dialect.function(value).is_none())
        };
        if !plain(old) || !plain(new) {
            return self.leaf(key, old, new, false);
        }
        let empty = Map::new();
        match (old, new) {
            (None | Some(Value::Object(_)), Some(Value::Object(after)))
                if !old.is_some_and(is_hollow) =>
            {
                let before = old.and_then(Value::as_object).unwrap_or(&empty);
                Node::In(self.object(key, before, after))
            }
            (None | Some(Value::Array(_)), None | Some(Value::Array(_))) => {
                let items = |value: Option<&Value>| {
                    let items = value.and_then(Value::as_array);
                    items.cloned().unwrap_or_default()
                };
                let list = self.list(key, old.is_some(), (&items(old), &items(new)), hidden);
                list.map_or_else(
                    || self.leaf(key, old, new, key == "environment"),
                    Node::List,
                )
            }
            _ => self.leaf(key, old, new, false),
        }
    }

    fn leaf(&self, key: &str, old: Option<&Value>, new: Option<&Value>, secret: bool) -> Node {
        let now = new.map_or_else(|| GONE.to_owned(), |new| self.now(key, new));
        match old {
            None => Node::Absent(now),
            Some(old) if secret || !self.can_be_held(old) => Node::Lost(now),
            Some(old) => Node::Was(self.dialect.canonical(key, old), now),
        }
    }

    /// The digest of what is written, where the deployment does not change it.
    fn now(&self, key: &str, new: &Value) -> String {
        match self.can_be_held(new) {
            true => digest::short(&self.dialect.canonical(key, new)),
            false => String::new(),
        }
    }

    /// Whether a label can hold a value: it is no secret, and means the same after a deployment.
    fn can_be_held(&self, value: &Value) -> bool {
        let replaced: Vec<&str> = self.replaced.iter().map(String::as_str).collect();
        let changes =
            self.dialect.has_functions() && (holds_function(value) || mentions(value, &replaced));
        !changes && !mentions(value, self.secrets)
    }

    fn list(
        &self,
        key: &str,
        was_there: bool,
        (old, new): (&[Value], &[Value]),
        hidden: &BTreeSet<String>,
    ) -> Option<ListNode> {
        if natural_key(key).is_none() && !SETS.contains(&key) {
            return None;
        }
        let natural = natural_key(key).map(|name| self.dialect.key(key, name));
        let name = |item: &Value| match &natural {
            Some(natural) => item
                .as_object()?
                .get(natural.as_ref())
                .and_then(scalar_text),
            None => scalar_text(item),
        };
        let named = |items: &[Value], wanted: &str| -> Vec<Value> {
            let items = items.iter();
            let items = items.filter(|item| name(item).as_deref() == Some(wanted));
            items.cloned().collect()
        };
        let mut node = ListNode {
            empty: was_there && old.is_empty(),
            ..ListNode::default()
        };
        for item in new {
            let Some(found) = name(item) else { continue };
            if named(old, &found) != named(new, &found) {
                let now = match hidden.contains(&found) {
                    true => String::new(),
                    false => self.now(key, item),
                };
                node.now.insert(found, now);
            }
        }
        // Of a set nothing ever goes away.
        for (index, item) in old.iter().enumerate().filter(|_| natural.is_some()) {
            let Some(found) = name(item) else { continue };
            if named(old, &found) != named(new, &found) {
                let held = match hidden.contains(&found) || !self.can_be_held(item) {
                    true => Value::String(found),
                    false => self.dialect.canonical(key, item),
                };
                node.back.push((index, held));
            }
        }
        Some(node)
    }

    /// Whether a node leads back to what was there, or says that it does not.
    fn holds(
        &self,
        canonical: &str,
        key: &str,
        node: &Node,
        old: Option<&Value>,
        new: Option<&Value>,
    ) -> bool {
        if is_lost(node) {
            return true;
        }
        let mut map = Map::new();
        if let Some(new) = new {
            map.insert(key.to_owned(), new.clone());
        }
        let mut edits = Vec::new();
        undo(
            self.dialect,
            &mut vec![canonical.to_owned()],
            node,
            &mut edits,
        );
        let edits: Vec<&Edit> = edits.iter().collect();
        let place = Where {
            dialect: self.dialect,
            given: &Assignment::new(),
        };
        edit::apply(&mut map, &edits, place).is_ok() && map.get(key) == old
    }
}

/// The natural key of a list's entries.
pub(super) fn natural_key(list: &str) -> Option<&'static str> {
    let mut keys = NATURAL_KEYS.iter();
    keys.find_map(|(known, key)| (*known == list).then_some(*key))
}

/// Whether a value says nothing: an object or a list of such values, or without any.
pub(super) fn is_hollow(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().all(is_hollow),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The words that were put in front of a list, where they are texts.
fn words_before(old: &Value, new: &Value) -> Option<Vec<Value>> {
    let words = match (old, new) {
        (Value::Array(old), Value::Array(new)) if !old.is_empty() => {
            new.strip_suffix(old.as_slice())?
        }
        (Value::Array(_), _) => return None,
        (_, composed) => uncomposed(composed)?.0,
    };
    let fits = !words.is_empty()
        && words.iter().all(Value::is_string)
        && behind(new, words).as_ref() == Some(old);
    fits.then(|| words.to_vec())
}

fn holds_function(value: &Value) -> bool {
    match value {
        _ if function(value).is_some() => true,
        Value::Array(items) => items.iter().any(holds_function),
        Value::Object(map) => map.values().any(holds_function),
        _ => false,
    }
}

/// Whether something of a place cannot be put back.
pub(super) fn is_lost(node: &Node) -> bool {
    match node {
        Node::Lost(_) => true,
        Node::List(list) => list.back.iter().any(|(_, item)| item.is_string()),
        Node::In(nodes) => nodes.values().any(is_lost),
        _ => false,
    }
}

/// The edits that put back what a node holds.
pub(super) fn undo(dialect: Dialect, path: &mut Vec<String>, node: &Node, edits: &mut Vec<Edit>) {
    let key = path.last().cloned().unwrap_or_default();
    match node {
        Node::Absent(_) | Node::Lost(_) => edits.push(Edit::Remove(path.clone())),
        Node::Was(value, _) => edits.push(Edit::Set(path.clone(), dialect.spell(&key, value))),
        Node::Behind(words) => edits.push(Edit::Strip(path.clone(), words.clone())),
        Node::List(list) => {
            let natural = natural_key(&key).map(str::to_owned);
            let name = |item: &Value| match &natural {
                Some(natural) => item.get(natural).and_then(scalar_text),
                None => scalar_text(item),
            };
            let held = list.back.iter().filter(|(_, item)| !item.is_string());
            let mut names: BTreeSet<String> = list.now.keys().cloned().collect();
            names.extend(held.clone().filter_map(|(_, item)| name(item)));
            let back = held.map(|(index, item)| (*index, dialect.spell(&key, item)));
            let restored = Restored {
                names: names.into_iter().collect(),
                back: back.collect(),
                empty: list.empty,
                key: natural,
            };
            edits.push(Edit::Restore(path.clone(), restored));
        }
        Node::In(nodes) => {
            for (key, node) in nodes {
                path.push(key.clone());
                undo(dialect, path, node, edits);
                path.pop();
            }
        }
    }
}

/// Adds what a later turn of the same recipe did: what was there is what was there before the first.
pub(super) fn merge(known: &mut Nodes, later: Nodes) {
    for (key, later) in later {
        match (known.get_mut(&key), later) {
            (None, later) => {
                known.insert(key, later);
            }
            (Some(Node::In(known)), Node::In(later)) => merge(known, later),
            (Some(Node::List(known)), Node::List(later)) => {
                let natural = natural_key(&key);
                let there: BTreeSet<String> = known.now.keys().cloned().collect();
                let is_new = |item: &Value| match item.as_str() {
                    Some(name) => !there.contains(name),
                    None => natural
                        .and_then(|natural| item.get(natural).and_then(scalar_text))
                        .is_none_or(|name| !there.contains(&name)),
                };
                let back = later.back.into_iter();
                known.back.extend(back.filter(|(_, item)| is_new(item)));
                known.now.extend(later.now);
            }
            (
                Some(Node::Absent(now) | Node::Was(_, now) | Node::Lost(now)),
                Node::Absent(new) | Node::Was(_, new) | Node::Lost(new),
            ) => *now = new,
            _ => {}
        }
    }
}
