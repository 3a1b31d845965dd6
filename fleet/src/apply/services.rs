//! Services: in waves, so many at once, each watched until it is steady, and taken back where it is not.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::Duration;

use registry::remote::CredentialSource;
use serde_json::Value;
use tokio::time::Instant;

use super::Work;
use super::watch::proves;
use crate::api::{ApiError, ErrorKind};
use crate::ecs::{self, text};
use crate::journal::Step;
use crate::plan::PlannedTarget;
use crate::shard::Target;

/// A service that is being updated, or taken back.
pub(super) struct Moving {
    pub(super) planned: PlannedTarget,
    /// The new revision.
    pub(super) to: String,
    pub(super) since: Instant,
    /// Why it is taken back, where it is.
    pub(super) back: Option<Back>,
}

impl Moving {
    /// From now on.
    pub(super) fn new(planned: PlannedTarget, to: String, back: Option<Back>) -> Moving {
        Moving {
            planned,
            to,
            since: Instant::now(),
            back,
        }
    }
}

/// Why a service is taken back.
#[derive(Clone)]
pub(super) struct Back {
    pub(super) message: String,
    pub(super) stopped: Vec<String>,
}

/// Cluster and service of a target that is one.
pub(super) fn place(target: &Target) -> Option<(&str, &str)> {
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
        let mut open = self.open();
        open.retain(|planned| is_service(&planned));
        let mut open: VecDeque<PlannedTarget> = open.into();
        // What was in motion when the apply was killed comes before everything else.
        let begun = |planned: &PlannedTarget| self.was_begun(&planned.target);
        let (begun, rest): (Vec<_>, Vec<_>) = open.drain(..).partition(begun);
        open.extend(rest);
        self.wave(begun.into(), true).await?;
        while !open.is_empty() && !self.terms.failures.are_enough() {
            let canaries = self.terms.rollout.canary;
            let size = match canaries.saturating_sub(self.proofs()) {
                0 => self.later_wave(total),
                missing => missing,
            };
            let wave = open.drain(..size.min(open.len())).collect();
            self.wave(wave, false).await?;
        }
        Ok(())
    }

    /// How many services have shown that what is planned can run.
    fn proofs(&self) -> usize {
        let done = self.done.values();
        let services = done.filter(|applied| place(&applied.target).is_some());
        services.filter(|applied| proves(applied)).count()
    }

    fn later_wave(&self, total: usize) -> usize {
        total
            .saturating_mul(self.terms.rollout.wave)
            .div_ceil(100)
            .max(1)
    }

    pub(super) fn was_begun(&self, target: &Target) -> bool {
        self.terms
            .journal
            .past(self.shard())
            .any(|step| match step {
                Step::Updating { target: begun, .. } => begun == target,
                _ => false,
            })
    }

    /// Why a service was being taken back when the apply was killed, if it was.
    pub(super) fn was_going_back(&self, target: &Target) -> Option<Back> {
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
    pub(super) async fn described<'p>(
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
            let values = match ecs::describe_services(self.api, cluster, &services).await {
                // With the cluster all of them are gone.
                Err(error) if error.kind == ErrorKind::NotFound => Vec::new(),
                values => values?,
            };
            for value in values {
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
}
