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
use taskdef::settings::{PlanSettings, PlannedActions, UnknownDefinitions};

/// Show a Terraform plan as it would be with every ECS task definition instrumented by vendors' recipes
///
/// Reads a plan as `terraform show -json` prints it, and writes the same plan with the sidecar
/// added and each program wrapped as the recipe says: for policy and cost tools, and for people. It
/// is a preview: a plan in JSON cannot be applied. With --check it is a gate, which fails when a
/// task definition does not carry the recipe. What is not rewritten stays byte for byte as it was.
/// The report goes to standard error.
#[derive(Parser, Debug)]
#[command(
    name = "tf-filter",
    bin_name = "tf-filter",
    version,
    max_term_width = 80,
    no_binary_name = true,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true,
    override_usage = USAGE
)]
pub(crate) struct Arguments {
    /// Plan to read, in JSON; `-`, or nothing, is standard input
    pub(crate) plan: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) recipe: RecipeOptions,

    #[command(flatten)]
    pub(crate) assumptions: AssumptionOptions,

    #[command(flatten)]
    pub(crate) scope: ScopeOptions,

    #[command(flatten)]
    pub(crate) planned: PlanOptions,

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
tf-filter [PLAN] --recipe <NAME|FILE> [OPTIONS]
       tf-filter <COMMAND>";

/// What only plans have.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Plan")]
pub(crate) struct PlanOptions {
    /// A task definition that is rewritten although nothing was planned for it, or an update in place, is shown as replaced, or as planned
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub(crate) actions: WhichActions,

    /// Fail when container definitions are known only after apply; --check always does
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_default_value = true, hide_possible_values = true)]
    pub(crate) fail_on_unknown: bool,
}

impl From<PlanOptions> for PlanSettings {
    fn from(options: PlanOptions) -> PlanSettings {
        PlanSettings {
            unknown_definitions: match options.fail_on_unknown {
                true => UnknownDefinitions::Fail,
                false => UnknownDefinitions::Warn,
            },
            actions: match options.actions {
                WhichActions::Replace => PlannedActions::Replace,
                WhichActions::Keep => PlannedActions::Keep,
            },
        }
    }
}

/// `--actions`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhichActions {
    /// The plan says that the task definition is replaced.
    #[default]
    Replace,
    /// The plan says what it said.
    Keep,
}

/// What else the program does.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum Command {
    /// Write what the images of a plan run into its lock file, or update it
    ///
    /// Takes the options of the run that the lock file is for. Entries for other images stay. Images
    /// of task definitions with sensitive values are left out.
    Lock(Box<LockArguments>),
    /// Write files beside a configuration that make Terraform apply what the recipe asks for
    ///
    /// Reads a plan, and the files of its modules in the working directory. Writes an override file
    /// (outrigger_override.tf) into the folder of each module that has a task definition in scope.
    /// What cannot be done without loss is refused, and then nothing is written.
    Override(Box<OverrideArguments>),
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
    /// Plan to read, in JSON; `-`, or nothing, is standard input
    pub(crate) plan: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) recipe: RecipeOptions,

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

/// What `override` takes: what a run takes, and what is written.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct OverrideArguments {
    /// Plan to read, in JSON, made without override files of this program; `-`, or nothing, is standard input
    pub(crate) plan: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) recipe: RecipeOptions,

    #[command(flatten)]
    pub(crate) assumptions: AssumptionOptions,

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
    pub(crate) files: OverrideOptions,
}

/// Which override files are written, and where.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct OverrideOptions {
    /// What is written into the files
    #[arg(long, value_name = "FORM", value_enum, default_value_t)]
    pub(crate) form: OverrideForm,

    /// Folder of the root module, where `terraform init` was run
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub(crate) directory: PathBuf,

    /// Write nothing and read no plan; exit code 3 when a file that is there is out of date
    #[arg(long, conflicts_with = "remove")]
    pub(crate) check: bool,

    /// Remove the files, and do nothing else
    #[arg(long)]
    pub(crate) remove: bool,

    /// Print errors only
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// When to use colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    pub(crate) color: ColorWhen,
}

/// `--form`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OverrideForm {
    /// A call of the provider's function: for everything, and it needs the provider.
    #[default]
    Function,
    /// Terraform's own functions: no provider, and only for containers that the plan knows.
    Hcl,
    /// The containers as they are planned: no provider, nothing unknown and nothing sensitive.
    Const,
}

impl OverrideForm {
    /// As it is given.
    pub(crate) fn name(self) -> &'static str {
        match self {
            OverrideForm::Function => "function",
            OverrideForm::Hcl => "hcl",
            OverrideForm::Const => "const",
        }
    }
}

/// What `settings` takes: whatever can be a setting.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct SettingsArguments {
    /// Plan beside which the settings file is looked for; nothing is the working directory
    // It is not read: where it is says enough.
    plan: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) recipe: RecipeOptions,

    #[command(flatten)]
    assumptions: AssumptionOptions,

    #[command(flatten)]
    scope: ScopeOptions,

    #[command(flatten)]
    planned: PlanOptions,

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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
