//! The report as a comment on a pull request: [GitHub's markdown](https://github.github.com/gfm/),
//! with [Mermaid](https://mermaid.js.org) graphs.

mod escape;
mod graph;
mod page;

use super::run_report::{
    Container, Finding, FindingSeverity, Position, Process, Requirement, RunOutcome, RunPurpose,
    RunReport, TaskDefinition, TaskOutcome,
};
use crate::text;
use escape::{beginning, code, fenced, html_code, prose, prose_lines};
use graph::{Kind, graph, kind};
use page::{Page, Rank};

/// The first line, by which a pipeline finds its own comment again.
pub const MARKER: &str = "<!-- outrigger report -->";

/// From how many task definitions on what was done with each is folded.
const FOLDED_FROM: usize = 4;
/// How many rows the table has.
const MOST_ROWS: usize = 100;
/// How many findings are shown of one task definition, or of the document.
const MOST_FINDINGS: usize = 50;
/// How many containers are named where a finding is about several.
const MOST_PLACES: usize = 20;
/// How much of a process is shown.
const LONGEST_PROCESS: usize = 2000;

/// The whole comment, cut where GitHub would not take it.
pub fn render(report: &RunReport<'_>) -> String {
    let mut page = Page::new(head(report));
    page.push(Rank::First, table(report));
    let tasks = &report.task_definitions;
    let shown = tasks.iter().filter(|task| is_shown(task, report));
    let is_folded = shown.clone().count() >= FOLDED_FROM;
    for task in shown {
        let rank = match task.outcome {
            TaskOutcome::Refused => Rank::Refused,
            _ => Rank::Done,
        };
        page.push_task(rank, section(task, report, is_folded));
    }
    page.push(Rank::Document, document_findings(report));
    page.push(Rank::Needs, roles(report));
    page.push(Rank::Needs, prerequisites(report));
    page.into_text()
}

/// A section says what was done, or what is to be looked at.
fn is_shown(task: &TaskDefinition<'_>, report: &RunReport<'_>) -> bool {
    match task.outcome {
        TaskOutcome::Refused => true,
        TaskOutcome::Rewritten => true,
        TaskOutcome::WouldBeRewritten => report.outcome != RunOutcome::Refused,
        TaskOutcome::Unchanged | TaskOutcome::LeftAlone => {
            let findings = &mut task.findings.iter();
            findings.any(|finding| finding.severity > FindingSeverity::Note)
        }
    }
}

fn head(report: &RunReport<'_>) -> String {
    let recipes: Vec<String> = report.recipes.iter().map(|name| code(name)).collect();
    let recipes = match recipes.as_slice() {
        [] => String::new(),
        [one] => format!(", recipe {one}"),
        _ => format!(", recipes {}", recipes.join(", ")),
    };
    let purpose = match report.purpose {
        RunPurpose::Rewrite => "",
        RunPurpose::DryRun => ". A dry run: nothing was written",
        RunPurpose::Check => ". A check: nothing was written",
    };
    let settings = match report.settings_file {
        Some(name) => format!(", settings {}", code(name)),
        None => String::new(),
    };
    let mut head = format!(
        "{MARKER}\n## Outrigger: {}\n\n{}{recipes}{settings}{purpose}\n",
        report.summary,
        code(report.document),
    );
    for problem in &report.problems {
        head.push_str(&format!("\n- **error** {}\n", prose(problem.message)));
        if let Some(hint) = problem.hint {
            head.push_str(&format!("  <br>*hint:* {}\n", prose_lines(hint)));
        }
    }
    head
}

/// One row for each task definition, those that matter most first where there are too many.
fn table(report: &RunReport<'_>) -> String {
    let tasks = &report.task_definitions;
    if tasks.is_empty() {
        return String::new();
    }
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    let weight = |index: &usize| match tasks.get(*index).map(|task| task.outcome) {
        Some(TaskOutcome::Refused) => 0,
        Some(TaskOutcome::Rewritten | TaskOutcome::WouldBeRewritten) => 1,
        _ => 2,
    };
    order.sort_by_key(weight);
    order.truncate(MOST_ROWS);
    order.sort_unstable();
    let mut rows =
        "\n| task definition | outcome | containers | findings |\n|---|---|---|---|\n".to_owned();
    for task in order.iter().filter_map(|index| tasks.get(*index)) {
        rows.push_str(&format!(
            "| {}{} | {} | {} | {} |\n",
            code(&beginning(task.id, 100)),
            line(task.position),
            outcome(task, report),
            kinds(task),
            severities(task),
        ));
    }
    if tasks.len() > MOST_ROWS {
        rows.push_str(&format!("| and {} more | | | |\n", tasks.len() - MOST_ROWS));
    }
    rows
}

