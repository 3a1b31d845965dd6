//! The messages of the protocol that are used, as
//! [tfplugin6.proto](https://github.com/hashicorp/terraform/blob/main/docs/plugin-protocol/tfplugin6.proto)
//! numbers them. Fields that nothing here reads or writes are left out: a reader skips what it does
//! not know.

use std::collections::BTreeMap;

use prost::{Message, Oneof};

/// `DynamicValue`: a value as MessagePack, or, in states that old versions wrote, as JSON.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct DynamicValue {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) msgpack: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) json: Vec<u8>,
}

/// `Diagnostic`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Diagnostic {
    #[prost(int32, tag = "1")]
    pub(crate) severity: i32,
    #[prost(string, tag = "2")]
    pub(crate) summary: String,
    #[prost(string, tag = "3")]
    pub(crate) detail: String,
    #[prost(message, optional, tag = "4")]
    pub(crate) attribute: Option<AttributePath>,
}

/// `AttributePath`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct AttributePath {
    #[prost(message, repeated, tag = "1")]
    pub(crate) steps: Vec<PathStep>,
}

/// `AttributePath.Step`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct PathStep {
    #[prost(oneof = "Selector", tags = "1, 2, 3")]
    pub(crate) selector: Option<Selector>,
}

/// `AttributePath.Step.selector`
#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Selector {
    #[prost(string, tag = "1")]
    Attribute(String),
    #[prost(string, tag = "2")]
    Key(String),
    #[prost(int64, tag = "3")]
    Index(i64),
}

/// `FunctionError`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct FunctionError {
    #[prost(string, tag = "1")]
    pub(crate) text: String,
    #[prost(int64, optional, tag = "2")]
    pub(crate) argument: Option<i64>,
}

/// `Schema`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Schema {
    #[prost(int64, tag = "1")]
    pub(crate) version: i64,
    #[prost(message, optional, tag = "2")]
    pub(crate) block: Option<Block>,
}

/// `Schema.Block`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Block {
    #[prost(message, repeated, tag = "2")]
    pub(crate) attributes: Vec<Attribute>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) block_types: Vec<NestedBlock>,
    #[prost(string, tag = "4")]
    pub(crate) description: String,
}

/// `Schema.Attribute`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Attribute {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) r#type: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(crate) description: String,
    #[prost(bool, tag = "4")]
    pub(crate) required: bool,
    #[prost(bool, tag = "5")]
    pub(crate) optional: bool,
    #[prost(bool, tag = "6")]
    pub(crate) computed: bool,
    #[prost(bool, tag = "7")]
    pub(crate) sensitive: bool,
}

/// `Schema.NestedBlock`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct NestedBlock {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) block: Option<Block>,
    #[prost(int32, tag = "3")]
    pub(crate) nesting: i32,
    #[prost(int64, tag = "4")]
    pub(crate) min_items: i64,
    #[prost(int64, tag = "5")]
    pub(crate) max_items: i64,
}

/// `Function`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Function {
    #[prost(message, repeated, tag = "1")]
    pub(crate) parameters: Vec<Parameter>,
    #[prost(message, optional, tag = "3")]
    pub(crate) r#return: Option<Return>,
    #[prost(string, tag = "4")]
    pub(crate) summary: String,
    #[prost(string, tag = "5")]
    pub(crate) description: String,
}

/// `Function.Parameter`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Parameter {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) r#type: Vec<u8>,
    #[prost(string, tag = "5")]
    pub(crate) description: String,
}

/// `Function.Return`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Return {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) r#type: Vec<u8>,
}

/// `ServerCapabilities`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ServerCapabilities {
    #[prost(bool, tag = "2")]
    pub(crate) get_provider_schema_optional: bool,
}

/// `GetMetadata.Response`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Metadata {
    #[prost(message, optional, tag = "1")]
    pub(crate) server_capabilities: Option<ServerCapabilities>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) data_sources: Vec<Named>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) resources: Vec<Named>,
    #[prost(message, repeated, tag = "5")]
    pub(crate) functions: Vec<Named>,
}

/// `GetMetadata.FunctionMetadata`, `DataSourceMetadata` and `ResourceMetadata`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Named {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
}

