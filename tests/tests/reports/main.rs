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

#[test]
fn no_report_shows_a_credential_that_is_part_of_an_image() {
    let mut shown = 0;
    for ending in ["txt", "json", "md", "sarif"] {
        for report in pinned(&format!("report.{ending}")) {
            let text = std::fs::read_to_string(&report).unwrap();
            assert!(!text.contains("tw_token"), "{}", report.display());
            let dir = report.parent().unwrap();
            let args = std::fs::read_to_string(dir.join("args")).unwrap_or_default();
            let is_told = args.contains("tw_token") && text.contains("tw_***");
            shown += usize::from(is_told);
        }
    }
    assert!(shown >= 20, "only {shown} reports tell of such an image");
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
