//! A Python with botocore, the AWS SDK's own reading of its calls.
//!
//! `BOTOCORE_PYTHON` names it; it has to be there when `OUTRIGGER_TOOLS=required`.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a script writes, which reads this input: both are JSON. `None` where there is no botocore.
///
/// # Errors
/// It is required and missing, or the script fails.
pub fn run(script: &str, input: &Value) -> Result<Option<Value>, String> {
    let Some(python) = std::env::var_os("BOTOCORE_PYTHON") else {
        if std::env::var("OUTRIGGER_TOOLS").as_deref() == Ok("required") {
            return Err("BOTOCORE_PYTHON does not say where a Python with botocore is".to_owned());
        }
        println!("note: BOTOCORE_PYTHON is not set: nothing was asked of botocore");
        return Ok(None);
    };
    let failed = |error: std::io::Error| format!("botocore: {error}");
    let mut run = Command::new(python)
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = run.stdin.take() {
        let written = stdin.write_all(input.to_string().as_bytes());
        written.map_err(failed)?;
    }
    let output = run.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("botocore: {}\n{said}", output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("botocore: {error}"))
}
