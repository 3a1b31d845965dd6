//! What somebody else deploys while an apply is at work.

use std::sync::atomic::{AtomicBool, Ordering};

use outrigger_tests::servers::Verdict;
use serde_json::{Value, json};

use crate::account::{Aws, outcomes, plain};

/// Services a and b, each with a family of its own.
fn two(aws: &Aws) -> String {
    let cluster = aws.cluster("prod");
    for name in ["a", "b"] {
        let arn = aws.register(&plain(name));
        aws.service(&cluster, name, &arn);
    }
    cluster
}

/// As soon as this action is called for `a`, its team has deployed a revision of `b`.
fn deployed_at(aws: &Aws, action: &'static str, fails: bool) {
    let deployed = AtomicBool::new(false);
    aws.disturbed(move |call| {
        let of_a = call.text("family") == "a" || call.text("serviceName") == "a";
        if call.action == action && of_a {
            deployed.store(true, Ordering::SeqCst);
        }
        let deployed = deployed.load(Ordering::SeqCst);
        (call.action == "ecs:DescribeServices").then(|| {
            Verdict::Change(Box::new(move |mut answer| {
                for service in answer["services"].as_array_mut().unwrap() {
                    stands(service, deployed, fails);
                }
                answer
            }))
        })
    });
}

fn stands(service: &mut Value, deployed: bool, fails: bool) {
    let mut runs = service["taskDefinition"].as_str().unwrap().to_owned();
    if deployed && service["serviceName"] == "b" {
        runs = format!("{}:9", runs.rsplit_once(':').unwrap().0);
    }
    let (running, failed) = match fails && runs.ends_with(":2") {
        true => (0, 3),
        false => (2, 0),
    };
    let state = if failed > 0 {
        "IN_PROGRESS"
    } else {
        "COMPLETED"
    };
    service["deployments"] = json!([{
        "status": "PRIMARY", "taskDefinition": runs, "rolloutState": state,
        "desiredCount": 2, "runningCount": running, "failedTasks": failed,
    }]);
    service["taskDefinition"] = json!(runs);
}

/// What `b` was told to run.
fn updates_of_b(aws: &Aws) -> Vec<String> {
    let calls = aws.proxy.take_calls().into_iter();
    let calls = calls.filter(|call| call.action == "ecs:UpdateService");
    let calls = calls.filter(|call| call.text("service").ends_with("/b"));
    let told = calls.map(|call| {
        call.text("taskDefinition")
            .rsplit('/')
            .next()
            .map(str::to_owned)
    });
    told.flatten().collect()
}

#[test]
fn what_is_deployed_while_others_are_registered_is_left_alone() {
    let Some(aws) = Aws::start() else { return };
    let cluster = two(&aws);
    aws.plan(&[]).0.ended(0);
    deployed_at(&aws, "ecs:RegisterTaskDefinition", false);
    aws.proxy.take_calls();
    aws.apply(&["--canary", "2", "--report-file", "done.json"])
        .ended(3)
        .said("it runs `b:9` now");
    let done = outcomes(&aws.json("done.json"));
    assert_eq!(
        (done["a"].as_str(), done["b"].as_str()),
        ("updated", "changed-since-plan")
    );
    assert_eq!(updates_of_b(&aws), Vec::<String>::new());
    assert_eq!(aws.runs(&cluster, "a"), "a:2");
}

#[test]
fn what_is_deployed_while_others_are_taken_back_is_left_alone() {
    let Some(aws) = Aws::start() else { return };
    let cluster = two(&aws);
    aws.plan(&[]).0.ended(0);
    deployed_at(&aws, "ecs:ListTasks", true);
    aws.proxy.take_calls();
    aws.apply(&["--canary", "2", "--report-file", "done.json"])
        .ended(1)
        .said("3 tasks of the new revision have failed to start; somebody else has deployed another task definition meanwhile");
    let done = outcomes(&aws.json("done.json"));
    assert_eq!(
        (done["a"].as_str(), done["b"].as_str()),
        ("rolled-back", "overtaken")
    );
    assert_eq!(updates_of_b(&aws), ["b:2"]);
    assert_eq!(aws.runs(&cluster, "a"), "a:1");
}
