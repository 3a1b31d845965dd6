//! The functions: from container definitions to container definitions, and nothing is read.

use std::collections::BTreeSet;

use registry::ImageReference;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use taskdef::dialect::terraform::in_attributes;
use taskdef::image::{Answers, ImageFailure, ImageRequest};
use taskdef::report::{Code, Finding, Outcome, Report, Severity};
use taskdef::source::{Source, SourceError};
use taskdef::{DocumentError, DocumentKind};

use crate::config::Config;
use crate::problem::Problem;
use crate::task;

/// Why there is no result: what is wrong, and in which part of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Definitions(Vec<Problem>),
    Task(Vec<Problem>),
    Config(Vec<Problem>),
}

/// A task definition that carries the recipes.
#[derive(Debug)]
pub(crate) struct Instrumented {
    /// Its container definitions: compact, in their own order, and numbers as they were written.
    pub(crate) definitions: String,
    /// All of it but the containers, as the ECS API spells it.
    pub(crate) task: Map<String, Value>,
    /// Which of its keys the recipes have changed.
    pub(crate) changed: Vec<String>,
}

/// Instruments a task definition.
pub(crate) fn instrument(
    definitions: &str,
    task: &Map<String, Value>,
    config: &Config,
) -> Result<Instrumented, Wrong> {
    let document = document(definitions, task)?;
    let source = Source::parse(&document).map_err(|error| unreadable(&error))?;
    let kind = DocumentKind::TaskDefinition;
    let (recipes, settings) = (&config.recipes, &config.settings);
    let value = source.value();
    let definitions = &value["containerDefinitions"];
    taskdef::terraform::check_names(definitions)
        .map_err(|findings| Wrong::Definitions(findings.iter().map(Problem::from).collect()))?;
    let needed = taskdef::images_needed(value, kind, recipes, settings).map_err(unusable)?;
    let answers = answers(&needed, config);
    let rewritten = taskdef::rewrite(value, kind, recipes, settings, &answers).map_err(unusable)?;
    judge(&rewritten.report)?;
    let after = match rewritten.changes.is_empty() {
        true => document.clone(),
        false => {
            source
                .splice(rewritten.changes)
                .map_err(|error| unreadable(&error))?
                .text
        }
    };
    finish(&after, task)
}

/// The task definition as one document. The containers stay the text that they are.
fn document(definitions: &str, task: &Map<String, Value>) -> Result<String, Wrong> {
    let wrong = |message: String| {
        let problem = Problem::new(message);
        Wrong::Definitions(vec![
            problem.hint("give the text that `jsonencode([...])` makes of a list"),
        ])
    };
    // One value and no more, before it becomes part of a larger text.
    let containers: &RawValue = serde_json::from_str(definitions).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        wrong(format!(
            "the container definitions are no JSON, at line {line}, column {column}"
        ))
    })?;
    if !containers.get().starts_with('[') {
        return Err(wrong("the container definitions are no list".to_owned()));
    }
    let mut text = Value::Object(task.clone()).to_string();
    text.pop();
    if !task.is_empty() {
        text.push(',');
    }
    text.push_str("\"containerDefinitions\":");
    text.push_str(containers.get());
    text.push('}');
    Ok(text)
}

fn answers(needed: &BTreeSet<ImageRequest>, config: &Config) -> Answers {
    let mut answers = config.images.answers(needed);
    for (request, answer) in &mut answers {
        let Err(failure) = answer else { continue };
        if failure.code == "not-in-lock-file"
            && let Ok(reference) = ImageReference::parse(&request.reference)
        {
            *failure = ImageFailure {
                code: failure.code,
                message: format!("image `{reference}` for `{}` is not in `config.images`", request.platform),
                hint: Some(
                    "name it in the data source `outrigger_images`, write it to the lock file with `cfn-filter lock`"
                        .to_owned(),
                ),
            };
        }
    }
    answers
}

