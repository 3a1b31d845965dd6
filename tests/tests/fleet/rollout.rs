//! Waves, failures, and what is not touched.

use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use outrigger_tests::servers::samples::running;
use outrigger_tests::servers::{Access, Registry, Verdict};
use serde_json::json;

use crate::account::{Aws, OWN, REGION, SECRET, from_image, outcomes, plain};

/// Services s0 to s9, each with a family of its own.
fn ten(aws: &Aws) -> String {
    let cluster = aws.cluster("prod");
    for place in 0..10 {
        let arn = aws.register(&plain(&format!("f{place}")));
        aws.service(&cluster, &format!("s{place}"), &arn);
    }
    cluster
}

/// A task that has stopped, as ECS describes it.
fn stopped(family: &str) -> serde_json::Value {
    json!({"tasks": [{
        "taskDefinitionArn": format!("arn:aws:ecs:{REGION}:{OWN}:task-definition/{family}:2"),
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "app", "exitCode": 127, "reason": "exec: not found"}, {"name": "other", "exitCode": 0}],
    }, {
        "taskDefinitionArn": format!("arn:aws:ecs:{REGION}:{OWN}:task-definition/{family}:1"),
        "stoppedReason": "Scaling activity initiated by deployment",
    }]})
}

#[test]
fn one_of_ten_does_not_become_steady() {
    let Some(aws) = Aws::start() else { return };
    let cluster = ten(&aws);
    aws.disturbed(|call| match call.action.as_str() {
        "ecs:DescribeTasks" => Some(Verdict::Answer(200, stopped("f4"))),
        _ => None,
    });
    aws.fails("s4");
    aws.plan(&[]);
    // One, then two at once, then two...
    let rollout = [
        "--canary",
        "1",
        "--wave",
        "20",
        "--in-motion",
        "2",
        "--report-file",
        "done.json",
    ];
    let ran = aws.apply(&rollout);
    assert_eq!(ran.exit, Some(1), "{}", ran.stderr);
    let done = outcomes(&aws.json("done.json"));
    let of = |outcome: &str| -> Vec<&str> {
        let some = done.iter().filter(|(_, one)| *one == outcome);
        some.map(|(name, _)| name.as_str()).collect()
    };
    assert_eq!(of("updated"), ["s0", "s1", "s2", "s3"]);
    assert_eq!(of("rolled-back"), ["s4"]);
    assert_eq!(of("not-reached"), ["s5", "s6", "s7", "s8", "s9"]);
    let reason =
        "Essential container in task exited (container app: exit code 127, exec: not found)";
    assert!(ran.stderr.contains(reason), "{}", ran.stderr);
    assert!(!ran.stderr.contains("Scaling activity"), "{}", ran.stderr);
    assert_eq!(aws.runs(&cluster, "s4"), "f4:1");
    assert_eq!(aws.runs(&cluster, "s3"), "f3:2");
    assert_eq!(aws.runs(&cluster, "s5"), "f5:1");
    // Whatever starts the family's latest revision does not start the one that failed.
    let described = aws.ecs("DescribeTaskDefinition", &json!({"taskDefinition": "f4:2"}));
    assert_eq!(described["taskDefinition"]["status"], "INACTIVE");
    assert_eq!(aws.revisions("f5"), 1);

    // Begun again, it stays where it stopped; with room for a second failure it goes on.
    let ran = aws.apply(&rollout);
    assert_eq!(ran.exit, Some(1), "{}", ran.stderr);
    assert_eq!(aws.runs(&cluster, "s5"), "f5:1");
    let ran = aws.apply(&[&rollout[..], &["--max-failures", "2"]].concat());
    assert_eq!(ran.exit, Some(1), "{}", ran.stderr);
    let done = outcomes(&aws.json("done.json"));
    assert_eq!(
        done.values()
            .filter(|outcome| *outcome == "updated")
            .count(),
        9
    );
    assert_eq!(done["s4"], "rolled-back");
    for place in 0..10 {
        assert_eq!(aws.revisions(&format!("f{place}")), 2);
    }
}

#[test]
fn a_service_without_tasks_is_no_canary() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    for place in 0..5 {
        let arn = aws.register(&plain(&format!("f{place}")));
        let desired = if place < 2 { 0 } else { 2 };
        let more = json!({"launchType": "FARGATE", "desiredCount": desired});
        aws.service_with(&cluster, &format!("s{place}"), &arn, &more);
        if desired > 0 {
            aws.fails(&format!("s{place}"));
        }
    }
    aws.plan(&[]);
    let report = ["--wave", "100", "--report-file", "done.json"];
    aws.apply(&report)
        .ended(1)
        .said("no task is wanted, so that none was started");
    let of = || {
        let done = outcomes(&aws.json("done.json"));
        ["s0", "s1", "s2", "s3", "s4"].map(|name| done[name].clone())
    };
    let expected = [
        "updated",
        "updated",
        "rolled-back",
        "not-reached",
        "not-reached",
    ];
    assert_eq!(of(), expected);
    // After a canary that has failed comes another one.
    aws.apply(&[&report[..], &["--max-failures", "2"]].concat())
        .ended(1);
    let expected = [
        "updated",
        "updated",
        "rolled-back",
        "rolled-back",
        "not-reached",
    ];
    assert_eq!(of(), expected);
}

