//! What a person reads in Terraform when something is wrong.

use outrigger_tests::terraform::{Workspace, terraform};

use crate::configuration;

/// What Terraform says, without its frame.
fn said(workspace: &Workspace, arguments: &[&str]) -> String {
    let ran = workspace.run(arguments).unwrap();
    assert_eq!(ran.exit, Some(1), "{ran:?}");
    assert!(!ran.stderr.contains("hunter2") && !ran.stdout.contains("hunter2"));
    let lines = ran
        .stderr
        .lines()
        .map(|line| line.trim_start_matches(['│', '╷', '╵', ' ']));
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

const PLAN: &[&str] = &["plan", "-input=false", "-no-color"];

#[test]
fn an_error_of_a_function_names_the_argument() {
    let Some(terraform) = terraform().unwrap() else {
        return;
    };
    let call = |definitions: &str, task: &str, config: &str| {
        let text = format!(
            "output \"definitions\" {{\n  value = provider::outrigger::instrument({definitions}, {task}, {config})\n}}\n"
        );
        said(&configuration(&terraform, &text), PLAN)
    };
    let task = r#"{ family = "app", cpu = "512", memory = "1024", network_mode = "awsvpc", requires_compatibilities = ["FARGATE"], cpu_architecture = "X86_64", execution_role_arn = "arn:aws:iam::123456789012:role/x" }"#;
    let config = r#"{ recipe = "lacework", inputs = { accessToken = { valueFrom = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:agent-AbCdEf" } } }"#;
    insta::assert_snapshot!(call(r#"jsonencode([{ name = "web", image = "nginx:1.27" }])"#, task, config), @r#"
    Error: Invalid function argument
    on main.tf line 8, in output "definitions":
    8:   value = provider::outrigger::instrument(jsonencode([{ name = "web", image = "nginx:1.27" }]), { family = "app", cpu = "512", memory = "1024", network_mode = "awsvpc", requires_compatibilities = ["FARGATE"], cpu_architecture = "X86_64", execution_role_arn = "arn:aws:iam::123456789012:role/x" }, { recipe = "lacework", inputs = { accessToken = { valueFrom = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:agent-AbCdEf" } } })
    ├────────────────
    while calling provider::outrigger::instrument(container_definitions, task, config)
    Invalid value for "container_definitions" parameter: container `web`: image
    `docker.io/library/nginx:1.27` for `linux/amd64` is not in `config.images`
    (image-unresolved)
    way out: name it in the data source `outrigger_images`, write it to the lock file with `cfn-filter lock`, or state `entryPoint`, `command` and `user` in the task definition.
    "#);
    insta::assert_snapshot!(call("\"[]\"", r#"{ familiy = "app" }"#, config), @r#"
    Error: Invalid function argument
    on main.tf line 8, in output "definitions":
    8:   value = provider::outrigger::instrument("[]", { familiy = "app" }, { recipe = "lacework", inputs = { accessToken = { valueFrom = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:agent-AbCdEf" } } })
    ├────────────────
    while calling provider::outrigger::instrument(container_definitions, task, config)
    Invalid value for "task" parameter: `task` has no `familiy`
    way out: did you mean `family`?.
    "#);
    insta::assert_snapshot!(call("\"[]\"", task, r#"{ recipe = "laceworks" }"#), @r#"
    Error: Invalid function argument
    on main.tf line 8, in output "definitions":
    8:   value = provider::outrigger::instrument("[]", { family = "app", cpu = "512", memory = "1024", network_mode = "awsvpc", requires_compatibilities = ["FARGATE"], cpu_architecture = "X86_64", execution_role_arn = "arn:aws:iam::123456789012:role/x" }, { recipe = "laceworks" })
    ├────────────────
    while calling provider::outrigger::instrument(container_definitions, task, config)
    Invalid value for "config" parameter: there is no recipe `laceworks`
    way out: did you mean `lacework`? There are: alert-logic, deepfence, lacework, prisma-cloud, sysdig; or give the text of a recipe, with `file("recipe.yaml")`.
    "#);
}

#[test]
fn an_error_of_a_configuration_names_the_line() {
    let Some(terraform) = terraform().unwrap() else {
        return;
    };
    let text = r#"
provider "outrigger" {
  allowed_registries = ["docker.io", "https://registry"]
}

# Terraform does not look at a provider that nothing uses.
data "outrigger_lock" "this" {
  path = "outrigger.lock"
}
"#;
    let workspace = configuration(&terraform, text);
    insta::assert_snapshot!(said(&workspace, &["validate", "-no-color"]), @r#"
    Error: not a registry
    with provider["registry.terraform.io/outrigger/outrigger"],
    on main.tf line 9, in provider "outrigger":
    9:   allowed_registries = ["docker.io", "https://registry"]
    a host does not begin with a scheme such as `https://`
    "#);
    let text = r#"
data "outrigger_images" "this" {
  images           = ["nginx:1.27", "NGINX"]
  cpu_architecture = "amd64"
}

data "outrigger_lock" "this" {
  path = "${path.module}/no.lock"
}
"#;
    let valid = said(&configuration(&terraform, text), &["validate", "-no-color"]);
    for part in [
        "not an image reference",
        "not a CPU architecture of Amazon ECS",
        "There are X86_64 and ARM64.",
    ] {
        assert!(valid.contains(part), "{valid}");
    }
    // A lock file is not read to tell whether a configuration is valid.
    assert!(!valid.contains("cannot read"), "{valid}");
    let text = "data \"outrigger_lock\" \"this\" {\n  path = \"${path.module}/no.lock\"\n}\n";
    insta::assert_snapshot!(said(&configuration(&terraform, text), PLAN), @r#"
    Error: cannot read `./no.lock`: No such file or directory (os error 2)
    with data.outrigger_lock.this,
    on main.tf line 8, in data "outrigger_lock" "this":
    8:   path = "${path.module}/no.lock"
    Write it with `cfn-filter lock`, and name it with
    `${path.module}/outrigger.lock`.
    "#);
}
