//! Text with positions: a template is parsed once, and changes are spliced into its text.
//!
//! A document is never written anew. [`Source::parse`] keeps, beside the value, where each part of it stands;
//! [`Source::splice`] compares the old value with the new one and touches only the smallest parts that differ, so that
//! every other byte (comments, quotes, line ends) stays. The result is parsed again and compared with the value that
//! was meant: a difference is [`SourceError::Disagrees`], never a wrong template.
//!
//! What YAML means here is what CloudFormation makes of it, as far as its readers agree. Short forms are functions:
//! `!Ref x` is `{"Ref": "x"}`, `!GetAtt a.b.c` is `{"Fn::GetAtt": ["a", "b.c"]}`, any other `!Name` is `Fn::Name`.
//! Without quotes, `true` and `false` are booleans, numbers as JSON writes them without an exponent are numbers, `null`,
//! `~` and nothing are null; all else is the text that it is (`012345678901`, `2012-10-17`, `yes`, `22:22`), and keys
//! are always texts. An alias is read as what it stands for. If an edit makes that wrong, because it goes into the
//! alias or into what has the anchor, the alias is replaced by a copy of the value that it must have.
//!
//! Deliberately absent: the merge key `<<`, several documents in a file, keys that are collections, tags of other
//! vocabularies. They are errors.

mod align;
mod anchors;
mod block;
mod diff;
mod document;
mod draft;
mod error;
mod flow;
mod json;
mod plain;
mod splice;
mod spot;
mod style;
mod text;
mod tokens;
mod tree;
mod write;
mod yaml;

use std::fmt;
use std::sync::OnceLock;

use serde_json::Value;

pub use error::SourceError;
use plain::Plain;
pub use splice::put;
use text::Text;
use tree::Tree;
pub(crate) use write::SHORT as FUNCTIONS;

/// How deep values may be nested. CloudFormation itself stops far below; `serde_json` stops at 128.
const MAX_DEPTH: usize = 120;

/// Offsets are kept in 32 bits, to keep positions small.
const MAX_LENGTH: usize = u32::MAX as usize;

/// The notation of a document, decided by what it holds and not by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 8259.
    Json,
    /// YAML with CloudFormation's short forms.
    Yaml,
}

/// One step of a path through a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into the member of an object.
    Key(String),
    /// Into the element of an array.
    Index(usize),
}

/// A way from the root of a document to a value.
pub type Path = Vec<Step>;

/// What becomes of a part of a document, with CloudFormation's functions in their long form.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Where it stands. For a new value, the last step may name a member that does not exist yet, or the place after
    /// the last item of a list.
    pub path: Path,
    /// What it becomes.
    pub new: New,
}

/// What a part of a document becomes.
#[derive(Clone, Debug, PartialEq)]
pub enum New {
    /// Another value.
    Value(Value),
    /// The same object with these values of some members; those that it does not have yet are added in this order.
    Members(Vec<(String, Value)>),
}

impl From<Value> for New {
    fn from(value: Value) -> New {
        New::Value(value)
    }
}

/// A text into which changes were spliced.
#[derive(Clone, PartialEq, Eq)]
pub struct Spliced {
    /// The new text.
    pub text: String,
    /// The value that it holds.
    pub value: Value,
    /// The aliases that were replaced by a copy of what they stood for: name, and line in the old text.
    pub expanded_aliases: Vec<(String, usize)>,
}

/// A document with the positions of its parts.
pub struct Source<'t> {
    /// The text without its byte order mark.
    text: Text<'t>,
    has_mark: bool,
    format: Format,
    value: Value,
    tree: Tree,
    plain: Plain,
    lines: OnceLock<Vec<u32>>,
}

/// Says nothing of the content, which may be secret.
impl fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("format", &self.format)
            .field("length", &self.text.len())
            .finish()
    }
}

/// Says nothing of the content, which may be secret.
impl fmt::Debug for Spliced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spliced")
            .field("length", &self.text.len())
            .field("expanded_aliases", &self.expanded_aliases)
            .finish_non_exhaustive()
    }
}

