//! Files that are out of date.

use std::path::Path;

use outrigger_tests::terraform::{Workspace, terraform};

use crate::refused::{HEAD, named, task, workspace};
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
    error: `FOLDER/outrigger_override.tf` is out of date: it was made with something else: inputs
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
    error: `FOLDER/outrigger_override.tf` is out of date: `aws_ecs_task_definition.more` (more.tf:1) is new, or was refused
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
    // With the file there, and another agent: every container differs from what the recipe says.
    plan(&workspace);
    let mut said = String::new();
    for more in [
        &[] as &[&str],
        &["--set", "image=lacework/datacollector:2-sidecar"],
    ] {
        let ran = overridden(&workspace, "hcl", more);
        said.push_str(&format!("{}\n{}", ran.code, ran.stderr));
    }
    insta::assert_snapshot!(said, @"
    1
    error: `aws_ecs_task_definition.app` is not planned as it was when the override file that is there was made, so that file may have a part in the plan
      hint: make the plan without it: `tf-filter override --remove`, then `terraform plan`
    error: nothing was written
    1
    error: `aws_ecs_task_definition.app` is not planned as it was when the override file that is there was made, so that file may have a part in the plan
      hint: make the plan without it: `tf-filter override --remove`, then `terraform plan`
    error: nothing was written
    ");
}

