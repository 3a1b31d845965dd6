//! What can be said about a recipe's inputs, whatever document it is applied to. Never shows a value.

use serde_json::{Map, Value, json};

use crate::digest;

use super::bound::BoundRecipe;
use super::input::{InputDeclaration, InputValue};
use super::secret;
use super::value::holds_intrinsic;

impl BoundRecipe {
    fn given(&self) -> impl Iterator<Item = (&InputDeclaration, &InputValue)> {
        let declarations = self.recipe().declarations().iter();
        declarations.filter_map(|input| {
            let value = self.inputs.get(&input.name)?.as_ref()?;
            Some((input, value))
        })
    }

    /// The secret inputs that are given in clear text, and stand in `environment` therefore.
    pub fn clear_secrets(&self) -> Vec<&str> {
        self.given()
            .filter(|(input, value)| input.secret && matches!(value, InputValue::Plain(_)))
            .map(|(input, _)| input.name.as_str())
            .collect()
    }

    /// The values of secret inputs that are given in clear text.
    pub(crate) fn secret_texts(&self) -> Vec<&str> {
        self.given()
            .filter(|(input, _)| input.secret)
            .filter_map(|(_, value)| match value {
                InputValue::Plain(value) => value.as_str(),
                InputValue::ValueFrom(_) => None,
            })
            .filter(|text| !text.is_empty())
            .collect()
    }

    /// The inputs that hold a credential as part of an image's name.
    pub(crate) fn image_secrets_given(&self) -> Vec<&str> {
        self.given()
            .filter(|(_, value)| self.recipe().holds_image_secret(value))
            .map(|(input, _)| input.name.as_str())
            .collect()
    }

    /// The digest of the recipe and its inputs, without any value of a secret: where ECS finds one
    /// takes part, the secret itself does not.
    pub(crate) fn digest(&self) -> String {
        let inputs = self.given().map(|(input, value)| {
            let value = match value {
                InputValue::Plain(_) if input.secret => json!({"secret": true}),
                InputValue::Plain(value) => json!({"value": value}),
                InputValue::ValueFrom(value) => json!({"valueFrom": value}),
            };
            (input.name.clone(), value)
        });
        let inputs: Map<String, Value> = inputs.collect();
        digest::of(&json!({"recipe": self.recipe().digest(), "inputs": inputs}))
    }

    /// The inputs that are intrinsic functions, or hold one.
    pub fn intrinsic_inputs(&self) -> Vec<&str> {
        let holds = |value: &InputValue| match value {
            InputValue::Plain(value) | InputValue::ValueFrom(value) => holds_intrinsic(value),
        };
        self.given()
            .filter(|(_, value)| holds(value))
            .map(|(input, _)| input.name.as_str())
            .collect()
    }

    /// Secret inputs given by the ARN of a whole secret, of which the vendor uses one key: the
    /// name of each, and the key.
    pub fn whole_secrets(&self) -> Vec<(&str, &str)> {
        self.given()
            .filter_map(|(input, value)| match (&input.secret_key, value) {
                (Some(key), InputValue::ValueFrom(Value::String(arn))) if secret::is_whole(arn) => {
                    Some((input.name.as_str(), key.as_str()))
                }
                _ => None,
            })
            .collect()
    }

    /// Inputs whose values are names of containers, and the names.
    pub fn named_containers(&self) -> Vec<(&str, Vec<&str>)> {
        self.given()
            .filter(|(input, _)| input.names_containers)
            .filter_map(|(input, value)| match value {
                InputValue::Plain(Value::Array(names)) => {
                    let names = names.iter().filter_map(Value::as_str).collect();
                    Some((input.name.as_str(), names))
                }
                InputValue::Plain(Value::String(name)) => {
                    Some((input.name.as_str(), vec![name.as_str()]))
                }
                _ => None,
            })
            .collect()
    }

    /// Inputs that are given together and hold versions that the vendor does not document together.
    pub fn undocumented_versions(&self) -> Vec<&[String]> {
        let tables = self.recipe().loaded.compatibility.iter();
        tables
            .filter_map(|table| table.unknown(&self.inputs))
            .collect()
    }
}
