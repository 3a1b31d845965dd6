//! Where the result goes.

use std::io;
use std::path::Path;

use crate::console::reason;
use crate::input::Document;
use crate::options::{LockOptions, OutputOptions};
use crate::replace::replace_file_by;
use crate::report::delivery;
use crate::{Console, Failure, Paint, diff, text};

/// The document before and after.
#[derive(Clone, Copy, Debug)]
pub struct Rewrite<'r> {
    /// As it was read.
    pub before: &'r str,
    /// As it is to be written.
    pub after: &'r str,
}

/// The files that a run reads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reads<'r> {
    /// The document, unless it is standard input.
    pub document: Option<&'r Path>,
    /// The options that name the lock file.
    pub lock: Option<&'r LockOptions>,
    /// The settings file.
    pub settings: Option<&'r str>,
}

/// Refuses options that cannot work together, before any work is done.
pub fn validate(options: &OutputOptions, reads: Reads<'_>) -> Result<(), Failure> {
    let file = reads.document;
    if options.in_place && file.is_none_or(|file| file == Path::new("-")) {
        return Err(
            Failure::usage("`--in-place` needs a file, not standard input")
                .hint("name the file, or write elsewhere with `-o FILE`"),
        );
    }
    delivery::validate(options, reads)
}

/// Whether a file's name means standard output: as a file it would be replaced, with whatever else was
/// written to it before.
pub fn is_stdout(path: &Path) -> bool {
    path == Path::new("-") || path == Path::new("/dev/stdout")
}

/// The file that the result goes to; none for standard output.
pub fn target<'o>(options: &'o OutputOptions, file: Option<&'o Path>) -> Option<&'o Path> {
    match &options.output {
        Some(path) if is_stdout(path) => None,
        Some(path) => Some(path),
        None if options.in_place => file,
        None => None,
    }
}

/// Writes the result where the options say: a file, or standard output; or only what changes.
pub fn deliver(
    rewrite: Rewrite<'_>,
    document: &Document,
    options: &OutputOptions,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let Rewrite { before, after } = rewrite;
    let pieces = Pieces {
        pieces: &[after],
        changed: document.bytes != after.as_bytes(),
        diff: &|paint| diff::unified(&document.name, before, after, paint),
    };
    deliver_pieces(&pieces, document, options, console)
}

/// A document after, in pieces: what stays of a large one is not copied.
pub struct Pieces<'p> {
    /// Its text.
    pub pieces: &'p [&'p str],
    /// Whether it is another one than before.
    pub changed: bool,
    /// What changes, for a person.
    pub diff: &'p dyn Fn(Paint) -> String,
}

/// Writes the result where the options say, as [`deliver`].
pub fn deliver_pieces(
    rewrite: &Pieces<'_>,
    document: &Document,
    options: &OutputOptions,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    if options.diff {
        let diff = (rewrite.diff)(console.terminals.stdout);
        console.print(diff.as_bytes())?;
    }
    let pieces = || rewrite.pieces.iter().map(|piece| piece.as_bytes());
    match target(options, document.path.as_deref()) {
        // A file that stays as it is keeps its time of change.
        Some(_) if options.in_place && !rewrite.changed => Ok(()),
        Some(path) => replace_file_by(path, |file| {
            pieces().try_for_each(|piece| file.write_all(piece))
        })
        .map_err(|error| unwritable(path, &error)),
        None if options.diff => Ok(()),
        None => pieces().try_for_each(|piece| console.print(piece)),
    }
}

