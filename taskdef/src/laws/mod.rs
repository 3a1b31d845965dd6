//! Laws that hold for every task definition, intrinsic functions included.

mod composition;
mod dialects;
mod markers;

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::cloudformation::conditions::restrict;
use crate::cloudformation::intrinsic::Assignment;
use crate::dialect::Dialect;
use crate::image::{Answers, Credentials, ImageConfig, ImageFailure, ImageRequest, Platform};
use crate::recipe::{BoundRecipe, InputValue, Recipe, Recipes, builtin};
use crate::report::{Code, Finding, Outcome, Report};
use crate::settings::{OnUnresolved, ParameterizedImages, Settings};
use crate::source;
use crate::{DocumentKind, images_needed, rewrite};

const WRAPPER: &str = "/var/lib/lacework-backup/lacework-sidecar.sh";

pub(crate) fn bound(name: &str, inputs: &[(&str, &str)]) -> BoundRecipe {
    let (_, text) = builtin()
        .iter()
        .find(|(known, _)| *known == name)
        .expect("a built-in recipe");
    let recipe = Recipe::parse(name, text).expect("a valid recipe");
    let inputs: BTreeMap<String, InputValue> = inputs
        .iter()
        .map(|(key, value)| {
            let value = InputValue::Plain(Value::from(*value));
            ((*key).to_owned(), value)
        })
        .collect();
    recipe.bind(inputs).expect("inputs that fit")
}

fn lacework() -> &'static Recipes {
    static RECIPE: std::sync::LazyLock<Recipes> = std::sync::LazyLock::new(|| run_as_root().into());
    &RECIPE
}

pub(crate) fn run_as_root() -> BoundRecipe {
    let token = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:token-AbCdEf";
    bound(
        "lacework",
        &[("accessToken", token), ("nonRoot", "run-as-root")],
    )
}

/// Images that the answers know: an entry point, a command, both, neither, and one with another user.
fn answers(requests: &std::collections::BTreeSet<ImageRequest>) -> Answers {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let answer = |reference: &str| {
        let (entrypoint, cmd, user) = match reference {
            "both" => (words(&["/ie"]), words(&["ic", "${x}"]), ""),
            "entry" => (words(&["/ie", "arg"]), words(&[]), "0"),
            "command" => (words(&[]), words(&["/ic"]), "app"),
            "embedded" => (words(&[WRAPPER, "/ie"]), words(&["ic"]), "app"),
            _ => {
                return Err(ImageFailure {
                    code: "not-known",
                    message: "not known".to_owned(),
                    hint: None,
                });
            }
        };
        Ok(ImageConfig {
            digest: None,
            entrypoint,
            cmd,
            user: user.to_owned(),
            working_dir: String::new(),
        })
    };
    requests
        .iter()
        .map(|request| (request.clone(), answer(&request.reference)))
        .collect()
}

fn condition() -> impl Strategy<Value = Value> {
    prop_oneof![Just(json!("A")), Just(json!("B"))]
}

/// A value, or an `Fn::If` over such values and `AWS::NoValue`.
fn perhaps_if(value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![6 => value, 1 => Just(json!({"Ref": "AWS::NoValue"}))].boxed();
    leaf.prop_recursive(2, 6, 2, |inner| {
        (condition(), inner.clone(), inner)
            .prop_map(|(condition, yes, no)| json!({"Fn::If": [condition, yes, no]}))
    })
    .boxed()
}

fn image() -> BoxedStrategy<Value> {
    let known = prop_oneof![
        6 => Just(json!("both")),
        2 => Just(json!("entry")),
        2 => Just(json!("command")),
        1 => Just(json!("embedded")),
        1 => Just(json!("missing")),
        1 => Just(json!({"Fn::Sub": "bo${T}"})),
        1 => Just(json!({"Ref": "Whole"})),
        1 => Just(json!({"Fn::Join": ["", ["bo", "th"]]})),
    ];
    prop_oneof![
        8 => known.clone(),
        1 => (condition(), known.clone(), known)
            .prop_map(|(condition, yes, no)| json!({"Fn::If": [condition, yes, no]})),
    ]
    .boxed()
}

