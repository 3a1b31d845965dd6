//! The types of Terraform's values.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

/// A type, as Terraform's [type system](https://developer.hashicorp.com/terraform/language/expressions/type-constraints) has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `string`
    String,
    /// `number`
    Number,
    /// `bool`
    Bool,
    /// Whatever the value has: the type travels with it.
    Dynamic,
    /// `list(...)`
    List(Box<Type>),
    /// `set(...)`
    Set(Box<Type>),
    /// `map(...)`
    Map(Box<Type>),
    /// `tuple([...])`
    Tuple(Vec<Type>),
    /// `object({...})`
    Object(BTreeMap<String, Type>),
}

/// A text that names no type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a type of Terraform")]
pub struct TypeError;

impl Type {
    /// `list(...)`
    pub fn list(element: Type) -> Type {
        Type::List(Box::new(element))
    }

    /// `map(...)`
    pub fn map(element: Type) -> Type {
        Type::Map(Box::new(element))
    }

    /// `object({...})`
    pub fn object<const N: usize>(attributes: [(&str, Type); N]) -> Type {
        let named = attributes
            .into_iter()
            .map(|(name, kind)| (name.to_owned(), kind));
        Type::Object(named.collect())
    }

    /// The type [as JSON](https://github.com/zclconf/go-cty/blob/main/docs/json.md#type-information),
    /// as the protocol writes it.
    pub fn to_json(&self) -> Json {
        match self {
            Type::String => json!("string"),
            Type::Number => json!("number"),
            Type::Bool => json!("bool"),
            Type::Dynamic => json!("dynamic"),
            Type::List(element) => json!(["list", element.to_json()]),
            Type::Set(element) => json!(["set", element.to_json()]),
            Type::Map(element) => json!(["map", element.to_json()]),
            Type::Tuple(elements) => {
                let elements: Vec<Json> = elements.iter().map(Type::to_json).collect();
                json!(["tuple", elements])
            }
            Type::Object(attributes) => {
                let attributes: serde_json::Map<String, Json> = attributes
                    .iter()
                    .map(|(name, kind)| (name.clone(), kind.to_json()))
                    .collect();
                json!(["object", attributes])
            }
        }
    }

    /// Reads a type that was written as JSON.
    ///
    /// # Errors
    /// It is none.
    pub fn from_json(json: &Json) -> Result<Type, TypeError> {
        if let Some(name) = json.as_str() {
            return match name {
                "string" => Ok(Type::String),
                "number" => Ok(Type::Number),
                "bool" => Ok(Type::Bool),
                "dynamic" => Ok(Type::Dynamic),
                _ => Err(TypeError),
            };
        }
        let (name, inner) = (json.get(0).and_then(Json::as_str), json.get(1));
        let (Some(name), Some(inner)) = (name, inner) else {
            return Err(TypeError);
        };
        let element = || Type::from_json(inner).map(Box::new);
        match (name, inner) {
            ("list", _) => Ok(Type::List(element()?)),
            ("set", _) => Ok(Type::Set(element()?)),
            ("map", _) => Ok(Type::Map(element()?)),
            ("tuple", Json::Array(elements)) => {
                let elements: Result<_, _> = elements.iter().map(Type::from_json).collect();
                Ok(Type::Tuple(elements?))
            }
            ("object", Json::Object(attributes)) => {
                let attributes: Result<_, _> = attributes
                    .iter()
                    .map(|(name, kind)| Ok((name.clone(), Type::from_json(kind)?)))
                    .collect();
                Ok(Type::Object(attributes?))
            }
            _ => Err(TypeError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Type;
    use serde_json::json;

    #[test]
    fn types_come_back_from_their_json() {
        for text in [
            json!("string"),
            json!("number"),
            json!("bool"),
            json!("dynamic"),
            json!(["list", "string"]),
            json!(["set", ["map", "number"]]),
            json!(["tuple", ["string", ["list", "bool"]]]),
            json!(["object", {"a": "string", "b": ["object", {}]}]),
        ] {
            assert_eq!(Type::from_json(&text).unwrap().to_json(), text);
        }
    }

    #[test]
    fn what_is_no_type_is_an_error() {
        for text in [
            json!("text"),
            json!(["list"]),
            json!(["list", "text"]),
            json!(["object", []]),
            json!(["tuple", {}]),
            json!({}),
            json!(7),
        ] {
            assert!(Type::from_json(&text).is_err(), "{text}");
        }
    }
}
