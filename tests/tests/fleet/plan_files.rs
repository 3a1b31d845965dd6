//! The plan file: what counts of it, and what keeps it.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::account::{Aws, LACEWORK, SECRET, plain};

const ARN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x";

const SETTINGS: &str = "policies: {assumptions: warn}\n";

fn service(aws: &Aws) -> String {
    let cluster = aws.cluster("prod");
    let arn = aws.register(&plain("api"));
    aws.service(&cluster, "api", &arn);
    cluster
}

#[test]
fn the_recipe_is_the_plans_whatever_file_and_variable_say() {
    let Some(aws) = Aws::start() else { return };
    let cluster = service(&aws);
    let settings =
        format!("recipe: alert-logic\nrecipes: {{lacework: {{inputs: {{accessToken: {ARN}}}}}}}\n");
    fs::write(aws.path("outrigger.yaml"), settings).unwrap();
    aws.fleet(&[
        "plan",
        "--recipe",
        "lacework",
        "--locked",
        "-o",
        "plan.json",
    ])
    .ended(0);
    let apply = ["apply", "plan.json", "--offline", "--poll", "0"];
    aws.fleet(&apply).ended(0);
    assert_eq!(aws.runs(&cluster, "api"), "api:2");
    let after = aws.definition("api:2").to_string();
    assert!(after.contains("LaceworkAccessToken") && !after.contains("al-agent"));
    // A plan of no recipe is one of none.
    fs::remove_file(aws.path("outrigger.yaml")).unwrap();
    aws.fleet(&["remove", "-o", "back.json"]).ended(0);
    let mut back = aws.command(&["apply", "back.json", "--offline", "--poll", "0"]);
    back.env("OUTRIGGER_RECIPE", "lacework").env(
        "OUTRIGGER_INPUTS",
        format!("{{\"accessToken\": \"{ARN}\"}}"),
    );
    let output = back.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(aws.runs(&cluster, "api"), "api:3");
    // An option counts: then it is not what was planned.
    aws.fleet(&[
        "plan",
        "--recipe",
        "alert-logic",
        "--locked",
        "-o",
        "other.json",
    ])
    .ended(0);
    let set = format!("accessToken={ARN}");
    let other = ["apply", "other.json", "--offline", "--recipe", "lacework"];
    aws.fleet(&[&other[..], &["--set", &set]].concat())
        .ended(1)
        .said("not what was planned");
}

#[test]
fn no_file_of_a_plan_replaces_another() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    fs::write(aws.path("outrigger.yaml"), SETTINGS).unwrap();
    let plan = |more: &[&str]| aws.fleet(&[&["plan"][..], LACEWORK, more].concat());
    let texts = || {
        let names = ["outrigger.lock", "outrigger.yaml"].iter();
        names
            .map(|name| fs::read(aws.path(name)).unwrap())
            .collect::<Vec<_>>()
    };
    let before = texts();
    for (args, told) in [
        (
            ["-o", "plan.json", "--report-file", "./plan.json"],
            "the report would replace the plan",
        ),
        (
            ["-o", "outrigger.lock", "--color", "never"],
            "the plan would replace the lock file",
        ),
        (
            ["--lock", "new.lock", "-o", "./new.lock"],
            "the plan would replace the lock file",
        ),
        (
            ["-o", "plan.json", "--report-file", "outrigger.yaml"],
            "the report would replace the settings file",
        ),
        (
            ["-o", "-", "--report-file", "-"],
            "the report cannot go to standard output, where the plan goes",
        ),
        (
            ["-o", "plan.json", "--report-file", "r.md"],
            "the report is JSON",
        ),
    ] {
        plan(&args).ended(2).said(told);
    }
    aws.fleet(&["status", "--report-file", "outrigger.yaml"])
        .ended(2)
        .said("the report would replace the settings file");
    plan(&["-o", "outrigger.lock", "--detailed-exitcode"]).ended(1);
    // A folder that is not there is found at the beginning.
    for option in ["-o", "--report-file"] {
        plan(&[option, "none/file.json"])
            .ended(1)
            .said("cannot write `none/file.json`")
            .said("the folder has to be there");
    }
    assert_eq!(aws.proxy.count(), 0);
    assert_eq!(texts(), before);
    assert!(!aws.path("plan.json").exists());
}

