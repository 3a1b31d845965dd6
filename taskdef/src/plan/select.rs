//! Which task definitions and containers are meant.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cloudformation::intrinsic::{Assignment, Unknown, as_if, is_no_value};
use crate::container::{Setting, View};
use crate::mark::added_by;
use crate::recipe::Recipe;
use crate::report::Code;
use crate::settings::Mode;
use crate::source::Path;

use super::agents::{check_own_sidecar, is_sidecar_of, may_run_one_of};
use super::slots::Slot;
use super::tags::Tags;
use super::{Note, Refusal, Task};

/// Visits a value, or the branches of an `Fn::If` that are not `AWS::NoValue`.
pub(super) fn each_branch<'v>(value: &'v Value, visit: &mut dyn FnMut(&'v Value)) {
    match as_if(value) {
        Some((_, yes, no)) => {
            each_branch(yes, visit);
            each_branch(no, visit);
        }
        None if is_no_value(value) => {}
        None => visit(value),
    }
}

/// A text that selects.
pub(crate) struct Text {
    pub(crate) text: String,
    /// The template parameters that it depends on.
    pub(crate) parameters: BTreeSet<String>,
}

/// A text that selects; parameters are evaluated with the values that are given.
pub(crate) fn known_text(task: &Task<'_>, value: &Value) -> Result<Text, Unknown> {
    let mut known: Option<Text> = None;
    let mut parameters = BTreeSet::new();
    for evaluation in task.evaluations(true, &Assignment::new()) {
        let text = evaluation.text(value, &mut parameters)?;
        if known.as_ref().is_some_and(|known| known.text != text) {
            let variables = evaluation.item.keys().cloned().collect::<Vec<_>>();
            return Err(Unknown::Loop(variables.join(", ")));
        }
        known.get_or_insert(Text {
            text,
            parameters: BTreeSet::new(),
        });
    }
    let known = known.ok_or_else(|| Unknown::Malformed("a loop without items".to_owned()))?;
    Ok(Text {
        parameters,
        ..known
    })
}

/// The name of a container, where it is known.
pub(crate) fn name(task: &Task<'_>, container: View<'_>) -> Option<Text> {
    container
        .get("name")
        .and_then(|name| known_text(task, name).ok())
}

/// Why a task definition in scope is not meant at all, if it is not.
pub(crate) fn not_meant(task: &Task<'_>, tags: &Tags) -> Option<Note> {
    let note = |why: &str| Some(Note::new(Code::NotSelected, why.to_owned()));
    // What is not known may select it; that is refused when the containers are looked at.
    if !tags.unknown.is_empty() {
        return None;
    }
    if tags.instrument == Some(false) {
        return note("a tag says not to instrument it");
    }
    if tags.instrument.is_some() || tags.only.is_some() {
        return None;
    }
    if excluded(task) {
        return note("`exclude` matches it");
    }
    let selection = &task.settings.selection;
    if !selection.include.is_empty() {
        let included = task.matched.is_some_and(|all| !all.include.is_empty());
        return (!included)
            .then(|| note("no `include` matches it"))
            .flatten();
    }
    match selection.mode {
        Mode::OptOut => None,
        Mode::OptIn => note("the mode is opt-in, and neither `include` nor a tag selects it"),
    }
}

/// Whether `exclude` matches the task definition as such.
pub(crate) fn excluded(task: &Task<'_>) -> bool {
    task.matched.is_some_and(|all| all.exclude.task)
}

/// What is done with a container.
#[derive(Debug)]
pub(crate) enum Choice {
    /// The recipe is applied to it.
    Selected,
    /// It is a sidecar of this recipe.
    OwnSidecar,
    /// It runs the agent of another recipe of this run, which has its own say about it.
    Sibling,
    /// It is left alone, for this reason.
    LeftAlone(Note),
}

