//! Brings the ECS services that already run under a recipe, keeps them there, and takes it off again.
//!
//! ```text
//! accounts x regions --> [Shard] --discover--> what runs which task definition
//!                                                |  each definition described once
//!                                                v
//!                                  derive: taskdef, and nothing else, rewrites
//!                                                v
//!            plan file: ARNs and digests, no value of a definition --> report
//!                                                |
//!                        apply --> register, update in waves, wait, roll back
//!                                                |
//!                                            journal
//! ```
//!
//! An account and region is a [`shard`]: [`planning::plan_shard`] and [`apply::apply_shard`] do all work on
//! one, take and give what can be written as JSON, and know nothing of other shards. [`run_on`] is
//! the program, which does shards side by side.
//!
//! Deliberately absent: AWS's SDK of services. The calls are few, and small; [`api`] makes them.

pub mod accounts;
pub mod api;
pub mod apply;
mod command;
mod concurrent;
mod derive;
mod digest;
pub mod discover;
mod ecs;
pub mod filter;
mod help;
pub mod journal;
pub mod matched;
pub mod means;
pub mod options;
pub mod plan;
pub mod planning;
pub mod report;
mod schedules;
pub mod shard;
pub mod status;
pub mod trouble;

pub use command::function::{Answered, Function, Metrics, Refused, VARIABLES};
pub use command::run_on;
