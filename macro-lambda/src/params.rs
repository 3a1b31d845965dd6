//! What a template asks for, within what the administrator allows.
//!
//! Whoever writes a template writes the parameters of the transform; by itself none of them is
//! allowed, because each could leave a task without its agent.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde_json::{Map, Value};
use taskdef::dialect::Dialect;
use taskdef::nearest::nearest;
use taskdef::recipe::InputValue;
use taskdef::selector::Selector;
use taskdef::settings::Mode;

use crate::problem::Problem;
use crate::settings::{MODES, RecipeSource, builtin_recipe, queries, words};

/// The parameters, but for those that name an input.
const NAMES: [&str; 4] = ["Exclude", "Include", "Mode", "Recipe"];
/// What the names of inputs begin with.
const INPUT: &str = "Input.";

/// Which parameters a template may use: names, `Input.*` for all inputs, `*` for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AllowedParams(BTreeSet<String>);

impl FromStr for AllowedParams {
    type Err = UnknownParam;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut names = BTreeSet::new();
        for word in words(text) {
            if word != "*" && !is_known(word) {
                return Err(UnknownParam(word.to_owned()));
            }
            names.insert(word.to_owned());
        }
        Ok(Self(names))
    }
}

/// A name that is none of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no parameter `{0}`: there are `Recipe`, `Include`, `Exclude`, `Mode`, `Input.<name>`, `Input.*` and `*`"
)]
pub(crate) struct UnknownParam(String);

fn is_known(name: &str) -> bool {
    NAMES.contains(&name)
        || name
            .strip_prefix(INPUT)
            .is_some_and(|input| !input.is_empty())
}

impl AllowedParams {
    fn allows(&self, name: &str) -> bool {
        let has = |name: &str| self.0.contains(name);
        has("*") || has(name) || (name.starts_with(INPUT) && has("Input.*"))
    }

    fn shown(&self) -> String {
        let names: Vec<String> = self.0.iter().map(|name| format!("`{name}`")).collect();
        match names.is_empty() {
            true => "none is allowed".to_owned(),
            false => format!("allowed: {}", names.join(", ")),
        }
    }
}

/// What a template asks for.
#[derive(Debug, Default)]
pub(crate) struct Params {
    pub(crate) recipes: Option<Vec<RecipeSource>>,
    pub(crate) include: Option<Vec<Selector>>,
    pub(crate) exclude: Option<Vec<Selector>>,
    pub(crate) mode: Option<Mode>,
    pub(crate) inputs: Vec<(String, InputValue)>,
}

impl Params {
    /// Reads the parameters of the transform. No message repeats what an input is given: it may be
    /// a secret.
    pub(crate) fn read(
        params: Map<String, Value>,
        allowed: &AllowedParams,
    ) -> Result<Self, Vec<Problem>> {
        let mut read = Self::default();
        let mut problems = Vec::new();
        for (name, value) in params {
            let taken = match (is_known(&name), allowed.allows(&name)) {
                (false, _) => Err(unknown(&name)),
                (true, false) => Err(not_allowed(&name, allowed)),
                (true, true) => read.take(&name, value),
            };
            problems.extend(taken.err());
        }
        match problems.is_empty() {
            true => Ok(read),
            false => Err(problems),
        }
    }

    fn take(&mut self, name: &str, value: Value) -> Result<(), Problem> {
        if let Some(input) = name.strip_prefix(INPUT) {
            self.inputs
                .push((input.to_owned(), input_value(name, value)?));
            return Ok(());
        }
        let texts = texts(&value).ok_or_else(|| {
            Problem::new(format!(
                "the parameter `{name}` of the transform is no text"
            ))
            .hint("parameters of a transform are not evaluated: write the value itself")
        })?;
        match name {
            "Recipe" => {
                let names = texts.iter().flat_map(|text| words(text));
                self.recipes = Some(names.map(builtin_recipe).collect::<Result<_, _>>()?);
            }
            "Mode" => self.mode = Some(mode(&texts)?),
            "Include" => self.include = Some(selectors(name, &texts)?),
            _ => self.exclude = Some(selectors(name, &texts)?),
        }
        Ok(())
    }
}

fn unknown(name: &str) -> Problem {
    let problem = Problem::new(format!("the transform has no parameter `{name}`"));
    let hint = match nearest(name, NAMES) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "there are `Recipe`, `Include`, `Exclude`, `Mode` and `Input.<name>`".to_owned(),
    };
    problem.hint(hint)
}

fn not_allowed(name: &str, allowed: &AllowedParams) -> Problem {
    Problem::new(format!(
        "the parameter `{name}` of the transform is not allowed here, {}",
        allowed.shown()
    ))
    .hint("leave it out, or have the macro's administrator name it in `OUTRIGGER_ALLOW_TEMPLATE_PARAMS`")
}

/// An intrinsic function says where a value is, and can be nothing else.
fn input_value(name: &str, value: Value) -> Result<InputValue, Problem> {
    let value = match value {
        Value::String(text) => InputValue::parse(&text),
        Value::Object(object) if is_intrinsic(&object) => {
            Ok(InputValue::ValueFrom(Value::Object(object)))
        }
        value => InputValue::from_value(value),
    };
    value.map_err(|error| {
        Problem::new(format!(
            "the parameter `{name}` of the transform is wrong: {error}"
        ))
    })
}

fn is_intrinsic(object: &Map<String, Value>) -> bool {
    let mut keys = object.keys();
    let first = keys.next();
    keys.next().is_none() && first.is_some_and(|key| key == "Ref" || key.starts_with("Fn::"))
}

/// A text, or a list of texts.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