#[test]
fn no_more_are_in_motion_than_allowed() {
    let Some(aws) = Aws::start() else { return };
    ten(&aws);
    aws.plan(&[]);
    let (open, most) = (Mutex::new(BTreeSet::new()), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    aws.disturbed(move |call| {
        let mut open = open.lock().unwrap();
        match call.action.as_str() {
            "ecs:UpdateService" => {
                open.insert(call.text("service").to_owned());
                seen.fetch_max(open.len(), Ordering::SeqCst);
            }
            // What was under way is steady at the next look.
            "ecs:DescribeServices" => {
                let looked_at = call.input["services"].as_array().unwrap();
                open.retain(|service| !looked_at.contains(&json!(service)));
            }
            _ => {}
        }
        None
    });
    let ran = aws.apply(&["--canary", "1", "--wave", "100", "--in-motion", "3"]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[test]
fn what_changed_since_the_plan_is_not_touched() {
    let Some(aws) = Aws::start() else { return };
    let cluster = ten(&aws);
    aws.plan(&["--service", "s0,s1,s2,s3,s4"]);
    let other = aws.register(&plain("f0"));
    let update = json!({"cluster": cluster, "service": "s0", "taskDefinition": other});
    aws.ecs("UpdateService", &update);
    aws.ecs(
        "DeleteService",
        &json!({"cluster": cluster, "service": "s1", "force": true}),
    );
    let arn = format!("arn:aws:ecs:{REGION}:{OWN}:task-definition/f2:1");
    aws.ecs(
        "TagResource",
        &json!({"resourceArn": arn, "tags": [{"key": "new", "value": "1"}]}),
    );
    aws.disturbed(|call| match call.action.as_str() {
        "ecs:DescribeServices" => Some(Verdict::Change(Box::new(|mut answer| {
            for service in answer["services"].as_array_mut().unwrap() {
                let (runs, name) = (service["taskDefinition"].clone(), service["serviceName"].clone());
                let mut deployments = json!([{"status": "PRIMARY", "taskDefinition": runs, "rolloutState": "COMPLETED",
                                              "desiredCount": 2, "runningCount": 2}]);
                if name == "s3" {
                    let old = json!({"status": "ACTIVE", "taskDefinition": "f3:0"});
                    deployments.as_array_mut().unwrap().push(old);
                }
                service["deployments"] = deployments;
            }
            answer
        }))),
        _ => None,
    });
    let ran = aws.apply(&["--report-file", "done.json"]);
    assert_eq!(ran.exit, Some(3), "{}", ran.stderr);
    let done = outcomes(&aws.json("done.json"));
    let names = ["s0", "s1", "s2", "s3", "s4"].map(|name| done[name].as_str());
    let changed = "changed-since-plan";
    assert_eq!(
        names,
        [
            changed,
            changed,
            changed,
            "deployment-in-progress",
            "updated"
        ]
    );
    assert_eq!(aws.runs(&cluster, "s0"), "f0:2");
    assert_eq!(aws.runs(&cluster, "s2"), "f2:1");
    assert_eq!(
        ["f0", "f2", "f3"].map(|family| aws.revisions(family)),
        [2, 1, 1]
    );
}

#[test]
fn an_answer_that_is_lost_does_nothing_twice() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let arn = aws.register(&plain("api"));
    aws.service(&cluster, "api", &arn);
    aws.plan(&[]);
    let lost = AtomicUsize::new(0);
    aws.disturbed(move |call| match call.action.as_str() {
        "ecs:RegisterTaskDefinition" | "ecs:UpdateService" => {
            (lost.fetch_add(1, Ordering::SeqCst) < 2).then_some(Verdict::Lost)
        }
        _ => None,
    });
    let ran = aws.apply(&[]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    assert_eq!(aws.revisions("api"), 2);
    assert_eq!(aws.runs(&cluster, "api"), "api:2");
}

#[test]
fn throttling_is_waited_for_and_denial_is_told() {
    let Some(aws) = Aws::start() else { return };
    let cluster = ten(&aws);
    let count = AtomicUsize::new(0);
    aws.disturbed(move |call| {
        let ecs = call.action.starts_with("ecs:");
        let third = ecs && count.fetch_add(1, Ordering::SeqCst).is_multiple_of(3);
        third.then(Verdict::throttled)
    });
    let (ran, plan) = aws.plan(&[]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains(" throttled ("), "{}", ran.stderr);
    assert_eq!(plan["shards"][0]["targets"].as_array().unwrap().len(), 10);
    aws.disturbed(|call| {
        (call.action == "ecs:UpdateService").then(|| Verdict::denied("ecs:UpdateService"))
    });
    let ran = aws.apply(&[]);
    assert_eq!(ran.exit, Some(1), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("`ecs:UpdateService` is not allowed"),
        "{}",
        ran.stderr
    );
    assert_eq!(aws.runs(&cluster, "s0"), "f0:1");
    // Nothing runs the revision, and whatever starts the latest one does not start it.
    let described = aws.ecs("DescribeTaskDefinition", &json!({"taskDefinition": "f0:2"}));
    assert_eq!(described["taskDefinition"]["status"], "INACTIVE");
    // Allowed, it goes on where it was.
    aws.undisturbed();
    let ran = aws.apply(&[]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    assert_eq!(aws.runs(&cluster, "s0"), "f0:3");
}

#[test]
fn what_is_not_what_was_planned_is_not_registered() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let arn = aws.register(&plain("api"));
    aws.service(&cluster, "api", &arn);
    aws.plan(&[]);
    let ran = aws.apply(&["--set", "verbose=true"]);
    assert_eq!(ran.exit, Some(1), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("not what was planned"),
        "{}",
        ran.stderr
    );
    let plan = std::fs::read_to_string(aws.path("plan.json")).unwrap();
    let refused = |text: String| {
        std::fs::write(aws.path("plan.json"), text).unwrap();
        let ran = aws.apply(&["--journal", "other.journal"]);
        assert_eq!(ran.exit, Some(1));
        ran.stderr
    };
    let later = refused(plan.replace("\"version\": 1", "\"version\": 2"));
    assert!(
        later.contains("a plan of version 2, and this program reads version 1"),
        "{later}"
    );
    let unknown = refused(plan.replace("\"version\": 1", "\"version\": 1, \"more\": 1"));
    assert!(unknown.contains("unknown field `more`"), "{unknown}");
    assert_eq!(aws.revisions("api"), 1);
}

#[test]
fn a_second_apply_beside_it_is_refused() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let arn = aws.register(&plain("api"));
    aws.service(&cluster, "api", &arn);
    aws.plan(&[]);
    aws.proxy.take_calls();
    aws.proxy.delay(Duration::from_millis(300));
    let args = [&["apply", "plan.json", "--poll", "0"][..], SECRET].concat();
    let mut first: Child = aws.command(&args).stderr(Stdio::null()).spawn().unwrap();
    // It calls when it holds the journal.
    while aws.proxy.count() == 0 {
        std::thread::yield_now();
    }
    let ran = aws.apply(&[]);
    assert_eq!(ran.exit, Some(1));
    assert!(
        ran.stderr.contains("another apply of this plan is at work"),
        "{}",
        ran.stderr
    );
    assert!(first.wait().unwrap().success());
    assert_eq!(aws.revisions("api"), 2);
}

#[test]
fn a_tag_that_names_another_image_by_now() {
    let Some(aws) = Aws::start() else { return };
    let Some(registry) = Registry::start(Access::Open, None).unwrap() else {
        return;
    };
    let process = |program: &str| running(&json!({"Entrypoint": [program], "Cmd": ["serve"]}));
    registry
        .push("team/app", "1", &process("/bin/app"))
        .unwrap();
    let cluster = aws.cluster("prod");
    let mut definition = from_image("app");
    definition["containerDefinitions"][0]["image"] =
        json!(format!("{}/team/app:1", registry.host()));
    let arn = aws.register(&definition);
    aws.service(&cluster, "app", &arn);
    let host = registry.host();
    let secret = [
        "--recipe",
        "lacework",
        "--set",
        "accessToken=canary-token",
        "--insecure-registry",
        &host,
    ];
    // A lock file whose tag names another image by now is not believed.
    let reference = format!("{host}/team/app:1");
    let digest = format!("sha256:{}", "3".repeat(64));
    let config = json!({"linux/amd64": {"digest": digest, "entrypoint": ["/bin/old"]}});
    let lock = json!({"version": 1, "images": {reference: config}}).to_string();
    std::fs::write(aws.path("old.lock"), lock).unwrap();
    let plan = ["plan", "-o", "plan.json"];
    aws.fleet(&[&plan[..], &secret, &["--lock", "old.lock"]].concat())
        .ended(1)
        .said("has moved to");
    assert_eq!(aws.json("plan.json")["shards"], json!([]));

    aws.fleet(&[&plan[..], &secret].concat()).ended(0);
    let apply = [&["apply", "plan.json", "--poll", "0"][..], &secret].concat();
    let push = |program: &str| registry.push("team/app", "1", &process(program)).unwrap();
    push("/bin/other");
    aws.fleet(&apply)
        .ended(3)
        .said("is another one than it was planned with");
    assert_eq!(aws.revisions("app"), 1);
    push("/bin/app");
    aws.fleet(&apply).ended(0);
    let after = aws.definition("app:2").to_string();
    assert!(after.contains("/bin/app") && after.contains("serve"));
}
