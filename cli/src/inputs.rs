//! The inputs of recipes, as `--set` gives them.

use taskdef::recipe::{AssignError, InputValue, Inputs, Recipe};

use crate::{Exit, Failure, Problem, assignment};

/// Reads the arguments of `--set`: `input=value`, or `recipe.input=value`.
///
/// # Errors
///
/// When one of them is in no form that is known.
pub fn given(arguments: &[String]) -> Result<Vec<(String, InputValue)>, Failure> {
    let mut given = Vec::with_capacity(arguments.len());
    for (index, argument) in arguments.iter().enumerate() {
        let (key, text) = assignment::split("--set", index + 1, argument)?;
        let value = InputValue::parse(text)
            .map_err(|error| Failure::usage(format!("input `{key}`: {error}")))?;
        given.push((key.to_owned(), value));
    }
    Ok(given)
}

/// Gives each argument of `--set` to its recipe.
///
/// # Errors
///
/// When one of them has no recipe, or several.
pub fn assign(arguments: &[String], recipes: &[Recipe]) -> Result<Vec<Inputs>, Failure> {
    let given = given(arguments)?;
    taskdef::recipe::assign(given, recipes).map_err(|errors| Failure {
        exit: Exit::Usage,
        problems: errors.iter().map(problem).collect(),
    })
}

fn problem(error: &AssignError) -> Problem {
    Problem {
        message: error.to_string(),
        hint: Some(error.hint()),
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
          hint: say for which it is: `lacework.image` or `alert-logic.image`
        error: none of the recipes takes an input `acessToken`
          hint: did you mean `accessToken`?
        error: none of the recipes takes an input `colour`
          hint: see the inputs of `lacework` and `alert-logic`
        error: the input `lacwork.image` is for the recipe `lacwork`, which is not in use
          hint: did you mean `lacework`?
        error: the input `x.y` is for the recipe `x`, which is not in use
          hint: in use: `lacework`, `alert-logic`
        "
        );
        insta::assert_snapshot!(failed(&["lacework"], &["sysdig.image=hunter2"]), @"
        error: the input `sysdig.image` is for the recipe `sysdig`, which is not in use
          hint: in use: `lacework`
        ");
    }
}
