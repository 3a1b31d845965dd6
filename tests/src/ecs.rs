//! How ECS itself normalises container definitions, so that two spellings of one thing compare equal.
//!
//! What `describe-task-definition` answers differs from what was registered: keys
//! come in an order of its own, empty lists and objects mean the same as absent
//! ones, defaults are filled in, and a number may have been given as text. Each
//! rule below is one of those. The order of a list is kept: it is part of what a
//! rewrite promises.

use serde_json::{Map, Value};

use crate::conditions::intrinsic;

/// Objects whose keys belong to the user: never respelled, values always text.
const USER_KEYS: [&str; 5] = [
    "dockerLabels",
    "options",
    "driverOpts",
    "labels",
    "extraHosts",
];

/// Defaults that ECS fills in, by the list that the object stands in and the key.
const DEFAULTS: [(&str, &str, &str); 5] = [
    ("containerDefinitions", "essential", "true"),
    ("containerDefinitions", "cpu", "0"),
    ("portMappings", "protocol", "tcp"),
    ("volumesFrom", "readOnly", "false"),
    ("mountPoints", "readOnly", "false"),
];

/// The normal form of a list of container definitions, in either spelling.
pub fn container_definitions(value: &Value) -> Value {
    normal(value, "containerDefinitions").unwrap_or(Value::Array(Vec::new()))
}

fn normal(value: &Value, place: &str) -> Option<Value> {
    if let Some((key, argument)) = intrinsic(value) {
        return Some(intrinsic_function(key, argument, place));
    }
    match value {
        Value::Null => None,
        // `256` and `"256"`, `true` and `"true"` are one thing to ECS.
        Value::Bool(flag) => Some(Value::String(flag.to_string())),
        Value::Number(number) => Some(Value::String(number.to_string())),
        Value::String(_) => Some(value.clone()),
        Value::Array(items) => {
            let items: Vec<Value> = items
                .iter()
                .filter_map(|item| normal(item, place))
                .collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(map) => object(map, place),
    }
}

/// Intrinsic functions stay as they are, numbers and all, but the branches of a condition are values.
fn intrinsic_function(key: &str, argument: &Value, place: &str) -> Value {
    let argument = match (key, argument) {
        ("Fn::If", Value::Array(parts)) => parts
            .iter()
            .enumerate()
            .map(|(index, part)| match index {
                0 => part.clone(),
                _ => normal(part, place).unwrap_or(Value::Array(Vec::new())),
            })
            .collect(),
        _ => argument.clone(),
    };
    Value::Object(Map::from_iter([(key.to_owned(), argument)]))
}

fn object(map: &Map<String, Value>, place: &str) -> Option<Value> {
    let user_keys = USER_KEYS.contains(&place);
    let mut pairs: Vec<(String, Value)> = map
        .iter()
        .filter_map(|(key, item)| {
            let key = if user_keys {
                key.clone()
            } else {
                camel_case(key)
            };
            let item = normal(item, &key)?;
            (!is_default(place, &key, &item)).then_some((key, item))
        })
        .collect();
    pairs.sort_by(|left, right| left.0.cmp(&right.0));
    (!pairs.is_empty()).then(|| Value::Object(pairs.into_iter().collect()))
}

fn is_default(place: &str, key: &str, value: &Value) -> bool {
    DEFAULTS
        .iter()
        .any(|(in_place, of_key, default)| place == *in_place && key == *of_key && value == default)
}

fn camel_case(key: &str) -> String {
    let mut letters = key.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// Names that differ in more than the case of their first letter.
const SPELLINGS: [(&str, &str); 6] = [
    ("EFSVolumeConfiguration", "efsVolumeConfiguration"),
    (
        "FSxWindowsFileServerVolumeConfiguration",
        "fsxWindowsFileServerVolumeConfiguration",
    ),
    ("FilesystemId", "fileSystemId"),
    ("IAM", "iam"),
    ("ProxyConfigurationProperties", "properties"),
    ("S3FilesVolumeConfiguration", "s3filesVolumeConfiguration"),
];

/// The properties of a task definition in a template as `RegisterTaskDefinition` takes them. In
/// the place of each intrinsic function, of which there are no conditions left, stands a text.
pub fn registration(properties: &Value) -> Value {
    registered(properties, "")
}

fn registered(value: &Value, place: &str) -> Value {
    if intrinsic(value).is_some() {
        return Value::String("known-when-deployed".to_owned());
    }
    match value {
        Value::Array(items) => items.iter().map(|item| registered(item, place)).collect(),
        Value::Object(map) => {
            let user_keys = USER_KEYS.contains(&place);
            let members = map.iter().map(|(key, item)| {
                let known = SPELLINGS.iter().find(|(written, _)| key == written);
                let key = match known {
                    _ if user_keys => key.clone(),
                    Some((_, name)) => (*name).to_owned(),
                    None => camel_case(key),
                };
                let item = registered(item, &key);
                (key, item)
            });
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{container_definitions, registration};

    #[test]
    fn two_spellings_of_one_definition_are_equal() {
        let template = json!([{"Name": "app", "Cpu": "0", "Essential": true, "Command": [], "PortMappings": [{"ContainerPort": "80"}],
            "DockerLabels": {"Team": "x"}, "Memory": 512}]);
        let described = json!([{"memory": 512, "name": "app", "dockerLabels": {"Team": "x"},
            "portMappings": [{"protocol": "tcp", "containerPort": 80}], "volumesFrom": [], "cpu": 0}]);
        assert_eq!(
            container_definitions(&template),
            container_definitions(&described)
        );
    }

    #[test]
    fn a_registration_is_spelled_as_the_api_spells_it() {
        let properties = json!({
            "Family": {"Ref": "Name"},
            "ContainerDefinitions": [{"DockerLabels": {"Team": "x"}}],
            "Volumes": [{"EFSVolumeConfiguration": {"FilesystemId": "fs", "AuthorizationConfig": {"IAM": "ENABLED"}}}],
        });
        let expected = json!({
            "family": "known-when-deployed",
            "containerDefinitions": [{"dockerLabels": {"Team": "x"}}],
            "volumes": [{"efsVolumeConfiguration": {"fileSystemId": "fs", "authorizationConfig": {"iam": "ENABLED"}}}],
        });
        assert_eq!(registration(&properties), expected);
    }

    #[test]
    fn order_of_entries_and_numbers_in_functions_count() {
        let one = json!([{"Name": "app", "Command": ["a", {"Fn::Select": [0, ["b"]]}]}]);
        assert_ne!(
            container_definitions(&one),
            container_definitions(
                &json!([{"Name": "app", "Command": ["a", {"Fn::Select": ["0", ["b"]]}]}])
            )
        );
        assert_ne!(
            container_definitions(&json!([{"Command": ["a", "b"]}])),
            container_definitions(&json!([{"Command": ["b", "a"]}]))
        );
    }
}
