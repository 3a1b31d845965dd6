//! Task definitions by themselves, as the ECS API takes and gives them.

use serde_json::{Map, Value};

use crate::report::{Code, Finding, Severity};
use crate::{DocumentError, DocumentKind};

/// What [`RegisterTaskDefinition`](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html) takes.
const ACCEPTED: &[&str] = &[
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "containerDefinitions",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "tags",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "inferenceAccelerators",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
    "trustedExecutionConfiguration",
];

/// What [`TaskDefinition`](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html) has beyond it:
/// ECS fills it in.
const READ_ONLY: &[&str] = &[
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

/// What a text holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A document that is rewritten as it is.
    Document(DocumentKind),
    /// The output of [`DescribeTaskDefinition`](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html),
    /// of which [`registrable`] makes a task definition.
    Described,
}

/// Tells by its content what a document is: a template, a task definition, or the description of one.
///
/// # Errors
///
/// When it is none of the three.
pub fn shape(document: &Value) -> Result<Shape, DocumentError> {
    let described = document.get("taskDefinition");
    if document.get("Resources").is_some() {
        Ok(Shape::Document(DocumentKind::Template))
    } else if document.get("containerDefinitions").is_some() {
        Ok(Shape::Document(DocumentKind::TaskDefinition))
    } else if described.is_some_and(|task| task.get("containerDefinitions").is_some()) {
        Ok(Shape::Described)
    } else {
        Err(DocumentError::Unknown)
    }
}

/// The input of `RegisterTaskDefinition` that makes the task definition which is described, and what was left out.
pub fn registrable(described: &Value) -> (Value, Vec<(String, Finding)>) {
    let empty = Map::new();
    let object = |value: Option<&Value>| value.and_then(Value::as_object).cloned();
    let mut task = object(described.get("taskDefinition")).unwrap_or_default();
    let id = id(&task);
    let (removed, kept): (Map<_, _>, Map<_, _>) = std::mem::take(&mut task)
        .into_iter()
        .partition(|(key, _)| !ACCEPTED.contains(&key.as_str()));
    task = kept;
    let tags = described.get("tags").and_then(Value::as_array);
    let (system, tags): (Vec<_>, Vec<_>) =
        tags.into_iter().flatten().cloned().partition(is_system_tag);
    if !tags.is_empty() {
        task.insert("tags".to_owned(), Value::Array(tags));
    }
    let removed = removed.keys().map(String::as_str);
    let mut expected: Vec<&str> = removed.filter(|key| READ_ONLY.contains(key)).collect();
    let system = system.iter().filter_map(|tag| tag.get("key")?.as_str());
    expected.extend(system);
    let beside = described.as_object().unwrap_or(&empty).keys();
    let beside = beside
        .map(String::as_str)
        .filter(|key| !["taskDefinition", "tags"].contains(key));
    let unexpected: Vec<&str> = unknown(described).into_iter().chain(beside).collect();
    let findings = [
        (expected, Severity::Note, None),
        (
            unexpected,
            Severity::Warning,
            Some("see whether the task definition needs it"),
        ),
    ];
    let findings = findings
        .into_iter()
        .filter(|(keys, _, _)| !keys.is_empty())
        .map(|(keys, severity, hint)| {
            let message = format!(
                "left out, because a registration does not take it: {}",
                list(&keys)
            );
            let finding = finding(Code::FieldRemoved, severity, message, hint);
            (id.clone(), finding)
        });
    let findings = findings.collect();
    (Value::Object(task), findings)
}

/// Fields of a task definition that is described which are not known: [`registrable`] leaves them out,
/// although they may be more than what ECS fills in.
pub fn unknown(described: &Value) -> Vec<&str> {
    let task = described.get("taskDefinition").and_then(Value::as_object);
    let fields = task.into_iter().flat_map(Map::keys).map(String::as_str);
    let known = |field: &str| ACCEPTED.contains(&field) || READ_ONLY.contains(&field);
    fields.filter(|field| !known(field)).collect()
}

