//! Plans as [`terraform show -json`](https://developer.hashicorp.com/terraform/internals/json-format)
//! prints them: task definitions in, splices of the plan's text out.
//!
//! A plan is never parsed as a tree. Its text is walked twice, every part of interest is a slice of
//! it, and what is not rewritten stays as it is, byte for byte. A task definition stands in
//! `resource_changes[].change.after` and once more in `planned_values`, in the root module or in one
//! of its `child_modules`; both are rewritten. Each is brought into the spelling of the ECS API
//! (`dialect::terraform`), and rewritten, judged and validated by the same code as one of a template.
//!
//! Container definitions are one text. They are known; or unknown until apply, and left alone; or
//! sensitive, and rewritten while nothing of them is shown.
//!
//! A filtered plan cannot be applied: it shows what a plan would be if every task definition
//! carried the recipe.

mod configuration;
mod error;
mod go;
mod hidden;
mod json;
mod read;
mod recognise;
mod resource;
mod runners;
mod task;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value, json};

use crate::Rewritten;
use crate::cloudformation::find::{Found, Survey};
use crate::cloudformation::template::Template;
use crate::dialect::Dialect;
use crate::dialect::terraform::CONTAINER_DEFINITIONS;
use crate::image::{Answers, ImageConfig, ImageRequest};
use crate::outline::{self, TaskOutline};
use crate::plan::literal::refuse_unreadable;
use crate::plan::matches::Alone;
use crate::recipe::{ImageSecrets, Recipes};
use crate::report::{Code, Finding, Report, Severity};
use crate::settings::{
    PinDigests, PlanSettings, Selection, SelectionTags, Settings, UnknownDefinitions,
};
use crate::source::{Change, Path, Step, put};
use crate::work::Work;

pub use error::PlanError;
pub use hidden::SENSITIVE;
pub use json::Splice;
pub use resource::PlannedResource;

use configuration::References;
use task::PlannedTask;
use write::{CreateFirst, attributes, written};

/// A plan whose task definitions were found.
pub struct Plan<'t> {
    /// The text without its byte order mark.
    text: &'t str,
    has_mark: bool,
    tasks: Vec<PlannedTask<'t>>,
    /// Resources that run task definitions, as CloudFormation says it.
    runners: Vec<Value>,
    references: References,
    create_first: CreateFirst,
    findings: Vec<(String, Finding)>,
    /// Addresses of task definitions that are planned in another round.
    deferred: Vec<String>,
    extent: Extent,
}

/// How much of a configuration a plan speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it, as far as the plan says. OpenTofu does not say it where `-target` was given.
    Whole,
    /// A part: `-target` was given, or Terraform plans the rest in another round.
    Part,
    /// No resource at all.
    Nothing,
    /// All task definitions are destroyed.
    Destroys,
}

