//! New revisions: each is registered once, however often an apply is begun.

use std::collections::BTreeSet;
use std::io;

use registry::TagError;
use registry::remote::CredentialSource;
use serde_json::Value;
use taskdef::image::{Answers, ImageRequest};
use taskdef::registration::registrable;

use super::{Refusal, Work};
use crate::api::{ApiError, ErrorKind};
use crate::digest::{of_registration, same_definition};
use crate::ecs;
use crate::journal::Step;
use crate::report::TargetOutcome;
use crate::shard::{family_and_revision, last};

/// How many later revisions of a family are compared with what is to be registered.
const LATER: usize = 20;
/// How often a registration is tried that gets no answer.
const TRIES: usize = 3;

impl<C: CredentialSource> Work<'_, C> {
    /// The new revision of a planned definition. Those of its family are registered together, in the
    /// order of what they are made from: the latest program stays the latest.
    pub(super) async fn revision(
        &mut self,
        definition: &str,
    ) -> io::Result<Result<String, Refusal>> {
        if let Some(known) = self.revisions.get(definition) {
            return Ok(known.clone());
        }
        // A failure to list or to register one of them is said where that one is needed.
        for one in self.of_family(definition).await {
            self.known_or_new(&one).await?.ok();
        }
        self.known_or_new(definition).await
    }

    async fn known_or_new(&mut self, definition: &str) -> io::Result<Result<String, Refusal>> {
        if let Some(known) = self.revisions.get(definition) {
            return Ok(known.clone());
        }
        let revision = match self.registration(definition).await {
            Ok(registration) => self.register(definition, &registration).await?,
            Err(refusal) => Err(refusal),
        };
        self.revisions
            .insert(definition.to_owned(), revision.clone());
        Ok(revision)
    }

    /// A definition and those of its family for which there is something left to do, in order.
    async fn of_family(&self, definition: &str) -> Vec<String> {
        let (family, _) = family_and_revision(definition);
        let open = self.plan.targets.iter().filter(|planned| {
            family_and_revision(&planned.definition).0 == family
                && !self.done.contains_key(&planned.target)
        });
        let (latest, named): (Vec<_>, Vec<_>) = open.partition(|planned| planned.takes_latest());
        let mut definitions: BTreeSet<&str> =
            named.iter().map(|it| it.definition.as_str()).collect();
        definitions.insert(definition);
        // What is not the latest any more is not registered for those who take the latest.
        for planned in latest {
            let known = definitions.contains(planned.definition.as_str());
            if !known && self.not_the_latest(planned).await.is_none() {
                definitions.insert(&planned.definition);
            }
        }
        let mut definitions: Vec<String> = definitions.into_iter().map(str::to_owned).collect();
        definitions.sort_by_key(|one| family_and_revision(one).1);
        definitions
    }

    /// Revisions of a family that this apply has registered, or found.
    pub(super) fn ours<'r>(&'r self, family: &'r str) -> impl Iterator<Item = &'r String> {
        let ours = self.revisions.values().filter_map(|it| it.as_ref().ok());
        ours.filter(move |arn| family_and_revision(arn).0 == family)
    }

    /// The latest revision that stands for a definition of this family before this one.
    fn floor(&self, definition: &str) -> Option<u64> {
        let (family, revision) = family_and_revision(definition);
        let before = self.revisions.iter().filter(|(other, _)| {
            let (of, number) = family_and_revision(other);
            of == family && number < revision
        });
        let before = before.filter_map(|(_, arn)| arn.as_ref().ok());
        before.filter_map(|arn| family_and_revision(arn).1).max()
    }

    /// What is to be registered: read and rewritten again, and exactly what was planned.
    async fn registration(&self, definition: &str) -> Result<Value, Refusal> {
        let planned = self.plan.definitions.get(definition);
        let planned = planned.ok_or_else(|| Refusal {
            outcome: TargetOutcome::Failed,
            message: "the plan says nothing of its task definition".to_owned(),
        })?;
        let described = ecs::describe_task_definition(self.api, definition).await;
        let described = described.map_err(|error| Refusal::failed(&error))?;
        if let Some(refusal) = no_way_back(definition, &described) {
            return Err(refusal);
        }
        let (before, _) = registrable(&described);
        if of_registration(&before) != planned.before {
            return Err(Refusal::changed(
                "the tags of its task definition are not those that were planned with",
            ));
        }
        let different = || {
            Refusal {
            outcome: TargetOutcome::Failed,
            message:
                "what would be registered is not what was planned: another recipe, other inputs, or another version of this program"
                    .to_owned(),
        }
        };
        let needed = self.means.images_needed(&described);
        let needed = needed.map_err(|_| different())?;
        let answers = self.answers(&needed).await?;
        let derived = self.means.derive(&described, &answers);
        let derived = derived.map_err(|_| different())?;
        match derived.after {
            Some(after) if of_registration(&after) == planned.after => Ok(after),
            _ => Err(different()),
        }
    }

    /// What the plan says of images, once it is known that their tags still name them.
    async fn answers(&self, needed: &BTreeSet<ImageRequest>) -> Result<Answers, Refusal> {
        let division = self.images.divide(needed);
        let Some(registries) = self.terms.registries.filter(|_| division.questions() > 0) else {
            return Ok(self.images.answers(needed));
        };
        let session = registries.session(self.terms.time);
        // On the heap: a session's futures are large.
        let completed = Box::pin(division.complete(&session)).await;
        match completed.errors.first() {
            None => Ok(completed.answers),
            Some(TagError::Outdated { image, .. }) => Err(Refusal::changed(&format!(
                "the image `{image}` is another one than it was planned with"
            ))),
            Some(error) => Err(Refusal {
                outcome: TargetOutcome::Failed,
                message: error.to_string(),
            }),
        }
    }

    /// Why a service could not be given its task definition back.
    pub(super) async fn no_way_back(&self, definition: &str) -> Option<Refusal> {
        match ecs::describe_task_definition(self.api, definition).await {
            Ok(described) => no_way_back(definition, &described),
            Err(error) => Some(Refusal::failed(&error)),
        }
    }

    /// What is to be said of a target whose definition was not the latest of its family.
    pub(super) fn made_from(&self, definition: &str) -> Option<String> {
        let later = self.later.get(definition)?;
        Some(format!(
            "its revision is made from `{}`, which it ran, and not from the later `{}`",
            last(definition),
            last(later)
        ))
    }

    async fn register(
        &mut self,
        definition: &str,
        registration: &Value,
    ) -> io::Result<Result<String, Refusal>> {
        let begun = Step::Registering {
            definition: definition.to_owned(),
        };
        let mut tries = 0;
        loop {
            // An apply that was killed, or a call without an answer, may have registered it.
            match self.later_revision(definition, registration).await {
                Ok(Some(revision)) => {
                    let ours =
                        tries > 0 || self.terms.journal.past(self.shard()).any(|it| *it == begun);
                    return Ok(Ok(self.registered(definition, revision, !ours)?));
                }
                Ok(None) => {}
                Err(error) => return Ok(Err(Refusal::failed(&error))),
            }
            self.write(begun.clone())?;
            match ecs::register(self.api, registration).await {
                Ok(revision) => {
                    return Ok(Ok(self.registered(definition, revision, false)?));
                }
                Err(error) if error.kind == ErrorKind::Unanswered && tries < TRIES => tries += 1,
                Err(error) => {
                    let error = without_values(error, registration);
                    return Ok(Err(Refusal::failed(&error)));
                }
            }
        }
    }

    fn registered(
        &mut self,
        definition: &str,
        revision: String,
        found: bool,
    ) -> io::Result<String> {
        if !found {
            self.registered.insert(definition.to_owned());
        }
        self.write(Step::Registered {
            definition: definition.to_owned(),
            revision: revision.clone(),
            found,
        })?;
        Ok(revision)
    }

    /// A later revision that is what is to be registered.
    async fn later_revision(
        &mut self,
        definition: &str,
        registration: &Value,
    ) -> Result<Option<String>, ApiError> {
        let (family, revision) = family_and_revision(definition);
        let mut later = ecs::list_revisions(self.api, family).await?;
        later.retain(|arn| family_and_revision(arn).1 > revision);
        later.sort_by_key(|arn| std::cmp::Reverse(family_and_revision(arn).1));
        let floor = self.floor(definition);
        let late = later
            .iter()
            .filter(|arn| family_and_revision(arn).1 >= floor);
        for arn in late.take(LATER) {
            let described = ecs::describe_task_definition(self.api, arn).await?;
            if same_definition(&registrable(&described).0, registration) {
                return Ok(Some(arn.clone()));
            }
        }
        let ours: BTreeSet<&String> = self.ours(family).collect();
        later.retain(|arn| !ours.contains(arn));
        if let Some(latest) = later.into_iter().next() {
            self.later.insert(definition.to_owned(), latest);
        }
        Ok(None)
    }
}

fn no_way_back(definition: &str, described: &Value) -> Option<Refusal> {
    let message = format!(
        "`{}` is inactive, so that there would be no way back to it",
        last(definition)
    );
    (!ecs::is_active(described)).then(|| Refusal::changed(&message))
}

/// What ECS says of a registration may repeat a value of it.
fn without_values(error: ApiError, registration: &Value) -> ApiError {
    let containers = ecs::list(registration, "containerDefinitions");
    let variables = containers.flat_map(|container| ecs::list(container, "environment"));
    let mut values = variables.filter_map(|variable| ecs::text(variable, "value"));
    let said = error.said.clone().unwrap_or_default();
    match values.any(|value| !value.is_empty() && said.contains(value)) {
        true => error.without_words(),
        false => error,
    }
}
