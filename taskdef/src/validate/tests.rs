//! What cases cannot show: rules that no recipe can break, what is broken by which change, and laws.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::cloudformation::intrinsic::function;
use crate::cloudformation::template::Template;
use crate::dialect::Dialect;
use crate::source::{New, Step};

fn held(
    dialect: Dialect,
    properties: &Value,
    changes: &[Change],
    settings: &Settings,
) -> Vec<Finding> {
    let document = json!({});
    let template = Template::new(&document, settings);
    let given = Assignment::new();
    let surroundings = Surroundings {
        setting: Setting {
            dialect,
            template: &template,
            given: &given,
        },
        settings,
        id: "Task",
        fargate: true,
        old_platforms: &[],
    };
    let empty = Map::new();
    violations(
        surroundings,
        properties.as_object().unwrap_or(&empty),
        changes,
    )
}

/// What is said of properties in the ECS API's spelling when a template holds them; changes are in that of a template.
fn in_template(properties: &Value, changes: &[Change]) -> Vec<Finding> {
    let spelled = Dialect::CloudFormation.spell("", properties);
    held(
        Dialect::CloudFormation,
        &spelled,
        changes,
        &Settings::default(),
    )
}

/// The findings as the report would show them, without hints.
fn found(properties: &Value, changes: &[Change]) -> Vec<String> {
    in_template(properties, changes)
        .into_iter()
        .map(|finding| {
            format!(
                "{}[{}]: {}",
                finding.severity, finding.code, finding.message
            )
        })
        .collect()
}

fn task(containers: &Value) -> Value {
    json!({"networkMode": "awsvpc", "cpu": "256", "memory": "512", "containerDefinitions": containers})
}

/// A change in the spelling of a template, of what is given in that of the ECS API.
fn change(path: &[Step], new: New) -> Change {
    let spelled = |key: &str, value: &Value| Dialect::CloudFormation.spell(key, value);
    let new = match new {
        New::Value(value) => New::Value(spelled("containerDefinitions", &value)),
        New::Members(members) => {
            let members: Map<String, Value> = members.into_iter().collect();
            let members = spelled("", &Value::Object(members));
            New::Members(members.as_object().unwrap().clone().into_iter().collect())
        }
    };
    Change {
        path: path.to_vec(),
        new,
    }
}

fn container(index: usize) -> Vec<Step> {
    let list = Step::Key("ContainerDefinitions".to_owned());
    vec![list, Step::Index(index)]
}

#[test]
fn a_name_may_not_be_taken_by_what_is_added() {
    let one = json!({"name": "app"});
    let added = change(&container(1), New::Value(one.clone()));
    insta::assert_snapshot!(
        found(&task(&json!([one])), &[added]).join("\n"),
        @"error[duplicate-container-name]: two containers have the name `app`"
    );
}

#[test]
fn windows_has_no_pid_mode() {
    let mut windows = task(&json!([{"name": "app"}]));
    windows["runtimePlatform"] = json!({"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"});
    let mode = New::Members(vec![("pidMode".to_owned(), json!("task"))]);
    insta::assert_snapshot!(
        found(&windows, &[change(&[], mode.clone())]).join("\n"),
        @"error[pid-mode-on-windows]: `pidMode` is `task`, which Windows does not have"
    );
    windows["runtimePlatform"] = json!({"operatingSystemFamily": "LINUX"});
    assert!(found(&windows, &[change(&[], mode)]).is_empty());
}

#[test]
fn a_size_that_is_not_offered_may_not_come_in() {
    let size = New::Members(vec![("memory".to_owned(), json!(4096))]);
    insta::assert_snapshot!(
        found(&task(&json!([{"name": "app"}])), &[change(&[], size)]).join("\n"),
        @"error[fargate-task-size]: Fargate does not offer 256 CPU units with 4096 MiB of memory"
    );
}

