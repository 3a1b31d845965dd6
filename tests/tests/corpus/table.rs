//! What became of each template, as a table.

use std::path::Path;

use outrigger_tests::document::{at, parse, task_definitions};
use outrigger_tests::images::images;
use outrigger_tests::run::Ran;
use serde_json::Value;

/// One template with one recipe and one set of settings.
pub(crate) struct Row {
    pub(crate) file: String,
    pub(crate) recipe: &'static str,
    pub(crate) settings: &'static str,
    /// Parameters that the report says no longer choose an image.
    pub(crate) resolved: Vec<String>,
    pub(crate) rewritten: usize,
    pub(crate) resolvable: usize,
    pub(crate) all: usize,
    pub(crate) codes: String,
    /// What a registry was asked.
    pub(crate) requests: usize,
}

pub(crate) fn row(
    file: &Path,
    recipe: &'static str,
    settings: &'static str,
    input: &[u8],
    output: &[u8],
    ran: &Ran,
) -> Row {
    let (before, after) = (parse(input).unwrap(), parse(output).unwrap());
    let tasks = task_definitions(&before);
    let rewritten = tasks
        .iter()
        .filter(|(path, task)| at(&after, path) != Some(*task))
        .count();
    let known = |task: &Value| {
        let images = images(&before, task);
        !images.is_empty() && images.iter().all(Option::is_some)
    };
    Row {
        file: file.file_name().unwrap().to_string_lossy().into_owned(),
        recipe,
        settings,
        resolved: resolved(&ran.stderr),
        rewritten,
        resolvable: tasks.iter().filter(|(_, task)| known(task)).count(),
        all: tasks.len(),
        codes: if rewritten == tasks.len() {
            String::new()
        } else {
            codes(&ran.stderr)
        },
        requests: 0,
    }
}

/// The names in backticks of the findings `parameter-resolved`.
fn resolved(report: &str) -> Vec<String> {
    let lines = report
        .lines()
        .filter(|line| line.contains("[parameter-resolved]"));
    lines
        .flat_map(|line| line.split('`').skip(1).step_by(2).map(str::to_owned))
        .collect()
}

/// The codes of findings that a report names.
pub(crate) fn codes(report: &str) -> String {
    let words: Vec<&str> = report
        .split(|letter: char| !letter.is_ascii_lowercase() && letter != '-')
        .collect();
    let named = taskdef::report::Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| code.contains('-') && words.contains(code));
    named.collect::<Vec<_>>().join(" ")
}

pub(crate) fn print_table(rows: &[Row]) {
    println!(
        "| file | recipe | settings | task definitions | resolvable | rewritten | findings where not all were | requests |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for row in rows {
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            row.file,
            row.recipe,
            row.settings,
            row.all,
            row.resolvable,
            row.rewritten,
            row.codes,
            row.requests
        );
    }
}
