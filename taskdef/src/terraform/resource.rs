//! A task definition of a plan as an instance of a resource.

use serde_json::{Map, Value};

use crate::dialect::terraform::{CONTAINER_DEFINITIONS, attribute, is_unknown};

use super::task::{PlannedTask, Sensitive};

/// An instance of a resource `aws_ecs_task_definition`.
#[derive(Clone)]
pub struct PlannedResource<'p> {
    /// Its resource address.
    pub address: &'p str,
    /// The address of its module, with keys; empty for the root module.
    pub module: &'p str,
    /// The name of the resource in its module.
    pub name: &'p str,
    /// Its key: a number with `count`, a text with `for_each`.
    pub key: Option<Value>,
    /// Whether something of it is a sensitive value.
    pub sensitive: bool,
    /// What of it is sensitive.
    marks: &'p Sensitive,
    /// The task definition as the ECS API spells it.
    task: &'p Map<String, Value>,
}

impl<'p> PlannedResource<'p> {
    pub(super) fn of(task: &'p PlannedTask<'_>) -> PlannedResource<'p> {
        PlannedResource {
            address: &task.address,
            module: &task.module,
            name: &task.name,
            key: task.index.and_then(|key| serde_json::from_str(key).ok()),
            sensitive: task.sensitive.any(),
            marks: &task.sensitive,
            task: &task.canonical,
        }
    }

    /// Its module without keys, as the names of the calls that lead to it; none for the root module.
    pub fn calls(&self) -> Vec<String> {
        let address = super::configuration::without_keys(self.module);
        let mut words = address.split('.');
        let mut calls = Vec::new();
        while let (Some("module"), Some(name)) = (words.next(), words.next()) {
            calls.push(name.to_owned());
        }
        calls
    }

    /// Whether its container definitions are known only after apply.
    pub fn is_unknown(&self) -> bool {
        self.waits_for("containerDefinitions")
    }

    /// Whether a setting, as the ECS API spells it, is known only after apply.
    pub fn waits_for(&self, key: &str) -> bool {
        self.task.get(key).is_some_and(is_unknown)
    }

    /// Whether its container definitions hold sensitive values.
    pub fn has_sensitive_containers(&self) -> bool {
        self.marks.has(CONTAINER_DEFINITIONS)
    }

    /// The settings that hold sensitive values, as far as the plan knows them.
    pub fn sensitive_settings(&self) -> impl Iterator<Item = &'p Value> {
        let (marks, settings) = (self.marks, self.task.iter());
        let known = settings.filter(|(_, value)| !is_unknown(value));
        let sensitive = known.filter(|(key, _)| marks.has(attribute(key)));
        sensitive.map(|(_, value)| value)
    }

    /// A setting of the task definition that the plan knows, as the ECS API spells it.
    pub fn setting(&self, key: &str) -> Option<&'p Value> {
        self.task.get(key).filter(|value| !is_unknown(value))
    }
}
