//! Plans that a real Terraform makes here of the configurations in `tests/terraform`, with three recipes.

use std::path::Path;

use outrigger_tests::terraform::{Served, fixtures, planned, terraform};

use crate::corpus::{row, stays_outside};
use crate::library::{RECIPES, judge, recipe, run};

#[test]
fn plans_of_a_real_terraform_are_rewritten_or_left_alone() {
    let Some(terraform) = terraform().unwrap() else {
        eprintln!("there is no Terraform here: nothing is planned");
        return;
    };
    let aws = Served {
        source: "hashicorp/aws",
        version: "6.0.0",
        program: Path::new(env!("CARGO_BIN_EXE_terraform-provider-aws")),
    };
    let mut table = String::new();
    for fixture in fixtures(Path::new("terraform")) {
        let text = planned(&terraform, &fixture, &[aws]).unwrap();
        let rows: Vec<String> = RECIPES
            .iter()
            .map(|&with| {
                let recipes = recipe(with);
                let ran = run(&text, &recipes);
                stays_outside(&text, &ran);
                judge(&text, &ran, &recipes);
                let again = run(&ran.text, &recipes);
                assert_eq!(again.text, ran.text, "a second run changes something");
                row(&ran)
            })
            .collect();
        let name = fixture.file_name().unwrap().to_string_lossy().into_owned();
        let same = rows.iter().all(|row| *row == rows[0]);
        let rows = if same { rows[..1].to_vec() } else { rows };
        table.push_str(&format!("{name}: {}\n", rows.join(" | ")));
    }
    insta::assert_snapshot!(table, @"
    child_module: rewritten
    count: rewritten, rewritten
    delete: nothing to rewrite
    destroy: nothing to rewrite
    for_each: rewritten, rewritten
    heredoc: rewritten, rewritten, rewritten
    module_for_each: rewritten, rewritten
    moved: rewritten (becomes-replacement)
    nested_module: rewritten
    noop: rewritten (becomes-replacement)
    refresh_only: nothing to rewrite
    replace: rewritten
    root: rewritten | refused (recipe-refused) | rewritten
    sensitive: rewritten (sensitive-definition)
    unknown: left alone (unknown-definition)
    update_in_place: rewritten (becomes-replacement)
    ");
}
