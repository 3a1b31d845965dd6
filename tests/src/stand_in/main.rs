//! The stand-in for the provider of AWS, as a program.

use outrigger_tests::stand_in::StandIn;
use tf_provider::protocol::{Environment, serve};

fn main() {
    if let Err(error) = serve(&Environment::of_process(), StandIn::default()) {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}
