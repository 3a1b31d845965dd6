//! How often images are asked about.

#![cfg(test)]

use std::collections::BTreeMap;
use std::path::Path;

use outrigger_tests::case::Case;
use outrigger_tests::document::parse;
use serde_json::Value;
use taskdef::recipe::{BoundRecipe, InputValue, Recipe, builtin};
use taskdef::settings::Settings;
use taskdef::{DocumentKind, images_needed};

fn recipe(name: &str, inputs: &[(&str, &str)]) -> BoundRecipe {
    let (_, text) = builtin().iter().find(|(known, _)| *known == name).unwrap();
    let inputs = inputs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), InputValue::parse(value).unwrap()));
    let bound = Recipe::parse(name, text)
        .unwrap()
        .bind(inputs.collect::<BTreeMap<_, _>>());
    bound.unwrap_or_else(|_| panic!("the inputs of {name}"))
}

fn asked(document: &Value, recipe: &BoundRecipe) -> Vec<String> {
    let asked = images_needed(
        document,
        DocumentKind::Template,
        recipe,
        &Settings::default(),
    )
    .unwrap();
    asked
        .into_iter()
        .map(|request| format!("{} {}", request.reference, request.platform))
        .collect()
}

fn template(group: &str, case: &str) -> Value {
    let case = Case::load(Path::new("cases"), group, case).unwrap();
    parse(&std::fs::read(case.template).unwrap()).unwrap()
}

/// A peer asks once for each container, one after the other: 19.5 s for 50 of them.
#[test]
fn one_question_for_an_image_of_54_containers() {
    let lacework = recipe("lacework", &[("accessToken", "x")]);
    assert_eq!(
        asked(&template("peers", "kilt-one-lookup-per-image"), &lacework),
        ["nginx:1.27 linux/amd64"]
    );
}

#[test]
fn no_question_where_the_template_says_what_runs() {
    let lacework = recipe("lacework", &[("accessToken", "x")]);
    for case in [
        "image-not-needed",
        "image-not-needed-entry-point-alone",
        "image-dynamic-reference-not-needed",
    ] {
        assert_eq!(
            asked(&template("values", case), &lacework),
            [""; 0],
            "{case}"
        );
    }
}

#[test]
fn no_question_about_containers_that_are_left_alone() {
    let lacework = recipe("lacework", &[("accessToken", "x")]);
    for (group, case) in [
        ("peers", "kilt-windows-task"),
        ("peers", "kilt-ignore-true"),
        ("selection", "exclude-all"),
        ("selection", "only-routers"),
        ("selection", "scope-bridge-network"),
        ("selection", "instrument-false"),
    ] {
        assert_eq!(
            asked(&template(group, case), &lacework),
            [""; 0],
            "{group}/{case}"
        );
    }
    assert_eq!(
        asked(&template("peers", "kilt-firelens-router"), &lacework),
        ["nginx:1.27 linux/amd64"]
    );
}

/// A recipe that does not wrap asks about no image, whatever the template.
#[test]
fn no_question_without_a_wrapper() {
    let alert_logic = recipe("alert-logic", &[]);
    let mut templates = 0;
    for case in Case::all(Path::new("cases")) {
        let Ok(document) = parse(&std::fs::read(&case.template).unwrap()) else {
            continue;
        };
        if let Ok(asked) = images_needed(
            &document,
            DocumentKind::Template,
            &alert_logic,
            &Settings::default(),
        ) {
            assert!(asked.is_empty(), "{}", case.name);
            templates += 1;
        }
    }
    assert!(templates > 300, "only {templates} templates");
}

#[test]
fn one_question_for_each_platform() {
    let lacework = recipe("lacework", &[("accessToken", "x")]);
    assert_eq!(
        asked(&template("peers", "kilt-arm64-platform"), &lacework),
        ["nginx:1.27 linux/arm64"]
    );
    assert_eq!(
        asked(&template("values", "if-architecture-agrees"), &lacework),
        ["app:1 linux/*"]
    );
    assert_eq!(
        asked(&template("values", "loop-image-agrees"), &lacework),
        [
            "registry.example.com/api:1 linux/amd64",
            "registry.example.com/worker:1 linux/amd64"
        ]
    );
    assert_eq!(
        asked(&template("values", "if-image"), &lacework),
        ["app:1 linux/amd64", "app:2 linux/amd64"]
    );
}
