//! The command line.

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use cli::ColorWhen;
use cli::completions::CompletionsOptions;
use cli::image_command::ImageCommand;
use cli::lock_update::UpdateOptions;
use cli::manual::ManOptions;
use cli::network::RegistryOptions;
use cli::options::{
    AssumptionOptions, LockOptions, OfflineOptions, OutputOptions, RecipeOptions, ScopeOptions,
};
use cli::recipes_command::RecipesCommand;
use cli::settings::SettingsOptions;
use taskdef::settings::ParameterizedImages;

/// Instrument every ECS task definition of a CloudFormation template by vendors' recipes
///
/// Reads a template (JSON or YAML), writes the same template with the sidecar added and each
/// program wrapped as the recipe says. It may also be one task definition, as `register-task-definition`
/// takes it or as `describe-task-definition` gives it; what is written can be registered. What is not rewritten stays byte for byte as it was.
/// The report goes to standard error.
#[derive(Parser, Debug)]
#[command(
    name = "cfn-filter",
    bin_name = "cfn-filter",
    version,
    max_term_width = 80,
    no_binary_name = true,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true,
    override_usage = USAGE
)]
pub(crate) struct Arguments {
    /// Template or task definition to read; `-`, or nothing, is standard input
    pub(crate) template: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) recipe: RecipeOptions,

    #[command(flatten)]
    pub(crate) assumptions: AssumptionOptions,

    #[command(flatten)]
    pub(crate) marks: MarkOptions,

    /// Take the recipes off again, or without --recipe all that are marked
    #[arg(long, conflicts_with = "check", help_heading = "Recipe")]
    pub(crate) remove: bool,

    #[command(flatten)]
    pub(crate) deployment: DeploymentOptions,

    #[command(flatten)]
    pub(crate) scope: ScopeOptions,

    #[command(flatten)]
    pub(crate) images: LockOptions,

    #[command(flatten)]
    pub(crate) offline: OfflineOptions,

    #[command(flatten)]
    pub(crate) registries: RegistryOptions,

    #[command(flatten)]
    pub(crate) settings: SettingsOptions,

    #[command(flatten)]
    pub(crate) output: OutputOptions,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Clap would leave out the recipe, which it does not know to be required.
const USAGE: &str = "\
cfn-filter [TEMPLATE] --recipe <NAME|FILE> [OPTIONS]
       cfn-filter <COMMAND>";

/// Whether what a recipe does is marked.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Recipe")]
pub(crate) struct MarkOptions {
    /// Mark what a recipe does, by docker labels and a tag, so that it can be upgraded and taken off exactly
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_default_value = true, hide_possible_values = true)]
    pub(crate) mark: bool,
}

/// What is known about the deployment.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Deployment")]
pub(crate) struct DeploymentOptions {
    /// Value of AWS::Region; it decides AWS::Partition and AWS::URLSuffix as well
    #[arg(long, value_name = "REGION", value_parser = region)]
    pub(crate) region: Option<String>,

    /// Value of AWS::AccountId
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub(crate) account_id: Option<String>,

    /// Values of template parameters, as the AWS CLI writes them
    #[arg(long, value_name = "KEY=VALUE", num_args = 1..)]
    pub(crate) parameter_overrides: Vec<String>,

    /// What an SSM-typed template parameter resolves to
    #[arg(long, value_name = "KEY=VALUE", num_args = 1..)]
    pub(crate) resolved_parameter: Vec<String>,

    /// Images that depend on a template parameter: refused, or evaluated and written as inspected
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub(crate) parameterized_images: WhenParameterized,
}

/// `--parameterized-images`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhenParameterized {
    /// Refused when the image config is needed.
    #[default]
    Reject,
    /// Evaluated with the parameters' values, and written as the reference that was inspected.
    Resolve,
}

impl From<WhenParameterized> for ParameterizedImages {
    fn from(when: WhenParameterized) -> ParameterizedImages {
        match when {
            WhenParameterized::Reject => ParameterizedImages::Reject,
            WhenParameterized::Resolve => ParameterizedImages::Resolve,
        }
    }
}

/// What else the program does.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum Command {
    /// Write what the images of a document run into its lock file, or update it
    ///
    /// Takes the options of the run that the lock file is for. Entries for other images stay.
    Lock(Box<LockArguments>),
    /// Show the settings that are in force, and where each comes from
    ///
    /// Takes the options of a run. A setting is an option that can also be given as a variable OUTRIGGER_*, or in the
    /// settings file; the option wins over the variable, and that over the file.
    Settings(Box<SettingsArguments>),
    /// Show what a registry says of an image
    #[command(subcommand)]
    Image(Box<ImageCommand>),
    /// Show the recipes, and check one's own
    #[command(subcommand)]
    Recipes(RecipesCommand),
    /// Print a script that completes the command line in a shell
    Completions(CompletionsOptions),
    /// Print the manual page, or write the pages of all commands
    Man(ManOptions),
}

