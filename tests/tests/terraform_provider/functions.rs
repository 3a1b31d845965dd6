//! Functions, as `terraform console` calls them.

use std::io::Write;
use std::process::Stdio;

use outrigger_tests::terraform::{Workspace, terraform};

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
