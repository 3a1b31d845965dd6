//! Which task definitions are in scope: those that the recipe's agent can run in.

use serde_json::Value;

use crate::cloudformation::intrinsic::function;
use crate::cloudformation::launch::{Runs, runs};
use crate::container::{Setting, View};
use crate::report::Code;
use crate::settings::LaunchTypes;

use super::select::{each_branch, known_text};
use super::{Note, Refusal, Task};

/// Why a task definition is left alone, if it is.
pub(crate) fn out_of_scope(task: &Task<'_>, others: &[&Value], id: &str) -> Option<Note> {
    let systems = operating_systems(task);
    if !systems.is_empty() && systems.iter().all(|system| *system == System::Windows) {
        return Some(Note::new(
            Code::WindowsTask,
            "a Windows task, which the recipe does not support".to_owned(),
        ));
    }
    if task.settings.launch_types == LaunchTypes::Any {
        return None;
    }
    not_fargate(task, others, id).map(|why| Note::new(Code::NotFargate, why))
}

/// Why a task definition cannot run on Fargate, if it cannot, as far as the document shows.
pub(crate) fn not_fargate(task: &Task<'_>, others: &[&Value], id: &str) -> Option<String> {
    if task.requires_fargate() {
        return None;
    }
    if let Setting::Known(kinds) = task.view.list("requiresCompatibilities")
        && !kinds.is_empty()
        && kinds.iter().all(Value::is_string)
    {
        let key = task.dialect.shown("requiresCompatibilities");
        return Some(format!("`{key}` does not contain FARGATE"));
    }
    // What a transform brings is not known, so nothing can be missing.
    if task.view.has_generated_keys() {
        return None;
    }
    match task.view.text("networkMode") {
        Setting::Known(mode) if mode != "awsvpc" => {
            return Some(format!("the network mode is `{mode}`, not `awsvpc`"));
        }
        Setting::Absent => return Some("the network mode is not `awsvpc`".to_owned()),
        _ => {}
    }
    for size in ["cpu", "memory"] {
        if task.view.text(size) == Setting::Absent {
            return Some(format!("the task states no `{size}`"));
        }
    }
    let places = runs(others, id, task.template);
    if places.contains(&Runs::OnFargate) {
        return None;
    }
    places.iter().find_map(|place| match place {
        Runs::Elsewhere(how) => Some(format!("a resource runs it with {how}")),
        Runs::OnFargate => None,
    })
}

/// An operating system, as far as it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    Linux,
    Windows,
    Unknown,
}

/// The operating systems that a task definition may run on; none where it does not say.
fn operating_systems(task: &Task<'_>) -> Vec<System> {
    let Some(runtime) = task.view.get("runtimePlatform") else {
        return Vec::new();
    };
    let mut found = Vec::new();
    each_branch(runtime, &mut |runtime| match runtime {
        Value::Object(map) if function(runtime).is_none() => {
            let system = View::new(task.dialect, map).get("operatingSystemFamily");
            if let Some(system) = system {
                each_branch(system, &mut |system| found.extend(systems_of(task, system)));
            }
        }
        _ if function(runtime).is_some() => found.push(System::Unknown),
        _ => {}
    });
    found
}

/// The operating systems that an expression can stand for. A parameter may have every value that
/// its declaration allows.
fn systems_of(task: &Task<'_>, system: &Value) -> Vec<System> {
    let of = |text: &str| match text.starts_with("WINDOWS") {
        true => System::Windows,
        false => System::Linux,
    };
    match (known_text(task, system), function(system)) {
        (Ok(known), _) if known.parameters.is_empty() => vec![of(&known.text)],
        (_, Some(("Ref", Value::String(name)))) => {
            let values = task.template.allowed_values(name);
            let systems = values.map(|values| values.iter().map(|value| of(value)).collect());
            systems.unwrap_or_else(|| vec![System::Unknown])
        }
        (_, Some(_)) => vec![System::Unknown],
        _ if system.is_string() => vec![System::Unknown],
        _ => vec![System::Linux],
    }
}

/// Refuses a task definition that may run on Windows, where the recipe's agent does not.
pub(crate) fn check_operating_system(task: &Task<'_>) -> Result<(), Refusal> {
    let systems = operating_systems(task);
    match systems.iter().all(|system| *system == System::Linux) {
        true => Ok(()),
        false => Err(Refusal::new(
            Code::UnknownPlatform,
            "it is not known whether this runs on Linux".to_owned(),
            "write the operating system family as text, or allow only Linux in its parameter",
        )),
    }
}
