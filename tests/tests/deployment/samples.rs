//! The samples of the macro: those with an `environment`.

use std::collections::BTreeMap;
use std::fs;

use outrigger_tests::document::parse;
use outrigger_tests::law::{self, LACEWORK};
use outrigger_tests::run::cfn_filter;
use serde_json::{Value, json};

use crate::{ACCOUNT, REGION, answer, object, path, read, template, variable};

/// The variables of a sample: `NAME=value` a line.
fn environment(sample: &str) -> Vec<(String, String)> {
    let text = String::from_utf8(read(&format!("samples/{sample}/environment"))).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

/// What CloudFormation does with the macro's transforms: parts from the deepest outward, then the
/// whole. Transforms of AWS stay.
fn process(variables: &[(String, String)], mut document: Value) -> Value {
    parts(variables, &mut document);
    let Some(transforms) = object(&document).get("Transform").cloned() else {
        return document;
    };
    let mut transforms = match transforms {
        Value::Array(transforms) => transforms,
        one => vec![one],
    };
    assert_eq!(
        transforms.first(),
        Some(&json!("Outrigger")),
        "AWS's own come last"
    );
    transforms.remove(0);
    document.as_object_mut().unwrap().shift_remove("Transform");
    let mut document = fragment(variables, &document, &json!({}));
    if !transforms.is_empty() {
        document["Transform"] = json!(transforms);
    }
    document
}

fn parts(variables: &[(String, String)], value: &mut Value) {
    match value {
        Value::Object(map) => map.values_mut().for_each(|item| parts(variables, item)),
        Value::Array(items) => items.iter_mut().for_each(|item| parts(variables, item)),
        _ => return,
    }
    let transform = value
        .as_object_mut()
        .and_then(|map| map.shift_remove("Fn::Transform"));
    if let Some(transform) = transform {
        assert_eq!(transform["Name"], "Outrigger");
        *value = fragment(variables, value, &transform["Parameters"]);
    }
}

fn fragment(variables: &[(String, String)], given: &Value, params: &Value) -> Value {
    let answer = answer(variables, given, params);
    assert_eq!(answer["status"], "success", "{answer}");
    answer["fragment"].clone()
}

/// The samples of the macro: those with an `environment`.
pub(crate) fn processed() -> BTreeMap<String, Value> {
    let folders = fs::read_dir(path("samples")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().path());
    let processed: BTreeMap<String, Value> = folders
        .filter(|folder| folder.join("environment").is_file())
        .map(|folder| {
            let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
            let document = template(&format!("samples/{name}/template.yaml"));
            let processed = process(&environment(&name), document);
            (name, processed)
        })
        .collect();
    assert!(processed.len() >= 2);
    processed
}

#[test]
fn every_sample_of_the_macro_gives_what_is_expected() {
    for (name, after) in processed() {
        let file = format!("samples/{name}.processed.json");
        let text = serde_json::to_string_pretty(&after).unwrap() + "\n";
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&file, &text).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(expected, text, "{file}");
        let before = template(&format!("samples/{name}/template.yaml"));
        let lock = serde_json::from_str("{\"version\": 1, \"images\": {}}").unwrap();
        let verdict = law::judge(&before, &after, &lock, &LACEWORK);
        assert!(verdict.broken.is_empty(), "{name}: {:#?}", verdict.broken);
        assert!(verdict.wrapped > 0, "{name}: nothing was done");
    }
}

#[test]
fn processing_again_changes_nothing() {
    let once = &processed()["macro-service"];
    let mut again = once.clone();
    again["Transform"] = json!(["Outrigger", "AWS::LanguageExtensions"]);
    assert_eq!(process(&environment("macro-service"), again), *once);
}

/// The way round a macro that is down: `cfn-filter` with the same settings.
#[test]
fn the_filter_gives_what_the_macro_gives() {
    let sample = "samples/macro-service/template.yaml";
    let inputs: Value = environment("macro-service")
        .iter()
        .find(|(name, _)| name == "OUTRIGGER_INPUTS")
        .map(|(_, value)| serde_json::from_str(value).unwrap())
        .unwrap();
    let token = inputs["accessToken"].as_str().unwrap();
    let file = format!("../{sample}");
    let token = format!("accessToken={token}");
    let args = [
        &file,
        "--recipe",
        "lacework",
        "--set",
        &token,
        "--region",
        REGION,
        "--account-id",
        ACCOUNT,
    ];
    let args = args.map(str::to_owned);
    let ran = cfn_filter(&args, b"");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let mut filtered = parse(&ran.stdout).unwrap();
    filtered["Transform"] = json!(["AWS::LanguageExtensions"]);
    assert_eq!(filtered, processed()["macro-service"]);
}

#[test]
fn the_message_in_the_document_is_the_one_that_is_given() {
    let page = String::from_utf8(read("docs/macro.md")).unwrap();
    let prefix = format!("Transform {ACCOUNT}::Outrigger failed with: ");
    let shown = page.lines().find_map(|line| line.strip_prefix(&prefix));
    let document = json!({
        "Parameters": {"Image": {"Type": "String"}},
        "Resources": {"ApiTask": {"Type": "AWS::ECS::TaskDefinition", "Properties": {
            "RequiresCompatibilities": ["FARGATE"],
            "ContainerDefinitions": [{"Name": "api", "Image": {"Ref": "Image"}}],
        }}},
    });
    let refused = answer(&environment("macro-service"), &document, &json!({}));
    assert_eq!(shown, refused["errorMessage"].as_str());
}

/// What `docs/macro.md` says of parts of templates.
#[test]
fn a_part_knows_neither_the_parameters_nor_the_conditions_of_its_template() {
    let variables = [
        environment("macro-snippet"),
        vec![variable("PARAMETERIZED_IMAGES", "resolve")],
    ];
    let variables = variables.concat();
    let part = |container: Value| {
        json!({
            "RequiresCompatibilities": ["FARGATE"],
            "ExecutionRoleArn": format!("arn:aws:iam::{ACCOUNT}:role/api-execution"),
            "ContainerDefinitions": [container],
        })
    };
    let container = part(json!({"Name": "api", "Image": {"Ref": "Image"}}));
    let refused = answer(&variables, &container, &json!({}));
    insta::assert_snapshot!(refused["errorMessage"].as_str().unwrap(), @"`snippet`, container `api`, image `!Ref Image`: the image depends on the template parameter `Image`, whose declaration a snippet does not hold, so what it runs is not known (parameterized-image); way out: write the image reference as text, or state `EntryPoint`, `Command` and `User`, or put the transform at the top of the template");

    let container = |command: &str| {
        json!({"Name": "api", "Image": "api:1", "User": "root",
            "EntryPoint": ["/api"], "Command": [command]})
    };
    let both = json!({"Fn::If": ["IsProduction", container("serve"), container("try")]});
    let after = fragment(&variables, &part(both), &json!({}));
    let branches = &after["ContainerDefinitions"][0]["Fn::If"];
    for index in [1, 2] {
        assert_eq!(
            branches[index]["EntryPoint"][0], LACEWORK.prefix[0],
            "{after}"
        );
    }
}
