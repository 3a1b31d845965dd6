//! The command line.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};
use cli::ColorWhen;
use cli::completions::CompletionsOptions;
use cli::manual::ManOptions;
use cli::network::RegistryOptions;
use cli::options::{
    OfflineOptions, RecipeOptions, WhenAssumed, WhenPinned, WhenTooSmall, WhichLaunchTypes,
    WhichMode,
};
use cli::settings::SettingsOptions;
use serde::{Deserialize, Serialize};

use crate::filter::Kind;

/// Bring the ECS services that already run under vendors' recipes
///
/// `plan` finds the services, scheduled rules and schedules of accounts and regions, and says what
/// would become of their task definitions; it changes nothing. `apply` registers the new revisions and
/// updates what runs the old ones, in waves. `remove` plans the way back.
#[derive(Parser, Debug)]
#[command(
    name = "fleet",
    bin_name = "fleet",
    version,
    max_term_width = 80,
    no_binary_name = true,
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What the program does.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum Command {
    /// Say what would be done, and write it down for `apply`; changes nothing
    Plan(Box<PlanArguments>),
    /// Do what a plan says, in waves; begun again, it goes on where it stopped
    Apply(Box<ApplyArguments>),
    /// Show what carries which recipe
    Status(Box<StatusArguments>),
    /// Plan to take recipes off again; changes nothing
    Remove(Box<PlanArguments>),
    /// Write a completion script for a shell
    Completions(CompletionsOptions),
    /// Write the manual pages
    Man(ManOptions),
}

/// `plan` and `remove`.
#[derive(Args, Clone, Debug)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) recipe: RecipeOptions,
    #[command(flatten)]
    pub(crate) accounts: AccountOptions,
    #[command(flatten)]
    pub(crate) enter: EnterOptions,
    #[command(flatten)]
    pub(crate) filters: FilterOptions,
    #[command(flatten)]
    pub(crate) choices: Choices,
    #[command(flatten)]
    pub(crate) images: ImageOptions,
    #[command(flatten)]
    pub(crate) registries: RegistryOptions,
    #[command(flatten)]
    pub(crate) settings: SettingsOptions,
    #[command(flatten)]
    pub(crate) output: ReportOptions,

    /// Write the plan to a file
    #[arg(
        short = 'o',
        long = "output",
        value_name = "FILE",
        help_heading = "Output"
    )]
    pub(crate) plan_file: Option<PathBuf>,

    /// Exit code 0: nothing to change, 2: something to change, 1: everything that went wrong, 3: something was refused
    #[arg(long, help_heading = "Output")]
    pub(crate) detailed_exitcode: bool,
}

/// `status`.
#[derive(Args, Clone, Debug)]
pub(crate) struct StatusArguments {
    #[command(flatten)]
    pub(crate) recipe: RecipeOptions,
    #[command(flatten)]
    pub(crate) accounts: AccountOptions,
    #[command(flatten)]
    pub(crate) enter: EnterOptions,
    #[command(flatten)]
    pub(crate) filters: FilterOptions,
    #[command(flatten)]
    pub(crate) choices: Choices,
    #[command(flatten)]
    pub(crate) registries: RegistryOptions,
    #[command(flatten)]
    pub(crate) settings: SettingsOptions,
    #[command(flatten)]
    pub(crate) output: ReportOptions,
}

/// `apply`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ApplyArguments {
    /// Plan to apply, as `plan` or `remove` wrote it
    pub(crate) plan: PathBuf,
    #[command(flatten)]
    pub(crate) recipe: RecipeOptions,
    #[command(flatten)]
    pub(crate) enter: EnterOptions,
    #[command(flatten)]
    pub(crate) rollout: RolloutOptions,

    /// Do not ask registries whether tags still name the images that the plan was made with
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_default_value = true, hide_possible_values = true)]
    pub(crate) offline: bool,

    #[command(flatten)]
    pub(crate) registries: RegistryOptions,
    #[command(flatten)]
    pub(crate) settings: SettingsOptions,
    #[command(flatten)]
    pub(crate) output: ReportOptions,
}

/// Which accounts and regions.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Accounts")]
pub(crate) struct AccountOptions {
    /// Account to look at [default: the one whose credentials are used]; may be repeated
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = account, conflicts_with = "organization")]
    pub(crate) account: Vec<String>,

    /// Look at every active account of the AWS organization
    #[arg(long)]
    pub(crate) organization: bool,

    /// Only those in this organizational unit or below it; may be repeated
    #[arg(
        long,
        value_name = "ID",
        value_delimiter = ',',
        requires = "organization"
    )]
    pub(crate) organizational_unit: Vec<String>,

    /// Account to leave out; may be repeated
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = account)]
    pub(crate) skip_account: Vec<String>,

    /// Region to look at [default: the configured one]; may be repeated
    #[arg(long, value_name = "REGION", value_delimiter = ',')]
    pub(crate) region: Vec<String>,
}

fn account(text: &str) -> Result<String, &'static str> {
    match text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(text.to_owned()),
        false => Err("an account is a number of 12 digits"),
    }
}

/// How accounts are entered.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Accounts")]
pub(crate) struct EnterOptions {
    /// Role to assume in accounts other than one's own
    #[arg(long, value_name = "NAME")]
    pub(crate) role_name: Option<String>,

