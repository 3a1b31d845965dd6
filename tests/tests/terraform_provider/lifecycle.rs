//! From the first plan to the last: with real Terraform.

use outrigger_tests::servers::image::{Family, config, image};
use outrigger_tests::servers::{Access, Registry};
use outrigger_tests::terraform::terraform;
use serde_json::{Value, json};

use crate::{change, configuration, containers, sample};

const LACEWORK: &str = r#"recipe = "lacework"
    inputs = { accessToken = { valueFrom = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:agent-AbCdEf" } }"#;
const TASK: &str = r#"{
    family                   = "app"
    cpu                      = "512"
    memory                   = "1024"
    network_mode             = "awsvpc"
    requires_compatibilities = ["FARGATE"]
    cpu_architecture         = "X86_64"
    execution_role_arn       = "arn:aws:iam::123456789012:role/execution"
  }"#;

/// A task definition with these containers, and this table of images.
fn app(containers: &str, table: &str) -> String {
    format!(
        r#"
locals {{
  task = {TASK}
  outrigger = {{
    {LACEWORK}
    images = {table}
  }}
}}

resource "aws_ecs_task_definition" "app" {{
  family                   = local.task.family
  cpu                      = local.task.cpu
  memory                   = local.task.memory
  network_mode             = local.task.network_mode
  requires_compatibilities = local.task.requires_compatibilities
  execution_role_arn       = local.task.execution_role_arn
  container_definitions    = provider::outrigger::instrument({containers}, local.task, local.outrigger)
}}
"#
    )
}

/// The program of the one workload, as words.
fn program(definitions: &Value) -> Vec<Value> {
    let containers = containers(definitions);
    let is_workload = |container: &&Value| container["name"] == "web";
    let web = containers.iter().find(is_workload).unwrap();
    let words = |key: &str| web[key].as_array().cloned().unwrap_or_default();
    [words("entryPoint"), words("command")].concat()
}

#[test]
fn the_sample_is_applied_changed_and_destroyed() {
    let Some(terraform) = terraform().unwrap() else {
        return;
    };
    let sample = sample(&terraform);
    sample.expect(&["validate", "-no-color"]).unwrap();
    let planned = change(&sample.plan(&[]).unwrap());
    assert_eq!(planned["actions"], json!(["create"]));
    let definitions = &planned["after"]["container_definitions"];
    let words = program(definitions);
    let program_of_image = ["/docker-entrypoint.sh", "nginx", "-g", "daemon off;"];
    assert!(
        words.ends_with(&program_of_image.map(Value::from)),
        "{words:?}"
    );
    assert!(words.len() > program_of_image.len(), "{words:?}");
    assert!(containers(definitions).len() > 1);
    sample.apply().unwrap();
    assert!(sample.is_clean().unwrap());
    // A change of the application is a change of its containers, and of nothing else.
    let changed = change(&sample.plan(&["-var", "image=nginx:1.28"]).unwrap());
    assert_eq!(changed["actions"], json!(["delete", "create"]));
    assert_eq!(changed["replace_paths"], json!([["container_definitions"]]));
    sample.apply().unwrap();
    let clean = [
        "plan",
        "-input=false",
        "-detailed-exitcode",
        "-var",
        "image=nginx:1.28",
    ];
    assert_eq!(sample.run(&clean).unwrap().exit, Some(0));
    sample.destroy().unwrap();
    assert_eq!(sample.state().unwrap()["values"], Value::Null);
    // The processes of the providers are gone, and so are their sockets.
    let left: Vec<_> = std::fs::read_dir(sample.temporary())
        .unwrap()
        .flatten()
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_tag_that_moves_after_the_plan_changes_nothing_of_it() {
    let (Some(terraform), Some(registry)) = (
        terraform().unwrap(),
        Registry::start(Access::Open, None).unwrap(),
    ) else {
        return;
    };
    let push = |command: &str| {
        let process = json!({"Cmd": [command]});
        let image = image(Family::Oci, &config("linux", "amd64", &process));
        registry.push("shop/web", "v1", &image).unwrap();
    };
    push("/first");
    let host = registry.host();
    let containers = format!(r#"jsonencode([{{ name = "web", image = "{host}/shop/web:v1" }}])"#);
    let text = format!(
        "provider \"outrigger\" {{\n  insecure_registries = [\"{host}\"]\n}}\ndata \"outrigger_images\" \"this\" {{\n  images           = [\"{host}/shop/web:v1\"]\n  cpu_architecture = \"X86_64\"\n}}\n{}",
        app(&containers, "data.outrigger_images.this.table")
    );
    let workspace = configuration(&terraform, &text);
    // Nothing is asked of a registry to tell whether a configuration is valid.
    let before = registry.answered();
    workspace.expect(&["validate", "-no-color"]).unwrap();
    assert_eq!(registry.answered(), before);
    let planned = change(&workspace.plan(&[]).unwrap());
    let words = program(&planned["after"]["container_definitions"]);
    assert_eq!(words.last(), Some(&json!("/first")));
    // Without an architecture the table answers for each platform that the image has.
    let without = text.replace("  cpu_architecture = \"X86_64\"\n", "");
    assert_ne!(without, text);
    let planned = change(&configuration(&terraform, &without).plan(&[]).unwrap());
    let words = program(&planned["after"]["container_definitions"]);
    assert_eq!(words.last(), Some(&json!("/first")));
    push("/second");
    let asked = registry.answered();
    workspace.apply().unwrap();
    // The plan holds the table: what was planned is what is applied.
    assert_eq!(registry.answered(), asked);
    // The next plan sees that the image is another one.
    let next = change(&workspace.plan(&[]).unwrap());
    assert_eq!(next["actions"], json!(["delete", "create"]));
    let words = program(&next["after"]["container_definitions"]);
    assert_eq!(words.last(), Some(&json!("/second")));
}
