//! The journal of an account and region, in Amazon S3: one object, in the format of the file.
//!
//! Every line replaces the whole object, under the condition that it is still as this process
//! wrote it. Whoever has been overtaken learns it before it does anything more.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use registry::credentials::aws::WriteWhen;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::refused::Refused;
use super::store::Store;
use crate::journal::{self, Entry, Journal, Step};

/// What is there.
struct Written {
    text: Vec<u8>,
    version: Option<String>,
}

/// Opens the journal of a plan, and begins one where there is none. Gives how many targets are
/// done, too; the number grows as the journal does.
///
/// The journal can be written on a runtime with several threads only.
pub(super) async fn open(
    store: &Arc<Store>,
    key: &str,
    plan: &str,
) -> Result<(Journal, Arc<AtomicUsize>), Refused> {
    let unusable = |reason: String| {
        Refused::broken(
            format!("the journal `{}`: {reason}", store.shown(key)),
            "start a new run",
        )
    };
    let there = store.read(key).await?;
    let (past, written) = match there {
        Some(there) => {
            let past = journal::read(&there.bytes, plan);
            let past = past.map_err(|error| unusable(error.to_string()))?;
            let written = Written {
                text: there.bytes,
                version: Some(there.version),
            };
            (past, written)
        }
        None => {
            let text = journal::line(plan, None).map_err(|error| unusable(error.to_string()))?;
            let written = Written {
                text,
                version: None,
            };
            (Vec::new(), written)
        }
    };
    let is_done = |entry: &Entry| matches!(entry.step, Step::Done(_));
    let done = Arc::new(AtomicUsize::new(
        past.iter().filter(|entry| is_done(entry)).count(),
    ));
    let (counted, plan) = (Arc::clone(&done), plan.to_owned());
    let (store, key) = (Arc::clone(store), key.to_owned());
    let (runtime, written) = (Handle::current(), Mutex::new(written));
    let sink = move |entry: &Entry| {
        let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = written.text.clone();
        text.extend(journal::line(&plan, Some(entry))?);
        let when = match &written.version {
            Some(version) => WriteWhen::Unchanged(version),
            None => WriteWhen::Missing,
        };
        // Nothing else happens in this account and region before the line is there.
        let stored = block_in_place(|| runtime.block_on(store.write_when(&key, &text, when)));
        match stored {
            Ok(Some(version)) => {
                *written = Written {
                    text,
                    version: Some(version),
                };
                counted.fetch_add(usize::from(is_done(entry)), Ordering::SeqCst);
                Ok(())
            }
            Ok(None) => Err(io::Error::other("another apply has taken it over")),
            Err(refused) => Err(io::Error::other(refused.to_string())),
        }
    };
    Ok((Journal::new(past, Box::new(sink)), done))
}
