//! `plan-compare RUNS PROGRAM`: runs `tf-filter` and the round trip in turn, in a folder that
//! `bench-plan` has filled, and prints the medians.

use std::error::Error;
use std::process::Command;

use bench::measure::{compare, measure, print_head, print_line, summary};
use bench::plan::TASK_DEFINITIONS;
use taskdef::terraform::Plan;

const SECRET: &str =
    "accessToken=arn:aws:secretsmanager:eu-west-1:123456789012:secret:agent-AbCdEf";
/// Recipes, with the inputs that they require, and what each of their sidecars is called.
const RECIPES: [(&str, &[&str], &str); 2] = [
    ("alert-logic", &[], "al-agent"),
    ("lacework", &["--set", SECRET], "datacollector-sidecar"),
];
const PLAN: &str = "plan.json";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [runs, program] = arguments.as_slice() else {
        return Err("usage: plan-compare RUNS PROGRAM".into());
    };
    let runs: usize = runs.parse()?;
    let baseline = std::env::current_exe()?.with_file_name("json-round-trip");
    let size = std::fs::metadata(PLAN)?.len();
    println!(
        "a plan of {:.1} MB, {TASK_DEFINITIONS} task definitions in it\n",
        size as f64 / 1e6
    );
    print_head();
    let empty = (0..runs).map(|_| measure(&mut Command::new("true"), "output.json"));
    let empty = summary(empty.collect::<Result<_, _>>()?);
    print_line("an empty process", "", empty, None);
    for (recipe, inputs, _) in RECIPES {
        let output = format!("{recipe}-{PLAN}");
        let mut ours = Command::new(program);
        ours.args([PLAN, "--recipe", recipe]).args(inputs);
        ours.args(["--lock", "plan.lock", "--locked", "--quiet"]);
        let mut theirs = Command::new(&baseline);
        theirs.arg(PLAN);
        let (ours, theirs) = compare(&mut ours, &mut theirs, &output, runs)?;
        print_line("`json-round-trip`", PLAN, theirs, None);
        print_line(recipe, PLAN, ours, Some(theirs));
    }
    // Last, because it makes this process large.
    for (recipe, _, sidecar) in RECIPES {
        let text = std::fs::read_to_string(format!("{recipe}-{PLAN}"))?;
        let named = format!(r#"\"name\":\"{sidecar}\""#);
        let sidecars = text.matches(&named).count();
        let tasks = Plan::from_bytes(text.as_bytes())?.addresses().count();
        if (tasks, sidecars) != (TASK_DEFINITIONS, 2 * TASK_DEFINITIONS) {
            return Err(
                format!("{recipe}: {sidecars} sidecars in {tasks} task definitions").into(),
            );
        }
    }
    println!("\nevery task definition of every output has its sidecar, in both places");
    Ok(())
}
