//! JSON as Go writes it, and with it Terraform: compact, with the letters escaped that mean
//! something in HTML ([`encoding/json`](https://pkg.go.dev/encoding/json#HTMLEscape)).

use std::fmt::Write;

/// The escape of a letter that JSON allows in a text as it is.
fn escape(letter: char) -> Option<&'static str> {
    match letter {
        '<' => Some("\\u003c"),
        '>' => Some("\\u003e"),
        '&' => Some("\\u0026"),
        '\u{2028}' => Some("\\u2028"),
        '\u{2029}' => Some("\\u2029"),
        _ => None,
    }
}

/// A JSON text without the spaces around its values; numbers, names and texts stay as they are
/// written, but for the escapes.
pub(super) fn compact(json: &str) -> String {
    let mut compact = String::with_capacity(json.len());
    let mut in_text = false;
    let mut escaped = false;
    for letter in json.chars() {
        match letter {
            ' ' | '\t' | '\n' | '\r' if !in_text => continue,
            '"' if !escaped => in_text = !in_text,
            _ => {}
        }
        escaped = in_text && letter == '\\' && !escaped;
        match escape(letter) {
            Some(escape) => compact.push_str(escape),
            None => compact.push(letter),
        }
    }
    compact
}

/// A text as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\0'..'\u{20}' => {
                // Writing to a text cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(letter));
            }
            _ => match escape(letter) {
                Some(escape) => quoted.push_str(escape),
                None => quoted.push(letter),
            },
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn as_go_writes_it() {
        assert_eq!(
            compact("[ {\"a <\\\" \" : 1e3 , \"b\": \"&\u{2028}\" } ]\n"),
            "[{\"a \\u003c\\\" \":1e3,\"b\":\"\\u0026\\u2028\"}]"
        );
        assert_eq!(
            quoted("a\\u003c\"\n\u{1}\u{7f}é>"),
            "\"a\\\\u003c\\\"\\n\\u0001\u{7f}é\\u003e\""
        );
    }

    proptest! {
        #[test]
        fn a_text_is_read_as_it_was(text: String) {
            prop_assert_eq!(serde_json::from_str::<Value>(&quoted(&text)).unwrap(), Value::from(text.clone()));
            let list = serde_json::to_string_pretty(&vec![text.clone()]).unwrap();
            let compact = compact(&list);
            prop_assert_eq!(serde_json::from_str::<Value>(&compact).unwrap(), Value::from(vec![text.clone()]));
            let escaped = ['<', '>', '&', '\u{2028}', '\u{2029}'];
            prop_assert!(!compact.contains(escaped));
        }
    }
}
