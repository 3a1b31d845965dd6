//! The plan file: what counts of it, and what keeps it.

use std::fs;

use crate::account::{Aws, plain};

const ARN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x";

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
