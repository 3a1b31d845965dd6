//! Tasks that rules and schedules start, and families that nothing starts.

use serde_json::{Value, json};

use outrigger_tests::servers::Verdict;

use crate::account::{Aws, REGION, SYSDIG, outcomes, plain};

/// The second revision, by the first one's ARN.
fn second(first: &str) -> String {
    first.strip_suffix(":1").unwrap().to_owned() + ":2"
}

fn events(aws: &Aws, action: &str, input: &Value) -> Value {
    let target = format!("AWSEvents.{action}");
    let answer = aws.moto.json(("key", REGION), ("events", &target), input);
    answer.unwrap()
}

/// A target that starts tasks.
fn target(cluster: &str, id: &str, (definition, launch): (&str, &str)) -> Value {
    json!({
        "Id": id, "Arn": cluster, "RoleArn": "arn:aws:iam::123456789012:role/events", "Input": "{\"a\": 1}",
        "EcsParameters": {"TaskDefinitionArn": definition, "LaunchType": launch, "TaskCount": 1},
    })
}

/// A schedule as it is, but for when it was changed.
fn schedule(aws: &Aws) -> Value {
    let place = (("key", REGION), ("scheduler", "GET /schedules/hour"));
    let mut schedule = aws.moto.rest(place.0, place.1, &Value::Null).unwrap();
    schedule
        .as_object_mut()
        .unwrap()
        .remove("LastModificationDate");
    schedule
}

#[test]
fn rules_schedules_and_families() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let [nightly, hourly, _, latest] =
        ["nightly", "hourly", "batch", "latest"].map(|family| aws.register(&plain(family)));
    let family = latest.strip_suffix(":1").unwrap();
    let rule = json!({"Name": "night", "ScheduleExpression": "rate(1 day)"});
    events(&aws, "PutRule", &rule);
    let mut targets = [
        target(&cluster, "1", (&nightly, "FARGATE")),
        target(&cluster, "2", (family, "FARGATE")),
        target(&cluster, "3", (&hourly, "EC2")),
    ];
    events(
        &aws,
        "PutTargets",
        &json!({"Rule": "night", "Targets": targets}),
    );
    let mut starts = target(&cluster, "", (&hourly, "FARGATE"));
    starts.as_object_mut().unwrap().remove("Id");
    let hour = json!({
        "FlexibleTimeWindow": {"Mode": "OFF"}, "ScheduleExpression": "rate(1 hour)", "Description": "d", "Target": starts,
    });
    let place = (("key", REGION), ("scheduler", "POST /schedules/hour"));
    aws.moto.rest(place.0, place.1, &hour).unwrap();
    let before = schedule(&aws);

    let (ran, plan) = aws.plan(&["--family", "batch"]);
    ran.ended(0)
        .said("rule `default/night`, target `3`: left alone:");
    assert_eq!(plan["shards"][0]["targets"].as_array().unwrap().len(), 4);
    aws.apply(&["--report-file", "done.json"]).ended(0);

    targets[0]["EcsParameters"]["TaskDefinitionArn"] = json!(second(&nightly));
    let listed = events(&aws, "ListTargetsByRule", &json!({"Rule": "night"}));
    let listed = listed["Targets"].as_array().unwrap();
    assert_eq!(listed.len(), 3);
    assert!(
        targets.iter().all(|target| listed.contains(target)),
        "{listed:?}"
    );
    let mut after = schedule(&aws);
    let definition = &mut after["Target"]["EcsParameters"]["TaskDefinitionArn"];
    assert_eq!(definition.as_str().unwrap(), second(&hourly));
    *definition = json!(hourly);
    assert_eq!(after, before);
    for family in ["nightly", "hourly", "batch", "latest"] {
        assert_eq!(aws.revisions(family), 2, "{family}");
    }
    let (_, plan) = aws.plan(&["--family", "batch"]);
    assert_eq!(plan["shards"], json!([]));
}

#[test]
fn a_rule_on_an_old_platform_version() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let rule = json!({"Name": "night", "ScheduleExpression": "rate(1 day)"});
    events(&aws, "PutRule", &rule);
    let targets = ["1.3.0", "LATEST"].map(|version| {
        let definition = aws.register(&plain(&format!("on-{}", version.replace('.', "-"))));
        let mut target = target(&cluster, version, (&definition, "FARGATE"));
        target["EcsParameters"]["PlatformVersion"] = version.into();
        target
    });
    let targets = json!({"Rule": "night", "Targets": targets});
    events(&aws, "PutTargets", &targets);
    aws.fleet(&[&["plan"], SYSDIG].concat())
        .ended(3)
        .said("error[platform-version-too-old]: a service, a rule or a schedule runs it with the platform version `1.3.0`, and the capability `SYS_PTRACE` needs 1.4.0 or later")
        .said("on-1-3-0:1: refused")
        .said("2 targets: 1 revision to register, 0 unchanged, 0 left alone, 1 refused");
}

