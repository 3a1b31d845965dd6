//! What is known only after apply, or sensitive, beside the containers.

use crate::refused::{HEAD, named, task, workspace};
use crate::{RECIPE, containers, files, overridden, plan, tf_filter};

const STATED: &str = r#"image = "nginx:1.25""#;

#[test]
fn what_waits_for_the_apply_does_not_disturb_the_function() {
    let group = "resource \"aws_cloudwatch_log_group\" \"app\" {\n  name = \"x\"\n}\n";
    let waits = named(
        "waits",
        "  execution_role_arn = aws_cloudwatch_log_group.app.arn",
    );
    let tagged = named(
        "tagged",
        "  tags = { Deployed = timestamp() }\n  lifecycle {\n    ignore_changes = [tags]\n  }",
    );
    let unknown = r#"entryPoint = ["/e"], command = [aws_cloudwatch_log_group.app.arn]"#;
    let unknown = task("").replace(STATED, &format!("{STATED}, {unknown}"));
    let Some(workspace) = workspace(&[(
        "main.tf",
        &[HEAD, group, &waits, &tagged, &unknown].concat(),
    )]) else {
        return;
    };
    let made = overridden(&workspace, "function", &[]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    workspace
        .expect(&["fmt", "-check", "-diff", "outrigger_override.tf"])
        .unwrap();
    workspace.expect(&["init", "-input=false"]).unwrap();
    let planned = containers(&plan(&workspace));
    let known: Vec<&str> = planned
        .iter()
        .filter(|(_, containers)| !containers.is_null())
        .map(|(address, _)| address.as_str())
        .collect();
    assert_eq!(
        known,
        [
            "aws_ecs_task_definition.tagged",
            "aws_ecs_task_definition.waits"
        ]
    );
    workspace.apply().unwrap();
    assert!(workspace.is_clean().unwrap());
    plan(&workspace);
    let gate = tf_filter(&workspace, &[&["plan.json", "--check"], RECIPE].concat());
    assert_eq!(gate.code, 0, "{}", gate.stderr);
}

#[test]
fn what_is_sensitive_elsewhere_does_not_disturb() {
    let variables = "variable \"letter\" {\n  sensitive = true\n  default   = \"a\"\n}\nvariable \"secret\" {\n  sensitive = true\n  default   = \"hunter2\"\n}\n";
    let tagged = named("tagged", "  tags = { owner = var.secret }");
    let Some(workspace) = workspace(&[("main.tf", &[HEAD, variables, &tagged].concat())]) else {
        return;
    };
    let made = overridden(&workspace, "const", &[]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert!(
        !files(&workspace.folder())
            .values()
            .any(|text| text.contains("hunter2"))
    );
    tf_filter(&workspace, &["override", "--remove"]);
    let letter = r#"environment = [{ name = "LETTER", value = var.letter }]"#;
    let letter = named("letter", "").replace(STATED, &format!("{STATED}, {letter}"));
    let secret = r#"environment = [{ name = "SECRET", value = var.secret }]"#;
    let secret = named("secret", "").replace(STATED, &format!("{STATED}, {secret}"));
    workspace
        .write("main.tf", &[HEAD, variables, &letter, &secret].concat())
        .unwrap();
    plan(&workspace);
    for form in ["hcl", "function"] {
        let made = overridden(&workspace, form, &[]);
        assert_eq!(made.code, 0, "{}", made.stderr);
        assert!(
            !files(&workspace.folder())
                .values()
                .any(|text| text.contains("hunter2"))
        );
    }
}
