//! A [token server](https://distribution.github.io/distribution/spec/auth/token/) in this process.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::authority::{Authority, Identity, text};
use super::registry::Login;
use super::request::Request;

/// The longest body that is read.
const REQUEST_MAX: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// Gives tokens to [`Login`], by password or by identity token, and nobody else.
pub struct TokenServer {
    address: SocketAddr,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// `GET` with a password, or `POST` with an identity token.
    pub method: String,
    /// The scopes, in their order.
    pub scopes: Vec<String>,
    /// Whether a token was given.
    pub granted: bool,
}

struct State {
    authority: Authority,
    signer: Identity,
    tls: Option<Arc<ServerConfig>>,
    seen: Mutex<Vec<TokenRequest>>,
    over: AtomicBool,
}

impl TokenServer {
    /// What the registry calls itself there.
    pub const SERVICE: &str = "outrigger-registry";
    /// Who signs.
    pub const ISSUER: &str = "outrigger-tokens";
    /// A refresh token that is as good as the password.
    pub const IDENTITY_TOKEN: &str = "identity-of-anna";

    /// Starts one, with TLS if there is an authority for its certificate.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(tls: Option<&Authority>) -> Result<Self, String> {
        let tls = tls.map(|authority| authority.identity()?.server_config());
        let authority = Authority::new()?;
        let state = Arc::new(State {
            signer: authority.identity()?,
            authority,
            tls: tls.transpose()?,
            seen: Mutex::new(Vec::new()),
            over: AtomicBool::new(false),
        });
        let listener = TcpListener::bind("127.0.0.1:0").map_err(text)?;
        let address = listener.local_addr().map_err(text)?;
        let server = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if server.over.load(Ordering::SeqCst) {
                    break;
                }
                // A client that goes away is none of the server's business.
                let _ = server.serve(stream);
            }
        });
        Ok(Self {
            address,
            state,
            thread: Some(thread),
        })
    }

    /// The realm of registries with this server.
    pub fn url(&self) -> String {
        let scheme = match self.state.tls {
            Some(_) => "https",
            None => "http",
        };
        format!("{scheme}://{}/token", self.address)
    }

    /// What was asked so far.
    pub fn seen(&self) -> Vec<TokenRequest> {
        let seen = self.state.seen.lock();
        seen.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The certificate of whoever signs the signer's.
    pub(super) fn signer_pem(&self) -> String {
        self.state.authority.pem()
    }
}

impl Drop for TokenServer {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::SeqCst);
        // Wakes the thread, which is waiting for somebody.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl State {
    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        match &self.tls {
            None => self.answer(stream),
            Some(config) => {
                let connection = ServerConnection::new(Arc::clone(config));
                let connection = connection.map_err(std::io::Error::other)?;
                self.answer(StreamOwned::new(connection, stream))
            }
        }
    }

    fn answer(&self, mut stream: impl Read + Write) -> std::io::Result<()> {
        let request = Request::read(&mut BufReader::new(&mut stream), REQUEST_MAX)?;
        let Some(asked) = request.as_ref().map(Asked::of) else {
            return Ok(());
        };
        let token = self.token(&asked);
        let granted = token.is_ok();
        let (status, body) = match token {
            Ok(token) => (
                "200 OK",
                json!({"token": token, "access_token": token, "expires_in": 300}),
            ),
            Err(reason) => ("401 Unauthorized", json!({"details": reason})),
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(TokenRequest {
            method: asked.method.clone(),
            scopes: asked.scopes(),
            granted,
        });
        drop(seen);
        let body = body.to_string();
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )?;
        stream.flush()
    }

    fn token(&self, asked: &Asked) -> Result<String, String> {
        if !asked.is_from_anna() {
            return Err("this is not anna".to_owned());
        }
        if asked.field("service") != Some(TokenServer::SERVICE) {
            return Err("another registry".to_owned());
        }
        let access: Vec<Value> = asked
            .scopes()
            .iter()
            .filter_map(|scope| granted(scope))
            .collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(text)?;
        let now = now.as_secs();
        let header = json!({
            "typ": "JWT",
            "alg": "ES256",
            "x5c": [STANDARD.encode(self.signer.certificate_der())],
        });
        let claims = json!({
            "iss": TokenServer::ISSUER,
            "sub": Login::USER,
            "aud": TokenServer::SERVICE,
            "iat": now,
            "nbf": now - 60,
            "exp": now + 300,
            "jti": format!("{now}"),
            "access": access,
        });
        let signed = [header, claims]
            .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
            .join(".");
        let signature = self.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::from_pkcs8(algorithm, &self.signer.key_der(), &random);
        let signature = key.map_err(text)?.sign(&random, message).map_err(text)?;
        Ok(signature.as_ref().to_vec())
    }
}

/// `repository:team/app:pull`, and of all actions only that.
fn granted(scope: &str) -> Option<Value> {
    let (kind, rest) = scope.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    let pulls = kind == "repository" && actions.split(',').any(|action| action == "pull");
    pulls.then(|| json!({"type": kind, "name": name, "actions": ["pull"]}))
}

/// What is asked: the fields of the query, or of the body.
struct Asked {
    method: String,
    authorization: Option<String>,
    fields: Vec<(String, String)>,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let query = request
            .target
            .split_once('?')
            .map_or("", |(_, query)| query);
        let body = String::from_utf8_lossy(&request.body);
        let form = if request.method == "POST" {
            &*body
        } else {
            query
        };
        let fields = form
            .split('&')
            .filter_map(|field| field.split_once('='))
            .map(|(key, value)| (decoded(key), decoded(value)))
            .collect();
        Self {
            method: request.method.clone(),
            authorization: request.header("authorization").map(str::to_owned),
            fields,
        }
    }

    fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn scopes(&self) -> Vec<String> {
        self.fields
            .iter()
            .filter(|(key, _)| key == "scope")
            .flat_map(|(_, value)| value.split(' ').map(str::to_owned))
            .collect()
    }

    fn is_from_anna(&self) -> bool {
        if self.method == "POST" {
            return self.field("grant_type") == Some("refresh_token")
                && self.field("refresh_token") == Some(TokenServer::IDENTITY_TOKEN);
        }
        let pair = format!("{}:{}", Login::USER, Login::PASSWORD);
        let expected = format!("Basic {}", STANDARD.encode(pair));
        self.authorization == Some(expected)
    }
}

/// Undoes the escapes of a form.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).unwrap_or(b'?')
            }
            byte => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
