//! Plan, apply, plan again, upgrade, and the way back.

use serde_json::{Value, json};

use crate::account::{Aws, LACEWORK, Ran, from_image, outcomes, plain, registrable};

/// Reads, by what their names begin with; and the calls by which one says who one is.
const READS: [&str; 5] = ["List", "Describe", "Get", "GET ", "AssumeRole"];

fn is_read(action: &str) -> bool {
    let (_, name) = action.split_once(':').unwrap();
    READS.iter().any(|read| name.starts_with(read))
}

/// Services whose program is stated, left to the image, and left to one that is pinned.
const NAMES: [&str; 3] = ["api", "web", "cache"];

fn services(aws: &Aws) -> String {
    let cluster = aws.cluster("prod");
    let mut pinned = from_image("cache");
    pinned["containerDefinitions"][0]["image"] = json!(format!("redis@sha256:{}", "2".repeat(64)));
    for (name, definition) in NAMES
        .into_iter()
        .zip([plain("api"), from_image("web"), pinned])
    {
        let arn = aws.register(&definition);
        aws.service(&cluster, name, &arn);
    }
    cluster
}

/// Everything was updated, and nothing that is written down holds a value.
fn updated(aws: &Aws, ran: &Ran) {
    ran.ended(0);
    let done = outcomes(&aws.json("done.json"));
    let all = done.values().filter(|outcome| *outcome == "updated");
    assert_eq!((done.len(), all.count()), (3, 3));
    for file in ["plan.json", "plan.json.journal", "done.json"] {
        let text = std::fs::read_to_string(aws.path(file)).unwrap();
        assert!(!text.contains("canary"), "{text}");
    }
}

fn nothing_to_do(aws: &Aws, more: &[&str]) {
    let (ran, plan) = aws.plan(&[&["--detailed-exitcode"], more].concat());
    ran.ended(0);
    assert_eq!(plan["shards"], json!([]));
}

#[test]
fn planned_applied_upgraded_and_removed() {
    let Some(aws) = Aws::start() else { return };
    let cluster = services(&aws);
    let definitions =
        |revision: u8| NAMES.map(|name| aws.definition(&format!("{name}:{revision}")));
    let originals = definitions(1);
    aws.proxy.take_calls();
    aws.plan(&["--detailed-exitcode"]).0.ended(2);
    let calls = aws.proxy.take_calls();
    let written: Vec<_> = calls.iter().filter(|call| !is_read(&call.action)).collect();
    assert!(written.is_empty(), "{written:?}");

    let report = ["--report-file", "done.json"];
    updated(&aws, &aws.apply(&report));
    for (before, after) in originals.iter().zip(&definitions(2)) {
        wraps(before, after);
    }
    nothing_to_do(&aws, &[]);

    let newer = ["--set", "image=lacework/datacollector:5-sidecar"];
    aws.plan(&newer).0.ended(0);
    updated(&aws, &aws.apply(&[report, newer].concat()));
    let [api, ..] = definitions(3);
    assert!(api.to_string().contains("lacework/datacollector:5-sidecar"));
    nothing_to_do(&aws, &newer);

    aws.fleet(&["remove", "-o", "plan.json"]).ended(0);
    let apply = [
        "apply",
        "plan.json",
        "--poll",
        "0",
        "--report-file",
        "done.json",
    ];
    updated(&aws, &aws.fleet(&apply));
    assert_eq!(definitions(4), originals);
    aws.fleet(&["remove", "-o", "plan.json", "--detailed-exitcode"])
        .ended(0);
    for name in NAMES {
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
