use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::image::{Answers, ImageFailure, ImageRequest};
use crate::recipe::{InputValue, Recipe, Recipes, builtin};
use crate::report::Code;
use crate::settings::{ParameterizedImages, Settings};
use crate::{DocumentKind, images_needed, rewrite};

/// What is told of images that cannot be read, each by a failure that names all it was asked.
fn told(image: &Value, secret: &Value) -> Vec<String> {
    let document = json!({
        "Parameters": {
            "Tag": {"Type": "String", "Default": "canary-tag"},
            "Secret": {"Type": "String", "Default": "canary-secret"}
        },
        "Resources": {"Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {
            "RequiresCompatibilities": ["FARGATE"],
            "ContainerDefinitions": [{
                "Name": "app",
                "Image": image,
                "RepositoryCredentials": {"CredentialsParameter": secret}
            }]
        }}}
    });
    let (name, text) = builtin()
        .iter()
        .find(|(name, _)| *name == "lacework")
        .unwrap();
    let token = InputValue::parse("x").unwrap();
    let inputs = BTreeMap::from([("accessToken".to_owned(), token)]);
    let recipes = Recipes::from(Recipe::parse(name, text).unwrap().bind(inputs).unwrap());
    let settings = Settings {
        parameterized_images: ParameterizedImages::Resolve,
        ..Settings::default()
    };
    let kind = DocumentKind::Template;
    let needed = images_needed(&document, kind, &recipes, &settings).unwrap();
    let failure = |request: &ImageRequest| ImageFailure {
        code: "image-not-found",
        message: format!("not there: {request:?} (image-not-found)"),
        hint: Some(format!("look for {}", request.reference)),
    };
    let answers: Answers = needed
        .into_iter()
        .map(|request| (request.clone(), Err(failure(&request))))
        .collect();
    let rewritten = rewrite(&document, kind, &recipes, &settings, &answers).unwrap();
    let report = &rewritten.report.task_definitions[0];
    let findings = report.findings.iter();
    let unresolved = findings.filter(|finding| finding.code == Code::ImageUnresolved);
    unresolved.map(|finding| format!("{finding:?}")).collect()
}

#[test]
fn the_values_of_parameters_are_not_told() {
    let literal = (json!("host/app:1"), json!("arn:literal"));
    let image = json!({"Fn::Sub": "host/app:${Tag}"});
    let secret = json!({"Ref": "Secret"});
    for (image, secret) in [
        (&image, &literal.1),
        (&literal.0, &secret),
        (&image, &secret),
    ] {
        let told = told(image, secret);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("(image-not-found)"), "{told:?}");
        assert!(!told[0].contains("canary"), "{told:?}");
    }
    let told = told(&literal.0, &literal.1);
    assert!(told[0].contains("arn:literal"), "{told:?}");
    assert!(told[0].contains("look for host/app:1"), "{told:?}");
}
