//! What the help of several programs says alike.

use super::{Section, Sections};

/// The environment, as far as every filter reads it.
const ENVIRONMENT: &str = "\
OUTRIGGER_...         settings, one variable for each: `settings` shows those in
                      force
NO_COLOR              no colours, whatever the value; --color goes before it
CLICOLOR_FORCE        colours where no terminal is, too
DOCKER_AUTH_CONFIG    credentials of registries: the text of docker's config.json
DOCKER_CONFIG         folder of docker's config.json [default: ~/.docker]
HTTPS_PROXY, NO_PROXY the proxy to registries, and hosts without it
AWS_PROFILE, AWS_...  credentials for Amazon ECR and AWS Secrets Manager, as every
                      AWS SDK reads them";

const EXIT_STATUS: &str = "\
0  done
1  the job could not be done
2  wrong usage";

const LOCK_EXIT_STATUS: &str = "\
0  done
1  the job could not be done; nothing was written
2  wrong usage
3  the lock file does not say what the registries say (--check), or an image
   could not be read (--on-unresolved skip)";

const CHECK_EXIT_STATUS: &str = "\
0  done
1  a recipe cannot be read
2  wrong usage
3  a recipe can be read, and does not do what it has to";

/// A program that rewrites documents: the commands that every one has, beside its own.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// Its name.
    pub program: &'static str,
    /// What it reads: `template`.
    pub document: &'static str,
    /// The name of such a file: `template.yaml`.
    pub example: &'static str,
}

impl Filter {
    /// What is read and written around a document: environment and files.
    pub fn surroundings(self) -> [Section; 2] {
        let document = self.document;
        let indent = " ".repeat(22);
        let files = [
            format!("outrigger.yaml        settings; beside the {document}, or above it up to the"),
            format!("{indent}repository's root, or what --settings names"),
            format!(
                "outrigger.lock        what each image runs; beside the {document}, in the working"
            ),
            format!("{indent}directory for standard input, or where --lock says"),
            "~/.docker/config.json credentials of registries, as `docker login` leaves them"
                .to_owned(),
        ];
        let environment = Section::new("Environment", ENVIRONMENT);
        [environment, Section::new("Files", files.join("\n"))]
    }

    /// The sections of the commands that are the same in every filter.
    pub fn commands(self) -> Sections {
        let program = self.program;
        let simple = |examples: String| vec![Section::examples(examples), exit_status()];
        let mut sections = vec![
            ("lock", self.lock()),
            ("settings", self.settings()),
            (
                "image inspect",
                vec![
                    Section::examples(format!(
                        "{program} image inspect nginx:1.27 --platform linux/arm64\n\
                         {program} image inspect registry.example/shop:1 --auth-file auth.json"
                    )),
                    exit_status(),
                    Section::new("Environment", ENVIRONMENT),
                ],
            ),
            ("recipes list", simple(format!("{program} recipes list"))),
            (
                "recipes show",
                simple(format!(
                    "{program} recipes show lacework\n{program} recipes show my-vendor.yaml"
                )),
            ),
            (
                "recipes check",
                vec![
                    Section::examples(format!(
                        "Check one's own recipe, with inputs made up where none is given:\n  \
                         {program} recipes check my-vendor.yaml --set accessKey=..."
                    )),
                    Section::exit_status(CHECK_EXIT_STATUS),
                ],
            ),
            (
                "recipes new",
                simple(format!(
                    "Begin a recipe, with comments that explain it:\n  \
                     {program} recipes new my-vendor > my-vendor.yaml"
                )),
            ),
            (
                "recipes schema",
                simple(format!("{program} recipes schema > recipe.schema.json")),
            ),
        ];
        sections.extend(every_program(program));
        sections
    }

    fn lock(self) -> Vec<Section> {
        let Filter {
            program,
            document,
            example,
        } = self;
        let command = format!("{program} lock {example} --recipe lacework --set accessToken=...");
        let examples = format!(
            "Write outrigger.lock beside the {document}, with the options of the run:\n  \
             {command}\n\n\
             Say in a pipeline whether it still says what the registries say:\n  \
             {command} --check"
        );
        let mut sections = vec![
            Section::examples(examples),
            Section::exit_status(LOCK_EXIT_STATUS),
        ];
        sections.extend(self.surroundings());
        sections
    }

    fn settings(self) -> Vec<Section> {
        let Filter {
            program,
            document,
            example,
        } = self;
        let examples = format!(
            "Show what is in force for a {document}, and where it comes from:\n  \
             {program} settings {example}\n\n\
             Without the file:\n  \
             {program} settings {example} --recipe lacework --no-settings"
        );
        let mut sections = vec![Section::examples(examples), exit_status()];
        sections.extend(self.surroundings());
        sections
    }
}

/// The sections of the commands that every program has: `completions` and `man`.
pub fn every_program(program: &str) -> Sections {
    let completions = format!(
        "bash        {program} completions bash \\\n                \
         > ~/.local/share/bash-completion/completions/{program}\n\
         zsh         {program} completions zsh > \"${{fpath[1]}}/_{program}\"\n\
         fish        {program} completions fish \\\n                \
         > ~/.config/fish/completions/{program}.fish\n\
         elvish      {program} completions elvish > ~/.config/elvish/lib/{program}.elv\n            \
         and `use {program}` in rc.elv\n\
         PowerShell  {program} completions powershell >> $PROFILE"
    );
    let man = format!(
        "Read the page:\n  {program} man | man -l -\n\n\
         Install the pages of all commands:\n  \
         {program} man --directory ~/.local/share/man/man1"
    );
    let commands = [("completions", completions), ("man", man)];
    let sections = commands.into_iter().map(|(command, examples)| {
        let sections = vec![Section::examples(examples), exit_status()];
        (command, sections)
    });
    sections.collect()
}

fn exit_status() -> Section {
    Section::exit_status(EXIT_STATUS)
}