fn words() -> BoxedStrategy<Value> {
    let word = prop_oneof![
        8 => "[a-z/$ {}'&]{0,4}".prop_map(Value::from),
        1 => Just(json!(7)),
        1 => Just(json!({"Ref": "Whole"})),
        1 => Just(json!({"Fn::If": ["A", "yes", {"Ref": "AWS::NoValue"}]})),
    ];
    let list = proptest::collection::vec(word, 0..4).prop_map(Value::Array);
    perhaps_if(
        prop_oneof![
            10 => list,
            1 => Just(json!([WRAPPER, "app"])),
            1 => Just(json!({"Fn::Split": [",", {"Ref": "Whole"}]})),
            1 => Just(json!({"Ref": "List"})),
        ]
        .boxed(),
    )
}

fn environment() -> BoxedStrategy<Value> {
    let entry = perhaps_if(
        ("X|Y|LaceworkAccessToken", "[a-z]{0,3}")
            .prop_map(|(name, value)| json!({"name": name, "value": value}))
            .boxed(),
    );
    perhaps_if(
        proptest::collection::vec(entry, 0..3)
            .prop_map(Value::Array)
            .boxed(),
    )
}

prop_compose! {
    fn container(name: &'static str)(
        image in image(),
        entry_point in proptest::option::of(words()),
        command in proptest::option::of(words()),
        environment in proptest::option::of(environment()),
        user in proptest::option::of(prop_oneof![Just(json!("root")), Just(json!("7")), Just(json!({"Ref": "Whole"}))]),
        linux in proptest::option::of(perhaps_if(Just(json!({"capabilities": {"drop": ["ALL"]}})).boxed())),
        depends in proptest::option::of(perhaps_if(Just(json!([{"containerName": "other", "condition": "START"}])).boxed())),
        labels in proptest::option::of(Just(json!({"Ref": "a user's key", "lower": "b"}))),
        firelens in proptest::bool::weighted(0.05),
    ) -> Value {
        let mut map = Map::new();
        map.insert("name".to_owned(), Value::from(name));
        map.insert("image".to_owned(), image);
        let optional = [
            ("entryPoint", entry_point), ("command", command), ("environment", environment), ("user", user),
            ("linuxParameters", linux), ("dependsOn", depends), ("dockerLabels", labels),
            ("firelensConfiguration", firelens.then(|| json!({"type": "fluentbit"}))),
        ];
        for (key, value) in optional {
            if let Some(value) = value {
                map.insert(key.to_owned(), value);
            }
        }
        Value::Object(map)
    }
}

fn definitions() -> BoxedStrategy<Value> {
    let element = |name| perhaps_if(container(name).boxed());
    let list = (
        element("one"),
        proptest::option::of(element("two")),
        proptest::option::of(element("three")),
    )
        .prop_map(|(one, two, three)| {
            [Some(one), two, three]
                .into_iter()
                .flatten()
                .collect::<Value>()
        })
        .boxed();
    perhaps_if(list)
}

fn task_definition() -> impl Strategy<Value = Value> {
    definitions().prop_map(|definitions| {
        json!({
            "family": "family",
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": "256",
            "memory": "512",
            "executionRoleArn": "role",
            "containerDefinitions": definitions,
        })
    })
}

fn settings() -> Settings {
    Settings {
        on_unresolved: OnUnresolved::Fail,
        parameterized_images: ParameterizedImages::Reject,
        ..Settings::default()
    }
}

fn template(task: &Value) -> Value {
    around(&Dialect::CloudFormation.spell("", task))
}

/// A template with a task definition of these properties.
fn around(properties: &Value) -> Value {
    // A condition that a person switches is as open as one that a parameter decides.
    json!({"Conditions": {"A": {"Fn::Equals": ["off", "on"]}},
        "Resources": {"family": {"Type": "AWS::ECS::TaskDefinition", "Properties": properties}}})
}

/// The task definition after a run, and the report.
fn run(document: &Value, kind: DocumentKind, recipes: &Recipes) -> (Value, Report) {
    let settings = settings();
    let answers = answers(&images_needed(document, kind, recipes, &settings).unwrap());
    let rewritten = rewrite(document, kind, recipes, &settings, &answers).unwrap();
    let mut after = document.clone();
    source::put(&mut after, rewritten.changes).unwrap();
    let after = match kind {
        DocumentKind::TaskDefinition => after,
        _ => after["Resources"]["family"]["Properties"].take(),
    };
    let [found] = rewritten.report.task_definitions.as_slice() else {
        panic!("{:?}", rewritten.report);
    };
    // All that is generated is in scope; what is left alone has no container under any condition, or only a log router.
    let empty = |finding: &Finding| finding.code == Code::NotSelected;
    assert!(
        found.outcome != Outcome::LeftAlone || found.findings.iter().any(empty),
        "{found:?}"
    );
    (after, rewritten.report)
}

