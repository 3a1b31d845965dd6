//! What `docs/findings.md` says of each kind of finding: the page is the one place where it stands.

/// The page, as it was when the program was built.
const PAGE: &str = include_str!("../../../docs/findings.md");

/// What is said of a kind of finding; texts may hold markdown, but no links within the documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Explanation {
    /// Its usual severity; the most severe where there are several.
    pub(super) severity: &'static str,
    /// What it means.
    pub(super) meaning: String,
    /// The way out.
    pub(super) way_out: String,
}

/// What the page says of a code.
pub(super) fn explanation(code: &str) -> Option<Explanation> {
    let row = PAGE.lines().find_map(|line| {
        let rest = line.strip_prefix("| `")?.strip_prefix(code)?;
        rest.strip_prefix("` | ")?.strip_suffix(" |")
    })?;
    let mut cells = row.split(" | ");
    let (severity, meaning, way_out) = (cells.next()?, cells.next()?, cells.next()?);
    let usual = ["error", "warning", "note"];
    Some(Explanation {
        severity: usual.into_iter().find(|word| severity.contains(word))?,
        meaning: without_links(meaning, |target| target.starts_with("https://")),
        way_out: without_links(way_out, |target| target.starts_with("https://")),
    })
}

/// The text without markdown.
pub(super) fn plain(markdown: &str) -> String {
    without_links(markdown, |_| false).replace('`', "")
}

/// The text with the words of each link in its place, but for those that are kept.
fn without_links(markdown: &str, is_kept: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    let mut rest = markdown;
    while let Some((before, words, target, after)) = next_link(rest) {
        text.push_str(before);
        match is_kept(target) {
            true => text.push_str(&format!("[{words}]({target})")),
            false => text.push_str(words),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

fn next_link(text: &str) -> Option<(&str, &str, &str, &str)> {
    let (start, rest) = text.split_once("](")?;
    let (before, words) = start.rsplit_once('[')?;
    let (target, after) = rest.split_once(')')?;
    Some((before, words, target, after))
}

#[cfg(test)]
mod tests {
    use taskdef::report::Code;

    use super::{explanation, plain};

    #[test]
    fn every_code_is_explained() {
        for code in Code::ALL {
            let explained = explanation(code.as_str());
            let explained = explained.unwrap_or_else(|| panic!("`{code}` has no row"));
            for text in [&explained.meaning, &explained.way_out] {
                assert!(text.ends_with(['.', ')']), "`{code}`: {text}");
                assert!(
                    !text.contains(".md") && !text.contains("](#"),
                    "`{code}`: {text}"
                );
            }
        }
        assert_eq!(explanation("no-such-code"), None);
    }

    #[test]
    fn links_within_the_documents_lead_nowhere_elsewhere() {
        let explained = explanation("needs-execution-role").unwrap();
        assert_eq!(explained.severity, "error");
        assert_eq!(explained.way_out, "Give it an execution role.");
        let meaning = "`a` need an [role](https://x.y/z.html), [b](c.md#d)";
        assert_eq!(plain(meaning), "a need an role, b");
    }
}
