//! What is refused, with the words that a person reads.

use outrigger_tests::terraform::{Workspace, terraform};

use crate::{files, overridden, plan, providers};

/// A task definition with these lines.
pub(crate) fn task(lines: &str) -> String {
    format!(
        r#"
resource "aws_ecs_task_definition" "app" {{
  family                   = "app"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "256"
  memory                   = "512"
  container_definitions    = jsonencode([{{ name = "web", image = "nginx:1.25" }}])
{lines}
}}
"#
    )
}

/// A task definition of this name.
pub(crate) fn named(name: &str, lines: &str) -> String {
    let of_app = "\"aws_ecs_task_definition\" \"app\"";
    task(lines).replace(of_app, &format!("\"aws_ecs_task_definition\" \"{name}\""))
}

/// What every module begins with.
pub(crate) const HEAD: &str =
    "terraform {\n  required_providers {\n    aws = { source = \"hashicorp/aws\" }\n  }\n}\n";

/// A planned configuration of these files.
pub(crate) fn workspace(files: &[(&str, &str)]) -> Option<Workspace> {
    let terraform = terraform().unwrap()?;
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let workspace = Workspace::new(&terraform, folder.path(), &providers()).unwrap();
    plan(&workspace);
    Some(workspace)
}

/// What is said of a configuration that is refused, and nothing is written.
fn said(name: &str, with: &[(&str, &str)], form: &str, more: &[&str]) -> String {
    let Some(workspace) = workspace(with) else {
        return String::new();
    };
    let before = std::fs::read_dir(workspace.folder()).unwrap().count();
    let ran = overridden(&workspace, form, more);
    assert_ne!(ran.code, 0, "{name}");
    assert_eq!(ran.stdout, "");
    // The lock file is the test's own.
    assert_eq!(
        std::fs::read_dir(workspace.folder()).unwrap().count(),
        before + 1
    );
    assert!(
        files(&workspace.folder())
            .keys()
            .all(|file| with.iter().any(|(name, _)| name == file))
    );
    format!("# {name} ({})\n{}\n", ran.code, ran.stderr)
}

