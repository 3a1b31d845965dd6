//! The calls of the service `tfplugin6.Provider`: from messages to the provider's values and back.

use std::collections::BTreeMap;

use prost::Message;
use tokio::sync::Notify;

use super::diagnostic::{Diagnostic, path};
use super::grpc::Status;
use super::messages::{self as m, DynamicValue};
use super::msgpack::{decode, encode};
use super::provider::Provider;
use super::schema::Schemas;
use super::types::Type;
use super::value::Value;

/// A provider, with what is known of it.
pub(crate) struct Calls<P> {
    provider: P,
    schemas: Schemas,
    configuration: Type,
    resources: BTreeMap<String, Type>,
    data_sources: BTreeMap<String, Type>,
    stopped: Notify,
}

/// The bytes of a response.
type Answer = Result<Vec<u8>, Status>;

impl<P: Provider> Calls<P> {
    pub(crate) fn new(provider: P) -> Self {
        let schemas = provider.schemas();
        let resources = schemas.resources.iter();
        let data_sources = schemas.data_sources.iter();
        Self {
            configuration: schemas.provider.implied_type(),
            resources: resources
                .map(|(name, resource)| (name.clone(), resource.block.implied_type()))
                .collect(),
            data_sources: data_sources
                .map(|(name, block)| (name.clone(), block.implied_type()))
                .collect(),
            schemas,
            provider,
            stopped: Notify::new(),
        }
    }

    /// Answers a call of this method.
    pub(crate) async fn answer(&self, method: &str, request: &[u8]) -> Answer {
        match method {
            "GetMetadata" => bytes(&self.schemas.metadata()),
            "GetProviderSchema" => bytes(&self.schemas.to_message()),
            "GetFunctions" => bytes(&m::Functions {
                functions: self.schemas.functions_message(),
            }),
            "ValidateProviderConfig" => self.validate_provider(read(request)?),
            "ConfigureProvider" => self.configure(read(request)?),
            "ValidateResourceConfig" => self.validate_resource(read(request)?),
            "ValidateDataResourceConfig" => self.validate_data_source(read(request)?),
            "UpgradeResourceState" => self.upgrade(&read(request)?),
            "ReadResource" => self.read_resource(read(request)?),
            "PlanResourceChange" => self.plan(read(request)?),
            "ApplyResourceChange" => self.apply(read(request)?),
            "ReadDataSource" => self.read_data_source(read(request)?).await,
            "CallFunction" => self.call(read(request)?),
            "StopProvider" => {
                self.stopped.notify_waiters();
                bytes(&m::Empty {})
            }
            _ => Err(Status::unimplemented()),
        }
    }

    fn validate_provider(&self, request: m::ProviderConfig) -> Answer {
        let config = value(request.config, &self.configuration)?;
        bytes(&m::ProviderValidated {
            diagnostics: messages(&self.provider.validate(&config)),
        })
    }

    fn configure(&self, request: m::Configure) -> Answer {
        let config = value(request.config, &self.configuration)?;
        diagnosed(&self.provider.configure(&config))
    }

    fn validate_resource(&self, request: m::TypedConfig) -> Answer {
        let config = value(request.config, kind(&self.resources, &request.type_name)?)?;
        diagnosed(&self.provider.validate_resource(&request.type_name, &config))
    }

    fn validate_data_source(&self, request: m::TypedConfig) -> Answer {
        let config = value(
            request.config,
            kind(&self.data_sources, &request.type_name)?,
        )?;
        let found = self
            .provider
            .validate_data_source(&request.type_name, &config);
        diagnosed(&found)
    }

    /// States are those of the schema's version: no provider here has had another one.
    fn upgrade(&self, request: &m::UpgradeState) -> Answer {
        let kind = kind(&self.resources, &request.type_name)?;
        let json = request
            .raw_state
            .as_ref()
            .map(|state| state.json.as_slice());
        let json: serde_json::Value = serde_json::from_slice(json.unwrap_or_default())
            .map_err(|_| Status::invalid("a state is no JSON"))?;
        let mut state = Value::from(&json);
        if let (Value::Object(attributes), Type::Object(known)) = (&mut state, kind) {
            attributes.retain(|name, _| known.contains_key(name));
        }
        self.state(Ok(state), kind)
    }

    fn read_resource(&self, request: m::ReadResource) -> Answer {
        let kind = kind(&self.resources, &request.type_name)?;
        let state = value(request.current_state, kind)?;
        self.state(self.provider.read(&request.type_name, state), kind)
    }

