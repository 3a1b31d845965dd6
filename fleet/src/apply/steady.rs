//! Whether a service is as it was planned, and whether it has become steady, as
//! [DescribeServices](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html) tells it.

use serde_json::Value;

use super::Refusal;
use crate::discover::foreign_controller;
use crate::ecs::{list, text};
use crate::plan::PlannedTarget;
use crate::report::TargetOutcome;

/// How a deployment stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is what runs, and as much of it as is wanted.
    Steady,
    /// It is under way.
    UnderWay,
    /// It has failed, and why.
    Failed(String),
    /// ECS has given it up and gone back by itself.
    TakenBack(String),
    /// The service still, or again, runs what it ran before, and no deployment says why.
    Before,
    /// The service was given something else.
    Overtaken,
}

/// How the deployment of `to` stands in a service that ran `from`.
pub(super) fn standing(service: &Value, from: &str, to: &str) -> Standing {
    let deployments = || list(service, "deployments");
    let of = |definition| {
        deployments().find(|deployment| text(deployment, "taskDefinition") == Some(definition))
    };
    match text(service, "taskDefinition") {
        Some(runs) if runs == to => {}
        Some(runs) if runs == from => {
            let failed = of(to).filter(|it| text(it, "rolloutState") == Some("FAILED"));
            return failed.map_or(Standing::Before, |failed| Standing::TakenBack(why(failed)));
        }
        _ => return Standing::Overtaken,
    }
    let primary = deployments().find(|it| text(it, "status") == Some("PRIMARY"));
    let Some(primary) = primary else {
        return Standing::UnderWay;
    };
    if text(primary, "taskDefinition") != Some(to) {
        return Standing::UnderWay;
    }
    let number = |key: &str| primary.get(key).and_then(Value::as_u64).unwrap_or(0);
    let (desired, running, failed) = (
        number("desiredCount"),
        number("runningCount"),
        number("failedTasks"),
    );
    match text(primary, "rolloutState") {
        Some("COMPLETED") if running >= desired => Standing::Steady,
        None if running >= desired && deployments().count() == 1 => Standing::Steady,
        Some("FAILED") => Standing::Failed(why(primary)),
        _ if failed >= bearable(desired) => Standing::Failed(format!(
            "{failed} tasks of the new revision have failed to start"
        )),
        _ => Standing::UnderWay,
    }
}

/// As many failed tasks as ECS's own
/// [deployment circuit breaker](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html) bears:
/// a service may be without one.
fn bearable(desired: u64) -> u64 {
    desired.div_ceil(2).clamp(3, 200)
}

fn why(deployment: &Value) -> String {
    let reason = text(deployment, "rolloutStateReason");
    reason.map_or_else(
        || "the deployment has failed".to_owned(),
        crate::api::shortened,
    )
}

/// Why a service is not touched: it is not any more as it was planned.
pub(super) fn unplanned(
    planned: &PlannedTarget,
    service: Option<&Value>,
    begun: Option<&str>,
) -> Option<Refusal> {
    let Some(service) = service else {
        return Some(Refusal::changed("the service is gone"));
    };
    let runs = text(service, "taskDefinition").unwrap_or_default();
    if text(service, "status").is_some_and(|status| status != "ACTIVE") {
        return Some(Refusal::changed("the service is being deleted"));
    }
    if foreign_controller(service).is_some() {
        return Some(Refusal::changed(
            "its deployments are made by something else now",
        ));
    }
    if runs != planned.definition {
        let runs = crate::shard::last(runs);
        return Some(Refusal::changed(&format!("it runs `{runs}` now")));
    }
    // One that was being updated when the apply was killed may be in the middle of being taken back by ECS.
    if begun.is_some() {
        return None;
    }
    // The new revision would be blamed, and the one before could not become steady either.
    let (outcome, what) = if in_deployment(service) {
        let what = "is in the middle of a deployment";
        (TargetOutcome::DeploymentInProgress, what)
    } else if standing(service, "", runs) != Standing::Steady {
        let what =
            "is not steady: not as many tasks run as are wanted, or its last deployment has failed";
        (TargetOutcome::NotSteady, what)
    } else {
        return None;
    };
    let message = format!("it {what}; plan and apply again when it is steady");
    Some(Refusal { outcome, message })
}

/// Whether the service is in the middle of a deployment.
fn in_deployment(service: &Value) -> bool {
    let deployments = || list(service, "deployments");
    let active = deployments().filter(|it| text(it, "status") != Some("INACTIVE"));
    active.count() > 1
        || deployments().any(|it| {
            text(it, "status") == Some("PRIMARY") && text(it, "rolloutState") == Some("IN_PROGRESS")
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn service(runs: &str, deployments: Value) -> Value {
        json!({"taskDefinition": runs, "deployments": deployments})
    }

    fn primary(runs: &str, state: &str, (desired, running, failed): (u64, u64, u64)) -> Value {
        json!({
            "status": "PRIMARY", "taskDefinition": runs, "rolloutState": state,
            "rolloutStateReason": "ECS deployment ecs-svc/1: tasks failed to start.",
            "desiredCount": desired, "runningCount": running, "failedTasks": failed,
        })
    }

    #[test]
    fn how_a_deployment_stands() {
        let of = |service: Value| standing(&service, "api:1", "api:2");
        let one = |state, numbers| of(service("api:2", json!([primary("api:2", state, numbers)])));
        assert_eq!(one("COMPLETED", (2, 2, 0)), Standing::Steady);
        assert_eq!(one("COMPLETED", (0, 0, 0)), Standing::Steady);
        assert_eq!(one("COMPLETED", (2, 1, 0)), Standing::UnderWay);
        assert_eq!(one("IN_PROGRESS", (2, 2, 2)), Standing::UnderWay);
        assert!(matches!(one("IN_PROGRESS", (2, 0, 3)), Standing::Failed(_)));
        assert_eq!(one("IN_PROGRESS", (10, 0, 4)), Standing::UnderWay);
        assert!(matches!(one("FAILED", (2, 0, 3)), Standing::Failed(_)));
        // The circuit breaker with a rollback of its own.
        let failed = json!({"status": "ACTIVE", "taskDefinition": "api:2", "rolloutState": "FAILED",
                            "rolloutStateReason": "tasks failed to start."});
        let back = json!([primary("api:1", "IN_PROGRESS", (2, 2, 0)), failed]);
        assert_eq!(
            of(service("api:1", back)),
            Standing::TakenBack("tasks failed to start".to_owned())
        );
        let before = json!([primary("api:1", "COMPLETED", (2, 2, 0))]);
        assert_eq!(of(service("api:1", before)), Standing::Before);
        let other = json!([primary("api:3", "COMPLETED", (2, 2, 0))]);
        assert_eq!(of(service("api:3", other)), Standing::Overtaken);
    }

    #[test]
    fn without_a_verdict_the_counts_decide() {
        let deployment = |runs: &str, running: u64| json!({"status": "PRIMARY", "taskDefinition": runs, "desiredCount": 2, "runningCount": running});
        let old = json!({"status": "ACTIVE", "taskDefinition": "api:1"});
        let of = |deployments| standing(&service("api:2", deployments), "api:1", "api:2");
        assert_eq!(of(json!([deployment("api:2", 2)])), Standing::Steady);
        assert_eq!(of(json!([deployment("api:2", 2), old])), Standing::UnderWay);
        assert_eq!(of(json!([deployment("api:2", 1)])), Standing::UnderWay);
        // What is described may lag behind.
        assert_eq!(of(json!([deployment("api:1", 2)])), Standing::UnderWay);
    }
}
