//! Writes random values as YAML in random styles, to test with.

use serde_json::Value;

use super::super::plain::Plain;
use super::super::write::quoted;
use super::random::Dice;

/// The style of one document.
pub(super) struct Emit<'d> {
    dice: &'d mut Dice,
    out: String,
    unit: usize,
    offset: usize,
    gap: usize,
    flow: usize,
    comments: bool,
    short: bool,
    spread: bool,
    quoted_keys: bool,
    anchors: Option<Vec<(String, Value)>>,
    count: usize,
}

/// A document that holds the value.
pub(super) fn yaml(dice: &mut Dice, value: &Value) -> String {
    let unit = [2, 2, 3, 4][dice.below(4)];
    let offset = [0, unit, 2, 1][dice.below(4)];
    let anchors = if dice.below(3) == 0 {
        Some(vec![])
    } else {
        None
    };
    let mut emit = Emit {
        out: String::new(),
        unit,
        offset,
        gap: [1, 1, 3][dice.below(3)],
        flow: [1000, 8, 3, 1][dice.below(4)],
        comments: dice.below(2) == 0,
        short: dice.below(2) == 0,
        spread: dice.below(2) == 0,
        quoted_keys: dice.below(4) == 0,
        anchors,
        count: 0,
        dice,
    };
    if emit.dice.below(4) == 0 {
        emit.out.push_str("# top\n---\n");
    }
    emit.root(value);
    let Emit { out, dice, .. } = emit;
    let out = match dice.below(4) {
        0 => out.trim_end_matches('\n').to_owned(),
        1 if out.ends_with('\n') => out + "# the end\n\n",
        _ => out,
    };
    match dice.below(4) {
        0 => out.replace('\n', "\r\n"),
        1 => format!("\u{feff}{out}"),
        _ => out,
    }
}

