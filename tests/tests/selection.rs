//! Laws of selection over templates that nobody wrote: what is not selected stays as it is.

#![cfg(test)]

mod templates;

use std::fs;
use std::path::Path;

use outrigger_tests::document::{container_definitions, parse, task_definitions};
use outrigger_tests::run::{Ran, cfn_filter};
use proptest::prelude::*;
use serde_json::Value;
use taskdef::selector::Selector;
use templates::{Generated, generated};

fn run(template: &Value, lock: &Value, selection: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let lock_path = folder.path().join("outrigger.lock");
    fs::write(&lock_path, lock.to_string()).unwrap();
    let lock_path = lock_path.display().to_string();
    let token =
        "accessToken=arn:aws:secretsmanager:eu-central-1:123456789012:secret:lacework-AbCdEf";
    let args = [
        "-",
        "--lock",
        &lock_path,
        "--recipe",
        "lacework",
        "--set",
        token,
        "--set",
        "nonRoot=run-as-root",
    ];
    let args: Vec<String> = args
        .iter()
        .chain(selection)
        .map(|&arg| arg.to_owned())
        .collect();
    cfn_filter(&args, format!("{template:#}\n").as_bytes())
}

/// Every container of a template with its place, those in branches too.
fn containers(template: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (path, task_definition) in task_definitions(template) {
        let list = container_definitions(task_definition);
        collect(
            list,
            &format!("/{path}/Properties/ContainerDefinitions"),
            &mut found,
        );
    }
    found
}

fn collect<'v>(value: &'v Value, path: &str, found: &mut Vec<(String, &'v Value)>) {
    if let Some(branches) = value.get("Fn::If").and_then(Value::as_array) {
        for (index, branch) in branches.iter().enumerate().skip(1) {
            collect(branch, &format!("{path}/Fn::If/{index}"), found);
        }
    } else if let Some(items) = value.as_array() {
        for (index, item) in items.iter().enumerate() {
            collect(item, &format!("{path}/{index}"), found);
        }
    } else if value.get("Image").is_some() {
        found.push((path.to_owned(), value));
    }
}

/// Whether every container is as it was that has the name, or that has it not; in dead branches nothing changes.
fn others_stay(
    before: &Value,
    ran: &Ran,
    name: &Value,
    selected: bool,
) -> Result<(), TestCaseError> {
    let after = parse(&ran.stdout).unwrap();
    for (path, container) in containers(before) {
        if (container.get("Name") == Some(name)) != selected {
            prop_assert_eq!(
                after.pointer(&path),
                Some(container),
                "{} in {:#}",
                path,
                after
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_not_selected_stays(generated in generated(), which in any::<prop::sample::Index>()) {
        let Generated { template, lock, .. } = generated;
        let all = containers(&template);
        prop_assume!(!all.is_empty());
        let (_, chosen) = which.get(&all);
        let name = &chosen["Name"];
        let query = format!("$..[?@.Name == '{}' && @.Image]", name.as_str().unwrap());
        let included = run(&template, &lock, &["--include", &query]);
        if included.exit == 0 {
            others_stay(&template, &included, name, true)?;
        }
        let excluded = run(&template, &lock, &["--exclude", &query]);
        if excluded.exit == 0 {
            others_stay(&template, &excluded, name, false)?;
        }
        // Both together select nothing.
        let neither = run(&template, &lock, &["--include", &query, "--exclude", &query]);
        if neither.exit == 0 {
            prop_assert_eq!(parse(&neither.stdout).unwrap(), template);
        }
    }

    #[test]
    fn what_is_excluded_whole_stays_byte_for_byte(generated in generated()) {
        let Generated { template, lock, tasks } = generated;
        for selection in [&["--exclude", "$.Resources.*"][..], &["--mode", "opt-in"]] {
            let ran = run(&template, &lock, selection);
            prop_assert_eq!(ran.exit, 0, "{}", ran.stderr);
            let left_alone = |id: &String| ran.stderr.contains(&format!("{id}: left alone"));
            prop_assert!(tasks.iter().all(left_alone), "{}", ran.stderr);
            prop_assert_eq!(String::from_utf8(ran.stdout).unwrap(), format!("{template:#}\n"));
        }
    }

    #[test]
    fn any_text_is_a_query_or_refused(text in "[$@.*?\\[\\]()'\"=!<>|& a-zA0-9:,\\\\]{0,40}", prefix in "(\\$(\\.[a-z]|\\[[0-9?'*]){0,3})?") {
        let query = format!("{prefix}{text}");
        if let Ok(selector) = Selector::parse(&query) {
            prop_assert_eq!(selector.to_string(), query);
        }
    }
}

#[test]
fn the_queries_of_the_documents_are_read() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cfn-filter.md");
    let page = fs::read_to_string(page).unwrap();
    let queries: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `$")?.split('`').next())
        .collect();
    assert!(queries.len() >= 5);
    for query in queries {
        let query = format!("${query}");
        assert!(Selector::parse(&query).is_ok(), "{query}");
    }
}
