//! Terraform's spelling of a task definition: the attributes and blocks of
//! [`aws_ecs_task_definition`](https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/ecs_task_definition).
//!
//! A plan holds a block as a list of objects, even where there can be one only, tags as a map, and
//! what nobody stated as `null`, as an empty text, or as an empty list.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::{call, function, scalar_text};

use super::USER_KEYS;

/// The attribute that holds the container definitions, as the text of a JSON list.
pub(crate) const CONTAINER_DEFINITIONS: &str = "container_definitions";

/// How a setting of the ECS API stands in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As an attribute with the same value.
    Attribute,
    /// As an attribute that is a text, whatever it was given as.
    Text,
    /// As a block of which there is one at most.
    Block,
    /// As a block for each element.
    Blocks,
}

/// The settings of a task definition: Terraform's name, that of the ECS API, and the form.
const SETTINGS: &[(&str, &str, Form)] = &[
    ("family", "family", Form::Attribute),
    ("task_role_arn", "taskRoleArn", Form::Attribute),
    ("execution_role_arn", "executionRoleArn", Form::Attribute),
    ("network_mode", "networkMode", Form::Attribute),
    (
        CONTAINER_DEFINITIONS,
        "containerDefinitions",
        Form::Attribute,
    ),
    ("volume", "volumes", Form::Blocks),
    (
        "placement_constraints",
        "placementConstraints",
        Form::Blocks,
    ),
    (
        "requires_compatibilities",
        "requiresCompatibilities",
        Form::Attribute,
    ),
    ("cpu", "cpu", Form::Text),
    ("memory", "memory", Form::Text),
    ("pid_mode", "pidMode", Form::Attribute),
    ("ipc_mode", "ipcMode", Form::Attribute),
    ("proxy_configuration", "proxyConfiguration", Form::Block),
    (
        "inference_accelerator",
        "inferenceAccelerators",
        Form::Blocks,
    ),
    ("ephemeral_storage", "ephemeralStorage", Form::Block),
    ("runtime_platform", "runtimePlatform", Form::Block),
    (
        "enable_fault_injection",
        "enableFaultInjection",
        Form::Attribute,
    ),
];

/// Names within blocks that differ by more than underscores.
const IRREGULAR: &[(&str, &str)] = &[
    ("configure_at_launch", "configuredAtLaunch"),
    ("size_in_gib", "sizeInGiB"),
];

/// What a `volume` block holds where nobody stated it.
const OF_A_VOLUME: &[(&str, bool)] = &[
    ("docker_volume_configuration", true),
    ("efs_volume_configuration", true),
    ("fsx_windows_file_server_volume_configuration", true),
    ("host_path", false),
];

/// The name of the function that stands for a value which is known only after apply.
pub(crate) const UNKNOWN: &str = "Fn::Unknown";

/// A value that is known only after apply. It is read as an intrinsic function, so that no reader
/// mistakes it for a value.
pub(crate) fn unknown() -> Value {
    call(UNKNOWN, Value::from("known after apply"))
}

/// Whether a value is known only after apply.
pub(crate) fn is_unknown(value: &Value) -> bool {
    matches!(function(value), Some((UNKNOWN, _)))
}

/// The attribute or block of a setting of the ECS API.
pub fn attribute(setting: &str) -> &str {
    let mut settings = SETTINGS.iter();
    settings
        .find(|(_, ecs, _)| *ecs == setting)
        .map_or(setting, |(terraform, _, _)| terraform)
}

/// A message with the names of attributes and blocks in place of those of the ECS API, where these stand
/// in backticks.
pub fn in_attributes(message: &str) -> String {
    let mut text = message.to_owned();
    for (terraform, ecs, _) in SETTINGS
        .iter()
        .filter(|(terraform, ecs, _)| terraform != ecs)
    {
        text = text.replace(&format!("`{ecs}`"), &format!("`{terraform}`"));
    }
    text
}

/// Whether a change of the attribute makes the provider replace the task definition.
pub(crate) fn forces_replacement(attribute: &str) -> bool {
    attribute != "tags"
}

