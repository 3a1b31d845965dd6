//! How each kind of document spells the settings of a task definition.
//!
//! The library thinks in the spelling of the ECS API (camelCase, see
//! [`RegisterTaskDefinition`](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html)).
//! This is the only file that knows another one; [`terraform`] is the part of it for Terraform's
//! attributes and blocks. What is added is respelled; what was found is never touched.

pub mod terraform;

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::function;
use crate::source::{Path, Step};

/// A spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PascalCase, as in [`AWS::ECS::TaskDefinition`](https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-taskdefinition.html).
    CloudFormation,
    /// camelCase, as in the ECS API.
    Ecs,
    /// camelCase as well: what a plan holds is read as the ECS API spells it ([`terraform`]), because
    /// Terraform's container definitions are spelled so. Values may be unknown until apply.
    Terraform,
}

/// Names that differ by more than the case of the first letter: (object that holds it, ECS API, CloudFormation).
const IRREGULAR: &[(&str, &str, &str)] = &[
    (
        "volumes",
        "efsVolumeConfiguration",
        "EFSVolumeConfiguration",
    ),
    (
        "volumes",
        "fsxWindowsFileServerVolumeConfiguration",
        "FSxWindowsFileServerVolumeConfiguration",
    ),
    (
        "volumes",
        "s3filesVolumeConfiguration",
        "S3FilesVolumeConfiguration",
    ),
    ("efsVolumeConfiguration", "fileSystemId", "FilesystemId"),
    ("authorizationConfig", "iam", "IAM"),
    (
        "proxyConfiguration",
        "properties",
        "ProxyConfigurationProperties",
    ),
];

/// Objects whose keys belong to the user and are never respelled.
const USER_KEYS: &[&str] = &["dockerLabels", "options", "driverOpts", "labels"];

impl Dialect {
    /// Spells the canonical `key` of an object that is itself found under `parent`.
    pub(crate) fn key<'k>(self, parent: &str, key: &'k str) -> Cow<'k, str> {
        match self {
            _ if USER_KEYS.contains(&parent) => Cow::Borrowed(key),
            Dialect::Ecs | Dialect::Terraform => Cow::Borrowed(key),
            Dialect::CloudFormation => {
                let irregular = IRREGULAR
                    .iter()
                    .find(|(holder, ecs, _)| *holder == parent && *ecs == key);
                match irregular {
                    Some((_, _, cloudformation)) => Cow::Borrowed(cloudformation),
                    None => Cow::Owned(with_first(key, str::make_ascii_uppercase)),
                }
            }
        }
    }

    /// What a document of this spelling is called.
    pub(crate) fn document(self) -> &'static str {
        match self {
            Dialect::CloudFormation => "template",
            Dialect::Ecs => "task definition",
            Dialect::Terraform => "configuration",
        }
    }

    /// A query for the task definitions of a family, as an example.
    pub(crate) fn task_query(self) -> &'static str {
        match self {
            Dialect::CloudFormation => "$.Resources[?@.Properties.Family == 'api']",
            Dialect::Ecs => "$[?$.family == 'api']",
            Dialect::Terraform => "$.resource_changes[?@.change.after.family == 'api']",
        }
    }

    /// A query for the containers of a name, as an example.
    pub(crate) fn container_query(self) -> &'static str {
        match self {
            Dialect::CloudFormation => "$..ContainerDefinitions[?@.Name == 'app']",
            Dialect::Ecs => "$..containerDefinitions[?@.name == 'app']",
            Dialect::Terraform => "$..container_definitions[?@.name == 'app']",
        }
    }

    /// What queries see of a document of this spelling.
    pub fn queried(self) -> String {
        let sees = match self {
            Dialect::CloudFormation => {
                "one task definition at a time, as the document spells it, with short forms written long"
            }
            Dialect::Ecs => "the task definition itself, as ECS spells it",
            Dialect::Terraform => "one task definition at a time, as the plan has it",
        };
        let (task, container) = (self.task_query(), self.container_query());
        format!("a query sees {sees}: as in `{task}` or `{container}`")
    }

    /// Whether values may be intrinsic functions. Elsewhere an object with one key `Ref` is just that.
    pub(crate) fn has_functions(self) -> bool {
        self == Dialect::CloudFormation
    }

    /// A call of an intrinsic function: its name and its argument. An unknown value of a plan is one.
    pub(crate) fn function(self, value: &Value) -> Option<(&str, &Value)> {
        match self {
            Dialect::CloudFormation => function(value),
            Dialect::Terraform => function(value).filter(|_| terraform::is_unknown(value)),
            Dialect::Ecs => None,
        }
    }

    /// A setting of the task definition as a person finds it in the document.
    pub(crate) fn shown(self, key: &str) -> Cow<'_, str> {
        match self {
            Dialect::Terraform => Cow::Owned(terraform::attribute(key).to_owned()),
            _ => Cow::Owned(self.key("", key).into_owned()),
        }
    }

    /// The value of the canonical `key` in an object where no name is irregular.
    pub(crate) fn find<'m>(self, map: &'m Map<String, Value>, key: &str) -> Option<&'m Value> {
        match self {
            Dialect::Ecs | Dialect::Terraform => map.get(key),
            // Objects are small: comparing spellings is faster than making one.
            Dialect::CloudFormation => map
                .iter()
                .find(|(found, _)| is_capitalised(key, found))
                .map(|(_, value)| value),
        }
    }

    /// Whether `found` is how the canonical `key` is spelled in an object where no name is irregular.
    pub(crate) fn is_spelled(self, key: &str, found: &str) -> bool {
        match self {
            Dialect::Ecs | Dialect::Terraform => key == found,
            Dialect::CloudFormation => is_capitalised(key, found),
        }
    }

    /// The canonical spelling of a `key` found in an object under the canonical `parent`.
    pub(crate) fn canonical_key<'k>(self, parent: &str, key: &'k str) -> Cow<'k, str> {
        match self {
            _ if USER_KEYS.contains(&parent) => Cow::Borrowed(key),
            Dialect::Ecs | Dialect::Terraform => Cow::Borrowed(key),
            Dialect::CloudFormation => {
                let irregular = IRREGULAR
                    .iter()
                    .find(|(holder, _, cfn)| *holder == parent && *cfn == key);
                match irregular {
                    Some((_, ecs, _)) => Cow::Borrowed(ecs),
                    None => Cow::Owned(with_first(key, str::make_ascii_lowercase)),
                }
            }
        }
    }

    /// Spells a canonical `value` that stands under the canonical key `parent`.
    ///
    /// Intrinsic functions and objects with the user's own keys are kept as they are.
    pub(crate) fn spell(self, parent: &str, value: &Value) -> Value {
        respell(parent, value, &|holder, key| {
            let spelled = self.key(holder, key).into_owned();
            (spelled, key.to_owned())
        })
    }

    /// Brings a `value` of this dialect, found under the canonical key `parent`, into canonical spelling.
    pub(crate) fn canonical(self, parent: &str, value: &Value) -> Value {
        respell(parent, value, &|holder, key| {
            let canonical = self.canonical_key(holder, key).into_owned();
            (canonical.clone(), canonical)
        })
    }
}

