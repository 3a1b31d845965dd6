//! Plan, apply, plan again, upgrade, and the way back.

use serde_json::{Value, json};

use crate::account::{Aws, LACEWORK, REGION, from_image, outcomes, plain, registrable};

/// Reads, by what their names begin with; and the calls by which one says who one is.
const READS: [&str; 5] = ["List", "Describe", "Get", "GET ", "AssumeRole"];

fn is_read(action: &str) -> bool {
    let (_, name) = action.split_once(':').unwrap();
    READS.iter().any(|read| name.starts_with(read))
}

#[test]
fn planned_applied_upgraded_and_removed() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let mut pinned = from_image("cache");
    pinned["containerDefinitions"][0]["image"] = json!(format!("redis@sha256:{}", "2".repeat(64)));
    for definition in [plain("api"), from_image("web"), pinned] {
        let arn = aws.register(&definition);
        let name = definition["family"].as_str().unwrap().to_owned();
        aws.service(&cluster, &name, &arn);
    }
    let names = ["api", "cache", "web"];
    let definitions =
        |revision: u8| names.map(|name| aws.definition(&format!("{name}:{revision}")));
    let originals = definitions(1);

    aws.proxy.take_calls();
    let (ran, plan) = aws.plan(&["--detailed-exitcode"]);
    assert_eq!(ran.exit, Some(2), "{}", ran.stderr);
    let calls = aws.proxy.take_calls();
    let written: Vec<_> = calls.iter().filter(|call| !is_read(&call.action)).collect();
    assert!(written.is_empty(), "{written:?}");
    let text = plan.to_string();
    assert!(
        !text.contains("canary") && !ran.stderr.contains("canary"),
        "{text}"
    );
    let journal = |aws: &Aws| std::fs::read_to_string(aws.path("plan.json.journal")).unwrap();

    let updated = |ran: crate::account::Ran| {
        assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
        let done = outcomes(&aws.json("done.json"));
        assert_eq!(done.len(), 3);
        assert!(
            done.values().all(|outcome| outcome == "updated"),
            "{done:?}"
        );
        assert!(!journal(&aws).contains("canary"));
    };
    updated(aws.apply(&["--report-file", "done.json"]));
    let instrumented = definitions(2);
    for (before, after) in originals.iter().zip(&instrumented) {
        wraps(before, after);
    }

    let nothing = |more: &[&str]| {
        let (ran, plan) = aws.plan(&[&["--detailed-exitcode"], more].concat());
        assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
        assert_eq!(plan["shards"], json!([]));
    };
    nothing(&[]);
    let newer = ["--set", "image=lacework/datacollector:5-sidecar"];
    let (ran, _) = aws.plan(&newer);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    updated(aws.apply(&[&["--report-file", "done.json"][..], &newer].concat()));
    assert!(
        definitions(3)[0]
            .to_string()
            .contains("lacework/datacollector:5-sidecar")
    );
    nothing(&newer);

    let ran = aws.fleet(&["remove", "-o", "plan.json"]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    updated(aws.fleet(&[
        "apply",
        "plan.json",
        "--poll",
        "0",
        "--report-file",
        "done.json",
    ]));
    assert_eq!(definitions(4), originals);
    let ran = aws.fleet(&["remove", "-o", "plan.json", "--detailed-exitcode"]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    for name in names {
        assert_eq!(aws.revisions(name), 4);
        assert_eq!(aws.runs(&cluster, name), format!("{name}:4"));
    }
}

/// The program that ran still runs, behind the wrapper, and what was there is there.
fn wraps(before: &Value, after: &Value) {
    let app = |described: &Value| {
        let containers = described["taskDefinition"]["containerDefinitions"].as_array();
        let app = containers.unwrap().iter().find(|it| it["name"] == "app");
        app.unwrap().clone()
    };
    let (old, new) = (app(before), app(after));
    let words = |container: &Value| -> Vec<String> {
        let lists = [&container["entryPoint"], &container["command"]];
        let words = lists.into_iter().filter_map(Value::as_array).flatten();
        words
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    };
    let expected = match (old["entryPoint"].is_null(), old["image"].as_str().unwrap()) {
        (false, _) => words(&old),
        (true, "nginx:1.27") => ["/docker-entrypoint.sh", "nginx", "-g", "daemon off;"]
            .map(str::to_owned)
            .to_vec(),
        (true, _) => ["docker-entrypoint.sh", "redis-server"]
            .map(str::to_owned)
            .to_vec(),
    };
    let all = words(&new);
    assert_eq!(all[1..], expected, "{all:?}");
    assert!(all[0].contains("lacework"));
    for variable in old["environment"].as_array().unwrap() {
        assert!(new["environment"].as_array().unwrap().contains(variable));
    }
    for tag in before["tags"].as_array().unwrap() {
        assert!(after["tags"].as_array().unwrap().contains(tag));
    }
}

/// The second revision, by the first one's ARN.
fn second(first: &str) -> String {
    first.strip_suffix(":1").unwrap().to_owned() + ":2"
}

#[test]
fn rules_schedules_and_families() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let [nightly, hourly, batch, latest] =
        ["nightly", "hourly", "batch", "latest"].map(|family| aws.register(&plain(family)));
    assert!(batch.ends_with("batch:1"));
    let family = latest.strip_suffix(":1").unwrap();
    let ecs = |definition: &str, launch: &str| json!({"TaskDefinitionArn": definition, "LaunchType": launch, "TaskCount": 1});
    let events = |action: &str, input: &Value| {
        let target = format!("AWSEvents.{action}");
        aws.moto
            .json(("key", REGION), ("events", &target), input)
            .unwrap()
    };
    events(
        "PutRule",
        &json!({"Name": "night", "ScheduleExpression": "rate(1 day)"}),
    );
    let target = |id: &str, parameters: Value| {
        json!({"Id": id, "Arn": cluster, "RoleArn": "arn:aws:iam::123456789012:role/events",
               "Input": "{\"a\": 1}", "EcsParameters": parameters})
    };
    let targets = json!([
        target("1", ecs(&nightly, "FARGATE")),
        target("2", ecs(family, "FARGATE")),
        target("3", ecs(&hourly, "EC2"))
    ]);
    events("PutTargets", &json!({"Rule": "night", "Targets": targets}));
    let schedule = json!({
        "FlexibleTimeWindow": {"Mode": "OFF"}, "ScheduleExpression": "rate(1 hour)", "Description": "d",
        "Target": {"Arn": cluster, "RoleArn": "arn:aws:iam::123456789012:role/events", "EcsParameters": ecs(&hourly, "FARGATE")},
    });
    let rest = |request: &str, input: &Value| {
        aws.moto
            .rest(("key", REGION), ("scheduler", request), input)
            .unwrap()
    };
    rest("POST /schedules/hour", &schedule);
    let before = rest("GET /schedules/hour", &Value::Null);

    let (ran, plan) = aws.plan(&["--family", "batch"]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    assert_eq!(plan["shards"][0]["targets"].as_array().unwrap().len(), 4);
    assert!(
        ran.stderr
            .contains("rule `default/night`, target `3`: left alone:"),
        "{}",
        ran.stderr
    );
    let ran = aws.apply(&["--report-file", "done.json"]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);

    let listed = events("ListTargetsByRule", &json!({"Rule": "night"}));
    let mut expected = targets;
    expected[0]["EcsParameters"]["TaskDefinitionArn"] = json!(second(&nightly));
    assert_eq!(listed["Targets"].as_array().unwrap().len(), 3);
    for target in expected.as_array().unwrap() {
        assert!(
            listed["Targets"].as_array().unwrap().contains(target),
            "{listed}"
        );
    }
    let mut after = rest("GET /schedules/hour", &Value::Null);
    let definition = &mut after["Target"]["EcsParameters"]["TaskDefinitionArn"];
    assert_eq!(definition.as_str().unwrap(), second(&hourly));
    *definition = json!(hourly);
    for value in [&mut after, &mut before.clone()] {
        value
            .as_object_mut()
            .unwrap()
            .remove("LastModificationDate");
    }
    after
        .as_object_mut()
        .unwrap()
        .remove("LastModificationDate");
    let mut before = before;
    before
        .as_object_mut()
        .unwrap()
        .remove("LastModificationDate");
    assert_eq!(after, before);
    for family in ["nightly", "hourly", "batch", "latest"] {
        assert_eq!(aws.revisions(family), 2, "{family}");
    }
    let (ran, plan) = aws.plan(&["--family", "batch"]);
    assert_eq!(plan["shards"], json!([]), "{}", ran.stderr);
}

#[test]
fn how_it_stands() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    for name in ["api", "web"] {
        let arn = aws.register(&plain(name));
        aws.service(&cluster, name, &arn);
    }
    aws.plan(&["--service", "api"]);
    let ran = aws.apply(&[]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    let state = |args: &[&str]| -> Vec<String> {
        let ran = aws.fleet(&[&["status", "--report-file", "status.json"][..], args].concat());
        assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
        let status = aws.json("status.json");
        let targets = status["shards"][0]["targets"].as_array().unwrap().clone();
        let states = targets
            .iter()
            .map(|target| target["state"].as_str().unwrap().to_owned());
        states.collect()
    };
    let recipe: Vec<&str> = LACEWORK
        .iter()
        .filter(|word| **word != "--locked")
        .copied()
        .collect();
    assert_eq!(state(&[]), ["instrumented", "not-instrumented"]);
    assert_eq!(state(&recipe), ["current", "not-instrumented"]);
    let newer = [
        &recipe[..],
        &["--set", "image=lacework/datacollector:5-sidecar"],
    ]
    .concat();
    assert_eq!(state(&newer), ["outdated", "not-instrumented"]);
    // Somebody takes the sidecar out by hand.
    let mut changed = registrable(&aws.definition("api:2"));
    let containers = changed["containerDefinitions"].as_array_mut().unwrap();
    containers.retain(|it| it["name"] == "app");
    let arn = aws.register(&changed);
    aws.ecs(
        "UpdateService",
        &json!({"cluster": cluster, "service": "api", "taskDefinition": arn}),
    );
    assert_eq!(state(&recipe), ["drifted", "not-instrumented"]);
}
