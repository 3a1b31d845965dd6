//! What override files are made with: the form, the recipes and their inputs, policies, and what images run.

use cli::input::read_text;
use cli::options::{WhenAssumed, WhenPinned, WhenTooSmall, WhenUnresolved, WhichLaunchTypes};
use cli::{Exit, Failure, Problem, inputs, recipes};
use registry::lock::LockedPlatform;
use registry::{ImageReference, LockFile};
use serde_json::{Map, Value, json};
use taskdef::image::{Answers, ImageRequest};
use taskdef::recipe::{InputValue, Recipe, builtin};

use crate::options::{OverrideArguments, OverrideForm};

use super::file::digest_of;

/// The largest recipe that is read.
const RECIPE_LIMIT: u64 = 1 << 20;

/// What override files are made with.
pub(crate) struct Making {
    pub(crate) form: OverrideForm,
    /// The names of the recipes, for a person.
    pub(crate) recipes: String,
    /// The function's argument `config`, without images.
    pub(crate) config: Map<String, Value>,
    /// Whether tags of the task definition take part in the selection.
    pub(crate) follows_tags: bool,
    /// What is given: the recipes' texts, and the inputs.
    pub(crate) given: String,
    /// What registries or the lock file say of images.
    pub(crate) answers: Answers,
    /// What identifies all of it but the images: by name, digests.
    pub(crate) digests: Vec<(&'static str, String)>,
}

impl Making {
    /// Reads the options.
    pub(crate) fn of(arguments: &OverrideArguments) -> Result<Making, Failure> {
        // Names every problem of recipes and inputs.
        recipes::bind(&arguments.recipe)?;
        let names = &arguments.recipe.recipe;
        let loaded = names.iter().map(|name| recipes::load(name));
        let loaded = loaded.collect::<Result<Vec<Recipe>, Failure>>()?;
        refuse_secrets(&arguments.recipe.set, &loaded)?;
        let (mut given, mut texts) = (Vec::new(), Vec::new());
        for name in names {
            match builtin().iter().find(|(known, _)| known == name) {
                Some((known, text)) => {
                    given.push(Value::from(*known));
                    texts.push((*text).to_owned());
                }
                None => {
                    let text = read_text(std::path::Path::new(name), RECIPE_LIMIT)?;
                    given.push(Value::from(text.as_str()));
                    texts.push(text);
                }
            }
        }
        let mut config = Map::new();
        let recipe = match given.as_slice() {
            [one] => one.clone(),
            _ => Value::Array(given),
        };
        config.insert("recipe".to_owned(), recipe);
        let inputs = given_inputs(&arguments.recipe.set)?;
        if !inputs.is_empty() {
            config.insert("inputs".to_owned(), Value::Object(inputs));
        }
        let policies = policies(arguments);
        if !policies.is_empty() {
            config.insert("policies".to_owned(), Value::Object(policies));
        }
        let form = arguments.files.form;
        let follows_tags = !arguments.scope.ignore_tags;
        let digests = digests(arguments, &config, &texts);
        let shown: Vec<&str> = loaded.iter().map(Recipe::name).collect();
        let inputs = config.get("inputs").map(Value::to_string);
        let given = format!("{}\n{}", texts.join("\n"), inputs.unwrap_or_default());
        Ok(Making {
            form,
            recipes: shown.join(", "),
            config,
            follows_tags,
            given,
            answers: Answers::new(),
            digests,
        })
    }

    /// What these images run, in the form of the lock file; none where nothing has to be known.
    pub(crate) fn table<'r>(
        &self,
        requests: impl Iterator<Item = &'r ImageRequest>,
    ) -> Option<Value> {
        let mut table = LockFile::new("");
        for request in requests {
            let answer = self.answers.get(request);
            if let (Some(Ok(config)), Ok(reference)) =
                (answer, ImageReference::parse(&request.reference))
            {
                let platform = LockedPlatform::from(&request.platform);
                table.insert(&reference, platform, config.clone());
            }
        }
        let text: Value = serde_json::from_str(&table.to_text()).ok()?;
        let images = text.get("images")?.as_object()?;
        (!images.is_empty()).then(|| Value::Object(images.clone()))
    }
}

