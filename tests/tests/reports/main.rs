//! The report for programs and for pages: where it goes, what reads it, how it looks.
//!
//! Its bytes are pinned by cases with `report.json`, `report.md` or `report.sarif`.

#![cfg(test)]

mod long;
mod page;
mod targets;
mod validator;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use outrigger_tests::case::Case;

/// The files with this ending that cases pin.
fn pinned(file: &str) -> Vec<PathBuf> {
    let cases = Case::all(Path::new("cases"));
    let files = cases.iter().map(|case| case.dir.join(file));
    let files: Vec<PathBuf> = files.filter(|file| file.exists()).collect();
    assert!(files.len() >= 5, "only {} cases pin {file}", files.len());
    files
}

/// The Node.js beside which `tests/reports` is installed; nothing where there is none and none is required.
fn node() -> Option<OsString> {
    let node = std::env::var_os("REPORTS_NODE");
    if node.is_none() {
        let required = std::env::var("OUTRIGGER_TOOLS").as_deref() == Ok("required");
        assert!(!required, "REPORTS_NODE does not say where a Node.js is");
        println!("note: REPORTS_NODE is not set: nothing was tried");
    }
    node
}
