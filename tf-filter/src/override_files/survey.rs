//! What becomes of each task definition of a plan, and which resource in which file it comes from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cli::input::{Document, read_large_document};
use cli::report::{Purpose, Setting, nothing_written, render_errors};
use cli::{Console, Failure, Paint, Problem, network, recipes};
use serde_json::{Value, json};
use taskdef::DocumentKind;
use taskdef::image::ImageRequest;
use taskdef::recipe::Recipes;
use taskdef::report::{Code, Outcome, TaskDefinitionReport};
use taskdef::settings::{Mode, OnUnresolved, Selection, Settings};
use taskdef::terraform::{Extent, Plan, PlanError, PlannedResource, RewrittenPlan};

use crate::filter::{self, LIMIT};
use crate::options::{OverrideArguments, OverrideForm, PlanOptions};

use super::making::Making;
use super::modules::{Folder, Modules, shown};
use super::source::{KIND, Resource};
use super::subject::{self, Instance, Subject};

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
    resources: Vec<PlannedResource<'p>>,
    images: Vec<Vec<ImageRequest>>,
    /// What recipes ask of tasks whose containers are unknown.
    asked: Vec<Vec<(&'static str, Value)>>,
    pub(crate) rewritten: RewrittenPlan,
    /// Whether a task definition was refused, and nothing is to be written then.
    pub(crate) fails: bool,
    /// The task definitions that the function would instrument otherwise.
    otherwise: BTreeSet<String>,
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
        let (mut images, mut asked_of_tasks) = (Vec::new(), Vec::new());
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
            asked_of_tasks.push(match resource.is_unknown() {
                true => plan
                    .asked_of_unknown(index, recipes, settings)
                    .map_err(unusable)?,
                false => Vec::new(),
            });
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
        let mut otherwise = BTreeSet::new();
        let selection = &settings.selection;
        let selects = !selection.include.is_empty()
            || !selection.exclude.is_empty()
            || selection.mode != Mode::default();
        if selects && making.form == OverrideForm::Function {
            let plain = Settings {
                selection: Selection {
                    tags: selection.tags,
                    ..Selection::default()
                },
                ..settings.clone()
            };
            let plain = plan.rewrite(recipes, &plain, &answered.answers);
            let plain = plain.map_err(unusable)?.definitions;
            let differs = rewritten
                .definitions
                .iter()
                .filter(|one| !plain.contains(one));
            otherwise.extend(differs.map(|one| one.address.clone()));
        }
        making.answers = answered.answers;
        Ok(Judged {
            fails: rewritten.report.is_refused() && settings.on_unresolved == OnUnresolved::Fail,
            resources,
            images,
            asked: asked_of_tasks,
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

/// What a plan and the folders say together.
#[derive(Default)]
pub(crate) struct Survey<'p> {
    /// By folder, in the order of files and lines.
    pub(crate) subjects: BTreeMap<PathBuf, Vec<Subject<'p>>>,
    /// By folder, the names of resources that stay as they are, with what identifies their text.
    pub(crate) left: BTreeMap<PathBuf, Vec<(String, String)>>,
    /// Why some stay as they are: by reason, how messages name them.
    pub(crate) reasons: BTreeMap<String, Vec<String>>,
    /// Folders whose files stay, because the plan has none of the task definitions in them.
    pub(crate) kept: BTreeSet<PathBuf>,
}

/// What becomes of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is to carry the recipe.
    Carries,
    /// It carries the recipe by itself.
    Carried,
    /// It stays as it is.
    Left,
}

impl<'p> Survey<'p> {
    pub(crate) fn of(judged: &'p Judged<'p>, modules: &'p Modules) -> Result<Survey<'p>, Failure> {
        let mut survey = Survey::default();
        let mut problems = Vec::new();
        let mut groups: BTreeMap<&Path, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
        for (index, resource) in judged.resources.iter().enumerate() {
            let folder = groups
                .entry(modules.folder(&resource.calls())?)
                .or_default();
            folder.entry(resource.name).or_default().push(index);
        }
        for (path, folder) in modules.folders() {
            let Some(resources) = groups.remove(path.as_path()) else {
                survey.pass_over(path, folder);
                continue;
            };
            survey.leave_unplanned(path, folder, |name| resources.contains_key(name));
            for (name, indexes) in resources {
                if let Err(problem) = survey.take(judged, (path, folder), (name, &indexes)) {
                    problems.push(problem);
                }
            }
        }
        for subjects in survey.subjects.values_mut() {
            let place =
                |subject: &Subject<'_>| (subject.resource.file.clone(), subject.resource.line);
            subjects.sort_by_key(place);
        }
        match problems.is_empty() {
            true => Ok(survey),
            false => Err(super::refused(problems)),
        }
    }

    /// A resource with its instances in the plan.
    fn take(
        &mut self,
        judged: &'p Judged<'p>,
        (path, folder): (&Path, &'p Folder),
        (name, indexes): (&str, &[usize]),
    ) -> Result<(), Problem> {
        let reports = &judged.rewritten.report.task_definitions;
        let reports: Vec<&TaskDefinitionReport> = indexes
            .iter()
            .filter_map(|index| reports.get(*index))
            .collect();
        let fates: Vec<Fate> = reports.iter().map(|report| fate(report)).collect();
        let instances = indexes.iter().filter_map(|index| judged.instance(*index));
        let instances: Vec<Instance<'p>> = instances.collect();
        let made = folder.made.as_ref();
        let before = made.filter(|(header, _)| header.made_from.contains_key(name));
        if let Some((header, _)) = before
            && header.planned.get(name) != Some(&subject::planned(&instances))
        {
            return Err(Problem {
                message: format!("`{KIND}.{name}` is not planned as it was when the override file that is there was made, so that file may have a part in the plan"),
                hint: Some("make the plan without it: `tf-filter override --remove`, then `terraform plan`".to_owned()),
            });
        }
        if fates.contains(&Fate::Carries) {
            let subject = judged.subject((path, folder), (name, instances), &fates)?;
            let subjects = self.subjects.entry(path.to_owned()).or_default();
            subjects.push(subject);
            return Ok(());
        }
        let refused = |report: &&TaskDefinitionReport| report.outcome == Outcome::Refused;
        if !reports.iter().any(refused) {
            self.leave(path, folder, name);
        }
        for report in reports {
            let addresses = self.reasons.entry(reason(report).to_owned()).or_default();
            addresses.push(format!("`{}`", report.id));
        }
        Ok(())
    }

    fn leave(&mut self, path: &Path, folder: &Folder, name: &str) {
        if let Some(digest) = folder.digest(name) {
            let left = self.left.entry(path.to_owned()).or_default();
            left.push((name.to_owned(), digest));
        }
    }

    /// Leaves the resources that have no instance in the plan.
    fn leave_unplanned(&mut self, path: &Path, folder: &Folder, is_planned: impl Fn(&str) -> bool) {
        for name in folder.names().filter(|name| !is_planned(name)) {
            self.leave(path, folder, name);
            let names = self
                .reasons
                .entry("the plan has no instance of it".to_owned());
            names.or_default().push(folder.place(name));
        }
    }

    /// A folder that the plan does not speak of, as that of a module without instances: a file that is
    /// there was made from another plan.
    fn pass_over(&mut self, path: &Path, folder: &Folder) {
        let made = folder.made.as_ref();
        let mut made = made
            .into_iter()
            .flat_map(|(header, _)| header.made_from.keys());
        match made.any(|name| folder.resource(name).is_some()) {
            true => {
                self.kept.insert(path.to_owned());
            }
            false => self.leave_unplanned(path, folder, |_| false),
        }
    }
}

/// Why a task definition stays as it is.
fn reason(report: &TaskDefinitionReport) -> &str {
    match report.outcome {
        Outcome::Unchanged => "it carries the recipe already",
        _ => {
            // What decides is said last.
            let mut codes = report.findings.iter().rev().map(|finding| finding.code);
            codes
                .next()
                .map_or("nothing has to change", |code| code.as_str())
        }
    }
}

impl<'p> Judged<'p> {
    fn subject(
        &'p self,
        (path, folder): (&Path, &'p Folder),
        (name, instances): (&str, Vec<Instance<'p>>),
        fates: &[Fate],
    ) -> Result<Subject<'p>, Problem> {
        let problem = |message: String, hint: &str| Problem {
            message,
            hint: Some(hint.to_owned()),
        };
        if let Some(unclear) = folder.unclear.get(name) {
            return Err(problem(
                format!("`{KIND}.{name}`: {}", unclear.reason),
                "call the provider's function there, or write the resource once, in one file of the module",
            ));
        }
        let Some(resource) = folder.resource(name) else {
            return Err(problem(
                format!(
                    "`{KIND}.{name}` is in the plan, and in no file of `{}`",
                    shown(path)
                ),
                "make the plan of the files that are there, and name the root module's folder with `--directory`",
            ));
        };
        let subject = Subject {
            resource,
            instances,
        };
        if fates.iter().any(|fate| *fate != Fate::Carries) {
            return Err(subject.problem(
                "some of its instances are to carry the recipe, and some are not",
                "select all of them or none: an override file concerns them all",
            ));
        }
        let mut addresses = subject.instances.iter().map(|one| one.planned.address);
        if let Some(address) = addresses.find(|address| self.otherwise.contains(*address)) {
            return Err(subject.problem(
                &format!("the provider's function knows neither queries nor a mode, and would do otherwise to `{address}` than `--include`, `--exclude` and `--mode` say"),
                "use the tags `outrigger:containers` and `outrigger:exclude-containers`, or another form",
            ));
        }
        Ok(subject)
    }

    fn instance(&'p self, index: usize) -> Option<Instance<'p>> {
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

fn fate(report: &TaskDefinitionReport) -> Fate {
    let is_unknown = report
        .findings
        .iter()
        .any(|finding| finding.code == Code::UnknownDefinition);
    match report.outcome {
        Outcome::Rewritten => Fate::Carries,
        Outcome::LeftAlone if is_unknown => Fate::Carries,
        Outcome::Unchanged => Fate::Carried,
        Outcome::LeftAlone | Outcome::Refused => Fate::Left,
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
