//! Reports for a person at a terminal.

use cli::Paint;
use cli::report::{Purpose, Setting, render, render_errors};
use cli::text;
use taskdef::report::Report;

use super::{Applied, DefinitionOutcome, ShardApplied, ShardReport, TargetOutcome, name_of};
use crate::api::{Counts, add_counts};
use crate::means;
use crate::shard::Shard;
use crate::trouble::Trouble;

/// What would be done in an account and region; when it is `quiet`, the errors alone.
pub(crate) fn planned(report: &ShardReport, quiet: bool, paint: Paint) -> String {
    let mut shown = format!("{}\n", paint.strong(&report.shard));
    let mut told = Report::default();
    for definition in &report.definitions {
        let Some(mut task) = definition.told.clone() else {
            continue;
        };
        let verb = match definition.outcome {
            DefinitionOutcome::Changes => "gets the new revision",
            _ => "runs it",
        };
        let runs = report.targets.iter();
        let runs = runs.filter(|runs| runs.definition == definition.definition);
        task.changes.extend(runs.map(|runs| match runs.latest {
            true => format!("{} takes the latest revision", runs.target),
            false => format!("{} {verb}", runs.target),
        }));
        told.task_definitions.push(task);
    }
    let place = report.shard.to_string();
    let setting = Setting {
        document: &place,
        line: &|_| None,
        paint,
        purpose: Purpose::DryRun,
    };
    if quiet {
        shown.push_str(&render_errors(&told, &setting));
    } else if !told.task_definitions.is_empty() {
        shown.push_str(&render(&told, &[], &setting));
    }
    for left in report.left_alone.iter().filter(|_| !quiet) {
        let target = text::line(&left.target.to_string());
        let words = paint.faint("left alone:");
        shown.push_str(&format!(
            "{target}: {words} {}\n",
            text::line(&left.message)
        ));
    }
    push_troubles(&mut shown, &report.troubles, paint);
    shown.push('\n');
    shown
}

/// What was not done in an account and region.
pub(crate) fn not_done(report: &ShardApplied, paint: Paint) -> String {
    let mut shown = String::new();
    for applied in &report.targets {
        if applied.outcome != TargetOutcome::Updated {
            shown.push_str(&one(None, applied, paint));
        }
    }
    push_troubles(&mut shown, &report.troubles, paint);
    match shown.is_empty() {
        true => shown,
        false => format!("\n{}\n{shown}\n", paint.strong(&report.shard)),
    }
}

/// What became of a target; of which account and region, where that has to be said.
pub(crate) fn one(shard: Option<&Shard>, applied: &Applied, paint: Paint) -> String {
    let words = applied.outcome.name();
    let words = match applied.outcome {
        TargetOutcome::Updated => paint.good(words),
        TargetOutcome::NotReached => paint.faint(words),
        outcome if outcome.is_failure() => paint.error(words),
        _ => paint.warning(words),
    };
    let target = text::line(&applied.target.to_string());
    let place = shard.map_or(String::new(), |shard| format!("{shard}: "));
    let revision = applied.revision.as_deref().map(name_of);
    let revision = revision.map(|revision| format!(" ({})", text::line(revision)));
    let revision = revision.unwrap_or_default();
    let mut shown = format!("  {place}{target}: {words}{revision}\n");
    if let Some(message) = &applied.message {
        shown.push_str(&format!("    {}\n", text::lines(message, "      ")));
    }
    for reason in &applied.stopped {
        let label = paint.error("stopped:");
        shown.push_str(&format!("    {label} {}\n", text::lines(reason, "      ")));
    }
    shown
}

pub(crate) fn push_troubles(shown: &mut String, troubles: &[Trouble], paint: Paint) {
    for trouble in troubles {
        let label = paint.error("error:");
        shown.push_str(&format!(
            "{label} {}\n",
            text::lines(&trouble.message, "  ")
        ));
        if let Some(hint) = &trouble.hint {
            let label = paint.hint("hint:");
            shown.push_str(&format!("  {label} {}\n", text::lines(hint, "    ")));
        }
    }
}

/// The last lines of a plan's report.
pub(crate) fn plan_summary(
    reports: &[ShardReport],
    purpose: means::Purpose,
    outside: &Counts,
) -> String {
    let sum = |outcome| -> usize { reports.iter().map(|report| report.count(outcome)).sum() };
    let targets: usize = reports.iter().map(|report| report.targets.len()).sum();
    let changes = sum(DefinitionOutcome::Changes);
    let verb = match purpose {
        means::Purpose::Instrument => "to register",
        means::Purpose::Remove => "to register without the recipe",
    };
    let places = text::count(reports.len(), "account and region", "accounts and regions");
    format!(
        "{places}, {}: {} {verb}, {} unchanged, {} left alone, {} refused\n{}",
        text::count(targets, "target", "targets"),
        text::count(changes, "revision", "revisions"),
        sum(DefinitionOutcome::Unchanged),
        sum(DefinitionOutcome::LeftAlone),
        sum(DefinitionOutcome::Refused),
        calls(reports.iter().map(|report| &report.calls).chain([outside])),
    )
}

/// The last lines of an apply's report.
pub(crate) fn apply_summary(reports: &[ShardApplied], outside: &Counts) -> String {
    let targets = || reports.iter().flat_map(|report| &report.targets);
    let count = |outcome| targets().filter(|it| it.outcome == outcome).count();
    let updated = text::count(
        count(TargetOutcome::Updated),
        "target updated",
        "targets updated",
    );
    let others = [
        TargetOutcome::ChangedSincePlan,
        TargetOutcome::DeploymentInProgress,
        TargetOutcome::NotSteady,
        TargetOutcome::Overtaken,
        TargetOutcome::Failed,
        TargetOutcome::RolledBack,
        TargetOutcome::RollbackFailed,
        TargetOutcome::NotReached,
    ];
    let others = others.into_iter().filter(|outcome| count(*outcome) > 0);
    let others: String = others
        .map(|outcome| format!(", {} {}", count(outcome), outcome.name()))
        .collect();
    let calls = calls(reports.iter().map(|report| &report.calls).chain([outside]));
    format!("{updated}{others}\n{calls}")
}

/// `120 calls to AWS (ecs:DescribeServices 3, ...)`.
pub(crate) fn calls<'c>(counts: impl IntoIterator<Item = &'c Counts>) -> String {
    let mut all = Counts::new();
    for counts in counts {
        add_counts(&mut all, counts);
    }
    let calls: u64 = all.values().map(|count| count.calls).sum();
    let throttled: u64 = all.values().map(|count| count.throttled).sum();
    let each: Vec<String> = all
        .iter()
        .map(|(name, count)| format!("{name} {}", count.calls))
        .collect();
    let calls = text::count(
        usize::try_from(calls).unwrap_or(usize::MAX),
        "call",
        "calls",
    );
    let throttled = match throttled {
        0 => String::new(),
        throttled => format!(", {throttled} throttled"),
    };
    match each.is_empty() {
        true => format!("{calls} to AWS{throttled}\n"),
        false => format!("{calls} to AWS{throttled} ({})\n", each.join(", ")),
    }
}