/// The places below an object of the ECS API that look like an intrinsic function, each with its name.
/// Objects with the user's own keys hold none, whatever their keys are.
pub(crate) fn functions_in(map: &Map<String, Value>) -> Vec<(Path, String)> {
    let mut found = Vec::new();
    for (key, value) in map {
        collect_functions(key, value, &mut vec![Step::Key(key.clone())], &mut found);
    }
    found
}

fn collect_functions(
    parent: &str,
    value: &Value,
    path: &mut Path,
    found: &mut Vec<(Path, String)>,
) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Step::Index(index));
                collect_functions(parent, item, path, found);
                path.pop();
            }
        }
        Value::Object(_) if USER_KEYS.contains(&parent) => {}
        Value::Object(map) => match function(value) {
            Some((name, _)) => found.push((path.clone(), name.to_owned())),
            None => {
                for (key, item) in map {
                    path.push(Step::Key(key.clone()));
                    collect_functions(key, item, path, found);
                    path.pop();
                }
            }
        },
        _ => {}
    }
}

/// Respells keys by `rename`, which gives the new key and its canonical form.
fn respell(parent: &str, value: &Value, rename: &dyn Fn(&str, &str) -> (String, String)) -> Value {
    match value {
        Value::Array(items) => items
            .iter()
            .map(|item| respell(parent, item, rename))
            .collect(),
        Value::Object(map) => match single_function(map) {
            Some((name, argument)) => {
                let mut kept = Map::new();
                kept.insert(
                    name.to_owned(),
                    respell_function(parent, name, argument, rename),
                );
                Value::Object(kept)
            }
            None if USER_KEYS.contains(&parent) => value.clone(),
            None => map
                .iter()
                .map(|(key, item)| {
                    let (spelled, canonical) = rename(parent, key);
                    (spelled, respell(&canonical, item, rename))
                })
                .collect::<Map<_, _>>()
                .into(),
        },
        other => other.clone(),
    }
}

