//! What an input takes of memory.

use std::fs;

/// How much more memory the process has held since, at most, than it did when this was made.
#[derive(Debug)]
pub(crate) struct Gauge {
    before: u64,
}

impl Gauge {
    /// Begins to measure; `None` where the system does not tell.
    pub(crate) fn start() -> Option<Self> {
        // Sets the largest resident size to what it is now: proc_pid_clear_refs(5).
        fs::write("/proc/self/clear_refs", "5").ok()?;
        let before = largest()?;
        Some(Self { before })
    }

    /// In bytes.
    pub(crate) fn grown(&self) -> u64 {
        largest().unwrap_or(0).saturating_sub(self.before)
    }
}

fn largest() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}
