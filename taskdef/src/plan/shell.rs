//! Words quoted for a shell, so that they are the same words there; and variables that it loses.

use serde_json::Value;

use crate::cloudformation::intrinsic::{function, scalar_text};
use crate::container::View;
use crate::report::Code;

use super::Refusal;

/// Words as a line for `sh`; a word stays bare only where it certainly means itself.
pub(crate) fn shell_line(words: &[Value]) -> Result<String, Refusal> {
    let first = words.first().and_then(scalar_text);
    if first.is_some_and(|word| word.starts_with('-')) {
        return Err(cannot_quote("the program's name starts with `-`"));
    }
    let quoted: Result<Vec<String>, Refusal> = words
        .iter()
        .enumerate()
        .map(|(position, word)| match scalar_text(word) {
            Some(text) if !text.contains('\0') => Ok(quoted(&text, position == 0)),
            Some(_) => Err(cannot_quote("a word contains a NUL character")),
            None => Err(cannot_quote("a word is an intrinsic function")),
        })
        .collect();
    Ok(quoted?.join(" "))
}

pub(crate) fn cannot_quote(why: &str) -> Refusal {
    Refusal::new(
        Code::CannotQuote,
        format!("{why}, which cannot be quoted for a shell"),
        "write entry point and command as literal texts",
    )
}

/// Refuses variables that a shell does not pass on: `dash` and BusyBox's `sh` drop each whose name
/// is no name in their language.
pub(crate) fn check_variables(view: View<'_>) -> Result<(), Refusal> {
    let mut lost = Vec::new();
    for list in ["environment", "secrets"] {
        collect_lost(view.get(list).unwrap_or(&Value::Null), &mut lost);
    }
    if lost.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = lost.iter().map(|name| format!("`{name}`")).collect();
    Err(Refusal::new(
        Code::ShellDropsVariable,
        format!(
            "the program is started by a shell, which may not pass on {}",
            names.join(", ")
        ),
        "take names of letters, digits and underscores, or a way to wrap without a shell",
    ))
}

/// The names in a list of variables, under whatever condition, that a shell may drop.
fn collect_lost<'v>(value: &'v Value, lost: &mut Vec<&'v str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_lost(item, lost)),
        Value::Object(map) if function(value).is_some() => {
            map.values().for_each(|item| collect_lost(item, lost));
        }
        Value::Object(map) => {
            let mut members = map.iter();
            let name = members.find(|(key, _)| key.eq_ignore_ascii_case("name"));
            let name = name.and_then(|(_, name)| name.as_str());
            lost.extend(name.filter(|name| !is_passed_on(name)));
        }
        _ => {}
    }
}

/// Whether a shell could set this variable itself; one that is named by a loop is not judged.
fn is_passed_on(name: &str) -> bool {
    let is_letter = |char: char| char.is_ascii_alphabetic() || char == '_';
    let is_name = name.starts_with(is_letter)
        && name
            .chars()
            .all(|char| is_letter(char) || char.is_ascii_digit());
    is_name || name.contains("${") || name.contains("&{")
}

/// Reserved words and assignments would mean something else in the first place.
fn quoted(word: &str, first: bool) -> String {
    const KEYWORDS: &[&str] = &[
        "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until",
        "while", "function", "select", "time", "coproc",
    ];
    let bare = !word.is_empty()
        && word
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "_@%+:,./-".contains(char))
        && !(first && KEYWORDS.contains(&word));
    match bare {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn quoting_survives_a_real_shell(words in proptest::collection::vec("[^\0]{0,12}|[a-z$'\"\\\\ \n!*?~#&|;<>()`=]{0,8}", 1..12)) {
            let program = ["printf".to_owned(), "%s\\0".to_owned()];
            let line: Vec<Value> = program.iter().chain(&words).map(|word| json!(word)).collect();
            let line = shell_line(&line).unwrap();
            let output = std::process::Command::new("sh").arg("-c").arg(format!("exec {line}")).output().unwrap();
            let expected: String = words.iter().map(|word| format!("{word}\0")).collect();
            prop_assert_eq!(String::from_utf8_lossy(&output.stdout).into_owned(), expected);
        }
    }
}
