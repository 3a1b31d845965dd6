//! Edits in block notation, where lines and their indentation make the structure.

use serde_json::Value;

use super::draft::{Added, Draft, Gap};
use super::spot::{Collection, Place, Spot};
use super::tree::{Kind, NodeId};

impl<'t> Draft<'_, 't> {
    /// Replaces a node, anchor and tag included.
    pub(super) fn replace(&mut self, spot: Spot<'t>, new: &Value) {
        self.remove_nodes(spot.node, self.tree.next(spot.node));
        let (start, end) = (self.tree.full_start(spot.node), self.tree.end(spot.node));
        let line = self.style.is_line(new);
        match spot.place {
            Place::Flow { without_colon } => self.replace_in_flow(spot, new, without_colon),
            Place::Root => {
                let indent = self.text.line_indent(start).len();
                let column = if indent == self.text.column(start) {
                    indent
                } else {
                    0
                };
                let mut text = String::new();
                self.style.item_content(&mut text, new, column, spot.layout);
                self.edit(start, end, text, spot.depth);
            }
            Place::Member { after, .. } | Place::Item { after, .. } => {
                if self.text.breaks_between(after, self.tree.start(spot.node)) {
                    self.replace_below(spot, new, after);
                } else if self.tree.kind(spot.node) == Kind::BlockScalar {
                    let header = self.header_end(spot.node);
                    let rest = self.text.line_end(header);
                    self.edit(after, header, self.first_line(new, true), spot.depth);
                    self.edit(rest, end, self.lines(spot, new), spot.depth);
                } else if line {
                    let text = self.style.line(new, spot.layout);
                    let absent = self.text.slice(start, end).is_empty();
                    self.edit(
                        start,
                        end,
                        if absent { format!(" {text}") } else { text },
                        spot.depth,
                    );
                } else {
                    self.replace_by_lines(spot, new, after);
                }
            }
        }
    }

    /// Replaces a node whose content starts in a line below its key or dash: a comment after the key stays.
    fn replace_below(&mut self, spot: Spot<'t>, new: &Value, after: usize) {
        let properties = self.tree.properties.get(&spot.node);
        let head = properties.map_or(after, |properties| properties.end as usize);
        if self.text.breaks_between(after, head) {
            let text = self.first_line(new, true) + &self.lines(spot, new);
            self.edit(after, self.tree.end(spot.node), text, spot.depth);
            return;
        }
        self.edit(after, head, self.first_line(new, true), spot.depth);
        self.edit(
            self.text.line_end(head),
            self.tree.end(spot.node),
            self.lines(spot, new),
            spot.depth,
        );
    }

    /// Replaces a node that starts in the line of its key or dash by something of several lines.
    fn replace_by_lines(&mut self, spot: Spot<'t>, new: &Value, after: usize) {
        let (start, end) = (self.tree.full_start(spot.node), self.tree.end(spot.node));
        let comment = self.text.byte(self.text.skip_spaces_in_line(end)) == Some(b'#');
        if comment && !self.text.breaks_between(start, end) {
            self.edit(after, end, self.first_line(new, true), spot.depth);
            let rest = self.text.line_end(end);
            self.edit(rest, rest, self.lines(spot, new), spot.depth);
        } else if let Place::Item { column, .. } = spot.place {
            let mut text = String::new();
            let start = if start == end { after } else { start };
            let gap = if start == after { spot.layout.gap } else { 0 };
            text.push_str(&" ".repeat(gap));
            let content = if gap > 0 {
                column + 1 + gap
            } else {
                self.text.column(start)
            };
            self.style
                .item_content(&mut text, new, content, spot.layout);
            self.edit(start, end, text, spot.depth);
        } else {
            self.edit(
                after,
                end,
                self.first_line(new, true) + &self.lines(spot, new),
                spot.depth,
            );
        }
    }

    /// What stands of a new value in the line of its key or dash.
    fn first_line(&self, new: &Value, space: bool) -> String {
        let space = if space { " " } else { "" };
        if self.style.is_line(new) {
            return format!("{space}{}", self.style.line(new, self.layout));
        }
        self.style
            .tag(new)
            .map_or_else(String::new, |tag| format!("{space}{tag}"))
    }

    /// What stands of a new value in the lines below.
    fn lines(&self, spot: Spot<'t>, new: &Value) -> String {
        let mut text = String::new();
        if self.style.is_line(new) {
            return text;
        }
        let column = match spot.place {
            Place::Member { column, .. } => column + self.style.deeper(new, spot.layout),
            Place::Item { column, .. } => column + 1 + spot.layout.gap,
            Place::Root | Place::Flow { .. } => 0,
        };
        self.style.block_lines(&mut text, new, column, spot.layout);
        text
    }

    /// Replaces the scalar after a short form's tag; the tag stays.
    pub(super) fn replace_after_tag(&mut self, spot: Spot<'t>, text: &str) {
        let (start, end) = (self.tree.start(spot.node), self.tree.end(spot.node));
        match self.tree.kind(spot.node) {
            Kind::Absent => self.edit(end, end, format!(" {text}"), spot.depth),
            Kind::BlockScalar => {
                let header = self.header_end(spot.node);
                self.edit(start, header, text, spot.depth);
                self.edit(self.text.line_end(header), end, "", spot.depth);
            }
            _ => self.edit(start, end, text, spot.depth),
        }
    }

    /// Removes and adds entries of a block collection.
    pub(super) fn block_gap(&mut self, collection: &Collection<'t>, gap: &Gap<'_>) {
        let Collection {
            spot,
            entries,
            layout,
            column,
            ..
        } = collection;
        let (layout, column) = (*layout, *column);
        let separator = format!("{}{}", self.style.line_break, " ".repeat(column));
        let added: Vec<String> = gap
            .added
            .iter()
            .map(|added| self.block_entry(added, column, layout))
            .collect();
        let added = added.join(&separator);
        let start = self.entry_start(collection, gap.at);
        match (gap.removed, gap.added.is_empty()) {
            (0, _) => self.insert_in_block(collection, gap.at, &added, &separator),
            (removed, false) => {
                self.edit(
                    start,
                    self.entry_end(collection, gap.at + removed - 1),
                    added,
                    spot.depth,
                );
            }
            (removed, true) => {
                let end = self
                    .text
                    .line_end(self.entry_end(collection, gap.at + removed - 1));
                let before = gap.at.checked_sub(1).and_then(|before| entries.get(before));
                // Blank lines after a text with `|+` would become part of it.
                let keeps = before.is_some_and(|(_, value)| self.keeps_blank_lines(*value));
                let next = self.text.line_start(self.text.skip_space(end));
                let end = self
                    .text
                    .end_of_line_before(next)
                    .filter(|blank| keeps && *blank > end)
                    .unwrap_or(end);
                self.remove_lines(start, end, spot.depth);
            }
        }
    }

    fn block_entry(
        &self,
        added: &Added<'_>,
        column: usize,
        layout: super::style::Layout<'t>,
    ) -> String {
        let mut text = String::new();
        match added.key {
            Some(key) => self
                .style
                .block_member(&mut text, key, added.value, column, layout),
            None => self
                .style
                .block_item(&mut text, added.value, column, layout),
        }
        text
    }

    fn insert_in_block(
        &mut self,
        collection: &Collection<'t>,
        at: usize,
        added: &str,
        separator: &str,
    ) {
        let spot = collection.spot;
        // After the line of the entry before: comments above the next entry stay there.
        if let Some(before) = at.checked_sub(1) {
            let end = self.text.line_end(self.entry_end(collection, before));
            self.edit(end, end, format!("{separator}{added}"), spot.depth);
            return;
        }
        let start = self.entry_start(collection, 0);
        let after = match spot.place {
            Place::Member { after, .. } | Place::Item { after, .. } => after,
            Place::Root | Place::Flow { .. } => start,
        };
        let properties = self
            .tree
            .properties
            .get(&spot.node)
            .map_or(0, |properties| properties.end as usize);
        let head = after.max(properties);
        if self.text.breaks_between(head, start) {
            let end = self.text.line_end(head);
            self.edit(end, end, format!("{separator}{added}"), spot.depth);
        } else {
            self.edit(start, start, format!("{added}{separator}"), spot.depth);
        }
    }

    /// Whether a node ends with a block scalar to which the blank lines after it belong.
    fn keeps_blank_lines(&self, node: NodeId) -> bool {
        let mut last = node;
        while let Some(child) = self.tree.children(last).last() {
            last = child;
        }
        self.tree.kind(last) == Kind::BlockScalar
            && self
                .text
                .slice(self.tree.start(last), self.header_end(last))
                .contains('+')
    }

    /// Removes the lines of entries up to the end of a line, with the comments at the ends of these lines.
    fn remove_lines(&mut self, start: usize, last_line_end: usize, depth: usize) {
        let line_start = self.text.line_start(start);
        let alone = self.text.skip_spaces_in_line(line_start) == start;
        match (alone, self.text.end_of_line_before(line_start)) {
            (true, Some(before)) => self.edit(before, last_line_end, "", depth),
            // The entry shares its line with the dash or the key of what holds it: the next one takes its place.
            _ => self.edit(start, self.text.skip_space(last_line_end), "", depth),
        }
    }
}
