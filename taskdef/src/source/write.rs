//! Writing new values, in block or in flow notation. Only what is added is ever written.

use serde_json::{Map, Value};

use super::style::{Layout, Style};

/// The functions of CloudFormation that have a short form. A short form directly on a short form is no YAML.
pub(crate) const SHORT: [&str; 17] = [
    "And",
    "Base64",
    "Cidr",
    "Equals",
    "FindInMap",
    "GetAZs",
    "GetAtt",
    "If",
    "ImportValue",
    "Join",
    "Length",
    "Not",
    "Or",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
];

/// Keys that some YAML reader takes for something other than a text.
const NO_TEXT: [&str; 11] = [
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan",
];

/// A value as it is written in YAML: what a short form's tag stands before, or the value itself.
struct Form<'v> {
    tag: Option<&'v str>,
    payload: &'v Value,
}

impl Style<'_> {
    fn form<'v>(&self, value: &'v Value) -> Form<'v> {
        let short = if self.short_forms {
            short_form(value)
        } else {
            None
        };
        match short {
            Some((tag, payload)) => Form {
                tag: Some(tag),
                payload,
            },
            None => Form {
                tag: None,
                payload: value,
            },
        }
    }

    /// Whether a value is written in one line in block notation.
    pub(super) fn is_line(&self, value: &Value) -> bool {
        match self.form(value).payload {
            Value::Array(list) => self.list_in_line(list) || self.short_text(value).is_some(),
            Value::Object(map) => map.is_empty(),
            _ => true,
        }
    }

    fn list_in_line(&self, list: &[Value]) -> bool {
        let simple = |item: &Value| {
            let payload = self.form(item).payload;
            !(payload.is_array() || payload.is_object()) || self.short_text(item).is_some()
        };
        list.is_empty() || (self.lists_in_line && list.iter().all(simple))
    }

    /// The tag of the short form that a value of several lines is written with.
    pub(super) fn tag(&self, value: &Value) -> Option<String> {
        self.form(value).tag.map(|tag| format!("!{tag}"))
    }

    /// Writes a value in one line.
    pub(super) fn line(&self, value: &Value, layout: Layout<'_>) -> String {
        let mut out = String::new();
        self.flow(&mut out, value, layout, None);
        out
    }

    /// Writes a value in flow notation: in one line, or with a line for each entry from this indentation.
    pub(super) fn flow(
        &self,
        out: &mut String,
        value: &Value,
        layout: Layout<'_>,
        indent: Option<&str>,
    ) {
        let form = self.form(value);
        if let Some(tag) = form.tag {
            out.push('!');
            out.push_str(tag);
            out.push(' ');
            if let Some(text) = self.short_text(value) {
                out.push_str(&text);
                return;
            }
        }
        match form.payload {
            Value::Array(list) => {
                let indent = indent.filter(|_| !self.list_in_line(list));
                self.entries(
                    out,
                    '[',
                    ']',
                    layout,
                    indent,
                    list.iter().map(|item| (None, item)),
                );
            }
            Value::Object(map) => {
                let members = map.iter().map(|(key, value)| (Some(key.as_str()), value));
                self.entries(out, '{', '}', layout, indent, members);
            }
            Value::String(text) => push_quoted(out, text),
            scalar => out.push_str(&scalar.to_string()),
        }
    }

    fn entries<'v>(
        &self,
        out: &mut String,
        open: char,
        close: char,
        layout: Layout<'_>,
        indent: Option<&str>,
        entries: impl ExactSizeIterator<Item = (Option<&'v str>, &'v Value)>,
    ) {
        let empty = entries.len() == 0;
        let inner = indent.map(|indent| format!("{indent}{}", layout.flow_unit));
        out.push(open);
        for (index, (key, value)) in entries.enumerate() {
            match (&inner, index) {
                (None, 0) => {}
                (None, _) => out.push_str(self.comma),
                (Some(inner), index) => {
                    out.push_str(if index > 0 { "," } else { "" });
                    out.push_str(self.line_break);
                    out.push_str(inner);
                }
            }
            self.entry(out, key, value, layout, inner.as_deref());
        }
        if let Some(indent) = indent.filter(|_| !empty) {
            out.push_str(self.line_break);
            out.push_str(indent);
        }
        out.push(close);
    }

    /// Writes one entry of a flow collection.
    pub(super) fn entry(
        &self,
        out: &mut String,
        key: Option<&str>,
        value: &Value,
        layout: Layout<'_>,
        indent: Option<&str>,
    ) {
        if let Some(key) = key {
            push_key(out, key, layout.quoted_keys);
            out.push_str(self.colon);
        }
        self.flow(out, value, layout, indent);
    }

    /// Writes a member of a block mapping whose keys stand in this column.
    pub(super) fn block_member(
        &self,
        out: &mut String,
        key: &str,
        value: &Value,
        column: usize,
        layout: Layout<'_>,
    ) {
        push_key(out, key, layout.quoted_keys);
        out.push(':');
        if self.is_line(value) {
            out.push(' ');
            out.push_str(&self.line(value, layout));
            return;
        }
        if let Some(tag) = self.tag(value) {
            out.push(' ');
            out.push_str(&tag);
        }
        self.block_lines(out, value, column + self.deeper(value, layout), layout);
    }

    /// How much deeper than their key the entries of a value stand.
    pub(super) fn deeper(&self, value: &Value, layout: Layout<'_>) -> usize {
        if self.form(value).payload.is_array() {
            layout.offset
        } else {
            layout.unit
        }
    }

    /// Writes the entries of a value of several lines, without its tag, each in a line of its own.
    pub(super) fn block_lines(
        &self,
        out: &mut String,
        value: &Value,
        column: usize,
        layout: Layout<'_>,
    ) {
        self.block_entries(out, value, column, layout, false);
    }

    /// Writes an item of a block sequence whose dashes stand in this column.
    pub(super) fn block_item(
        &self,
        out: &mut String,
        value: &Value,
        column: usize,
        layout: Layout<'_>,
    ) {
        out.push('-');
        out.push_str(&" ".repeat(layout.gap));
        self.item_content(out, value, column + 1 + layout.gap, layout);
    }

    /// Writes what stands after a dash, from this column.
    pub(super) fn item_content(
        &self,
        out: &mut String,
        value: &Value,
        column: usize,
        layout: Layout<'_>,
    ) {
        if self.is_line(value) {
            out.push_str(&self.line(value, layout));
        } else if let Some(tag) = self.tag(value) {
            out.push_str(&tag);
            self.block_entries(out, value, column, layout, false);
        } else {
            self.block_entries(out, value, column, layout, true);
        }
    }

    fn block_entries(
        &self,
        out: &mut String,
        value: &Value,
        column: usize,
        layout: Layout<'_>,
        first_here: bool,
    ) {
        let start = |out: &mut String, index: usize| {
            if index > 0 || !first_here {
                out.push_str(self.line_break);
                out.push_str(&" ".repeat(column));
            }
        };
        match self.form(value).payload {
            Value::Array(list) => {
                for (index, item) in list.iter().enumerate() {
                    start(out, index);
                    self.block_item(out, item, column, layout);
                }
            }
            Value::Object(map) => {
                for (index, (key, value)) in map.iter().enumerate() {
                    start(out, index);
                    self.block_member(out, key, value, column, layout);
                }
            }
            _ => {}
        }
    }

    /// The text after the tag of a short form, if that is a name.
    fn short_text(&self, value: &Value) -> Option<String> {
        match self.form(value) {
            Form {
                tag: Some("Ref"),
                payload: Value::String(text),
            } => Some(text_after_tag(text)),
            Form {
                tag: Some("GetAtt"),
                payload,
            } => Some(text_after_tag(&attribute_text(payload)?)),
            _ => None,
        }
    }
}

