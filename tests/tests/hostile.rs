//! Inputs that nobody would write by hand: too deep, too large, of every wrong shape.

#![cfg(test)]

use std::fs;

use outrigger_tests::run::{Ran, cfn_filter};
use serde_json::{Value, json};

fn lacework(text: &[u8]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("template");
    fs::write(&template, text).unwrap();
    let options = "--recipe lacework --set accessToken=x --set serverUrl=x --offline --region eu-central-1 --parameterized-images resolve --launch-types any --on-unresolved skip";
    let args: Vec<String> = [template.display().to_string()]
        .into_iter()
        .chain(options.split(' ').map(str::to_owned))
        .collect();
    let ran = cfn_filter(&args, b"");
    assert!(matches!(ran.exit, 0 | 1 | 3), "exit code {}", ran.exit);
    assert!(
        ran.exit != 1 || ran.stdout.is_empty(),
        "something was written"
    );
    assert!(!ran.stderr.is_empty(), "no report");
    ran
}

const FUNCTIONS: [&str; 18] = [
    "Fn::Join",
    "Fn::Sub",
    "Fn::Select",
    "Fn::Split",
    "Fn::FindInMap",
    "Fn::If",
    "Fn::Base64",
    "Ref",
    "Fn::GetAtt",
    "Fn::ImportValue",
    "Fn::Transform",
    "Fn::Length",
    "Fn::ToJsonString",
    "Fn::Cidr",
    "Fn::GetAZs",
    "Fn::Other",
    "Condition",
    "Fn::ForEach::X",
];

fn arguments() -> Vec<Value> {
    vec![
        json!(null),
        json!(1),
        json!(true),
        json!(""),
        json!("x"),
        json!("${"),
        json!("${}"),
        json!("${!x"),
        json!("${a}"),
        json!([]),
        json!([null]),
        json!([[]]),
        json!([1]),
        json!(["a"]),
        json!(["a", null]),
        json!(["a", [null]]),
        json!(["a", ["b"], "c"]),
        json!(["a", "b", "c"]),
        json!({}),
        json!({"Ref": null}),
        json!([{"Ref": "a"}]),
        json!(["", {"Ref": "x"}]),
        json!([{"Fn::If": []}, 1, 2]),
        json!(["a", {"b": null}, "c"]),
        json!([-1, ["a"]]),
        json!(["1x", ["a"]]),
        json!([1e30, ["a"]]),
        json!(["", "x"]),
        json!(["a", "x", {}]),
    ]
}

const KEYS: [&str; 11] = [
    "Image",
    "EntryPoint",
    "Command",
    "User",
    "Environment",
    "Name",
    "FirelensConfiguration",
    "Secrets",
    "DependsOn",
    "VolumesFrom",
    "LinuxParameters",
];

