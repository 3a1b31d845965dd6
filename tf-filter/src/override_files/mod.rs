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
mod judged;
mod making;
mod modules;
mod source;
mod stale;
mod subject;
mod survey;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cli::output::unwritable;
use cli::replace::replace_files;
use cli::{Console, Exit, Failure, Problem};

use crate::options::{OverrideArguments, OverrideForm};

use file::{NAME, Overridden};
use hcl::Expression;
use judged::Judged;
use making::Making;
use modules::{Modules, shown};
use subject::Subject;
use survey::Survey;

/// [Where Terraform keeps what it makes](https://developer.hashicorp.com/terraform/cli/config/environment-variables#tf_data_dir),
/// where it is not `.terraform`.
const DATA_DIRECTORY: &str = "TF_DATA_DIR";

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
    let modules = Modules::read(&options.directory, console.variables.get(DATA_DIRECTORY))?;
    if options.remove {
        return stale::remove(&modules, options.quiet, console);
    }
    modules.owns_its_folders()?;
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
    let input = judged::Input::read(arguments, console)?;
    let plan = input.plan()?;
    judged::speaks_of_all(&plan)?;
    let judged = Judged::of((&plan, &input), modules, &mut making, console)?;
    if judged.fails {
        console.tell(&judged.errors(&input, console.terminals.stderr));
        return Ok(Exit::Failed);
    }
    let survey = Survey::of(&judged, modules)?;
    let texts = texts(&survey, modules, &making)?;
    let told = put(&texts, modules, &survey)?;
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
    modules: &Modules,
    making: &Making,
) -> Result<BTreeMap<&'s Path, String>, Failure> {
    let mut problems = Vec::new();
    let mut texts = BTreeMap::new();
    for folder in survey.subjects.keys().chain(survey.left.keys()) {
        let mut resources = Vec::new();
        for subject in survey.subjects.get(folder).into_iter().flatten() {
            match overridden(subject, making) {
                Ok(overridden) => resources.push(overridden),
                Err(problem) => problems.push(problem),
            }
        }
        let left = survey.left.get(folder);
        let left = left.map_or(&[] as &[_], Vec::as_slice);
        let read = modules.folders().get(folder);
        let names_provider = read.is_some_and(|read| read.names_provider);
        let text = file::render(making, &resources, left, names_provider);
        texts.insert(folder.as_path(), text);
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
        OverrideForm::Const => constant::containers(subject, definitions)?,
    };
    let asked = of_task.attributes.iter();
    let asked = asked.map(|(name, value)| (name.clone(), Expression::value(value)));
    let overridden = Overridden {
        resource: subject.resource,
        planned: subject.planned(),
        volumes: subject.volumes(&of_task),
        attributes: asked
            .chain([("container_definitions".to_owned(), containers)])
            .collect(),
    };
    subject.keeps_secrets(&overridden.attributes, making)?;
    Ok(overridden)
}

/// Writes what differs, removes what nothing needs any more, and says so.
fn put(
    texts: &BTreeMap<&Path, String>,
    modules: &Modules,
    survey: &Survey<'_>,
) -> Result<String, Failure> {
    let mut told = String::new();
    let mut written = Vec::new();
    let mut removed = Vec::new();
    for (folder, read) in modules.folders() {
        let path = folder.join(NAME);
        let made = read.made.as_ref().map(|(_, text)| text);
        let what = match (texts.get(folder.as_path()), made) {
            (Some(text), Some(made)) if text == made => "unchanged",
            (Some(text), _) => {
                written.push((path.clone(), text.as_bytes()));
                "written"
            }
            (None, Some(_)) if survey.kept.contains(folder) => {
                "kept, the plan has none of its task definitions"
            }
            (None, Some(_)) => {
                removed.push(path.clone());
                "removed, nothing needs it any more"
            }
            (None, None) => continue,
        };
        told.push_str(&format!("{}: {what}\n", shown(&path)));
        let subjects = survey.subjects.get(folder);
        for subject in subjects.into_iter().flatten() {
            told.push_str(&format!("  {}\n", subject.resource.place()));
        }
        if modules.is_copy(folder) && subjects.is_some() {
            told.push_str("  the folder is a copy: `terraform get -update` and `init -upgrade` make it anew, without the file\n");
        }
    }
    let files = written.iter().map(|(path, text)| (path.as_path(), *text));
    replace_files(files).map_err(|(path, error)| unwritable(&path, &error))?;
    for path in removed {
        fs::remove_file(&path).map_err(|error| unwritable(&path, &error))?;
    }
    for (reason, resources) in &survey.reasons {
        let resources = resources.join(", ");
        told.push_str(&format!("left alone, {reason}: {resources}\n"));
    }
    if survey.subjects.is_empty() {
        told.push_str("no task definition has to be overridden\n");
    }
    Ok(told)
}
