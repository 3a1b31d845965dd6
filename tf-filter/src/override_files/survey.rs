//! Which resource in which file each task definition of a plan comes from, and what stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cli::{Failure, Problem};
use taskdef::report::{Code, Outcome, TaskDefinitionReport};

use super::judged::Judged;
use super::modules::{Folder, Modules, shown};
use super::source::KIND;
use super::subject::{self, Instance, Subject};

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
