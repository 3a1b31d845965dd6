//! What a command's help and its manual page say beside its options: one text for both.

use clap::Command;
use clap::builder::{StyledStr, Styles};

mod shared;

pub use shared::{Filter, every_program};

/// A part of a command's help, and of its manual page.
#[derive(Clone, Debug)]
pub struct Section {
    pub(crate) heading: &'static str,
    pub(crate) text: String,
    /// Whether `-h` shows it, too.
    short: bool,
}

impl Section {
    /// A part that only `--help` and the manual page show. Its lines are shown as they are: they have
    /// to fit 80 columns with two in front.
    pub fn new(heading: &'static str, text: impl Into<String>) -> Section {
        let (text, short) = (text.into(), false);
        Section {
            heading,
            text,
            short,
        }
    }

    /// Command lines, which `-h` shows, too.
    pub fn examples(text: impl Into<String>) -> Section {
        Section {
            short: true,
            ..Section::new("Examples", text)
        }
    }

    /// What the exit codes mean.
    pub fn exit_status(text: impl Into<String>) -> Section {
        Section::new("Exit status", text)
    }
}

/// The sections of commands, by their paths: `image inspect`, nothing for the program itself.
pub type Sections = Vec<(&'static str, Vec<Section>)>;

/// The command with the sections of its path and of all commands below it.
#[must_use]
pub fn with_sections(command: Command, sections: &Sections) -> Command {
    below(command, "", sections)
}

/// The command whose `-h` shows these options alone, by their names, and `--help` all of them; the
/// same for the commands below it.
#[must_use]
pub fn with_short(command: Command, shown: &[&str]) -> Command {
    let command = command.mut_args(|arg| {
        let hidden = arg.get_long().is_some_and(|long| !shown.contains(&long));
        arg.hide_short_help(hidden)
    });
    command.mut_subcommands(|sub| with_short(sub, shown))
}

fn below(mut command: Command, path: &str, sections: &Sections) -> Command {
    let own = of(sections, path);
    if !own.is_empty() {
        command = command
            .after_long_help(shown(own.iter()))
            .after_help(shown(own.iter().filter(|section| section.short)));
    }
    let names = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned());
    for name in names.collect::<Vec<String>>() {
        let path = format!("{path} {name}");
        command = command.mut_subcommand(name, |sub| below(sub, path.trim_start(), sections));
    }
    command
}

/// The sections of the command with this path.
pub(crate) fn of<'s>(sections: &'s Sections, path: &str) -> &'s [Section] {
    let own = sections.iter().find(|(own, _)| *own == path);
    own.map(|(_, sections)| sections.as_slice())
        .unwrap_or_default()
}

fn shown<'s>(sections: impl Iterator<Item = &'s Section>) -> StyledStr {
    let styles = Styles::styled();
    let style = styles.get_header();
    let mut shown = Vec::new();
    for Section { heading, text, .. } in sections {
        let lines: Vec<String> = text.lines().map(indented).collect();
        shown.push(format!("{style}{heading}:{style:#}\n{}", lines.join("\n")));
    }
    shown.join("\n\n").into()
}

fn indented(line: &str) -> String {
    match line {
        "" => String::new(),
        line => format!("  {line}"),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command};

    use super::{Section, with_sections};

    fn command() -> Command {
        let lock = Command::new("lock").about("Write").arg(Arg::new("x"));
        let command =
            Command::new("some-filter").subcommand(Command::new("image").subcommand(lock));
        let examples = Section::examples("some-filter lock x");
        let files = Section::new("Files", "some.lock\n\nlast");
        with_sections(command, &vec![("image lock", vec![examples, files])])
    }

    fn help(flag: &str) -> String {
        let asked = command().try_get_matches_from(["some-filter", "image", "lock", flag]);
        asked.unwrap_err().render().to_string()
    }

    #[test]
    fn the_long_help_shows_every_section_and_the_short_one_what_is_short() {
        insta::assert_snapshot!(help("-h"), @"
        Write

        Usage: some-filter image lock [x]

        Arguments:
          [x]  

        Options:
          -h, --help  Print help (see more with '--help')

        Examples:
          some-filter lock x
        ");
        insta::assert_snapshot!(help("--help"), @"
        Write

        Usage: some-filter image lock [x]

        Arguments:
          [x]
                  

        Options:
          -h, --help
                  Print help (see a summary with '-h')

        Examples:
          some-filter lock x

        Files:
          some.lock

          last
        ");
    }
}
