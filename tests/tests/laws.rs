//! Laws over templates that nobody wrote: intrinsic functions wherever they may stand.

#![cfg(test)]

mod templates;

use std::collections::BTreeMap;
use std::fs;

use outrigger_tests::conditions::{possible, under, used};
use outrigger_tests::document::{container_definitions, parse, task_definitions};
use outrigger_tests::law::{self, LACEWORK};
use outrigger_tests::run::{Ran, cfn_filter};
use outrigger_tests::{ecs, yaml};
use proptest::prelude::*;
use serde_json::Value;
use templates::{Generated, generated};

const ARGS: [&str; 11] = [
    "--recipe",
    "lacework",
    "--set",
    "accessToken=arn:aws:secretsmanager:eu-central-1:123456789012:secret:lacework-AbCdEf",
    "--set",
    "serverUrl=https://api.fra.lacework.net",
    "--region",
    "eu-central-1",
    "--account-id",
    "123456789012",
    "--locked",
];

/// What becomes of containers that are not root.
#[derive(Clone, Copy, Debug)]
enum NonRoot {
    RunAsRoot,
    Sudo,
}

impl NonRoot {
    fn any() -> impl Strategy<Value = NonRoot> {
        proptest::sample::select(vec![NonRoot::RunAsRoot, NonRoot::Sudo])
    }

    fn args(self) -> [String; 2] {
        let way = match self {
            NonRoot::RunAsRoot => "nonRoot=run-as-root",
            NonRoot::Sudo => "nonRoot=sudo",
        };
        ["--set".to_owned(), way.to_owned()]
    }
}

fn run(text: &str, lock: &Value, non_root: NonRoot) -> Ran {
    run_with(text, lock, non_root, &[])
}

