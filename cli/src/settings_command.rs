//! `settings`: what is in force, and where it comes from.

use std::collections::BTreeMap;

use serde_json::Value;
use taskdef::recipe::{InputValue, Recipe};

use crate::options::RecipeOptions;
use crate::settings::{Layers, Origin};
use crate::{Console, Exit, Failure, Paint, assignment, recipes, text};

/// A setting, its value as it may be shown, and where it comes from.
struct Row {
    name: String,
    value: String,
    origin: String,
}

/// Answers on standard output. What would keep a run from starting is told after it.
pub fn run(
    layers: &Layers,
    options: &RecipeOptions,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let paint = console.terminals.stdout;
    let mut rows = Vec::new();
    for setting in &layers.settings {
        rows.push(Row {
            name: setting.key.to_owned(),
            value: shown(&setting.values),
            origin: setting.origin.to_string(),
        });
        if setting.key == "recipe" {
            rows.extend(inputs(layers, options)?);
        }
    }
    console.print(table(layers, &rows, paint).as_bytes())?;
    recipes::bind(options)?;
    Ok(Exit::Done)
}

fn shown(values: &[String]) -> String {
    match values {
        [] => "-".to_owned(),
        values => text::line(&values.join(", ")),
    }
}

/// The inputs of the recipes in use. The value of a secret in clear is not shown.
fn inputs(layers: &Layers, options: &RecipeOptions) -> Result<Vec<Row>, Failure> {
    let loaded = options.recipe.iter().map(|name| recipes::load(name));
    let loaded = loaded.collect::<Result<Vec<Recipe>, Failure>>()?;
    let mut given: BTreeMap<(usize, String), (InputValue, Origin)> = BTreeMap::new();
    for (argument, origin) in &layers.inputs {
        let Ok((key, value)) = assignment::split("--set", 0, argument) else {
            continue;
        };
        let Ok(value) = InputValue::parse(value) else {
            continue;
        };
        // What has no place is told by the check of all inputs together.
        let assigned = taskdef::recipe::assign([(key.to_owned(), value)], &loaded);
        for (at, inputs) in assigned.into_iter().flatten().enumerate() {
            for (name, value) in inputs {
                given.insert((at, name), (value, origin.clone()));
            }
        }
    }
    let rows = given
        .into_iter()
        .filter_map(|((at, name), (value, origin))| {
            let recipe = loaded.get(at)?;
            let mut declared = recipe.declarations().iter();
            let secret = declared
                .find(|input| input.name == name)
                .is_none_or(|input| input.secret);
            Some(Row {
                name: format!("recipes.{}.inputs.{name}", recipe.name()),
                value: input(&value, secret),
                origin: origin.to_string(),
            })
        });
    Ok(rows.collect())
}

fn input(value: &InputValue, secret: bool) -> String {
    let in_words = |value: &Value| match value {
        Value::String(text) if !text.is_empty() => text::line(text),
        value => text::line(&value.to_string()),
    };
    match value {
        InputValue::ValueFrom(value) => format!("valueFrom: {}", in_words(value)),
        InputValue::Plain(Value::String(text)) if secret && text.starts_with("arn:") => {
            format!("valueFrom: {}", text::line(text))
        }
        InputValue::Plain(_) if secret => "(not shown)".to_owned(),
        InputValue::Plain(value) => in_words(value),
    }
}

fn table(layers: &Layers, rows: &[Row], paint: Paint) -> String {
    let mut shown = match &layers.file {
        Some(name) => format!("settings file: {}\n\n", paint.strong(name)),
        None => "settings file: none\n\n".to_owned(),
    };
    let width = |text: fn(&Row) -> &str| {
        let widths = rows.iter().map(|row| text(row).chars().count());
        // One long value does not move everything.
        widths
            .filter(|width| *width <= 48)
            .max()
            .unwrap_or_default()
    };
    let (name_width, value_width) = (width(|row| &row.name), width(|row| &row.value));
    for row in rows {
        let Row {
            name,
            value,
            origin,
        } = row;
        let origin = paint.faint(origin);
        shown.push_str(&format!(
            "{name:<name_width$}  {value:<value_width$}  {origin}\n"
        ));
    }
    shown
}
