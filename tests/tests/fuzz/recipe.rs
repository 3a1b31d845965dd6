//! Recipes, as their authors may leave them.

use std::fs;

use cli::Variables;
use outrigger_tests::document::parse;
use outrigger_tests::run::{Ran, cfn_filter, cfn_filter_online};
use taskdef::recipe::Recipe;
use tempfile::TempDir;

use crate::documents::{again, seen, written};
use crate::driver::{Seen, Target};
use crate::random::hash;
use crate::seeds;

const WORDS: &[&str] = &[
    "recipe",
    "name",
    "description",
    "documentation",
    "agentImages",
    "agentPrograms",
    "inputs",
    "default",
    "secret",
    "required",
    "allowed",
    "requiredWhen",
    "forbiddenWhen",
    "mayBeEmpty",
    "type",
    "workload",
    "sidecars",
    "settings",
    "process",
    "wrapper",
    "suffix",
    "script",
    "arrangement",
    "each",
    "position",
    "scope",
    "when",
    "that",
    "message",
    "hint",
    "text",
    "link",
    "task",
    "volumes",
    "network",
    "requires",
    "prerequisites",
    "permissions",
    "executionRole",
    "taskRole",
    "vendor",
    "assumes",
    "compatibility",
    "versions",
    "blocks",
    "mutableImage",
    "autoprovision",
    "environment",
    "secrets",
    "value",
    "valueFrom",
    "volumesFrom",
    "sourceContainer",
    "dependsOn",
    "containerName",
    "condition",
    "linuxParameters",
    "capabilities",
    "add",
    "drop",
    "mountPoints",
    "containerPath",
    "readOnly",
    "dockerLabels",
    "portMappings",
    "containerPort",
    "user",
    "image",
    "command",
    "entryPoint",
    "essential",
    "cpu",
    "memory",
    "registryCredentials",
    "sidecarCpu",
    "start",
    "first",
    "last",
    "START",
    "SYS_PTRACE",
    "true",
    "{{ inputs.image }}",
    "{{ container.name }}",
    "{{ container.user }}",
    "{{ container.image }}",
    "{{ container.entryPoint }}",
    "{{ task.family }}",
    "{{ container.architecture }}",
    "{% if true %}x{% endif %}",
    "{% for a in range(100000) %}x{% endfor %}",
    "{{ 'x' * 1000000 }}",
    "{{ [1] * 100000 }}",
    "{{ a.b.c }}",
    "{{ inputs }}",
    "{{ container }}",
    "{{ 1 / 0 }}",
    "{{ range(1000000000) }}",
    "{{ -9223372036854775808 // -1 }}",
    "{{ 2 ** 1000 }}",
    "{{ x | upper }}",
    "{{ inputs.image | replace(\"\", \"aa\") }}",
    "{{ debug() }}",
    "${AWS::Region}",
    "!Ref X",
    "inputs.image == \"\"",
    "not",
    "or",
];

/// What it is tried on: a container of each kind.
const TEMPLATE: &str = r#"{"Resources": {"Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {
    "Family": "shop", "RequiresCompatibilities": ["FARGATE"], "NetworkMode": "awsvpc", "Cpu": "512", "Memory": "1024",
    "ContainerDefinitions": [
        {"Name": "api", "Image": "nginx:1.27", "User": "root", "EntryPoint": ["/bin/api"], "Command": ["--port", "80"],
         "Environment": [{"Name": "A", "Value": "1"}], "DependsOn": [{"ContainerName": "log", "Condition": "START"}]},
        {"Name": "log", "Image": "fluent/fluent-bit:3", "FirelensConfiguration": {"Type": "fluentbit"}, "EntryPoint": ["/bin/log"]},
        {"Name": {"Ref": "Name"}, "Image": {"Ref": "Image"}, "EntryPoint": ["sh", "-c"], "Command": ["exec work"], "Essential": false}
    ]}}}}
"#;

pub(crate) fn target() -> Target {
    Target {
        name: "recipe",
        inputs: 100,
        words: WORDS,
        seeds: || {
            seeds::files(&["cases", "../templates"], |name| {
                name == "recipe.yaml"
                    || name == "other.yaml"
                    || !name.contains("template")
                        && name.ends_with(".yaml")
                        && !name.starts_with("expected")
            })
        },
        check: || {
            let folder = tempfile::tempdir().unwrap();
            Box::new(move |input: &[u8]| check(&folder, input))
        },
    }
}

fn run(args: &[&str], stdin: &[u8]) -> Ran {
    let words: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    match args.first() {
        // It asks nobody, and has no option that says so.
        Some(&"recipes") => cfn_filter_online(&words, b"", Variables::default()),
        _ => cfn_filter(&words, stdin),
    }
}

fn check(folder: &TempDir, input: &[u8]) -> Result<Seen, String> {
    let file = folder.path().join("recipe.yaml");
    fs::write(&file, input).unwrap();
    let file = file.display().to_string();
    let checked = run(&["recipes", "check", &file], b"");
    let said = &checked.stderr;
    if !matches!(checked.exit, 0..=3) || (checked.exit == 1 && said.is_empty()) {
        return Err(format!("a check: exit code {}: {said}", checked.exit));
    }
    let text = std::str::from_utf8(input).ok();
    let Some(recipe) = text.and_then(|text| Recipe::parse(&file, text).ok()) else {
        return match checked.exit {
            0 => Err("a check: a recipe that is none passes".to_owned()),
            _ => Ok(seen(&checked)),
        };
    };
    let shown = run(&["recipes", "show", &file], b"");
    if shown.exit != 0 {
        return Err(format!("a recipe is not shown: {}", shown.stderr));
    }
    let once = applied(&recipe, &file)?;
    let sights = [seen(&checked), seen(&once)];
    Ok(hash(&sights.map(u64::to_le_bytes).concat()))
}

/// The recipe on the template, with something for each of its inputs; and once more.
fn applied(recipe: &Recipe, file: &str) -> Result<Ran, String> {
    const SECRET: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a-AbCdEf";
    let inputs = recipe.declarations().iter();
    let inputs: Vec<String> = inputs
        .map(|input| format!("--set={}={SECRET}", input.name))
        .collect();
    let mut args = vec!["-", "--recipe", file, "--on-unresolved", "skip"];
    args.extend(["--parameterized-images", "resolve"]);
    args.extend(inputs.iter().map(String::as_str));
    let once = run(&args, TEMPLATE.as_bytes());
    if let Some(output) = written(&once)? {
        parse(output).map_err(|error| format!("the output is no template: {error}"))?;
        again(&once, &run(&args, output))?;
    }
    Ok(once)
}
