//! From a plan to an account and region that is as planned.

mod begin;
mod register;
mod services;
mod started;
mod steady;
mod unused;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use registry::remote::{CredentialSource, Registries};
use registry::{LockFile, Locked};

use crate::api::{Api, ApiError, ErrorKind};
use crate::journal::{Journal, Step};
use crate::means::Means;
use crate::plan::{PlannedTarget, ShardPlan};
use crate::report::{Applied, ShardApplied, TargetOutcome};
use crate::shard::{Shard, Target};
use crate::trouble::Trouble;

/// How services are updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rollout {
    /// Services of the first wave.
    pub canary: usize,
    /// Part of all services, in percent, that every later wave has.
    pub wave: usize,
    /// Services that are updated at once.
    pub in_motion: usize,
    /// How often services in motion are looked at, in seconds.
    pub poll: u64,
    /// How long a service may take to become steady, in seconds.
    pub patience: u64,
}

/// Failures of a rollout, in all accounts and regions together.
#[derive(Debug)]
pub struct Failures {
    count: AtomicUsize,
    most: usize,
}

impl Failures {
    /// So many failures stop the rollout; those of the journal's past count.
    pub fn up_to(most: usize, journal: &Journal) -> Failures {
        let failed = journal.entries().filter_map(|entry| match &entry.step {
            Step::RollingBack { target, .. } => Some((&entry.shard, target)),
            Step::Done(applied) if applied.outcome.is_failure() => {
                Some((&entry.shard, &applied.target))
            }
            _ => None,
        });
        let failed: BTreeSet<_> = failed.collect();
        Failures {
            count: AtomicUsize::new(failed.len()),
            most,
        }
    }

    fn add(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    fn are_enough(&self) -> bool {
        self.count.load(Ordering::SeqCst) >= self.most
    }
}

/// Why a target does not get what was planned.
#[derive(Clone, Debug)]
struct Refusal {
    outcome: TargetOutcome,
    message: String,
}

impl Refusal {
    /// What a call means for its target: one that is gone has changed.
    fn failed(error: &ApiError) -> Refusal {
        if error.kind == ErrorKind::NotFound {
            return Refusal::changed("it is gone");
        }
        Refusal {
            outcome: TargetOutcome::Failed,
            message: error.to_string(),
        }
    }

    fn changed(message: &str) -> Refusal {
        Refusal {
            outcome: TargetOutcome::ChangedSincePlan,
            message: message.to_owned(),
        }
    }
}

/// On which terms a plan is applied.
pub struct Terms<'t, C> {
    /// How services are updated.
    pub rollout: &'t Rollout,
    /// How many failures there were, and may be.
    pub failures: &'t Failures,
    /// What was done before, and where it is written down.
    pub journal: &'t Journal,
    /// Whom to ask whether tags still name the images that the plan was made with; nobody, where no
    /// network may be used.
    pub registries: Option<&'t Registries<C>>,
    /// How long all these questions may take.
    pub time: Duration,
    /// Who is told of every target that is done with, at once.
    pub tell: &'t (dyn Fn(&Shard, &Applied) + Send + Sync),
}

impl<C> Clone for Terms<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Terms<'_, C> {}

/// The work in an account and region.
struct Work<'w, C> {
    api: &'w Arc<Api>,
    plan: &'w ShardPlan,
    means: Means,
    images: Locked,
    terms: Terms<'w, C>,
    /// The new revision of each planned definition, or why there is none.
    revisions: BTreeMap<String, Result<String, Refusal>>,
    /// Later revisions of a planned definition's family that were there already, by the definition.
    later: BTreeMap<String, String>,
    /// Definitions that were registered by this apply, or by what went before it.
    registered: BTreeSet<String>,
    /// Revisions that something may have been given that gave no answer.
    given: BTreeSet<String>,
    /// What became of targets.
    done: BTreeMap<Target, Applied>,
    troubles: Vec<Trouble>,
}

