//! The files of a run are kept apart: none is written over another that it reads or writes.

use std::path::{Path, PathBuf};

use crate::Failure;
use crate::output::is_stdout;

/// A file, with what it is in a message.
pub type Named<'f> = (&'static str, &'f Path);

/// Refuses to write a file over another one that the run writes, or over one that it reads.
pub fn keep_apart(written: &[Named<'_>], read: &[Named<'_>]) -> Result<(), Failure> {
    for (place, (what, path)) in written.iter().enumerate() {
        let mut others = written.iter().take(place).chain(read);
        if let Some((other, _)) = others.find(|(_, other)| same_file(path, other)) {
            let message = match is_stdout(path) {
                true => format!("the {what} cannot go to standard output, where the {other} goes"),
                false => format!("the {what} would replace the {other}"),
            };
            return Err(Failure::usage(message).hint(format!("name another file for the {what}")));
        }
    }
    Ok(())
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (is_stdout(one), is_stdout(other)) {
        (false, false) => {}
        both => return both == (true, true),
    }
    // Nothing is lost in a device or a pipe.
    let is_kept = one
        .metadata()
        .map_or(true, |found| found.is_file() || found.is_dir());
    is_kept && (one == other || real(one).is_some_and(|path| Some(path) == real(other)))
}

/// The one name of a file, whether it is there or not.
fn real(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok().or_else(|| {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::Paint;

    #[test]
    fn no_file_is_written_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let [plan, lock, link, report] =
            ["plan", "lock", "link", "report"].map(|name| folder.path().join(name));
        fs::write(&lock, "").unwrap();
        std::os::unix::fs::symlink(&lock, &link).unwrap();
        let detour = folder
            .path()
            .join("../")
            .join(folder.path().file_name().unwrap());
        let told = |written: &[Named<'_>]| match keep_apart(written, &[("lock file", &lock)]) {
            Ok(()) => "apart\n".to_owned(),
            Err(failure) => failure.render(Paint::Plain),
        };
        let stdout = Path::new("-");
        let null = Path::new("/dev/null");
        let table = [
            told(&[("plan", &plan), ("report", &report)]),
            told(&[("plan", &plan), ("report", &detour.join("plan"))]),
            told(&[("plan", &plan), ("report", &detour.join("lock"))]),
            told(&[("plan", &link)]),
            told(&[("plan", stdout), ("report", &plan)]),
            told(&[("plan", stdout), ("report", Path::new("/dev/stdout"))]),
            told(&[("plan", null), ("report", null)]),
        ];
        insta::assert_snapshot!(table.concat(), @"
        apart
        error: the report would replace the plan
          hint: name another file for the report
        error: the report would replace the lock file
          hint: name another file for the report
        error: the plan would replace the lock file
          hint: name another file for the plan
        apart
        error: the report cannot go to standard output, where the plan goes
          hint: name another file for the report
        apart
        ");
    }
}
