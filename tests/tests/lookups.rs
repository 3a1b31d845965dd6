//! How often images are asked about.

#![cfg(test)]

use std::collections::BTreeMap;
use std::path::Path;

use outrigger_tests::case::Case;
use outrigger_tests::document::parse;
use serde_json::Value;
use taskdef::image::Credentials;
use taskdef::recipe::{InputValue, Recipe, Recipes, builtin};
use taskdef::selector::Selector;
use taskdef::settings::{Mode, Selection, Settings};
use taskdef::{DocumentKind, images_needed};

fn recipe(name: &str, inputs: &[(&str, &str)]) -> Recipes {
    let (_, text) = builtin().iter().find(|(known, _)| *known == name).unwrap();
    let inputs = inputs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), InputValue::parse(value).unwrap()));
    let bound = Recipe::parse(name, text)
        .unwrap()
        .bind(inputs.collect::<BTreeMap<_, _>>());
    bound
        .unwrap_or_else(|_| panic!("the inputs of {name}"))
        .into()
}

fn asked(document: &Value, recipe: &Recipes) -> Vec<String> {
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

#[test]
fn no_question_about_what_the_settings_leave_alone() {
    let lacework = recipe("lacework", &[("accessToken", "x")]);
    let query = |text: &str| vec![Selector::parse(text).unwrap()];
    let two = template("selection", "include-one-container");
    let asked_with = |selection: Selection| {
        let settings = Settings {
            selection,
            ..Settings::default()
        };
        let asked = images_needed(&two, DocumentKind::Template, &lacework, &settings).unwrap();
        asked
            .into_iter()
            .map(|request| request.reference)
            .collect::<Vec<_>>()
    };
    let envoy = "$..ContainerDefinitions[?@.Name == 'envoy']";
    let excluded = Selection {
        exclude: query(envoy),
        ..Selection::default()
    };
    assert_eq!(asked_with(excluded), ["nginx:1.27"]);
    let included = Selection {
        include: query("$..ContainerDefinitions[?@.Name == 'app']"),
        ..Selection::default()
    };
    assert_eq!(asked_with(included), ["nginx:1.27"]);
    let opt_in = Selection {
        mode: Mode::OptIn,
        ..Selection::default()
    };
    assert_eq!(asked_with(opt_in), [""; 0]);
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

/// Two containers may read one image with different credentials; each is asked about with its own.
#[test]
fn a_question_brings_the_credentials_of_its_container() {
    let template = parse(
        br#"
Parameters:
  Login: {Type: String, Default: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:three"}
  Hidden: {Type: String, NoEcho: true, Default: x}
Conditions:
  Private: !Equals [!Ref "AWS::Region", eu-central-1]
Resources:
  Secret: {Type: "AWS::SecretsManager::Secret"}
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      RequiresCompatibilities: [FARGATE]
      ContainerDefinitions:
        - {Name: a, Image: "app:1"}
        - {Name: b, Image: "app:1", RepositoryCredentials: {CredentialsParameter: one}}
        - {Name: c, Image: "app:1", RepositoryCredentials: {CredentialsParameter: two}}
        - {Name: d, Image: "app:1", RepositoryCredentials: {CredentialsParameter: !Ref Login}}
        - {Name: e, Image: "app:2", RepositoryCredentials: {CredentialsParameter: !Ref Secret}}
        - {Name: f, Image: "app:3", RepositoryCredentials: {CredentialsParameter: !Ref Hidden}}
        - {Name: g, Image: "app:4", RepositoryCredentials: !If [Private, {CredentialsParameter: four}, !Ref "AWS::NoValue"]}
"#,
    )
    .unwrap();
    let asked = images_needed(
        &template,
        DocumentKind::Template,
        &recipe("lacework", &[("accessToken", "x")]),
        &Settings::default(),
    )
    .unwrap();
    let asked: Vec<(&str, &Credentials)> = asked
        .iter()
        .map(|request| (request.reference.as_str(), &request.credentials))
        .collect();
    let secret = |name: &str| Credentials::Secret(name.to_owned());
    let unknown = |why: &str| Credentials::Unknown(why.to_owned());
    let three = secret("arn:aws:secretsmanager:eu-central-1:123456789012:secret:three");
    assert_eq!(
        asked,
        [
            ("app:1", &Credentials::Unstated),
            ("app:1", &three),
            ("app:1", &secret("one")),
            ("app:1", &secret("two")),
            ("app:2", &unknown("depends on the resource `Secret`")),
            (
                "app:3",
                &unknown(
                    "depends on the parameter `Hidden`, which is `NoEcho` and never evaluated"
                )
            ),
            ("app:4", &Credentials::Unstated),
            ("app:4", &secret("four")),
        ]
    );
}
