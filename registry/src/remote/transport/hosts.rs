//! What a session knows of each host: whether it speaks HTTP/2, and whether it is there at all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use reqwest::{Url, Version};
use tokio::sync::{Mutex as AsyncMutex, MutexGuard, Semaphore, SemaphorePermit};

use super::super::error::Cause;

/// Hosts by scheme, name and port.
#[derive(Debug)]
pub(super) struct Hosts {
    per_host: usize,
    hosts: Mutex<BTreeMap<String, Arc<Host>>>,
}

/// One host.
///
/// The first request goes alone: with HTTP/2 all others then share its connection, where they
/// would otherwise open one each; and a host that does not answer is waited for once.
#[derive(Debug)]
pub(super) struct Host {
    http2: OnceLock<bool>,
    down: OnceLock<Cause>,
    first: AsyncMutex<()>,
    slots: Semaphore,
}

impl Hosts {
    pub(super) fn new(per_host: usize) -> Self {
        let hosts = Mutex::default();
        Self { per_host, hosts }
    }

    pub(super) fn host(&self, url: &Url) -> Arc<Host> {
        let origin = url.origin().ascii_serialization();
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = hosts.entry(origin).or_insert_with(|| {
            Arc::new(Host {
                http2: OnceLock::new(),
                down: OnceLock::new(),
                first: AsyncMutex::new(()),
                slots: Semaphore::new(self.per_host),
            })
        });
        Arc::clone(host)
    }
}

impl Host {
    /// Waits until the host has answered somebody, or lets this request be the first.
    pub(super) async fn enter(&self) -> Result<Entry<'_>, Cause> {
        let mut first = None;
        if self.http2.get().is_none() {
            first = Some(self.first.lock().await);
        }
        if let Some(cause) = self.down.get() {
            return Err(cause.clone());
        }
        if self.http2.get().is_some() {
            first = None;
        }
        Ok(Entry { host: self, first })
    }

    /// Notes that the host does not answer. One that has answered before is not given up.
    pub(super) fn gives_up(&self, cause: &Cause) {
        if self.http2.get().is_none() && cause.is_of_the_host() {
            let _ = self.down.set(cause.clone());
        }
    }
}

/// The right to send a request to a host.
pub(super) struct Entry<'h> {
    host: &'h Host,
    first: Option<MutexGuard<'h, ()>>,
}

impl<'h> Entry<'h> {
    /// Keeps the number of connections down, where each carries one request at a time.
    pub(super) async fn slot(&self) -> Option<SemaphorePermit<'h>> {
        match self.host.http2.get() {
            Some(true) => None,
            _ => self.host.slots.acquire().await.ok(),
        }
    }

    /// Notes that the host answered, and lets the others go.
    pub(super) fn answered(&mut self, version: Version) {
        let _ = self.host.http2.set(version == Version::HTTP_2);
        self.first = None;
    }
}
