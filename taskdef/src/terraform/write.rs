//! Puts a rewritten task definition back: into `resource_changes` and `planned_values`, and nowhere else.
//!
//! `before`, `prior_state`, `resource_drift` and `configuration` say what is there and what a
//! person wrote, and stay.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::dialect::terraform::{CONTAINER_DEFINITIONS, attribute, forces_replacement, spelled};
use crate::settings::PlannedActions;
use crate::source::{Change, New, Source, put};

use super::PlanError;
use super::go::{compact, quoted};
use super::json::{At, Edits, Object, Splice, spliced};
use super::task::{Attributes, PlannedTask};

/// What the provider only knows once it has made the task definition.
const COMPUTED: [&str; 4] = ["arn", "arn_without_revision", "id", "revision"];

/// A task definition that changes.
pub(super) struct Written {
    pub(super) splices: Vec<Splice>,
    /// What the plan said would be done, where it now says that the task definition is replaced.
    pub(super) replaced: Option<&'static str>,
    /// The container definitions after.
    pub(super) definitions: Value,
    /// The other attributes that change; of blocks that may be repeated, those that are new.
    pub(super) attributes: Vec<(&'static str, Value)>,
}

/// Task definitions, by module and name, of which the plan makes the new one first.
pub(super) type CreateFirst = BTreeSet<(String, String)>;

/// Writes the changes of one task definition into the text of the plan.
pub(super) fn written(
    plan: &str,
    task: &PlannedTask<'_>,
    changes: Vec<Change>,
    actions: PlannedActions,
    create_first: bool,
) -> Result<Written, PlanError> {
    let broken = || PlanError::NotWritten(task.address.clone().into_owned());
    let mut after = Value::Object(task.canonical.clone());
    put(&mut after, changes).map_err(|_| broken())?;
    let Value::Object(after) = after else {
        return Err(broken());
    };
    let mut writer = Writer {
        plan,
        task,
        after: &after,
        splices: Vec::new(),
        replaced: None,
    };
    if let Some(element) = task.change {
        writer
            .change(element, actions, create_first)
            .ok_or_else(broken)?;
    }
    if let Some(element) = task.planned {
        writer.planned(element).ok_or_else(broken)?;
    }
    let Writer {
        mut splices,
        replaced,
        ..
    } = writer;
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    Ok(Written {
        splices,
        replaced,
        attributes: attributes(&task.canonical, &after),
        definitions: after
            .get("containerDefinitions")
            .cloned()
            .unwrap_or_default(),
    })
}

/// What changes beside the container definitions, as the provider spells it.
pub(super) fn attributes(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Vec<(&'static str, Value)> {
    let changed = after.iter().filter(|(key, new)| {
        attribute(key) != CONTAINER_DEFINITIONS && before.get(*key) != Some(*new)
    });
    let spelled = changed.filter_map(|(key, new)| {
        let new = match (before.get(key), new) {
            (Some(Value::Array(old)), Value::Array(new)) if new.iter().all(Value::is_object) => {
                let added = new.iter().filter(|item| !old.contains(item));
                Value::Array(added.cloned().collect())
            }
            _ => new.clone(),
        };
        spelled(key, &new, &Map::new())
    });
    spelled.collect()
}

struct Writer<'w, 't> {
    plan: &'t str,
    task: &'w PlannedTask<'t>,
    /// The task definition as it is meant to be.
    after: &'w Map<String, Value>,
    splices: Vec<Splice>,
    replaced: Option<&'static str>,
}

impl<'t> Writer<'_, 't> {
    /// Writes into an element of `resource_changes`.
    fn change(
        &mut self,
        element: &'t str,
        actions: PlannedActions,
        create_first: bool,
    ) -> Option<()> {
        let outer = Object::read(element)?;
        let change = outer.object("change")?;
        let stated = Attributes::read(change.get("after")?, None)?;
        let mut edits = self.attributes(&stated)?;
        let changed: Vec<&'static str> = edits.names().collect();
        let mut marks = Edits::default();
        for name in &changed {
            marks.remove(name);
        }
        let replaced = match actions {
            PlannedActions::Keep => None,
            PlannedActions::Replace => replaces(change.get("actions")?, &changed),
        };
        let mut of_change = Edits::default();
        if let Some(replaced) = replaced {
            let computed = COMPUTED
                .iter()
                .filter(|name| stated.stated.contains_key(**name));
            for name in computed {
                edits.remove(name);
                marks.set(name, "true".to_owned(), At::Sorted);
            }
            if replaced != Replaced::Already {
                let order = match create_first {
                    true => r#"["create","delete"]"#,
                    false => r#"["delete","create"]"#,
                };
                of_change.set("actions", order.to_owned(), At::Sorted);
                let mut of_outer = Edits::default();
                let reason = "\"replace_because_cannot_update\"".to_owned();
                of_outer.set("action_reason", reason, At::After("change"));
                self.splices.extend(outer.edited(self.plan, &of_outer));
                self.replaced = replaced.before();
            }
            let paths = replace_paths(change.get("replace_paths"), &changed)?;
            if let Some(paths) = paths {
                of_change.set("replace_paths", paths, At::After("after_sensitive"));
            }
        }
        self.splices.extend(change.edited(self.plan, &of_change));
        let after = change.object("after")?;
        self.splices.extend(after.edited(self.plan, &edits));
        self.mark(&change, marks)?;
        self.verify(element, |element| {
            let change = element.object("change")?;
            Attributes::read(change.get("after")?, change.get("after_unknown"))
        })
    }

    /// Writes the marks of what is unknown.
    fn mark(&mut self, change: &Object<'t>, marks: Edits) -> Option<()> {
        match change.object("after_unknown") {
            Some(unknown) => self.splices.extend(unknown.edited(self.plan, &marks)),
            None if marks.is_empty() => {}
            // A plain truth value, or nothing: Terraform always writes an object here.
            None => return None,
        }
        Some(())
    }

    /// Writes into an element of `planned_values`.
    fn planned(&mut self, element: &'t str) -> Option<()> {
        let outer = Object::read(element)?;
        let values = outer.object("values")?;
        let stated = Attributes::read(outer.get("values")?, None)?;
        let mut edits = self.attributes(&stated)?;
        if self.replaced.is_some() {
            for name in COMPUTED {
                edits.remove(name);
            }
        }
        self.splices.extend(values.edited(self.plan, &edits));
        let unknown = match self.task.change {
            Some(change) => Object::read(change)?.object("change")?.get("after_unknown"),
            None => None,
        };
        self.verify(element, |element| {
            Attributes::read(element.get("values")?, unknown)
        })
    }

    /// The attributes that differ from what is meant.
    fn attributes(&self, stated: &Attributes) -> Option<Edits> {
        let mut edits = Edits::default();
        for (key, new) in self.after {
            if self.task.canonical.get(key) == Some(new) {
                continue;
            }
            let (name, json) = match attribute(key) {
                CONTAINER_DEFINITIONS => (CONTAINER_DEFINITIONS, definitions(stated, new)?),
                _ => {
                    let (name, value) = spelled(key, new, &stated.stated)?;
                    (name, compact(&value.to_string()))
                }
            };
            edits.set(name, json, At::Sorted);
        }
        let is_gone = |key: &&String| !self.after.contains_key(key.as_str());
        // Recipes take nothing away.
        self.task
            .canonical
            .keys()
            .find(is_gone)
            .is_none()
            .then_some(edits)
    }

    /// Holds what is written against what is meant.
    fn verify(
        &self,
        element: &'t str,
        read: impl Fn(&Object<'_>) -> Option<Attributes>,
    ) -> Option<()> {
        let base = super::json::offset(self.plan, element);
        let inner = self.splices.iter().filter(|splice| {
            splice.range.start >= base && splice.range.end <= base + element.len()
        });
        let mut inner: Vec<Splice> = inner.cloned().collect();
        for splice in &mut inner {
            splice.range.start -= base;
            splice.range.end -= base;
        }
        inner.sort_by_key(|splice| (splice.range.start, splice.range.end));
        let text = spliced(element, &inner)?;
        let new = read(&Object::read(&text)?)?;
        let same = new.canonical.len() == self.after.len()
            && self
                .after
                .iter()
                .all(|(key, value)| new.canonical.get(key) == Some(value));
        same.then_some(())
    }
}

/// The container definitions as the text that a plan holds.
fn definitions(stated: &Attributes, new: &Value) -> Option<String> {
    let source = Source::parse(stated.definitions()).ok()?;
    let change = Change {
        path: Vec::new(),
        new: New::Value(new.clone()),
    };
    let text = compact(&source.splice(vec![change]).ok()?.text);
    let holds = Source::parse(&text).is_ok_and(|source| source.value() == new);
    holds.then(|| quoted(&text))
}

/// How a plan comes to replace a task definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replaced {
    /// It already did.
    Already,
    /// It said that nothing would be done.
    InsteadOfNothing,
    /// It said that something would be changed in place.
    InsteadOfUpdate,
}

impl Replaced {
    fn before(self) -> Option<&'static str> {
        match self {
            Replaced::Already => None,
            Replaced::InsteadOfNothing => Some("no-op"),
            Replaced::InsteadOfUpdate => Some("update"),
        }
    }
}

