//! Whether the program ran as it ran before.

use std::collections::BTreeSet;

use outrigger_tests::servers::Ended;
use serde_json::{Value, json};

/// What is expected to be other after the rewrite.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// What runs, according to ECS.
    pub(crate) process: Vec<String>,
    /// The arguments of the programs that run before it.
    pub(crate) wrappers: Vec<Value>,
    /// Whether the first of them is the container's first process, and becomes the program.
    pub(crate) becomes_the_program: bool,
    /// The variables that are added.
    pub(crate) variables: &'static [&'static str],
    /// Whether tracing is allowed.
    pub(crate) traces: bool,
}

/// What a shell adds of its own to the environment of its programs, if it is not there.
pub(crate) const OF_THE_SHELL: [&str; 4] = ["OLDPWD", "PWD", "SHLVL", "_"];
/// `CAP_SYS_PTRACE`.
const TRACES: u64 = 1 << 19;

/// Compares what became of a container with what became of it before; tells every difference.
pub(crate) fn differences(before: &Ended, after: &Ended, expected: &Expected) -> Vec<String> {
    let wrapped = !expected.wrappers.is_empty();
    match (before, after) {
        (Ended::NothingToRun, Ended::NothingToRun) if !wrapped => Vec::new(),
        (Ended::NotStarted(_), Ended::NotStarted(_)) if !wrapped => Vec::new(),
        // The wrapper is started, and cannot become the program: it is not found, or no program.
        (Ended::NotStarted(_), Ended::Exited { code, output, .. }) if wrapped => {
            let reports = reports(output);
            let mut found = of_wrappers(&reports, None, expected);
            if !matches!(code, 126 | 127) || reports.len() != expected.wrappers.len() {
                found.push(format!("what cannot be started has run: {code}: {output}"));
            }
            found
        }
        (
            Ended::Exited {
                code,
                output,
                errors,
            },
            Ended::Exited {
                code: code_after,
                output: output_after,
                errors: errors_after,
            },
        ) => {
            let (before, after) = (reports(output), reports(output_after));
            let mut found = of_programs(&before, &after, expected);
            if (code, errors) != (code_after, errors_after) {
                found.push(format!(
                    "exit code {code}, errors {errors:?} have become {code_after}, {errors_after:?}"
                ));
            }
            found
        }
        (before, after) => vec![format!("{before:?} has become {after:?}")],
    }
}

fn reports(output: &str) -> Vec<Value> {
    output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| json!(line)))
        .collect()
}

fn of_programs(before: &[Value], after: &[Value], expected: &Expected) -> Vec<String> {
    let mut found = of_wrappers(after, before.first(), expected);
    // A shell has no report of its own.
    let runs_in_shell = expected
        .process
        .first()
        .is_some_and(|word| word == "/bin/sh");
    if !runs_in_shell
        && before
            .iter()
            .map(|report| &report["argv"])
            .ne([&json!(expected.process)])
    {
        found.push(format!(
            "{:?} is not what runs before: {before:?}",
            expected.process
        ));
    }
    let after = after.get(expected.wrappers.len()..).unwrap_or_default();
    if before.len() != after.len() {
        found.push(format!(
            "{} programs have become {}",
            before.len(),
            after.len()
        ));
    }
    for (before, after) in before.iter().zip(after) {
        for key in [
            "wrapper",
            "argv",
            "directory",
            "user",
            "group",
            "groups",
            "first",
        ] {
            if before[key] != after[key] {
                found.push(format!("{key}: {} has become {}", before[key], after[key]));
            }
        }
        found.extend(of_environments(before, after, expected));
        let added = if expected.traces { TRACES } else { 0 };
        if capabilities(before) | added != capabilities(after) {
            found.push(format!(
                "capabilities: {} have become {}",
                before["capabilities"], after["capabilities"]
            ));
        }
    }
    found
}

/// The wrappers have run, as the same user and in the same place as the program.
fn of_wrappers(after: &[Value], program: Option<&Value>, expected: &Expected) -> Vec<String> {
    let reports = after.iter().take(expected.wrappers.len());
    let words: Vec<&Value> = reports.clone().map(|report| &report["argv"]).collect();
    let mut found = Vec::new();
    if words != expected.wrappers.iter().collect::<Vec<_>>() {
        found.push(format!(
            "the wrapper was started as {words:?}, not as {:?}",
            expected.wrappers
        ));
    }
    let same = ["directory", "user", "group", "groups"];
    for (report, program) in reports.flat_map(|report| program.map(|program| (report, program))) {
        let differ = same.iter().filter(|key| report[**key] != program[**key]);
        found.extend(differ.map(|key| format!("the wrapper's {key}: {}", report[*key])));
        if report["wrapper"] != json!(true)
            || (expected.becomes_the_program && report["first"] != json!(true))
        {
            found.push(format!(
                "not the wrapper, or not the first process: {report}"
            ));
        }
    }
    found
}

fn of_environments(before: &Value, after: &Value, expected: &Expected) -> Vec<String> {
    let (before, after) = (environment(before), environment(after));
    let name = |variable: &str| variable.split('=').next().unwrap_or_default().to_owned();
    let lost = before
        .difference(&after)
        .map(|variable| format!("variable lost: {variable:?}"));
    let added = after.difference(&before).map(|variable| name(variable));
    let added: BTreeSet<String> = added.collect();
    let shell = !expected.wrappers.is_empty() && !expected.becomes_the_program;
    let may_be_added = |name: &String| shell && OF_THE_SHELL.contains(&name.as_str());
    let wanted: BTreeSet<String> = expected
        .variables
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
    let other = added
        .symmetric_difference(&wanted)
        .filter(|name| !may_be_added(name));
    let other = other.map(|name| format!("variable added, or not added: {name}"));
    lost.chain(other).collect()
}

fn environment(report: &Value) -> BTreeSet<String> {
    let variables = report["environment"].as_array().into_iter().flatten();
    variables
        .map(|variable| variable.as_str().unwrap_or_default().to_owned())
        .collect()
}

fn capabilities(report: &Value) -> u64 {
    u64::from_str_radix(report["capabilities"].as_str().unwrap_or_default(), 16).unwrap_or_default()
}
