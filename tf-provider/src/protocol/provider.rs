//! What a program implements to be a provider.

use std::future::{Future, ready};

use super::diagnostic::{Diagnostic, FunctionError, Step};
use super::schema::Schemas;
use super::value::Value;

/// What will become of a resource.
#[derive(Clone, Debug, Default)]
pub struct Planned {
    /// Its state after the apply.
    pub state: Value,
    /// The attributes whose change makes a new resource necessary.
    pub requires_replace: Vec<Vec<Step>>,
}

/// A provider. The names that its methods get are those of its schemas, and the values are of
/// the types that these state.
///
/// What a provider does not have it does not implement.
pub trait Provider: Send + Sync + 'static {
    /// All that it has. Asked for once.
    fn schemas(&self) -> Schemas;

    /// Whether states may differ from configurations and plans where both mean the same, as those
    /// of providers that were made with the old SDK may.
    fn has_legacy_types(&self) -> bool {
        false
    }

    /// What is wrong with the provider's own configuration. Nothing is contacted here, and values
    /// may be unknown.
    fn validate(&self, _config: &Value) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// Takes the provider's configuration.
    fn configure(&self, _config: &Value) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// What is wrong with the configuration of a resource; values may be unknown.
    fn validate_resource(&self, _resource: &str, _config: &Value) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// What is wrong with the configuration of a data source; values may be unknown.
    fn validate_data_source(&self, _data_source: &str, _config: &Value) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// What will become of a resource: `prior` is null where there is none yet, `proposed` is
    /// null where it is to go.
    ///
    /// # Errors
    /// It cannot become that.
    fn plan(
        &self,
        _resource: &str,
        _prior: &Value,
        proposed: Value,
        _config: &Value,
    ) -> Result<Planned, Vec<Diagnostic>> {
        Ok(Planned {
            state: proposed,
            ..Planned::default()
        })
    }

    /// Makes, changes or removes a resource, and gives its state, in which nothing is unknown.
    ///
    /// # Errors
    /// It could not be done.
    fn apply(
        &self,
        _resource: &str,
        _prior: &Value,
        planned: Value,
    ) -> Result<Value, Vec<Diagnostic>> {
        Ok(planned)
    }

    /// What a resource is now; null where it is gone.
    ///
    /// # Errors
    /// It cannot be told.
    fn read(&self, _resource: &str, state: Value) -> Result<Value, Vec<Diagnostic>> {
        Ok(state)
    }

    /// Reads a data source.
    ///
    /// # Errors
    /// It cannot be read.
    fn read_data_source(
        &self,
        _data_source: &str,
        config: Value,
    ) -> impl Future<Output = Result<Value, Vec<Diagnostic>>> + Send {
        ready(Ok(config))
    }

    /// Calls a function: the same arguments give the same result, every time.
    ///
    /// # Errors
    /// It has no result.
    fn call(&self, function: &str, _arguments: Vec<Value>) -> Result<Value, FunctionError> {
        Err(FunctionError {
            text: format!("there is no function `{function}`"),
            argument: None,
        })
    }
}
