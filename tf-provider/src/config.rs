//! The argument `config`: recipes and their inputs, image configs, and policies, in the spelling
//! of `outrigger.yaml` and of the lock file.

use std::sync::OnceLock;

use registry::{LockFile, Locked};
use serde_json::{Map, Value, json};
use taskdef::nearest::nearest;
use taskdef::recipe::{
    CombinationError, InputError, InputErrors, InputValue, Inputs, Recipe, RecipeError, Recipes,
    assign, builtin, conflicts,
};
use taskdef::settings::{Assumptions, KnownAgent, LaunchTypes, PinDigests, Settings, TaskSize};

use crate::problem::Problem;

const KEYS: &[&str] = &["recipe", "inputs", "images", "policies"];
const POLICIES: &[&str] = &[
    "pinDigests",
    "assumptions",
    "confirmedImages",
    "taskSize",
    "launchTypes",
];
/// How messages name the image configs.
const IMAGES: &str = "config.images";

/// What a task definition is instrumented with.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) recipes: Recipes,
    pub(crate) settings: Settings,
    pub(crate) images: Locked,
}

pub(crate) fn read(config: &Value) -> Result<Config, Vec<Problem>> {
    let Some(given) = config.as_object() else {
        let problem = Problem::new("`config` is no object".to_owned());
        return Err(vec![
            problem.hint("give `{ recipe = ..., inputs = {...}, images = ... }`"),
        ]);
    };
    let mut problems = Vec::new();
    let unknown = given.keys().filter(|key| !KEYS.contains(&key.as_str()));
    problems.extend(unknown.map(|key| Problem::unknown_key("`config`", key, KEYS)));
    let value = |key| given.get(key).filter(|value| !value.is_null());
    let recipes = taken(recipes(value("recipe"), value("inputs")), &mut problems);
    let settings = taken(settings(value("policies")), &mut problems);
    let images = taken(images(value("images")), &mut problems);
    match (recipes, settings, images) {
        (Some(recipes), Some(settings), Some(images)) if problems.is_empty() => Ok(Config {
            settings: Settings {
                known_agents: others(&recipes),
                ..settings
            },
            recipes,
            images,
        }),
        _ => Err(problems),
    }
}

fn taken<T>(result: Result<T, Vec<Problem>>, problems: &mut Vec<Problem>) -> Option<T> {
    result.map_err(|more| problems.extend(more)).ok()
}

fn recipes(names: Option<&Value>, inputs: Option<&Value>) -> Result<Recipes, Vec<Problem>> {
    let names = match names {
        Some(Value::String(name)) => vec![name.as_str()],
        Some(Value::Array(names)) if names.iter().all(Value::is_string) => {
            names.iter().filter_map(Value::as_str).collect()
        }
        _ => Vec::new(),
    };
    if names.is_empty() {
        let problem =
            Problem::new("`config.recipe` is neither a recipe nor a list of recipes".to_owned());
        return Err(vec![problem.hint(choice())]);
    }
    let mut problems = Vec::new();
    let loaded = names.into_iter().map(load);
    let loaded: Vec<Recipe> = loaded
        .filter_map(|recipe| recipe.map_err(|problem| problems.push(problem)).ok())
        .collect();
    // A recipe that could not be read is no conflict.
    if problems.is_empty() {
        problems.extend(conflicts(&loaded).iter().map(conflict));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut bound = Vec::new();
    for (recipe, inputs) in loaded.iter().zip(assigned(inputs, &loaded)?) {
        match recipe.bind(inputs) {
            Ok(recipe) => bound.push(recipe),
            Err(errors) => problems.extend(wrong_inputs(&errors)),
        }
    }
    match problems.is_empty() {
        true => Recipes::new(bound).map_err(|errors| errors.iter().map(conflict).collect()),
        false => Err(problems),
    }
}

/// The recipes that come with the program. A process answers many calls: they are read once.
fn known() -> &'static [(&'static str, Result<Recipe, RecipeError>)] {
    type Known = Vec<(&'static str, Result<Recipe, RecipeError>)>;
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let all = builtin().iter();
        all.map(|(name, text)| {
            (
                *name,
                Recipe::parse(&format!("templates/{name}.yaml"), text),
            )
        })
        .collect()
    })
}

