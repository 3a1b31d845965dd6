//! The options that the filters share.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};
use serde::{Deserialize, Serialize};
use taskdef::settings::{Assumptions, LaunchTypes, Mode, OnUnresolved, PinDigests, TaskSize};

use crate::report::delivery::ReportFormat;

/// Which recipes, and what they are given.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Recipe")]
pub struct RecipeOptions {
    /// Recipe to apply: the name of a built-in one (see `recipes list`) or a file; may be repeated, but only
    /// one of the recipes may wrap
    // Optional for clap, because its own error could not list the recipes.
    #[arg(long, value_name = "NAME|FILE")]
    pub recipe: Vec<String>,

    /// Input of a recipe (see `recipes show`); with several recipes that take it, RECIPE.KEY=VALUE; may be repeated
    // Taken as text, because clap's errors repeat a value that may be a secret.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// What happens to what a recipe takes for granted of an image.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Recipe")]
pub struct AssumptionOptions {
    /// What a recipe takes for granted of an image (a shell, sudo): a warning, or a refusal
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub assumptions: WhenAssumed,

    /// Image that was checked for it: as the template gives it, or without tag and digest for every version; may be repeated
    #[arg(long, value_name = "IMAGE")]
    pub confirmed: Vec<String>,
}

/// What is in scope, and what happens to a task definition that cannot be instrumented.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Scope")]
pub struct ScopeOptions {
    /// A task definition in scope that cannot be instrumented fails the run, or is skipped (exit code 3)
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub on_unresolved: WhenUnresolved,

    /// Task definitions in scope: those that can run on Fargate, or all
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
}

/// Where image configs come from.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Images")]
pub struct LockOptions {
    /// Lock file with the image configs [default: outrigger.lock beside the document, when it exists]
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,

    /// Write the images of selected containers as `name@sha256:...`, or `name:tag@sha256:...`
    #[arg(long, value_name = "FORM", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "digest", default_value_t)]
    pub pin_digests: WhenPinned,
}

/// Whether registries are asked.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Images")]
pub struct OfflineOptions {
    /// Take image configs from the lock file only, and fail without one; no network
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_default_value = true, hide_possible_values = true)]
    pub locked: bool,

    /// Use no network: what the lock file does not answer is not known, and its tags are not re-checked
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_default_value = true, hide_possible_values = true)]
    pub offline: bool,
}

/// `--pin-digests`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenPinned {
    /// Images stay as they are written.
    #[default]
    No,
    /// `name@sha256:...`, the form that ECS documents.
    Digest,
    /// `name:tag@sha256:...`.
    KeepTag,
}

impl From<WhenPinned> for PinDigests {
    fn from(when: WhenPinned) -> PinDigests {
        match when {
            WhenPinned::No => PinDigests::No,
            WhenPinned::Digest => PinDigests::Digest,
            WhenPinned::KeepTag => PinDigests::KeepTag,
        }
    }
}

/// What is written, and where.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
pub struct OutputOptions {
    /// Write nothing; exit code 3 when a task definition in scope does not carry the recipe or cannot be judged
    #[arg(long, conflicts_with_all = ["detailed_exitcode", "output", "in_place", "diff"])]
    pub check: bool,

    /// Exit code 0: nothing to change, 2: changed, 1: everything that went wrong, 3: not instrumented
    #[arg(long)]
    pub detailed_exitcode: bool,

    /// Print what changes as a unified diff; writes nothing else, unless -o or --in-place is given
    #[arg(long)]
    pub diff: bool,

    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Write to the file that was read
    #[arg(long, conflicts_with = "output")]
    pub in_place: bool,

    /// Format of the report: on standard error in place of the text, or in the file of --report-file
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub report: Option<ReportFormat>,

    /// Write the report to a file as well; its ending (.json, .md, .sarif) says the format, unless --report does
    #[arg(long, value_name = "FILE")]
    pub report_file: Option<PathBuf>,

    /// Print errors only; the report's file has everything
    #[arg(short, long)]
    pub quiet: bool,

    /// When to use colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    pub color: ColorWhen,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless the environment says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// `--on-unresolved`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum WhenUnresolved {
    /// The run fails, and names every problem.
    #[default]
    Fail,
    /// The task definitions concerned stay as they are; the others are rewritten.
    Skip,
}

impl From<WhenUnresolved> for OnUnresolved {
    fn from(when: WhenUnresolved) -> OnUnresolved {
        match when {
            WhenUnresolved::Fail => OnUnresolved::Fail,
            WhenUnresolved::Skip => OnUnresolved::Skip,
        }
    }
}

/// `--mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhichMode {
    /// Everything in scope.
    #[default]
    OptOut,
    /// Nothing.
    OptIn,
}

impl From<WhichMode> for Mode {
    fn from(which: WhichMode) -> Mode {
        match which {
            WhichMode::OptOut => Mode::OptOut,
            WhichMode::OptIn => Mode::OptIn,
        }
    }
}

/// `--launch-types`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhichLaunchTypes {
    /// Those that can run on Fargate.
    #[default]
    Fargate,
    /// All.
    Any,
}

impl From<WhichLaunchTypes> for LaunchTypes {
    fn from(which: WhichLaunchTypes) -> LaunchTypes {
        match which {
            WhichLaunchTypes::Fargate => LaunchTypes::Fargate,
            WhichLaunchTypes::Any => LaunchTypes::Any,
        }
    }
}

/// `--assumptions`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenAssumed {
    /// A warning for each.
    #[default]
    Warn,
    /// A container whose image is not confirmed is refused.
    Fail,
}

impl From<WhenAssumed> for Assumptions {
    fn from(when: WhenAssumed) -> Assumptions {
        match when {
            WhenAssumed::Warn => Assumptions::Warn,
            WhenAssumed::Fail => Assumptions::Fail,
        }
    }
}

/// `--task-size`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenTooSmall {
    /// The task keeps its size, and is refused.
    #[default]
    Keep,
    /// The task gets the smallest size of Fargate that holds all its containers.
    Grow,
}

impl From<WhenTooSmall> for TaskSize {
    fn from(when: WhenTooSmall) -> TaskSize {
        match when {
            WhenTooSmall::Keep => TaskSize::Keep,
            WhenTooSmall::Grow => TaskSize::Grow,
        }
    }
}