/// A definition with another command.
fn running(family: &str, command: &str) -> Value {
    let mut definition = plain(family);
    definition["containerDefinitions"][0]["command"] = json!([command]);
    definition
}

/// A rule that starts the latest revision of the family `api`, whose first one is old.
fn nightly(aws: &Aws, cluster: &str) -> [String; 2] {
    let revisions = ["old", "new"].map(|command| aws.register(&running("api", command)));
    let family = revisions[0].strip_suffix(":1").unwrap();
    let rule = json!({"Name": "night", "ScheduleExpression": "rate(1 day)"});
    events(aws, "PutRule", &rule);
    let targets = [target(cluster, "1", (family, "FARGATE"))];
    events(
        aws,
        "PutTargets",
        &json!({"Rule": "night", "Targets": targets}),
    );
    revisions
}

/// The program of a revision, or of the latest one.
fn program(aws: &Aws, name: &str) -> String {
    let definition = aws.definition(name)["taskDefinition"].clone();
    let containers = definition["containerDefinitions"].as_array().unwrap();
    let app = containers.iter().find(|it| it["name"] == "app").unwrap();
    let words = format!("{}{}", app["entryPoint"], app["command"]);
    assert!(words.contains("lacework"), "{words}");
    words
}

#[test]
fn the_latest_program_stays_the_latest() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let [old, new] = nightly(&aws, &cluster);
    aws.service(&cluster, "a", &new);
    aws.service(&cluster, "b", &old);
    aws.plan(&[]).0.ended(0);
    aws.proxy.take_calls();
    aws.apply(&[]).ended(0);
    assert_eq!(
        ["a", "b"].map(|name| aws.runs(&cluster, name)),
        ["api:4", "api:3"]
    );
    assert!(program(&aws, "api:3").contains("old"));
    assert!(program(&aws, "api").contains("new"));
    // Nor is there a time between at which the old one would be started.
    let calls = aws.proxy.take_calls().into_iter();
    let mut calls = calls.map(|call| call.action).filter(|action| {
        ["ecs:RegisterTaskDefinition", "ecs:UpdateService"].contains(&action.as_str())
    });
    let first: Vec<String> = calls.by_ref().take(2).collect();
    assert_eq!(first, ["ecs:RegisterTaskDefinition"; 2]);
    assert_eq!(calls.collect::<Vec<_>>(), ["ecs:UpdateService"; 2]);
}

#[test]
fn what_nothing_runs_is_taken_back() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let [old, new] = nightly(&aws, &cluster);
    aws.service(&cluster, "a", &new);
    aws.service(&cluster, "b", &old);
    fails_as(&aws, "api:4");
    aws.plan(&[]).0.ended(0);
    // One of the revisions has failed, and nothing was given the other.
    aws.apply(&[]).ended(1);
    assert_eq!(
        ["a", "b"].map(|name| aws.runs(&cluster, name)),
        ["api:2", "api:1"]
    );
    assert_eq!(
        latest(&aws),
        ("api:2".to_owned(), "[\"/bin/app\"][\"new\"]".to_owned())
    );
}

#[test]
fn what_fails_leaves_the_latest_program_the_latest() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let [old, new] = nightly(&aws, &cluster);
    aws.service(&cluster, "a", &new);
    aws.service(&cluster, "b", &old);
    fails_as(&aws, "api:4");
    aws.plan(&[]).0.ended(0);
    aws.apply(&["--report-file", "done.json", "--max-failures", "2"])
        .ended(1);
    let done = outcomes(&aws.json("done.json"));
    let done = ["a", "b", "night"].map(|name| done[name].as_str());
    assert_eq!(done, ["rolled-back", "updated", "not-reached"]);
    assert_eq!(
        latest(&aws),
        ("api:5".to_owned(), "[\"/bin/app\"][\"new\"]".to_owned())
    );
}

/// Whatever runs this revision fails, and everything else is steady.
fn fails_as(aws: &Aws, revision: &'static str) {
    aws.disturbed(move |call| {
        let change = move |mut answer: Value| {
            for service in answer["services"].as_array_mut().unwrap() {
                let runs = service["taskDefinition"].as_str().unwrap();
                let (state, running) = match runs.ends_with(revision) {
                    true => ("FAILED", 0),
                    false => ("COMPLETED", 2),
                };
                service["deployments"] = json!([{
                    "status": "PRIMARY", "taskDefinition": runs, "rolloutState": state,
                    "desiredCount": 2, "runningCount": running,
                }]);
            }
            answer
        };
        (call.action == "ecs:DescribeServices").then(|| Verdict::Change(Box::new(change)))
    });
}

