//! What comes out of a task definition can be registered: the AWS SDK's own model of the call takes it.

#![cfg(test)]

use std::path::Path;

use outrigger_tests::botocore;
use outrigger_tests::case::Case;
use outrigger_tests::document::parse;
use serde_json::{Value, json};

/// Reads a JSON object of inputs by name, and writes one of what is wrong with each.
const VALIDATE: &str = r#"
import json, sys
import botocore.session
from botocore.validate import ParamValidator
model = botocore.session.get_session().get_service_model("ecs")
shape = model.operation_model("RegisterTaskDefinition").input_shape
inputs = json.load(sys.stdin)
report = {name: ParamValidator().validate(given, shape).generate_report() for name, given in inputs.items()}
# Members that are not in the model are skipped by the validator, and refused by the AWS CLI.
def unknown(shape, value, path):
    if shape.type_name == "structure" and isinstance(value, dict):
        for key, item in value.items():
            if key in shape.members:
                yield from unknown(shape.members[key], item, path + "." + key)
            else:
                yield path + "." + key
    elif shape.type_name == "list" and isinstance(value, list):
        for item in value:
            yield from unknown(shape.member, item, path + "[]")
for name, given in inputs.items():
    report[name] += "".join(unknown(shape, given, ""))
json.dump(report, sys.stdout)
"#;

/// What botocore finds wrong with each of these inputs; nothing where it is not there.
fn validated(inputs: &Value) -> Option<Value> {
    botocore::run(VALIDATE, inputs).unwrap()
}

/// The samples whose input is a task definition.
const SAMPLES: [&str; 2] = ["task-definition-1", "task-definition-json-1"];

/// Every output of the samples and of the cases whose input is a task definition, but for those that say what cannot be registered.
fn outputs() -> Value {
    let cases = Case::all(Path::new("cases")).into_iter();
    let outputs = cases.filter_map(|case| {
        let input = parse(&std::fs::read(&case.template).ok()?).ok()?;
        let is_task =
            input.get("taskDefinition").is_some() || input.get("containerDefinitions").is_some();
        let says = case.text("says").unwrap_or_default();
        let complete = !says.contains("field-not-accepted") && input.get("Resources").is_none();
        if !(is_task && complete && case.writes_template()) {
            return None;
        }
        let output = parse(&std::fs::read(case.expected()).ok()?).ok()?;
        // A family can be given beside the file.
        let has_family = output.get("family").is_some();
        has_family.then_some((case.name, output))
    });
    let samples = SAMPLES.map(|name| {
        let output = std::fs::read(format!("samples/{name}.template")).unwrap();
        (name.to_owned(), parse(&output).unwrap())
    });
    Value::Object(outputs.chain(samples).collect())
}

#[test]
fn what_comes_out_can_be_registered() {
    let outputs = outputs();
    let count = outputs.as_object().unwrap().len();
    assert!(count >= 15, "only {count} outputs");
    let Some(report) = validated(&outputs) else {
        return;
    };
    for (name, problems) in report.as_object().unwrap() {
        assert_eq!(problems, "", "{name}");
    }
    println!("botocore takes all of {count} outputs");
}

#[test]
fn what_is_wrong_would_be_found() {
    let container = json!({"name": "app", "image": "a", "EntryPoint": ["x"], "cpu": "1"});
    let wrong =
        json!({"wrong": {"family": 7, "containerDefinitions": [container], "status": "ACTIVE"}});
    let Some(report) = validated(&wrong) else {
        return;
    };
    let problems = report["wrong"].as_str().unwrap();
    for place in [
        "family",
        "cpu",
        ".containerDefinitions[].EntryPoint",
        ".status",
    ] {
        assert!(problems.contains(place), "{place}: {problems}");
    }
}
