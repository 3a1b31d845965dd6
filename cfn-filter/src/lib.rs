//! Instruments the ECS task definitions of a CloudFormation template, or one by itself: the same
//! kind of document goes in and comes out.
//!
//! [`run`] is the whole program with the streams of one's choice. The work is done by
//! [`taskdef`]; what both filters do alike is in [`cli`]; here is only what is CloudFormation's:
//! the options about a deployment, and the order of the steps.

mod another_kind;
mod bare;
mod help;
mod instrument;
mod options;
mod parameters;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::{Read, Write};

use cli::report::delivery::tell_failure;
use cli::settings::Documents;
use cli::{Console, Exit, Failure, Terminals, Variables};
use taskdef::dialect::Dialect;

use options::{Arguments, Command};

/// Runs the program with these arguments (without its name) and streams, none of them a terminal, and
/// with no environment.
pub fn run<A: Into<OsString>>(
    args: impl IntoIterator<Item = A>,
    stdin: &mut dyn Read,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Exit {
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let terminals = Terminals::default();
    run_on(
        &args,
        Console {
            stdin,
            stdout,
            stderr,
            terminals,
            variables: Variables::default(),
        },
    )
}

/// The command line, with its help.
pub fn command() -> clap::Command {
    help::command()
}

/// Runs the program with these arguments (without its name) on this console.
pub fn run_on(args: &[OsString], mut console: Console<'_>) -> Exit {
    let (arguments, layers) = match cli::settings::parse_as::<Arguments>(
        help::command(),
        args,
        Documents::new("template", Dialect::CloudFormation),
        &mut console,
    ) {
        Ok(parsed) => parsed,
        Err(exit) if cli::command_line::asks_for_detailed_exitcode(args) => {
            return exit.detailed();
        }
        Err(exit) => return exit,
    };
    console.terminals = console.terminals.with_color(arguments.output.color);
    let end = match &arguments.command {
        Some(Command::Lock(command)) => instrument::lock(command, &layers, &mut console),
        Some(Command::Settings(command)) => {
            console.terminals = console.terminals.with_color(command.color);
            cli::settings_command::run(&layers, &command.recipe, &mut console)
        }
        Some(Command::Image(command)) => cli::image_command::run(command, &mut console),
        Some(Command::Recipes(command)) => cli::recipes_command::run(command, &mut console),
        Some(Command::Completions(options)) => {
            cli::completions::run(*options, help::command(), &mut console)
        }
        Some(Command::Man(options)) => {
            cli::manual::run(options, help::command(), &help::sections(), &mut console)
        }
        None => match mistaken(&arguments) {
            Some(failure) => Err(failure),
            None => instrument::instrument(&arguments, &layers, &mut console),
        },
    };
    let exit = end.unwrap_or_else(|failure| match &arguments.command {
        Some(Command::Lock(_)) => failure.tell_of_run("nothing was written", &mut console),
        Some(_) => failure.tell(&mut console),
        None => {
            let reads = instrument::reads(&arguments, &layers);
            let asked = (&arguments.output, reads);
            tell_failure(&failure, instrument::TOOL, asked, &mut console)
        }
    });
    if arguments.output.detailed_exitcode {
        exit.detailed()
    } else {
        exit
    }
}

/// A document that is not there, and that may have been meant as a command.
fn mistaken(arguments: &Arguments) -> Option<Failure> {
    let document = arguments.template.as_deref()?;
    cli::command_line::mistaken_for_document(document, help::command)
}
