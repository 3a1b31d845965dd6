//! Reading JSON with positions.
//!
//! The reader is our own. `serde_json` gives a value without positions and keeps the last of two equal keys; its
//! `&RawValue` gives positions but reads every level of the document anew. This one pass gives the value, a flat list
//! of positions and an error that names a repeated key, and because it collects members on one stack before it makes
//! an object of the right size, it takes less time and memory than `serde_json::from_str::<Value>` alone (1.4 MB, 2,000
//! task definitions; `docs/evidence.md` has the figures). The same tokens compare a text with a value without a second
//! value in memory: [`matches`].

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Number, Value};

use super::text::Text;
use super::tree::{Kind, NodeId, Tree};
use super::{MAX_DEPTH, SourceError};

/// Parses a JSON text.
pub(super) fn parse(text: Text<'_>) -> Result<(Value, Tree), SourceError> {
    let mut reader = Reader {
        tokens: Tokens { text, at: 0 },
        tree: Tree::default(),
        members: vec![],
        items: vec![],
    };
    let value = reader.value(0)?;
    reader.tokens.end()?;
    reader.tree.nodes.shrink_to_fit();
    Ok((value, reader.tree))
}

/// Whether a JSON text holds exactly this value.
pub(super) fn matches(text: Text<'_>, value: &Value) -> bool {
    let mut tokens = Tokens { text, at: 0 };
    tokens.matches(value, 0).unwrap_or(false) && tokens.end().is_ok()
}

struct Reader<'t> {
    tokens: Tokens<'t>,
    tree: Tree,
    /// The members and the items read so far, of all open objects and arrays.
    members: Vec<(String, Value)>,
    items: Vec<Value>,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, SourceError> {
        let start = self.tokens.next_start();
        let value = match self.tokens.text.byte(start) {
            Some(b'{') => return self.object(depth),
            Some(b'[') => return self.array(depth),
            Some(b'"') => {
                let value = Value::String(self.tokens.string()?.into_owned());
                self.tree.push(Kind::Quoted, start, self.tokens.at);
                return Ok(value);
            }
            Some(b'-' | b'0'..=b'9') => Value::Number(self.tokens.number()?),
            _ => self.tokens.word()?.into(),
        };
        self.tree.push(Kind::Plain, start, self.tokens.at);
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Value, SourceError> {
        let id = self
            .tree
            .push(Kind::FlowMapping, self.tokens.at, self.tokens.at);
        let first = self.members.len();
        let mut more = self.tokens.open(b'}', depth)?;
        while more {
            let start = self.tokens.next_start();
            let key = self.tokens.key()?.into_owned();
            self.tree.push(Kind::Quoted, start, self.tokens.at);
            self.tokens.colon()?;
            let value = self.value(depth + 1)?;
            self.members.push((key, value));
            more = self.tokens.comma(b'}')?;
        }
        self.tree.close(id, self.tokens.at);
        let mut map = Map::with_capacity(self.members.len() - first);
        let mut repeated = None;
        for (index, (key, value)) in self.members.drain(first..).enumerate() {
            // The first key that repeats is reported; a second lookup would cost every object, this costs none.
            let size = map.len();
            map.insert(key, value);
            if map.len() == size {
                repeated.get_or_insert(index);
            }
        }
        match repeated {
            Some(index) => Err(self.duplicate(id, index)),
            None => Ok(Value::Object(map)),
        }
    }

    fn duplicate(&self, object: NodeId, index: usize) -> SourceError {
        let start = self
            .tree
            .children(object)
            .step_by(2)
            .nth(index)
            .map_or(0, |key| self.tree.start(key));
        let (line, column) = self.tokens.text.position(start);
        let key = Tokens {
            text: self.tokens.text,
            at: start,
        }
        .string()
        .unwrap_or_default()
        .into_owned();
        SourceError::DuplicateKey { key, line, column }
    }

    fn array(&mut self, depth: usize) -> Result<Value, SourceError> {
        let id = self
            .tree
            .push(Kind::FlowSequence, self.tokens.at, self.tokens.at);
        let first = self.items.len();
        let mut more = self.tokens.open(b']', depth)?;
        while more {
            let value = self.value(depth + 1)?;
            self.items.push(value);
            more = self.tokens.comma(b']')?;
        }
        self.tree.close(id, self.tokens.at);
        Ok(Value::Array(self.items.drain(first..).collect()))
    }
}

/// `true`, `false` or `null`.
enum Word {
    Bool(bool),
    Null,
}

