//! Which image a container runs, and what its config says.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cloudformation::intrinsic::{Assignment, Unknown, as_if};
use crate::container::{Setting, View};
use crate::image::{Answers, Credentials, ImageAnswer, ImageConfig, ImageFailure, ImageRequest};
use crate::report::Code;
use crate::settings::PinDigests;

use super::facts::ways_out;
use super::regions::pseudo_parameters;
use super::select::repository;
use super::{Refusal, Task};

mod references;
mod unknown;

pub(crate) use references::{References, placeless_references, references};
use unknown::{dependency, refusal};

/// Where image configs come from.
#[derive(Clone, Copy)]
pub(crate) enum Lookup<'a> {
    /// From the answers to [`crate::images_needed`].
    Answers(&'a Answers),
    /// To judge a document without resolving anything: what is not answered is taken for an
    /// image with this user.
    Judge(&'a Answers, &'a str),
}

impl<'a> Lookup<'a> {
    /// What was answered.
    pub(crate) fn answers(self) -> &'a Answers {
        let (Lookup::Answers(answers) | Lookup::Judge(answers, _)) = self;
        answers
    }

    /// Without anything that is taken for granted: where the process comes from the image.
    pub(crate) fn without_assumptions(self) -> Self {
        Lookup::Answers(self.answers())
    }
}

/// What is known of an image.
pub(crate) struct Inspected {
    /// Its config.
    pub(crate) config: ImageConfig,
    /// The image as it is to be written, where that is not as it stands.
    pub(crate) written: Option<Value>,
    /// The parameters that decided which image it is, and no longer do where it is written.
    pub(crate) parameters: BTreeSet<String>,
}

/// The question about one of the images that a container may run.
pub(crate) fn question(
    task: &Task<'_>,
    view: View<'_>,
    given: &Assignment,
    reference: String,
) -> ImageRequest {
    ImageRequest {
        reference,
        platform: task.platform.clone(),
        credentials: credentials(task, view, given, &mut BTreeSet::new()),
    }
}

/// The secret of `repositoryCredentials`. Parameters are evaluated with the values that are given:
/// which secret it is decides whether the image can be read, not what it runs.
/// The parameters that it depends on are added to `used`.
fn credentials(
    task: &Task<'_>,
    view: View<'_>,
    given: &Assignment,
    used: &mut BTreeSet<String>,
) -> Credentials {
    let unknown = |unknown: &Unknown| Credentials::Unknown(dependency(unknown));
    let stated = match view.object("repositoryCredentials") {
        Setting::Absent => return Credentials::Unstated,
        Setting::Known(stated) => stated.get("credentialsParameter"),
        Setting::Intrinsic(value) => match as_if(value) {
            Some((name, _, _)) => return unknown(&Unknown::Condition(name.to_owned())),
            None => None,
        },
        Setting::Malformed => None,
    };
    let Some(stated) = stated else {
        return Credentials::Unknown("has no `credentialsParameter` that can be read".to_owned());
    };
    let mut secrets = BTreeSet::new();
    for evaluation in task.evaluations(true, given) {
        match evaluation.text(stated, used) {
            Ok(secret) => secrets.insert(secret),
            Err(reason) => return unknown(&reason),
        };
    }
    match (secrets.len(), secrets.pop_first()) {
        (1, Some(secret)) => Credentials::Secret(secret),
        _ => Credentials::Unknown("differs between the items of `Fn::ForEach`".to_owned()),
    }
}

/// The parameters whose values a text about an image may hold.
fn parameters_of(
    task: &Task<'_>,
    view: View<'_>,
    given: &Assignment,
    of_image: &BTreeSet<String>,
) -> BTreeSet<String> {
    let mut used = of_image.clone();
    credentials(task, view, given, &mut used);
    used
}

/// Whether the image is to be pinned, and does not name its digest yet.
pub(crate) fn wants_digest(task: &Task<'_>, image: Option<&Value>) -> bool {
    let pinned = |image: &Value| image.as_str().is_some_and(|text| text.contains('@'));
    task.settings.pin_digests != PinDigests::No && !image.is_some_and(pinned)
}

/// The config of the image; every reference that it may be has to agree on what runs.
pub(crate) fn inspect(
    task: &Task<'_>,
    view: View<'_>,
    given: &Assignment,
    lookup: Lookup<'_>,
    to_state: &dyn Fn() -> Option<String>,
) -> Result<Inspected, Refusal> {
    let Some(image) = view.get("image") else {
        return Err(Refusal::new(
            Code::Malformed,
            "the container has no image".to_owned(),
            &format!("give it an `{}`", task.dialect.key("", "image")),
        ));
    };
    let ways_out = || ways_out(to_state());
    let found = match references(task, image, given) {
        Ok(found) => found,
        Err(unknown) => {
            return judged(task, image, lookup).ok_or_else(|| refusal(&unknown, &ways_out()));
        }
    };
    let mut agreed: Option<ImageConfig> = None;
    for reference in &found.references {
        let request = question(task, view, given, reference.clone());
        let names = || parameters_of(task, view, given, &found.parameters);
        let config = match answer(task, &request, lookup, (&names, to_state)) {
            Ok(config) => config,
            Err(refusal) => return judged(task, image, lookup).ok_or(refusal),
        };
        if agreed
            .as_ref()
            .is_some_and(|known| !runs_the_same(known, &config))
        {
            return Err(several(
                &found,
                image,
                ", and the images differ in entry point, command or user",
                &ways_out(),
            ));
        }
        agreed = Some(config);
    }
    let config = agreed.unwrap_or_default();
    let written = written(task, image, &found, &config, &ways_out)?;
    let mut parameters = found.parameters;
    if written.is_some() && !task.settings.for_one_stack {
        parameters.extend(pseudo_parameters(image));
    }
    Ok(Inspected {
        config,
        written,
        parameters,
    })
}