#[test]
fn no_file_of_an_apply_replaces_another() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    fs::write(aws.path("outrigger.yaml"), SETTINGS).unwrap();
    aws.plan(&[]);
    let before = fs::read(aws.path("plan.json")).unwrap();
    let calls = aws.proxy.count();
    for (args, told) in [
        (
            ["--report-file", "plan.json"],
            "the report would replace the plan",
        ),
        (
            ["--report-file", "plan.json.journal"],
            "the report would replace the journal",
        ),
        (
            ["--journal", "./plan.json"],
            "the journal would replace the plan",
        ),
        (
            ["--journal", "outrigger.yaml"],
            "the journal would replace the settings file",
        ),
    ] {
        aws.apply(&args).ended(2).said(told);
    }
    aws.apply(&["--report-file", "none/report.json"])
        .ended(1)
        .said("cannot write `none/report.json`");
    assert_eq!(aws.proxy.count(), calls);
    assert_eq!(fs::read(aws.path("plan.json")).unwrap(), before);
    assert!(!aws.path("plan.json.journal").exists());
}

#[test]
fn standard_output_is_a_place_for_a_plan() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    let args = [&["plan", "-o", "-"][..], LACEWORK].concat();
    let output = aws.command(&args).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(plan["version"], 1);
    assert!(!aws.path("-").exists());
}

#[test]
fn a_plan_is_applied_once_at_a_time_whatever_the_journal() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    aws.plan(&[]);
    aws.proxy.take_calls();
    aws.proxy.delay(Duration::from_millis(300));
    let args = [&["apply", "plan.json", "--poll", "0"][..], SECRET].concat();
    let mut first = aws.command(&args).stderr(Stdio::null()).spawn().unwrap();
    // It calls when it holds the plan.
    while aws.proxy.count() == 0 {
        std::thread::yield_now();
    }
    aws.apply(&["--journal", "other.journal"])
        .ended(1)
        .said("another apply of this plan is at work");
    assert!(!aws.path("other.journal").exists());
    assert!(first.wait().unwrap().success());
    assert_eq!(aws.revisions("api"), 2);
}

#[test]
fn a_plan_that_names_something_twice_is_refused() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    let (_, plan) = aws.plan(&[]);
    let refused = |plan: &serde_json::Value, told: &str| {
        fs::write(aws.path("plan.json"), plan.to_string()).unwrap();
        aws.apply(&[]).ended(1).said(told);
    };
    let mut twice = plan.clone();
    let shards = twice["shards"].as_array_mut().unwrap();
    shards.push(shards[0].clone());
    refused(&twice, "the plan has `123456789012 eu-central-1` twice");
    let mut twice = plan.clone();
    let targets = twice["shards"][0]["targets"].as_array_mut().unwrap();
    targets.push(targets[0].clone());
    refused(&twice, "the plan has the service `prod/api` twice");
    assert_eq!(aws.revisions("api"), 1);
}

#[test]
fn a_recipe_of_another_folder() {
    let Some(aws) = Aws::start() else { return };
    service(&aws);
    fs::create_dir(aws.path("sub")).unwrap();
    fs::copy("../templates/alert-logic.yaml", aws.path("sub/my.yaml")).unwrap();
    let args = [
        "plan",
        "--recipe",
        "./my.yaml",
        "--offline",
        "-o",
        "plan.json",
    ];
    let planned = aws.command(&args).current_dir(aws.path("sub")).output();
    assert!(planned.unwrap().status.success());
    aws.fleet(&["apply", "sub/plan.json", "--offline", "--poll", "0"])
        .ended(1)
        .said("cannot read `./my.yaml`")
        .said("hint: the plan names it: apply the plan in the folder where it was made");
    let applied = [
        "apply",
        "sub/plan.json",
        "--offline",
        "--poll",
        "0",
        "--recipe",
        "sub/my.yaml",
    ];
    aws.fleet(&applied).ended(0);
}