#[test]
fn what_was_broken_before_is_told_as_it_was() {
    let properties = task(&json!([{"name": "app", "cpu": 300}]));
    let sidecar = change(
        &container(1),
        New::Value(json!({"name": "agent", "cpu": 5, "privileged": true})),
    );
    insta::assert_snapshot!(found(&properties, &[sidecar]).join("\n"), @r"
    error[fargate-privileged]: it is privileged, which Fargate does not allow
    warning[over-task-size]: the containers reserve 300 CPU units (`app` 300), and the task has 256, already before the rewrite
    ");
}

#[test]
fn conditions_are_named_as_far_as_they_decide() {
    let port = |port: u64| json!({"name": "app", "portMappings": [{"containerPort": port}]});
    let properties = task(&json!([
        {"Fn::If": ["Prod", port(80), {"Fn::If": ["Spot", port(80), port(81)]}]},
        {"Fn::If": ["Debug", {"name": "shell"}, {"Ref": "AWS::NoValue"}]},
        {"Fn::If": ["Prod", {"name": "web", "portMappings": [{"containerPort": 80}]}, {"Ref": "AWS::NoValue"}]},
        {"Fn::If": ["Spot", {"name": "shell"}, {"Ref": "AWS::NoValue"}]}
    ]));
    insta::assert_snapshot!(found(&properties, &[]).join("\n"), @r"
    warning[duplicate-container-name]: two containers have the name `shell`, already before the rewrite (when Debug and Spot)
    warning[port-taken-twice]: `app` and `web` both take the tcp port 80, and the containers of a task in network mode `awsvpc` share their ports, already before the rewrite (when Prod)
    ");
}

#[test]
fn ports_depend_on_the_network() {
    let ports = |one: Value, other: Value, mode: &str| {
        let mut properties = task(&json!([
            {"name": "one", "portMappings": [one]},
            {"name": "two", "portMappings": [other]}
        ]));
        properties["networkMode"] = json!(mode);
        found(&properties, &[]).len()
    };
    let port = |container: u64, host: u64| json!({"containerPort": container, "hostPort": host});
    assert_eq!(ports(port(80, 0), port(80, 0), "bridge"), 0);
    assert_eq!(ports(port(80, 8080), port(81, 8080), "bridge"), 1);
    assert_eq!(ports(port(80, 80), port(80, 80), "host"), 1);
    assert_eq!(ports(port(80, 80), port(80, 80), "none"), 0);
    let range = |range: &str| json!({"containerPortRange": range});
    assert_eq!(ports(range("80-90"), range("90-95"), "awsvpc"), 1);
    assert_eq!(ports(range("80-90"), range("91-95"), "awsvpc"), 0);
    assert_eq!(ports(range("x"), range("-"), "awsvpc"), 0);
}

#[test]
fn a_circle_is_told_once_and_by_its_members() {
    let waits = |name: &str, on: &[&str]| {
        let on: Vec<Value> = on
            .iter()
            .map(|on| json!({"containerName": on, "condition": "START"}))
            .collect();
        json!({"name": name, "dependsOn": on})
    };
    let properties = task(&json!([
        waits("outside", &["b"]),
        waits("a", &["c"]),
        waits("b", &["a"]),
        waits("c", &["b", "free"]),
        waits("free", &[]),
        waits("own", &["own"])
    ]));
    insta::assert_snapshot!(found(&properties, &[]).join("\n"), @r"
    warning[dependency-cycle]: the containers `a`, `b`, `c` wait for each other in a circle, already before the rewrite
    warning[dependency-cycle]: `own` waits for itself, already before the rewrite
    ");
}

/// Any JSON, made of the words that rules look for.
fn anything(functions: bool) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0_u64..3000).prop_map(Value::from),
        "app|one|SUCCESS|HEALTHY|80-90|1 GB|[.]25 vCPU|awsvpc|task|A|AWS::NoValue|[$][{]x[}]"
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        let name = if functions { "Fn::If" } else { "links" };
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            (
                prop_oneof![Just("A"), Just("B")],
                inner.clone(),
                inner.clone()
            )
                .prop_map(move |(condition, yes, no)| json!({name: [condition, yes, no]})),
            proptest::collection::vec((key(functions), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
    .boxed()
}

const KEYS: &str = "containerDefinitions|name|cpu|memory|dependsOn|containerName|condition|volumesFrom|sourceContainer|links|portMappings|containerPort|hostPort|essential|secrets|environment|volumes|host|sourcePath|pidMode|linuxParameters|capabilities|add|healthCheck";

fn key(functions: bool) -> BoxedStrategy<String> {
    let functions = u32::from(functions);
    prop_oneof![
        20 => KEYS,
        functions => "Ref|Fn::Transform",
    ]
    .boxed()
}

/// A task definition whose parts may be anything.
fn any_task(functions: bool) -> BoxedStrategy<Value> {
    let member = (key(functions), anything(functions));
    let container = proptest::collection::vec(member, 0..6)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
        .boxed();
    let element = prop_oneof![
        6 => container.clone(),
        1 => anything(functions),
        u32::from(functions) * 2 => (container.clone(), container)
            .prop_map(|(yes, no)| json!({"Fn::If": ["A", yes, no]})),
    ];
    (
        proptest::collection::vec((key(functions), anything(functions)), 0..4),
        proptest::collection::vec(element, 0..4),
    )
        .prop_map(|(members, containers)| {
            let mut task: Map<String, Value> = members.into_iter().collect();
            task.insert("containerDefinitions".to_owned(), Value::Array(containers));
            Value::Object(task)
        })
        .boxed()
}

/// Changes as a plan makes them: of the task, of containers, and a container that is added.
fn changes(task: &Value, over: &Value, whole: bool) -> Vec<Change> {
    let members: Vec<(String, Value)> = over
        .as_object()
        .into_iter()
        .flatten()
        // What comes from a transform is never changed, and never added.
        .filter(|(key, _)| {
            !["containerDefinitions", "Ref", "Fn::Transform"].contains(&key.as_str())
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut changes = vec![change(&[], New::Members(members.clone()))];
    let containers = task["containerDefinitions"].as_array().unwrap();
    changes.push(change(
        &container(containers.len()),
        New::Value(over.clone()),
    ));
    for (index, value) in containers.iter().enumerate() {
        let mut path = container(index);
        if value.get("Fn::If").is_some_and(Value::is_array) {
            path.extend([Step::Key("Fn::If".to_owned()), Step::Index(1)]);
        } else if !value.is_object() {
            continue;
        }
        let taken = value.pointer("/Fn::If/1").unwrap_or(value);
        if function(taken).is_some() {
            continue;
        }
        changes.push(change(
            &path,
            match whole || !taken.is_object() {
                true => New::Value(over.clone()),
                false => New::Members(members.clone()),
            },
        ));
    }
    changes
}

proptest! {
    #[test]
    fn what_is_not_changed_is_never_refused(task in any_task(true)) {
        for finding in in_template(&task, &[]) {
            prop_assert_ne!(finding.severity, Severity::Error);
        }
    }

    #[test]
    fn respelling_changes_no_finding(task in any_task(false)) {
        let here = held(Dialect::Ecs, &task, &[], &Settings::default());
        let there = in_template(&task, &[]);
        // A name that is an object is shown as it is spelled.
        let told = |findings: &[Finding]| -> Vec<_> {
            findings.iter().map(|finding| (finding.code, finding.severity)).collect()
        };
        // Only in a template a text with `${` is not what it seems.
        if !task.to_string().contains("${") {
            prop_assert_eq!(told(&here), told(&there));
        }
    }

    /// What is laid over the properties is read as what the changes make of them.
    #[test]
    fn changes_are_seen_as_they_will_be(task in any_task(true), over in any_task(true), whole in any::<bool>()) {
        let changes = changes(&task, &over, whole);
        let spelled = Dialect::CloudFormation.spell("", &task);
        let after = Value::Object(changed(spelled.as_object().unwrap(), changes.clone()).unwrap());
        let message = |finding: &Finding| (finding.code, finding.container.clone());
        let seen = in_template(&task, &changes);
        let made = held(Dialect::CloudFormation, &after, &[], &Settings::default());
        let sorted = |findings: &[Finding]| {
            let mut told: Vec<_> = findings.iter().map(message).collect();
            told.sort();
            told
        };
        prop_assert_eq!(sorted(&seen), sorted(&made));
    }
}