#[test]
#[expect(clippy::too_many_lines, reason = "the table is long")]
fn what_cannot_be_done_without_loss_is_refused() {
    if terraform().unwrap().is_none() {
        return;
    }
    let plain = format!("{HEAD}{}", task(""));
    let ignored = format!(
        "{HEAD}{}",
        task("  lifecycle {\n    ignore_changes = [container_definitions]\n  }")
    );
    let in_json = r#"{"resource": {"aws_ecs_task_definition": {"app": {"family": "app", "requires_compatibilities": ["FARGATE"],
        "network_mode": "awsvpc", "cpu": "256", "memory": "512", "container_definitions": "[{\"name\":\"web\",\"image\":\"nginx:1.25\"}]"}}}}"#;
    let own =
        "resource \"aws_ecs_task_definition\" \"app\" {\n  cpu = \"512\"\n  memory = \"1024\"\n}\n";
    let secret = "variable \"password\" {\n  sensitive = true\n  default   = \"hunter2\"\n}\n";
    let sensitive = format!(
        "{HEAD}{secret}{}",
        task("").replace(
            r#"image = "nginx:1.25""#,
            r#"image = "nginx:1.25", command = [var.password]"#
        )
    );
    let two = format!(
        "{HEAD}{}",
        task(
            "  count = 2\n  tags = { \"outrigger:instrument\" = count.index == 0 ? \"false\" : \"true\" }"
        )
    );
    let of_module = task("  execution_role_arn = var.role").replace(
        r#"image = "nginx:1.25""#,
        r#"image = "nginx:1.25", entryPoint = ["/e"], command = [var.word]"#,
    );
    let of_module = format!(
        "{HEAD}variable \"word\" {{}}\nvariable \"role\" {{\n  default = null\n}}\n{of_module}"
    );
    let one_role = format!(
        "{HEAD}{}{}{}",
        "resource \"aws_cloudwatch_log_group\" \"app\" {\n  name = \"x\"\n}\n",
        "module \"a\" {\n  source = \"./service\"\n  word   = \"x\"\n}\n",
        "module \"b\" {\n  source = \"./service\"\n  word   = aws_cloudwatch_log_group.app.arn\n  role   = \"arn:aws:iam::123456789012:role/b\"\n}\n",
    );
    let both_tags = task("  tags = { kilt-include = \"true\", kilt-ignore = \"true\" }");
    let both_tags = format!("{HEAD}{both_tags}");
    let reports = [
        said(
            "a role of its own, and unknown containers",
            &[("main.tf", &one_role), ("service/main.tf", &of_module)],
            "function",
            &[],
        ),
        said(
            "tags that a mode reads otherwise",
            &[("main.tf", &both_tags)],
            "function",
            &["--mode", "opt-in"],
        ),
        said("ignored", &[("main.tf", &ignored)], "function", &[]),
        said(
            "in JSON",
            &[("main.tf", HEAD), ("app.tf.json", in_json)],
            "function",
            &[],
        ),
        said(
            "overridden already",
            &[("main.tf", &plain), ("size_override.tf", own)],
            "const",
            &[],
        ),
        said(
            "a file of somebody else",
            &[("main.tf", &plain), ("outrigger_override.tf", "")],
            "hcl",
            &[],
        ),
        said("a secret program", &[("main.tf", &sensitive)], "hcl", &[]),
        said(
            "a secret in a constant",
            &[("main.tf", &sensitive)],
            "const",
            &[],
        ),
        said("some instances", &[("main.tf", &two)], "function", &[]),
        said(
            "a query for a container",
            &[(
                "main.tf",
                &plain.replace(
                    r#"nginx:1.25" }"#,
                    r#"nginx:1.25" }, { name = "log", image = "redis:7" }"#,
                ),
            )],
            "function",
            &["--exclude", "$..container_definitions[?@.name == 'log']"],
        ),
        said(
            "a secret input",
            &[("main.tf", &plain)],
            "function",
            &["--set", "accessToken=hunter2"],
        ),
        said(
            "another folder",
            &[("main.tf", &plain)],
            "function",
            &["--check"],
        ),
    ];
    let all = reports.concat();
    assert!(!all.contains("hunter2"));
    insta::assert_snapshot!(all, @"
    # a role of its own, and unknown containers (1)
    error: `aws_ecs_task_definition.app` (main.tf:11): the recipe does not ask the same of each instance's task
      hint: state in the resource what it asks for, or give the instances resources of their own
    error: nothing was written

    # tags that a mode reads otherwise (1)
    error: `aws_ecs_task_definition.app` (main.tf:7): the provider's function knows neither queries nor a mode, and would do otherwise to `aws_ecs_task_definition.app` than `--include`, `--exclude` and `--mode` say
      hint: use the tags `outrigger:containers` and `outrigger:exclude-containers`, or another form
    error: nothing was written

    # ignored (1)
    error: `aws_ecs_task_definition.app` (main.tf:7): `ignore_changes` holds `container_definitions`, so Terraform would pass over what is written
      hint: take it out of `lifecycle`
    error: nothing was written

    # in JSON (1)
    error: `aws_ecs_task_definition.app`: it is written in JSON, in `app.tf.json`
      hint: call the provider's function there, or write the resource once, in one file of the module
    error: nothing was written

    # overridden already (1)
    error: `aws_ecs_task_definition.app`: `size_override.tf` overrides it already
      hint: call the provider's function there, or write the resource once, in one file of the module
    error: nothing was written

    # a file of somebody else (1)
    error: `FOLDER/outrigger_override.tf` was not made by this program
      hint: rename it: the name is that of the files that this program makes
    error: nothing was written

    # a secret program (1)
    error: `aws_ecs_task_definition.app` (main.tf:11): a sensitive value of `aws_ecs_task_definition.app` would be written to the file
      hint: use the form `function`, and state `entryPoint` and `command`, or write the image as a plain text in the resource
    error: nothing was written

    # a secret in a constant (1)
    error: `aws_ecs_task_definition.app` (main.tf:11): it holds sensitive values, which would be written to the file
      hint: use the form `function`
    error: nothing was written

    # some instances (1)
    error: `aws_ecs_task_definition.app` (main.tf:7): some of its instances are to carry the recipe, and some are not
      hint: select all of them or none: an override file concerns them all
    error: nothing was written

    # a query for a container (1)
    error: `aws_ecs_task_definition.app` (main.tf:7): the provider's function knows neither queries nor a mode, and would do otherwise to `aws_ecs_task_definition.app` than `--include`, `--exclude` and `--mode` say
      hint: use the tags `outrigger:containers` and `outrigger:exclude-containers`, or another form
    error: nothing was written

    # a secret input (2)
    error: the input `accessToken` is a secret, and would be written to a file as it is
      hint: keep it in AWS Secrets Manager or SSM, and give `--set accessToken='{valueFrom: ARN}'`

    # another folder (2)
    error: `--check` reads no plan
      hint: leave the plan out: it looks at the files of the modules alone
    ");
}