/// The scalar of a short form: without quotes if it is a name.
pub(super) fn text_after_tag(text: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b':';
    let name =
        text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(safe);
    if name && !text.ends_with(':') {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// `a.b` for `["a", "b"]`, if it is read back as that.
pub(super) fn attribute_text(payload: &Value) -> Option<String> {
    match payload.as_array()?.as_slice() {
        [Value::String(name), Value::String(attribute)]
            if !name.contains('.') && !name.is_empty() =>
        {
            Some(format!("{name}.{attribute}"))
        }
        _ => None,
    }
}

/// The tag and what stands after it, for a function that can be written in its short form.
fn short_form(value: &Value) -> Option<(&str, &Value)> {
    let map: &Map<String, Value> = value.as_object().filter(|map| map.len() == 1)?;
    let (key, payload) = map.iter().next()?;
    if key == "Ref" {
        return Some(("Ref", payload)).filter(|_| payload.is_string());
    }
    let name = key
        .strip_prefix("Fn::")
        .filter(|name| SHORT.contains(name))?;
    let fits = match payload {
        Value::String(_) => name != "GetAtt",
        Value::Array(_) => true,
        Value::Object(_) => short_form(payload).is_none(),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    };
    if fits { Some((name, payload)) } else { None }
}

/// A key, without quotes if every YAML reader takes it for a text.
pub(super) fn key_text(key: &str, in_quotes: bool) -> String {
    let mut out = String::new();
    push_key(&mut out, key, in_quotes);
    out
}

fn push_key(out: &mut String, key: &str, in_quotes: bool) {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':');
    let name = |key: &str| {
        let first = key.starts_with(|first: char| first.is_ascii_alphabetic());
        first && !key.ends_with(':') && key.bytes().all(safe)
    };
    let text = |key: &str| !NO_TEXT.iter().any(|word| word.eq_ignore_ascii_case(key));
    if !in_quotes && name(key) && text(key) {
        out.push_str(key);
    } else {
        push_quoted(out, key);
    }
}

/// A text in quotes, as JSON and YAML both read it. YAML does not allow all characters that JSON does.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_quoted(&mut out, text);
    out
}

fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    let simple = |byte: u8| matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\';
    if text.bytes().all(simple) {
        out.push_str(text);
    } else {
        text.chars()
            .for_each(|character| push_escaped(out, character));
    }
    out.push('"');
}

fn push_escaped(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{feff}'
        | '\u{fffe}'
        | '\u{ffff}' => {
            out.push_str(&format!("\\u{:04x}", u32::from(character)));
        }
        other => out.push(other),
    }
}
