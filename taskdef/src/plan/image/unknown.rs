//! What is told of an image that is not known before the deployment.

use crate::cloudformation::intrinsic::Unknown;
use crate::plan::Refusal;
use crate::report::Code;

/// Why the image is not known, and the ways out.
pub(super) fn refusal(unknown: &Unknown, ways_out: &str) -> Refusal {
    let code = match unknown {
        Unknown::Parameter(_)
        | Unknown::NoEcho(_)
        | Unknown::NoValueGiven(_)
        | Unknown::Undeclared(_) => Code::ParameterizedImage,
        Unknown::Loop(_) => Code::LoopDependentImage,
        _ => Code::UnknownImage,
    };
    let hint = match another_way_out(unknown) {
        Some(other) => format!("{ways_out}, or {other}"),
        None => ways_out.to_owned(),
    };
    Refusal {
        code,
        message: format!("{}, so what it runs is not known", reason(unknown)),
        hint: Some(hint),
    }
}

fn reason(unknown: &Unknown) -> String {
    format!("the image {}", dependency(unknown))
}

/// What keeps an expression from being known.
pub(super) fn dependency(unknown: &Unknown) -> String {
    let on = |what: &str| format!("depends on {what}");
    match unknown {
        Unknown::Parameter(name) => on(&format!("the template parameter `{name}`")),
        Unknown::NoEcho(name) => on(&format!(
            "the parameter `{name}`, which is `NoEcho` and never evaluated"
        )),
        Unknown::NoValueGiven(name) => on(&format!(
            "the template parameter `{name}`, which has no value"
        )),
        Unknown::Ssm(name) => on(&format!(
            "the parameter `{name}`, whose value is the name of an SSM parameter"
        )),
        Unknown::Undeclared(name) => on(&format!(
            "the template parameter `{name}`, whose declaration a snippet does not hold"
        )),
        Unknown::Resource(name) => on(&format!("the resource `{name}`")),
        Unknown::Pseudo(name) => on(&format!("`{name}`, which is not known here")),
        Unknown::Dynamic => on("a dynamic reference"),
        Unknown::Loop(name) => on(&format!(
            "the loop variable `{name}`, whose collection is not a literal list"
        )),
        Unknown::Condition(name) => on(&format!("the condition `{name}`")),
        Unknown::Function(name) => on(&format!("`{name}`, which only a deployment can evaluate")),
        Unknown::TooLarge => {
            "is longer than a task definition may be, or made of too many parts".to_owned()
        }
        Unknown::Malformed(what) => format!("cannot be evaluated: {what}"),
    }
}

fn another_way_out(unknown: &Unknown) -> Option<&'static str> {
    match unknown {
        Unknown::Parameter(_) => Some("set `parameterized-images` to `resolve`"),
        Unknown::NoValueGiven(_) => Some("give the parameter's value"),
        Unknown::Undeclared(_) => Some("put the transform at the top of the template"),
        Unknown::Ssm(_) => Some("give the value that it resolves to as a `resolved-parameter`"),
        Unknown::Pseudo(name) => match name.as_str() {
            "AWS::StackName" | "AWS::StackId" | "AWS::NotificationARNs" => None,
            _ => Some("give the stack's `region` and `account-id`"),
        },
        _ => None,
    }
}
