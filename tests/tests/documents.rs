//! The documents say what is true: every finding is explained, every command of the README works.

use std::fs;
use std::path::{Path, PathBuf};

use taskdef::report::Code;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn codes_are_unique_kebab_case_and_each_is_explained_once() {
    let page = text("docs/findings.md");
    let explained: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(code, _)| code)
        .collect();
    let mut codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    codes.sort_unstable();
    assert_eq!(explained, codes);
    codes.dedup();
    assert_eq!(codes.len(), Code::ALL.len());
    let is_kebab = |code: &&str| {
        code.chars()
            .all(|char| char.is_ascii_lowercase() || char == '-')
    };
    assert!(codes.iter().all(is_kebab));
}

/// The arguments for cfn-filter in a command line of a document.
fn arguments(line: &str) -> Option<Vec<String>> {
    let rest = line.strip_prefix("cargo run --release -p cfn-filter -- ")?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

#[test]
fn the_commands_of_the_readme_work() {
    let readme = text("README.md");
    let commands: Vec<Vec<String>> = readme.lines().filter_map(arguments).collect();
    assert!(!commands.is_empty());
    for arguments in commands {
        let program = env!("CARGO_BIN_EXE_documented");
        let output = std::process::Command::new(program)
            .args(&arguments)
            .current_dir(root())
            .output()
            .unwrap();
        let report = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {report}");
        assert!(!output.stdout.is_empty());
    }
    assert!(readme.contains("\nscripts/test\n"));
    assert!(root().join("scripts/test").is_file());
}

#[test]
fn links_between_documents_lead_somewhere() {
    for page in [
        "README.md",
        "CONTRIBUTING.md",
        "docs/cfn-filter.md",
        "docs/recipes.md",
        "docs/findings.md",
    ] {
        let folder = root().join(page).parent().map(Path::to_owned).unwrap();
        for (_, rest) in text(page)
            .match_indices("](")
            .map(|(at, _)| (at, text(page)[at + 2..].to_owned()))
        {
            let target = rest.split([')', '#']).next().unwrap_or_default().to_owned();
            if !target.is_empty() && !target.contains("://") {
                assert!(folder.join(&target).exists(), "{page}: {target}");
            }
        }
    }
}
