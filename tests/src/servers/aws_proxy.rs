//! A proxy before moto: it writes down what is called, and delays, refuses or changes what a test wants.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::Moto;
use super::plain_http::send;
use super::request::Request;

/// The longest request: a task definition.
const BODY_MAX: usize = 4 << 20;

/// A call that came in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Call {
    /// Its place among all calls.
    pub number: usize,
    /// `ecs:DescribeServices`; for REST, `scheduler:GET /schedules`.
    pub action: String,
    /// The region it is signed for.
    pub region: String,
    /// The access key it is signed with.
    pub key: String,
    /// What it asks, where that is JSON.
    pub input: Value,
    /// What it asks, as it came.
    pub body: String,
    /// Whether it was passed on.
    pub passed: bool,
}

impl Call {
    /// A text of what it asks.
    pub fn text(&self, key: &str) -> &str {
        self.input
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn of(request: &Request, number: usize) -> Call {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let authorization = request.header("authorization").unwrap_or_default();
        let scope = authorization
            .split_once("Credential=")
            .map(|(_, rest)| rest);
        let mut scope = scope.unwrap_or_default().split(['/', ',']);
        let key = scope.next().unwrap_or_default().to_owned();
        let region = scope.nth(1).unwrap_or_default().to_owned();
        let service = scope.next().unwrap_or_default().to_owned();
        let action = match (request.header("x-amz-target"), body.split_once("Action=")) {
            (Some(target), _) => target.rsplit('.').next().unwrap_or_default().to_owned(),
            (None, Some((_, rest))) => rest.split('&').next().unwrap_or_default().to_owned(),
            (None, None) => {
                let path = request.target.split('?').next().unwrap_or_default();
                format!("{} {path}", request.method)
            }
        };
        Call {
            number,
            action: format!("{service}:{action}"),
            region,
            key,
            input: serde_json::from_str(&body).unwrap_or_default(),
            body,
            passed: false,
        }
    }
}

/// What becomes of a call.
pub enum Verdict {
    /// Moto answers.
    Pass,
    /// Moto answers, and what it answers is changed, by what is given here.
    Change(Box<dyn FnOnce(Value) -> Value + Send>),
    /// Moto is asked this instead, and what it answers is changed, too.
    Instead(Value, Box<dyn FnOnce(Value) -> Value + Send>),
    /// This is answered, and moto hears nothing.
    Answer(u16, Value),
    /// Moto does it, and nobody hears of it.
    Lost,
    /// This is answered by a function of AWS Lambda, as its error.
    FunctionError(Value),
}

impl Verdict {
    /// Too many calls.
    pub fn throttled() -> Verdict {
        let error = json!({"__type": "ThrottlingException", "message": "Rate exceeded"});
        Verdict::Answer(400, error)
    }

    /// Not allowed.
    pub fn denied(action: &str) -> Verdict {
        let message = format!("User is not authorized to perform: {action}");
        let error = json!({"__type": "AccessDeniedException", "message": message});
        Verdict::Answer(400, error)
    }
}

type Judge = dyn Fn(&Call) -> Verdict + Send + Sync;

/// A proxy, as long as it is not dropped.
pub struct AwsProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    moto: SocketAddr,
    judge: Mutex<Arc<Judge>>,
    calls: Mutex<Vec<Call>>,
    /// Calls that moto is at work on.
    busy: AtomicUsize,
    delay: Mutex<Duration>,
    /// Answers by question, where they are to be remembered.
    known: Mutex<Option<BTreeMap<String, Answered>>>,
    ended: AtomicBool,
}

impl AwsProxy {
    /// Begins to listen before moto; everything passes.
    ///
    /// # Errors
    /// There is no port.
    pub fn start(moto: &Moto) -> Result<AwsProxy, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(text)?;
        AwsProxy::on(listener, moto)
    }

    /// The same, where it is known already on which port it listens.
    ///
    /// # Errors
    /// There is no port.
    pub fn on(listener: TcpListener, moto: &Moto) -> Result<AwsProxy, String> {
        let address = listener.local_addr().map_err(text)?;
        let shared = Arc::new(Shared {
            moto: moto.address(),
            judge: Mutex::new(Arc::new(|_| Verdict::Pass)),
            calls: Mutex::default(),
            busy: AtomicUsize::new(0),
            delay: Mutex::default(),
            known: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let listening = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if listening.ended.load(Ordering::SeqCst) {
                    break;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&listening)) else {
                    continue;
                };
                std::thread::spawn(move || {
                    // A client that was killed is what some tests want.
                    let _ = serve(&stream, &shared);
                });
            }
        });
        Ok(AwsProxy { address, shared })
    }

    /// For `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Has calls judged by this from now on.
    pub fn judge(&self, judge: impl Fn(&Call) -> Verdict + Send + Sync + 'static) {
        *lock(&self.shared.judge) = Arc::new(judge);
    }

    /// Every call takes so much longer.
    pub fn delay(&self, delay: Duration) {
        *lock(&self.shared.delay) = delay;
    }

    /// From now on a question that is asked again is answered as before, and moto hears nothing of it:
    /// what takes time is then the client's alone.
    pub fn remember(&self) {
        *lock(&self.shared.known) = Some(BTreeMap::new());
    }

    /// All calls since the last time.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *lock(&self.shared.calls))
    }

    /// All calls since they were taken last.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared.calls).clone()
    }

    /// How many calls there were.
    pub fn count(&self) -> usize {
        lock(&self.shared.calls).len()
    }

    /// Waits until moto has done everything that came in.
    pub fn settle(&self) {
        while self.shared.busy.load(Ordering::SeqCst) > 0 {
            std::thread::yield_now();
        }
    }
}

