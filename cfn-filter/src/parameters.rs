//! Values of template parameters. No message repeats a value.

use std::collections::BTreeMap;

use cli::{Exit, Failure, Problem, assignment};
use serde_json::{Map, Value};
use taskdef::nearest::nearest;

use crate::options::DeploymentOptions;

/// The values that the command line gives to template parameters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parameters {
    /// `--parameter-overrides`.
    pub(crate) overrides: BTreeMap<String, String>,
    /// `--resolved-parameter`.
    pub(crate) resolved: BTreeMap<String, String>,
}

const OVERRIDES: &str = "--parameter-overrides";
const RESOLVED: &str = "--resolved-parameter";

/// Reads the arguments of both options. A later value of the same parameter wins, as with the AWS CLI.
pub(crate) fn parse(options: &DeploymentOptions) -> Result<Parameters, Failure> {
    Ok(Parameters {
        overrides: parse_all(OVERRIDES, &options.parameter_overrides)?,
        resolved: parse_all(RESOLVED, &options.resolved_parameter)?,
    })
}

fn parse_all(option: &str, arguments: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let mut values = BTreeMap::new();
    for (index, argument) in arguments.iter().enumerate() {
        let (key, value) = match shorthand(argument) {
            Some((key, value)) => (key, value),
            None => {
                let (key, value) = assignment::split(option, index + 1, argument)?;
                (key, value.to_owned())
            }
        };
        values.insert(key.to_owned(), value);
    }
    Ok(values)
}

/// `ParameterKey=K,ParameterValue=V`, in either order: the AWS CLI's [shorthand syntax], where a
/// backslash keeps a comma and quotes may enclose the value.
///
/// [shorthand syntax]: https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-shorthand.html
fn shorthand(argument: &str) -> Option<(&str, String)> {
    let (key, value) = match argument.strip_prefix("ParameterKey=") {
        Some(rest) => rest.split_once(",ParameterValue=")?,
        None => {
            let (value, key) = argument
                .strip_prefix("ParameterValue=")?
                .rsplit_once(",ParameterKey=")?;
            (key, value)
        }
    };
    let quoted = ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    Some((
        key,
        quoted.map_or_else(|| value.replace("\\,", ","), str::to_owned),
    ))
}

/// Refuses values of parameters that the template does not declare: a misspelt name would be ignored.
pub(crate) fn check(parameters: &Parameters, template: &Value) -> Result<(), Failure> {
    let none = Map::new();
    let declared = template
        .get("Parameters")
        .and_then(Value::as_object)
        .unwrap_or(&none);
    let mut problems = Vec::new();
    for (option, values) in [
        (OVERRIDES, &parameters.overrides),
        (RESOLVED, &parameters.resolved),
    ] {
        for name in values.keys() {
            problems.extend(match declared.get(name) {
                None => Some(undeclared(option, name, declared)),
                Some(declaration) if option == RESOLVED && !is_ssm_typed(declaration) => {
                    Some(Problem {
                        message: format!("`{option}` names `{name}`, which has no SSM type"),
                        hint: Some(format!("give its value with `{OVERRIDES}`")),
                    })
                }
                Some(_) => None,
            });
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Failure {
            exit: Exit::Usage,
            problems,
        })
    }
}

fn undeclared(option: &str, name: &str, declared: &Map<String, Value>) -> Problem {
    let names = || declared.keys().map(String::as_str);
    let hint = match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if declared.is_empty() => "the template declares no parameters".to_owned(),
        None => format!(
            "the template declares: {}",
            names().collect::<Vec<_>>().join(", ")
        ),
    };
    Problem {
        message: format!("`{option}` names `{name}`, which the template does not declare"),
        hint: Some(hint),
    }
}

/// Whether the parameter's value is the name of an [SSM parameter] that CloudFormation resolves.
///
/// [SSM parameter]: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html
fn is_ssm_typed(declaration: &Value) -> bool {
    let parameter_type = declaration.get("Type").and_then(Value::as_str);
    parameter_type.is_some_and(|text| text.starts_with("AWS::SSM::Parameter::Value<"))
}

#[cfg(test)]
mod tests {
    use cli::{Exit, Paint};
    use serde_json::json;

    use super::{Parameters, check, parse};
    use crate::options::DeploymentOptions;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn parsed(overrides: &[&str], resolved: &[&str]) -> Parameters {
        parse(&DeploymentOptions {
            parameter_overrides: words(overrides),
            resolved_parameter: words(resolved),
            ..DeploymentOptions::default()
        })
        .unwrap()
    }

    #[test]
    fn as_the_aws_cli_writes_them() {
        let overrides = parsed(
            &[
                "Plain=value",
                "Equals=a=b",
                "Empty=",
                "Twice=1",
                "Twice=2",
                "ParameterKey=Short,ParameterValue=a=b",
                r"ParameterKey=List,ParameterValue=a\,b,c",
                "ParameterKey=Quoted,ParameterValue=\"x y\"",
                "ParameterValue=v,ParameterKey=Reversed",
                "ParameterKey=Alone",
            ],
            &[],
        )
        .overrides;
        let shown: Vec<_> = overrides
            .iter()
            .map(|(key, value)| format!("{key} -> {value}"))
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @"
        Empty -> 
        Equals -> a=b
        List -> a,b,c
        ParameterKey -> Alone
        Plain -> value
        Quoted -> x y
        Reversed -> v
        Short -> a=b
        Twice -> 2
        ");
    }

    #[test]
    fn an_argument_without_an_equals_sign_is_wrong_usage() {
        let options = DeploymentOptions {
            parameter_overrides: words(&["A=1", "template.yaml"]),
            ..DeploymentOptions::default()
        };
        let failure = parse(&options).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        insta::assert_snapshot!(failure.render(Paint::Plain), @"
        error: argument 2 of `--parameter-overrides` has no `=`
          hint: it takes `KEY=VALUE`; what follows it belongs before `--parameter-overrides`, or after another option
        ");
    }

    #[test]
    fn every_name_has_to_be_declared() {
        let template = json!({"Parameters": {
            "ImageTag": {"Type": "String"},
            "Ami": {"Type": "AWS::SSM::Parameter::Value<String>"},
        }});
        assert_eq!(
            check(&parsed(&["ImageTag=1", "Ami=/path"], &["Ami=x"]), &template),
            Ok(())
        );
        let failure = check(
            &parsed(&["ImageTga=1", "Zone=s3cret"], &["ImageTag=s3cret"]),
            &template,
        )
        .unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        insta::assert_snapshot!(failure.render(Paint::Plain), @"
        error: `--parameter-overrides` names `ImageTga`, which the template does not declare
          hint: did you mean `ImageTag`?
        error: `--parameter-overrides` names `Zone`, which the template does not declare
          hint: the template declares: ImageTag, Ami
        error: `--resolved-parameter` names `ImageTag`, which has no SSM type
          hint: give its value with `--parameter-overrides`
        ");
        let failure = check(&parsed(&["A=1"], &[]), &json!({"Parameters": 1})).unwrap_err();
        insta::assert_snapshot!(failure.render(Paint::Plain), @"
        error: `--parameter-overrides` names `A`, which the template does not declare
          hint: the template declares no parameters
        ");
    }
}
