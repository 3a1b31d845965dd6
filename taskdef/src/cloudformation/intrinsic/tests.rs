use super::*;
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
        "Mappings": {"Images": {"eu-west-1": {"Web": "nginx:1", "Words": ["a"]}}}
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
