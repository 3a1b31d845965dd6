//! Real templates of other people, with both recipes.
//!
//! `OUTRIGGER_CORPUS` names a folder with `cloudformation/*`; without it the test
//! says so and passes. `CFN_LINT` names cfn-lint, which has to be there when
//! `OUTRIGGER_TOOLS=required`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use outrigger_tests::document::{self, at, container_definitions, parse, task_definitions};
use outrigger_tests::law::{self, LACEWORK};
use outrigger_tests::outside::changed_outside;
use outrigger_tests::run::{Ran, cfn_filter};
use serde_json::{Map, Value, json};

const LACEWORK_ARGS: [&str; 4] = [
    "--recipe",
    "lacework",
    "--set",
    "accessToken=arn:aws:secretsmanager:us-east-1:123456789012:secret:lacework-AbCdEf",
];
const ALERT_LOGIC_ARGS: [&str; 2] = ["--recipe", "alert-logic"];
const WIDE: [&str; 10] = [
    "--parameterized-images",
    "resolve",
    "--launch-types",
    "any",
    "--region",
    "us-east-1",
    "--account-id",
    "123456789012",
    "--on-unresolved",
    "skip",
];

/// One template with one recipe and one set of settings.
struct Row {
    file: String,
    recipe: &'static str,
    settings: &'static str,
    /// Parameters that the report says no longer choose an image.
    resolved: Vec<String>,
    rewritten: usize,
    resolvable: usize,
    all: usize,
    codes: String,
}

#[test]
fn real_templates_are_rewritten_or_refused() {
    let Some(folder) =
        std::env::var_os("OUTRIGGER_CORPUS").map(|path| PathBuf::from(path).join("cloudformation"))
    else {
        println!("note: OUTRIGGER_CORPUS is not set: no real templates were tried");
        return;
    };
    let outputs = tempfile::tempdir().unwrap();
    let mut rows = Vec::new();
    for file in templates(&folder) {
        for (recipe, args) in [
            ("lacework", LACEWORK_ARGS.as_slice()),
            ("alert-logic", &ALERT_LOGIC_ARGS),
        ] {
            rows.push(with_default_settings(&file, recipe, args, outputs.path()));
            rows.push(with_everything_answered(
                &file,
                recipe,
                args,
                outputs.path(),
            ));
        }
    }
    assert!(!rows.is_empty(), "no templates in {}", folder.display());
    print_table(&rows);
    lint(&folder, outputs.path(), &rows);
}

fn templates(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml" || extension == "json")
    });
    files.sort();
    files
}

fn run(file: &Path, args: &[&str]) -> Ran {
    let args: Vec<String> = [file.to_str().unwrap()]
        .iter()
        .chain(args)
        .map(|&arg| arg.to_owned())
        .collect();
    let ran = cfn_filter(&args, b"");
    assert_eq!(
        ran,
        cfn_filter(&args, b""),
        "{}: not the same twice",
        file.display()
    );
    ran
}

fn with_default_settings(file: &Path, recipe: &'static str, args: &[&str], outputs: &Path) -> Row {
    let ran = run(file, &[args, &["--offline"]].concat());
    assert!(
        matches!(ran.exit, 0 | 1),
        "{}: exit code {}\n{}",
        file.display(),
        ran.exit,
        ran.stderr
    );
    assert!(!ran.stderr.is_empty(), "{}: no report", file.display());
    let input = fs::read(file).unwrap();
    if ran.exit == 1 {
        assert!(
            ran.stdout.is_empty(),
            "{}: something was written",
            file.display()
        );
        assert!(
            !codes(&ran.stderr).is_empty(),
            "{}: refused without a finding\n{}",
            file.display(),
            ran.stderr
        );
        return row(file, recipe, "default", &input, &input, &ran);
    }
    check_output(
        file,
        &input,
        &ran,
        recipe,
        &Value::Null,
        &[args, &["--offline"]].concat(),
    );
    keep(&outputs.join(recipe).join("default"), file, &ran.stdout);
    row(file, recipe, "default", &input, &ran.stdout, &ran)
}

fn with_everything_answered(
    file: &Path,
    recipe: &'static str,
    args: &[&str],
    outputs: &Path,
) -> Row {
    let input = fs::read(file).unwrap();
    let document = parse(&input).unwrap();
    let lock = lock_file(&document);
    let lock_path = outputs.join("every-image.lock");
    fs::write(&lock_path, format!("{lock:#}\n")).unwrap();
    let args = [
        args,
        &WIDE,
        &["--locked", "--lock", lock_path.to_str().unwrap()],
    ]
    .concat();
    let ran = run(file, &args);
    assert!(
        matches!(ran.exit, 0 | 3),
        "{}: exit code {}\n{}",
        file.display(),
        ran.exit,
        ran.stderr
    );
    check_output(file, &input, &ran, recipe, &lock, &args);
    keep(
        &outputs.join(recipe).join("all answered"),
        file,
        &ran.stdout,
    );
    let row = row(file, recipe, "all answered", &input, &ran.stdout, &ran);
    assert!(
        row.rewritten >= row.resolvable,
        "{}: {} of {} resolvable task definitions were rewritten\n{}",
        row.file,
        row.rewritten,
        row.resolvable,
        ran.stderr
    );
    row
}

