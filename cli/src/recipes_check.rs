//! `recipes check`: what a recipe does to samples, for whoever writes it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use taskdef::dry_run::{DryRun, Remark, Tried, dry_run};
use taskdef::report::{Code, ContainerReport, Finding, Outcome, Severity};

use crate::inputs::assign;
use crate::recipes::{input_problems, load};
use crate::report::push_process;
use crate::{Console, Exit, Failure, Paint, text};

/// Loads the recipes, tries each, and tells what was seen.
pub(crate) fn check(
    names: &[String],
    set: &[String],
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let mut recipes = Vec::new();
    let mut failures: Vec<Failure> = Vec::new();
    for name in names {
        match load(name) {
            Ok(recipe) => recipes.push(recipe),
            Err(failure) => failures.push(failure),
        }
    }
    let mut bad = failures.into_iter();
    if let Some(mut first) = bad.next() {
        first.problems.extend(bad.flat_map(|other| other.problems));
        return Err(first);
    }
    let paint = console.terminals.stdout;
    let mut exit = Exit::Done;
    let mut shown = String::new();
    for ((name, recipe), inputs) in names.iter().zip(&recipes).zip(assign(set, &recipes)?) {
        let run = dry_run(recipe, inputs).map_err(|errors| Failure {
            exit: Exit::Usage,
            problems: input_problems(&errors),
        })?;
        if !shown.is_empty() {
            shown.push('\n');
        }
        shown.push_str(&told(name, recipe.name(), &run, paint));
        if run.fails() {
            exit = Exit::NotInstrumented;
        }
    }
    console.print(shown.as_bytes())?;
    Ok(exit)
}

/// All that was seen of one recipe, and a summary.
fn told(given: &str, name: &str, run: &DryRun, paint: Paint) -> String {
    let mut shown = match given == name {
        true => format!("{}\n", paint.strong(text::line(name))),
        false => {
            let file = paint.faint(format_args!("({})", text::line(given)));
            format!("{} {file}\n", paint.strong(text::line(name)))
        }
    };
    for made in &run.placeholders {
        let made = format!("{}={}", made.input, made.value);
        shown.push_str(&format!("  made up: {}\n", text::line(&made)));
    }
    shown.push('\n');
    let mut said = Said::default();
    for tried in &run.samples {
        push_tried(&mut shown, tried, &mut said, paint);
    }
    shown.push('\n');
    let mut remarks = run.remarks.iter().peekable();
    while let Some(remark) = remarks.next() {
        push_remark(&mut shown, remark, paint);
        // What they have in common is said once, after the last.
        let again = remarks.peek().is_some_and(|next| next.hint == remark.hint);
        if let Some(hint) = remark.hint.as_ref().filter(|_| !again) {
            let label = paint.hint("hint:");
            shown.push_str(&format!("  {label} {}\n", text::lines(hint, "    ")));
        }
    }
    shown.push_str(&summary(name, run));
    shown
}

/// What was told already, and is not told again of another sample.
#[derive(Default)]
struct Said {
    findings: BTreeSet<(Code, String)>,
    /// Lines that stand together.
    parts: BTreeSet<Vec<String>>,
}

fn push_tried(shown: &mut String, tried: &Tried, said: &mut Said, paint: Paint) {
    let words = match (tried.report.outcome, tried.refused_by_recipe) {
        (Outcome::Rewritten, _) => paint.good("rewritten"),
        (Outcome::Unchanged, _) => paint.faint("nothing to change"),
        (Outcome::LeftAlone, _) => paint.error("left alone"),
        (Outcome::Refused, true) => paint.warning("refused by the recipe"),
        (Outcome::Refused, false) => paint.error("refused"),
    };
    let mut body = String::new();
    let workload = tried.report.containers.iter();
    for container in workload.filter(|container| !container.sidecar) {
        push_container(&mut body, container, said, paint);
    }
    push_new(&mut body, "task", &tried.report.changes, said, paint);
    for sidecar in &tried.sidecars {
        let name = sidecar.get("name").and_then(Value::as_str);
        let name = format!("{} (sidecar)", name.unwrap_or_default());
        push_new(&mut body, &name, &definition(sidecar), said, paint);
    }
    for finding in &tried.report.findings {
        push_finding(&mut body, finding, said, paint);
    }
    let same = match (body.is_empty(), tried.report.outcome) {
        (true, Outcome::Rewritten) => ", as above",
        _ => "",
    };
    let name = paint.strong(tried.sample);
    shown.push_str(&format!("  {name}: {words}{same}\n{body}"));
}

