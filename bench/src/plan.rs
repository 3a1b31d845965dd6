//! The input of `bench/plan`: a plan as `terraform show -json` prints it, on one line, with 20,000
//! resources in 100 modules. Every 66th is a task definition.
//!
//! It is made, not kept: the same bytes every time.

use std::error::Error;

use registry::{ImageReference, LockFile};
use serde_json::{Value, json};
use taskdef::image::{ImageConfig, Platform};

/// How many resources the plan has.
pub const RESOURCES: usize = 20_000;

/// How many of them are task definitions.
pub const TASK_DEFINITIONS: usize = RESOURCES.div_ceil(EVERY);

const EVERY: usize = 66;
const IN_A_MODULE: usize = 200;

/// The plan.
pub fn plan() -> String {
    let numbers = || 0..RESOURCES;
    let modules = |element: &dyn Fn(usize) -> Value| {
        let modules = (0..RESOURCES / IN_A_MODULE).map(|module| {
            let first = module * IN_A_MODULE;
            let resources = (first..first + IN_A_MODULE).map(|number| element(number).to_string());
            let resources = joined(resources);
            format!(
                r#"{{"address":"{}","resources":[{resources}]}}"#,
                address(module)
            )
        });
        format!(
            r#"{{"root_module":{{"child_modules":[{}]}}}}"#,
            joined(modules)
        )
    };
    let planned = modules(&|number| resource(number, "values", attributes(number, false)));
    let prior = modules(&|number| resource(number, "values", attributes(number, true)));
    let changes = joined(numbers().map(|number| change(number).to_string()));
    let configuration = joined((0..RESOURCES / IN_A_MODULE).map(|module| {
        let first = module * IN_A_MODULE;
        let resources = joined((first..first + IN_A_MODULE).map(configured));
        format!(r#""service-{module:03}":{{"source":"./modules/service","module":{{"resources":[{resources}]}}}}"#)
    }));
    format!(
        r#"{{"format_version":"1.2","terraform_version":"1.11.4","planned_values":{planned},"resource_changes":[{changes}],"prior_state":{{"format_version":"1.0","terraform_version":"1.11.4","values":{prior}}},"configuration":{{"root_module":{{"module_calls":{{{configuration}}}}}}},"timestamp":"2026-01-01T00:00:00Z","applyable":true,"complete":true,"errored":false}}"#
    )
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
}

fn address(module: usize) -> String {
    format!("module.service-{module:03}")
}

fn kind(number: usize) -> &'static str {
    const KINDS: [&str; 5] = [
        "aws_cloudwatch_metric_alarm",
        "aws_security_group_rule",
        "aws_iam_role",
        "aws_ssm_parameter",
        "aws_lb_listener_rule",
    ];
    match number % EVERY {
        0 => "aws_ecs_task_definition",
        1 => "aws_ecs_service",
        other => KINDS.get(other % KINDS.len()).copied().unwrap_or_default(),
    }
}

/// An element of the plan with its attributes under a key.
fn resource(number: usize, key: &str, content: Value) -> Value {
    let kind = kind(number);
    let module = address(number / IN_A_MODULE);
    let name = format!("r{}", number % IN_A_MODULE);
    let mut element = json!({
        "address": format!("{module}.{kind}.{name}"),
        "module_address": module,
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "schema_version": 1,
    });
    if let Some(map) = element.as_object_mut() {
        map.insert(key.to_owned(), content);
    }
    element
}

/// Of three task definitions one is made, one is replaced, and nothing happens to one.
fn change(number: usize) -> Value {
    let is_there = !(number / EVERY).is_multiple_of(3);
    let replaced = number / EVERY % 3 == 1 && number.is_multiple_of(EVERY);
    let actions = match (is_there, replaced) {
        (false, _) => json!(["create"]),
        (true, true) => json!(["delete", "create"]),
        (true, false) => json!(["no-op"]),
    };
    let mut after = attributes(number, is_there && !replaced);
    let mut unknown = json!({"tags_all": {}});
    if (!is_there || replaced)
        && let (Some(after), Some(unknown)) = (after.as_object_mut(), unknown.as_object_mut())
    {
        for key in ["arn", "id", "revision"] {
            after.shift_remove(key);
            unknown.insert(key.to_owned(), Value::Bool(true));
        }
    }
    let before = if is_there {
        attributes(number, true)
    } else {
        Value::Null
    };
    resource(
        number,
        "change",
        json!({
            "actions": actions,
            "before": before,
            "after": after,
            "after_unknown": unknown,
            "before_sensitive": {"tags_all": {}},
            "after_sensitive": {"tags_all": {}},
        }),
    )
}

