//! Revisions that nothing runs in the end: whatever starts the latest revision of their family would start them.

use std::collections::BTreeSet;
use std::io;

use registry::remote::CredentialSource;

use super::Work;
use crate::ecs;
use crate::journal::Step;
use crate::report::TargetOutcome;
use crate::shard::last;
use crate::trouble::Trouble;

impl<C: CredentialSource> Work<'_, C> {
    /// Makes revisions inactive that nothing runs because they did not become steady.
    pub(super) async fn take_back_revisions(&mut self) -> io::Result<()> {
        let registered: Vec<String> = self.registered.iter().cloned().collect();
        for definition in registered {
            let Some(Ok(revision)) = self.revisions.get(&definition).cloned() else {
                continue;
            };
            // Several definitions may have come to the same revision.
            let outcomes = self.outcomes(&revision);
            if !outcomes.contains(&TargetOutcome::RolledBack) || outcomes.iter().any(is_run) {
                continue;
            }
            match ecs::deregister(self.api, &revision).await {
                Ok(()) => self.write(Step::Deregistered { definition })?,
                Err(error) => self.troubles.push(Trouble::about(
                    &format!(
                        "the revision `{}` did not become steady and is still active",
                        last(&revision)
                    ),
                    &error,
                )),
            }
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
