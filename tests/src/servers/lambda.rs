//! AWS Lambda, as one function sees it: the
//! [Runtime API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), and a process of
//! the function's program with an environment of its own.

use std::fs::{self, File};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use super::authority::text;
use super::request::Request;

/// What Lambda takes as an event, and as a response: 6 MB.
pub const PAYLOAD_MAX: usize = 6 * 1024 * 1024;
const VERSION: &str = "/2018-06-01/runtime/";
const ARN: &str = "arn:aws:lambda:eu-central-1:123456789012:function:outrigger";

/// A function with one process, which is ended and waited for when it is dropped.
#[derive(Debug)]
pub struct Function {
    child: Child,
    events: Option<Sender<Event>>,
    happened: Mutex<Receiver<Happened>>,
    invocations: AtomicU64,
    address: SocketAddr,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    folder: TempDir,
}

/// What a function answered.
#[derive(Debug)]
pub struct Answer {
    /// The response's bytes.
    pub payload: Vec<u8>,
    /// From the event to the response.
    pub took: Duration,
}

#[derive(Debug)]
struct Event {
    id: String,
    payload: Vec<u8>,
    deadline: SystemTime,
}

/// What the process does.
#[derive(Debug)]
enum Happened {
    /// It posted this: an answer, or an error.
    Posted(String, Vec<u8>),
    /// It has ended, and had said this on standard error.
    Ended(String),
}

impl Function {
    /// Starts a program with these variables, those that Lambda sets, and no others.
    ///
    /// # Errors
    /// It does not start.
    pub fn start<'v>(
        program: &mut Command,
        variables: impl IntoIterator<Item = (&'v str, &'v str)>,
    ) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(text)?;
        let log = File::create(folder.path().join("log")).map_err(text)?;
        let listener = TcpListener::bind("127.0.0.1:0").map_err(text)?;
        let address = listener.local_addr().map_err(text)?;
        let name = program.get_program().to_string_lossy().into_owned();
        let mut child = program
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", address.to_string().as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "outrigger"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/outrigger"),
                ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
                ("AWS_REGION", "eu-central-1"),
            ])
            .envs(super::counted())
            .envs(variables)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{name} does not start: {error}"))?;
        let (events, given) = channel();
        let (happens, happened) = channel();
        let over = Arc::new(AtomicBool::new(false));
        let end = watch(child.stderr.take(), happens.clone());
        let given = Arc::new(Mutex::new(given));
        let api = serve(listener, Arc::clone(&over), given, happens);
        Ok(Self {
            child,
            events: Some(events),
            happened: Mutex::new(happened),
            invocations: AtomicU64::new(0),
            address,
            over,
            threads: vec![end, api],
            folder,
        })
    }

    /// Hands over an event, and waits for the answer to it until the time is over, which the
    /// function is told.
    ///
    /// # Errors
    /// The function reports an error, ends, answers too late, or answers something else; with its
    /// output.
    pub fn invoke(&self, event: &[u8], time: Duration) -> Result<Answer, String> {
        let number = self.invocations.fetch_add(1, Ordering::SeqCst);
        let (id, started) = (format!("lambda-{number}"), Instant::now());
        let event = Event {
            id: id.clone(),
            payload: event.to_vec(),
            deadline: SystemTime::now() + time,
        };
        let events = self.events.as_ref().ok_or("the function is over")?;
        events.send(event).map_err(text)?;
        let happened = self.happened.lock();
        let happened = happened.unwrap_or_else(PoisonError::into_inner);
        let what = match happened.recv_timeout(time) {
            Ok(Happened::Posted(path, payload)) if path == format!("invocation/{id}/response") => {
                let took = started.elapsed();
                return Ok(Answer { payload, took });
            }
            Ok(Happened::Posted(path, body)) => {
                format!("posts to {path}: {}", String::from_utf8_lossy(&body))
            }
            Ok(Happened::Ended(said)) => format!("has ended: {said}"),
            Err(RecvTimeoutError::Timeout) => "does not answer in time".to_owned(),
            Err(RecvTimeoutError::Disconnected) => "is gone".to_owned(),
        };
        Err(format!("the function {what}\n{}", self.log()))
    }

    /// What it has written on standard output: all that goes to its log.
    pub fn log(&self) -> String {
        self.log_after(0)
    }

    /// The same without so many bytes of its beginning.
    pub fn log_after(&self, bytes: u64) -> String {
        let mut log = Vec::new();
        let read = File::open(self.folder.path().join("log")).and_then(|mut file| {
            file.seek(SeekFrom::Start(bytes))?;
            file.read_to_end(&mut log)
        });
        // A function that has not started has no log.
        let _ = read;
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Kills the process, as AWS Lambda does when the time is over.
    pub fn kill(&self) {
        let id = self.child.id().to_string();
        // It may have ended by itself: then there is nothing left to do.
        let _ = Command::new("kill").args(["-9", &id]).status();
    }

    /// The memory that its process holds, in KiB; `None` where the system does not tell.
    pub fn resident(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_ascii_whitespace().next()?.parse().ok()
    }
}

