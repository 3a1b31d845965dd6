//! The argument `task`: what Terraform says of a task definition beside its container definitions.

use serde_json::{Map, Value, json};

use crate::problem::Problem;

/// The texts among its keys: Terraform's name, and that of the ECS API.
const TEXTS: &[(&str, &str)] = &[
    ("family", "family"),
    ("cpu", "cpu"),
    ("memory", "memory"),
    ("network_mode", "networkMode"),
    ("pid_mode", "pidMode"),
    ("ipc_mode", "ipcMode"),
    ("execution_role_arn", "executionRoleArn"),
    ("task_role_arn", "taskRoleArn"),
];

/// The texts of a runtime platform.
const PLATFORM: &[(&str, &str)] = &[
    ("cpu_architecture", "cpuArchitecture"),
    ("operating_system_family", "operatingSystemFamily"),
];

/// All keys.
pub(crate) const KEYS: &[&str] = &[
    "family",
    "cpu",
    "memory",
    "network_mode",
    "pid_mode",
    "ipc_mode",
    "execution_role_arn",
    "task_role_arn",
    "requires_compatibilities",
    "cpu_architecture",
    "operating_system_family",
    "volumes",
    "tags",
];

/// Terraform's name of a key of the ECS API.
pub(crate) fn terraform_name(key: &str) -> Option<&'static str> {
    let texts = TEXTS.iter().find(|(_, ecs)| *ecs == key);
    texts.map(|(name, _)| *name).or(match key {
        "requiresCompatibilities" => Some("requires_compatibilities"),
        "volumes" => Some("volumes"),
        _ => None,
    })
}

/// The ECS API's name of a text.
pub(crate) fn ecs_name(name: &str) -> Option<&'static str> {
    named(TEXTS, name)
}

/// The task definition that the argument describes, as the ECS API spells it. What is null was
/// not stated.
pub(crate) fn read(task: &Value) -> Result<Map<String, Value>, Vec<Problem>> {
    let Some(given) = task.as_object() else {
        return Err(vec![Problem::new("`task` is no object".to_owned()).hint(
            "give what the resource says: `{ family = ..., cpu = ..., ... }`",
        )]);
    };
    let mut known = Map::new();
    let mut problems = Vec::new();
    for (key, value) in given.iter().filter(|(_, value)| !value.is_null()) {
        let read = match key.as_str() {
            "requires_compatibilities" => compatibilities(value).map(|value| {
                known.insert("requiresCompatibilities".to_owned(), value);
            }),
            "volumes" => volumes(value).map(|value| {
                known.insert("volumes".to_owned(), value);
            }),
            "tags" => tags(value).map(|value| {
                known.insert("tags".to_owned(), value);
            }),
            key => text(key, value, &mut known),
        };
        problems.extend(read.err());
    }
    match problems.is_empty() {
        true => Ok(known),
        false => Err(problems),
    }
}

fn text(key: &str, value: &Value, known: &mut Map<String, Value>) -> Result<(), Problem> {
    let (place, name) = match (named(TEXTS, key), named(PLATFORM, key)) {
        (Some(name), _) => (known, name),
        (None, Some(name)) => {
            let platform = known.entry("runtimePlatform").or_insert_with(|| json!({}));
            match platform.as_object_mut() {
                Some(platform) => (platform, name),
                None => return Ok(()),
            }
        }
        (None, None) => return Err(Problem::unknown_key("`task`", key, KEYS)),
    };
    let text = match value {
        Value::String(text) => text.clone(),
        // Terraform makes a text of a number where one is wanted.
        Value::Number(number) => number.to_string(),
        _ => return Err(Problem::new(format!("`task.{key}` is no text"))),
    };
    // An empty text is what Terraform takes for nothing.
    if !text.is_empty() {
        place.insert(name.to_owned(), Value::String(text));
    }
    Ok(())
}

fn named(names: &[(&'static str, &'static str)], key: &str) -> Option<&'static str> {
    let found = names.iter().find(|(name, _)| *name == key);
    found.map(|(_, ecs)| *ecs)
}

fn compatibilities(value: &Value) -> Result<Value, Problem> {
    let texts = value
        .as_array()
        .filter(|list| list.iter().all(Value::is_string));
    match texts {
        Some(_) => Ok(value.clone()),
        None => Err(Problem::new(
            "`task.requires_compatibilities` is no list of texts".to_owned(),
        )),
    }
}

/// Volumes as the blocks `volume` have them; only the name and the host's folder say something here.
fn volumes(value: &Value) -> Result<Value, Problem> {
    let wrong = || {
        Problem::new("`task.volumes` is no list of objects with a `name`".to_owned())
            .hint("give the `volume` blocks of the resource: `[{ name = \"data\" }]`")
    };
    let volumes = value.as_array().ok_or_else(wrong)?.iter();
    let volume = |volume: &Value| {
        let name = volume
            .get("name")
            .and_then(Value::as_str)
            .ok_or_else(wrong)?;
        let path = volume.get("host_path").and_then(Value::as_str);
        let path = path.filter(|path| !path.is_empty());
        Ok(match path {
            Some(path) => json!({"name": name, "host": {"sourcePath": path}}),
            None => json!({"name": name}),
        })
    };
    volumes.map(volume).collect()
}

fn tags(value: &Value) -> Result<Value, Problem> {
    let tags = value.as_object();
    let tags = tags.ok_or_else(|| Problem::new("`task.tags` is no map".to_owned()))?;
    let tags = tags.iter().filter(|(_, value)| !value.is_null());
    Ok(tags
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;
    use crate::problem::told;

    #[test]
    fn terraforms_names_become_those_of_ecs() {
        let task = json!({
            "family": "app", "cpu": 256, "memory": "512", "network_mode": "awsvpc", "pid_mode": null,
            "ipc_mode": "", "requires_compatibilities": ["FARGATE"], "cpu_architecture": "ARM64",
            "operating_system_family": "LINUX", "volumes": [{"name": "data", "host_path": null}],
            "tags": {"outrigger:containers": "web"},
        });
        assert_eq!(
            json!(read(&task).unwrap()),
            json!({
                "family": "app", "cpu": "256", "memory": "512", "networkMode": "awsvpc",
                "requiresCompatibilities": ["FARGATE"],
                "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
                "volumes": [{"name": "data"}],
                "tags": [{"key": "outrigger:containers", "value": "web"}],
            })
        );
    }

    #[test]
    fn every_wrong_key_is_named_without_its_value() {
        let task = json!({
            "familiy": "hunter2", "cpu": true, "volumes": "hunter2", "tags": ["hunter2"],
            "requires_compatibilities": "hunter2", "colour": "hunter2",
        });
        let problems = read(&task).unwrap_err();
        insta::assert_snapshot!(told(&problems), @r#"
        `task` has no `familiy`
          way out: did you mean `family`?
        `task.cpu` is no text
        `task.volumes` is no list of objects with a `name`
          way out: give the `volume` blocks of the resource: `[{ name = "data" }]`
        `task.tags` is no map
        `task.requires_compatibilities` is no list of texts
        `task` has no `colour`
          way out: it has `family`, `cpu`, `memory`, `network_mode`, `pid_mode`, `ipc_mode`, `execution_role_arn`, `task_role_arn`, `requires_compatibilities`, `cpu_architecture`, `operating_system_family`, `volumes`, `tags`
        "#);
        insta::assert_snapshot!(told(&read(&json!([])).unwrap_err()), @"
        `task` is no object
          way out: give what the resource says: `{ family = ..., cpu = ..., ... }`
        ");
    }
}
