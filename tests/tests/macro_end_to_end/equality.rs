//! The macro gives what the filter gives: with the same settings, for every template that is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use outrigger_tests::cloudformation::{ACCOUNT, Deployment, Passed, REGION};
use outrigger_tests::document::parse;
use outrigger_tests::images::lock_file;
use outrigger_tests::run::{Ran, cfn_filter};
use serde_json::{Value, json};

use crate::hosts::Hosts;
use crate::secret;
use crate::server::{Reply, Seen};
use crate::service::listed;
use crate::subject::Subject;

/// The templates of the samples, and those of the corpus where it is there.
fn templates() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir("../samples")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        // Those of the macro itself are processed in `tests/deployment`.
        .filter(|path| path.is_dir() && !path.join("environment").exists())
        .collect();
    match std::env::var_os("OUTRIGGER_CORPUS") {
        Some(corpus) => folders.push(Path::new(&corpus).join("cloudformation")),
        None => println!("note: OUTRIGGER_CORPUS is not set: only the samples were tried"),
    }
    let files = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| {
        let name = file.file_name().unwrap().to_string_lossy();
        (name.ends_with(".yaml") || name.ends_with(".json")) && is_template(file)
    });
    files.sort();
    files
}

/// Beside a template there may be settings, or a task definition by itself.
fn is_template(file: &Path) -> bool {
    let document = parse(&fs::read(file).unwrap()).unwrap();
    document.get("Resources").is_some()
}

