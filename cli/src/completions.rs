//! `completions`: scripts that complete the command line in a shell.

use clap::builder::PossibleValuesParser;
use clap::{Arg, Args, Command};
use clap_complete::Shell;
use taskdef::recipe::builtin;

use crate::{Console, Exit, Failure};

/// What `completions` takes.
#[derive(Args, Clone, Copy, Debug)]
pub struct CompletionsOptions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints the script for this command line.
pub fn run(
    options: CompletionsOptions,
    command: Command,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let name = command.get_name().to_owned();
    let mut command = with_recipes(command);
    // All at once: the generator panics when a pipe is closed.
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut command, &name, &mut script);
    let script = String::from_utf8_lossy(&script);
    let script = match options.shell {
        Shell::Bash => commands_in_bash(&name, &script),
        Shell::Fish => format!("{script}{}", documents_in_fish(&name, &command)),
        _ => script.into_owned(),
    };
    console.print(script.as_bytes())?;
    Ok(Exit::Done)
}

/// The command with the names of the built-in recipes where a recipe is named. Only for completion:
/// to a parser every other value would be wrong, and a recipe may be a file.
fn with_recipes(command: Command) -> Command {
    let names = || PossibleValuesParser::new(builtin().iter().map(|(name, _)| *name));
    let named = |arg: Arg| match arg.get_id() == "recipe" {
        true => arg.value_parser(names()),
        false => arg,
    };
    command.mut_args(named).mut_subcommands(with_recipes)
}

/// clap_complete 4.6.11 spells a name with a hyphen in two ways, so that no command is completed
/// behind `image` or `lock`.
fn commands_in_bash(name: &str, script: &str) -> String {
    let wrong = name.replace('-', "__subcmd__");
    script.replace(&wrong, &name.replace('-', "__"))
}

/// The script's own function takes a document for a command, and offers no options behind it. This
/// one comes later and wins.
fn documents_in_fish(name: &str, command: &Command) -> String {
    let function = name.replace('-', "_");
    let commands: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
    let commands = commands.join(" ");
    format!(
        "
function __fish_{function}_needs_command
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_{function}_global_optspecs) -- $cmd 2>/dev/null
    or return
    if contains -- \"$argv[1]\" {commands}
        echo $argv[1]
        return 1
    end
    return 0
end
"
    )
}
