//! What the function says of itself, one JSON object a line: no definition, no value.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cli::Failure;
use serde_json::{Map, Value, json};
use tracing::{error, info};

use super::event::Event;
use super::refused::Refused;
use crate::report::Applied;
use crate::shard::Shard;

/// What an event took, and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Task definitions that are to have a new revision.
    pub changes: usize,
    /// Task definitions in scope that cannot be done.
    pub refused: usize,
    /// Targets that run a new revision.
    pub updated: usize,
    /// Targets that could not be updated, or were taken back.
    pub failed: usize,
    /// What could not be looked at or done.
    pub troubles: usize,
    /// Whether the event was refused.
    pub errors: usize,
    /// From the event to the answer.
    pub duration: Duration,
}

impl Metrics {
    /// A line of CloudWatch's
    /// [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
    pub fn line(&self, function: &str, now: SystemTime) -> String {
        let values = [
            ("FleetChanges", "Count", json!(self.changes)),
            ("FleetRefused", "Count", json!(self.refused)),
            ("FleetUpdated", "Count", json!(self.updated)),
            ("FleetFailed", "Count", json!(self.failed)),
            ("FleetTroubles", "Count", json!(self.troubles)),
            ("FleetErrors", "Count", json!(self.errors)),
            (
                "FleetDuration",
                "Milliseconds",
                json!(milliseconds(self.duration)),
            ),
        ];
        let names: Vec<Value> = values
            .iter()
            .map(|(name, unit, _)| json!({"Name": name, "Unit": unit}))
            .collect();
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut line = Map::new();
        let aws = json!({
            "Timestamp": milliseconds(since),
            "CloudWatchMetrics": [{
                "Namespace": "Outrigger", "Dimensions": [["FunctionName"]], "Metrics": names,
            }],
        });
        line.insert("_aws".to_owned(), aws);
        line.insert("FunctionName".to_owned(), json!(function));
        line.extend(values.map(|(name, _, value)| (name.to_owned(), value)));
        Value::Object(line).to_string()
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What is wrong with the environment.
pub(super) fn failure(id: &str, failure: &Failure) {
    for problem in &failure.problems {
        let hint = problem.hint.as_deref().unwrap_or_default();
        error!(request_id = id, hint, "{}", problem.message);
    }
}

/// What is asked, and where.
pub(super) fn begun(id: &str, event: &Event) {
    let shard = event.shard();
    info!(
        request_id = id,
        action = event.name(),
        account = shard.map(|shard| shard.account.as_str()),
        region = shard.map(|shard| shard.region.as_str()),
        "begun"
    );
}

/// A target that is done with.
pub(super) fn applied(id: &str, shard: &Shard, applied: &Applied) {
    info!(
        request_id = id,
        account = shard.account,
        region = shard.region,
        target = %applied.target,
        outcome = applied.outcome.name(),
        "{}",
        applied.message.as_deref().unwrap_or_default()
    );
}

/// What came of it.
pub(super) fn answered(id: &str, result: &Result<Value, Refused>, metrics: &Metrics) {
    if let Err(refused) = result {
        for problem in refused.problems() {
            let hint = problem.hint.as_deref().unwrap_or_default();
            error!(
                request_id = id,
                name = refused.name(),
                hint,
                "{}",
                problem.message
            );
        }
    }
    let done = result.as_ref().ok().and_then(|answer| answer.get("done"));
    let is_done = done.and_then(Value::as_bool);
    info!(
        request_id = id,
        done = is_done,
        changes = metrics.changes,
        refused = metrics.refused,
        updated = metrics.updated,
        failed = metrics.failed,
        troubles = metrics.troubles,
        duration_ms = milliseconds(metrics.duration),
        "{}",
        if result.is_ok() {
            "answered"
        } else {
            "refused"
        }
    );
}
