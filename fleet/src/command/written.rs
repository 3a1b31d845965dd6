//! The files that a run writes.

use std::path::Path;

use cli::apart::{Named, keep_apart};
use cli::output::{is_stdout, unwritable};
use cli::replace::{replace_file, try_replace};
use cli::{Console, Failure};
use serde::Serialize;

use crate::api::Counts;
use crate::trouble::Trouble;

/// The version of the report: it changes when a program that reads it would have to.
const VERSION: u64 = 1;

/// What is told of a run in all accounts and regions.
#[derive(Serialize)]
pub(super) struct RunReport<'r, S> {
    version: u64,
    command: &'static str,
    shards: &'r [S],
    troubles: &'r [Trouble],
    notes: &'r [String],
    /// Calls to find accounts and to enter them.
    calls: Counts,
}

impl<'r, S: Serialize> RunReport<'r, S> {
    pub(super) fn new(
        command: &'static str,
        shards: &'r [S],
        (troubles, notes): (&'r [Trouble], &'r [String]),
        calls: Counts,
    ) -> Self {
        RunReport {
            version: VERSION,
            command,
            shards,
            troubles,
            notes,
            calls,
        }
    }

    /// Writes the report, if there is to be a file.
    pub(super) fn write(
        &self,
        path: Option<&Path>,
        console: &mut Console<'_>,
    ) -> Result<(), Failure> {
        let Some(path) = path else {
            return Ok(());
        };
        // Texts, numbers and lists can always be written.
        let text = serde_json::to_string_pretty(self).unwrap_or_default() + "\n";
        write(path, text.as_bytes(), console)
    }
}

/// Refuses a run whose files could not be written in the end, or of which one would replace another. The first
/// of them are those that are replaced whole.
pub(super) fn ready(
    replaced: &[Named<'_>],
    written: &[Named<'_>],
    read: &[Named<'_>],
) -> Result<(), Failure> {
    keep_apart(&[written, replaced].concat(), read)?;
    let files = replaced.iter().filter(|(_, path)| !is_stdout(path));
    for (_, path) in files {
        try_replace(path).map_err(|error| unwritable(path, &error))?;
    }
    Ok(())
}

/// Writes a file whole, or not at all; or to standard output.
pub(super) fn write(path: &Path, bytes: &[u8], console: &mut Console<'_>) -> Result<(), Failure> {
    match is_stdout(path) {
        true => console.print(bytes),
        false => replace_file(path, bytes).map_err(|error| unwritable(path, &error)),
    }
}

/// The files that there are.
pub(super) fn named<'f, const N: usize>(
    files: [(&'static str, Option<&'f Path>); N],
) -> Vec<Named<'f>> {
    let files = files.into_iter();
    files
        .filter_map(|(what, path)| Some((what, path?)))
        .collect()
}
