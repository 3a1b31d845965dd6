//! Which recipe each `--set` is for.

use std::collections::BTreeMap;

use taskdef::recipe::{InputValue, Recipe};

use crate::nearest::nearest;
use crate::{Exit, Failure, Problem, assignment};

/// The inputs of one recipe.
pub(crate) type Inputs = BTreeMap<String, InputValue>;

/// Gives each argument of `--set` to its recipe: `input=value`, or `recipe.input=value`.
///
/// Without a recipe's name an input belongs to the only recipe that takes it, so that a person who
/// adds a recipe without that input changes nothing else.
pub(crate) fn assign(arguments: &[String], recipes: &[Recipe]) -> Result<Vec<Inputs>, Failure> {
    let mut inputs = vec![Inputs::new(); recipes.len()];
    let mut problems = Vec::new();
    for (index, argument) in arguments.iter().enumerate() {
        let (key, text) = assignment::split("--set", index + 1, argument)?;
        let value = InputValue::parse(text)
            .map_err(|error| Failure::usage(format!("input `{key}`: {error}")))?;
        match place(key, recipes) {
            Ok((at, name)) => {
                if let Some(inputs) = inputs.get_mut(at) {
                    inputs.insert(name.to_owned(), value);
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    match problems.is_empty() {
        true => Ok(inputs),
        false => Err(Failure {
            exit: Exit::Usage,
            problems,
        }),
    }
}

/// The position of the recipe that a key is for, and the input's name.
fn place<'k>(key: &'k str, recipes: &[Recipe]) -> Result<(usize, &'k str), Problem> {
    if let Some((recipe, input)) = key.split_once('.') {
        return match recipes.iter().position(|known| known.name() == recipe) {
            Some(at) => Ok((at, input)),
            None => Err(not_in_use(recipe, recipes)),
        };
    }
    // One recipe by itself says what it takes.
    if let [_] = recipes {
        return Ok((0, key));
    }
    let takes = |recipe: &Recipe| recipe.declarations().iter().any(|input| input.name == key);
    let mut takers = recipes
        .iter()
        .enumerate()
        .filter(|(_, recipe)| takes(recipe));
    match (takers.next(), takers.next()) {
        (Some((at, _)), None) => Ok((at, key)),
        (None, _) => Err(unknown(key, recipes)),
        (Some(_), Some(_)) => Err(Problem {
            message: format!("several of the recipes take an input `{key}`"),
            hint: Some(format!(
                "say for which it is: {}",
                forms(key, recipes.iter().filter(|recipe| takes(recipe)))
            )),
        }),
    }
}

fn forms<'r>(input: &str, recipes: impl Iterator<Item = &'r Recipe>) -> String {
    let forms = recipes.map(|recipe| format!("`--set {}.{input}=...`", recipe.name()));
    forms.collect::<Vec<_>>().join(" or ")
}

fn unknown(key: &str, recipes: &[Recipe]) -> Problem {
    let known = recipes.iter().flat_map(Recipe::declarations);
    let known = known.map(|input| input.name.as_str());
    let hint = match nearest(key, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let names = recipes.iter().map(Recipe::name);
            let shows = names.map(|name| format!("`recipes show {name}`"));
            let shows = shows.collect::<Vec<_>>().join(" and ");
            format!("{shows} list their inputs")
        }
    };
    Problem {
        message: format!("none of the recipes takes an input `{key}`"),
        hint: Some(hint),
    }
}

fn not_in_use(recipe: &str, recipes: &[Recipe]) -> Problem {
    let names = || recipes.iter().map(Recipe::name);
    let hint = match nearest(recipe, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let names: Vec<String> = names().map(|name| format!("`{name}`")).collect();
            format!("in use: {}; add it with `--recipe`", names.join(", "))
        }
    };
    Problem {
        message: format!("`--set` names the recipe `{recipe}`, which is not in use"),
        hint: Some(hint),
    }
}

#[cfg(test)]
mod tests {
    use taskdef::recipe::{InputValue, Recipe};

    use super::assign;
    use crate::recipes::load;
    use crate::{Exit, Paint};

    fn recipes(names: &[&str]) -> Vec<Recipe> {
        names.iter().map(|name| load(name).unwrap()).collect()
    }

    fn assigned(names: &[&str], arguments: &[&str]) -> Vec<Vec<String>> {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let inputs = assign(&arguments, &recipes(names)).unwrap();
        let shown = |(name, value): (&String, &InputValue)| match value {
            InputValue::Plain(value) => format!("{name}={value}"),
            InputValue::ValueFrom(value) => format!("{name}<-{value}"),
        };
        inputs
            .iter()
            .map(|inputs| inputs.iter().map(shown).collect())
            .collect()
    }

    fn failed(names: &[&str], arguments: &[&str]) -> String {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let failure = assign(&arguments, &recipes(names)).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        failure.render(Paint::Plain)
    }

    #[test]
    fn with_or_without_the_recipes_name() {
        let both = ["lacework", "alert-logic"];
        assert_eq!(
            assigned(
                &both,
                &[
                    "accessToken=a.b=c",
                    "alert-logic.image=i",
                    "lacework.image=j"
                ]
            ),
            [
                vec!["accessToken=\"a.b=c\"", "image=\"j\""],
                vec!["image=\"i\""]
            ]
        );
        assert_eq!(
            assigned(&["lacework"], &["lacework.accessToken=x", "image=i"]),
            [["accessToken=\"x\"", "image=\"i\""]]
        );
    }

    #[test]
    fn what_has_no_place_is_named_with_the_form() {
        let both = ["lacework", "alert-logic"];
        insta::assert_snapshot!(
            failed(&both, &["image=hunter2", "acessToken=hunter2", "colour=hunter2", "lacwork.image=hunter2", "x.y=hunter2"]),
            @"
        error: several of the recipes take an input `image`
          hint: say for which it is: `--set lacework.image=...` or `--set alert-logic.image=...`
        error: none of the recipes takes an input `acessToken`
          hint: did you mean `accessToken`?
        error: none of the recipes takes an input `colour`
          hint: `recipes show lacework` and `recipes show alert-logic` list their inputs
        error: `--set` names the recipe `lacwork`, which is not in use
          hint: did you mean `lacework`?
        error: `--set` names the recipe `x`, which is not in use
          hint: in use: `lacework`, `alert-logic`; add it with `--recipe`
        "
        );
        insta::assert_snapshot!(failed(&["lacework"], &["sysdig.image=hunter2"]), @"
        error: `--set` names the recipe `sysdig`, which is not in use
          hint: in use: `lacework`; add it with `--recipe`
        ");
    }
}