/// A tag that AWS sets: nobody else can
/// ([tag restrictions](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html#tag-restrictions)).
fn is_system_tag(tag: &Value) -> bool {
    let key = tag.get("key").and_then(Value::as_str);
    key.is_some_and(|key| key.to_ascii_lowercase().starts_with("aws:"))
}

/// What stands in a bare task definition and cannot be registered.
pub(crate) fn not_accepted(task: &Map<String, Value>) -> Option<Finding> {
    let keys = task.keys().map(String::as_str);
    let keys: Vec<&str> = keys.filter(|key| !ACCEPTED.contains(key)).collect();
    let finding = || {
        finding(
            Code::FieldNotAccepted,
            Severity::Warning,
            format!("a registration does not take {}", list(&keys)),
            Some(
                "leave it out, or give the whole output of `describe-task-definition`, from which it is then left out",
            ),
        )
    };
    (!keys.is_empty()).then(finding)
}

/// How a report names a task definition: by its family.
pub(crate) fn id(task: &Map<String, Value>) -> String {
    let family = task.get("family").and_then(Value::as_str);
    family.unwrap_or("task definition").to_owned()
}

fn list(keys: &[&str]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    keys.join(", ")
}

fn finding(code: Code, severity: Severity, message: String, hint: Option<&str>) -> Finding {
    Finding {
        code,
        severity,
        container: None,
        image: None,
        message,
        hint: hint.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Shape, registrable, shape};
    use crate::{DocumentError, DocumentKind};

    #[test]
    fn the_content_decides_what_a_document_is() {
        let template = Ok(Shape::Document(DocumentKind::Template));
        let bare = Ok(Shape::Document(DocumentKind::TaskDefinition));
        let table = [
            (json!({"Resources": {}}), template.clone()),
            (
                json!({"Resources": {}, "containerDefinitions": []}),
                template,
            ),
            (json!({"containerDefinitions": []}), bare.clone()),
            (
                json!({"containerDefinitions": null, "taskDefinition": {}}),
                bare,
            ),
            (
                json!({"taskDefinition": {"containerDefinitions": []}}),
                Ok(Shape::Described),
            ),
            (
                json!({"taskDefinition": "arn"}),
                Err(DocumentError::Unknown),
            ),
            (
                json!({"ContainerDefinitions": []}),
                Err(DocumentError::Unknown),
            ),
            (json!([{"name": "app"}]), Err(DocumentError::Unknown)),
            (json!("text"), Err(DocumentError::Unknown)),
        ];
        for (document, expected) in table {
            assert_eq!(shape(&document), expected, "{document}");
        }
    }

    #[test]
    fn what_is_described_becomes_what_can_be_registered() {
        let described = json!({
            "taskDefinition": {
                "taskDefinitionArn": "arn", "family": "api", "revision": 7,
                "containerDefinitions": [{"name": "app", "dockerLabels": {"status": "x"}}],
                "someDay": true, "status": "ACTIVE",
            },
            "tags": [{"key": "team", "value": "a"}],
            "ResponseMetadata": {},
        });
        let (task, findings) = registrable(&described);
        assert_eq!(
            task,
            json!({
                "family": "api",
                "containerDefinitions": [{"name": "app", "dockerLabels": {"status": "x"}}],
                "tags": [{"key": "team", "value": "a"}],
            })
        );
        let lines = findings
            .iter()
            .map(|(id, finding)| format!("{id}: {} {}", finding.severity, finding.message));
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
        api: note left out, because a registration does not take it: `taskDefinitionArn`, `revision`, `status`
        api: warning left out, because a registration does not take it: `someDay`, `ResponseMetadata`
        ");
        let (task, findings) =
            registrable(&json!({"taskDefinition": {"containerDefinitions": []}, "tags": []}));
        assert_eq!(
            (task, findings.len()),
            (json!({"containerDefinitions": []}), 0)
        );
    }
}
