//! The hooks, under the real pre-commit, in repositories of this machine.

use std::fs;
use std::path::Path;
use std::process::Output;

use outrigger_tests::servers::program;

use crate::{Workspace, root, stdout};

fn git(workspace: &Workspace, folder: &str, args: &[&str]) {
    let output = workspace
        .command("git")
        .args([
            "-C",
            folder,
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.com",
        ])
        .args([
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(args)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {said}");
}

/// A repository with the hooks, as it is here, and another with two templates that uses them.
fn repositories(hooks: &str) -> Workspace {
    let workspace = Workspace::new(&["alert-logic", "firelens-service"]);
    let hooks_of = workspace.path("hooks");
    fs::create_dir_all(hooks_of.join("scripts")).unwrap();
    for file in [".pre-commit-hooks.yaml", "scripts/pre-commit"] {
        fs::copy(root().join(file), hooks_of.join(file)).unwrap();
    }
    let config = format!(
        "repos:\n  - repo: {}\n    rev: v1\n    hooks:\n{hooks}",
        hooks_of.display()
    );
    fs::write(workspace.path("work/.pre-commit-config.yaml"), config).unwrap();
    for folder in ["../hooks", "."] {
        git(&workspace, folder, &["init", "-q"]);
        git(&workspace, folder, &["add", "-A"]);
        git(&workspace, folder, &["commit", "-qm", "first"]);
    }
    git(&workspace, "../hooks", &["tag", "v1"]);
    workspace
}

fn pre_commit(program: &Path, workspace: &Workspace) -> Output {
    workspace
        .command(program)
        .args(["run", "--all-files", "--color", "never"])
        .env("PRE_COMMIT_HOME", workspace.path("cache"))
        .output()
        .unwrap()
}

#[test]
fn a_check_fails_until_the_other_hook_has_rewritten() {
    let Some(program) = program("PRE_COMMIT", "pre-commit").unwrap() else {
        return;
    };
    let check = "      - id: outrigger-check\n";
    let workspace = repositories(check);
    let failed = pre_commit(&program, &workspace);
    let said = stdout(&failed);
    assert_eq!(failed.status.code(), Some(1), "{said}");
    for id in ["ShopTask", "WorkerTask"] {
        assert!(said.contains(&format!("{id}: fails the check")), "{said}");
    }
    let config = workspace.read("work/.pre-commit-config.yaml");
    let config_file = workspace.path("work/.pre-commit-config.yaml");
    fs::write(
        &config_file,
        config.replace("outrigger-check", "outrigger-filter"),
    )
    .unwrap();
    git(&workspace, ".", &["add", "-A"]);
    let rewritten = pre_commit(&program, &workspace);
    assert_eq!(rewritten.status.code(), Some(1));
    assert!(
        stdout(&rewritten).contains("files were modified by this hook"),
        "{}",
        stdout(&rewritten)
    );
    git(&workspace, ".", &["add", "-A"]);
    let again = pre_commit(&program, &workspace);
    assert!(again.status.success(), "{}", stdout(&again));
    fs::write(&config_file, config).unwrap();
    git(&workspace, ".", &["add", "-A"]);
    let checked = pre_commit(&program, &workspace);
    assert!(checked.status.success(), "{}", stdout(&checked));
    let template = workspace.read("work/stacks/alert-logic/template.yaml");
    assert!(template.contains("al-agent"));
}

#[test]
fn arguments_end_with_two_hyphens() {
    let Some(program) = program("PRE_COMMIT", "pre-commit").unwrap() else {
        return;
    };
    let with = |args: &str| {
        let hook = format!("      - id: outrigger-check\n        args: {args}\n");
        let workspace = repositories(&hook);
        stdout(&pre_commit(&program, &workspace))
    };
    let checked = with("[--recipe, alert-logic, --no-settings, --offline, --]");
    assert!(
        checked.contains("does not carry the recipe `alert-logic`"),
        "{checked}"
    );
    assert!(!checked.contains("lacework"), "{checked}");
    let wrong = with("[--recipe, alert-logic]");
    assert!(
        wrong.contains("`args` of the hook has to end with `--`"),
        "{wrong}"
    );
}

#[test]
fn the_hooks_and_the_page_are_valid() {
    let Some(program) = program("PRE_COMMIT", "pre-commit").unwrap() else {
        return;
    };
    let workspace = Workspace::new(&["nginx"]);
    let (_, example) = crate::examples()
        .into_iter()
        .find(|(name, _)| name == ".pre-commit-config.yaml")
        .unwrap();
    let config = workspace.path("config.yaml");
    fs::write(&config, example.to_string()).unwrap();
    let hooks = root().join(".pre-commit-hooks.yaml");
    for (command, file) in [("validate-manifest", hooks), ("validate-config", config)] {
        let output = workspace
            .command(&program)
            .arg(command)
            .arg(&file)
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {}", stdout(&output));
    }
}
