//! The document's file, as code scanning finds it in the repository.

use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use super::log::ArtifactLocation;

/// Relative to the root of the repository that the file is in; outside of one as it was given,
/// which is relative to the working directory, or absolute.
pub(super) fn artifact(path: &Path) -> ArtifactLocation {
    let (relative, uri_base_id) = match in_repository(path) {
        Some(relative) => (relative, Some("%SRCROOT%")),
        None if path.is_absolute() => (path.to_owned(), None),
        None => (path.to_owned(), Some("%SRCROOT%")),
    };
    let uri = segments(&relative);
    ArtifactLocation {
        uri: match uri_base_id {
            Some(_) => uri,
            None => format!("file:///{uri}"),
        },
        uri_base_id,
    }
}

/// The way from the root of the repository.
fn in_repository(path: &Path) -> Option<PathBuf> {
    // The file's own name stays, also where it is a link.
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize().ok()?;
    // In a work tree `.git` is a file.
    let root = folder
        .ancestors()
        .find(|folder| folder.join(".git").exists())?;
    let inner = folder.strip_prefix(root).ok()?;
    Some(inner.join(path.file_name()?))
}

/// The names of a path as those of a URI.
fn segments(path: &Path) -> String {
    let mut names: Vec<String> = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(encoded(&name.to_string_lossy())),
            Component::ParentDir => match names.last().is_none_or(|last| last == "..") {
                true => names.push("..".to_owned()),
                false => drop(names.pop()),
            },
            Component::Prefix(drive) => names.push(encoded(&drive.as_os_str().to_string_lossy())),
            Component::CurDir | Component::RootDir => {}
        }
    }
    names.join("/")
}

/// [Percent-encoded](https://www.rfc-editor.org/rfc/rfc3986#section-2.1), but for what a URI may hold anywhere.
fn encoded(name: &str) -> String {
    let mut shown = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            shown.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(shown, "%{byte:02X}");
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::artifact;

    #[test]
    fn a_file_is_named_from_the_root_of_its_repository() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("infra/a b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(folder.path().join(".git"), "gitdir: elsewhere").unwrap();
        let found = artifact(&inner.join("../a b/té.yaml"));
        assert_eq!(found.uri, "infra/a%20b/t%C3%A9.yaml");
        assert_eq!(found.uri_base_id, Some("%SRCROOT%"));
    }

    #[test]
    fn outside_of_one_it_is_named_as_it_was_given() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.yaml");
        let found = artifact(&path);
        assert_eq!(found.uri, format!("file://{}", path.display()));
        assert_eq!(found.uri_base_id, None);
        let missing = artifact(Path::new("no/./such/../folder/t.yaml"));
        assert_eq!(missing.uri, "no/folder/t.yaml");
        assert_eq!(
            artifact(Path::new("../../no/t.yaml")).uri,
            "../../no/t.yaml"
        );
    }
}
