//! The program in a process of its own, with an environment of its own.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::server::Server;

/// What must not be seen anywhere.
pub(crate) const CANARY: &str = "canary-hunter2";

/// How a run ended, and what it wrote.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The first error, with its hint; that is a failed run.
    pub(crate) fn error(&self) -> String {
        assert_eq!(self.code, Some(1), "{}", self.stderr);
        let lines = self.stderr.lines().map(str::trim_start);
        let told = lines.filter(|line| line.starts_with("error") || line.starts_with("hint"));
        told.take(2).collect::<Vec<_>>().join("\n")
    }
}

/// The program itself.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_cfn-filter-under-test");

/// A command in a folder, with nothing of this process's environment.
pub(crate) fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env_clear()
        .envs(outrigger_tests::servers::counted())
        .env("HOME", folder)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null());
    command
}

/// Runs the program in a folder, with these variables and no others.
pub(crate) async fn program(folder: &Path, args: &str, variables: &[(&str, &str)]) -> Ended {
    let mut command = command(PROGRAM, folder);
    command
        .args(args.split_whitespace())
        .envs(variables.iter().copied());
    end_of(command).await
}

/// Waits for a program to end, while the servers of this process go on.
pub(crate) async fn end_of(mut command: Command) -> Ended {
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.unwrap().unwrap();
    let ended = Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains(CANARY), "a secret is shown:\n{text}");
    }
    ended
}

/// Installs a shell script. Another process writes it: a program that is open for writing in this
/// one cannot be started, and another test may just be starting a child that holds the file.
pub(crate) fn install(path: &Path, body: &str) {
    let mut shell = Command::new("sh")
        .args(["-c", "cat >\"$1\" && chmod 755 \"$1\"", "sh"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let script = format!("#!/bin/sh\n{body}\n");
    let mut input = shell.stdin.take().unwrap();
    input.write_all(script.as_bytes()).unwrap();
    drop(input);
    assert!(shell.wait().unwrap().success());
}

/// A folder with a template of one task definition.
pub(crate) fn folder(containers: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let template = json!({"Resources": {"Api": {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {
            "RequiresCompatibilities": ["FARGATE"],
            "NetworkMode": "awsvpc",
            "Cpu": "256",
            "Memory": "512",
            "ExecutionRoleArn": "arn:aws:iam::123456789012:role/execution",
            "ContainerDefinitions": containers,
        },
    }}});
    fs::write(folder.path().join("t.json"), format!("{template:#}\n")).unwrap();
    folder
}

pub(crate) fn one(image: &str) -> tempfile::TempDir {
    folder(&json!([{"Name": "app", "Image": image}]))
}

const RECIPE: &str =
    "--recipe lacework --set accessToken=arn:aws:secretsmanager:eu-central-1:123456789012:secret:t";

/// A run on `t.json` that may ask these servers.
pub(crate) fn on(servers: &[&Server], command: &str) -> String {
    let hosts: Vec<String> = servers
        .iter()
        .map(|server| format!("--insecure-registry {}", server.host()))
        .collect();
    format!("{command} t.json {RECIPE} {}", hosts.join(" "))
}
