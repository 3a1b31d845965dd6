//! Filters, and what they name that is nowhere.

use serde_json::json;

use crate::account::{Aws, LACEWORK, plain};

/// A service `pay` that runs the family `payments`, and a service `job` that runs the family `job`.
fn pay_and_job(aws: &Aws) -> String {
    let cluster = aws.cluster("prod");
    for (name, family) in [("pay", "payments"), ("job", "job")] {
        let arn = aws.register(&plain(family));
        aws.service(&cluster, name, &arn);
    }
    cluster
}

#[test]
fn a_query_that_matches_nothing_leaves_no_plan() {
    let Some(aws) = Aws::start() else { return };
    pay_and_job(&aws);
    // As a template is queried.
    let wrong = "$.Resources[?@.Properties.Family == 'payments']";
    let plan = [&["plan", "-o", "plan.json", "-q"][..], LACEWORK].concat();
    for option in ["--exclude", "--include"] {
        aws.fleet(&[&plan[..], &[option, wrong]].concat())
            .ended(1)
            .said(&format!(
                "error: `{wrong}`, given to `{option}`, matches nothing in any task definition"
            ))
            .said("hint: a query sees the task definition itself, as ECS spells it: as in `$[?$.family == 'api']`")
            .said("error: no plan was written");
        assert!(!aws.path("plan.json").exists());
    }
    aws.fleet(&["status", "--exclude", wrong])
        .ended(1)
        .said("given to `--exclude`, matches nothing");
    // Where something could not be looked at, the query may be for that: the rest is planned.
    let more = ["--exclude", wrong, "--family", "nowhere"];
    aws.fleet(&[&plan[..], &more].concat())
        .ended(1)
        .said("given to `--exclude`, matches nothing")
        .said("`nowhere` was not looked at");
    assert!(aws.path("plan.json").exists());
}

#[test]
fn a_query_need_not_match_every_definition() {
    let Some(aws) = Aws::start() else { return };
    pay_and_job(&aws);
    let (ran, plan) = aws.plan(&[
        "--exclude",
        "$[?$.family == 'payments']",
        "--include",
        "$..containerDefinitions[?@.name == 'app']",
        "--report-file",
        "report.json",
    ]);
    ran.ended(0);
    let targets = plan["shards"][0]["targets"].as_array().unwrap();
    let targets: Vec<&str> = targets
        .iter()
        .map(|target| target["target"]["service"].as_str().unwrap())
        .collect();
    assert!(
        matches!(targets[..], [one] if one.ends_with("/job")),
        "{targets:?}"
    );
    let report = aws.json("report.json");
    assert!(!report.to_string().contains("selector-matched-nothing"));
    assert_eq!(
        report["shards"][0]["matched"],
        json!({"exclude": ["$[?$.family == 'payments']"], "include": ["$..containerDefinitions[?@.name == 'app']"]})
    );
    assert!(!ran.stderr.contains("matches nothing"), "{}", ran.stderr);
}

#[test]
fn names_that_are_nowhere_are_told() {
    let Some(aws) = Aws::start() else { return };
    pay_and_job(&aws);
    let plan = [&["plan"][..], LACEWORK].concat();
    for command in [&["status"][..], &plan] {
        for (filter, told) in [
            (["--cluster", "prdo"], "there is no cluster `prdo` anywhere"),
            (["--service", "pya"], "there is no service `pya` anywhere"),
            (
                ["--tag", "team=zz"],
                "there is no service with the tag `team=zz` anywhere",
            ),
        ] {
            aws.fleet(&[command, &filter].concat()).ended(1).said(told);
        }
        let here = [
            "--cluster",
            "prod",
            "--service",
            "pay",
            "--tag",
            "team=a",
            "--tag",
            "team",
        ];
        aws.fleet(&[command, &here].concat()).ended(0);
    }
}
