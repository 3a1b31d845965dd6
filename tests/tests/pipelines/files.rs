//! The files by themselves: linters and schemas.

use std::fs;
use std::process::Command;

use outrigger_tests::servers::program;
use serde_json::Value;

use crate::{examples, root};

/// Every shell script of the repository: by its first line.
fn scripts() -> Vec<String> {
    let listed = Command::new("git")
        .arg("ls-files")
        .current_dir(root())
        .output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    let is_script = |file: &&str| {
        let text = fs::read(root().join(file)).unwrap_or_default();
        text.starts_with(b"#!/usr/bin/env bash") || text.starts_with(b"#!/bin/sh")
    };
    listed
        .lines()
        .filter(is_script)
        .map(str::to_owned)
        .collect()
}

#[test]
fn shellcheck_finds_nothing() {
    let scripts = scripts();
    for known in [
        "scripts/action/comment",
        "scripts/pre-commit",
        "scripts/test",
    ] {
        assert!(scripts.iter().any(|script| script == known), "{known}");
    }
    let Some(shellcheck) = program("SHELLCHECK", "shellcheck").unwrap() else {
        return;
    };
    let found = Command::new(shellcheck)
        .args(&scripts)
        .current_dir(root())
        .output();
    let found = String::from_utf8(found.unwrap().stdout).unwrap();
    assert_eq!(found, "");
}

#[test]
fn everything_has_the_form_that_its_reader_wants() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = vec![("vendor.github-actions", root().join("action.yml"))];
    let mut kinds = Vec::new();
    for (index, (name, document)) in examples().iter().enumerate() {
        let schema = match name.as_str() {
            ".gitlab-ci.yml" => "vendor.gitlab-ci",
            name if name.starts_with(".github/workflows/") => "vendor.github-workflows",
            // pre-commit itself reads its own: see `hooks.rs`.
            _ => continue,
        };
        let file = folder.path().join(format!("{index}.json"));
        fs::write(&file, document.to_string()).unwrap();
        files.push((schema, file));
        kinds.push(schema);
    }
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| **kind == "vendor.github-workflows")
            .count(),
        3
    );
    assert!(kinds.contains(&"vendor.gitlab-ci"));
    let Some(check) = program("CHECK_JSONSCHEMA", "check-jsonschema").unwrap() else {
        return;
    };
    for (schema, file) in files {
        let checked = Command::new(&check)
            .args(["--builtin-schema", schema])
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.success(), "{}: {said}", file.display());
    }
}

#[test]
fn the_examples_use_the_actions_own_inputs() {
    let action = crate::action::document();
    let inputs = action["inputs"].as_object().unwrap();
    let page = fs::read_to_string(root().join("docs/pipelines.md")).unwrap();
    for input in inputs.keys() {
        assert!(
            page.contains(&format!("\n| `{input}` | ")),
            "{input} is not explained"
        );
    }
    for output in action["outputs"].as_object().unwrap().keys() {
        assert!(
            page.contains(&format!("\n| `{output}` | ")),
            "{output} is not explained"
        );
    }
    let mut uses = 0;
    for (name, workflow) in examples() {
        let jobs = workflow["jobs"].as_object().into_iter().flatten();
        let steps = jobs
            .filter_map(|(_, job)| job["steps"].as_array())
            .flatten();
        for step in steps.filter(|step| {
            step["uses"]
                .as_str()
                .is_some_and(|uses| uses.starts_with("OWNER/outrigger@"))
        }) {
            uses += 1;
            for given in step["with"].as_object().unwrap().keys() {
                assert!(inputs.contains_key(given), "{name}: {given}");
            }
        }
    }
    assert_eq!(uses, 3);
}

#[test]
fn no_script_of_the_action_holds_what_comes_from_outside() {
    let action = crate::action::document();
    for step in action["runs"]["steps"].as_array().unwrap() {
        // An action of others would have to be pinned, and this one uses none.
        assert_eq!(step.get("uses"), None);
        assert_eq!(step["shell"], "bash");
        let run = step["run"].as_str().unwrap();
        assert!(!run.contains("${{"), "{run}");
    }
    let inputs = action["inputs"].as_object().unwrap().values();
    assert!(
        inputs
            .map(|input| &input["description"])
            .all(Value::is_string)
    );
}
