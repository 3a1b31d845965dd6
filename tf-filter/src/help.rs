//! What the commands' help and manual pages say beside their options.

use clap::CommandFactory;
use cli::help::{Filter, Section, Sections, with_sections, with_short};

use crate::options::Arguments;

/// The command line, with its examples.
pub(crate) fn command() -> clap::Command {
    with_sections(with_short(Arguments::command(), SHORT), &sections())
}

/// The options of `-h`: what a first run needs, and what pipelines do.
const SHORT: &[&str] = &[
    "recipe",
    "set",
    "actions",
    "fail-on-unknown",
    "on-unresolved",
    "lock",
    "locked",
    "offline",
    "check",
    "diff",
    "output",
    "in-place",
    "quiet",
    "settings",
    "platform",
    "secret",
    "auth-file",
    "directory",
    "form",
    "remove",
];

const FILTER: Filter = Filter {
    program: "tf-filter",
    document: "plan",
    example: "plan.json",
};

/// By command. No line of an example may be wider than 78 columns.
pub(crate) fn sections() -> Sections {
    let mut sections = FILTER.commands();
    for (command, examples, exit_status) in [
        ("", EXAMPLES, EXIT_STATUS),
        ("override", OVERRIDE_EXAMPLES, OVERRIDE_EXIT_STATUS),
    ] {
        let mut own = vec![
            Section::examples(examples),
            Section::exit_status(exit_status),
        ];
        own.extend(FILTER.surroundings());
        sections.push((command, own));
    }
    sections
}

const EXAMPLES: &str = "\
Show a plan as it would be, for tools that judge plans:
  terraform plan -out tfplan
  terraform show -json tfplan | tf-filter --recipe alert-logic \\
      > instrumented.json

Fail a pipeline when a task lacks the agent:
  terraform show -json tfplan | tf-filter --recipe alert-logic --check

The same, with a report for code scanning:
  tf-filter plan.json --recipe alert-logic --check --report-file gate.sarif

Show what the agent changes in the container definitions:
  tf-filter plan.json --recipe lacework \\
      --set accessToken=arn:aws:secretsmanager:... --diff

With recipe and inputs in the settings file outrigger.yaml:
  tf-filter plan.json -o instrumented.json";

const EXIT_STATUS: &str = "\
0  done; with --detailed-exitcode: nothing to change
1  the job could not be done; nothing was written
2  wrong usage; with --detailed-exitcode: changed, and wrong usage is 1
3  a task definition in scope is not instrumented (--check, or
   --on-unresolved skip)";

const OVERRIDE_EXAMPLES: &str = "\
Write the files, from a plan that was made without them, and apply:
  tf-filter override --remove
  terraform plan -out before
  terraform show -json before | tf-filter override --recipe alert-logic
  terraform init
  terraform plan -out tfplan
  terraform apply tfplan

Say in a pipeline whether the files still fit the modules:
  tf-filter override --check --recipe alert-logic

Without the provider:
  tf-filter override plan.json --recipe alert-logic --form hcl";

const OVERRIDE_EXIT_STATUS: &str = "\
0  done
1  the job could not be done; nothing was written
2  wrong usage
3  a file is out of date (--check), or a task definition was left out
   (--on-unresolved skip)";
