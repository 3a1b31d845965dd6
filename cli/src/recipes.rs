//! Recipes and their inputs, as the command line names them.

use std::path::Path;

use taskdef::recipe::{
    BoundRecipe, CombinationError, InputError, InputErrors, Note, Permissions, Recipe, RecipeError,
    Recipes, builtin, conflicts,
};

use crate::input::read_text;
use crate::inputs::assign;
use crate::options::RecipeOptions;
use crate::report::Section;
use crate::{Exit, Failure, Problem};
use taskdef::nearest::nearest;

/// The largest recipe that is read.
const RECIPE_LIMIT: u64 = 1 << 20;

/// Loads the recipes that the options name, and gives them their inputs.
pub fn bind(options: &RecipeOptions) -> Result<Recipes, Failure> {
    if options.recipe.is_empty() {
        return Err(Failure::usage("no recipe is given").hint(format!(
            "choose one with `--recipe NAME|FILE`, or as `recipe` in outrigger.yaml: {}\n`--help` shows examples",
            names()
        )));
    }
    let recipes = options.recipe.iter().map(|name| load(name));
    let recipes = recipes.collect::<Result<Vec<Recipe>, Failure>>()?;
    let errors = conflicts(&recipes);
    if !errors.is_empty() {
        return Err(combination_failure(&errors));
    }
    let mut bound = Vec::new();
    let mut problems = Vec::new();
    for (recipe, inputs) in recipes.iter().zip(assign(&options.set, &recipes)?) {
        match recipe.bind(inputs) {
            Ok(recipe) => bound.push(recipe),
            Err(errors) => problems.extend(input_problems(&errors)),
        }
    }
    match problems.is_empty() {
        true => Recipes::new(bound).map_err(|errors| combination_failure(&errors)),
        false => Err(Failure {
            exit: Exit::Usage,
            problems,
        }),
    }
}

/// Refuses secrets in clear text, where others can read what gives the inputs.
pub fn no_secret_in_clear(options: &RecipeOptions) -> Result<(), Failure> {
    let recipes = options.recipe.iter().map(|name| load(name));
    let recipes = recipes.collect::<Result<Vec<Recipe>, Failure>>()?;
    let mut problems = Vec::new();
    for (recipe, inputs) in recipes.iter().zip(assign(&options.set, &recipes)?) {
        let clear = recipe.secrets_in_clear(&inputs);
        problems.extend(clear.map(|name| Problem {
            message: format!(
                "recipe `{}`: the input `{name}` is a secret, and stands in clear text",
                recipe.name()
            ),
            hint: Some("store it in Secrets Manager, and give its ARN".to_owned()),
        }));
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Failure {
            exit: Exit::Usage,
            problems,
        }),
    }
}

/// The recipes that are to be taken off.
pub struct Named {
    /// Their names; none where all that are marked are meant.
    pub names: Vec<String>,
    /// Those whose inputs are all there: what they write can be recognised without a marker.
    pub recipes: Option<Recipes>,
}

/// Loads the recipes that are to be taken off. By its marker a recipe comes off without its inputs, so none is missing.
pub fn named(options: &RecipeOptions) -> Result<Named, Failure> {
    let recipes = options.recipe.iter().map(|name| load(name));
    let recipes = recipes.collect::<Result<Vec<Recipe>, Failure>>()?;
    let names = recipes.iter().map(|recipe| recipe.name().to_owned());
    let names = names.collect();
    let mut bound = Vec::new();
    let mut problems = Vec::new();
    for (recipe, inputs) in recipes.iter().zip(assign(&options.set, &recipes)?) {
        match recipe.bind(inputs) {
            Ok(recipe) => bound.push(recipe),
            Err(mut errors) => {
                let is_missing = |error: &InputError| matches!(error, InputError::Missing(_));
                errors.errors.retain(|error| !is_missing(error));
                problems.extend(input_problems(&errors));
            }
        }
    }
    match problems.is_empty() {
        true => Ok(Named {
            names,
            recipes: Recipes::new(bound).ok(),
        }),
        false => Err(Failure {
            exit: Exit::Usage,
            problems,
        }),
    }
}