fn mode(texts: &[&str]) -> Result<Mode, Problem> {
    let known = MODES.iter().find(|(known, _)| texts == [*known]);
    known.map(|(_, mode)| *mode).ok_or_else(|| {
        Problem::new("the parameter `Mode` of the transform has to be `opt-out` or `opt-in`")
    })
}

fn selectors(name: &str, texts: &[&str]) -> Result<Vec<Selector>, Problem> {
    let all = texts.iter().flat_map(|text| queries(text));
    let parsed = all.map(|query| {
        Selector::parse(query).map_err(|error| {
            Problem::new(format!(
                "the parameter `{name}` of the transform is wrong: {error}"
            ))
            .hint(error.hint(Dialect::CloudFormation))
        })
    });
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(params: &Value, allowed: &str) -> Result<Params, String> {
        let params = params.as_object().unwrap().clone();
        Params::read(params, &allowed.parse().unwrap()).map_err(|problems| {
            let told = problems.iter().map(|problem| {
                let hint = problem.hint.as_deref().unwrap_or("-");
                format!("{}\n  {hint}", problem.message)
            });
            told.collect::<Vec<_>>().join("\n")
        })
    }

    #[test]
    fn what_is_allowed_is_taken() {
        let params = json!({
            "Recipe": "lacework, alert-logic",
            "Mode": "opt-in",
            "Include": ["$.Resources[?@.Properties.Family == 'a, b']"],
            "Exclude": "$.Resources.A\n$.Resources.B",
            "Input.accessToken": {"Ref": "Token"},
            "Input.lacework.serverUrl": "https://agent.example",
            "Input.sidecarCpu": 64,
        });
        for allowed in ["*", "Recipe Mode,Include Exclude Input.*"] {
            let read = read(&params, allowed).unwrap();
            let recipes = read.recipes.unwrap();
            let names = recipes.iter().map(|recipe| match recipe {
                RecipeSource::Builtin(name, _) => *name,
                RecipeSource::Object(_) => "",
            });
            assert_eq!(names.collect::<Vec<_>>(), ["lacework", "alert-logic"]);
            assert_eq!(read.mode, Some(Mode::OptIn));
            let (include, exclude) = (read.include.unwrap(), read.exclude.unwrap());
            assert_eq!((include.len(), exclude.len()), (1, 2));
            let expected = [
                (
                    "accessToken",
                    InputValue::ValueFrom(json!({"Ref": "Token"})),
                ),
                (
                    "lacework.serverUrl",
                    InputValue::Plain(json!("https://agent.example")),
                ),
                ("sidecarCpu", InputValue::Plain(json!(64))),
            ];
            let expected = expected.map(|(key, value)| (key.to_owned(), value));
            assert_eq!(read.inputs, expected);
        }
    }

    #[test]
    fn nothing_is_allowed_by_itself() {
        let told = read(&json!({"Mode": "opt-in", "Input.image": "hunter2"}), "").unwrap_err();
        insta::assert_snapshot!(told, @"
        the parameter `Mode` of the transform is not allowed here, none is allowed
          leave it out, or have the macro's administrator name it in `OUTRIGGER_ALLOW_TEMPLATE_PARAMS`
        the parameter `Input.image` of the transform is not allowed here, none is allowed
          leave it out, or have the macro's administrator name it in `OUTRIGGER_ALLOW_TEMPLATE_PARAMS`
        ");
        let told = read(&json!({"Mode": "opt-in", "Recipe": "x"}), "Input.* Recipe").unwrap_err();
        insta::assert_snapshot!(told, @"
        the parameter `Mode` of the transform is not allowed here, allowed: `Input.*`, `Recipe`
          leave it out, or have the macro's administrator name it in `OUTRIGGER_ALLOW_TEMPLATE_PARAMS`
        there is no recipe `x`
          there are: alert-logic, deepfence, lacework, prisma-cloud, sysdig
        ");
        assert!(read(&json!({}), "").is_ok());
    }

    #[test]
    fn what_is_wrong_is_named_without_its_value() {
        let told = read(
            &json!({
                "mode": "opt-in",
                "Colour": "red",
                "Mode": "hunter2",
                "Recipe": "s3://templates/own.yaml",
                "Include": {"Ref": "Query"},
                "Exclude": "Resources[",
                "Input.key": {"valueFrom": 7},
                "Input.": "x",
            }),
            "*",
        );
        let told = told.unwrap_err();
        insta::assert_snapshot!(told, @"
        the transform has no parameter `mode`
          did you mean `Mode`?
        the transform has no parameter `Colour`
          there are `Recipe`, `Include`, `Exclude`, `Mode` and `Input.<name>`
        the parameter `Mode` of the transform has to be `opt-out` or `opt-in`
          -
        there is no recipe `s3://templates/own.yaml`
          there are: alert-logic, deepfence, lacework, prisma-cloud, sysdig
        the parameter `Include` of the transform is no text
          parameters of a transform are not evaluated: write the value itself
        the parameter `Exclude` of the transform is wrong: `Resources[` is not a JSONPath query
          a query begins with `$`, as in `$.Resources[?@.Properties.Family == 'api']`
        the parameter `Input.key` of the transform is wrong: `valueFrom` has to be an ARN, the name of an SSM parameter, or an intrinsic function
          -
        the transform has no parameter `Input.`
          there are `Recipe`, `Include`, `Exclude`, `Mode` and `Input.<name>`
        ");
    }

    #[test]
    fn names_that_are_none_cannot_be_allowed() {
        let told = |text: &str| text.parse::<AllowedParams>().unwrap_err().to_string();
        insta::assert_snapshot!(told("Mode, Colour"), @"there is no parameter `Colour`: there are `Recipe`, `Include`, `Exclude`, `Mode`, `Input.<name>`, `Input.*` and `*`");
        assert!("Input.".parse::<AllowedParams>().is_err());
    }
}
