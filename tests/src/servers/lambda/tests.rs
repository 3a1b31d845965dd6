//! A function that is a script, and a test that speaks to the Runtime API in its place.

use std::path::Path;

use super::super::plain_http::send;
use super::*;

const SOON: Duration = Duration::from_secs(20);

/// A function that does this.
fn script(lines: &str) -> Function {
    let mut shell = Command::new("/bin/sh");
    Function::start(shell.args(["-c", lines]), [("NAME", "value")]).unwrap()
}

/// One that says nothing and waits.
fn silent() -> Function {
    script("exec /bin/sleep 60")
}

/// Takes the next event as the program would, and posts this.
fn serve_one(function: &Function, posted: &str) -> JoinHandle<()> {
    let (address, posted) = (function.address, posted.to_owned());
    std::thread::spawn(move || {
        let next = send(address, "GET /2018-06-01/runtime/invocation/next", &[], b"").unwrap();
        let id = next.header("Lambda-Runtime-Aws-Request-Id").unwrap();
        let deadline = next.header("Lambda-Runtime-Deadline-Ms").unwrap();
        assert!(deadline.parse::<u64>().unwrap() > 1_700_000_000_000);
        let post = format!("POST /2018-06-01/runtime/{}", posted.replace("{id}", id));
        let answer = send(address, &post, &[], &next.body).unwrap();
        assert_eq!(answer.status, 202);
    })
}

#[test]
fn an_event_is_answered() {
    let function = silent();
    for event in ["{}", "{\"a\": 1}"] {
        let program = serve_one(&function, "invocation/{id}/response");
        let answer = function.invoke(event.as_bytes(), SOON).unwrap();
        program.join().unwrap();
        assert_eq!(answer.payload, event.as_bytes());
        assert!(answer.took < SOON);
    }
    assert!(function.resident().is_none_or(|kib| kib > 0));
}

#[test]
fn whatever_is_no_answer_is_a_failure_with_what_was_said() {
    let mut told = Vec::new();
    for posted in [
        "invocation/{id}/error",
        "init/error",
        "invocation/x/response",
    ] {
        let function = silent();
        let program = serve_one(&function, posted);
        told.push(function.invoke(b"{}", SOON).unwrap_err());
        program.join().unwrap();
    }
    let function = script("echo to the log; echo $NAME >&2; exit 3");
    told.push(function.invoke(b"{}", SOON).unwrap_err());
    let function = silent();
    told.push(function.invoke(b"{}", Duration::ZERO).unwrap_err());
    insta::assert_snapshot!(told.join("\n"), @"
    the function posts to invocation/lambda-0/error: {}

    the function posts to init/error: {}

    the function posts to invocation/x/response: {}

    the function has ended: value

    to the log

    the function does not answer in time
    ");
}

#[test]
fn nothing_is_left_behind() {
    let function = silent();
    let (address, pid) = (function.address, function.child.id());
    let folder = function.folder.path().to_owned();
    assert!(TcpStream::connect(address).is_ok());
    drop(function);
    assert!(TcpStream::connect(address).is_err());
    assert!(!folder.exists() && !Path::new(&format!("/proc/{pid}")).exists());
}
