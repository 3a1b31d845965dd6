//! Answers that are asked for once and kept for a while.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Answers by question. Whoever asks what is being asked already waits for that answer.
pub(super) struct Kept<K, V> {
    slots: Mutex<BTreeMap<K, Slot<V>>>,
}

type Slot<V> = Arc<tokio::sync::Mutex<Option<Answer<V>>>>;

/// An answer, and until when it may be given again; for ever, where there is no time.
#[derive(Clone)]
pub(super) struct Answer<V> {
    pub(super) value: V,
    pub(super) until: Option<Instant>,
}

impl<K: Ord, V: Clone> Kept<K, V> {
    pub(super) fn new() -> Self {
        Self {
            slots: Mutex::new(BTreeMap::new()),
        }
    }

    /// The kept answer, unless it is to be renewed, or else the one that `ask` brings.
    pub(super) async fn get(&self, key: K, renew: bool, ask: impl Future<Output = Answer<V>>) -> V {
        let slot = self.slot(key);
        let mut slot = slot.lock().await;
        if let Some(answer) = slot.as_ref()
            && !renew
            && answer.until.is_none_or(|until| Instant::now() < until)
        {
            return answer.value.clone();
        }
        let answer = ask.await;
        let value = answer.value.clone();
        *slot = Some(answer);
        value
    }

    fn slot(&self, key: K) -> Slot<V> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(key).or_default())
    }
}
