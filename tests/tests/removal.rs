//! What is marked comes off: every template and task definition of `cases/`, `../samples` and, with
//! `OUTRIGGER_CORPUS`, of the corpus, with every built-in recipe and with two at once.

#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use outrigger_tests::conditions::{possible, under, used};
use serde_json::Value;
use taskdef::image::{Answers, ImageConfig};
use taskdef::mark::Removal;
use taskdef::recipe::{BoundRecipe, InputValue, Recipe, Recipes, builtin};
use taskdef::registration::{Shape, registrable, shape};
use taskdef::report::{Code, Outcome, TaskDefinitionReport};
use taskdef::settings::{
    Deployment, LaunchTypes, Marks, OnUnresolved, ParameterizedImages, Settings, TaskSize,
};
use taskdef::source::{Source, put};
use taskdef::{DocumentKind, images_needed, remove, rewrite};

const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:s-AbCdEf";
const DEFENDER: &str = "registry-auth.twistlock.com/tw_token/twistlock/defender:defender_34_01_132";
const ROLE: &str = "arn:aws:iam::123456789012:role/execution";

fn bound(name: &str, inputs: &[(&str, &str)]) -> BoundRecipe {
    let (_, text) = builtin().iter().find(|(known, _)| *known == name).unwrap();
    let memory = [("sidecarMemory", "64"), ("executionRole", ROLE)];
    let inputs = inputs.iter().chain(&memory).map(|(key, value)| {
        let value = InputValue::Plain(Value::from(*value));
        ((*key).to_owned(), value)
    });
    let inputs: BTreeMap<_, _> = inputs.collect();
    Recipe::parse(name, text).unwrap().bind(inputs).unwrap()
}

/// Runs by name, with the recipes of each.
fn runs() -> Vec<(&'static str, Recipes)> {
    let alert_logic = || bound("alert-logic", &[]);
    let deepfence = [
        ("consoleUrl", "console.example.com"),
        ("key", ARN),
        ("registryCredentials", ARN),
    ];
    let lacework = || {
        bound(
            "lacework",
            &[("accessToken", ARN), ("nonRoot", "run-as-root")],
        )
    };
    let prisma = [
        ("image", DEFENDER),
        ("installBundle", ARN),
        ("wsAddress", "wss://us-east1.cloud.twistlock.com:443"),
    ];
    let sysdig = [
        ("accessKey", ARN),
        ("collectorHost", "ingest.us4.sysdig.com"),
        ("collectorPort", "6443"),
        ("agentVersion", "5.2.0"),
        ("pidMode", "task"),
    ];
    let two = Recipes::new(vec![lacework(), alert_logic()]);
    vec![
        ("alert-logic", alert_logic().into()),
        ("deepfence", bound("deepfence", &deepfence).into()),
        ("lacework", lacework().into()),
        ("prisma-cloud", bound("prisma-cloud", &prisma).into()),
        ("sysdig", bound("sysdig", &sysdig).into()),
        ("two at once", two.unwrap()),
    ]
}

fn settings() -> Settings {
    Settings {
        on_unresolved: OnUnresolved::Skip,
        parameterized_images: ParameterizedImages::Resolve,
        launch_types: LaunchTypes::Any,
        task_size: TaskSize::Grow,
        marks: Marks::Yes,
        deployment: Deployment {
            region: Some("us-east-1".to_owned()),
            account_id: Some("123456789012".to_owned()),
        },
        ..Settings::default()
    }
}

/// Every document below a folder that can be worked on.
fn documents(folder: &Path, found: &mut Vec<(PathBuf, DocumentKind, Value)>) {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            documents(&path, found);
            continue;
        }
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let Ok(source) = Source::parse_template(&text) else {
            continue;
        };
        // One that is marked already is no original.
        if ["outrigger.", "outrigger:recipe"]
            .iter()
            .any(|mark| text.contains(&format!("\"{mark}")))
        {
            continue;
        }
        match shape(source.value()) {
            Ok(Shape::Document(kind)) => found.push((path, kind, source.value().clone())),
            Ok(Shape::Described) => {
                let (task, _) = registrable(source.value());
                found.push((path, DocumentKind::TaskDefinition, task));
            }
            Err(_) => {}
        }
    }
}

