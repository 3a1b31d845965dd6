//! What is said about a recipe's inputs, once for the whole document.

use std::collections::BTreeSet;

use crate::recipe::BoundRecipe;
use crate::report::{Code, Finding, Outcome, Report};

use super::Note;

/// What is wrong, or better otherwise, with the inputs as such. Each finding is about the recipe.
pub(crate) fn said_about_inputs(recipe: &BoundRecipe) -> Vec<(String, Finding)> {
    let clear = recipe.clear_secrets().into_iter().map(clear_secret);
    let registry = recipe
        .image_secrets_given()
        .into_iter()
        .map(clear_credential);
    let whole = recipe.whole_secrets().into_iter().map(whole_secret);
    let images = recipe.mutable_images();
    let mutable = images.iter().map(|image| mutable_image(image));
    let versions = recipe.undocumented_versions().into_iter().map(undocumented);
    about(
        recipe,
        clear
            .chain(registry)
            .chain(whole)
            .chain(mutable)
            .chain(versions),
    )
}

/// Names of containers that no container has; nothing where a task definition was refused, whose
/// containers the report does not hold.
pub(crate) fn unmatched_containers(
    recipe: &BoundRecipe,
    report: &Report,
) -> Vec<(String, Finding)> {
    let tasks = &report.task_definitions;
    if tasks.iter().any(|task| task.outcome == Outcome::Refused) {
        return Vec::new();
    }
    let known: BTreeSet<&str> = tasks
        .iter()
        .flat_map(|task| &task.containers)
        .filter(|container| !container.sidecar)
        .map(|container| container.name.as_str())
        .collect();
    let named = recipe.named_containers();
    let unmatched = named.iter().flat_map(|(input, names)| {
        let unknown = names.iter().filter(|name| !known.contains(*name));
        unknown.map(move |name| {
            let why =
                format!("the input `{input}` names the container `{name}`, which is not there");
            let hint = "correct the name; it has to be that of a container that is instrumented";
            Note::new(Code::UnknownContainer, why).with_hint(Some(hint.to_owned()))
        })
    });
    about(recipe, unmatched)
}

fn about(recipe: &BoundRecipe, notes: impl Iterator<Item = Note>) -> Vec<(String, Finding)> {
    let name = recipe.recipe().name();
    notes
        .map(|note| (name.to_owned(), note.finding(None)))
        .collect()
}

/// A secret that is given as plain text ends up readable in the template.
fn clear_secret(input: &str) -> Note {
    let why = format!(
        "the secret input `{input}` is given as plain text, and stands in the result as such"
    );
    let hint =
        "give the ARN of a Secrets Manager secret, or the name of an SSM parameter as `valueFrom`";
    Note::new(Code::SecretInClear, why).with_hint(Some(hint.to_owned()))
}

fn clear_credential(input: &str) -> Note {
    let why = format!(
        "the image in the input `{input}` has a credential of its registry in its name, and stands in the result as such"
    );
    let hint = "copy the image into a registry of your own, and give its name there";
    Note::new(Code::SecretInClear, why).with_hint(Some(hint.to_owned()))
}

fn whole_secret((input, key): (&str, &str)) -> Note {
    let why = format!(
        "the input `{input}` is the ARN of a whole secret; where that holds JSON, the agent gets all of it and not the key `{key}`"
    );
    let hint = format!("give `<ARN>:{key}::`, unless the secret holds nothing but the value");
    Note::new(Code::SecretWithoutKey, why).with_hint(Some(hint))
}

fn mutable_image(image: &str) -> Note {
    let why = format!("the agent's image `{image}` can be another one at the next start of a task");
    let hint = "name a version, or a digest";
    Note::new(Code::MutableAgentImage, why).with_hint(Some(hint.to_owned()))
}

fn undocumented(inputs: &[String]) -> Note {
    let names: Vec<String> = inputs.iter().map(|name| format!("`{name}`")).collect();
    let why = format!(
        "the vendor does not document the versions of {} together",
        names.join(" and ")
    );
    let hint = "the report lists under `compatibility` those that it documents; ask the vendor about others";
    Note::new(Code::CompatibilityUnknown, why).with_hint(Some(hint.to_owned()))
}
