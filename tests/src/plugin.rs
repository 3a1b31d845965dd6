//! Terraform's side of its plugin protocol, in a few lines of its own: to be a client that real
//! Terraform never is.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use http::Request;
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;

use crate::servers;

/// What Terraform sets, so that a provider knows who has started it.
pub const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/// What a provider is first asked.
pub const SCHEMA: &str = "/tfplugin6.Provider/GetProviderSchema";
/// The call of a function.
pub const FUNCTION: &str = "/tfplugin6.Provider/CallFunction";
/// Whether it is well: the smallest of all calls.
pub const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// A provider that runs, as whoever has started it knows it; it is ended when it is dropped.
#[derive(Debug)]
pub struct Plugin {
    /// The process.
    pub child: Child,
    /// Its socket.
    pub socket: PathBuf,
    certificate: CertificateDer<'static>,
}

/// Who a client says that it is.
pub struct Identity {
    key: CertifiedKey<KeyPair>,
}

impl Identity {
    /// A new one.
    ///
    /// # Errors
    /// No key can be made.
    pub fn new() -> Result<Self, String> {
        let key = generate_simple_self_signed(vec!["localhost".to_owned()]);
        let key = key.map_err(|error| format!("no certificate: {error}"))?;
        Ok(Self { key })
    }

    /// The certificate, as PEM.
    pub fn pem(&self) -> String {
        self.key.cert.pem()
    }
}

impl Plugin {
    /// The command that starts a provider as Terraform does.
    pub fn command(program: &Path, temporary: &Path, identity: &Identity) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(servers::counted())
            .env("TMPDIR", temporary)
            .env("TF_PLUGIN_MAGIC_COOKIE", COOKIE)
            .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
            .env("PLUGIN_CLIENT_CERT", identity.pem())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts a provider, and reads the line with which it says where it is.
    ///
    /// # Errors
    /// It does not start, or says something else.
    pub fn start(program: &Path, temporary: &Path, identity: &Identity) -> Result<Self, String> {
        let child = Self::command(program, temporary, identity).spawn();
        let mut child = child.map_err(|error| format!("{}: {error}", program.display()))?;
        let mut line = String::new();
        if let Some(stdout) = &mut child.stdout {
            // The pipe stays open: its end is how a provider sees that nobody is there.
            let read = BufReader::new(stdout).read_line(&mut line);
            read.map_err(|error| format!("no handshake: {error}"))?;
        }
        let parts: Vec<&str> = line.trim_end().split('|').collect();
        let ["1", "6", "unix", socket, "grpc", certificate] = parts.as_slice() else {
            return Err(format!("not a handshake: `{line}`"));
        };
        let certificate = STANDARD_NO_PAD.decode(certificate);
        let certificate = certificate.map_err(|error| format!("no certificate: {error}"))?;
        Ok(Self {
            child,
            socket: PathBuf::from(socket),
            certificate: CertificateDer::from(certificate),
        })
    }

