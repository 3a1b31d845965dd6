//! Recipes that are used together.

use std::collections::BTreeMap;

use super::{BoundRecipe, Recipe};

/// The recipes of a run, in the order in which they are applied: at least one, each once, at most
/// one that wraps, and no container name that two of them add.
#[derive(Debug)]
pub struct Recipes {
    bound: Vec<BoundRecipe>,
}

/// Why recipes cannot be used together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CombinationError {
    /// There is none.
    #[error("no recipe is given")]
    Empty,
    /// One of them is there twice.
    #[error("the recipe `{0}` is given twice")]
    Twice(String),
    /// Two of them wrap.
    #[error("the recipes `{0}` and `{1}` both wrap a container's program")]
    TwoWrappers(String, String),
    /// Two of them add a container of one name.
    #[error("the recipes `{first}` and `{second}` both add a container `{container}`")]
    SameSidecar {
        /// The container's name.
        container: String,
        /// The recipe that comes first.
        first: String,
        /// The other one.
        second: String,
    },
}

impl CombinationError {
    /// The way out.
    pub fn hint(&self) -> &'static str {
        match self {
            CombinationError::Empty => "give one",
            CombinationError::Twice(_) => "give it once",
            CombinationError::TwoWrappers(..) => {
                "two agents cannot trace one program: give one of them; recipes that only add sidecars combine freely"
            }
            CombinationError::SameSidecar { .. } => "give one of them",
        }
    }
}

/// What keeps recipes from being used together; nothing where they can be.
pub fn conflicts<'r>(recipes: impl IntoIterator<Item = &'r Recipe>) -> Vec<CombinationError> {
    let mut errors = Vec::new();
    let mut seen: Vec<&Recipe> = Vec::new();
    let mut sidecars: BTreeMap<&str, &str> = BTreeMap::new();
    for recipe in recipes {
        let name = recipe.name();
        if seen.iter().any(|other| other.name() == name) {
            errors.push(CombinationError::Twice(name.to_owned()));
            continue;
        }
        let wrapper = seen.iter().find(|other| other.wraps());
        if let Some(other) = wrapper.filter(|_| recipe.wraps()) {
            let other = other.name().to_owned();
            errors.push(CombinationError::TwoWrappers(other, name.to_owned()));
        }
        for container in recipe.sidecar_names() {
            if let Some(first) = sidecars.insert(container, name) {
                errors.push(CombinationError::SameSidecar {
                    container: container.to_owned(),
                    first: first.to_owned(),
                    second: name.to_owned(),
                });
            }
        }
        seen.push(recipe);
    }
    if seen.is_empty() {
        errors.push(CombinationError::Empty);
    }
    errors
}

impl Recipes {
    /// Recipes that can be used together, or everything that keeps them from it.
    pub fn new(bound: Vec<BoundRecipe>) -> Result<Recipes, Vec<CombinationError>> {
        let errors = conflicts(bound.iter().map(BoundRecipe::recipe));
        match errors.is_empty() {
            true => Ok(Recipes { bound }),
            false => Err(errors),
        }
    }

    /// The recipes in their order.
    pub fn iter(&self) -> impl Iterator<Item = &BoundRecipe> {
        self.bound.iter()
    }

    /// Whether a recipe of this name is among them.
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|recipe| recipe.recipe().name() == name)
    }
}

impl From<BoundRecipe> for Recipes {
    /// One recipe by itself.
    fn from(recipe: BoundRecipe) -> Recipes {
        Recipes {
            bound: vec![recipe],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CombinationError, Recipe, conflicts};

    fn recipe(name: &str, sidecar: &str, wraps: bool) -> Recipe {
        let workload = match wraps {
            true => "workload:\n  - process: {wrapper: [/wrap]}\n",
            false => "",
        };
        let text = format!(
            "recipe: 1\nname: {name}\ndescription: d\ndocumentation: []\n{workload}sidecars:\n  - name: {sidecar}\n    settings: {{essential: false, image: i}}\n"
        );
        Recipe::parse(name, &text).unwrap()
    }

    fn told(recipes: &[Recipe]) -> String {
        let errors = conflicts(recipes);
        let lines = errors
            .iter()
            .map(|error| format!("{error}; {}", error.hint()));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn one_that_wraps_and_others_that_do_not() {
        let (a, b, c) = (
            recipe("a", "x", true),
            recipe("b", "y", false),
            recipe("c", "z", false),
        );
        assert_eq!(conflicts([&a, &b, &c]), []);
        assert_eq!(conflicts([&c, &b, &a]), []);
        assert_eq!(conflicts([]), [CombinationError::Empty]);
    }

    #[test]
    fn everything_that_conflicts_is_named() {
        let recipes = [
            recipe("a", "x", true),
            recipe("b", "x", false),
            recipe("a", "x", true),
            recipe("c", "z", true),
        ];
        insta::assert_snapshot!(told(&recipes), @"
        the recipes `a` and `b` both add a container `x`; give one of them
        the recipe `a` is given twice; give it once
        the recipes `a` and `c` both wrap a container's program; two agents cannot trace one program: give one of them; recipes that only add sidecars combine freely
        ");
    }
}