/// What every image runs; nothing where the document cannot be worked on.
fn answers(document: &Value, kind: DocumentKind, recipes: &Recipes) -> Option<Answers> {
    let requests = images_needed(document, kind, recipes, &settings());
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let config = ImageConfig {
        digest: None,
        entrypoint: words(&["/entry point"]),
        cmd: words(&["it's", "the", "image's"]),
        user: String::new(),
        working_dir: String::new(),
    };
    let requests = requests.ok()?.into_iter();
    Some(
        requests
            .map(|request| (request, Ok(config.clone())))
            .collect(),
    )
}

/// What was counted of a run.
#[derive(Debug, Default, PartialEq)]
struct Count {
    rewritten: usize,
    not_marked: usize,
    came_off: usize,
    incomplete: usize,
    /// Something referred to the sidecar already when it was not there.
    refers: usize,
}

fn has(task: &TaskDefinitionReport, code: Code) -> bool {
    task.findings.iter().any(|finding| finding.code == code)
}

/// Marks and removes; what is not as before is a problem.
fn round_trip(
    (path, kind, document): &(PathBuf, DocumentKind, Value),
    recipes: &Recipes,
    count: &mut Count,
    problems: &mut Vec<String>,
) {
    let Some(answers) = answers(document, *kind, recipes) else {
        return;
    };
    let rewritten = rewrite(document, *kind, recipes, &settings(), &answers).unwrap();
    let mut marked = document.clone();
    put(&mut marked, rewritten.changes).unwrap();
    let again = rewrite(&marked, *kind, recipes, &settings(), &answers).unwrap();
    if !again.changes.is_empty() {
        problems.push(format!(
            "{}: a second run changes something",
            path.display()
        ));
    }
    let removed = remove(&marked, *kind, &Removal::default(), &settings()).unwrap();
    let mut back = marked.clone();
    put(&mut back, removed.changes).unwrap();
    let mut partly = false;
    let tasks = rewritten.report.task_definitions.iter();
    for (task, removed) in tasks.zip(&removed.report.task_definitions) {
        if task.outcome != Outcome::Rewritten {
            continue;
        }
        count.rewritten += 1;
        match removed.outcome {
            Outcome::Rewritten if !has(task, Code::NotMarked) => count.came_off += 1,
            Outcome::Refused if has(task, Code::MarkerIncomplete) => count.incomplete += 1,
            Outcome::Refused if has(removed, Code::RefersToNothing) => count.refers += 1,
            _ if has(task, Code::NotMarked) => count.not_marked += 1,
            _ => problems.push(format!(
                "{}: {}: {:?}",
                path.display(),
                task.id,
                removed.findings
            )),
        }
        partly |= removed.outcome != Outcome::Rewritten || has(task, Code::NotMarked);
    }
    // Conditions that exclude each other may be asked in another order.
    let all = possible(document, &used(&marked));
    let same = |given| under(&back, given) == under(document, given);
    // One that stays as it is has been counted; a document that holds one is not compared as a whole.
    let is_same = back == *document || !all.is_empty() && all.iter().all(same);
    if !partly && !is_same {
        problems.push(format!("{}: not as it was before", path.display()));
    }
}

#[test]
fn what_is_marked_comes_off_everywhere() {
    let mut found = Vec::new();
    for folder in ["cases", "../samples"] {
        documents(Path::new(folder), &mut found);
    }
    assert!(found.len() > 500, "only {} documents", found.len());
    match std::env::var_os("OUTRIGGER_CORPUS") {
        Some(corpus) => documents(Path::new(&corpus), &mut found),
        None => println!("note: OUTRIGGER_CORPUS is not set: no real templates were tried"),
    }
    let mut problems = Vec::new();
    println!("{} documents", found.len());
    for (name, recipes) in runs() {
        let mut count = Count::default();
        for document in &found {
            round_trip(document, &recipes, &mut count, &mut problems);
        }
        println!("{name}: {count:?}");
        assert!(
            count.came_off > 500 && count.refers < 5,
            "{name}: {count:?}"
        );
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
