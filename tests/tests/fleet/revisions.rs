//! Which revisions are registered, and which are active in the end.

use outrigger_tests::servers::Verdict;
use serde_json::{Value, json};

use crate::account::{Aws, outcomes, plain};

#[test]
fn without_a_way_back_nothing_is_touched() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    for (service, family) in [
        ("s0", "gone"),
        ("s1", "going"),
        ("s2", "going"),
        ("s3", "kept"),
    ] {
        if aws.revisions(family) == 0 {
            aws.register(&plain(family));
        }
        aws.service(&cluster, service, &format!("{family}:1"));
    }
    let deregister =
        |name: &str| aws.ecs("DeregisterTaskDefinition", &json!({"taskDefinition": name}));
    deregister("gone:1");
    let (ran, plan) = aws.plan(&["--report-file", "planned.json"]);
    ran.ended(0).said(
        "service `prod/s0`: left alone: `gone:1` is inactive, so that there would be no way back to it",
    );
    assert_eq!(plan["shards"][0]["targets"].as_array().unwrap().len(), 3);
    let planned = &aws.json("planned.json")["shards"][0];
    assert_eq!(planned["leftAlone"][0]["code"], "inactive-definition");
    assert_eq!(planned["leftAlone"].as_array().unwrap().len(), 1);
    // One is updated before, and one is to be updated after it goes away.
    aws.disturbed(|call| {
        let second = call.action == "ecs:UpdateService" && call.text("service").ends_with("/s2");
        second.then(|| Verdict::denied("ecs:UpdateService"))
    });
    aws.apply(&[]).ended(1);
    aws.undisturbed();
    deregister("going:1");
    aws.apply(&["--report-file", "done.json"])
        .ended(3)
        .said("`going:1` is inactive, so that there would be no way back to it");
    let done = outcomes(&aws.json("done.json"));
    let done = ["s1", "s2", "s3"].map(|name| done[name].as_str());
    assert_eq!(done, ["updated", "changed-since-plan", "updated"]);
    assert_eq!(aws.runs(&cluster, "s2"), "going:1");

    // Nothing was registered before it goes away.
    let arn = aws.register(&plain("never"));
    aws.service(&cluster, "s4", &arn);
    aws.plan(&["--service", "s4"]).0.ended(0);
    deregister("never:1");
    aws.apply(&[]).ended(3).said("`never:1` is inactive");
    assert_eq!(aws.revisions("never"), 1);
}

#[test]
fn a_revision_that_something_runs_stays_active() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    // Two revisions with the same content come to one.
    for service in ["a", "b", "c"] {
        let arn = aws.register(&plain("api"));
        aws.service(&cluster, service, &arn);
    }
    aws.disturbed(|call| {
        let change = |answer| without(answer, "a", ":4");
        (call.action == "ecs:DescribeServices").then(|| Verdict::Change(Box::new(change)))
    });
    aws.plan(&[]).0.ended(0);
    let report = ["--canary", "2", "--report-file", "done.json"];
    aws.apply(&report).ended(1);
    let done = outcomes(&aws.json("done.json"));
    let done = ["a", "b", "c"].map(|name| done[name].as_str());
    assert_eq!(done, ["rolled-back", "updated", "not-reached"]);
    assert_eq!(
        ["a", "b"].map(|name| aws.runs(&cluster, name)),
        ["api:1", "api:4"]
    );
    let status = || {
        aws.ecs(
            "DescribeTaskDefinition",
            &json!({"taskDefinition": "api:4"}),
        )["taskDefinition"]["status"]
            .clone()
    };
    assert_eq!(status(), "ACTIVE");
    // Nor is it registered again for what is left.
    aws.apply(&[&report[..], &["--max-failures", "2"]].concat())
        .ended(1);
    assert_eq!(aws.runs(&cluster, "c"), "api:4");
    assert_eq!((aws.revisions("api"), status()), (4, json!("ACTIVE")));
}

/// Every service is steady but for one that runs this revision: its tasks fail.
fn without(mut answer: Value, fails: &str, revision: &str) -> Value {
    for service in answer["services"].as_array_mut().unwrap() {
        let runs = service["taskDefinition"].as_str().unwrap();
        let fails = service["serviceName"] == fails && runs.ends_with(revision);
        let (state, running, failed) = match fails {
            true => ("IN_PROGRESS", 0, 3),
            false => ("COMPLETED", 2, 0),
        };
        service["deployments"] = json!([{
            "status": "PRIMARY", "taskDefinition": runs, "rolloutState": state,
            "desiredCount": 2, "runningCount": running, "failedTasks": failed,
        }]);
    }
    answer
}

#[test]
fn a_later_revision_is_told_and_never_lost() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let [held, taken] = ["held", "taken"].map(|family| aws.register(&plain(family)));
    aws.service(&cluster, "held", &held);
    assert!(taken.ends_with("taken:1"));
    aws.plan(&["--family", "taken"]);
    for family in ["held", "taken"] {
        let mut later = plain(family);
        later["cpu"] = json!("1024");
        later["memory"] = json!("2048");
        aws.register(&later);
    }
    let ran = aws.apply(&["--report-file", "done.json"]);
    assert_eq!(ran.exit, Some(3), "{}", ran.stderr);
    let done = outcomes(&aws.json("done.json"));
    // Whoever takes the latest revision of the family would lose the later one.
    assert_eq!(
        (done["held"].as_str(), done["taken"].as_str()),
        ("updated", "changed-since-plan")
    );
    assert_eq!(
        ["held", "taken"].map(|family| aws.revisions(family)),
        [3, 2]
    );
    let told = "its revision is made from `held:1`, which it ran, and not from the later `held:2`";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
}

#[test]
fn a_field_that_is_not_known_is_never_lost() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    for family in ["new", "known"] {
        let arn = aws.register(&plain(family));
        aws.service(&cluster, family, &arn);
    }
    aws.disturbed(|call| {
        let of_new = call.text("taskDefinition").ends_with("/new:1");
        let more = |mut answer: Value| {
            answer["taskDefinition"]["someDay"] = json!({"secret": "canary-value"});
            answer
        };
        let describes = call.action == "ecs:DescribeTaskDefinition" && of_new;
        describes.then(|| Verdict::Change(Box::new(more)))
    });
    let (ran, plan) = aws.plan(&["--report-file", "planned.json"]);
    ran.ended(3)
        .said("error[field-removed]: not known, and would be lost in a new revision: `someDay`")
        .said("a newer version of this program may know it");
    assert_eq!(plan["shards"][0]["targets"].as_array().unwrap().len(), 1);
    let planned = aws.json("planned.json")["shards"][0].clone();
    let definitions = planned["definitions"].as_array().unwrap();
    let told = definitions
        .iter()
        .map(|it| &it["outcome"])
        .collect::<Vec<_>>();
    assert_eq!(told, ["changes", "refused"]);
    aws.apply(&[]).ended(0);
    assert_eq!(["new", "known"].map(|family| aws.revisions(family)), [1, 2]);
}
