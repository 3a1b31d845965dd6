//! Rules of the recipe format, and the vendors' documented patterns.

mod assigned;
mod expressions;
mod format;
mod inputs;
mod later;
mod laws;
mod parts;
mod said;
mod values;
mod vendors;

use serde_json::json;

use super::*;

/// A recipe that comes with the program.
fn vendor(name: &str) -> Recipe {
    let (_, text) = builtin().iter().find(|(known, _)| *known == name).unwrap();
    Recipe::parse(&format!("templates/{name}.yaml"), text).unwrap()
}

/// A recipe with this text after its head, which takes four lines.
fn recipe(body: &str) -> Recipe {
    match Recipe::parse("x.yaml", &with_head(body)) {
        Ok(recipe) => recipe,
        Err(error) => panic!("{error} {:?}", error.hint),
    }
}

fn with_head(body: &str) -> String {
    format!("recipe: 1\nname: x\ndescription: a test\nagentImages: [x/agent]\n{body}")
}

/// Inputs from texts, as a command line gives them.
fn given(inputs: &[(&str, &str)]) -> BTreeMap<String, InputValue> {
    let parse =
        |(name, text): &(&str, &str)| ((*name).to_owned(), InputValue::parse(text).unwrap());
    inputs.iter().map(parse).collect()
}

fn bind(recipe: &Recipe, inputs: &[(&str, &str)]) -> BoundRecipe {
    recipe.bind(given(inputs)).unwrap()
}

fn task() -> TaskFacts {
    TaskFacts {
        family: json!("shop"),
        cpu_architecture: json!("X86_64"),
        operating_system: json!("LINUX"),
    }
}

fn container(user: &str) -> ContainerFacts {
    ContainerFacts {
        name: json!("app"),
        image: json!("nginx:1"),
        user: json!(user),
        ..ContainerFacts::default()
    }
}

/// The settings of a workload, as JSON.
fn settings(bound: &BoundRecipe, container: &ContainerFacts) -> Value {
    Value::Object(bound.workload(&task(), container).unwrap().settings)
}

/// The one environment variable of a recipe whose workload has this value, and these inputs.
fn value(inputs: &str, value: &str, given: &[(&str, &str)]) -> Result<Value, RenderError> {
    let recipe = recipe(&format!(
        "inputs:\n{inputs}\nworkload:\n  - settings:\n      environment:\n        - name: A\n          value: {value}\n"
    ));
    let workload = bind(&recipe, given).workload(&task(), &container("root"))?;
    Ok(Value::Object(workload.settings))
}

/// An error with its hint, as a person sees it.
fn shown(message: &dyn fmt::Display, hint: Option<&str>) -> String {
    match hint {
        Some(hint) => format!("{message}\n{hint}"),
        None => message.to_string(),
    }
}