fn attributes(number: usize, with_computed: bool) -> Value {
    let mut attributes = match number % EVERY {
        0 => task_definition(number),
        _ => other(number),
    };
    let planned = number / EVERY % 3 == 2;
    if (with_computed || planned)
        && let Some(map) = attributes.as_object_mut()
    {
        map.insert(
            "arn".to_owned(),
            json!(format!("arn:aws:x:eu-west-1:123456789012:r/{number}:1")),
        );
        map.insert("id".to_owned(), json!(format!("r{number}")));
        map.insert("revision".to_owned(), json!(1));
    }
    attributes
}

fn task_definition(number: usize) -> Value {
    let image = image(number);
    let environment: Vec<Value> = (0..12)
        .map(|entry| json!({"name": format!("SETTING_{entry:02}"), "value": format!("https://value-{entry}.example/?a=1&b=<{number}>")}))
        .collect();
    let definitions = json!([{
        "name": "app", "image": image, "essential": true, "environment": environment,
        "portMappings": [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}],
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": format!("/shop/{number}"), "awslogs-region": "eu-west-1"}},
    }]);
    json!({
        "container_definitions": definitions.to_string(), "cpu": "256", "ephemeral_storage": [],
        "execution_role_arn": "arn:aws:iam::123456789012:role/execution", "family": format!("shop-{number}"),
        "ipc_mode": null, "memory": "512", "network_mode": "awsvpc", "pid_mode": null, "placement_constraints": [],
        "proxy_configuration": [], "requires_compatibilities": ["FARGATE"], "runtime_platform": [], "skip_destroy": false,
        "tags": {"team": "shop"}, "tags_all": {"team": "shop"}, "task_role_arn": null, "track_latest": false, "volume": [],
    })
}

fn other(number: usize) -> Value {
    json!({
        "name": format!("resource-{number}"), "description": "x".repeat(150), "launch_type": null,
        "policy": json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["a:b", "c:d"], "Resource": format!("arn:aws:x:::{number}/*")}]}).to_string(),
        "rules": [{"from_port": number % 65_536, "to_port": 443, "cidr_blocks": ["10.0.0.0/8"]}, {"from_port": 80, "to_port": 80}],
        "threshold": 12.5, "tags": {"team": "shop", "stage": "production"}, "tags_all": {"team": "shop", "stage": "production"},
    })
}

fn configured(number: usize) -> String {
    let kind = kind(number);
    let name = format!("r{}", number % IN_A_MODULE);
    let mut expressions = json!({"name": {"references": ["var.name"]}});
    if kind == "aws_ecs_service" {
        let task = format!("aws_ecs_task_definition.r{}", (number - 1) % IN_A_MODULE);
        expressions = json!({"task_definition": {"references": [format!("{task}.arn"), task]}});
    }
    json!({"address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name, "expressions": expressions}).to_string()
}

/// The image of a task definition.
fn image(number: usize) -> String {
    format!(
        "registry.example/shop/service-{number:05}:1.{}",
        number % 40
    )
}

/// A lock file with an entry for each image of [`plan`].
///
/// # Errors
/// None in practice: the references are well formed.
pub fn lock_file() -> Result<LockFile, Box<dyn Error>> {
    let mut lock = LockFile::new("plan.lock");
    for number in (0..RESOURCES).step_by(EVERY) {
        let config = ImageConfig {
            digest: Some(format!("sha256:{number:064x}")),
            entrypoint: vec!["/docker-entrypoint.sh".to_owned()],
            cmd: vec!["node".to_owned(), "server.js".to_owned()],
            ..ImageConfig::default()
        };
        let reference = ImageReference::parse(&image(number))?;
        lock.insert(&reference, (&Platform::LinuxAmd64).into(), config);
    }
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::{RESOURCES, TASK_DEFINITIONS, plan};
    use taskdef::terraform::Plan;

    #[test]
    fn the_plan_is_large_and_one() {
        let text = plan();
        assert!(
            (60_000_000..70_000_000).contains(&text.len()),
            "{} bytes",
            text.len()
        );
        let read = Plan::from_bytes(text.as_bytes()).unwrap();
        assert_eq!(read.addresses().count(), TASK_DEFINITIONS);
        assert_eq!(text.matches("\"actions\"").count(), RESOURCES);
    }
}
