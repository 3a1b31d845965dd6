//! What the commands' help and manual pages say beside their options.

use clap::CommandFactory;
use cli::help::{Section, Sections, every_program, with_sections};

use crate::options::Arguments;

/// The command line, with its examples.
pub(crate) fn command() -> clap::Command {
    let command = Arguments::command().mut_subcommands(|command| {
        command.mut_args(|arg| match arg.get_help().map(ToString::to_string) {
            Some(help) => arg.help(of_the_filters(&help)),
            None => arg,
        })
    });
    with_sections(command, &sections())
}

/// A help or a way out that names commands which only the filters have.
pub(crate) fn of_the_filters(text: &str) -> String {
    text.replace("`recipes ", "`cfn-filter recipes ")
        .replace("the command `lock`", "`cfn-filter lock`")
}

const ENVIRONMENT: &str = "\
OUTRIGGER_...          settings, one variable for each: `docs/settings.md`
OUTRIGGER_EXTERNAL_ID  the external ID of the roles
AWS_PROFILE, AWS_...   credentials, region and endpoints, as every AWS SDK reads them
DOCKER_AUTH_CONFIG     credentials of registries: the text of docker's config.json
HTTPS_PROXY, NO_PROXY  the proxy, and hosts without it
NO_COLOR               no colours";

const EXAMPLES: &str = "\
fleet plan --recipe alert-logic --cluster prod -o plan.json
fleet apply plan.json
fleet remove --cluster prod -o back.json";

const PLAN_EXAMPLES: &str = "\
fleet plan --recipe alert-logic --cluster prod -o plan.json
fleet plan --recipe alert-logic --organization --role-name OutriggerFleet \\
  --region eu-central-1,us-east-1 -o plan.json";

const PLAN_EXIT_STATUS: &str = "\
0  done
1  something could not be looked at, and the plan has the rest; or a
   filter matches nothing
2  wrong usage; with --detailed-exitcode: something is to be changed
3  a task definition in scope was refused; the plan has the others";

const STATUS_EXIT_STATUS: &str = "\
0  everything was looked at, however it stands
1  something could not be looked at, or a filter matches nothing
2  wrong usage";

const APPLY_EXAMPLES: &str = "\
fleet apply plan.json
fleet apply plan.json --canary 1 --wave 10 --in-motion 5";

const APPLY_EXIT_STATUS: &str = "\
0  everything was updated
1  something failed, was rolled back, or was not reached
2  wrong usage
3  something was not touched: it had changed since the plan";

/// By command. No line of an example may be wider than 78 columns.
pub(crate) fn sections() -> Sections {
    let mut sections = every_program("fleet");
    for (command, examples, exit_status) in [
        ("", EXAMPLES, None),
        ("plan", PLAN_EXAMPLES, Some(PLAN_EXIT_STATUS)),
        ("apply", APPLY_EXAMPLES, Some(APPLY_EXIT_STATUS)),
        (
            "status",
            "fleet status --cluster prod",
            Some(STATUS_EXIT_STATUS),
        ),
        ("remove", "fleet remove --cluster prod -o back.json", None),
    ] {
        let mut own = vec![Section::examples(examples)];
        own.extend(exit_status.map(Section::exit_status));
        own.push(Section::new("Environment", ENVIRONMENT));
        sections.push((command, own));
    }
    sections
}

#[cfg(test)]
mod tests {
    use cli::{Console, Exit, Terminals, Variables};

    use crate::report::TargetOutcome;
    use crate::status::State;

    fn ran(args: &[&str]) -> (Exit, String, String) {
        let args: Vec<std::ffi::OsString> = args.iter().map(Into::into).collect();
        let (mut stdin, mut stdout, mut stderr) = (std::io::empty(), Vec::new(), Vec::new());
        let exit = crate::run_on(
            &args,
            Console {
                stdin: &mut stdin,
                stdout: &mut stdout,
                stderr: &mut stderr,
                terminals: Terminals::default(),
                variables: Variables::default(),
            },
        );
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (exit, text(stdout), text(stderr))
    }