fn task(definitions: &Value) -> Value {
    json!({"Resources": {"Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"RequiresCompatibilities": ["FARGATE"], "ContainerDefinitions": definitions}}}})
}

#[test]
fn intrinsics_of_every_wrong_shape() {
    for function in FUNCTIONS {
        for argument in arguments() {
            everywhere(&json!({function: argument}));
        }
    }
}

/// The value as definitions, as a container, and as each property of one, each in a task definition of its own.
fn everywhere(value: &Value) {
    let mut definitions = vec![value.clone(), json!([value])];
    for key in KEYS {
        let mut container =
            json!({"Name": "app", "Image": "nginx:1.27", "User": "root", "EntryPoint": ["x"]});
        container[key] = value.clone();
        definitions.push(json!([container]));
    }
    let tasks = definitions.iter().enumerate().map(|(index, definitions)| {
        (
            format!("Task{index}"),
            task(definitions)["Resources"]["Task"].clone(),
        )
    });
    twice(&json!({"Resources": tasks.collect::<serde_json::Map<_, _>>()}));
}

#[test]
fn values_of_every_wrong_type() {
    for value in [
        json!(null),
        json!(1),
        json!(true),
        json!(""),
        json!("x"),
        json!([]),
        json!({}),
        json!([[]]),
        json!([{}]),
        json!([null]),
        json!({"a": []}),
    ] {
        twice(&value);
        twice(&json!({"Resources": value}));
        twice(&json!({"Resources": {"Task": value}}));
        twice(&json!({"Resources": {"Task": {"Type": value, "Properties": value}}}));
        twice(&json!({"Resources": {"Fn::ForEach::X": value, "Fn::Transform": value}}));
        twice(
            &json!({"Resources": {"Fn::ForEach::X": ["N", value, {"T${N}": {"Type": "AWS::ECS::TaskDefinition", "Properties": value}}]}}),
        );
        twice(
            &json!({"Resources": {"Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": value}}}),
        );
        for key in [
            "RequiresCompatibilities",
            "RuntimePlatform",
            "Tags",
            "ProxyConfiguration",
            "NetworkMode",
            "Cpu",
            "Memory",
            "Family",
            "Volumes",
        ] {
            let mut template = task(
                &json!([{"Name": "app", "Image": "nginx:1.27", "User": "root", "EntryPoint": ["x"]}]),
            );
            template["Resources"]["Task"]["Properties"][key] = value.clone();
            twice(&template);
        }
        in_every_section(&value);
        everywhere(&value);
    }
}

/// The value as each section of a template, and within it.
fn in_every_section(value: &Value) {
    for section in [
        "Parameters",
        "Conditions",
        "Mappings",
        "Transform",
        "Outputs",
        "Metadata",
        "Rules",
    ] {
        let mut template = task(
            &json!([{"Name": "app", "Image": {"Fn::If": ["C", {"Ref": "P"}, {"Fn::FindInMap": ["M", "a", "b"]}]}, "User": "root", "EntryPoint": ["x"]}]),
        );
        template[section] = value.clone();
        twice(&template);
        template[section] = json!({"P": value, "C": value, "M": value});
        twice(&template);
        template[section] =
            json!({"M": {"a": value}, "P": {"Type": value, "Default": value, "NoEcho": value}});
        twice(&template);
    }
}

/// Runs once, and if something was written once more on that, which changes nothing.
fn twice(template: &Value) {
    let once = lacework(template.to_string().as_bytes());
    if once.exit != 1 {
        let again = lacework(&once.stdout);
        assert!(
            again.exit == once.exit && again.stdout == once.stdout,
            "{template}: {}",
            again.stderr
        );
    }
}

#[test]
fn conditions_that_go_in_circles() {
    let mut template = task(
        &json!([{"Name": "app", "Image": {"Fn::If": ["A", "x", "y"]}, "User": "root", "EntryPoint": [{"Fn::If": ["B", "x", "y"]}]}]),
    );
    template["Conditions"] = json!({"A": {"Condition": "B"}, "B": {"Fn::Not": [{"Condition": "A"}]}, "C": {"Condition": "C"}});
    twice(&template);
}

/// A task definition whose image and command are this expression.
fn run_by(value: &Value) -> Value {
    task(&json!([{"Name": "app", "Image": value, "User": "root", "Command": value}]))
}

/// Runs on a template that is refused, with a report that a person can read.
fn refused(template: &Value) {
    let ran = lacework(template.to_string().as_bytes());
    assert_eq!(ran.exit, 3, "{}", ran.stderr);
    assert!(ran.stderr.len() < 100_000, "{} bytes", ran.stderr.len());
}

#[test]
fn mappings_that_go_in_circles() {
    let find = |key: &str| json!({"Fn::FindInMap": ["M", "a", key]});
    let mut template = run_by(&find("b"));
    template["Mappings"] = json!({"M": {"a": {"b": find("b"), "c": find("d"), "d": [find("c")]}}});
    refused(&template);
    template["Resources"] = run_by(&find("c"))["Resources"].clone();
    refused(&template);
    let chain = (0..10_000).map(|index| (index.to_string(), find(&(index + 1).to_string())));
    template["Mappings"]["M"]["a"] = chain.collect();
    template["Resources"] = run_by(&find("0"))["Resources"].clone();
    refused(&template);
}

#[test]
fn conditions_in_a_long_chain() {
    let mut template = run_by(&json!({"Fn::If": ["C0", "x", "y"]}));
    let link = |index: usize| {
        (
            format!("C{index}"),
            json!({"Condition": format!("C{}", index + 1)}),
        )
    };
    template["Conditions"] = (0..20_000).map(link).collect();
    twice(&template);
}

/// A few lines that stand for more text than there is memory.
#[test]
fn texts_that_multiply() {
    let nested = |levels: usize, text: &str| {
        (0..levels).fold(
            json!("x"),
            |value, _| json!({"Fn::Sub": [text, {"a": value}]}),
        )
    };
    for value in [
        nested(8, &"${a}".repeat(20)),
        nested(26, "${a}${a}"),
        json!({"Fn::Join": ["x".repeat(10_000), {"Fn::Split": [",", ",".repeat(10_000)]}]}),
    ] {
        refused(&run_by(&value));
    }
}

/// Loops in loops, over more items than are looked at, around many task definitions.
#[test]
fn loops_that_multiply() {
    let items =
        |count: usize| -> Vec<String> { (0..count).map(|item| format!("i{item}")).collect() };
    let definition = &run_by(&json!("nginx:${L0}"))["Resources"]["Task"];
    let body: serde_json::Map<_, _> = (0..50)
        .map(|index| (format!("Task{index}${{L0}}"), definition.clone()))
        .collect();
    for count in [2, 10, 10_000] {
        let resources = (0..20).fold(json!(body), |body, level| {
            json!({format!("Fn::ForEach::L{level}"): [format!("L{level}"), items(count), body]})
        });
        lacework(json!({"Resources": resources}).to_string().as_bytes());
    }
}

#[test]
fn nested_ten_thousand_deep() {
    let deep = 10_000;
    let texts = [
        "[".repeat(deep),
        "{\"a\":".repeat(deep),
        format!("{}{}", "[".repeat(deep), "]".repeat(deep)),
        format!(
            "{{\"Resources\": {}1{}}}",
            "{\"a\":".repeat(deep),
            "}".repeat(deep)
        ),
        format!("Resources: {}{}", "[".repeat(deep), "]".repeat(deep)),
        format!("Resources: {}", "{a: ".repeat(deep)),
        format!("Resources: {}x", "!Ref ".repeat(deep)),
        format!("Resources:\n- {}x", "- ".repeat(deep)),
        (0..deep / 10)
            .map(|level| format!("{}a:\n", " ".repeat(level)))
            .collect(),
        task(&json!([{"Name": "app", "Image": "IMAGE", "User": "root", "EntryPoint": ["x"]}]))
            .to_string()
            .replace(
                "\"IMAGE\"",
                &format!(
                    "{}\"x\"{}",
                    "{\"Fn::If\":[\"C\",".repeat(deep),
                    ",\"y\"]}".repeat(deep)
                ),
            ),
    ];
    for text in texts {
        let ran = lacework(text.as_bytes());
        assert_eq!(ran.exit, 1, "{}", ran.stderr);
        assert!(
            ran.stderr.len() < 4_000,
            "a report of {} bytes",
            ran.stderr.len()
        );
    }
}

/// Deep, but no deeper than a template may be: conditions in conditions in a value that is left alone.
#[test]
fn nested_a_hundred_deep_is_read() {
    let depth = 32;
    let value = (0..depth).fold(json!("x"), |value, _| json!({"Fn::Join": ["", [value]]}));
    let template = task(
        &json!([{"Name": "app", "Image": "nginx:1.27", "User": "root", "EntryPoint": ["x"], "Environment": [{"Name": "A", "Value": value}]}]),
    );
    let ran = lacework(template.to_string().as_bytes());
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
}

#[test]
fn twenty_megabytes() {
    let filler = "x".repeat(20_000_000);
    for text in [
        format!("Description: {filler}\nResources:\n  Topic:\n    Type: AWS::SNS::Topic\n"),
        format!("{{\"Description\": \"{filler}\", \"Resources\": {{}}}}"),
        format!("# {filler}\nResources: {{}}\n"),
        filler.clone(),
        " ".repeat(20_000_000),
        "\n".repeat(20_000_000),
        "\0".repeat(20_000_000),
        format!("Resources: {{\"{filler}"),
    ] {
        let ran = lacework(text.as_bytes());
        assert!(
            ran.exit == 1 || ran.stdout == text.as_bytes(),
            "the text has changed"
        );
        assert!(
            ran.stderr.len() < 4_000,
            "a report of {} bytes",
            ran.stderr.len()
        );
    }
}

/// Aliases of aliases: a few lines that stand for a thousand million values.
#[test]
fn aliases_that_multiply() {
    let mut text = "Metadata:\n  A0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let above = format!("*a{}", level - 1);
        text.push_str(&format!(
            "  A{level}: &a{level} [{}]\n",
            [above.as_str(); 10].join(", ")
        ));
    }
    text.push_str("Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n");
    lacework(text.as_bytes());
}

/// A template cut somewhere is refused, or what is left of it is a template still.
#[test]
fn cut_short() {
    let text = fs::read_to_string("cases/yaml/short-forms/template.yaml").unwrap();
    for end in (0..text.len()).step_by(7) {
        let ran = lacework(&text.as_bytes()[..end]);
        assert!(
            ran.exit == 1 || text.find("Resources:").is_some_and(|at| at < end),
            "{end}"
        );
    }
    let text = fs::read_to_string("cases/json/two-spaces/template.json").unwrap();
    for end in (0..text.trim_end().len()).step_by(3) {
        assert_eq!(lacework(&text.as_bytes()[..end]).exit, 1, "{end}");
    }
}
