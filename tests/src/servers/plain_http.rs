//! As much of an HTTP client as filling a server needs: one request, one connection, no TLS.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// An answer, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// The body as text, for messages.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends a request by HTTP/1.0, whose answers end with the connection.
pub(super) fn send(
    address: SocketAddr,
    request: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, String> {
    let to = address.to_string();
    let stream = TcpStream::connect(address);
    exchange(stream, &to, request, headers, body)
}

/// The same, to a server that listens on a socket in the file system.
pub(super) fn send_to_socket(
    socket: &Path,
    request: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, String> {
    let stream = UnixStream::connect(socket);
    exchange(stream, "localhost", request, headers, body)
}

fn exchange(
    stream: std::io::Result<impl Read + Write>,
    host: &str,
    request: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, String> {
    let mut head = format!(
        "{request} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let received = stream
        .and_then(|stream| received(stream, head.as_bytes(), body))
        .map_err(|error| format!("{request} at {host}: {error}"))?;
    parse(&received).ok_or_else(|| format!("{request} at {host}: no HTTP"))
}

fn received(mut stream: impl Read + Write, head: &[u8], body: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(head)?;
    stream.write_all(body)?;
    let mut received = Vec::new();
    stream.read_to_end(&mut received)?;
    Ok(received)
}

fn parse(received: &[u8]) -> Option<Answer> {
    let end = received.windows(4).position(|part| part == b"\r\n\r\n")?;
    let (head, body) = received.split_at_checked(end)?;
    let head = String::from_utf8_lossy(head).into_owned();
    let status = head.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let body = body.get(4..)?.to_vec();
    Some(Answer { status, head, body })
}
