//! Which recipe each input is for.

use std::collections::BTreeMap;

use super::{InputValue, Recipe};
use crate::nearest::nearest;

/// The inputs of one recipe, by name.
pub type Inputs = BTreeMap<String, InputValue>;

/// An input that no recipe, or not one alone, is given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssignError {
    /// Several recipes take an input of this name.
    #[error("several of the recipes take an input `{input}`")]
    Ambiguous {
        /// The input.
        input: String,
        /// The recipes.
        recipes: Vec<String>,
    },
    /// No recipe takes an input of this name.
    #[error("none of the recipes takes an input `{input}`")]
    Unknown {
        /// The input.
        input: String,
        /// The most similar one that there is.
        nearest: Option<String>,
        /// The recipes.
        recipes: Vec<String>,
    },
    /// The input names a recipe that is not in use.
    #[error("the input `{recipe}.{input}` is for the recipe `{recipe}`, which is not in use")]
    NotInUse {
        /// The recipe.
        recipe: String,
        /// Its input.
        input: String,
        /// The most similar recipe in use.
        nearest: Option<String>,
        /// The recipes in use.
        recipes: Vec<String>,
    },
}

impl AssignError {
    /// The way out.
    pub fn hint(&self) -> String {
        match self {
            Self::Ambiguous { input, recipes } => {
                let forms = recipes.iter().map(|recipe| format!("`{recipe}.{input}`"));
                let forms = forms.collect::<Vec<_>>().join(" or ");
                format!("say for which it is: {forms}")
            }
            Self::Unknown {
                nearest: Some(near),
                ..
            }
            | Self::NotInUse {
                nearest: Some(near),
                ..
            } => format!("did you mean `{near}`?"),
            Self::Unknown { recipes, .. } => {
                let names: Vec<String> = recipes.iter().map(|name| format!("`{name}`")).collect();
                format!("see the inputs of {}", names.join(" and "))
            }
            Self::NotInUse { recipes, .. } => {
                let names: Vec<String> = recipes.iter().map(|name| format!("`{name}`")).collect();
                format!("in use: {}", names.join(", "))
            }
        }
    }
}

/// Gives each input to its recipe, by its key: `input`, or `recipe.input`. The result has the
/// recipes' order.
///
/// Without a recipe's name an input belongs to the only recipe that takes it, so that a person who
/// adds a recipe without that input changes nothing else.
///
/// # Errors
///
/// Every key that has no place.
pub fn assign(
    given: impl IntoIterator<Item = (String, InputValue)>,
    recipes: &[Recipe],
) -> Result<Vec<Inputs>, Vec<AssignError>> {
    let mut inputs = vec![Inputs::new(); recipes.len()];
    let mut errors = Vec::new();
    for (key, value) in given {
        match place(&key, recipes) {
            Ok((at, name)) => {
                if let Some(inputs) = inputs.get_mut(at) {
                    inputs.insert(name.to_owned(), value);
                }
            }
            Err(error) => errors.push(error),
        }
    }
    match errors.is_empty() {
        true => Ok(inputs),
        false => Err(errors),
    }
}

/// The position of the recipe that a key is for, and the input's name.
fn place<'k>(key: &'k str, recipes: &[Recipe]) -> Result<(usize, &'k str), AssignError> {
    if let Some((recipe, input)) = key.split_once('.') {
        return match recipes.iter().position(|known| known.name() == recipe) {
            Some(at) => Ok((at, input)),
            None => Err(AssignError::NotInUse {
                recipe: recipe.to_owned(),
                input: input.to_owned(),
                nearest: nearest(recipe, recipes.iter().map(Recipe::name)).map(str::to_owned),
                recipes: names(recipes),
            }),
        };
    }
    // One recipe by itself says what it takes.
    if let [_] = recipes {
        return Ok((0, key));
    }
    let takes = |recipe: &Recipe| recipe.declarations().iter().any(|input| input.name == key);
    let takers = || {
        recipes
            .iter()
            .enumerate()
            .filter(|(_, recipe)| takes(recipe))
    };
    let mut some = takers();
    match (some.next(), some.next()) {
        (Some((at, _)), None) => Ok((at, key)),
        (None, _) => Err(unknown(key, recipes)),
        (Some(_), Some(_)) => Err(AssignError::Ambiguous {
            input: key.to_owned(),
            recipes: names(takers().map(|(_, recipe)| recipe)),
        }),
    }
}

fn unknown(key: &str, recipes: &[Recipe]) -> AssignError {
    let known = recipes.iter().flat_map(Recipe::declarations);
    let known = known.map(|input| input.name.as_str());
    AssignError::Unknown {
        input: key.to_owned(),
        nearest: nearest(key, known).map(str::to_owned),
        recipes: names(recipes),
    }
}

fn names<'r>(recipes: impl IntoIterator<Item = &'r Recipe>) -> Vec<String> {
    let names = recipes.into_iter().map(|recipe| recipe.name().to_owned());
    names.collect()
}
