//! The samples of `cfn-filter`: each one's command line, run from the repository's root. A folder
//! with an `environment` in place of a `command` is a sample of the macro: see `deployment/samples.rs`;
//! one with a `main.tf` is one of the Terraform provider: see `terraform_provider/lifecycle.rs`.
//!
//! A process has one working directory, so the paths in a command are put in
//! front of the root here instead of changing it.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use outrigger_tests::document::{as_template, parse};
use outrigger_tests::law::{self, Wrapper};
use outrigger_tests::run::cfn_filter;
use outrigger_tests::{cfn_lint, shell};
use serde_json::{Value, json};

fn commands() -> Vec<(String, String)> {
    let mut commands = Vec::new();
    for sample in fs::read_dir("../samples")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
    {
        let name = sample.file_name().unwrap().to_str().unwrap().to_owned();
        let of_another = ["environment", "main.tf"].map(|file| sample.join(file).is_file());
        if of_another.contains(&true) {
            assert!(
                !sample.join("command").exists(),
                "{name}: for which of them?"
            );
            continue;
        }
        let text = fs::read_to_string(sample.join("command"))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        commands.extend(
            lines
                .enumerate()
                .map(|(index, line)| (format!("{name}-{}", index + 1), line.to_owned())),
        );
    }
    commands.sort();
    commands
}

#[test]
fn every_sample_gives_what_is_expected() {
    let commands = commands();
    assert!(commands.len() >= 5, "only {} commands", commands.len());
    for (name, command) in commands {
        let words = shell::words(&command)
            .unwrap_or_else(|| panic!("{name}: not a plain command line: {command}"));
        assert_eq!(
            words.first().map(String::as_str),
            Some("cfn-filter"),
            "{name}"
        );
        let args: Vec<String> = words
            .into_iter()
            .skip(1)
            .map(|word| {
                if word.starts_with("samples/") {
                    format!("../{word}")
                } else {
                    word
                }
            })
            .collect();
        let template = args.first().unwrap().clone();
        let ran = cfn_filter(&args, b"");
        assert_eq!(ran.exit, 0, "{name}: {}", ran.stderr);
        compare(&format!("samples/{name}.template"), &ran.stdout);
        compare(&format!("samples/{name}.report"), ran.stderr.as_bytes());
        promise(&name, &template, &recipes(&args), &ran.stdout);
    }
}

/// The recipes that a command names, or the settings file beside its template.
fn recipes(args: &[String]) -> Vec<String> {
    let named = args.windows(2).filter(|pair| pair[0] == "--recipe");
    let named: Vec<String> = named.map(|pair| pair[1].clone()).collect();
    if !named.is_empty() {
        return named;
    }
    let settings = Path::new(&args[0]).with_file_name("outrigger.yaml");
    let settings = parse(&fs::read(settings).unwrap()).unwrap();
    match &settings["recipe"] {
        Value::Array(names) => names.iter().map(text).collect(),
        name => vec![text(name)],
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// What a recipe that only adds a sidecar does to a program.
const NOTHING: Wrapper<'_> = Wrapper {
    prefix: &[],
    script: None,
    sidecar: "al-agent",
};

/// Where the samples are deployed, for images that say so.
const PLACE: [(&str, &str); 3] = [
    ("AWS::AccountId", "123456789012"),
    ("AWS::Region", "eu-central-1"),
    ("AWS::URLSuffix", "amazonaws.com"),
];

/// The document with the pseudo parameters of its place.
fn placed(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(placed).collect(),
        Value::Object(map) => {
            let (reference, sub) = (map.get("Ref"), map.get("Fn::Sub"));
            let named = PLACE
                .iter()
                .find(|(name, _)| reference == Some(&json!(name)));
            if let Some((_, value)) = named {
                return json!(value);
            }
            if let Some(Value::String(text)) = sub {
                let text = PLACE.iter().fold(text.clone(), |text, (name, value)| {
                    text.replace(&format!("${{{name}}}"), value)
                });
                if !text.contains("${") {
                    return json!(text);
                }
            }
            let members = map.into_iter();
            members.map(|(key, value)| (key, placed(value))).collect()
        }
        plain => plain,
    }
}

/// Under the law of the recipe that wraps: what ran before runs, behind the wrapper. Where none
/// does, every program stays as it is.
fn promise(name: &str, template: &str, recipes: &[String], output: &[u8]) {
    let wraps = recipes.iter().find_map(|recipe| Wrapper::of(recipe));
    let lock = Path::new(template).with_file_name("outrigger.lock");
    let lock = match wraps {
        Some(_) => serde_json::from_slice(&fs::read(lock).unwrap()).unwrap(),
        None => json!({}),
    };
    let document = |bytes: &[u8]| placed(as_template(parse(bytes).unwrap()));
    let (before, after) = (document(&fs::read(template).unwrap()), document(output));
    let verdict = law::judge(&before, &after, &lock, wraps.unwrap_or(&NOTHING));
    assert!(verdict.broken.is_empty(), "{name}: {:#?}", verdict.broken);
    assert!(verdict.containers > 0, "{name}: nothing was compared");
    assert_eq!(verdict.not_judged, 0, "{name}");
    assert_eq!(verdict.wrapped > 0, wraps.is_some(), "{name}");
    assert_ne!(before, after, "{name}: nothing was done");
}

/// The files of the samples that hold templates, and what comes out of them.
fn templates() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for (name, command) in commands() {
        let words = shell::words(&command).unwrap();
        let template = Path::new("..").join(&words[1]);
        let document = parse(&fs::read(&template).unwrap()).unwrap();
        if document.get("Resources").is_some() {
            files.extend([template, format!("samples/{name}.template").into()]);
        }
    }
    files
}

#[test]
fn templates_pass_cfn_lint_before_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let mut copies = Vec::new();
    for (index, file) in templates().iter().enumerate() {
        let copy = folder.path().join(format!("{index}.yaml"));
        fs::copy(file, &copy).unwrap();
        copies.push(copy);
    }
    assert!(copies.len() >= 10, "only {} templates", copies.len());
    let Some(findings) = cfn_lint::findings(&copies).unwrap() else {
        return;
    };
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn every_sample_has_its_line_in_the_readme_and_its_files() {
    let readme = fs::read_to_string("../README.md").unwrap();
    for entry in fs::read_dir("../samples").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(
            readme.contains(&format!("\n| `samples/{name}` | ")),
            "{name}"
        );
        if path.join("command").is_file() {
            let settings = path.join("outrigger.yaml").is_file();
            assert!(settings || name.starts_with("nginx"), "{name}: no settings");
            // Nothing is asked about an image that only gets a neighbour.
            let lock = path.join("outrigger.lock").is_file();
            assert_eq!(lock, name != "alert-logic", "{name}: lock file");
        }
    }
}

fn compare(file: &str, bytes: &[u8]) {
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(file, bytes).unwrap();
    }
    let expected = fs::read(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(
        String::from_utf8_lossy(&expected),
        String::from_utf8_lossy(bytes),
        "{file}"
    );
}