/// The agents of the recipes that are known and not in use.
fn others(used: &Recipes) -> Vec<KnownAgent> {
    static AGENTS: OnceLock<Vec<KnownAgent>> = OnceLock::new();
    let agents = AGENTS.get_or_init(|| {
        let recipes = known()
            .iter()
            .filter_map(|(_, recipe)| recipe.as_ref().ok());
        recipes.map(KnownAgent::from).collect()
    });
    let others = agents.iter().filter(|agent| !used.contains(&agent.recipe));
    others.cloned().collect()
}

/// A recipe by its name, or by its text: a function reads no files, and Terraform's `file` does.
fn load(given: &str) -> Result<Recipe, Problem> {
    let found = known().iter().find(|(name, _)| *name == given);
    let parsed = match found {
        Some((_, parsed)) => parsed.clone(),
        None if given.contains('\n') => Recipe::parse("config.recipe", given),
        None => {
            let problem = Problem::new(format!("there is no recipe `{given}`"));
            let near = nearest(given, builtin().iter().map(|(name, _)| *name));
            return Err(problem.hint(match near {
                Some(near) => format!(
                    "did you mean `{near}`? T{}",
                    choice().trim_start_matches('t')
                ),
                None => choice(),
            }));
        }
    };
    parsed.map_err(|error| {
        let problem = Problem::new(format!("the recipe cannot be used: {error}"));
        match &error.hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    })
}

fn choice() -> String {
    let names: Vec<&str> = builtin().iter().map(|(name, _)| *name).collect();
    format!(
        "there are: {}; or give the text of a recipe, with `file(\"recipe.yaml\")`",
        names.join(", ")
    )
}

fn conflict(error: &CombinationError) -> Problem {
    Problem::new(error.to_string()).hint(error.hint())
}

fn wrong_inputs(errors: &InputErrors) -> Vec<Problem> {
    let problem = |error: &InputError| {
        let problem = Problem::new(format!("recipe `{}`: {error}", errors.recipe));
        match error.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    };
    errors.errors.iter().map(problem).collect()
}

fn assigned(inputs: Option<&Value>, recipes: &[Recipe]) -> Result<Vec<Inputs>, Vec<Problem>> {
    let none = Map::new();
    let inputs = match inputs {
        None => &none,
        Some(Value::Object(inputs)) => inputs,
        Some(_) => {
            return Err(vec![Problem::new(
                "`config.inputs` is no object".to_owned(),
            )]);
        }
    };
    let mut given = Vec::new();
    let mut problems = Vec::new();
    for (name, value) in inputs.iter().filter(|(_, value)| !value.is_null()) {
        match InputValue::from_value(value.clone()) {
            Ok(value) => given.push((name.clone(), value)),
            Err(error) => problems.push(Problem::new(format!("input `{name}`: {error}"))),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    assign(given, recipes).map_err(|errors| {
        let told = errors.iter();
        told.map(|error| Problem::new(error.to_string()).hint(error.hint()))
            .collect()
    })
}

fn settings(policies: Option<&Value>) -> Result<Settings, Vec<Problem>> {
    let mut settings = Settings::default();
    let policies = match policies {
        None => return Ok(settings),
        Some(Value::Object(policies)) => policies,
        Some(_) => {
            return Err(vec![Problem::new(
                "`config.policies` is no object".to_owned(),
            )]);
        }
    };
    let mut problems = Vec::new();
    for (key, value) in policies.iter().filter(|(_, value)| !value.is_null()) {
        problems.extend(set_policy(&mut settings, key, value).err());
    }
    match problems.is_empty() {
        true => Ok(settings),
        false => Err(problems),
    }
}

fn set_policy(settings: &mut Settings, key: &str, value: &Value) -> Result<(), Problem> {
    match key {
        "pinDigests" => {
            settings.pin_digests = one_of(
                key,
                value,
                &[
                    ("no", PinDigests::No),
                    ("digest", PinDigests::Digest),
                    ("keep-tag", PinDigests::KeepTag),
                ],
            )?;
        }
        "assumptions" => {
            settings.assumptions = one_of(
                key,
                value,
                &[("warn", Assumptions::Warn), ("fail", Assumptions::Fail)],
            )?;
        }
        "taskSize" => {
            settings.task_size = one_of(
                key,
                value,
                &[("keep", TaskSize::Keep), ("grow", TaskSize::Grow)],
            )?;
        }
        "launchTypes" => {
            let known = [("fargate", LaunchTypes::Fargate), ("any", LaunchTypes::Any)];
            settings.launch_types = one_of(key, value, &known)?;
        }
        "confirmedImages" => {
            let texts = value
                .as_array()
                .filter(|list| list.iter().all(Value::is_string));
            let wrong =
                || Problem::new("`config.policies.confirmedImages` is no list of texts".to_owned());
            let texts = texts.ok_or_else(wrong)?.iter().filter_map(Value::as_str);
            settings.confirmed = texts.map(str::to_owned).collect();
        }
        key => return Err(Problem::unknown_key("`config.policies`", key, POLICIES)),
    }
    Ok(())
}

fn one_of<T: Copy>(key: &str, value: &Value, known: &[(&str, T)]) -> Result<T, Problem> {
    let found = known.iter().find(|(name, _)| value.as_str() == Some(*name));
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<String> = known.iter().map(|(name, _)| format!("`{name}`")).collect();
        Problem::new(format!(
            "`config.policies.{key}` is none of {}",
            names.join(", ")
        ))
    })
}

