//! Where the program behind a wrapper came from: which image, and what that said runs.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::cloudformation::conditions::{anywhere, combinations};
use crate::cloudformation::intrinsic::Assignment;
use crate::container::{View, normalised_user, shown};
use crate::dialect::Dialect;
use crate::digest;
use crate::image::{Answers, ImageConfig, ImageRequest};
use crate::plan::image::{answered, placeless_references, question, references};
use crate::plan::{About, Note, Task};
use crate::report::{Code, Finding};

use super::label::{Label, own_label};
use super::put::under;
use super::take::rebuilt;

/// What decides which image a container runs, and what its label says.
pub(super) const DECIDING: [&str; 3] = ["dockerLabels", "image", "repositoryCredentials"];

/// An image, and what it said when it was asked.
pub(super) struct Origin {
    /// The digest of the reference, wherever it is deployed, and of the platform.
    pub(super) image: String,
    /// The digest of what the image runs, where that is known.
    pub(super) program: Option<String>,
}

/// The image of a container as it is under one combination of conditions.
pub(super) fn origin(
    task: &Task<'_>,
    container: &Map<String, Value>,
    given: &Assignment,
    answers: &Answers,
) -> Option<Origin> {
    let view = View::new(task.dialect, container);
    let image = view.get("image")?;
    let stands_for = match placeless_references(task, image, given) {
        Ok(references) => json!(references),
        Err(_) => image.clone(),
    };
    let program = || {
        let asks_user = task.recipe.asks_user() && view.get("user").is_none();
        let of = |config: &ImageConfig| {
            let user = asks_user.then(|| normalised_user(&config.user));
            digest::short(&json!([config.entrypoint, config.cmd, user]))
        };
        let mut programs = BTreeSet::new();
        for request in questions(task, container, given) {
            programs.insert(of(answered(&request, answers)?.as_ref().ok()?));
        }
        programs.pop_first().filter(|_| programs.is_empty())
    };
    Some(Origin {
        image: digest::short(&json!([stands_for, task.platform.to_string()])),
        program: program(),
    })
}

fn questions(
    task: &Task<'_>,
    container: &Map<String, Value>,
    given: &Assignment,
) -> Vec<ImageRequest> {
    let view = View::new(task.dialect, container);
    let found = view
        .get("image")
        .and_then(|image| references(task, image, given).ok());
    let references = found.into_iter().flat_map(|found| found.references);
    references
        .map(|reference| question(task, view, given, reference))
        .collect()
}

/// A container whose program came from its image by its label, under one combination of conditions.
type FromImage<'v> = dyn FnMut(&Label, &Map<String, Value>, &Assignment) + 'v;

/// Visits each container whose program came from its image; says whether all could be.
fn each_from_image(
    task: &Task<'_>,
    properties: &Map<String, Value>,
    visit: &mut FromImage<'_>,
) -> bool {
    // Nothing in a plan is marked.
    if task.dialect == Dialect::Terraform {
        return true;
    }
    let recipe = task.recipe.recipe().name();
    let mut all = true;
    let mut one = |container: &Map<String, Value>, given: &Assignment| {
        let label = own_label(task.dialect, container, recipe);
        if let Some(label) = label.filter(|label| label.image.is_some()) {
            visit(&label, container, given);
        }
    };
    let mut container = |container: &Map<String, Value>, given: &Assignment| {
        let mut conditions = BTreeSet::new();
        let deciding = DECIDING.iter();
        let deciding = deciding.filter_map(|key| task.dialect.find(container, key));
        deciding
            .filter(|_| task.dialect.has_functions())
            .for_each(|value| anywhere(value, &mut conditions));
        if conditions.is_empty() {
            one(container, given);
            return None;
        }
        match combinations(task.template, &conditions, given) {
            Some(rows) => rows
                .iter()
                .for_each(|given| one(&under(container, given), given)),
            None => all = false,
        }
        None
    };
    if let Some(definitions) = task.dialect.find(properties, "containerDefinitions") {
        let _nothing = rebuilt(task.dialect, definitions, &task.given, &mut container);
    }
    all
}

/// The questions about the images that programs came from; none where no program did.
pub(super) fn asked(task: &Task<'_>, properties: &Map<String, Value>) -> BTreeSet<ImageRequest> {
    let mut asked = BTreeSet::new();
    let mut ask = |_: &Label, container: &Map<String, Value>, given: &Assignment| {
        asked.extend(questions(task, container, given));
    };
    each_from_image(task, properties, &mut ask);
    asked
}

/// Whether the program of a container came from another image than the one that it has now, or the
/// image says something else now. What cannot be judged is looked at anew.
pub(super) fn has_moved(
    task: &Task<'_>,
    properties: &Map<String, Value>,
    answers: &Answers,
) -> bool {
    let mut moved = false;
    let mut judge = |label: &Label, container: &Map<String, Value>, given: &Assignment| {
        let now = origin(task, container, given, answers);
        moved |= now.is_none_or(|now| {
            let programs = label.program.as_ref().zip(now.program.as_ref());
            label.image.as_ref() != Some(&now.image)
                || programs.is_some_and(|(then, now)| then != now)
        });
    };
    let all = each_from_image(task, properties, &mut judge);
    moved || !all
}

/// What cannot be said of programs that came from an image: whether it still says the same.
pub(super) fn unread(
    task: &Task<'_>,
    properties: &Map<String, Value>,
    answers: &Answers,
) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let mut tell = |_: &Label, container: &Map<String, Value>, given: &Assignment| {
        let now = origin(task, container, given, answers);
        if now.is_none_or(|now| now.program.is_none()) {
            let view = View::new(task.dialect, container);
            let about = About {
                container: view.label(found.len()),
                image: view.get("image").map(shown).unwrap_or_default(),
            };
            let why = "the image was not read, so it is not known whether it still says what stands behind the wrapper";
            let finding = Note::new(Code::ImageNotRead, why.to_owned()).finding(Some(&about));
            if !found.contains(&finding) {
                found.push(finding);
            }
        }
    };
    each_from_image(task, properties, &mut tell);
    found
}
