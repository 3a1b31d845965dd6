//! The inputs of a dry run: those that are given, made-up ones where one is missing, and then every
//! choice that a user has, one at a time.

use serde_json::{Value, json};

use crate::recipe::{
    BoundRecipe, InputDeclaration, InputError, InputErrors, InputType, InputValue, Inputs, Recipe,
};

use super::Placeholder;

/// A recipe with inputs that it takes.
pub(super) struct Bound {
    pub(super) recipe: BoundRecipe,
    pub(super) inputs: Inputs,
    pub(super) placeholders: Vec<Placeholder>,
}

/// Binds the inputs, and makes up those that are missing.
pub(super) fn bind(recipe: &Recipe, given: Inputs) -> Result<Bound, InputErrors> {
    let mut inputs = without_secrets(recipe, given);
    let mut placeholders: Vec<Placeholder> = Vec::new();
    loop {
        let errors = match recipe.bind(inputs.clone()) {
            Ok(recipe) => {
                return Ok(Bound {
                    recipe,
                    inputs,
                    placeholders,
                });
            }
            Err(errors) => errors,
        };
        let before = placeholders.len();
        for error in &errors.errors {
            let InputError::Missing(missing) = error else {
                continue;
            };
            for (name, _) in missing {
                let known = placeholders.iter().any(|made| made.input == *name);
                let declared = recipe.declarations().iter();
                let declared = declared.clone().find(|input| input.name == *name);
                if let Some(declared) = declared.filter(|_| !known) {
                    let value = made_up(declared);
                    placeholders.push(Placeholder::new(declared, &value));
                    inputs.insert(name.clone(), value);
                }
            }
        }
        let missing = |error: &InputError| matches!(error, InputError::Missing(_));
        let wrong = errors.errors.iter().any(|error| !missing(error));
        if wrong || placeholders.len() == before {
            return Err(InputErrors {
                errors: match wrong {
                    // What is missing would be made up.
                    true => errors
                        .errors
                        .into_iter()
                        .filter(|error| !missing(error))
                        .collect(),
                    false => errors.errors,
                },
                recipe: errors.recipe,
            });
        }
    }
}

/// A dry run needs no secret, and shows what becomes of the inputs.
fn without_secrets(recipe: &Recipe, mut given: Inputs) -> Inputs {
    for input in recipe.declarations().iter().filter(|input| input.secret) {
        match given.get_mut(&input.name) {
            Some(InputValue::Plain(Value::String(text))) if !text.starts_with("arn:") => {
                *text = "placeholder".to_owned();
            }
            _ => {}
        }
    }
    given
}

/// Every other value of an input of the recipe's own, and every arrangement, one at a time, as far as
/// the recipe takes it: the text by which it is known (`nonRoot=sudo`), and the recipe. What the
/// other inputs do that every recipe takes is not the recipe's.
pub(super) fn choices(recipe: &Recipe, base: &Bound, given: &Inputs) -> Vec<(String, BoundRecipe)> {
    let mut choices = Vec::new();
    let open = recipe.declarations().iter().filter(|input| {
        let own = recipe.declares(&input.name) || input.name == "arrangement";
        own && !given.contains_key(&input.name)
    });
    for input in open {
        for value in values(input) {
            let is_base = match base.inputs.get(&input.name) {
                Some(known) => *known == value,
                None => input.default.as_ref() == plain(&value),
            };
            if is_base {
                continue;
            }
            let name = format!("{}={}", input.name, shown(&value));
            let mut inputs = base.inputs.clone();
            inputs.insert(input.name.clone(), value);
            if let Ok(bound) = bind(recipe, inputs) {
                choices.push((name, bound.recipe));
            }
        }
    }
    choices
}

fn plain(value: &InputValue) -> Option<&Value> {
    match value {
        InputValue::Plain(value) => Some(value),
        InputValue::ValueFrom(_) => None,
    }
}

fn values(input: &InputDeclaration) -> Vec<InputValue> {
    if !input.allowed.is_empty() {
        let allowed = input.allowed.iter().cloned();
        return allowed.map(|text| InputValue::Plain(text.into())).collect();
    }
    if input.kind == InputType::Boolean {
        return [true, false]
            .map(|value| InputValue::Plain(value.into()))
            .into();
    }
    vec![made_up(input)]
}

/// A value of the input's type.
fn made_up(input: &InputDeclaration) -> InputValue {
    if input.secret {
        let secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:placeholder-AbCdEf";
        let key = input.secret_key.as_ref();
        let key = key.map(|key| format!(":{key}::")).unwrap_or_default();
        return InputValue::ValueFrom(format!("{secret}{key}").into());
    }
    if let Some(first) = input.allowed.first() {
        return InputValue::Plain(first.as_str().into());
    }
    let text = match input.name.as_str() {
        "image" => "registry.example/agent:1",
        "registryCredentials" => {
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:registry-AbCdEf"
        }
        "executionRole" => "arn:aws:iam::123456789012:role/execution",
        _ if input.names_containers => "web",
        _ => "placeholder",
    };
    InputValue::Plain(match input.kind {
        InputType::Text => text.into(),
        InputType::Integer => 1.into(),
        InputType::Size => 64.into(),
        InputType::Port => 8443.into(),
        InputType::Boolean => true.into(),
        InputType::List => json!([text]),
    })
}

fn shown(value: &InputValue) -> String {
    match value {
        InputValue::Plain(Value::String(text)) if text.is_empty() => r#""""#.to_owned(),
        InputValue::Plain(Value::String(text)) | InputValue::ValueFrom(Value::String(text)) => {
            text.clone()
        }
        InputValue::Plain(value) | InputValue::ValueFrom(value) => value.to_string(),
    }
}

impl Placeholder {
    fn new(input: &InputDeclaration, value: &InputValue) -> Placeholder {
        Placeholder {
            input: input.name.clone(),
            value: shown(value),
        }
    }
}