fn line(position: Option<Position>) -> String {
    let line = position.map(|position| format!(", line {}", position.line));
    line.unwrap_or_default()
}

fn outcome(task: &TaskDefinition<'_>, report: &RunReport<'_>) -> String {
    let words = match (task.outcome, report.purpose) {
        (TaskOutcome::Rewritten, _) => "rewritten",
        (TaskOutcome::WouldBeRewritten, _) => "would be rewritten",
        (TaskOutcome::Unchanged, RunPurpose::Check) => "carries the recipe",
        (TaskOutcome::Unchanged, _) => "already instrumented",
        (TaskOutcome::LeftAlone, _) => "left alone",
        (TaskOutcome::Refused, RunPurpose::Check) => "**fails the check**",
        (TaskOutcome::Refused, _) => "**refused**",
    };
    words.to_owned()
}

/// `2 wrapped, 1 sidecar`.
fn kinds(task: &TaskDefinition<'_>) -> String {
    let kinds = [Kind::Wrapped, Kind::Changed, Kind::Sidecar, Kind::Untouched];
    let counted = kinds.iter().filter_map(|wanted| {
        let all = task.containers.iter().filter(|one| kind(one) == *wanted);
        let count = all.count();
        (count > 0).then(|| format!("{count} {}", wanted.words()))
    });
    counted.collect::<Vec<_>>().join(", ")
}

/// `1 error, 2 warnings`.
fn severities(task: &TaskDefinition<'_>) -> String {
    let words = [
        (FindingSeverity::Error, "error", "errors"),
        (FindingSeverity::Warning, "warning", "warnings"),
        (FindingSeverity::Note, "note", "notes"),
    ];
    let counted = words.iter().filter_map(|(severity, one, many)| {
        let all = task.findings.iter();
        let count = all.filter(|found| found.severity == *severity).count();
        (count > 0).then(|| text::count(count, one, many))
    });
    counted.collect::<Vec<_>>().join(", ")
}

/// What became of one task definition.
fn section(task: &TaskDefinition<'_>, report: &RunReport<'_>, is_folded: bool) -> String {
    let outcome = outcome(task, report);
    let mut done = String::new();
    if let Some(graph) = graph(task) {
        done.push_str(&format!("\n{graph}"));
    }
    for container in &task.containers {
        done.push_str(&process_block(container));
    }
    done.push_str(&changes(task));
    let found = findings(task.findings.iter().map(|finding| (None, finding)));
    let body = match task.outcome {
        TaskOutcome::Refused => found + &done,
        _ => done + &found,
    };
    match is_folded && task.outcome != TaskOutcome::Refused {
        true => format!(
            "\n<details>\n<summary>{}: {outcome}</summary>\n{body}\n</details>\n",
            html_code(task.id)
        ),
        false => format!(
            "\n### {}: {}\n{body}",
            code(task.id),
            outcome.replace("**", "")
        ),
    }
}

/// What a container runs, before and after.
fn process_block(container: &Container<'_>) -> String {
    let processes = container
        .processes
        .iter()
        .filter(|one| !one.after.is_empty());
    let lines: Vec<String> = processes.flat_map(process_lines).collect();
    if lines.is_empty() {
        return String::new();
    }
    let kind = kind(container).words();
    format!(
        "\n**{}** ({kind})\n\n{}",
        code(container.name),
        fenced("diff", &lines)
    )
}

fn process_lines(process: &Process<'_>) -> Vec<String> {
    let shown = |words: &[String]| beginning(&text::command_line(words), LONGEST_PROCESS);
    let given = process
        .given
        .map(|given| format!("@@ when {} @@", text::line(given)));
    let mut lines: Vec<String> = given.into_iter().collect();
    if process.before == process.after || process.before.is_empty() {
        lines.push(format!("  {}", shown(process.after)));
    } else {
        lines.push(format!("- {}", shown(process.before)));
        lines.push(format!("+ {}", shown(process.after)));
    }
    lines
}