fn keep(folder: &Path, file: &Path, output: &[u8]) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(file.file_name().unwrap()), output).unwrap();
}

fn check_output(file: &Path, input: &[u8], ran: &Ran, recipe: &str, lock: &Value, args: &[&str]) {
    let name = file.display();
    let (before, after) = (parse(input).unwrap(), parse(&ran.stdout).unwrap());
    assert_eq!(
        without_containers(&before),
        without_containers(&after),
        "{name}: something else has changed"
    );
    let ids: Vec<String> = task_definitions(&before)
        .iter()
        .filter_map(|(path, _)| path.rsplit('/').next().map(str::to_owned))
        .collect();
    let outside = changed_outside(
        &String::from_utf8_lossy(input),
        &String::from_utf8_lossy(&ran.stdout),
        &ids,
    );
    assert!(
        outside.is_empty(),
        "{name}: lines outside the task definitions have changed: {outside:?}"
    );
    if recipe == "lacework" {
        let verdict = law::judge(&before, &after, lock, &LACEWORK);
        assert!(verdict.broken.is_empty(), "{name}: {:#?}", verdict.broken);
    }
    let again = tempfile::tempdir().unwrap();
    let copy = again.path().join(file.file_name().unwrap());
    fs::write(&copy, &ran.stdout).unwrap();
    let second = run(&copy, args);
    assert_eq!(
        second.exit, ran.exit,
        "{name}: a second run ends otherwise\n{}",
        second.stderr
    );
    assert!(
        second.stdout == ran.stdout,
        "{name}: a second run changes something\n{}",
        second.stderr
    );
}

fn without_containers(document: &Value) -> Value {
    let mut document = document.clone();
    for (path, _) in task_definitions(&document.clone()) {
        let pointer = format!("/{path}/Properties");
        if let Some(properties) = document
            .pointer_mut(&pointer)
            .and_then(Value::as_object_mut)
        {
            properties.shift_remove("ContainerDefinitions");
        }
    }
    document
}

/// Answers every image that literals, pseudo parameters and parameter defaults name.
fn lock_file(document: &Value) -> Value {
    let entry =
        json!({"entrypoint": ["/entry"], "cmd": ["run", "--it"], "user": "", "workingDir": ""});
    let images: BTreeMap<String, Value> = task_definitions(document)
        .iter()
        .flat_map(|(_, task)| images(document, task))
        .flatten()
        .map(|image| (image, json!({"linux/amd64": entry, "linux/arm64": entry})))
        .collect();
    json!({"version": 1, "images": images})
}

/// The canonical references of a task definition's containers; `None` for one that cannot be known.
fn images(document: &Value, task: &Value) -> Vec<Option<String>> {
    let mut found = Vec::new();
    collect_images(document, container_definitions(task), &mut found);
    found
}

fn collect_images(document: &Value, value: &Value, found: &mut Vec<Option<String>>) {
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_images(document, item, found)),
        Value::Object(map) if map.contains_key("Image") => {
            let text = map.get("Image").and_then(|image| literal(document, image));
            found.push(text.map(|text| outrigger_tests::lock::canonical(&text)));
        }
        Value::Object(map) => map
            .values()
            .for_each(|item| collect_images(document, item, found)),
        _ => {}
    }
}

fn literal(document: &Value, image: &Value) -> Option<String> {
    let default = |name: &str| {
        let parameter = document.get("Parameters")?.get(name)?;
        let ssm = parameter.get("Type")?.as_str()?.starts_with("AWS::SSM::");
        let text = parameter
            .get("Default")?
            .as_str()
            .filter(|_| !ssm && parameter.get("NoEcho").is_none())?;
        Some(text.to_owned())
    };
    match image {
        Value::String(text) if !text.contains("{{") => Some(text.clone()),
        Value::Object(map) => default(map.get("Ref")?.as_str()?),
        _ => None,
    }
}

