//! A unified diff.

use similar::{ChangeTag, TextDiff};

use crate::{Paint, text};

/// What changes from `old` to `new`, as a [unified diff] that `patch` reads; empty when they are equal.
///
/// [unified diff]: https://www.gnu.org/software/diffutils/manual/html_node/Unified-Format.html
pub fn unified(name: &str, old: &str, new: &str, paint: Paint) -> String {
    let diff = TextDiff::from_lines(old, new);
    let mut unified = diff.unified_diff();
    let mut shown = String::new();
    for hunk in unified.context_radius(3).iter_hunks() {
        if shown.is_empty() {
            shown.push_str(&format!("{}\n", paint.strong(format_args!("--- {name}"))));
            shown.push_str(&format!("{}\n", paint.strong(format_args!("+++ {name}"))));
        }
        shown.push_str(&format!("{}\n", paint.place(hunk.header())));
        for change in hunk.iter_changes() {
            push_line(&mut shown, change.tag(), change.value(), paint);
        }
    }
    shown
}

fn push_line(shown: &mut String, tag: ChangeTag, value: &str, paint: Paint) {
    let (value, ended) = match value.strip_suffix('\n') {
        Some(value) => (value, true),
        None => (value, false),
    };
    // On a terminal a document must not move the cursor; in a file the bytes have to be exact.
    let value = match paint {
        Paint::Plain => value.to_owned(),
        Paint::Colored => text::line(value.strip_suffix('\r').unwrap_or(value)),
    };
    shown.push_str(&match tag {
        ChangeTag::Equal => format!(" {value}"),
        ChangeTag::Delete => paint.removed(format_args!("-{value}")),
        ChangeTag::Insert => paint.good(format_args!("+{value}")),
    });
    shown.push_str(if ended {
        "\n"
    } else {
        "\n\\ No newline at end of file\n"
    });
}

#[cfg(test)]
mod tests {
    use super::unified;
    use crate::Paint;

    #[test]
    fn shows_what_changes() {
        let old = "a\nb\nc\nd\ne\nf\n";
        insta::assert_snapshot!(unified("t.yaml", old, "a\nb\nc\nd\nE\nf\ng", Paint::Plain), @r"
        --- t.yaml
        +++ t.yaml
        @@ -2,5 +2,6 @@
         b
         c
         d
        -e
        +E
         f
        +g
        \ No newline at end of file
        ");
        assert_eq!(unified("t.yaml", old, old, Paint::Plain), "");
    }

    #[test]
    fn colors_and_carriage_returns() {
        assert_eq!(
            unified("t", "a\r\n", "b\r\n", Paint::Colored),
            "\u{1b}[1m--- t\u{1b}[0m\n\u{1b}[1m+++ t\u{1b}[0m\n\u{1b}[36m@@ -1 +1 @@\u{1b}[0m\n\u{1b}[31m-a\u{1b}[0m\n\u{1b}[32m+b\u{1b}[0m\n"
        );
        assert_eq!(
            unified("t", "a\r\n", "b\r\n", Paint::Plain),
            "--- t\n+++ t\n@@ -1 +1 @@\n-a\r\n+b\r\n"
        );
    }
}
