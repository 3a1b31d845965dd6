//! A program that runs beside the test.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Far longer than any of them needs, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a registry says in its log of each request, when it has answered it.
const ANSWERED: &str = "msg=\"response completed";

/// A server, ended and waited for when it is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    answered: Arc<AtomicU64>,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts a server, and waits until it says on standard error where it listens: behind `sign`.
    pub(super) fn start(command: &mut Command, sign: &str) -> Result<(Self, SocketAddr), String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{name} does not start: {error}"))?;
        let stderr = child.stderr.take();
        let answered = Arc::new(AtomicU64::new(0));
        let (lines, reader) = read(stderr, Arc::clone(&answered));
        let process = Self {
            child,
            answered,
            reader: Some(reader),
        };
        let line = wait_for(&lines, sign).map_err(|said| format!("{name}: {said}"))?;
        let address =
            address(&line, sign).ok_or_else(|| format!("{name} listens where? {line}"))?;
        Ok((process, address))
    }

    /// How many requests it has answered, according to its log.
    pub(super) fn answered(&self) -> u64 {
        self.answered.load(Ordering::SeqCst)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// Reads to the end, whether or not anybody still listens: a full pipe would stop the server.
pub(super) fn read(
    stderr: Option<ChildStderr>,
    answered: Arc<AtomicU64>,
) -> (Receiver<String>, JoinHandle<()>) {
    let (sender, receiver) = channel();
    let reader = std::thread::spawn(move || {
        for line in stderr
            .into_iter()
            .flat_map(|pipe| BufReader::new(pipe).split(b'\n'))
        {
            let Ok(line) = line else { break };
            let line = String::from_utf8_lossy(&line).into_owned();
            if line.contains(ANSWERED) {
                answered.fetch_add(1, Ordering::SeqCst);
            }
            let _ = sender.send(line);
        }
    });
    (receiver, reader)
}

/// Waits for a line that has this in it.
pub(super) fn wait_for(lines: &Receiver<String>, sign: &str) -> Result<String, String> {
    let end = Instant::now() + PATIENCE;
    let mut said = String::new();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let line = match lines.recv_timeout(left) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => return Err(format!("not ready in time: {said}")),
            Err(RecvTimeoutError::Disconnected) => return Err(format!("has ended: {said}")),
        };
        if line.contains(sign) {
            return Ok(line);
        }
        said.push_str(&line);
        said.push('\n');
    }
}

/// The address behind the sign.
fn address(line: &str, sign: &str) -> Option<SocketAddr> {
    let (_, after) = line.split_once(sign)?;
    let is_part = |c: &char| c.is_ascii_digit() || matches!(c, '.' | ':');
    let address: String = after.chars().take_while(is_part).collect();
    address.parse().ok()
}
