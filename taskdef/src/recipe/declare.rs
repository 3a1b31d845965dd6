//! What a file declares as inputs.

use serde_json::Value;
use serde_saphyr::Spanned;

use super::common;
use super::compile::{Compiler, Reach};
use super::error::RecipeError;
use super::file::{InputFile, RecipeFile, TypeFile};
use super::input::{InputDeclaration, InputType, convert};
use super::load::InputCondition;
use super::node::{Content, Node};

/// The inputs: those of the file in its order, then those that every recipe takes.
pub(super) fn inputs(
    compiler: &mut Compiler,
    file: &RecipeFile,
) -> Result<(Vec<InputDeclaration>, Vec<InputCondition>), RecipeError> {
    let wraps = file
        .workload
        .iter()
        .any(|block| block.value.process.is_some());
    let mut common = common::declarations(wraps, !file.sidecars.is_empty());
    let mut declarations: Vec<InputDeclaration> = Vec::new();
    for (name, input) in &file.inputs.0 {
        let inherited = common.iter().position(|known| known.name == name.value);
        let inherited = inherited.map(|at| common.remove(at));
        declarations.push(declaration(compiler, name, input, inherited)?);
    }
    declarations.extend(common);
    compiler.inputs = declarations
        .iter()
        .map(|input| input.name.clone())
        .collect();
    let mut conditions = Vec::new();
    for (name, input) in &file.inputs.0 {
        let mut condition = |source: &Option<Spanned<String>>| {
            let Some(source) = source else {
                return Ok(None);
            };
            let place = compiler.place_of(source);
            compiler
                .condition(&source.value, place, Reach::Inputs)
                .map(Some)
        };
        let required = condition(&input.required_when)?;
        let forbidden = condition(&input.forbidden_when)?;
        if required.is_some() || forbidden.is_some() {
            conditions.push(InputCondition {
                name: name.value.clone(),
                required,
                forbidden,
            });
        }
    }
    Ok((declarations, conditions))
}

fn declaration(
    compiler: &Compiler,
    name: &Spanned<String>,
    input: &InputFile,
    inherited: Option<InputDeclaration>,
) -> Result<InputDeclaration, RecipeError> {
    let place = compiler.place_of(name);
    let fail = |message: &str| Err(RecipeError::new(place.clone(), message));
    let letters = name.value.chars().all(|c| c.is_ascii_alphanumeric());
    if !letters || !name.value.starts_with(|c: char| c.is_ascii_lowercase()) {
        return fail("an input's name is written in camelCase");
    }
    let inherited_kind = inherited.as_ref().map(|known| known.kind);
    let kind = input
        .kind
        .map(input_type)
        .or(inherited_kind)
        .unwrap_or_default();
    let allowed = match &inherited {
        Some(known) if input.allowed.is_empty() => known.allowed.clone(),
        _ => input.allowed.clone(),
    };
    let Some(description) = input
        .description
        .clone()
        .or_else(|| inherited.map(|known| known.description))
    else {
        return fail("the key `description` is missing");
    };
    if let Some(message) = contradiction(input, kind, &allowed) {
        return fail(message);
    }
    let default = match &input.default {
        Some(node) => Some(default(compiler, node, kind)?),
        None => None,
    };
    let fits = |value: &Value| {
        allowed
            .iter()
            .any(|allowed| value.as_str() == Some(allowed))
    };
    if !allowed.is_empty() && default.as_ref().is_some_and(|value| !fits(value)) {
        return fail("the default is not one of the allowed values");
    }
    let may_be_empty = input.may_be_empty || default.as_ref().is_some_and(|value| value == "");
    Ok(InputDeclaration {
        name: name.value.clone(),
        description,
        kind,
        default,
        required: input.required,
        required_when: input.required_when.as_ref().map(|when| when.value.clone()),
        forbidden_when: input.forbidden_when.as_ref().map(|when| when.value.clone()),
        secret: input.secret,
        secret_key: input.secret_key.clone(),
        names_containers: input.names.is_some(),
        allowed,
        may_be_empty,
    })
}

/// What does not go together in the declaration of an input.
fn contradiction(input: &InputFile, kind: InputType, allowed: &[String]) -> Option<&'static str> {
    if input.secret_key.is_some() && !input.secret {
        return Some("`secretKey` belongs to an input that is `secret`");
    }
    if input.names.is_some() && (input.secret || !matches!(kind, InputType::Text | InputType::List))
    {
        return Some("names of containers are a text or a list, and no secret");
    }
    if input.may_be_empty && (kind != InputType::Text || !allowed.is_empty()) {
        return Some("`mayBeEmpty` belongs to a text without `allowed` values");
    }
    if input.required && input.default.is_some() {
        return Some("an input with a default is not required");
    }
    None
}

fn input_type(kind: TypeFile) -> InputType {
    match kind {
        TypeFile::Text => InputType::Text,
        TypeFile::Integer => InputType::Integer,
        TypeFile::Size => InputType::Size,
        TypeFile::Port => InputType::Port,
        TypeFile::Boolean => InputType::Boolean,
        TypeFile::List => InputType::List,
    }
}

fn default(compiler: &Compiler, node: &Node, kind: InputType) -> Result<Value, RecipeError> {
    let value = match &node.content {
        Content::Scalar(value) => Some(value.clone()),
        Content::List(items) => items
            .iter()
            .map(|item| match &item.content {
                Content::Scalar(value) => Some(value.clone()),
                _ => None,
            })
            .collect(),
        Content::Map(_) => None,
    };
    value
        .filter(|value| !value.is_null())
        .and_then(|value| convert(kind, value))
        .ok_or_else(|| {
            let place = compiler.place(node.line, node.column);
            RecipeError::new(place, "the default does not have the input's type")
        })
}
