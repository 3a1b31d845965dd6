//! The Terraform provider `outrigger`, and the protocol that serves any provider.
//!
//! ```text
//! instrument(container_definitions, task, config) -> container definitions     pure: nothing is read
//!                                          |
//!               config.images <-- data source: a lock file, or the registries
//! ```
//!
//! The images that a function needs are an argument of it. Terraform calls functions while it
//! validates, plans and applies, without the provider's configuration, and takes it for an error
//! when two calls differ: so a function reads nothing. What has to be read is read by data
//! sources, once for each plan.
//!
//! - [`protocol`]: version 6 of Terraform's plugin protocol.
//! - [`Outrigger`]: the provider. `docs/terraform-provider.md` describes it for its users.

mod config;
mod images;
mod instrument;
mod network;
mod outrigger;
mod problem;
pub mod protocol;
mod schemas;
mod task;

pub use outrigger::Outrigger;
