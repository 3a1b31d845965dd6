//! Where the settings file of a document is.

use std::fs;
use std::path::{Path, PathBuf};

/// The name of the settings file.
pub(super) const SETTINGS_FILE: &str = "outrigger.yaml";

/// The settings file of a document: beside it or in a folder above, up to the root of the
/// repository. Outside of a repository only the document's own folder is looked at, because
/// the folders above may be anybody's.
///
/// `folder` is the document's; empty for the working directory.
pub(super) fn find(folder: &Path) -> Option<PathBuf> {
    let given = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let start = fs::canonicalize(given).ok()?;
    let root = start
        .ancestors()
        .find(|folder| folder.join(".git").exists());
    let last = root.unwrap_or(&start);
    let mut folders = start
        .ancestors()
        .take_while(|folder| folder.starts_with(last));
    let found = folders.find(|folder| holds(folder))?;
    Some(shown(found, &start, folder).join(SETTINGS_FILE))
}

/// What cannot even be looked at is found, so that reading it says why.
fn holds(folder: &Path) -> bool {
    folder.join(SETTINGS_FILE).try_exists().unwrap_or(true)
}

/// The folder as a person would write it: as the document's folder is written, or from the
/// working directory.
fn shown(found: &Path, start: &Path, given: &Path) -> PathBuf {
    if found == start {
        return given.to_owned();
    }
    let working = fs::canonicalize(".").unwrap_or_default();
    match found.strip_prefix(&working) {
        Ok(relative) => relative.to_owned(),
        Err(_) => found.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::find;

    #[test]
    fn upwards_to_the_root_of_the_repository() {
        let outside = tempfile::tempdir().unwrap();
        let outside = outside.path().canonicalize().unwrap();
        let repository = outside.join("repository");
        let deep = repository.join("a/b");
        fs::create_dir_all(&deep).unwrap();
        fs::write(outside.join("outrigger.yaml"), "").unwrap();
        // Without a repository only the folder itself counts.
        assert_eq!(find(&deep), None);
        assert_eq!(find(&outside), Some(outside.join("outrigger.yaml")));
        fs::create_dir(repository.join(".git")).unwrap();
        assert_eq!(find(&deep), None);
        fs::write(repository.join("outrigger.yaml"), "").unwrap();
        assert_eq!(find(&deep), Some(repository.join("outrigger.yaml")));
        fs::write(repository.join("a/outrigger.yaml"), "").unwrap();
        assert_eq!(find(&deep), Some(repository.join("a/outrigger.yaml")));
        assert_eq!(find(&repository), Some(repository.join("outrigger.yaml")));
    }

    #[test]
    fn named_as_the_folder_is() {
        let folder = tempfile::tempdir_in(".").unwrap();
        let name = Path::new(folder.path().file_name().unwrap());
        fs::write(name.join("outrigger.yaml"), "").unwrap();
        let expected = name.join("outrigger.yaml");
        assert_eq!(find(name), Some(expected.clone()));
        fs::create_dir_all(name.join("below")).unwrap();
        fs::create_dir(name.join(".git")).unwrap();
        assert_eq!(find(&name.join("below")), Some(expected));
        assert_eq!(find(&name.join("not-there")), None);
    }
}
