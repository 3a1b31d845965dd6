//! Foreign text in GitHub's markdown and in Mermaid: it stays text, whatever it holds.
//!
//! Whatever means something is written as a numeric character reference, which
//! [CommonMark](https://spec.commonmark.org/0.31.2/#entity-and-numeric-character-references) never
//! takes for structure.

use std::fmt::Write as _;

use crate::text;

/// How much of one text is shown.
const LONGEST: usize = 400;

/// The beginning of a text that is too long to be read, with a sign that it goes on.
pub(super) fn beginning(text: &str, longest: usize) -> String {
    let mut chars = text.chars();
    let mut shown: String = chars.by_ref().take(longest).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// A name in a code span: in backticks where it is plain, which is read more easily in the source.
pub(super) fn code(name: &str) -> String {
    // In a table a bar ends the cell, in a code span, too.
    let is_plain = !name.is_empty() && !name.contains(['`', '|']);
    match is_plain && name.trim() == name && text::line(name) == name {
        true => format!("`{}`", beginning(name, LONGEST)),
        false => html_code(name),
    }
}

/// A name in a code span where markdown is not read: in the line of a `<summary>`.
pub(super) fn html_code(name: &str) -> String {
    let name = text::line(&beginning(name, LONGEST));
    format!("<code>{}</code>", references(&name, |c| !is_word(c)))
}

/// A text for a person, in which what stands in backticks is the user's; in one line.
pub(super) fn prose(message: &str) -> String {
    let message = text::line(&beginning(message, LONGEST * 4));
    let mut parts: Vec<&str> = message.split('`').collect();
    // A backtick without a partner is one.
    let odd = match parts.len().is_multiple_of(2) {
        true => parts.pop(),
        false => None,
    };
    let mut shown = String::new();
    for (position, part) in parts.iter().enumerate() {
        match position.is_multiple_of(2) {
            true => shown.push_str(&plain(part, shown.is_empty())),
            false => shown.push_str(&code(part)),
        }
    }
    if let Some(odd) = odd {
        shown.push_str("&#96;");
        shown.push_str(&plain(odd, false));
    }
    shown
}

/// The lines of a text for a person.
pub(super) fn prose_lines(message: &str) -> String {
    let lines = message.trim_end().lines().take(20);
    lines.map(prose).collect::<Vec<_>>().join("<br>")
}

/// Text that means nothing; at the start of a line also no list, heading or rule.
fn plain(part: &str, at_start: bool) -> String {
    let mut shown = String::new();
    for (position, c) in part.chars().enumerate() {
        let first = at_start && position == 0;
        if "&<>\\`*_[]~|$".contains(c) || first && !c.is_alphabetic() {
            push_reference(&mut shown, c);
        } else {
            shown.push(c);
        }
        // GitHub would tell a person, or link an issue.
        if matches!(c, '@' | '#') {
            shown.push('\u{2060}');
        }
    }
    // GitHub links what looks like an address.
    shown.replace("://", "&#58;//").replace("www.", "www&#46;")
}

/// A name as the label of a node or an edge in [Mermaid](https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters),
/// where it stands in quotes.
pub(super) fn label(name: &str, longest: usize) -> String {
    let name = text::line(&beginning(name, longest));
    let mut shown = String::new();
    for (position, c) in name.chars().enumerate() {
        // `1. x` and `- x` would be lists.
        let is_plain = is_word(c) || position > 0 && " -.:/".contains(c);
        match is_plain && (position > 0 || !c.is_numeric()) {
            true => shown.push(c),
            // Writing to a String does not fail.
            false => drop(write!(shown, "#{};", u32::from(c))),
        }
    }
    shown
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || !c.is_ascii()
}

fn references(text: &str, escaped: impl Fn(char) -> bool) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        match escaped(c) && !" -.:/".contains(c) {
            true => push_reference(&mut shown, c),
            false => shown.push(c),
        }
    }
    shown
}

fn push_reference(shown: &mut String, c: char) {
    // Writing to a String does not fail.
    let _ = write!(shown, "&#{};", u32::from(c));
}

/// A block of lines that no line of it can end, in this language.
pub(super) fn fenced(language: &str, lines: &[String]) -> String {
    let longest = lines.iter().map(|line| longest_run(line)).max();
    let fence = "`".repeat(longest.unwrap_or_default().max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

fn longest_run(line: &str) -> usize {
    let runs = line.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{beginning, code, fenced, html_code, label, prose, prose_lines};

    #[test]
    fn names() {
        assert_eq!(code("nginx:1.27@sha256:ab"), "`nginx:1.27@sha256:ab`");
        assert_eq!(code("<b> ${X}"), "`<b> ${X}`");
        assert_eq!(code(""), "<code></code>");
        assert_eq!(code(" x"), "<code> x</code>");
        assert_eq!(code("a`b|c"), "<code>a&#96;b&#124;c</code>");
        assert_eq!(
            code("<script>\n\u{202e}"),
            "<code>&#60;script&#62;&#92;n&#92;u&#123;202e&#125;</code>"
        );
        assert_eq!(html_code("web_1 @x"), "<code>web&#95;1 &#64;x</code>");
        assert_eq!(beginning("äöü", 2), "äö…");
    }

    #[test]
    fn messages() {
        assert_eq!(
            prose("the image `a:1` is _not_ there"),
            "the image `a:1` is &#95;not&#95; there"
        );
        assert_eq!(
            prose("odd ` and <b> @me #1 https://x www.x"),
            "odd &#96; and &#60;b&#62; @\u{2060}me #\u{2060}1 https&#58;//x www&#46;x"
        );
        assert_eq!(prose("# x"), "&#35;\u{2060} x");
        assert_eq!(prose("1. x"), "&#49;. x");
        assert_eq!(prose("`a`b`<c>`"), "`a`b`<c>`");
        assert_eq!(prose_lines("a\n- b\n"), "a<br>&#45; b");
    }

    #[test]
    fn labels_of_a_graph() {
        assert_eq!(label("web-app.1", 40), "web-app.1");
        assert_eq!(label("1. a", 40), "#49;. a");
        assert_eq!(label("a\"];b`", 40), "a#34;#93;#59;b#96;");
        assert_eq!(label("- a_b", 40), "#45; a#95;b");
    }

    #[test]
    fn a_block_ends_where_it_should() {
        let lines = ["a ```` b".to_owned()];
        assert_eq!(fenced("diff", &lines), "`````diff\na ```` b\n`````\n");
        assert_eq!(fenced("", &["x".to_owned()]), "```\nx\n```\n");
    }
}
