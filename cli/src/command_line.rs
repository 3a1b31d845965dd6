//! Reading the command line.

use std::error::Error as _;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Parser};

use crate::{Console, Exit, Failure, Paint};

/// Reads the arguments (without the program's name), or says what is wrong with them, or prints
/// the help that they ask for: then the run is over, with this exit code.
pub(crate) fn parse<A: Parser>(
    args: &[OsString],
    console: &mut Console<'_>,
) -> Result<ArgMatches, Exit> {
    let matches = A::command().try_get_matches_from(args);
    matches.map_err(|error| tell(&error, console))
}

/// Says what clap has to say, and ends the run.
pub(crate) fn tell(error: &clap::Error, console: &mut Console<'_>) -> Exit {
    if error.use_stderr() {
        let text = match surplus(error).or_else(|| unfit(error)) {
            Some(failure) => failure.render(console.terminals.stderr),
            None => rendered(error, console.terminals.stderr),
        };
        console.tell(&text);
        return Exit::Usage;
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

/// A second document. It may be the second half of a value that was not quoted, a secret perhaps,
/// and clap would repeat it.
fn surplus(error: &clap::Error) -> Option<Failure> {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    if error.kind() != ErrorKind::UnknownArgument || argument.starts_with('-') {
        return None;
    }
    Some(
        Failure::usage("more than one file to read is named")
            .hint("a value with spaces has to be quoted"),
    )
}

/// A value that an option does not take. It may hold a password, and clap would repeat it.
fn unfit(error: &clap::Error) -> Option<Failure> {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let reason = error.source()?;
    (error.kind() == ErrorKind::ValueValidation)
        .then(|| Failure::usage(format!("the value of `{option}` is not valid: {reason}")))
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

    use clap::{ArgMatches, Parser};

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
        let result = parse::<Arguments>(&args, &mut console);
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
          hint: a value with spaces has to be quoted
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
