//! What a command's help and its manual page say beside its options: one text for both.

use clap::Command;
use clap::builder::{StyledStr, Styles};

/// A part of a command's help, and of its manual page.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// What it is about: `Examples`.
    pub heading: &'static str,
    /// Its lines, which are shown as they are: they have to fit 80 columns with two in front.
    pub text: &'static str,
    /// Whether `-h` shows it, too.
    pub short: bool,
}

/// A command by its path (`image inspect`, nothing for the program itself) and its sections.
pub type Sections = [(&'static str, &'static [Section])];

/// The environment, as far as every filter reads it.
pub const ENVIRONMENT: Section = Section {
    heading: "Environment",
    text: "\
OUTRIGGER_...         settings, one variable for each: `settings` shows those in
                      force
NO_COLOR              no colours, whatever the value; --color goes before it
CLICOLOR_FORCE        colours where no terminal is, too
DOCKER_AUTH_CONFIG    credentials of registries: the text of docker's config.json
DOCKER_CONFIG         folder of docker's config.json [default: ~/.docker]
HTTPS_PROXY, NO_PROXY the proxy to registries, and hosts without it
AWS_PROFILE, AWS_...  credentials for Amazon ECR and AWS Secrets Manager, as every
                      AWS SDK reads them",
    short: false,
};

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
pub(crate) fn of(sections: &Sections, path: &str) -> &'static [Section] {
    let own = sections.iter().find(|(own, _)| *own == path);
    own.map(|(_, sections)| *sections).unwrap_or_default()
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

    const EXAMPLES: Section = Section {
        heading: "Examples",
        text: "some-filter lock x",
        short: true,
    };
    const FILES: Section = Section {
        heading: "Files",
        text: "some.lock\n\nlast",
        short: false,
    };

    fn command() -> Command {
        let lock = Command::new("lock").about("Write").arg(Arg::new("x"));
        let command =
            Command::new("some-filter").subcommand(Command::new("image").subcommand(lock));
        with_sections(command, &[("image lock", &[EXAMPLES, FILES])])
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
