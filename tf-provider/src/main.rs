//! The Terraform provider `outrigger`.

use std::error::Error;
use std::process::ExitCode;

use tf_provider::Outrigger;
use tf_provider::protocol::{Environment, serve};

fn main() -> ExitCode {
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