/// Settings as both take them.
struct Settings {
    name: &'static str,
    /// For the function.
    variables: Vec<(&'static str, String)>,
    /// For the filter.
    options: Vec<String>,
    /// Whether the lock file answers every image, or none.
    answered: bool,
}

fn settings() -> Vec<Settings> {
    let token = secret("lacework-AbCdEf");
    let text = |text: &str| text.to_owned();
    let recipe = |recipe: &str, inputs: &[(&str, &str)]| {
        let object: Value = inputs
            .iter()
            .map(|(key, value)| (key.to_string(), json!(value)))
            .collect();
        let variables = vec![
            ("OUTRIGGER_RECIPE", text(recipe)),
            ("OUTRIGGER_INPUTS", object.to_string()),
        ];
        let mut options = vec![text("--recipe"), text(recipe)];
        for (key, value) in inputs {
            options.extend([text("--set"), format!("{key}={value}")]);
        }
        (variables, options)
    };
    let role = "arn:aws:iam::123456789012:role/execution";
    let required = [("accessToken", token.as_str()), ("executionRole", role)];
    let lacework = recipe("lacework", &required);
    let with_memory = [required.as_slice(), &[("sidecarMemory", "64")]].concat();
    let alert_logic = recipe("alert-logic", &[]);
    let strict = |name, (variables, options): (Vec<_>, Vec<_>)| Settings {
        name,
        variables,
        options,
        answered: false,
    };
    let mut wide = strict("lacework, all answered", recipe("lacework", &with_memory));
    wide.answered = true;
    for (variable, option, value) in [
        (
            "OUTRIGGER_PARAMETERIZED_IMAGES",
            "--parameterized-images",
            "resolve",
        ),
        ("OUTRIGGER_LAUNCH_TYPES", "--launch-types", "any"),
        ("OUTRIGGER_TASK_SIZE", "--task-size", "grow"),
        ("OUTRIGGER_ON_UNRESOLVED", "--on-unresolved", "skip"),
    ] {
        wide.variables.push((variable, text(value)));
        wide.options.extend([text(option), text(value)]);
    }
    vec![
        strict("lacework, nothing answered", lacework),
        strict("alert-logic", alert_logic),
        wide,
    ]
}

/// Values for the parameters without a default; the tag is one that the sample's lock file knows.
fn given(template: &Value) -> Vec<(String, String)> {
    let none = serde_json::Map::new();
    let declared = template.get("Parameters").and_then(Value::as_object);
    let declared = declared.unwrap_or(&none).iter();
    let without = declared.filter(|(_, declaration)| declaration.get("Default").is_none());
    let value = |name: &str| if name == "Tag" { "2.4.1" } else { "given" };
    without
        .map(|(name, _)| (name.clone(), value(name).to_owned()))
        .collect()
}

fn filtered(settings: &Settings, template: &Value, lock: &str, values: &[(String, String)]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mut args = vec![write("t.json", &template.to_string())];
    args.extend(settings.options.clone());
    args.extend([
        "--locked".to_owned(),
        "--lock".to_owned(),
        write("lock", lock),
    ]);
    args.extend(["--region", REGION, "--account-id", ACCOUNT].map(str::to_owned));
    for (name, value) in values {
        args.extend([
            "--parameter-overrides".to_owned(),
            format!("{name}={value}"),
        ]);
    }
    cfn_filter(&args, b"")
}

/// The codes of the errors in a report, or in a message.
fn codes(text: &str, before: char, after: char) -> BTreeSet<&str> {
    let parts = text.split(before).skip(1);
    let codes = parts.filter_map(|part| part.split_once(after).map(|(code, _)| code));
    codes
        .filter(|code| {
            taskdef::report::Code::ALL
                .iter()
                .any(|known| known.as_str() == *code)
        })
        .collect()
}

#[test]
fn the_macro_gives_what_the_filter_gives() {
    let hosts = Hosts::new();
    let lock: Arc<Mutex<String>> = Arc::default();
    let kept = Arc::clone(&lock);
    let bucket = hosts.plain(move |_: &Seen| Reply::ok("text/plain", kept.lock().unwrap().clone()));
    let url = format!("http://{}", bucket.host());
    println!(
        "| settings | templates | rewritten | left as they are | refused |\n|---|---|---|---|---|"
    );
    for settings in settings() {
        let own = [
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("OUTRIGGER_LOCK", "s3://outrigger/outrigger.lock"),
            ("OUTRIGGER_LOCKED", "true"),
        ];
        let more = settings
            .variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let subject = Subject::start(&own.into_iter().chain(more).collect::<Vec<_>>());
        let mut counts = [0; 3];
        let files = templates();
        for file in &files {
            let template = parse(&fs::read(file).unwrap()).unwrap();
            let answers = match settings.answered {
                // A sample has its own.
                true => fs::read_to_string(file.with_file_name("outrigger.lock"))
                    .unwrap_or_else(|_| lock_file(&template).to_string()),
                false => json!({"version": 1, "images": {}}).to_string(),
            };
            lock.lock().unwrap().clone_from(&answers);
            let values = given(&template);
            let ran = filtered(&settings, &template, &answers, &values);
            let deployment = Deployment {
                parameters: values.into_iter().collect(),
                passed: Passed::InS3,
            };
            let processed =
                subject.process(&listed(template.clone(), json!("Outrigger")), &deployment);
            let name = format!("{}, {}", file.display(), settings.name);
            counts[compare(&name, &template, &ran, &processed)] += 1;
        }
        let [rewritten, same, refused] = counts;
        assert!(rewritten + refused > 1, "{}: {counts:?}", settings.name);
        println!(
            "| {} | {} | {rewritten} | {same} | {refused} |",
            settings.name,
            files.len()
        );
    }
}

/// Which of the outcomes both have: rewritten, left as it is, refused.
fn compare(name: &str, template: &Value, ran: &Ran, processed: &Result<Value, String>) -> usize {
    match processed {
        Ok(fragment) => {
            assert!(matches!(ran.exit, 0 | 3), "{name}: {}", ran.stderr);
            let filtered: Value = serde_json::from_slice(&ran.stdout).unwrap();
            assert_eq!(filtered, *fragment, "{name}");
            usize::from(fragment == template)
        }
        Err(message) => {
            assert_eq!(ran.exit, 1, "{name}: {message}\n{}", ran.stderr);
            let expected = codes(&ran.stderr, '[', ']');
            let told = codes(message, '(', ')');
            let cut = message.ends_with("see the log of the macro's function");
            assert!(
                !told.is_empty() && told.is_subset(&expected),
                "{name}: {message}"
            );
            assert!(cut || told == expected, "{name}: {message}\n{}", ran.stderr);
            2
        }
    }
}