/// The configs in the form of a lock file's `images`.
fn images(images: Option<&Value>) -> Result<Locked, Vec<Problem>> {
    let Some(images) = images else {
        return Ok(Locked::new(LockFile::new(IMAGES)));
    };
    let text = json!({"version": 1, "images": images}).to_string();
    let lock = LockFile::parse(IMAGES, &text);
    let lock = lock.map_err(|error| {
        vec![Problem::new(format!("`{IMAGES}` is no table of image configs: {error}")).hint(
            "give `table` of the data source `outrigger_images` or `outrigger_lock`, or `jsondecode(file(\"outrigger.lock\")).images`",
        )]
    });
    Ok(Locked::new(lock?))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;
    use crate::problem::told;

    fn wrong(config: &Value) -> String {
        let told = told(&read(config).unwrap_err());
        assert!(!told.contains("hunter2"), "{told}");
        told
    }

    #[test]
    fn every_mistake_is_named_without_its_value() {
        insta::assert_snapshot!(wrong(&json!("hunter2")), @"
        `config` is no object
          way out: give `{ recipe = ..., inputs = {...}, images = ... }`
        ");
        insta::assert_snapshot!(wrong(&json!({
            "recipe": "lacework", "inputs": {"accesToken": "hunter2"}, "image": {},
            "policies": {"pinDigests": "hunter2", "taskSize": "grow", "confirmedImages": "hunter2", "colour": 1},
            "images": {"nginx": {"linux/amd64": {"entrypoints": ["hunter2"]}}},
        })), @r#"
        `config` has no `image`
          way out: did you mean `images`?
        recipe `lacework`: missing input `accessToken`
          way out: `accessToken`: access token of the agent, from the Lacework console
        recipe `lacework`: unknown input `accesToken`
          way out: did you mean `accessToken`?
        `config.policies.pinDigests` is none of `no`, `digest`, `keep-tag`
        `config.policies.confirmedImages` is no list of texts
        `config.policies` has no `colour`
          way out: it has `pinDigests`, `assumptions`, `confirmedImages`, `taskSize`, `launchTypes`
        `config.images` is no table of image configs: config.images:1:30: the image `nginx` is written `docker.io/library/nginx:latest` in a lock file
          way out: give `table` of the data source `outrigger_images` or `outrigger_lock`, or `jsondecode(file("outrigger.lock")).images`
        "#);
        insta::assert_snapshot!(wrong(&json!({"inputs": {"a": {"value": 1, "valueFrom": "hunter2"}}})), @r#"
        `config.recipe` is neither a recipe nor a list of recipes
          way out: there are: alert-logic, deepfence, lacework, prisma-cloud, sysdig; or give the text of a recipe, with `file("recipe.yaml")`
        "#);
        insta::assert_snapshot!(wrong(&json!({"recipe": ["lacework", "alert-logic"], "inputs": "hunter2"})), @"`config.inputs` is no object");
    }

    #[test]
    fn a_recipe_is_a_name_or_a_text() {
        let text = "recipe: 1\nname: own\ndescription: d\ndocumentation: []\nsidecars:\n  - name: agent\n    settings: {essential: false, image: i}\n";
        let config =
            read(&json!({"recipe": [text, "alert-logic"], "policies": {"pinDigests": "keep-tag"}}));
        let config = config.unwrap();
        let names: Vec<&str> = config
            .recipes
            .iter()
            .map(|recipe| recipe.recipe().name())
            .collect();
        assert_eq!(names, ["own", "alert-logic"]);
        insta::assert_snapshot!(wrong(&json!({"recipe": "recipe: 1\nname: [hunter2\n"})).lines().next().unwrap(), @"the recipe cannot be used: config.recipe:2:7: expected a text");
    }
}