impl From<Word> for Value {
    fn from(word: Word) -> Value {
        match word {
            Word::Bool(value) => Value::Bool(value),
            Word::Null => Value::Null,
        }
    }
}

struct Tokens<'t> {
    text: Text<'t>,
    at: usize,
}

impl<'t> Tokens<'t> {
    fn error<T>(&self, offset: usize, problem: &str) -> Result<T, SourceError> {
        let (line, column) = self.text.position(offset);
        let problem = if offset >= self.text.len() {
            "the text ends too early"
        } else {
            problem
        };
        Err(SourceError::Syntax {
            line,
            column,
            problem: problem.to_owned(),
        })
    }

    fn next_start(&mut self) -> usize {
        self.at = self.text.skip_space(self.at);
        self.at
    }

    /// Takes the bracket that opens a collection; says whether something follows before the closing one.
    fn open(&mut self, close: u8, depth: usize) -> Result<bool, SourceError> {
        if depth >= MAX_DEPTH {
            let (line, column) = self.text.position(self.at);
            return Err(SourceError::TooDeep {
                line,
                column,
                limit: MAX_DEPTH,
            });
        }
        self.at += 1;
        let start = self.next_start();
        if self.text.byte(start) == Some(close) {
            self.at += 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// Takes what follows an entry; says whether another one comes.
    fn comma(&mut self, close: u8) -> Result<bool, SourceError> {
        let start = self.next_start();
        let byte = self.text.byte(start);
        if byte != Some(b',') && byte != Some(close) {
            return self.error(
                start,
                if close == b'}' {
                    "expected `,` or `}`"
                } else {
                    "expected `,` or `]`"
                },
            );
        }
        self.at += 1;
        Ok(byte == Some(b','))
    }

    fn colon(&mut self) -> Result<(), SourceError> {
        let start = self.next_start();
        if self.text.byte(start) != Some(b':') {
            return self.error(start, "expected `:` after a key");
        }
        self.at += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), SourceError> {
        let start = self.next_start();
        if start < self.text.len() {
            self.error(start, "expected the end of the text")
        } else {
            Ok(())
        }
    }

    fn key(&mut self) -> Result<Cow<'t, str>, SourceError> {
        let start = self.next_start();
        if self.text.byte(start) == Some(b'"') {
            self.string()
        } else {
            self.error(start, "expected a key in quotes")
        }
    }

    fn word(&mut self) -> Result<Word, SourceError> {
        for (text, word) in [
            ("true", Word::Bool(true)),
            ("false", Word::Bool(false)),
            ("null", Word::Null),
        ] {
            if self.text.slice(self.at, self.at + text.len()) == text {
                self.at += text.len();
                return Ok(word);
            }
        }
        self.error(self.at, "expected a value")
    }

    fn digits(&self, offset: usize) -> usize {
        let mut end = offset;
        while self
            .text
            .byte(end)
            .is_some_and(|byte| byte.is_ascii_digit())
        {
            end += 1;
        }
        end
    }

    /// Takes a number; `serde_json` keeps its digits but respells exponents.
    fn number(&mut self) -> Result<Number, SourceError> {
        let start = self.at;
        let whole = start + usize::from(self.text.byte(start) == Some(b'-'));
        let mut end = self.digits(whole);
        if end == whole || (self.text.byte(whole) == Some(b'0') && end > whole + 1) {
            return self.error(start, "expected a number without leading zeros");
        }
        if self.text.byte(end) == Some(b'.') {
            let fraction = end + 1;
            end = self.digits(fraction);
            if end == fraction {
                return self.error(end, "expected a digit");
            }
        }
        if matches!(self.text.byte(end), Some(b'e' | b'E')) {
            let exponent =
                end + 1 + usize::from(matches!(self.text.byte(end + 1), Some(b'+' | b'-')));
            end = self.digits(exponent);
            if end == exponent {
                return self.error(end, "expected a digit");
            }
        }
        self.at = end;
        self.text
            .slice(start, end)
            .parse()
            .or_else(|_| self.error(start, "the number cannot be kept"))
    }

    /// Takes a string; `at` is its opening quote.
    fn string(&mut self) -> Result<Cow<'t, str>, SourceError> {
        let start = self.at + 1;
        let rest = self
            .text
            .as_str()
            .as_bytes()
            .get(start..)
            .unwrap_or_default();
        let length = rest
            .iter()
            .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
            .unwrap_or(rest.len());
        let mut end = start + length;
        if self.text.byte(end) == Some(b'"') {
            self.at = end + 1;
            return Ok(Cow::Borrowed(self.text.slice(start, end)));
        }
        let mut decoded = String::from(self.text.slice(start, end));
        loop {
            match self.text.byte(end) {
                Some(b'"') => break,
                Some(b'\\') => end = self.escape(end, &mut decoded)?,
                Some(0..=0x1f) => {
                    return self.error(
                        end,
                        "a string holds a control character that is not escaped",
                    );
                }
                Some(_) => {
                    let rest = self.text.as_str().as_bytes().get(end..).unwrap_or_default();
                    let plain = rest
                        .iter()
                        .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
                    let next = end + plain.unwrap_or(rest.len());
                    decoded.push_str(self.text.slice(end, next));
                    end = next;
                }
                None => return self.error(end, ""),
            }
        }
        self.at = end + 1;
        Ok(Cow::Owned(decoded))
    }