fn combination_failure(errors: &[CombinationError]) -> Failure {
    let problems = errors.iter().map(|error| Problem {
        message: error.to_string(),
        hint: Some(error.hint().to_owned()),
    });
    Failure {
        exit: Exit::Usage,
        problems: problems.collect(),
    }
}

/// Loads a built-in recipe by its name, or a recipe from a file.
pub fn load(name: &str) -> Result<Recipe, Failure> {
    if let Some((name, text)) = builtin().iter().find(|(known, _)| *known == name) {
        return parse_builtin(name, text);
    }
    if is_file(name, Path::new("")) {
        let text = read_text(Path::new(name), RECIPE_LIMIT)?;
        return Recipe::parse(name, &text).map_err(recipe_failure);
    }
    Err(Failure {
        exit: Exit::Usage,
        problems: unknown(name).into_iter().collect(),
    })
}

/// What is wrong with a name that is neither a built-in recipe's nor a file's.
pub(crate) fn unknown(name: &str) -> Option<Problem> {
    let known = || builtin().iter().map(|(known, _)| *known);
    if known().any(|known| known == name) || is_file(name, Path::new("")) {
        return None;
    }
    if Path::new(name).is_dir() {
        return Some(Problem {
            message: format!("the recipe `{name}` is a folder"),
            hint: Some("name a file in it".to_owned()),
        });
    }
    Some(Problem {
        message: format!("there is no recipe `{name}`"),
        hint: Some(match nearest(name, known()) {
            Some(near) => format!(
                "did you mean `{near}`? There are: {}; or name a file",
                names()
            ),
            None => format!("there are: {}; or name a file", names()),
        }),
    })
}

/// Reads one of the recipes that come with the program.
pub fn parse_builtin(name: &str, text: &str) -> Result<Recipe, Failure> {
    Recipe::parse(&format!("templates/{name}.yaml"), text).map_err(recipe_failure)
}

