//! One account and region: from its plan to services that run it, however many invocations it takes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cli::network::Described;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::lease::Lease;
use super::log::Metrics;
use super::refused::Refused;
use super::store::{Store, of_shard};
use super::{Invocation, log, shard_journal};
use crate::api::Counts;
use crate::apply::{Failures, Terms, apply_shard};
use crate::command::apply::rollout;
use crate::command::written::RunReport;
use crate::digest::of_bytes;
use crate::plan::Plan;
use crate::report::{ShardApplied, TargetOutcome};
use crate::shard::Shard;

/// How an invocation ends that has done what it could.
enum End {
    /// Nothing is left to do.
    Done(ShardApplied, Counts),
    /// The time is over; so many targets are done with.
    NotYet(usize),
}

/// Applies the plan of an account and region, or goes on with that.
pub(super) async fn apply(
    invocation: &Invocation<'_>,
    run: &str,
    shard: &Shard,
    metrics: &mut Metrics,
) -> Result<Value, Refused> {
    let described = invocation.described()?;
    let store = Arc::new(invocation.store(&described));
    let (plan, digest) = planned(&store, run, shard).await?;
    let of_shard = plan.shards.iter().find(|plan| plan.shard == *shard);
    let Some(targets) = of_shard.map(|plan| plan.targets.len()) else {
        return Ok(nothing_to_do(shard));
    };
    let whose = (run, invocation.id);
    let lease = Lease::take(&store, shard, whose, invocation.left_to_live()).await?;
    let end = work(
        invocation,
        run,
        shard,
        (plan, &digest),
        (&store, &described),
    )
    .await;
    let is_done = matches!(&end, Ok(End::Done(..)));
    let answer = match end {
        Ok(End::Done(applied, calls)) => report(&store, run, applied, calls, metrics).await,
        Ok(End::NotYet(finished)) => Ok(json!({
            "done": false,
            "account": shard.account,
            "region": shard.region,
            "targets": targets,
            "finished": finished,
        })),
        Err(refused) => Err(refused),
    };
    lease.give_back(is_done && answer.is_ok()).await;
    answer
}

/// Does what the plan says and the journal does not, as long as there is time.
async fn work(
    invocation: &Invocation<'_>,
    run: &str,
    shard: &Shard,
    (plan, digest): (Plan, &str),
    (store, described): (&Arc<Store>, &Described),
) -> Result<End, Refused> {
    let means = invocation.means(store, plan.purpose, &plan.choices);
    let means = means.await?;
    let (home, entered) = invocation.enter(shard, described).await?;
    let entered = entered.map_err(not_entered)?;
    let key = of_shard(run, shard, "journal.jsonl");
    let (journal, done) = shard_journal::open(store, &key, digest).await?;
    let api = entered.api(shard, &home);
    let options = invocation.settings.rollout.clone();
    let offline = invocation.settings.plan.images.offline.locked;
    let time = invocation.lookups(described);
    let (id, shard) = (invocation.id.to_owned(), shard.clone());
    let mut working = tokio::spawn(async move {
        let terms = Terms {
            rollout: &rollout(&options),
            failures: &Failures::up_to(options.max_failures, &journal),
            journal: &journal,
            registries: (!offline).then_some(&entered.registries),
            time,
            tell: &|shard, applied| log::applied(&id, shard, applied),
        };
        let plan = plan.shards.iter().find(|plan| plan.shard == shard)?;
        Some(Box::pin(apply_shard(&api, plan, &means, terms)).await)
    });
    match timeout(invocation.left(), &mut working).await {
        Ok(Ok(Some(applied))) => Ok(End::Done(applied, home.api().counts())),
        Ok(_) => Err(Refused::broken(
            "the program has an error of its own, and has stopped where it was".to_owned(),
            "report it; the function's log says where it happened",
        )),
        Err(_) => {
            // It stops where it waits for something: the journal has what it had begun.
            working.abort();
            let _ = working.await;
            Ok(End::NotYet(done.load(Ordering::SeqCst)))
        }
    }
}

/// The plan of an account and region, and the digest of its text.
async fn planned(store: &Store, run: &str, shard: &Shard) -> Result<(Plan, String), Refused> {
    let key = of_shard(run, shard, "plan.json");
    let shown = store.shown(&key);
    let stored = store.read(&key).await?.ok_or_else(|| {
        let message = format!("there is no plan `{shown}`");
        Refused::broken(message, "start a new run, which plans first")
    })?;
    let plan = Plan::parse(&stored.bytes).map_err(|error| {
        Refused::broken(
            format!("`{shown}`: {error}"),
            "start a new run, which plans first",
        )
    })?;
    Ok((plan, of_bytes(&stored.bytes)))
}

fn nothing_to_do(shard: &Shard) -> Value {
    json!({
        "done": true,
        "ok": true,
        "account": shard.account,
        "region": shard.region,
        "targets": 0,
    })
}

fn not_entered(troubles: Vec<crate::trouble::Trouble>) -> Refused {
    let trouble = troubles.into_iter().next();
    let (message, hint) = trouble.map_or_else(Default::default, |it| (it.message, it.hint));
    Refused::broken(message, &hint.unwrap_or_default())
}

/// Writes the report, and sums it up.
async fn report(
    store: &Store,
    run: &str,
    applied: ShardApplied,
    calls: Counts,
    metrics: &mut Metrics,
) -> Result<Value, Refused> {
    let shard = applied.shard.clone();
    let reports = [applied];
    let told = (&[][..], &[][..]);
    let key = of_shard(run, &shard, "apply-report.json");
    let written = RunReport::new("apply", &reports, told, calls);
    store.write(&key, &written).await?;
    let [applied] = reports;
    let outcomes = applied.targets.iter().map(|target| target.outcome);
    let count =
        |wanted: fn(TargetOutcome) -> bool| outcomes.clone().filter(|it| wanted(*it)).count();
    metrics.updated = count(|it| it == TargetOutcome::Updated);
    metrics.failed = count(TargetOutcome::is_failure);
    metrics.troubles = applied.troubles.len();
    let not_reached = count(|it| it == TargetOutcome::NotReached);
    let troubles = applied.troubles.len();
    Ok(json!({
        "done": true,
        "ok": metrics.failed + not_reached + troubles == 0,
        "account": shard.account,
        "region": shard.region,
        "targets": applied.targets.len(),
        "updated": metrics.updated,
        "failed": metrics.failed,
        "notReached": not_reached,
        "troubles": troubles,
        "report": store.shown(&key),
    }))
}
