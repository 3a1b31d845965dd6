//! Every case under `cases/`: one test each, named after its folder.
//!
//! `UPDATE_EXPECTED=1` writes `expected.*` and `report.*`; `documented.json`,
//! `says` and `exit` are written by hand, from the specification.

use std::fs;
use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use outrigger_tests::case::Case;
use outrigger_tests::conditions::{assignments, under, used};
use outrigger_tests::document::{self, as_template, container_definitions};
use outrigger_tests::ecs;
use outrigger_tests::law::{self, Wrapper};
use outrigger_tests::plan;
use outrigger_tests::reports::{Format, broken, report};
use outrigger_tests::run::{Ran, cfn_filter, tf_filter};
use serde_json::{Value, json};
use similar::TextDiff;

fn main() {
    let cases = Case::all(Path::new("cases"));
    assert!(!cases.is_empty(), "no cases: run from the package's folder");
    let trials = cases
        .into_iter()
        .map(|case| Trial::test(case.name.clone(), move || check(&case)))
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn check(case: &Case) -> Result<(), Failed> {
    let input = fs::read(&case.template)?;
    let ran = run_on(case, &case.template.display().to_string());
    let mut problems = Vec::new();
    if ran.exit != case.exit {
        problems.push(format!(
            "exit code {}, not {}; the report:\n{}",
            ran.exit, case.exit, ran.stderr
        ));
    }
    if run_on(case, &case.template.display().to_string()) != ran {
        problems.push("the same run gives something else the second time".to_owned());
    }
    problems.extend(says(case, &ran));
    problems.extend(pinned(case, &ran));
    problems.extend(told_otherwise(case, &input, &ran));
    if case.writes_template() && ran.exit == case.exit {
        problems.extend(laws(case, &input, &ran));
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n\n").into())
    }
}

fn run_on(case: &Case, template: &str) -> Ran {
    run_with(case, template, &[])
}

fn run_with(case: &Case, template: &str, more: &[String]) -> Ran {
    let args: Vec<String> = [template.to_owned()]
        .into_iter()
        .chain(case.args.iter().chain(more).cloned())
        .collect();
    run(case, &args)
}

/// The filter that reads what the case holds.
fn run(case: &Case, args: &[String]) -> Ran {
    match case.is_plan() {
        true => tf_filter(args, b""),
        false => cfn_filter(args, b""),
    }
}

/// `says`: a line is a text that the report must hold, or after `! ` one that it must not.
fn says(case: &Case, ran: &Ran) -> Vec<String> {
    let text = case.text("says").unwrap_or_default();
    // The folder's name may be the very word that is asked for.
    let report = ran.stderr.replace(&case.dir.display().to_string(), "");
    text.lines()
        .filter_map(|line| match line.strip_prefix("! ") {
            Some(absent) => report
                .contains(absent)
                .then(|| format!("the report says `{absent}`:\n{report}")),
            None => (!report.contains(line))
                .then(|| format!("the report does not say `{line}`:\n{report}")),
        })
        .collect()
}

/// Cases whose command line cannot be read, so that it does not say where a report may go.
const UNREADABLE: [&str; 4] = [
    "outcomes/check-and-detailed-exitcode",
    "outcomes/detailed-exitcode-wrong-usage",
    "outcomes/wrong-usage",
    "removal/nothing-is-checked",
];

/// The report in another format, one after the other from case to case: what holds of every one. Those that the case
/// pins in any event, and their bytes.
fn told_otherwise(case: &Case, input: &[u8], ran: &Ran) -> Vec<String> {
    let template = case.template.display().to_string();
    let mut problems = Vec::new();
    let turn = case.name.bytes().map(usize::from).sum::<usize>() % Format::ALL.len();
    for (index, format) in Format::ALL.into_iter().enumerate() {
        let pinned = case.dir.join(format!("report.{}", format.ending()));
        if index != turn && !pinned.exists() {
            continue;
        }
        let told = match report(format, &|more| run_with(case, &template, more)) {
            Ok(told) => told,
            Err(_) if UNREADABLE.contains(&case.name.as_str()) => continue,
            Err(error) => {
                problems.push(error);
                continue;
            }
        };
        // The report's file is all that differs.
        if told.ran != *ran {
            problems.push(format!("{format:?}: the run differs:\n{}", told.ran.stderr));
        }
        if let Ok(before) = document::parse(input) {
            problems.extend(confidential(&as_template(before), &told.text));
        }
        problems.extend(broken(format, &told.text, ran.exit));
        if pinned.exists() {
            problems.extend(compare(&pinned, told.text.as_bytes()));
        }
    }
    problems
}

/// The bytes of standard output and standard error.
fn pinned(case: &Case, ran: &Ran) -> Vec<String> {
    let mut problems = Vec::new();
    let expects_output =
        case.writes_template() || (case.has("--diff") && matches!(case.exit, 0 | 2 | 3));
    if expects_output {
        problems.extend(compare(&case.expected(), &ran.stdout));
    } else if !ran.stdout.is_empty() {
        problems.push(format!(
            "something was written:\n{}",
            String::from_utf8_lossy(&ran.stdout)
        ));
    }
    problems.extend(compare(&case.dir.join("report.txt"), ran.stderr.as_bytes()));
    problems
}

fn compare(file: &Path, bytes: &[u8]) -> Option<String> {
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        return fs::write(file, bytes)
            .err()
            .map(|error| format!("{}: {error}", file.display()));
    }
    let Ok(expected) = fs::read(file) else {
        return Some(format!("{} is missing", file.display()));
    };
    if expected == bytes {
        return None;
    }
    let (expected, found) = (
        String::from_utf8_lossy(&expected).into_owned(),
        String::from_utf8_lossy(bytes).into_owned(),
    );
    let diff = TextDiff::from_lines(&expected, &found)
        .unified_diff()
        .header(&file.display().to_string(), "what came out")
        .to_string();
    Some(if diff.is_empty() {
        format!("{} differs in bytes that are no text", file.display())
    } else {
        diff
    })
}

