//! What is marked comes off again, and nothing else with it.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::{answers, assignments, bound, run_as_root, settings, task_definition, template};
use crate::cloudformation::conditions::restrict;
use crate::cloudformation::intrinsic::{Assignment, function};
use crate::mark::Removal;
use crate::recipe::{BoundRecipe, Recipes};
use crate::report::{Code, Outcome, TaskDefinitionReport};
use crate::settings::{Marks, Settings};
use crate::source;
use crate::{DocumentKind, images_needed, remove, rewrite};

const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-AbCdEf";

/// Every built-in recipe, in the ways that differ most.
fn all() -> Vec<Recipes> {
    let deepfence = [
        ("consoleUrl", "https://console"),
        ("key", ARN),
        ("registryCredentials", ARN),
    ];
    let sysdig = [
        ("accessKey", ARN),
        ("collectorHost", "collector"),
        ("collectorPort", "6443"),
        ("pidMode", "task"),
    ];
    let prisma = [
        (
            "image",
            "registry-auth.twistlock.com/tw_x/twistlock/defender:defender_34_01_132",
        ),
        ("installBundle", ARN),
        ("wsAddress", "wss://console:443"),
    ];
    let sudo = [("accessToken", ARN), ("nonRoot", "sudo")];
    let command = [&sysdig[..], &[("arrangement", "command")]].concat();
    let one = [
        run_as_root(),
        bound("lacework", &sudo),
        bound("alert-logic", &[]),
        bound("deepfence", &deepfence),
        bound("sysdig", &sysdig),
        bound("sysdig", &command),
        bound("prisma-cloud", &prisma),
    ];
    let several = [
        vec![bound("alert-logic", &[]), run_as_root()],
        vec![bound("prisma-cloud", &prisma), bound("alert-logic", &[])],
    ];
    let together = |recipes: Vec<BoundRecipe>| Recipes::new(recipes).unwrap();
    let several = several.into_iter().map(together);
    one.into_iter().map(Recipes::from).chain(several).collect()
}

fn marking() -> Settings {
    Settings {
        marks: Marks::Yes,
        ..settings()
    }
}

/// The whole document after a rewrite, and what became of its task definition.
fn rewritten(
    document: &Value,
    kind: DocumentKind,
    recipes: &Recipes,
    settings: &Settings,
) -> (Value, TaskDefinitionReport) {
    let answers = answers(&images_needed(document, kind, recipes, settings).unwrap());
    let mut rewritten = rewrite(document, kind, recipes, settings, &answers).unwrap();
    let mut after = document.clone();
    source::put(&mut after, rewritten.changes).unwrap();
    (after, rewritten.report.task_definitions.remove(0))
}

fn without(
    document: &Value,
    kind: DocumentKind,
    removal: &Removal<'_>,
) -> (Value, TaskDefinitionReport) {
    let mut removed = remove(document, kind, removal, &settings()).unwrap();
    let mut after = document.clone();
    source::put(&mut after, removed.changes).unwrap();
    (after, removed.report.task_definitions.remove(0))
}

/// A value under an assignment, to its depth, without what is not there.
fn deep(value: &Value, given: &Assignment) -> Option<Value> {
    match restrict(value, given)? {
        Value::Object(map) if function(&Value::Object(map.clone())).is_none() => {
            let members = map.iter();
            let members =
                members.filter_map(|(key, value)| Some((key.clone(), deep(value, given)?)));
            Some(Value::Object(members.collect::<Map<_, _>>()))
        }
        Value::Array(items) => Some(items.iter().filter_map(|item| deep(item, given)).collect()),
        other => Some(other),
    }
}

fn has(report: &TaskDefinitionReport, code: Code) -> bool {
    report.findings.iter().any(|finding| finding.code == code)
}

/// What is marked comes off, or the marker said from the beginning what it does not hold.
fn comes_off(task: &Value, kind: DocumentKind, recipes: &Recipes) -> Result<(), TestCaseError> {
    let document = match kind {
        DocumentKind::TaskDefinition => task.clone(),
        _ => template(task),
    };
    let (marked, report) = rewritten(&document, kind, recipes, &marking());
    if report.outcome != Outcome::Rewritten || has(&report, Code::NotMarked) {
        return Ok(());
    }
    let (again, second) = rewritten(&marked, kind, recipes, &marking());
    prop_assert_eq!(
        (&again, second.outcome),
        (&marked, Outcome::Unchanged),
        "{:?}",
        second
    );
    let (back, removal) = without(&marked, kind, &Removal::default());
    if removal.outcome == Outcome::Refused {
        prop_assert!(
            has(&report, Code::MarkerIncomplete) && has(&removal, Code::MarkerIncomplete),
            "{:?}",
            removal
        );
        return Ok(());
    }
    prop_assert_eq!(removal.outcome, Outcome::Rewritten);
    for given in assignments() {
        prop_assert_eq!(
            deep(&back, &given),
            deep(&document, &given),
            "{}\n{}",
            marked,
            back
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_marked_in_a_template_comes_off(task in task_definition()) {
        for recipes in all() {
            comes_off(&task, DocumentKind::Template, &recipes)?;
        }
    }
}
