//! What [cfn-lint](https://github.com/aws-cloudformation/cfn-lint) finds in templates.
//!
//! `CFN_LINT` names it; it has to be there when `OUTRIGGER_TOOLS=required`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Map, Value};

/// File, rule and message of a finding.
pub type Problem = (String, String, String);

/// Every finding in these files, and how often; `None` where there is no cfn-lint.
///
/// # Errors
/// It is required and missing, or fails.
pub fn findings(files: &[PathBuf]) -> Result<Option<BTreeMap<Problem, usize>>, String> {
    let Some(program) = std::env::var_os("CFN_LINT") else {
        if std::env::var("OUTRIGGER_TOOLS").as_deref() == Ok("required") {
            return Err("CFN_LINT does not say where cfn-lint is".to_owned());
        }
        println!("note: CFN_LINT is not set: the outputs were not linted");
        return Ok(None);
    };
    let run = Command::new(program)
        .args(["--format", "json", "--"])
        .args(files)
        .output()
        .map_err(|error| format!("cfn-lint: {error}"))?;
    let findings: Vec<Map<String, Value>> =
        serde_json::from_slice(&run.stdout).map_err(|error| {
            let said = String::from_utf8_lossy(&run.stderr);
            format!("cfn-lint: {error}\n{said}")
        })?;
    let mut counts = BTreeMap::new();
    for finding in findings {
        let text = |value: Option<&Value>| {
            let text = value.and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let path = text(finding.get("Filename"));
        let file = path.rsplit('/').next().unwrap_or_default().to_owned();
        let rule = finding.get("Rule").and_then(|rule| rule.get("Id"));
        let problem = (file, text(rule), text(finding.get("Message")));
        *counts.entry(problem).or_default() += 1;
    }
    Ok(Some(counts))
}
