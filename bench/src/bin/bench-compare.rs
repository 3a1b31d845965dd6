//! `bench-compare RUNS PROGRAM`: runs `cfn-filter` and the round trip in turn, in a folder that
//! `bench-template` has filled, and prints the medians.
//!
//! This process stays small: what `wait4` gives as the largest resident size of a child counts
//! the moment before the child became another program, when it was still a copy of this one.

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bench::TASK_DEFINITIONS;
use serde_json::Value;
use wait4::Wait4;

const SECRET: &str =
    "accessToken=arn:aws:secretsmanager:eu-west-1:123456789012:secret:agent-AbCdEf";
/// Recipes, with the inputs that they require.
const RECIPES: [(&str, &[&str]); 2] = [("alert-logic", &[]), ("lacework", &["--set", SECRET])];
const TEMPLATES: [&str; 2] = ["template.json", "indented.json"];

/// One process, or the median and the maximum of several.
#[derive(Clone, Copy)]
struct Cost {
    time: Duration,
    memory: u64,
}

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

    let empty = (0..runs).map(|_| measure(&mut Command::new("true"), "output.json"));
    print_line(
        "(an empty process)",
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
            print_line("round trip", template, theirs, None);
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

/// In turn, so that a slow moment of the machine meets both; the first run of each only warms up.
fn compare(
    ours: &mut Command,
    theirs: &mut Command,
    output: &str,
    runs: usize,
) -> Result<(Cost, Cost), Box<dyn Error>> {
    let (mut our_costs, mut their_costs) = (Vec::new(), Vec::new());
    for _ in 0..=runs {
        our_costs.push(measure(ours, output)?);
        their_costs.push(measure(theirs, "round-trip.json")?);
    }
    Ok((
        summary(our_costs.split_off(1)),
        summary(their_costs.split_off(1)),
    ))
}

/// One process from start to end. A failure is an error: it would be a fast run.
fn measure(command: &mut Command, output: &str) -> Result<Cost, Box<dyn Error>> {
    command.stdin(Stdio::null()).stdout(File::create(output)?);
    let started = Instant::now();
    let used = command.spawn()?.wait4()?;
    let time = started.elapsed();
    if !used.status.success() {
        let program = Path::new(command.get_program()).display();
        return Err(format!("{program} for {output}: {}", used.status).into());
    }
    Ok(Cost {
        time,
        memory: used.rusage.maxrss,
    })
}

/// Median time and largest memory.
fn summary(mut costs: Vec<Cost>) -> Cost {
    costs.sort_by_key(|cost| cost.time);
    let median = costs.get(costs.len() / 2);
    Cost {
        time: median.map_or(Duration::ZERO, |cost| cost.time),
        memory: costs.iter().map(|cost| cost.memory).max().unwrap_or(0),
    }
}

fn print_line(what: &str, input: &str, cost: Cost, baseline: Option<Cost>) {
    let milliseconds = cost.time.as_secs_f64() * 1e3;
    let megabytes = cost.memory as f64 / 1e6;
    let ratio = match baseline {
        Some(baseline) => format!("{:8.2}", cost.time.div_duration_f64(baseline.time)),
        None => String::new(),
    };
    println!("{what:<20}{input:<15}{milliseconds:8.1} ms{megabytes:8.1} MB{ratio}");
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
