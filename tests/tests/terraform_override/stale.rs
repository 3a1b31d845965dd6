//! Files that are out of date.

use std::path::Path;

use outrigger_tests::terraform::{Workspace, terraform};

use crate::{RECIPE, overridden, plan, providers, tf_filter};

fn checked(workspace: &Workspace, more: &[&str]) -> String {
    let ran = tf_filter(
        workspace,
        &[&["override", "--check"], RECIPE, more].concat(),
    );
    format!("{}\n{}", ran.code, ran.stderr)
}

#[test]
fn a_file_that_does_not_say_what_its_sources_say_is_named() {
    let Some(terraform) = terraform().unwrap() else {
        return;
    };
    let workspace = Workspace::new(&terraform, Path::new("terraform/root"), &providers()).unwrap();
    let read = |name: &str| std::fs::read_to_string(workspace.folder().join(name)).unwrap();
    insta::assert_snapshot!(checked(&workspace, &[]), @"
    3
    error: there is no override file
      hint: name the folder of the root module with `--directory`, or make the files with `tf-filter override PLAN`
    ");
    plan(&workspace);
    assert_eq!(overridden(&workspace, "function", &[]).code, 0);
    insta::assert_snapshot!(checked(&workspace, &[]), @"
    0
    1 override file is up to date
    ");
    // Another input, as an upgrade of the recipe would be.
    insta::assert_snapshot!(checked(&workspace, &["--set", "verbose=true"]), @"
    3
    error: `FOLDER/outrigger_override.tf` is out of date: it was made with another form, recipe, input or policy
      hint: make it again: `tf-filter override --remove`, `terraform plan`, `tf-filter override PLAN`
    ");
    let main = read("main.tf");
    workspace
        .write("main.tf", &main.replace("nginx:1.25", "nginx:1.26"))
        .unwrap();
    workspace
        .write(
            "more.tf",
            "resource \"aws_ecs_task_definition\" \"more\" {}\n",
        )
        .unwrap();
    let made = read("outrigger_override.tf");
    workspace
        .write("outrigger_override.tf", &made.replace("\"web\"", "\"wep\""))
        .unwrap();
    insta::assert_snapshot!(checked(&workspace, &[]), @"
    3
    error: `FOLDER/outrigger_override.tf` is out of date: it was changed by hand
      hint: make it again: `tf-filter override --remove`, `terraform plan`, `tf-filter override PLAN`
    error: `FOLDER/outrigger_override.tf` is out of date: `aws_ecs_task_definition.app` (main.tf:11) has changed
      hint: make it again: `tf-filter override --remove`, `terraform plan`, `tf-filter override PLAN`
    error: `FOLDER/outrigger_override.tf` is out of date: `aws_ecs_task_definition.more` is new
      hint: make it again: `tf-filter override --remove`, `terraform plan`, `tf-filter override PLAN`
    ");
    workspace.write("main.tf", "").unwrap();
    workspace.write("more.tf", "").unwrap();
    workspace.write("outrigger_override.tf", &made).unwrap();
    insta::assert_snapshot!(checked(&workspace, &[]), @"
    3
    error: `FOLDER/outrigger_override.tf` is out of date: `aws_ecs_task_definition.app` is gone
      hint: make it again: `tf-filter override --remove`, `terraform plan`, `tf-filter override PLAN`
    ");
}

#[test]
fn a_plan_that_was_made_with_the_files_is_refused() {
    let Some(terraform) = terraform().unwrap() else {
        return;
    };
    let workspace = Workspace::new(&terraform, Path::new("terraform/root"), &providers()).unwrap();
    plan(&workspace);
    assert_eq!(overridden(&workspace, "const", &[]).code, 0);
    plan(&workspace);
    let ran = overridden(&workspace, "const", &[]);
    insta::assert_snapshot!(format!("{}\n{}", ran.code, ran.stderr), @"
    1
    error: `aws_ecs_task_definition.app` carries the recipe in the plan, by the override file that is there
      hint: make the plan without it: `tf-filter override --remove`, then `terraform plan`
    error: nothing was written
    ");
}
