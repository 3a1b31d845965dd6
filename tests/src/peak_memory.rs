//! `peak-memory REPORT PROGRAM ARGUMENTS...`: runs a program, passes its exit code on, and writes to
//! REPORT the largest resident size that it had, in bytes, and how long it ran, in milliseconds.
//!
//! The system counts as a process's own what its parent held when it was started. A test holds
//! servers and all that they say, which is more than what is measured; this program holds nothing.

use std::process::{Command, ExitCode};
use std::time::Instant;

use wait4::Wait4;

type Error = Box<dyn std::error::Error>;

fn main() -> Result<ExitCode, Error> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(report), Some(program)) = (arguments.next(), arguments.next()) else {
        return Err("usage: peak-memory REPORT PROGRAM ARGUMENTS...".into());
    };
    let started = Instant::now();
    let used = Command::new(program).args(arguments).spawn()?.wait4()?;
    let time = started.elapsed().as_millis();
    std::fs::write(report, format!("{} {time}", used.rusage.maxrss))?;
    let code = used.status.code().ok_or("ended by a signal")?;
    Ok(ExitCode::from(u8::try_from(code)?))
}
