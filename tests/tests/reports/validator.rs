//! Microsoft's validator of SARIF.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::{node, pinned};

/// Rules of the validator that a report does not follow, each with the reason.
const EXCUSED: [(&str, &str); 1] = [(
    "SARIF2005",
    "there is no page about the program to name in `informationUri`",
)];

/// The rules that a file breaks, with the message of each; the validator's own report says it.
fn broken(node: &std::ffi::OsStr, file: &std::path::Path) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("validated.sarif");
    let ran = Command::new(node)
        .arg("reports/node_modules/@microsoft/sarif-multitool/bin.js")
        .arg("validate")
        .arg(file)
        .arg("--output")
        .arg(&output)
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    let text = fs::read_to_string(&output).unwrap_or_else(|error| panic!("{error}: {said}"));
    let log: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
    let results = log["runs"][0]["results"]
        .as_array()
        .unwrap_or_else(|| panic!("no results: {said}"));
    results
        .iter()
        .map(|result| {
            (
                result["ruleId"].as_str().unwrap().to_owned(),
                result["message"].to_string(),
            )
        })
        .collect()
}

#[test]
fn every_log_is_valid_sarif() {
    let Some(node) = node() else { return };
    for file in pinned("report.sarif") {
        let mut broken = broken(&node, &file);
        broken.retain(|(rule, _)| !EXCUSED.iter().any(|(excused, _)| excused == rule));
        assert!(broken.is_empty(), "{}: {broken:#?}", file.display());
    }
}

#[test]
fn what_is_no_sarif_is_found() {
    let Some(node) = node() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.sarif");
    let log = fs::read_to_string("cases/reports/firelens/report.sarif").unwrap();
    let wrong = log.replacen("\"startLine\": 19", "\"startLine\": 0", 1);
    assert_ne!(log, wrong);
    fs::write(&file, wrong).unwrap();
    let broken = broken(&node, &file);
    assert!(
        broken.iter().any(|(rule, _)| rule.starts_with("JSON")),
        "{broken:?}"
    );
}
