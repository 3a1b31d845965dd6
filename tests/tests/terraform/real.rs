//! Plans that a real Terraform makes here of the configurations in `tests/terraform`, with three recipes.

use std::path::Path;

use outrigger_tests::terraform::{Served, fixtures, planned, terraform};

use crate::corpus::outcomes;

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
        let name = fixture.file_name().unwrap().to_string_lossy().into_owned();
        table.push_str(&format!("{name}: {}\n", outcomes(&text)));
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
    refresh_only: refused: the plan only refreshes the state, and says nothing of the task definitions
    replace: rewritten
    root: rewritten | refused (recipe-refused) | rewritten
    sensitive: rewritten (sensitive-definition)
    unknown: left alone (unknown-definition)
    update_in_place: rewritten (becomes-replacement)
    ");
}