/// The latest active revision of the family `api`, and its program; moto describes inactive ones, too.
fn latest(aws: &Aws) -> (String, String) {
    let input = json!({"familyPrefix": "api", "status": "ACTIVE"});
    let listed = aws.ecs("ListTaskDefinitions", &input)["taskDefinitionArns"].clone();
    let listed = listed.as_array().unwrap().iter();
    let names = listed.map(|arn| arn.as_str().unwrap().rsplit('/').next().unwrap());
    let latest =
        names.max_by_key(|name| name.strip_prefix("api:").unwrap().parse::<u64>().unwrap());
    let latest = latest.unwrap().to_owned();
    let app = aws.definition(&latest)["taskDefinition"]["containerDefinitions"][0].clone();
    (latest, format!("{}{}", app["entryPoint"], app["command"]))
}

#[test]
fn a_revision_of_the_apply_is_nobody_elses() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let [old, _] = nightly(&aws, &cluster);
    aws.service(&cluster, "b", &old);
    aws.plan(&[]).0.ended(0);
    // The rule is not reached, and is in a second run of the same apply.
    let updated = std::sync::atomic::AtomicBool::new(false);
    aws.disturbed(move |call| {
        let order = std::sync::atomic::Ordering::SeqCst;
        updated.fetch_or(call.action == "ecs:UpdateService", order);
        let lists = call.action == "ecs:ListTaskDefinitions" && updated.load(order);
        lists.then(|| Verdict::denied("ecs:ListTaskDefinitions"))
    });
    let report = ["--report-file", "done.json", "--max-failures", "9"];
    aws.apply(&report).ended(1);
    let done = outcomes(&aws.json("done.json"));
    assert_eq!(
        (done["b"].as_str(), done["night"].as_str()),
        ("updated", "failed")
    );
    assert!(program(&aws, "api").contains("new"));
    aws.undisturbed();
    aws.apply(&report).ended(0);
    assert_eq!(outcomes(&aws.json("done.json"))["night"], "updated");
    assert!(program(&aws, "api").contains("new"));
    assert_eq!(aws.revisions("api"), 4);
}

#[test]
fn what_would_hide_a_later_revision_of_somebody_else_is_not_registered() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let [_, new] = nightly(&aws, &cluster);
    aws.service(&cluster, "a", &aws.register(&running("other", "x")));
    assert!(new.ends_with(":2"));
    aws.plan(&[]).0.ended(0);
    aws.register(&running("api", "newer"));
    aws.apply(&[])
        .ended(3)
        .said("`api:3` is the latest revision now");
    assert_eq!(aws.revisions("api"), 3);
}

#[test]
fn what_is_gone_has_changed_and_stops_nothing() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let [_, hourly, left] = ["api", "hourly", "left"].map(|family| aws.register(&plain(family)));
    for name in ["night", "stays"] {
        let rule = json!({"Name": name, "ScheduleExpression": "rate(1 day)"});
        events(&aws, "PutRule", &rule);
        let targets = [target(&cluster, "1", (&left, "FARGATE"))];
        events(
            &aws,
            "PutTargets",
            &json!({"Rule": name, "Targets": targets}),
        );
    }
    let mut starts = target(&cluster, "", (&hourly, "FARGATE"));
    starts.as_object_mut().unwrap().remove("Id");
    let hour = json!({
        "FlexibleTimeWindow": {"Mode": "OFF"}, "ScheduleExpression": "rate(1 hour)", "Target": starts,
    });
    let place = (("key", REGION), ("scheduler", "POST /schedules/hour"));
    aws.moto.rest(place.0, place.1, &hour).unwrap();
    let old = aws.cluster("old");
    aws.service(&old, "api", "api:1");
    aws.plan(&[]).0.ended(0);

    aws.disturbed(|call| {
        let gone = match call.action.as_str() {
            "ecs:DescribeServices" => (400, "ClusterNotFoundException"),
            "events:ListTargetsByRule" if call.text("Rule") == "night" => {
                (400, "ResourceNotFoundException")
            }
            "scheduler:GET /schedules/hour" => (404, "ResourceNotFoundException"),
            _ => return None,
        };
        let error = json!({"__type": gone.1, "message": "There is none."});
        Some(Verdict::Answer(gone.0, error))
    });
    aws.apply(&["--report-file", "done.json"])
        .ended(3)
        .said("it is gone")
        .said("the service is gone");
    let done = outcomes(&aws.json("done.json"));
    let done = ["api", "hour", "night", "stays"].map(|name| done[name].as_str());
    let gone = "changed-since-plan";
    assert_eq!(done, [gone, gone, gone, "updated"]);
    assert_eq!(
        ["api", "hourly", "left"].map(|family| aws.revisions(family)),
        [1, 1, 2]
    );
}
