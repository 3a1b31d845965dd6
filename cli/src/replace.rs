//! Writing a file whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;

/// Puts the bytes into the file, as [`replace_file_by`].
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_file_by(path, |file| file.write_all(bytes))
}

/// Finds out whether a file could be replaced, and leaves it as it is. A pipe or a device is not tried: whoever
/// reads it would take that for the end.
pub fn try_replace(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => Ok(()),
        _ => {
            let ready = prepare(path, |_| Ok(()))?;
            ready.iter().for_each(Prepared::drop_it);
            Ok(())
        }
    }
}

/// Puts texts into files, all of them or none as far as that can be: every text is written beside
/// its file before the first of them takes its place.
pub fn replace_files<'f>(
    files: impl IntoIterator<Item = (&'f Path, &'f [u8])>,
) -> Result<(), (PathBuf, io::Error)> {
    let mut prepared: Vec<Prepared> = Vec::new();
    for (path, bytes) in files {
        match prepare(path, |file| file.write_all(bytes)) {
            Ok(ready) => prepared.extend(ready),
            Err(error) => {
                prepared.iter().for_each(Prepared::drop_it);
                return Err((path.to_owned(), error));
            }
        }
    }
    for (number, ready) in prepared.iter().enumerate() {
        if let Err(error) = fs::rename(&ready.temporary, &ready.target) {
            prepared.iter().skip(number).for_each(Prepared::drop_it);
            return Err((ready.target.clone(), error));
        }
    }
    Ok(())
}

/// A file that is written and has yet to take its place.
struct Prepared {
    temporary: PathBuf,
    target: PathBuf,
}

impl Prepared {
    fn drop_it(&self) {
        // The first error is the one to report.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Has the file written: written beside it under another name, then renamed, so that nobody
/// ever sees half of them.
///
/// A symbolic link stays, and what it points to is replaced. An existing file keeps its permissions
/// (and its owner, where that is allowed), and has to be writable. What is no regular file (a pipe,
/// a device) is written to as it is.
pub fn replace_file_by(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let Some(ready) = prepare(path, write)? else {
        return Ok(());
    };
    fs::rename(&ready.temporary, &ready.target).inspect_err(|_| ready.drop_it())
}

/// Writes beside the file what is to take its place; nothing where it was written to as it is.
fn prepare(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<Option<Prepared>> {
    // Before links are followed: `/dev/stdout` ends in a link that names no file.
    let existing = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if !metadata.is_file() => return write_through(path, write).map(|()| None),
        Ok(metadata) => {
            // A rename would replace a read-only file too: whoever made it so did not mean that.
            OpenOptions::new().write(true).open(path)?;
            Some(metadata)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let target = follow(path)?;
    let (mut file, temporary) = create_beside(&target)?;
    let ready = Prepared { temporary, target };
    write(&mut file)
        .and_then(|()| existing.map_or(Ok(()), |metadata| copy_ownership(&file, &metadata)))
        // Without it a crash after the rename could leave an empty file.
        .and_then(|()| file.sync_all())
        .inspect_err(|_| ready.drop_it())?;
    Ok(Some(ready))
}

/// The file that a path names at the end of its symbolic links, whether it exists or not.
fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    // The limit is Linux's own.
    for _ in 0..40 {
        match fs::read_link(&target) {
            Ok(link) => target = target.parent().unwrap_or(Path::new("")).join(link),
            // Not a link, or not there.
            Err(_) => return Ok(target),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

fn write_through(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    match write(&mut OpenOptions::new().write(true).open(path)?) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Creates a new file in the target's directory, so that the rename stays within one file system.
fn create_beside(target: &Path) -> io::Result<(File, PathBuf)> {
    let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    for attempt in 0..100_u8 {
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}-{attempt}.tmp", process::id()));
        let temporary = target.with_file_name(hidden);
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
        {
            Ok(file) => return Ok((file, temporary)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn copy_ownership(file: &File, metadata: &fs::Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let created = file.metadata()?;
        if (created.uid(), created.gid()) != (metadata.uid(), metadata.gid()) {
            // Only root may give files away. Before the permissions, because it clears set-id bits.
            let _ = fchown(file, Some(metadata.uid()), Some(metadata.gid()));
        }
    }
    let permissions: Permissions = metadata.permissions();
    file.set_permissions(permissions)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    use super::{replace_file, try_replace};

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_tried_stays_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        try_replace(&path).unwrap();
        assert_eq!(names(directory.path()), [""; 0]);
        fs::write(&path, "old").unwrap();
        try_replace(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(directory.path()), ["report.json"]);
        try_replace(&directory.path().join("none/report.json")).unwrap_err();
        try_replace(directory.path()).unwrap_err();
        try_replace(Path::new("/dev/null")).unwrap();
    }

    #[test]
    fn an_existing_file_keeps_its_permissions() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("template.yaml");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o641)).unwrap();
        replace_file(&path, b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
            0o641
        );
        assert_eq!(names(directory.path()), ["template.yaml"]);
    }

    #[test]
    fn a_new_file_has_the_permissions_of_any_new_file() {
        let directory = tempfile::tempdir().unwrap();
        let (ours, plain) = (directory.path().join("a"), directory.path().join("b"));
        replace_file(&ours, b"new").unwrap();
        fs::write(&plain, "new").unwrap();
        assert_eq!(fs::read_to_string(&ours).unwrap(), "new");
        assert_eq!(
            fs::metadata(&ours).unwrap().permissions(),
            fs::metadata(&plain).unwrap().permissions()
        );
    }

    #[test]
    fn links_stay_and_their_targets_are_written() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir(root.join("real")).unwrap();
        fs::write(root.join("real/file"), "old").unwrap();
        symlink("real/file", root.join("link")).unwrap();
        symlink("link", root.join("second")).unwrap();
        symlink("real/missing", root.join("dangling")).unwrap();
        replace_file(&root.join("second"), b"new").unwrap();
        replace_file(&root.join("dangling"), b"made").unwrap();
        assert_eq!(fs::read_to_string(root.join("real/file")).unwrap(), "new");
        assert_eq!(
            fs::read_to_string(root.join("real/missing")).unwrap(),
            "made"
        );
        assert!(
            fs::symlink_metadata(root.join("second"))
                .unwrap()
                .is_symlink()
        );
        assert_eq!(names(&root.join("real")), ["file", "missing"]);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir(root.join("folder")).unwrap();
        symlink("circle", root.join("circle")).unwrap();
        assert!(replace_file(&root.join("folder"), b"x").is_err());
        assert!(replace_file(&root.join("none/file"), b"x").is_err());
        assert!(replace_file(&root.join("circle"), b"x").is_err());
        assert!(replace_file(Path::new(".."), b"x").is_err());
        assert_eq!(names(root), ["circle", "folder"]);
    }

    #[test]
    fn a_device_is_written_to_as_it_is() {
        replace_file(Path::new("/dev/null"), b"x").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