impl Function {
    /// What its process has open, without numbers (`socket`, `pipe`, a path); `None` where the
    /// system does not tell.
    pub fn open_files(&self) -> Option<Vec<String>> {
        let files = fs::read_dir(format!("/proc/{}/fd", self.child.id())).ok()?;
        let names = files.flatten().filter_map(|file| {
            let name = fs::read_link(file.path()).ok()?;
            let name = name.to_string_lossy().into_owned();
            Some(match name.split_once(":[") {
                Some((kind, _)) => kind.to_owned(),
                None => name,
            })
        });
        Some(names.collect())
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // Whoever waits for an event learns that there is none.
        self.events = None;
        // It may have ended by itself: then there is nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.over.store(true, Ordering::SeqCst);
        // Wakes the thread that is waiting for a connection.
        let _ = TcpStream::connect(self.address);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Reads standard error to its end, which is that of the process.
fn watch(stderr: Option<ChildStderr>, happens: Sender<Happened>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut said = Vec::new();
        if let Some(mut stderr) = stderr {
            let _ = stderr.read_to_end(&mut said);
        }
        let _ = happens.send(Happened::Ended(String::from_utf8_lossy(&said).into_owned()));
    })
}

/// Serves the Runtime API until it is over. The process may keep a connection or make new ones.
fn serve(
    listener: TcpListener,
    over: Arc<AtomicBool>,
    events: Arc<Mutex<Receiver<Event>>>,
    happens: Sender<Happened>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut connections = Vec::new();
        for stream in listener.incoming().flatten() {
            if over.load(Ordering::SeqCst) {
                break;
            }
            let (events, happens) = (Arc::clone(&events), happens.clone());
            connections.push(std::thread::spawn(move || {
                // A process that goes away is noticed by its standard error.
                let _ = connection(&stream, &events, &happens);
            }));
        }
        for connection in connections {
            let _ = connection.join();
        }
    })
}

fn connection(
    mut stream: &TcpStream,
    events: &Mutex<Receiver<Event>>,
    happens: &Sender<Happened>,
) -> std::io::Result<()> {
    let mut requests = BufReader::new(stream);
    while let Some(request) = Request::read(&mut requests, PAYLOAD_MAX)? {
        let path = request.target.strip_prefix(VERSION).unwrap_or_default();
        match (request.method.as_str(), path) {
            ("GET", "invocation/next") => {
                let events = events.lock().unwrap_or_else(PoisonError::into_inner);
                let Ok(event) = events.recv() else { break };
                let until = event.deadline.duration_since(UNIX_EPOCH);
                let mut answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                     Lambda-Runtime-Aws-Request-Id: {}\r\nLambda-Runtime-Deadline-Ms: {}\r\n\
                     Lambda-Runtime-Invoked-Function-Arn: {ARN}\r\nContent-Length: {}\r\n\r\n",
                    event.id,
                    until.unwrap_or_default().as_millis(),
                    event.payload.len()
                )
                .into_bytes();
                answer.extend_from_slice(&event.payload);
                // In one piece: a second one would wait for the first to be acknowledged.
                stream.write_all(&answer)?;
            }
            ("POST", path) if path.starts_with("invocation/") || path == "init/error" => {
                let status = "{\"status\":\"OK\"}";
                let length = status.len();
                let answer =
                    format!("HTTP/1.1 202 Accepted\r\nContent-Length: {length}\r\n\r\n{status}");
                stream.write_all(answer.as_bytes())?;
                let _ = happens.send(Happened::Posted(path.to_owned(), request.body));
            }
            _ => stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?,
        }
        if request.is_last {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
