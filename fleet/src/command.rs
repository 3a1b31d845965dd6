//! The program: from arguments to an exit code.

mod apply;
pub(crate) mod function;
mod outset;
mod plan;
mod status;
mod written;

use std::ffi::OsString;

use cli::settings::Documents;
use cli::{Console, Exit, Failure};
use taskdef::dialect::Dialect;
use tokio::runtime::{Builder, Runtime};

use crate::help;
use crate::means::Purpose;
use crate::options::{Arguments, Command};

/// Runs the program with these arguments (without its name) on this console.
pub fn run_on(args: &[OsString], mut console: Console<'_>) -> Exit {
    let parsed =
        cli::settings::parse_as::<Arguments>(help::command(), args, documents(), &mut console);
    let (arguments, layers) = match parsed {
        Ok(parsed) => parsed,
        Err(exit) if cli::command_line::asks_for_detailed_exitcode(args) => return exit.detailed(),
        Err(exit) => return exit,
    };
    let end = match &arguments.command {
        Command::Plan(arguments) => {
            plan::run(Purpose::Instrument, (arguments, &layers), &mut console)
        }
        Command::Remove(arguments) => {
            plan::run(Purpose::Remove, (arguments, &layers), &mut console)
        }
        Command::Apply(arguments) => apply::run(arguments, &layers, &mut console),
        Command::Status(arguments) => status::run(arguments, &layers, &mut console),
        Command::Completions(options) => {
            cli::completions::run(*options, help::command(), &mut console)
        }
        Command::Man(options) => {
            cli::manual::run(options, help::command(), &help::sections(), &mut console)
        }
    };
    end.unwrap_or_else(|mut failure| {
        for hint in failure
            .problems
            .iter_mut()
            .filter_map(|it| it.hint.as_mut())
        {
            *hint = help::of_the_filters(hint);
        }
        let exit = failure.tell(&mut console);
        match cli::command_line::asks_for_detailed_exitcode(args) {
            true => exit.detailed(),
            false => exit,
        }
    })
}

/// Plans, which name their recipes.
pub(crate) fn documents() -> Documents {
    Documents {
        recipes: apply::recipes,
        ..Documents::new("plan", Dialect::Ecs)
    }
}

fn runtime() -> Result<Runtime, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| {
        let reason = cli::console::reason(&error);
        Failure::failed(format!("the network cannot be used: {reason}"))
    })
}
