use super::*;
use serde_json::json;

/// The task definitions of a snippet: ID and path.
fn found(snippet: &Value) -> Vec<(String, String)> {
    let survey = in_snippet(snippet).expect("an object");
    survey
        .found
        .iter()
        .map(|found| (found.id.clone(), written(&found.path)))
        .collect()
}

fn written(path: &Path) -> String {
    path.iter().fold(String::new(), |text, step| match step {
        Step::Key(key) => format!("{text}/{key}"),
        Step::Index(index) => format!("{text}/{index}"),
    })
}

fn pair(id: &str, path: &str) -> Vec<(String, String)> {
    vec![(id.to_owned(), path.to_owned())]
}

#[test]
fn a_snippet_may_be_any_object_above_a_container() {
    let properties = json!({"ContainerDefinitions": []});
    let resource = json!({"Type": TASK_DEFINITION, "Properties": properties});
    let resources = json!({"Task": resource, "Queue": {"Type": "AWS::SQS::Queue"}});
    assert_eq!(found(&properties), pair("snippet", ""));
    assert_eq!(found(&resource), pair("snippet", "/Properties"));
    assert_eq!(found(&resources), pair("Task", "/Task/Properties"));
    assert_eq!(kind_of_fragment(&resources), DocumentKind::Snippet);
    let template = json!({"Resources": resources});
    assert_eq!(found(&template), pair("Task", "/Resources/Task/Properties"));
    assert_eq!(kind_of_fragment(&template), DocumentKind::Template);
}

#[test]
fn a_resource_may_be_called_resources() {
    let task = json!({"Type": TASK_DEFINITION, "Properties": {"ContainerDefinitions": []}});
    let snippet = json!({"Resources": {"Type": "AWS::SQS::Queue"}, "Task": task});
    assert_eq!(found(&snippet), pair("Task", "/Task/Properties"));
    let snippet = json!({"Resources": task});
    assert_eq!(found(&snippet), pair("Resources", "/Resources/Properties"));
    let bare = json!({"Type": TASK_DEFINITION});
    assert_eq!(found(&bare), pair("snippet", "/Properties"));
    assert!(in_snippet(&bare).unwrap().found[0].properties.is_none());
}

/// The findings of a snippet, without task definitions.
fn said(snippet: &Value) -> Vec<Code> {
    let survey = in_snippet(snippet).expect("an object");
    assert!(survey.found.is_empty(), "{snippet}");
    let findings = survey.findings.iter();
    findings.map(|(_, finding)| finding.code).collect()
}

#[test]
fn a_snippet_without_a_task_definition_or_a_resource_is_too_small() {
    for snippet in [
        json!({}),
        json!({"Name": "app", "Image": "app:1"}),
        json!({"Environment": [], "Essential": true}),
        json!({"Fn::If": ["C", {"Name": "app", "Image": "app:1"}, {"Ref": "AWS::NoValue"}]}),
        json!({"Family": "x", "Cpu": "256", "ProxyConfiguration": {"Type": "APPMESH"}}),
        json!({"Name": "example.org", "Type": "A"}),
    ] {
        assert_eq!(said(&snippet), [Code::SnippetTooSmall], "{snippet}");
    }
    assert!(in_snippet(&json!([])).is_none());
}

#[test]
fn what_is_too_small_says_where_a_transform_may_stand() {
    let message = |snippet: Value| {
        let survey = in_snippet(&snippet).expect("an object");
        let (_, finding) = &survey.findings[0];
        let hint = finding.hint.as_deref().unwrap_or_default();
        format!("{}; {hint}", finding.message)
    };
    insta::assert_snapshot!(message(json!({"Name": "app", "Image": "app:1"})), @"the transform stands inside one container definition, where no sidecar can be added; put the transform at the top of the template, or beside `ContainerDefinitions`");
    insta::assert_snapshot!(message(json!({})), @"the transform stands where no task definition can be seen: beside neither resources nor `ContainerDefinitions`; put the transform at the top of the template, or beside `ContainerDefinitions`");
    let error = crate::DocumentError::NotASnippet;
    let hint = error.hint().unwrap_or_default();
    insta::assert_snapshot!(format!("{error}; {hint}"), @"the transform stands where no task definition can be seen: not in an object; put the transform at the top of the template, or beside `ContainerDefinitions`");
}

#[test]
fn a_snippet_of_other_resources_is_complete() {
    let queue = json!({"Type": "AWS::SQS::Queue"});
    assert_eq!(said(&queue), []);
    assert_eq!(said(&json!({"Queue": queue})), []);
    assert_eq!(
        said(&json!({"Fn::ForEach::Q": ["Q", ["a"], {"Queue${Q}": queue}]})),
        []
    );
    let brought = json!({"Fn::Transform": {"Name": "AWS::Include"}});
    assert_eq!(said(&brought), [Code::NestedTemplate]);
}

#[test]
fn a_type_of_a_loop_that_is_not_there_may_be_a_task_definition() {
    let typed = |kind: &str| json!({"Thing": {"Type": kind, "Properties": {}}});
    assert_eq!(
        said(&typed("AWS::${Service}::TaskDefinition")),
        [Code::CannotReadContainers]
    );
    assert_eq!(said(&typed("AWS::SQS::${Kind}")), []);
}

#[test]
fn loops_give_every_combination_of_their_literal_items() {
    let each = |variable: &str, items: Option<&[&str]>| Loop {
        variable: variable.to_owned(),
        items: items.map(|items| items.iter().map(|item| (*item).to_owned()).collect()),
    };
    let two = [each("A", Some(&["1", "2"])), each("B", Some(&["3"]))];
    let items = loop_items(&two);
    let a: Vec<Option<&str>> = items.iter().map(|item| item["A"].as_deref()).collect();
    assert_eq!(a, [Some("1"), Some("2")]);
    assert!(items.iter().all(|item| item["B"].as_deref() == Some("3")));
    assert_eq!(loop_items(&[each("A", None)])[0]["A"], None);
    assert_eq!(loop_items(&[]).len(), 1);
}
