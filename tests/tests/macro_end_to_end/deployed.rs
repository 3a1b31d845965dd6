//! From a template to what ECS has: processed, linted, registered and deployed.

use std::collections::BTreeMap;

use outrigger_tests::cloudformation::{Deployment, with_own_transforms};
use outrigger_tests::conditions::{Assignment, under};
use outrigger_tests::document::task_definitions;
use outrigger_tests::servers::Access;
use outrigger_tests::servers::image::Family;
use outrigger_tests::servers::samples::{multi_platform, single};
use outrigger_tests::{botocore, ecs};
use serde_json::{Map, Value, json};

use crate::lint::new_findings;
use crate::service::{deployment, listed, service, with_snippet};
use crate::world::World;

/// A template, and how it is processed.
struct Stack {
    name: &'static str,
    template: Value,
    deployment: Deployment,
    settings: Vec<(&'static str, &'static str)>,
    /// The task definitions that come out.
    tasks: &'static [&'static str],
}

fn stack(name: &'static str, template: Value) -> Stack {
    Stack {
        name,
        template,
        deployment: deployment(),
        settings: Vec::new(),
        tasks: &["Task"],
    }
}

/// The service as a loop over two names, with these transforms.
fn loops(transforms: Value) -> Value {
    let mut template = service();
    let resources = template["Resources"].as_object_mut().unwrap();
    let task = resources.shift_remove("Task").unwrap();
    resources.shift_remove("Service");
    let mut task = task.to_string();
    task = task.replace("\"shop\"", "\"shop-${Name}\"");
    let task: Value = serde_json::from_str(&task).unwrap();
    let body = json!({"Task${Name}": task});
    resources.insert(
        "Fn::ForEach::Tasks".to_owned(),
        json!(["Name", ["One", "Two"], body]),
    );
    listed(template, transforms)
}

/// The service with an image that a parameter chooses.
fn parameterized() -> Value {
    let mut template = listed(service(), json!("Outrigger"));
    let place = "/Resources/Task/Properties/ContainerDefinitions/0/Image";
    let image = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/shop/api:${Tag}";
    *template.pointer_mut(place).unwrap() = json!({"Fn::Sub": image});
    template
}

fn stacks() -> Vec<Stack> {
    let in_properties = with_snippet(service(), "/Resources/Task/Properties");
    let named = json!({"Name": "Outrigger", "Parameters": {"Mode": "opt-out"}});
    let looped = |name, transforms| Stack {
        tasks: &["TaskOne", "TaskTwo"],
        ..stack(name, loops(transforms))
    };
    vec![
        stack("top-level", listed(service(), json!("Outrigger"))),
        Stack {
            settings: vec![("OUTRIGGER_ALLOW_TEMPLATE_PARAMS", "Mode")],
            ..stack(
                "top-level-with-parameters",
                listed(service(), json!([named])),
            )
        },
        stack(
            "snippet-in-resources",
            with_snippet(service(), "/Resources"),
        ),
        stack(
            "snippet-in-the-resource",
            with_snippet(service(), "/Resources/Task"),
        ),
        stack("snippet-in-properties", in_properties.clone()),
        stack(
            "snippet-and-top-level",
            listed(in_properties, json!(["Outrigger"])),
        ),
        looped("loop", json!(["Outrigger", "AWS::LanguageExtensions"])),
        looped(
            "loop-expanded-before",
            json!(["AWS::LanguageExtensions", "Outrigger"]),
        ),
        Stack {
            deployment: Deployment::with(&[("Password", "canary-of-a-password"), ("Tag", "2")]),
            settings: vec![("OUTRIGGER_PARAMETERIZED_IMAGES", "resolve")],
            ..stack("parameterized-image", parameterized())
        },
    ]
}

/// What came out of a template.
struct Processed {
    stack: Stack,
    /// The template as it would be without the macro.
    before: Value,
    after: Value,
    requests: usize,
}

fn processed(world: &World, stack: Stack) -> Processed {
    let subject = world.subject(&stack.settings);
    let mut requests = 0;
    let mut nothing = |request: &Value| {
        requests += 1;
        let (id, fragment) = (&request["requestId"], &request["fragment"]);
        let response = json!({"requestId": id, "status": "success", "fragment": fragment});
        Ok(response.to_string().into_bytes())
    };
    let bytes = stack.template.to_string().into_bytes();
    let before = stack.deployment.process(&bytes, &mut nothing).unwrap();
    let after = subject.process(&stack.template, &stack.deployment).unwrap();
    let again = subject.process(&stack.template, &stack.deployment).unwrap();
    assert_eq!(after.to_string(), again.to_string(), "{}", stack.name);
    assert_ne!(after, before, "{}: nothing was done", stack.name);
    Processed {
        stack,
        before,
        after,
        requests,
    }
}

