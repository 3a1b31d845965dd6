//! Recipes and their inputs, as the command line names them.

use std::collections::BTreeMap;
use std::path::Path;

use taskdef::recipe::{
    BoundRecipe, InputError, InputErrors, InputValue, Note, Permissions, Recipe, RecipeError,
    builtin,
};
use taskdef::settings::KnownSidecar;

use crate::input::read_text;
use crate::nearest::nearest;
use crate::options::RecipeOptions;
use crate::report::Section;
use crate::{Exit, Failure, Problem, assignment};

/// The largest recipe that is read.
const RECIPE_LIMIT: u64 = 1 << 20;

/// Loads the recipe that the options name, and gives it its inputs.
pub fn bind(options: &RecipeOptions) -> Result<BoundRecipe, Failure> {
    let Some(name) = &options.recipe else {
        return Err(Failure::usage("no recipe is given")
            .hint(format!("choose one with `--recipe NAME|FILE`: {}", names())));
    };
    let recipe = load(name)?;
    let mut inputs = BTreeMap::new();
    for (index, argument) in options.set.iter().enumerate() {
        let (key, text) = assignment::split("--set", index + 1, argument)?;
        let value = InputValue::parse(text)
            .map_err(|error| Failure::usage(format!("input `{key}`: {error}")))?;
        inputs.insert(key.to_owned(), value);
    }
    recipe.bind(inputs).map_err(input_failure)
}

/// Loads a built-in recipe by its name, or a recipe from a file.
pub fn load(name: &str) -> Result<Recipe, Failure> {
    if let Some((name, text)) = builtin().iter().find(|(known, _)| *known == name) {
        return parse_builtin(name, text);
    }
    if is_file(name) {
        let text = read_text(Path::new(name), RECIPE_LIMIT)?;
        return Recipe::parse(name, &text).map_err(recipe_failure);
    }
    let known = builtin().iter().map(|(known, _)| *known);
    let hint = match nearest(name, known) {
        Some(near) => format!(
            "did you mean `{near}`? There are: {}; or name a file",
            names()
        ),
        None => format!("there are: {}; or name a file", names()),
    };
    Err(Failure::usage(format!("there is no recipe `{name}`")).hint(hint))
}

/// Reads one of the recipes that come with the program.
pub fn parse_builtin(name: &str, text: &str) -> Result<Recipe, Failure> {
    Recipe::parse(&format!("templates/{name}.yaml"), text).map_err(recipe_failure)
}

/// Whether the text names a file and not a recipe: by its form, or because it is there.
fn is_file(name: &str) -> bool {
    let path = Path::new(name);
    let extension = path.extension().and_then(|extension| extension.to_str());
    name.contains(['/', '\\'])
        || matches!(extension, Some("yaml" | "yml" | "json"))
        || path.is_file()
}

fn names() -> String {
    builtin()
        .iter()
        .map(|(name, _)| *name)
        .collect::<Vec<_>>()
        .join(", ")
}

