//! Real Terraform plans the fixtures of `terraform/`: what their plans say of task definitions is
//! what the filter is written for, and what the plans of the corpus say.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use outrigger_tests::terraform::{Served, Workspace, fixtures, parse, planned, terraform};
use serde_json::{Value, json};

fn aws() -> Served<'static> {
    Served {
        source: "hashicorp/aws",
        version: "6.0.0",
        program: Path::new(env!("CARGO_BIN_EXE_terraform-provider-aws")),
    }
}

/// The plan of a fixture, which is made once for all tests.
fn plan(terraform: &Path, fixture: &str) -> Value {
    static PLANS: Mutex<BTreeMap<String, Value>> = Mutex::new(BTreeMap::new());
    let mut plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(plan) = plans.get(fixture) {
        return plan.clone();
    }
    let folder = Path::new("terraform").join(fixture);
    let plan = parse(&planned(terraform, &folder, &[aws()]).unwrap()).unwrap();
    plans.insert(fixture.to_owned(), plan.clone());
    plan
}

/// How the container definitions of a resource change stand in a plan.
fn definitions(change: &Value) -> String {
    let change = &change["change"];
    let name = "container_definitions";
    let sensitive = match change["after_sensitive"][name].as_bool() {
        Some(true) => "sensitive ",
        _ => "",
    };
    match (&change["after"][name], &change["after_unknown"][name]) {
        (Value::String(text), Value::Null) => {
            let containers: Value = serde_json::from_str(text).unwrap();
            let images: Vec<&str> = containers
                .as_array()
                .unwrap()
                .iter()
                .map(|c| c["image"].as_str().unwrap())
                .collect();
            format!("{sensitive}{}", images.join(" "))
        }
        (Value::Null, Value::Bool(true)) => format!("{sensitive}unknown"),
        (Value::Null, _) => "none".to_owned(),
        (known, unknown) => panic!("{known} and {unknown}"),
    }
}

