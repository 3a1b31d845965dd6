//! Container definitions, as the provider of AWS compares them and ECS gives them back.

use serde_json::{Map, Value, json};

/// The text as a plan shows it: compact, and the environment by name.
pub(super) fn normalised(text: &str) -> Result<String, String> {
    let mut containers = parse(text)?;
    for container in &mut containers {
        sort_environment(container);
    }
    text_of(containers)
}

/// The text as ECS gives it back: with the values that it has filled in.
pub(super) fn registered(text: &str) -> Result<String, String> {
    let mut containers = parse(text)?;
    for container in &mut containers {
        sort_environment(container);
        fill_in(container);
    }
    text_of(containers)
}

/// Whether two texts mean the same to ECS.
pub(super) fn same(left: &str, right: &str) -> bool {
    match (registered(left), registered(right)) {
        (Ok(left), Ok(right)) => left == right,
        _ => false,
    }
}

fn parse(text: &str) -> Result<Vec<Map<String, Value>>, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn text_of(containers: Vec<Map<String, Value>>) -> Result<String, String> {
    let mut containers: Value = containers.into_iter().map(Value::Object).collect();
    // As Go writes objects.
    containers.sort_all_objects();
    serde_json::to_string(&containers).map_err(|error| error.to_string())
}

fn sort_environment(container: &mut Map<String, Value>) {
    if let Some(Value::Array(variables)) = container.get_mut("environment") {
        variables.sort_by_key(|variable| variable["name"].as_str().map(str::to_owned));
    }
}

fn fill_in(container: &mut Map<String, Value>) {
    let empty = [
        "environment",
        "mountPoints",
        "portMappings",
        "systemControls",
        "volumesFrom",
    ];
    for (key, value) in [("cpu", json!(0)), ("essential", json!(true))] {
        container.entry(key).or_insert(value);
    }
    for key in empty {
        container.entry(key).or_insert_with(|| json!([]));
    }
    if let Some(Value::Array(mappings)) = container.get_mut("portMappings") {
        for mapping in mappings.iter_mut().filter_map(Value::as_object_mut) {
            let port = mapping.get("containerPort").cloned().unwrap_or_default();
            mapping.entry("hostPort").or_insert(port);
            mapping.entry("protocol").or_insert(json!("tcp"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{normalised, registered, same};

    #[test]
    fn what_means_the_same_is_the_same() {
        let given = r#"[ {"name": "web", "image": "i", "environment": [{"name":"B","value":"2"},{"name":"A","value":"1"}]} ]"#;
        let normal = normalised(given).unwrap();
        assert_eq!(
            normal,
            r#"[{"environment":[{"name":"A","value":"1"},{"name":"B","value":"2"}],"image":"i","name":"web"}]"#
        );
        let registered = registered(given).unwrap();
        assert!(registered.contains(r#""mountPoints":[]"#), "{registered}");
        assert!(same(given, &registered));
        assert!(!same(given, &given.replace("\"i\"", "\"j\"")));
        assert!(!same(given, "no JSON"));
    }
}
