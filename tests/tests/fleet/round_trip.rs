//! Plan, apply, plan again.

use serde_json::json;

use crate::account::{Aws, outcomes, plain};

#[test]
fn planned_applied_and_planned_again() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let mut from_image = plain("web");
    let container = &mut from_image["containerDefinitions"][0];
    container.as_object_mut().unwrap().remove("entryPoint");
    container.as_object_mut().unwrap().remove("command");
    let web = aws.register(&from_image);
    let api = aws.register(&plain("api"));
    aws.service(&cluster, "api", &api);
    aws.service(&cluster, "web", &web);
    let before = [aws.definition("api:1"), aws.definition("web:1")];

    let (ran, plan) = aws.plan(&["--detailed-exitcode"]);
    assert_eq!(ran.exit, Some(2), "{}", ran.stderr);
    let text = plan.to_string();
    assert!(
        !text.contains("canary") && !ran.stderr.contains("canary"),
        "{text}"
    );
    assert_eq!(plan["shards"][0]["targets"].as_array().unwrap().len(), 2);
    assert_eq!([aws.definition("api"), aws.definition("web")], before);
    aws.proxy.take_calls();

    let ran = aws.apply(&["--report-file", "done.json"]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    let done = outcomes(&aws.json("done.json"));
    assert_eq!(done["api"], "updated");
    assert_eq!(done["web"], "updated");
    assert_eq!(aws.runs(&cluster, "api"), "api:2");
    assert_eq!(aws.runs(&cluster, "web"), "web:2");
    let web = aws.definition("web:2");
    let containers = web["taskDefinition"]["containerDefinitions"]
        .as_array()
        .unwrap();
    let app = containers.iter().find(|it| it["name"] == "app").unwrap();
    let command = app["command"].to_string();
    assert!(command.contains("daemon off;"), "{command}");
    let tags = web["tags"].as_array().unwrap();
    for tag in before[1]["tags"].as_array().unwrap() {
        assert!(tags.contains(tag), "{tags:?}");
    }

    let (ran, plan) = aws.plan(&["--detailed-exitcode"]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    assert_eq!(plan["shards"], json!([]));
    assert_eq!(aws.revisions("api") + aws.revisions("web"), 4);
}
