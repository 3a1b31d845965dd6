//! What becomes of each task definition of a plan.

use std::collections::BTreeSet;

use cli::input::{Document, read_large_document};
use cli::report::{Purpose, Setting, nothing_written, render_errors};
use cli::{Console, Failure, Paint, network, recipes};
use serde_json::{Value, json};
use taskdef::DocumentKind;
use taskdef::image::ImageRequest;
use taskdef::recipe::Recipes;
use taskdef::settings::{Mode, OnUnresolved, Selection, Settings};
use taskdef::terraform::{Extent, Plan, PlanError, PlannedResource, RewrittenPlan};

use crate::filter::{self, LIMIT};
use crate::options::{OverrideArguments, OverrideForm, PlanOptions};

use super::making::Making;
use super::modules::Modules;
use super::source::Resource;
use super::subject::Instance;

/// A plan, and what it is judged by.
pub(crate) struct Input<'a> {
    arguments: &'a OverrideArguments,
    document: Document,
    recipes: Recipes,
    settings: Settings,
}

impl<'a> Input<'a> {
    /// Reads the plan's text and the options.
    pub(crate) fn read(
        arguments: &'a OverrideArguments,
        console: &mut Console<'_>,
    ) -> Result<Input<'a>, Failure> {
        let recipes = recipes::bind(&arguments.recipe)?;
        let settings = Settings {
            pin_digests: arguments.images.pin_digests.into(),
            assumptions: arguments.assumptions.assumptions.into(),
            confirmed: arguments.assumptions.confirmed.clone(),
            ..filter::settings(&arguments.scope, PlanOptions::default(), &recipes)?
        };
        let document = read_large_document(arguments.plan.as_deref(), "plan", LIMIT, console)?;
        Ok(Input {
            arguments,
            document,
            recipes,
            settings,
        })
    }

    /// The plan.
    pub(crate) fn plan(&self) -> Result<Plan<'_>, Failure> {
        Plan::from_bytes(&self.document.bytes).map_err(|error| self.unusable(&error))
    }

    fn unusable(&self, error: &PlanError) -> Failure {
        filter::unusable(&self.document, error)
    }
}

/// Refuses a plan that says nothing of a part of the configuration: the files there would be lost.
pub(crate) fn speaks_of_all(plan: &Plan<'_>) -> Result<(), Failure> {
    let (why, hint) = match plan.extent() {
        Extent::Whole => return Ok(()),
        Extent::Part => (
            "the plan is not complete: it speaks of a part of the configuration",
            "make the plan without `-target`, and where Terraform plans in rounds, apply the first",
        ),
        Extent::Nothing => (
            "the plan has no resources",
            "make an ordinary plan; `tf-filter override --remove` removes the files",
        ),
        Extent::Destroys => (
            "the plan destroys every task definition",
            "make an ordinary plan; `tf-filter override --remove` removes the files",
        ),
    };
    Err(Failure::failed(why).hint(hint))
}

/// What becomes of each task definition.
pub(crate) struct Judged<'p> {
    pub(super) resources: Vec<PlannedResource<'p>>,
    images: Vec<Vec<ImageRequest>>,
    /// What recipes ask of tasks whose containers are unknown.
    asked: Vec<Vec<(&'static str, Value)>>,
    pub(crate) rewritten: RewrittenPlan,
    /// Whether a task definition was refused, and nothing is to be written then.
    pub(crate) fails: bool,
    /// The task definitions that the function would instrument otherwise.
    pub(super) otherwise: BTreeSet<String>,
}

