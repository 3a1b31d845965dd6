//! Which lines of a template have changed outside its task definitions, told by indentation alone.

use similar::{ChangeTag, TextDiff};

/// The lines removed or added outside the resources with these logical IDs.
pub fn changed_outside(before: &str, after: &str, ids: &[String]) -> Vec<String> {
    let (inside_before, inside_after) = (inside(before, ids), inside(after, ids));
    let is = |flags: &[bool], index: Option<usize>| {
        index.is_some_and(|index| flags.get(index).copied().unwrap_or(false))
    };
    TextDiff::from_lines(before, after)
        .iter_all_changes()
        .filter(|change| match change.tag() {
            ChangeTag::Equal => false,
            ChangeTag::Delete => !is(&inside_before, change.old_index()),
            ChangeTag::Insert => !is(&inside_after, change.new_index()),
        })
        .map(|change| change.to_string())
        .collect()
}

/// For every line, whether it belongs to one of the resources.
fn inside(text: &str, ids: &[String]) -> Vec<bool> {
    let mut within: Option<usize> = None;
    text.lines()
        .map(|line| {
            let body = line.trim_start();
            let indentation = line.len() - body.len();
            let key = body
                .split(':')
                .next()
                .unwrap_or_default()
                .trim_matches(['"', '\'', ' ']);
            if let Some(limit) = within {
                let closes = indentation == limit && body.starts_with(['}', ']']);
                if body.is_empty() || indentation > limit || closes {
                    return true;
                }
                within = None;
            }
            if indentation > 0 && body.contains(':') && ids.iter().any(|id| id == key) {
                within = Some(indentation);
            }
            within.is_some()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::changed_outside;

    #[test]
    fn only_lines_outside_are_reported() {
        let before = "Resources:\n  Task:\n    A: 1\n  Other:\n    B: 1\n";
        let after = "Resources:\n  Task:\n    A: 2\n    C: 1\n  Other:\n    B: 2\n";
        assert_eq!(
            changed_outside(before, after, &["Task".to_owned()]),
            ["    B: 1\n", "    B: 2\n"]
        );
    }
}
