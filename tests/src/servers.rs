//! Servers for tests, each on a free port of this machine, and ended when it is dropped: a real
//! registry in several settings, a token server for it, AWS as moto plays it, alone and behind a proxy that disturbs, AWS Lambda as one
//! function sees it, a server that answers whatever a test wants; and a container engine, on a
//! socket.
//!
//! A server whose program is not installed is `None`, and the test says so and passes; with
//! `OUTRIGGER_TOOLS=required` it is an error.

mod authority;
mod aws_proxy;
mod engine;
pub mod image;
mod lambda;
mod moto;
mod plain_http;
mod process;
mod registry;
mod request;
pub mod samples;
pub mod scripted;
mod token;

pub use authority::{Authority, Identity};
pub use aws_proxy::{AwsProxy, Call, Verdict, paged};
pub use engine::{Ended, Engine};
pub use lambda::{Answer, Function, PAYLOAD_MAX};
pub use moto::Moto;
pub use registry::{Access, Login, Registry};
pub use token::{TokenRequest, TokenServer};

use std::ffi::OsString;
use std::path::PathBuf;

/// A program that a test needs: where an environment variable says, or else in one of the folders
/// of `PATH`.
///
/// # Errors
/// It is nowhere, and tools are required.
pub fn program(variable: &str, name: &str) -> Result<Option<PathBuf>, String> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(Some(path.into()));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file());
    if found.is_none() {
        not_tested(&format!(
            "{name} is not installed, and {variable} does not say where it is"
        ))?;
    }
    Ok(found)
}

/// The variable that says where the lines of a program are counted, when `scripts/coverage` runs the
/// tests: a process with an environment of its own is given it, too.
pub fn counted() -> Option<(&'static str, OsString)> {
    const VARIABLE: &str = "LLVM_PROFILE_FILE";
    Some((VARIABLE, std::env::var_os(VARIABLE)?))
}

/// Says that something is not tested, and why.
///
/// # Errors
/// Tools are required.
pub fn not_tested(why: &str) -> Result<(), String> {
    if std::env::var("OUTRIGGER_TOOLS").as_deref() == Ok("required") {
        return Err(why.to_owned());
    }
    println!("note: {why}: not tested");
    Ok(())
}