/// What was added or changed, folded.
fn changes(task: &TaskDefinition<'_>) -> String {
    let told = |changes: &[String]| {
        changes
            .iter()
            .map(|change| prose(change))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let of_containers = task
        .containers
        .iter()
        .map(|one| (Some(one.name), one.changes));
    let all = of_containers.chain([(None, task.changes)]);
    let all = all.filter(|(_, changes)| !changes.is_empty());
    let lines = all.clone().map(|(name, changes)| match name {
        Some(name) => format!("- {}: {}\n", code(name), told(changes)),
        None => format!("- the task definition: {}\n", told(changes)),
    });
    match all.clone().map(|(_, changes)| changes.len()).sum() {
        0 => String::new(),
        count => details(
            &text::count(count, "change", "changes"),
            &format!("\n{}", lines.collect::<String>()),
        ),
    }
}

/// Findings, the gravest first; what is the same of several containers is told once.
fn findings<'f, 'r: 'f>(all: impl Iterator<Item = (Option<&'r str>, &'f Finding<'r>)>) -> String {
    let mut told: Vec<(&Finding<'_>, Vec<String>)> = Vec::new();
    for (resource, finding) in all {
        let about = about(resource, finding);
        match told.iter_mut().find(|(one, _)| is_same(one, finding)) {
            Some((_, places)) => places.extend(about),
            None => told.push((finding, about.into_iter().collect())),
        }
    }
    told.sort_by_key(|(finding, _)| std::cmp::Reverse(finding.severity));
    let hidden = told.len().saturating_sub(MOST_FINDINGS);
    let mut shown: String = told
        .iter()
        .take(MOST_FINDINGS)
        .map(|(one, places)| finding(one, places))
        .collect();
    if hidden > 0 {
        shown.push_str(&format!("- and {hidden} more\n"));
    }
    match shown.is_empty() {
        true => shown,
        false => format!("\n{shown}"),
    }
}

fn is_same(one: &Finding<'_>, other: &Finding<'_>) -> bool {
    let says = |finding: &Finding<'_>| (finding.code, finding.severity);
    says(one) == says(other) && one.message == other.message && one.hint == other.hint
}

fn finding(finding: &Finding<'_>, places: &[String]) -> String {
    let severity = match finding.severity {
        FindingSeverity::Error => "error",
        FindingSeverity::Warning => "warning",
        FindingSeverity::Note => "note",
    };
    let mut shown = format!(
        "- **{severity}** `{}`: {}",
        finding.code,
        prose(finding.message)
    );
    if let Some(hint) = finding.hint {
        shown.push_str(&format!("<br>*hint:* {}", prose_lines(hint)));
    }
    shown.push('\n');
    for place in places.iter().take(MOST_PLACES) {
        shown.push_str(&format!("  - {place}\n"));
    }
    match places.len().saturating_sub(MOST_PLACES) {
        0 => {}
        hidden => shown.push_str(&format!("  - and {hidden} more\n")),
    }
    shown
}

/// What a finding is about, where it is not all of the task definition.
fn about(resource: Option<&str>, finding: &Finding<'_>) -> Option<String> {
    let names = [resource, finding.container, finding.image];
    let mut about: Vec<String> = names.into_iter().flatten().map(code).collect();
    if about.is_empty() {
        return None;
    }
    about.extend(
        finding
            .position
            .map(|position| format!("line {}", position.line)),
    );
    Some(about.join(", "))
}

fn document_findings(report: &RunReport<'_>) -> String {
    let all = report
        .findings
        .iter()
        .map(|one| (one.resource, &one.finding));
    match findings(all) {
        none if none.is_empty() => none,
        some => format!("\n### The document\n{some}"),
    }
}

/// What the roles need.
fn roles(report: &RunReport<'_>) -> String {
    let mut lists = String::new();
    for needs in &report.requirements {
        for (role, all) in [
            ("The task execution role", &needs.execution_role),
            ("The task role", &needs.task_role),
            ("The vendor's own role", &needs.vendor_role),
        ] {
            lists.push_str(&list(report, needs.recipe, role, all));
        }
    }
    details("What the roles need (IAM)", &lists)
}

/// What else has to be there.
fn prerequisites(report: &RunReport<'_>) -> String {
    let mut lists = String::new();
    for needs in &report.requirements {
        for (heading, all) in [
            ("Prerequisites", &needs.prerequisites),
            ("Network", &needs.network),
            ("Compatibility", &needs.compatibility),
        ] {
            lists.push_str(&list(report, needs.recipe, heading, all));
        }
    }
    details("Prerequisites and network", &lists)
}

fn list(report: &RunReport<'_>, recipe: &str, heading: &str, all: &[Requirement<'_>]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let recipe = match report.recipes.len() {
        0 | 1 => String::new(),
        _ => format!(" ({})", code(recipe)),
    };
    let lines = all.iter().map(|one| {
        let link = one.link.filter(|link| is_address(link));
        let link = link.map(|link| format!(" ([documentation](<{link}>))"));
        format!("- {}{}\n", prose_lines(one.text), link.unwrap_or_default())
    });
    format!("\n**{heading}**{recipe}\n\n{}", lines.collect::<String>())
}

/// A recipe's link can be anything.
fn is_address(link: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._~/?#&=%+:@".contains(c);
    link.starts_with("https://") && link.chars().all(fits)
}

fn details(summary: &str, body: &str) -> String {
    match body.is_empty() {
        true => String::new(),
        false => format!("\n<details>\n<summary>{summary}</summary>\n{body}\n</details>\n"),
    }
}
