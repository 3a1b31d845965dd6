//! Override files that are there: whether they still say what the module's own files say, and their removal.

use std::fs;
use std::path::Path;

use cli::output::unwritable;
use cli::{Console, Exit, Failure, Problem, text};

use super::file::{NAME, content, digest_of};
use super::making::Making;
use super::modules::{Folder, Modules, shown};
use super::source::KIND;

/// Removes every override file of this program.
pub(crate) fn remove(
    modules: &Modules,
    quiet: bool,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let made = modules.folders().iter();
    let made = made.filter(|(_, folder)| folder.made.is_some());
    let removed: Vec<_> = made.map(|(path, _)| path.join(NAME)).collect();
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
    let folders = modules.folders();
    let files = folders.values().filter(|folder| folder.made.is_some());
    let files = files.count();
    let stale: Vec<Problem> = match files {
        0 => vec![Problem {
            message: "there is no override file".to_owned(),
            hint: Some("name the folder of the root module with `--directory`, or make the files with `tf-filter override PLAN`".to_owned()),
        }],
        _ => folders
            .iter()
            .flat_map(|(path, folder)| problems(path, folder, making))
            .collect(),
    };
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

fn problems(path: &Path, folder: &Folder, making: &Making) -> Vec<Problem> {
    let path = shown(&path.join(NAME));
    let what = match folder.made {
        Some(_) => "is out of date",
        None => "is not there",
    };
    let problem = |reason: String| {
        Problem {
        message: format!("`{path}` {what}: {reason}"),
        hint: Some(
            "make it again: `tf-filter override --remove`, `terraform plan`, `tf-filter override PLAN`"
                .to_owned(),
        ),
    }
    };
    reasons(folder, making).into_iter().map(problem).collect()
}

/// Why a file is out of date.
fn reasons(folder: &Folder, making: &Making) -> Vec<String> {
    let (header, file) = folder.made.clone().unwrap_or_default();
    let mut reasons = Vec::new();
    if folder.made.is_some() {
        let others = making.digests.iter();
        let others = others.filter(|(name, digest)| header.made_with.get(*name) != Some(digest));
        let others: Vec<&str> = others.map(|(name, _)| *name).collect();
        if !others.is_empty() {
            let others = others.join(", ");
            reasons.push(format!("it was made with something else: {others}"));
        }
        if header.content != digest_of(content(&file)) {
            reasons.push("it was changed by hand".to_owned());
        }
    }
    let overridden =
        |name: &str| header.made_from.contains_key(name) && folder.unclear.contains_key(name);
    for (name, unclear) in folder.unclear.iter().filter(|(name, _)| overridden(name)) {
        reasons.push(format!("`{KIND}.{name}`: {}", unclear.reason));
    }
    for (name, digest) in header.made_from.iter().chain(&header.left) {
        match folder.digest(name) {
            None => reasons.push(format!("`{KIND}.{name}` is gone")),
            Some(now) if now != *digest && !overridden(name) => {
                reasons.push(format!("{} has changed", folder.place(name)));
            }
            Some(_) => {}
        }
    }
    let known =
        |name: &&str| header.left.contains_key(*name) || header.made_from.contains_key(*name);
    for name in folder.names().filter(|name| !known(name)) {
        let place = folder.place(name);
        reasons.push(format!("{place} is new, or was refused"));
    }
    reasons
}
