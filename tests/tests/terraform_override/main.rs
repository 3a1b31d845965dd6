//! Override files, planned and applied by real Terraform.

#![cfg(test)]

mod forms;
mod guards;
mod refused;
mod stale;
mod unknown;

use std::collections::BTreeMap;
use std::path::Path;

use outrigger_tests::terraform::{Served, Workspace, parse};
use serde_json::{Value, json};

fn providers() -> [Served<'static>; 2] {
    [
        Served {
            source: "hashicorp/aws",
            version: "6.0.0",
            program: Path::new(env!("CARGO_BIN_EXE_terraform-provider-aws")),
        },
        Served {
            source: "outrigger/outrigger",
            version: "0.1.0",
            program: Path::new(env!(
                "CARGO_BIN_EXE_terraform-provider-outrigger-under-test"
            )),
        },
    ]
}

/// What the images of all fixtures run.
fn lock() -> String {
    let image = |words: Value| json!({"linux/amd64": words, "linux/arm64": words});
    json!({"version": 1, "images": {
        "docker.io/library/nginx:1.0": image(json!({"cmd": ["first"]})),
        "docker.io/library/nginx:1.1": image(json!({"cmd": ["second"]})),
        "docker.io/library/nginx:1.25": image(json!({"entrypoint": ["/docker-entrypoint.sh"], "cmd": ["nginx", "-g", "daemon off;"]})),
        "docker.io/library/redis:7": image(json!({"entrypoint": ["/redis"], "cmd": ["redis-server", "${x}"]})),
    }})
    .to_string()
}

const RECIPE: &[&str] = &[
    "--recipe",
    "lacework",
    "--set",
    "accessToken={valueFrom: arn:aws:secretsmanager:eu-central-1:123456789012:secret:agent-AbCdEf}",
    "--set",
    "executionRole=arn:aws:iam::123456789012:role/execution",
    "--locked",
    "--no-settings",
];

/// How a run of the program ended.
struct Ran {
    code: u8,
    stdout: String,
    stderr: String,
}

/// Runs the program in the folder of a configuration.
fn tf_filter(workspace: &Workspace, arguments: &[&str]) -> Ran {
    let folder = workspace.folder();
    let (plan, lock_file) = (folder.join("plan.json"), folder.join("images.lock"));
    std::fs::write(&lock_file, lock()).unwrap();
    let mut all: Vec<String> = Vec::new();
    for argument in arguments {
        all.push(match *argument {
            "plan.json" => plan.to_string_lossy().into_owned(),
            other => other.to_owned(),
        });
    }
    let lock_file = lock_file.to_string_lossy().into_owned();
    all.extend(["--lock".to_owned(), lock_file]);
    if arguments.first() == Some(&"override") {
        let folder = folder.to_string_lossy().into_owned();
        all.extend(["--directory".to_owned(), folder]);
    }
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let exit = tf_filter::run(all, &mut std::io::empty(), &mut stdout, &mut stderr);
    let folder = folder.to_string_lossy().into_owned();
    let text = |bytes| String::from_utf8(bytes).unwrap().replace(&folder, "FOLDER");
    Ran {
        code: exit.code(),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

/// Writes override files in this form.
fn overridden(workspace: &Workspace, form: &str, more: &[&str]) -> Ran {
    let all = [&["override", "plan.json", "--form", form], RECIPE, more].concat();
    tf_filter(workspace, &all)
}

/// Plans, and leaves the plan where the program reads it.
fn plan(workspace: &Workspace) -> String {
    let plan = workspace.plan(&[]).unwrap();
    std::fs::write(workspace.folder().join("plan.json"), &plan).unwrap();
    plan
}

/// The containers that a plan says, by address; null while they are unknown.
fn containers(plan: &str) -> BTreeMap<String, Value> {
    let plan = parse(plan).unwrap();
    let changes = plan["resource_changes"].as_array().unwrap().iter();
    let tasks = changes.filter(|change| change["type"] == "aws_ecs_task_definition");
    tasks
        .map(|change| {
            let text = change["change"]["after"]["container_definitions"].as_str();
            let address = change["address"].as_str().unwrap().to_owned();
            let containers = text.map_or(Value::Null, |text| plain(parse(text).unwrap()));
            (address, containers)
        })
        .collect()
}

/// Containers without what AWS adds by itself, which a plan shows where it stays.
fn plain(containers: Value) -> Value {
    let Value::Array(mut containers) = containers else {
        return containers;
    };
    for container in containers.iter_mut().filter_map(Value::as_object_mut) {
        let default = |key: &str, value: &Value| {
            *value == json!([])
                || (key, value) == ("cpu", &json!(0))
                || (key, value) == ("essential", &json!(true))
        };
        container.retain(|key, value| !default(key, value));
        let ports = container
            .get_mut("portMappings")
            .and_then(Value::as_array_mut);
        for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
            port.retain(|key, _| key == "containerPort");
        }
    }
    Value::Array(containers)
}

/// The override files below a folder, with their texts.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().unwrap() == "outrigger_override.tf" {
                let name = path.strip_prefix(folder).unwrap();
                let text = std::fs::read_to_string(&path).unwrap();
                found.insert(name.to_string_lossy().into_owned(), text);
            }
        }
    }
    found
}
