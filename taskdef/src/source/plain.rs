//! What a YAML scalar stands for.

use serde_json::{Number, Value};

/// The value of a scalar without quotes. Only what CloudFormation and every YAML reader agree on is more than a text:
/// `012345678901`, `2012-10-17`, `yes` and `22:22` are texts.
pub(super) fn value_of_plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => canonical_number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

fn canonical_number(text: &str) -> Option<Number> {
    if is_canonical_number(text) {
        text.parse().ok()
    } else {
        None
    }
}

/// Whether the text is a JSON number without an exponent.
pub(super) fn is_canonical_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(digits)
}

/// The value of a scalar with one of YAML's core tags (`str`, `int`, ...; empty for `!`), or none if tag and text do
/// not fit.
pub(super) fn value_of_core(suffix: &str, text: &str, plain: bool) -> Option<Value> {
    let unquoted = value_of_plain(text);
    match suffix {
        "str" | "" => Some(Value::String(text.to_owned())),
        "null" => Some(unquoted).filter(|value| plain && value.is_null()),
        "bool" => Some(unquoted).filter(Value::is_boolean),
        "int" | "float" => Some(unquoted).filter(Value::is_number),
        _ => None,
    }
}
