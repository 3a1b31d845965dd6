//! Where the parts of a document stand: one flat list, small enough for large documents.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Step;
use super::text::Text;

/// The index of a node in its tree. A node's children follow it, then its next sibling.
pub(super) type NodeId = u32;

/// How a part of the text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing is written where YAML reads a null.
    Absent,
    /// Without quotes; in JSON a number, a boolean or null.
    Plain,
    /// In single or double quotes.
    Quoted,
    /// YAML's literal or folded text.
    BlockScalar,
    BlockSequence,
    BlockMapping,
    FlowSequence,
    FlowMapping,
    /// `*name`.
    Alias,
}

impl Kind {
    pub(super) fn is_mapping(self) -> bool {
        matches!(self, Kind::BlockMapping | Kind::FlowMapping)
    }

    pub(super) fn is_sequence(self) -> bool {
        matches!(self, Kind::BlockSequence | Kind::FlowSequence)
    }

    pub(super) fn is_block_collection(self) -> bool {
        matches!(self, Kind::BlockMapping | Kind::BlockSequence)
    }

    pub(super) fn is_flow_collection(self) -> bool {
        matches!(self, Kind::FlowMapping | Kind::FlowSequence)
    }

    pub(super) fn is_collection(self) -> bool {
        self.is_block_collection() || self.is_flow_collection()
    }

    pub(super) fn is_scalar(self) -> bool {
        matches!(
            self,
            Kind::Absent | Kind::Plain | Kind::Quoted | Kind::BlockScalar
        )
    }
}

/// A part of the text. The span covers neither anchor nor tag; a block scalar's starts with its header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) start: u32,
    pub(super) end: u32,
    /// The first node after this one's children.
    pub(super) next: NodeId,
    pub(super) kind: Kind,
}

/// What may stand before a node in YAML.
#[derive(Clone, Debug, Default)]
pub(super) struct Properties {
    /// Where the first of them starts.
    pub(super) start: u32,
    /// Where the last of them ends.
    pub(super) end: u32,
    /// The key of the function that a short form stands for.
    pub(super) function: Option<String>,
    /// The name of the anchor.
    pub(super) anchor: Option<String>,
}

/// The nodes of a document in the order of the text. A mapping's children are key, value, key, value.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) properties: BTreeMap<NodeId, Properties>,
    /// The anchored node that an alias stands for.
    pub(super) aliases: BTreeMap<NodeId, NodeId>,
}

impl Tree {
    /// Adds a node without children.
    pub(super) fn push(&mut self, kind: Kind, start: usize, end: usize) -> NodeId {
        let id = self.nodes.len() as NodeId;
        self.nodes.push(Node {
            start: start as u32,
            end: end as u32,
            next: id + 1,
            kind,
        });
        id
    }

    /// Ends a collection at `end`, after its children.
    pub(super) fn close(&mut self, id: NodeId, end: usize) {
        let next = self.nodes.len() as NodeId;
        if let Some(node) = self.nodes.get_mut(id as usize) {
            node.next = next;
            node.end = end as u32;
        }
    }

    pub(super) fn kind(&self, id: NodeId) -> Kind {
        self.nodes
            .get(id as usize)
            .map_or(Kind::Absent, |node| node.kind)
    }

    pub(super) fn start(&self, id: NodeId) -> usize {
        self.nodes
            .get(id as usize)
            .map_or(0, |node| node.start as usize)
    }

    pub(super) fn end(&self, id: NodeId) -> usize {
        self.nodes
            .get(id as usize)
            .map_or(0, |node| node.end as usize)
    }

    pub(super) fn next(&self, id: NodeId) -> NodeId {
        self.nodes.get(id as usize).map_or(id + 1, |node| node.next)
    }

    /// Where the node starts, anchor and tag included.
    pub(super) fn full_start(&self, id: NodeId) -> usize {
        self.properties
            .get(&id)
            .map_or_else(|| self.start(id), |properties| properties.start as usize)
    }

    /// The key of the function that the node's short form stands for.
    pub(super) fn function(&self, id: NodeId) -> Option<&str> {
        self.properties.get(&id)?.function.as_deref()
    }

    /// The direct children: items, or keys and values in turn.
    pub(super) fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let end = self.next(id);
        std::iter::successors(Some(id + 1), move |child| Some(self.next(*child)))
            .take_while(move |child| *child < end)
    }

    /// The items of a sequence, or the members of a mapping as key and value; an item is its own key.
    pub(super) fn entries(&self, id: NodeId) -> Vec<(NodeId, NodeId)> {
        let children: Vec<NodeId> = self.children(id).collect();
        if self.kind(id).is_mapping() {
            return children
                .chunks_exact(2)
                .filter_map(|pair| Some((*pair.first()?, *pair.last()?)))
                .collect();
        }
        children.into_iter().map(|child| (child, child)).collect()
    }

    /// The offset at which a person would look for the value at `path`.
    pub(super) fn locate(&self, text: Text<'_>, value: &Value, path: &[Step]) -> Option<usize> {
        let (mut node, mut value, mut inner) = (0, value, false);
        let mut offset = self.full_start(0);
        for step in path {
            let (child, index) = match (step, value) {
                (Step::Key(key), Value::Object(map)) => {
                    (map.get(key)?, map.keys().position(|other| other == key)?)
                }
                (Step::Index(index), Value::Array(list)) => (list.get(*index)?, *index),
                _ => return None,
            };
            value = child;
            if self.function(node).is_some() && !inner {
                inner = true;
                continue;
            }
            let entry = match self.kind(node) {
                kind if kind.is_mapping() => self
                    .children(node)
                    .step_by(2)
                    .nth(index)
                    .map(|key| (key, self.next(key))),
                kind if kind.is_sequence() => {
                    self.children(node).nth(index).map(|item| (item, item))
                }
                // Inside of an alias or of `!GetAtt a.b`: the node itself is the best that can be shown.
                _ => continue,
            };
            let (key, child) = entry?;
            (offset, node, inner) = (self.full_start(key), child, false);
        }
        Some(offset.min(text.len()))
    }
}
