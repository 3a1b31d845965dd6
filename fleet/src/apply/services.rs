//! Services: in waves, so many at once, each watched until it is steady, and taken back where it is not.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::Duration;

use registry::remote::CredentialSource;
use serde_json::Value;
use tokio::time::Instant;

use super::steady::{Standing, standing, unplanned};
use super::{Refusal, Work};
use crate::api::ApiError;
use crate::ecs::{self, text};
use crate::journal::Step;
use crate::plan::PlannedTarget;
use crate::report::{Applied, TargetOutcome};
use crate::shard::Target;

/// How long what is described may lag behind an update.
const LAG: Duration = Duration::from_secs(60);

/// A service that is being updated, or taken back.
struct Moving {
    planned: PlannedTarget,
    /// The new revision.
    to: String,
    since: Instant,
    /// Why it is taken back, where it is.
    back: Option<Back>,
}

#[derive(Clone)]
struct Back {
    message: String,
    stopped: Vec<String>,
}

/// Cluster and service of a target that is one.
fn place(target: &Target) -> Option<(&str, &str)> {
    match target {
        Target::Service { cluster, service } => Some((cluster, service)),
        _ => None,
    }
}

impl<C: CredentialSource> Work<'_, C> {
    /// Updates the services, wave after wave, until enough have failed.
    pub(super) async fn services(&mut self) -> io::Result<()> {
        let is_service = |planned: &&PlannedTarget| place(&planned.target).is_some();
        let total = self.plan.targets.iter().filter(is_service).count();
        let done = self.done.keys();
        let done = done.filter(|target| place(target).is_some()).count();
        let mut open = self.open();
        open.retain(|planned| is_service(&planned));
        let mut open: VecDeque<PlannedTarget> = open.into();
        // What was in motion when the apply was killed comes before everything else.
        let begun = |planned: &PlannedTarget| self.was_begun(&planned.target);
        let (begun, rest): (Vec<_>, Vec<_>) = open.drain(..).partition(begun);
        open.extend(rest);
        self.wave(begun.into(), true).await?;
        let mut size = match done {
            0 => self.terms.rollout.canary,
            _ => self.later_wave(total),
        };
        while !open.is_empty() && !self.terms.failures.are_enough() {
            let wave = open.drain(..size.min(open.len())).collect();
            self.wave(wave, false).await?;
            size = self.later_wave(total);
        }
        Ok(())
    }

    fn later_wave(&self, total: usize) -> usize {
        total
            .saturating_mul(self.terms.rollout.wave)
            .div_ceil(100)
            .max(1)
    }

    fn was_begun(&self, target: &Target) -> bool {
        self.terms
            .journal
            .past(self.shard())
            .any(|step| match step {
                Step::Updating { target: begun, .. } => begun == target,
                _ => false,
            })
    }

    /// Why a service was being taken back when the apply was killed, if it was.
    fn was_going_back(&self, target: &Target) -> Option<Back> {
        let mut steps = self.terms.journal.past(self.shard());
        steps.find_map(|step| match step {
            Step::RollingBack {
                target: begun,
                message,
                stopped,
            } if begun == target => Some(Back {
                message: message.clone(),
                stopped: stopped.clone(),
            }),
            _ => None,
        })
    }

    /// Updates these services and waits for them; `begun` ones were being updated when the apply was killed.
    async fn wave(&mut self, mut wave: VecDeque<PlannedTarget>, begun: bool) -> io::Result<()> {
        let mut moving: Vec<Moving> = Vec::new();
        loop {
            let room = self.terms.rollout.in_motion.saturating_sub(moving.len());
            // A service that is in motion has to be watched in any case.
            if begun || !self.terms.failures.are_enough() {
                let next: Vec<PlannedTarget> = wave.drain(..room.min(wave.len())).collect();
                moving.extend(self.start(next).await?);
            }
            if moving.is_empty() {
                if wave.is_empty() || (!begun && self.terms.failures.are_enough()) {
                    return Ok(());
                }
                continue;
            }
            moving = self.watch(moving).await?;
            if !moving.is_empty() {
                tokio::time::sleep(Duration::from_secs(self.terms.rollout.poll)).await;
            }
        }
    }

    /// Services as they are described now.
    async fn described<'p>(
        &self,
        targets: impl Iterator<Item = &'p Target>,
    ) -> Result<BTreeMap<Target, Value>, ApiError> {
        let mut by_cluster: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (cluster, service) in targets.filter_map(place) {
            by_cluster
                .entry(cluster)
                .or_default()
                .push(service.to_owned());
        }
        let mut described = BTreeMap::new();
        for (cluster, services) in by_cluster {
            for value in ecs::describe_services(self.api, cluster, &services).await? {
                if let Some(service) = text(&value, "serviceArn") {
                    let target = Target::Service {
                        cluster: cluster.to_owned(),
                        service: service.to_owned(),
                    };
                    described.insert(target, value);
                }
            }
        }
        Ok(described)
    }

    /// Looks at services once more, and updates those that still run what was planned.
    async fn start(&mut self, next: Vec<PlannedTarget>) -> io::Result<Vec<Moving>> {
        let mut started = Vec::new();
        let described = self.described(next.iter().map(|it| &it.target)).await;
        let described = match described {
            Ok(described) => described,
            Err(error) => {
                for planned in next {
                    self.pass(&planned.target, Refusal::failed(&error));
                }
                return Ok(started);
            }
        };
        for planned in next {
            let revision = self.revisions.get(&planned.definition);
            let known = revision.and_then(|revision| revision.as_ref().ok());
            let begun = known.filter(|_| self.was_begun(&planned.target)).cloned();
            let service = described.get(&planned.target);
            let runs = service.and_then(|service| text(service, "taskDefinition"));
            let back = self.was_going_back(&planned.target);
            let gave_up = |to: &str| {
                let stands = service.map(|service| standing(service, &planned.definition, to));
                matches!(stands, Some(Standing::TakenBack(_)))
            };
            match begun {
                // Killed after the update, or while it was being taken back: nothing is sent again.
                Some(to) if runs == Some(to.as_str()) || back.is_some() || gave_up(&to) => {
                    let resent = back.is_some() && runs == Some(to.as_str());
                    let moving = moving(planned, to, back);
                    if resent {
                        started.extend(self.go_back(moving).await?);
                    } else {
                        started.push(moving);
                    }
                }
                _ => match unplanned(&planned, service, begun.as_deref()) {
                    Some(refusal) => self.pass(&planned.target, refusal),
                    None => started.extend(self.update(planned).await?),
                },
            }
        }
        Ok(started)
    }

    async fn update(&mut self, planned: PlannedTarget) -> io::Result<Option<Moving>> {
        if self.terms.failures.are_enough() {
            return Ok(None);
        }
        let to = match self.revision(&planned.definition).await? {
            Ok(to) => to,
            Err(refusal) => {
                self.pass(&planned.target, refusal);
                return Ok(None);
            }
        };
        self.write(Step::Updating {
            target: planned.target.clone(),
            to: to.clone(),
        })?;
        let place = place(&planned.target).unwrap_or_default();
        match ecs::update_service(self.api, place, &to).await {
            Ok(()) => Ok(Some(moving(planned, to, None))),
            Err(error) => {
                self.pass(&planned.target, Refusal::failed(&error));
                Ok(None)
            }
        }
    }

    /// Looks at what is in motion; gives what still is.
    async fn watch(&mut self, moving: Vec<Moving>) -> io::Result<Vec<Moving>> {
        let targets = moving.iter().map(|moving| &moving.planned.target);
        // A call that fails is made again at the next look, until the time is over.
        let described = self.described(targets).await;
        let mut still = Vec::new();
        for moving in moving {
            let service = match &described {
                Ok(described) => described.get(&moving.planned.target),
                Err(_) => None,
            };
            let patience = Duration::from_secs(self.terms.rollout.patience);
            let late = moving.since.elapsed() >= patience;
            let stands = match (service, &described) {
                (Some(service), _) => stands(service, &moving),
                (None, Ok(_)) => Standing::Overtaken,
                (None, Err(_)) => Standing::UnderWay,
            };
            let lags = moving.since.elapsed() < LAG.min(patience);
            let next = match stands {
                Standing::Steady => self.arrived(moving)?,
                Standing::UnderWay if late => self.failed(moving, TOO_LATE.to_owned()).await?,
                Standing::UnderWay => Some(moving),
                Standing::Before if lags => Some(moving),
                Standing::Failed(why) => self.failed(moving, why).await?,
                Standing::TakenBack(why) if moving.back.is_some() => {
                    self.failed(moving, why).await?
                }
                Standing::TakenBack(why) => self.taken_back(moving, why).await?,
                Standing::Before | Standing::Overtaken => self.overtaken(moving, service)?,
            };
            still.extend(next);
        }
        Ok(still)
    }

    fn arrived(&mut self, moving: Moving) -> io::Result<Option<Moving>> {
        let applied = match moving.back {
            None => Applied {
                message: self.made_from(&moving.planned.definition),
                ..applied(&moving, TargetOutcome::Updated, None)
            },
            Some(ref back) => applied(&moving, TargetOutcome::RolledBack, Some(back.clone())),
        };
        self.finish(applied)?;
        Ok(None)
    }

    fn overtaken(&mut self, moving: Moving, service: Option<&Value>) -> io::Result<Option<Moving>> {
        let message = match service {
            Some(_) => "somebody else has deployed another task definition meanwhile",
            None => "somebody has deleted the service meanwhile",
        };
        let back = moving.back.clone().unwrap_or(Back {
            message: message.to_owned(),
            stopped: Vec::new(),
        });
        self.finish(applied(&moving, TargetOutcome::Overtaken, Some(back)))?;
        Ok(None)
    }

    /// A deployment that has failed is taken back; one that cannot even be taken back is told.
    async fn failed(&mut self, moving: Moving, why: String) -> io::Result<Option<Moving>> {
        if let Some(back) = &moving.back {
            let message = format!("{}; the revision before is not steady: {why}", back.message);
            let back = Back {
                message,
                stopped: back.stopped.clone(),
            };
            self.finish(applied(&moving, TargetOutcome::RollbackFailed, Some(back)))?;
            return Ok(None);
        }
        let back = self.note_failure(&moving, why).await?;
        let moving = Moving {
            back: Some(back),
            ..moving
        };
        self.go_back(moving).await
    }

    async fn taken_back(&mut self, moving: Moving, why: String) -> io::Result<Option<Moving>> {
        let why = format!("{why}; ECS has taken it back");
        let back = self.note_failure(&moving, why).await?;
        Ok(Some(Moving {
            back: Some(back),
            since: Instant::now(),
            ..moving
        }))
    }

    /// Counts a failure, finds out why tasks have stopped, and writes it down.
    async fn note_failure(&mut self, moving: &Moving, message: String) -> io::Result<Back> {
        self.terms.failures.add();
        let target = &moving.planned.target;
        let place = place(target).unwrap_or_default();
        // Whether they can be found out or not, the service is taken back.
        let stopped = ecs::stop_reasons(self.api, place, &moving.to).await;
        let stopped = stopped.unwrap_or_default();
        self.write(Step::RollingBack {
            target: target.clone(),
            message: message.clone(),
            stopped: stopped.clone(),
        })?;
        Ok(Back { message, stopped })
    }

    async fn go_back(&mut self, moving: Moving) -> io::Result<Option<Moving>> {
        let place = place(&moving.planned.target).unwrap_or_default();
        match ecs::update_service(self.api, place, &moving.planned.definition).await {
            Ok(()) => Ok(Some(Moving {
                since: Instant::now(),
                ..moving
            })),
            Err(error) => {
                let back = moving.back.clone();
                let message = back.as_ref().map_or("", |back| &back.message);
                let back = Back {
                    message: format!("{message}; {error}"),
                    stopped: back.map(|back| back.stopped).unwrap_or_default(),
                };
                self.finish(applied(&moving, TargetOutcome::RollbackFailed, Some(back)))?;
                Ok(None)
            }
        }
    }
}

const TOO_LATE: &str = "it did not become steady in time";

fn moving(planned: PlannedTarget, to: String, back: Option<Back>) -> Moving {
    Moving {
        planned,
        to,
        since: Instant::now(),
        back,
    }
}

fn stands(service: &Value, moving: &Moving) -> Standing {
    let (old, new) = (moving.planned.definition.as_str(), moving.to.as_str());
    match moving.back {
        None => standing(service, old, new),
        Some(_) => standing(service, new, old),
    }
}

fn applied(moving: &Moving, outcome: TargetOutcome, back: Option<Back>) -> Applied {
    let (message, stopped) = match back {
        Some(back) => (Some(back.message), back.stopped),
        None => (None, Vec::new()),
    };
    Applied {
        target: moving.planned.target.clone(),
        outcome,
        revision: Some(moving.to.clone()),
        message,
        stopped,
    }
}