/// Whether changes of these attributes replace a task definition that is there.
fn replaces(actions: &str, changed: &[&str]) -> Option<Replaced> {
    if !changed.iter().any(|name| forces_replacement(name)) {
        return None;
    }
    let actions: Vec<String> = serde_json::from_str(actions).ok()?;
    let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
    match actions.as_slice() {
        ["no-op"] => Some(Replaced::InsteadOfNothing),
        ["update"] => Some(Replaced::InsteadOfUpdate),
        ["delete", "create"] | ["create", "delete"] => Some(Replaced::Already),
        _ => None,
    }
}

/// Whether a plan makes the new one first when it replaces something.
pub(super) fn is_create_first(actions: &str) -> bool {
    let actions: Vec<String> = serde_json::from_str(actions).unwrap_or_default();
    matches!(actions.as_slice(), [first, second] if first == "create" && second == "delete")
}

/// The paths that force the replacement, with those of the changed attributes; none where all are there.
fn replace_paths(stated: Option<&str>, changed: &[&str]) -> Option<Option<String>> {
    let mut paths: Vec<Value> = match stated {
        Some(stated) => serde_json::from_str(stated).ok()?,
        None => Vec::new(),
    };
    let known = paths.len();
    for name in changed.iter().filter(|name| forces_replacement(name)) {
        let path = json!([name]);
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    Some((paths.len() > known).then(|| Value::Array(paths).to_string()))
}
