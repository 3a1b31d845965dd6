//! A server in this process that answers as a test wants it to, and remembers what it was asked.
//!
//! It lives in a tokio runtime of the test, and ends with it.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose server does not start has failed"
)]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};
use tokio_rustls::TlsAcceptor;

/// Between two parts of a body that drips: shorter than any client waits for one.
const DRIP: Duration = Duration::from_millis(50);

/// A request that came in.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Its method.
    pub method: String,
    /// The path of its URL.
    pub path: String,
    /// The query of its URL, or nothing.
    pub query: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `Host`, or what HTTP/2 has in its place.
    pub host: String,
    /// Its body, as text.
    pub body: String,
    /// How many requests for the same path and query came before.
    pub earlier: usize,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: ReplyBody,
}

impl Reply {
    /// This status, and nothing else.
    pub fn new(status: u16) -> Self {
        let body = ReplyBody::Whole(Some(Bytes::new()));
        Self {
            status,
            headers: Vec::new(),
            body,
        }
    }

    /// A body of this type.
    pub fn ok(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new(200)
            .header("content-type", content_type)
            .body(ReplyBody::Whole(Some(Bytes::from(body.into()))))
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: ReplyBody) -> Self {
        self.body = body;
        self
    }

    /// Its body comes when what is given here too is dropped.
    pub fn held(mut self) -> (Self, oneshot::Sender<()>) {
        let (hold, until) = oneshot::channel();
        if let ReplyBody::Whole(part) = self.body {
            self.body = ReplyBody::Held(until, part);
        }
        (self, hold)
    }
}

/// The ways in which a body can come.
#[derive(Debug)]
pub enum ReplyBody {
    /// All at once.
    Whole(Option<Bytes>),
    /// Blanks for ever.
    Endless,
    /// A first part, and never the rest.
    Stalled(Option<Bytes>),
    /// A first part, and then the connection is gone.
    Broken(Option<Bytes>),
    /// A blank now and then, for ever: something always comes.
    Dripping(Pin<Box<Sleep>>),
    /// All of it, when the other end of the channel is gone.
    Held(oneshot::Receiver<()>, Option<Bytes>),
}

impl ReplyBody {
    /// A body that drips.
    pub fn dripping() -> Self {
        Self::Dripping(Box::pin(tokio::time::sleep(DRIP)))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let (part, then) = match &mut *self {
            Self::Whole(part) => (part.take(), Poll::Ready(None)),
            Self::Endless => (Some(Bytes::from_static(&[b' '; 10_007])), Poll::Pending),
            Self::Stalled(part) => (part.take(), Poll::Pending),
            Self::Broken(part) => {
                let broken = std::io::Error::other("broken off");
                (part.take(), Poll::Ready(Some(Err(broken))))
            }
            Self::Dripping(pause) => match pause.as_mut().poll(context) {
                Poll::Pending => (None, Poll::Pending),
                Poll::Ready(()) => {
                    pause.as_mut().reset(Instant::now() + DRIP);
                    (Some(Bytes::from_static(b" ")), Poll::Pending)
                }
            },
            Self::Held(until, part) => {
                let _ = ready!(Pin::new(until).poll(context));
                let part = part.take();
                *self = Self::Whole(None);
                (part, Poll::Ready(None))
            }
        };
        match part {
            Some(part) if !part.is_empty() => Poll::Ready(Some(Ok(Frame::data(part)))),
            _ => then,
        }
    }

    /// What is there as a whole is announced, as a registry does.
    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(Some(part)) => SizeHint::with_exact(part.len() as u64),
            _ => SizeHint::default(),
        }
    }
}

type Handler = dyn Fn(&Seen) -> Reply + Send + Sync;

/// A server on a port of its own, until its runtime ends.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Certificate of its authority, where it speaks TLS.
    pub ca: Option<Vec<u8>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Without TLS.
    pub async fn plain(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::serve(listener, None, Arc::new(handler))
    }

    /// Without TLS, where the answers have to name the server's own address.
    pub async fn plain_at<H: Fn(&Seen) -> Reply + Send + Sync + 'static>(
        handler: impl FnOnce(SocketAddr) -> H,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let handler = handler(listener.local_addr().unwrap());
        Self::serve(listener, None, Arc::new(handler))
    }

    /// With TLS, for these names, and with HTTP/2 if `protocols` has it.
    pub async fn tls(
        names: &[&str],
        protocols: &[&[u8]],
        handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap();
        let certificate = certificate.signed_by(&key, &authority).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let mut server = Self::serve(listener, Some(acceptor), Arc::new(handler));
        server.ca = Some(authority.pem().into_bytes());
        server
    }

    fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, handler: Arc<Handler>) -> Self {
        let server = Self {
            address: listener.local_addr().unwrap(),
            ca: None,
            seen: Arc::default(),
            connections: Arc::default(),
        };
        let (seen, connections) = (Arc::clone(&server.seen), Arc::clone(&server.connections));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::Relaxed);
                let (tls, handler, seen) = (tls.clone(), Arc::clone(&handler), Arc::clone(&seen));
                tokio::spawn(connection(stream, tls, handler, seen));
            }
        });
        server
    }

    /// Host and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Forgets all requests so far: each is held against those before it, which takes long when there
    /// are many.
    pub fn forget(&self) {
        self.seen.lock().unwrap().clear();
    }

    /// Credentials that came in, in order.
    pub fn authorizations(&self) -> Vec<String> {
        let seen = self.seen().into_iter();
        seen.filter_map(|seen| seen.authorization).collect()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    handler: Arc<Handler>,
    seen: Arc<Mutex<Vec<Seen>>>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let (handler, all) = (Arc::clone(&handler), Arc::clone(&seen));
        async move {
            let mut seen = read(request).await;
            {
                let mut all = all.lock().unwrap();
                let same = |other: &&Seen| other.path == seen.path && other.query == seen.query;
                seen.earlier = all.iter().filter(same).count();
                all.push(seen.clone());
            }
            let reply = handler(&seen);
            let mut response = Response::builder().status(reply.status);
            for (name, value) in reply.headers {
                response = response.header(name, value);
            }
            Ok::<_, Infallible>(response.body(reply.body).unwrap())
        }
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    // A client that goes away is no failure of the server.
    let _ = match tls {
        None => {
            builder
                .serve_connection(TokioIo::new(stream), service)
                .await
        }
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => {
                builder
                    .serve_connection(TokioIo::new(stream), service)
                    .await
            }
            Err(_) => Ok(()),
        },
    };
}

async fn read(request: Request<Incoming>) -> Seen {
    let text = |name: &str| {
        let value = request.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    let mut seen = Seen {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        authorization: text("authorization"),
        host: text("host")
            .or_else(|| request.uri().authority().map(ToString::to_string))
            .unwrap_or_default(),
        body: String::new(),
        earlier: 0,
    };
    let mut body = request.into_body();
    while let Some(Ok(frame)) =
        std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
    {
        let data = frame.into_data().unwrap_or_default();
        seen.body.push_str(&String::from_utf8_lossy(&data));
    }
    seen
}
