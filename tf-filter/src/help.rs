//! What the commands' help and manual pages say beside their options.

use clap::CommandFactory;
use cli::help::{ENVIRONMENT, Section, Sections, with_sections, with_short};

use crate::options::Arguments;

/// The command line, with its examples.
pub(crate) fn command() -> clap::Command {
    with_sections(with_short(Arguments::command(), SHORT), SECTIONS)
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

/// By command. No line of an example may be wider than 78 columns.
pub(crate) const SECTIONS: &Sections = &[
    (
        "",
        &[
            examples(EXAMPLES),
            exit_status(EXIT_STATUS),
            ENVIRONMENT,
            files(),
        ],
    ),
    (
        "lock",
        &[
            examples(LOCK_EXAMPLES),
            exit_status(LOCK_EXIT_STATUS),
            ENVIRONMENT,
            files(),
        ],
    ),
    (
        "override",
        &[
            examples(OVERRIDE_EXAMPLES),
            exit_status(OVERRIDE_EXIT_STATUS),
            ENVIRONMENT,
            files(),
        ],
    ),
    (
        "settings",
        &[
            examples(SETTINGS_EXAMPLES),
            exit_status(PLAIN_EXIT_STATUS),
            ENVIRONMENT,
            files(),
        ],
    ),
    (
        "image inspect",
        &[
            examples(INSPECT_EXAMPLES),
            exit_status(PLAIN_EXIT_STATUS),
            ENVIRONMENT,
        ],
    ),
    (
        "recipes list",
        &[
            examples("tf-filter recipes list"),
            exit_status(PLAIN_EXIT_STATUS),
        ],
    ),
    (
        "recipes show",
        &[examples(SHOW_EXAMPLES), exit_status(PLAIN_EXIT_STATUS)],
    ),
    (
        "recipes check",
        &[examples(CHECK_EXAMPLES), exit_status(CHECK_EXIT_STATUS)],
    ),
    (
        "recipes new",
        &[examples(NEW_EXAMPLES), exit_status(PLAIN_EXIT_STATUS)],
    ),
    (
        "recipes schema",
        &[
            examples("tf-filter recipes schema > recipe.schema.json"),
            exit_status(PLAIN_EXIT_STATUS),
        ],
    ),
    (
        "completions",
        &[
            examples(COMPLETIONS_EXAMPLES),
            exit_status(PLAIN_EXIT_STATUS),
        ],
    ),
    (
        "man",
        &[examples(MAN_EXAMPLES), exit_status(PLAIN_EXIT_STATUS)],
    ),
];

const fn examples(text: &'static str) -> Section {
    Section {
        heading: "Examples",
        text,
        short: true,
    }
}

const fn exit_status(text: &'static str) -> Section {
    Section {
        heading: "Exit status",
        text,
        short: false,
    }
}

const fn files() -> Section {
    Section {
        heading: "Files",
        text: FILES,
        short: false,
    }
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

const FILES: &str = "\
outrigger.yaml        settings; beside the plan, or above it up to the
                      repository's root, or what --settings names
outrigger.lock        what each image runs; beside the plan, in the working
                      directory for standard input, or where --lock says
~/.docker/config.json credentials of registries, as `docker login` leaves them";

const PLAIN_EXIT_STATUS: &str = "\
0  done
1  the job could not be done
2  wrong usage";

const LOCK_EXAMPLES: &str = "\
Write outrigger.lock beside the plan, with the options of the run:
  tf-filter lock plan.json --recipe lacework --set accessToken=...

Say in a pipeline whether it still says what the registries say:
  tf-filter lock plan.json --recipe lacework --set accessToken=... --check";

const LOCK_EXIT_STATUS: &str = "\
0  done
1  the job could not be done; nothing was written
2  wrong usage
3  the lock file does not say what the registries say (--check), or an image
   could not be read (--on-unresolved skip)";

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

const SETTINGS_EXAMPLES: &str = "\
Show what is in force for a plan, and where it comes from:
  tf-filter settings plan.json

Without the file:
  tf-filter settings plan.json --recipe lacework --no-settings";

const INSPECT_EXAMPLES: &str = "\
tf-filter image inspect nginx:1.27 --platform linux/arm64
tf-filter image inspect registry.example/shop:1 --auth-file auth.json";

const SHOW_EXAMPLES: &str = "\
tf-filter recipes show lacework
tf-filter recipes show my-vendor.yaml";

const CHECK_EXAMPLES: &str = "\
Check one's own recipe, with inputs made up where none is given:
  tf-filter recipes check my-vendor.yaml --set accessKey=...";

const CHECK_EXIT_STATUS: &str = "\
0  done
1  a recipe cannot be read
2  wrong usage
3  a recipe can be read, and does not do what it has to";

const NEW_EXAMPLES: &str = "\
Begin a recipe, with comments that explain it:
  tf-filter recipes new my-vendor > my-vendor.yaml";

const COMPLETIONS_EXAMPLES: &str = "\
bash        tf-filter completions bash \\
                > ~/.local/share/bash-completion/completions/tf-filter
zsh         tf-filter completions zsh > \"${fpath[1]}/_tf-filter\"
fish        tf-filter completions fish \\
                > ~/.config/fish/completions/tf-filter.fish
elvish      tf-filter completions elvish > ~/.config/elvish/lib/tf-filter.elv
            and `use tf-filter` in rc.elv
PowerShell  tf-filter completions powershell >> $PROFILE";

const MAN_EXAMPLES: &str = "\
Read the page:
  tf-filter man | man -l -

Install the pages of all commands:
  tf-filter man --directory ~/.local/share/man/man1";
