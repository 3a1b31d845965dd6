//! Reading the command line.

use std::error::Error as _;
use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Command};
use taskdef::nearest::nearest;

use crate::{Console, Exit, Failure, Paint};

/// Reads the arguments (without the program's name), or says what is wrong with them, or prints
/// the help that they ask for: then the run is over, with this exit code.
pub(crate) fn parse(
    command: Command,
    args: &[OsString],
    console: &mut Console<'_>,
) -> Result<ArgMatches, Exit> {
    let name = command.get_name().to_owned();
    let matches = command.try_get_matches_from(args);
    matches.map_err(|error| tell(&error, &name, console))
}

/// Says what clap found, and ends the run. `name` is the program's.
pub(crate) fn tell(error: &clap::Error, name: &str, console: &mut Console<'_>) -> Exit {
    if error.use_stderr() {
        return match failure(error, name) {
            Some(failure) => failure.tell(console),
            None => {
                console.tell(&rendered(error, console.terminals.stderr));
                Exit::Usage
            }
        };
    }
    match console.print(rendered(error, console.terminals.stdout).as_bytes()) {
        Ok(()) => Exit::Done,
        Err(failure) => failure.tell(console),
    }
}

fn rendered(error: &clap::Error, paint: Paint) -> String {
    match paint {
        Paint::Plain => error.render().to_string(),
        Paint::Colored => error.render().ansi().to_string(),
    }
}

/// What is wrong, in the words of all other messages; nothing where clap prints the help.
///
/// clap would repeat values, which may be secrets, and the usage of every command.
fn failure(error: &clap::Error, name: &str) -> Option<Failure> {
    let argument = text(error, ContextKind::InvalidArg).unwrap_or_default();
    let see = format!("`{name} --help` shows what there is");
    let or_see = |near: Option<String>| match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => see.clone(),
    };
    Some(match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => return None,
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            Failure::usage(format!("there is no option `{argument}` here"))
                .hint(or_see(text(error, ContextKind::SuggestedArg)))
        }
        // It may be the second half of a value that was not quoted, a secret perhaps. A command that
        // is misspelt has the place of a document, too.
        ErrorKind::UnknownArgument => surplus(),
        ErrorKind::ArgumentConflict if error.get(ContextKind::InvalidSubcommand).is_some() => {
            surplus()
        }
        ErrorKind::InvalidSubcommand => {
            let wrong = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            Failure::usage(format!("there is no command `{wrong}` here"))
                .hint(or_see(text(error, ContextKind::SuggestedSubcommand)))
        }
        ErrorKind::ArgumentConflict => {
            let other = text(error, ContextKind::PriorArg).unwrap_or_default();
            Failure::usage(format!("`{argument}` cannot be used with `{other}`"))
                .hint("leave one of them out")
        }
        ErrorKind::InvalidValue => {
            let values = text(error, ContextKind::ValidValue).unwrap_or_default();
            match text(error, ContextKind::InvalidValue).unwrap_or_default() {
                none if none.is_empty() => Failure::usage(format!("`{argument}` has no value")),
                _ => Failure::usage(format!("`{argument}` does not take this value")),
            }
            .hint(match values.as_str() {
                "" => see,
                values => format!("it takes: {values}"),
            })
        }
        ErrorKind::ValueValidation => {
            let reason = error.source()?;
            Failure::usage(format!("the value of `{argument}` is not valid: {reason}"))
        }
        ErrorKind::MissingRequiredArgument => {
            Failure::usage(format!("`{argument}` is missing")).hint(see)
        }
        _ => {
            let text = error.render().to_string();
            let line = text.lines().next().unwrap_or_default();
            Failure::usage(line.trim_start_matches("error: ")).hint(see)
        }
    })
}

fn surplus() -> Failure {
    Failure::usage("more than one file to read is named")
        .hint("a value with spaces has to be quoted; a command stands before everything else")
}

/// A part of what clap knows about an error; of several, all.
fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        _ => None,
    }
}

/// What is wrong with a document that is not there, where it may have been meant as a command.
pub fn mistaken_for_document(
    document: &Path,
    command: impl FnOnce() -> Command,
) -> Option<Failure> {
    let name = document.to_str()?;
    let is_word = |c: char| c.is_ascii_alphabetic();
    if name.is_empty() || !name.chars().all(is_word) || document.exists() {
        return None;
    }
    let command = command();
    let commands = command.get_subcommands().map(Command::get_name);
    let hint = match nearest(name, commands) {
        Some(near) => format!("did you mean the command `{near}`?"),
        None => format!("`{} --help` names the commands", command.get_name()),
    };
    let message = format!("there is no command `{name}`, and no file of this name");
    Some(Failure::usage(message).hint(hint))
}

/// Whether `--detailed-exitcode` is among arguments that could not be read: 2 then means something else.
pub fn asks_for_detailed_exitcode(args: &[OsString]) -> bool {
    args.iter()
        .take_while(|arg| *arg != "--")
        .any(|arg| arg == "--detailed-exitcode")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::{ArgMatches, CommandFactory, Parser};

    use super::{asks_for_detailed_exitcode, parse};
    use crate::options::{OutputOptions, RecipeOptions};
    use crate::{Console, Exit, Terminals, Variables};

    #[derive(Parser, Debug)]
    #[command(name = "some-filter", version = "1.2.3", no_binary_name = true)]
    struct Arguments {
        document: Option<String>,
        #[command(flatten)]
        recipe: RecipeOptions,
        #[command(flatten)]
        output: OutputOptions,
    }

    fn parsed(args: &[&str]) -> (Result<ArgMatches, Exit>, String, String) {
        let args: Vec<OsString> = args.iter().map(Into::into).collect();
        let (mut stdin, mut stdout, mut stderr) = (std::io::empty(), Vec::new(), Vec::new());
        let mut console = Console {
            stdin: &mut stdin,
            stdout: &mut stdout,
            stderr: &mut stderr,
            terminals: Terminals::default(),
            variables: Variables::default(),
        };
        let result = parse(Arguments::command(), &args, &mut console);
        (
            result,
            String::from_utf8(stdout).unwrap(),
            String::from_utf8(stderr).unwrap(),
        )
    }

    #[test]
    fn what_is_asked_for_goes_to_standard_output() {
        let (result, stdout, stderr) = parsed(&["--version"]);
        assert_eq!(
            (result.unwrap_err(), stdout.as_str(), stderr.as_str()),
            (Exit::Done, "some-filter 1.2.3\n", "")
        );
    }

    #[test]
    fn no_message_repeats_a_value() {
        for args in [
            &["t", "--set", "key=", "hunter2"][..],
            &["--st=key=hunter2"],
            &["--set"],
            &["-x=hunter2"],
        ] {
            let (result, stdout, stderr) = parsed(args);
            assert_eq!(result.unwrap_err(), Exit::Usage);
            assert!(
                !stderr.contains("hunter2") && stderr.starts_with("error: "),
                "{stderr}"
            );
            assert_eq!(stdout, "");
        }
        let (_, _, stderr) = parsed(&["t", "--set", "key=", "hunter2"]);
        insta::assert_snapshot!(stderr, @"
        error: more than one file to read is named
          hint: a value with spaces has to be quoted; a command stands before everything else
        ");
    }

    #[test]
    fn the_detailed_exit_code_is_seen_among_broken_arguments() {
        let seen = |args: &[&str]| {
            asks_for_detailed_exitcode(&args.iter().map(Into::into).collect::<Vec<_>>())
        };
        assert!(seen(&["--no-such", "--detailed-exitcode"]));
        assert!(!seen(&["--no-such", "--", "--detailed-exitcode"]));
    }
}