/// `GetProviderSchema.Response`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ProviderSchema {
    #[prost(message, optional, tag = "1")]
    pub(crate) provider: Option<Schema>,
    #[prost(btree_map = "string, message", tag = "2")]
    pub(crate) resource_schemas: BTreeMap<String, Schema>,
    #[prost(btree_map = "string, message", tag = "3")]
    pub(crate) data_source_schemas: BTreeMap<String, Schema>,
    #[prost(message, optional, tag = "6")]
    pub(crate) server_capabilities: Option<ServerCapabilities>,
    #[prost(btree_map = "string, message", tag = "7")]
    pub(crate) functions: BTreeMap<String, Function>,
}

/// `GetFunctions.Response`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Functions {
    #[prost(btree_map = "string, message", tag = "1")]
    pub(crate) functions: BTreeMap<String, Function>,
}

/// `ValidateProviderConfig.Request`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ProviderConfig {
    #[prost(message, optional, tag = "1")]
    pub(crate) config: Option<DynamicValue>,
}

/// `ValidateProviderConfig.Response`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ProviderValidated {
    #[prost(message, repeated, tag = "2")]
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// `ConfigureProvider.Request`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Configure {
    #[prost(message, optional, tag = "2")]
    pub(crate) config: Option<DynamicValue>,
}

/// `ValidateResourceConfig.Request`, `ValidateDataResourceConfig.Request` and `ReadDataSource.Request`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct TypedConfig {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) config: Option<DynamicValue>,
}

/// The responses that hold nothing but `diagnostics = 1`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Diagnosed {
    #[prost(message, repeated, tag = "1")]
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// `UpgradeResourceState.Request`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct UpgradeState {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) raw_state: Option<RawState>,
}

/// `RawState`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RawState {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) json: Vec<u8>,
}

/// `ReadResource.Request`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReadResource {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) current_state: Option<DynamicValue>,
}

/// `UpgradeResourceState.Response`, `ReadResource.Response` and `ReadDataSource.Response`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct State {
    #[prost(message, optional, tag = "1")]
    pub(crate) state: Option<DynamicValue>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// `PlanResourceChange.Request`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct PlanChange {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) prior_state: Option<DynamicValue>,
    #[prost(message, optional, tag = "3")]
    pub(crate) proposed_new_state: Option<DynamicValue>,
    #[prost(message, optional, tag = "4")]
    pub(crate) config: Option<DynamicValue>,
}

/// `PlanResourceChange.Response`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct PlannedChange {
    #[prost(message, optional, tag = "1")]
    pub(crate) planned_state: Option<DynamicValue>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) requires_replace: Vec<AttributePath>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) diagnostics: Vec<Diagnostic>,
    #[prost(bool, tag = "5")]
    pub(crate) legacy_type_system: bool,
}

/// `ApplyResourceChange.Request`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ApplyChange {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) prior_state: Option<DynamicValue>,
    #[prost(message, optional, tag = "3")]
    pub(crate) planned_state: Option<DynamicValue>,
}

/// `ApplyResourceChange.Response`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct AppliedChange {
    #[prost(message, optional, tag = "1")]
    pub(crate) new_state: Option<DynamicValue>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) diagnostics: Vec<Diagnostic>,
    #[prost(bool, tag = "4")]
    pub(crate) legacy_type_system: bool,
}

/// `CallFunction.Request`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct CallFunction {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(message, repeated, tag = "2")]
    pub(crate) arguments: Vec<DynamicValue>,
}

/// `CallFunction.Response`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct FunctionCalled {
    #[prost(message, optional, tag = "1")]
    pub(crate) result: Option<DynamicValue>,
    #[prost(message, optional, tag = "2")]
    pub(crate) error: Option<FunctionError>,
}

/// The requests and responses that hold nothing, or nothing that is used.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Empty {}

/// `HealthCheckResponse` of [gRPC's health checking](https://github.com/grpc/grpc/blob/master/doc/health-checking.md)
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Health {
    #[prost(int32, tag = "1")]
    pub(crate) status: i32,
}