impl Emit<'_> {
    fn root(&mut self, value: &Value) {
        match value {
            Value::Object(map) if !map.is_empty() && self.dice.below(8) > 0 => {
                self.entries(value, 0, false)
            }
            value => self.flow(value, 0),
        }
        self.line_end();
    }

    fn line_end(&mut self) {
        if self.out.ends_with('\n') {
            return;
        }
        if self.comments && self.dice.below(4) == 0 {
            self.out.push_str(" # right");
        }
        self.out.push('\n');
    }

    fn line_start(&mut self, column: usize) {
        self.line_end();
        if self.comments && self.dice.below(5) == 0 {
            self.out
                .push_str(&format!("{}# above\n", " ".repeat(column)));
        }
        if self.comments && self.dice.below(8) == 0 {
            // A blank line after a text with `|+` would belong to it.
            self.out.push_str(if self.out.ends_with("\n\n") {
                "# left\n"
            } else {
                "\n# left\n"
            });
        }
        self.out.push_str(&" ".repeat(column));
    }

    /// The entries of a collection, in lines of their own.
    fn entries(&mut self, value: &Value, column: usize, first_here: bool) {
        let mut here = first_here;
        let mut start = |emit: &mut Self| {
            if !std::mem::take(&mut here) {
                emit.line_start(column);
            }
        };
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    start(self);
                    let key = self.key(key);
                    self.out.push_str(&key);
                    self.out.push(':');
                    let deeper = if value.is_array() {
                        self.offset
                    } else {
                        self.unit
                    };
                    self.after(value, column + deeper, column + 1, None);
                }
            }
            Value::Array(list) => {
                for item in list {
                    start(self);
                    self.out.push('-');
                    let content = column + 1 + self.gap;
                    self.after(item, content, content, Some(content));
                }
            }
            _ => {}
        }
    }

    fn key(&mut self, key: &str) -> String {
        let plain = key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'-'));
        if plain && !self.quoted_keys {
            key.to_owned()
        } else {
            quoted(key)
        }
    }

    fn space(&mut self) {
        let spaces = if self.spread {
            1 + self.dice.below(3)
        } else {
            1
        };
        self.out.push_str(&" ".repeat(spaces));
    }

    /// What stands after a colon, or after a dash with its content in column `here`.
    fn after(&mut self, value: &Value, column: usize, text_column: usize, here: Option<usize>) {
        if self.alias(value) {
            return;
        }
        let name = self.anchor();
        let (mut tagged, mut column) = (name.is_some(), column);
        let mut payload = value;
        if let Some((tag, inner)) = self.tag(value) {
            self.out.push_str(&format!(" !{tag}"));
            (tagged, payload) = (true, inner);
            if here.is_none() && inner.is_array() {
                column = text_column - 1 + self.offset;
            }
        }
        let flow = self.dice.below(self.flow) == 0;
        match payload {
            Value::Array(list) if !list.is_empty() && !flow => {
                self.block(payload, column, here, tagged)
            }
            Value::Object(map) if !map.is_empty() && !flow => {
                self.block(payload, column, here, tagged)
            }
            Value::Null if !tagged && self.dice.below(2) == 0 => {}
            Value::String(text)
                if text.is_empty() && std::ptr::eq(payload, value) == tagged && name.is_none() => {}
            Value::String(text)
                if self.dice.below(4) == 0 && self.block_scalar(text, text_column.max(1)) => {}
            payload => {
                self.space();
                let indent = text_column;
                if tagged && payload.is_string() && name.is_none() {
                    let text = self.tagged_scalar(payload.as_str().unwrap_or_default());
                    self.out.push_str(&text);
                } else {
                    self.flow(payload, indent);
                }
            }
        }
        if let (Some(name), Some(anchors)) = (name, &mut self.anchors)
            && !anchors.iter().any(|(inner, _)| *inner == name)
        {
            anchors.push((name, value.clone()));
        }
    }

    fn block(&mut self, value: &Value, column: usize, here: Option<usize>, tagged: bool) {
        match here {
            Some(_) if !tagged && self.dice.below(6) > 0 => {
                self.out.push_str(&" ".repeat(self.gap));
                self.entries(value, column, true);
            }
            _ => self.entries(value, column, false),
        }
    }

    fn alias(&mut self, value: &Value) -> bool {
        let known = self
            .anchors
            .iter()
            .flatten()
            .rev()
            .find(|(_, other)| other == value);
        let Some((name, _)) = known else { return false };
        let text = format!(" *{name}");
        if self.dice.below(2) == 0 {
            self.out.push_str(&text);
            return true;
        }
        false
    }

    fn anchor(&mut self) -> Option<String> {
        if self.anchors.is_none() || self.dice.below(3) > 0 {
            return None;
        }
        self.count += 1;
        // Names are used again: an alias means the last anchor before it.
        let name = if self.dice.below(5) == 0 {
            "again".to_owned()
        } else {
            format!("a{}", self.count)
        };
        if let Some(anchors) = &mut self.anchors {
            anchors.retain(|(other, _)| *other != name);
        }
        self.out.push_str(&format!(" &{name}"));
        Some(name)
    }

    /// A short form: never for a payload that would be read otherwise.
    fn tag<'v>(&mut self, value: &'v Value) -> Option<(String, &'v Value)> {
        let map = value
            .as_object()
            .filter(|map| map.len() == 1 && self.short)?;
        let (key, payload) = map.iter().next()?;
        let name = key
            .strip_prefix("Fn::")
            .or_else(|| Some(key.as_str()).filter(|key| *key == "Ref"))?;
        let fits = match payload {
            Value::String(_) => name != "GetAtt",
            Value::Array(_) => true,
            Value::Object(map) => map.len() != 1,
            _ => false,
        };
        if fits && self.dice.below(4) > 0 {
            Some((name.to_owned(), payload))
        } else {
            None
        }
    }

    fn block_scalar(&mut self, text: &str, column: usize) -> bool {
        let content = text.trim_end_matches('\n');
        let printable = |c: char| {
            c == '\n' || !(c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}'))
        };
        if content.is_empty() || content.starts_with([' ', '#']) || !text.chars().all(printable) {
            return false;
        }
        let ends = text.len() - content.len();
        let header = [" |-", " |", " |+"][ends.min(2)];
        self.out.push_str(header);
        if self.comments && self.dice.below(3) == 0 {
            self.out.push_str(" # header");
        }
        for line in content.split('\n') {
            self.out
                .push_str(&format!("\n{}{line}", " ".repeat(column + 1)));
        }
        self.out.push_str(&"\n".repeat(ends.max(1)));
        true
    }

    /// A scalar after the tag of a short form, where everything is a text.
    fn tagged_scalar(&mut self, text: &str) -> String {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !text.is_empty();
        if plain { text.to_owned() } else { quoted(text) }
    }

    fn scalar(&mut self, value: &Value) -> String {
        let Value::String(text) = value else {
            return value.to_string();
        };
        let inner =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
        let plain = text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(inner)
            && Plain::Own.value(text) == *value
            // A flow collection with quoted keys may be JSON, where `1e3` is a number.
            && text.parse::<serde_json::Number>().is_err();
        let printable = !text
            .chars()
            .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}'));
        match self.dice.below(3) {
            0 | 1 if plain => text.clone(),
            0 if printable => format!("'{}'", text.replace('\'', "''")),
            _ => quoted(text),
        }
    }

    /// A value in flow notation.
    fn flow(&mut self, value: &Value, indent: usize) {
        let lines = self.dice.below(4) == 0;
        let entries: Vec<(Option<&String>, &Value)> = match value {
            Value::Object(map) => map.iter().map(|(key, value)| (Some(key), value)).collect(),
            Value::Array(list) => list.iter().map(|item| (None, item)).collect(),
            scalar => {
                let text = self.scalar(scalar);
                return self.out.push_str(&text);
            }
        };
        self.out.push(if value.is_array() { '[' } else { '{' });
        let count = entries.len();
        for (index, (key, value)) in entries.into_iter().enumerate() {
            if lines {
                self.line_end();
                self.out.push_str(&" ".repeat(indent + 2));
            } else if index > 0 {
                self.space();
            }
            if let Some(key) = key {
                let key = self.key(key);
                self.out.push_str(&format!("{key}:"));
                self.space();
            }
            self.flow_value(value, indent + 2);
            if index + 1 < count || self.dice.below(6) == 0 {
                self.out.push(',');
            }
        }
        if lines && count > 0 {
            self.line_end();
            self.out.push_str(&" ".repeat(indent));
        }
        self.out.push(if value.is_array() { ']' } else { '}' });
    }

    fn flow_value(&mut self, value: &Value, indent: usize) {
        match self.tag(value) {
            Some((tag, Value::String(text))) => {
                let text = self.tagged_scalar(text);
                self.out.push_str(&format!("!{tag} {text}"));
            }
            Some((tag, payload)) => {
                self.out.push_str(&format!("!{tag} "));
                self.flow(payload, indent);
            }
            None if self.out.ends_with(": ") && value.is_null() && self.dice.below(2) == 0 => {}
            None => self.flow(value, indent),
        }
    }
}