/// Each resource change in a line; containers by their images.
fn summary(plan: &Value) -> String {
    let none = Vec::new();
    let changes = plan["resource_changes"].as_array().unwrap_or(&none);
    let line = |change: &Value| {
        let mut line = format!(
            "{} {}",
            change["address"].as_str().unwrap(),
            change["change"]["actions"]
        );
        if change["type"] == "aws_ecs_task_definition" {
            line = format!("{line} {}", definitions(change));
        }
        for (name, value) in [
            ("from", &change["previous_address"]),
            ("because", &change["action_reason"]),
            ("paths", &change["change"]["replace_paths"]),
        ] {
            if !value.is_null() {
                line = format!("{line}, {name} {value}");
            }
        }
        line
    };
    changes.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The summaries of these fixtures, each under its name; nothing where there is no Terraform.
fn summaries(fixtures: &[&str]) -> Option<String> {
    let terraform = terraform().unwrap()?;
    let planned = fixtures.iter().map(|fixture| {
        let summary = summary(&plan(&terraform, fixture));
        format!("{fixture}:\n{summary}")
    });
    Some(planned.collect::<Vec<_>>().join("\n"))
}

const KNOWN: &[&str] = &[
    "root",
    "heredoc",
    "child_module",
    "nested_module",
    "count",
    "for_each",
    "module_for_each",
];
const NOT_KNOWN: &[&str] = &["unknown", "sensitive"];
const CHANGES: &[&str] = &[
    "noop",
    "replace",
    "update_in_place",
    "moved",
    "delete",
    "destroy",
    "refresh_only",
];

#[test]
fn known_definitions() {
    if let Some(summaries) = summaries(KNOWN) {
        insta::assert_snapshot!(summaries, @r#"
        root:
        aws_ecs_task_definition.app ["create"] nginx:1.25
        heredoc:
        aws_ecs_task_definition.file ["create"] nginx:1.25
        aws_ecs_task_definition.heredoc ["create"] nginx:1.25
        aws_ecs_task_definition.text ["create"] nginx:1.25
        child_module:
        module.api.aws_ecs_task_definition.this ["create"] nginx:1.25
        nested_module:
        module.outer.module.inner.aws_ecs_task_definition.this ["create"] nginx:1.25
        count:
        aws_ecs_task_definition.app[0] ["create"] nginx:1.0
        aws_ecs_task_definition.app[1] ["create"] nginx:1.1
        for_each:
        aws_ecs_task_definition.app["api"] ["create"] nginx:1.25
        aws_ecs_task_definition.app["we\"ird.key"] ["create"] redis:7
        module_for_each:
        module.service["api"].aws_ecs_task_definition.this ["create"] nginx:1.25
        module.service["we\"ird.key"].aws_ecs_task_definition.this ["create"] redis:7
        "#);
    }
}

#[test]
fn unknown_and_sensitive_definitions() {
    if let Some(summaries) = summaries(NOT_KNOWN) {
        insta::assert_snapshot!(summaries, @r#"
        unknown:
        aws_cloudwatch_log_group.app ["create"]
        aws_ecr_repository.app ["create"]
        aws_ecs_service.app ["create"]
        aws_ecs_task_definition.app ["create"] unknown
        sensitive:
        aws_ecs_task_definition.app ["create"] sensitive nginx:1.25
        "#);
    }
}

#[test]
fn changes_of_what_is_there() {
    if let Some(summaries) = summaries(CHANGES) {
        insta::assert_snapshot!(summaries, @r#"
        noop:
        aws_ecs_service.app ["no-op"]
        aws_ecs_task_definition.app ["no-op"] nginx:1.25
        replace:
        aws_ecs_service.app ["update"]
        aws_ecs_task_definition.app ["delete","create"] nginx:1.26, because "replace_because_cannot_update", paths [["container_definitions"]]
        update_in_place:
        aws_ecs_service.app ["no-op"]
        aws_ecs_task_definition.app ["update"] nginx:1.25
        moved:
        aws_ecs_service.app ["no-op"]
        aws_ecs_task_definition.renamed ["no-op"] nginx:1.25, from "aws_ecs_task_definition.app"
        delete:
        aws_ecs_service.app ["delete"], because "delete_because_no_resource_config"
        aws_ecs_task_definition.app ["delete"] none, because "delete_because_no_resource_config"
        destroy:
        aws_ecs_service.app ["delete"]
        aws_ecs_task_definition.app ["delete"] none
        refresh_only:
        "#);
    }
}

#[test]
fn a_refresh_finds_only_drift() {
    let Some(terraform) = terraform().unwrap() else {
        return;
    };
    let plan = plan(&terraform, "refresh_only");
    assert_eq!(plan["resource_changes"], Value::Null);
    let drift = plan["resource_drift"].as_array().unwrap();
    let mut drift = drift.iter();
    let task = drift.find(|change| change["type"] == "aws_ecs_task_definition");
    let after = &task.unwrap()["change"]["after"];
    assert_eq!(after["tags"], json!({"team": "somebody else"}));
}

#[test]
fn what_aws_decides_is_unknown_until_it_is_made() {
    let Some(terraform) = terraform().unwrap() else {
        return;
    };
    let unknown = |plan: &Value| {
        let changes = plan["resource_changes"].as_array().unwrap();
        let change = changes
            .iter()
            .find(|change| change["type"] == "aws_ecs_task_definition");
        let unknown = change.unwrap()["change"]["after_unknown"]
            .as_object()
            .unwrap();
        let unknown = unknown.iter().filter(|(_, value)| **value == json!(true));
        unknown
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let made = "arn arn_without_revision enable_fault_injection id revision";
    assert_eq!(unknown(&plan(&terraform, "root")), made);
    assert_eq!(unknown(&plan(&terraform, "replace")), made);
    assert_eq!(unknown(&plan(&terraform, "update_in_place")), "");
}

#[test]
fn what_is_applied_is_applied_and_what_is_destroyed_is_gone() {
    let Some(terraform) = terraform().unwrap() else {
        return;
    };
    for fixture in ["root", "unknown", "sensitive", "module_for_each"] {
        let workspace = Workspace::new(&terraform, &Path::new("terraform").join(fixture), &[aws()]);
        let workspace = workspace.unwrap();
        workspace.converge().unwrap();
        assert!(workspace.is_clean().unwrap(), "{fixture}");
        workspace.destroy().unwrap();
        assert_eq!(
            workspace.state().unwrap()["values"],
            Value::Null,
            "{fixture}"
        );
        // The providers are gone, and so are their sockets.
        let left: Vec<_> = std::fs::read_dir(workspace.temporary())
            .unwrap()
            .flatten()
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// Every key of the resource changes, but for those of containers and of the user's own maps.
fn shape(plan: &Value) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for part in ["planned_values", "resource_changes"] {
        collect(&plan[part], part, &mut keys);
    }
    keys
}

fn collect(value: &Value, place: &str, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let place = format!("{place}.{key}");
                if !key.starts_with("tags") {
                    collect(value, &place, keys);
                }
                keys.insert(place);
            }
        }
        Value::Array(elements) => {
            for element in elements {
                collect(element, place, keys);
            }
        }
        _ => {}
    }
}

#[test]
fn the_plans_have_the_shape_of_those_of_the_corpus() {
    let (Some(corpus), Some(terraform)) =
        (std::env::var_os("OUTRIGGER_CORPUS"), terraform().unwrap())
    else {
        println!(
            "note: OUTRIGGER_CORPUS is not set, or there is no terraform: nothing was compared"
        );
        return;
    };
    let corpus = PathBuf::from(corpus).join("terraform-plans");
    let pairs = [
        ("root_create", "root"),
        ("child_module", "child_module"),
        ("nested_module", "nested_module"),
        ("count", "count"),
        ("for_each", "for_each"),
        ("heredoc_const", "heredoc"),
        ("unknown_ecr", "unknown"),
        ("sensitive", "sensitive"),
        ("noop", "noop"),
        ("replace", "replace"),
        ("update_in_place", "update_in_place"),
        ("moved", "moved"),
        ("delete", "delete"),
        ("destroy", "destroy"),
    ];
    for (real, fixture) in pairs {
        let text = std::fs::read_to_string(corpus.join(real).join("plan.json")).unwrap();
        let real = shape(&parse(&text).unwrap());
        let ours = shape(&plan(&terraform, fixture));
        let missing: Vec<&String> = real.difference(&ours).collect();
        assert!(missing.is_empty(), "{fixture} does not have {missing:?}");
    }
}

#[test]
fn every_fixture_is_planned_here() {
    let planned: BTreeSet<&str> = [KNOWN, NOT_KNOWN, CHANGES].concat().into_iter().collect();
    let all = fixtures(Path::new("terraform"));
    let names = all
        .iter()
        .map(|folder| folder.file_name().unwrap().to_str().unwrap());
    assert_eq!(names.collect::<BTreeSet<_>>(), planned);
}
