//! `logConfiguration: inherit`: a sidecar logs where the first selected container logs.

use serde_json::Value;

use crate::cloudformation::intrinsic::function;
use crate::container::View;
use crate::report::Code;

use super::select::{each_branch, known_text};
use super::slots::Slot;
use super::{Note, Task};

/// The setting, and the word that a recipe writes there.
const KEY: &str = "logConfiguration";
const WORD: &str = "inherit";

/// Whether a sidecar's definition leaves the log configuration to the selected containers.
pub(crate) fn inherits(definition: &serde_json::Map<String, Value>) -> bool {
    definition.get(KEY).and_then(Value::as_str) == Some(WORD)
}

/// What a sidecar inherits from the selected containers, and what is to be said about it.
pub(crate) struct Inherited<'d> {
    pub(crate) value: Option<&'d Value>,
    pub(crate) note: Option<Note>,
}

/// The log configuration of the first of these containers that states one, verbatim; never one
/// of FireLens, whose log router would have to run before a sidecar that all others wait for.
pub(crate) fn inherited<'s, 'd: 's>(
    task: &Task<'_>,
    sidecar: &str,
    selected: impl Iterator<Item = &'s Slot<'d>>,
) -> Inherited<'d> {
    let stated: Vec<&Value> = selected
        .filter_map(|slot| View::new(task.dialect, slot.container).get(KEY))
        .filter(|value| states_something(value))
        .collect();
    let value = stated
        .iter()
        .copied()
        .find(|value| !may_be_firelens(task, value));
    let note = (value.is_none() && !stated.is_empty()).then(|| {
        let why = format!(
            "the sidecar `{sidecar}` has no log configuration: those of the other containers are for FireLens"
        );
        Note::new(Code::LogConfigurationNotInherited, why)
    });
    Inherited { value, note }
}

/// Whether a branch of the value is more than nothing.
fn states_something(value: &Value) -> bool {
    let mut states = false;
    each_branch(value, &mut |branch| states |= !branch.is_null());
    states
}

/// Whether the log driver is, under whatever condition, `awsfirelens`.
fn may_be_firelens(task: &Task<'_>, value: &Value) -> bool {
    let mut found = false;
    each_branch(value, &mut |branch| {
        let driver = branch
            .as_object()
            .filter(|_| function(branch).is_none())
            .and_then(|map| View::new(task.dialect, map).get("logDriver"));
        if let Some(driver) = driver {
            each_branch(driver, &mut |driver| {
                found |= known_text(task, driver).is_ok_and(|driver| driver.text == "awsfirelens");
            });
        }
    });
    found
}
