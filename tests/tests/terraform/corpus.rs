//! The plans of the corpus, with three recipes.
//!
//! `OUTRIGGER_CORPUS` names a folder with `terraform-plans/*`; without it the test says so and passes.

use std::fs;
use std::path::PathBuf;

use taskdef::report::{Outcome, TaskDefinitionReport};
use taskdef::terraform::Plan;

use crate::library::{RECIPES, Ran, judge, recipe, run};

#[test]
fn plans_of_the_corpus_are_rewritten_or_left_alone() {
    let Some(folder) = std::env::var_os("OUTRIGGER_CORPUS") else {
        eprintln!("OUTRIGGER_CORPUS is not set: no plans to run on");
        return;
    };
    let folder = PathBuf::from(folder).join("terraform-plans");
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    let mut table = String::new();
    for case in &cases {
        let text = fs::read_to_string(case.join("plan.json")).unwrap();
        let name = case.file_name().unwrap().to_string_lossy();
        table.push_str(&format!("{name}: {}\n", outcomes(&text)));
    }
    insta::assert_snapshot!(table, @"
    checkov_terraform_1_1: left alone (not-fargate)
    child_module: rewritten
    count: rewritten, rewritten
    delete: nothing to rewrite
    destroy: nothing to rewrite
    for_each: rewritten, rewritten
    heredoc_const: rewritten, rewritten, rewritten, rewritten
    moved: rewritten (becomes-replacement)
    nested_module: rewritten
    noop: rewritten (becomes-replacement)
    refresh_only: refused: the plan only refreshes the state, and says nothing of the task definitions
    replace: rewritten
    root_create: rewritten
    sensitive: rewritten (sensitive-definition)
    unknown_ecr: left alone (unknown-definition)
    update_in_place: rewritten (becomes-replacement)
    ");
}

/// What becomes of a plan by each of the recipes, held against all that has to be true of it.
pub(crate) fn outcomes(text: &str) -> String {
    if let Err(error) = Plan::from_bytes(text.as_bytes()) {
        return format!("refused: {error}");
    }
    let rows: Vec<String> = RECIPES
        .iter()
        .map(|&with| {
            let recipes = recipe(with);
            let ran = run(text, &recipes);
            stays_outside(text, &ran);
            judge(text, &ran, &recipes);
            let again = run(&ran.text, &recipes);
            assert_eq!(again.text, ran.text, "a second run changes something");
            row(&ran)
        })
        .collect();
    let same = rows.iter().all(|row| *row == rows[0]);
    let rows = if same { &rows[..1] } else { &rows[..] };
    rows.join(" | ")
}

/// Every byte outside of the spliced ranges is there as it was, in order.
pub(crate) fn stays_outside(text: &str, ran: &Ran) {
    let (mut before, mut after) = (0, 0);
    for splice in &ran.splices {
        let kept = text.get(before..splice.range.start).unwrap();
        assert_eq!(ran.text.get(after..after + kept.len()), Some(kept));
        after += kept.len() + splice.text.len();
        before = splice.range.end;
    }
    assert_eq!(ran.text.get(after..), text.get(before..));
}

/// What became of each task definition, in a few words.
pub(crate) fn row(ran: &Ran) -> String {
    let tasks = ran.report.task_definitions.iter().map(words);
    let tasks: Vec<String> = tasks.collect();
    match tasks.is_empty() {
        true => "nothing to rewrite".to_owned(),
        false => tasks.join(", "),
    }
}

fn words(task: &TaskDefinitionReport) -> String {
    let outcome = match task.outcome {
        Outcome::Rewritten => "rewritten",
        Outcome::Unchanged => "unchanged",
        Outcome::LeftAlone => "left alone",
        Outcome::Refused => "refused",
    };
    let told = [
        "becomes-replacement",
        "not-fargate",
        "sensitive-definition",
        "unknown-definition",
    ];
    let codes = task.findings.iter().map(|finding| finding.code.as_str());
    let codes: Vec<&str> = codes
        .filter(|code| told.contains(code) || task.outcome == Outcome::Refused)
        .collect();
    match codes.is_empty() {
        true => outcome.to_owned(),
        false => format!("{outcome} ({})", codes.join(", ")),
    }
}