fn run_with(text: &str, lock: &Value, non_root: NonRoot, more: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let lock_path = folder.path().join("outrigger.lock");
    fs::write(&lock_path, lock.to_string()).unwrap();
    let mut args = vec![
        "-".to_owned(),
        "--lock".to_owned(),
        lock_path.display().to_string(),
    ];
    args.extend(ARGS.map(str::to_owned));
    args.extend(non_root.args());
    args.extend(more.iter().map(|&arg| arg.to_owned()));
    let mut ran = cfn_filter(&args, text.as_bytes());
    ran.stderr = ran
        .stderr
        .replace(&lock_path.display().to_string(), "outrigger.lock");
    ran
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_program_still_runs(generated in generated(), non_root in NonRoot::any()) {
        let Generated { template, lock, tasks } = generated;
        let ran = run(&format!("{template:#}\n"), &lock, non_root);
        all_found(&ran, &tasks)?;
        if ran.exit != 0 {
            refused(&ran)?;
            return Ok(());
        }
        let output = parse(&ran.stdout).unwrap();
        let verdict = law::judge(&template, &output, &lock, &LACEWORK);
        prop_assert!(verdict.broken.is_empty(), "{:#?}\n{template:#}\n{output:#}", verdict.broken);
        prop_assert_eq!(verdict.not_judged, 0);
        prop_assert_eq!(verdict.task_definitions, tasks.len());
        only_containers_changed(&template, &output)?;
        // The branch of a switch that is off stays as it is where it cannot be instrumented.
        if !ran.stderr.contains("branch-left-alone") {
            prop_assert_eq!(verdict.wrapped, verdict.containers);
            sidecars(&template, &output)?;
        }
    }

    #[test]
    fn a_second_run_changes_nothing(generated in generated(), non_root in NonRoot::any()) {
        let Generated { template, lock, tasks } = generated;
        let once = run(&format!("{template:#}\n"), &lock, non_root);
        all_found(&once, &tasks)?;
        if once.exit == 0 {
            let twice = run(&String::from_utf8(once.stdout.clone()).unwrap(), &lock, non_root);
            prop_assert_eq!(twice.exit, 0, "{}\n{}", twice.stderr, String::from_utf8_lossy(&once.stdout));
            all_found(&twice, &tasks)?;
            prop_assert!(once.stdout == twice.stdout, "once:\n{}\ntwice:\n{}", String::from_utf8_lossy(&once.stdout), String::from_utf8_lossy(&twice.stdout));
            let checked = run_with(&String::from_utf8(once.stdout.clone()).unwrap(), &lock, non_root, &["--check"]);
            prop_assert_eq!(checked.exit, 0, "{}\n{}", checked.stderr, String::from_utf8_lossy(&once.stdout));
            let third = run(&String::from_utf8(twice.stdout).unwrap(), &lock, non_root);
            prop_assert_eq!(third.stderr, twice.stderr);
        }
    }

    #[test]
    fn yaml_and_json_are_rewritten_alike(generated in generated(), style in yaml_style(), non_root in NonRoot::any()) {
        let Generated { template, lock, tasks } = generated;
        let text = yaml::write(&template, &style);
        prop_assert_eq!(&parse(text.as_bytes()).unwrap(), &template, "{}", text);
        let (as_json, as_yaml) = (run(&format!("{template:#}\n"), &lock, non_root), run(&text, &lock, non_root));
        all_found(&as_json, &tasks)?;
        all_found(&as_yaml, &tasks)?;
        prop_assert_eq!(as_json.exit, as_yaml.exit, "{}\n{}\n{}", as_json.stderr, as_yaml.stderr, text);
        if as_json.exit == 0 {
            let output = parse(&as_yaml.stdout);
            prop_assert_eq!(output.as_ref(), Ok(&parse(&as_json.stdout).unwrap()), "{}", String::from_utf8_lossy(&as_yaml.stdout));
        }
        let lines_gone = |report: &str| report.lines().map(|line| line.split(" (<stdin>:").next().unwrap_or(line).to_owned()).collect::<Vec<_>>();
        prop_assert_eq!(lines_gone(&as_json.stderr), lines_gone(&as_yaml.stderr));
    }

    #[test]
    fn broken_templates_give_no_output(generated in generated(), style in yaml_style(), damage in proptest::collection::vec(damage(), 1..4)) {
        let Generated { template, lock, .. } = generated;
        let mut bytes = if damage.len().is_multiple_of(2) { yaml::write(&template, &style).into_bytes() } else { template.to_string().into_bytes() };
        damage.iter().for_each(|damage| damage.apply(&mut bytes));
        judge_bytes(&bytes, &lock)?;
    }

    #[test]
    fn random_bytes_give_no_output(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[-\\[\\]{}:,&*!|>'\"%@#? \n\tRefsourcTyp0-9<]{0,120}") {
        judge_bytes(&bytes, &Value::Null)?;
        judge_bytes(text.as_bytes(), &Value::Null)?;
        judge_bytes(format!("Resources:\n  Task:\n    Type: AWS::ECS::TaskDefinition\n    Properties: {text}").as_bytes(), &Value::Null)?;
    }
}

fn yaml_style() -> impl Strategy<Value = yaml::Style> {
    (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        2..5_usize,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(indented, short_forms, flow, step, crlf, comments)| yaml::Style {
                indented,
                short_forms,
                flow,
                step,
                crlf,
                comments,
            },
        )
}

/// Every task definition that was generated is in scope, so it has been found and judged: it is
/// left alone only where its conditions leave it no container.
fn all_found(ran: &Ran, tasks: &[String]) -> Result<(), TestCaseError> {
    if ran.exit != 0 {
        let total = match tasks.len() {
            1 => "of 1 task definition refused".to_owned(),
            total => format!("of {total} task definitions refused"),
        };
        prop_assert!(ran.stderr.contains(&total), "not {}: {}", total, ran.stderr);
        return Ok(());
    }
    for id in tasks {
        let head = format!("{id}: ");
        let mut lines = ran.stderr.lines();
        let outcome = lines.find_map(|line| line.strip_prefix(&head));
        let outcome = outcome.unwrap_or_default();
        let judged = ["rewritten", "already instrumented"].iter();
        let is_empty = outcome.starts_with("left alone")
            && lines.next() == Some("  note[not-selected]: no container to instrument");
        prop_assert!(
            is_empty || judged.into_iter().any(|words| outcome.starts_with(words)),
            "{} was not judged: {}",
            id,
            ran.stderr
        );
    }
    Ok(())
}

/// A refusal has a reason and no output.
fn refused(ran: &Ran) -> Result<(), TestCaseError> {
    prop_assert_eq!(ran.exit, 1, "{}", ran.stderr);
    prop_assert!(ran.stdout.is_empty());
    let named = taskdef::report::Code::ALL
        .iter()
        .any(|code| ran.stderr.contains(&format!("error[{code}]")));
    prop_assert!(named, "no reason: {}", ran.stderr);
    Ok(())
}

fn without_containers(document: &Value) -> Value {
    let mut document = document.clone();
    let paths: Vec<String> = task_definitions(&document)
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    for path in paths {
        if let Some(properties) = document
            .pointer_mut(&format!("/{path}/Properties"))
            .and_then(Value::as_object_mut)
        {
            properties.shift_remove("ContainerDefinitions");
        }
    }
    document
}

fn only_containers_changed(before: &Value, after: &Value) -> Result<(), TestCaseError> {
    prop_assert_eq!(without_containers(before), without_containers(after));
    Ok(())
}

/// Under every assignment that the template allows: what was there is there, our entries are there once, names are unique.
fn sidecars(before: &Value, after: &Value) -> Result<(), TestCaseError> {
    let all = task_definitions(before);
    for ((_, old), (path, new)) in all.iter().zip(task_definitions(after)) {
        let (old, new) = (container_definitions(old), container_definitions(new));
        let mut names = used(old);
        names.extend(used(new));
        for assignment in possible(before, &names) {
            let settle =
                |value| under(value, &assignment).map(|value| ecs::container_definitions(&value));
            let (Some(old), Some(new)) = (settle(old), settle(new)) else {
                continue;
            };
            let (old, new) = (containers(&old), containers(&new));
            let wrapped = new
                .values()
                .filter(|container| {
                    names_in(container, "volumesFrom", "sourceContainer")
                        .contains(&"datacollector-sidecar")
                })
                .count();
            prop_assert_eq!(
                wrapped,
                old.len(),
                "{} under {:?}: {:#?}",
                path,
                assignment,
                new
            );
            prop_assert!(
                old.is_empty() || new.contains_key("datacollector-sidecar"),
                "{path} under {assignment:?}: no sidecar in {new:#?}"
            );
            for (name, container) in &old {
                let rewritten = new.get(name);
                prop_assert!(rewritten.is_some(), "{} is gone", name);
                entries(container, rewritten.unwrap())?;
            }
        }
    }
    Ok(())
}

fn containers(list: &Value) -> BTreeMap<String, Value> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .map(|item| {
            (
                item["name"].to_string().trim_matches('"').to_owned(),
                item.clone(),
            )
        })
        .collect()
}

