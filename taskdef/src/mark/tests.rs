use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Marker, Removal, TAG, digest, markers};
use crate::image::Answers;
use crate::recipe::{BoundRecipe, InputValue, Recipe, Recipes};
use crate::report::{Finding, Outcome, TaskDefinitionReport};
use crate::settings::{Marks, Settings};
use crate::source::put;
use crate::{DocumentKind, remove, rewrite};

const RECIPE: &str = "recipe: 1
name: agent
description: d
documentation: []
inputs:
  key: {description: d, secret: true}
  level: {description: d, default: low}
workload:
  - process: {wrapper: [/wrap]}
    settings:
      environment:
        - {name: KEY, value: '{{ inputs.key }}'}
        - {name: LEVEL, value: '{{ inputs.level }}'}
sidecars:
  - name: agent
    settings: {essential: false, image: vendor/agent:1}
";

fn bound(text: &str, inputs: &[(&str, InputValue)]) -> BoundRecipe {
    let inputs = inputs.iter().cloned();
    let inputs: BTreeMap<String, InputValue> =
        inputs.map(|(key, value)| (key.to_owned(), value)).collect();
    Recipe::parse("agent.yaml", text)
        .unwrap()
        .bind(inputs)
        .unwrap()
}

fn plain(text: &str) -> InputValue {
    InputValue::Plain(Value::from(text))
}

fn task(containers: Value) -> Value {
    json!({
        "family": "web", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc",
        "cpu": "256", "memory": "512", "executionRoleArn": "role",
        "containerDefinitions": containers,
    })
}

fn marking() -> Settings {
    Settings {
        marks: Marks::Yes,
        ..Settings::default()
    }
}

/// The task definition after a marked rewrite. Every entry point is stated, so no image is asked.
fn marked(document: &Value, recipe: BoundRecipe) -> (Value, TaskDefinitionReport) {
    let recipes = Recipes::from(recipe);
    let answers = Answers::default();
    let kind = DocumentKind::TaskDefinition;
    let mut rewritten = rewrite(document, kind, &recipes, &marking(), &answers).unwrap();
    let mut after = document.clone();
    put(&mut after, rewritten.changes).unwrap();
    (after, rewritten.report.task_definitions.remove(0))
}

fn removed(document: &Value) -> (Value, TaskDefinitionReport) {
    let kind = DocumentKind::TaskDefinition;
    let mut removed = remove(document, kind, &Removal::default(), &Settings::default()).unwrap();
    let mut after = document.clone();
    put(&mut after, removed.changes).unwrap();
    (after, removed.report.task_definitions.remove(0))
}

