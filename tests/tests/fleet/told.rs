//! What a plan tells a person.

use crate::account::{Aws, plain};

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
