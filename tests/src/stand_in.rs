//! A stand-in for the provider of AWS: real Terraform plans and applies with it, and nothing
//! leaves the machine. What it makes exists in Terraform's state alone.
//!
//! It does what a plan shows of
//! [`aws_ecs_task_definition`](https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/ecs_task_definition)
//! in the real one: container definitions that mean the same are no change, any other change makes
//! a new task definition, and after the apply they stand as ECS gives them back.

mod container_definitions;
mod resource;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tf_provider::protocol::schema::{Attribute, Block, Mode, Resource as Schema, Schemas};
use tf_provider::protocol::{Diagnostic, Planned, Provider, Step, Type, Value};

use container_definitions::{normalised, registered, same};
use resource::{ACCOUNT, Resource, resources};

/// The stand-in.
#[derive(Debug, Default)]
pub struct StandIn {
    configuration: Mutex<Configuration>,
}

#[derive(Debug, Default)]
struct Configuration {
    region: Option<String>,
    drift: Option<BTreeMap<String, Value>>,
}

impl StandIn {
    fn region(&self) -> String {
        let configuration = self.configuration.lock();
        let configuration = configuration.unwrap_or_else(PoisonError::into_inner);
        configuration
            .region
            .clone()
            .unwrap_or("eu-west-1".to_owned())
    }
}

impl Provider for StandIn {
    fn schemas(&self) -> Schemas {
        let optional = |name, kind, text| Attribute::new(name, kind, Mode::Optional, text);
        Schemas {
            provider: Block {
                attributes: vec![
                    optional("region", Type::String, "where everything is"),
                    optional(
                        "drift",
                        Type::map(Type::String),
                        "tags that somebody has given all resources meanwhile",
                    ),
                ],
                ..Block::default()
            },
            resources: resources()
                .into_iter()
                .map(|resource| {
                    let schema = Schema {
                        version: resource.version,
                        block: resource.block.clone(),
                    };
                    (resource.name.to_owned(), schema)
                })
                .collect(),
            ..Schemas::default()
        }
    }

    fn has_legacy_types(&self) -> bool {
        true
    }

    fn configure(&self, config: &Value) -> Vec<Diagnostic> {
        let configuration = self.configuration.lock();
        let mut configuration = configuration.unwrap_or_else(PoisonError::into_inner);
        configuration.region = config.get("region").as_str().map(str::to_owned);
        configuration.drift = match config.get("drift") {
            Value::Object(tags) => Some(tags.clone()),
            _ => None,
        };
        Vec::new()
    }

    fn validate_resource(&self, _resource: &str, config: &Value) -> Vec<Diagnostic> {
        let definitions = config.get("container_definitions").as_str();
        match definitions.map(normalised) {
            Some(Err(error)) => vec![Diagnostic::error(
                "container_definitions",
                "ECS Task Definition container_definitions is invalid".to_owned(),
                error,
            )],
            _ => Vec::new(),
        }
    }

    fn plan(
        &self,
        resource: &str,
        prior: &Value,
        proposed: Value,
        _config: &Value,
    ) -> Result<Planned, Vec<Diagnostic>> {
        let Value::Object(mut planned) = proposed else {
            return Ok(Planned::default());
        };
        let resource = named(resource)?;
        resource.give_defaults(&mut planned, &self.region());
        if let Some(definitions) = planned.get_mut("container_definitions") {
            plan_definitions(definitions, prior.get("container_definitions"))?;
        }
        let tags = planned.get("tags").cloned().unwrap_or_default();
        let tags = match tags {
            Value::Null => Value::Object(BTreeMap::new()),
            tags => tags,
        };
        planned.insert("tags_all".to_owned(), tags);
        let changed = |name: &&&str| {
            let planned = planned.get(**name).unwrap_or(&Value::Null);
            !prior.is_null() && planned != prior.get(name)
        };
        let forces_new = resource.forces_new.iter();
        let replaced: Vec<&str> = forces_new.filter(changed).copied().collect();
        if prior.is_null() || !replaced.is_empty() {
            for name in &resource.made_by_aws {
                if !resource.is_given(name, &planned, prior) {
                    planned.insert((*name).to_owned(), Value::Unknown);
                }
            }
        }
        Ok(Planned {
            state: Value::Object(planned),
            requires_replace: replaced
                .into_iter()
                .map(|name| vec![Step::Attribute(name.to_owned())])
                .collect(),
        })
    }

    fn apply(
        &self,
        resource: &str,
        _prior: &Value,
        planned: Value,
    ) -> Result<Value, Vec<Diagnostic>> {
        let Value::Object(mut made) = planned else {
            return Ok(Value::Null);
        };
        if let Some(Value::String(definitions)) = made.get_mut("container_definitions") {
            *definitions = registered(definitions).map_err(|error| invalid(&error))?;
        }
        named(resource)?.make(&mut made, &self.region());
        Ok(Value::Object(made))
    }

    fn read(&self, _resource: &str, state: Value) -> Result<Value, Vec<Diagnostic>> {
        let configuration = self.configuration.lock();
        let configuration = configuration.unwrap_or_else(PoisonError::into_inner);
        match (state, &configuration.drift) {
            (Value::Object(mut state), Some(drift)) => {
                for name in ["tags", "tags_all"] {
                    state.insert(name.to_owned(), Value::Object(drift.clone()));
                }
                Ok(Value::Object(state))
            }
            (state, _) => Ok(state),
        }
    }
}

/// Definitions that mean the same as those that are there are those that are there.
fn plan_definitions(planned: &mut Value, prior: &Value) -> Result<(), Vec<Diagnostic>> {
    let Value::String(text) = planned else {
        return Ok(());
    };
    let normal = normalised(text).map_err(|error| invalid(&error))?;
    *text = match prior.as_str() {
        Some(prior) if same(prior, &normal) => prior.to_owned(),
        _ => normal,
    };
    Ok(())
}

fn invalid(error: &str) -> Vec<Diagnostic> {
    vec![Diagnostic::error(
        "container_definitions",
        "invalid container definitions".to_owned(),
        error.to_owned(),
    )]
}

fn named(name: &str) -> Result<Resource, Vec<Diagnostic>> {
    let mut all = resources().into_iter();
    let resource = all.find(|resource| resource.name == name);
    resource.ok_or_else(|| {
        vec![Diagnostic::general(format!(
            "no resource {name} in account {ACCOUNT}"
        ))]
    })
}
