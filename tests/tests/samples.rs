//! The samples of `cfn-filter`: each one's command line, run from the repository's root. A folder
//! with an `environment` in place of a `command` is a sample of the macro: see `deployment/samples.rs`.
//!
//! A process has one working directory, so the paths in a command are put in
//! front of the root here instead of changing it.

#![cfg(test)]

use std::fs;
use std::path::Path;

use outrigger_tests::document::{as_template, parse};
use outrigger_tests::law::{self, LACEWORK};
use outrigger_tests::run::cfn_filter;
use outrigger_tests::shell;

fn commands() -> Vec<(String, String)> {
    let mut commands = Vec::new();
    for sample in fs::read_dir("../samples")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
    {
        let name = sample.file_name().unwrap().to_str().unwrap().to_owned();
        if sample.join("environment").is_file() {
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
        promise(&name, &template, &ran.stdout);
    }
}

fn promise(name: &str, template: &str, output: &[u8]) {
    let lock = Path::new(template).with_file_name("outrigger.lock");
    let lock = serde_json::from_slice(&fs::read(lock).unwrap()).unwrap();
    let (before, after) = (
        as_template(parse(&fs::read(template).unwrap()).unwrap()),
        as_template(parse(output).unwrap()),
    );
    let verdict = law::judge(&before, &after, &lock, &LACEWORK);
    assert!(verdict.broken.is_empty(), "{name}: {:#?}", verdict.broken);
    assert!(verdict.containers > 0, "{name}: nothing was compared");
    assert_ne!(before, after, "{name}: nothing was done");
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
