//! Servers of this process, on a thread of their own, so that a test can wait for the function.

use std::thread::JoinHandle;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::server::{Reply, Seen, Server};

/// The thread; its servers end with it.
pub(crate) struct Hosts {
    handle: Handle,
    over: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Hosts {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        let handle = runtime.handle().clone();
        let (over, until) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            // It ends when the sender is gone, too.
            let _ = runtime.block_on(until);
        });
        Self {
            handle,
            over: Some(over),
            thread: Some(thread),
        }
    }

    /// Without TLS.
    pub(crate) fn plain(&self, handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
        self.handle.block_on(Server::plain(handler))
    }

    /// With TLS, for this name.
    pub(crate) fn tls(
        &self,
        name: &str,
        handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Server {
        let tls = async { Server::tls(&[name], &[b"http/1.1"], handler).await };
        self.handle.block_on(tls)
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        self.over = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