/// A task definition as the ECS API spells it, made of the attributes of a plan.
pub fn canonical(attributes: &Map<String, Value>) -> Map<String, Value> {
    let settings = SETTINGS.iter().filter_map(|(terraform, ecs, form)| {
        let value = attributes.get(*terraform)?;
        let value = if is_unknown(value) {
            Some(value.clone())
        } else {
            match form {
                Form::Attribute | Form::Text => stated(value).cloned(),
                Form::Block => block(ecs, value),
                Form::Blocks => blocks(ecs, value),
            }
        };
        Some(((*ecs).to_owned(), value?))
    });
    settings.chain(tags(attributes)).collect()
}

/// The tags that the task definition gets, with those that the provider gives to all its resources.
fn tags(attributes: &Map<String, Value>) -> Option<(String, Value)> {
    let known = |name| attributes.get(name).and_then(Value::as_object);
    let known = |name| known(name).filter(|tags: &&Map<_, _>| !tags.contains_key(UNKNOWN));
    let tags = match known("tags_all")
        .filter(|tags| !tags.is_empty())
        .or_else(|| known("tags"))
    {
        Some(tags) => pairs(tags, "key"),
        None => attributes.get("tags").and_then(stated)?.clone(),
    };
    Some(("tags".to_owned(), tags))
}

/// The value, unless it says that there is none.
fn stated(value: &Value) -> Option<&Value> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(items) if items.is_empty() => None,
        value => Some(value),
    }
}

fn blocks(holder: &str, value: &Value) -> Option<Value> {
    match stated(value)? {
        Value::Array(items) => Some(items.iter().map(|item| inner(holder, item)).collect()),
        other => Some(inner(holder, other)),
    }
}

fn block(holder: &str, value: &Value) -> Option<Value> {
    match stated(value)? {
        Value::Array(items) => match items.as_slice() {
            [one] => Some(inner(holder, one)),
            _ => Some(value.clone()),
        },
        other => Some(inner(holder, other)),
    }
}

/// What stands inside of a block.
fn inner(holder: &str, value: &Value) -> Value {
    let Value::Object(map) = value else {
        return value.clone();
    };
    if is_unknown(value) || USER_KEYS.contains(&holder) {
        return value.clone();
    }
    let members = map.iter().filter_map(|(key, value)| {
        let value = stated(value)?;
        if key == "host_path" {
            let host = [("sourcePath".to_owned(), value.clone())];
            return Some(("host".to_owned(), Value::Object(host.into_iter().collect())));
        }
        let name = camel(key);
        let value = match value {
            Value::Object(map) if holder == "proxyConfiguration" && key == "properties" => {
                pairs(map, "name")
            }
            Value::Array(items) if items.iter().any(Value::is_object) => block(&name, value)?,
            other => inner(&name, other),
        };
        Some((name.into_owned(), value))
    });
    Value::Object(members.collect())
}

/// The entries of a map as a list of pairs.
fn pairs(map: &Map<String, Value>, key: &str) -> Value {
    let entries = map.iter().map(|(name, value)| {
        let pair = [
            (key.to_owned(), Value::from(name.as_str())),
            ("value".to_owned(), value.clone()),
        ];
        Value::Object(pair.into_iter().collect())
    });
    entries.collect()
}

/// A setting that a rewrite gives to a task definition, as the plan's attribute.
///
/// Elements that the setting had before stay as the plan has them. None where Terraform has no such attribute.
pub(crate) fn spelled(
    setting: &str,
    new: &Value,
    before: &Map<String, Value>,
) -> Option<(&'static str, Value)> {
    let (name, ecs, form) = SETTINGS.iter().find(|(_, ecs, _)| *ecs == setting)?;
    let value = match form {
        Form::Attribute => new.clone(),
        Form::Text => scalar_text(new).map_or_else(|| new.clone(), Value::from),
        Form::Block => Value::Array(vec![outer(ecs, new)]),
        Form::Blocks => {
            let stated = before.get(*name).and_then(Value::as_array);
            let stated = stated.map_or(&[] as &[Value], Vec::as_slice);
            let kept = |item: &Value| stated.iter().find(|old| inner(ecs, old) == *item);
            let items = new.as_array()?.iter();
            items
                .map(|item| kept(item).cloned().unwrap_or_else(|| outer(ecs, item)))
                .collect()
        }
    };
    Some((name, value))
}

