//! What a YAML scalar stands for.

use serde_json::{Number, Value};

/// What a scalar without quotes stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    /// In a document of our own.
    Own,
    /// In a document that AWS reads.
    Aws,
}

impl Plain {
    pub(super) fn value(self, text: &str) -> Value {
        match self {
            Plain::Own => value_of_plain(text),
            Plain::Aws => value_in_template(text),
        }
    }
}

/// Whether a scalar without quotes is a text here, and a number to some readers of YAML 1.1: to the base
/// 60, with an exponent, or with a point that has digits on one side alone.
pub(super) fn is_ambiguous(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts = text.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    starts && !is_canonical_number(text) && (is_of_base_60(text) || is_fraction(text))
}

fn are_digits(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'_')
}

fn is_of_base_60(text: &str) -> bool {
    let mut parts = text.split(':');
    let first = parts
        .next()
        .is_some_and(|part| !part.is_empty() && are_digits(part));
    let mut count = 0;
    let rest = parts.all(|part| {
        count += 1;
        let whole = part.split_once('.').map_or(part, |(whole, _)| whole);
        whole.len() <= 2 && whole.parse::<u8>().is_ok_and(|number| number < 60)
    });
    first && rest && count > 0
}

fn is_fraction(text: &str) -> bool {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent)),
        None => (text, None),
    };
    let (whole, after) = digits.split_once('.').unwrap_or((digits, ""));
    let exponent_is_one = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !digits.is_empty() && are_digits(digits)
    });
    let has_point = digits.contains('.');
    let some = !whole.is_empty() || !after.is_empty();
    some && exponent_is_one
        && are_digits(whole)
        && are_digits(after)
        && (has_point || exponent.is_some())
}

/// Only what every YAML reader agrees on is more than a text. `012345678901`,
/// `2012-10-17`, `yes` and `22:22` are texts.
fn value_of_plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => canonical_number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

/// By the rules of [YAML 1.1](https://yaml.org/type/), as far as it is
/// known to follow them: `yes` is true, and `010` is 8. Dates are texts, and so are numbers with an
/// exponent, those with a point and no digit before it, and those to the base 60.
fn value_in_template(text: &str) -> Value {
    match text {
        "Null" | "NULL" => Value::Null,
        "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Value::Bool(true),
        "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Value::Bool(false),
        _ => match value_of_plain(text) {
            Value::String(text) => match integer(&text) {
                Some(number) => Value::Number(number),
                None => Value::String(text),
            },
            value => value,
        },
    }
}

/// An [integer](https://yaml.org/type/int.html) that JSON writes otherwise.
fn integer(text: &str) -> Option<Number> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", text.get(1..)?),
        b'+' => ("", text.get(1..)?),
        _ => ("", text),
    };
    let (base, digits) = if let Some(digits) = digits.strip_prefix("0x") {
        (16, digits)
    } else if let Some(digits) = digits.strip_prefix("0b") {
        (2, digits)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (8, digits)
    } else {
        (10, digits)
    };
    // `_` only separates, and begins no number.
    let digits = match digits.strip_prefix('_') {
        Some(_) if base == 10 => return None,
        _ => digits.replace('_', ""),
    };
    let all = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base));
    let number = all.then(|| u128::from_str_radix(&digits, base).ok())??;
    format!("{sign}{number}").parse().ok()
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
pub(super) fn value_of_core(
    suffix: &str,
    text: &str,
    unquoted: Value,
    is_plain: bool,
) -> Option<Value> {
    match suffix {
        "str" | "" => Some(Value::String(text.to_owned())),
        "null" => Some(unquoted).filter(|value| is_plain && value.is_null()),
        "bool" => Some(unquoted).filter(Value::is_boolean),
        "int" | "float" => Some(unquoted).filter(Value::is_number),
        _ => None,
    }
}
