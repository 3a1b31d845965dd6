//! The argument `task`: what Terraform says of a task definition beside its container definitions.

use serde_json::{Map, Value, json};
use taskdef::dialect::terraform;

use crate::problem::Problem;

/// The attributes of the resource that are texts.
const TEXTS: &[&str] = &[
    "family",
    "cpu",
    "memory",
    "network_mode",
    "pid_mode",
    "ipc_mode",
    "execution_role_arn",
    "task_role_arn",
];

/// What its block `runtime_platform` holds.
const PLATFORM: &[&str] = &["cpu_architecture", "operating_system_family"];

/// What the blocks `volume` are called here.
pub(crate) const VOLUMES: &str = "volumes";

/// All keys.
fn keys() -> Vec<&'static str> {
    let lists = [VOLUMES, "tags"];
    let keys = [TEXTS, &["requires_compatibilities"], PLATFORM, &lists];
    keys.concat()
}

/// What a setting of the ECS API is called here.
pub(crate) fn name(setting: &str) -> &str {
    match terraform::attribute(setting) {
        "volume" => VOLUMES,
        name => name,
    }
}

/// The task definition that the argument describes, as the ECS API spells it. What is null was
/// not stated.
pub(crate) fn read(task: &Value) -> Result<Map<String, Value>, Vec<Problem>> {
    let Some(given) = task.as_object() else {
        return Err(vec![Problem::new("`task` is no object".to_owned()).hint(
            "give what the resource says: `{ family = ..., cpu = ..., ... }`",
        )]);
    };
    let mut attributes = Map::new();
    let mut platform = Map::new();
    let mut problems = Vec::new();
    for (key, value) in given.iter().filter(|(_, value)| !value.is_null()) {
        let (place, name, value) = match key.as_str() {
            VOLUMES => (&mut attributes, "volume", volumes(value)),
            key @ "requires_compatibilities" => (&mut attributes, key, compatibilities(value)),
            key @ "tags" => (&mut attributes, key, tags(value)),
            key if TEXTS.contains(&key) => (&mut attributes, key, text(key, value)),
            key if PLATFORM.contains(&key) => (&mut platform, key, text(key, value)),
            key => {
                problems.push(Problem::unknown_key("`task`", key, &keys()));
                continue;
            }
        };
        match value {
            Ok(value) => {
                place.insert(name.to_owned(), value);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if !platform.is_empty() {
        attributes.insert("runtime_platform".to_owned(), json!([platform]));
    }
    match problems.is_empty() {
        true => Ok(terraform::canonical(&attributes)),
        false => Err(problems),
    }
}

fn text(key: &str, value: &Value) -> Result<Value, Problem> {
    match value {
        Value::String(_) => Ok(value.clone()),
        // Terraform makes a text of a number where one is wanted.
        Value::Number(number) => Ok(Value::String(number.to_string())),
        _ => Err(Problem::new(format!("`task.{key}` is no text"))),
    }
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

/// The keys of a volume: those that `instrument_task` gives back.
const OF_A_VOLUME: &[&str] = &["name", "host_path"];

/// The blocks `volume`, by name and the host's folder. What else one holds could not be given back, and
/// is refused: a volume that lost it would be another one.
fn volumes(value: &Value) -> Result<Value, Problem> {
    let wrong = || {
        Problem::new("`task.volumes` is no list of objects with a `name`".to_owned())
            .hint("give the `volume` blocks of the resource: `[{ name = \"data\" }]`")
    };
    let volumes = value.as_array().ok_or_else(wrong)?.iter();
    let volume = |volume: &Value| {
        let mut stated = volume.as_object().into_iter().flatten();
        let stated = stated.find(|(key, value)| {
            !OF_A_VOLUME.contains(&key.as_str()) && !value.is_null() && **value != json!([])
        });
        if let Some((key, _)) = stated {
            let problem = Problem::new(format!("`task.volumes` holds `{key}`"));
            return Err(problem.hint(
                "give the name alone, `[{ name = \"data\" }]`, and write the block `volume` in the resource itself",
            ));
        }
        let text = |key| volume.get(key).and_then(Value::as_str);
        let name = text("name").ok_or_else(wrong)?;
        Ok(json!({"name": name, "host_path": text("host_path")}))
    };
    volumes.map(volume).collect()
}

fn tags(value: &Value) -> Result<Value, Problem> {
    let tags = value.as_object();
    let tags = tags.ok_or_else(|| Problem::new("`task.tags` is no map".to_owned()))?;
    let mut tags = tags.clone();
    tags.retain(|_, value| !value.is_null());
    Ok(Value::Object(tags))
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