/// Applies the plan of an account and region. What was done before, according to the journal, is
/// not done again.
pub async fn apply_shard<C: CredentialSource>(
    api: &Arc<Api>,
    plan: &ShardPlan,
    means: &Means,
    terms: Terms<'_, C>,
) -> ShardApplied {
    let images = LockFile::parse("the plan", &plan.images.to_string());
    let mut work = Work {
        api,
        plan,
        means: means.in_shard(&plan.shard),
        images: Locked::new(images.unwrap_or_else(|_| LockFile::new("the plan"))),
        terms,
        revisions: BTreeMap::new(),
        later: BTreeMap::new(),
        registered: BTreeSet::new(),
        given: BTreeSet::new(),
        done: BTreeMap::new(),
        troubles: Vec::new(),
    };
    work.remember();
    // What cannot be written down is not done.
    if let Err(error) = work.all().await {
        work.troubles.push(Trouble {
            message: format!("the journal cannot be written: {error}"),
            hint: Some("make room, and apply the plan again".to_owned()),
        });
    }
    work.report()
}

impl<C: CredentialSource> Work<'_, C> {
    fn shard(&self) -> &Shard {
        &self.plan.shard
    }

    fn write(&self, step: Step) -> io::Result<()> {
        self.terms.journal.write(self.shard(), step)
    }

    /// Takes from the journal what was done before.
    fn remember(&mut self) {
        for step in self.terms.journal.past(&self.plan.shard) {
            match step {
                Step::Registered {
                    definition,
                    revision,
                    found,
                } => {
                    self.revisions
                        .insert(definition.clone(), Ok(revision.clone()));
                    if !found {
                        self.registered.insert(definition.clone());
                    }
                }
                Step::Deregistered { definition } => {
                    // Several definitions may have come to the same revision.
                    if let Some(Ok(gone)) = self.revisions.get(definition).cloned() {
                        self.revisions
                            .retain(|_, it| it.as_ref().is_ok_and(|it| *it != gone));
                    }
                    self.registered.remove(definition);
                }
                Step::Done(applied) => {
                    self.done.insert(applied.target.clone(), applied.clone());
                }
                Step::Registering { .. } | Step::Updating { .. } | Step::RollingBack { .. } => {}
            }
        }
    }

    async fn all(&mut self) -> io::Result<()> {
        self.services().await?;
        self.started().await?;
        self.take_back_revisions().await
    }

    /// What is left of the plan, in its order.
    fn open(&self) -> Vec<PlannedTarget> {
        let targets = self.plan.targets.iter();
        let open = targets.filter(|planned| !self.done.contains_key(&planned.target));
        open.cloned().collect()
    }

    /// A target is done with, for good: nothing is done about it when the apply is begun again.
    fn finish(&mut self, applied: Applied) -> io::Result<()> {
        self.write(Step::Done(applied.clone()))?;
        (self.terms.tell)(self.shard(), &applied);
        self.done.insert(applied.target.clone(), applied);
        Ok(())
    }

    /// A target was not touched; when the apply is begun again, it is looked at again.
    fn pass(&mut self, target: &Target, refusal: Refusal) {
        if refusal.outcome.is_failure() {
            self.terms.failures.add();
        }
        self.leave(Applied {
            target: target.clone(),
            outcome: refusal.outcome,
            revision: None,
            message: Some(refusal.message),
            stopped: Vec::new(),
        });
    }

    /// A target is done with for now: when the apply is begun again, it is looked at again.
    fn leave(&mut self, applied: Applied) {
        (self.terms.tell)(self.shard(), &applied);
        self.done.insert(applied.target.clone(), applied);
    }

    /// What became of a target that was given a revision cannot be seen: no other one is begun.
    fn unseen(&mut self, applied: Applied, error: &ApiError) {
        let what = format!("what became of {} cannot be seen", applied.target);
        self.troubles.push(Trouble::about(&what, error));
        self.terms.failures.add();
        self.leave(applied);
    }

    fn report(self) -> ShardApplied {
        let targets = self.plan.targets.iter().map(|planned| {
            let done = self.done.get(&planned.target).cloned();
            done.unwrap_or_else(|| Applied {
                target: planned.target.clone(),
                outcome: TargetOutcome::NotReached,
                revision: None,
                message: None,
                stopped: Vec::new(),
            })
        });
        ShardApplied {
            shard: self.plan.shard.clone(),
            targets: targets.collect(),
            troubles: self.troubles,
            calls: self.api.counts(),
        }
    }
}