/// The branches of `Fn::If` are values of the same place; other arguments are not ours to spell.
fn respell_function(
    parent: &str,
    name: &str,
    argument: &Value,
    rename: &dyn Fn(&str, &str) -> (String, String),
) -> Value {
    match (name, argument) {
        ("Fn::If", Value::Array(items)) => items
            .iter()
            .map(|item| respell(parent, item, rename))
            .collect(),
        _ => argument.clone(),
    }
}

fn single_function(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut entries = map.iter();
    match (entries.next(), entries.next()) {
        (Some((name, argument)), None) if name == "Ref" || name.starts_with("Fn::") => {
            Some((name, argument))
        }
        _ => None,
    }
}

/// Whether `found` is `key` with its first letter in upper case.
fn is_capitalised(key: &str, found: &str) -> bool {
    let (key, found) = (key.as_bytes(), found.as_bytes());
    match (key.split_first(), found.split_first()) {
        (Some((key, rest)), Some((found, others))) => {
            key.to_ascii_uppercase() == *found && rest == others
        }
        _ => false,
    }
}

fn with_first(key: &str, change: fn(&mut str)) -> String {
    let mut changed = key.to_owned();
    if let Some(first) = changed.get_mut(..1) {
        change(first);
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_of_the_user_keep_their_spelling() {
        let dialect = Dialect::CloudFormation;
        assert_eq!(dialect.key("dockerLabels", "team"), "team");
        assert_eq!(dialect.key("", "team"), "Team");
        assert_eq!(dialect.canonical_key("dockerLabels", "Team"), "Team");
        assert_eq!(dialect.canonical_key("", "Team"), "team");
        let labels = json!({"dockerLabels": {"team": {"inner": 1}}});
        assert_eq!(
            dialect.spell("", &labels),
            json!({"DockerLabels": {"team": {"inner": 1}}})
        );
    }

    #[test]
    fn what_looks_like_a_function_is_found_but_not_among_the_users_keys() {
        let task = json!({
            "family": {"Ref": "X"},
            "command": ["a", {"Fn::Sub": "b"}],
            "dockerLabels": {"Ref": "mine"}
        });
        let found = functions_in(task.as_object().unwrap());
        let key = |name: &str| Step::Key(name.to_owned());
        assert_eq!(
            found,
            [
                (vec![key("family")], "Ref".to_owned()),
                (vec![key("command"), Step::Index(1)], "Fn::Sub".to_owned())
            ]
        );
    }

    #[test]
    fn a_document_has_a_name() {
        assert_eq!(Dialect::CloudFormation.document(), "template");
        assert_eq!(Dialect::Ecs.document(), "task definition");
    }

    #[test]
    fn a_setting_is_found_in_its_own_spelling() {
        let both = json!({"Image": 1, "image": 2});
        let map = both.as_object().unwrap();
        assert_eq!(
            Dialect::CloudFormation.find(map, "image"),
            Some(&Value::from(1))
        );
        assert_eq!(Dialect::Ecs.find(map, "image"), Some(&Value::from(2)));
        assert_eq!(Dialect::CloudFormation.find(map, "user"), None);
    }

    #[test]
    fn irregular_names_and_user_keys_survive_a_round_trip() {
        let canonical = json!({
            "containerDefinitions": [{
                "name": "app",
                "dockerLabels": {"com.example.Team": "a", "lower": "b"},
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g"}},
                "entryPoint": [{"Ref": "Program"}, {"Fn::If": ["C", "a", "b"]}],
                "linuxParameters": {"Fn::If": ["C", {"capabilities": {"add": ["SYS_PTRACE"]}}, {"Ref": "AWS::NoValue"}]}
            }],
            "volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "authorizationConfig": {"iam": "ENABLED"}}}],
            "proxyConfiguration": {"properties": [{"name": "a", "value": "b"}]}
        });
        let spelled = Dialect::CloudFormation.spell("", &canonical);
        assert_eq!(
            spelled,
            json!({
                "ContainerDefinitions": [{
                    "Name": "app",
                    "DockerLabels": {"com.example.Team": "a", "lower": "b"},
                    "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-group": "g"}},
                    "EntryPoint": [{"Ref": "Program"}, {"Fn::If": ["C", "a", "b"]}],
                    "LinuxParameters": {"Fn::If": ["C", {"Capabilities": {"Add": ["SYS_PTRACE"]}}, {"Ref": "AWS::NoValue"}]}
                }],
                "Volumes": [{"Name": "v", "EFSVolumeConfiguration": {"FilesystemId": "fs-1", "AuthorizationConfig": {"IAM": "ENABLED"}}}],
                "ProxyConfiguration": {"ProxyConfigurationProperties": [{"Name": "a", "Value": "b"}]}
            })
        );
        assert_eq!(Dialect::CloudFormation.canonical("", &spelled), canonical);
    }
}