fn laws(case: &Case, input: &[u8], ran: &Ran) -> Vec<String> {
    match case.is_plan() {
        true => laws_of_plans(case, input, ran),
        false => laws_of_templates(case, input, ran),
    }
}

fn laws_of_plans(case: &Case, input: &[u8], ran: &Ran) -> Vec<String> {
    let [before, after] = [input, &ran.stdout].map(serde_json::from_slice::<Value>);
    let (Ok(before), Ok(after)) = (before, after) else {
        return vec!["input or output is no JSON".to_owned()];
    };
    let mut problems = second_run(case, ran);
    let is_judged = !ran.stderr.contains("[unknown-definition]");
    let untouched = ran.stdout == input && case.exit != 3 && is_judged;
    problems.extend(checked(
        case,
        &case.template.display().to_string(),
        untouched,
    ));
    problems.extend(plan::judge(&before, &after));
    let values = plan::environment_values(&before).into_iter();
    let shown = values.filter(|value| value.len() >= 4 && ran.stderr.contains(value.as_str()));
    problems.extend(shown.map(|value| format!("the report holds the value `{value}`")));
    problems
}

fn laws_of_templates(case: &Case, input: &[u8], ran: &Ran) -> Vec<String> {
    let (before, after) = match (document::parse(input), document::parse(&ran.stdout)) {
        (Ok(before), Ok(after)) => (before, after),
        (_, Err(error)) => return vec![format!("the output does not parse: {error}")],
        (Err(error), _) => return vec![format!("the input does not parse: {error}")],
    };
    let described = before.get("taskDefinition").is_some();
    let (before, after) = (as_template(before), as_template(after));
    let mut problems = second_run(case, ran);
    // A description is written as a registration, even where the task definition stays as it is.
    let same = ran.stdout == input || (described && before == after);
    let untouched = same && case.exit != 3;
    problems.extend(checked(
        case,
        &case.template.display().to_string(),
        untouched,
    ));
    problems.extend(documented(case, &after));
    problems.extend(way_back(case, &after));
    problems.extend(comments(input, &ran.stdout));
    problems.extend(confidential(&before, &ran.stderr));
    let arranged =
        case.args.iter().any(|arg| arg.starts_with("arrangement=")) || case.has("--remove");
    let wrapper = case.args.iter().find_map(|arg| Wrapper::of(arg));
    if let (Some(wrapper), false) = (wrapper, arranged) {
        let lock = case.json("outrigger.lock").unwrap_or(Value::Null);
        // What was marked runs what the original would run.
        let original = case.original().and_then(|path| fs::read(path).ok());
        let original = original.and_then(|bytes| document::parse(&bytes).ok());
        let before = original.map_or(before, as_template);
        problems.extend(law::judge(&before, &after, &lock, wrapper).broken);
    }
    problems
}

/// A second run on the output changes nothing.
fn second_run(case: &Case, ran: &Ran) -> Vec<String> {
    let Ok(folder) = tempfile::tempdir() else {
        return vec!["no temporary folder".to_owned()];
    };
    let template = folder
        .path()
        .join(case.template.file_name().unwrap_or_default());
    let _no_lock_file = fs::copy(
        case.dir.join("outrigger.lock"),
        folder.path().join("outrigger.lock"),
    );
    if let Err(error) = fs::write(&template, &ran.stdout) {
        return vec![error.to_string()];
    }
    let again = run_on(case, &template.display().to_string());
    let exit = if case.exit == 2 { 0 } else { case.exit };
    let mut problems = Vec::new();
    if again.exit != exit {
        problems.push(format!(
            "a second run ends with {}:\n{}",
            again.exit, again.stderr
        ));
    } else if again.stdout != ran.stdout {
        let (once, twice) = (
            String::from_utf8_lossy(&ran.stdout),
            String::from_utf8_lossy(&again.stdout),
        );
        let diff = TextDiff::from_lines(once.as_ref(), twice.as_ref())
            .unified_diff()
            .header("once", "twice")
            .to_string();
        problems.push(format!("a second run changes the output:\n{diff}"));
    }
    problems.extend(checked(
        case,
        &template.display().to_string(),
        case.exit != 3 && !ran.stderr.contains("[unknown-definition]"),
    ));
    problems
}

