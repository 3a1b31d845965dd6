//! What is told of a run: as text for a person at a terminal (here), as JSON, as markdown, as SARIF.

pub mod build;
pub mod delivery;
pub mod markdown;
mod rules;
pub mod run_report;
pub mod sarif;

use std::path::Path;

use serde::Serialize;
use taskdef::report::{
    ContainerReport, Finding, Outcome, ProcessChange, Report, Severity, TaskDefinitionReport,
};

use crate::options::OutputOptions;
use crate::{Paint, output, text};

/// What a run does with the document, which decides the report's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It is rewritten.
    Rewrite,
    /// Only the changes are shown.
    DryRun,
    /// It is only looked at.
    Check,
}

impl Purpose {
    /// What the options say; `file` is the document.
    pub fn of(options: &OutputOptions, file: Option<&Path>) -> Purpose {
        match (options.check, options.diff) {
            (true, _) => Purpose::Check,
            (false, true) if output::target(options, file).is_none() => Purpose::DryRun,
            _ => Purpose::Rewrite,
        }
    }
}

/// A part of the report that concerns the run as a whole: what the roles need, say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its heading.
    pub heading: String,
    /// Its lines; a line may hold line breaks.
    pub lines: Vec<String>,
}

/// What the report's texts depend on, apart from the report.
pub struct Setting<'s> {
    /// The document's name in messages.
    pub document: &'s str,
    /// The line of the document where a task definition begins, counted from 1, by its ID.
    pub line: &'s dyn Fn(&str) -> Option<usize>,
    /// Colours.
    pub paint: Paint,
    /// What the run does.
    pub purpose: Purpose,
}

/// How many task definitions had which outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rewritten.
    pub rewritten: usize,
    /// They carried the recipe already.
    pub unchanged: usize,
    /// Not in scope, or not selected.
    pub left_alone: usize,
    /// In scope, and not instrumented.
    pub refused: usize,
}

impl Tally {
    /// Counts.
    pub fn of(report: &Report) -> Tally {
        let mut tally = Tally::default();
        for task in &report.task_definitions {
            match task.outcome {
                Outcome::Rewritten => tally.rewritten += 1,
                Outcome::Unchanged => tally.unchanged += 1,
                Outcome::LeftAlone => tally.left_alone += 1,
                Outcome::Refused => tally.refused += 1,
            }
        }
        tally
    }
}

/// The whole report: every task definition, every finding, the sections and a summary.
pub fn render(report: &Report, sections: &[Section], setting: &Setting<'_>) -> String {
    let mut shown = String::new();
    for task in &report.task_definitions {
        push_task(&mut shown, task, Severity::Note, setting);
    }
    push_document_findings(&mut shown, report, Severity::Note, setting);
    for section in sections {
        push_section(&mut shown, section, setting.paint);
    }
    shown.push_str(&summary(Tally::of(report), setting.purpose));
    shown.push('\n');
    shown
}

/// Heading and lines; nothing for a section without lines.
pub fn push_section(shown: &mut String, section: &Section, paint: Paint) {
    if section.lines.is_empty() {
        return;
    }
    shown.push_str(&format!("{}\n", paint.strong(&section.heading)));
    for line in &section.lines {
        shown.push_str(&format!("  {}\n", text::lines(line, "    ")));
    }
    shown.push('\n');
}

/// The errors alone: all of them. Empty when there are none.
pub fn render_errors(report: &Report, setting: &Setting<'_>) -> String {
    let mut shown = String::new();
    for task in report
        .task_definitions
        .iter()
        .filter(|task| task.outcome == Outcome::Refused)
    {
        push_task(&mut shown, task, Severity::Error, setting);
    }
    push_document_findings(&mut shown, report, Severity::Error, setting);
    shown
}

/// The last line of a run that fails because task definitions were refused.
pub fn nothing_written(report: &Report, paint: Paint) -> String {
    format!("{} {}\n", paint.error("error:"), refused_words(report))
}

fn refused_words(report: &Report) -> String {
    match Tally::of(report).refused {
        0 => "nothing was written".to_owned(),
        refused => {
            let total = report.task_definitions.len();
            let total = text::count(total, "task definition", "task definitions");
            format!("nothing was written: {refused} of {total} refused")
        }
    }
}

/// As JSON that a person can read, too.
fn to_json(value: &impl Serialize) -> String {
    // Nothing that is written here can fail: no map has keys but texts.
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    text + "\n"
}

fn summary(tally: Tally, purpose: Purpose) -> String {
    if tally == Tally::default() {
        return "no task definition found".to_owned();
    }
    let tasks = |number| text::count(number, "task definition", "task definitions");
    let Tally {
        rewritten,
        unchanged,
        left_alone,
        refused,
    } = tally;
    if purpose == Purpose::Check {
        let carry = if unchanged == 1 { "carries" } else { "carry" };
        let fail = if refused == 1 { "fails" } else { "fail" };
        let carriers = tasks(unchanged);
        return format!(
            "{carriers} {carry} the recipe, {left_alone} left alone, {refused} {fail} the check"
        );
    }
    let rewriting = outcome_words(Outcome::Rewritten, purpose);
    let already = match unchanged {
        0 => String::new(),
        _ => format!(" {unchanged} already instrumented,"),
    };
    format!(
        "{} {rewriting},{already} {left_alone} left alone, {refused} refused",
        tasks(rewritten)
    )
}

