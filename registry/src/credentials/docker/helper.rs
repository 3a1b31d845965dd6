//! [Helper programs](https://github.com/docker/docker-credential-helpers): the server's name goes
//! in, JSON with user name and secret comes out.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::error::HelperProblem;
use crate::credentials::login;
use crate::remote::{Credential, Secret};

/// No user name, which says that the secret is an identity token.
const TOKEN_USER: &str = "<token>";
/// How all helpers say that they know nothing, with exit status 1.
const NOT_FOUND: &[u8] = b"credentials not found";
/// Far more than any answer; identity tokens are a few KiB.
const OUTPUT_MAX: u64 = 64 * 1024;

/// Where helper programs are, and how long they may take.
#[derive(Clone, Debug)]
pub struct HelperPrograms {
    /// The folders to look in, as `PATH` lists them; those of this process where it is `None`.
    pub search_path: Option<OsString>,
    /// How long one may take. It may have to ask a person, or a server.
    pub timeout: Duration,
}

impl Default for HelperPrograms {
    fn default() -> Self {
        Self {
            search_path: None,
            timeout: Duration::from_secs(30),
        }
    }
}

/// What a helper knows about a server.
pub(super) async fn ask(
    programs: &HelperPrograms,
    helper: &str,
    server: &str,
) -> Result<Option<Credential>, HelperProblem> {
    if !is_plain_name(helper) {
        return Err(HelperProblem::Name);
    }
    let mut command = Command::new(format!("docker-credential-{helper}"));
    command
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    if let Some(path) = &programs.search_path {
        command.env("PATH", path);
    }
    let child = command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => HelperProblem::Missing,
        kind => HelperProblem::Start {
            reason: kind.to_string(),
        },
    })?;
    let answer = tokio::time::timeout(programs.timeout, exchange(child, server)).await;
    let too_slow = |_| HelperProblem::TooSlow {
        within: programs.timeout,
    };
    let (status, output) = answer.map_err(too_slow)??;
    read_answer(status, &output)
}

/// A path would start any program on the machine.
fn is_plain_name(helper: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !helper.is_empty() && helper.chars().all(plain)
}

/// Writes the server's name, and reads what comes back. The child ends with this future.
async fn exchange(mut child: Child, server: &str) -> Result<(ExitStatus, Vec<u8>), HelperProblem> {
    let failed = |error: std::io::Error| HelperProblem::Failed {
        status: error.kind().to_string(),
    };
    if let Some(mut input) = child.stdin.take() {
        // A helper that needs no name may be gone already: what it prints decides.
        let _ = input.write_all(server.as_bytes()).await;
    }
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let mut stdout = stdout.take(OUTPUT_MAX + 1);
        stdout.read_to_end(&mut output).await.map_err(failed)?;
    }
    if output.len() as u64 > OUTPUT_MAX {
        return Err(HelperProblem::TooMuch { limit: OUTPUT_MAX });
    }
    let status = child.wait().await.map_err(failed)?;
    Ok((status, output))
}

fn read_answer(status: ExitStatus, output: &[u8]) -> Result<Option<Credential>, HelperProblem> {
    if !status.success() {
        let not_found = output
            .windows(NOT_FOUND.len())
            .any(|part| part.eq_ignore_ascii_case(NOT_FOUND));
        return match not_found {
            true => Ok(None),
            false => Err(HelperProblem::Failed {
                status: status.to_string(),
            }),
        };
    }
    let answer: Value = serde_json::from_slice(output).map_err(|_| HelperProblem::Answer)?;
    let text = |key: &str| match answer.get(key) {
        Some(Value::String(text)) => Ok(text.as_str()),
        _ => Err(HelperProblem::Answer),
    };
    Ok(match (text("Username")?, text("Secret")?) {
        ("", "") => None,
        (TOKEN_USER, token) => Some(Credential::identity(Secret::new(token))),
        (username, password) => Some(login(username, password)),
    })
}
