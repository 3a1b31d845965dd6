//! `bench-compare RUNS PROGRAM`: runs `cfn-filter` and the round trip in turn, in a folder that
//! `bench-template` has filled, and prints the medians.
//!
//! This process stays small: what `wait4` gives as the largest resident size of a child counts
//! the moment before the child became another program, when it was still a copy of this one.

use std::error::Error;
use std::path::Path;
use std::process::Command;

use bench::TASK_DEFINITIONS;
use bench::measure::{compare, measure, print_head, print_line, summary};
use serde_json::Value;

const SECRET: &str =
    "accessToken=arn:aws:secretsmanager:eu-west-1:123456789012:secret:agent-AbCdEf";
/// Recipes, with the inputs that they require.
const RECIPES: [(&str, &[&str]); 2] = [("alert-logic", &[]), ("lacework", &["--set", SECRET])];
const TEMPLATES: [&str; 2] = ["template.json", "indented.json"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [runs, program] = arguments.as_slice() else {
        return Err("usage: bench-compare RUNS PROGRAM".into());
    };
    let runs: usize = runs.parse()?;
    let baseline = std::env::current_exe()?.with_file_name("json-round-trip");
    let baseline = baseline
        .to_str()
        .ok_or("the path of the baseline is not text")?;

    print_head();
    let empty = (0..runs).map(|_| measure(&mut Command::new("true"), "output.json"));
    print_line(
        "an empty process",
        "",
        summary(empty.collect::<Result<_, _>>()?),
        None,
    );
    let mut outputs = Vec::new();
    for (recipe, inputs) in RECIPES {
        for template in TEMPLATES {
            let output = format!("{recipe}-{template}");
            let mut ours = Command::new(program);
            ours.args([template, "--recipe", recipe]).args(inputs);
            ours.args(["--lock", "outrigger.lock", "--locked", "--quiet"]);
            let mut theirs = Command::new(baseline);
            theirs.arg(template);
            let (ours, theirs) = compare(&mut ours, &mut theirs, &output, runs)?;
            print_line("`json-round-trip`", template, theirs, None);
            print_line(recipe, template, ours, Some(theirs));
            outputs.push(output);
        }
    }
    // Last, because it makes this process large.
    outputs
        .iter()
        .try_for_each(|output| check(Path::new(output)))?;
    println!("\nevery task definition of every output has its sidecar");
    Ok(())
}

/// Every task definition has its application and the recipe's sidecar.
fn check(output: &Path) -> Result<(), Box<dyn Error>> {
    let document: Value = serde_json::from_slice(&std::fs::read(output)?)
        .map_err(|error| format!("{}: {error}", output.display()))?;
    let containers = |number: usize| {
        let pointer = format!("/Resources/Service{number:04}/Properties/ContainerDefinitions");
        document
            .pointer(&pointer)
            .and_then(Value::as_array)
            .map(Vec::len)
    };
    match (0..TASK_DEFINITIONS).find(|number| containers(*number) != Some(2)) {
        Some(number) => {
            Err(format!("{}: Service{number:04} has no sidecar", output.display()).into())
        }
        None => Ok(()),
    }
}
