//! The changes of a text while they are being worked out.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::SourceError;
use super::style::{Layout, Style, inside};
use super::text::Text;
use super::tree::{Kind, NodeId, Tree};

/// The replacement of a range of the text; an empty range is an insertion.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edit {
    start: usize,
    end: usize,
    text: String,
    /// Of two insertions at one place, that of the deeper part comes first: it belongs to what ends there.
    depth: usize,
}

/// Where a value is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Root,
    /// After a key of a block mapping, whose keys stand in `column`; the colon ends at `after`.
    Member {
        column: usize,
        after: usize,
    },
    /// After a dash that stands in `column` and ends at `after`.
    Item {
        column: usize,
        after: usize,
    },
    /// In a flow collection; after a key without a colon, where nothing stands for a null.
    Flow {
        without_colon: bool,
    },
}

/// A node and what has to be known to write something else in its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot<'t> {
    pub(super) node: NodeId,
    pub(super) place: Place,
    pub(super) layout: Layout<'t>,
    pub(super) depth: usize,
}

/// An entry that is added to a collection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Added<'v> {
    /// The key, if the collection is a mapping.
    pub(super) key: Option<&'v str>,
    pub(super) value: &'v Value,
}

/// Entries that follow one another in a collection and are replaced by others; one of the two may be missing.
#[derive(Clone, Debug)]
pub(super) struct Gap<'v> {
    /// The index of the first entry that is removed, or before which others are added.
    pub(super) at: usize,
    pub(super) removed: usize,
    pub(super) added: Vec<Added<'v>>,
}

/// The changes of a text while they are being worked out.
pub(super) struct Draft<'a, 't> {
    pub(super) text: Text<'t>,
    pub(super) tree: &'a Tree,
    pub(super) style: Style<'t>,
    pub(super) layout: Layout<'t>,
    edits: Vec<Edit>,
    /// The values that anchored nodes and aliases have in the end, as far as they are still there.
    pub(super) values: BTreeMap<NodeId, Cow<'a, Value>>,
    /// The nodes whose value is another one than before.
    pub(super) changed: BTreeSet<NodeId>,
    /// The nodes that are no longer there: first, and first after them.
    gone: BTreeMap<NodeId, NodeId>,
}

impl<'a, 't> Draft<'a, 't> {
    pub(super) fn new(
        text: Text<'t>,
        tree: &'a Tree,
        style: Style<'t>,
        layout: Layout<'t>,
    ) -> Self {
        let (edits, values, changed, gone) =
            (vec![], BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        Draft {
            text,
            tree,
            style,
            layout,
            edits,
            values,
            changed,
            gone,
        }
    }

    pub(super) fn edit(&mut self, start: usize, end: usize, text: impl Into<String>, depth: usize) {
        let text = text.into();
        if start < end || !text.is_empty() {
            self.edits.push(Edit {
                start,
                end,
                text,
                depth,
            });
        }
    }

    /// Notes that the nodes from `first` up to `next` are no longer there.
    pub(super) fn remove_nodes(&mut self, first: NodeId, next: NodeId) {
        self.gone.insert(first, next);
    }

    pub(super) fn is_gone(&self, id: NodeId) -> bool {
        self.gone
            .range(..=id)
            .next_back()
            .is_some_and(|(_, next)| id < *next)
    }

    pub(super) fn root(&self) -> Spot<'t> {
        let place = if self.tree.kind(0).is_flow_collection() {
            Place::Flow {
                without_colon: false,
            }
        } else {
            Place::Root
        };
        Spot {
            node: 0,
            place,
            layout: self.layout,
            depth: 0,
        }
    }

