//! Inputs that nobody wrote: those of the samples and the cases, changed at random.
//!
//! Each target takes bytes, hands them to the part of the product that reads such bytes from
//! outside, and says what is to be true of every outcome. A run makes its inputs from a seed, so
//! that it is the same on every machine; an input after which something is seen that no earlier one
//! showed is kept, and changed in its turn.
//!
//! | variable | is |
//! |---|---|
//! | `OUTRIGGER_FUZZ_SECONDS` | how long each target runs, instead of a number of inputs |
//! | `OUTRIGGER_FUZZ_SEED` | a number that other inputs come from |
//! | `OUTRIGGER_FUZZ_INPUT` | a file that is the only input: that of a failure |
//!
//! An input that fails is made smaller and written to a file, whose name is in the message. Each
//! input stands in the file `<target>.running` while it is tried, for the case that it ends the
//! process.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test executable that has a `main` of its own"
)]

mod answers;
mod change;
mod documents;
mod driver;
mod event;
mod memory;
mod random;
mod recipe;
mod seeds;
mod texts;
mod tree;
mod watch;

use libtest_mimic::{Arguments, Trial};

use driver::{Plan, Target};

fn main() {
    // One after the other: the memory that an input takes is that of the process.
    let arguments = Arguments {
        test_threads: Some(1),
        ..Arguments::from_args()
    };
    let targets: [Target; 7] = [
        documents::template(),
        documents::plan(),
        recipe::target(),
        texts::lock_file(),
        texts::image_reference(),
        answers::target(),
        event::target(),
    ];
    let plan = Plan::from_environment();
    let trials = targets.into_iter().map(|target| {
        let plan = plan.clone();
        Trial::test(target.name, move || {
            driver::run(&target, &plan).map_err(Into::into)
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}