fn row(
    file: &Path,
    recipe: &'static str,
    settings: &'static str,
    input: &[u8],
    output: &[u8],
    ran: &Ran,
) -> Row {
    let (before, after) = (parse(input).unwrap(), parse(output).unwrap());
    let tasks = task_definitions(&before);
    let rewritten = tasks
        .iter()
        .filter(|(path, task)| at(&after, path) != Some(*task))
        .count();
    let known = |task: &Value| {
        let images = images(&before, task);
        !images.is_empty() && images.iter().all(Option::is_some)
    };
    Row {
        file: file.file_name().unwrap().to_string_lossy().into_owned(),
        recipe,
        settings,
        resolved: resolved(&ran.stderr),
        rewritten,
        resolvable: tasks.iter().filter(|(_, task)| known(task)).count(),
        all: tasks.len(),
        codes: if rewritten == tasks.len() {
            String::new()
        } else {
            codes(&ran.stderr)
        },
    }
}

/// The names in backticks of the findings `parameter-resolved`.
fn resolved(report: &str) -> Vec<String> {
    let lines = report
        .lines()
        .filter(|line| line.contains("[parameter-resolved]"));
    lines
        .flat_map(|line| line.split('`').skip(1).step_by(2).map(str::to_owned))
        .collect()
}

/// The codes of findings that a report names.
fn codes(report: &str) -> String {
    let words: Vec<&str> = report
        .split(|letter: char| !letter.is_ascii_lowercase() && letter != '-')
        .collect();
    let named = taskdef::report::Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| code.contains('-') && words.contains(code));
    named.collect::<Vec<_>>().join(" ")
}

fn print_table(rows: &[Row]) {
    println!(
        "| file | recipe | settings | task definitions | resolvable | rewritten | findings where not all were |"
    );
    println!("|---|---|---|---|---|---|---|");
    for row in rows {
        println!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            row.file, row.recipe, row.settings, row.all, row.resolvable, row.rewritten, row.codes
        );
    }
}

/// cfn-lint finds nothing new, but that a parameter is not used any more where the report says so.
fn lint(inputs: &Path, outputs: &Path, rows: &[Row]) {
    let Some(program) = std::env::var_os("CFN_LINT") else {
        assert!(
            std::env::var("OUTRIGGER_TOOLS").as_deref() != Ok("required"),
            "CFN_LINT does not say where cfn-lint is"
        );
        println!("note: CFN_LINT is not set: the outputs were not linted");
        return;
    };
    let before = lint_folder(&program, inputs);
    for recipe in ["lacework", "alert-logic"] {
        for settings in ["default", "all answered"] {
            let said = |file: &str, message: &str| {
                let row = rows
                    .iter()
                    .find(|row| {
                        row.file == file && row.recipe == recipe && row.settings == settings
                    })
                    .unwrap();
                row.resolved
                    .iter()
                    .any(|name| message == format!("Parameter {name} not used."))
            };
            let after = lint_folder(&program, &outputs.join(recipe).join(settings));
            let more = after.iter().filter(|(problem, count)| {
                before.get(*problem).is_none_or(|before| before < count)
            });
            let (expected, new): (Vec<_>, Vec<_>) =
                more.partition(|((file, rule, message), _)| rule == "W2001" && said(file, message));
            assert!(
                new.is_empty(),
                "cfn-lint finds something new in what {recipe} made ({settings}): {new:#?}"
            );
            println!(
                "cfn-lint, {recipe}, {settings}: nothing new; {} parameters that no longer choose an image",
                expected.len()
            );
        }
    }
}

/// File, rule and message of every finding, and how often.
fn lint_folder(
    program: &std::ffi::OsStr,
    folder: &Path,
) -> BTreeMap<(String, String, String), usize> {
    let run = Command::new(program)
        .args(["--format", "json", "--"])
        .args(templates(folder))
        .output()
        .unwrap();
    let findings: Vec<Map<String, Value>> =
        serde_json::from_slice(&run.stdout).unwrap_or_else(|error| {
            panic!(
                "cfn-lint: {error}\n{}",
                String::from_utf8_lossy(&run.stderr)
            )
        });
    let mut counts = BTreeMap::new();
    for finding in findings {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let file = text(&finding["Filename"])
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        *counts
            .entry((
                file,
                text(&finding["Rule"]["Id"]),
                text(&finding["Message"]),
            ))
            .or_default() += 1;
    }
    counts
}

#[test]
fn the_table_counts_what_can_be_resolved() {
    let document = json!({"Parameters": {"P": {"Type": "String", "Default": "app:1"}, "Q": {"Type": "String"}},
        "Resources": {"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [{"Image": {"Ref": "P"}}, {"Image": {"Ref": "Q"}}, {"Image": "nginx"}]}}}});
    let found = images(&document, document::at(&document, "Resources/T").unwrap());
    assert_eq!(
        found,
        [
            Some("docker.io/library/app:1".to_owned()),
            None,
            Some("docker.io/library/nginx:latest".to_owned())
        ]
    );
}