/// Decides about one container.
pub(crate) fn choose(
    task: &Task<'_>,
    container: View<'_>,
    path: &Path,
    tags: &Tags,
) -> Result<Choice, Refusal> {
    let name = name(task, container).map(|name| name.text);
    let recipe = task.recipe.recipe();
    let left_alone = |code, why: String| Ok(Choice::LeftAlone(Note::new(code, why)));
    if let Some(name) = &name
        && recipe.sidecar_names().contains(&name.as_str())
    {
        return check_own_sidecar(task, container, name).map(|()| Choice::OwnSidecar);
    }
    let is_sibling = |sibling: &&Recipe| {
        let is_named = name
            .as_ref()
            .is_some_and(|name| sibling.sidecar_names().contains(&name.as_str()));
        is_named || may_run_one_of(task, container, sibling.agent_repositories())
    };
    if task.rendered.siblings.iter().any(is_sibling) {
        return Ok(Choice::Sibling);
    }
    if let Some(other) = added_by(task.dialect, container.map()).filter(|by| *by != recipe.name()) {
        let why = format!("the sidecar of the recipe `{other}`, by its marker");
        return left_alone(Code::NotWrapped, why);
    }
    match container.text("firelensConfiguration") {
        Setting::Absent => {}
        Setting::Intrinsic(_) => {
            let why = "a FireLens log router, at least under a condition";
            return left_alone(Code::NotWrapped, why.to_owned());
        }
        _ => return left_alone(Code::NotWrapped, "a FireLens log router".to_owned()),
    }
    if proxies(task)
        .iter()
        .any(|proxy| is_named(task, container, proxy))
    {
        return left_alone(Code::NotWrapped, "the App Mesh proxy".to_owned());
    }
    for known in &task.settings.known_agents {
        if is_sidecar_of(task, container, name.as_deref(), known)? {
            let why = format!("the sidecar of the recipe `{}`", known.recipe);
            return left_alone(Code::NotWrapped, why);
        }
    }
    if may_run_one_of(task, container, recipe.agent_repositories()) {
        return Err(Refusal::new(
            Code::ForeignInstrumentation,
            "the container runs the recipe's agent under a name that is not the recipe's"
                .to_owned(),
            "remove that container; the recipe adds its own",
        ));
    }
    match unselected(task, name.as_deref(), path, tags)? {
        Some(why) => left_alone(Code::NotSelected, why.to_owned()),
        None => Ok(Choice::Selected),
    }
}

/// Why a container of a task definition that is meant is not meant itself, if it is not.
///
/// A tag that names containers wins over the settings. One that speaks of the whole task
/// definition wins over what they say of that, and not over a container that they exclude.
fn unselected(
    task: &Task<'_>,
    name: Option<&str>,
    path: &Path,
    tags: &Tags,
) -> Result<Option<&'static str>, Refusal> {
    if tags.name_containers() {
        let Some(name) = name else {
            return Err(Refusal::new(
                Code::UnknownName,
                "a tag selects containers by name, and this container's name is not known here"
                    .to_owned(),
                "give the name as text, or the value that it depends on",
            ));
        };
        let names = |list: &[String]| list.iter().any(|listed| listed == name);
        let only = tags.only.as_deref();
        if names(&tags.except) || only.is_some_and(|only| !names(only)) {
            return Ok(Some("not selected by the tags"));
        }
        if only.is_some() {
            return Ok(None);
        }
    }
    let Some(matched) = task.matched else {
        return Ok(None);
    };
    if matched.exclude.container(path) {
        return Ok(Some("`exclude` matches it"));
    }
    let narrowed = !task.settings.selection.include.is_empty() && tags.instrument.is_none();
    if narrowed && !matched.include.task && !matched.include.container(path) {
        return Ok(Some("no `include` matches it"));
    }
    Ok(None)
}

/// The names in `proxyConfiguration`, under whatever condition.
fn proxies<'t>(task: &Task<'t>) -> Vec<&'t Value> {
    let mut found = Vec::new();
    if let Some(configuration) = task.view.get("proxyConfiguration") {
        each_branch(configuration, &mut |configuration| {
            let proxy = configuration
                .as_object()
                .and_then(|map| View::new(task.dialect, map).get("containerName"));
            if let Some(proxy) = proxy {
                each_branch(proxy, &mut |proxy| found.push(proxy));
            }
        });
    }
    found
}

/// Whether a container has this name: the same text, or the same expression.
fn is_named(task: &Task<'_>, container: View<'_>, stated: &Value) -> bool {
    let text = |value| known_text(task, value).map(|known| known.text);
    container.get("name").is_some_and(|name| {
        name == stated || text(name).is_ok_and(|name| text(stated).is_ok_and(|text| text == name))
    })
}

/// Refuses a task definition whose proxy cannot be told from its other containers.
pub(crate) fn check_proxies(task: &Task<'_>, slots: &[Slot<'_>]) -> Result<(), Refusal> {
    let containers: Vec<View<'_>> = slots
        .iter()
        .map(|slot| View::new(task.dialect, slot.container))
        .collect();
    let is_open = |proxy: &&Value| {
        let is_known = known_text(task, proxy).is_ok();
        let nameless = |container: &View<'_>| name(task, *container).is_none();
        let is_it = |container: &View<'_>| is_named(task, *container, proxy);
        !containers.iter().any(is_it) && (!is_known || containers.iter().any(nameless))
    };
    match task.recipe.recipe().wraps() && proxies(task).iter().any(is_open) {
        false => Ok(()),
        true => Err(Refusal::new(
            Code::UnknownName,
            format!(
                "it is not known which container `{}` names, and a proxy is never wrapped",
                task.dialect.shown("proxyConfiguration")
            ),
            "give the name of the proxy as text, there and in its container definition",
        )),
    }
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
