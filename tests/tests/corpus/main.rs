//! Real templates of other people, with every built-in recipe.
//!
//! `OUTRIGGER_CORPUS` names a folder with `cloudformation/*`; without it the test
//! says so and passes.

#![cfg(test)]

mod lint;
mod network;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use lint::lint;
use network::Network;
use outrigger_tests::document::{parse, task_definitions};
use outrigger_tests::images::{lock_file, named};
use outrigger_tests::law::{self, Wrapper};
use outrigger_tests::outside::changed_outside;
use outrigger_tests::run::{Ran, cfn_filter};
use serde_json::Value;
use table::{Row, codes, print_table, row};

/// Every built-in recipe, with the inputs that it requires.
pub(crate) const RECIPES: [(&str, &[&str]); 5] = [
    ("alert-logic", &[]),
    (
        "deepfence",
        &[
            "consoleUrl=console.example.com",
            "key=arn:aws:secretsmanager:us-east-1:123456789012:secret:deepfence-AbCdEf:deepfence_api_key::",
            "registryCredentials=arn:aws:secretsmanager:us-east-1:123456789012:secret:quay-AbCdEf",
        ],
    ),
    (
        "lacework",
        &["accessToken=arn:aws:secretsmanager:us-east-1:123456789012:secret:lacework-AbCdEf"],
    ),
    (
        "prisma-cloud",
        &[
            "image=registry-auth.twistlock.com/tw_token/twistlock/defender:defender_34_01_132",
            "installBundle=arn:aws:secretsmanager:us-east-1:123456789012:secret:prisma-AbCdEf",
            "wsAddress=wss://us-east1.cloud.twistlock.com:443",
        ],
    ),
    (
        "sysdig",
        &[
            "accessKey=arn:aws:secretsmanager:us-east-1:123456789012:secret:sysdig-AbCdEf",
            "collectorHost=ingest.us4.sysdig.com",
            "collectorPort=6443",
            "agentVersion=5.2.0",
        ],
    ),
];
const EXECUTION_ROLE: &str = "arn:aws:iam::123456789012:role/execution";
/// Everything answered; off Fargate a sidecar needs memory.
const WIDE: [&str; 14] = [
    "--set",
    "sidecarMemory=64",
    "--task-size",
    "grow",
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
#[test]
fn real_templates_are_rewritten_or_refused() {
    let Some(folder) =
        std::env::var_os("OUTRIGGER_CORPUS").map(|path| PathBuf::from(path).join("cloudformation"))
    else {
        println!("note: OUTRIGGER_CORPUS is not set: no real templates were tried");
        return;
    };
    let outputs = tempfile::tempdir().unwrap();
    let files = templates(&folder);
    let documents = files.iter().map(|file| parse(&fs::read(file).unwrap()));
    let images = documents.flat_map(|document| named(&document.unwrap()));
    let images = images.collect();
    let network = Network::start(&images);
    let mut rows = Vec::new();
    for file in files {
        for (recipe, inputs) in RECIPES {
            // Secrets need a role, which some templates lack.
            let role = format!("executionRole={EXECUTION_ROLE}");
            let lacking = [role.as_str()];
            let inputs = inputs.iter().chain(&lacking);
            let sets = inputs.flat_map(|input| ["--set", *input]);
            let args: Vec<&str> = ["--recipe", recipe].into_iter().chain(sets).collect();
            rows.push(with_default_settings(&file, recipe, &args, outputs.path()));
            let answered = with_everything_answered(&file, recipe, &args, outputs.path(), &network);
            rows.extend(answered);
        }
    }
    assert!(!rows.is_empty(), "no templates in {}", folder.display());
    print_table(&rows);
    println!(
        "over the network: {} images of {:?}, {} requests in all, to nobody else",
        images.len(),
        network.mirrored(),
        network.requests()
    );
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

/// How the program is run.
struct Way<'a> {
    args: Vec<&'a str>,
    /// Without one, `cfn-filter` uses none.
    network: Option<&'a Network>,
}

impl Way<'_> {
    /// Runs the program on a file; gives the number of requests, too.
    fn run(&self, file: &Path) -> (Ran, usize) {
        let args = [file.to_str().unwrap()]
            .into_iter()
            .chain(self.args.clone());
        let args: Vec<String> = args.map(str::to_owned).collect();
        if let Some(network) = self.network {
            return network.run(&args);
        }
        let ran = cfn_filter(&args, b"");
        let again = cfn_filter(&args, b"");
        assert_eq!(ran, again, "{}: not the same twice", file.display());
        (ran, 0)
    }
}

