//! `fleet status`.

use cli::{Console, Exit, Failure};

use crate::options::StatusArguments;

pub(super) fn run(_: &StatusArguments, _: &mut Console<'_>) -> Result<Exit, Failure> {
    Ok(Exit::Done)
}
