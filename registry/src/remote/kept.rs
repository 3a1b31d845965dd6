//! Manifests and configs that are kept from one session to the next.
//!
//! A digest names the same bytes for ever, so what it names need not be read again. A tag can
//! move: it is remembered which digest it had, and a `HEAD` tells whether it still has. What was
//! read with one container's secret is kept for that secret alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::config::Config;
use super::place::Place;
use super::session::Found;

/// What earlier sessions read, up to a number of bytes of memory.
#[derive(Debug)]
pub(super) struct Kept {
    most: u64,
    shelves: Mutex<Shelves>,
}

/// What an entry takes beside what it holds: its names, and its place in the lists.
const ENTRY: usize = 1 << 10;

/// By repository and digest, or tag.
type Key = (Place, String);

#[derive(Debug, Default)]
struct Shelves {
    bytes: u64,
    manifests: BTreeMap<Key, Arc<Found>>,
    configs: BTreeMap<Key, Arc<Config>>,
    tags: BTreeMap<Key, String>,
}

impl Kept {
    /// Keeps about so many bytes of manifests and configs, as they are in memory; none at all with 0.
    pub(super) fn up_to(most: u64) -> Self {
        Self {
            most,
            shelves: Mutex::default(),
        }
    }

    pub(super) fn config(&self, place: &Place, digest: &str) -> Option<Arc<Config>> {
        let key = self.key(place, digest)?;
        self.shelves().configs.get(&key).cloned()
    }

    /// The manifest of a digest.
    pub(super) fn manifest(&self, place: &Place, digest: &str) -> Option<Arc<Found>> {
        let key = self.key(place, digest)?;
        self.shelves().manifests.get(&key).cloned()
    }

    /// The manifest that a tag named when it was last read.
    pub(super) fn tagged(&self, place: &Place, tag: &str) -> Option<Arc<Found>> {
        let key = self.key(place, tag)?;
        let shelves = self.shelves();
        let digest = shelves.tags.get(&key)?.clone();
        shelves.manifests.get(&(key.0, digest)).cloned()
    }

    pub(super) fn keep_manifest(&self, place: &Place, name: &str, found: &Arc<Found>) {
        if let Some(mut shelves) = self.room(found.manifest.weight()) {
            let key = (place.clone(), found.digest.clone());
            shelves.manifests.insert(key, Arc::clone(found));
            if name != found.digest {
                let key = (place.clone(), name.to_owned());
                shelves.tags.insert(key, found.digest.clone());
            }
        }
    }

    pub(super) fn keep_config(&self, place: &Place, digest: &str, config: &Arc<Config>) {
        if let Some(mut shelves) = self.room(config.weight()) {
            let key = (place.clone(), digest.to_owned());
            shelves.configs.insert(key, Arc::clone(config));
        }
    }

    /// Nothing is looked for where nothing is kept.
    fn key(&self, place: &Place, name: &str) -> Option<Key> {
        (self.most > 0).then(|| (place.clone(), name.to_owned()))
    }

    /// The shelves, if there is room for this. Full shelves are emptied: to read all of it again
    /// costs little, and happens seldom.
    fn room(&self, weight: usize) -> Option<MutexGuard<'_, Shelves>> {
        let bytes = u64::try_from(weight + ENTRY).unwrap_or(u64::MAX);
        // What is large for one image is not worth the room of many.
        if bytes > self.most / 16 {
            return None;
        }
        let mut shelves = self.shelves();
        if shelves.bytes + bytes > self.most {
            *shelves = Shelves::default();
        }
        shelves.bytes += bytes;
        Some(shelves)
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
