//! What the function says of itself, one JSON object a line: no template, no value.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use taskdef::report::{Finding, Outcome, Severity};
use tracing::{Level, error, event, info, warn};

use crate::invocation::Processed;
use crate::problem::{Problem, spelled};

/// What an invocation took, and what became of the task definitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Task definitions that were found.
    pub seen: usize,
    /// Those that were rewritten.
    pub rewritten: usize,
    /// Those that are not in scope, or not selected.
    pub left_alone: usize,
    /// Those in scope that could not be instrumented.
    pub refused: usize,
    /// Requests that were sent to registries.
    pub registry_requests: u64,
    /// From the event to the response.
    pub duration: Duration,
    /// Whether the template was not processed.
    pub failed: bool,
}

/// Where the metrics are in CloudWatch.
const NAMESPACE: &str = "Outrigger";

impl Metrics {
    pub(crate) fn of(processed: &Processed) -> Self {
        let tasks = &processed.report.task_definitions;
        let count = |outcome| tasks.iter().filter(|task| task.outcome == outcome).count();
        let failed = processed.fragment.is_none();
        Self {
            seen: tasks.len(),
            // Of a template that is refused nothing is.
            rewritten: if failed { 0 } else { count(Outcome::Rewritten) },
            left_alone: count(Outcome::LeftAlone),
            refused: count(Outcome::Refused),
            failed,
            ..Self::default()
        }
    }

    /// A line of CloudWatch's
    /// [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
    pub fn line(&self, function: &str, now: SystemTime) -> String {
        let values = [
            ("TaskDefinitions", "Count", json!(self.seen)),
            ("Rewritten", "Count", json!(self.rewritten)),
            ("LeftAlone", "Count", json!(self.left_alone)),
            ("Refused", "Count", json!(self.refused)),
            ("Failures", "Count", json!(u8::from(self.failed))),
            ("RegistryRequests", "Count", json!(self.registry_requests)),
            (
                "Duration",
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
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": milliseconds(since),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [["FunctionName"]],
                    "Metrics": names,
                }],
            }),
        );
        line.insert("FunctionName".to_owned(), json!(function));
        line.extend(values.map(|(name, _, value)| (name.to_owned(), value)));
        Value::Object(line).to_string()
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What is wrong with the environment.
pub(crate) fn settings(problems: &[Problem]) {
    for problem in problems {
        let hint = problem.hint.as_deref().unwrap_or_default();
        error!(hint, "{}", problem.message);
    }
}

/// What keeps a template from being processed.
fn problem(id: &str, problem: &Problem) {
    let hint = problem.hint.as_deref().unwrap_or_default();
    error!(request_id = id, hint, "{}", problem.message);
}

/// A template that has to go through Amazon S3 from now on.
pub(crate) fn larger(id: &str, bytes: usize, limit: usize) {
    warn!(
        request_id = id,
        bytes, limit, "the processed template is larger than a request may hold"
    );
}

/// What became of a template: the findings, and a line that sums up.
pub(crate) fn processed(id: &str, processed: &Processed, metrics: &Metrics) {
    let report = &processed.report;
    for task in &report.task_definitions {
        // Why something has no agent is what somebody will look for.
        let notes = match task.outcome {
            Outcome::LeftAlone => Level::INFO,
            _ => Level::DEBUG,
        };
        for finding in &task.findings {
            tell(id, &task.id, finding, notes);
        }
    }
    for (place, finding) in &report.findings {
        tell(id, place, finding, Level::DEBUG);
    }
    for one in &processed.problems {
        problem(id, one);
    }
    info!(
        request_id = id,
        task_definitions = metrics.seen,
        rewritten = metrics.rewritten,
        left_alone = metrics.left_alone,
        refused = metrics.refused,
        registry_requests = metrics.registry_requests,
        duration_ms = milliseconds(metrics.duration),
        "{}",
        if metrics.failed {
            "failed"
        } else {
            "processed"
        }
    );
}

fn tell(id: &str, place: &str, finding: &Finding, notes: Level) {
    /// The level of an event is a part of the program.
    macro_rules! at {
        ($level:expr) => {
            event!(
                $level,
                request_id = id,
                resource = place,
                container = finding.container.as_deref().unwrap_or_default(),
                image = finding.image.as_deref().unwrap_or_default(),
                code = finding.code.as_str(),
                hint = finding.hint.as_deref().map(spelled).unwrap_or_default(),
                "{}",
                finding.message
            )
        };
    }
    match (finding.severity, notes) {
        (Severity::Error, _) => at!(Level::ERROR),
        (Severity::Warning, _) => at!(Level::WARN),
        (Severity::Note, Level::INFO) => at!(Level::INFO),
        (Severity::Note, _) => at!(Level::DEBUG),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_metrics_names_what_it_holds() {
        let metrics = Metrics {
            seen: 3,
            rewritten: 1,
            left_alone: 1,
            refused: 1,
            registry_requests: 6,
            duration: Duration::from_millis(1500),
            failed: true,
        };
        let now = UNIX_EPOCH + Duration::from_secs(1);
        insta::assert_snapshot!(metrics.line("outrigger", now), @r#"{"_aws":{"Timestamp":1000,"CloudWatchMetrics":[{"Namespace":"Outrigger","Dimensions":[["FunctionName"]],"Metrics":[{"Name":"TaskDefinitions","Unit":"Count"},{"Name":"Rewritten","Unit":"Count"},{"Name":"LeftAlone","Unit":"Count"},{"Name":"Refused","Unit":"Count"},{"Name":"Failures","Unit":"Count"},{"Name":"RegistryRequests","Unit":"Count"},{"Name":"Duration","Unit":"Milliseconds"}]}]},"FunctionName":"outrigger","TaskDefinitions":3,"Rewritten":1,"LeftAlone":1,"Refused":1,"Failures":1,"RegistryRequests":6,"Duration":1500}"#);
    }
}