fn told(findings: &[Finding]) -> String {
    let lines = findings.iter().map(|finding| {
        let Finding {
            code,
            severity,
            message,
            ..
        } = finding;
        format!("{severity}[{code}]: {message}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn app() -> Value {
    task(
        json!([{"name": "app", "image": "app:1", "entryPoint": ["/app"], "environment": [{"name": "LEVEL", "value": "mine"}]}]),
    )
}

#[test]
fn a_label_holds_what_the_container_does_not_say() {
    let (after, _) = marked(&app(), bound(RECIPE, &[("key", plain("hunter2"))]));
    let labels = |index: usize| {
        let label = &after["containerDefinitions"][index]["dockerLabels"]["outrigger.agent"];
        let mut label: Value = serde_json::from_str(label.as_str().unwrap()).unwrap();
        label["digest"] = json!("DIGEST");
        label.to_string()
    };
    insta::assert_snapshot!(labels(0), @r#"{"format":1,"digest":"DIGEST","order":1,"container":{"entryPoint":{"behind":["/wrap"]},"environment":{"list":{"now":{"KEY":"","LEVEL":"19f6c3d9"},"back":[[0,{"name":"LEVEL","value":"mine"}]]}}}}"#);
    insta::assert_snapshot!(labels(1), @r#"{"format":1,"digest":"DIGEST","order":1,"added":true}"#);
    assert_eq!(removed(&after).0, app());
}

#[test]
fn no_secret_is_marked() {
    let secret = |value: &str| bound(RECIPE, &[("key", plain(value))]);
    // Neither the secret nor a digest of it: another one makes no difference.
    assert_eq!(digest(&secret("hunter2")), digest(&secret("hunter3")));
    let reference = |name: &str| {
        let value = InputValue::ValueFrom(Value::from(name));
        digest(&bound(RECIPE, &[("key", value)]))
    };
    assert_ne!(reference("/one"), reference("/two"));
    let level = |level: &str| digest(&bound(RECIPE, &[("level", plain(level))]));
    assert_ne!(level("low"), level("high"));
    let other = RECIPE.replace("agent:1", "agent:2");
    assert_ne!(digest(&bound(RECIPE, &[])), digest(&bound(&other, &[])));
    let before = task(
        json!([{"name": "app", "image": "app:1", "entryPoint": ["/app"], "environment": [{"name": "KEY", "value": "hunter0"}]}]),
    );
    let (after, report) = marked(&before, secret("hunter2"));
    for container in after["containerDefinitions"].as_array().unwrap() {
        let label = container["dockerLabels"]["outrigger.agent"]
            .as_str()
            .unwrap();
        assert!(!label.contains("hunter"), "{label}");
    }
    insta::assert_snapshot!(told(&report.findings), @"
    warning[environment-replaced]: the variable `KEY` was there already and is replaced by the recipe's
    warning[marker-incomplete]: the marker does not hold what stood in `environment KEY` before: it may be a secret, or is known only to a deployment
    ");
    let (same, report) = removed(&after);
    assert_eq!((same, report.outcome), (after, Outcome::Refused));
    insta::assert_snapshot!(told(&report.findings), @"error[marker-incomplete]: the marker of the recipe `agent` does not hold all that stood in `environment` before");
}

#[test]
fn markers_are_read_from_labels_and_from_the_tag() {
    let recipe = bound(RECIPE, &[]);
    let wanted = digest(&recipe);
    let (mut after, _) = marked(&app(), recipe);
    let marker = |containers: &[&str]| Marker {
        recipe: "agent".to_owned(),
        format: 1,
        digest: wanted.clone(),
        containers: containers.iter().map(|&name| name.to_owned()).collect(),
    };
    assert_eq!(markers(&after), [marker(&["app", "agent"])]);
    for container in after["containerDefinitions"].as_array_mut().unwrap() {
        container.as_object_mut().unwrap().remove("dockerLabels");
    }
    assert_eq!(markers(&after), [marker(&[])]);
    after.as_object_mut().unwrap().remove("tags");
    assert_eq!(markers(&after), []);
}

#[test]
fn a_tag_is_added_where_there_is_room() {
    let tags = |count: usize| -> Value {
        let tags = (0..count).map(|index| json!({"key": format!("k{index}"), "value": "v"}));
        tags.collect()
    };
    for (count, room) in [(0, true), (49, true), (50, false)] {
        let mut before = app();
        before["tags"] = tags(count);
        let (after, report) = marked(&before, bound(RECIPE, &[]));
        let added = after["tags"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|tag| tag["key"] == TAG);
        assert_eq!(added.count(), usize::from(room));
        if !room {
            insta::assert_snapshot!(told(&report.findings), @"
            warning[environment-replaced]: the variable `LEVEL` was there already and is replaced by the recipe's
            note[not-tagged]: the tag `outrigger:recipe` finds no place among the tags; the labels of the containers say as much
            ");
        }
        assert_eq!(removed(&after).0, before, "{count}");
    }
}

#[test]
fn a_tag_has_the_form_that_ecs_takes() {
    let (after, _) = marked(&app(), bound(RECIPE, &[]));
    let tag = after["tags"][0]["value"].as_str().unwrap();
    let fits = |char: char| char.is_ascii_alphanumeric() || " +-=._:/@".contains(char);
    assert!(tag.chars().all(fits) && tag.len() <= 256, "{tag}");
    assert!(tag.starts_with("agent/1@"), "{tag}");
}

#[test]
fn what_ecs_fills_in_is_no_change() {
    // `DescribeTaskDefinition` gives lists without entries, and fills in ports.
    let before = task(
        json!([{"name": "app", "image": "app:1", "entryPoint": ["/app"], "command": [], "environment": [], "mountPoints": [], "dockerLabels": {}}]),
    );
    let (mut after, _) = marked(&before, bound(RECIPE, &[]));
    let sidecar = after["containerDefinitions"][1].as_object_mut().unwrap();
    sidecar.insert("portMappings".to_owned(), json!([]));
    sidecar.insert("cpu".to_owned(), json!(0));
    let (again, report) = marked(&after, bound(RECIPE, &[]));
    assert_eq!((&again, report.outcome), (&after, Outcome::Unchanged));
    // Only the text of the recipe is another: nothing that a registration would be worth.
    let comment = format!("# A comment.\n{RECIPE}");
    let (again, report) = marked(&after, bound(&comment, &[]));
    assert_eq!((&again, report.outcome), (&after, Outcome::Unchanged));
    assert_eq!(removed(&after).0, before);
}

#[test]
fn another_recipes_sidecar_is_known_by_its_marker() {
    let (after, _) = marked(&app(), bound(RECIPE, &[]));
    let other = "recipe: 1\nname: other\ndescription: d\ndocumentation: []\nworkload:\n  - settings:\n      environment:\n        - {name: OTHER, value: o}\n";
    let (both, report) = marked(&after, bound(other, &[]));
    insta::assert_snapshot!(told(&report.findings), @"note[not-wrapped]: the sidecar of the recipe `agent`, by its marker");
    let names: Vec<String> = markers(&both)
        .into_iter()
        .map(|marker| marker.recipe)
        .collect();
    assert_eq!(names, ["agent", "other"]);
    assert_eq!(removed(&both).0, app());
    let wraps = RECIPE
        .replace("name: agent\n", "name: second\n")
        .replace("/wrap", "/second")
        .replace("vendor/agent", "vendor/second");
    let (same, report) = marked(&after, bound(&wraps, &[]));
    assert_eq!(same, after);
    insta::assert_snapshot!(told(&report.findings), @"
    note[not-wrapped]: the sidecar of the recipe `agent`, by its marker
    error[two-wrappers]: the process starts with the wrapper of the recipe `agent`, and two agents cannot trace one program
    ");
}

#[test]
fn one_of_two_recipes_comes_off_by_itself() {
    let other = "recipe: 1\nname: other\ndescription: d\ndocumentation: []\nworkload:\n  - settings:\n      environment:\n        - {name: LEVEL, value: other}\n        - {name: OTHER, value: o}\n";
    let (first, _) = marked(&app(), bound(RECIPE, &[]));
    let (both, _) = marked(&first, bound(other, &[]));
    let off = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let removal = Removal {
            names: &names,
            recipes: None,
        };
        let removed = remove(
            &both,
            DocumentKind::TaskDefinition,
            &removal,
            &Settings::default(),
        )
        .unwrap();
        let mut after = both.clone();
        put(&mut after, removed.changes).unwrap();
        (after, told(&removed.report.task_definitions[0].findings))
    };
    // The last that came: what it wrote over comes back.
    assert_eq!(off(&["other"]).0, first);
    assert_eq!(off(&["other", "agent"]).0, app());
    assert_eq!(off(&[]).0, app());
    // The first: the other wrote over it.
    let (same, said) = off(&["agent"]);
    assert_eq!(same, both);
    insta::assert_snapshot!(said, @"error[changed-since-marked]: what the recipe `agent` wrote is not what stands there now: `environment LEVEL`");
    insta::assert_snapshot!(off(&["nobody"]).1, @"note[carries-no-recipe]: it does not carry the recipe `nobody`");
}

#[test]
fn what_ecs_fills_in_goes_with_what_was_written() {
    let traces = RECIPE.replace(
        "    settings:\n      environment:",
        "    settings:\n      linuxParameters: {capabilities: {add: [SYS_PTRACE]}}\n      environment:",
    );
    let app = |linux: Value| {
        let mut app = json!({"name": "app", "image": "app:1", "entryPoint": ["/app"]});
        if !linux.is_null() {
            app["linuxParameters"] = linux;
        }
        task(json!([app]))
    };
    let hollow = json!({"capabilities": {"add": [], "drop": []}, "devices": []});
    let full = json!({"capabilities": {"drop": ["ALL"]}, "initProcessEnabled": false});
    for linux in [Value::Null, json!({}), hollow, full] {
        let before = app(linux);
        let (mut after, _) = marked(&before, bound(&traces, &[]));
        assert_eq!(removed(&after).0, before);
        // As `DescribeTaskDefinition` gives it.
        let filled = &mut after["containerDefinitions"][0]["linuxParameters"];
        if filled == &json!({"capabilities": {"add": ["SYS_PTRACE"]}}) {
            filled["capabilities"]["drop"] = json!([]);
            filled["devices"] = json!([]);
        }
        if before["containerDefinitions"][0]["linuxParameters"].is_null() {
            assert_eq!(removed(&after).0, before);
        }
    }
}
