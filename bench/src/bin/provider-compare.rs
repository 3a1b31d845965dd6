//! `provider-compare RUNS PROGRAM`: starts the Terraform provider, and calls it, as Terraform would.
//!
//! Every call has to come back with the sidecar; a run without is an error.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bench::measure::{median, print_row};
use outrigger_tests::plugin::{
    Connection, FUNCTION, HEALTH, Identity, Plugin, SCHEMA, call_of_instrument,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const CALLS: usize = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [runs, program] = arguments.as_slice() else {
        return Err("usage: provider-compare RUNS PROGRAM".into());
    };
    let (runs, program): (usize, _) = (runs.parse()?, Path::new(program));
    let (temporary, identity) = (std::env::temp_dir(), Identity::new()?);
    let (mut empty, mut starts) = (Vec::new(), Vec::new());
    let (mut checks, mut calls) = (Vec::new(), Vec::new());
    // The first run only warms up.
    for run in 0..=runs {
        let started = Instant::now();
        Command::new("true").status()?;
        let nothing = started.elapsed();
        let started = Instant::now();
        let plugin = Plugin::start(program, &temporary, &identity)?;
        let mut connection = plugin.connect(Some(&identity)).await?;
        connection.call(SCHEMA, b"").await?;
        let start = started.elapsed();
        if run > 0 {
            empty.push(nothing);
            starts.push(start);
            calls.push(called(&mut connection, FUNCTION, &call_of_instrument(), "al-agent").await?);
            checks.push(called(&mut connection, HEALTH, b"", "").await?);
        }
    }
    let size = std::fs::metadata(program)?.len();
    println!("a program of {:.2} MB\n", size as f64 / 1e6);
    println!("| what | median ms | compared with | median ms | ratio |");
    println!("|---|---|---|---|---|");
    print_row(
        "start to first answer",
        median(starts),
        "start and end of an empty process",
        median(empty),
    );
    print_row(
        &format!("the first {CALLS} calls of `instrument`"),
        median(calls),
        &format!("{CALLS} calls that ask whether it is well"),
        median(checks),
    );
    Ok(())
}

/// How long calls take, one after the other. Each answer has to hold a text.
async fn called(
    connection: &mut Connection,
    method: &str,
    message: &[u8],
    expected: &str,
) -> Result<Duration> {
    let started = Instant::now();
    for _ in 0..CALLS {
        let answer = connection.call(method, message).await?;
        if !String::from_utf8_lossy(&answer).contains(expected) {
            return Err(format!("an answer without `{expected}`").into());
        }
    }
    Ok(started.elapsed())
}
