//! The report of a run, as a file.

use std::path::Path;

use cli::Failure;
use cli::console::reason;
use cli::replace::replace_file;
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
    pub(super) fn write(&self, path: Option<&Path>) -> Result<(), Failure> {
        let Some(path) = path else {
            return Ok(());
        };
        // Texts, numbers and lists can always be written.
        let text = serde_json::to_string_pretty(self).unwrap_or_default() + "\n";
        write(path, text.as_bytes(), "the report")
    }
}

/// Writes a file whole, or not at all.
pub(super) fn write(path: &Path, bytes: &[u8], what: &str) -> Result<(), Failure> {
    replace_file(path, bytes).map_err(|error| {
        let name = cli::text::line(&path.to_string_lossy()).to_string();
        Failure::failed(format!(
            "cannot write {what} to `{name}`: {}",
            reason(&error)
        ))
    })
}
