//! Foreign text on a terminal: nothing in a document may move the cursor or turn the text round.

use std::fmt::Write as _;

/// Whether a character would act on the terminal instead of showing itself: controls, and the
/// [directional formatting characters](https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters).
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The text on one line: line breaks and whatever acts on a terminal are shown escaped.
pub fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The text with its line breaks, each further line indented; the rest as in [`line()`].
pub fn lines(text: &str, indent: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (position, part) in text.trim_end().lines().enumerate() {
        if position > 0 {
            shown.push('\n');
            if !part.is_empty() {
                shown.push_str(indent);
            }
        }
        shown.push_str(&line(part));
    }
    shown
}

/// A process as one would type it in a shell, for reading: each word quoted where it has to be.
pub fn command_line<W: AsRef<str>>(words: &[W]) -> String {
    let mut shown = String::new();
    for word in words {
        if !shown.is_empty() {
            shown.push(' ');
        }
        push_word(&mut shown, word.as_ref());
    }
    shown
}

fn push_word(shown: &mut String, word: &str) {
    let bare = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(bare) {
        shown.push_str(word);
    } else if word.chars().any(acts) {
        push_ansi_c(shown, word);
    } else {
        shown.push('\'');
        shown.push_str(&word.replace('\'', r"'\''"));
        shown.push('\'');
    }
}

/// Quotes as bash does with `$'...'`, the only form that shows a line break on one line.
fn push_ansi_c(shown: &mut String, word: &str) {
    shown.push_str("$'");
    for c in word.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            '\\' => shown.push_str("\\\\"),
            '\'' => shown.push_str("\\'"),
            c if acts(c) && c.is_ascii() => {
                // Writing to a String does not fail.
                let _ = write!(shown, "\\x{:02x}", u32::from(c));
            }
            c if acts(c) => {
                let _ = write!(shown, "\\u{:04x}", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    shown.push('\'');
}

/// `1 task definition`, `2 task definitions`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    let word = if number == 1 { one } else { many };
    format!("{number} {word}")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{command_line, line, lines};

    #[test]
    fn words_are_quoted_where_they_have_to_be() {
        let shown = command_line(&[
            "nginx",
            "-g",
            "daemon off;",
            "",
            "it's",
            "a=b",
            "$HOME",
            "!Ref X",
            "a\n\t\\b",
            "é",
        ]);
        insta::assert_snapshot!(shown, @r"nginx -g 'daemon off;' '' 'it'\''s' a=b '$HOME' '!Ref X' $'a\n\t\\b' 'é'");
    }

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        let words = [
            "it's",
            "a\nb",
            "\u{1b}[0m",
            "back\\slash\n",
            "",
            "é\u{202e}",
            "$(x) `y` \"z\"",
        ];
        let script = format!("printf '%s\\0' {}", command_line(&words));
        let Ok(output) = Command::new("bash")
            .args(["-c", &script])
            .env("LC_ALL", "C.UTF-8")
            .output()
        else {
            return; // No bash on this machine: the snapshot above still holds.
        };
        let read: Vec<_> = String::from_utf8(output.stdout)
            .unwrap()
            .split_terminator('\0')
            .map(str::to_owned)
            .collect();
        assert_eq!(read, words);
    }

    #[test]
    fn what_acts_on_a_terminal_is_escaped() {
        assert_eq!(
            line("a\u{1b}[2Jb\nc\u{202e}é"),
            "a\\u{1b}[2Jb\\nc\\u{202e}é"
        );
        assert_eq!(lines("a\r\n\nb\u{7}\n", "  "), "a\n\n  b\\u{7}");
    }
}
