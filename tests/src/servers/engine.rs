//! A container engine: Debian's `docker.io`, which is moby, with containerd and runc. Its images,
//! containers and processes are its own and end with it (`engine.sh`).

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;
use tempfile::TempDir;

use super::authority::text;
use super::plain_http::{Answer, send_to_socket};
use super::process::{read, wait_for};
use super::{not_tested, program};

const SCRIPT: &str = include_str!("engine.sh");
/// The daemon says this when it can be talked to.
const SIGN: &str = "API listen on";
/// Namespaces of its own for the script. Where it is killed, all of them are.
const UNSHARE: [&str; 6] = [
    "--mount",
    "--net",
    "--pid",
    "--fork",
    "--mount-proc",
    "--kill-child",
];
/// In these words an engine says that it was given nothing to run.
const NOTHING_TO_RUN: &str = "No command specified";

/// A running engine.
#[derive(Debug)]
pub struct Engine {
    child: Child,
    /// The engine runs until this is closed.
    open: Option<ChildStdin>,
    reader: Option<JoinHandle<()>>,
    folder: TempDir,
}

/// What became of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Neither the request nor the image says what to run.
    NothingToRun,
    /// It was made, and its program could not be started.
    NotStarted(String),
    /// Its program ran.
    Exited {
        /// The exit code.
        code: i64,
        /// Standard output.
        output: String,
        /// Standard error.
        errors: String,
    },
}

impl Engine {
    /// Starts an engine; `None` where it is not installed or may not run.
    ///
    /// # Errors
    /// It is required and cannot be had.
    pub fn start() -> Result<Option<Self>, String> {
        let Some(program) = program("DOCKERD", "dockerd")? else {
            return Ok(None);
        };
        if let Err(why) = may_run() {
            not_tested(&format!("no container engine may run here: {why}"))?;
            return Ok(None);
        }
        let folder = tempfile::Builder::new()
            .prefix("outrigger-engine-")
            .tempdir()
            .map_err(text)?;
        let mut child = Command::new("unshare")
            .args(UNSHARE)
            .args(["sh", "-c", SCRIPT, "engine.sh"])
            .args([folder.path(), &program])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(text)?;
        let open = child.stdin.take();
        let (lines, reader) = read(child.stderr.take(), Default::default());
        let engine = Self {
            child,
            open,
            reader: Some(reader),
            folder,
        };
        wait_for(&lines, SIGN).map_err(|said| format!("dockerd: {said}"))?;
        Ok(Some(engine))
    }

