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
            examples("cfn-filter recipes list"),
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
            examples("cfn-filter recipes schema > recipe.schema.json"),
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

const FILES: &str = "\
outrigger.yaml        settings; beside the template, or above it up to the
                      repository's root, or what --settings names
outrigger.lock        what each image runs; beside the template, in the working
                      directory for standard input, or where --lock says
~/.docker/config.json credentials of registries, as `docker login` leaves them";

const PLAIN_EXIT_STATUS: &str = "\
0  done
1  the job could not be done
2  wrong usage";

const LOCK_EXAMPLES: &str = "\
Write outrigger.lock beside the template, with the options of the run:
  cfn-filter lock template.yaml --recipe lacework --set accessToken=...

Say in a pipeline whether it still says what the registries say:
  cfn-filter lock template.yaml --recipe lacework --set accessToken=... --check";

const LOCK_EXIT_STATUS: &str = "\
0  done
1  the job could not be done; nothing was written
2  wrong usage
3  the lock file does not say what the registries say (--check), or an image
   could not be read (--on-unresolved skip)";

const SETTINGS_EXAMPLES: &str = "\
Show what is in force for a template, and where it comes from:
  cfn-filter settings template.yaml

Without the file:
  cfn-filter settings template.yaml --recipe lacework --no-settings";

const INSPECT_EXAMPLES: &str = "\
cfn-filter image inspect nginx:1.27 --platform linux/arm64
cfn-filter image inspect registry.example/shop:1 --auth-file auth.json";

const SHOW_EXAMPLES: &str = "\
cfn-filter recipes show lacework
cfn-filter recipes show my-vendor.yaml";

const CHECK_EXAMPLES: &str = "\
Check one's own recipe, with inputs made up where none is given:
  cfn-filter recipes check my-vendor.yaml --set accessKey=...";

const CHECK_EXIT_STATUS: &str = "\
0  done
1  a recipe cannot be read
2  wrong usage
3  a recipe can be read, and does not do what it has to";

const NEW_EXAMPLES: &str = "\
Begin a recipe, with comments that explain it:
  cfn-filter recipes new my-vendor > my-vendor.yaml";

const COMPLETIONS_EXAMPLES: &str = "\
bash        cfn-filter completions bash \\
                > ~/.local/share/bash-completion/completions/cfn-filter
zsh         cfn-filter completions zsh > \"${fpath[1]}/_cfn-filter\"
fish        cfn-filter completions fish \\
                > ~/.config/fish/completions/cfn-filter.fish
elvish      cfn-filter completions elvish > ~/.config/elvish/lib/cfn-filter.elv
            and `use cfn-filter` in rc.elv
PowerShell  cfn-filter completions powershell >> $PROFILE";

const MAN_EXAMPLES: &str = "\
Read the page:
  cfn-filter man | man -l -

Install the pages of all commands:
  cfn-filter man --directory ~/.local/share/man/man1";
