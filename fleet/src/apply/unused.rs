//! Revisions that nothing runs in the end: whatever starts the latest revision of their family would start them.

use std::collections::BTreeSet;
use std::io;

use registry::remote::CredentialSource;
use taskdef::registration::registrable;

use super::Work;
use crate::api::ApiError;
use crate::ecs;
use crate::journal::Step;
use crate::report::TargetOutcome;
use crate::shard::{family_and_revision, last};
use crate::trouble::Trouble;

impl<C: CredentialSource> Work<'_, C> {
    /// Makes revisions inactive that nothing runs: what was to run them failed, or was not touched.
    pub(super) async fn take_back_revisions(&mut self) -> io::Result<()> {
        let mut registered: Vec<(String, String)> = Vec::new();
        for definition in &self.registered {
            if let Some(Ok(revision)) = self.revisions.get(definition) {
                registered.push((definition.clone(), revision.clone()));
            }
        }
        registered.sort_by_key(|(_, revision)| family_and_revision(revision).1);
        let mut kept = BTreeSet::new();
        for (definition, revision) in registered {
            // Several definitions may have come to the same revision.
            let outcomes = self.outcomes(&revision);
            let (family, _) = family_and_revision(&definition);
            let covers = kept.contains(family);
            let has_failed = outcomes.contains(&TargetOutcome::RolledBack);
            let is_run = self.given.contains(&revision) || outcomes.iter().any(is_run);
            // Without it one made from an older revision would be the latest.
            if is_run || (covers && !has_failed) {
                kept.insert(family.to_owned());
                continue;
            }
            if covers {
                self.cover_again(&definition, &revision).await;
            }
            match ecs::deregister(self.api, &revision).await {
                Ok(()) => self.write(Step::Deregistered { definition })?,
                Err(error) => {
                    let name = last(&revision);
                    let what =
                        format!("nothing runs the revision `{name}`, and it is still active");
                    self.troubles.push(Trouble::about(&what, &error));
                }
            }
        }
        Ok(())
    }

    /// Registers what was the latest revision once more, where one of this apply that is made from an
    /// older one would be the latest without the revision that has failed.
    async fn cover_again(&mut self, definition: &str, failed: &str) {
        if let Err(error) = self.covered_again(definition, failed).await {
            let name = last(definition);
            let what = format!("`{name}` could not be registered again to stay the latest");
            self.troubles.push(Trouble::about(&what, &error));
        }
    }

    async fn covered_again(&self, definition: &str, failed: &str) -> Result<(), ApiError> {
        let (family, _) = family_and_revision(definition);
        let revisions = ecs::list_revisions(self.api, family).await?;
        let others = revisions.iter().filter(|arn| *arn != failed);
        let latest = others.max_by_key(|arn| family_and_revision(arn).1);
        if self.ours(family).any(|ours| Some(ours) == latest) {
            let described = ecs::describe_task_definition(self.api, definition).await?;
            ecs::register(self.api, &registrable(&described).0).await?;
        }
        Ok(())
    }

    /// What became of all that was given this revision.
    fn outcomes(&self, revision: &str) -> BTreeSet<TargetOutcome> {
        let given = self.done.values();
        let given = given.filter(|applied| applied.revision.as_deref() == Some(revision));
        given.map(|applied| applied.outcome).collect()
    }
}

/// Whether something with this outcome may run the revision that it was given.
fn is_run(outcome: &TargetOutcome) -> bool {
    match outcome {
        TargetOutcome::Updated
        | TargetOutcome::Overtaken
        | TargetOutcome::RollbackFailed
        | TargetOutcome::NotReached => true,
        TargetOutcome::ChangedSincePlan
        | TargetOutcome::DeploymentInProgress
        | TargetOutcome::NotSteady
        | TargetOutcome::Failed
        | TargetOutcome::RolledBack => false,
    }
}
