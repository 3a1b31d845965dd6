//! What task definitions are rewritten with.

use std::sync::Arc;

use cli::options::{RecipeOptions, ScopeOptions, WhenUnresolved};
use cli::selection::selection;
use cli::{Failure, recipes};
use serde::{Deserialize, Serialize};
use taskdef::dialect::Dialect;
use taskdef::recipe::Recipes;
use taskdef::settings::{KnownAgent, LaunchTypes, Marks, Settings};

use crate::options::Choices;

/// What a plan does with task definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Brings them under the recipes: those without, and those with older ones.
    Instrument,
    /// Takes the recipes off again.
    Remove,
}

/// What task definitions are rewritten with.
#[derive(Clone, Debug)]
pub struct Means {
    /// What is done.
    pub purpose: Purpose,
    /// The recipes with their inputs. To remove, they may be missing.
    pub recipes: Option<Arc<Recipes>>,
    /// The names of the recipes to remove; empty for all that left a marker.
    pub names: Vec<String>,
    /// What a person decided.
    pub settings: Settings,
}

impl Means {
    /// Recipes with their inputs, and what a person decided.
    ///
    /// # Errors
    ///
    /// When a recipe, an input or a query is wrong.
    pub fn new(
        purpose: Purpose,
        recipe: &RecipeOptions,
        choices: &Choices,
    ) -> Result<Means, Failure> {
        let (bound, names) = match purpose {
            Purpose::Instrument => (Some(recipes::bind(recipe)?), Vec::new()),
            Purpose::Remove if recipe.recipe.is_empty() => (None, Vec::new()),
            // A file is not called as the recipe in it.
            Purpose::Remove => {
                let named = recipes::named(recipe)?;
                (named.recipes, named.names)
            }
        };
        Ok(Means {
            purpose,
            settings: settings(choices, bound.as_ref())?,
            recipes: bound.map(Arc::new),
            names,
        })
    }
}

fn settings(choices: &Choices, recipes: Option<&Recipes>) -> Result<Settings, Failure> {
    let scope = ScopeOptions {
        // Every definition is rewritten by itself: one that is refused keeps no other from it.
        on_unresolved: WhenUnresolved::Fail,
        launch_types: choices.launch_types,
        mode: choices.mode,
        include: choices.include.clone(),
        exclude: choices.exclude.clone(),
        ignore_tags: choices.ignore_tags,
        task_size: choices.task_size,
    };
    Ok(Settings {
        // Who works on what others deploy has to be able to take it back exactly.
        marks: Marks::Yes,
        // What runs it says whether it is in scope, and not what it says that it could run on.
        launch_types: LaunchTypes::Any,
        selection: selection(&scope, Dialect::Ecs)?,
        task_size: choices.task_size.into(),
        pin_digests: choices.pin_digests.into(),
        assumptions: choices.assumptions.into(),
        confirmed: choices.confirmed.clone(),
        known_agents: recipes.map(KnownAgent::besides).unwrap_or_default(),
        ..Settings::default()
    })
}
