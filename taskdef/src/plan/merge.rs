//! What a recipe asks of a container or a task, as edits.

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::function;
use crate::dialect::Dialect;
use crate::edit::Edit;
use crate::recipe::NATURAL_KEYS;

/// Lists that are sets of texts.
pub(crate) const SETS: &[&str] = &["add", "drop", "requiresCompatibilities"];

/// The edits that bring `settings` (canonical) into an object of a document.
pub(crate) fn edits(dialect: Dialect, settings: &Map<String, Value>) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (key, value) in settings {
        collect(dialect, &[], key, value, &mut edits);
    }
    edits
}

fn collect(dialect: Dialect, parents: &[String], key: &str, value: &Value, edits: &mut Vec<Edit>) {
    let mut path = parents.to_vec();
    path.push(key.to_owned());
    let natural = NATURAL_KEYS.iter().find(|(list, _)| *list == key);
    match (value, natural) {
        (Value::Array(entries), Some((_, name))) => {
            for entry in entries {
                let Value::Object(spelled) = dialect.spell(key, entry) else {
                    continue;
                };
                if let Some(other) = same_names(key) {
                    let variable = entry.get(*name).and_then(Value::as_str);
                    edits.push(Edit::RemoveEntry {
                        list: vec![other.to_owned()],
                        key: (*name).to_owned(),
                        name: variable.unwrap_or_default().to_owned(),
                    });
                }
                edits.push(Edit::Upsert {
                    list: path.clone(),
                    key: (*name).to_owned(),
                    entry: spelled,
                });
            }
        }
        (Value::Array(members), None) if SETS.contains(&key) => {
            edits.push(Edit::Include(path, members.clone()));
        }
        (Value::Object(map), _) if function(value).is_none() => {
            for (inner, value) in map {
                collect(dialect, &path, inner, value, edits);
            }
        }
        _ => edits.push(Edit::Set(path, dialect.spell(key, value))),
    }
}

/// A variable is set once: as text, or from a secret.
fn same_names(list: &str) -> Option<&'static str> {
    match list {
        "environment" => Some("secrets"),
        "secrets" => Some("environment"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(settings: Value) -> Vec<Edit> {
        edits(Dialect::CloudFormation, settings.as_object().unwrap())
    }

    fn path(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    fn entry(list: &str, key: &str, entry: Value) -> Edit {
        Edit::Upsert {
            list: path(&[list]),
            key: key.to_owned(),
            entry: entry.as_object().unwrap().clone(),
        }
    }

    fn gone(list: &str, name: &str) -> Edit {
        Edit::RemoveEntry {
            list: path(&[list]),
            key: "name".to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn a_variable_is_set_once() {
        assert_eq!(
            of(json!({"environment": [{"name": "A", "value": "1"}]})),
            [
                gone("secrets", "A"),
                entry("environment", "name", json!({"Name": "A", "Value": "1"}))
            ]
        );
        assert_eq!(
            of(json!({"secrets": [{"name": "B", "valueFrom": "arn"}]})),
            [
                gone("environment", "B"),
                entry("secrets", "name", json!({"Name": "B", "ValueFrom": "arn"}))
            ]
        );
        assert_eq!(
            of(json!({"dependsOn": [{"containerName": "c", "condition": "START"}]})),
            [entry(
                "dependsOn",
                "containerName",
                json!({"ContainerName": "c", "Condition": "START"})
            )]
        );
    }

    #[test]
    fn sets_get_members_and_other_lists_are_replaced() {
        assert_eq!(
            of(json!({"linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"]}}})),
            [Edit::Include(
                path(&["linuxParameters", "capabilities", "add"]),
                vec![json!("SYS_PTRACE")]
            )]
        );
        assert_eq!(
            of(json!({"dnsServers": ["10.0.0.2"]})),
            [Edit::Set(path(&["dnsServers"]), json!(["10.0.0.2"]))]
        );
    }

    #[test]
    fn an_intrinsic_function_is_a_value() {
        let image = json!({"Fn::Sub": "${AWS::Region}/agent"});
        assert_eq!(
            of(json!({"logConfiguration": image})),
            [Edit::Set(path(&["logConfiguration"]), image)]
        );
        assert_eq!(
            of(json!({"logConfiguration": {"logDriver": "awslogs"}})),
            [Edit::Set(
                path(&["logConfiguration", "logDriver"]),
                json!("awslogs")
            )]
        );
    }
}