    #[test]
    fn help_fits_80_columns_and_shows_examples() {
        for command in [
            &[][..],
            &["plan"],
            &["apply"],
            &["status"],
            &["remove"],
            &["man"],
        ] {
            let (exit, help, _) = ran(&[command, &["--help"]].concat());
            assert_eq!(exit, Exit::Done);
            assert!(help.contains("Examples:"), "{help}");
            let wide = help.lines().find(|line| line.chars().count() > 80);
            assert_eq!(wide, None, "{command:?}");
            // Only the filters have this command.
            assert!(!help.contains("`recipes "), "{help}");
        }
    }

    #[test]
    fn wrong_usage() {
        let told = |args: &[&str]| {
            let (exit, _, stderr) = ran(&[args, &["--no-settings"]].concat());
            format!("{}: {stderr}", exit.code())
        };
        let table = [
            told(&["plan", "--recipe", "alert-logic", "--account", "hunter2"]),
            told(&["plan", "--recipe", "alert-logic", "--role-name", "a b"]),
            told(&["plan", "--recipe", "alert-logic", "--include", "Api"]),
            told(&["apply"]),
            told(&["apply", "none.json"]),
            told(&["apply", "plan.json", "--wave", "0"]),
            told(&[
                "apply",
                "plan.json",
                "--steady-timeout",
                "99999999999999999999",
            ]),
            told(&["plan", "--recipe", "alert-logic", "--session-tag", "a=b"]),
            told(&["status", "--external-id", "hunter2"]),
            told(&["plan", "--recipe", "alert-logic", "--set", "zzz=1"]),
        ];
        insta::assert_snapshot!(table.concat(), @"
        2: error: the value of `--account <ID>` is not valid: an account is a number of 12 digits
        2: error: `--role-name`: a role's name has letters, digits, `+=,.@_-`, and a slash after each part of its path
        2: error: `--include`: `Api` is not a JSONPath query
          hint: a query begins with `$`, as in `$[?$.family == 'api']`
        2: error: `<PLAN>` is missing
          hint: `fleet --help` shows what there is
        1: error: cannot read `none.json`: no such file or directory
        2: error: the value of `--wave <PERCENT>` is not valid: a percentage is a whole number from 1 to 100
        2: error: the value of `--steady-timeout <SECONDS>` is not valid: a time is a whole number of seconds
        2: error: `--role-name <NAME>` is missing
          hint: `fleet --help` shows what there is
        2: error: `--role-name <NAME>` is missing
          hint: `fleet --help` shows what there is
        2: error: recipe `alert-logic`: unknown input `zzz`
          hint: `cfn-filter recipes show alert-logic` lists its inputs
        ");
    }

    #[test]
    fn the_page_names_what_there_is() {
        let page = include_str!("../../docs/fleet.md");
        let command = super::command();
        let commands = command.get_subcommands();
        let options: Vec<&str> = commands
            .flat_map(clap::Command::get_arguments)
            .filter_map(clap::Arg::get_long)
            .collect();
        // Cargo and the AWS CLI have options of their own.
        let own = page.lines().filter(|line| !line.contains("cargo install"));
        let words =
            own.flat_map(|line| line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')));
        let named = words.filter_map(|word| word.strip_prefix("--"));
        let named = named.filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
        let unknown = named.filter(|name| *name != "task-definition");
        let unknown: Vec<&str> = unknown.filter(|name| !options.contains(name)).collect();
        assert_eq!(unknown, Vec::<&str>::new());
        let of_targets = [
            TargetOutcome::Updated,
            TargetOutcome::ChangedSincePlan,
            TargetOutcome::DeploymentInProgress,
            TargetOutcome::NotSteady,
            TargetOutcome::Overtaken,
            TargetOutcome::Failed,
            TargetOutcome::RolledBack,
            TargetOutcome::RollbackFailed,
            TargetOutcome::NotReached,
        ];
        let states = [
            State::Current,
            State::Instrumented,
            State::Outdated,
            State::Drifted,
            State::NotInstrumented,
            State::LeftAlone,
        ];
        let names = of_targets.map(TargetOutcome::name).into_iter();
        for name in names.chain(states.map(State::name)) {
            assert!(page.contains(&format!("| `{name}` |")), "{name}");
        }
    }
}