    fn plan(&self, request: m::PlanChange) -> Answer {
        let kind = kind(&self.resources, &request.type_name)?;
        let prior = value(request.prior_state, kind)?;
        let proposed = value(request.proposed_new_state, kind)?;
        let config = value(request.config, kind)?;
        let planned = self
            .provider
            .plan(&request.type_name, &prior, proposed, &config);
        bytes(&match planned {
            Ok(planned) => m::PlannedChange {
                planned_state: Some(dynamic(&planned.state, kind)?),
                requires_replace: planned
                    .requires_replace
                    .iter()
                    .map(|steps| path(steps))
                    .collect(),
                legacy_type_system: self.provider.has_legacy_types(),
                ..m::PlannedChange::default()
            },
            Err(found) => m::PlannedChange {
                diagnostics: messages(&found),
                ..m::PlannedChange::default()
            },
        })
    }

    fn apply(&self, request: m::ApplyChange) -> Answer {
        let kind = kind(&self.resources, &request.type_name)?;
        let prior = value(request.prior_state, kind)?;
        let planned = value(request.planned_state, kind)?;
        let applied = self.provider.apply(&request.type_name, &prior, planned);
        let (state, diagnostics) = match applied {
            Ok(state) => (state, Vec::new()),
            // What was there before is there still.
            Err(found) => (prior, messages(&found)),
        };
        bytes(&m::AppliedChange {
            new_state: Some(dynamic(&state, kind)?),
            diagnostics,
            legacy_type_system: self.provider.has_legacy_types(),
        })
    }

    async fn read_data_source(&self, request: m::TypedConfig) -> Answer {
        let kind = kind(&self.data_sources, &request.type_name)?;
        let config = value(request.config, kind)?;
        let reading = self.provider.read_data_source(&request.type_name, config);
        tokio::select! {
            state = reading => self.state(state, kind),
            () = self.stopped.notified() => {
                let stopped = Diagnostic::general("reading was interrupted".to_owned());
                self.state(Err(vec![stopped]), kind)
            }
        }
    }

    fn call(&self, request: m::CallFunction) -> Answer {
        let function = self.schemas.functions.get(&request.name);
        let function = function.ok_or_else(|| Status::invalid("there is no such function"))?;
        if request.arguments.len() != function.parameters.len() {
            return Err(Status::invalid(
                "a function has another number of parameters",
            ));
        }
        let arguments = request.arguments.into_iter().zip(&function.parameters);
        let arguments = arguments
            .map(|(argument, parameter)| value(Some(argument), &parameter.kind))
            .collect::<Result<_, _>>()?;
        bytes(&match self.provider.call(&request.name, arguments) {
            Ok(result) => m::FunctionCalled {
                result: Some(dynamic(&result, &function.returns)?),
                error: None,
            },
            Err(error) => m::FunctionCalled {
                result: None,
                error: Some(error.to_message()),
            },
        })
    }

    fn state(&self, state: Result<Value, Vec<Diagnostic>>, kind: &Type) -> Answer {
        bytes(&match state {
            Ok(state) => m::State {
                state: Some(dynamic(&state, kind)?),
                diagnostics: Vec::new(),
            },
            Err(found) => m::State {
                state: None,
                diagnostics: messages(&found),
            },
        })
    }
}

fn kind<'a>(kinds: &'a BTreeMap<String, Type>, name: &str) -> Result<&'a Type, Status> {
    let kind = kinds.get(name);
    kind.ok_or_else(|| Status::invalid("there is no such resource or data source"))
}

fn read<M: Message + Default>(request: &[u8]) -> Result<M, Status> {
    M::decode(request).map_err(|_| Status::invalid("a message cannot be read"))
}

fn bytes(message: &impl Message) -> Answer {
    Ok(message.encode_to_vec())
}

fn value(value: Option<DynamicValue>, kind: &Type) -> Result<Value, Status> {
    match value {
        Some(value) if value.msgpack.is_empty() && !value.json.is_empty() => {
            let json: serde_json::Value = serde_json::from_slice(&value.json)
                .map_err(|_| Status::invalid("a value is no JSON"))?;
            Ok(Value::from(&json))
        }
        Some(value) => {
            decode(&value.msgpack, kind).map_err(|error| Status::invalid(&error.to_string()))
        }
        None => Ok(Value::Null),
    }
}

fn dynamic(value: &Value, kind: &Type) -> Result<DynamicValue, Status> {
    let msgpack = encode(value, kind).map_err(|error| Status::internal(&error.to_string()))?;
    Ok(DynamicValue {
        msgpack,
        json: Vec::new(),
    })
}

fn messages(diagnostics: &[Diagnostic]) -> Vec<m::Diagnostic> {
    diagnostics.iter().map(Diagnostic::to_message).collect()
}

fn diagnosed(diagnostics: &[Diagnostic]) -> Answer {
    bytes(&m::Diagnosed {
        diagnostics: messages(diagnostics),
    })
}