/// A task definition in the spelling of the ECS API, as the attributes of a plan: what
/// [`canonical`] is made of.
pub fn attributes(task: &Map<String, Value>) -> Map<String, Value> {
    let none = Map::new();
    let settings = task
        .iter()
        .filter_map(|(setting, value)| spelled(setting, value, &none));
    settings
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// What the ECS API has inside of a block, as Terraform spells it.
fn outer(holder: &str, value: &Value) -> Value {
    let Value::Object(map) = value else {
        return value.clone();
    };
    if USER_KEYS.contains(&holder) {
        return value.clone();
    }
    let mut block = Map::new();
    for (key, value) in map {
        let (name, value) = match (holder, key.as_str(), value) {
            ("volumes", "host", value) => {
                let path = value.get("sourcePath").cloned();
                (Cow::Borrowed("host_path"), path.unwrap_or_default())
            }
            ("proxyConfiguration", "properties", list) => {
                let map = map_of(list, "name").unwrap_or_else(|| list.clone());
                (Cow::Borrowed("properties"), map)
            }
            (_, key, Value::Object(_)) if USER_KEYS.contains(&key) => (snake(key), value.clone()),
            (_, key, Value::Object(_)) => (snake(key), Value::Array(vec![outer(key, value)])),
            (_, key, other) => (snake(key), other.clone()),
        };
        block.insert(name.into_owned(), value);
    }
    if holder == "volumes" {
        for (name, is_block) in OF_A_VOLUME {
            let nothing = match is_block {
                true => Value::Array(Vec::new()),
                false => Value::Null,
            };
            block.entry(*name).or_insert(nothing);
        }
    }
    Value::Object(block)
}

/// A list of pairs as a map.
fn map_of(list: &Value, key: &str) -> Option<Value> {
    let pairs = list.as_array()?.iter().map(|pair| {
        let name = pair.get(key)?.as_str()?.to_owned();
        Some((name, pair.get("value")?.clone()))
    });
    pairs.collect::<Option<Map<_, _>>>().map(Value::Object)
}

fn camel(key: &str) -> Cow<'_, str> {
    if let Some((_, ecs)) = IRREGULAR.iter().find(|(terraform, _)| *terraform == key) {
        return Cow::Borrowed(ecs);
    }
    let mut parts = key.split('_');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    Cow::Owned(name)
}

