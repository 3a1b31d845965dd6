//! `docs/settings.schema.json`, by which editors complete `outrigger.yaml`: made from the options
//! of both filters and the built-in recipes.

#![cfg(test)]

use std::fs;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction};
use serde_json::{Map, Value, json};
use taskdef::recipe::{InputDeclaration, InputType, Recipe, builtin};

const FILE: &str = "../docs/settings.schema.json";

/// What an option takes, as a schema.
fn of_option(option: &Arg) -> Value {
    let values: Vec<String> = option
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    let is_number = option.get_value_parser().type_id()
        == ValueParser::from(clap::value_parser!(u64)).type_id();
    let one = match values.as_slice() {
        [yes, no] if yes == "true" && no == "false" => json!({"type": "boolean"}),
        [] if is_number => json!({"type": "integer", "minimum": 1}),
        // An account may be written as a number.
        [] => json!({"type": ["string", "number"]}),
        values => json!({"enum": values}),
    };
    let mut schema = match option.get_action() {
        ArgAction::Append => json!({"anyOf": [one, {"type": "array", "items": one}]}),
        _ => one,
    };
    let help = option.get_help().unwrap().to_string();
    schema["description"] = json!(help.split("; may be repeated").next());
    schema
}

/// What an input takes: its value, or one of the two forms.
fn of_input(input: &InputDeclaration) -> Value {
    let value = match (&input.kind, input.allowed.as_slice()) {
        (_, allowed @ [_, ..]) => json!({"enum": allowed}),
        (InputType::Text, _) => json!({"type": ["string", "number", "boolean"]}),
        (InputType::Integer | InputType::Size | InputType::Port, _) => {
            json!({"type": ["integer", "string"]})
        }
        (InputType::Boolean, _) => json!({"type": ["boolean", "string"]}),
        (InputType::List, _) => json!({"type": ["array", "string"], "items": {"type": "string"}}),
    };
    let form = |key: &str| json!({"type": "object", "required": [key], "maxProperties": 1, "properties": {key: {}}});
    json!({"anyOf": [value, form("value"), form("valueFrom")], "description": input.description})
}

fn object(properties: Map<String, Value>) -> Value {
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

fn recipes() -> Value {
    let of_recipe = |(name, text): &(&str, &str)| {
        let recipe = Recipe::parse(name, text).unwrap();
        let inputs = recipe.declarations().iter();
        let inputs = inputs.map(|input| (input.name.clone(), of_input(input)));
        let mut recipe_schema = object(Map::from_iter([(
            "inputs".to_owned(),
            object(inputs.collect()),
        )]));
        recipe_schema["description"] = json!(recipe.description().trim_end());
        ((*name).to_owned(), recipe_schema)
    };
    json!({
        "description": "Inputs by recipe; those of recipes that are not in use are ignored",
        "type": "object",
        "properties": builtin().iter().map(of_recipe).collect::<Map<String, Value>>(),
        // Recipes of one's own.
        "additionalProperties": {
            "type": "object", "additionalProperties": false,
            "properties": {"inputs": {"type": "object"}},
        },
    })
}

fn schema() -> Value {
    let commands = [cfn_filter::command(), tf_filter::command()];
    let mut properties = Map::new();
    for (key, option) in cli::settings::known() {
        let mut options = commands.iter().flat_map(clap::Command::get_arguments);
        let option = options.find(|known| known.get_long() == Some(option));
        let schema = of_option(option.unwrap());
        match key.split_once('.') {
            None => {
                properties.insert(key.to_owned(), schema);
            }
            Some((group, member)) => {
                let group = properties
                    .entry(group)
                    .or_insert_with(|| object(Map::new()));
                group["properties"][member] = schema;
            }
        }
    }
    properties.insert("recipes".to_owned(), recipes());
    let mut schema = object(properties);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Settings of Outrigger (outrigger.yaml)");
    schema
}

#[test]
fn the_schema_is_what_the_program_reads() {
    let text = format!("{:#}\n", schema());
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(FILE, &text).unwrap();
    }
    let written = fs::read_to_string(FILE).unwrap();
    assert_eq!(written, text, "UPDATE_EXPECTED=1 writes it anew");
}
