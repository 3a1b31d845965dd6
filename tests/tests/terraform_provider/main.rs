//! The Terraform provider: with real Terraform, and against clients that Terraform never is.
//!
//! Nothing here leaves this machine.

#![cfg(test)]

mod cases;
mod errors;
mod functions;
mod lifecycle;
mod page;
mod process;

use std::path::Path;

use outrigger_tests::terraform::{Served, Workspace};
use serde_json::Value;

const OUTRIGGER: &str = env!("CARGO_BIN_EXE_terraform-provider-outrigger-under-test");

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
            program: Path::new(OUTRIGGER),
        },
    ]
}

/// The sample, initialised.
fn sample(terraform: &Path) -> Workspace {
    Workspace::new(terraform, Path::new("../samples/terraform"), &providers()).unwrap()
}

/// A configuration of this text, with both providers.
fn configuration(terraform: &Path, text: &str) -> Workspace {
    let folder = tempfile::tempdir().unwrap();
    let head = "terraform {\n  required_providers {\n    aws       = { source = \"hashicorp/aws\" }\n    outrigger = { source = \"outrigger/outrigger\" }\n  }\n}\n";
    std::fs::write(folder.path().join("main.tf"), format!("{head}{text}")).unwrap();
    Workspace::new(terraform, folder.path(), &providers()).unwrap()
}

/// The change of the one task definition in a plan.
fn change(plan: &str) -> Value {
    let plan: Value = serde_json::from_str(plan).unwrap();
    let changes = plan["resource_changes"].as_array().unwrap().iter();
    let mut tasks = changes.filter(|change| change["type"] == "aws_ecs_task_definition");
    tasks.next().unwrap()["change"].clone()
}

/// The containers in a text.
fn containers(text: &Value) -> Vec<Value> {
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}
