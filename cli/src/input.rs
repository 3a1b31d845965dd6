//! Reading what a person names: documents, recipes, lock files.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use taskdef::nearest::nearest;
use taskdef::source::SourceError;

use crate::console::{Console, reason};
use crate::{Failure, text};

/// The largest document that is read.
pub const DOCUMENT_LIMIT: u64 = 64 << 20;

/// A document, and where it came from.
#[derive(Debug)]
pub struct Document {
    /// Its bytes as they were read.
    pub bytes: Vec<u8>,
    /// Its name in messages: the path as it was given, or `<stdin>`.
    pub name: String,
    /// The file, unless it was standard input.
    pub path: Option<PathBuf>,
}

impl Document {
    /// A failure that concerns the document as a whole.
    pub fn failure(&self, message: &str) -> Failure {
        Failure::failed(format!("{}: {message}", self.name))
    }

    /// A failure at a place in the document: `template.yaml:3:7: ...`.
    pub fn source_failure(&self, error: &SourceError) -> Failure {
        let name = &self.name;
        let failure = match error.place() {
            Some((line, Some(column))) => {
                Failure::failed(format!("{name}:{line}:{column}: {error}"))
            }
            Some((line, None)) => Failure::failed(format!("{name}:{line}: {error}")),
            None => self.failure(&error.to_string()),
        };
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// Reads the document from the file, or from standard input for `-` or no file at all.
///
/// `what` is its kind in messages: `template` or `plan`.
pub fn read_document(
    file: Option<&Path>,
    what: &str,
    console: &mut Console<'_>,
) -> Result<Document, Failure> {
    read_large_document(file, what, DOCUMENT_LIMIT, console)
}

/// The same for documents that may be larger: at most `limit` bytes.
pub fn read_large_document(
    file: Option<&Path>,
    what: &str,
    limit: u64,
    console: &mut Console<'_>,
) -> Result<Document, Failure> {
    match file {
        Some(path) if path != Path::new("-") => {
            let bytes = read_file(path, limit)?;
            Ok(Document {
                bytes,
                name: text::line(&path.to_string_lossy()),
                path: Some(path.to_owned()),
            })
        }
        None if console.terminals.stdin => Err(Failure::usage(format!("no {what} is given")).hint(
            format!("name a file, or pipe the {what} into standard input"),
        )),
        _ => {
            let bytes = read_limited(console.stdin, 0, limit)
                .map_err(|error| unreadable("standard input", limit, &error))?;
            Ok(Document {
                bytes,
                name: "<stdin>".to_owned(),
                path: None,
            })
        }
    }
}

/// Reads a whole file of at most `limit` bytes.
pub fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    read_path(path, limit).map_err(|error| {
        let name = format!("`{}`", text::line(&path.to_string_lossy()));
        let failure = unreadable(&name, limit, &error);
        match error.kind() {
            io::ErrorKind::NotFound => match neighbour(path) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure,
            },
            io::ErrorKind::IsADirectory => failure.hint("name a file in it"),
            io::ErrorKind::PermissionDenied => failure.hint("see who may read it: `ls -l`"),
            _ => failure,
        }
    })
}

/// A file of a similar name in the same folder.
fn neighbour(path: &Path) -> Option<String> {
    let folder = path.parent()?;
    let listed = match folder == Path::new("") {
        true => Path::new("."),
        false => folder,
    };
    let names = std::fs::read_dir(listed).ok()?.flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.collect();
    // The order of a folder is not the same everywhere.
    names.sort_unstable();
    let near = nearest(
        path.file_name()?.to_str()?,
        names.iter().map(String::as_str),
    )?;
    Some(text::line(&folder.join(near).to_string_lossy()))
}

/// Reads a whole file of at most `limit` bytes as UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String, Failure> {
    String::from_utf8(read_file(path, limit)?).map_err(|_| {
        Failure::failed(format!(
            "`{}` is not UTF-8",
            text::line(&path.to_string_lossy())
        ))
    })
}

fn read_path(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    if size > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    read_limited(&mut file, usize::try_from(size).unwrap_or_default(), limit)
}

