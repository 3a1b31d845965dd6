//! The filters' reports for programs: JSON, markdown and SARIF.

use std::fs;
use std::sync::LazyLock;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

use crate::run::Ran;

/// A format of the report that a program reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Our own.
    Json,
    /// For a comment on a pull request.
    Markdown,
    /// For code scanning.
    Sarif,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 3] = [Format::Json, Format::Markdown, Format::Sarif];

    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Markdown => "md",
            Format::Sarif => "sarif",
        }
    }
}

/// A run, and the report that it wrote to a file.
#[derive(Clone, Debug)]
pub struct Told {
    /// The run.
    pub ran: Ran,
    /// The report; the package's folder is named as where there is no repository around it.
    pub text: String,
}

/// What a run with these further arguments reports.
///
/// # Errors
/// There is no report, or one that is not UTF-8.
pub fn report(format: Format, run: &dyn Fn(&[String]) -> Ran) -> Result<Told, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join(format!("report.{}", format.ending()));
    let ran = run(&["--report-file".to_owned(), file.display().to_string()]);
    let text =
        fs::read_to_string(&file).map_err(|error| format!("{format:?}: no report: {error}"))?;
    // The folder is gone when the report is read.
    let text = text.replace("tests/cases/", "cases/");
    Ok(Told { ran, text })
}

/// What is wrong with a report, whatever it tells, of a run that ended with this exit code.
pub fn broken(format: Format, text: &str, exit: u8) -> Vec<String> {
    let problems = match format {
        Format::Json => broken_json(text, exit),
        Format::Markdown => broken_markdown(text),
        Format::Sarif => broken_sarif(text, exit),
    };
    problems
        .into_iter()
        .map(|problem| format!("{format:?}: {problem}"))
        .collect()
}

fn broken_json(text: &str, exit: u8) -> Vec<String> {
    let report: Value = match serde_json::from_str(text) {
        Ok(report) => report,
        Err(error) => return vec![error.to_string()],
    };
    let mut problems: Vec<String> = against_schema(&report).err().into_iter().collect();
    if report.pointer("/exit/code").and_then(Value::as_u64) != Some(exit.into()) {
        problems.push(format!("the exit code is {exit}"));
    }
    let outcomes: &[&str] = match exit {
        0 => &["done"],
        1 => &["refused", "failed"],
        2 => &["failed", "done"],
        _ => &["incomplete", "checkFailed"],
    };
    let outcome = report.get("outcome").and_then(Value::as_str);
    if !outcome.is_some_and(|outcome| outcomes.contains(&outcome)) {
        problems.push(format!("the exit code {exit} is not {outcome:?}"));
    }
    problems
}

/// Holds a report against `docs/report.schema.json`.
///
/// # Errors
/// It does not fit, or the schema is none.
pub fn against_schema(report: &Value) -> Result<(), String> {
    static SCHEMA: LazyLock<Result<(Schemas, SchemaIndex), String>> = LazyLock::new(|| {
        const PATH: &str = "../docs/report.schema.json";
        let text = fs::read_to_string(PATH).map_err(|error| format!("{PATH}: {error}"))?;
        let schema = serde_json::from_str(&text).map_err(|error| format!("{PATH}: {error}"))?;
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let added = compiler.add_resource("report.schema.json", schema);
        added.map_err(|error| error.to_string())?;
        let index = compiler.compile("report.schema.json", &mut schemas);
        Ok((schemas, index.map_err(|error| error.to_string())?))
    });
    let (schemas, index) = SCHEMA.as_ref().map_err(String::clone)?;
    schemas
        .validate(report, *index)
        .map_err(|error| error.to_string())
}

/// GitHub takes 65,536 characters in a comment.
fn broken_markdown(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if !text.starts_with("<!-- outrigger report -->\n## Outrigger: ") {
        problems.push("it does not begin as it should".to_owned());
    }
    if text.chars().count() > 65_536 {
        problems.push("it is too long for a comment".to_owned());
    }
    problems
}

fn broken_sarif(text: &str, exit: u8) -> Vec<String> {
    let log: Value = match serde_json::from_str(text) {
        Ok(log) => log,
        Err(error) => return vec![error.to_string()],
    };
    let mut problems = Vec::new();
    let results = log.pointer("/runs/0/results").and_then(Value::as_array);
    let Some(results) = results else {
        return vec!["it has no results".to_owned()];
    };
    let rules = log.pointer("/runs/0/tool/driver/rules");
    for result in results {
        let rule = result.get("ruleIndex").and_then(Value::as_u64);
        let rule = rule.and_then(|index| rules?.get(usize::try_from(index).ok()?)?.get("id"));
        if rule.is_none() || rule != result.get("ruleId") {
            problems.push(format!("a result without its rule: {result}"));
        }
        let line = result.pointer("/locations/0/physicalLocation/region/startLine");
        if line.and_then(Value::as_u64).is_none_or(|line| line == 0) {
            problems.push(format!("a result without a line: {result}"));
        }
    }
    let marks = results
        .iter()
        .map(|result| result.pointer("/partialFingerprints/primaryLocationLineHash"));
    let mut marks: Vec<String> = marks.map(|mark| format!("{mark:?}")).collect();
    marks.sort_unstable();
    marks.dedup();
    if marks.len() != results.len() {
        problems.push("two results have one fingerprint".to_owned());
    }
    // A run that went wrong must not look like one without findings.
    if exit == 1
        && !results
            .iter()
            .any(|result| result.get("level").is_some_and(|level| level == "error"))
    {
        problems.push("the run failed, and no result is an error".to_owned());
    }
    problems
}