/// What identifies each part of what files are made with, by its name in messages.
fn digests(
    arguments: &OverrideArguments,
    config: &Map<String, Value>,
    texts: &[String],
) -> Vec<(&'static str, String)> {
    let scope = &arguments.scope;
    let part = |name: &str| config.get(name).cloned().unwrap_or_default();
    let fails = scope.on_unresolved == WhenUnresolved::Fail;
    let selection = json!([scope.mode, scope.include, scope.exclude, scope.ignore_tags]);
    let parts = [
        ("form", json!(arguments.files.form.name())),
        ("recipes", json!([part("recipe"), texts])),
        ("inputs", part("inputs")),
        ("policies", json!([part("policies"), fails])),
        ("selection", selection),
    ];
    let digests = parts.map(|(name, part)| (name, digest_of(&part.to_string())));
    digests.into()
}

/// Refuses secrets that are given as they are: they would stand in a file.
fn refuse_secrets(arguments: &[String], recipes: &[Recipe]) -> Result<(), Failure> {
    let mut problems = Vec::new();
    for (recipe, inputs) in recipes.iter().zip(inputs::assign(arguments, recipes)?) {
        let of_registries = inputs
            .iter()
            .filter(|(_, value)| recipe.holds_image_secret(value));
        problems.extend(of_registries.map(|(name, _)| credential_of_a_registry(name)));
        let secret = recipe.declarations().iter().filter(|input| input.secret);
        for input in secret {
            if let Some(InputValue::Plain(_)) = inputs.get(&input.name) {
                problems.push(Problem {
                    message: format!(
                        "the input `{}` is a secret, and would be written to a file as it is",
                        input.name
                    ),
                    hint: Some(format!(
                        "keep it in AWS Secrets Manager or SSM, and give `--set {}='{{valueFrom: ARN}}'`",
                        input.name
                    )),
                });
            }
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

fn credential_of_a_registry(input: &str) -> Problem {
    Problem {
        message: format!(
            "the image in the input `{input}` has a credential of its registry in its name, and would be written to a file as it is"
        ),
        hint: Some(format!(
            "copy the image into a registry of your own, and give `--set {input}=` its name there"
        )),
    }
}

fn given_inputs(arguments: &[String]) -> Result<Map<String, Value>, Failure> {
    let given = inputs::given(arguments)?.into_iter();
    let inputs = given.map(|(name, value)| match value {
        InputValue::Plain(value) => (name, value),
        InputValue::ValueFrom(value) => (name, json!({"valueFrom": value})),
    });
    Ok(inputs.collect())
}

/// The policies that differ from what the function does by itself.
fn policies(arguments: &OverrideArguments) -> Map<String, Value> {
    let mut policies = Map::new();
    let mut set = |key: &str, value: Value| policies.insert(key.to_owned(), value);
    match arguments.images.pin_digests {
        WhenPinned::No => {}
        WhenPinned::Digest => drop(set("pinDigests", json!("digest"))),
        WhenPinned::KeepTag => drop(set("pinDigests", json!("keep-tag"))),
    }
    if arguments.assumptions.assumptions == WhenAssumed::Fail {
        set("assumptions", json!("fail"));
    }
    if !arguments.assumptions.confirmed.is_empty() {
        set("confirmedImages", json!(arguments.assumptions.confirmed));
    }
    if arguments.scope.task_size == WhenTooSmall::Grow {
        set("taskSize", json!("grow"));
    }
    if arguments.scope.launch_types == WhichLaunchTypes::Any {
        set("launchTypes", json!("any"));
    }
    policies
}

#[cfg(test)]
mod tests {
    use super::*;
    use cli::Paint;

    #[test]
    fn what_must_not_stand_in_a_file() {
        let (_, text) = builtin()
            .iter()
            .find(|(name, _)| *name == "prisma-cloud")
            .unwrap();
        let recipes = [Recipe::parse("prisma-cloud", text).unwrap()];
        let told = |given: &[&str]| {
            let given: Vec<String> = given.iter().map(|it| (*it).to_owned()).collect();
            match refuse_secrets(&given, &recipes) {
                Ok(()) => "-\n".to_owned(),
                Err(failure) => failure.render(Paint::Plain),
            }
        };
        let image = "image=registry-auth.twistlock.com/tw_hunter2/twistlock/defender:1";
        let table = [
            told(&[image, "installBundle=hunter2"]),
            told(&[
                "image=r.example/twistlock/defender:1",
                "installBundle={valueFrom: /bundle}",
            ]),
        ];
        insta::assert_snapshot!(table.concat(), @"
        error: the image in the input `image` has a credential of its registry in its name, and would be written to a file as it is
          hint: copy the image into a registry of your own, and give `--set image=` its name there
        error: the input `installBundle` is a secret, and would be written to a file as it is
          hint: keep it in AWS Secrets Manager or SSM, and give `--set installBundle='{valueFrom: ARN}'`
        -
        ");
    }
}