fn names_in<'a>(container: &'a Value, list: &str, key: &str) -> Vec<&'a str> {
    let items = container
        .get(list)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.get(key).and_then(Value::as_str))
        .collect()
}

/// Nothing of the workload's is lost, and each of ours is there exactly once.
fn entries(before: &Value, after: &Value) -> Result<(), TestCaseError> {
    for (list, key, ours) in [
        ("environment", "name", "LaceworkServerUrl"),
        ("secrets", "name", "LaceworkAccessToken"),
        ("volumesFrom", "sourceContainer", "datacollector-sidecar"),
        ("dependsOn", "containerName", "datacollector-sidecar"),
    ] {
        let items = |value: &Value| {
            value
                .get(list)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        let ours_in = items(after).iter().filter(|item| item[key] == ours).count();
        prop_assert_eq!(ours_in, 1, "{} in {:#}", list, after);
        let kept: Vec<Value> = items(after)
            .into_iter()
            .filter(|item| item[key] != ours)
            .collect();
        let had: Vec<Value> = items(before)
            .into_iter()
            .filter(|item| {
                ![
                    "LaceworkServerUrl",
                    "LaceworkAccessToken",
                    "datacollector-sidecar",
                ]
                .iter()
                .any(|name| item[key] == *name)
            })
            .collect();
        prop_assert_eq!(had, kept, "{} in {:#}", list, after);
    }
    capabilities(&before["linuxParameters"], &after["linuxParameters"])
}

/// Capabilities are a set: ours is added once where it is needed, the others stay.
fn capabilities(before: &Value, after: &Value) -> Result<(), TestCaseError> {
    let added = |value: &Value| {
        value["capabilities"]["add"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let (had, has) = (added(before), added(after));
    let others = |list: &[Value]| {
        list.iter()
            .filter(|name| *name != "SYS_PTRACE")
            .cloned()
            .collect::<Vec<_>>()
    };
    prop_assert_eq!(others(&had), others(&has));
    prop_assert!(
        has.len() - others(&has).len() <= 1.max(had.len() - others(&had).len()),
        "{:#}",
        after
    );
    prop_assert_eq!(
        &before["capabilities"]["drop"],
        &after["capabilities"]["drop"]
    );
    prop_assert_eq!(&before["initProcessEnabled"], &after["initProcessEnabled"]);
    Ok(())
}

/// A way to damage a text.
#[derive(Clone, Debug)]
enum Damage {
    Cut(f64),
    Remove(f64, usize),
    Double(f64, usize),
    Insert(f64, Vec<u8>),
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        let place = |at: &f64| ((length as f64) * at) as usize;
        match self {
            Damage::Cut(at) => bytes.truncate(place(at)),
            Damage::Remove(at, count) => {
                drop(bytes.drain(place(at)..(place(at) + count).min(length)))
            }
            Damage::Double(at, count) => {
                let part = bytes[place(at)..(place(at) + count).min(length)].to_vec();
                bytes.splice(place(at)..place(at), part);
            }
            Damage::Insert(at, part) => {
                drop(bytes.splice(place(at)..place(at), part.iter().copied()))
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    let part = prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..4),
        proptest::sample::select(vec![
            "\n", "  ", "- ", ": ", "{", "}", "[", "]", "\"", "'", "&a ", "*a", "!Ref ", "|", "#",
            "\t", "null", "7", "<<: ", "---\n", "\r"
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop_oneof![
        (0.0..1.0_f64).prop_map(Damage::Cut),
        (0.0..1.0_f64, 1..30_usize).prop_map(|(at, count)| Damage::Remove(at, count)),
        (0.0..1.0_f64, 1..200_usize).prop_map(|(at, count)| Damage::Double(at, count)),
        (0.0..1.0_f64, part).prop_map(|(at, part)| Damage::Insert(at, part)),
    ]
}

/// No panic, no output on failure, and an output that keeps the promise otherwise.
fn judge_bytes(bytes: &[u8], lock: &Value) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let (template, lock_path) = (
        folder.path().join("template"),
        folder.path().join("outrigger.lock"),
    );
    fs::write(&template, bytes).unwrap();
    let lock_text = if lock.is_null() {
        r#"{"version": 1, "images": {}}"#.to_owned()
    } else {
        lock.to_string()
    };
    fs::write(&lock_path, lock_text).unwrap();
    let mut args = vec![template.display().to_string()];
    args.extend(ARGS.map(str::to_owned));
    let ran = cfn_filter(&args, b"");
    prop_assert!(matches!(ran.exit, 0 | 1), "exit code {}", ran.exit);
    prop_assert!(!ran.stderr.is_empty());
    if ran.exit == 1 {
        prop_assert!(ran.stdout.is_empty());
        return Ok(());
    }
    let (before, after) = (parse(bytes).unwrap(), parse(&ran.stdout).unwrap());
    let verdict = law::judge(&before, &after, lock, &LACEWORK);
    prop_assert!(
        verdict.broken.is_empty(),
        "{:#?}\n{}",
        verdict.broken,
        String::from_utf8_lossy(bytes)
    );
    only_containers_changed(&before, &after)
}
