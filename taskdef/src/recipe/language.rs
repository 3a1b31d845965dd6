//! The expression language: minijinja, strict, cut down to what recipes need.
//!
//! Expressions (`{{ ... }}` and conditions) know comparisons, `and`, `or`,
//! `not`, `in`, `~`, `... if ... else ...`, the tests and filters below, and
//! nothing that multiplies text. Texts know `{% for %}` and `{% if %}`.

use std::borrow::Cow;
use std::sync::LazyLock;

use minijinja::value::Value as Expr;
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior};

use super::value::{Held, Kind};

/// Steps that one expression or text may take.
const FUEL: u64 = 50_000;
/// Characters that one expression may have.
pub(super) const EXPRESSION_LIMIT: usize = 1024;
/// Bytes that a text may have, before and after rendering.
pub(super) const TEXT_LIMIT: usize = 64 * 1024;

/// The environment of every expression: the same for all recipes.
pub(super) static EXPRESSIONS: LazyLock<Environment<'static>> = LazyLock::new(environment);

/// A new environment, to which a recipe adds its texts.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(50);
    // Comments belong to YAML: `{#` has to stay text, for shells know `${#name}`.
    let syntax = minijinja::syntax::SyntaxConfig::builder()
        .keep_trailing_newline(true)
        .comment_delimiters("\u{1}#", "#\u{1}")
        .build();
    if let Ok(syntax) = syntax {
        environment.set_syntax(syntax);
    }
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_formatter(write);
    environment.add_test("none", is_none);
    environment.add_test("startingwith", |a: &Expr, b: &Expr| {
        Ok::<_, Error>(text(a)?.starts_with(text(b)?))
    });
    environment.add_test("endingwith", |a: &Expr, b: &Expr| {
        Ok::<_, Error>(text(a)?.ends_with(text(b)?))
    });
    environment.add_filter("join", join);
    environment.add_filter("length", length);
    environment.add_filter("lower", |a: &Expr| Ok::<_, Error>(text(a)?.to_lowercase()));
    environment.add_filter("upper", |a: &Expr| Ok::<_, Error>(text(a)?.to_uppercase()));
    environment.add_filter("replace", replace);
    environment.add_filter("split", split);
    environment.add_filter("json", json);
    environment
}

/// The names of the filters, for messages.
pub(super) const FILTERS: &[&str] = &[
    "join", "json", "length", "lower", "replace", "split", "upper",
];
/// The names of the tests, for messages.
pub(super) const TESTS: &[&str] = &["endingwith", "none", "startingwith"];

fn failure(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into()).with_source(Own)
}

/// Marks an error whose text is ours, and shows no value.
#[derive(Debug, thiserror::Error)]
#[error("the recipe language")]
pub(super) struct Own;

/// What a value is, with its article, or nothing if it can stand inside a text.
pub(super) fn not_text(value: &Expr) -> Option<&'static str> {
    if value.is_undefined() {
        return Some("something undefined");
    }
    if value.is_none() {
        return Some("an input that was not given");
    }
    if let Some(held) = value.downcast_object_ref::<Held>() {
        return match held.kind {
            Kind::List => Some("a list"),
            Kind::Map => Some("a map"),
            _ => None,
        };
    }
    match value.kind() {
        minijinja::value::ValueKind::String
        | minijinja::value::ValueKind::Number
        | minijinja::value::ValueKind::Bool => None,
        minijinja::value::ValueKind::Map => Some("a map"),
        _ => Some("a list"),
    }
}

fn write(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Expr) -> Result<(), Error> {
    match not_text(value) {
        Some(what) => Err(Error::from(ErrorKind::InvalidOperation).with_source(NotText(what))),
        None => out.write_fmt(format_args!("{value}")).map_err(Error::from),
    }
}

/// The error of writing something that has no text.
#[derive(Debug, thiserror::Error)]
#[error("{0} cannot stand inside a text")]
pub(super) struct NotText(pub(super) &'static str);

/// `is none` does not need to know an intrinsic function's value: it is there.
fn is_none(value: &Expr) -> bool {
    if let Some(held) = value.downcast_object_ref::<Held>() {
        held.account();
        return false;
    }
    value.is_none()
}

/// A plain text without a mark of a held value in it.
fn text(value: &Expr) -> Result<&str, Error> {
    match value.as_str() {
        Some(text) if !text.contains('\0') => Ok(text),
        Some(_) => Err(failure(
            "a filter or test needs the value of an intrinsic function",
        )),
        None => {
            let what = not_text(value).unwrap_or("a number or boolean");
            Err(failure(format!(
                "a filter or test needs a text, and this is {what}"
            )))
        }
    }
}

fn bounded(text: String) -> Result<String, Error> {
    if text.len() > TEXT_LIMIT {
        return Err(Error::from(ErrorKind::OutOfFuel));
    }
    Ok(text)
}

fn replace(value: &Expr, from: &Expr, to: &Expr) -> Result<String, Error> {
    let (value, from, to) = (text(value)?, text(from)?, text(to)?);
    if value.len().saturating_mul(to.len().max(1)) > TEXT_LIMIT.saturating_mul(16) {
        return Err(Error::from(ErrorKind::OutOfFuel));
    }
    bounded(value.replace(from, to))
}

fn split(value: &Expr, separator: &Expr) -> Result<Vec<String>, Error> {
    Ok(text(value)?
        .split(text(separator)?)
        .map(str::to_owned)
        .collect())
}

/// Joins texts; an intrinsic function among them stays one.
fn join(value: &Expr, separator: &Expr) -> Result<String, Error> {
    let separator = text(separator)?;
    let mut joined = String::new();
    for (index, item) in items(value)?.into_iter().enumerate() {
        if index > 0 {
            joined.push_str(separator);
        }
        if let Some(what) = not_text(&item) {
            return Err(Error::from(ErrorKind::InvalidOperation).with_source(NotText(what)));
        }
        joined.push_str(&item.to_string());
        if joined.len() > TEXT_LIMIT {
            return Err(Error::from(ErrorKind::OutOfFuel));
        }
    }
    Ok(joined)
}

fn items(value: &Expr) -> Result<Vec<Expr>, Error> {
    if let Some(held) = value.downcast_object_ref::<Held>() {
        return held.items().ok_or_else(|| failure("a filter needs a list"));
    }
    match value.kind() {
        minijinja::value::ValueKind::Seq | minijinja::value::ValueKind::Iterable => {
            Ok(value.try_iter()?.collect())
        }
        _ => Err(failure("a filter needs a list")),
    }
}

fn length(value: &Expr) -> Result<usize, Error> {
    match value.as_str() {
        Some(_) => Ok(text(value)?.chars().count()),
        None => Ok(items(value)?.len()),
    }
}

/// A value as JSON text, for settings that are JSON inside a text.
fn json(value: &Expr) -> Result<String, Error> {
    if let Some(held) = value.downcast_object_ref::<Held>() {
        return match held.kind {
            Kind::Intrinsic | Kind::ValueFrom => {
                Err(failure("`json` needs the value of an intrinsic function"))
            }
            _ if super::value::holds_intrinsic(&held.value) => {
                Err(failure("`json` needs the value of an intrinsic function"))
            }
            _ => bounded(held.value.to_string()),
        };
    }
    match value.as_str() {
        Some(_) => bounded(serde_json::Value::from(text(value)?).to_string()),
        None if value.is_none() => Ok("null".to_owned()),
        None => match not_text(value) {
            None => Ok(value.to_string()),
            Some(what) => Err(failure(format!("`json` cannot take {what}"))),
        },
    }
}
