//! A network with a delay, on one machine: a proxy that keeps all bytes for a while.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, sleep_until};

/// Passes connections on to a server.
///
/// Each byte arrives half a round trip after it was sent, in either direction, and the first one
/// of a connection a whole round trip later still: that is what a TCP handshake takes, which
/// between two programs of one machine takes no time.
#[derive(Debug)]
pub struct Delay {
    address: SocketAddr,
    connections: Arc<AtomicU64>,
    over: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

impl Delay {
    /// Starts a proxy on a free port.
    ///
    /// # Errors
    /// There is no port.
    pub fn start(server: SocketAddr, round_trip: Duration) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let connections = Arc::new(AtomicU64::new(0));
        let over = Arc::new(Notify::new());
        let (count, end) = (Arc::clone(&connections), Arc::clone(&over));
        let accept = async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                // A connection that breaks off is a matter of its two ends.
                tokio::spawn(async move { pass_on(client, server, round_trip).await });
            }
        };
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept => {}
                    () = end.notified() => {}
                }
            });
        });
        Ok(Self {
            address,
            connections,
            over,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were made so far.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        self.over.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed, and is no reason for another one.
            let _ = thread.join();
        }
    }
}

async fn pass_on(
    client: TcpStream,
    server: SocketAddr,
    round_trip: Duration,
) -> std::io::Result<()> {
    sleep(round_trip).await;
    let server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::spawn(direction(from_client, to_server, round_trip / 2));
    direction(from_server, to_client, round_trip / 2).await
}

/// Reads on while it waits: a delay is not a limit of how much is under way.
async fn direction(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    delay: Duration,
) -> std::io::Result<()> {
    let (sender, mut under_way) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        let mut part = vec![0; 16 << 10];
        while let Ok(length) = from.read(&mut part).await {
            let bytes = part.get(..length).unwrap_or_default().to_vec();
            let sent = sender.send((Instant::now() + delay, bytes));
            if length == 0 || sent.is_err() {
                break;
            }
        }
    });
    while let Some((due, bytes)) = under_way.recv().await {
        sleep_until(due).await;
        to.write_all(&bytes).await?;
    }
    to.shutdown().await
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::time::{Duration, Instant};

    use super::Delay;

    #[test]
    fn an_exchange_takes_two_round_trips() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let delay = Delay::start(server.local_addr().unwrap(), Duration::from_millis(100)).unwrap();
        let echo = std::thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            let mut word = [0; 4];
            stream.read_exact(&mut word).unwrap();
            stream.write_all(&word).unwrap();
        });
        let started = Instant::now();
        let mut client = TcpStream::connect(delay.address()).unwrap();
        client.write_all(b"word").unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, b"word");
        assert!(started.elapsed() >= Duration::from_millis(200));
        assert_eq!(delay.connections(), 1);
        echo.join().unwrap();
    }
}
