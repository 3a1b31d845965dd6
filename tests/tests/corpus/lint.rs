//! cfn-lint, before and after.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value};

use crate::table::Row;
use crate::templates;

/// cfn-lint finds nothing new, but that a parameter is not used any more where the report says so.
pub(crate) fn lint(inputs: &Path, outputs: &Path, rows: &[Row]) {
    let Some(program) = std::env::var_os("CFN_LINT") else {
        assert!(
            std::env::var("OUTRIGGER_TOOLS").as_deref() != Ok("required"),
            "CFN_LINT does not say where cfn-lint is"
        );
        println!("note: CFN_LINT is not set: the outputs were not linted");
        return;
    };
    let before = lint_folder(&program, inputs);
    for recipe in ["lacework", "alert-logic"] {
        for settings in ["default", "all answered"] {
            let said = |file: &str, message: &str| {
                let row = rows
                    .iter()
                    .find(|row| {
                        row.file == file && row.recipe == recipe && row.settings == settings
                    })
                    .unwrap();
                row.resolved
                    .iter()
                    .any(|name| message == format!("Parameter {name} not used."))
            };
            let after = lint_folder(&program, &outputs.join(recipe).join(settings));
            let more = after.iter().filter(|(problem, count)| {
                before.get(*problem).is_none_or(|before| before < count)
            });
            let (expected, new): (Vec<_>, Vec<_>) =
                more.partition(|((file, rule, message), _)| rule == "W2001" && said(file, message));
            assert!(
                new.is_empty(),
                "cfn-lint finds something new in what {recipe} made ({settings}): {new:#?}"
            );
            println!(
                "cfn-lint, {recipe}, {settings}: nothing new; {} parameters that no longer choose an image",
                expected.len()
            );
        }
    }
}

/// File, rule and message of every finding, and how often.
fn lint_folder(
    program: &std::ffi::OsStr,
    folder: &Path,
) -> BTreeMap<(String, String, String), usize> {
    let run = Command::new(program)
        .args(["--format", "json", "--"])
        .args(templates(folder))
        .output()
        .unwrap();
    let findings: Vec<Map<String, Value>> =
        serde_json::from_slice(&run.stdout).unwrap_or_else(|error| {
            panic!(
                "cfn-lint: {error}\n{}",
                String::from_utf8_lossy(&run.stderr)
            )
        });
    let mut counts = BTreeMap::new();
    for finding in findings {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let file = text(&finding["Filename"])
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        *counts
            .entry((
                file,
                text(&finding["Rule"]["Id"]),
                text(&finding["Message"]),
            ))
            .or_default() += 1;
    }
    counts
}
