//! Whatever goes wrong is a response, in time, with a message for the person who deploys.

use std::time::Duration;

use outrigger_tests::cloudformation::{Deployment, Passed};
use outrigger_tests::servers::PAYLOAD_MAX;
use serde_json::{Value, json};

use crate::hosts::Hosts;
use crate::images::{Images, config_of};
use crate::server::{Reply, ReplyBody, Seen};
use crate::service::{failure, lacework, service, task, with_snippet};
use crate::subject::Subject;

const LONG: Duration = Duration::from_secs(60);

/// A task whose containers have these images.
fn of_images(images: &[String]) -> Value {
    let containers = images.iter().enumerate();
    let containers =
        containers.map(|(index, image)| json!({"Name": format!("c{index}"), "Image": image}));
    task(containers.collect())
}

/// The event of a template.
fn event(template: &Value) -> String {
    json!({"requestId": "r", "region": "eu-central-1", "accountId": "123456789012", "fragment": template}).to_string()
}

#[test]
fn events_that_are_no_requests() {
    let subject = Subject::start(&lacework(&[]));
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let deep = format!(
        r#"{{"requestId": "r", "fragment": {{"Resources": {}}}}}"#,
        nested(200)
    );
    let very_deep = format!(r#"{{"requestId": "r", "fragment": {}}}"#, nested(100_000));
    let in_params = format!(
        r#"{{"requestId": "r", "fragment": {{}}, "params": {}}}"#,
        nested(200)
    );
    let not_text = [
        b"{\"requestId\": \"r\", \"fragment\": {\"Canary\": \"canary-".as_slice(),
        &[0xff, 0xfe],
        b"\"}}",
    ];
    let not_text = not_text.concat();
    let table: [(&str, &[u8]); 13] = [
        ("", b""),
        ("", b"{\"requestId\": \"r\", \"fragment\": {\"canary"),
        ("", b"[\"canary\"]"),
        ("", b"\"canary\""),
        ("r", b"{\"requestId\": \"r\"}"),
        ("", b"{\"requestId\": {\"canary\": 1}}"),
        ("r", b"{\"requestId\": \"r\", \"fragment\": \"canary\"}"),
        ("r", b"{\"requestId\": \"r\", \"fragment\": null}"),
        (
            "r",
            b"{\"requestId\": \"r\", \"fragment\": {}, \"params\": \"canary\"}",
        ),
        ("r", deep.as_bytes()),
        ("r", very_deep.as_bytes()),
        ("r", in_params.as_bytes()),
        ("r", &not_text),
    ];
    let told = table.map(|(id, event)| {
        let (response, took) = subject.event(event, id, LONG);
        assert!(took < Duration::from_secs(5), "{took:?}");
        let length = event.len();
        let shown = String::from_utf8_lossy(event.get(..length.min(60)).unwrap()).into_owned();
        format!("{shown} ({length}): {}", response["errorMessage"])
    });
    insta::assert_snapshot!(told.join("\n"), @r#"
     (0): "the event is not the request of a CloudFormation macro"
    {"requestId": "r", "fragment": {"canary (39): "the event is not the request of a CloudFormation macro"
    ["canary"] (10): "the event is not the request of a CloudFormation macro"
    "canary" (8): "the event is not the request of a CloudFormation macro"
    {"requestId": "r"} (18): "the request has no `fragment`"
    {"requestId": {"canary": 1}} (28): "the request has no `fragment`"
    {"requestId": "r", "fragment": "canary"} (40): "the transform stands where no task definition can be seen: not in an object; way out: put the transform at the top of the template, or beside `ContainerDefinitions`"
    {"requestId": "r", "fragment": null} (36): "the request has no `fragment`"
    {"requestId": "r", "fragment": {}, "params": "canary"} (54): "the `params` of the request are no object"
    {"requestId": "r", "fragment": {"Resources": [[[[[[[[[[[[[[[ (448): "the template cannot be read: values are nested more than 120 levels deep"
    {"requestId": "r", "fragment": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[ (200033): "the template cannot be read: values are nested more than 120 levels deep"
    {"requestId": "r", "fragment": {}, "params": [[[[[[[[[[[[[[[ (447): "the `params` of the request are no object"
    {"requestId": "r", "fragment": {"Canary": "canary-��"}} (55): "the event is no text in UTF-8"
    "#);
    // The process still works, and what a request holds besides is none of its business.
    let more = r#"{"requestId": "r", "fragment": {"Resources": {}}, "somethingNew": [{"canary": 1}], "params": null}"#;
    let (response, _) = subject.event(more.as_bytes(), "r", LONG);
    assert_eq!(response["fragment"], json!({"Resources": {}}));
}

#[test]
fn a_transform_inside_a_container_is_refused() {
    let subject = Subject::start(&lacework(&[]));
    let place = "/Resources/Task/Properties/ContainerDefinitions/0";
    let mut template = task(json!([{"Name": "api", "Image": "shop/api:1"}]));
    template.as_object_mut().unwrap().shift_remove("Transform");
    insta::assert_snapshot!(failure(&subject, &with_snippet(template, place)), @"`snippet`, container `api`: the transform stands inside one container definition, where no sidecar can be added (snippet-too-small); way out: put the transform at the top of the template, or beside `ContainerDefinitions`");
}

#[test]
fn as_much_as_lambda_takes() {
    let subject = Subject::start(&lacework(&[]));
    let stated =
        json!([{"Name": "api", "Image": "shop/api:1", "EntryPoint": ["/entry"], "User": "root"}]);
    let mut template = task(stated);
    let rest = event(&template).len() + r#","Metadata":"""#.len();
    template["Metadata"] = json!("canary".repeat((PAYLOAD_MAX - rest) / 6));
    let event = event(&template);
    assert!(event.len() > PAYLOAD_MAX - 6 && event.len() <= PAYLOAD_MAX);
    let (response, took) = subject.event(event.as_bytes(), "r", LONG);
    println!("{} bytes: answered in {took:?}", event.len());
    let told = response["errorMessage"].as_str().unwrap();
    insta::assert_snapshot!(told, @"the processed template has 6291800 bytes, and no more than 6290432 are taken (template-too-large); way out: split it into nested stacks, each with the transform");
    // Another event of any kind is that large, too.
    let (_, took) = subject.event(&vec![b'['; PAYLOAD_MAX], "", LONG);
    assert!(took < LONG);
}

/// A template of this length that grows when it is processed.
fn as_long_as(length: usize) -> Value {
    let mut template = task(
        json!([{"Name": "api", "Image": "shop/api:1", "EntryPoint": ["/entry"], "User": "root"}]),
    );
    template["Description"] = json!("");
    let text = "x".repeat(length - template.to_string().len());
    template["Description"] = json!(text);
    template
}

#[test]
fn a_result_that_is_too_long() {
    let subject = Subject::start(&lacework(&[]));
    let in_s3 = Deployment {
        passed: Passed::InS3,
        ..Deployment::default()
    };
    let told = subject.process(&as_long_as(1_000_000), &in_s3).unwrap_err();
    insta::assert_snapshot!(told, @"Transform 123456789012::Outrigger failed with: the processed template has 1000405 bytes, and no more than 1000000 are taken (template-too-large); way out: split it into nested stacks, each with the transform");
    // The macro does not know how the template came, and warns.
    assert!(subject.process(&as_long_as(51_200), &in_s3).is_ok());
    let log = subject.log();
    let mut lines = log.lines().map(serde_json::from_str::<Value>);
    let warned = |line: &Value| line["level"] == "WARN" && line["limit"] == 51_200;
    assert!(lines.any(|line| warned(&line.unwrap())), "{log}");
    let told = subject
        .process(&as_long_as(51_200), &Deployment::default())
        .unwrap_err();
    assert!(told.starts_with("the processed template has"), "{told}");
}

#[test]
fn a_registry_that_stalls_is_given_up_before_the_time_is_over() {
    let hosts = Hosts::new();
    let registry = hosts.plain(|_: &Seen| {
        let begun = ReplyBody::Stalled(Some("{".into()));
        Reply::ok("application/vnd.oci.image.manifest.v1+json", "").body(begun)
    });
    let host = registry.host();
    let subject = Subject::start(&lacework(&[("OUTRIGGER_INSECURE_REGISTRIES", &host)]));
    let template = of_images(&[format!("{host}/shop/api:1")]);
    let time = Duration::from_secs(3);
    let (response, took) = subject.event(event(&template).as_bytes(), "r", time);
    assert!(took < time, "{took:?}");
    insta::assert_snapshot!(response["errorMessage"].as_str().unwrap().replace(&host, "HOST"), @"`Task`, container `c0`, image `HOST/shop/api:1`: image `HOST/shop/api:1` cannot be read from `HOST`: the time for all images was over at GET http://HOST/v2/shop/api/manifests/1 (deadline-exceeded) (image-unresolved); way out: try again, or state `EntryPoint`, `Command` and `User` in the template");
}

#[test]
fn work_without_an_end_is_given_up_before_the_time_is_over() {
    let subject = Subject::start(&lacework(&[]));
    let stated =
        json!([{"Name": "api", "Image": "shop/api:1", "EntryPoint": ["/entry"], "User": "root"}]);
    let one = task(stated)["Resources"]["Task"].clone();
    let tasks = |count| {
        let tasks = (0..count).map(|number| (format!("Task{number}"), one.clone()));
        let resources: serde_json::Map<String, Value> = tasks.collect();
        event(&json!({"Resources": resources}))
    };
    // The process has started before the time counts.
    subject.event(tasks(1).as_bytes(), "r", LONG);
    // It takes several seconds in a build that is not optimised.
    let event = tasks(14_000);
    let time = Duration::from_secs(2);
    let (response, took) = subject.event(event.as_bytes(), "r", time);
    assert!(took < time, "{took:?}");
    insta::assert_snapshot!(response["errorMessage"], @r#""the time was over before the template was processed; way out: give the function more time or memory, or deploy a smaller template""#);
    // What goes on is not left to take the time of the next invocation.
    let next = subject.ends(event.as_bytes());
    assert!(next.contains("has ended"), "{next}");
}

#[test]
fn a_bucket_that_stalls_is_given_up_before_the_time_is_over() {
    let hosts = Hosts::new();
    let bucket = hosts.plain(|_: &Seen| {
        Reply::ok("text/yaml", "").body(ReplyBody::Stalled(Some("recipe: 1\n".into())))
    });
    let url = format!("http://{}", bucket.host());
    let subject = Subject::start(&[
        ("AWS_ENDPOINT_URL", &url),
        ("OUTRIGGER_RECIPE", "s3://recipes/own.yaml"),
    ]);
    let time = Duration::from_secs(3);
    let (response, took) = subject.event(event(&service()).as_bytes(), "r", time);
    assert!(took < time, "{took:?}");
    insta::assert_snapshot!(response["errorMessage"], @r#""the time was over before the recipe and the lock file were read""#);
}

#[test]
fn a_registry_that_is_down() {
    let hosts = Hosts::new();
    let registry = hosts.plain(|_: &Seen| Reply::new(404));
    let host = registry.host();
    drop((hosts, registry));
    let subject = Subject::start(&lacework(&[("OUTRIGGER_INSECURE_REGISTRIES", &host)]));
    let template = of_images(&[format!("{host}/shop/api:1")]);
    insta::assert_snapshot!(failure(&subject, &template).replace(&host, "HOST"), @"`Task`, container `c0`, image `HOST/shop/api:1`: image `HOST/shop/api:1` cannot be read from `HOST`: no connection to `HOST` in 4 attempts: it is refused (registry-unreachable) (image-unresolved); way out: check network and proxy, or try again, or state `EntryPoint`, `Command` and `User` in the template");
}

#[test]
fn many_problems_are_counted() {
    let hosts = Hosts::new();
    let registry = hosts.plain(|_: &Seen| Reply::new(404));
    let host = registry.host();
    let subject = Subject::start(&lacework(&[("OUTRIGGER_INSECURE_REGISTRIES", &host)]));
    let images: Vec<String> = (0..9)
        .map(|number| format!("{host}/{}:{number}", "shop/".repeat(40) + "api"))
        .collect();
    let mut template = of_images(&images);
    let one = template["Resources"]["Task"].clone();
    for number in 0..5 {
        template["Resources"][format!("Task{number}")] = one.clone();
    }
    let told = failure(&subject, &template);
    assert!(
        told.starts_with("54 problems: [1] `Task`, container `c0`"),
        "{told}"
    );
    assert!(
        told.ends_with(" more: see the log of the macro's function"),
        "{told}"
    );
    // All of them are in the log.
    let log = subject.log();
    let errors = log
        .lines()
        .filter(|line| line.contains("\"level\":\"ERROR\""));
    assert_eq!(errors.count(), 54);
}

#[test]
fn one_task_definition_may_be_left_out() {
    let hosts = Hosts::new();
    let mut images = Images::default();
    let image = images.image(&config_of("amd64", "server"));
    images.tag("1", &image);
    let registry = hosts.plain(move |seen| images.reply(seen));
    let host = registry.host();
    let mut template = of_images(&[format!("{host}/shop/api:1")]);
    let mut other = template["Resources"]["Task"].clone();
    other["Properties"]["ContainerDefinitions"][0]["Image"] = json!(format!("{host}/shop/api:2"));
    template["Resources"]["Other"] = other.clone();
    let settings = [
        ("OUTRIGGER_INSECURE_REGISTRIES", host.as_str()),
        ("OUTRIGGER_ON_UNRESOLVED", "skip"),
    ];
    let subject = Subject::start(&lacework(&settings));
    let processed = subject.process(&template, &Deployment::default()).unwrap();
    assert_eq!(processed["Resources"]["Other"], other);
    assert_ne!(
        processed["Resources"]["Task"],
        template["Resources"]["Task"]
    );
}
