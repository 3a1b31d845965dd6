//! What the filters share: options, recipe and lock file loading, report, diff, writing, exit codes.
//!
//! A filter reads a document ([`input`]), has the library rewrite it, and hands the result to
//! [`output`]. Whatever keeps it from doing so is a [`Failure`]; what became of each task
//! definition is a [`taskdef::report::Report`], told by [`report`] in the format that was asked for.
//!
//! Deliberately absent: anything that knows CloudFormation or Terraform, and anything that reads
//! the environment by itself: [`Console::variables`] knows it (and [`Terminals::of_process`] its
//! part, and the AWS SDK its own).

pub mod apart;
pub mod assignment;
pub mod command_line;
pub mod completions;
pub mod conclude;
pub mod console;
pub mod diff;
mod exit;
mod failure;
pub mod help;
pub mod image_command;
pub mod input;
pub mod inputs;
pub mod lock;
pub mod lock_update;
pub mod manual;
pub mod network;
pub mod options;
pub mod output;
mod paint;
pub mod recipes;
mod recipes_check;
pub mod recipes_command;
pub mod replace;
pub mod report;
pub mod selection;
pub mod settings;
pub mod settings_command;
pub mod text;

pub use console::{Console, Terminals, Variables};
pub use exit::Exit;
pub use failure::{Failure, Problem};
pub use options::ColorWhen;
pub use paint::Paint;