/// A pipe has no size, and a file may grow: the limit counts what is read.
fn read_limited(input: &mut dyn Read, expected: usize, limit: u64) -> io::Result<Vec<u8>> {
    // One byte more than expected, so that the end is seen without growing.
    let mut bytes = Vec::with_capacity(expected.saturating_add(1));
    let read = input
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    match u64::try_from(read) {
        Ok(read) if read <= limit => Ok(bytes),
        _ => Err(io::ErrorKind::FileTooLarge.into()),
    }
}

fn unreadable(name: &str, limit: u64, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::FileTooLarge => {
            Failure::failed(format!("{name} is larger than {} MiB", limit >> 20))
        }
        _ => Failure::failed(format!("cannot read {name}: {}", reason(error))),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};
    use std::path::Path;

    use super::{Document, read_document, read_file, read_limited, read_text};
    use crate::{Console, Exit, Failure, Paint, Terminals, Variables};

    fn read(
        file: Option<&str>,
        mut stdin: impl Read,
        terminal: bool,
    ) -> Result<(String, Vec<u8>), Failure> {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let terminals = Terminals {
            stdin: terminal,
            ..Terminals::default()
        };
        let mut console = Console {
            stdin: &mut stdin,
            stdout: &mut stdout,
            stderr: &mut stderr,
            terminals,
            variables: Variables::default(),
        };
        read_document(file.map(Path::new), "template", &mut console)
            .map(|document| (document.name, document.bytes))
    }

    #[test]
    fn a_dash_or_nothing_is_standard_input() {
        let expected = ("<stdin>".to_owned(), b"text".to_vec());
        assert_eq!(read(None, &b"text"[..], false), Ok(expected.clone()));
        assert_eq!(read(Some("-"), &b"text"[..], true), Ok(expected));
    }

    #[test]
    fn nothing_at_a_terminal_is_wrong_usage() {
        let failure = read(None, io::empty(), true).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        insta::assert_snapshot!(failure.render(Paint::Plain), @"
        error: no template is given
          hint: name a file, or pipe the template into standard input
        ");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let failure = read(Some("no/such.yaml"), io::empty(), false).unwrap_err();
        assert_eq!(failure.exit, Exit::Failed);
        insta::assert_snapshot!(failure.render(Paint::Plain), @"error: cannot read `no/such.yaml`: no such file or directory");
        let endless = read(None, io::repeat(b' '), false).unwrap_err();
        insta::assert_snapshot!(endless.render(Paint::Plain), @"error: standard input is larger than 64 MiB");
    }

    #[test]
    fn a_place_in_the_document_is_a_place_to_jump_to() {
        let document = Document {
            bytes: vec![],
            name: "t.yaml".to_owned(),
            path: None,
        };
        let text = |text| {
            let error = taskdef::source::Source::parse(text).unwrap_err();
            document.source_failure(&error).render(Paint::Plain)
        };
        insta::assert_snapshot!(text("{\n  \"a\": 1,\n  \"a\": 2\n}"), @"
        error: t.yaml:3:3: the key `a` stands twice in the same object
          hint: remove one of them
        ");
        insta::assert_snapshot!(text("a: 1\n---\nb: 2\n"), @"
        error: t.yaml:2: a second document starts
          hint: give each document a file of its own
        ");
        insta::assert_snapshot!(text(""), @"
        error: t.yaml: the document is empty
          hint: if another program wrote it, see whether that one failed
        ");
        insta::assert_snapshot!(document.failure("it is no template").render(Paint::Plain), @"error: t.yaml: it is no template");
    }

    #[test]
    fn limits_hold_for_files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        std::fs::write(&path, b"\xff23").unwrap();
        assert_eq!(read_file(&path, 3), Ok(b"\xff23".to_vec()));
        assert!(
            read_file(&path, 2).unwrap_err().problems[0]
                .message
                .ends_with("is larger than 0 MiB")
        );
        assert!(
            read_text(&path, 3).unwrap_err().problems[0]
                .message
                .ends_with("is not UTF-8")
        );
        assert!(read_limited(&mut &b"123"[..], 0, 2).is_err());
    }
}
