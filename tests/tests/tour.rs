//! The pages that show a terminal: each command in a `console` block is run from the repository's
//! root, and what it prints is what the page shows. `UPDATE_EXPECTED=1` writes it anew.

#![cfg(test)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

const PAGES: [&str; 1] = ["tour.md"];

/// What a command prints, standard error between standard output as on a terminal.
fn printed(command: &str, programs: &Path) -> String {
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{command}")])
        .current_dir("..")
        .env_clear()
        .env("PATH", format!("{}:{path}", programs.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The page with everything that its commands print, and how many there are.
fn with_output(page: &str, programs: &Path) -> (String, usize) {
    let (mut text, mut commands) = (String::new(), 0);
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        text.push_str(&format!("{line}\n"));
        if line != "```console" {
            continue;
        }
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        for command in block.iter().filter_map(|line| line.strip_prefix("$ ")) {
            let shown = printed(command, programs);
            assert!(!shown.contains("command not found"), "{command}: {shown}");
            text.push_str(&format!("$ {command}\n{shown}"));
            commands += 1;
        }
        text.push_str("```\n");
    }
    (text, commands)
}

#[test]
fn every_terminal_shows_what_the_commands_print() {
    let programs = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_cfn-filter-under-test");
    symlink(program, programs.path().join("cfn-filter")).unwrap();
    for page in PAGES {
        let file = format!("../docs/{page}");
        let expected = fs::read_to_string(&file).unwrap();
        let (text, commands) = with_output(&expected, programs.path());
        assert!(commands > 0, "{page} shows no terminal");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&file, &text).unwrap();
        } else {
            assert_eq!(expected, text, "{page}");
        }
    }
}
