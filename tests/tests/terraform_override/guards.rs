//! Plans that say something else than the one that the files were made from.

use outrigger_tests::terraform::Workspace;

use crate::refused::{HEAD, task, workspace};
use crate::{RECIPE, files, overridden, plan, tf_filter};

/// Containers that stand in a local value, beside a module that may be called once more.
fn with_variables() -> [(&'static str, String); 2] {
    let variables = r#"
variable "image" {
  default = "nginx:1.25"
}
variable "more" {
  type    = map(string)
  default = {}
}
variable "spelled" {
  type    = map(list(string))
  default = {}
}
variable "again" {
  default = false
}
locals {
  variables = merge({ Z = "1", A = "2" }, var.more)
  containers = [merge(var.spelled, {
    name        = "web"
    image       = var.image
    command     = []
    environment = [for name in reverse(keys(local.variables)) : { name = name, value = local.variables[name] }]
  })]
}
module "x" {
  source = "./modules/service"
  image  = "nginx:1.0"
}
module "y" {
  source = "./modules/service"
  count  = var.again ? 1 : 0
  image  = "redis:7"
}
"#;
    let stated = |text: &str, expression: &str| {
        let literal = r#"jsonencode([{ name = "web", image = "nginx:1.25" }])"#;
        assert!(text.contains(literal));
        text.replace(literal, expression)
    };
    let root = stated(&task(""), "jsonencode(local.containers)");
    let module = stated(
        &task(""),
        "jsonencode([{ name = \"web\", image = var.image }])",
    );
    [
        ("main.tf", format!("{HEAD}{variables}{root}")),
        (
            "modules/service/main.tf",
            format!("{HEAD}variable \"image\" {{}}\n{module}"),
        ),
    ]
}

/// What Terraform says of a plan that fails: the words of the file.
fn fails(workspace: &Workspace, options: &[&str]) -> String {
    let said = workspace.plan(options).expect_err("it is planned");
    let words: Vec<&str> = said
        .split_whitespace()
        .filter(|word| *word != "│")
        .collect();
    let said = words.join(" ");
    let (_, text) = said.split_once("cannot convert \"").expect(&said);
    let (text, _) = text.split_once('"').unwrap();
    format!("{}: {text}\n", options.join(" "))
}

fn removed(workspace: &Workspace) {
    assert_eq!(tf_filter(workspace, &["override", "--remove"]).code, 0);
}

#[test]
fn another_program_than_planned_fails_the_plan() {
    let files = with_variables();
    let Some(workspace) = workspace(&files.each_ref().map(|(name, text)| (*name, text.as_str())))
    else {
        return;
    };
    let mut said = String::new();
    let another = "-var=image=nginx:1.1";
    let variable = "-var=more={ B = \"3\" }";
    for form in ["const", "hcl"] {
        said.push_str(&format!("# {form}\n"));
        let made = overridden(&workspace, form, &[]);
        assert_eq!(made.code, 0, "{}", made.stderr);
        workspace.plan(&[]).unwrap();
        said.push_str(&fails(&workspace, &[another]));
        let spelled = "-var=spelled={ entrypoint = [\"/mine\"] }";
        said.push_str(&fails(&workspace, &[spelled]));
        match form {
            "const" => {
                said.push_str(&fails(&workspace, &["-var=again=true"]));
                said.push_str(&fails(&workspace, &[variable]));
            }
            _ => {
                workspace.plan(&[variable]).unwrap();
                let added = "-var=more={ LaceworkAccessToken = \"no\" }";
                said.push_str(&fails(&workspace, &[added]));
            }
        }
        removed(&workspace);
    }
    insta::assert_snapshot!(said, @r#"
    # const
    -var=image=nginx:1.1: the containers are not as they were planned: run tf-filter override again
    -var=spelled={ entrypoint = ["/mine"] }: the containers are not as they were planned: run tf-filter override again
    -var=again=true: the containers are not as they were planned: run tf-filter override again
    -var=more={ B = "3" }: the containers are not as they were planned: run tf-filter override again
    # hcl
    -var=image=nginx:1.1: the container web has another image, entry point or command than planned, or an entry that was not: run tf-filter override again
    -var=spelled={ entrypoint = ["/mine"] }: the container web has another image, entry point or command than planned, or an entry that was not: run tf-filter override again
    -var=more={ LaceworkAccessToken = "no" }: the container web has another image, entry point or command than planned, or an entry that was not: run tf-filter override again
    "#);
    // A plan that changes nothing shows what AWS has made of the containers.
    workspace.converge().unwrap();
    plan(&workspace);
    for form in ["const", "hcl"] {
        let made = overridden(&workspace, form, &[]);
        assert_eq!(made.code, 0, "{}", made.stderr);
        workspace.plan(&[]).unwrap();
        removed(&workspace);
    }
}

#[test]
fn a_folder_that_others_use_is_refused() {
    let library = tempfile::tempdir().unwrap();
    let [_, (_, module)] = with_variables();
    std::fs::write(library.path().join("main.tf"), module).unwrap();
    let call = format!(
        "module \"x\" {{\n  source = {:?}\n  image = \"nginx:1.0\"\n}}\n",
        library.path()
    );
    let Some(workspace) = workspace(&[("main.tf", &call)]) else {
        return;
    };
    let ran = overridden(&workspace, "hcl", &[]);
    insta::assert_snapshot!(format!("{}\n{}", ran.code, ran.stderr), @"
    1
    error: `FOLDER/.terraform/modules/x` is a link to a folder elsewhere, where other configurations would find the file
      hint: give the module's `source` as a relative path, or call the provider's function there
    error: nothing was written
    ");
    assert_eq!(std::fs::read_dir(library.path()).unwrap().count(), 1);
}

/// Plans with these options, and leaves the plan where the program reads it.
fn planned(workspace: &Workspace, options: &[&str]) {
    let plan = workspace.plan(options).unwrap();
    workspace.write("plan.json", &plan).unwrap();
}

#[test]
#[expect(clippy::too_many_lines, reason = "the table is long")]
fn a_plan_of_a_part_is_refused() {
    let module = format!("{HEAD}{}", task(""));
    let call = "variable \"services\" {\n  default = 1\n}\nmodule \"service\" {\n  source = \"./modules/service\"\n  count  = var.services\n}\n";
    let Some(workspace) = workspace(&[("main.tf", call), ("modules/service/main.tf", &module)])
    else {
        return;
    };
    let gate = [&["plan.json", "--check"], RECIPE].concat();
    workspace.converge().unwrap();
    assert_eq!(overridden(&workspace, "hcl", &[]).code, 0);
    let made = files(&workspace.folder());
    let mut said = String::new();
    for option in [
        "-target=module.service",
        "-destroy",
        "-refresh-only",
        "-var=services=0",
    ] {
        planned(&workspace, &[option]);
        let ran = overridden(&workspace, "hcl", &[]);
        said.push_str(&format!("# {option}\n{}\n{}", ran.code, ran.stderr));
        if option == "-refresh-only" {
            let ran = tf_filter(&workspace, &gate);
            said.push_str(&format!("# the gate\n{}\n{}", ran.code, ran.stderr));
        }
        assert_eq!(files(&workspace.folder()), made);
    }
    // Nothing is deployed, and the plan has no instance: the file is of another plan.
    removed(&workspace);
    workspace.destroy().unwrap();
    planned(&workspace, &[]);
    assert_eq!(overridden(&workspace, "hcl", &[]).code, 0);
    workspace
        .write("more.tf", "terraform {\n  required_providers {\n    aws = { source = \"hashicorp/aws\" }\n  }\n}\nresource \"aws_cloudwatch_log_group\" \"app\" {\n  name = \"x\"\n}\n")
        .unwrap();
    planned(&workspace, &["-var=services=0"]);
    let ran = overridden(&workspace, "hcl", &[]);
    said.push_str(&format!(
        "# without instances\n{}\n{}",
        ran.code, ran.stderr
    ));
    assert_eq!(files(&workspace.folder()), made);
    insta::assert_snapshot!(said, @"
    # -target=module.service
    1
    error: the plan is not complete: it speaks of a part of the configuration
      hint: make the plan without `-target`, and where Terraform plans in rounds, apply the first
    error: nothing was written
    # -destroy
    1
    error: the plan destroys every task definition
      hint: make an ordinary plan; `tf-filter override --remove` removes the files
    error: nothing was written
    # -refresh-only
    1
    error: FOLDER/plan.json: the plan only refreshes the state, and says nothing of the task definitions
      hint: make the plan without `-refresh-only`
    error: nothing was written
    # the gate
    1
    error: FOLDER/plan.json: the plan only refreshes the state, and says nothing of the task definitions
      hint: make the plan without `-refresh-only`
    error: nothing was checked
    # -var=services=0
    1
    error: the plan destroys every task definition
      hint: make an ordinary plan; `tf-filter override --remove` removes the files
    error: nothing was written
    # without instances
    0
    FOLDER/modules/service/outrigger_override.tf: kept, the plan has none of its task definitions
    no task definition has to be overridden
    ");
}
