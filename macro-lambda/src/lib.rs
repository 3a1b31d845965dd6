//! The CloudFormation macro: instruments the ECS task definitions of every template that asks for
//! it with `Transform: Outrigger`.
//!
//! ```text
//! event --request--> fragment, params --settings, recipes--> what to do --images--> image configs
//!                                           |                                           |
//!                                           v                                           v
//!                                    taskdef::rewrite --> spliced fragment, or problems --response-->
//! ```
//!
//! [`Macro`] is the function with the environment of one's choice; [`taskdef`] does the work, and
//! `registry` finds out what images run. The answer is always a well-formed [`Response`]: whatever
//! goes wrong is a `failure` with a text for the person who reads the change set, never an error
//! of the function, of which that person would see nothing.
//!
//! Deliberately absent: the event, the template and any value of either in the log.

mod images;
mod invocation;
mod log;
mod params;
mod problem;
mod recipes;
mod request;
mod response;
mod settings;

pub use invocation::{Answered, Macro};
pub use log::Metrics;
pub use request::Event;
pub use response::Response;
pub use settings::VARIABLES;
