//! What cfn-lint finds after a template was processed, and did not before.

use std::fs;
use std::path::PathBuf;

use outrigger_tests::cfn_lint::{Problem, findings};
use serde_json::Value;

/// The new findings of templates, each with its name, as it was and as it is now; `None` where
/// there is no cfn-lint.
pub(crate) fn new_findings(templates: &[(&str, &Value, &Value)]) -> Option<Vec<Problem>> {
    let folder = tempfile::tempdir().unwrap();
    let written = |kind: &str, name: &str, template: &Value| -> PathBuf {
        let folder = folder.path().join(kind);
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(name);
        fs::write(&file, format!("{template:#}")).unwrap();
        file
    };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (name, was, is) in templates {
        let name = format!("{name}.json");
        before.push(written("before", &name, was));
        after.push(written("after", &name, is));
    }
    let (before, after) = (findings(&before).unwrap()?, findings(&after).unwrap()?);
    let new = after.into_iter().filter(|(problem, count)| {
        let known = before.get(problem);
        known.is_none_or(|known| known < count)
    });
    Some(new.map(|(problem, _)| problem).collect())
}
