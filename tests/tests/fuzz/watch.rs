//! Ends a process in which one input takes for ever.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// More than any input takes, even on a machine that does much else.
const LIMIT: Duration = Duration::from_secs(120);

type State = Arc<(Mutex<Running>, Condvar)>;

#[derive(Debug)]
enum Running {
    Since(Instant),
    Over,
}

/// A thread that looks on.
#[derive(Debug)]
pub(crate) struct Watch {
    state: State,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins; the input that is tried stands in this file.
    pub(crate) fn start(file: &Path) -> Self {
        let state: State = Arc::new((Mutex::new(Running::Since(Instant::now())), Condvar::new()));
        let (watched, file) = (Arc::clone(&state), file.to_owned());
        let thread = std::thread::spawn(move || watch(&watched, &file));
        Self {
            state,
            thread: Some(thread),
        }
    }

    /// The next input begins.
    pub(crate) fn next(&self) {
        *self.state.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Running::Since(Instant::now());
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        *self.state.0.lock().unwrap_or_else(PoisonError::into_inner) = Running::Over;
        self.state.1.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn watch(state: &State, file: &Path) {
    let mut running = state.0.lock().unwrap_or_else(PoisonError::into_inner);
    while let Running::Since(started) = *running {
        let left = LIMIT.saturating_sub(started.elapsed());
        if left.is_zero() {
            eprintln!(
                "the input in {} is tried for more than {LIMIT:?}",
                file.display()
            );
            // A thread cannot be ended but with its process.
            std::process::abort();
        }
        let waited = state.1.wait_timeout(running, left);
        running = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}
