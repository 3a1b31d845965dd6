//! Edits in flow notation, where brackets and commas make the structure: all of JSON, and parts of YAML.

use serde_json::Value;

use super::draft::{Draft, Gap, Spot};
use super::tree::{Kind, NodeId};

impl<'t> Draft<'_, 't> {
    /// Replaces a node in a flow collection, anchor and tag included.
    pub(super) fn replace_in_flow(&mut self, spot: Spot<'t>, new: &Value, without_colon: bool) {
        let (start, end) = (self.tree.full_start(spot.node), self.tree.end(spot.node));
        let mut text = String::new();
        if self.text.slice(start, end).is_empty() {
            text.push_str(if without_colon { ": " } else { " " });
        }
        let indent = Some(self.text.line_indent(start)).filter(|_| spot.layout.lines);
        self.style.flow(&mut text, new, spot.layout, indent);
        self.edit(start, end, text, spot.depth);
    }

    /// Removes and adds entries of a flow collection that is not empty.
    pub(super) fn flow_gap(&mut self, spot: Spot<'t>, entries: &[(NodeId, NodeId)], gap: &Gap<'_>) {
        let layout = self.inside(spot);
        let start = |index| self.entry_start(spot, entries, index);
        let reference = start(gap.at.min(entries.len().saturating_sub(1)));
        let indent = Some(self.text.line_indent(reference)).filter(|_| layout.lines);
        let separator = match indent {
            Some(indent) => format!(",{}{indent}", self.style.line_break),
            None => self.comma(entries),
        };
        let mut added = vec![];
        for entry in &gap.added {
            let mut text = String::new();
            self.style
                .entry(&mut text, entry.key, entry.value, layout, indent);
            added.push(text);
        }
        let added = added.join(&separator);
        match (gap.removed, gap.added.is_empty()) {
            (0, _) if gap.at >= entries.len() => {
                self.append_in_flow(
                    spot,
                    self.entry_end(entries, gap.at - 1),
                    &added,
                    &separator,
                );
            }
            (0, _) => self.edit(
                start(gap.at),
                start(gap.at),
                format!("{added}{separator}"),
                spot.depth,
            ),
            (removed, false) => {
                self.edit(
                    start(gap.at),
                    self.entry_end(entries, gap.at + removed - 1),
                    added,
                    spot.depth,
                );
            }
            (removed, true) if gap.at + removed < entries.len() => {
                self.edit(start(gap.at), start(gap.at + removed), "", spot.depth);
            }
            (removed, true) => {
                let before = gap
                    .at
                    .checked_sub(1)
                    .map_or(start(gap.at), |before| self.entry_end(entries, before));
                self.edit(
                    before,
                    self.entry_end(entries, gap.at + removed - 1),
                    "",
                    spot.depth,
                );
            }
        }
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
