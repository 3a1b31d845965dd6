//! The macro end to end, without AWS. `outrigger_tests::cloudformation` plays CloudFormation,
//! `outrigger_tests::servers` Lambda and, where the programs are installed, AWS and a registry;
//! the function's own program runs as Lambda runs it.
//!
//! Whatever a test does, [`subject`] holds every answer and every line of the log against what has
//! to be true of all.

#![cfg(test)]

mod cdk;
mod credentials;
mod deployed;
mod equality;
mod failures;
mod hosts;
#[path = "../registry/images.rs"]
#[expect(dead_code, reason = "the tests of registries use the rest")]
mod images;
mod lint;
mod lock;
mod log;
mod service;
mod settings;
mod subject;
mod warm;
mod world;

use outrigger_tests::servers::scripted as server;

/// The ARN of a secret with this name.
pub(crate) fn secret(name: &str) -> String {
    format!("arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}")
}