/// What `lock` takes: whatever decides which images a run needs.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct LockArguments {
    /// Template or task definition to read; `-`, or nothing, is standard input
    pub(crate) template: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) recipe: RecipeOptions,

    #[command(flatten)]
    pub(crate) deployment: DeploymentOptions,

    #[command(flatten)]
    pub(crate) scope: ScopeOptions,

    #[command(flatten)]
    pub(crate) images: LockOptions,

    #[command(flatten)]
    pub(crate) registries: RegistryOptions,

    #[command(flatten)]
    pub(crate) settings: SettingsOptions,

    #[command(flatten)]
    pub(crate) update: UpdateOptions,

    /// When to use colours
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        help_heading = "Output"
    )]
    pub(crate) color: ColorWhen,
}

/// What `settings` takes: whatever can be a setting.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct SettingsArguments {
    /// Template or task definition beside which the settings file is looked for; nothing is the working directory
    // It is not read: where it is says enough.
    template: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) recipe: RecipeOptions,

    #[command(flatten)]
    assumptions: AssumptionOptions,

    #[command(flatten)]
    marks: MarkOptions,

    #[command(flatten)]
    deployment: DeploymentOptions,

    #[command(flatten)]
    scope: ScopeOptions,

    #[command(flatten)]
    images: LockOptions,

    #[command(flatten)]
    offline: OfflineOptions,

    #[command(flatten)]
    registries: RegistryOptions,

    #[command(flatten)]
    settings: SettingsOptions,

    /// When to use colours
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        help_heading = "Output"
    )]
    pub(crate) color: ColorWhen,
}

impl LockArguments {
    /// The run that the lock file is for.
    pub(crate) fn run(&self) -> Arguments {
        let lock = self.clone();
        Arguments {
            template: lock.template,
            recipe: lock.recipe,
            assumptions: AssumptionOptions::default(),
            marks: MarkOptions::default(),
            remove: false,
            deployment: lock.deployment,
            scope: lock.scope,
            images: lock.images,
            offline: OfflineOptions::default(),
            registries: lock.registries,
            settings: lock.settings,
            output: OutputOptions::default(),
            command: None,
        }
    }
}

/// A region name is written into image references, so it must not hold anything else.
fn region(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.contains('-') && text.chars().all(fits) && text.chars().any(|c| c.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err("a region looks like `eu-central-1`".to_owned())
}

fn account_id(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.chars().all(|c| c.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err("an account ID has 12 digits".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::Arguments;

    #[test]
    fn the_command_line_is_consistent() {
        crate::help::command().debug_assert();
    }

    fn parse(args: &[&str]) -> Result<Arguments, clap::error::ErrorKind> {
        Arguments::try_parse_from(args).map_err(|error| error.kind())
    }

    #[test]
    fn the_template_stands_before_or_after_another_option() {
        let overrides = ["--parameter-overrides", "A=1", "B=x=y"];
        let before = parse(&[&["t.yaml"][..], &overrides].concat()).unwrap();
        let after = parse(&[&overrides[..], &["--recipe", "lacework", "t.yaml"]].concat()).unwrap();
        let separated = parse(&[&overrides[..], &["--", "t.yaml"]].concat()).unwrap();
        for arguments in [before, after, separated] {
            assert_eq!(arguments.template.unwrap().to_str(), Some("t.yaml"));
            assert_eq!(arguments.deployment.parameter_overrides, ["A=1", "B=x=y"]);
        }
        let repeated = parse(&[
            "--parameter-overrides",
            "A=1",
            "--parameter-overrides",
            "B=2",
            "--quiet",
            "-",
        ])
        .unwrap();
        assert_eq!(repeated.deployment.parameter_overrides, ["A=1", "B=2"]);
        assert_eq!(repeated.template.unwrap().to_str(), Some("-"));
    }

    #[test]
    fn regions_and_accounts_have_a_form() {
        assert!(parse(&["--region", "us-gov-west-1", "--account-id", "012345678901"]).is_ok());
        for wrong in [
            ["--region", "Frankfurt"],
            ["--region", "eu-central-1/x"],
            ["--account-id", "123"],
        ] {
            assert_eq!(
                parse(&wrong).unwrap_err(),
                clap::error::ErrorKind::ValueValidation
            );
        }
    }

    #[test]
    fn check_excludes_what_writes() {
        for other in [
            &["--detailed-exitcode"][..],
            &["-o", "x"],
            &["--in-place"],
            &["--diff"],
        ] {
            let args = [&["--check"][..], other].concat();
            assert_eq!(
                parse(&args).unwrap_err(),
                clap::error::ErrorKind::ArgumentConflict,
                "{other:?}"
            );
        }
        let both = parse(&["-o", "x", "--in-place"]);
        assert_eq!(both.unwrap_err(), clap::error::ErrorKind::ArgumentConflict);
    }
}
