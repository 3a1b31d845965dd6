//! Which task definitions and containers are meant.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cloudformation::find::launch_types;
use crate::cloudformation::intrinsic::{
    Assignment, Evaluation, Unknown, as_if, function, is_no_value,
};
use crate::container::{Setting, View};
use crate::report::Code;
use crate::settings::LaunchTypes;

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
    if task.settings.launch_types == LaunchTypes::Any || task.requires_fargate() {
        return None;
    }
    let not_fargate = |why: String| Some(Note::new(Code::NotFargate, why));
    if let Setting::Known(kinds) = task.view.list("requiresCompatibilities")
        && !kinds.is_empty()
        && kinds.iter().all(Value::is_string)
    {
        return not_fargate("`RequiresCompatibilities` does not contain FARGATE".to_owned());
    }
    // What a transform brings is not known, so nothing can be missing.
    if task.view.has_generated_keys() {
        return None;
    }
    match task.view.text("networkMode") {
        Setting::Known(mode) if mode != "awsvpc" => {
            return not_fargate(format!("the network mode is `{mode}`, not `awsvpc`"));
        }
        Setting::Absent => return not_fargate("the network mode is not `awsvpc`".to_owned()),
        _ => {}
    }
    for size in ["cpu", "memory"] {
        if task.view.text(size) == Setting::Absent {
            return not_fargate(format!("the task states no `{size}`"));
        }
    }
    let kinds = launch_types(others, id);
    if kinds.contains(&"FARGATE") {
        return None;
    }
    kinds
        .first()
        .and_then(|kind| not_fargate(format!("a resource runs it with the launch type `{kind}`")))
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
                each_branch(system, &mut |system| {
                    found.push(match known_text(task, system) {
                        Ok(text) if text.starts_with("WINDOWS") => System::Windows,
                        Err(_) if function(system).is_some() => System::Unknown,
                        _ => System::Linux,
                    });
                });
            }
        }
        _ if function(runtime).is_some() => found.push(System::Unknown),
        _ => {}
    });
    found
}

/// Refuses a task definition that may run on Windows, where the recipe's agent does not.
pub(crate) fn check_operating_system(task: &Task<'_>) -> Result<(), Refusal> {
    let systems = operating_systems(task);
    match systems.iter().all(|system| *system == System::Linux) {
        true => Ok(()),
        false => Err(Refusal::new(
            Code::UnknownPlatform,
            "it is not known whether this runs on Linux".to_owned(),
            "write the operating system family as text",
        )),
    }
}

/// Visits a value, or the branches of an `Fn::If` that are not `AWS::NoValue`.
fn each_branch<'v>(value: &'v Value, visit: &mut dyn FnMut(&'v Value)) {
    match as_if(value) {
        Some((_, yes, no)) => {
            each_branch(yes, visit);
            each_branch(no, visit);
        }
        None if is_no_value(value) => {}
        None => visit(value),
    }
}

/// What the tags of a task definition say.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    /// `outrigger:instrument`, or kilt's tags.
    pub(crate) instrument: Option<bool>,
    /// Only these containers.
    pub(crate) only: Option<Vec<String>>,
    /// Not these containers.
    pub(crate) except: Vec<String>,
    /// Names that do not stand in the document as such, and are not shown.
    pub(crate) hidden: BTreeSet<String>,
    /// Tags that cannot be understood, each with what is wrong.
    pub(crate) notes: Vec<Note>,
    /// Tags whose value only a deployment knows.
    pub(crate) unknown: Vec<String>,
}

const OUR_TAGS: &[&str] = &[
    "outrigger:instrument",
    "outrigger:containers",
    "outrigger:exclude-containers",
    "kilt-include",
    "kilt-ignore",
    "kilt-include-containers",
    "kilt-ignore-containers",
];

/// Reads the tags that select.
pub(crate) fn tags(task: &Task<'_>) -> Tags {
    let mut tags = Tags::default();
    if let Some(value) = task.view.get("tags") {
        read_tags(task, value, &mut tags);
    }
    tags
}

fn read_tags(task: &Task<'_>, value: &Value, tags: &mut Tags) {
    if let Some((_, yes, no)) = as_if(value) {
        // A tag under a condition is not known unless it is not one of ours.
        let mut branches = Tags::default();
        read_tags(task, yes, &mut branches);
        read_tags(task, no, &mut branches);
        let decides = branches.instrument.is_some()
            || branches.only.is_some()
            || !branches.except.is_empty()
            || !branches.notes.is_empty();
        if decides {
            tags.unknown.push("a tag under a condition".to_owned());
        }
        tags.unknown.extend(branches.unknown);
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| read_tags(task, item, tags)),
        Value::Object(map) if function(value).is_none() => {
            let view = View::new(task.dialect, map);
            let Some(key) = view.get("key").and_then(|key| known_text(task, key).ok()) else {
                return;
            };
            if OUR_TAGS.contains(&key.as_str()) {
                let stated = view.get("value").unwrap_or(&Value::Null);
                match known_text(task, stated) {
                    Ok(value) => {
                        read_tag(&key, &value, tags);
                        if function(stated).is_some() {
                            let names = value.split([':', ' ']).map(str::to_owned);
                            tags.hidden.extend(names);
                        }
                    }
                    Err(_) => tags.unknown.push(format!("`{key}`")),
                }
            }
        }
        other if function(other).is_some() && !is_no_value(other) => {
            tags.notes.push(Note::new(
                Code::SelectionTag,
                "a tag is an intrinsic function, and was not looked at".to_owned(),
            ));
        }
        _ => {}
    }
}

