use serde_json::{Map, Value, json};

use taskdef::DocumentKind;

use super::{Instrumented, Wrong, answers, compact, definitions_alone, document, instrument};
use crate::problem::told;
use crate::{config, task};

fn app() -> Value {
    json!({
        "family": "app", "cpu": "512", "memory": "1024", "network_mode": "awsvpc",
        "requires_compatibilities": ["FARGATE"], "cpu_architecture": "X86_64",
        "execution_role_arn": "arn:aws:iam::123456789012:role/execution",
    })
}

fn images() -> Value {
    json!({"docker.io/library/nginx:1.27": {"linux/amd64": {"entrypoint": ["/docker-entrypoint.sh"], "cmd": ["nginx", "-g", "daemon off;"]}}})
}

const SECRET: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:agent-AbCdEf";

fn lacework() -> Value {
    json!({"recipe": "lacework", "inputs": {"accessToken": {"valueFrom": SECRET}}, "images": images()})
}

fn call(definitions: &str, task: &Value, config: &Value) -> Result<Instrumented, Wrong> {
    let task: Map<String, Value> = task::read(task).map_err(Wrong::Task)?;
    let config = config::read(config).map_err(Wrong::Config)?;
    instrument(definitions, &task, &config)
}

fn refused(definitions: &str, task: &Value, config: &Value) -> String {
    let wrong = call(definitions, task, config).and_then(definitions_alone);
    let told = match wrong.unwrap_err() {
        Wrong::Definitions(problems) => format!("container_definitions: {}", told(&problems)),
        Wrong::Task(problems) => format!("task: {}", told(&problems)),
        Wrong::Config(problems) => format!("config: {}", told(&problems)),
    };
    assert!(!told.contains("hunter2"), "{told}");
    told
}

const WEB: &str = r#"[ {"name": "web", "image": "nginx:1.27", "cpu": 1e2, "essential": true} ]"#;

