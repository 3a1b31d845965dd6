//! What the AWS CDK synthesises is processed as it is.
//!
//! `CDK_NODE` names a Node.js beside which `tests/cdk` is installed; it has to be there when
//! `OUTRIGGER_TOOLS=required`.

use std::fs;
use std::path::Path;
use std::process::Command;

use outrigger_tests::cloudformation::{Deployment, Passed};
use outrigger_tests::ecs;
use outrigger_tests::servers::Access;
use outrigger_tests::servers::image::Family;
use outrigger_tests::servers::samples::{multi_platform, single};
use serde_json::{Value, json};

use crate::lint::new_findings;
use crate::secret;
use crate::world::World;

const APP: &str = "cdk";
const WRAPPER: &str = "/var/lib/lacework-backup/lacework-sidecar.sh";

/// How the CDK hands templates over.
fn deployment() -> Deployment {
    Deployment {
        passed: Passed::InS3,
        ..Deployment::default()
    }
}

/// The template, and the tag of the image that would be built.
fn synthesised() -> Option<(Value, String)> {
    let Some(node) = std::env::var_os("CDK_NODE") else {
        assert!(
            std::env::var("OUTRIGGER_TOOLS").as_deref() != Ok("required"),
            "CDK_NODE does not say where a Node.js is"
        );
        println!("note: CDK_NODE is not set: nothing of the CDK was tried");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let ran = Command::new(node)
        .arg("app.js")
        .arg(folder.path())
        .current_dir(APP)
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let text = fs::read_to_string(folder.path().join("Shop.template.json")).unwrap();
    let template: Value = serde_json::from_str(&text).unwrap();
    let containers = &task(&template, "Asset")["Properties"]["ContainerDefinitions"];
    let image = containers[0]["Image"]["Fn::Sub"].as_str().unwrap();
    let (_, tag) = image.rsplit_once(':').unwrap();
    let tag = tag.to_owned();
    Some((template, tag))
}

/// The one task definition whose logical ID begins like this.
fn task<'t>(template: &'t Value, name: &str) -> &'t Value {
    let resources = template["Resources"].as_object().unwrap();
    let mut tasks = resources.iter().filter(|(id, resource)| {
        id.starts_with(name) && resource["Type"] == "AWS::ECS::TaskDefinition"
    });
    let (_, task) = tasks.next().unwrap();
    assert!(tasks.next().is_none(), "{name}");
    task
}

/// What its containers run: name, entry point, command.
fn programs(template: &Value, name: &str) -> Value {
    let containers = &task(template, name)["Properties"]["ContainerDefinitions"];
    let containers = ecs::container_definitions(containers);
    let containers = containers.as_array().unwrap().iter();
    let shown = containers.map(|container| {
        json!([
            container["name"],
            container["entryPoint"],
            container["command"]
        ])
    });
    shown.collect()
}

/// A container of the workload behind the wrapper, and the sidecar.
fn wrapped(name: &str, architecture: &str, command: Value) -> Value {
    let entry_point = json!([WRAPPER, "/entry", architecture]);
    json!([
        [name, entry_point, command],
        ["datacollector-sidecar", null, null]
    ])
}

/// Registries with the images of the app; `tag` is that of the one that would be built.
fn world(tag: &str) -> Option<World> {
    let world = World::start(Access::Open)?;
    world.push("shop/web", &single(Family::Docker));
    world.push("shop/api", &multi_platform(Family::Oci));
    world.push("aws-observability/aws-for-fluent-bit", &single(Family::Oci));
    let assets = "cdk-hnb659fds-container-assets-123456789012-eu-central-1";
    let image = single(Family::Oci);
    world.registry.push(assets, tag, &image).unwrap();
    Some(world)
}

/// What became of each task definition where those are left out that cannot be known.
fn check_services(before: &Value, after: &Value) {
    let app = |architecture, command: &[&str]| wrapped("app", architecture, json!(command));
    let mut routed = app("amd64", &["serve"]);
    let router = json!(["router", null, null]);
    routed.as_array_mut().unwrap().insert(1, router);
    let nightly = wrapped("ScheduledContainer", "amd64", json!(["clean"]));
    for (name, expected) in [
        ("Literal", app("amd64", &["serve", "--port", "8080"])),
        ("Ecr", app("amd64", &["serve"])),
        ("Asset", app("amd64", &["serve"])),
        ("Arm", app("arm64", &["serve"])),
        ("Nightly", nightly),
        ("Routed", routed),
    ] {
        assert_eq!(programs(after, name), expected, "{name}");
    }
    for name in ["Parameter", "Ssm", "Windows", "Instances"] {
        assert_eq!(task(after, name), task(before, name), "{name}");
    }
}