fn outcome_words(outcome: Outcome, purpose: Purpose) -> &'static str {
    match (outcome, purpose) {
        (Outcome::Rewritten, Purpose::DryRun) => "would be rewritten",
        (Outcome::Rewritten, _) => "rewritten",
        (Outcome::Unchanged, Purpose::Check) => "carries the recipe",
        (Outcome::Unchanged, _) => "already instrumented",
        (Outcome::LeftAlone, _) => "left alone",
        (Outcome::Refused, Purpose::Check) => "fails the check",
        (Outcome::Refused, _) => "refused",
    }
}

fn push_task(
    shown: &mut String,
    task: &TaskDefinitionReport,
    least: Severity,
    setting: &Setting<'_>,
) {
    let paint = setting.paint;
    let words = outcome_words(task.outcome, setting.purpose);
    let words = match task.outcome {
        Outcome::Rewritten => paint.good(words),
        Outcome::Unchanged | Outcome::LeftAlone => paint.faint(words),
        Outcome::Refused => paint.error(words),
    };
    push_head(shown, &task.id, Some(&words), setting);
    // A check changes nothing, so there is nothing to tell of what a rewrite would have changed.
    let unchanged = setting.purpose == Purpose::Check && task.outcome == Outcome::Refused;
    if least < Severity::Error && !unchanged {
        for container in &task.containers {
            push_container(shown, container, paint);
        }
        push_changes(shown, "  ", &task.changes, paint);
    }
    for finding in task
        .findings
        .iter()
        .filter(|finding| finding.severity >= least)
    {
        push_finding(shown, finding, paint);
    }
    shown.push('\n');
}

fn push_head(shown: &mut String, id: &str, words: Option<&str>, setting: &Setting<'_>) {
    if id.is_empty() {
        // About the document as a whole.
        shown.push_str(&format!("{}\n", setting.paint.strong(setting.document)));
        return;
    }
    let place = match (setting.line)(id) {
        Some(line) => format!("{}:{line}", setting.document),
        None => setting.document.to_owned(),
    };
    let id = setting.paint.strong(text::line(id));
    let place = setting.paint.faint(format_args!("({place})"));
    shown.push_str(&match words {
        Some(words) => format!("{id}: {words} {place}\n"),
        None => format!("{id} {place}\n"),
    });
}

fn push_container(shown: &mut String, container: &ContainerReport, paint: Paint) {
    let name = paint.strong(text::line(&container.name));
    let kind = if container.sidecar { " (sidecar)" } else { "" };
    shown.push_str(&format!(
        "  {name}: {}{kind}\n",
        text::line(&container.image)
    ));
    for process in &container.processes {
        push_process(shown, "    ", process, paint);
    }
    push_changes(shown, "    ", &container.changes, paint);
}

/// What ran before and what runs after, each on a line of its own.
pub(crate) fn push_process(
    shown: &mut String,
    indent: &str,
    process: &ProcessChange,
    paint: Paint,
) {
    let given = match &process.given {
        Some(given) => format!(" [{}]", text::line(given)),
        None => String::new(),
    };
    let after = text::command_line(&process.after);
    if process.before == process.after || process.before.is_empty() {
        if !after.is_empty() {
            shown.push_str(&format!(
                "{indent}{} {after}\n",
                paint.faint(format_args!("runs{given}:"))
            ));
        }
        return;
    }
    let before = text::command_line(&process.before);
    shown.push_str(&format!(
        "{indent}{} {before}\n",
        paint.faint(format_args!("before{given}:"))
    ));
    shown.push_str(&format!(
        "{indent}{}  {after}\n",
        paint.faint(format_args!("after{given}:"))
    ));
}

fn push_changes(shown: &mut String, indent: &str, changes: &[String], paint: Paint) {
    for change in changes {
        shown.push_str(&format!(
            "{indent}{} {}\n",
            paint.faint("-"),
            text::line(change)
        ));
    }
}

fn push_finding(shown: &mut String, finding: &Finding, paint: Paint) {
    let label = format!("{}[{}]:", finding.severity, finding.code);
    let label = match finding.severity {
        Severity::Error => paint.error(label),
        Severity::Warning => paint.warning(label),
        Severity::Note => paint.note(label),
    };
    shown.push_str(&format!(
        "  {label} {}\n",
        text::lines(&finding.message, "    ")
    ));
    let about: Vec<String> = [("container", &finding.container), ("image", &finding.image)]
        .into_iter()
        .filter_map(|(kind, name)| {
            name.as_ref()
                .map(|name| format!("{kind} `{}`", text::line(name)))
        })
        .collect();
    if !about.is_empty() {
        shown.push_str(&format!("    {}\n", about.join(", ")));
    }
    if let Some(hint) = &finding.hint {
        let label = paint.hint("hint:");
        shown.push_str(&format!("    {label} {}\n", text::lines(hint, "      ")));
    }
}

/// Findings about the document, those that follow each other and concern one logical ID together.
fn push_document_findings(
    shown: &mut String,
    report: &Report,
    least: Severity,
    setting: &Setting<'_>,
) {
    let mut current: Option<&str> = None;
    for (id, finding) in report
        .findings
        .iter()
        .filter(|(_, finding)| finding.severity >= least)
    {
        if current != Some(id) {
            if current.is_some() {
                shown.push('\n');
            }
            push_head(shown, id, None, setting);
            current = Some(id);
        }
        push_finding(shown, finding, setting.paint);
    }
    if current.is_some() {
        shown.push('\n');
    }
}

#[cfg(test)]
mod tests;
