//! Override files that are there: whether they still say what the module's own files say, and their removal.

use std::fs;
use std::path::Path;

use cli::output::unwritable;
use cli::{Console, Exit, Failure, Problem, text};

use super::file::{NAME, digest_of};
use super::making::Making;
use super::modules::{Folder, Modules, shown};
use super::source::KIND;

/// Removes every override file of this program.
pub(crate) fn remove(
    modules: &Modules,
    quiet: bool,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let mut removed = Vec::new();
    for folder in modules.folders() {
        if folder.join(NAME).is_file() && Folder::read(folder)?.made.is_some() {
            removed.push(folder.join(NAME));
        }
    }
    for path in &removed {
        fs::remove_file(path).map_err(|error| unwritable(path, &error))?;
        if !quiet {
            console.tell(&format!("{}: removed\n", shown(path)));
        }
    }
    if removed.is_empty() && !quiet {
        console.tell("there is no override file of this program\n");
    }
    Ok(Exit::Done)
}

/// Says which override files are out of date, and why.
pub(crate) fn check(
    modules: &Modules,
    making: &Making,
    quiet: bool,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let mut stale = Vec::new();
    let mut files = 0;
    for folder in modules.folders() {
        let read = Folder::read(folder)?;
        if read.made.is_some() {
            files += 1;
            stale.extend(reasons(folder, &read, making));
        }
    }
    if files == 0 {
        stale.push(Problem {
            message: "there is no override file".to_owned(),
            hint: Some("name the folder of the root module with `--directory`, or make the files with `tf-filter override PLAN`".to_owned()),
        });
    }
    if stale.is_empty() {
        if !quiet {
            let files = text::count(files, "override file is", "override files are");
            console.tell(&format!("{files} up to date\n"));
        }
        return Ok(Exit::Done);
    }
    Err(Failure {
        exit: Exit::NotInstrumented,
        problems: stale,
    })
}

/// Why a file is out of date.
fn reasons(folder: &Path, read: &Folder, making: &Making) -> Vec<Problem> {
    let Some((header, file)) = &read.made else {
        return Vec::new();
    };
    let mut reasons = Vec::new();
    if header.made_with != making.digest {
        reasons.push("it was made with another form, recipe, input or policy".to_owned());
    }
    if header.content != digest_of(super::file::content(file)) {
        reasons.push("it was changed by hand".to_owned());
    }
    for (name, digest) in &header.made_from {
        match read.resources.iter().find(|one| one.name == *name) {
            None => reasons.push(format!("`{KIND}.{name}` is gone")),
            Some(resource) if digest_of(&resource.text) != *digest => {
                let (file, line) = (&resource.file, resource.line);
                reasons.push(format!("`{KIND}.{name}` ({file}:{line}) has changed"));
            }
            Some(_) => {}
        }
    }
    let known = |name: &String| {
        header.left.contains(name) || header.made_from.iter().any(|(made, _)| made == name)
    };
    let all = read
        .resources
        .iter()
        .map(|one| &one.name)
        .chain(read.unclear.keys());
    let new = all.filter(|name| !known(name));
    reasons.extend(new.map(|name| format!("`{KIND}.{name}` is new")));
    let path = shown(&folder.join(NAME));
    let problem = |reason: String| {
        Problem {
        message: format!("`{path}` is out of date: {reason}"),
        hint: Some(
            "make it again: `tf-filter override --remove`, `terraform plan`, `tf-filter override PLAN`"
                .to_owned(),
        ),
    }
    };
    reasons.into_iter().map(problem).collect()
}