impl Drop for AwsProxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // It waits for a connection, and this is one.
        let _ = TcpStream::connect(self.address);
    }
}

fn text(error: std::io::Error) -> String {
    format!("the proxy before moto: {error}")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(request) = Request::read(&mut reader, BODY_MAX)? {
        shared.busy.fetch_add(1, Ordering::SeqCst);
        let answer = answered(&request, shared);
        shared.busy.fetch_sub(1, Ordering::SeqCst);
        let Some((status, headers, body)) = answer else {
            return Ok(());
        };
        let head = format!(
            "HTTP/1.1 {status} x\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = stream;
        stream.write_all(head.as_bytes())?;
        stream.write_all(&body)?;
        if request.is_last {
            break;
        }
    }
    Ok(())
}

/// Status, headers and body of an answer.
type Answered = (u16, String, Vec<u8>);

/// The answer; nothing, where there is to be none.
fn answered(request: &Request, shared: &Shared) -> Option<Answered> {
    let call = {
        let mut calls = lock(&shared.calls);
        let call = Call::of(request, calls.len());
        calls.push(call.clone());
        call
    };
    let delay = *lock(&shared.delay);
    if !delay.is_zero() {
        std::thread::sleep(delay);
    }
    let question = format!(
        "{} {} {} {} {}",
        call.key, call.region, request.target, call.action, call.body
    );
    if let Some(known) = &*lock(&shared.known)
        && let Some(answer) = known.get(&question)
    {
        return Some(answer.clone());
    }
    let answer = judged(request, &call, shared);
    if let (Some(known), Some(answer)) = (&mut *lock(&shared.known), &answer)
        && answer.0 == 200
    {
        known.insert(question, answer.clone());
    }
    answer
}

fn judged(request: &Request, call: &Call, shared: &Shared) -> Option<Answered> {
    let judge = Arc::clone(&lock(&shared.judge));
    let json = "Content-Type: application/x-amz-json-1.1\r\n".to_owned();
    let verdict = judge(call);
    if let Verdict::Answer(status, body) = verdict {
        return Some((status, json, body.to_string().into_bytes()));
    }
    if let Verdict::FunctionError(body) = verdict {
        let headers = format!("{json}X-Amz-Function-Error: Unhandled\r\n");
        return Some((200, headers, body.to_string().into_bytes()));
    }
    if let Some(call) = lock(&shared.calls).get_mut(call.number) {
        call.passed = true;
    }
    let line = format!("{} {}", request.method, request.target);
    let kept = request
        .headers()
        .filter(|(name, _)| !["host", "content-length", "connection"].contains(name));
    let kept: Vec<(&str, &str)> = kept.collect();
    let (verdict, body) = match verdict {
        Verdict::Instead(input, change) => {
            (Verdict::Change(change), input.to_string().into_bytes())
        }
        verdict => (verdict, request.body.clone()),
    };
    let Ok(answer) = send(shared.moto, &line, &kept, &body) else {
        return Some((503, json, Vec::new()));
    };
    let headers = ["Content-Type", "ETag"].map(|name| {
        let value = answer.header(name);
        value.map(|value| format!("{name}: {value}\r\n"))
    });
    let headers = headers.into_iter().flatten().collect();
    match verdict {
        Verdict::Lost => None,
        Verdict::Change(change) if answer.status == 200 => {
            let value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let body = change(value).to_string().into_bytes();
            Some((200, headers, body))
        }
        _ => Some((answer.status, headers, answer.body)),
    }
}

/// A page of a list that moto gives whole: with `most` items, from the place that `token` names.
pub fn paged(mut answer: Value, (list, next): (&str, &str), token: &str, most: usize) -> Value {
    let from: usize = token.parse().unwrap_or_default();
    let all = answer.get(list).and_then(Value::as_array).cloned();
    let all = all.unwrap_or_default();
    let to = all.len().min(from + most);
    let page = all.get(from..to).unwrap_or_default();
    if let Some(answer) = answer.as_object_mut() {
        answer.insert(list.to_owned(), json!(page));
        if to < all.len() {
            answer.insert(next.to_owned(), json!(to.to_string()));
        }
    }
    answer
}
