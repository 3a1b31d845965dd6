//! Tasks that rules and schedules start, and families that nothing starts.

use serde_json::{Value, json};

use crate::account::{Aws, REGION, plain};

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
