//! Where resources of a template run a task definition: the launch types and capacity providers that they state.

use serde_json::Value;

use super::intrinsic::{as_if, function, is_no_value};
use super::template::Template;

/// What one resource says about where a task definition runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Runs {
    /// On Fargate.
    OnFargate,
    /// Elsewhere, by this launch type or capacity provider.
    Elsewhere(String),
}

/// What the resources of a document say about where the task definition `id` runs; nothing where it is not known.
pub(crate) fn runs(others: &[&Value], id: &str, template: &Template<'_>) -> Vec<Runs> {
    let mut found = Vec::new();
    for resource in others {
        each_launch(resource, &mut |target, place| {
            if refers_to(target, id) {
                found.extend(stated(place, others, template));
            }
        });
    }
    found
}

/// Something that runs a task definition on a platform version of Fargate below 1.4.0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OldPlatform<'d> {
    target: &'d Value,
    /// The platform version.
    pub(crate) version: &'d str,
}

impl OldPlatform<'_> {
    /// Whether it runs the task definition `id`.
    pub(crate) fn runs(&self, id: &str) -> bool {
        refers_to(self.target, id)
    }
}

/// The places of a document that state a platform version below 1.4.0.
pub(crate) fn old_platforms<'d>(others: &[&'d Value]) -> Vec<OldPlatform<'d>> {
    let mut found = Vec::new();
    for resource in others {
        each_launch(resource, &mut |target, place| {
            each_item(place.get("PlatformVersion"), &mut |version| {
                if let Some(version) = version.as_str().filter(|version| is_old(version)) {
                    found.push(OldPlatform { target, version });
                }
            });
        });
    }
    found
}

/// Whether a platform version is known to be below 1.4.0.
pub(crate) fn is_old(version: &str) -> bool {
    let parts: Option<Vec<u32>> = version.split('.').map(|part| part.parse().ok()).collect();
    parts.is_some_and(|parts| parts.as_slice() < [1, 4].as_slice())
}

/// Visits each place where a resource runs a task definition: what refers to it, and what says how.
///
/// Looks at services, task sets, scheduled rules, schedules and pipes.
fn each_launch<'d>(resource: &'d Value, visit: &mut dyn FnMut(&'d Value, &'d Value)) {
    let Some(properties) = resource.get("Properties") else {
        return;
    };
    let mut place = |place: &'d Value, key: &str| {
        if let Some(target) = place.get(key) {
            visit(target, place);
        }
    };
    match resource.get("Type").and_then(Value::as_str) {
        Some("AWS::ECS::Service" | "AWS::ECS::TaskSet") => place(properties, "TaskDefinition"),
        Some("AWS::Events::Rule") => {
            each_item(properties.get("Targets"), &mut |target| {
                each_item(target.get("EcsParameters"), &mut |parameters| {
                    place(parameters, "TaskDefinitionArn");
                });
            });
        }
        Some("AWS::Scheduler::Schedule") => {
            let parameters = properties.pointer("/Target/EcsParameters");
            each_item(parameters, &mut |parameters| {
                place(parameters, "TaskDefinitionArn");
            });
        }
        Some("AWS::Pipes::Pipe") => {
            let parameters = properties.pointer("/TargetParameters/EcsTaskParameters");
            each_item(parameters, &mut |parameters| {
                place(parameters, "TaskDefinitionArn");
            });
        }
        _ => {}
    }
}

/// Launch type or capacity providers of a place that runs tasks.
fn stated(place: &Value, others: &[&Value], template: &Template<'_>) -> Vec<Runs> {
    let mut found = Vec::new();
    each_item(place.get("LaunchType"), &mut |kind| match kind.as_str() {
        Some("FARGATE") => found.push(Runs::OnFargate),
        Some(kind) => found.push(Runs::Elsewhere(format!("the launch type `{kind}`"))),
        None => {}
    });
    each_item(place.get("CapacityProviderStrategy"), &mut |item| {
        each_item(item.get("CapacityProvider"), &mut |provider| {
            found.extend(by_provider(provider, others, template));
        });
    });
    found
}

/// The capacity providers of Fargate have reserved names; every other one brings instances.
fn by_provider(provider: &Value, others: &[&Value], template: &Template<'_>) -> Option<Runs> {
    let makes_providers = |name: &str| {
        let is_one = |resource: &&Value| {
            resource.get("Type").and_then(Value::as_str) == Some("AWS::ECS::CapacityProvider")
        };
        template.parameter(name).is_none() && others.iter().any(is_one)
    };
    let elsewhere = |name: &str| Some(Runs::Elsewhere(format!("the capacity provider `{name}`")));
    match (provider, function(provider)) {
        (Value::String(name), _) if matches!(name.as_str(), "FARGATE" | "FARGATE_SPOT") => {
            Some(Runs::OnFargate)
        }
        (Value::String(name), _) if !name.contains(['$', '&', '{']) => elsewhere(name),
        // A parameter could be anything; what the template itself makes brings instances.
        (_, Some(("Ref", Value::String(name)))) if makes_providers(name) => elsewhere(name),
        _ => None,
    }
}

/// Visits a value or the items of a list, looking into `Fn::If`.
fn each_item<'v>(value: Option<&'v Value>, visit: &mut dyn FnMut(&'v Value)) {
    let Some(value) = value else { return };
    match (as_if(value), value) {
        (Some((_, yes, no)), _) => {
            each_item(Some(yes), visit);
            each_item(Some(no), visit);
        }
        (None, Value::Array(items)) => items.iter().for_each(|item| each_item(Some(item), visit)),
        (None, other) if is_no_value(other) => {}
        (None, other) => visit(other),
    }
}

/// Whether a value is made of a reference to the resource `id`.
fn refers_to(target: &Value, id: &str) -> bool {
    match (function(target), target) {
        (Some(("Ref", Value::String(name))), _) => name == id,
        (Some(("Fn::GetAtt", Value::Array(items))), _) => {
            items.first().and_then(Value::as_str) == Some(id)
        }
        (Some(("Fn::Sub", Value::String(text))), _) => names(text, id),
        (Some(("Fn::Sub", Value::Array(items))), _) => {
            let text = items.first().and_then(Value::as_str);
            text.is_some_and(|text| names(text, id))
                || items
                    .get(1)
                    .is_some_and(|variables| refers_to(variables, id))
        }
        (_, Value::Array(items)) => items.iter().any(|item| refers_to(item, id)),
        (_, Value::Object(map)) => map.values().any(|item| refers_to(item, id)),
        _ => false,
    }
}

fn names(text: &str, id: &str) -> bool {
    text.contains(&format!("${{{id}}}")) || text.contains(&format!("${{{id}."))
}
