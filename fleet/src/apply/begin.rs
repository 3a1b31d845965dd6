//! Services that are to be updated: looked at, registered for, looked at again, and updated.

use std::collections::BTreeMap;
use std::io;
use std::iter::once;

use registry::remote::CredentialSource;
use serde_json::Value;

use super::services::{Moving, place};
use super::steady::{Standing, standing, unplanned};
use super::{Refusal, Work};
use crate::api::ErrorKind;
use crate::ecs::{self, text};
use crate::journal::Step;
use crate::plan::PlannedTarget;

impl<C: CredentialSource> Work<'_, C> {
    /// Updates those of these services that still run what was planned, and goes on with those that
    /// were being updated.
    pub(super) async fn start(&mut self, next: Vec<PlannedTarget>) -> io::Result<Vec<Moving>> {
        let mut started = Vec::new();
        let described = match self.described(next.iter().map(|it| &it.target)).await {
            Ok(described) => described,
            Err(error) => {
                for planned in next {
                    self.pass(&planned.target, Refusal::failed(&error));
                }
                return Ok(started);
            }
        };
        let mut as_planned = Vec::new();
        for planned in next {
            let service = described.get(&planned.target);
            if let Some(moving) = self.in_motion(&planned, service) {
                let runs = service.and_then(|service| text(service, "taskDefinition"));
                if moving.back.is_some() && runs == Some(moving.to.as_str()) {
                    started.extend(self.go_back(moving).await?);
                } else {
                    started.push(moving);
                }
            } else if let Some(refusal) = self.unplanned(&planned, service) {
                self.pass(&planned.target, refusal);
            } else {
                as_planned.push(planned);
            }
        }
        for (planned, to) in self.registered_for(as_planned).await? {
            started.extend(self.update(planned, to).await?);
        }
        Ok(started)
    }

    /// A service that was updated before the apply was killed, or was being taken back: nothing is sent again.
    fn in_motion(&self, planned: &PlannedTarget, service: Option<&Value>) -> Option<Moving> {
        let to = self.begun(planned)?;
        let runs = service.and_then(|service| text(service, "taskDefinition"));
        let back = self.was_going_back(&planned.target);
        let gave_up = || {
            let stands = service.map(|service| standing(service, &planned.definition, &to));
            matches!(stands, Some(Standing::TakenBack(_)))
        };
        let moves = runs == Some(to.as_str()) || back.is_some() || gave_up();
        moves.then(|| Moving::new(planned.clone(), to, back))
    }

    /// The revision that a service was being given when the apply was killed.
    fn begun(&self, planned: &PlannedTarget) -> Option<String> {
        let revision = self.revisions.get(&planned.definition)?.as_ref().ok()?;
        let begun = self.was_begun(&planned.target);
        begun.then(|| revision.clone())
    }

    fn unplanned(&self, planned: &PlannedTarget, service: Option<&Value>) -> Option<Refusal> {
        unplanned(planned, service, self.begun(planned).as_deref())
    }

    /// Services with their new revisions, all of which are there before the first service is updated:
    /// to register one takes so long that somebody may deploy meanwhile.
    async fn registered_for(
        &mut self,
        services: Vec<PlannedTarget>,
    ) -> io::Result<Vec<(PlannedTarget, String)>> {
        let mut registered = Vec::new();
        let mut looked_at = BTreeMap::new();
        for planned in services {
            if self.terms.failures.are_enough() {
                break;
            }
            let definition = planned.definition.clone();
            // What is registered for now is looked at in any case.
            if self.revisions.contains_key(&definition) && !looked_at.contains_key(&definition) {
                let refusal = self.no_way_back(&definition).await;
                looked_at.insert(definition.clone(), refusal);
            }
            let to = self.revision(&definition).await?;
            match (to, looked_at.entry(definition).or_default()) {
                (Ok(to), None) => registered.push((planned, to)),
                (Err(refusal), _) => self.pass(&planned.target, refusal),
                (_, Some(refusal)) => self.pass(&planned.target, refusal.clone()),
            }
        }
        Ok(registered)
    }

    /// Updates a service that still runs what was planned right before.
    async fn update(&mut self, planned: PlannedTarget, to: String) -> io::Result<Option<Moving>> {
        if self.terms.failures.are_enough() {
            return Ok(None);
        }
        let target = &planned.target;
        let refusal = match self.described(once(target)).await {
            Ok(described) => self.unplanned(&planned, described.get(target)),
            Err(error) => Some(Refusal::failed(&error)),
        };
        if let Some(refusal) = refusal {
            self.pass(target, refusal);
            return Ok(None);
        }
        self.write(Step::Updating {
            target: target.clone(),
            to: to.clone(),
        })?;
        match ecs::update_service(self.api, place(target).unwrap_or_default(), &to).await {
            Ok(()) => Ok(Some(Moving::new(planned, to, None))),
            Err(error) => {
                match error.kind {
                    // It may have been given it all the same.
                    ErrorKind::Unanswered => {
                        self.out_of_sight(&Moving::new(planned, to, None), &error);
                    }
                    _ => self.pass(target, Refusal::failed(&error)),
                }
                Ok(None)
            }
        }
    }
}
