//! The provider.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value as Json};
use taskdef::dialect;

use crate::config::{self, Config};
use crate::instrument::{Instrumented, Wrong, definitions_alone, instrument};
use crate::network::Network;
use crate::problem::{Problem, told};
use crate::protocol::schema::Schemas;
use crate::protocol::{Diagnostic, FunctionError, Provider, Type, Value};
use crate::schemas::{self, CONTAINER_DEFINITIONS, IMAGES, INSTRUMENT, INSTRUMENT_TASK, LOCK};
use crate::{images, task};

/// The provider `outrigger`.
#[derive(Debug, Default)]
pub struct Outrigger {
    network: Mutex<Network>,
}

impl Provider for Outrigger {
    fn schemas(&self) -> Schemas {
        schemas::schemas()
    }

    fn validate(&self, config: &Value) -> Vec<Diagnostic> {
        Network::read(config).err().unwrap_or_default()
    }

    fn configure(&self, config: &Value) -> Vec<Diagnostic> {
        match Network::read(config) {
            Ok(network) => {
                *self.network.lock().unwrap_or_else(PoisonError::into_inner) = network;
                Vec::new()
            }
            Err(found) => found,
        }
    }

    fn validate_data_source(&self, data_source: &str, config: &Value) -> Vec<Diagnostic> {
        match data_source {
            IMAGES => images::requests(config).err().unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    async fn read_data_source(
        &self,
        data_source: &str,
        config: Value,
    ) -> Result<Value, Vec<Diagnostic>> {
        let network = self
            .network
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match data_source {
            IMAGES => images::asked(config, &network).await,
            LOCK => images::locked(config),
            other => Err(vec![Diagnostic::general(format!(
                "there is no data source `{other}`"
            ))]),
        }
    }

    fn call(&self, function: &str, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let json: Option<Vec<Json>> = arguments.iter().map(Value::to_json).collect();
        let json = json.unwrap_or_default();
        match (function, json.as_slice()) {
            (INSTRUMENT, [Json::String(definitions), task, config]) => {
                let places = Places {
                    definitions: 0,
                    task: 1,
                    config: 2,
                };
                let (task, config) = places.read(task, config)?;
                let instrumented = instrument(definitions, &task, &config);
                let definitions = instrumented.and_then(definitions_alone);
                let definitions = definitions.map_err(|wrong| places.of(&wrong))?;
                Ok(Value::String(definitions))
            }
            (INSTRUMENT_TASK, [task, config]) => whole(task, config),
            _ => Err(FunctionError {
                text: format!("`{function}` is not called so"),
                argument: None,
            }),
        }
    }
}

/// Which argument of a function is which.
#[derive(Clone, Copy)]
struct Places {
    definitions: usize,
    task: usize,
    config: usize,
}

impl Places {
    fn read(
        self,
        task: &Json,
        config: &Json,
    ) -> Result<(Map<String, Json>, Config), FunctionError> {
        let task = task::read(task).map_err(|problems| self.of(&Wrong::Task(problems)))?;
        let config = config::read(config).map_err(|problems| self.of(&Wrong::Config(problems)))?;
        Ok((task, config))
    }

    fn of(self, wrong: &Wrong) -> FunctionError {
        let (place, problems) = match wrong {
            Wrong::Definitions(problems) => (self.definitions, problems),
            Wrong::Task(problems) => (self.task, problems),
            Wrong::Config(problems) => (self.config, problems),
        };
        FunctionError::argument(place, told(problems))
    }
}

/// `instrument_task`
fn whole(task: &Json, config: &Json) -> Result<Value, FunctionError> {
    let places = Places {
        definitions: 0,
        task: 0,
        config: 1,
    };
    let wrong = |message: &str| {
        places.of(&Wrong::Task(vec![Problem::new(message.to_owned()).hint(
            "give what the resource says, with `container_definitions = jsonencode([...])`",
        )]))
    };
    let mut given = task
        .as_object()
        .cloned()
        .ok_or_else(|| wrong("`task` is no object"))?;
    let definitions = given.shift_remove(CONTAINER_DEFINITIONS);
    let definitions = definitions.as_ref().and_then(Json::as_str);
    let definitions =
        definitions.ok_or_else(|| wrong("`task.container_definitions` is no text"))?;
    let (task, config) = places.read(&Json::Object(given), config)?;
    let instrumented = instrument(definitions, &task, &config);
    let result = instrumented.and_then(|instrumented| terraform(&instrumented));
    result.map_err(|wrong| places.of(&wrong))
}

/// The task definition as `instrument_task` returns it.
fn terraform(instrumented: &Instrumented) -> Result<Value, Wrong> {
    let mut attributes = BTreeMap::new();
    let Type::Object(known) = schemas::task() else {
        return Ok(Value::Object(attributes));
    };
    let asked = instrumented.changed.iter();
    let lost = asked.filter(|setting| !known.contains_key(task::name(setting)));
    let lost: Vec<Problem> = lost.map(|setting| not_returned(setting)).collect();
    if !lost.is_empty() {
        return Err(Wrong::Task(lost));
    }
    let made = dialect::terraform::attributes(&instrumented.task);
    for name in known.into_keys() {
        let value = match name.as_str() {
            CONTAINER_DEFINITIONS => Value::string(&instrumented.definitions),
            task::VOLUMES => volumes(made.get("volume")),
            name => text(made.get(name)),
        };
        attributes.insert(name, value);
    }
    Ok(Value::Object(attributes))
}

fn not_returned(setting: &str) -> Problem {
    let problem = Problem::new(format!(
        "the recipe asks for `{setting}` of the task, which this function does not return"
    ));
    problem.hint("state it in the resource")
}

fn text(value: Option<&Json>) -> Value {
    match value.and_then(Json::as_str) {
        Some(text) => Value::string(text),
        None => Value::Null,
    }
}

/// Blocks `volume`, as much of them as is returned.
fn volumes(blocks: Option<&Json>) -> Value {
    let blocks = blocks.and_then(Json::as_array).into_iter().flatten();
    let volumes = blocks.map(|block| {
        let member = |name| (name, text(block.get(name)));
        Value::object(["name", "host_path"].map(member))
    });
    Value::List(volumes.collect())
}
