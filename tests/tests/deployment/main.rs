//! What a person deploys: `sam.yaml`, and the samples of the macro, processed as CloudFormation
//! would and without a network.

#![cfg(test)]

mod fleet;
mod samples;
mod stack;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use macro_lambda::Macro;
use outrigger_tests::document::parse;
use serde_json::{Map, Value, json};

const REGION: &str = "eu-central-1";
const ACCOUNT: &str = "123456789012";

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)
}

fn read(file: &str) -> Vec<u8> {
    let path = path(file);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn template(file: &str) -> Value {
    parse(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn object(value: &Value) -> &Map<String, Value> {
    value
        .as_object()
        .unwrap_or_else(|| panic!("no object: {value}"))
}

/// The macro's response to a fragment. No registry is asked, whatever the fragment holds.
fn answer(variables: &[(String, String)], fragment: &Value, params: &Value) -> Value {
    let event = json!({
        "region": REGION,
        "accountId": ACCOUNT,
        "fragment": fragment,
        "transformId": format!("{ACCOUNT}::Outrigger"),
        "params": params,
        "requestId": "r-1",
        "templateParameterValues": {"Image": "nginx:1.27"},
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let nowhere = variable("ALLOWED_REGISTRIES", "registry.invalid");
    let variables = std::iter::once(nowhere).chain(variables.iter().cloned());
    let outrigger = Arc::new(Macro::new(variables));
    let answered = runtime
        .block_on(outrigger.answer(event.to_string().as_bytes().into(), Duration::from_secs(60)));
    assert_eq!(answered.metrics.registry_requests, 0);
    serde_json::to_value(&answered.response).unwrap()
}

fn variable(setting: &str, value: &str) -> (String, String) {
    (format!("OUTRIGGER_{setting}"), value.to_owned())
}

#[test]
fn cfn_lint_finds_nothing() {
    let Some(program) = std::env::var_os("CFN_LINT") else {
        assert!(
            std::env::var("OUTRIGGER_TOOLS").as_deref() != Ok("required"),
            "CFN_LINT does not say where cfn-lint is"
        );
        println!("note: CFN_LINT is not set: nothing was linted");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut files = vec![path("sam.yaml"), path("samples/share-macro.yaml")];
    for (name, processed) in samples::processed() {
        let file = folder.path().join(format!("{name}.json"));
        fs::write(&file, processed.to_string()).unwrap();
        files.extend([file, path(&format!("samples/{name}/template.yaml"))]);
    }
    let run = Command::new(program)
        .arg("--")
        .args(files)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&run.stderr)
    );
}
