//! Documents in which nothing evaluates intrinsic functions.

use serde_json::{Map, Value};

use crate::dialect::terraform::{UNKNOWN, is_unknown};
use crate::dialect::{Dialect, functions_in};
use crate::recipe::other_letter_case;
use crate::report::{Code, Finding};
use crate::settings::UnknownDefinitions;
use crate::source::Step;

use super::{Note, Refusal, Task};

/// Refuses what no reader of the document would take for a value.
pub(crate) fn refuse_no_values(
    task: &Task<'_>,
    properties: &Map<String, Value>,
) -> Result<(), Vec<Finding>> {
    if !task.dialect.has_functions() {
        refuse_functions(task.dialect, properties)?;
    }
    let definitions = task.dialect.find(properties, "containerDefinitions");
    match definitions {
        Some(definitions) if task.dialect == Dialect::Terraform => refuse_unreadable(definitions),
        _ => Ok(()),
    }
}

/// Container definitions that a plan does not hold yet: left alone, or refused.
pub(crate) fn unknown_definition(task: &Task<'_>) -> Option<Result<Note, Vec<Finding>>> {
    if !task
        .view
        .get("containerDefinitions")
        .is_some_and(is_unknown)
    {
        return None;
    }
    let why = "the container definitions are known only after apply, so they can be neither judged nor rewritten here";
    let hint = "build them of values that are known when the plan is made, or look at the task definition after apply";
    let refusal = Refusal::new(Code::UnknownDefinition, why.to_owned(), hint);
    Some(match task.settings.plan.unknown_definitions {
        UnknownDefinitions::Fail => Err(vec![refusal.finding(None)]),
        UnknownDefinitions::Warn => {
            Ok(Note::new(refusal.code, refusal.message).with_hint(refusal.hint))
        }
    })
}

/// Refuses intrinsic functions where nothing would evaluate them.
fn refuse_functions(dialect: Dialect, properties: &Map<String, Value>) -> Result<(), Vec<Finding>> {
    let where_it_is = match dialect {
        Dialect::Terraform => "Terraform's container definitions",
        _ => "a bare task definition",
    };
    let is_unknown = |name: &str| dialect == Dialect::Terraform && name == UNKNOWN;
    let functions = functions_in(properties).into_iter();
    let functions = functions.filter(|(_, name)| !is_unknown(name));
    let findings = functions.map(|(path, name)| {
        Refusal::new(
            Code::Malformed,
            format!(
                "`{}` is `{name}`, and there are no intrinsic functions in {where_it_is}",
                written(&path)
            ),
            "write the value",
        )
        .finding(None)
    });
    let findings: Vec<Finding> = findings.collect();
    match findings.is_empty() {
        true => Ok(()),
        false => Err(findings),
    }
}

/// Refuses Terraform's container definitions that are no list in JSON, or that the provider of AWS
/// would read otherwise: its decoder does not mind the case of letters in names.
pub(crate) fn refuse_unreadable(definitions: &Value) -> Result<(), Vec<Finding>> {
    let refuse =
        |why: String, hint: &str| Refusal::new(Code::CannotReadContainers, why, hint).finding(None);
    if let Value::String(why) = definitions {
        let why = format!("the container definitions cannot be read: {why}");
        return Err(vec![refuse(why, "make the text with `jsonencode`")]);
    }
    let containers = definitions.as_array().into_iter().flatten();
    let names = containers.flat_map(other_letter_case).map(|(found, name)| {
        let why = format!(
            "`{found}` is not the name that the ECS API has, and is taken for `{name}` all the same"
        );
        refuse(why, "write names as the ECS API does")
    });
    let findings: Vec<Finding> = names.collect();
    match findings.is_empty() {
        true => Ok(()),
        false => Err(findings),
    }
}

/// A path as a person writes it: `containerDefinitions[0].image`.
fn written(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.push_str(&format!(".{key}")),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}
