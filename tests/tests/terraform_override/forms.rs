//! Every form for every way in which a configuration makes task definitions.

use std::path::{Path, PathBuf};

use outrigger_tests::terraform::{Workspace, fixtures, terraform};
use serde_json::Value;

use crate::{RECIPE, containers, files, overridden, plan, providers, tf_filter};

const FORMS: [&str; 3] = ["const", "hcl", "function"];
/// Fixtures of the filter's tests that make task definitions in a way of their own.
const SHARED: [&str; 9] = [
    "root",
    "child_module",
    "nested_module",
    "count",
    "for_each",
    "module_for_each",
    "unknown",
    "sensitive",
    "heredoc",
];

/// What the filter makes of the plan that is there, by address.
fn filtered(workspace: &Workspace) -> Option<std::collections::BTreeMap<String, Value>> {
    let ran = tf_filter(workspace, &[&["plan.json"], RECIPE].concat());
    (ran.code == 0).then(|| containers(&ran.stdout))
}

/// The last line of what was said, without places: why something was refused.
fn reason(said: &str) -> String {
    let errors = said.lines().filter_map(|line| line.strip_prefix("error: "));
    let errors = errors.filter(|line| !line.starts_with("nothing was written"));
    let reason = errors.map(|line| line.split_once("): ").map_or(line, |(_, reason)| reason));
    let mut reasons: Vec<&str> = reason.collect();
    reasons.dedup();
    reasons.join("; ")
}

