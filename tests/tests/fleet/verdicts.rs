//! What ECS says of a deployment, and what comes of it.

use std::sync::atomic::{AtomicBool, Ordering};

use outrigger_tests::servers::Verdict;
use serde_json::{Value, json};

use crate::account::{Aws, Ran, outcomes, plain};

/// A deployment of a revision of `api`.
fn deployment(arn: &str, (status, state, running): (&str, &str, u8)) -> Value {
    json!({"status": status, "taskDefinition": arn, "rolloutState": state, "desiredCount": 2,
           "runningCount": running, "failedTasks": 0, "rolloutStateReason": "tasks failed to start."})
}

/// Applies a plan for one service, whose deployments are as this says, by the revision that it runs;
/// gives what was done, how often it was updated, and what it runs in the end.
fn applied(
    more: &[&str],
    stands: fn(&mut Value, &str, bool),
) -> Option<(Ran, String, usize, String)> {
    let aws = Aws::start()?;
    let cluster = aws.cluster("prod");
    let arn = aws.register(&plain("api"));
    aws.service(&cluster, "api", &arn);
    aws.plan(&[]).0.ended(0);
    aws.proxy.take_calls();
    aws.disturbed(move |call| {
        let arn = arn.clone();
        let change = move |mut answer: Value| {
            let service = &mut answer["services"][0];
            let is_new = service["taskDefinition"].as_str().unwrap().ends_with(":2");
            stands(service, arn.strip_suffix(":1").unwrap(), is_new);
            answer
        };
        let describes = call.action == "ecs:DescribeServices";
        describes.then(|| Verdict::Change(Box::new(change)))
    });
    let ran = aws.apply(&[&["--report-file", "done.json"], more].concat());
    let done = outcomes(&aws.json("done.json"))["api"].clone();
    let calls = aws.proxy.take_calls();
    let updates = calls
        .iter()
        .filter(|call| call.action == "ecs:UpdateService")
        .count();
    Some((ran, done, updates, aws.runs(&cluster, "api")))
}

#[test]
fn what_is_not_steady_in_time_is_taken_back() {
    let stands = |service: &mut Value, arn: &str, is_new: bool| {
        service["deployments"] = match is_new {
            true => json!([deployment(
                &format!("{arn}:2"),
                ("PRIMARY", "IN_PROGRESS", 0)
            )]),
            false => json!([deployment(&format!("{arn}:1"), ("PRIMARY", "COMPLETED", 2))]),
        };
    };
    let Some((ran, done, updates, runs)) = applied(&["--steady-timeout", "0"], stands) else {
        return;
    };
    ran.ended(1).said("it did not become steady in time");
    assert_eq!(
        (done.as_str(), updates, runs.as_str()),
        ("rolled-back", 2, "api:1")
    );
}

#[test]
fn what_the_circuit_breaker_takes_back_is_not_updated_again() {
    let stands = |service: &mut Value, arn: &str, is_new: bool| {
        let (old, new) = (format!("{arn}:1"), format!("{arn}:2"));
        let mut deployments = vec![deployment(&old, ("PRIMARY", "COMPLETED", 2))];
        if is_new {
            deployments.push(deployment(&new, ("ACTIVE", "FAILED", 0)));
        }
        service["taskDefinition"] = json!(old);
        service["deployments"] = json!(deployments);
    };
    let Some((ran, done, updates, _)) = applied(&[], stands) else {
        return;
    };
    ran.ended(1)
        .said("tasks failed to start; ECS has taken it back");
    assert_eq!((done.as_str(), updates), ("rolled-back", 1));
}

#[test]
fn what_runs_the_revision_before_again_has_failed() {
    // The circuit breaker's verdict is gone by the next look.
    let stands = |service: &mut Value, arn: &str, _: bool| {
        let old = format!("{arn}:1");
        service["deployments"] = json!([deployment(&old, ("PRIMARY", "COMPLETED", 2))]);
        service["taskDefinition"] = json!(old);
    };
    let Some((ran, done, updates, _)) = applied(&["--steady-timeout", "0"], stands) else {
        return;
    };
    ran.ended(1).said("it runs the revision before again");
    assert_eq!((done.as_str(), updates), ("rolled-back", 1));
}