fn codes(report: &Report) -> Vec<String> {
    let tasks = report.task_definitions.iter();
    tasks
        .flat_map(|task| &task.findings)
        .map(|finding| format!("{} {:?}", finding.code, finding.container))
        .collect()
}

/// The process of each wrapped container under an assignment, computed from the document alone.
fn processes(task: &Value, given: &Assignment) -> BTreeMap<String, Vec<Value>> {
    let deep = |value: &Value| restrict(value, given).unwrap_or(Value::Null);
    let containers = deep(&task["containerDefinitions"]);
    let mut found = BTreeMap::new();
    for container in containers.as_array().into_iter().flatten() {
        let container = deep(container);
        let list = |key: &str| {
            let value = deep(&container[key]);
            match &value {
                Value::Array(items) => items.clone(),
                Value::Null => Vec::new(),
                whole => vec![whole.clone()],
            }
        };
        let image = match deep(&container["image"]) {
            Value::String(text) => text,
            _ => "both".to_owned(),
        };
        let request = ImageRequest {
            reference: image,
            platform: Platform::LinuxAmd64,
            credentials: Credentials::Unstated,
        };
        let config = answers(&[request.clone()].into())
            .remove(&request)
            .and_then(Result::ok)
            .unwrap_or_default();
        let texts = |texts: &[String]| texts.iter().cloned().map(Value::from).collect::<Vec<_>>();
        let (entry_point, command) = (list("entryPoint"), list("command"));
        let process = match (entry_point.is_empty(), command.is_empty()) {
            (true, true) => [texts(&config.entrypoint), texts(&config.cmd)].concat(),
            (true, false) => [texts(&config.entrypoint), command].concat(),
            (false, _) => [entry_point, command].concat(),
        };
        let name = container["name"].as_str().unwrap_or_default().to_owned();
        found.insert(name, process);
    }
    found
}

fn assignments() -> Vec<Assignment> {
    let row = |a, b| [("A".to_owned(), a), ("B".to_owned(), b)].into();
    vec![
        row(true, true),
        row(true, false),
        row(false, true),
        row(false, false),
    ]
}

/// A process whose list is composed by `Fn::Split` of `Fn::Join`, taken apart.
fn taken_apart(process: &[Value]) -> Vec<Value> {
    process
        .iter()
        .flat_map(|word| {
            match word
                .pointer("/Fn::Split/1/Fn::Join/1")
                .and_then(Value::as_array)
            {
                Some(parts) => parts
                    .iter()
                    .map(|part| part.pointer("/Fn::Join/1").unwrap_or(part).clone())
                    .collect(),
                None => vec![word.clone()],
            }
        })
        .collect()
}

proptest! {
    #[test]
    fn a_second_run_changes_nothing(task in task_definition()) {
        let recipe = lacework();
        let (once, first) = run(&template(&task), DocumentKind::Template, recipe);
        let again = around(&once);
        let (twice, second) = run(&again, DocumentKind::Template, recipe);
        prop_assert_eq!(&once, &twice);
        if first.task_definitions[0].outcome == Outcome::Rewritten {
            prop_assert_eq!(second.task_definitions[0].outcome, Outcome::Unchanged);
        }
    }

    #[test]
    fn the_program_still_runs_behind_the_wrapper(task in task_definition()) {
        let recipe = lacework();
        let (after, report) = run(&template(&task), DocumentKind::Template, recipe);
        let after = Dialect::CloudFormation.canonical("", &after);
        // A refused task definition has not changed, and its programs still run.
        let rewritten = report.task_definitions[0].outcome == Outcome::Rewritten;
        prop_assert!(rewritten || after == task);
        for given in assignments().into_iter().filter(|_| rewritten) {
            let before = processes(&task, &given);
            let after = processes(&after, &given);
            for (name, process) in &before {
                let now = taken_apart(&after[name]);
                let starts_wrapped = process.first() == Some(&json!(WRAPPER));
                let wrapped = [vec![json!(WRAPPER)], process.clone()].concat();
                let firelens = task.to_string().contains("firelens");
                // A branch that is switched off may stay as it is.
                let mut findings = report.task_definitions[0].findings.iter();
                let left = given["A"] && findings.any(|finding| finding.code == Code::BranchLeftAlone);
                prop_assert!(
                    now == wrapped || (now == *process && (starts_wrapped || firelens || left)),
                    "{}: {:?} became {:?}", name, process, now
                );
            }
        }
    }
}