/// `original.*`: what the input was before a recipe came to it. A removal gives that, and any other run what it makes
/// of that, under every assignment of the conditions used.
fn way_back(case: &Case, after: &Value) -> Option<String> {
    let original = case.original()?;
    let bytes = match case.has("--remove") {
        true => fs::read(&original).ok()?,
        false => run_on(case, &original.display().to_string()).stdout,
    };
    let wanted = match document::parse(&bytes) {
        Ok(wanted) => as_template(wanted),
        Err(error) => return Some(format!("{}: {error}", original.display())),
    };
    let assignments = assignments(&used(after));
    let same = |given| under(after, given) == under(&wanted, given);
    let is_same = !assignments.is_empty() && assignments.iter().all(same);
    (!is_same).then(|| format!("not what {} gives", original.display()))
}

/// `--check` says whether a rewrite would change nothing; of a removal it says nothing.
fn checked(case: &Case, template: &str, carries: bool) -> Option<String> {
    if case.has("--remove") {
        return None;
    }
    let options = case
        .args
        .iter()
        .filter(|arg| *arg != "--detailed-exitcode")
        .cloned();
    let args: Vec<String> = [template.to_owned(), "--check".to_owned()]
        .into_iter()
        .chain(options)
        .collect();
    let ran = run(case, &args);
    let expected = if carries { 0 } else { 3 };
    let wrong = ran.exit != expected || !ran.stdout.is_empty();
    wrong.then(|| {
        format!(
            "`--check` ends with {}, not {expected}:\n{}",
            ran.exit, ran.stderr
        )
    })
}

/// `documented.json`: the result that the documents promise, under every assignment of the conditions used.
fn documented(case: &Case, output: &Value) -> Vec<String> {
    let Some(text) = case.text("documented.json") else {
        return Vec::new();
    };
    let Ok(Value::Object(documented)) = serde_json::from_str(&text) else {
        return vec!["documented.json is no JSON object".to_owned()];
    };
    let mut problems = Vec::new();
    for (id, expected) in &documented {
        let path = if id.contains('/') {
            id.clone()
        } else {
            format!("Resources/{id}")
        };
        let Some(found) = document::at(output, &path).map(container_definitions) else {
            problems.push(format!("documented.json: the output has no `{id}`"));
            continue;
        };
        let mut names = used(expected);
        names.extend(used(found));
        for assignment in assignments(&names) {
            let settle = |value| {
                under(value, &assignment)
                    .map(|value| ecs::container_definitions(&value))
                    .unwrap_or(json!([]))
            };
            let (expected, found) = (settle(expected), settle(found));
            if expected != found {
                let diff = TextDiff::from_lines(
                    format!("{expected:#}\n").as_str(),
                    format!("{found:#}\n").as_str(),
                )
                .unified_diff()
                .to_string();
                problems.push(format!(
                    "`{id}` differs from documented.json (conditions {assignment:?}):\n{diff}"
                ));
            }
        }
    }
    problems
}

/// Every comment line of the input is in the output, in order.
fn comments(input: &[u8], output: &[u8]) -> Vec<String> {
    let lines = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.lines()
            .filter(|line| line.trim_start().starts_with('#'))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (before, after) = (lines(input), lines(output));
    if before == after {
        Vec::new()
    } else {
        vec![format!("comments differ: {before:?} and {after:?}")]
    }
}

/// The report holds no value of the environment.
fn confidential(input: &Value, report: &str) -> Vec<String> {
    let mut values = Vec::new();
    for (_, task_definition) in document::task_definitions(input) {
        environment_values(container_definitions(task_definition), &mut values);
    }
    // A name or an image may also be the value of a variable; the report shows names and images.
    let mut public = Vec::new();
    public_texts(input, &mut public);
    values.retain(|value| value.len() >= 8 && report.contains(*value) && !public.contains(value));
    values
        .into_iter()
        .map(|value| format!("the report holds the environment value `{value}`"))
        .collect()
}

fn public_texts<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| public_texts(item, texts)),
        Value::Object(map) => {
            let shown = ["Name", "Image", "Family"].map(|key| map.get(key)?.as_str());
            texts.extend(shown.into_iter().flatten());
            map.values().for_each(|item| public_texts(item, texts));
        }
        _ => {}
    }
}

fn environment_values<'a>(value: &'a Value, values: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|item| environment_values(item, values)),
        Value::Object(map) => {
            values.extend(
                [("Name", "Value"), ("name", "value")]
                    .into_iter()
                    .filter_map(|(name, value)| {
                        let value = map.get(value).and_then(Value::as_str);
                        value.filter(|_| map.contains_key(name))
                    }),
            );
            map.values()
                .for_each(|item| environment_values(item, values));
        }
        _ => {}
    }
}
