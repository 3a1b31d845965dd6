//! Edits in flow notation, where brackets and commas make the structure: all of JSON, and parts of YAML.

use serde_json::Value;

use super::draft::{Draft, Gap};
use super::spot::{Collection, Spot};
use super::tree::{Kind, NodeId};

impl<'t> Draft<'_, 't> {
    /// Replaces a node in a flow collection, anchor and tag included.
    pub(super) fn replace_in_flow(&mut self, spot: Spot<'t>, new: &Value, without_colon: bool) {
        let (start, end) = (self.tree.full_start(spot.node), self.tree.end(spot.node));
        let mut text = String::new();
        if self.text.slice(start, end).is_empty() {
            text.push_str(if without_colon { ": " } else { " " });
        }
        let indent = spot.layout.lines.then(|| self.text.line_indent(start));
        self.style.flow(&mut text, new, spot.layout, indent);
        self.edit(start, end, text, spot.depth);
    }

    /// Removes and adds entries of a flow collection that is not empty.
    pub(super) fn flow_gap(&mut self, collection: &Collection<'t>, gap: &Gap<'_>) {
        let Collection {
            spot,
            entries,
            layout,
            ..
        } = collection;
        let reference = self.entry_start(collection, gap.at.min(entries.len().saturating_sub(1)));
        let indent = layout.lines.then(|| self.text.line_indent(reference));
        let separator = match indent {
            Some(indent) => format!(",{}{indent}", self.style.line_break),
            None => self.comma(entries),
        };
        let inner = indent.filter(|_| !self.items_stand_in_a_line(collection));
        let mut added = String::new();
        for (index, entry) in gap.added.iter().enumerate() {
            added.push_str(if index > 0 { &separator } else { "" });
            self.style
                .entry(&mut added, entry.key, entry.value, *layout, inner);
        }
        let start = self.entry_start(collection, gap.at);
        match gap
            .removed
            .checked_sub(1)
            .map(|last| self.entry_end(collection, gap.at + last))
        {
            None if gap.at >= entries.len() => {
                let end = self.entry_end(collection, gap.at.saturating_sub(1));
                self.append_in_flow(*spot, end, &added, &separator);
            }
            None => self.edit(start, start, added + &separator, spot.depth),
            Some(end) if !added.is_empty() => self.edit(start, end, added, spot.depth),
            Some(end) => {
                // The comma goes too: the one after, or, at the end, the one before.
                let next = gap.at + gap.removed;
                let (start, end) = match gap.at.checked_sub(1) {
                    _ if next < entries.len() => (start, self.entry_start(collection, next)),
                    Some(before) => (self.entry_end(collection, before), end),
                    None => (start, end),
                };
                self.edit(start, end, "", spot.depth);
            }
        }
    }

    /// Whether every item of a list is a collection that is not empty and is written in one line.
    fn items_stand_in_a_line(&self, collection: &Collection<'t>) -> bool {
        let in_line = |&(_, item): &(NodeId, NodeId)| {
            self.tree.kind(item).is_flow_collection()
                && self.tree.next(item) > item + 1
                && !self
                    .text
                    .breaks_between(self.tree.start(item), self.tree.end(item))
        };
        collection.kind == Kind::FlowSequence && collection.entries.iter().all(in_line)
    }

    /// What stands between two entries of a collection in one line.
    fn comma(&self, entries: &[(NodeId, NodeId)]) -> String {
        if let [(_, first), (second, _), ..] = entries {
            let between = self
                .text
                .slice(self.tree.end(*first), self.tree.full_start(*second));
            if between.trim_matches(' ') == "," {
                return between.to_owned();
            }
        }
        self.style.comma.to_owned()
    }

    /// Adds entries after the last one, which ends at `end`. In YAML a comma may follow it, and comments.
    fn append_in_flow(&mut self, spot: Spot<'t>, end: usize, added: &str, separator: &str) {
        let next = self.text.skip_blank(end);
        let trailing_comma = self.text.byte(next) == Some(b',');
        let last = if trailing_comma { next + 1 } else { end };
        let rest = self.text.skip_spaces_in_line(last);
        let space = separator.trim_start_matches([',', ' ']).to_owned();
        let at = match self.text.byte(rest) {
            // A comment in the line of the last entry stays with it.
            Some(b'#') => self.text.line_end(rest),
            _ => last,
        };
        let space = match (space.is_empty(), at == last) {
            (false, _) => space,
            (true, true) => " ".to_owned(),
            (true, false) => format!("{}{}", self.style.line_break, self.text.line_indent(end)),
        };
        if trailing_comma {
            self.edit(at, at, format!("{space}{added},"), spot.depth);
        } else if at == last {
            self.edit(at, at, format!("{separator}{added}"), spot.depth);
        } else {
            self.edit(end, end, ",", spot.depth);
            self.edit(at, at, format!("{space}{added}"), spot.depth);
        }
    }

    /// Whether a collection can be edited inside: the parser also calls the `a: b` of `[a: b]` a mapping.
    pub(super) fn has_brackets(&self, node: NodeId) -> bool {
        let open = self.text.byte(self.tree.start(node));
        match self.tree.kind(node) {
            Kind::FlowMapping => open == Some(b'{'),
            Kind::FlowSequence => open == Some(b'['),
            _ => true,
        }
    }
}