/// Says nothing of the content, which may be secret.
impl fmt::Debug for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("length", &self.text.len())
            .field("task_definitions", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

/// The result of [`Plan::rewrite`].
#[derive(Debug, Default)]
pub struct RewrittenPlan {
    /// What changes in the plan's text, in order; empty when the run failed.
    pub splices: Vec<Splice>,
    /// What was done, what was left alone, and why. Task definitions go by resource address.
    pub report: Report,
    /// The container definitions that were rewritten.
    pub definitions: Vec<Definitions>,
}

/// Container definitions before and after.
#[derive(Clone, PartialEq, Eq)]
pub struct Definitions {
    /// The resource address.
    pub address: String,
    /// Before.
    pub before: Value,
    /// After.
    pub after: Value,
    /// Whether the task definition holds sensitive values, which may not be shown.
    pub sensitive: bool,
    /// The other attributes that change, with their new values, as the provider spells them; of
    /// blocks that may be repeated, those that are new.
    pub attributes: Vec<(&'static str, Value)>,
}

/// Says nothing of the content, which may be secret.
impl fmt::Debug for Definitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definitions")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Refuses container definitions that the provider of AWS would read otherwise than they are read
/// here: a name in another case of letters, which its decoder takes all the same.
///
/// # Errors
///
/// A finding for each of them.
pub fn check_names(definitions: &Value) -> Result<(), Vec<Finding>> {
    refuse_unreadable(definitions)
}

impl<'t> Plan<'t> {
    /// Reads a plan.
    ///
    /// # Errors
    ///
    /// When it is something else, of a format that is not known, or incomplete.
    pub fn from_bytes(bytes: &'t [u8]) -> Result<Plan<'t>, PlanError> {
        let (text, has_mark) = recognise::text(bytes)?;
        read::plan(text, has_mark)
    }

    /// The resource addresses of its task definitions, in the order of the plan.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.tasks.iter().map(|task| task.address.as_ref())
    }

    /// How much of the configuration it speaks of.
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// Its task definitions as resources, in the same order.
    pub fn resources(&self) -> impl Iterator<Item = PlannedResource<'_>> {
        self.tasks.iter().map(PlannedResource::of)
    }

    /// The line of each task definition in the plan, from 1, in the same order.
    pub fn lines(&self) -> Vec<usize> {
        let places = self.tasks.iter().enumerate().filter_map(|(index, task)| {
            let element = task.change.or(task.planned)?;
            Some((json::offset(self.text, element), index))
        });
        let mut places: Vec<(usize, usize)> = places.collect();
        places.sort_unstable();
        let mut lines = vec![1; self.tasks.len()];
        let (mut line, mut at) = (1, 0);
        for (offset, index) in places {
            let between = self.text.get(at..offset).unwrap_or_default();
            line += between.bytes().filter(|byte| *byte == b'\n').count();
            at = offset;
            if let Some(place) = lines.get_mut(index) {
                *place = line;
            }
        }
        lines
    }

    /// The questions about images that have to be answered before [`Plan::rewrite`].
    ///
    /// # Errors
    ///
    /// When an input has no meaning in a plan.
    pub fn images_needed(
        &self,
        recipes: &Recipes,
        settings: &Settings,
    ) -> Result<BTreeSet<ImageRequest>, PlanError> {
        let all = |_: &PlannedTask<'_>| true;
        Ok(self.work(settings, all).images_needed(recipes, settings)?)
    }

    /// Those of them that may be shown and kept: asked by a task definition without sensitive values.
    ///
    /// # Errors
    ///
    /// As [`Plan::images_needed`].
    pub fn images_to_show(
        &self,
        recipes: &Recipes,
        settings: &Settings,
    ) -> Result<BTreeSet<ImageRequest>, PlanError> {
        let shown = |task: &PlannedTask<'_>| !task.sensitive.any();
        Ok(self
            .work(settings, shown)
            .images_needed(recipes, settings)?)
    }

    /// Those of them that one task definition asks, by its place among [`Plan::resources`].
    ///
    /// # Errors
    ///
    /// As [`Plan::images_needed`].
    pub fn images_needed_by(
        &self,
        index: usize,
        recipes: &Recipes,
        settings: &Settings,
    ) -> Result<BTreeSet<ImageRequest>, PlanError> {
        let address = self.tasks.get(index).map(|task| &task.address);
        let meant = |task: &PlannedTask<'_>| Some(&task.address) == address;
        Ok(self
            .work(settings, meant)
            .images_needed(recipes, settings)?)
    }

    /// Rewrites every task definition of the plan; each changes whole, or not at all.
    ///
    /// # Errors
    ///
    /// When an input has no meaning in a plan, or the result would not be what was meant. What
    /// concerns one task definition is a finding.
    pub fn rewrite(
        &self,
        recipes: &Recipes,
        settings: &Settings,
        answers: &Answers,
    ) -> Result<RewrittenPlan, PlanError> {
        let work = self.work(settings, |_| true);
        let Rewritten { changes, report } = work.rewrite(recipes, settings, answers)?;
        let mut rewritten = RewrittenPlan {
            report,
            ..RewrittenPlan::default()
        };
        for (index, changes) in by_task(changes) {
            if let Some(task) = self.tasks.get(index) {
                self.put_back(task, index, changes, settings, &mut rewritten)?;
            }
        }
        rewritten
            .splices
            .sort_by_key(|splice| (splice.range.start, splice.range.end));
        rewritten.report = self.shown(rewritten.report);
        Ok(rewritten)
    }

    /// What recipes ask of a task beside its containers while those are known only after apply, as
    /// the provider spells it: of a container in their place that states its program. Nothing where
    /// even that is refused.
    ///
    /// # Errors
    ///
    /// As [`Plan::images_needed`].
    pub fn asked_of_unknown(
        &self,
        index: usize,
        recipes: &Recipes,
        settings: &Settings,
    ) -> Result<Vec<(&'static str, Value)>, PlanError> {
        let Some(task) = self.tasks.get(index) else {
            return Ok(Vec::new());
        };
        let container = json!([{
            "name": "container", "image": "image", "essential": true,
            "entryPoint": ["/program"], "command": ["word"], "user": "0",
        }]);
        let mut before = task.canonical.clone();
        before.insert("containerDefinitions".to_owned(), container);
        let settings = Settings {
            // No query and no tag knows that container.
            selection: Selection {
                tags: SelectionTags::Ignored,
                ..Selection::default()
            },
            pin_digests: PinDigests::No,
            ..settings.clone()
        };
        let work = || {
            let mut work = self.work(&settings, |_| false);
            work.survey.found.push(found(index, task, &before));
            work
        };
        let asked = work().images_needed(recipes, &settings)?.into_iter();
        let answers = asked.map(|image| (image, Ok(ImageConfig::default())));
        let rewritten = work().rewrite(recipes, &settings, &answers.collect())?;
        let mut after = Value::Object(before.clone());
        for (_, changes) in by_task(rewritten.changes) {
            let broken = |_| PlanError::NotWritten(task.address.clone().into_owned());
            put(&mut after, changes).map_err(broken)?;
        }
        Ok(match after {
            Value::Object(after) => attributes(&before, &after),
            _ => Vec::new(),
        })
    }

    /// Judges, without resolving anything, whether every task definition in scope carries the recipe.
    ///
    /// One that is unknown until apply cannot be judged, and is refused.
    ///
    /// # Errors
    ///
    /// When an input has no meaning in a plan.
    pub fn check(
        &self,
        recipes: &Recipes,
        settings: &Settings,
        answers: &Answers,
    ) -> Result<Report, PlanError> {
        let settings = Settings {
            plan: PlanSettings {
                unknown_definitions: UnknownDefinitions::Fail,
                ..settings.plan
            },
            ..settings.clone()
        };
        let report = self
            .work(&settings, |_| true)
            .check(recipes, &settings, answers)?;
        Ok(self.shown(report))
    }

    /// The task definitions and their containers, in the order of the report, as they are after a
    /// rewrite. Of those that hold sensitive values the containers are left out, and of names of
    /// images the credentials in them.
    pub fn outline(&self, rewritten: &[Definitions], secrets: &ImageSecrets) -> Vec<TaskOutline> {
        let tasks = self.tasks.iter().enumerate().map(|(index, task)| {
            let mut properties = task.canonical.clone();
            let mut after = rewritten.iter();
            if let Some(after) = after.find(|after| after.address == task.address) {
                properties.insert("containerDefinitions".to_owned(), after.after.clone());
            }
            if task.sensitive.any() {
                properties.clear();
            }
            let found = found(index, task, &properties);
            outline::task(&found, Dialect::Terraform, secrets)
        });
        tasks.collect()
    }

    /// The plan's text with splices put in, piece by piece: what stays is not copied.
    pub fn pieces<'p>(&'p self, splices: &'p [Splice]) -> impl Iterator<Item = &'p str> {
        let mark = self.has_mark.then_some("\u{feff}");
        let pieces = json::pieces(self.text, splices).map(Option::unwrap_or_default);
        mark.into_iter().chain(pieces)
    }

    fn work<'p>(
        &'p self,
        settings: &'p Settings,
        is_meant: impl Fn(&PlannedTask<'_>) -> bool,
    ) -> Work<'p> {
        let tasks = self.tasks.iter().enumerate();
        let found = tasks
            .filter(|(_, task)| is_meant(task))
            .map(|(index, task)| found(index, task, &task.canonical));
        Work {
            survey: Survey {
                found: found.collect(),
                others: self.runners.iter().collect(),
                findings: self.findings(settings),
            },
            dialect: Dialect::Terraform,
            template: Template::none(settings),
            alone: Box::new(move |found| match found.path.first() {
                Some(Step::Index(index)) => alone(self.tasks.get(*index)),
                _ => alone(None),
            }),
        }
    }

    /// What is to be said beside the task definitions that are there.
    fn findings(&self, settings: &Settings) -> Vec<(String, Finding)> {
        let deferred = self.deferred.iter().map(|address| {
            let finding = Finding {
                code: Code::UnknownDefinition,
                severity: match settings.plan.unknown_definitions {
                    UnknownDefinitions::Fail => Severity::Error,
                    UnknownDefinitions::Warn => Severity::Warning,
                },
                container: None,
                image: None,
                message: "it is planned in another round (`deferred_changes`), and not known yet"
                    .to_owned(),
                hint: Some("apply this plan, and judge the next one".to_owned()),
            };
            (address.clone(), finding)
        });
        self.findings.iter().cloned().chain(deferred).collect()
    }

    /// Writes one task definition, and says what that means for the plan.
    fn put_back(
        &self,
        task: &PlannedTask<'t>,
        index: usize,
        changes: Vec<Change>,
        settings: &Settings,
        rewritten: &mut RewrittenPlan,
    ) -> Result<(), PlanError> {
        let key = (configuration::without_keys(&task.module), task.name.clone());
        let create_first = self.create_first.contains(&key);
        let written = written(
            self.text,
            task,
            changes,
            settings.plan.actions,
            create_first,
        )?;
        rewritten.splices.extend(written.splices);
        rewritten.definitions.push(Definitions {
            address: task.address.clone().into_owned(),
            before: task
                .canonical
                .get("containerDefinitions")
                .cloned()
                .unwrap_or_default(),
            after: written.definitions,
            sensitive: task.sensitive.any(),
            attributes: written.attributes,
        });
        let report = rewritten.report.task_definitions.get_mut(index);
        if let (Some(report), Some(before), false) =
            (report, written.replaced, settings.only_refusals)
        {
            report.findings.push(self.becomes_replacement(task, before));
        }
        Ok(())
    }

    fn becomes_replacement(&self, task: &PlannedTask<'_>, before: &str) -> Finding {
        let dependents = self.references.dependents(&task.module, &task.name);
        let named: Vec<String> = dependents
            .iter()
            .map(|address| format!("`{address}`"))
            .collect();
        let depends = match named.as_slice() {
            [] => String::new(),
            [one] => format!("; {one} refers to it and changes too, which this plan does not show"),
            _ => format!(
                "; {} refer to it and change too, which this plan does not show",
                named.join(", ")
            ),
        };
        Finding {
            code: Code::BecomesReplacement,
            severity: Severity::Note,
            container: None,
            image: None,
            message: format!(
                "the plan said `{before}`; a task definition cannot be changed in place, so it is replaced{depends}"
            ),
            hint: None,
        }
    }

    /// The report without sensitive values.
    fn shown(&self, mut report: Report) -> Report {
        let tasks = std::mem::take(&mut report.task_definitions).into_iter();
        let tasks = tasks
            .zip(&self.tasks)
            .map(|(report, task)| match task.sensitive.any() {
                true => hidden::hidden(report),
                false => report,
            });
        report.task_definitions = tasks.collect();
        report
    }
}

