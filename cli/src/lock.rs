//! The lock file of a run.

use std::path::{Path, PathBuf};

use registry::{LockFile, Locked};

use crate::input::{DOCUMENT_LIMIT, read_text};
use crate::options::LockOptions;
use crate::{Failure, text};

/// The name of a lock file that nobody names.
pub const LOCK_FILE: &str = "outrigger.lock";

/// Loads the lock file that the options name, or the one beside the document (in the working
/// directory, when the document has no file), when it exists. `required` says that it has to.
pub fn load(
    options: &LockOptions,
    required: bool,
    document: Option<&Path>,
) -> Result<Locked, Failure> {
    let path = path(options, document);
    // What cannot even be looked at is read, so that the error says why.
    if options.lock.is_none() && !path.try_exists().unwrap_or(true) {
        let name = text::line(&path.to_string_lossy());
        if required {
            return Err(Failure::failed(format!("there is no lock file `{name}`"))
                .hint("name one with `--lock FILE`, or write it with `cfn-filter lock`"));
        }
        return Ok(Locked::new(LockFile::new(&name)));
    }
    Ok(Locked::new(parsed(&path)?.0))
}

/// The lock file of a document, whether it exists or not.
pub fn path(options: &LockOptions, document: Option<&Path>) -> PathBuf {
    match &options.lock {
        Some(path) => path.clone(),
        None => document.unwrap_or(Path::new("")).with_file_name(LOCK_FILE),
    }
}

/// A lock file that is to be written, with its text; an empty one without text where there is none.
pub fn read(path: &Path) -> Result<(LockFile, Option<String>), Failure> {
    if path.try_exists().unwrap_or(true) {
        let (file, text) = parsed(path)?;
        return Ok((file, Some(text)));
    }
    Ok((LockFile::new(&path.to_string_lossy()), None))
}

fn parsed(path: &Path) -> Result<(LockFile, String), Failure> {
    let text = read_text(path, DOCUMENT_LIMIT)?;
    let file = LockFile::parse(&text::line(&path.to_string_lossy()), &text).map_err(|error| {
        Failure::failed(error.to_string())
            .hint("a lock file is JSON, as `cfn-filter lock` writes it")
    })?;
    Ok((file, text))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use taskdef::image::{Credentials, ImageRequest, Platform};

    use super::{load, path};
    use crate::options::LockOptions;
    use crate::{Exit, Failure, Paint};

    fn request(reference: &str, platform: Platform) -> ImageRequest {
        ImageRequest {
            reference: reference.to_owned(),
            platform,
            credentials: Credentials::Unstated,
        }
    }

    fn answered(options: &LockOptions, document: &Path) -> Result<bool, Failure> {
        let request = request("nginx:1", Platform::LinuxAmd64);
        let locked = load(options, false, Some(document))?;
        Ok(locked.answers(&BTreeSet::from([request.clone()]))[&request].is_ok())
    }

    const LOCK: &str = r#"{"version": 1, "images": {"docker.io/library/nginx:1": {"linux/amd64": {"cmd": ["x"]}}}}"#;

    #[test]
    fn the_file_beside_the_document_or_the_one_named() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let document = root.join("template.yaml");
        let default = LockOptions::default();
        let named = LockOptions {
            lock: Some(root.join("other.lock")),
            ..LockOptions::default()
        };
        assert_eq!(answered(&default, &document), Ok(false));
        fs::write(root.join("other.lock"), LOCK).unwrap();
        assert_eq!(answered(&default, &document), Ok(false));
        assert_eq!(answered(&named, &document), Ok(true));
        fs::write(root.join("outrigger.lock"), LOCK).unwrap();
        assert_eq!(answered(&default, &document), Ok(true));
        for document in [None, Some(Path::new("t.yaml"))] {
            assert_eq!(path(&default, document), PathBuf::from("outrigger.lock"));
        }
    }

    #[test]
    fn locked_needs_a_file() {
        let failure = load(&LockOptions::default(), true, Some(Path::new("no/t.yaml")));
        let failure = failure.unwrap_err();
        assert_eq!(failure.exit, Exit::Failed);
        insta::assert_snapshot!(failure.render(Paint::Plain), @"
        error: there is no lock file `no/outrigger.lock`
          hint: name one with `--lock FILE`, or write it with `cfn-filter lock`
        ");
        let named = LockOptions {
            lock: Some("no/x.lock".into()),
            ..LockOptions::default()
        };
        let failure = load(&named, false, None).unwrap_err();
        insta::assert_snapshot!(failure.render(Paint::Plain), @"error: cannot read `no/x.lock`: no such file or directory");
    }

    #[test]
    fn a_broken_file_is_an_error_with_its_place() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(
            directory.path().join("outrigger.lock"),
            "{\n  \"version\": 1,\n  \"imgs\": {}\n}",
        )
        .unwrap();
        let failure = load(
            &LockOptions::default(),
            false,
            Some(&directory.path().join("t")),
        );
        let failure = failure.unwrap_err();
        let text = failure
            .render(Paint::Plain)
            .replace(&*directory.path().to_string_lossy(), "DIR");
        insta::assert_snapshot!(text, @"
        error: DIR/outrigger.lock:3:8: unknown field `imgs`, expected `version` or `images`
          hint: a lock file is JSON, as `cfn-filter lock` writes it
        ");
    }
}