    /// Reads the escape at `offset` and gives the offset after it.
    fn escape(&self, offset: usize, decoded: &mut String) -> Result<usize, SourceError> {
        let character = match self.text.byte(offset + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(offset, decoded),
            None => return self.error(offset + 1, ""),
            Some(_) => return self.error(offset, "unknown escape in a string"),
        };
        decoded.push(character);
        Ok(offset + 2)
    }

    fn unicode_escape(&self, offset: usize, decoded: &mut String) -> Result<usize, SourceError> {
        let unit = |offset| self.hexadecimal(offset);
        let (code, end) = match unit(offset) {
            Some(high @ 0xd800..=0xdbff) => match unit(offset + 6) {
                Some(low @ 0xdc00..=0xdfff) => (
                    0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00),
                    offset + 12,
                ),
                _ => return self.error(offset, "half of a surrogate pair in a string"),
            },
            Some(code) => (code, offset + 6),
            None => return self.error(offset, "expected four hexadecimal digits after `\\u`"),
        };
        match char::from_u32(code) {
            Some(character) => decoded.push(character),
            None => return self.error(offset, "half of a surrogate pair in a string"),
        }
        Ok(end)
    }

    /// The value of `\uXXXX` at `offset`.
    fn hexadecimal(&self, offset: usize) -> Option<u32> {
        let digits = self.text.slice(offset, offset + 6).strip_prefix("\\u")?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        u32::from_str_radix(digits, 16).ok()
    }

    fn matches(&mut self, value: &Value, depth: usize) -> Result<bool, SourceError> {
        let start = self.next_start();
        match (self.text.byte(start), value) {
            (Some(b'{'), Value::Object(map)) => self.matches_object(map, depth),
            (Some(b'['), Value::Array(list)) => self.matches_array(list, depth),
            (Some(b'"'), Value::String(text)) => Ok(self.string()? == text.as_str()),
            (Some(b'-' | b'0'..=b'9'), Value::Number(number)) => Ok(self.number()? == *number),
            (Some(b't' | b'f' | b'n'), Value::Bool(_) | Value::Null) => {
                Ok(Value::from(self.word()?) == *value)
            }
            _ => Ok(false),
        }
    }

    fn matches_array(&mut self, list: &[Value], depth: usize) -> Result<bool, SourceError> {
        let mut more = self.open(b']', depth)?;
        for item in list {
            if !more || !self.matches(item, depth + 1)? {
                return Ok(false);
            }
            more = self.comma(b']')?;
        }
        Ok(!more)
    }

    fn matches_object(
        &mut self,
        map: &Map<String, Value>,
        depth: usize,
    ) -> Result<bool, SourceError> {
        let mut more = self.open(b'}', depth)?;
        // As long as the keys come in the order of the value, none can stand twice; after that, the seen ones count.
        let mut expected = map.iter();
        let mut seen: Option<BTreeSet<String>> = None;
        let mut count = 0;
        while more {
            let key = self.key()?;
            self.colon()?;
            let value = match (&mut seen, expected.next()) {
                (None, Some((next, value))) if *next == key => Some(value),
                (seen, _) => {
                    let seen =
                        seen.get_or_insert_with(|| map.keys().take(count).cloned().collect());
                    if seen.insert(key.to_string()) {
                        map.get(key.as_ref())
                    } else {
                        None
                    }
                }
            };
            match value {
                Some(value) if self.matches(value, depth + 1)? => {}
                _ => return Ok(false),
            }
            count += 1;
            more = self.comma(b'}')?;
        }
        Ok(count == map.len())
    }
}
