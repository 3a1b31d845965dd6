//! What becomes of a container's program.

use crate::container::View;
use crate::edit::Edit;
use crate::mark::wrapped_by_another;
use crate::recipe::{Arrangement, Wrapping};
use crate::report::{Code, ProcessChange};

use super::recognise::{Known, Recognised, wrapped_by};
use super::shell::check_variables;
use super::words::{Stated, Words};
use super::wrap::arrange;
use super::{Note, Refusal, Task};

/// Refuses to wrap a program that the agent of another recipe wraps already.
pub(crate) fn one_wrapper(
    task: &Task<'_>,
    view: View<'_>,
    process: &[Known],
    recognised: Recognised,
) -> Result<(), Refusal> {
    if !task.recipe.recipe().wraps() || recognised != Recognised::Plain {
        return Ok(());
    }
    let refusal = |recipe: &str, hint| {
        Err(Refusal::new(
            Code::TwoWrappers,
            format!(
                "the process starts with the wrapper of the recipe `{recipe}`, and two agents cannot trace one program"
            ),
            hint,
        ))
    };
    let marked = wrapped_by_another(task.dialect, view.map(), task.recipe.recipe().name());
    match (marked, wrapped_by(process, &task.settings.known_agents)) {
        (Some(recipe), _) => refusal(
            recipe,
            "take that recipe off first (`--remove`), or do not instrument this container",
        ),
        (None, Some(known)) => refusal(
            &known.recipe,
            "remove that wrapper, or do not instrument this container",
        ),
        (None, None) => Ok(()),
    }
}

/// The edits that wrap a program, where that is to be done.
pub(crate) fn process_edits(
    view: View<'_>,
    stated: &Stated<'_>,
    recognised: Recognised,
    wrapping: Option<&Wrapping>,
    notes: &mut Vec<Note>,
) -> Result<Vec<Edit>, Refusal> {
    match recognised {
        Recognised::Foreign => Err(Refusal::new(
            Code::ForeignInstrumentation,
            "the process mentions the recipe's wrapper, but does not start with it".to_owned(),
            "remove the wrapper from entry point and command; the recipe adds it",
        )),
        Recognised::Twice => Err(Refusal::new(
            Code::ForeignInstrumentation,
            "the process starts with the recipe's wrapper twice".to_owned(),
            "remove the wrapper from entry point and command; the recipe adds it",
        )),
        Recognised::Hollow => Err(Refusal::new(
            Code::EmptyProcess,
            "no program stands behind the recipe's wrapper".to_owned(),
            "state the program, or remove the wrapper; the recipe adds it",
        )),
        Recognised::InImage => {
            notes.push(Note::new(
                Code::WrapperInImage,
                "the image itself starts the recipe's wrapper".to_owned(),
            ));
            Ok(Vec::new())
        }
        Recognised::Wrapped => {
            notes.push(Note::new(
                Code::AlreadyInstrumented,
                "the process starts with the recipe's wrapper already".to_owned(),
            ));
            Ok(Vec::new())
        }
        Recognised::Plain => {
            let Some(wrapping) = wrapping else {
                return Ok(Vec::new());
            };
            if wrapping.arrangement == Arrangement::ShellJoin {
                check_variables(view)?;
            }
            if !matches!(
                wrapping.arrangement,
                Arrangement::Prefix | Arrangement::None
            ) {
                notes.push(Note::new(
                    Code::OverrideChangesProgram,
                    "a command override at run time no longer replaces the command alone"
                        .to_owned(),
                ));
            }
            arrange(stated, wrapping)
        }
    }
}

/// The process before, and after these edits.
pub(crate) fn process_change(stated: &Stated<'_>, edits: &[Edit]) -> ProcessChange {
    let (mut entry_point, mut command) = stated.effective();
    let before = [entry_point.shown(), command.shown()].concat();
    let is = |path: &[String], key: &str| matches!(path, [only] if only == key);
    if edits
        .iter()
        .any(|edit| matches!(edit, Edit::Set(path, _) if is(path, "entryPoint")))
    {
        // A stated entry point does not inherit the image's command.
        command = stated.command.clone();
    }
    for edit in edits {
        match edit {
            Edit::Set(path, value) if is(path, "entryPoint") => entry_point = Words::of(value),
            Edit::Set(path, value) if is(path, "command") => command = Words::of(value),
            Edit::Remove(path) if is(path, "command") => command = Words::List(Vec::new()),
            _ => {}
        }
    }
    ProcessChange {
        given: None,
        before,
        after: [entry_point.shown(), command.shown()].concat(),
    }
}