fn with_default_settings(file: &Path, recipe: &'static str, args: &[&str], outputs: &Path) -> Row {
    let way = Way {
        args: [args, &["--offline"]].concat(),
        network: None,
    };
    let (ran, _) = way.run(file);
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
    check_output(file, &input, &ran, recipe, &Value::Null, &way);
    keep(&outputs.join(recipe).join("default"), file, &ran.stdout);
    row(file, recipe, "default", &input, &ran.stdout, &ran)
}

/// From a lock file, and over the network, which has to come to the same.
fn with_everything_answered(
    file: &Path,
    recipe: &'static str,
    args: &[&str],
    outputs: &Path,
    network: &Network,
) -> [Row; 2] {
    let lock = lock_file(&parse(&fs::read(file).unwrap()).unwrap());
    let lock_path = outputs.join("every-image.lock");
    fs::write(&lock_path, format!("{lock:#}\n")).unwrap();
    let locked = ["--locked", "--lock", lock_path.to_str().unwrap()];
    let locked = Way {
        args: [args, &WIDE, &locked].concat(),
        network: None,
    };
    let online = Way {
        args: [args, &WIDE].concat(),
        network: Some(network),
    };
    let (ran, row) = answered(file, recipe, "all answered", &locked, &lock);
    let (same, over_the_network) = answered(file, recipe, "over the network", &online, &lock);
    assert_eq!(
        (ran.exit, &ran.stdout),
        (same.exit, &same.stdout),
        "{}: another result over the network\n{}",
        file.display(),
        same.stderr
    );
    keep(
        &outputs.join(recipe).join("all answered"),
        file,
        &ran.stdout,
    );
    [row, over_the_network]
}

fn answered(
    file: &Path,
    recipe: &'static str,
    settings: &'static str,
    way: &Way<'_>,
    lock: &Value,
) -> (Ran, Row) {
    let input = fs::read(file).unwrap();
    let (ran, requests) = way.run(file);
    assert!(
        matches!(ran.exit, 0 | 3),
        "{}: exit code {}\n{}",
        file.display(),
        ran.exit,
        ran.stderr
    );
    check_output(file, &input, &ran, recipe, lock, way);
    let mut row = row(file, recipe, settings, &input, &ran.stdout, &ran);
    row.requests = requests;
    // An agent that is for one architecture only refuses the others.
    let refused = match recipe {
        "sysdig" => refused_by_the_recipe(&ran.stderr),
        _ => 0,
    };
    assert!(
        row.rewritten + refused >= row.resolvable,
        "{}: {} of {} resolvable task definitions were rewritten\n{}",
        row.file,
        row.rewritten,
        row.resolvable,
        ran.stderr
    );
    (ran, row)
}

/// How many task definitions the recipe itself refuses for their architecture.
fn refused_by_the_recipe(report: &str) -> usize {
    let blocks = report.split("\n\n");
    blocks
        .flat_map(|block| block.split(": refused (").skip(1))
        .filter(|task| task.contains("the task's CPU architecture") || task.contains("X86_64 only"))
        .count()
}

fn keep(folder: &Path, file: &Path, output: &[u8]) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(file.file_name().unwrap()), output).unwrap();
}

fn check_output(file: &Path, input: &[u8], ran: &Ran, recipe: &str, lock: &Value, way: &Way<'_>) {
    let name = file.display();
    let (before, after) = (parse(input).unwrap(), parse(&ran.stdout).unwrap());
    assert_eq!(
        without_what_may_change(&before),
        without_what_may_change(&after),
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
    if let Some(wrapper) = Wrapper::of(recipe) {
        let verdict = law::judge(&before, &after, lock, wrapper);
        assert!(verdict.broken.is_empty(), "{name}: {:#?}", verdict.broken);
    }
    let again = tempfile::tempdir().unwrap();
    let copy = again.path().join(file.file_name().unwrap());
    fs::write(&copy, &ran.stdout).unwrap();
    let (second, _) = way.run(&copy);
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

fn without_what_may_change(document: &Value) -> Value {
    let mut document = document.clone();
    for (path, _) in task_definitions(&document.clone()) {
        let pointer = format!("/{path}/Properties");
        if let Some(properties) = document
            .pointer_mut(&pointer)
            .and_then(Value::as_object_mut)
        {
            // A task that is too small grows; one without an execution role gets the one that is given.
            for key in ["ContainerDefinitions", "Cpu", "Memory"] {
                properties.shift_remove(key);
            }
            if properties.get("ExecutionRoleArn").and_then(Value::as_str) == Some(EXECUTION_ROLE) {
                properties.shift_remove("ExecutionRoleArn");
            }
        }
    }
    document
}