impl<'p> Judged<'p> {
    pub(crate) fn of(
        (plan, input): (&'p Plan<'_>, &Input<'_>),
        modules: &Modules,
        making: &mut Making,
        console: &mut Console<'_>,
    ) -> Result<Judged<'p>, Failure> {
        let (recipes, settings) = (&input.recipes, &input.settings);
        let unusable = |error: PlanError| input.unusable(&error);
        let resources: Vec<PlannedResource<'_>> = plan.resources().collect();
        let needed = plan.images_needed(recipes, settings).map_err(unusable)?;
        let mut all = needed.clone();
        let (mut images, mut of_tasks) = (Vec::new(), Vec::new());
        for (index, resource) in resources.iter().enumerate() {
            let asked = match (resource.is_unknown(), making.form) {
                (true, OverrideForm::Function) => {
                    let written = written(resource, modules);
                    written.map(|written| images_of(resource, written, input))
                }
                _ => None,
            };
            let asked = match asked {
                Some(asked) => asked,
                None => plan
                    .images_needed_by(index, recipes, settings)
                    .map_err(unusable)?,
            };
            all.extend(asked.iter().cloned());
            images.push(asked.into_iter().collect());
            let asked = match resource.is_unknown() {
                true => plan.asked_of_unknown(index, recipes, settings),
                false => Ok(Vec::new()),
            };
            of_tasks.push(asked.map_err(unusable)?);
        }
        let arguments = input.arguments;
        let answered = network::answer(
            &all,
            input.document.path.as_deref(),
            (&arguments.images, &arguments.offline),
            &arguments.registries,
            console,
        )?;
        let rewritten = plan.rewrite(recipes, settings, &answered.answers);
        let rewritten = rewritten.map_err(unusable)?;
        let plain = match making.form {
            OverrideForm::Function => by_tags_alone(settings),
            _ => None,
        };
        let mut otherwise = BTreeSet::new();
        if let Some(plain) = plain {
            let plain = plan.rewrite(recipes, &plain, &answered.answers);
            let plain = plain.map_err(unusable)?.definitions;
            let all = rewritten.definitions.iter();
            let differs = all.filter(|one| !plain.contains(one));
            otherwise.extend(differs.map(|one| one.address.clone()));
        }
        making.answers = answered.answers;
        Ok(Judged {
            fails: rewritten.report.is_refused() && settings.on_unresolved == OnUnresolved::Fail,
            resources,
            images,
            asked: of_tasks,
            rewritten,
            otherwise,
        })
    }

    /// The errors as text.
    pub(crate) fn errors(&self, input: &Input<'_>, paint: Paint) -> String {
        let report = &self.rewritten.report;
        let setting = Setting {
            document: &input.document.name,
            line: &|_| None,
            paint,
            purpose: Purpose::Rewrite,
        };
        let mut errors = render_errors(report, &setting);
        if self.fails {
            errors.push_str(&nothing_written(report, paint));
        }
        errors
    }
}

/// The settings as the function has them, where they select by more than tags.
fn by_tags_alone(settings: &Settings) -> Option<Settings> {
    let selection = &settings.selection;
    let by_more = !selection.include.is_empty()
        || !selection.exclude.is_empty()
        || selection.mode != Mode::default();
    by_more.then(|| Settings {
        selection: Selection {
            tags: selection.tags,
            ..Selection::default()
        },
        ..settings.clone()
    })
}

impl<'p> Judged<'p> {
    pub(super) fn instance(&'p self, index: usize) -> Option<Instance<'p>> {
        let planned = self.resources.get(index)?.clone();
        let mut definitions = self.rewritten.definitions.iter();
        let definitions = definitions.find(|one| one.address == planned.address);
        Some(Instance {
            asked: match definitions {
                Some(known) => &known.attributes,
                None => self.asked.get(index)?,
            },
            definitions,
            images: self.images.get(index).cloned().unwrap_or_default(),
            planned,
        })
    }
}

/// The resource as it is written, where it can be found.
fn written<'m>(resource: &PlannedResource<'_>, modules: &'m Modules) -> Option<&'m Resource> {
    let folder = modules.folder(&resource.calls()).ok()?;
    modules.folders().get(folder)?.resource(resource.name)
}

/// The images that stand as plain texts in containers which the plan does not know yet.
fn images_of(
    resource: &PlannedResource<'_>,
    written: &Resource,
    input: &Input<'_>,
) -> BTreeSet<ImageRequest> {
    let containers = written.images.iter().enumerate();
    let containers = containers.map(
        |(number, image)| json!({"name": format!("c{number}"), "image": image, "essential": true}),
    );
    let mut task = json!({
        "family": "app", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "cpu": "256", "memory": "512", "containerDefinitions": containers.collect::<Value>(),
    });
    if let (Some(platform), Some(task)) =
        (resource.setting("runtimePlatform"), task.as_object_mut())
    {
        task.insert("runtimePlatform".to_owned(), platform.clone());
    }
    let kind = DocumentKind::TaskDefinition;
    taskdef::images_needed(&task, kind, &input.recipes, &input.settings).unwrap_or_default()
}