/// The refusal of an image that is several.
fn several(found: &References, image: &Value, but: &str, ways_out: &str) -> Refusal {
    let (code, differs) = match found.by_place {
        true => {
            let names = pseudo_parameters(image).into_iter();
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            let differs = format!("the image is chosen from a mapping by {}", names.join(", "));
            (Code::UnknownImage, differs)
        }
        false => (
            Code::LoopDependentImage,
            "the image differs between the items of `Fn::ForEach`".to_owned(),
        ),
    };
    Refusal::new(code, format!("{differs}{but}"), ways_out)
}

/// The reference that was inspected, where a parameter or a tag could lead to another one.
fn written(
    task: &Task<'_>,
    image: &Value,
    found: &References,
    config: &ImageConfig,
    ways_out: &dyn Fn() -> String,
) -> Result<Option<Value>, Refusal> {
    let pin = task.settings.pin_digests;
    if found.parameters.is_empty() && pin == PinDigests::No {
        return Ok(None);
    }
    let mut references = found.references.iter();
    let (Some(reference), None) = (references.next(), references.next()) else {
        let but = ", so it cannot be written as one reference";
        return Err(several(found, image, but, &ways_out()));
    };
    let written = match (pin, &config.digest) {
        (PinDigests::No, _) => reference.clone(),
        _ if reference.contains('@') => reference.clone(),
        (PinDigests::Digest, Some(digest)) => format!("{}@{digest}", repository(reference)),
        (PinDigests::KeepTag, Some(digest)) => format!("{reference}@{digest}"),
        (_, None) => {
            return Err(Refusal::new(
                Code::ImageUnresolved,
                "the image's digest is not known, so the image cannot be pinned".to_owned(),
                "write the lock file again, or name the digest",
            ));
        }
    };
    let written = Value::String(written);
    Ok((written != *image).then_some(written))
}

fn answer(
    task: &Task<'_>,
    request: &ImageRequest,
    lookup: Lookup<'_>,
    (parameters, to_state): (&dyn Fn() -> BTreeSet<String>, &dyn Fn() -> Option<String>),
) -> Result<ImageConfig, Refusal> {
    match answered(request, lookup.answers()) {
        Some(Ok(config)) => Ok(config.clone()),
        Some(Err(failure)) => {
            let (message, hint) = told(failure, &parameters());
            let other = to_state();
            let other =
                other.map(|keys| format!("state {keys} in the {}", task.dialect.document()));
            let ways: Vec<String> = hint.into_iter().chain(other).collect();
            Err(Refusal {
                code: Code::ImageUnresolved,
                message,
                hint: (!ways.is_empty()).then(|| ways.join(", or ")),
            })
        }
        None => Err(Refusal {
            code: Code::ImageUnresolved,
            message: "the image was not resolved".to_owned(),
            hint: None,
        }),
    }
}

/// What a person is told of a failure. Its texts name the image and the secret that opens it:
/// where a parameter decides about one of them, they hold its value, and are not shown.
fn told(failure: &ImageFailure, parameters: &BTreeSet<String>) -> (String, Option<String>) {
    if parameters.is_empty() {
        return (failure.message.clone(), failure.hint.clone());
    }
    let names: Vec<String> = parameters.iter().map(|name| format!("`{name}`")).collect();
    let (names, code) = (names.join(", "), failure.code);
    (
        format!(
            "the image cannot be read ({code}); which image, or which secret opens it, depends on {names}"
        ),
        Some(format!("check the values of {names}")),
    )
}

/// What is known of an image that was asked about.
pub(crate) fn answered<'a>(
    request: &ImageRequest,
    answers: &'a Answers,
) -> Option<&'a ImageAnswer> {
    answers.get(request).or_else(|| pinned(request, answers))
}

/// The answer about an image that another recipe of the run has pinned: nobody asked by its digest.
fn pinned<'a>(request: &ImageRequest, answers: &'a Answers) -> Option<&'a ImageAnswer> {
    let (name, digest) = request.reference.split_once('@')?;
    let is_same = |(asked, answer): &(&ImageRequest, &ImageAnswer)| {
        let config = answer.as_ref().ok();
        config.is_some_and(|config| config.digest.as_deref() == Some(digest))
            && repository(&asked.reference) == repository(name)
            && asked.platform == request.platform
            && asked.credentials == request.credentials
    };
    let found = answers.iter().find(is_same);
    found.map(|(_, answer)| answer)
}

/// While judging, an image that nobody asked about.
fn judged(task: &Task<'_>, image: &Value, lookup: Lookup<'_>) -> Option<Inspected> {
    match lookup {
        Lookup::Answers(_) => None,
        Lookup::Judge(_, user) => Some(Inspected {
            config: ImageConfig {
                user: user.to_owned(),
                ..ImageConfig::default()
            },
            // Only that it changes matters.
            written: wants_digest(task, Some(image)).then(|| Value::from("pinned")),
            parameters: BTreeSet::new(),
        }),
    }
}

fn runs_the_same(one: &ImageConfig, other: &ImageConfig) -> bool {
    one.entrypoint == other.entrypoint && one.cmd == other.cmd && one.user == other.user
}

#[cfg(test)]
mod tests;