    /// The folder with its socket, which has a name that no other engine's has.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn socket(&self) -> PathBuf {
        self.folder().join("docker.sock")
    }

    fn send(&self, request: &str, body: Option<&Value>) -> Result<Answer, String> {
        let headers = [("Content-Type", "application/json")];
        let body = body.map(Value::to_string).unwrap_or_default();
        send_to_socket(&self.socket(), request, &headers, body.as_bytes())
    }

    /// Sends a request that has to succeed.
    fn done(&self, request: &str, body: Option<&Value>) -> Result<Answer, String> {
        let answer = self.send(request, body)?;
        match answer.status {
            200..=299 => Ok(answer),
            status => Err(format!("{request}: {status}: {}", answer.text())),
        }
    }

    fn json(&self, request: &str, body: Option<&Value>) -> Result<Value, String> {
        let answer = self.done(request, body)?;
        serde_json::from_slice(&answer.body).map_err(|error| format!("{request}: {error}"))
    }

    /// Makes an image of these files, a tar archive, with these instructions of a Dockerfile
    /// (`CMD`, `ENTRYPOINT`, `ENV`, `USER`, `VOLUME`, `WORKDIR`).
    ///
    /// # Errors
    /// What the engine refuses.
    pub fn import(&self, image: &str, changes: &[String], files: &[u8]) -> Result<(), String> {
        let (name, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
        let changes = changes
            .iter()
            .map(|change| format!("&changes={}", escaped(change)));
        let changes: String = changes.collect();
        let post = format!(
            "POST /images/create?fromSrc=-&repo={}&tag={tag}{changes}",
            escaped(name)
        );
        let kind = [("Content-Type", "application/x-tar")];
        let answer = send_to_socket(&self.socket(), &post, &kind, files)?;
        // What goes wrong later is said in the body.
        match answer.status {
            200 if !answer.text().contains("\"error\"") => Ok(()),
            status => Err(format!("{image}: {status}: {}", answer.text())),
        }
    }

    /// The part of an image's config that says what runs and how.
    ///
    /// # Errors
    /// There is no such image.
    pub fn image_config(&self, image: &str) -> Result<Value, String> {
        let image = self.json(&format!("GET /images/{image}/json"), None)?;
        Ok(image.get("Config").cloned().unwrap_or_default())
    }

    /// Makes a container, as `POST /containers/create` takes it; gives its ID, or nothing where
    /// there is nothing to run.
    ///
    /// # Errors
    /// What else the engine refuses.
    pub fn create(&self, container: &Value) -> Result<Option<String>, String> {
        let answer = self.send("POST /containers/create", Some(container))?;
        if answer.status == 400 && answer.text().contains(NOTHING_TO_RUN) {
            return Ok(None);
        }
        let made: Value = serde_json::from_slice(&answer.body).map_err(text)?;
        match made.get("Id").and_then(Value::as_str) {
            Some(id) if answer.status == 201 => Ok(Some(id.to_owned())),
            _ => Err(format!("{container}: {}", answer.text())),
        }
    }

    /// Makes a container, starts it, waits for its end and takes it away.
    ///
    /// # Errors
    /// What the engine refuses, but for what [`Ended`] says.
    pub fn run(&self, container: &Value) -> Result<Ended, String> {
        let Some(id) = self.create(container)? else {
            return Ok(Ended::NothingToRun);
        };
        let ended = match self.started(&id)? {
            Err(why) => Ended::NotStarted(why),
            Ok(()) => self.ended(&id)?,
        };
        self.remove(&id)?;
        Ok(ended)
    }

    /// Makes and starts a container; gives its ID.
    ///
    /// # Errors
    /// What the engine refuses.
    pub fn start_container(&self, container: &Value) -> Result<String, String> {
        let id = self.create(container)?.ok_or("there is nothing to run")?;
        self.started(&id)??;
        Ok(id)
    }

    /// Runs a container until its output has this in it, asks it to end, and gives it so many
    /// seconds before it is killed.
    ///
    /// # Errors
    /// What the engine refuses, and a program that never says so.
    pub fn stop(&self, container: &Value, sign: &str, seconds: u32) -> Result<Ended, String> {
        let id = self.start_container(container)?;
        self.says(&id, sign)?;
        self.done(&format!("POST /containers/{id}/stop?t={seconds}"), None)?;
        let ended = self.ended(&id)?;
        self.remove(&id)?;
        Ok(ended)
    }

    /// Starts a container; the inner error is why its program does not start.
    fn started(&self, id: &str) -> Result<Result<(), String>, String> {
        let answer = self.send(&format!("POST /containers/{id}/start"), None)?;
        Ok(match answer.status {
            204 => Ok(()),
            _ => Err(answer.text()),
        })
    }

    fn ended(&self, id: &str) -> Result<Ended, String> {
        let waited = self.json(&format!("POST /containers/{id}/wait"), None)?;
        let code = waited.get("StatusCode").and_then(Value::as_i64);
        let code = code.ok_or_else(|| waited.to_string())?;
        let log = |stream: &str| -> Result<String, String> {
            let get = format!("GET /containers/{id}/logs?{stream}=1");
            String::from_utf8(unframed(&self.done(&get, None)?.body)).map_err(text)
        };
        Ok(Ended::Exited {
            code,
            output: log("stdout")?,
            errors: log("stderr")?,
        })
    }

    /// Waits until a container has written this.
    fn says(&self, id: &str, sign: &str) -> Result<(), String> {
        let mut stream = UnixStream::connect(self.socket()).map_err(text)?;
        let get = format!(
            "GET /containers/{id}/logs?stdout=1&follow=1 HTTP/1.0\r\nHost: localhost\r\n\r\n"
        );
        stream.write_all(get.as_bytes()).map_err(text)?;
        let mut said = Vec::new();
        let mut part = [0; 512];
        while !String::from_utf8_lossy(&said).contains(sign) {
            match stream.read(&mut part) {
                Ok(0) => {
                    let said = String::from_utf8_lossy(&said);
                    return Err(format!("the container ended without `{sign}`: {said}"));
                }
                Ok(count) => said.extend(part.iter().take(count)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(text(error)),
            }
        }
        Ok(())
    }

    /// Takes a container away, with what it has mounted.
    ///
    /// # Errors
    /// There is no such container.
    pub fn remove(&self, id: &str) -> Result<(), String> {
        let delete = format!("DELETE /containers/{id}?force=1&v=1");
        self.done(&delete, None).map(|_| ())
    }

    /// The versions of the engine and of its parts.
    ///
    /// # Errors
    /// It does not answer.
    pub fn versions(&self) -> Result<String, String> {
        let said = self.json("GET /version", None)?;
        let text = |part: &Value, key| part.get(key).and_then(Value::as_str).map(str::to_owned);
        let parts = said.get("Components").and_then(Value::as_array);
        let parts = parts.into_iter().flatten().filter_map(|part| {
            Some(format!(
                "{} {}",
                text(part, "Name")?,
                text(part, "Version")?
            ))
        });
        Ok(parts.collect::<Vec<_>>().join(", "))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.open.take());
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// Whether this process may make namespaces and mount something.
fn may_run() -> Result<(), String> {
    let tried = Command::new("unshare")
        .args(UNSHARE)
        .args(["mount", "-t", "tmpfs", "none", "/run"])
        .output()
        .map_err(|error| format!("unshare does not start: {error}"))?;
    match tried.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&tried.stderr).trim().to_owned()),
    }
}

/// A log without its frames: a byte for the stream, three zeros, and four for the length.
fn unframed(mut log: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    while let Some(([_, _, _, _, length @ ..], rest)) = log.split_first_chunk::<8>() {
        let length = u32::from_be_bytes(*length) as usize;
        let (part, rest) = rest.split_at(length.min(rest.len()));
        plain.extend_from_slice(part);
        log = rest;
    }
    plain
}

/// A value in a query string.
fn escaped(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    bytes.collect()
}