    /// The layout of what is written as an entry of the spot's collection.
    pub(super) fn inside(&self, spot: Spot<'t>) -> Layout<'t> {
        inside(self.text, self.tree, spot.node, spot.layout)
    }

    /// Where an entry of a collection starts: its dash, or its key.
    pub(super) fn entry_start(
        &self,
        spot: Spot<'t>,
        entries: &[(NodeId, NodeId)],
        index: usize,
    ) -> usize {
        if self.tree.kind(spot.node) != Kind::BlockSequence {
            return entries
                .get(index)
                .map_or(0, |(key, _)| self.tree.full_start(*key));
        }
        match index.checked_sub(1).and_then(|before| entries.get(before)) {
            Some((_, before)) => self.text.skip_blank(self.tree.end(*before)),
            None => self.tree.start(spot.node),
        }
    }

    /// Where an entry of a collection ends.
    pub(super) fn entry_end(&self, entries: &[(NodeId, NodeId)], index: usize) -> usize {
        entries
            .get(index)
            .map_or(0, |(_, value)| self.tree.end(*value))
    }

    /// The column of the keys or dashes of a block collection.
    pub(super) fn column(&self, spot: Spot<'t>) -> usize {
        let first = if self.tree.kind(spot.node).is_mapping() {
            self.tree.full_start(spot.node + 1)
        } else {
            self.tree.start(spot.node)
        };
        self.text.column(first)
    }

    /// The spot of an entry's value.
    pub(super) fn child(
        &self,
        spot: Spot<'t>,
        entries: &[(NodeId, NodeId)],
        index: usize,
    ) -> Spot<'t> {
        let (key, node) = entries
            .get(index)
            .copied()
            .unwrap_or((spot.node, spot.node));
        let colon = self.text.skip_blank(self.tree.end(key));
        let after_colon = if self.text.byte(colon) == Some(b':') {
            Some(colon + 1)
        } else {
            None
        };
        let kind = self.tree.kind(spot.node);
        let mut layout = self.inside(spot);
        let place = match kind {
            Kind::BlockMapping => {
                let column = self.column(spot);
                let deeper = self.text.column(self.tree.start(node)).checked_sub(column);
                match self.tree.kind(node) {
                    Kind::BlockMapping => {
                        layout.unit = deeper.filter(|unit| *unit > 0).unwrap_or(layout.unit)
                    }
                    Kind::BlockSequence => layout.offset = deeper.unwrap_or(layout.offset),
                    _ => {}
                }
                Place::Member {
                    column,
                    after: after_colon.unwrap_or_else(|| self.tree.end(key)),
                }
            }
            Kind::BlockSequence => {
                let dash = self.entry_start(spot, entries, index);
                Place::Item {
                    column: self.text.column(dash),
                    after: dash + 1,
                }
            }
            kind => Place::Flow {
                without_colon: kind.is_mapping() && after_colon.is_none(),
            },
        };
        Spot {
            node,
            place,
            layout,
            depth: spot.depth + 1,
        }
    }

    /// The spot of a node anywhere in the document.
    pub(super) fn spot_of(&self, node: NodeId) -> Option<Spot<'t>> {
        let mut spot = self.root();
        while spot.node != node {
            let entries = self.tree.entries(spot.node);
            let index = entries
                .iter()
                .position(|(_, value)| (*value..self.tree.next(*value)).contains(&node))?;
            spot = self.child(spot, &entries, index);
        }
        Some(spot)
    }

    /// The text with all edits.
    pub(super) fn into_text(mut self) -> Result<String, SourceError> {
        self.strip_last_block();
        self.edits
            .sort_by_key(|edit| (edit.start, edit.end > edit.start, usize::MAX - edit.depth));
        let added: usize = self.edits.iter().map(|edit| edit.text.len()).sum();
        let mut out = String::with_capacity(self.text.len() + added);
        let mut at = 0;
        for edit in &self.edits {
            if edit.start < at || edit.end > self.text.len() {
                return Err(SourceError::Disagrees);
            }
            out.push_str(self.text.slice(at, edit.start));
            out.push_str(&edit.text);
            at = edit.end;
        }
        out.push_str(self.text.slice(at, self.text.len()));
        Ok(out)
    }

    /// A block scalar at the end of a text without a last line break has none either. If lines follow it now, it says
    /// so in its header.
    fn strip_last_block(&mut self) {
        let end = self.text.len();
        let follows = self.edits.iter().any(|edit| edit.start == end);
        let Some(last) = self.tree.nodes.len().checked_sub(1) else {
            return;
        };
        let last = last as NodeId;
        let block = self.tree.kind(last) == Kind::BlockScalar && self.tree.end(last) == end;
        if !follows || !block || self.is_gone(last) {
            return;
        }
        let header = self.header_end(last);
        let written = self.text.slice(self.tree.start(last), header);
        if !written.contains('-') {
            self.edit(
                self.tree.start(last),
                header,
                format!("{}-", written.trim_end_matches('+')),
                usize::MAX,
            );
        }
    }

    /// Where the indicators of a block scalar's header end.
    pub(super) fn header_end(&self, block: NodeId) -> usize {
        let mut end = self.tree.start(block);
        while matches!(
            self.text.byte(end),
            Some(b'|' | b'>' | b'+' | b'-' | b'0'..=b'9')
        ) {
            end += 1;
        }
        end
    }
}
