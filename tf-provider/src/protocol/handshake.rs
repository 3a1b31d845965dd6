//! From the start of the program to its end: the
//! [handshake of go-plugin](https://github.com/hashicorp/go-plugin/blob/main/docs/internals.md).

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls::pki_types::CertificateDer;
use tempfile::TempDir;
use tokio::io::Interest;
use tokio::net::unix::pipe::Sender;
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::calls::Calls;
use super::provider::Provider;
use super::server;
use super::tls::{self, TlsError};

/// What Terraform sets, so that a provider knows who has started it.
const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
/// The version of go-plugin's own protocol, and that of Terraform's.
const VERSIONS: (u8, u8) = (1, 6);
/// How long a client may take for its part of a TLS handshake.
const TLS_TIME: Duration = Duration::from_secs(10);

/// Why a provider cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A person has started the program.
    #[error("this is a provider for Terraform, which starts it: `TF_PLUGIN_MAGIC_COOKIE` is {0}")]
    Cookie(&'static str),
    /// A Terraform that speaks other versions.
    #[error(
        "Terraform speaks the versions {0} of the plugin protocol, and this provider version 6"
    )]
    Version(String),
    /// A client that does not say who it is.
    #[error("`PLUGIN_CLIENT_CERT` is not set: a client without a certificate is not served")]
    NoClient,
    /// No TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No socket, or nobody to tell of it.
    #[error("the socket `{path}` cannot be used")]
    Socket {
        /// Where it was to be.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nothing that waits for connections and signals.
    #[error("the program cannot wait for connections")]
    Runtime(#[source] io::Error),
}

impl ServeError {
    /// The way out.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            ServeError::Cookie(_) => {
                Some("name the provider in `required_providers`, and run `terraform init`")
            }
            ServeError::Version(_) => Some("use Terraform 1.8 or later, or OpenTofu 1.7 or later"),
            ServeError::Socket { .. } => {
                Some("set `TMPDIR` to a folder with a short path that can be written")
            }
            _ => None,
        }
    }
}

/// What Terraform tells a provider that it starts.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `TF_PLUGIN_MAGIC_COOKIE`
    pub cookie: Option<String>,
    /// `PLUGIN_PROTOCOL_VERSIONS`, those that the client speaks
    pub versions: Option<String>,
    /// `PLUGIN_CLIENT_CERT`, as PEM
    pub client: Option<String>,
    /// `PLUGIN_UNIX_SOCKET_DIR`, where sockets are to be
    pub sockets: Option<PathBuf>,
}

impl Environment {
    /// What the variables say that a program was started with.
    pub fn of_process() -> Self {
        let text = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        Self {
            cookie: text("TF_PLUGIN_MAGIC_COOKIE"),
            versions: text("PLUGIN_PROTOCOL_VERSIONS"),
            client: text("PLUGIN_CLIENT_CERT"),
            sockets: text("PLUGIN_UNIX_SOCKET_DIR").map(PathBuf::from),
        }
    }

    /// The certificate of the client, when all is as it has to be.
    fn client(&self) -> Result<&str, ServeError> {
        match self.cookie.as_deref() {
            Some(COOKIE) => {}
            Some(_) => return Err(ServeError::Cookie("another one than Terraform's")),
            None => return Err(ServeError::Cookie("not set")),
        }
        if let Some(versions) = &self.versions
            && versions.split(',').all(|version| version.trim() != "6")
        {
            return Err(ServeError::Version(versions.clone()));
        }
        self.client.as_deref().ok_or(ServeError::NoClient)
    }
}

/// Serves a provider to the Terraform that has started this program, until it is no longer needed:
/// Terraform says so, closes the connection, or is gone.
///
/// # Errors
/// The program was started by something else, or has no socket.
pub fn serve(environment: &Environment, provider: impl Provider) -> Result<(), ServeError> {
    let (config, certificate) = tls::server(environment.client()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ServeError::Runtime)?;
    let calls = Arc::new(Calls::new(provider));
    runtime.block_on(async {
        // Ctrl-C in a terminal reaches this program, too: it is for Terraform to say what it means.
        let _ignored = signal(SignalKind::interrupt()).map_err(ServeError::Runtime)?;
        let mut terminated = signal(SignalKind::terminate()).map_err(ServeError::Runtime)?;
        tokio::select! {
            served = listen(environment, TlsAcceptor::from(config), &certificate, calls) => served,
            _ = terminated.recv() => Ok(()),
            () = reader_gone() => Ok(()),
        }
    })
}

async fn listen<P: Provider>(
    environment: &Environment,
    acceptor: TlsAcceptor,
    certificate: &CertificateDer<'_>,
    calls: Arc<Calls<P>>,
) -> Result<(), ServeError> {
    let (listener, folder) = bind(environment)?;
    announce(&folder, certificate)?;
    let stream = loop {
        let socket = listener.accept().await;
        let (socket, _) = socket.map_err(|source| unusable(&folder, source))?;
        match tokio::time::timeout(TLS_TIME, acceptor.accept(socket)).await {
            Ok(Ok(stream)) => break stream,
            _ => eprintln!("a client without Terraform's certificate was refused"),
        }
    };
    // There is one client, with one connection: from here on there is nothing to connect to, and
    // nothing to leave behind.
    drop((listener, folder));
    serve_client(stream, calls).await;
    Ok(())
}

async fn serve_client<P: Provider>(stream: TlsStream<UnixStream>, calls: Arc<Calls<P>>) {
    // A connection that breaks is Terraform gone.
    server::serve(stream, calls).await.ok();
}

/// A socket in a folder that only its owner can enter.
fn bind(environment: &Environment) -> Result<(UnixListener, TempDir), ServeError> {
    let parent = environment.sockets.clone();
    let parent = parent.unwrap_or_else(std::env::temp_dir);
    let mut builder = tempfile::Builder::new();
    let builder = builder
        .prefix("plugin")
        .permissions(Permissions::from_mode(0o700));
    let folder = builder.tempdir_in(&parent);
    let folder = folder.map_err(|source| ServeError::Socket {
        path: parent.display().to_string(),
        // Its text names a folder that is not there.
        source: source.kind().into(),
    })?;
    let listener = UnixListener::bind(folder.path().join(SOCKET));
    let listener = listener.map_err(|source| unusable(&folder, source))?;
    Ok((listener, folder))
}

const SOCKET: &str = "socket";

/// Tells Terraform where the socket is, and which certificate to expect there.
fn announce(folder: &TempDir, certificate: &CertificateDer<'_>) -> Result<(), ServeError> {
    let (core, protocol) = VERSIONS;
    let socket = folder.path().join(SOCKET);
    let certificate = STANDARD_NO_PAD.encode(certificate);
    let line = format!(
        "{core}|{protocol}|unix|{}|grpc|{certificate}\n",
        socket.display()
    );
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(line.as_bytes());
    let written = written.and_then(|()| stdout.flush());
    written.map_err(|source| unusable(folder, source))
}

fn unusable(folder: &TempDir, source: io::Error) -> ServeError {
    ServeError::Socket {
        path: folder.path().join(SOCKET).display().to_string(),
        source,
    }
}

/// Waits until nobody reads standard output: Terraform does, as long as it lives.
async fn reader_gone() {
    let stdout = io::stdout().as_fd().try_clone_to_owned();
    // Where it is no pipe, nobody can be seen to go.
    let Ok(pipe) = stdout.and_then(Sender::from_owned_fd) else {
        return std::future::pending().await;
    };
    pipe.ready(Interest::ERROR).await.ok();
}
