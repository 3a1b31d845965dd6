//! What became of all accounts and regions of a run.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Invocation;
use super::event::Phase;
use super::refused::Refused;
use super::settings::spelled;
use super::store::{Store, of_run, of_shard};
use crate::command::outset;
use crate::concurrent::each;
use crate::matched::{Seen, Unmatched, unmatched};
use crate::report::{DefinitionOutcome, ShardApplied, ShardReport, TargetOutcome};
use crate::shard::Shard;

/// Reports that are read at once.
const AT_ONCE: usize = 16;
/// Places that an answer names, so that a message to a person stays short; the rest is counted.
const NAMED: usize = 20;

/// Counts of a run.
#[derive(Clone, Debug, Default)]
struct Sums {
    targets: usize,
    changes: usize,
    refused: usize,
    left_alone: usize,
    updated: usize,
    not_touched: usize,
    failed: usize,
    not_reached: usize,
    /// Accounts and regions with something that could not be done.
    troubled: Vec<String>,
    /// Those without a report.
    missing: Vec<String>,
    /// What was seen of each that was planned.
    seen: Vec<Seen>,
}

/// Sums up a phase of a run, and writes that down.
pub(super) async fn sum(
    invocation: &Invocation<'_>,
    run: &str,
    phase: Phase,
) -> Result<Value, Refused> {
    let described = invocation.described()?;
    let store = Arc::new(invocation.store(&described));
    let shards = shards(&store, run).await?;
    let name = match phase {
        Phase::Plan => "plan",
        Phase::Apply => "apply",
    };
    let read = each(AT_ONCE, shards.clone(), |shard| {
        let (store, run) = (Arc::clone(&store), run.to_owned());
        async move {
            let key = of_shard(&run, &shard, &format!("{name}-report.json"));
            let planned = match phase {
                Phase::Plan => true,
                Phase::Apply => has_plan(&store, &run, &shard).await?,
            };
            let report = match planned {
                true => store.read_json(&key).await?,
                false => None,
            };
            Ok((shard, planned, report))
        }
    });
    let mut sums = Sums::default();
    for one in read.await {
        let (shard, planned, report) = one?;
        match report {
            Some(report) => sums.add(&shard, phase, &report)?,
            None if planned => sums.missing.push(shard.to_string()),
            None => {}
        }
    }
    let filters = &invocation.settings.plan;
    let nowhere = match phase {
        Phase::Plan => {
            let choices = &filters.choices;
            unmatched(
                &outset::filters(&filters.filters, choices),
                choices,
                (&sums.seen, sums.missing.is_empty()),
            )
        }
        _ => Unmatched::default(),
    };
    let planned_badly = match phase {
        Phase::Plan => false,
        Phase::Apply => plan_exit(&store, run).await? == 1,
    };
    let answer = answer(
        &store,
        run,
        (name, shards.len()),
        &sums,
        (planned_badly, &nowhere),
    );
    store
        .write(&of_run(run, &format!("{name}-summary.json")), &answer)
        .await?;
    Ok(answer)
}

async fn shards(store: &Store, run: &str) -> Result<Vec<Shard>, Refused> {
    let key = of_run(run, "shards.json");
    let listed = store.read_json(&key).await?;
    let listed = listed.map(serde_json::from_value::<Vec<Shard>>);
    match listed {
        Some(Ok(shards)) => Ok(shards),
        _ => Err(Refused::broken(
            format!("`{}` is no list of accounts and regions", store.shown(&key)),
            "start a new run",
        )),
    }
}

/// Whether there is something to apply in an account and region.
async fn has_plan(store: &Store, run: &str, shard: &Shard) -> Result<bool, Refused> {
    let plan = store.read_json(&of_shard(run, shard, "plan.json")).await?;
    let shards = plan.as_ref().and_then(|plan| plan.get("shards"));
    let shards = shards.and_then(Value::as_array);
    Ok(shards.is_some_and(|shards| !shards.is_empty()))
}

/// How planning has ended; failed, where nobody knows.
async fn plan_exit(store: &Store, run: &str) -> Result<u64, Refused> {
    let summary = store.read_json(&of_run(run, "plan-summary.json")).await?;
    let exit = summary.as_ref().and_then(|summary| summary.get("exit"));
    Ok(exit.and_then(Value::as_u64).unwrap_or(1))
}