/// Refuses what could not be instrumented, and what is not in scope: who calls a function for a
/// task definition wants it instrumented. Only what somebody has chosen to leave alone is left.
fn judge(report: &Report) -> Result<(), Wrong> {
    let tasks = || report.task_definitions.iter();
    let findings = || tasks().flat_map(|task| &task.findings);
    if report.is_refused() {
        let whole = report.findings.iter().map(|(_, finding)| finding);
        let errors = findings()
            .chain(whole)
            .filter(|finding| finding.severity == Severity::Error);
        return Err(Wrong::Definitions(errors.map(of_task).collect()));
    }
    let left = tasks().filter(|task| task.outcome == Outcome::LeftAlone);
    let left = left.flat_map(|task| &task.findings);
    let by_choice = |code: Code| matches!(code, Code::NotSelected | Code::NotWrapped);
    let reasons: Vec<Problem> = left
        .filter(|finding| !by_choice(finding.code))
        .map(|finding| {
            let problem = of_task(finding);
            let hint = "say in `task` what the resource says, and call the function for Linux tasks of Fargate alone";
            match problem.hint {
                Some(_) => problem,
                None => problem.hint(hint),
            }
        })
        .collect();
    match reasons.is_empty() {
        true => Ok(()),
        false => Err(Wrong::Task(reasons)),
    }
}

/// A finding with Terraform's names.
fn of_task(finding: &Finding) -> Problem {
    let problem = Problem::from(finding);
    Problem {
        message: in_attributes(&problem.message),
        hint: problem.hint.as_deref().map(in_attributes),
    }
}

/// Takes the document apart again.
fn finish(after: &str, before: &Map<String, Value>) -> Result<Instrumented, Wrong> {
    let source = Source::parse(after).map_err(|error| unreadable(&error))?;
    let mut task = source.value().as_object().cloned().unwrap_or_default();
    task.shift_remove("containerDefinitions");
    let containers = source.member("containerDefinitions").unwrap_or_default();
    let keys = task.keys().chain(before.keys());
    let changed: BTreeSet<&String> = keys
        .filter(|key| task.get(*key) != before.get(*key))
        .collect();
    Ok(Instrumented {
        definitions: compact(&containers),
        changed: changed.into_iter().cloned().collect(),
        task,
    })
}

/// JSON without the space between its parts; every other byte stays.
fn compact(json: &str) -> String {
    let mut compact = String::with_capacity(json.len());
    let (mut in_text, mut escaped) = (false, false);
    for letter in json.chars() {
        if in_text {
            in_text = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
        } else if letter.is_ascii_whitespace() {
            continue;
        } else {
            in_text = letter == '"';
        }
        compact.push(letter);
    }
    compact
}

/// The container definitions alone, where they are all that the recipes have changed.
pub(crate) fn definitions_alone(instrumented: Instrumented) -> Result<String, Wrong> {
    let asks = |key: &String| {
        let name = task::name(key);
        let wanted = match instrumented.task.get(key) {
            Some(Value::String(text)) => format!("`{name} = \"{text}\"`"),
            _ => format!("`{name}`"),
        };
        let problem = Problem::new(format!(
            "the recipe asks for {wanted} of the task, and this function returns container definitions alone"
        ));
        problem.hint("state it in the resource and in `task`, or take it from `instrument_task`")
    };
    let asked: Vec<Problem> = instrumented.changed.iter().map(asks).collect();
    match asked.is_empty() {
        true => Ok(instrumented.definitions),
        false => Err(Wrong::Task(asked)),
    }
}

fn unreadable(error: &SourceError) -> Wrong {
    Wrong::Definitions(vec![Problem::new(format!(
        "the container definitions cannot be read: {error}"
    ))])
}

fn unusable(error: DocumentError) -> Wrong {
    let problem = Problem::new(error.to_string());
    Wrong::Config(vec![match error.hint() {
        Some(hint) => problem.hint(hint),
        None => problem,
    }])
}

#[cfg(test)]
mod tests;
