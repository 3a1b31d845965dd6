//! The places of a document where something can be written.

use super::draft::Draft;
use super::style::{Layout, inside};
use super::tree::{Kind, NodeId};

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

/// A collection of the document, and what has to be known to write its entries.
#[derive(Clone, Debug)]
pub(super) struct Collection<'t> {
    pub(super) spot: Spot<'t>,
    pub(super) kind: Kind,
    /// Key and value of members; an item is its own key.
    pub(super) entries: Vec<(NodeId, NodeId)>,
    /// The layout of its entries.
    pub(super) layout: Layout<'t>,
    /// The column of its keys or dashes, in block notation.
    pub(super) column: usize,
}

impl<'t> Draft<'_, 't> {
    pub(super) fn root(&self) -> Spot<'t> {
        let flow = self.tree.kind(0).is_flow_collection();
        let place = if flow {
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

    /// The collection at a spot. A node that is none has no entries.
    pub(super) fn collection(&self, spot: Spot<'t>) -> Collection<'t> {
        let kind = self.tree.kind(spot.node);
        let first = match kind {
            Kind::BlockMapping => self.tree.full_start(spot.node + 1),
            _ => self.tree.start(spot.node),
        };
        Collection {
            spot,
            kind,
            entries: self.tree.entries(spot.node),
            layout: inside(self.text, self.tree, spot.node, spot.layout),
            column: if kind.is_block_collection() {
                self.text.column(first)
            } else {
                0
            },
        }
    }

    /// Where an entry of a collection starts: its dash, or its key.
    pub(super) fn entry_start(&self, collection: &Collection<'t>, index: usize) -> usize {
        if collection.kind != Kind::BlockSequence {
            return collection
                .entries
                .get(index)
                .map_or(0, |(key, _)| self.tree.full_start(*key));
        }
        match index
            .checked_sub(1)
            .and_then(|before| collection.entries.get(before))
        {
            Some((_, before)) => self.text.skip_blank(self.tree.end(*before)),
            None => self.tree.start(collection.spot.node),
        }
    }

    /// Where an entry of a collection ends.
    pub(super) fn entry_end(&self, collection: &Collection<'t>, index: usize) -> usize {
        collection
            .entries
            .get(index)
            .map_or(0, |(_, value)| self.tree.end(*value))
    }

    /// The spot of an entry's value.
    pub(super) fn child(&self, collection: &Collection<'t>, index: usize) -> Spot<'t> {
        let holder = (collection.spot.node, collection.spot.node);
        let (key, node) = collection.entries.get(index).copied().unwrap_or(holder);
        let colon = self.text.skip_blank(self.tree.end(key));
        let after_colon = if self.text.byte(colon) == Some(b':') {
            Some(colon + 1)
        } else {
            None
        };
        let mut layout = collection.layout;
        let place = match collection.kind {
            Kind::BlockMapping => {
                let column = self.text.column(self.tree.start(node));
                let deeper = column.checked_sub(collection.column);
                match self.tree.kind(node) {
                    Kind::BlockMapping => {
                        layout.unit = deeper.filter(|unit| *unit > 0).unwrap_or(layout.unit)
                    }
                    Kind::BlockSequence => layout.offset = deeper.unwrap_or(layout.offset),
                    _ => {}
                }
                let after = after_colon.unwrap_or_else(|| self.tree.end(key));
                Place::Member {
                    column: collection.column,
                    after,
                }
            }
            Kind::BlockSequence => {
                let dash = self.entry_start(collection, index);
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
            depth: collection.spot.depth + 1,
        }
    }

    /// The spots of some nodes, in order, anywhere at or below a spot; keys of members have none.
    pub(super) fn spots_of(&self, nodes: &[NodeId], spot: Spot<'t>, found: &mut Vec<Spot<'t>>) {
        if nodes.first() == Some(&spot.node) {
            return found.push(spot);
        }
        let collection = self.collection(spot);
        let mut rest = nodes;
        for (index, (_, value)) in collection.entries.iter().enumerate() {
            let before = rest.partition_point(|node| node < value);
            let inside = rest.partition_point(|node| *node < self.tree.next(*value));
            let below = rest.get(before..inside).unwrap_or_default();
            if !below.is_empty() {
                self.spots_of(below, self.child(&collection, index), found);
            }
            rest = rest.get(inside..).unwrap_or_default();
        }
    }
}
