//! How ECS merges a container's entry point and command with those of its image.
//!
//! Mirrors `merge` in moby's `daemon/commit.go`; an empty list counts as absent, as ECS treats it.

/// What a container starts: the program, and the part that `run-task --overrides` can replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process<T> {
    /// The effective entry point.
    pub(crate) entry_point: Vec<T>,
    /// The effective command.
    pub(crate) command: Vec<T>,
}

/// Whether the image's config takes part in the merge.
pub(crate) fn needs_image<T>(entry_point: &[T]) -> bool {
    entry_point.is_empty()
}

/// Merges a container's own lists with those of its image.
///
/// An image's command is inherited only when the container states neither list.
pub(crate) fn merge<T: Clone>(
    entry_point: &[T],
    command: &[T],
    image_entry_point: &[T],
    image_command: &[T],
) -> Process<T> {
    let (entry_point, command) = match (entry_point, command) {
        ([], []) => (image_entry_point, image_command),
        ([], stated) => (image_entry_point, stated),
        (stated, command) => (stated, command),
    };
    Process {
        entry_point: entry_point.to_vec(),
        command: command.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_takes_part_where_no_entry_point_is_stated() {
        assert!(needs_image::<&str>(&[]));
        assert!(!needs_image(&["e"]));
    }

    #[test]
    fn the_table() {
        let image = (["ie"], ["ic"]);
        let runs = |entry_point: &[&'static str], command: &[&'static str]| {
            let merged = merge(entry_point, command, &image.0, &image.1);
            (merged.entry_point, merged.command)
        };
        assert_eq!(runs(&["e"], &["c"]), (vec!["e"], vec!["c"]));
        assert_eq!(runs(&["e"], &[]), (vec!["e"], vec![]));
        assert_eq!(runs(&[], &["c"]), (vec!["ie"], vec!["c"]));
        assert_eq!(runs(&[], &[]), (vec!["ie"], vec!["ic"]));
    }

    #[test]
    fn an_image_without_lists_leaves_the_containers_own() {
        assert_eq!(merge(&[], &["c"], &[], &["ic"]).command, ["c"]);
        assert_eq!(merge(&[], &[], &[], &["ic"]).command, ["ic"]);
    }
}