/// Nothing but container definitions has changed.
fn check_rest(processed: &Processed) {
    let without = |template: &Value| {
        let mut template = template.clone();
        for (path, _) in task_definitions(&template.clone()) {
            let properties = template
                .pointer_mut(&format!("/{path}/Properties"))
                .unwrap();
            properties["ContainerDefinitions"] = Value::Null;
        }
        template
    };
    let (before, after) = (&processed.before, &processed.after);
    assert_eq!(without(before).to_string(), without(after).to_string());
}

/// The words that a container of the workload runs, once it is deployed.
fn check_program(name: &str, containers: &Value) {
    let wrapper = "/var/lib/lacework-backup/lacework-sidecar.sh";
    let containers = containers.as_array().unwrap();
    let found: Vec<(&str, &Value, &Value)> = containers
        .iter()
        .map(|container| {
            let name = container["name"].as_str().unwrap();
            (name, &container["entryPoint"], &container["command"])
        })
        .collect();
    let entry_point = json!([wrapper, "/entry", "amd64"]);
    let (serve, work) = (json!(["serve"]), json!(["work", "--hard"]));
    assert_eq!(found.len(), 3, "{name}: {found:?}");
    assert_eq!(found[0], ("api", &entry_point, &serve), "{name}");
    assert_eq!(found[1], ("worker", &entry_point, &work), "{name}");
    assert_eq!(found[2].0, "datacollector-sidecar", "{name}");
}

/// cfn-lint finds nothing new; `None` where there is no cfn-lint.
fn lint(all: &[Processed]) -> Option<()> {
    let templates: Vec<(&str, &Value, &Value)> = all
        .iter()
        .map(|processed| (processed.stack.name, &processed.before, &processed.after))
        .collect();
    // `resolve` writes the image in the parameter's place, and says so.
    let said = [
        "parameterized-image.json",
        "W2001",
        "Parameter Tag not used.",
    ]
    .map(str::to_owned);
    assert_eq!(new_findings(&templates)?, [said.into()]);
    Some(())
}

/// Registers and deploys everything; gives what ECS has, `None` where there is no botocore.
fn deploy(world: &World, all: &[Processed]) -> Option<Value> {
    let small = Assignment::from([("Large".to_owned(), false)]);
    let stacks: Map<String, Value> = all
        .iter()
        .map(|processed| {
            let (stack, after) = (&processed.stack, &processed.after);
            let template = with_own_transforms(after, &stack.deployment).unwrap();
            let tasks: Map<String, Value> = task_definitions(&template)
                .into_iter()
                .map(|(path, task)| {
                    let id = path.rsplit('/').next().unwrap().to_owned();
                    let properties = under(&task["Properties"], &small).unwrap();
                    (id, ecs::registration(&properties))
                })
                .collect();
            let stack = json!({
                "template": template.to_string(),
                "tasks": tasks,
                "parameters": stack.deployment.parameters,
            });
            (processed.stack.name.to_owned(), stack)
        })
        .collect();
    let input = json!({
        "endpoint": world.moto.url(),
        "ssm": {"/canary/of/the/name/in/ssm": "debug"},
        "stacks": stacks,
    });
    botocore::run(include_str!("deploy.py"), &input).unwrap()
}

#[test]
fn what_is_deployed_runs_what_it_ran_before() {
    let Some(world) = World::start(Access::Open) else {
        return;
    };
    world.push("shop/api", &multi_platform(Family::Oci));
    world.push("shop/worker", &single(Family::Docker));
    let another = multi_platform(Family::Oci);
    world.registry.push("shop/api", "2", &another).unwrap();
    let all: Vec<Processed> = stacks()
        .into_iter()
        .map(|stack| processed(&world, stack))
        .collect();
    all.iter().for_each(check_rest);
    let by_name: BTreeMap<&str, &Processed> = all
        .iter()
        .map(|processed| (processed.stack.name, processed))
        .collect();
    for twice in ["top-level", "snippet-and-top-level"] {
        assert_eq!(by_name[twice].after, by_name["snippet-in-properties"].after);
    }
    let chosen = &task_definitions(&by_name["parameterized-image"].after)[0].1["Properties"];
    let image = chosen["ContainerDefinitions"][0]["Image"].as_str().unwrap();
    assert!(image.ends_with("/shop/api:2"), "{image}");
    let linted = lint(&all).map_or("not there", |()| "nothing new");
    let result = deploy(&world, &all);
    println!("| template | requests | cfn-lint | registered | deployed |\n|---|---|---|---|---|");
    for processed in &all {
        let name = processed.stack.name;
        let seen = |kind: &str| match &result {
            None => "not there".to_owned(),
            Some(result) => {
                let tasks = result[name][kind].as_object().unwrap();
                let ids: Vec<&str> = tasks.keys().map(String::as_str).collect();
                assert_eq!(ids, processed.stack.tasks, "{name}");
                tasks.values().for_each(|task| check_program(name, task));
                ids.join(", ")
            }
        };
        let requests = processed.requests;
        let (registered, deployed) = (seen("registered"), seen("deployed"));
        println!("| {name} | {requests} | {linted} | {registered} | {deployed} |");
    }
}
