//! Resources of a plan that run task definitions, and where: services, task sets, rules,
//! schedules and pipes.
//!
//! Each is brought into the form of the CloudFormation resource that says the same, so that one
//! piece of code decides what it means (`cloudformation::launch`).

use serde_json::{Map, Value, json};

use super::configuration::References;
use super::json::Object;
use super::task::{Header, PlannedTask};

/// Where a kind of resource says what it runs: the blocks on the way, and the attribute.
const RUNNERS: &[(&str, &[&str], &str)] = &[
    ("aws_ecs_service", &[], "task_definition"),
    ("aws_ecs_task_set", &[], "task_definition"),
    (
        "aws_cloudwatch_event_target",
        &["ecs_target"],
        "task_definition_arn",
    ),
    (
        "aws_scheduler_schedule",
        &["target", "ecs_parameters"],
        "task_definition_arn",
    ),
    (
        "aws_pipes_pipe",
        &["target_parameters", "ecs_task_parameters"],
        "task_definition_arn",
    ),
];

/// Whether a resource of this type runs task definitions.
pub(super) fn runs_tasks(kind: &str) -> bool {
    RUNNERS.iter().any(|(known, _, _)| *known == kind)
}

/// A resource that may run task definitions, and its element in `resource_changes`.
pub(super) struct Runner<'t> {
    pub(super) header: Header<'t>,
    pub(super) element: &'t str,
}

impl Runner<'_> {
    /// The CloudFormation resources that say the same of the task definitions that it runs.
    pub(super) fn resources(
        &self,
        tasks: &[PlannedTask<'_>],
        references: &References,
    ) -> Vec<Value> {
        let mut resources = Vec::new();
        let known = RUNNERS
            .iter()
            .find(|(kind, _, _)| *kind == self.header.kind);
        let after = Object::read(self.element)
            .and_then(|element| element.object("change"))
            .and_then(|change| serde_json::from_str::<Value>(change.get("after")?).ok());
        if let (Some((_, blocks, attribute)), Some(after)) = (known, after) {
            each_block(&after, blocks, &mut |place| {
                for address in self.targets(place.get(*attribute), tasks, references) {
                    resources.push(resource(place, address));
                }
            });
        }
        resources
    }

    /// The addresses of the task definitions that it runs, as far as the plan shows.
    fn targets<'p>(
        &self,
        stated: Option<&Value>,
        tasks: &'p [PlannedTask<'_>],
        references: &References,
    ) -> Vec<&'p str> {
        let addresses = |meant: &dyn Fn(&PlannedTask<'_>) -> bool| -> Vec<&'p str> {
            let meant = tasks.iter().filter(|task| meant(task));
            meant.map(|task| task.address.as_ref()).collect()
        };
        if let Some(Value::String(text)) = stated {
            let named = addresses(&|task| task.names.contains(text));
            if !named.is_empty() {
                return named;
            }
        }
        let module = self.header.module_address.as_deref().unwrap_or_default();
        let resource = format!("{}.{}", self.header.kind, self.header.name);
        let names: Vec<&str> = references.of(module, &resource).collect();
        let index = self.header.index.map(|index| index.get());
        let is_meant =
            |task: &PlannedTask<'_>| task.module == module && names.contains(&task.name.as_str());
        // The instance with the same key, where there is one.
        let same = addresses(&|task| is_meant(task) && task.index.is_some() && task.index == index);
        match same.is_empty() {
            true => addresses(&is_meant),
            false => same,
        }
    }
}

/// Visits a place, or each of the blocks at the end of the way to it.
fn each_block<'v>(value: &'v Value, blocks: &[&str], visit: &mut dyn FnMut(&'v Value)) {
    match blocks.split_first() {
        None => visit(value),
        Some((block, rest)) => {
            let items = value.get(*block).and_then(Value::as_array);
            items
                .into_iter()
                .flatten()
                .for_each(|item| each_block(item, rest, visit));
        }
    }
}

fn resource(place: &Value, address: &str) -> Value {
    let mut properties = Map::new();
    properties.insert("TaskDefinition".to_owned(), json!({"Ref": address}));
    for (attribute, property) in [
        ("launch_type", "LaunchType"),
        ("platform_version", "PlatformVersion"),
    ] {
        if let Some(text) = place
            .get(attribute)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
        {
            properties.insert(property.to_owned(), Value::from(text));
        }
    }
    let strategy = place
        .get("capacity_provider_strategy")
        .and_then(Value::as_array);
    let providers = strategy.into_iter().flatten();
    let providers = providers.filter_map(|item| item.get("capacity_provider")?.as_str());
    let providers: Vec<Value> = providers
        .map(|provider| json!({"CapacityProvider": provider}))
        .collect();
    if !providers.is_empty() {
        properties.insert(
            "CapacityProviderStrategy".to_owned(),
            Value::Array(providers),
        );
    }
    json!({"Type": "AWS::ECS::Service", "Properties": properties})
}