impl<'t> Source<'t> {
    /// Parses a JSON or YAML document of our own.
    pub fn parse(text: &'t str) -> Result<Source<'t>, SourceError> {
        Self::read(text, Plain::Own)
    }

    /// Parses a JSON or YAML document that AWS reads, too: a template, or a task definition. Scalars
    /// without quotes stand for what they stand for there.
    pub fn parse_template(text: &'t str) -> Result<Source<'t>, SourceError> {
        Self::read(text, Plain::Aws)
    }

    fn read(text: &'t str, plain: Plain) -> Result<Source<'t>, SourceError> {
        let (has_mark, body) = match text.strip_prefix('\u{feff}') {
            Some(body) => (true, body),
            None => (false, text),
        };
        if body.len() > MAX_LENGTH {
            return Err(SourceError::TooLong);
        }
        let body = Text::new(body);
        let (format, value, tree) = parse_body(body, plain)?;
        Ok(Source {
            text: body,
            has_mark,
            format,
            value,
            tree,
            plain,
            lines: OnceLock::new(),
        })
    }

    /// Parses a document of our own whose encoding is not known yet; only UTF-8 is accepted.
    pub fn from_bytes(bytes: &'t [u8]) -> Result<Source<'t>, SourceError> {
        Self::parse(utf8(bytes)?)
    }

    /// [`Source::parse_template`] of bytes.
    pub fn template_from_bytes(bytes: &'t [u8]) -> Result<Source<'t>, SourceError> {
        Self::parse_template(utf8(bytes)?)
    }

    /// The document's value: YAML's short forms are written long, and aliases are replaced by what they stand for.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Which notation the document uses.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The line and the column (in characters), both from 1, of a part of the document: of the key of a member, of an
    /// element of a list. Inside of what an alias stands for, it is the position of the alias.
    pub fn position(&self, path: &[Step]) -> Option<(usize, usize)> {
        let offset = self.tree.locate(self.text, &self.value, path)?;
        let (line, start) = self.line_of(offset);
        Some((line, self.text.slice(start, offset).chars().count() + 1))
    }

    /// The line alone of [`Source::position`]: on a long line, counting characters is what costs.
    pub fn line(&self, path: &[Step]) -> Option<usize> {
        let offset = self.tree.locate(self.text, &self.value, path)?;
        Some(self.line_of(offset).0)
    }

    /// A member of the document as a document by itself: its text without the indentation that it has here. None
    /// where that text does not hold the member's value, because an alias in it stands for something outside.
    pub fn member(&self, key: &str) -> Option<String> {
        let members = self.value.as_object()?;
        let index = members.keys().position(|other| other == key)?;
        let (_, node) = *self.tree.entries(0).get(index)?;
        let (start, end) = (self.tree.full_start(node), self.tree.end(node));
        let indent = self.text.line_indent(start);
        let mut text = String::new();
        for (index, line) in self
            .text
            .slice(start, end)
            .split_inclusive('\n')
            .enumerate()
        {
            let stripped = line.strip_prefix(indent).filter(|_| index > 0);
            text.push_str(stripped.unwrap_or(line));
        }
        let last_break = self
            .text
            .slice(self.text.as_str().trim_end().len(), self.text.len());
        text.truncate(text.trim_end().len());
        text.push_str(last_break);
        let holds = |source: &Source<'_>| Some(source.value()) == members.get(key);
        let same = Source::read(&text, self.plain).is_ok_and(|source| holds(&source));
        same.then(|| {
            if self.has_mark {
                format!("\u{feff}{text}")
            } else {
                text
            }
        })
    }

    /// The line of an offset, from 1, and where it starts.
    fn line_of(&self, offset: usize) -> (usize, usize) {
        let starts = self.lines.get_or_init(|| self.text.line_starts());
        let line = starts.partition_point(|start| *start as usize <= offset);
        let start = line.checked_sub(1).and_then(|before| starts.get(before));
        (line, start.map_or(0, |start| *start as usize))
    }
}

type Parsed = (Format, Value, Tree);

fn utf8(bytes: &[u8]) -> Result<&str, SourceError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let valid = String::from_utf8_lossy(valid);
        let (line, column) = Text::new(&valid).position(valid.len());
        SourceError::NotUtf8 { line, column }
    })
}

/// A text that starts like JSON is JSON if it can be; YAML's flow collections start in the same way.
fn parse_body(text: Text<'_>, plain: Plain) -> Result<Parsed, SourceError> {
    let yaml = |text| yaml::parse(text, plain).map(|(value, tree)| (Format::Yaml, value, tree));
    let start = text.skip_space(0);
    if start == text.len() {
        return Err(SourceError::Empty);
    }
    if !matches!(text.byte(start), Some(b'{' | b'[')) {
        return yaml(text);
    }
    match json::parse(text) {
        Ok((value, tree)) => Ok((Format::Json, value, tree)),
        Err(error @ SourceError::Syntax { .. }) => match yaml(text) {
            Err(SourceError::Syntax { .. }) => Err(error),
            other => other,
        },
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
