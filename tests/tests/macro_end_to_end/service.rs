//! The template of most tests, and where a transform can stand in it.

use outrigger_tests::cloudformation::Deployment;
use outrigger_tests::document::parse;
use serde_json::{Value, json};

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