/// A root module, and a module with a task definition, one that is left alone, and one without instances.
fn with_module() -> [(&'static str, String); 2] {
    let module = [
        HEAD.to_owned(),
        named("this", ""),
        named(
            "apart",
            "  tags = { \"outrigger:instrument\" = \"false\", \"kilt-ignore\" = \"yes\" }",
        ),
        named("idle", "  count = 0"),
    ];
    let call = "module \"service\" {\n  source = \"./modules/service\"\n}\n";
    [
        ("main.tf", format!("{HEAD}{}{call}", task(""))),
        ("modules/service/main.tf", module.concat()),
    ]
}

#[test]
#[expect(clippy::too_many_lines, reason = "the table is long")]
fn every_folder_and_every_file_is_compared() {
    let files = with_module();
    let Some(workspace) = workspace(&files.each_ref().map(|(name, text)| (*name, text.as_str())))
    else {
        return;
    };
    let ran = overridden(&workspace, "hcl", &[]);
    insta::assert_snapshot!(ran.stderr, @"
    FOLDER/outrigger_override.tf: written
      `aws_ecs_task_definition.app` (main.tf:7)
    FOLDER/modules/service/outrigger_override.tf: written
      `aws_ecs_task_definition.this` (main.tf:7)
    left alone, not-selected: `module.service.aws_ecs_task_definition.apart`
    left alone, the plan has no instance of it: `aws_ecs_task_definition.idle` (main.tf:27)
    ");
    let folder = workspace.folder();
    let mut table = String::new();
    // What is written, or removed, and what the check says then.
    let mut row = |what: &str, name: &str, text: Option<&str>, more: &[&str]| {
        let path = folder.join(name);
        let before = std::fs::read_to_string(&path).ok();
        match text {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let hcl = [&["--form", "hcl"], more].concat();
        let said = checked(&workspace, &hcl);
        let said = said
            .lines()
            .filter(|line| !line.starts_with("  hint: make it again"));
        let said: Vec<&str> = said.collect();
        table.push_str(&format!("# {what}\n{}\n", said.join("\n")));
        match before {
            Some(before) => std::fs::write(&path, before).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
    };
    let main = files[0].1.as_str();
    let service = files[1].1.as_str();
    let own = "resource \"aws_ecs_task_definition\" \"app\" {\n  cpu = \"512\"\n}\n";
    row("nothing", "main.tf", Some(main), &[]);
    let windows = main.replace('\n', "\r\n");
    row("other line ends", "main.tf", Some(&windows), &[]);
    let made = std::fs::read_to_string(folder.join("outrigger_override.tf")).unwrap();
    let windows = made.replace('\n', "\r\n");
    row(
        "and of the file",
        "outrigger_override.tf",
        Some(&windows),
        &[],
    );
    row("an override after", "z_override.tf", Some(own), &[]);
    row("an override before", "a_override.tf", Some(own), &[]);
    row("a name like an editor's", "#x_override.tf", Some(own), &[]);
    let escaped = own.replace("task_definition", "task\\u005fdefinition");
    row(
        "a label with an escape",
        "x_override.tf",
        Some(&escaped),
        &[],
    );
    let json = r#"{"resource": [{"aws_ecs_task\u005fdefinition": {"app": {"cpu": "512"}}}]}"#;
    row("an override in JSON", "x_override.tf.json", Some(json), &[]);
    let made = "modules/service/outrigger_override.tf";
    row("a file less", made, None, &[]);
    let edited = service.replace("\"false\"", "\"true\"");
    row(
        "the tag is another",
        "modules/service/main.tf",
        Some(&edited),
        &[],
    );
    let edited = service.replace("count = 0", "count = 1");
    row(
        "an instance more",
        "modules/service/main.tf",
        Some(&edited),
        &[],
    );
    row(
        "another query",
        "main.tf",
        Some(main),
        &["--exclude", "$..x"],
    );
    row("another mode", "main.tf", Some(main), &["--mode", "opt-in"]);
    row("no init", ".terraform/modules/modules.json", None, &[]);
    insta::assert_snapshot!(table, @"
    # nothing
    0
    2 override files are up to date
    # other line ends
    0
    2 override files are up to date
    # and of the file
    0
    2 override files are up to date
    # an override after
    3
    error: `FOLDER/outrigger_override.tf` is out of date: `aws_ecs_task_definition.app`: `z_override.tf` overrides it already
    # an override before
    3
    error: `FOLDER/outrigger_override.tf` is out of date: `aws_ecs_task_definition.app`: `a_override.tf` overrides it already
    # a name like an editor's
    3
    error: `FOLDER/outrigger_override.tf` is out of date: `aws_ecs_task_definition.app`: `#x_override.tf` overrides it already
    # a label with an escape
    3
    error: `FOLDER/outrigger_override.tf` is out of date: `aws_ecs_task_definition.app`: `x_override.tf` overrides it already
    # an override in JSON
    3
    error: `FOLDER/outrigger_override.tf` is out of date: `aws_ecs_task_definition.app`: `x_override.tf.json` overrides it already
    # a file less
    3
    error: `FOLDER/modules/service/outrigger_override.tf` is not there: `aws_ecs_task_definition.this` (main.tf:7) is new, or was refused
    error: `FOLDER/modules/service/outrigger_override.tf` is not there: `aws_ecs_task_definition.apart` (main.tf:17) is new, or was refused
    error: `FOLDER/modules/service/outrigger_override.tf` is not there: `aws_ecs_task_definition.idle` (main.tf:27) is new, or was refused
    # the tag is another
    3
    error: `FOLDER/modules/service/outrigger_override.tf` is out of date: `aws_ecs_task_definition.apart` (main.tf:17) has changed
    # an instance more
    3
    error: `FOLDER/modules/service/outrigger_override.tf` is out of date: `aws_ecs_task_definition.idle` (main.tf:27) has changed
    # another query
    3
    error: `FOLDER/outrigger_override.tf` is out of date: it was made with something else: selection
    error: `FOLDER/modules/service/outrigger_override.tf` is out of date: it was made with something else: selection
    # another mode
    3
    error: `FOLDER/outrigger_override.tf` is out of date: it was made with something else: selection
    error: `FOLDER/modules/service/outrigger_override.tf` is out of date: it was made with something else: selection
    # no init
    1
    error: `FOLDER/.terraform/modules/modules.json` has no module `service`
      hint: run `terraform init` in the folder of the root module, and name that folder with `--directory`
    error: nothing was written
    ");
    std::fs::remove_file(folder.join(".terraform/modules/modules.json")).unwrap();
    let removed = tf_filter(&workspace, &["override", "--remove"]);
    insta::assert_snapshot!(format!("{}\n{}", removed.code, removed.stderr), @"
    1
    error: `FOLDER/.terraform/modules/modules.json` has no module `service`
      hint: run `terraform init` in the folder of the root module, and name that folder with `--directory`
    error: nothing was written
    ");
}

#[test]
fn what_was_refused_is_in_no_file() {
    let unlocked = named("unlocked", "").replace("nginx:1.25", "nginx:9");
    let main = format!("{HEAD}{}{unlocked}", task(""));
    let Some(workspace) = workspace(&[("main.tf", &main)]) else {
        return;
    };
    let skip = ["--on-unresolved", "skip"];
    assert_eq!(overridden(&workspace, "hcl", &skip).code, 3);
    let more = [&["--form", "hcl"], skip.as_slice()].concat();
    insta::assert_snapshot!(checked(&workspace, &more), @"
    3
    error: `FOLDER/outrigger_override.tf` is out of date: `aws_ecs_task_definition.unlocked` (main.tf:17) is new, or was refused
      hint: make it again: `tf-filter override --remove`, `terraform plan`, `tf-filter override PLAN`
    ");
}
