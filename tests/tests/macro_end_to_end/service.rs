//! The template of most tests, and where a transform can stand in it.

use outrigger_tests::cloudformation::Deployment;
use outrigger_tests::document::parse;
use outrigger_tests::ecs;
use outrigger_tests::process::effective;
use serde_json::{Value, json};

use crate::subject::Subject;

/// `service.yaml`, without a transform.
pub(crate) fn service() -> Value {
    parse(include_bytes!("service.yaml")).unwrap()
}

/// The values that its parameters get.
pub(crate) fn deployment() -> Deployment {
    Deployment::with(&[("Password", "canary-of-a-password")])
}

/// The template with this list of transforms.
pub(crate) fn listed(mut template: Value, transforms: Value) -> Value {
    template["Transform"] = transforms;
    template
}

/// The template with a transform inside, beside the members of the object at this place.
pub(crate) fn with_snippet(mut template: Value, place: &str) -> Value {
    let object = template.pointer_mut(place).unwrap();
    object["Fn::Transform"] = json!({"Name": "Outrigger"});
    template
}

/// The template of one task definition with these containers.
pub(crate) fn task(containers: Value) -> Value {
    json!({
        "Transform": "Outrigger",
        "Resources": {"Task": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {
                "Family": "shop",
                "RequiresCompatibilities": ["FARGATE"],
                "NetworkMode": "awsvpc",
                "Cpu": "512",
                "Memory": "1024",
                "ExecutionRoleArn": "arn:aws:iam::123456789012:role/execution",
                "ContainerDefinitions": containers,
            },
        }},
    })
}

/// Lacework's recipe with its input, and these settings.
pub(crate) fn lacework<'s>(settings: &[(&'s str, &'s str)]) -> Vec<(&'s str, &'s str)> {
    const INPUTS: &str = r#"{"lacework.accessToken": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:lacework-AbCdEf"}"#;
    let own = [
        ("OUTRIGGER_RECIPE", "lacework"),
        ("OUTRIGGER_INPUTS", INPUTS),
    ];
    [&own, settings].concat()
}

/// What a container of [`task`] runs behind Lacework's wrapper.
pub(crate) fn program_of(template: &Value, index: usize) -> Value {
    let task = &template["Resources"]["Task"]["Properties"];
    let containers = ecs::container_definitions(&task["ContainerDefinitions"]);
    let container = containers[index].as_object().unwrap();
    let words = effective(container, None).unwrap();
    let (wrapper, program) = words.split_first().unwrap();
    assert_eq!(*wrapper, "/var/lib/lacework-backup/lacework-sidecar.sh");
    json!(program)
}

/// The macro's message about a template that it does not process.
pub(crate) fn failure(subject: &Subject, template: &Value) -> String {
    let told = subject
        .process(template, &Deployment::default())
        .unwrap_err();
    let (by, message) = told.split_once(" failed with: ").unwrap();
    assert_eq!(by, "Transform 123456789012::Outrigger");
    message.to_owned()
}