/// A task definition as the library finds it, by its number.
fn found<'p>(
    index: usize,
    task: &PlannedTask<'_>,
    properties: &'p Map<String, Value>,
) -> Found<'p> {
    Found {
        path: vec![Step::Index(index)],
        id: task.address.clone().into_owned(),
        properties: Some(properties),
        condition: None,
        loops: Vec::new(),
    }
}

/// The changes of each task definition, by its number.
fn by_task(changes: Vec<Change>) -> Vec<(usize, Vec<Change>)> {
    let mut by_task: Vec<(usize, Vec<Change>)> = Vec::new();
    for Change { mut path, new } in changes {
        if path.is_empty() {
            continue;
        }
        if let Step::Index(index) = path.remove(0) {
            let change = Change { path, new };
            match by_task.last_mut() {
                Some((last, changes)) if *last == index => changes.push(change),
                _ => by_task.push((index, vec![change])),
            }
        }
    }
    by_task
}

/// A plan that holds one resource change and nothing else, with the container definitions decoded.
fn alone(task: Option<&PlannedTask<'_>>) -> Alone<'static> {
    let key = |key: &str| Step::Key(key.to_owned());
    let to_after: Path = vec![
        key("resource_changes"),
        Step::Index(0),
        key("change"),
        key("after"),
    ];
    let element = task.and_then(|task| match (task.change, task.planned) {
        (Some(change), _) => serde_json::from_str::<Value>(change).ok(),
        // Where there are planned values alone, they are what will be there.
        (None, Some(planned)) => as_change(planned),
        (None, None) => None,
    });
    let mut element = element.unwrap_or_default();
    if let (Some(after), Some(task)) = (element.pointer_mut("/change/after"), task)
        && let Some(after) = after.as_object_mut()
        && let Some(definitions) = task.canonical.get("containerDefinitions")
        && definitions.is_array()
    {
        after.insert(CONTAINER_DEFINITIONS.to_owned(), definitions.clone());
    }
    let mut document = Map::new();
    document.insert("resource_changes".to_owned(), Value::Array(vec![element]));
    Alone::made(
        Value::Object(document),
        [to_after.as_slice(), &[key(CONTAINER_DEFINITIONS)]].concat(),
    )
}

fn as_change(planned: &str) -> Option<Value> {
    let mut element: Map<String, Value> = serde_json::from_str(planned).ok()?;
    let values = element.shift_remove("values")?;
    let change: Map<String, Value> = [("after".to_owned(), values)].into_iter().collect();
    element.insert("change".to_owned(), Value::Object(change));
    Some(Value::Object(element))
}
