//! The tokens of JSON.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::text::Text;
use super::{MAX_DEPTH, SourceError};

/// `true`, `false` or `null`.
pub(super) enum Word {
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

pub(super) struct Tokens<'t> {
    pub(super) text: Text<'t>,
    pub(super) at: usize,
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

    pub(super) fn next_start(&mut self) -> usize {
        self.at = self.text.skip_space(self.at);
        self.at
    }

    /// Takes the bracket that opens a collection; says whether something follows before the closing one.
    pub(super) fn open(&mut self, close: u8, depth: usize) -> Result<bool, SourceError> {
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
    pub(super) fn comma(&mut self, close: u8) -> Result<bool, SourceError> {
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

    pub(super) fn colon(&mut self) -> Result<(), SourceError> {
        let start = self.next_start();
        if self.text.byte(start) != Some(b':') {
            return self.error(start, "expected `:` after a key");
        }
        self.at += 1;
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<(), SourceError> {
        let start = self.next_start();
        if start < self.text.len() {
            self.error(start, "expected the end of the text")
        } else {
            Ok(())
        }
    }

    pub(super) fn key(&mut self) -> Result<Cow<'t, str>, SourceError> {
        let start = self.next_start();
        if self.text.byte(start) == Some(b'"') {
            self.string()
        } else {
            self.error(start, "expected a key in quotes")
        }
    }

    pub(super) fn word(&mut self) -> Result<Word, SourceError> {
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
    pub(super) fn number(&mut self) -> Result<Number, SourceError> {
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
    pub(super) fn string(&mut self) -> Result<Cow<'t, str>, SourceError> {
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
}
