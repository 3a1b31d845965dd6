//! Things that are fetched once, however many ask for them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::error::Cause;
use super::trace::{Log, Trace};

/// Results by what was asked for; those who ask while it is fetched wait for it.
#[derive(Debug)]
pub(super) struct Flights<K, V>(Mutex<BTreeMap<K, Arc<Flight<V>>>>);

#[derive(Debug)]
struct Flight<V> {
    log: Log,
    result: OnceCell<Result<V, Cause>>,
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord, V: Clone> Flights<K, V> {
    /// The result for a key. If whoever fetches it goes away, the next one takes over.
    pub(super) async fn get<F: Future<Output = Result<V, Cause>>>(
        &self,
        key: K,
        trace: &Trace,
        fetch: impl FnOnce(Log) -> F,
    ) -> Result<V, Cause> {
        let flight = {
            let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let flight = flights.entry(key).or_insert_with(|| {
                Arc::new(Flight {
                    log: Log::default(),
                    result: OnceCell::new(),
                })
            });
            Arc::clone(flight)
        };
        trace.uses(&flight.log);
        let fetch = || fetch(flight.log.clone());
        flight.result.get_or_init(fetch).await.clone()
    }
}
