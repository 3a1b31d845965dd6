//! Reads a file, and says in a person's words what is wrong with it.

use std::sync::Arc;

use serde_saphyr::Error;

use super::error::{Place, RecipeError};
use super::file::RecipeFile;

/// Reads a file.
pub(super) fn read(file: &Arc<str>, text: &str) -> Result<RecipeFile, RecipeError> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| explain(file, &error))
}

fn explain(file: &Arc<str>, error: &Error) -> RecipeError {
    let (line, column) = error
        .location()
        .map_or((0, 0), |at| (at.line(), at.column()));
    let place = Place {
        file: Arc::clone(file),
        line,
        column,
    };
    match error.without_snippet() {
        Error::SerdeUnknownField {
            field, expected, ..
        } => RecipeError::new(place, format!("unknown key `{field}`"))
            .near(field, expected.iter().copied()),
        Error::SerdeUnknownVariant {
            variant, expected, ..
        } => {
            let expected: Vec<_> = expected.iter().map(|name| format!("`{name}`")).collect();
            let message = format!("`{variant}` is not one of {}", expected.join(", "));
            RecipeError::new(place, message)
        }
        Error::SerdeMissingField { field, .. } => {
            RecipeError::new(place, format!("the key `{field}` is missing"))
        }
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            RecipeError::new(place, format!("the key `{key}` stands here twice"))
        }
        Error::SerdeInvalidType { expected, .. } => {
            RecipeError::new(place, format!("expected {expected}"))
        }
        Error::Unexpected { expected, .. } => {
            RecipeError::new(place, format!("expected {}", in_words(expected)))
        }
        Error::InvalidScalar { .. } => RecipeError::new(place, "expected a whole number"),
        Error::InvalidBooleanStrict { .. } => RecipeError::new(place, "expected `true` or `false`"),
        Error::MultipleDocuments { .. } => RecipeError::new(place, "a file holds one recipe"),
        Error::Eof { .. } => RecipeError::new(place, "the file is empty"),
        other => RecipeError::new(place, without_place(&other.to_string())),
    }
}

fn in_words(expected: &str) -> &str {
    match expected {
        "string scalar" => "a text",
        "mapping start" => "a map",
        "sequence start" => "a list",
        other => other,
    }
}

/// The parser's message in one line; where it is stands before it already.
fn without_place(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text
        .rfind(" at line ")
        .and_then(|at| text.split_at_checked(at))
    {
        Some((message, _)) => message.to_owned(),
        None => text,
    }
}
