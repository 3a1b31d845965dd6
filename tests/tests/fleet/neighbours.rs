//! Definitions in which other tools have been at work.

use serde_json::{Value, json};

use crate::account::{Aws, outcomes, plain};

/// A definition with one container more.
fn beside(family: &str, container: Value) -> Value {
    let mut definition = plain(family);
    let containers = definition["containerDefinitions"].as_array_mut().unwrap();
    containers.push(container);
    definition
}

/// A container of a definition, by its name.
fn container(definition: &Value, name: &str) -> Value {
    let containers = definition["taskDefinition"]["containerDefinitions"].as_array();
    let mut named = containers.unwrap().iter().filter(|it| it["name"] == name);
    named.next().unwrap().clone()
}

#[test]
fn another_tools_sidecar_stays_and_its_wrapper_is_not_wrapped() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let router = json!({
        "name": "log_router", "image": "public.ecr.aws/aws-observability/aws-for-fluent-bit:2", "essential": true,
        "firelensConfiguration": {"type": "fluentbit"},
    });
    let defender = json!({
        "name": "TwistlockDefender", "image": "registry-auth.twistlock.com/tw_x/twistlock/defender:defender_31",
        "entryPoint": ["/usr/local/bin/defender", "fargate", "sidecar"], "essential": true,
    });
    let mut wrapped = beside("wrapped", defender.clone());
    wrapped["containerDefinitions"][0]["entryPoint"] = json!([
        "/var/lib/twistlock/fargate/defender",
        "fargate",
        "entrypoint",
        "/bin/app"
    ]);
    let definitions = [
        ("routed", beside("routed", router)),
        ("guarded", beside("guarded", defender)),
        ("wrapped", wrapped),
    ];
    for (name, definition) in &definitions {
        let arn = aws.register(definition);
        aws.service(&cluster, name, &arn);
    }
    let routed = aws.definition("routed:1");
    let guarded = aws.definition("guarded:1");
    let (ran, plan) = aws.plan(&["--report-file", "report.json"]);
    // Two agents cannot trace one program: refused, with the reason, and nothing else is kept from it.
    ran.ended(3).said("two-wrappers");
    assert_eq!(plan["shards"][0]["targets"].as_array().unwrap().len(), 2);
    aws.apply(&["--report-file", "applied.json"]).ended(0);
    let outcomes = outcomes(&aws.json("applied.json"));
    assert_eq!(outcomes.len(), 2);
    assert!(
        outcomes.values().all(|outcome| outcome == "updated"),
        "{outcomes:?}"
    );
    assert_eq!(aws.runs(&cluster, "wrapped"), "wrapped:1");
    assert_eq!(aws.revisions("wrapped"), 1);
    // What another tool has added runs as it did.
    for (before, family, sidecar) in [
        (&routed, "routed", "log_router"),
        (&guarded, "guarded", "TwistlockDefender"),
    ] {
        let after = aws.definition(&format!("{family}:2"));
        assert_eq!(container(&after, sidecar), container(before, sidecar));
        let entry_point = container(&after, "app")["entryPoint"].clone();
        let words: Vec<Value> = serde_json::from_value(entry_point).unwrap();
        assert_eq!(words.last(), Some(&json!("/bin/app")), "{words:?}");
        assert!(words.len() > 1, "{words:?}");
    }
}
