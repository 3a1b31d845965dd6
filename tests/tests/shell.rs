//! What the shell join writes, run by a real `sh`: the program gets the words that it would have had.

#![cfg(test)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use outrigger_tests::run::cfn_filter;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The entry point that Lacework's recipe writes for a non-root container with sudo.
fn entry_point(folder: &Path, program: &[String]) -> Vec<String> {
    let template = json!({"Resources": {"Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"RequiresCompatibilities": ["FARGATE"],
        "ContainerDefinitions": [{"Name": "app", "Image": "app:1", "User": "1000", "EntryPoint": program[..1], "Command": program[1..]}]}}}});
    let path = folder.join("template.json");
    fs::write(&path, template.to_string()).unwrap();
    let options = "--recipe lacework --set accessToken=x --set nonRoot=sudo --offline";
    let args: Vec<String> = [path.display().to_string()]
        .into_iter()
        .chain(options.split(' ').map(str::to_owned))
        .collect();
    let ran = cfn_filter(&args, b"");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let output: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let container = &output["Resources"]["Task"]["Properties"]["ContainerDefinitions"][0];
    assert!(
        container.get("Command").is_none(),
        "the command is in the script"
    );
    container["EntryPoint"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap().to_owned())
        .collect()
}

/// A script cannot be started while another thread's new process still holds it open for writing.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn executable(path: &Path, script: &str) {
    fs::write(path, script).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What the program was given, as it says itself. A `sudo` of our own stands for the agent's start.
fn runs(words: &[String]) -> Vec<String> {
    let _turn = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("my program");
    executable(
        &program,
        "#!/bin/sh\nfor word in \"$@\"; do printf '%s\\0' \"$word\"; done\n",
    );
    executable(&folder.path().join("sudo"), "#!/bin/sh\nexit 0\n");
    let process: Vec<String> = [program.display().to_string()]
        .into_iter()
        .chain(words.iter().cloned())
        .collect();
    let entry_point = entry_point(folder.path(), &process);
    let ran = Command::new(&entry_point[0])
        .args(&entry_point[1..])
        .env(
            "PATH",
            folder.path().display().to_string() + ":/usr/bin:/bin",
        )
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{entry_point:?}: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let mut given: Vec<String> = String::from_utf8(ran.stdout)
        .unwrap()
        .split('\0')
        .map(str::to_owned)
        .collect();
    given.pop();
    given
}

#[test]
fn awkward_words_arrive() {
    let words = [
        "it's",
        "$HOME",
        "",
        "a\"b",
        "a\\b",
        "\\",
        "*",
        "~",
        "a;b",
        "#x",
        "tab\there",
        "line\nbreak",
        "größe",
        "--x=1",
        "`id`",
        "!",
        "!!",
        "''",
        "'",
        "$(id)",
        "&&",
        "|",
        ">",
        "-",
        "--",
        "if",
        "a=b",
        "${X}",
        "%s",
        "\u{7f}",
        "\u{2028}",
        " ",
    ]
    .map(str::to_owned);
    assert_eq!(runs(&words), words);
}

#[test]
fn it_is_one_process() {
    let _turn = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    executable(&program, "#!/bin/sh\necho $$\n");
    executable(&folder.path().join("sudo"), "#!/bin/sh\nexit 0\n");
    let entry_point = entry_point(folder.path(), &[program.display().to_string()]);
    let child = Command::new(&entry_point[0])
        .args(&entry_point[1..])
        .env(
            "PATH",
            folder.path().display().to_string() + ":/usr/bin:/bin",
        )
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let id = child.id();
    let said = child.wait_with_output().unwrap().stdout;
    assert_eq!(
        String::from_utf8(said).unwrap().trim(),
        id.to_string(),
        "signals reach the program itself"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_words_arrive(words in proptest::collection::vec("[^\0]{0,12}", 0..6)) {
        prop_assert_eq!(runs(&words), words);
    }
}
