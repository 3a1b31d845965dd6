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
    "region",
    "account-id",
    "parameter-overrides",
    "parameterized-images",
    "on-unresolved",
    "lock",
    "locked",
    "offline",
    "check",
    "diff",
    "output",
    "in-place",
    "report-file",
    "quiet",
    "settings",
    "platform",
    "secret",
    "auth-file",
    "directory",
];

const FILTER: Filter = Filter {
    program: "cfn-filter",
    document: "template",
    example: "template.yaml",
};

/// By command. No line of an example may be wider than 78 columns.
pub(crate) fn sections() -> Sections {
    let mut sections = FILTER.commands();
    let mut own = vec![
        Section::examples(EXAMPLES),
        Section::exit_status(EXIT_STATUS),
    ];
    own.extend(FILTER.surroundings());
    sections.push(("", own));
    sections
}

const EXAMPLES: &str = "\
Instrument a template, with the agent's token in Secrets Manager:
  cfn-filter template.yaml --recipe lacework \\
      --set accessToken=arn:aws:secretsmanager:... -o out.yaml

The same, with recipe and token in the settings file outrigger.yaml:
  cfn-filter template.yaml -o out.yaml

Show what would change, and write nothing:
  cfn-filter template.yaml --recipe alert-logic --diff

Fail a pipeline when a task lacks the agent, with a report to comment:
  cfn-filter template.yaml --recipe alert-logic --check --report-file out.md

Let a parameter of the template name the secret:
  cfn-filter template.yaml --recipe lacework \\
      --set accessToken='{valueFrom: !Ref Token}' --in-place

Evaluate images that depend on parameters:
  cfn-filter template.yaml --recipe alert-logic --region eu-central-1 \\
      --parameterized-images resolve --parameter-overrides Tag=1.27

Instrument the task definition that runs now:
  aws ecs describe-task-definition --task-definition shop --include TAGS |
      cfn-filter - --recipe alert-logic > shop.json";

const EXIT_STATUS: &str = "\
0  done; with --detailed-exitcode: nothing to change
1  the job could not be done; nothing was written
2  wrong usage; with --detailed-exitcode: changed, and wrong usage is 1
3  a task definition in scope is not instrumented (--check, or
   --on-unresolved skip)";
