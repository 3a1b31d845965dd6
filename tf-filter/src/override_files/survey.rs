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
use taskdef::settings::{OnUnresolved, Selection, Settings};
use taskdef::terraform::{Plan, PlanError, PlannedResource, RewrittenPlan};

use crate::filter::{self, LIMIT};
use crate::options::{OverrideArguments, OverrideForm, PlanOptions};

use super::Folders;
use super::making::Making;
use super::modules::{Modules, shown};
use super::source::{KIND, Resource};
use super::subject::{Instance, Subject};

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

/// What becomes of each task definition.
pub(crate) struct Judged<'p> {
    resources: Vec<PlannedResource<'p>>,
    images: Vec<Vec<ImageRequest>>,
    pub(crate) rewritten: RewrittenPlan,
    /// Whether a task definition was refused, and nothing is to be written then.
    pub(crate) fails: bool,
    /// The task definitions that the function would instrument otherwise.
    otherwise: BTreeSet<String>,
}

impl<'p> Judged<'p> {
    pub(crate) fn of(
        (plan, input): (&'p Plan<'_>, &Input<'_>),
        (modules, folders): (&Modules, &Folders),
        making: &mut Making,
        console: &mut Console<'_>,
    ) -> Result<Judged<'p>, Failure> {
        let (recipes, settings) = (&input.recipes, &input.settings);
        let unusable = |error: PlanError| input.unusable(&error);
        let resources: Vec<PlannedResource<'_>> = plan.resources().collect();
        let needed = plan.images_needed(recipes, settings).map_err(unusable)?;
        let mut all = needed.clone();
        let mut images = Vec::new();
        for (index, resource) in resources.iter().enumerate() {
            let asked = match (resource.is_unknown(), making.form) {
                (true, OverrideForm::Function) => {
                    let written = written(resource, modules, folders);
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
        let selects = !(selection.include.is_empty() && selection.exclude.is_empty());
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
    /// By folder, the names of resources that stay as they are.
    pub(crate) left: BTreeMap<PathBuf, Vec<String>>,
    /// Why some stay as they are: by reason, their addresses.
    pub(crate) reasons: BTreeMap<String, Vec<String>>,
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
    pub(crate) fn of(
        judged: &'p Judged<'p>,
        modules: &Modules,
        folders: &'p Folders,
    ) -> Result<Survey<'p>, Failure> {
        let mut survey = Survey::default();
        let mut problems = Vec::new();
        let mut groups: BTreeMap<(PathBuf, &str), Vec<usize>> = BTreeMap::new();
        for (index, resource) in judged.resources.iter().enumerate() {
            let folder = modules.folder(&resource.calls())?.to_owned();
            groups
                .entry((folder, resource.name))
                .or_default()
                .push(index);
        }
        for ((path, name), indexes) in groups {
            let Some(folder) = folders.get(&path) else {
                continue;
            };
            let reports = indexes
                .iter()
                .filter_map(|index| judged.rewritten.report.task_definitions.get(*index));
            let reports: Vec<&TaskDefinitionReport> = reports.collect();
            let fates: Vec<Fate> = reports.iter().map(|report| fate(report)).collect();
            if fates.iter().all(|fate| *fate != Fate::Carries) {
                let made = folder.made.iter().flat_map(|(header, _)| &header.made_from);
                let mut made = made.map(|(name, _)| name.as_str());
                if fates.contains(&Fate::Carried) && made.any(|made| made == name) {
                    problems.push(Problem {
                        message: format!("`{KIND}.{name}` carries the recipe in the plan, by the override file that is there"),
                        hint: Some("make the plan without it: `tf-filter override --remove`, then `terraform plan`".to_owned()),
                    });
                }
                survey.leave(path, name, &reports);
                continue;
            }
            match judged.subject((&path, folder), (name, &indexes), &fates) {
                Ok(subject) => survey.subjects.entry(path).or_default().push(subject),
                Err(problem) => problems.push(problem),
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

    fn leave(&mut self, path: PathBuf, name: &str, reports: &[&TaskDefinitionReport]) {
        self.left.entry(path).or_default().push(name.to_owned());
        for report in reports {
            let code = report
                .findings
                .iter()
                .map(|finding| finding.code.as_str())
                .next();
            let reason = match report.outcome {
                Outcome::Unchanged => "it carries the recipe already",
                _ => code.unwrap_or("nothing has to change"),
            };
            let addresses = self.reasons.entry(reason.to_owned()).or_default();
            addresses.push(format!("`{}`", report.id));
        }
    }
}

impl<'p> Judged<'p> {
    fn subject(
        &'p self,
        (path, folder): (&Path, &'p super::Folder),
        (name, indexes): (&str, &[usize]),
        fates: &[Fate],
    ) -> Result<Subject<'p>, Problem> {
        let problem = |message: String, hint: &str| Problem {
            message,
            hint: Some(hint.to_owned()),
        };
        if let Some(reason) = folder.unclear.get(name) {
            return Err(problem(
                format!("`{KIND}.{name}`: {reason}"),
                "call the provider's function there, or write the resource once, in one file of the module",
            ));
        }
        let Some(resource) = folder.resources.iter().find(|one| one.name == name) else {
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
            instances: indexes
                .iter()
                .filter_map(|index| self.instance(*index))
                .collect(),
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
                &format!("the provider's function knows no queries, and would do otherwise to `{address}` than `--include` and `--exclude` say"),
                "use the tags `outrigger:containers` and `outrigger:exclude-containers`, or another form",
            ));
        }
        Ok(subject)
    }

    fn instance(&'p self, index: usize) -> Option<Instance<'p>> {
        let planned = self.resources.get(index)?.clone();
        let mut definitions = self.rewritten.definitions.iter();
        Some(Instance {
            definitions: definitions.find(|one| one.address == planned.address),
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
fn written<'f>(
    resource: &PlannedResource<'_>,
    modules: &Modules,
    folders: &'f Folders,
) -> Option<&'f Resource> {
    let folder = folders.get(modules.folder(&resource.calls()).ok()?)?;
    folder
        .resources
        .iter()
        .find(|one| one.name == resource.name)
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