#[test]
fn services_of_the_cdk() {
    let Some((template, tag)) = synthesised() else {
        return;
    };
    let Some(world) = world(&tag) else {
        return;
    };
    let processed = |settings: &[(&str, &str)]| {
        let subject = world.subject(settings);
        subject.process(&template, &deployment())
    };
    let token = secret("lacework-AbCdEf");
    let role = "arn:aws:iam::123456789012:role/execution";
    let inputs = json!({"lacework.accessToken": token, "lacework.executionRole": role});
    let inputs = inputs.to_string();
    let skip = [
        ("OUTRIGGER_INPUTS", inputs.as_str()),
        ("OUTRIGGER_ON_UNRESOLVED", "skip"),
    ];
    check_services(&template, &processed(&skip).unwrap());

    let resolve = [("OUTRIGGER_PARAMETERIZED_IMAGES", "resolve")];
    let resolved = processed(&[skip.as_slice(), &resolve].concat()).unwrap();
    let chosen = wrapped("app", "amd64", json!(["serve"]));
    assert_eq!(programs(&resolved, "Parameter"), chosen);
    assert_eq!(task(&resolved, "Ssm"), task(&template, "Ssm"));

    let told = processed(&[]).unwrap_err();
    insta::assert_snapshot!(told, @r#"Transform 123456789012::Outrigger failed with: 3 problems: [1] `Parameter9E1B4FBA`, container `app`, image `!Ref Chosen`: the image depends on the template parameter `Chosen`, so what it runs is not known (parameterized-image); way out: write the image reference as text, or state `EntryPoint`, `Command` and `User`, or set `OUTRIGGER_PARAMETERIZED_IMAGES` to `resolve` [2] `Ssm1755291D`, container `app`, image `!Ref SsmParameterValueshopimageC96584B6F00A464EAD1953AFF4B05118Parameter`: the image depends on the parameter `SsmParameterValueshopimageC96584B6F00A464EAD1953AFF4B05118Parameter`, whose value is the name of an SSM parameter, so what it runs is not known (unknown-image); way out: write the image reference as text, or state `EntryPoint`, `Command` and `User` [3] `RoutedE6CBF1B8`: the task definition has no execution role, and without one ECS cannot read what it needs for `app` (`secrets`) (needs-execution-role); way out: give the input `executionRole`, or the task definition's `executionRoleArn`, the ARN of a role with the trust policy {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}, the managed policy `service-role/AmazonECSTaskExecutionRolePolicy`, and the policy {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["secretsmanager:GetSecretValue","ssm:GetParameters","kms:Decrypt"],"Resource":["<the ARN of each secret, parameter and customer key>"]}]}"#);

    let mut before = template.clone();
    before.as_object_mut().unwrap().shift_remove("Transform");
    if let Some(new) = new_findings(&[("resolved", &before, &resolved)]) {
        let said = ["resolved.json", "W2001", "Parameter Chosen not used."].map(str::to_owned);
        assert_eq!(new, [said.into()]);
    }
}

/// Each machine installs from its own registry.
#[test]
fn the_lock_file_names_no_registry() {
    let lock = fs::read(Path::new(APP).join("package-lock.json")).unwrap();
    let lock: Value = serde_json::from_slice(&lock).unwrap();
    let packages = lock["packages"].as_object().unwrap();
    assert!(packages.len() > 4);
    for (name, package) in packages {
        let mut package = package.as_object().unwrap().clone();
        let sealed = ["integrity", "inBundle"].map(|key| package.contains_key(key));
        assert!(name.is_empty() || sealed.contains(&true), "{name}");
        // Where a package's author asks for money.
        package.shift_remove("funding");
        assert!(!json!(package).to_string().contains("://"), "{name}");
    }
}
