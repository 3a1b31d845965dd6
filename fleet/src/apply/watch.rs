//! Services in motion: watched until they are steady, and taken back where they are not.

use std::io;
use std::iter::once;
use std::time::Duration;

use registry::remote::CredentialSource;
use serde_json::Value;
use tokio::time::Instant;

use super::Work;
use super::services::{Back, Moving, place};
use super::steady::{Standing, standing};
use crate::api::ApiError;
use crate::ecs::{self, text};
use crate::journal::Step;
use crate::report::{Applied, TargetOutcome};

/// How long what is described may lag behind an update.
const LAG: Duration = Duration::from_secs(60);

impl<C: CredentialSource> Work<'_, C> {
    /// Looks at what is in motion; gives what still is.
    pub(super) async fn watch(&mut self, moving: Vec<Moving>) -> io::Result<Vec<Moving>> {
        let targets = moving.iter().map(|moving| &moving.planned.target);
        // A call that fails is made again at the next look, until the time is over.
        let described = self.described(targets).await;
        let mut still = Vec::new();
        for moving in moving {
            let patience = Duration::from_secs(self.terms.rollout.patience);
            let late = moving.since.elapsed() >= patience;
            let described = match &described {
                Ok(described) => described,
                Err(error) if late => {
                    self.out_of_sight(&moving, error);
                    continue;
                }
                Err(_) => {
                    still.push(moving);
                    continue;
                }
            };
            let service = described.get(&moving.planned.target);
            let stands = service.map_or(Standing::Overtaken, |service| stands(service, &moving));
            let lags = moving.since.elapsed() < LAG.min(patience);
            let next = match stands {
                Standing::Steady => self.arrived(moving, service)?,
                Standing::UnderWay if late => self.failed(moving, TOO_LATE.to_owned()).await?,
                Standing::UnderWay => Some(moving),
                Standing::Before if lags => Some(moving),
                Standing::Failed(why) => self.failed(moving, why).await?,
                Standing::TakenBack(why) if moving.back.is_some() => {
                    self.failed(moving, why).await?
                }
                Standing::TakenBack(why) => {
                    let why = format!("{why}; ECS has taken it back");
                    self.taken_back(moving, why).await?
                }
                Standing::Before if moving.back.is_some() => {
                    self.failed(moving, STILL.to_owned()).await?
                }
                Standing::Before => self.taken_back(moving, AGAIN.to_owned()).await?,
                Standing::Overtaken => self.overtaken(moving, service)?,
            };
            still.extend(next);
        }
        Ok(still)
    }

    fn arrived(&mut self, moving: Moving, service: Option<&Value>) -> io::Result<Option<Moving>> {
        let desired = service.and_then(|service| service.get("desiredCount"));
        let started = desired.and_then(Value::as_u64) != Some(0);
        let said = [
            self.made_from(&moving.planned.definition),
            (!started).then(|| NONE_STARTED.to_owned()),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        let applied = match moving.back {
            None => Applied {
                message: (!said.is_empty()).then(|| said.join("; ")),
                ..applied(&moving, TargetOutcome::Updated, None)
            },
            Some(ref back) => applied(&moving, TargetOutcome::RolledBack, Some(back.clone())),
        };
        self.finish(applied)?;
        Ok(None)
    }

    /// A service that was given a revision, and cannot be looked at: whoever applies again can.
    pub(super) fn out_of_sight(&mut self, moving: &Moving, error: &ApiError) {
        let back = match &moving.back {
            Some(back) => back.and("it was given the revision before, and could not be watched"),
            None => Back {
                message: "it was given the new revision, and could not be watched".to_owned(),
                stopped: Vec::new(),
            },
        };
        let applied = applied(moving, TargetOutcome::NotReached, Some(back));
        self.unseen(applied, error);
    }

    fn overtaken(&mut self, moving: Moving, service: Option<&Value>) -> io::Result<Option<Moving>> {
        let message = match service {
            Some(_) => "somebody else has deployed another task definition meanwhile",
            None => "somebody has deleted the service meanwhile",
        };
        let back = match &moving.back {
            Some(back) => back.and(message),
            None => Back {
                message: message.to_owned(),
                stopped: Vec::new(),
            },
        };
        self.finish(applied(&moving, TargetOutcome::Overtaken, Some(back)))?;
        Ok(None)
    }

    /// A deployment that has failed is taken back; one that cannot even be taken back is told.
    async fn failed(&mut self, moving: Moving, why: String) -> io::Result<Option<Moving>> {
        if let Some(back) = &moving.back {
            let back = back.and(&format!("the revision before is not steady: {why}"));
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

    /// Gives a service the revision before, where it still runs the new one right before.
    pub(super) async fn go_back(&mut self, moving: Moving) -> io::Result<Option<Moving>> {
        let target = &moving.planned.target;
        let described = match self.described(once(target)).await {
            Ok(described) => described,
            Err(error) => {
                self.not_taken_back(&moving, &error);
                return Ok(None);
            }
        };
        let service = described.get(target);
        let runs = service.and_then(|service| text(service, "taskDefinition"));
        let before = moving.planned.definition.as_str();
        if runs == Some(moving.to.as_str()) {
            let place = place(target).unwrap_or_default();
            if let Err(error) = ecs::update_service(self.api, place, before).await {
                self.not_taken_back(&moving, &error);
                return Ok(None);
            }
        } else if runs != Some(before) {
            return self.overtaken(moving, service);
        }
        Ok(Some(Moving {
            since: Instant::now(),
            ..moving
        }))
    }

    /// It is tried again when the apply is begun again.
    fn not_taken_back(&mut self, moving: &Moving, error: &ApiError) {
        let back = moving.back.as_ref();
        let back = back.map(|back| back.and(&error.to_string()));
        self.leave(applied(moving, TargetOutcome::RollbackFailed, back));
    }
}

impl Back {
    /// The same, and what came of it.
    fn and(&self, what: &str) -> Back {
        Back {
            message: format!("{}; {what}", self.message),
            stopped: self.stopped.clone(),
        }
    }
}

const NONE_STARTED: &str = "no task is wanted, so that none was started";

/// Whether it has shown that the new revision can run: tasks of it do.
pub(super) fn proves(applied: &Applied) -> bool {
    let said = applied.message.as_deref().unwrap_or_default();
    applied.outcome == TargetOutcome::Updated && !said.ends_with(NONE_STARTED)
}

const TOO_LATE: &str = "it did not become steady in time";
/// What ECS says of a deployment that it has taken back may be gone by the next look.
const AGAIN: &str = "it runs the revision before again";
const STILL: &str = "it runs the new one";

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
