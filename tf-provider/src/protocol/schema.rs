//! What a provider says of its configuration, resources, data sources and functions:
//! [schemas](https://developer.hashicorp.com/terraform/plugin/framework/handling-data/schemas).

use std::collections::BTreeMap;

use super::messages;
use super::types::Type;

/// All that a provider has.
#[derive(Clone, Debug, Default)]
pub struct Schemas {
    /// The configuration of the provider itself.
    pub provider: Block,
    /// Its resources, by their type names.
    pub resources: BTreeMap<String, Resource>,
    /// Its data sources, by their type names.
    pub data_sources: BTreeMap<String, Block>,
    /// Its functions, by their names.
    pub functions: BTreeMap<String, Function>,
}

/// A resource.
#[derive(Clone, Debug, Default)]
pub struct Resource {
    /// The version of its schema, which a state keeps.
    pub version: i64,
    /// Its arguments and attributes.
    pub block: Block,
}

/// Arguments, attributes and nested blocks.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Arguments and attributes.
    pub attributes: Vec<Attribute>,
    /// Nested blocks.
    pub blocks: Vec<NestedBlock>,
    /// What it is for.
    pub description: &'static str,
}

/// Who gives an attribute its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The configuration has to.
    Required,
    /// The configuration may.
    Optional,
    /// The provider does.
    Computed,
    /// The configuration may, and where it does not, the provider does.
    OptionalComputed,
}

/// An argument or an attribute.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// Who gives it its value.
    pub mode: Mode,
    /// Whether Terraform keeps it from the terminal.
    pub sensitive: bool,
    /// What it is for.
    pub description: &'static str,
}

impl Attribute {
    /// An attribute that is not sensitive.
    pub fn new(name: &'static str, kind: Type, mode: Mode, description: &'static str) -> Attribute {
        Attribute {
            name,
            kind,
            mode,
            sensitive: false,
            description,
        }
    }

    fn to_message(&self) -> messages::Attribute {
        messages::Attribute {
            name: self.name.to_owned(),
            r#type: type_bytes(&self.kind),
            description: self.description.to_owned(),
            required: self.mode == Mode::Required,
            optional: matches!(self.mode, Mode::Optional | Mode::OptionalComputed),
            computed: matches!(self.mode, Mode::Computed | Mode::OptionalComputed),
            sensitive: self.sensitive,
        }
    }
}

/// How often a block may stand, and what its instances are: see
/// [`NestingMode`](https://developer.hashicorp.com/terraform/plugin/framework/handling-data/blocks).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// A list, with at most so many instances; 0 for any number.
    List(i64),
    /// A set.
    Set,
}

/// A block inside a block.
#[derive(Clone, Debug)]
pub struct NestedBlock {
    /// Its type name.
    pub name: &'static str,
    /// How often it may stand.
    pub nesting: Nesting,
    /// What it holds.
    pub block: Block,
}

impl Block {
    /// The type of the object that the block makes.
    pub fn implied_type(&self) -> Type {
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|attribute| (attribute.name, attribute.kind.clone()));
        let blocks = self.blocks.iter().map(|nested| {
            let kind = Box::new(nested.block.implied_type());
            let kind = match nested.nesting {
                Nesting::List(_) => Type::List(kind),
                Nesting::Set => Type::Set(kind),
            };
            (nested.name, kind)
        });
        let named = attributes.chain(blocks);
        Type::Object(named.map(|(name, kind)| (name.to_owned(), kind)).collect())
    }

    fn to_message(&self) -> messages::Block {
        let nested = |nested: &NestedBlock| messages::NestedBlock {
            type_name: nested.name.to_owned(),
            block: Some(nested.block.to_message()),
            nesting: match nested.nesting {
                Nesting::List(_) => 2,
                Nesting::Set => 3,
            },
            min_items: 0,
            max_items: match nested.nesting {
                Nesting::List(most) => most,
                Nesting::Set => 0,
            },
        };
        messages::Block {
            attributes: self.attributes.iter().map(Attribute::to_message).collect(),
            block_types: self.blocks.iter().map(nested).collect(),
            description: self.description.to_owned(),
        }
    }

    fn to_schema(&self, version: i64) -> messages::Schema {
        messages::Schema {
            version,
            block: Some(self.to_message()),
        }
    }
}

/// A [function](https://developer.hashicorp.com/terraform/plugin/framework/functions/concepts).
///
/// Terraform does not call it while an argument is null or not wholly known.
#[derive(Clone, Debug)]
pub struct Function {
    /// What it does, in a line.
    pub summary: &'static str,
    /// What it takes and gives.
    pub description: &'static str,
    /// Its parameters, in order.
    pub parameters: Vec<Parameter>,
    /// The type of its result.
    pub returns: Type,
}

/// A parameter of a function.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name, for messages.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// What it is for.
    pub description: &'static str,
}

impl Function {
    fn to_message(&self) -> messages::Function {
        let parameter = |parameter: &Parameter| messages::Parameter {
            name: parameter.name.to_owned(),
            r#type: type_bytes(&parameter.kind),
            description: parameter.description.to_owned(),
        };
        messages::Function {
            parameters: self.parameters.iter().map(parameter).collect(),
            r#return: Some(messages::Return {
                r#type: type_bytes(&self.returns),
            }),
            summary: self.summary.to_owned(),
            description: self.description.to_owned(),
        }
    }
}

impl Schemas {
    pub(crate) fn to_message(&self) -> messages::ProviderSchema {
        let resources = self.resources.iter();
        let data_sources = self.data_sources.iter();
        messages::ProviderSchema {
            provider: Some(self.provider.to_schema(0)),
            resource_schemas: resources
                .map(|(name, resource)| (name.clone(), resource.block.to_schema(resource.version)))
                .collect(),
            data_source_schemas: data_sources
                .map(|(name, block)| (name.clone(), block.to_schema(0)))
                .collect(),
            server_capabilities: Some(CAPABILITIES),
            functions: self.functions_message(),
        }
    }

    pub(crate) fn functions_message(&self) -> BTreeMap<String, messages::Function> {
        let functions = self.functions.iter();
        functions
            .map(|(name, function)| (name.clone(), function.to_message()))
            .collect()
    }

    pub(crate) fn metadata(&self) -> messages::Metadata {
        fn named<'a>(names: impl Iterator<Item = &'a String>) -> Vec<messages::Named> {
            names
                .map(|name| messages::Named { name: name.clone() })
                .collect()
        }
        messages::Metadata {
            server_capabilities: Some(CAPABILITIES),
            data_sources: named(self.data_sources.keys()),
            resources: named(self.resources.keys()),
            functions: named(self.functions.keys()),
        }
    }
}

/// Nothing is computed by asking for the schema first.
const CAPABILITIES: messages::ServerCapabilities = messages::ServerCapabilities {
    get_provider_schema_optional: true,
};

fn type_bytes(kind: &Type) -> Vec<u8> {
    kind.to_json().to_string().into_bytes()
}
