//! From what the library reports, and what a filter knows of the document, to a [`RunReport`].

use std::collections::BTreeMap;
use std::path::Path;

use taskdef::outline::{ContainerOutline, TaskOutline};
use taskdef::recipe::{Note, Recipes};
use taskdef::report::{self, ContainerReport, Outcome, Report, Severity, TaskDefinitionReport};
use taskdef::source::{Path as Steps, Source, Step};

use super::run_report::{
    Container, Counts, Dependency, DocumentFinding, ExitCode, Finding, FindingSeverity, Kind,
    Position, Problem, Process, Requirement, Requirements, RunOutcome, RunPurpose, RunReport,
    TaskDefinition, TaskOutcome, Tool, VERSION, VolumesFrom,
};
use super::{Purpose, Tally, refused_words, summary};
use crate::conclude::{Run, exit, refused};
use crate::{Exit, Failure};

/// What a filter knows of a run besides the library's report.
#[derive(Clone, Debug)]
pub struct Subject<'s> {
    /// The program that runs.
    pub tool: Tool,
    /// The document's name in messages.
    pub document: &'s str,
    /// Its file, unless it was standard input.
    pub path: Option<&'s Path>,
    /// What it is.
    pub kind: Kind,
    /// What the run does with it.
    pub purpose: Purpose,
    /// Its task definitions as they are written at the end of the run, in the order of the report.
    pub outline: Vec<TaskOutline>,
    /// Where things stand in it.
    pub places: Places,
}

impl Subject<'_> {
    /// The first container that has the image which a finding is about.
    fn place_of_image(&self, found: &report::Finding) -> Option<Position> {
        let image = found.image.as_ref()?;
        let mut containers = self.outline.iter().flat_map(|task| &task.containers);
        let first = containers.find(|container| container.image == *image)?;
        self.places.at(&first.path)
    }
}

/// Where things stand in the document as it was read; empty where that is not known.
#[derive(Clone, Debug, Default)]
pub struct Places {
    by_path: BTreeMap<Steps, Position>,
    by_id: BTreeMap<String, Position>,
}

impl Places {
    /// Asks a source for its task definitions and containers.
    pub fn of(source: &Source<'_>, outline: &[TaskOutline]) -> Places {
        let mut places = Places::default();
        for task in outline {
            let containers = task.containers.iter().map(|container| &container.path);
            for path in containers.chain([&task.path]) {
                if let Some(position) = position(source, path) {
                    places.by_path.insert(path.clone(), position);
                }
            }
        }
        places
    }

    /// Adds a resource that a finding is about.
    pub fn add(&mut self, source: &Source<'_>, id: &str, path: &[Step]) {
        if let Some(position) = position(source, path) {
            self.by_id.insert(id.to_owned(), position);
        }
    }

    /// Adds a task definition whose line is known, and nothing more.
    pub fn put(&mut self, path: Steps, line: usize) {
        let position = Position { line, column: None };
        self.by_path.insert(path, position);
    }

    fn at(&self, path: &Steps) -> Option<Position> {
        self.by_path.get(path).copied()
    }
}

fn position(source: &Source<'_>, path: &[Step]) -> Option<Position> {
    let (line, column) = source.position(path)?;
    let column = Some(column);
    Some(Position { line, column })
}

/// A run that came to an end.
pub fn run_report<'r>(
    report: &'r Report,
    run: Run<'r>,
    recipes: Option<&'r Recipes>,
    subject: &'r Subject<'_>,
) -> RunReport<'r> {
    let refused = refused(report, run);
    let tally = Tally::of(report);
    let tasks = report.task_definitions.iter().enumerate();
    let tasks = tasks
        .map(|(index, task)| task_definition(task, subject.outline.get(index), (subject, refused)));
    let task_definitions: Vec<TaskDefinition<'r>> = tasks.collect();
    let findings = report.findings.iter().map(|(id, found)| {
        let resource = subject.places.by_id.get(id).copied();
        DocumentFinding {
            resource: (!id.is_empty()).then_some(id.as_str()),
            finding: finding(found, resource.or_else(|| subject.place_of_image(found))),
        }
    });
    let exit = exit(report, run);
    RunReport {
        version: VERSION,
        tool: subject.tool,
        document: subject.document,
        kind: Some(subject.kind),
        settings_file: run.settings_file,
        purpose: run_purpose(subject.purpose),
        outcome: run_outcome(exit, subject.purpose),
        exit: exit_code(exit),
        summary: match refused {
            true => refused_words(report),
            false => summary(tally, subject.purpose),
        },
        counts: counts(&task_definitions),
        recipes: recipes
            .into_iter()
            .flat_map(Recipes::iter)
            .map(|recipe| recipe.recipe().name())
            .collect(),
        task_definitions,
        findings: findings.collect(),
        requirements: match recipes.filter(|_| tally.rewritten > 0 && !refused) {
            Some(recipes) => requirements(recipes),
            None => Vec::new(),
        },
        problems: Vec::new(),
    }
}