#[test]
fn the_program_of_the_image_is_wrapped_with_its_arguments() {
    let instrumented = call(WEB, &app(), &lacework()).unwrap();
    assert!(instrumented.changed.is_empty());
    let text = &instrumented.definitions;
    // What was there stays as it was written.
    assert!(
        text.starts_with(r#"[{"name":"web","image":"nginx:1.27","cpu":1e2,"essential":true,"#),
        "{text}"
    );
    let containers: Value = serde_json::from_str(text).unwrap();
    assert_eq!(containers[0]["entryPoint"][1], "/docker-entrypoint.sh");
    assert_eq!(
        containers[0]["command"],
        json!(["nginx", "-g", "daemon off;"])
    );
    assert!(containers.as_array().unwrap().len() > 1);
    // A second time nothing changes, to the byte.
    let again = call(text, &app(), &lacework()).unwrap();
    assert_eq!(again.definitions, *text);
}

#[test]
fn what_cannot_be_done_is_said_with_the_argument() {
    let config = lacework();
    insta::assert_snapshot!(refused("hunter2", &app(), &config), @"
    container_definitions: the container definitions are no JSON, at line 1, column 1
      way out: give the text that `jsonencode([...])` makes of a list
    ");
    insta::assert_snapshot!(refused("{\"hunter2\": 1}", &app(), &config), @"
    container_definitions: the container definitions are no list
      way out: give the text that `jsonencode([...])` makes of a list
    ");
    insta::assert_snapshot!(refused("[], \"family\": []", &app(), &config), @"
    container_definitions: the container definitions are no JSON, at line 1, column 3
      way out: give the text that `jsonencode([...])` makes of a list
    ");
    insta::assert_snapshot!(refused("[{\"name\": \"web\", \"name\": \"hunter2\"}]", &app(), &config), @"container_definitions: the container definitions cannot be read: the key `name` stands twice in the same object");
    let other = WEB.replace("1.27", "1.28");
    insta::assert_snapshot!(refused(&other, &app(), &config), @"
    container_definitions: container `web`: image `docker.io/library/nginx:1.28` for `linux/amd64` is not in `config.images` (image-unresolved)
      way out: name it in the data source `outrigger_images`, write it to the lock file with `cfn-filter lock`, or state `entryPoint`, `command` and `user` in the task definition
    ");
    let mut windows = app();
    windows["operating_system_family"] = json!("WINDOWS_SERVER_2022_CORE");
    insta::assert_snapshot!(refused(WEB, &windows, &config), @"
    task: a Windows task, which the recipe does not support (windows-task)
      way out: say in `task` what the resource says, and call the function for Linux tasks of Fargate alone
    ");
    insta::assert_snapshot!(refused(WEB, &json!({"family": "app", "requires_compatibilities": ["EC2"]}), &config), @"
    task: `requires_compatibilities` does not contain FARGATE (not-fargate)
      way out: say in `task` what the resource says, and call the function for Linux tasks of Fargate alone
    ");
    let mut config = lacework();
    config["inputs"] = json!({"accessToken": {"valueFrom": {"Ref": "hunter2"}}});
    insta::assert_snapshot!(refused(WEB, &app(), &config), @"config: recipe `lacework`: the input `accessToken` is an intrinsic function, and there are none in a bare task definition");
}

/// The provider of AWS reads a name in any case of letters: a second one would win over ours, or lose.
#[test]
fn a_name_in_another_case_of_letters_is_refused() {
    let other = |names: &str| format!(r#"[{{"name": "web", "image": "nginx:1.27", {names}}}]"#);
    let told = [
        r#""entrypoint": ["/mine"], "command": ["x"]"#,
        r#""Command": ["x"]"#,
        r#""Image": "other""#,
    ]
    .map(|names| refused(&other(names), &app(), &lacework()));
    insta::assert_snapshot!(told.join("\n"), @"
    container_definitions: `entrypoint` is not the name that the ECS API has, and is taken for `entryPoint` all the same (cannot-read-containers)
      way out: write names as the ECS API does
    container_definitions: `Command` is not the name that the ECS API has, and is taken for `command` all the same (cannot-read-containers)
      way out: write names as the ECS API does
    container_definitions: `Image` is not the name that the ECS API has, and is taken for `image` all the same (cannot-read-containers)
      way out: write names as the ECS API does
    ");
}

#[test]
fn a_volume_that_could_not_be_given_back_is_refused() {
    let mut task = app();
    task["volumes"] = json!([{"name": "a", "efs_volume_configuration": []}, {"name": "data", "efs_volume_configuration": [{"file_system_id": "hunter2"}]}]);
    insta::assert_snapshot!(refused(WEB, &task, &lacework()), @r#"
    task: `task.volumes` holds `efs_volume_configuration`
      way out: give the name alone, `[{ name = "data" }]`, and write the block `volume` in the resource itself
    "#);
}

#[test]
fn a_task_that_somebody_has_left_out_stays_as_it_is() {
    let mut task = app();
    task["tags"] = json!({"outrigger:instrument": "false"});
    let instrumented = call(WEB, &task, &lacework()).unwrap();
    assert_eq!(instrumented.definitions, compact(WEB));
}

#[test]
fn what_the_recipe_asks_of_the_task_has_to_be_stated() {
    let config = json!({"recipe": "sysdig", "images": images(), "inputs": {
        "accessKey": {"valueFrom": SECRET}, "orchestratorHost": "o.example.com", "orchestratorPort": "6667",
        "pidMode": "task",
    }});
    insta::assert_snapshot!(refused(WEB, &app(), &config), @r#"
    task: the recipe asks for `pid_mode = "task"` of the task, and this function returns container definitions alone
      way out: state it in the resource and in `task`, or take it from `instrument_task`
    "#);
    let mut task = app();
    task["pid_mode"] = json!("task");
    let instrumented = call(WEB, &task, &config).and_then(definitions_alone);
    assert!(instrumented.unwrap().contains("nginx"));
}

#[test]
fn only_the_space_between_the_parts_goes() {
    let text = "[ {\n  \"a\" : \"b \\\" c \\\\\" ,\t\"d\": [1.50, 1E3 ] } ]\n";
    assert_eq!(compact(text), r#"[{"a":"b \" c \\","d":[1.50,1E3]}]"#);
}

#[test]
fn what_is_a_warning_elsewhere_passes() {
    let mut given = lacework();
    given["inputs"] = json!({"accessToken": "hunter2"});
    let mut task = app();
    task["tags"] = json!({"outrigger:exclude-containers": "nobody"});
    assert!(call(WEB, &task, &given).is_ok());
    let (task, config) = (task::read(&task).unwrap(), config::read(&given).unwrap());
    let document: Value = serde_json::from_str(&document(WEB, &task).unwrap()).unwrap();
    let (kind, recipes) = (DocumentKind::TaskDefinition, &config.recipes);
    let needed = taskdef::images_needed(&document, kind, recipes, &config.settings).unwrap();
    let answers = answers(&needed, &config);
    let rewritten = taskdef::rewrite(&document, kind, recipes, &config.settings, &answers);
    let report = rewritten.unwrap().report;
    let tasks = report.task_definitions.iter();
    let findings = tasks.flat_map(|task| &task.findings);
    let findings = findings.chain(report.findings.iter().map(|(_, finding)| finding));
    let codes: Vec<String> = findings.map(|finding| finding.code.to_string()).collect();
    insta::assert_snapshot!(codes.join(" "), @"selection-tag assumes-shell assumes-certificates secret-in-clear");
    // Those about an image can be made errors.
    given["policies"] = json!({"assumptions": "fail"});
    assert!(refused(WEB, &app(), &given).contains("(assumption-not-confirmed)"));
    given["policies"]["confirmedImages"] = json!(["nginx:1.27"]);
    assert!(call(WEB, &app(), &given).is_ok());
}
