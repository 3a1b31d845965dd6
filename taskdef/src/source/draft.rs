//! The changes of a text while they are being worked out.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::SourceError;
use super::style::{Layout, Style};
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
