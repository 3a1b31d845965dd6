//! Templates as values, and the task definitions in them.

use serde_json::{Value, json};
use taskdef::source::Source;

use crate::conditions::is_no_value;

/// The type of a task definition's resource.
const TASK_DEFINITION: &str = "AWS::ECS::TaskDefinition";

/// The template as a value, short forms written long.
///
/// # Errors
/// The bytes are no template.
pub fn parse(bytes: &[u8]) -> Result<Value, String> {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    Source::template_from_bytes(bytes)
        .map(|source| source.value().clone())
        .map_err(|error| error.to_string())
}

/// What ECS fills in when it describes a task definition.
const READ_ONLY: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

/// The document itself when it is a template; a task definition of the ECS API, or the description of
/// one, as the resource `Task` of a template. Its settings keep their spelling, but for the ones that are read here.
pub fn as_template(document: Value) -> Value {
    let described = document.get("taskDefinition").cloned();
    let Some(Value::Object(mut task)) = described.or_else(|| {
        let bare = document.get("containerDefinitions").is_some();
        bare.then(|| document.clone())
    }) else {
        return document;
    };
    if let Some(tags) = document.get("tags").filter(|tags| **tags != json!([])) {
        task.insert("tags".to_owned(), tags.clone());
    }
    task.retain(|key, _| !READ_ONLY.contains(&key.as_str()));
    let containers = task.shift_remove("containerDefinitions");
    let architecture = task
        .get("runtimePlatform")
        .and_then(|platform| platform.get("cpuArchitecture"))
        .cloned();
    task.insert(
        "RuntimePlatform".to_owned(),
        json!({"CpuArchitecture": architecture}),
    );
    task.insert(
        "ContainerDefinitions".to_owned(),
        containers.unwrap_or_default(),
    );
    json!({"Resources": {"Task": {"Type": TASK_DEFINITION, "Properties": task}}})
}

/// A task definition: where it stands (`Resources/Task`), and the resource.
pub type Found<'a> = (String, &'a Value);

/// Every task definition of the document, those in the bodies of loops included.
pub fn task_definitions(document: &Value) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    if let Some(resources) = document.get("Resources") {
        search(resources, "Resources", &mut found);
    }
    found
}

fn search<'a>(value: &'a Value, path: &str, found: &mut Vec<Found<'a>>) {
    if value.get("Type").and_then(Value::as_str) == Some(TASK_DEFINITION) {
        found.push((path.to_owned(), value));
        return;
    }
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(key, item)| search(item, &format!("{path}/{}", escaped(key)), found)),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| search(item, &format!("{path}/{index}"), found));
        }
        _ => {}
    }
}

/// A key as a step of a path, as a [JSON pointer](https://www.rfc-editor.org/rfc/rfc6901) has it.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The task definition at a path of [`task_definitions`].
pub fn at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('/')
        .try_fold(document, |value, key| match value {
            Value::Array(items) => items.get(key.parse::<usize>().ok()?),
            other => other.get(key.replace("~1", "/").replace("~0", "~")),
        })
}

/// The container definitions of a task definition, as they stand.
pub fn container_definitions(task_definition: &Value) -> &Value {
    task_definition
        .get("Properties")
        .and_then(|properties| properties.get("ContainerDefinitions"))
        .filter(|value| !is_no_value(value))
        .unwrap_or(&Value::Null)
}
