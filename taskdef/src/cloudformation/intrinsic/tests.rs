use std::collections::BTreeSet;

use super::*;
use crate::cloudformation::template::Template;
use crate::settings::{Deployment, Settings};
use serde_json::json;

fn document() -> Value {
    json!({
        "Parameters": {
            "Tag": {"Type": "String", "Default": "1.27"},
            "Number": {"Type": "Number", "Default": 7},
            "Words": {"Type": "CommaDelimitedList", "Default": "a, b"},
            "Secret": {"Type": "String", "NoEcho": true, "Default": "x"},
            "Ssm": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/name"},
            "Given": {"Type": "String"},
            "Dynamic": {"Type": "String", "Default": "{{resolve:ssm:x}}"}
        },
        "Mappings": {"Images": {"eu-west-1": {"Web": "nginx:1", "Words": ["a"]}}},
        "Resources": {}
    })
}

fn evaluated(expression: &Value, parameters: bool) -> Result<Value, Unknown> {
    with_evaluation(parameters, |evaluation| {
        evaluation.value(expression, &mut BTreeSet::new())
    })
}

fn with_evaluation<Done>(parameters: bool, work: impl FnOnce(&Evaluation<'_>) -> Done) -> Done {
    let document = document();
    let settings = Settings {
        deployment: Deployment {
            region: Some("eu-west-1".to_owned()),
            account_id: Some("012345678901".to_owned()),
        },
        // As a macro knows it that was handed a snippet.
        parameters: BTreeMap::from([("Elsewhere".to_owned(), "nginx".to_owned())]),
        ..Settings::default()
    };
    let template = Template::new(&document, &settings);
    let given = [("Yes".to_owned(), true)].into();
    let item = [
        ("Name".to_owned(), Some("a-b".to_owned())),
        ("Unknown".to_owned(), None),
    ];
    work(&Evaluation {
        template: &template,
        parameters,
        given: &given,
        item: &item.into(),
    })
}

#[test]
fn what_is_known_of_an_expression_is_written_as_its_value() {
    let table = [
        (
            json!({"Fn::Join": ["", ["a", {"Ref": "AWS::Region"}]]}),
            json!("aeu-west-1"),
        ),
        (
            json!({"Fn::If": ["Open", {"Fn::Join": ["", ["a", "b"]]}, {"Ref": "Tag"}]}),
            json!({"Fn::If": ["Open", "ab", {"Ref": "Tag"}]}),
        ),
        (
            json!(["{{resolve:ssm:x}}", {"Fn::Sub": "a"}]),
            json!(["{{resolve:ssm:x}}", "a"]),
        ),
    ];
    for (expression, simplified) in table {
        let simplify = |evaluation: &Evaluation<'_>| evaluation.simplified(&expression);
        assert_eq!(with_evaluation(false, simplify), simplified);
    }
}

#[test]
fn known_expressions_have_their_value() {
    let table = [
        (json!("nginx"), json!("nginx")),
        (json!({"Ref": "AWS::Region"}), json!("eu-west-1")),
        (
            json!({"Fn::Sub": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/a:${!x}"}),
            json!("012345678901.dkr.ecr.eu-west-1.amazonaws.com/a:${x}"),
        ),
        (
            json!({"Fn::Sub": ["${v}:${Tag}", {"v": {"Fn::Join": ["/", ["a", "b"]]}}]}),
            json!("a/b:1.27"),
        ),
        (
            json!({"Fn::Join": ["", ["a", {"Ref": "AWS::NoValue"}, 1, true]]}),
            json!("a1true"),
        ),
        (
            json!({"Fn::Select": ["1", {"Fn::Split": [",", "a,b,c"]}]}),
            json!("b"),
        ),
        (json!({"Fn::Select": [0, {"Ref": "Words"}]}), json!("a")),
        (
            json!({"Fn::FindInMap": ["Images", {"Ref": "AWS::Region"}, "Web"]}),
            json!("nginx:1"),
        ),
        (
            json!({"Fn::FindInMap": ["Images", "none", "Web", {"DefaultValue": "d"}]}),
            json!("d"),
        ),
        (json!({"Fn::Base64": "ab"}), json!("YWI=")),
        (json!({"Fn::If": ["Yes", "a", "b"]}), json!("a")),
        (json!({"Ref": "Number"}), json!("7")),
        (json!("x${Name}&{Name}"), json!("xa-bab")),
        (json!({"Ref": "Name"}), json!("a-b")),
    ];
    for (expression, value) in table {
        assert_eq!(evaluated(&expression, true), Ok(value), "{expression}");
    }
}

#[test]
fn what_is_not_known_says_why() {
    let name = |name: &str| name.to_owned();
    let table = [
        (json!({"Ref": "Secret"}), Unknown::NoEcho(name("Secret"))),
        (json!({"Ref": "Ssm"}), Unknown::Ssm(name("Ssm"))),
        (
            json!({"Fn::Sub": "${Elsewhere}:1"}),
            Unknown::Undeclared(name("Elsewhere")),
        ),
        (
            json!({"Ref": "Given"}),
            Unknown::NoValueGiven(name("Given")),
        ),
        (json!({"Ref": "Dynamic"}), Unknown::Dynamic),
        (
            json!({"Ref": "Repository"}),
            Unknown::Resource(name("Repository")),
        ),
        (
            json!({"Fn::GetAtt": ["Repository", "RepositoryUri"]}),
            Unknown::Resource(name("Repository")),
        ),
        (
            json!({"Fn::Sub": "${Repository.RepositoryUri}:1"}),
            Unknown::Resource(name("Repository")),
        ),
        (
            json!({"Ref": "AWS::StackName"}),
            Unknown::Pseudo(name("AWS::StackName")),
        ),
        (
            json!({"Fn::ImportValue": "x"}),
            Unknown::Function(name("Fn::ImportValue")),
        ),
        (json!("{{resolve:ssm:x}}"), Unknown::Dynamic),
        (
            json!({"Fn::Join": ["", ["{{resolve", ":ssm:x}}"]]}),
            Unknown::Dynamic,
        ),
        (json!("${Unknown}"), Unknown::Loop(name("Unknown"))),
        (
            json!({"Fn::If": ["No", "a", "b"]}),
            Unknown::Condition(name("No")),
        ),
    ];
    for (expression, unknown) in table {
        assert_eq!(evaluated(&expression, true), Err(unknown), "{expression}");
    }
    assert_eq!(
        evaluated(&json!({"Fn::Sub": "a:${Tag}"}), false),
        Err(Unknown::Parameter(name("Tag")))
    );
}

/// A value with this around it, so many times.
fn nested(levels: usize, innermost: Value, around: impl Fn(Value) -> Value) -> Value {
    (0..levels).fold(innermost, |value, _| around(value))
}

#[test]
fn a_mapping_that_refers_to_itself_is_malformed() {
    let find = json!({"Fn::FindInMap": ["M", "a", "b"]});
    let document = json!({"Mappings": {"M": {"a": {"b": find, "c": [find], "d": ["x", 1]}}}});
    let settings = Settings::default();
    let template = Template::new(&document, &settings);
    let evaluation = Evaluation {
        template: &template,
        parameters: true,
        given: &Assignment::new(),
        item: &LoopItem::new(),
    };
    let found = |key: &str| {
        let expression = json!({"Fn::FindInMap": ["M", "a", key]});
        evaluation.value(&expression, &mut BTreeSet::new())
    };
    for key in ["b", "c"] {
        assert!(matches!(found(key), Err(Unknown::Malformed(_))), "{key}");
    }
    assert_eq!(found("d"), Ok(json!(["x", 1])));
}

#[test]
fn a_variable_is_evaluated_once() {
    // Were it evaluated for each `${a}`, that would be sixteen million times.
    let twice = |inner| json!({"Fn::Sub": ["${a}${a}", {"a": inner}]});
    assert_eq!(
        evaluated(&nested(24, json!(""), twice), true),
        Ok(json!(""))
    );
    assert_eq!(
        evaluated(&nested(10, json!("x"), twice), true),
        Ok(json!("x".repeat(1 << 10)))
    );
}

#[test]
fn texts_that_multiply_are_too_large() {
    let many = "${a}".repeat(20);
    let kilobyte = "x".repeat(1 << 10);
    let words = json!({"Fn::Split": [",", ",".repeat(60_000)]});
    let table = [
        nested(
            8,
            json!("x"),
            |inner| json!({"Fn::Sub": [many, {"a": inner}]}),
        ),
        nested(
            26,
            json!("x"),
            |inner| json!({"Fn::Sub": ["${a}${a}", {"a": inner}]}),
        ),
        json!({"Fn::Sub": [many.repeat(5), {"a": kilobyte}]}),
        json!({"Fn::Join": [kilobyte, vec![""; 100]]}),
        json!({"Fn::Join": [kilobyte.repeat(60), words]}),
        json!({"Fn::Join": [",", vec![kilobyte.as_str(); 100]]}),
        json!({"Fn::Base64": kilobyte.repeat(60)}),
        json!(kilobyte.repeat(65)),
        json!(vec![words; 100]),
        json!(vec![
            json!({"Fn::FindInMap": ["Images", "none", "Web", {"DefaultValue": kilobyte}]});
            300
        ]),
        json!(vec![0; 300_000]),
    ];
    for expression in table {
        let known = evaluated(&expression, true);
        assert!(
            known == Err(Unknown::TooLarge),
            "{:.200}",
            expression.to_string()
        );
        // What is given up is not begun again for each of its parts.
        let simplify = |evaluation: &Evaluation<'_>| evaluation.simplified(&expression);
        let made = with_evaluation(true, simplify).to_string().len();
        assert!(
            made < expression.to_string().len() + 1_000_000,
            "{made} bytes"
        );
    }
}

#[test]
fn loop_variables_that_multiply_are_too_large() {
    let value = format!("{}{}", "&{N}".repeat(500), "x".repeat(1000));
    let item = [("N".to_owned(), Some(value))].into();
    with_evaluation(true, |evaluation| {
        let evaluation = Evaluation {
            item: &item,
            ..*evaluation
        };
        let known = |text: String| evaluation.text(&json!(text), &mut BTreeSet::new());
        assert_eq!(known("${N}".repeat(15)), Err(Unknown::TooLarge));
        assert_eq!(known("${N}".repeat(100)), Err(Unknown::TooLarge));
        assert_eq!(known("&{N}".to_owned()).map(|text| text.len()), Ok(1500));
    });
}

#[test]
fn a_default_stands_only_for_a_mapping_that_cannot_be_elsewhere() {
    let included = json!({"Name": "AWS::Include", "Parameters": {"Location": "s3://b/m"}});
    let expression = json!({"Fn::FindInMap": ["M", "k", "i", {"DefaultValue": "d"}]});
    let value = |document: Value| {
        let settings = Settings::default();
        let evaluation = Evaluation {
            template: &Template::new(&document, &settings),
            parameters: false,
            given: &Assignment::new(),
            item: &LoopItem::new(),
        };
        evaluation.value(&expression, &mut BTreeSet::new())
    };
    let unknown = Err(Unknown::Function("Fn::FindInMap".to_owned()));
    assert_eq!(value(json!({"Resources": {}})), Ok(json!("d")));
    let harmless = json!({"Resources": {}, "Transform": ["AWS::LanguageExtensions"]});
    assert_eq!(value(harmless), Ok(json!("d")));
    for elsewhere in [
        json!({"Resources": {}, "Mappings": {"Fn::Transform": included}}),
        json!({"Resources": {}, "Mappings": {"M": {"Fn::Transform": included}}}),
        json!({"Resources": {}, "Mappings": {"M": {"k": {"Fn::Transform": included}}}}),
        json!({"Resources": {}, "Transform": included}),
        json!({"Resources": {}, "Fn::Transform": included}),
        // A snippet.
        json!({"ContainerDefinitions": []}),
    ] {
        assert_eq!(value(elsewhere.clone()), unknown, "{elsewhere}");
    }
    let known =
        json!({"Resources": {}, "Mappings": {"M": {"k": {"i": "x"}}, "Fn::Transform": included}});
    assert_eq!(value(known), Ok(json!("x")));
}
