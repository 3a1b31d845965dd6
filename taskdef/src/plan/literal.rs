//! A bare task definition: nothing evaluates intrinsic functions in it.

use serde_json::{Map, Value};

use crate::dialect::functions_in;
use crate::report::{Code, Finding};
use crate::source::Step;

use super::Refusal;

/// Refuses intrinsic functions where nothing would evaluate them.
pub(crate) fn refuse_functions(properties: &Map<String, Value>) -> Result<(), Vec<Finding>> {
    let findings = functions_in(properties).into_iter().map(|(path, name)| {
        Refusal::new(
            Code::Malformed,
            format!(
                "`{}` is `{name}`, and there are no intrinsic functions in a bare task definition",
                written(&path)
            ),
            "write the value",
        )
        .finding(None)
    });
    let findings: Vec<Finding> = findings.collect();
    match findings.is_empty() {
        true => Ok(()),
        false => Err(findings),
    }
}

/// A path as a person writes it: `containerDefinitions[0].image`.
fn written(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.push_str(&format!(".{key}")),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}