fn snake(key: &str) -> Cow<'_, str> {
    if let Some((terraform, _)) = IRREGULAR.iter().find(|(_, ecs)| *ecs == key) {
        return Cow::Borrowed(terraform);
    }
    let mut name = String::new();
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    Cow::Owned(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_task_definition_is_read_as_the_ecs_api_spells_it() {
        let attributes = map(json!({
            "arn": "arn", "family": "api", "cpu": "256", "memory": null, "pid_mode": "", "ipc_mode": null,
            "requires_compatibilities": ["FARGATE"], "execution_role_arn": unknown(), "tags": {"team": "a"},
            "tags_all": {"team": "a", "stage": "b"}, "ephemeral_storage": [{"size_in_gib": 30}],
            "runtime_platform": [{"cpu_architecture": "ARM64", "operating_system_family": ""}],
            "proxy_configuration": [{"container_name": "envoy", "properties": {"IgnoredUID": "1337"}, "type": "APPMESH"}],
            "volume": [
                {"name": "a", "host_path": "", "docker_volume_configuration": [], "efs_volume_configuration": [{
                    "file_system_id": unknown(), "authorization_config": [{"iam": "ENABLED", "access_point_id": null}]}]},
                {"name": "b", "host_path": "/b", "configure_at_launch": true,
                 "docker_volume_configuration": [{"driver_opts": {"some_key": "x"}, "labels": null}]},
            ],
            "placement_constraints": [],
        }));
        assert_eq!(
            Value::Object(canonical(&attributes)),
            json!({
                "family": "api", "executionRoleArn": unknown(),
                "volumes": [
                    {"name": "a", "efsVolumeConfiguration": {"fileSystemId": unknown(), "authorizationConfig": {"iam": "ENABLED"}}},
                    {"name": "b", "host": {"sourcePath": "/b"}, "configuredAtLaunch": true,
                     "dockerVolumeConfiguration": {"driverOpts": {"some_key": "x"}}},
                ],
                "requiresCompatibilities": ["FARGATE"], "cpu": "256",
                "proxyConfiguration": {"containerName": "envoy", "properties": [{"name": "IgnoredUID", "value": "1337"}], "type": "APPMESH"},
                "ephemeralStorage": {"sizeInGiB": 30}, "runtimePlatform": {"cpuArchitecture": "ARM64"},
                "tags": [{"key": "team", "value": "a"}, {"key": "stage", "value": "b"}],
            })
        );
    }

    #[test]
    fn what_is_added_is_spelled_as_terraform_does_and_what_was_there_stays() {
        let before = map(
            json!({"volume": [{"name": "a", "host_path": "", "efs_volume_configuration": []}]}),
        );
        let new = json!([{"name": "a"}, {"name": "b", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]);
        assert_eq!(
            spelled("volumes", &new, &before),
            Some((
                "volume",
                json!([
                    {"name": "a", "host_path": "", "efs_volume_configuration": []},
                    {"name": "b", "efs_volume_configuration": [{"file_system_id": "fs-1"}],
                     "docker_volume_configuration": [], "fsx_windows_file_server_volume_configuration": [], "host_path": null},
                ])
            ))
        );
        let table = [
            ("pidMode", json!("task"), "pid_mode", json!("task")),
            ("cpu", json!(512), "cpu", json!("512")),
            (
                "ephemeralStorage",
                json!({"sizeInGiB": 30}),
                "ephemeral_storage",
                json!([{"size_in_gib": 30}]),
            ),
            (
                "proxyConfiguration",
                json!({"properties": [{"name": "a", "value": "b"}]}),
                "proxy_configuration",
                json!([{"properties": {"a": "b"}}]),
            ),
        ];
        for (setting, value, name, expected) in table {
            assert_eq!(
                spelled(setting, &value, &Map::new()),
                Some((name, expected))
            );
        }
        assert_eq!(spelled("someDay", &json!(1), &Map::new()), None);
        let task = json!({"pidMode": "task", "runtimePlatform": {"cpuArchitecture": "ARM64"}});
        assert_eq!(canonical(&attributes(&map(task.clone()))), map(task));
    }

    #[test]
    fn what_is_no_block_keeps_its_form() {
        let attributes = map(json!({"volume": [{
            "name": "a", "some_texts": ["x", "y"], "one_text": ["x"], "some_map": {"properties": {"a": "b"}},
            "docker_volume_configuration": [{"driver_opts": {"someKey": "x"}}],
        }]}));
        let task = json!({"volumes": [{
            "name": "a", "someTexts": ["x", "y"], "oneText": ["x"], "someMap": {"properties": {"a": "b"}},
            "dockerVolumeConfiguration": {"driverOpts": {"someKey": "x"}},
        }]});
        assert_eq!(Value::Object(canonical(&attributes)), task);
        let (_, volumes) = spelled("volumes", &task["volumes"], &Map::new()).unwrap();
        assert_eq!(
            volumes[0]["docker_volume_configuration"],
            json!([{"driver_opts": {"someKey": "x"}}])
        );
    }

    #[test]
    fn messages_name_attributes() {
        assert_eq!(
            in_attributes(
                "`pidMode`, pidMode, `cpu` and `containerDefinitions[0]` of `containerDefinitions`"
            ),
            "`pid_mode`, pidMode, `cpu` and `containerDefinitions[0]` of `container_definitions`"
        );
    }

    #[test]
    fn tags_alone_change_in_place() {
        assert!(!forces_replacement("tags"));
        assert!(forces_replacement("container_definitions") && forces_replacement("tags_all"));
    }

    #[test]
    fn every_name_survives_a_round_trip() {
        for (terraform, ecs, _) in SETTINGS {
            assert_eq!(attribute(ecs), *terraform);
        }
        for key in [
            "fileSystemId",
            "fsxWindowsFileServerVolumeConfiguration",
            "s3filesVolumeConfiguration",
            "sizeInGiB",
            "configuredAtLaunch",
        ] {
            assert_eq!(camel(&snake(key)), key);
        }
    }
}
