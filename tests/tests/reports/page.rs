//! The report in markdown, in a browser, as GitHub shows it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use outrigger_tests::servers::program;

use crate::{node, pinned};

/// A Node.js, and the browser that it drives.
fn browser() -> Option<(OsString, PathBuf)> {
    Some((node()?, program("CHROMIUM", "chromium").unwrap()?))
}

#[test]
fn every_page_is_drawn_and_no_text_becomes_part_of_it() {
    let Some((node, chromium)) = browser() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let reports = pinned("report.md")
        .into_iter()
        .map(|file| file.canonicalize().unwrap());
    let ran = Command::new(node)
        .arg("render.mjs")
        .arg(chromium)
        .arg(folder.path())
        .args(reports)
        .current_dir("reports")
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    assert!(folder.path().join("report-dark.png").exists());
}

#[test]
fn what_becomes_part_of_a_page_is_found() {
    let Some((node, chromium)) = browser() else {
        return;
    };
    let wrong = [
        ("script", "a <script>alert(1)</script>\n"),
        ("element", "a <img src=x>\n"),
        ("address", "[a](javascript:x)\n"),
        ("graph", "```mermaid\nflowchart LR\n  a[\"x\" --> b\n```\n"),
    ];
    for (name, text) in wrong {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(format!("{name}.md"));
        std::fs::write(&file, text).unwrap();
        let ran = Command::new(&node)
            .arg("render.mjs")
            .arg(&chromium)
            .arg(folder.path())
            .arg(&file)
            .current_dir("reports")
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(1), "{name}");
    }
}