fn recipe_failure(error: RecipeError) -> Failure {
    let failure = Failure::failed(error.to_string());
    match error.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn input_failure(errors: InputErrors) -> Failure {
    let problem = |error: &InputError| Problem {
        message: format!("recipe `{}`: {error}", errors.recipe),
        hint: match error {
            InputError::Unknown { nearest: None, .. } => {
                Some(format!("`recipes show {}` lists its inputs", errors.recipe))
            }
            _ => error.hint(),
        },
    };
    Failure {
        exit: Exit::Usage,
        problems: errors.errors.iter().map(problem).collect(),
    }
}

/// The sidecars of all built-in recipes but the one in use. Reading a recipe takes half a millisecond,
/// so all of them are read, and nothing has to be kept in step with them.
pub fn known_sidecars(used: &Recipe) -> Vec<KnownSidecar> {
    let others = builtin().iter().filter(|(name, _)| *name != used.name());
    // A built-in recipe that cannot be read is a failed test, not a failed run.
    let recipes = others.filter_map(|(name, text)| parse_builtin(name, text).ok());
    let mut sidecars = Vec::new();
    for recipe in recipes {
        for container in recipe.sidecar_names() {
            sidecars.push(KnownSidecar {
                recipe: recipe.name().to_owned(),
                container: container.to_owned(),
                repositories: recipe.agent_repositories().to_vec(),
            });
        }
    }
    sidecars
}

/// What a person has to arrange for the recipe to work.
pub fn sections(permissions: &Permissions) -> Vec<Section> {
    let section = |heading: &str, notes: &[Note]| Section {
        heading: heading.to_owned(),
        lines: notes.iter().map(note).collect(),
    };
    vec![
        section("the task execution role needs", &permissions.execution_role),
        section("the task role needs", &permissions.task_role),
        section("the vendor's own role needs", &permissions.vendor),
        section("prerequisites", &permissions.prerequisites),
        section("network", &permissions.network),
        section("compatibility", &permissions.compatibility),
    ]
}

fn note(note: &Note) -> String {
    match &note.link {
        Some(link) => format!("{}\n{link}", note.text.trim_end()),
        None => note.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use taskdef::recipe::builtin;

    use super::{bind, known_sidecars, load, names};
    use crate::options::RecipeOptions;
    use crate::{Exit, Failure, Paint};

    fn failure(recipe: Option<&str>, set: &[&str]) -> Failure {
        let options = RecipeOptions {
            recipe: recipe.map(str::to_owned),
            set: set.iter().map(|text| (*text).to_owned()).collect(),
        };
        let mut failure = bind(&options).map(|_| ()).unwrap_err();
        // A recipe that is added changes no test.
        for problem in &mut failure.problems {
            problem.hint = problem
                .hint
                .take()
                .map(|hint| hint.replace(&names(), "NAMES"));
        }
        failure
    }

    #[test]
    fn a_recipe_has_to_be_named() {
        let failure = failure(None, &[]);
        assert_eq!(failure.exit, Exit::Usage);
        insta::assert_snapshot!(failure.render(Paint::Plain), @"
        error: no recipe is given
          hint: choose one with `--recipe NAME|FILE`: NAMES
        ");
    }

    #[test]
    fn an_unknown_name_is_wrong_usage() {
        let near = failure(Some("laceworks"), &[]);
        assert_eq!(near.exit, Exit::Usage);
        insta::assert_snapshot!(near.render(Paint::Plain), @"
        error: there is no recipe `laceworks`
          hint: did you mean `lacework`? There are: NAMES; or name a file
        ");
        insta::assert_snapshot!(failure(Some("nobody"), &[]).render(Paint::Plain), @"
        error: there is no recipe `nobody`
          hint: there are: NAMES; or name a file
        ");
    }

    #[test]
    fn a_file_that_is_not_there_cannot_be_read() {
        let failure = failure(Some("no/recipe.yaml"), &[]);
        assert_eq!(failure.exit, Exit::Failed);
        insta::assert_snapshot!(failure.render(Paint::Plain), @"error: cannot read `no/recipe.yaml`: no such file or directory");
    }

    #[test]
    fn every_wrong_input_is_named_without_its_value() {
        let failure = failure(
            Some("lacework"),
            &["accesToken=hunter2", "nonRoot=hunter2", "x=hunter2"],
        );
        assert_eq!(failure.exit, Exit::Usage);
        insta::assert_snapshot!(failure.render(Paint::Plain), @"
        error: recipe `lacework`: missing input `accessToken`
          hint: `accessToken`: access token of the agent, from the Lacework console
        error: recipe `lacework`: unknown input `accesToken`
          hint: did you mean `accessToken`?
        error: recipe `lacework`: input `nonRoot` has to be one of `fail`, `run-as-root`, `sudo`
        error: recipe `lacework`: unknown input `x`
          hint: `recipes show lacework` lists its inputs
        ");
        let both = super::bind(&RecipeOptions {
            recipe: Some("lacework".to_owned()),
            set: vec![r#"accessToken={"value": "hunter2", "valueFrom": "hunter2"}"#.to_owned()],
        });
        insta::assert_snapshot!(both.map(|_| ()).unwrap_err().render(Paint::Plain), @"error: input `accessToken`: an input is given as `value` or as `valueFrom`, not as both");
    }

    #[test]
    fn every_builtin_recipe_can_be_read_by_name_and_from_a_file() {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in builtin() {
            assert_eq!(load(name).unwrap().name(), *name);
            let file = directory.path().join(format!("{name}.yaml"));
            fs::write(&file, text).unwrap();
            assert_eq!(load(&file.to_string_lossy()).unwrap().name(), *name);
        }
    }

    #[test]
    fn the_sidecars_of_other_recipes_are_known() {
        let recipe = load("lacework").unwrap();
        let known = known_sidecars(&recipe);
        assert!(
            known
                .iter()
                .any(|sidecar| sidecar.recipe == "alert-logic" && sidecar.container == "al-agent")
        );
        assert!(known.iter().all(|sidecar| sidecar.recipe != "lacework"));
    }
}
