//! Reading YAML with positions, from the events of `granit-parser`.
//!
//! The parser does not say where dashes, colons and the headers of block scalars stand, where a collection really
//! ends, or where nothing stands for a null. So `at` follows the text: from the end of the last token it goes over
//! separators and properties to the next one.

use granit_parser::{ErrorKind, Event, Parser, ScanError, Span, StrInput, Tag};
use serde_json::Value;

use super::document::{Content, Document};
use super::plain::Plain;
use super::text::Text;
use super::tree::{Kind, Tree};
use super::{MAX_DEPTH, SourceError};

/// Parses a text of one YAML document; `plain` says what scalars without quotes stand for.
pub(super) fn parse(text: Text<'_>, plain: Plain) -> Result<(Value, Tree), SourceError> {
    let options = granit_parser::options! {
        emit_anchor_events: true,
        emit_comments: false,
        emit_unresolved_aliases: true,
        simple_key_max_lookahead: 1 << 20,
        // Our own limit, which counts both together and short forms too, comes first.
        flow_nesting_limit: MAX_DEPTH + 8,
        block_nesting_limit: MAX_DEPTH + 8,
    };
    let mut parser = Parser::new_from_str_with_options(text.as_str(), options);
    let mut document = Document::new(text, plain);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| scan_error(&error))?;
        let anchor = anchor_of(&mut parser)?;
        document.take(event, &span, anchor)?;
    }
    match document.root {
        Some(value) if document.tree.kind(0) != Kind::Absent => Ok((value, document.tree)),
        _ => Err(SourceError::Empty),
    }
}

/// The anchor of a node: its number, its name and where it stands.
pub(super) struct Anchor {
    pub(super) id: usize,
    pub(super) name: String,
    pub(super) span: Span,
}

/// The anchor of the node that was just read; the parser gives it after the node.
fn anchor_of<'t>(parser: &mut Parser<'t, StrInput<'t>>) -> Result<Option<Anchor>, SourceError> {
    if !matches!(parser.peek(), Some(Ok((Event::Anchor(..), _)))) {
        return Ok(None);
    }
    match parser.next_event() {
        Some(Ok((Event::Anchor(id, name), span))) => Ok(Some(Anchor {
            id,
            name: name.into_owned(),
            span,
        })),
        Some(Err(error)) => Err(scan_error(&error)),
        _ => Ok(None),
    }
}

fn scan_error(error: &ScanError) -> SourceError {
    let (line, column) = (error.marker().line(), error.marker().col() + 1);
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => SourceError::TooDeep {
            line,
            column,
            limit: MAX_DEPTH,
        },
        _ => SourceError::Syntax {
            line,
            column,
            problem: error.info(),
        },
    }
}

/// What the tag of a node says.
pub(super) enum Meaning {
    /// No tag, or one that says what would be read without it.
    Plain,
    /// One of YAML's core tags.
    Core(String),
    /// The key of the function that a short form stands for.
    Function(String),
}

/// What stands before the content of a node.
pub(super) struct Prefix {
    pub(super) meaning: Meaning,
    pub(super) anchor: Option<(usize, String)>,
    /// Where the properties stand, if there are any.
    pub(super) range: Option<(usize, usize)>,
}

impl<'t> Document<'t> {
    /// Goes over separators and properties to the content of a node.
    pub(super) fn prefix(
        &mut self,
        span: &Span,
        tag: Option<&Tag>,
        anchor: Option<Anchor>,
    ) -> Result<Prefix, SourceError> {
        self.skip_separators();
        let spans = [anchor.as_ref().map(|anchor| anchor.span), span.tag_span()];
        let mut range: Option<(usize, usize)> = None;
        for (start, end) in spans.iter().flatten().map(range_of) {
            range = Some(range.map_or((start, end), |(first, last)| {
                (first.min(start), last.max(end))
            }));
        }
        self.at = range.map_or(self.at, |(_, end)| end);
        let meaning = tag.map_or(Ok(Meaning::Plain), |tag| self.meaning(tag, span))?;
        Ok(Prefix {
            meaning,
            anchor: anchor.map(|anchor| (anchor.id, anchor.name)),
            range,
        })
    }

    fn meaning(&self, tag: &Tag, span: &Span) -> Result<Meaning, SourceError> {
        if let Some(suffix) = tag.core_suffix() {
            return Ok(Meaning::Core(suffix.to_owned()));
        }
        match tag.parts() {
            ("" | "!", "" | "!") => Ok(Meaning::Core(String::new())),
            ("!", name) if !self.is_key() => Ok(Meaning::Function(match name {
                "Ref" | "Condition" => name.to_owned(),
                _ => format!("Fn::{name}"),
            })),
            _ => Err(unsupported_tag(tag.original(), span)),
        }
    }

    /// Goes over the separators before a node: `-`, `?`, `:` and `,`.
    pub(super) fn skip_separators(&mut self) {
        let Some(open) = self.open.last() else { return };
        let after_key = matches!(open.content, Content::Mapping { key: Some(_), .. });
        let dashes = matches!(open.content, Content::Sequence(_)) && !open.flow;
        let commas = open.flow && !after_key;
        let next = self.text.skip_blank(self.at);
        match self.text.byte(next) {
            Some(b':') if after_key => self.at = next + 1,
            Some(b'-') if dashes => self.at = next + 1,
            Some(b',') if commas => self.at = next + 1,
            _ => {}
        }
        if !self.is_key() {
            return;
        }
        let next = self.text.skip_blank(self.at);
        let alone = matches!(
            self.text.byte(next + 1),
            None | Some(b' ' | b'\t' | b'\n' | b'\r')
        );
        if self.text.byte(next) == Some(b'?') && alone {
            self.at = next + 1;
        }
    }

    pub(super) fn misfit(&self, suffix: &str, span: &Span) -> SourceError {
        let written = span
            .tag_span()
            .and_then(|tag| tag.slice(self.text.as_str()).map(str::to_owned));
        unsupported_tag(written.unwrap_or_else(|| format!("!!{suffix}")), span)
    }
}

pub(super) fn range_of(span: &Span) -> (usize, usize) {
    span.byte_range()
        .map_or((0, 0), |range| (range.start, range.end))
}

pub(super) fn complex_key(span: &Span) -> SourceError {
    SourceError::ComplexKey {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

fn unsupported_tag(tag: String, span: &Span) -> SourceError {
    let marker = span.tag_start().unwrap_or(span.start);
    SourceError::UnsupportedTag {
        tag,
        line: marker.line(),
        column: marker.col() + 1,
    }
}