#[test]
fn what_is_not_steady_before_is_not_touched() {
    let stands = |service: &mut Value, arn: &str, _: bool| {
        let old = format!("{arn}:1");
        service["deployments"] = json!([deployment(&old, ("PRIMARY", "COMPLETED", 1))]);
    };
    let Some((ran, done, updates, _)) = applied(&["--steady-timeout", "1"], stands) else {
        return;
    };
    ran.ended(3).said("it is not steady");
    assert_eq!((done.as_str(), updates), ("not-steady", 0));
}

#[test]
fn what_cannot_be_given_the_revision_before_is_told() {
    let stands = |service: &mut Value, arn: &str, _: bool| {
        let asked = service["taskDefinition"].as_str().unwrap().to_owned();
        // Whatever ECS is told, the new one goes on failing once it was there.
        let runs = match GIVEN.fetch_or(asked.ends_with(":2"), Ordering::SeqCst)
            || asked.ends_with(":2")
        {
            true => format!("{arn}:2"),
            false => asked,
        };
        let state = if runs.ends_with(":2") {
            "FAILED"
        } else {
            "COMPLETED"
        };
        service["deployments"] = json!([deployment(&runs, ("PRIMARY", state, 2))]);
        service["taskDefinition"] = json!(runs);
    };
    let Some((ran, done, updates, _)) = applied(&["--steady-timeout", "0"], stands) else {
        return;
    };
    ran.ended(1)
        .said("tasks failed to start; the revision before is not steady: it runs the new one");
    assert_eq!((done.as_str(), updates), ("rollback-failed", 2));
}

/// Whether the service was ever given the new revision.
static GIVEN: AtomicBool = AtomicBool::new(false);

#[test]
fn what_somebody_else_deploys_meanwhile_is_left_alone() {
    let stands = |service: &mut Value, arn: &str, is_new: bool| {
        let runs = format!("{arn}:{}", if is_new { 3 } else { 1 });
        service["deployments"] = json!([deployment(&runs, ("PRIMARY", "COMPLETED", 2))]);
        service["taskDefinition"] = json!(runs);
    };
    let Some((ran, done, updates, _)) = applied(&[], stands) else {
        return;
    };
    ran.ended(3)
        .said("somebody else has deployed another task definition meanwhile");
    assert_eq!((done.as_str(), updates), ("overtaken", 1));
}

/// The login expires as soon as this is called.
fn expires_at(aws: &Aws, action: &'static str) {
    let expired = AtomicBool::new(false);
    aws.disturbed(move |call| {
        let error = json!({"__type": "ExpiredTokenException", "message": "The token has expired"});
        let is_over = expired.fetch_or(call.action == action, Ordering::SeqCst);
        is_over.then(|| Verdict::Answer(400, error))
    });
}

#[test]
fn a_login_that_expires_is_no_verdict() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    for place in 0..3 {
        let arn = aws.register(&plain(&format!("f{place}")));
        aws.service(&cluster, &format!("s{place}"), &arn);
    }
    aws.plan(&["--service", "s0,s1"]).0.ended(0);
    aws.proxy.take_calls();
    expires_at(&aws, "ecs:UpdateService");
    let report = ["--report-file", "done.json"];
    aws.apply(&[&report[..], &["--steady-timeout", "0"]].concat())
        .ended(1)
        .said("what became of service `prod/s0` cannot be seen")
        .said("the AWS login has expired: log in again");
    let of = || {
        let done = outcomes(&aws.json("done.json"));
        ["s0", "s1"].map(|name| done[name].clone())
    };
    assert_eq!(of(), ["not-reached", "not-reached"]);
    assert_eq!(aws.runs(&cluster, "s0"), "f0:2");
    aws.undisturbed();
    aws.apply(&report).ended(0);
    assert_eq!(of(), ["updated", "updated"]);
    let calls = aws.proxy.take_calls();
    let updates = calls
        .iter()
        .filter(|call| call.action == "ecs:UpdateService");
    assert_eq!(updates.count(), 2);
    assert_eq!(aws.revisions("f0"), 2);

    // On the way back.
    aws.fails("s2");
    aws.plan(&["--service", "s2"]).0.ended(0);
    expires_at(&aws, "ecs:ListTasks");
    aws.apply(&report).ended(1);
    assert_eq!(outcomes(&aws.json("done.json"))["s2"], "rollback-failed");
    assert_eq!(aws.runs(&cluster, "s2"), "f2:2");
    aws.undisturbed();
    aws.apply(&report).ended(1);
    assert_eq!(outcomes(&aws.json("done.json"))["s2"], "rolled-back");
    assert_eq!(aws.runs(&cluster, "s2"), "f2:1");
}
