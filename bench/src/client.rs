//! What the clients of `bench/registries` have in common: references in, programs out.
//!
//! A client reads references from standard input, one for each container, writes
//! `REFERENCE<tab>WORDS` for each image that it has read, words separated by blanks, and then,
//! on standard error, how much memory it needed.

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// References from standard input.
///
/// # Errors
/// It is not text.
pub fn references() -> std::io::Result<Vec<String>> {
    std::io::stdin().lock().lines().collect()
}

/// Says what was found.
///
/// # Errors
/// Nobody reads it.
pub fn tell(found: impl IntoIterator<Item = (String, String)>) -> Result<(), Box<dyn Error>> {
    let mut output = std::io::stdout().lock();
    for (reference, program) in found {
        writeln!(output, "{reference}\t{program}")?;
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    eprintln!("{}", peak.unwrap_or("0").trim());
    Ok(())
}

/// Entry point and command of a config, as words.
pub fn program(config: &Value) -> String {
    let words = ["Entrypoint", "Cmd"].into_iter().flat_map(|part| {
        let words = config.get("config").and_then(|config| config.get(part));
        let words = words.and_then(Value::as_array).into_iter().flatten();
        words.filter_map(Value::as_str)
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The path of a program that was built together with this one.
///
/// # Errors
/// Nobody knows where this one is.
pub fn beside(name: &str) -> std::io::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}

/// Runs a client; gives its output, and its peak in kB.
///
/// # Errors
/// It does not run, or fails.
pub fn run(command: &mut Command, lines: &[String]) -> Result<(String, u64), Box<dyn Error>> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(lines.join("\n").as_bytes())?;
    }
    let output = child.wait_with_output()?;
    let said = String::from_utf8(output.stderr)?;
    let name = command.get_program().to_string_lossy();
    if !output.status.success() {
        return Err(format!("{name}: {}: {said}", output.status).into());
    }
    Ok((String::from_utf8(output.stdout)?, said.trim().parse()?))
}
