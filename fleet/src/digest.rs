//! Digests of task definitions: whether two are the same, without either.

use std::collections::BTreeMap;
use std::fmt::Write;

use ring::digest::{SHA256, digest};
use serde_json::Value;

/// SHA-256 of bytes, as `sha256:...`.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    digest
        .as_ref()
        .iter()
        .fold("sha256:".to_owned(), |mut text, byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The digest of what a registration means: the order of members and of tags says nothing.
pub(crate) fn of_registration(registration: &Value) -> String {
    of_bytes(sorted(registration, true).to_string().as_bytes())
}

fn sorted(value: &Value, top: bool) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.iter().collect();
            let members = members.into_iter().map(|(key, value)| {
                let value = match (top, key.as_str(), value) {
                    (true, "tags", Value::Array(tags)) => by_key(tags, "key"),
                    _ => sorted(value, false),
                };
                (key.clone(), value)
            });
            Value::Object(members.collect())
        }
        Value::Array(items) => items.iter().map(|item| sorted(item, false)).collect(),
        other => other.clone(),
    }
}

fn by_key(items: &[Value], key: &str) -> Value {
    let mut items: Vec<Value> = items.iter().map(|item| sorted(item, false)).collect();
    items.sort_by_key(|item| item.get(key).and_then(Value::as_str).map(str::to_owned));
    Value::Array(items)
}

/// Whether two registrations make the same task definition: ECS fills in what is left out, and
/// sorts what has names.
pub(crate) fn same_definition(one: &Value, other: &Value) -> bool {
    plain(one) == plain(other)
}

/// A registration without what ECS fills in by itself.
fn plain(registration: &Value) -> Value {
    let mut plain = without_empty(registration);
    if let Some(tags) = plain.get_mut("tags") {
        *tags = sort_by(tags, "key");
    }
    let containers = plain.get_mut("containerDefinitions");
    let containers = containers.and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten() {
        for key in ["environment", "secrets"] {
            if let Some(named) = container.get_mut(key) {
                *named = sort_by(named, "name");
            }
        }
        let ports = container.get_mut("portMappings");
        for port in ports.and_then(Value::as_array_mut).into_iter().flatten() {
            let container_port = port.get("containerPort").cloned();
            remove_if(port, "hostPort", container_port.as_ref());
            remove_if(port, "protocol", Some(&"tcp".into()));
        }
        remove_if(container, "cpu", Some(&0.into()));
        remove_if(container, "essential", Some(&true.into()));
    }
    // Nothing but defaults may be left of a port.
    without_empty(&plain)
}

fn sort_by(items: &Value, key: &str) -> Value {
    match items {
        Value::Array(items) => by_key(items, key),
        other => other.clone(),
    }
}

fn remove_if(object: &mut Value, key: &str, default: Option<&Value>) {
    if let Some(object) = object.as_object_mut()
        && object.get(key) == default
    {
        object.remove(key);
    }
}

fn without_empty(value: &Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(key, value)| (key.clone(), without_empty(value)));
            let members: BTreeMap<_, _> = members.filter(|(_, value)| !is_empty(value)).collect();
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(without_empty).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_of_members_and_tags_says_nothing() {
        let one = json!({"family": "api", "cpu": "256", "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]});
        let other = json!({"tags": [{"value": "2", "key": "b"}, {"key": "a", "value": "1"}], "cpu": "256", "family": "api"});
        assert_eq!(of_registration(&one), of_registration(&other));
        let other = json!({"family": "api", "cpu": "512"});
        assert_ne!(of_registration(&one), of_registration(&other));
        let commands = [
            json!({"command": ["a", "b"]}),
            json!({"command": ["b", "a"]}),
        ];
        assert_ne!(of_registration(&commands[0]), of_registration(&commands[1]));
    }

    #[test]
    fn what_ecs_fills_in_makes_no_other_definition() {
        let sent = json!({
            "family": "api",
            "containerDefinitions": [
                {"name": "app", "image": "i", "environment": [{"name": "B", "value": "1"}, {"name": "A", "value": "2"}],
                 "portMappings": [{"containerPort": 80}]},
            ],
        });
        let described = json!({
            "family": "api",
            "volumes": [],
            "containerDefinitions": [
                {"name": "app", "image": "i", "cpu": 0, "essential": true, "mountPoints": [],
                 "environment": [{"name": "A", "value": "2"}, {"name": "B", "value": "1"}],
                 "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]},
            ],
        });
        assert!(same_definition(&sent, &described));
        for (key, value) in [
            ("essential", json!(false)),
            ("cpu", json!(1)),
            ("command", json!(["x"])),
        ] {
            let mut other = described.clone();
            other["containerDefinitions"][0][key] = value;
            assert!(!same_definition(&sent, &other), "{key}");
        }
    }
}
