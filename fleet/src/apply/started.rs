//! Rules, schedules and families: there is nothing to wait for, and so they come after all services.

use std::collections::BTreeSet;
use std::io;

use registry::remote::CredentialSource;

use super::{Refusal, Work};
use crate::api::ErrorKind;
use crate::ecs;
use crate::journal::Step;
use crate::plan::PlannedTarget;
use crate::report::{Applied, TargetOutcome};
use crate::schedules;
use crate::shard::{Target, family_and_revision, last};

impl<C: CredentialSource> Work<'_, C> {
    pub(super) async fn started(&mut self) -> io::Result<()> {
        for planned in self.open() {
            if matches!(planned.target, Target::Service { .. }) || self.terms.failures.are_enough()
            {
                continue;
            }
            if self.failing().contains(&planned.definition) {
                let message = "a service that was to run the same revision did not become steady";
                self.pass(
                    &planned.target,
                    Refusal {
                        outcome: TargetOutcome::NotReached,
                        message: message.to_owned(),
                    },
                );
                continue;
            }
            match self.point(&planned).await? {
                Ok(applied) => self.finish(applied)?,
                Err(refusal) => self.pass(&planned.target, refusal),
            }
        }
        Ok(())
    }

    /// Definitions whose new revision did not become steady somewhere.
    fn failing(&self) -> BTreeSet<String> {
        let targets = self.plan.targets.iter();
        let failing = targets.filter(|planned| {
            let done = self.done.get(&planned.target);
            done.is_some_and(|applied| applied.outcome.is_failure())
        });
        failing.map(|planned| planned.definition.clone()).collect()
    }

    async fn point(&mut self, planned: &PlannedTarget) -> io::Result<Result<Applied, Refusal>> {
        let target = &planned.target;
        let is_named = !planned.takes_latest();
        let mut now = None;
        if is_named {
            now = match schedules::named_now(self.api, target).await {
                Ok(Some(now)) => Some(now),
                Ok(None) => return Ok(Err(Refusal::changed("it is gone"))),
                Err(error) => return Ok(Err(Refusal::failed(&error))),
            };
            let known = self.revisions.get(&planned.definition);
            let known = known.and_then(|revision| revision.clone().ok());
            if now.as_ref() != Some(&planned.definition) && (known.is_none() || now != known) {
                let now = now.unwrap_or_default();
                let message = format!("it starts `{}` now", last(&now));
                return Ok(Err(Refusal::changed(&message)));
            }
        }
        if !is_named && let Some(refusal) = self.not_the_latest(planned).await {
            return Ok(Err(refusal));
        }
        let to = match self.revision(&planned.definition).await? {
            Ok(to) => to,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !is_named && let Some(refusal) = self.hidden(&to) {
            return Ok(Err(refusal));
        }
        if is_named && now.as_ref() != Some(&to) {
            self.write(Step::Updating {
                target: target.clone(),
                to: to.clone(),
            })?;
            if let Err(error) = schedules::point_to(self.api, target, &to).await {
                if error.kind == ErrorKind::Unanswered {
                    self.given.insert(to);
                }
                return Ok(Err(Refusal::failed(&error)));
            }
        }
        Ok(Ok(Applied {
            target: target.clone(),
            outcome: TargetOutcome::Updated,
            revision: Some(to),
            message: match planned.latest {
                true => Some("it takes the latest revision by itself".to_owned()),
                false => self.made_from(&planned.definition),
            },
            stopped: Vec::new(),
        }))
    }

    /// Whoever takes the latest revision of a family would lose what is in a later one than the planned.
    pub(super) async fn not_the_latest(&self, planned: &PlannedTarget) -> Option<Refusal> {
        let (family, _) = family_and_revision(&planned.definition);
        let mut revisions = match ecs::list_revisions(self.api, family).await {
            Ok(revisions) => revisions,
            Err(error) => return Some(Refusal::failed(&error)),
        };
        // What this apply has registered is nobody else's.
        revisions.retain(|arn| !self.ours(family).any(|ours| ours == arn));
        let latest = latest(revisions.iter())?;
        (*latest != planned.definition).then(|| is_latest(latest))
    }

    /// Whoever takes the latest revision does not take one that has a later one of this apply before it.
    fn hidden(&self, to: &str) -> Option<Refusal> {
        let (family, _) = family_and_revision(to);
        let latest = latest(self.ours(family))?;
        (latest != to).then(|| is_latest(latest))
    }
}

fn latest<'a>(revisions: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    revisions.max_by_key(|arn| family_and_revision(arn).1)
}

fn is_latest(arn: &str) -> Refusal {
    Refusal::changed(&format!("`{}` is the latest revision now", last(arn)))
}
