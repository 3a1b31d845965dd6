//! The program, with its streams.

use std::fs;
use std::path::Path;

use cli::Exit;
use serde_json::{Value, json};

fn run(args: &[&str], mut stdin: &[u8]) -> (Exit, String, String) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let exit = crate::run(args.iter().copied(), &mut stdin, &mut stdout, &mut stderr);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (exit, text(stdout), text(stderr))
}

/// A plan with one task definition, of which a value may be sensitive.
fn plan(sensitive: bool) -> String {
    let definitions = json!([{"name": "hunter2", "image": "hunter2:1", "entryPoint": ["hunter2"]}]);
    let after = json!({
        "container_definitions": definitions.to_string(), "cpu": "256", "family": "app", "memory": "512",
        "network_mode": "awsvpc", "requires_compatibilities": ["FARGATE"],
    });
    let marks = json!({"container_definitions": sensitive});
    let resource = json!({"address": "module.a[\"k\"].aws_ecs_task_definition.app", "mode": "managed",
        "type": "aws_ecs_task_definition", "name": "app"});
    let with = |members: Value| {
        let mut resource = resource.as_object().unwrap().clone();
        resource.extend(members.as_object().unwrap().clone());
        resource
    };
    let plan = json!({
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": [with(json!({"values": after, "sensitive_values": marks}))]}},
        "resource_changes": [with(json!({"change": {"actions": ["create"], "before": null, "after": after,
            "after_unknown": {"arn": true}, "after_sensitive": marks}}))],
    });
    plan.to_string()
}

const RECIPE: [&str; 3] = ["--recipe", "alert-logic", "--offline"];

#[test]
fn from_a_pipe_and_from_a_file_to_either() {
    let folder = tempfile::tempdir().unwrap();
    let [input, output] = ["plan.json", "out.json"].map(|name| folder.path().join(name));
    fs::write(&input, plan(false)).unwrap();
    let [file, out] = [&input, &output].map(|path| path.to_str().unwrap());
    let (exit, piped, _) = run(&RECIPE, plan(false).as_bytes());
    assert_eq!(exit, Exit::Done);
    assert!(piped.contains("al-agent"));
    let (exit, stdout, _) = run(&[&[file, "-o", out][..], &RECIPE].concat(), b"");
    assert_eq!((exit, stdout.as_str()), (Exit::Done, ""));
    assert_eq!(fs::read_to_string(&output).unwrap(), piped);
    let in_place = [&[out, "--in-place", "--detailed-exitcode"][..], &RECIPE].concat();
    assert_eq!(run(&in_place, b"").0, Exit::Done);
    assert_eq!(fs::read_to_string(&output).unwrap(), piped);
    let (exit, stdout, _) = run(&[&["--check"][..], &RECIPE].concat(), piped.as_bytes());
    assert_eq!((exit, stdout.as_str()), (Exit::Done, ""));
}

#[test]
fn a_byte_order_mark_stays() {
    let (_, out, _) = run(&RECIPE, format!("\u{feff}{}", plan(false)).as_bytes());
    assert!(out.starts_with("\u{feff}{") && out.contains("al-agent"));
}

#[test]
fn no_report_shows_what_is_sensitive() {
    for check in [false, true] {
        for format in ["text", "json", "markdown", "sarif"] {
            let mut args = [&["--report", format][..], &RECIPE].concat();
            args.push(if check { "--check" } else { "--diff" });
            let (_, shown, report) = run(&args, plan(true).as_bytes());
            assert!(
                !report.contains("hunter2") && !shown.contains("hunter2"),
                "{report}{shown}"
            );
            let (_, _, report) = run(&args, plan(false).as_bytes());
            let address = match format {
                "json" | "sarif" => r#"module.a[\"k\"].aws_ecs_task_definition.app"#,
                _ => "aws_ecs_task_definition.app",
            };
            // Code scanning is told of findings alone, and only the check has one.
            let told = check || format != "sarif";
            assert_eq!(report.contains(address), told, "{format}: {report}");
        }
    }
}

#[test]
fn a_lock_file_holds_no_image_of_a_sensitive_definition() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    // The entry point is left to the image, so that it has to be read.
    fs::write(&file, plan(true).replace("entryPoint", "someDay")).unwrap();
    let secret = "accessToken=arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbCdEf";
    let args = [
        "lock",
        file.to_str().unwrap(),
        "--recipe",
        "lacework",
        "--set",
        secret,
    ];
    let (exit, _, said) = run(&args, b"");
    assert_eq!(exit, Exit::Done, "{said}");
    assert!(!said.contains("hunter2"));
    assert!(!folder.path().join("outrigger.lock").exists());
}

#[test]
fn settings_of_templates_are_no_mistake_beside_a_plan() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    fs::write(&file, plan(false)).unwrap();
    let settings = "recipe: alert-logic\npolicies: {offline: true, parameterizedImages: resolve}\ndeployment: {region: eu-west-1}\n";
    fs::write(folder.path().join("outrigger.yaml"), settings).unwrap();
    let (exit, out, said) = run(&[file.to_str().unwrap()], b"");
    assert_eq!(exit, Exit::Done, "{said}");
    assert!(out.contains("al-agent"));
    let (exit, out, _) = run(&["settings", file.to_str().unwrap()], b"");
    assert_eq!(exit, Exit::Done);
    assert!(out.contains("alert-logic"), "{out}");
}

#[test]
fn the_queries_of_the_documentation_are_queries() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/terraform.md");
    let page = fs::read_to_string(page).unwrap();
    let mut queries = 0;
    for line in page
        .lines()
        .filter(|line| line.starts_with("tf-filter plan.json"))
    {
        let Some((_, query)) = line.split_once('"') else {
            continue;
        };
        let args = [&["--exclude", query.trim_end_matches('"')][..], &RECIPE].concat();
        let (exit, _, said) = run(&args, plan(false).as_bytes());
        assert_eq!(exit, Exit::Done, "{query}: {said}");
        queries += 1;
    }
    assert_eq!(queries, 3);
}
