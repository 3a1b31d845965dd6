//! The recipes of an invocation, with their inputs.

use registry::credentials::aws::Aws;
use taskdef::recipe::{
    CombinationError, InputError, Inputs, Recipe, Recipes, assign, builtin, conflicts,
};

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
    // A recipe that could not be loaded is no conflict.
    if problems.is_empty() {
        problems.extend(conflicts(&recipes).iter().map(conflict));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut bound = Vec::new();
    for (recipe, inputs) in recipes.iter().zip(inputs(settings, params, &recipes)?) {
        problems.extend(in_clear(recipe, &inputs));
        match recipe.bind(inputs) {
            Ok(recipe) => bound.push(recipe),
            Err(errors) => {
                let wrong = errors.errors.iter();
                problems.extend(wrong.map(|error| input_problem(&errors.recipe, error)));
            }
        }
    }
    match problems.is_empty() {
        true => Recipes::new(bound).map_err(|errors| errors.iter().map(conflict).collect()),
        false => Err(problems),
    }
}

fn input_problem(recipe: &str, error: &InputError) -> Problem {
    let problem = Problem::new(format!("recipe `{recipe}`: {error}"));
    match error.hint() {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

fn conflict(error: &CombinationError) -> Problem {
    Problem::new(error.to_string()).hint(error.hint())
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

/// The administrator's inputs, and over them those of the template. Where a template chooses
/// other recipes than the settings, only inputs that name their recipe are meant for them.
fn inputs(
    settings: &Settings,
    params: &Params,
    recipes: &[Recipe],
) -> Result<Vec<Inputs>, Vec<Problem>> {
    let chosen = params.recipes.as_ref();
    let others = chosen.is_some_and(|chosen| *chosen != settings.recipes);
    let in_use = |name: &str| recipes.iter().any(|recipe| recipe.name() == name);
    let meant = |key: &str| match key.split_once('.') {
        None => !others,
        Some((owner, _)) => in_use(owner) || !builtin().iter().any(|(known, _)| *known == owner),
    };
    let fixed = settings.inputs.iter().filter(|(key, _)| meant(key));
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
    let clear = recipe.secrets_in_clear(inputs);
    clear
        .map(|name| {
            Problem::new(format!(
                "recipe `{}`: the input `{name}` is a secret, and stands in clear text",
                recipe.name()
            ))
            .hint("store it in Secrets Manager, and give its ARN")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:agent-AbCdEf";

    /// The recipes of a template, or what is wrong with them.
    fn bound(variables: &[(&str, &str)], params: &Value) -> String {
        let variables = variables
            .iter()
            .map(|(name, value)| (format!("OUTRIGGER_{name}"), (*value).to_owned()));
        let allowed = ("OUTRIGGER_ALLOW_TEMPLATE_PARAMS".to_owned(), "*".to_owned());
        let settings = Settings::read(variables.chain([allowed])).unwrap();
        let params = params.as_object().unwrap().clone();
        let params = Params::read(params, &settings.allowed_params).unwrap();
        let aws = Aws::new(
            settings.registries.clone(),
            settings.secrets.clone(),
            settings.aws.clone(),
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        match runtime.block_on(bind(&settings, &params, &aws)) {
            Ok(recipes) => {
                let names = recipes.iter().map(|recipe| recipe.recipe().name());
                names.collect::<Vec<_>>().join(", ")
            }
            Err(problems) => crate::problem::error_message(&problems),
        }
    }

    #[test]
    fn a_secret_in_clear_is_refused_whatever_its_type() {
        let with = |value: &str| {
            let inputs = format!("{{\"accessToken\": {value}}}");
            let told = bound(&[("RECIPE", "lacework"), ("INPUTS", &inputs)], &json!({}));
            assert!(!told.contains("hunter2") && !told.contains("1234567890123456789"));
            told
        };
        assert_eq!(with(&format!("{ARN:?}")), "lacework");
        assert_eq!(with(&format!("{{\"valueFrom\": {ARN:?}}}")), "lacework");
        insta::assert_snapshot!(with("\"hunter2\""), @"recipe `lacework`: the input `accessToken` is a secret, and stands in clear text; way out: store it in Secrets Manager, and give its ARN");
        for clear in ["12345678901234567890", "true", "{\"value\": \"hunter2\"}"] {
            assert_eq!(with(clear), with("\"hunter2\""), "{clear}");
        }
        insta::assert_snapshot!(with("\"arn:hunter2\""), @"recipe `lacework`: input `accessToken` is no place of a secret: neither an ARN of Secrets Manager or SSM, nor the name of an SSM parameter; way out: give the secret's ARN, as in `accessToken=arn:aws:secretsmanager:...`, or a parameter's name, as in `accessToken={valueFrom: /app/token}`");
    }

    #[test]
    fn inputs_of_other_recipes_are_not_those_of_the_one_that_a_template_chooses() {
        let inputs = format!("{{\"accessToken\": {ARN:?}, \"alert-logic.sidecarCpu\": 64}}");
        let variables = [("RECIPE", "lacework"), ("INPUTS", inputs.as_str())];
        assert_eq!(bound(&variables, &json!({})), "lacework");
        assert_eq!(
            bound(&variables, &json!({"Recipe": "alert-logic"})),
            "alert-logic"
        );
        insta::assert_snapshot!(bound(&variables, &json!({"Input.acessToken": "x"})), @"recipe `lacework`: unknown input `acessToken`; way out: did you mean `accessToken`?");
        insta::assert_snapshot!(bound(&variables, &json!({"Recipe": "alert-logic,lacework"})), @"recipe `lacework`: missing input `accessToken`; way out: `accessToken`: access token of the agent, from the Lacework console");
    }
}
