//! The Terraform provider `outrigger`.

use std::error::Error;
use std::panic::{self, PanicHookInfo};
use std::process::ExitCode;

use tf_provider::Outrigger;
use tf_provider::protocol::{Environment, serve};

fn main() -> ExitCode {
    panic::set_hook(Box::new(say_where));
    match serve(&Environment::of_process(), Outrigger::default()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}"));
            eprintln!("error: {error}{}", cause.unwrap_or_default());
            if let Some(hint) = error.hint() {
                eprintln!("  hint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

/// What begins with this word Terraform shows to a person, with the advice to report it. The
/// message of a panic is left out: it may quote a value.
fn say_where(panic: &PanicHookInfo<'_>) {
    match panic.location() {
        Some(place) => eprintln!("panic: a bug of the provider, at {place}"),
        None => eprintln!("panic: a bug of the provider"),
    }
}