/// A run that could not do its work: which program, on which document, what for, and how it ends.
pub fn failed_report<'r>(
    failure: &'r Failure,
    (tool, document): (Tool, &'r str),
    purpose: Purpose,
    exit: Exit,
) -> RunReport<'r> {
    let problems = failure.problems.iter().map(|problem| Problem {
        message: &problem.message,
        hint: problem.hint.as_deref(),
        position: place_in(&problem.message, document),
    });
    RunReport {
        version: VERSION,
        tool,
        document,
        kind: None,
        settings_file: None,
        purpose: run_purpose(purpose),
        outcome: RunOutcome::Failed,
        exit: exit_code(exit),
        summary: "the job could not be done".to_owned(),
        counts: Counts::default(),
        recipes: Vec::new(),
        task_definitions: Vec::new(),
        findings: Vec::new(),
        requirements: Vec::new(),
        problems: problems.collect(),
    }
}

/// The place that a message about the document begins with: `template.yaml:3:7: ...`.
fn place_in(message: &str, document: &str) -> Option<Position> {
    let rest = message.strip_prefix(document)?.strip_prefix(':')?;
    let (place, _) = rest.split_once(": ")?;
    let (line, column) = match place.split_once(':') {
        Some((line, column)) => (line, Some(column.parse().ok()?)),
        None => (place, None),
    };
    let line = line.parse().ok()?;
    Some(Position { line, column })
}

fn run_purpose(purpose: Purpose) -> RunPurpose {
    match purpose {
        Purpose::Rewrite => RunPurpose::Rewrite,
        Purpose::DryRun => RunPurpose::DryRun,
        Purpose::Check => RunPurpose::Check,
    }
}

fn run_outcome(exit: Exit, purpose: Purpose) -> RunOutcome {
    match exit {
        Exit::Done | Exit::Changed => RunOutcome::Done,
        Exit::Failed | Exit::Usage => RunOutcome::Refused,
        Exit::NotInstrumented if purpose == Purpose::Check => RunOutcome::CheckFailed,
        Exit::NotInstrumented => RunOutcome::Incomplete,
    }
}

fn exit_code(exit: Exit) -> ExitCode {
    ExitCode {
        code: exit.code(),
        meaning: exit.meaning(),
    }
}

fn counts(tasks: &[TaskDefinition<'_>]) -> Counts {
    let mut counts = Counts::default();
    for task in tasks {
        match task.outcome {
            TaskOutcome::Rewritten => counts.rewritten += 1,
            TaskOutcome::WouldBeRewritten => counts.would_be_rewritten += 1,
            TaskOutcome::Unchanged => counts.unchanged += 1,
            TaskOutcome::LeftAlone => counts.left_alone += 1,
            TaskOutcome::Refused => counts.refused += 1,
        }
    }
    counts
}

fn task_definition<'r>(
    task: &'r TaskDefinitionReport,
    outline: Option<&'r TaskOutline>,
    (subject, refused): (&'r Subject<'_>, bool),
) -> TaskDefinition<'r> {
    let written = !refused && subject.purpose == Purpose::Rewrite;
    let outcome = match task.outcome {
        Outcome::Rewritten if written => TaskOutcome::Rewritten,
        Outcome::Rewritten => TaskOutcome::WouldBeRewritten,
        Outcome::Unchanged => TaskOutcome::Unchanged,
        Outcome::LeftAlone => TaskOutcome::LeftAlone,
        Outcome::Refused => TaskOutcome::Refused,
    };
    // Where nothing is written, the document holds nothing of what a rewrite would have done.
    let is_told = match task.outcome {
        Outcome::Refused => false,
        Outcome::Rewritten => !refused,
        Outcome::Unchanged | Outcome::LeftAlone => true,
    };
    let (reported, changes) = match is_told {
        true => (task.containers.as_slice(), task.changes.as_slice()),
        false => Default::default(),
    };
    let position = outline.and_then(|outline| subject.places.at(&outline.path));
    let outlined = outline.map_or(&[][..], |outline| &outline.containers);
    let containers = containers(outlined, reported, &subject.places);
    let findings = task.findings.iter().map(|found| {
        let about = found.container.as_deref();
        let mut named = containers.iter().filter(|one| about == Some(one.name));
        let place = named.find_map(|container| container.position);
        finding(found, place.or(position))
    });
    TaskDefinition {
        id: &task.id,
        outcome,
        position,
        findings: findings.collect(),
        containers,
        changes,
    }
}

