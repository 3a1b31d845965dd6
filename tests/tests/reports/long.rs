//! Documents that make a long report.

use outrigger_tests::reports::{Format, broken, report};
use outrigger_tests::run::cfn_filter;
use serde_json::{Map, Value, json};

const MANY: usize = 400;

fn template() -> String {
    let resources: Map<String, Value> = (0..MANY)
        .map(|number| {
            let container = json!({"Name": "app", "Image": "nginx", "EntryPoint": ["/app"], "User": "root"});
            let task = json!({
                "Type": "AWS::ECS::TaskDefinition",
                "Properties": {"RequiresCompatibilities": ["FARGATE"], "ContainerDefinitions": [container]},
            });
            (format!("Task{number:03}"), task)
        })
        .collect();
    json!({"Resources": resources}).to_string()
}

fn page(document: &str, more: &[&str], exit: u8) -> String {
    let args = [&["--recipe", "alert-logic"], more].concat();
    let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
    let run = |more: &[String]| cfn_filter(&[args.as_slice(), more].concat(), document.as_bytes());
    let told = report(Format::Markdown, &run).unwrap();
    assert_eq!(told.ran.exit, exit, "{}", told.ran.stderr);
    assert_eq!(
        broken(Format::Markdown, &told.text, exit),
        Vec::<String>::new()
    );
    told.text
}

#[test]
fn a_long_comment_is_cut_and_says_so() {
    let text = page(&template(), &[], 0);
    assert!(text.len() > 50_000, "{} bytes", text.len());
    assert!(text.contains("**This report is cut**: what became of "));
    assert!(text.contains(" of 400 task definitions is told below"));
    assert!(text.contains("| and 300 more | | | |"));
    assert!(text.contains("What the roles need (IAM)"));
}

#[test]
fn a_refusal_is_told_before_what_was_done() {
    let document = template();
    let (before, last) = document.split_at(document.find("\"Task399\"").unwrap());
    let last = last.replacen(
        "\"ContainerDefinitions\":[",
        "\"ContainerDefinitions\":[3,",
        1,
    );
    let text = page(&format!("{before}{last}"), &["--on-unresolved", "skip"], 3);
    assert!(text.contains("**This report is cut**"));
    assert!(text.contains("### `Task399`: refused"), "{text}");
    assert!(text.contains("| `Task399`, line 1 | **refused** |"));
}
