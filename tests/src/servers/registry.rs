//! Debian's `docker-registry`, which is the CNCF's `distribution` 2.8.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::authority::{Authority, text};
use super::image::Artifact;
use super::plain_http::send;
use super::process::Process;
use super::program;
use super::token::TokenServer;

/// Behind this the registry says where it listens.
const SIGN: &str = "msg=\"listening on ";

/// The one user that a registry of this module knows.
#[derive(Clone, Copy, Debug)]
pub struct Login;

impl Login {
    /// The name.
    pub const USER: &str = "anna";
    /// The password. It holds a colon, which a user name cannot.
    pub const PASSWORD: &str = "open:sesame";
    /// The password as `htpasswd -B` writes it, with the least work that bcrypt has.
    const BCRYPT: &str = "$2y$04$OLCM5ycFZzJuOBhD3AmNw.W5qBx1Bo8YdZSA6Br36N6QoBtjYC.9a";
}

/// Who may read.
#[derive(Clone, Copy)]
pub enum Access<'a> {
    /// Everybody.
    Open,
    /// [`Login`], by `Authorization: Basic`.
    Password,
    /// Whoever brings a token of this server.
    Token(&'a TokenServer),
}

/// A registry.
#[derive(Debug)]
pub struct Registry {
    address: SocketAddr,
    /// The same images without TLS and for everybody: what is pushed comes in here.
    entrance: SocketAddr,
    processes: [Process; 2],
    folder: TempDir,
}

impl Registry {
    /// Starts a registry, with TLS if there is an authority for its certificate; `None` where the
    /// program is not installed.
    ///
    /// # Errors
    /// It is required and missing, or does not start.
    pub fn start(access: Access<'_>, tls: Option<&Authority>) -> Result<Option<Self>, String> {
        let Some(program) = program("DOCKER_REGISTRY", "docker-registry")? else {
            return Ok(None);
        };
        let folder = tempfile::tempdir().map_err(text)?;
        let at = folder.path();
        let mut open = settings(at);
        let (entrance_process, entrance) = serve(&program, at, "entrance", &open)?;
        add_access(&mut open, at, access)?;
        if let Some(authority) = tls {
            add_tls(&mut open, at, authority)?;
        }
        let (process, address) = serve(&program, at, "registry", &open)?;
        Ok(Some(Self {
            address,
            entrance,
            processes: [process, entrance_process],
            folder,
        }))
    }

    /// Host and port, as references name them.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder with its files: `ca.crt` of a registry with TLS among them.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How many requests it has answered, according to its log, which may be a little late.
    pub fn answered(&self) -> u64 {
        let [process, _] = &self.processes;
        process.answered()
    }

    /// Uploads an image, and what belongs to it, under a tag; gives its digest.
    ///
    /// # Errors
    /// What the registry refuses.
    pub fn push(&self, repository: &str, tag: &str, artifact: &Artifact) -> Result<String, String> {
        for child in &artifact.children {
            self.push(repository, &child.digest(), child)?;
        }
        for blob in &artifact.blobs {
            self.push_blob(repository, blob)?;
        }
        let put = format!("PUT /v2/{repository}/manifests/{tag}");
        let media_type = [("Content-Type", artifact.media_type)];
        let answer = send(self.entrance, &put, &media_type, &artifact.body)?;
        match answer.status {
            201 => Ok(artifact.digest()),
            status => Err(format!("{put}: {status}: {}", answer.text())),
        }
    }

    fn push_blob(&self, repository: &str, blob: &[u8]) -> Result<(), String> {
        let post = format!("POST /v2/{repository}/blobs/uploads/");
        let answer = send(self.entrance, &post, &[], b"")?;
        let host = format!("http://{}", self.entrance);
        let location = answer
            .header("Location")
            .and_then(|location| location.strip_prefix(&host))
            .ok_or_else(|| format!("{post}: {}", answer.status))?;
        let digest = super::image::digest(blob);
        let put = format!("PUT {location}&digest={digest}");
        let kind = [("Content-Type", "application/octet-stream")];
        let answer = send(self.entrance, &put, &kind, blob)?;
        match answer.status {
            201 => Ok(()),
            status => Err(format!("{put}: {status}: {}", answer.text())),
        }
    }
}

fn settings(folder: &Path) -> Value {
    json!({
        "version": "0.1",
        "log": {"level": "info"},
        "storage": {
            "filesystem": {"rootdirectory": folder.join("images")},
            "maintenance": {"uploadpurging": {"enabled": false}},
        },
        // Both processes take part in one upload's state.
        "http": {"addr": "127.0.0.1:0", "secret": "outrigger"},
    })
}

fn add_access(settings: &mut Value, folder: &Path, access: Access<'_>) -> Result<(), String> {
    let auth = match access {
        Access::Open => return Ok(()),
        Access::Password => {
            let path = folder.join("htpasswd");
            let line = format!("{}:{}\n", Login::USER, Login::BCRYPT);
            fs::write(&path, line).map_err(text)?;
            json!({"htpasswd": {"realm": "outrigger", "path": path}})
        }
        Access::Token(server) => {
            let path = folder.join("signers.crt");
            fs::write(&path, server.signer_pem()).map_err(text)?;
            json!({"token": {
                "realm": server.url(),
                "service": TokenServer::SERVICE,
                "issuer": TokenServer::ISSUER,
                "rootcertbundle": path,
            }})
        }
    };
    put(settings, "auth", auth);
    Ok(())
}

fn add_tls(settings: &mut Value, folder: &Path, authority: &Authority) -> Result<(), String> {
    let identity = authority.identity()?;
    let file = |name: &str, content: String| {
        let path = folder.join(name);
        fs::write(&path, content).map_err(text)?;
        Ok::<_, String>(path)
    };
    file("ca.crt", authority.pem())?;
    let tls = json!({
        "certificate": file("server.pem", identity.certificate_pem())?,
        "key": file("server-key.pem", identity.key_pem())?,
    });
    if let Some(http) = settings.get_mut("http") {
        put(http, "tls", tls);
    }
    Ok(())
}

fn put(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(object) = object {
        object.insert(key.to_owned(), value);
    }
}

/// JSON is YAML, too.
fn serve(
    program: &Path,
    folder: &Path,
    name: &str,
    settings: &Value,
) -> Result<(Process, SocketAddr), String> {
    let file = folder.join(format!("{name}.yml"));
    fs::write(&file, settings.to_string()).map_err(text)?;
    Process::start(Command::new(program).arg("serve").arg(file), SIGN)
}
