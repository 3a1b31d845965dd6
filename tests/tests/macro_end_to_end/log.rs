//! What the function says of itself. [`crate::subject`] checks every line of every test; here is
//! what they look like, at the level that Lambda sets and at the finest.

use serde_json::{Value, json};

use crate::service::{deployment, lacework, listed, service};
use crate::subject::Subject;

/// The lines without what differs from run to run.
fn shown(subject: &Subject) -> String {
    let lines = subject.log();
    let lines = lines.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let members = line.as_object_mut().unwrap();
        members.retain(|name, _| !["timestamp", "_aws", "Duration"].contains(&name.as_str()));
        if let Some(duration) = members.get_mut("duration_ms") {
            *duration = json!("...");
        }
        line.to_string()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The service with one image that cannot be known, and one that need not be.
fn template() -> Value {
    let mut template = service();
    let containers = "/Resources/Task/Properties/ContainerDefinitions";
    let containers = template.pointer_mut(containers).unwrap();
    containers[0]["Image"] = json!({"Fn::Sub": "shop/api:${Tag}"});
    containers[1]["EntryPoint"] = json!(["/worker", "--password", "canary-of-an-argument"]);
    containers[1]["User"] = json!("root");
    listed(template, json!("Outrigger"))
}

#[test]
fn a_template_that_is_processed_and_one_that_is_not() {
    let settings = [("OUTRIGGER_ON_UNRESOLVED", "skip")];
    let subject = Subject::start(&lacework(&settings));
    assert!(subject.process(&template(), &deployment()).is_ok());
    insta::assert_snapshot!(shown(&subject), @r#"
    {"level":"WARN","message":"the wrapper is a shell script, so the image needs `/bin/sh`","request_id":"request-1","resource":"Task","container":"worker","image":"registry.example.com/shop/worker:1","code":"assumes-shell","hint":"","target":"macro_lambda::log"}
    {"level":"WARN","message":"the agent needs the root certificates of the image (package `ca-certificates` or its like)","request_id":"request-1","resource":"Task","container":"worker","image":"registry.example.com/shop/worker:1","code":"assumes-certificates","hint":"","target":"macro_lambda::log"}
    {"level":"ERROR","message":"the image depends on the template parameter `Tag`, so what it runs is not known","request_id":"request-1","resource":"Task","container":"api","image":"!Sub shop/api:${Tag}","code":"parameterized-image","hint":"write the image reference as text, or state `EntryPoint`, `Command` and `User`, or set `OUTRIGGER_PARAMETERIZED_IMAGES` to `resolve`","target":"macro_lambda::log"}
    {"level":"INFO","message":"processed","request_id":"request-1","task_definitions":1,"rewritten":0,"left_alone":0,"refused":1,"registry_requests":0,"duration_ms":"...","target":"macro_lambda::log"}
    {"FunctionName":"outrigger","TaskDefinitions":1,"Rewritten":0,"LeftAlone":0,"Refused":1,"Failures":0,"RegistryRequests":0}
    "#);
    let subject = Subject::start(&lacework(&[]));
    assert!(subject.process(&template(), &deployment()).is_err());
    insta::assert_snapshot!(shown(&subject), @r#"
    {"level":"WARN","message":"the wrapper is a shell script, so the image needs `/bin/sh`","request_id":"request-1","resource":"Task","container":"worker","image":"registry.example.com/shop/worker:1","code":"assumes-shell","hint":"","target":"macro_lambda::log"}
    {"level":"WARN","message":"the agent needs the root certificates of the image (package `ca-certificates` or its like)","request_id":"request-1","resource":"Task","container":"worker","image":"registry.example.com/shop/worker:1","code":"assumes-certificates","hint":"","target":"macro_lambda::log"}
    {"level":"ERROR","message":"the image depends on the template parameter `Tag`, so what it runs is not known","request_id":"request-1","resource":"Task","container":"api","image":"!Sub shop/api:${Tag}","code":"parameterized-image","hint":"write the image reference as text, or state `EntryPoint`, `Command` and `User`, or set `OUTRIGGER_PARAMETERIZED_IMAGES` to `resolve`","target":"macro_lambda::log"}
    {"level":"INFO","message":"failed","request_id":"request-1","task_definitions":1,"rewritten":0,"left_alone":0,"refused":1,"registry_requests":0,"duration_ms":"...","target":"macro_lambda::log"}
    {"FunctionName":"outrigger","TaskDefinitions":1,"Rewritten":0,"LeftAlone":0,"Refused":1,"Failures":1,"RegistryRequests":0}
    "#);
}

/// Whatever level is asked for, no line holds a value.
#[test]
fn the_finest_level_shows_no_more_of_the_event() {
    let finest = [
        ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("RUST_LOG", "trace"),
        ("RUST_BACKTRACE", "full"),
        ("OUTRIGGER_ON_UNRESOLVED", "skip"),
    ];
    let subject = Subject::start(&lacework(&finest));
    assert!(subject.process(&template(), &deployment()).is_ok());
    let mut template = template();
    let containers = "/Resources/Task/Properties/ContainerDefinitions";
    let containers = template.pointer_mut(containers).unwrap();
    let other = containers[1].clone();
    containers[0]["EntryPoint"] = other["EntryPoint"].clone();
    containers[0]["User"] = other["User"].clone();
    let once = subject.process(&template, &deployment()).unwrap();
    // What is instrumented already is told at a finer level.
    let twice = listed(once.clone(), json!("Outrigger"));
    assert_eq!(subject.process(&twice, &deployment()), Ok(once));
    assert!(subject.log().contains("\"level\":\"DEBUG\""));
}