/// A file that cannot be written, and the way out.
pub fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let name = text::line(&path.to_string_lossy());
    let failure = Failure::failed(format!("cannot write `{name}`: {}", reason(error)));
    match error.kind() {
        io::ErrorKind::NotFound => failure.hint("the folder has to be there"),
        io::ErrorKind::IsADirectory => failure.hint("name a file in it"),
        io::ErrorKind::PermissionDenied => {
            failure.hint("see who may write the file, and into its folder: `ls -la`")
        }
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::{Reads, Rewrite, deliver, validate};
    use crate::input::Document;
    use crate::options::OutputOptions;
    use crate::{Console, Exit, Failure, Paint, Terminals, Variables};

    fn written(
        rewrite: Rewrite<'_>,
        path: Option<&Path>,
        options: &OutputOptions,
    ) -> Result<String, Failure> {
        let (mut stdin, mut stdout, mut stderr) = (std::io::empty(), Vec::new(), Vec::new());
        let mut console = Console {
            stdin: &mut stdin,
            stdout: &mut stdout,
            stderr: &mut stderr,
            terminals: Terminals::default(),
            variables: Variables::default(),
        };
        let document = Document {
            bytes: rewrite.before.as_bytes().to_vec(),
            name: "t".to_owned(),
            path: path.map(Path::to_owned),
        };
        deliver(rewrite, &document, options, &mut console)?;
        assert!(stderr.is_empty());
        Ok(String::from_utf8(stdout).unwrap())
    }

    const CHANGED: Rewrite<'static> = Rewrite {
        before: "a\n",
        after: "b\n",
    };
    const DIFF: &str = "--- t\n+++ t\n@@ -1 +1 @@\n-a\n+b\n";

    fn to_file(output: PathBuf, diff: bool) -> OutputOptions {
        OutputOptions {
            output: Some(output),
            diff,
            ..OutputOptions::default()
        }
    }

    #[test]
    fn to_standard_output_a_document_or_a_diff() {
        let plain = OutputOptions::default();
        let diff = OutputOptions {
            diff: true,
            ..OutputOptions::default()
        };
        assert_eq!(written(CHANGED, None, &plain).unwrap(), "b\n");
        assert_eq!(written(CHANGED, None, &diff).unwrap(), DIFF);
        for stdout in ["-", "/dev/stdout"] {
            let options = to_file(stdout.into(), false);
            assert_eq!(written(CHANGED, None, &options).unwrap(), "b\n");
        }
    }

    #[test]
    fn to_a_file_with_or_without_a_diff() {
        let directory = tempfile::tempdir().unwrap();
        let (first, second) = (directory.path().join("1"), directory.path().join("2"));
        assert_eq!(
            written(CHANGED, None, &to_file(first.clone(), false)).unwrap(),
            ""
        );
        assert_eq!(
            written(CHANGED, None, &to_file(second.clone(), true)).unwrap(),
            DIFF
        );
        assert_eq!(fs::read_to_string(first).unwrap(), "b\n");
        assert_eq!(fs::read_to_string(second).unwrap(), "b\n");
    }

    #[test]
    fn in_place_touches_only_what_changes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t");
        let options = OutputOptions {
            in_place: true,
            ..OutputOptions::default()
        };
        let same = Rewrite {
            before: "a\n",
            after: "a\n",
        };
        assert_eq!(written(same, Some(&path), &options).unwrap(), "");
        assert!(!path.exists());
        assert_eq!(written(CHANGED, Some(&path), &options).unwrap(), "");
        assert_eq!(fs::read_to_string(&path).unwrap(), "b\n");
        let document = Some(path.as_path());
        let reads = Reads {
            document,
            ..Reads::default()
        };
        assert_eq!(validate(&options, reads), Ok(()));
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let failure = written(CHANGED, None, &to_file("no/such/file".into(), false)).unwrap_err();
        assert_eq!(failure.exit, Exit::Failed);
        insta::assert_snapshot!(failure.render(Paint::Plain), @"
        error: cannot write `no/such/file`: no such file or directory
          hint: the folder has to be there
        ");
        let options = OutputOptions {
            in_place: true,
            ..OutputOptions::default()
        };
        let stdin = Reads {
            document: Some(Path::new("-")),
            ..Reads::default()
        };
        let failure = validate(&options, stdin).unwrap_err();
        assert_eq!(validate(&options, Reads::default()), Err(failure.clone()));
        assert_eq!(failure.exit, Exit::Usage);
        insta::assert_snapshot!(failure.render(Paint::Plain), @"
        error: `--in-place` needs a file, not standard input
          hint: name the file, or write elsewhere with `-o FILE`
        ");
    }
}
