//! Whether a task definition carries its recipes, without resolving anything.

use serde_json::Value;

use crate::cloudformation::find::Found;
use crate::image::Answers;
use crate::mark::upgrade::{Start, has_moved, start};
use crate::plan::Refusal;
use crate::plan::compose::{joined, would_change};
use crate::plan::image::Lookup;
use crate::plan::task::Run;
use crate::report::{Code, Finding, Outcome, Severity, TaskDefinitionReport};
use crate::work::{instrumented, refused, unreadable, upgraded};

/// Users that an image which was not inspected may have; what the recipe asks differs only by root or not.
pub(crate) const POSSIBLE_USERS: [&str; 2] = ["root", "not-root"];

/// Judges by every recipe by itself: a task definition carries all, or it does not carry one.
pub(crate) fn judged(
    runs: &[Run<'_>],
    found: &Found<'_>,
    others: &[&Value],
    answers: &Answers,
) -> TaskDefinitionReport {
    let by = |run: &Run<'_>| judged_by(*run, found, others, answers);
    match runs {
        [run] => by(run),
        runs => {
            let reports = runs.iter().map(|run| (run.recipe_name(), by(run)));
            joined(&found.id, reports.collect())
        }
    }
}

fn judged_by(
    run: Run<'_>,
    found: &Found<'_>,
    others: &[&Value],
    answers: &Answers,
) -> TaskDefinitionReport {
    let mut reports = POSSIBLE_USERS
        .iter()
        .map(|user| instrumented(&[run], found, others, Lookup::Judge(answers, user)).report);
    let settled = |report: &TaskDefinitionReport| {
        matches!(report.outcome, Outcome::Unchanged | Outcome::LeftAlone)
    };
    let Some(first) = reports.next() else {
        return unreadable(&found.id);
    };
    if first.outcome == Outcome::LeftAlone {
        return first;
    }
    let drift = drift(run, found, others, answers);
    if !drift.is_empty() {
        return refused(&found.id, drift);
    }
    if settled(&first) {
        return first;
    }
    if let Some(other) = reports.find(settled) {
        return other;
    }
    let mut report = first;
    if report.outcome == Outcome::Rewritten {
        report.findings.push(Finding {
            code: Code::NotInstrumented,
            severity: Severity::Error,
            container: None,
            image: None,
            message: format!(
                "does not carry the recipe `{}`; rewriting would change {}",
                run.rendered.recipe.recipe().name(),
                would_change(&report)
            ),
            hint: Some(format!(
                "rewrite the {}, and check the result",
                run.dialect.document()
            )),
        });
    }
    report.outcome = Outcome::Refused;
    report
}

/// What keeps a task definition from carrying its recipe, by its marker: a process that was changed,
/// or that came from another image, or the recipe in another form.
fn drift(run: Run<'_>, found: &Found<'_>, others: &[&Value], answers: &Answers) -> Vec<Finding> {
    let Some(properties) = found.properties else {
        return Vec::new();
    };
    let runs = &[run];
    let without = match start(runs, found, properties, Some(answers)) {
        Start::AsItIs => return Vec::new(),
        Start::Refused(mut findings) => {
            findings.retain(|finding| finding.code != Code::MarkerIncomplete);
            return findings;
        }
        Start::TakenOff(without) => without,
    };
    let recipe = run.recipe_name();
    let (message, hint) = if has_moved(&run, found, properties, answers) {
        (
            format!("the program stands behind the wrapper of `{recipe}` as another image had it"),
            "rewrite it: the new image's own program is put in its place",
        )
    } else {
        let mut judged = POSSIBLE_USERS.iter().map(|user| {
            let lookup = Lookup::Judge(answers, user);
            upgraded(runs, found, &without, others, lookup)
                .report
                .outcome
        });
        // Where an image is not known, what stands there is judged.
        if !judged.all(|outcome| outcome == Outcome::Rewritten) {
            return Vec::new();
        }
        (
            format!(
                "it carries the recipe `{recipe}` in another version or with other inputs, by its marker"
            ),
            "rewrite it: the recipe is taken off and put on anew",
        )
    };
    vec![Refusal::new(Code::NotInstrumented, message, hint).finding(None)]
}
