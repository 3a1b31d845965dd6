//! Functions, as `terraform console` calls them.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use outrigger_tests::terraform::{Workspace, terraform};
use taskdef::recipe::{Recipe, builtin};

use crate::configuration;

/// What the console says to an expression.
fn console(workspace: &Workspace, expression: &str) -> String {
    let mut child = workspace
        .command(&["console", "-no-color"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(expression.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_the_recipe_asks_of_the_task_is_returned() {
    let Some(terraform) = terraform().unwrap() else {
        return;
    };
    let text = r#"
locals {
  task = {
    family = "app"
    container_definitions    = jsonencode([{ name = "web", image = "nginx", entryPoint = ["/run"] }])
    cpu                      = 512
    memory                   = 1024
    network_mode             = "awsvpc"
    requires_compatibilities = ["FARGATE"]
    cpu_architecture         = "X86_64"
    execution_role_arn       = "arn:aws:iam::123456789012:role/execution"
    volumes                  = [{ name = "data" }]
  }
  config = {
    recipe = "sysdig"
    inputs = {
      accessKey        = { valueFrom = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:agent-AbCdEf" }
      orchestratorHost = "orchestrator.example.com"
      orchestratorPort = 6667
      pidMode          = "task"
    }
  }
  result = provider::outrigger::instrument_task(local.task, local.config)
}
"#;
    let workspace = configuration(&terraform, text);
    let said = console(
        &workspace,
        "[local.result.pid_mode, local.result.cpu, local.result.ipc_mode, local.result.volumes, length(jsondecode(local.result.container_definitions))]",
    );
    insta::assert_snapshot!(said.trim_end(), @r#"
    [
      "task",
      "512",
      tostring(null),
      tolist([
        {
          "host_path" = tostring(null)
          "name" = "data"
        },
      ]),
      2,
    ]
    "#);
}

/// The page of the provider.
const PAGE: &str = "../docs/terraform-provider.md";

/// What the [documentation](https://registry.terraform.io/providers/sysdiglabs/sysdig/latest/docs/data-sources/fargate_workload_agent)
/// of Sysdig's data source names, of both its ways to reach the backend.
const OF_SYSDIG: [&str; 18] = [
    "bare_pdig_on_containers",
    "collector_host",
    "collector_port",
    "container_definitions",
    "ignore_containers",
    "image_auth_secret",
    "instrumentation_cpu",
    "instrumentation_essential",
    "instrumentation_memory_limit",
    "instrumentation_memory_reservation",
    "log_configuration",
    "orchestrator_host",
    "orchestrator_port",
    "output_container_definitions",
    "priority",
    "sysdig_access_key",
    "sysdig_logging",
    "workload_agent_image",
];

/// The texts between backticks.
fn names(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn what_becomes_of_each_argument_of_sysdigs_is_said() {
    let page = fs::read_to_string(PAGE).unwrap();
    let (_, table) = page.split_once("| argument there | here |\n").unwrap();
    let (_, text) = builtin()
        .iter()
        .find(|(name, _)| *name == "sysdig")
        .unwrap();
    let recipe = Recipe::parse("sysdig", text).unwrap();
    let inputs: Vec<&str> = recipe
        .declarations()
        .iter()
        .map(|input| input.name.as_str())
        .collect();
    let mut found = Vec::new();
    for row in table.lines().skip(1).take_while(|line| !line.is_empty()) {
        let (theirs, ours) = row.trim_matches('|').split_once(" | ").unwrap();
        found.extend(names(theirs));
        let Some(ours) = ours.strip_prefix("the input") else {
            continue;
        };
        let of_this = |name: &&str| name.starts_with(char::is_lowercase);
        assert!(
            names(ours)
                .into_iter()
                .filter(of_this)
                .all(|name| inputs.contains(&name)),
            "{row}"
        );
    }
    found.sort_unstable();
    assert_eq!(found, OF_SYSDIG);
}

#[test]
fn the_example_in_place_of_sysdigs_data_source_works() {
    let Some(terraform) = terraform().unwrap() else {
        return;
    };
    let page = fs::read_to_string(PAGE).unwrap();
    let (_, example) = page.split_once("# after\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let text = r#"
variable "collector_host" {
  default = "ingest.us4.sysdig.com"
}
variable "access_key_arn" {
  default = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:agent-AbCdEf"
}
locals {
  containers = [{ name = "web", image = "i", entryPoint = ["/run"] }, { name = "proxy", image = "p" }]
  task = {
    cpu                      = "512"
    memory                   = "1024"
    network_mode             = "awsvpc"
    requires_compatibilities = ["FARGATE"]
    cpu_architecture         = "X86_64"
    execution_role_arn       = "arn:aws:iam::123456789012:role/execution"
  }
}
"#;
    let example = example.replace("data.outrigger_images.this.table", "{}");
    let workspace = configuration(&terraform, &format!("{text}{example}"));
    let expression = "[for one in jsondecode(local.instrumented) : [one.name, one.image, try(one.entryPoint, [])]]";
    insta::assert_snapshot!(console(&workspace, expression).trim_end(), @r#"
    [
      [
        "web",
        "i",
        [
          "/opt/draios/bin/instrument",
          "/run",
        ],
      ],
      [
        "proxy",
        "p",
        [],
      ],
      [
        "SysdigInstrumentation",
        "quay.io/sysdig/workload-agent:6.0.0",
        [
          "/opt/draios/bin/logwriter",
        ],
      ],
    ]
    "#);
}
