//! What is marked comes off again, and nothing else with it.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    answers, assignments, bound, processes, settings, taken_apart, task_definition, template,
};
use crate::cloudformation::conditions::restrict;
use crate::cloudformation::intrinsic::{Assignment, function};
use crate::dialect::Dialect;
use crate::mark::{Removal, markers};
use crate::recipe::{BoundRecipe, Recipes};
use crate::report::{Code, Outcome, TaskDefinitionReport};
use crate::settings::{Marks, Settings};
use crate::source;
use crate::{DocumentKind, images_needed, remove, rewrite};

const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-AbCdEf";

/// Every built-in recipe, in the ways that differ most.
fn all() -> Vec<Recipes> {
    of_version("1")
}

/// The same with another image of each agent.
fn all_later() -> Vec<Recipes> {
    of_version("2")
}

fn of_version(version: &str) -> Vec<Recipes> {
    let image = |repository: &str| format!("{repository}:{version}");
    let [al, lw, df, sd, pc] = [
        "alertlogic/al-agent-container",
        "lacework/datacollector",
        "quay.io/deepfenceio/deepfence_agent",
        "quay.io/sysdig/workload-agent",
        "registry-auth.twistlock.com/tw_x/twistlock/defender",
    ]
    .map(image);
    let deepfence = [
        ("image", df.as_str()),
        ("consoleUrl", "https://console"),
        ("key", ARN),
        ("registryCredentials", ARN),
    ];
    let sysdig = [
        ("image", sd.as_str()),
        ("accessKey", ARN),
        ("collectorHost", "collector"),
        ("collectorPort", "6443"),
        ("pidMode", "task"),
    ];
    let prisma = [
        ("image", pc.as_str()),
        ("installBundle", ARN),
        ("wsAddress", "wss://console:443"),
    ];
    let lacework = |non_root| {
        let inputs = [
            ("image", lw.as_str()),
            ("accessToken", ARN),
            ("nonRoot", non_root),
        ];
        bound("lacework", &inputs)
    };
    let alert_logic = || bound("alert-logic", &[("image", al.as_str())]);
    let command = [&sysdig[..], &[("arrangement", "command")]].concat();
    let one = [
        lacework("run-as-root"),
        lacework("sudo"),
        alert_logic(),
        bound("deepfence", &deepfence),
        bound("sysdig", &sysdig),
        bound("sysdig", &command),
        bound("prisma-cloud", &prisma),
    ];
    let several = [
        vec![alert_logic(), lacework("run-as-root")],
        vec![bound("prisma-cloud", &prisma), alert_logic()],
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
    prop_assert!(
        again == marked && second.outcome == Outcome::Unchanged,
        "a second run: {:?}\n{}\n{}",
        second.findings,
        marked,
        again
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
        prop_assert!(
            deep(&back, &given) == deep(&document, &given),
            "{:?}\n{}\n{}\n{}",
            given,
            document,
            marked,
            back
        );
    }
    Ok(())
}

/// The task definition as it is under each combination of conditions, where no function is left.
fn plain(task: &Value) -> Vec<Value> {
    let all = assignments();
    let all = all.iter().filter_map(|given| deep(task, given));
    let literal = |task: &Value| {
        let text = task["containerDefinitions"].to_string();
        task["containerDefinitions"].is_array()
            && !text.contains("Fn::")
            && !text.contains("{\"Ref\"")
    };
    all.filter(literal).collect()
}

fn documents(task: &Value) -> Vec<(DocumentKind, Value)> {
    let plain = plain(task).into_iter();
    let plain = plain.map(|task| (DocumentKind::TaskDefinition, task));
    [(DocumentKind::Template, template(task))]
        .into_iter()
        .chain(plain.take(1))
        .collect()
}

/// Whether two task definitions are the same, but for lists that are there without entries.
fn alike(one: &Value, other: &Value) -> bool {
    fn full(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let members = map.iter().map(|(key, value)| (key.clone(), full(value)));
                let hollow = |value: &Value| *value == json!([]) || *value == json!({});
                Value::Object(members.filter(|(_, value)| !hollow(value)).collect())
            }
            Value::Array(items) => items.iter().map(full).collect(),
            other => other.clone(),
        }
    }
    full(one) == full(other)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 16,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_marked_in_a_template_comes_off(task in task_definition()) {
        for recipes in all() {
            comes_off(&task, DocumentKind::Template, &recipes)?;
        }
    }

    #[test]
    fn what_is_marked_in_a_task_definition_comes_off(task in task_definition()) {
        for plain in plain(&task) {
            for recipes in all() {
                comes_off(&plain, DocumentKind::TaskDefinition, &recipes)?;
            }
        }
    }

    #[test]
    fn what_is_marked_in_a_template_comes_off_where_it_was_deployed(task in task_definition()) {
        for recipes in all() {
            let (marked, report) = rewritten(&template(&task), DocumentKind::Template, &recipes, &marking());
            if report.outcome != Outcome::Rewritten || has(&report, Code::NotMarked) {
                continue;
            }
            let marked = Dialect::CloudFormation.canonical("", &marked["Resources"]["family"]["Properties"]);
            for given in assignments() {
                let (deployed, original) = (deep(&marked, &given).unwrap(), deep(&task, &given).unwrap());
                // What only a deployment knows stands for itself; under these conditions there may be no container.
                let marked = markers(&deployed).iter().any(|marker| !marker.containers.is_empty());
                if !marked || deployed.to_string().contains("Fn::") {
                    continue;
                }
                let (back, removal) = without(&deployed, DocumentKind::TaskDefinition, &Removal::default());
                match removal.outcome {
                    Outcome::Refused => prop_assert!(has(&removal, Code::MarkerIncomplete), "{:?}", removal),
                    _ => prop_assert!(alike(&back, &original), "{:?}\n{}\n{}\n{}", given, original, deployed, back),
                }
            }
        }
    }

    #[test]
    fn an_upgrade_is_as_if_the_original_were_rewritten(task in task_definition()) {
        let digest = regex::Regex::new("[0-9a-f]{16}").unwrap();
        for (old, new) in all().iter().zip(all_later()) {
            for (kind, document) in documents(&task) {
                let (marked, report) = rewritten(&document, kind, old, &marking());
                if report.outcome != Outcome::Rewritten || has(&report, Code::NotMarked) || has(&report, Code::MarkerIncomplete) {
                    continue;
                }
                let (fresh, of_fresh) = rewritten(&document, kind, &new, &marking());
                if of_fresh.outcome == Outcome::Refused {
                    continue;
                }
                // The marker is kept without being asked for.
                let (upgraded, report) = rewritten(&marked, kind, &new, &settings());
                // Where no agent of the recipe's is added, its image makes no difference.
                let same = report.outcome == Outcome::Unchanged;
                prop_assert!(same || has(&report, Code::Upgraded), "{:?}", report);
                let told = |document: &Value, given: &Assignment| match same {
                    true => digest.replace_all(&deep(document, given).unwrap_or_default().to_string(), "").into_owned(),
                    false => deep(document, given).unwrap_or_default().to_string(),
                };
                // Members stand in another order.
                let told = |document: &Value, given: &Assignment| {
                    let value: Value = serde_json::from_str(&told(document, given)).unwrap();
                    value
                };
                for given in assignments() {
                    prop_assert!(told(&upgraded, &given) == told(&fresh, &given), "{:?}\n{}\n{}\n{}", given, document, fresh, upgraded);
                }
            }
        }
    }

    #[test]
    fn without_a_marker_the_program_stays(task in task_definition()) {
        for recipes in all() {
            let (before, report) = rewritten(&template(&task), DocumentKind::Template, &recipes, &settings());
            if report.outcome != Outcome::Rewritten {
                continue;
            }
            let removal = Removal { names: &[], recipes: Some(&recipes) };
            let (back, removed) = without(&before, DocumentKind::Template, &removal);
            prop_assert_ne!(removed.outcome, Outcome::LeftAlone, "{:?}", removed);
            if removed.outcome == Outcome::Refused {
                continue;
            }
            let programs = |document: &Value, given: &Assignment| {
                let properties = &document["Resources"]["family"]["Properties"];
                processes(&Dialect::CloudFormation.canonical("", properties), given)
            };
            for given in assignments() {
                let wrapped = programs(&before, &given);
                for (name, now) in programs(&back, &given) {
                    let original = processes(&task, &given).remove(&name).unwrap_or_default();
                    let mentions = format!("{original:?}").contains("lacework-sidecar");
                    let (was, now) = (taken_apart(&original), taken_apart(&now));
                    prop_assert!(was == now || mentions, "{}: {:?} became {:?} by {:?}", name, was, now, wrapped[&name]);
                }
            }
        }
    }
}
