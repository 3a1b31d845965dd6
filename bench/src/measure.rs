//! Whole processes, measured in turn.
//!
//! The process that measures stays small: what `wait4` gives as the largest resident size of a
//! child counts the moment before the child became another program, when it was still a copy of it.

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

/// One process, or the median and the maximum of several.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Wall time.
    pub time: Duration,
    /// Largest resident size in bytes.
    pub memory: u64,
}

/// In turn, so that a slow moment of the machine meets both; the first run of each only warms up.
///
/// # Errors
/// A process fails.
pub fn compare(
    ours: &mut Command,
    theirs: &mut Command,
    output: &str,
    runs: usize,
) -> Result<(Cost, Cost), Box<dyn Error>> {
    let (mut our_costs, mut their_costs) = (Vec::new(), Vec::new());
    for _ in 0..=runs {
        our_costs.push(measure(ours, output)?);
        their_costs.push(measure(theirs, "round-trip.json")?);
    }
    Ok((
        summary(our_costs.split_off(1)),
        summary(their_costs.split_off(1)),
    ))
}

/// One process from start to end; its output goes into a file.
///
/// # Errors
/// The process fails: it would be a fast run.
pub fn measure(command: &mut Command, output: &str) -> Result<Cost, Box<dyn Error>> {
    command.stdin(Stdio::null()).stdout(File::create(output)?);
    let started = Instant::now();
    let used = command.spawn()?.wait4()?;
    let time = started.elapsed();
    if !used.status.success() {
        let program = Path::new(command.get_program()).display();
        return Err(format!("{program} for {output}: {}", used.status).into());
    }
    Ok(Cost {
        time,
        memory: used.rusage.maxrss,
    })
}

/// Median time and largest memory.
pub fn summary(mut costs: Vec<Cost>) -> Cost {
    costs.sort_by_key(|cost| cost.time);
    let median = costs.get(costs.len() / 2);
    Cost {
        time: median.map_or(Duration::ZERO, |cost| cost.time),
        memory: costs.iter().map(|cost| cost.memory).max().unwrap_or(0),
    }
}

/// The head of the table.
pub fn print_head() {
    println!("| what | input | ms | peak MB | ratio |");
    println!("|---|---|---|---|---|");
}

/// One line of the table.
pub fn print_line(what: &str, input: &str, cost: Cost, baseline: Option<Cost>) {
    let milliseconds = cost.time.as_secs_f64() * 1e3;
    let megabytes = cost.memory as f64 / 1e6;
    let ratio = match baseline {
        Some(baseline) => format!("{:.2}", cost.time.div_duration_f64(baseline.time)),
        None => String::new(),
    };
    println!("| {what} | {input} | {milliseconds:.1} | {megabytes:.1} | {ratio} |");
}

/// The time in the middle.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// One row of a table that compares two times.
pub fn print_row(what: &str, ours: Duration, peer: &str, theirs: Duration) {
    println!(
        "| {what} | {:.1} | {peer} | {:.1} | {:.1} |",
        ours.as_secs_f64() * 1e3,
        theirs.as_secs_f64() * 1e3,
        ours.div_duration_f64(theirs)
    );
}