/// One form: what became of it, as a cell of the table.
fn tried(workspace: &Workspace, form: &str) -> String {
    workspace.write("marker", "").unwrap();
    let before = filtered(workspace).unwrap();
    let ran = overridden(workspace, form, &[]);
    let made = files(&workspace.folder());
    if ran.code != 0 {
        assert!(made.is_empty(), "something was written: {made:?}");
        return format!("refused: {}", reason(&ran.stderr));
    }
    assert!(!made.is_empty());
    for (name, text) in &made {
        assert!(!text.contains("hunter2"), "{name}");
    }
    // Said a second time, nothing changes.
    let again = overridden(workspace, form, &[]);
    assert_eq!((again.code, files(&workspace.folder())), (0, made));
    assert!(!again.stderr.contains(": written"), "{}", again.stderr);
    workspace
        .expect(&["fmt", "-check", "-recursive", "-diff"])
        .unwrap();
    workspace.expect(&["init", "-input=false"]).unwrap();
    workspace.expect(&["validate", "-no-color"]).unwrap();
    let after = workspace.plan(&[]).unwrap();
    let mut said = "planned as filtered".to_owned();
    for (address, planned) in containers(&after) {
        let was_unknown = before[&address].is_null();
        match (was_unknown, planned.is_null()) {
            (true, true) => said = "unknown".to_owned(),
            _ => assert_eq!(planned, before[&address], "{address}"),
        }
    }
    if after.contains("hunter2") {
        assert!(after.contains(r#""after_sensitive":{"container_definitions":true"#));
    }
    let applied = workspace
        .run(&["apply", "-input=false", "-no-color", "plan.bin"])
        .unwrap();
    assert!(!format!("{}{}", applied.stdout, applied.stderr).contains("hunter2"));
    if applied.exit != Some(0) {
        let text = format!("{} {}", applied.stdout, applied.stderr);
        let text = text
            .split_whitespace()
            .filter(|word| *word != "│")
            .collect::<Vec<_>>()
            .join(" ");
        assert!(text.contains("is not in `config.images`"), "{text}");
        return format!("{said}; apply refused: the image is not in `config.images`");
    }
    assert!(workspace.is_clean().unwrap());
    format!("{said}; applied; clean")
}

/// From the first plan over each form and another image of the agent back to the original.
fn row(terraform: &Path, fixture: &Path) -> String {
    let workspace = Workspace::new(terraform, fixture, &providers()).unwrap();
    let original = containers(&plan(&workspace));
    let mut cells = Vec::new();
    for form in FORMS {
        cells.push(format!("  {form}: {}\n", tried(&workspace, form)));
        let removed = tf_filter(&workspace, &["override", "--remove"]);
        assert_eq!(
            (removed.code, files(&workspace.folder()).len()),
            (0, 0),
            "{}",
            removed.stderr
        );
    }
    // The plan was made before anything was applied, and still says what the files say.
    let more = ["--set", "image=lacework/datacollector:2-sidecar"];
    let upgraded = overridden(&workspace, "function", &more);
    let cell = match upgraded.code {
        0 => {
            workspace.expect(&["init", "-input=false"]).unwrap();
            match workspace.converge() {
                Ok(_) => {
                    let state = workspace.state().unwrap().to_string();
                    assert!(state.contains("datacollector:2-sidecar"));
                    assert!(!state.contains("datacollector:latest-sidecar"));
                    assert!(workspace.is_clean().unwrap());
                    "applied; clean"
                }
                Err(said) => {
                    assert!(said.contains("not in `config.images`"), "{said}");
                    "refused by the function"
                }
            }
        }
        _ => "refused",
    };
    cells.push(format!("  another agent: {cell}\n"));
    tf_filter(&workspace, &["override", "--remove"]);
    workspace.plan(&[]).unwrap();
    workspace.apply().unwrap();
    assert!(workspace.is_clean().unwrap());
    let last = containers(&workspace.plan(&[]).unwrap());
    for (address, containers) in &original {
        assert!(
            containers.is_null() || last[address] == *containers,
            "{address}"
        );
    }
    let removed = if original.values().any(Value::is_null) {
        "applied; clean"
    } else {
        "as before; clean"
    };
    cells.push(format!("  files removed: {removed}\n"));
    workspace.destroy().unwrap();
    let name = fixture.file_name().unwrap().to_string_lossy().into_owned();
    format!("{name}\n{}", cells.concat())
}

#[test]
#[expect(clippy::too_many_lines, reason = "the table is long")]
fn every_form_for_every_kind_of_configuration() {
    let Some(terraform) = terraform().unwrap() else {
        return;
    };
    let shared = SHARED.iter().map(|name| Path::new("terraform").join(name));
    let all: Vec<PathBuf> = shared
        .chain(fixtures(Path::new("terraform_override")))
        .collect();
    let table: String = all.iter().map(|fixture| row(&terraform, fixture)).collect();
    insta::assert_snapshot!(table, @r#"
    root
      const: planned as filtered; applied; clean
      hcl: planned as filtered; applied; clean
      function: planned as filtered; applied; clean
      another agent: applied; clean
      files removed: as before; clean
    child_module
      const: planned as filtered; applied; clean
      hcl: planned as filtered; applied; clean
      function: planned as filtered; applied; clean
      another agent: applied; clean
      files removed: as before; clean
    nested_module
      const: planned as filtered; applied; clean
      hcl: planned as filtered; applied; clean
      function: planned as filtered; applied; clean
      another agent: applied; clean
      files removed: as before; clean
    count
      const: planned as filtered; applied; clean
      hcl: planned as filtered; applied; clean
      function: planned as filtered; applied; clean
      another agent: applied; clean
      files removed: as before; clean
    for_each
      const: planned as filtered; applied; clean
      hcl: planned as filtered; applied; clean
      function: planned as filtered; applied; clean
      another agent: applied; clean
      files removed: as before; clean
    module_for_each
      const: refused: `module.service["api"].aws_ecs_task_definition.this` and `module.service["we\"ird.key"].aws_ecs_task_definition.this` share these files and have other containers
      hcl: planned as filtered; applied; clean
      function: planned as filtered; applied; clean
      another agent: applied; clean
      files removed: as before; clean
    unknown
      const: refused: the containers of `aws_ecs_task_definition.app` are known only after apply
      hcl: refused: the containers of `aws_ecs_task_definition.app` are known only after apply
      function: unknown; apply refused: the image is not in `config.images`
      another agent: refused by the function
      files removed: applied; clean
    sensitive
      const: refused: it holds sensitive values, which would be written to the file
      hcl: planned as filtered; applied; clean
      function: planned as filtered; applied; clean
      another agent: applied; clean
      files removed: as before; clean
    heredoc
      const: planned as filtered; applied; clean
      hcl: planned as filtered; applied; clean
      function: planned as filtered; applied; clean
      another agent: applied; clean
      files removed: as before; clean
    nested_twice
      const: planned as filtered; applied; clean
      hcl: planned as filtered; applied; clean
      function: planned as filtered; applied; clean
      another agent: applied; clean
      files removed: as before; clean
    sensitive_all
      const: refused: it holds sensitive values, which would be written to the file
      hcl: refused: a sensitive value of `aws_ecs_task_definition.app` would be written to the file
      function: refused: a sensitive value of `aws_ecs_task_definition.app` would be written to the file
      another agent: refused
      files removed: as before; clean
    unknown_name
      const: refused: the containers of `aws_ecs_task_definition.app` are known only after apply
      hcl: refused: the containers of `aws_ecs_task_definition.app` are known only after apply
      function: unknown; applied; clean
      another agent: applied; clean
      files removed: applied; clean
    written_oddly
      const: planned as filtered; applied; clean
      hcl: planned as filtered; applied; clean
      function: planned as filtered; applied; clean
      another agent: applied; clean
      files removed: as before; clean
    "#);
}
