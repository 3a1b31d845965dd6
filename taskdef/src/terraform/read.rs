//! Walks the text of a plan.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::report::{Code, Finding, Severity};

use super::configuration::{References, without_keys};
use super::json::Object;
use super::recognise::{Names, unreadable};
use super::runners::{Runner, runs_tasks};
use super::task::{Header, PlannedTask, kind};
use super::write::{CreateFirst, is_create_first};
use super::{Extent, Plan, PlanError};

/// The resource type that the library is about, whoever provides it.
const TASK_DEFINITION: &str = "aws_ecs_task_definition";

/// The same of the Cloud Control provider, whose attributes are others.
const NOT_COVERED: &str = "awscc_ecs_task_definition";

#[derive(Deserialize)]
struct Document<'t> {
    #[serde(borrow, default)]
    format_version: Option<Cow<'t, str>>,
    #[serde(default)]
    errored: bool,
    #[serde(default)]
    complete: Option<bool>,
    #[serde(borrow, default)]
    planned_values: Option<Values<'t>>,
    #[serde(borrow, default)]
    resource_changes: Option<Vec<&'t RawValue>>,
    #[serde(borrow, default)]
    deferred_changes: Vec<Deferred<'t>>,
    #[serde(borrow, default)]
    prior_state: Option<&'t RawValue>,
    #[serde(borrow, default)]
    configuration: Option<&'t RawValue>,
    #[serde(default)]
    values: Option<IgnoredAny>,
    #[serde(default)]
    serial: Option<IgnoredAny>,
    #[serde(default, rename = "Resources")]
    resources: Option<IgnoredAny>,
    #[serde(default, rename = "containerDefinitions")]
    container_definitions: Option<IgnoredAny>,
}

/// What Terraform will plan in another round.
#[derive(Deserialize)]
struct Deferred<'t> {
    #[serde(borrow, default)]
    resource_change: Option<&'t RawValue>,
}

#[derive(Deserialize)]
struct State<'t> {
    #[serde(borrow, default)]
    values: Option<Values<'t>>,
}

#[derive(Deserialize)]
struct Values<'t> {
    #[serde(borrow, default)]
    root_module: Module<'t>,
}

#[derive(Default, Deserialize)]
struct Module<'t> {
    #[serde(borrow, default)]
    resources: Vec<&'t RawValue>,
    #[serde(borrow, default)]
    child_modules: Vec<Module<'t>>,
}

impl<'t> Module<'t> {
    /// Visits the resources here and in the modules within.
    fn each(&self, visit: &mut dyn FnMut(&'t str)) {
        self.resources
            .iter()
            .for_each(|resource| visit(resource.get()));
        self.child_modules
            .iter()
            .for_each(|module| module.each(visit));
    }
}

/// Reads a text that begins like an object.
pub(super) fn plan(text: &str, has_mark: bool) -> Result<Plan<'_>, PlanError> {
    let document: Document<'_> =
        serde_json::from_str(text).map_err(|error| unreadable(text, &error))?;
    check(&document)?;
    let mut walked = Walked::default();
    if let Some(values) = &document.planned_values {
        let mut end = Ok(());
        values.root_module.each(&mut |resource| {
            if end.is_ok() {
                end = walked.planned(resource);
            }
        });
        end?;
    }
    let mut tasks = Vec::new();
    for change in document.resource_changes.iter().flatten() {
        tasks.extend(walked.change(change.get())?);
    }
    for deferred in &document.deferred_changes {
        let change = deferred.resource_change.map(RawValue::get);
        walked.deferred.extend(change.and_then(deferred_address));
    }
    for (_, (header, planned)) in std::mem::take(&mut walked.planned) {
        tasks.extend(PlannedTask::read(&header, None, Some(planned))?);
    }
    let extent = match (&document.resource_changes, document.complete) {
        (None, _) if tasks.is_empty() && has_tasks(document.prior_state) => {
            return Err(PlanError::RefreshOnly);
        }
        (_, Some(false)) => Extent::Part,
        (None, _) => Extent::Nothing,
        (Some(_), _) if tasks.is_empty() && walked.destroys => Extent::Destroys,
        (Some(_), _) => Extent::Whole,
    };
    let references = match tasks.is_empty() {
        true => References::default(),
        false => References::read(document.configuration),
    };
    let runners = walked.runners.iter();
    let runners = runners.flat_map(|runner| runner.resources(&tasks, &references));
    Ok(Plan {
        text,
        has_mark,
        runners: runners.collect(),
        tasks,
        references,
        create_first: walked.create_first,
        findings: walked.findings,
        deferred: walked.deferred,
        extent,
    })
}