impl Sums {
    fn add(&mut self, shard: &Shard, phase: Phase, report: &Value) -> Result<(), Refused> {
        let one = report.pointer("/shards/0").cloned().unwrap_or_default();
        let unreadable = |error: serde_json::Error| {
            Refused::broken(
                format!("the report of `{shard}` cannot be read: {error}"),
                "use one version of the program for a whole run",
            )
        };
        let troubled = match phase {
            Phase::Plan => {
                let report: ShardReport = serde_json::from_value(one).map_err(unreadable)?;
                self.targets += report.targets.len();
                self.changes += report.count(DefinitionOutcome::Changes);
                self.refused += report.count(DefinitionOutcome::Refused);
                self.left_alone += report.count(DefinitionOutcome::LeftAlone);
                self.seen.push(report.seen());
                !report.troubles.is_empty()
            }
            Phase::Apply => {
                let report: ShardApplied = serde_json::from_value(one).map_err(unreadable)?;
                for applied in &report.targets {
                    self.targets += 1;
                    match applied.outcome {
                        TargetOutcome::Updated => self.updated += 1,
                        TargetOutcome::NotReached => self.not_reached += 1,
                        outcome if outcome.is_failure() => self.failed += 1,
                        _ => self.not_touched += 1,
                    }
                }
                !report.troubles.is_empty()
            }
        };
        if troubled {
            self.troubled.push(shard.to_string());
        }
        Ok(())
    }

    /// As the exit status at a command line.
    fn exit(&self, planned_badly: bool) -> u8 {
        let open = self.missing.len() + self.troubled.len() + self.failed + self.not_reached;
        match (open > 0 || planned_badly, self.refused + self.not_touched) {
            (true, _) => 1,
            (false, 0) => 0,
            (false, _) => 3,
        }
    }
}

fn answer(
    store: &Store,
    run: &str,
    (phase, shards): (&str, usize),
    sums: &Sums,
    (planned_badly, nowhere): (bool, &Unmatched),
) -> Value {
    let places = cli::text::count(shards, "account and region", "accounts and regions");
    let targets = cli::text::count(sums.targets, "target", "targets");
    let counts = match phase {
        "plan" => format!(
            "{} to register, {} left alone, {} refused",
            cli::text::count(sums.changes, "revision", "revisions"),
            sums.left_alone,
            sums.refused,
        ),
        _ => format!(
            "{} updated, {} not touched, {} failed, {} not reached",
            sums.updated, sums.not_touched, sums.failed, sums.not_reached,
        ),
    };
    let mut text = format!("{places}, {targets}: {counts}");
    for (what, places) in [
        ("something could not be done in", &sums.troubled),
        ("no report of", &sums.missing),
    ] {
        if !places.is_empty() {
            text.push_str(&format!("; {what} {}", named(places)));
        }
    }
    let nothing = nowhere.troubles.iter();
    let nothing: Vec<String> = nothing.map(|it| spelled(&it.message)).collect();
    text.extend(nothing.iter().map(|message| format!("; {message}")));
    let badly = planned_badly || !nothing.is_empty();
    json!({
        "run": run,
        "phase": phase,
        "shards": shards,
        "counts": {
            "targets": sums.targets, "changes": sums.changes, "leftAlone": sums.left_alone,
            "refused": sums.refused, "updated": sums.updated, "notTouched": sums.not_touched,
            "failed": sums.failed, "notReached": sums.not_reached,
            "troubled": sums.troubled.len(), "missing": sums.missing.len(),
        },
        "troubled": short(&sums.troubled),
        "missing": short(&sums.missing),
        "unmatched": nothing,
        // What a query that matches nothing was to exclude is not known.
        "apply": sums.changes > 0 && !nowhere.misdirected,
        "exit": sums.exit(badly),
        "text": text,
        "reports": store.shown(&of_run(run, "")),
    })
}

fn short(places: &[String]) -> Vec<&String> {
    places.iter().take(NAMED).collect()
}

fn named(places: &[String]) -> String {
    let names: Vec<&str> = short(places).into_iter().map(String::as_str).collect();
    let rest = places.len() - names.len();
    let rest = match rest {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    format!("{}{rest}", names.join(", "))
}