fn finding(found: &report::Finding, position: Option<Position>) -> Finding<'_> {
    Finding {
        code: found.code.as_str(),
        severity: match found.severity {
            Severity::Note => FindingSeverity::Note,
            Severity::Warning => FindingSeverity::Warning,
            Severity::Error => FindingSeverity::Error,
        },
        container: found.container.as_deref(),
        image: found.image.as_deref(),
        message: &found.message,
        hint: found.hint.as_deref(),
        position,
    }
}

/// The containers as they are written, each with what was done to it: the n-th of a name is the
/// n-th of that name. A sidecar that was added in several places is reported once.
fn containers<'r>(
    outlined: &'r [ContainerOutline],
    reported: &'r [ContainerReport],
    places: &Places,
) -> Vec<Container<'r>> {
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    let one = |outline: &'r ContainerOutline| {
        let name = outline.name.as_str();
        let nth = taken.entry(name).or_default();
        let same = || reported.iter().filter(|one| one.name == name);
        let report = same().nth(*nth).or_else(|| same().find(|one| one.sidecar));
        *nth += 1;
        container(outline, report, places.at(&outline.path))
    };
    outlined.iter().map(one).collect()
}

fn container<'r>(
    outline: &'r ContainerOutline,
    report: Option<&'r ContainerReport>,
    position: Option<Position>,
) -> Container<'r> {
    let processes = report.map_or(&[][..], |report| &report.processes);
    let processes = processes.iter().map(|process| Process {
        given: process.given.as_deref(),
        before: &process.before,
        after: &process.after,
    });
    let depends_on = outline.depends_on.iter().map(|dependency| Dependency {
        container_name: &dependency.container,
        condition: &dependency.condition,
        given: dependency.given.as_deref(),
    });
    let volumes_from = outline.volumes_from.iter().map(|volumes| VolumesFrom {
        source_container: &volumes.container,
        given: volumes.given.as_deref(),
    });
    Container {
        name: &outline.name,
        image: &outline.image,
        given: outline.given.as_deref(),
        position,
        sidecar: report.map(|report| report.sidecar),
        wrapped: report.map(|report| report.wrapped),
        processes: processes.collect(),
        changes: report.map_or(&[], |report| &report.changes),
        depends_on: depends_on.collect(),
        volumes_from: volumes_from.collect(),
    }
}

fn requirements(recipes: &Recipes) -> Vec<Requirements<'_>> {
    let all = recipes.iter().map(|recipe| {
        let permissions = recipe.permissions();
        Requirements {
            recipe: recipe.recipe().name(),
            execution_role: notes(&permissions.execution_role),
            task_role: notes(&permissions.task_role),
            vendor_role: notes(&permissions.vendor),
            prerequisites: notes(&permissions.prerequisites),
            network: notes(&permissions.network),
            compatibility: notes(&permissions.compatibility),
        }
    });
    all.collect()
}

fn notes(notes: &[Note]) -> Vec<Requirement<'_>> {
    let notes = notes.iter().map(|note| Requirement {
        text: note.text.trim_end(),
        link: note.link.as_deref(),
    });
    notes.collect()
}

#[cfg(test)]
mod tests {
    use super::{Position, place_in};

    #[test]
    fn a_message_about_a_place_says_where() {
        let at = |line, column| Some(Position { line, column });
        let place = |message| place_in(message, "a:1.yaml");
        assert_eq!(place("a:1.yaml:3:7: the key"), at(3, Some(7)));
        assert_eq!(place("a:1.yaml:3: the key"), at(3, None));
        for elsewhere in [
            "a:1.yaml: the key: x",
            "b.yaml:3:7: x",
            "a:1.yaml:x:7: y",
            "a:1.yaml",
        ] {
            assert_eq!(place(elsewhere), None);
        }
    }
}
