//! Which image a container runs, and what its config says.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cloudformation::intrinsic::{Assignment, Evaluation, Unknown};
use crate::image::{Answers, ImageConfig, ImageRequest};
use crate::report::Code;

use super::{Refusal, Task};

/// Where image configs come from.
#[derive(Clone, Copy)]
pub(crate) enum Lookup<'a> {
    /// From the answers to [`crate::images_needed`].
    Answers(&'a Answers),
    /// To judge a document without resolving anything: what is not answered is taken for an
    /// image with this user.
    Judge(&'a Answers, &'a str),
}

impl Lookup<'_> {
    /// Without anything that is taken for granted: where the process comes from the image.
    pub(crate) fn without_assumptions(self) -> Self {
        let (Lookup::Answers(answers) | Lookup::Judge(answers, _)) = self;
        Lookup::Answers(answers)
    }
}

/// The references that an image expression can stand for.
pub(crate) struct References {
    /// One, or one for each item of a loop.
    pub(crate) references: BTreeSet<String>,
    /// The template parameters that it depends on.
    pub(crate) parameters: BTreeSet<String>,
}

/// What is known of an image.
pub(crate) struct Inspected {
    /// Its config.
    pub(crate) config: ImageConfig,
    /// The parameters that decided which image it is, and the reference that they led to.
    pub(crate) resolved: Option<(BTreeSet<String>, String)>,
}

/// Evaluates an image for every item of the loops around it.
pub(crate) fn references(
    task: &Task<'_>,
    image: &Value,
    given: &Assignment,
) -> Result<References, Unknown> {
    let mut found = References {
        references: BTreeSet::new(),
        parameters: BTreeSet::new(),
    };
    for item in &task.items {
        let evaluation = Evaluation {
            template: task.template,
            parameters: task.resolves_parameters(),
            given,
            item,
        };
        let reference = evaluation.text(image, &mut found.parameters)?;
        found.references.insert(reference);
    }
    Ok(found)
}

/// The config of the image; every reference that it may be has to agree on what runs.
pub(crate) fn inspect(
    task: &Task<'_>,
    image: Option<&Value>,
    given: &Assignment,
    lookup: Lookup<'_>,
    ways_out: &dyn Fn() -> String,
) -> Result<Inspected, Refusal> {
    let Some(image) = image else {
        return Err(Refusal::new(
            Code::Malformed,
            "the container has no image".to_owned(),
            "give it an `Image`",
        ));
    };
    let found = match references(task, image, given) {
        Ok(found) => found,
        Err(unknown) => return judged(lookup).ok_or_else(|| refusal(&unknown, &ways_out())),
    };
    let mut agreed: Option<ImageConfig> = None;
    for reference in &found.references {
        let request = ImageRequest {
            reference: reference.clone(),
            platform: task.platform.clone(),
        };
        let config = match answer(&request, lookup) {
            Ok(config) => config,
            Err(refusal) => return judged(lookup).ok_or(refusal),
        };
        if agreed
            .as_ref()
            .is_some_and(|known| !runs_the_same(known, &config))
        {
            return Err(Refusal::new(
                Code::LoopDependentImage,
                "the image differs between the items of `Fn::ForEach`, and the images differ in entry point, command or user".to_owned(),
                &ways_out(),
            ));
        }
        agreed = Some(config);
    }
    let resolved = match (found.parameters.is_empty(), found.references.len()) {
        (true, _) => None,
        (false, 1) => found
            .references
            .into_iter()
            .next()
            .map(|reference| (found.parameters, reference)),
        (false, _) => {
            return Err(Refusal::new(
                Code::LoopDependentImage,
                "the image depends on a template parameter and on the item of `Fn::ForEach`, so it cannot be written as one reference".to_owned(),
                &ways_out(),
            ));
        }
    };
    let config = agreed.unwrap_or_default();
    Ok(Inspected { config, resolved })
}

fn answer(request: &ImageRequest, lookup: Lookup<'_>) -> Result<ImageConfig, Refusal> {
    let (Lookup::Answers(answers) | Lookup::Judge(answers, _)) = lookup;
    match answers.get(request) {
        Some(Ok(config)) => Ok(config.clone()),
        Some(Err(failure)) => Err(Refusal {
            code: Code::ImageUnresolved,
            message: failure.message.clone(),
            hint: failure.hint.clone(),
        }),
        None => Err(Refusal {
            code: Code::ImageUnresolved,
            message: "the image was not resolved".to_owned(),
            hint: None,
        }),
    }
}

/// While judging, an image that nobody asked about.
fn judged(lookup: Lookup<'_>) -> Option<Inspected> {
    match lookup {
        Lookup::Answers(_) => None,
        Lookup::Judge(_, user) => Some(Inspected {
            config: ImageConfig {
                user: user.to_owned(),
                ..ImageConfig::default()
            },
            resolved: None,
        }),
    }
}

fn runs_the_same(one: &ImageConfig, other: &ImageConfig) -> bool {
    one.entrypoint == other.entrypoint && one.cmd == other.cmd && one.user == other.user
}

/// Why the image is not known, and the ways out.
fn refusal(unknown: &Unknown, ways_out: &str) -> Refusal {
    let code = match unknown {
        Unknown::Parameter(_) | Unknown::NoEcho(_) | Unknown::NoValueGiven(_) => {
            Code::ParameterizedImage
        }
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
    let on = |what: &str| format!("the image depends on {what}");
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
        Unknown::Resource(name) => on(&format!("the resource `{name}`")),
        Unknown::Pseudo(name) => on(&format!("`{name}`, which is not known here")),
        Unknown::Dynamic => on("a dynamic reference"),
        Unknown::Loop(name) => on(&format!(
            "the loop variable `{name}`, whose collection is not a literal list"
        )),
        Unknown::Condition(name) => on(&format!("the condition `{name}`")),
        Unknown::Function(name) => on(&format!("`{name}`, which only a deployment can evaluate")),
        Unknown::Malformed(what) => format!("the image cannot be evaluated: {what}"),
    }
}

fn another_way_out(unknown: &Unknown) -> Option<&'static str> {
    match unknown {
        Unknown::Parameter(_) => Some("set `parameterized-images` to `resolve`"),
        Unknown::NoValueGiven(_) => Some("give the parameter's value"),
        Unknown::Ssm(_) => Some("give the value that it resolves to as a `resolved-parameter`"),
        Unknown::Pseudo(name) => match name.as_str() {
            "AWS::StackName" | "AWS::StackId" | "AWS::NotificationARNs" => None,
            _ => Some("give the stack's `region` and `account-id`"),
        },
        _ => None,
    }
}
