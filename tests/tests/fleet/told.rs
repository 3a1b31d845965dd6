//! What a plan tells a person.

use outrigger_tests::servers::Verdict;

use crate::account::{Aws, LACEWORK, SYSDIG, from_image, plain};

/// A service whose definition can be rewritten, and one whose image nobody knows.
fn good_and_bad(aws: &Aws) {
    let cluster = aws.cluster("prod");
    let good = aws.register(&plain("good"));
    aws.service(&cluster, "good", &good);
    let mut bad = from_image("bad");
    bad["containerDefinitions"][0]["image"] = "unknown:1".into();
    let bad = aws.register(&bad);
    aws.service(&cluster, "bad", &bad);
}

#[test]
fn what_the_recipe_needs_is_told_once() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    for name in ["a", "b"] {
        let arn = aws.register(&plain(name));
        aws.service(&cluster, name, &arn);
    }
    let (ran, _) = aws.plan(&[]);
    let heading = "the task execution role needs\n  `secretsmanager:GetSecretValue`";
    assert_eq!(ran.stderr.matches(heading).count(), 1, "{}", ran.stderr);
    aws.apply(&[]).ended(0);
    // Where nothing is to be done, nothing has to be arranged; a removal needs nothing.
    let (ran, _) = aws.plan(&[]);
    assert!(!ran.stderr.contains("role needs"), "{}", ran.stderr);
    let ran = aws.fleet(&[
        "remove",
        "--recipe",
        "lacework",
        "--set",
        "accessToken=canary-token",
    ]);
    assert!(
        !ran.ended(0).stderr.contains("role needs"),
        "{}",
        ran.stderr
    );
}

#[test]
fn quiet_tells_of_errors_alone() {
    let Some(aws) = Aws::start() else { return };
    good_and_bad(&aws);
    let plan = |more: &[&str]| aws.fleet(&[&["plan"][..], LACEWORK, more].concat());
    plan(&[]).ended(3).said("good:1: ");
    let ran = plan(&["-q"]);
    ran.ended(3)
        .said("bad:1: refused")
        .said("error[")
        .said("hint: add it with `cfn-filter lock`");
    assert!(!ran.stderr.contains("good"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("role needs"), "{}", ran.stderr);
}

#[test]
fn a_service_on_an_old_platform_version() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    for name in ["old", "new"] {
        let arn = aws.register(&plain(name));
        aws.service(&cluster, name, &arn);
    }
    aws.disturbed(|call| match call.action.as_str() {
        "ecs:DescribeServices" => Some(Verdict::Change(Box::new(|mut answer| {
            for service in answer["services"].as_array_mut().unwrap() {
                let version = match service["serviceName"] == "old" {
                    true => "1.3.0",
                    false => "LATEST",
                };
                service["platformVersion"] = version.into();
            }
            answer
        }))),
        _ => None,
    });
    aws.fleet(&[&["plan"], SYSDIG].concat())
        .ended(3)
        .said("error[platform-version-too-old]: a service, a rule or a schedule runs it with the platform version `1.3.0`, and the capability `SYS_PTRACE` needs 1.4.0 or later")
        .said("old:1: refused")
        .said("2 targets: 1 revision to register, 0 unchanged, 0 left alone, 1 refused");
}
