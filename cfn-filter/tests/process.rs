//! What only a process of its own can show: exit codes, closed pipes, permissions.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cfn-filter");

#[test]
fn the_exit_code_is_what_a_shell_sees() {
    let code = |args: &[&str]| {
        let output = Command::new(PROGRAM)
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        output.status.code()
    };
    assert_eq!(code(&["--version"]), Some(0));
    assert_eq!(code(&["no/such.yaml", "--recipe", "alert-logic"]), Some(1));
    assert_eq!(code(&["--no-such-option"]), Some(2));
    assert_eq!(code(&["--no-such-option", "--detailed-exitcode"]), Some(1));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    // More than a pipe holds, so that the write does meet the closed pipe.
    let template = format!(
        "{{\"Resources\": {{}}, \"Description\": \"{}\"}}",
        "x".repeat(1 << 20)
    );
    let mut child = Command::new(PROGRAM)
        .args(["--recipe", "alert-logic", "--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child
        .stdin
        .take()
        .unwrap()
        .write_all(template.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), &b""[..])
    );
}

#[test]
fn no_color_is_honoured_and_a_pipe_gets_none() {
    let plain = |variables: &[(&str, &str)]| {
        let mut command = Command::new(PROGRAM);
        command
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .envs(variables.iter().copied());
        let output = command
            .args(["recipes", "list"])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        !output.stdout.contains(&0x1b)
    };
    assert!(plain(&[]));
    assert!(plain(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]));
    assert!(!plain(&[("CLICOLOR_FORCE", "1")]));
}

#[test]
#[cfg(unix)]
fn a_file_in_place_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let template = directory.path().join("template.json");
    let task = r#"{"Resources": {"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {
        "RequiresCompatibilities": ["FARGATE"], "NetworkMode": "awsvpc", "Cpu": "256", "Memory": "512",
        "ContainerDefinitions": [{"Name": "app", "Image": "nginx"}]}}}}"#;
    fs::write(&template, task).unwrap();
    fs::set_permissions(&template, fs::Permissions::from_mode(0o640)).unwrap();
    let status = Command::new(PROGRAM)
        .arg(&template)
        .args(["--recipe", "alert-logic", "--in-place", "--quiet"])
        .status()
        .unwrap();
    assert!(status.success());
    assert!(fs::read_to_string(&template).unwrap().contains("al-agent"));
    assert_eq!(
        fs::metadata(&template).unwrap().permissions().mode() & 0o777,
        0o640
    );
}