/// A container's processes and what else has changed, each unless it was told before.
fn push_container(shown: &mut String, container: &ContainerReport, said: &mut Said, paint: Paint) {
    let is_process = |line: &str| line.starts_with("entryPoint ") || line.starts_with("command ");
    let changes = container.changes.iter().filter(|line| !is_process(line));
    let changes: Vec<String> = changes.cloned().collect();
    let mut processes = String::new();
    for process in &container.processes {
        push_process(&mut processes, "      ", process, paint);
    }
    if processes.is_empty() || !said.parts.insert(vec![processes.clone()]) {
        return push_new(shown, &container.name, &changes, said, paint);
    }
    let name = paint.strong(text::line(&container.name));
    shown.push_str(&format!("    {name}\n{processes}"));
    if said.parts.insert(changes.clone()) {
        changes
            .iter()
            .for_each(|line| push_line(shown, line, paint));
    }
}

fn push_new(shown: &mut String, name: &str, lines: &[String], said: &mut Said, paint: Paint) {
    if !lines.is_empty() && said.parts.insert(lines.to_vec()) {
        shown.push_str(&format!("    {}\n", paint.strong(text::line(name))));
        lines.iter().for_each(|line| push_line(shown, line, paint));
    }
}

fn push_line(shown: &mut String, line: &str, paint: Paint) {
    shown.push_str(&format!(
        "      {} {}\n",
        paint.faint("-"),
        text::line(line)
    ));
}

/// A sidecar's definition, one line for each setting. Values of variables, labels and options stay
/// unsaid.
fn definition(sidecar: &Map<String, Value>) -> Vec<String> {
    let settings = sidecar.iter().filter(|(key, _)| *key != "name");
    let line = |(key, value): (&String, &Value)| match key.as_str() {
        "environment" | "secrets" => format!("{key}: {}", names(value, "name")),
        "environmentFiles" | "dockerLabels" | "logConfiguration" | "firelensConfiguration" => {
            match value.as_str() {
                Some(text) => format!("{key}: {text}"),
                None => key.clone(),
            }
        }
        key => match value.as_str() {
            Some(text) => format!("{key}: {text}"),
            None => format!("{key}: {value}"),
        },
    };
    settings.map(line).collect()
}

/// The names of the entries of a list.
fn names(list: &Value, key: &str) -> String {
    let entries = list.as_array().into_iter().flatten();
    let names = entries.map(|entry| entry.get(key).and_then(Value::as_str).unwrap_or("?"));
    names.collect::<Vec<_>>().join(", ")
}

/// A finding, once; why a sample is refused, always.
fn push_finding(shown: &mut String, finding: &Finding, said: &mut Said, paint: Paint) {
    let label = format!("{}[{}]:", finding.severity, finding.code);
    let label = match finding.severity {
        Severity::Error => String::new(),
        Severity::Warning => format!("{} ", paint.warning(label)),
        Severity::Note => format!("{} ", paint.note(label)),
    };
    let new = said
        .findings
        .insert((finding.code, finding.message.clone()));
    if new || finding.severity == Severity::Error {
        let message = text::lines(&finding.message, "      ");
        shown.push_str(&format!("    {label}{message}\n"));
    }
}

fn push_remark(shown: &mut String, remark: &Remark, paint: Paint) {
    let label = match remark.severity {
        Severity::Error => paint.error("error:"),
        Severity::Warning => paint.warning("warning:"),
        Severity::Note => paint.note("note:"),
    };
    let place = match &remark.place {
        Some(place) => format!("{}: ", text::line(&place.to_string())),
        None => String::new(),
    };
    let message = text::lines(&remark.message, "  ");
    shown.push_str(&format!("{label} {place}{message}\n"));
    if let Some((first, others)) = remark.samples.split_first() {
        let more = match others.len() {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        shown.push_str(&format!("  sample: {}{more}\n", text::line(first)));
    }
}

fn summary(name: &str, run: &DryRun) -> String {
    let outcomes = run.samples.iter().map(|tried| tried.report.outcome);
    let rewritten = outcomes.filter(|outcome| *outcome == Outcome::Rewritten);
    let refused = run.samples.iter().filter(|tried| tried.refused_by_recipe);
    let of = |severity| {
        let remarks = run.remarks.iter();
        remarks.filter(|remark| remark.severity == severity).count()
    };
    format!(
        "{}: {} of {} rewritten, {} refused by the recipe, {} tried; {}, {}, {}\n",
        text::line(name),
        rewritten.count(),
        text::count(run.samples.len(), "sample", "samples"),
        refused.count(),
        text::count(run.choices, "other value", "other values"),
        text::count(of(Severity::Error), "error", "errors"),
        text::count(of(Severity::Warning), "warning", "warnings"),
        text::count(of(Severity::Note), "note", "notes"),
    )
}

#[cfg(test)]
mod tests;
