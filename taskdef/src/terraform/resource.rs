//! A task definition of a plan as an instance of a resource.

use serde_json::{Map, Value};

use crate::dialect::terraform::is_unknown;

use super::task::PlannedTask;

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
            sensitive: task.sensitive,
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
        self.task
            .get("containerDefinitions")
            .is_some_and(is_unknown)
    }

    /// A setting of the task definition that the plan knows, as the ECS API spells it.
    pub fn setting(&self, key: &str) -> Option<&'p Value> {
        self.task.get(key).filter(|value| !is_unknown(value))
    }
}
