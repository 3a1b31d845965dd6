//! `tf-filter override`: files that make Terraform itself plan and apply what the recipe asks for.
//!
//! A plan holds values and no expressions, and cannot be applied; the module's files hold the
//! expressions. So the plan says what becomes of each task definition, and the files what it is
//! made of: both go into an [override file](https://developer.hashicorp.com/terraform/language/files/override)
//! in the module's folder.

mod constant;
mod expression;
mod file;
mod function;
mod hcl;
mod making;
mod modules;
mod source;
mod stale;
mod subject;
mod survey;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cli::output::unwritable;
use cli::replace::replace_files;
use cli::{Console, Exit, Failure, Problem};

use crate::options::{OverrideArguments, OverrideForm};

use file::{NAME, Overridden};
use hcl::Expression;
use making::Making;
use modules::{Folder, Modules, shown};
use subject::Subject;
use survey::{Judged, Survey};

/// The folders that a plan's task definitions stand in, and what is in them.
type Folders = BTreeMap<PathBuf, Folder>;

/// Does what the arguments say, and gives the exit code.
pub(crate) fn run(
    arguments: &OverrideArguments,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let options = &arguments.files;
    console.terminals = console.terminals.with_color(options.color);
    console.terminals.progress &= !options.quiet;
    if (options.check || options.remove) && arguments.plan.is_some() {
        let option = if options.check { "--check" } else { "--remove" };
        return Err(Failure::usage(format!("`{option}` reads no plan"))
            .hint("leave the plan out: it looks at the files of the modules alone"));
    }
    let modules = Modules::read(&options.directory)?;
    if options.remove {
        return stale::remove(&modules, options.quiet, console);
    }
    let making = Making::of(arguments)?;
    if options.check {
        return stale::check(&modules, &making, options.quiet, console);
    }
    write(&modules, making, arguments, console)
}

fn write(
    modules: &Modules,
    mut making: Making,
    arguments: &OverrideArguments,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let input = survey::Input::read(arguments, console)?;
    let plan = input.plan()?;
    let mut folders = Folders::new();
    for resource in plan.resources() {
        let folder = modules.folder(&resource.calls())?;
        if !folders.contains_key(folder) {
            folders.insert(folder.to_owned(), Folder::read(folder)?);
        }
    }
    let judged = Judged::of((&plan, &input), (modules, &folders), &mut making, console)?;
    if judged.fails {
        console.tell(&judged.errors(&input, console.terminals.stderr));
        return Ok(Exit::Failed);
    }
    let survey = Survey::of(&judged, modules, &folders)?;
    let texts = texts(&survey, &making)?;
    let told = put(&texts, (modules, &folders), &survey)?;
    if !arguments.files.quiet {
        console.tell(&told);
    }
    match judged.rewritten.report.is_refused() {
        true => {
            console.tell(&judged.errors(&input, console.terminals.stderr));
            Ok(Exit::NotInstrumented)
        }
        false => Ok(Exit::Done),
    }
}

/// The text of each folder's file; every problem of every resource, where there is one.
fn texts<'s>(
    survey: &'s Survey<'_>,
    making: &Making,
) -> Result<BTreeMap<&'s Path, String>, Failure> {
    let mut problems = Vec::new();
    let mut texts = BTreeMap::new();
    for (folder, subjects) in &survey.subjects {
        let mut resources = Vec::new();
        for subject in subjects {
            match overridden(subject, making) {
                Ok(overridden) => resources.push(overridden),
                Err(problem) => problems.push(problem),
            }
        }
        let left = survey
            .left
            .get(folder)
            .map_or(&[] as &[String], Vec::as_slice);
        texts.insert(folder.as_path(), file::render(making, &resources, left));
    }
    match problems.is_empty() {
        true => Ok(texts),
        false => Err(refused(problems)),
    }
}

fn refused(problems: Vec<Problem>) -> Failure {
    Failure {
        exit: Exit::Failed,
        problems,
    }
}

fn overridden<'p>(subject: &Subject<'p>, making: &Making) -> Result<Overridden<'p>, Problem> {
    let ignores = |name: &&String| matches!(name.as_str(), "all" | "container_definitions");
    if let Some(name) = subject.resource.ignored.iter().find(ignores) {
        return Err(subject.problem(
            &format!(
                "`ignore_changes` holds `{name}`, so Terraform would pass over what is written"
            ),
            "take it out of `lifecycle`",
        ));
    }
    let Some(definitions) = subject.resource.attributes.get("container_definitions") else {
        return Err(subject.problem(
            "no `container_definitions` stands in it",
            "write the attribute in the resource itself",
        ));
    };
    let of_task = subject.of_task()?;
    let containers = match making.form {
        OverrideForm::Function => function::containers(subject, definitions, &of_task, making),
        OverrideForm::Hcl => expression::containers(subject, definitions)?,
        OverrideForm::Const => constant::containers(subject)?,
    };
    let asked = of_task.attributes.iter();
    let asked = asked.map(|(name, value)| (name.clone(), Expression::value(value)));
    let overridden = Overridden {
        resource: subject.resource,
        volumes: subject.volumes(&of_task),
        attributes: asked
            .chain([("container_definitions".to_owned(), containers)])
            .collect(),
    };
    subject.keeps_secrets(&overridden.attributes)?;
    Ok(overridden)
}

/// Writes what differs, removes what nothing needs any more, and says so.
fn put(
    texts: &BTreeMap<&Path, String>,
    (modules, folders): (&Modules, &Folders),
    survey: &Survey<'_>,
) -> Result<String, Failure> {
    let mut told = String::new();
    let mut written = Vec::new();
    for (folder, text) in texts {
        let path = folder.join(NAME);
        let made = folders.get(*folder).and_then(|folder| folder.made.as_ref());
        let same = made.is_some_and(|(_, before)| before == text);
        let what = if same { "unchanged" } else { "written" };
        told.push_str(&format!("{}: {what}\n", shown(&path)));
        let subjects = survey.subjects.get(*folder);
        for subject in subjects.into_iter().flatten() {
            told.push_str(&format!("  {}\n", subject.place()));
        }
        if modules::is_copy(folder) {
            told.push_str("  the folder is a copy: `terraform get -update` and `init -upgrade` make it anew, without the file\n");
        }
        if !same {
            written.push((path, text.as_bytes()));
        }
    }
    let files = written.iter().map(|(path, text)| (path.as_path(), *text));
    replace_files(files).map_err(|(path, error)| unwritable(&path, &error))?;
    for folder in modules
        .folders()
        .into_iter()
        .filter(|folder| !texts.contains_key(folder))
    {
        let path = folder.join(NAME);
        if Folder::read(folder)?.made.is_some() {
            fs::remove_file(&path).map_err(|error| unwritable(&path, &error))?;
            told.push_str(&format!(
                "{}: removed, nothing needs it any more\n",
                shown(&path)
            ));
        }
    }
    for (reason, resources) in &survey.reasons {
        let resources = resources.join(", ");
        told.push_str(&format!("left alone, {reason}: {resources}\n"));
    }
    if texts.is_empty() {
        told.push_str("no task definition has to be overridden\n");
    }
    Ok(told)
}
