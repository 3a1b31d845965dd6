//! The recipes of an invocation, with their inputs.

use registry::credentials::aws::Aws;
use serde_json::Value;
use taskdef::recipe::{InputValue, Inputs, Recipe, Recipes, assign, builtin, conflicts};

use crate::params::Params;
use crate::problem::Problem;
use crate::settings::{RecipeSource, Settings};

/// Loads the recipes that the settings name, or the template where it may, and gives them their
/// inputs.
pub(crate) async fn bind(
    settings: &Settings,
    params: &Params,
    aws: &Aws,
) -> Result<Recipes, Vec<Problem>> {
    let sources = params.recipes.as_ref().unwrap_or(&settings.recipes);
    let mut recipes = Vec::new();
    let mut problems = Vec::new();
    for source in sources {
        match load(source, aws).await {
            Ok(recipe) => recipes.push(recipe),
            Err(problem) => problems.push(problem),
        }
    }
    let errors = conflicts(&recipes);
    // A recipe that could not be loaded is no conflict.
    if problems.is_empty() {
        let told = errors
            .iter()
            .map(|error| Problem::new(error.to_string()).hint(error.hint()));
        problems.extend(told);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut bound = Vec::new();
    for (recipe, inputs) in recipes.iter().zip(inputs(settings, params, &recipes)?) {
        problems.extend(in_clear(recipe, &inputs));
        match recipe.bind(inputs) {
            Ok(recipe) => bound.push(recipe),
            Err(errors) => problems.extend(errors.errors.iter().map(|error| {
                let problem = Problem::new(format!("recipe `{}`: {error}", errors.recipe));
                match error.hint() {
                    Some(hint) => problem.hint(hint),
                    None => problem,
                }
            })),
        }
    }
    match problems.is_empty() {
        true => Recipes::new(bound).map_err(|errors| {
            let told = errors.iter().map(|error| Problem::new(error.to_string()));
            told.collect()
        }),
        false => Err(problems),
    }
}

async fn load(source: &RecipeSource, aws: &Aws) -> Result<Recipe, Problem> {
    let (file, text) = match source {
        RecipeSource::Builtin(name, text) => (format!("templates/{name}.yaml"), (*text).to_owned()),
        RecipeSource::Object(uri) => (uri.to_string(), crate::images::object(aws, uri).await?),
    };
    Recipe::parse(&file, &text).map_err(|error| {
        let problem = Problem::new(format!("the recipe cannot be used: {error}"));
        match &error.hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    })
}

/// The administrator's inputs, and over them those of the template. The administrator may give
/// inputs of recipes that this template does not use.
fn inputs(
    settings: &Settings,
    params: &Params,
    recipes: &[Recipe],
) -> Result<Vec<Inputs>, Vec<Problem>> {
    let in_use = |name: &str| recipes.iter().any(|recipe| recipe.name() == name);
    let elsewhere = |key: &str| {
        let owner = key.split_once('.').map(|(recipe, _)| recipe);
        owner.is_some_and(|owner| {
            !in_use(owner) && builtin().iter().any(|(known, _)| *known == owner)
        })
    };
    let fixed = settings.inputs.iter().filter(|(key, _)| !elsewhere(key));
    let given = fixed.chain(&params.inputs).cloned();
    assign(given, recipes).map_err(|errors| {
        let told = errors
            .iter()
            .map(|error| Problem::new(error.to_string()).hint(error.hint()));
        told.collect()
    })
}

/// A secret that stands in the function's environment, or in a template, is none.
fn in_clear(recipe: &Recipe, inputs: &Inputs) -> Vec<Problem> {
    let secret = |name: &str| {
        let mut declared = recipe.declarations().iter();
        declared.any(|input| input.secret && input.name == name)
    };
    let clear = inputs.iter().filter(|(name, value)| {
        let text = matches!(value, InputValue::Plain(Value::String(text)) if !text.is_empty() && !text.starts_with("arn:"));
        text && secret(name)
    });
    clear
        .map(|(name, _)| {
            Problem::new(format!(
                "recipe `{}`: the input `{name}` is a secret, and stands in clear text",
                recipe.name()
            ))
            .hint("store it in Secrets Manager, and give its ARN")
        })
        .collect()
}
