//! The JSON Schema of the format, made from the types of the file: `templates/recipe.schema.json`.
//!
//! What the types do not say stands here: conditions, settings by the names and types that ECS has,
//! and the texts in place of any of them that are expressions. Draft 7, which every editor knows.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::common;
use super::ecs::{CONTAINER, NOT_IN_WORKLOAD, Shape, TASK};
use super::file::{BlockFile, InputFile, RecipeFile};
use super::load::FORMAT;

/// Types that stand only for a schema.
macro_rules! schemas {
    ($($(#[$doc:meta])* $name:ident = $make:expr;)*) => {
        $(
            $(#[$doc])*
            pub(super) struct $name;

            impl JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                    let make: fn(&mut SchemaGenerator) -> Schema = $make;
                    make(generator)
                }
            }
        )*
    };
}

schemas! {
    /// The version of the format.
    Format = |_| json_schema!({"const": FORMAT});
    /// A recipe's name.
    Name = |_| json_schema!({"type": "string", "pattern": "^[a-z0-9-]+$"});
    /// A condition, or several.
    Condition = |_| json_schema!({
        "description": "An expression without braces that gives true or false, or a list of them that all have to hold: `container.user != \"root\"`.",
        "anyOf": [
            {"type": "string", "not": {"pattern": r"\{\{"}},
            {"type": "array", "items": {"$ref": "#/definitions/Condition"}},
        ],
    });
    /// The default of an input.
    Plain = |_| json_schema!({
        "type": ["string", "integer", "boolean", "array"],
        "items": {"type": ["string", "integer", "boolean"]},
    });
    /// A text that is written without quotes, too, where YAML reads a number or a boolean.
    Word = |_| json_schema!({"type": ["string", "integer", "boolean"]});
    /// The words of a process.
    Words = |_| value_of(&Shape::List(&Shape::Text));
    /// The inputs, with those that every recipe takes.
    Inputs = inputs;
    /// Settings of a workload.
    WorkloadSettings = |_| settings("container", CONTAINER, NOT_IN_WORKLOAD);
    /// Settings of a sidecar.
    SidecarSettings = |_| {
        let mut settings = settings("container", CONTAINER, &["name"]);
        settings.insert("required".to_owned(), json!(["essential"]));
        settings
    };
    /// Settings of a block of a sidecar.
    ContainerSettings = |_| settings("container", CONTAINER, &[]);
    /// Settings of the task definition.
    TaskSettings = |_| settings("task", TASK, &[]);
    /// A block of the task.
    TaskBlock = |generator| {
        let mut block = BlockFile::json_schema(generator);
        let settings = generator.subschema_for::<TaskSettings>();
        if let Some(stated) = block.pointer_mut("/properties/settings/$ref") {
            *stated = settings.get("$ref").cloned().unwrap_or_default();
        }
        block
    };
}

const ECS: &str = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/";

/// An object of the ECS API, each key by its definition.
fn settings(object: &str, known: &[(&str, Shape)], without: &[&str]) -> Schema {
    let known = known.iter().filter(|(name, _)| !without.contains(name));
    let reference = |(name, _): &(&str, Shape)| {
        let reference = json!({"$ref": format!("#/definitions/{object}.{name}")});
        ((*name).to_owned(), reference)
    };
    let properties: Map<String, Value> = known.map(reference).collect();
    json_schema!({"type": "object", "properties": properties, "additionalProperties": false})
}

/// The definitions of an object's keys, each with its page.
fn definitions(
    object: &str,
    known: &[(&str, Shape)],
    page: &str,
) -> impl Iterator<Item = (String, Value)> {
    known.iter().map(move |(name, shape)| {
        let mut value = value_of(shape);
        let link = format!("{ECS}API_{page}.html#ECS-Type-{page}-{name}");
        value.insert("description".to_owned(), described(name, &link).into());
        (format!("{object}.{name}"), value.to_value())
    })
}

fn described(name: &str, link: &str) -> String {
    let own = match name {
        "environment" => {
            "A variable whose value is given as `valueFrom` becomes an entry of `secrets`; one without a value is left out. "
        }
        "logConfiguration" => {
            "`inherit` takes over that of the first selected container that has one. "
        }
        "essential" => "Whether the task stops when this container stops. ",
        _ => "",
    };
    format!("{own}{link}")
}

/// What a setting may be: the value itself, or an expression that gives it.
fn value_of(shape: &Shape) -> Schema {
    let value = match shape {
        // An expression is a text like any other.
        Shape::Text => return json_schema!({"type": "string"}),
        Shape::Integer => json!({"type": "integer"}),
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::List(inner) => json!({"type": "array", "items": value_of(inner)}),
        Shape::Object(known) => fields(known),
        Shape::Texts => {
            json!({"type": "object", "additionalProperties": {"type": "string"}})
        }
        Shape::OrInherit(known) => {
            let expression = expression();
            return json_schema!({"anyOf": [fields(known), {"const": "inherit"}, expression]});
        }
    };
    let expression = expression();
    json_schema!({"anyOf": [value, expression]})
}

fn expression() -> Value {
    json!({"$ref": "#/definitions/Expression"})
}

fn fields(known: &[(&str, Shape)]) -> Value {
    let properties = known
        .iter()
        .map(|(name, shape)| ((*name).to_owned(), value_of(shape).to_value()));
    let properties: Map<String, Value> = properties.collect();
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

/// Every input has a description, but for those that every recipe takes.
fn inputs(generator: &mut SchemaGenerator) -> Schema {
    let input = generator.subschema_for::<InputFile>().to_value();
    let common = common::declarations(true, true);
    let common = common.into_iter().map(|declared| {
        let shown = format!("{} (every recipe takes it)", declared.description);
        (
            declared.name,
            json!({"description": shown, "allOf": [input]}),
        )
    });
    let common: Map<String, Value> = common.collect();
    json_schema!({
        "type": "object",
        "properties": common,
        "propertyNames": {"pattern": "^[a-z][A-Za-z0-9]*$"},
        "additionalProperties": {"allOf": [input], "required": ["description"]},
    })
}

/// Which keys go with which arrangement.
pub(super) fn process(schema: &mut Schema) {
    let arranged = |name: &str| json!({"required": ["arrangement"], "properties": {"arrangement": {"const": name}}});
    let without = |keys: &[&str]| {
        let keys = keys.iter().map(|key| ((*key).to_owned(), json!(false)));
        json!({"properties": keys.collect::<Map<String, Value>>()})
    };
    let rules = json!([
        {"if": arranged("shell-join"), "then": {"required": ["script"]}, "else": {"required": ["wrapper"], "properties": {"script": false}}},
        {"if": arranged("prefix-suffix"), "else": without(&["suffix", "command"])},
    ]);
    schema.insert("allOf".to_owned(), rules);
}

/// A key that is there has a value, an empty list as a default tells nobody anything, and a
/// comment's line ends are not its text's.
fn tidy(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
    // What an editor would show as it stands, and the YAML language server shows as Markdown.
    if let Some(Value::String(text)) = schema.get("description")
        && text.contains(['`', ':'])
    {
        let text = match text.split_once(ECS) {
            Some((own, page)) => format!("{own}[ECS API]({ECS}{page})"),
            None => text.clone(),
        };
        schema.insert("markdownDescription".to_owned(), text.into());
    }
    if schema.get("default") == Some(&json!([])) {
        schema.remove("default");
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(forms)) = schema.get_mut("anyOf") {
        forms.retain(|form| *form != json!({"type": "null"}));
        if let [only] = forms.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            schema.insert("allOf".to_owned(), json!([only]));
        }
    }
}

fn schema() -> String {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<RecipeFile>();
    schema.insert("title".to_owned(), "Outrigger recipe".into());
    if let Some(Value::Object(definitions)) = schema.get_mut("definitions") {
        let expression = json!({
            "description": "A text with expressions in it: `{{ inputs.name }}`.",
            "type": "string",
            "pattern": r"\{\{|\{%",
        });
        definitions.insert("Expression".to_owned(), expression);
        definitions.extend(self::definitions(
            "container",
            CONTAINER,
            "ContainerDefinition",
        ));
        definitions.extend(self::definitions("task", TASK, "TaskDefinition"));
    }
    RecursiveTransform(tidy).transform(&mut schema);
    let text = serde_json::to_string_pretty(&schema).unwrap();
    // Editors show the names of definitions: `RequirementFile` is a requirement.
    text.replace("File\"", "\"") + "\n"
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test may read the environment and files"
)]
fn the_schema_is_up_to_date() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../templates/recipe.schema.json"
    );
    let schema = schema();
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(file, &schema).unwrap();
    }
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        kept == schema,
        "templates/recipe.schema.json is stale: the format has changed. Write it anew with\n    UPDATE_EXPECTED=1 cargo test -p taskdef --lib the_schema_is_up_to_date"
    );
}