fn read_tag(key: &str, value: &str, tags: &mut Tags) {
    let names = || -> Vec<String> {
        let names = value.split([':', ' ']).filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    };
    if key.contains("containers") && value.contains(',') {
        tags.notes.push(Note::new(
            Code::SelectionTag,
            format!("the tag `{key}` contains a comma; names are separated by colons or spaces"),
        ));
    }
    match key {
        "outrigger:instrument" => match value {
            "true" => tags.instrument = Some(true),
            "false" => tags.instrument = Some(false),
            _ => tags.notes.push(Note::new(
                Code::SelectionTag,
                format!("the tag `{key}` is neither `true` nor `false`, and was not followed"),
            )),
        },
        "kilt-include" | "kilt-ignore" if value == "false" => {}
        "kilt-include" => tags.instrument = tags.instrument.or(Some(true)),
        "kilt-ignore" => tags.instrument = tags.instrument.or(Some(false)),
        "outrigger:containers" | "kilt-include-containers" => {
            tags.only.get_or_insert_default().extend(names());
        }
        _ => tags.except.extend(names()),
    }
}

/// A text that selects; parameters are evaluated with the values that are given.
fn known_text(task: &Task<'_>, value: &Value) -> Result<String, Unknown> {
    let item = task.items.first().cloned().unwrap_or_default();
    let evaluation = Evaluation {
        template: task.template,
        parameters: true,
        given: &Assignment::new(),
        item: &item,
    };
    evaluation.text(value, &mut BTreeSet::new())
}

/// The name of a container, where it is known.
pub(crate) fn name(task: &Task<'_>, container: View<'_>) -> Option<String> {
    container
        .get("name")
        .and_then(|name| known_text(task, name).ok())
}

/// What is done with a container.
#[derive(Debug)]
pub(crate) enum Choice {
    /// The recipe is applied to it.
    Selected,
    /// It is a sidecar of this recipe.
    OwnSidecar,
    /// It is left alone, for this reason.
    LeftAlone(Note),
}

/// Decides about one container.
pub(crate) fn choose(task: &Task<'_>, container: View<'_>, tags: &Tags) -> Result<Choice, Refusal> {
    let name = name(task, container);
    let recipe = task.recipe.recipe();
    let left_alone = |code, why: String| Ok(Choice::LeftAlone(Note::new(code, why)));
    if let Some(name) = &name
        && recipe.sidecar_names().contains(&name.as_str())
    {
        return Ok(Choice::OwnSidecar);
    }
    if container.text("firelensConfiguration") != Setting::Absent {
        return left_alone(Code::NotWrapped, "a FireLens log router".to_owned());
    }
    if name.as_ref().is_some_and(|name| is_proxy(task, name)) {
        return left_alone(Code::NotWrapped, "the App Mesh proxy".to_owned());
    }
    let repositories = repositories(task, container);
    for known in &task.settings.known_sidecars {
        let is_named = name.as_ref() == Some(&known.container);
        if is_named || runs_one_of(&repositories, &known.repositories) {
            let why = format!("the sidecar of the recipe `{}`", known.recipe);
            return left_alone(Code::NotWrapped, why);
        }
    }
    if runs_one_of(&repositories, recipe.agent_repositories()) {
        return Err(Refusal::new(
            Code::ForeignInstrumentation,
            "the container runs the recipe's agent under a name that is not the recipe's"
                .to_owned(),
            "remove that container; the recipe adds its own",
        ));
    }
    if tags.only.is_some() || !tags.except.is_empty() {
        let Some(name) = &name else {
            return Err(Refusal::new(
                Code::UnknownName,
                "a tag selects containers by name, and this container's name is not known here"
                    .to_owned(),
                "give the name as text, or the value that it depends on",
            ));
        };
        if tags.except.contains(name) || tags.only.as_ref().is_some_and(|only| !only.contains(name))
        {
            return left_alone(Code::NotSelected, "not selected by the tags".to_owned());
        }
    }
    Ok(Choice::Selected)
}

/// Whether `proxyConfiguration` names this container, under whatever condition.
fn is_proxy(task: &Task<'_>, name: &str) -> bool {
    let Some(configuration) = task.view.get("proxyConfiguration") else {
        return false;
    };
    let mut found = false;
    each_branch(configuration, &mut |configuration| {
        let proxy = configuration
            .as_object()
            .and_then(|map| View::new(task.dialect, map).get("containerName"));
        if let Some(proxy) = proxy {
            each_branch(proxy, &mut |proxy| {
                found |= known_text(task, proxy).is_ok_and(|proxy| proxy == name);
            });
        }
    });
    found
}

/// The repositories that a container's image can come from, as far as that is known.
pub(crate) fn repositories(task: &Task<'_>, container: View<'_>) -> Vec<String> {
    fn texts(task: &Task<'_>, value: &Value, found: &mut Vec<String>) {
        if let Some((_, yes, no)) = as_if(value) {
            texts(task, yes, found);
            texts(task, no, found);
        } else if let Ok(text) = known_text(task, value) {
            found.push(text);
        }
    }
    let mut found = Vec::new();
    if let Some(image) = container.get("image") {
        texts(task, image, &mut found);
    }
    found
        .iter()
        .map(|reference| repository(reference).to_owned())
        .collect()
}

/// An image reference without tag and digest.
pub(crate) fn repository(reference: &str) -> &str {
    let named = reference
        .split_once('@')
        .map_or(reference, |(name, _)| name);
    match named.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => named,
    }
}

pub(crate) fn runs_one_of(repositories: &[String], agents: &[String]) -> bool {
    repositories.iter().any(|repository| {
        agents.iter().any(|agent| {
            repository == agent
                || repository
                    .strip_suffix(agent.as_str())
                    .is_some_and(|host| host.ends_with('/'))
        })
    })
}