    /// Connects, as somebody or as nobody.
    ///
    /// # Errors
    /// The provider does not want this client.
    pub async fn connect(&self, identity: Option<&Identity>) -> Result<Connection, String> {
        let mut roots = RootCertStore::empty();
        let trusted = roots.add(self.certificate.clone());
        trusted.map_err(|error| format!("certificate: {error}"))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS: {error}"))?
            .with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let key = PrivatePkcs8KeyDer::from(identity.key.signing_key.serialize_der());
                let chain = vec![identity.key.cert.der().clone()];
                let config = builder.with_client_auth_cert(chain, PrivateKeyDer::from(key));
                config.map_err(|error| format!("TLS: {error}"))?
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let socket = UnixStream::connect(&self.socket).await;
        let socket = socket.map_err(|error| format!("socket: {error}"))?;
        let name = ServerName::try_from("localhost").map_err(|error| error.to_string())?;
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, socket)
            .await;
        let stream = stream.map_err(|error| format!("TLS: {error}"))?;
        let (calls, connection) = h2::client::handshake(stream)
            .await
            .map_err(|error| format!("HTTP/2: {error}"))?;
        let served =
            tokio::spawn(async move { connection.await.map_err(|error| error.to_string()) });
        // A refused certificate shows with the first answer.
        let calls = calls
            .ready()
            .await
            .map_err(|error| format!("HTTP/2: {error}"))?;
        Ok(Connection { calls, served })
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection to a provider.
#[derive(Debug)]
pub struct Connection {
    calls: SendRequest<Bytes>,
    /// Ends with the connection.
    pub served: tokio::task::JoinHandle<Result<(), String>>,
}

impl Connection {
    /// Calls a method with the bytes of a message, and gives those of its answer.
    ///
    /// # Errors
    /// There is no answer, or one with another status than 0.
    pub async fn call(&mut self, path: &str, message: &[u8]) -> Result<Vec<u8>, String> {
        let failed = |error: h2::Error| format!("HTTP/2: {error}");
        let request = Request::post(format!("http://localhost{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())
            .map_err(|error| error.to_string())?;
        let (answer, mut body) = self.calls.send_request(request, false).map_err(failed)?;
        body.send_data(framed(message), true).map_err(failed)?;
        let (head, mut body) = answer.await.map_err(failed)?.into_parts();
        let mut bytes = BytesMut::new();
        while let Some(part) = body.data().await {
            let part = part.map_err(failed)?;
            bytes.extend_from_slice(&part);
            let released = body.flow_control().release_capacity(part.len());
            released.map_err(failed)?;
        }
        let trailers = body
            .trailers()
            .await
            .map_err(failed)?
            .unwrap_or(head.headers);
        let status = trailers
            .get("grpc-status")
            .and_then(|status| status.to_str().ok());
        match status {
            Some("0") => Ok(bytes.get(5..).unwrap_or_default().to_vec()),
            status => Err(format!("status {}", status.unwrap_or("none"))),
        }
    }
}

fn framed(message: &[u8]) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    bytes.put_slice(message);
    bytes.freeze()
}

/// A field of a [protobuf message](https://protobuf.dev/programming-guides/encoding/) that holds bytes.
pub fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![tag << 3 | 2];
    let mut length = bytes.len();
    while length > 0x7f {
        field.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
        length >>= 7;
    }
    field.push(u8::try_from(length).unwrap_or_default());
    field.extend_from_slice(bytes);
    field
}

/// A value as [MessagePack](https://github.com/msgpack/msgpack/blob/master/spec.md), with its type
/// in front of it, as it stands where a schema leaves the type open: an object of texts.
fn object(entries: &[(&str, &str)]) -> Vec<u8> {
    let kinds: Vec<String> = entries
        .iter()
        .map(|(key, _)| format!("\"{key}\":\"string\""))
        .collect();
    let kind = format!("[\"object\",{{{}}}]", kinds.join(","));
    let mut bytes = vec![0x92, 0xc5];
    bytes.extend(length(&kind));
    bytes.extend(kind.bytes());
    bytes.extend([0xde, 0]);
    bytes.push(u8::try_from(entries.len()).unwrap_or(u8::MAX));
    for (key, value) in entries {
        bytes.extend([text(key), text(value)].concat());
    }
    bytes
}

fn text(text: &str) -> Vec<u8> {
    [&[0xda], &length(text)[..], text.as_bytes()].concat()
}

fn length(text: &str) -> [u8; 2] {
    u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes()
}

/// A call of `instrument` that needs no image: one container, with the recipe `alert-logic`.
pub fn call_of_instrument() -> Vec<u8> {
    let definitions = r#"[{"name":"web","image":"nginx:1.27","entryPoint":["/docker-entrypoint.sh"],"command":["nginx"]}]"#;
    let task = object(&[
        ("family", "app"),
        ("cpu", "512"),
        ("memory", "1024"),
        ("network_mode", "awsvpc"),
        ("cpu_architecture", "X86_64"),
    ]);
    let config = object(&[("recipe", "alert-logic")]);
    let arguments = [text(definitions), task, config];
    let arguments = arguments.iter().map(|value| field(2, &field(1, value)));
    arguments.fold(field(1, b"instrument"), |bytes, argument| {
        [bytes, argument].concat()
    })
}
