//! How a document is written, so that what is added looks like its neighbours.

use std::collections::BTreeMap;

use super::Format;
use super::text::Text;
use super::tree::{Kind, NodeId, Tree};

/// What holds for the whole document.
#[derive(Clone, Debug)]
pub(super) struct Style<'t> {
    /// The line break.
    pub(super) line_break: &'static str,
    /// Whether functions are written in their short form.
    pub(super) short_forms: bool,
    /// Whether lists of scalars are written in one line.
    pub(super) lists_in_line: bool,
    /// What stands between key and value, and between entries, in one line.
    pub(super) colon: &'t str,
    pub(super) comma: &'t str,
}

/// What holds at one place of the document: of the nearest example, else of the whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout<'t> {
    /// How much deeper the members of a block mapping stand than those of the mapping that holds it.
    pub(super) unit: usize,
    /// How much deeper dashes stand than the key above them.
    pub(super) offset: usize,
    /// The spaces after a dash.
    pub(super) gap: usize,
    /// The step of indentation in flow collections of several lines.
    pub(super) flow_unit: &'t str,
    /// Whether a flow collection has a line for each entry.
    pub(super) lines: bool,
    /// Whether keys stand in quotes.
    pub(super) quoted_keys: bool,
}

const SPACES: &str = "                ";

/// Finds out how a document is written.
pub(super) fn style_of<'t>(text: Text<'t>, tree: &Tree, format: Format) -> (Style<'t>, Layout<'t>) {
    let json = format == Format::Json;
    let style = Style {
        line_break: line_break_of(text),
        short_forms: tree
            .properties
            .values()
            .any(|properties| properties.function.is_some()),
        lists_in_line: lists_in_line(text, tree),
        colon: colon_of(text, tree, json),
        comma: ", ",
    };
    let comma = if json && !style.colon.ends_with(' ') {
        ","
    } else {
        ", "
    };
    let style = Style { comma, ..style };
    let mut layout = Layout {
        unit: 2,
        offset: 2,
        gap: 1,
        flow_unit: SPACES.get(..2).unwrap_or_default(),
        lines: false,
        quoted_keys: json,
    };
    if !json {
        layout = most_common(text, tree, layout);
        layout.flow_unit = SPACES.get(..layout.unit).unwrap_or(layout.flow_unit);
    }
    (style, layout)
}

fn line_break_of(text: Text<'_>) -> &'static str {
    let end = text.line_end(0);
    match (text.byte(end), text.byte(end + 1)) {
        (Some(b'\r'), Some(b'\n')) => "\r\n",
        (Some(b'\r'), _) => "\r",
        _ => "\n",
    }
}

/// What stands between the first key of a JSON document and its value.
fn colon_of<'t>(text: Text<'t>, tree: &Tree, json: bool) -> &'t str {
    if !json || tree.nodes.len() < 3 || tree.kind(0) != Kind::FlowMapping {
        return ": ";
    }
    let between = text.slice(tree.end(1), tree.start(2));
    if between.trim_matches(' ') == ":" {
        between
    } else {
        ": "
    }
}

/// Whether most lists that hold only scalars stand in one line.
fn lists_in_line(text: Text<'_>, tree: &Tree) -> bool {
    let mut votes = 0_i64;
    for (id, node) in (0..).zip(&tree.nodes) {
        let simple = |child| tree.kind(child).is_scalar() && tree.kind(child) != Kind::BlockScalar;
        if !node.kind.is_sequence() || node.next == id + 1 || !tree.children(id).all(simple) {
            continue;
        }
        let in_line =
            node.kind == Kind::FlowSequence && !text.breaks_between(tree.start(id), tree.end(id));
        votes += if in_line { 1 } else { -1 };
    }
    votes > 0
}

/// The indentation that the document uses most.
fn most_common<'t>(text: Text<'t>, tree: &Tree, layout: Layout<'t>) -> Layout<'t> {
    let (mut units, mut offsets, mut gaps) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (id, node) in (0..).zip(&tree.nodes) {
        let found = inside(text, tree, id, layout);
        match node.kind {
            Kind::BlockMapping => {
                let has = |kind| tree.children(id).any(|child| tree.kind(child) == kind);
                *units.entry(found.unit).or_insert(0) += usize::from(has(Kind::BlockMapping));
                *offsets.entry(found.offset).or_insert(0) += usize::from(has(Kind::BlockSequence));
            }
            Kind::BlockSequence => *gaps.entry(found.gap).or_insert(0) += 1,
            _ => {}
        }
    }
    let most = |votes: &BTreeMap<usize, usize>, default| {
        votes
            .iter()
            .filter(|(_, count)| **count > 0)
            .max_by_key(|(_, count)| **count)
            .map_or(default, |(value, _)| *value)
    };
    let unit = most(&units, layout.unit);
    Layout {
        unit,
        offset: most(&offsets, unit),
        gap: most(&gaps, layout.gap),
        ..layout
    }
}

/// The layout of what is written as an entry of this collection.
pub(super) fn inside<'t>(text: Text<'t>, tree: &Tree, id: NodeId, outer: Layout<'t>) -> Layout<'t> {
    let mut layout = outer;
    let first = id + 1;
    if first >= tree.next(id) {
        return layout;
    }
    if tree.kind(id).is_mapping() {
        layout.quoted_keys = tree.kind(first) == Kind::Quoted;
    }
    match tree.kind(id) {
        Kind::BlockMapping => {
            let column = text.column(tree.full_start(first));
            let find = |kind| {
                tree.children(id)
                    .skip(1)
                    .step_by(2)
                    .find(|child| tree.kind(*child) == kind)
            };
            let deeper = |child: NodeId| text.column(tree.start(child)).checked_sub(column);
            layout.unit = find(Kind::BlockMapping)
                .and_then(deeper)
                .filter(|unit| *unit > 0)
                .unwrap_or(outer.unit);
            layout.offset = find(Kind::BlockSequence)
                .and_then(deeper)
                .unwrap_or(outer.offset);
        }
        Kind::BlockSequence => {
            let (dash, item) = (tree.start(id), tree.full_start(first));
            if !text.breaks_between(dash, item) && item > dash + 1 {
                layout.gap = item - dash - 1;
            }
        }
        Kind::FlowMapping | Kind::FlowSequence => {
            let (start, first) = (tree.start(id), tree.full_start(first));
            layout.lines = text.breaks_between(start, first);
            if layout.lines {
                let deeper = text
                    .line_indent(first)
                    .strip_prefix(text.line_indent(start));
                layout.flow_unit = deeper
                    .filter(|unit| !unit.is_empty())
                    .unwrap_or(outer.flow_unit);
            }
        }
        _ => {}
    }
    layout
}