    /// External ID that the role asks for [env: OUTRIGGER_EXTERNAL_ID]
    // Taken from the variable by hand: clap would show it in its help.
    #[arg(long, value_name = "ID", requires = "role_name")]
    pub(crate) external_id: Option<String>,

    /// Tag of the role's sessions; may be repeated
    #[arg(long, value_name = "KEY=VALUE", requires = "role_name")]
    pub(crate) session_tag: Vec<String>,

    /// Accounts and regions that are worked on at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = at_least_one)]
    pub(crate) shards: usize,
}

fn at_least_one(text: &str) -> Result<usize, &'static str> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or("a whole number, at least 1")
}

/// What is looked at in an account and region.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Filters")]
pub(crate) struct FilterOptions {
    /// Cluster to look at, by name or ARN [default: all]; may be repeated
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) cluster: Vec<String>,

    /// Service to look at, by name or ARN [default: all]; may be repeated
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) service: Vec<String>,

    /// Tag that a service has to have; may be repeated, and all have to be there
    #[arg(long, value_name = "KEY[=VALUE]")]
    pub(crate) tag: Vec<String>,

    /// What starts tasks [default: all of them]; may be repeated
    #[arg(long, value_name = "KIND", value_enum, value_delimiter = ',')]
    pub(crate) targets: Vec<Kind>,

    /// Family to look at although nothing here starts it; may be repeated
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) family: Vec<String>,

    /// Look at every family with an active task definition
    #[arg(long, conflicts_with = "family")]
    pub(crate) all_families: bool,
}

/// What a person decides about task definitions. It is part of a plan.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[command(next_help_heading = "Task definitions")]
pub struct Choices {
    /// What is in scope: what runs on Fargate, or everything
    #[arg(long, value_name = "WHICH", value_enum, default_value_t)]
    pub launch_types: WhichLaunchTypes,

    /// What is selected when neither --include nor a tag says it: everything in scope, or nothing
    #[arg(long, value_name = "MODE", value_enum, default_value_t)]
    pub mode: WhichMode,

    /// Select only the task definitions or containers that this JSONPath query matches; may be repeated
    #[arg(long, value_name = "JSONPATH")]
    pub include: Vec<String>,

    /// Leave alone the task definitions or containers that this JSONPath query matches; may be repeated
    #[arg(long, value_name = "JSONPATH")]
    pub exclude: Vec<String>,

    /// Do not follow tags such as outrigger:instrument, by which a task definition selects or excludes itself
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_default_value = true, hide_possible_values = true)]
    pub ignore_tags: bool,

    /// A task too small for what the recipe's sidecar reserves is refused, or gets the smallest size that fits
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub task_size: WhenTooSmall,

    /// Write the images of selected containers as `name@sha256:...`, or `name:tag@sha256:...`
    #[arg(long, value_name = "FORM", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "digest", default_value_t)]
    pub pin_digests: WhenPinned,

    /// What a recipe takes for granted of an image (a shell, sudo): a warning, or a refusal
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub assumptions: WhenAssumed,

    /// Image that was checked for it, with or without tag and digest; may be repeated
    #[arg(long, value_name = "IMAGE")]
    pub confirmed: Vec<String>,
}

/// Where image configs come from.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Images")]
pub(crate) struct ImageOptions {
    /// Lock file with image configs [default: outrigger.lock, when it exists]
    #[arg(long, value_name = "FILE")]
    pub(crate) lock: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) offline: OfflineOptions,
}

/// How services are updated.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Rollout")]
pub(crate) struct RolloutOptions {
    /// Services of the first wave, in each account and region
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one)]
    pub(crate) canary: usize,

    /// Part of the services, in percent, that every later wave has
    #[arg(long, value_name = "PERCENT", default_value_t = 25, value_parser = percent)]
    pub(crate) wave: usize,

    /// Services that are updated at once, in each account and region
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = at_least_one)]
    pub(crate) in_motion: usize,

    /// Failures after which no further wave begins, in all accounts and regions together
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one)]
    pub(crate) max_failures: usize,

    /// How long a service may take to become steady
    #[arg(long, value_name = "SECONDS", default_value_t = 900, value_parser = seconds)]
    pub(crate) steady_timeout: u64,

    /// How often services in motion are looked at
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = seconds)]
    pub(crate) poll: u64,

    /// Where it is written down what was done [default: PLAN.journal]
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<u64, &'static str> {
    let seconds = text.parse::<u32>().map(u64::from);
    seconds.map_err(|_| "a time is a whole number of seconds")
}

fn percent(text: &str) -> Result<usize, &'static str> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=100).contains(number));
    number.ok_or("a percentage is a whole number from 1 to 100")
}

/// The formats of the filters' reports are said by their endings.
fn json_file(text: &str) -> Result<PathBuf, &'static str> {
    let name = text.to_ascii_lowercase();
    match name.ends_with(".md") || name.ends_with(".sarif") {
        true => Err("the report is JSON, so that its name ends in `.json`"),
        false => Ok(text.into()),
    }
}

/// What is told of a run.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
pub(crate) struct ReportOptions {
    /// Write the report to a file as JSON as well
    #[arg(long, value_name = "FILE", value_parser = json_file)]
    pub(crate) report_file: Option<PathBuf>,

    /// Print errors only; the report's file has everything
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// When to use colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    pub(crate) color: ColorWhen,
}