/// Whether the text names a file and not a recipe: by its form, or because it is there in the folder.
pub(crate) fn is_file(name: &str, folder: &Path) -> bool {
    let path = Path::new(name);
    let extension = path.extension().and_then(|extension| extension.to_str());
    name.contains(['/', '\\'])
        || matches!(extension, Some("yaml" | "yml" | "json"))
        || folder.join(path).is_file()
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

/// What is wrong with a recipe's inputs, each with the way out.
pub(crate) fn input_problems(errors: &InputErrors) -> Vec<Problem> {
    let problem = |error: &InputError| Problem {
        message: format!("recipe `{}`: {error}", errors.recipe),
        hint: match error {
            InputError::Unknown { nearest: None, .. } => {
                Some(format!("`recipes show {}` lists its inputs", errors.recipe))
            }
            _ => error.hint(),
        },
    };
    errors.errors.iter().map(problem).collect()
}

/// What a person has to arrange for the recipes to work.
pub fn all_sections(recipes: &Recipes) -> Vec<Section> {
    let mut bound: Vec<&BoundRecipe> = recipes.iter().collect();
    if let [recipe] = bound.as_slice() {
        return sections(recipe.permissions());
    }
    let named = bound.drain(..).flat_map(|recipe| {
        let name = recipe.recipe().name();
        let sections = sections(recipe.permissions()).into_iter();
        sections.map(move |section| Section {
            heading: format!("{name}: {}", section.heading),
            ..section
        })
    });
    named.collect()
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

    use super::{all_sections, bind, load, names};
    use crate::options::RecipeOptions;
    use crate::{Exit, Failure, Paint};

    fn options(recipes: &[&str], set: &[&str]) -> RecipeOptions {
        RecipeOptions {
            recipe: recipes.iter().map(|name| (*name).to_owned()).collect(),
            set: set.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    fn failure(recipes: &[&str], set: &[&str]) -> Failure {
        let mut failure = bind(&options(recipes, set)).map(|_| ()).unwrap_err();
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
        let failure = failure(&[], &[]);
        assert_eq!(failure.exit, Exit::Usage);
        insta::assert_snapshot!(failure.render(Paint::Plain), @"
        error: no recipe is given
          hint: choose one with `--recipe NAME|FILE`, or as `recipe` in outrigger.yaml: NAMES
            `--help` shows examples
        ");
    }

    #[test]
    fn an_unknown_name_is_wrong_usage() {
        let near = failure(&["laceworks"], &[]);
        assert_eq!(near.exit, Exit::Usage);
        insta::assert_snapshot!(near.render(Paint::Plain), @"
        error: there is no recipe `laceworks`
          hint: did you mean `lacework`? There are: NAMES; or name a file
        ");
        insta::assert_snapshot!(failure(&["nobody"], &[]).render(Paint::Plain), @"
        error: there is no recipe `nobody`
          hint: there are: NAMES; or name a file
        ");
    }

    #[test]
    fn a_file_that_is_not_there_cannot_be_read() {
        let failure = failure(&["no/recipe.yaml"], &[]);
        assert_eq!(failure.exit, Exit::Failed);
        insta::assert_snapshot!(failure.render(Paint::Plain), @"error: cannot read `no/recipe.yaml`: no such file or directory");
    }

    #[test]
    fn every_wrong_input_is_named_without_its_value() {
        let failure = failure(
            &["lacework"],
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
        let both = super::bind(&options(
            &["lacework"],
            &[r#"accessToken={"value": "hunter2", "valueFrom": "hunter2"}"#],
        ));
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
    fn recipes_that_do_not_go_together_are_wrong_usage() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("second.yaml");
        let text = "recipe: 1\nname: second\ndescription: d\ndocumentation: []\nworkload:\n  - process: {wrapper: [/wrap]}\nsidecars:\n  - name: al-agent\n    settings: {essential: false, image: i}\n";
        fs::write(&file, text).unwrap();
        let second = file.to_string_lossy().into_owned();
        let failure = failure(&["lacework", "alert-logic", &second, "alert-logic"], &[]);
        assert_eq!(failure.exit, Exit::Usage);
        insta::assert_snapshot!(failure.render(Paint::Plain), @"
        error: the recipes `lacework` and `second` both wrap a container's program
          hint: two agents cannot trace one program: give one of them; recipes that only add sidecars combine freely
        error: the recipes `alert-logic` and `second` both add a container `al-agent`
          hint: give one of them
        error: the recipe `alert-logic` is given twice
          hint: give it once
        ");
    }

    #[test]
    fn the_problems_of_all_recipes_are_named() {
        let failure = failure(
            &["lacework", "alert-logic"],
            &["deployment=hunter2", "nonRoot=hunter2"],
        );
        assert_eq!(failure.exit, Exit::Usage);
        insta::assert_snapshot!(failure.render(Paint::Plain), @"
        error: recipe `lacework`: missing input `accessToken`
          hint: `accessToken`: access token of the agent, from the Lacework console
        error: recipe `lacework`: input `nonRoot` has to be one of `fail`, `run-as-root`, `sudo`
        error: recipe `alert-logic`: input `deployment` has to be one of `mdr`, `defender-full`, `defender-minimal`
        ");
    }

    #[test]
    fn sections_name_their_recipe_where_there_are_several() {
        let headings = |recipes: &[&str]| {
            let bound = bind(&options(recipes, &["lacework.accessToken=x"])).unwrap();
            let sections = all_sections(&bound).into_iter();
            sections
                .filter(|section| !section.lines.is_empty())
                .map(|section| section.heading)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            headings(&["lacework"]).first().unwrap(),
            "the task execution role needs"
        );
        assert!(
            headings(&["alert-logic", "lacework"])
                .contains(&"lacework: the task execution role needs".to_owned())
        );
    }
}