/// Whether a state has task definitions: a plan of the same configuration speaks of each.
fn has_tasks(state: Option<&RawValue>) -> bool {
    let state = state.and_then(|state| serde_json::from_str::<State<'_>>(state.get()).ok());
    let mut found = false;
    if let Some(values) = state.and_then(|state| state.values) {
        values.root_module.each(&mut |resource| {
            let header = header(resource).ok().flatten();
            found |=
                header.is_some_and(|header| header.is_managed() && header.kind == TASK_DEFINITION);
        });
    }
    found
}

/// The address of a task definition that is planned in another round, if it is one.
fn deferred_address(change: &str) -> Option<String> {
    let header = header(change).ok()??;
    let stays = header.is_managed() && header.kind == TASK_DEFINITION && after(change).is_some();
    stays.then(|| header.address.into_owned())
}

/// Whether it is a plan that can be worked on.
fn check(document: &Document<'_>) -> Result<(), PlanError> {
    let planned = document.planned_values.is_some() || document.resource_changes.is_some();
    if !planned {
        let names = Names {
            values: document.values.is_some(),
            serial: document.serial.is_some(),
            resources: document.resources.is_some(),
            container_definitions: document.container_definitions.is_some(),
        };
        return Err(names.error());
    }
    match &document.format_version {
        None => return Err(PlanError::Unknown),
        Some(version) if version.split('.').next() == Some("1") => {}
        Some(version) => return Err(PlanError::Format(version.clone().into_owned())),
    }
    match document.errored {
        true => Err(PlanError::Errored),
        false => Ok(()),
    }
}

/// Whether resources of this type are looked at.
fn concerns(kind: &str) -> bool {
    kind == TASK_DEFINITION || kind == NOT_COVERED || runs_tasks(kind)
}

/// What an element says of itself, if it concerns us. A task definition that cannot be read would be
/// rewritten in the other of its two places alone.
fn header(element: &str) -> Result<Option<Header<'_>>, PlanError> {
    let kind = kind(element);
    if kind.as_ref().is_some_and(|kind| !concerns(kind)) {
        return Ok(None);
    }
    match serde_json::from_str(element) {
        Ok(header) => Ok(Some(header)),
        Err(_) if kind.as_deref() == Some(TASK_DEFINITION) => {
            let address = Object::read(element).and_then(|element| {
                let address = element.get("address")?;
                serde_json::from_str::<String>(address).ok()
            });
            let address = address.unwrap_or_else(|| TASK_DEFINITION.to_owned());
            Err(PlanError::Resource(address))
        }
        Err(_) => Ok(None),
    }
}

/// What was met on the way.
#[derive(Default)]
struct Walked<'t> {
    /// Planned task definitions by address, until their change is met.
    planned: BTreeMap<Cow<'t, str>, (Header<'t>, &'t str)>,
    runners: Vec<Runner<'t>>,
    create_first: CreateFirst,
    findings: Vec<(String, Finding)>,
    not_covered: BTreeSet<Cow<'t, str>>,
    /// Addresses of task definitions that are planned in another round.
    deferred: Vec<String>,
    /// Whether a task definition goes.
    destroys: bool,
}

impl<'t> Walked<'t> {
    fn planned(&mut self, element: &'t str) -> Result<(), PlanError> {
        let Some(header) = header(element)? else {
            return Ok(());
        };
        if header.is_managed() && header.kind == TASK_DEFINITION {
            let address = header.address.clone();
            let earlier = self.planned.insert(address.clone(), (header, element));
            // Of two with one address only one would be rewritten.
            if earlier.is_some() {
                return Err(PlanError::Resource(address.into_owned()));
            }
        } else if header.is_managed() && header.kind == NOT_COVERED {
            self.not_covered(&header);
        }
        Ok(())
    }

    fn change(&mut self, element: &'t str) -> Result<Option<PlannedTask<'t>>, PlanError> {
        let Some(header) = header(element)? else {
            return Ok(None);
        };
        if !header.is_managed() {
            return Ok(None);
        }
        if header.kind == TASK_DEFINITION {
            // What is left of an earlier replacement can only be destroyed.
            if header.deposed.is_some() {
                return Ok(None);
            }
            self.order(&header, element);
            let planned = self.planned.remove(&header.address);
            let planned = planned.map(|(_, element)| element);
            let read = PlannedTask::read(&header, Some(element), planned)?;
            self.destroys |= read.is_none();
            return Ok(read);
        }
        if header.kind == NOT_COVERED && after(element).is_some() {
            self.not_covered(&header);
        } else if runs_tasks(&header.kind) {
            self.runners.push(Runner { header, element });
        }
        Ok(None)
    }

    /// Remembers whether the resource is made before the old one is destroyed.
    fn order(&mut self, header: &Header<'_>, element: &str) {
        let change = Object::read(element).and_then(|element| element.object("change"));
        let actions = change.and_then(|change| change.get("actions"));
        if actions.is_some_and(is_create_first) {
            let module = header.module_address.as_deref().unwrap_or_default();
            let key = (without_keys(module), header.name.clone().into_owned());
            self.create_first.insert(key);
        }
    }

    fn not_covered(&mut self, header: &Header<'t>) {
        if self.not_covered.insert(header.address.clone()) {
            let finding = Finding {
                code: Code::NotCovered,
                severity: Severity::Warning,
                container: None,
                image: None,
                message: format!(
                    "`{NOT_COVERED}` is another kind of resource, which was not looked at"
                ),
                hint: Some(format!(
                    "use `{TASK_DEFINITION}`, or instrument it in the configuration"
                )),
            };
            self.findings
                .push((header.address.clone().into_owned(), finding));
        }
    }
}

/// What will be there of a resource, if anything.
fn after(element: &str) -> Option<&str> {
    let change = Object::read(element)?.object("change")?;
    change.get("after").filter(|after| *after != "null")
}
