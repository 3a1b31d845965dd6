//! The inputs of recipes that settings give: which recipes take them, and where they come from.

use taskdef::nearest::nearest;
use taskdef::recipe::{Recipe, builtin};

use super::environment::Environment;
use super::file::{RecipeInputs, SettingsFile};
use super::table::{INPUTS, PREFIX, Setting, Shape};
use super::{Given, Leaf, Origin, id};
use crate::{Exit, Failure, Problem, recipes};

/// The inputs that file and environment give to recipes in use, as `--set` takes them.
pub(super) fn of_settings(
    typed: &Leaf<'_>,
    used: impl FnOnce() -> Result<Vec<Recipe>, Failure>,
    environment: Environment,
    file: Option<&SettingsFile>,
) -> Result<Vec<(String, Origin)>, Failure> {
    if id(typed.command, "set").is_none() {
        return Ok(Vec::new());
    }
    let mut inputs = Vec::new();
    let of_file = file.map_or(&[][..], |file| &file.inputs);
    if !of_file.is_empty() {
        let used = used()?;
        check(of_file, &used)?;
        for of_recipe in of_file.iter().filter(|one| is_in_use(&one.recipe, &used)) {
            inputs.extend(of_recipe.inputs.iter().map(|input| {
                let text = format!("{}.{}={}", of_recipe.recipe, input.name, input.text);
                (text, input.origin.clone())
            }));
        }
    }
    let variable = || Origin::Variable(format!("{PREFIX}{INPUTS}"));
    let of_environment = environment.inputs.into_iter();
    inputs.extend(of_environment.map(|(key, text)| (format!("{key}={text}"), variable())));
    Ok(inputs)
}

/// The recipes of the run; the document names some of its own, or none.
pub(super) fn recipes_in_use(
    typed: &Leaf<'_>,
    added: &[(&Setting, Given)],
    named: Option<Vec<String>>,
) -> Result<Vec<Recipe>, Failure> {
    let of_layers = added
        .iter()
        .find(|(setting, _)| setting.shape == Shape::Recipes);
    let names: Vec<String> = match (named, of_layers) {
        (Some(names), _) => names,
        (None, Some((_, given))) => given.texts.clone(),
        (None, None) => {
            let typed = typed.matches.get_many("recipe").unwrap_or_default();
            typed.cloned().collect()
        }
    };
    names.iter().map(|name| recipes::load(name)).collect()
}

fn is_in_use(name: &str, used: &[Recipe]) -> bool {
    used.iter().any(|recipe| recipe.name() == name)
}

/// Inputs of recipes that are not in use say nothing, but a misspelt recipe would be one of them.
fn check(of_file: &[RecipeInputs], used: &[Recipe]) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let known = || {
        let builtin = builtin().iter().map(|(name, _)| *name);
        builtin.chain(used.iter().map(Recipe::name))
    };
    for of_recipe in of_file {
        let Some(recipe) = used.iter().find(|recipe| recipe.name() == of_recipe.recipe) else {
            let name = of_recipe.recipe.as_str();
            let near = nearest(name, known()).filter(|near| *near != name);
            problems.extend(near.map(|near| Problem {
                message: format!("{}: there is no recipe `{name}`", of_recipe.origin),
                hint: Some(format!("did you mean `{near}`?")),
            }));
            continue;
        };
        let names = || {
            recipe
                .declarations()
                .iter()
                .map(|input| input.name.as_str())
        };
        for input in &of_recipe.inputs {
            if names().any(|name| name == input.name) {
                continue;
            }
            problems.push(Problem {
                message: format!(
                    "{}: the recipe `{}` has no input `{}`",
                    input.origin, of_recipe.recipe, input.name
                ),
                hint: Some(match nearest(&input.name, names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("`recipes show {}` lists its inputs", of_recipe.recipe),
                }),
            });
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Failure {
            exit: Exit::Usage,
            problems,
        }),
    }
}

/// All inputs, those of the command line last.
pub(super) fn with_origin(
    leaf: &Leaf<'_>,
    mut inputs: Vec<(String, Origin)>,
) -> Vec<(String, Origin)> {
    let Ok(Some(all)) = leaf.matches.try_get_many::<String>("set") else {
        return inputs;
    };
    let typed: Vec<&String> = all.skip(inputs.len()).collect();
    inputs.extend(
        typed
            .into_iter()
            .map(|text| (text.clone(), Origin::Option("set"))),
    );
    inputs
}
