//! As much of an HTTP server as the servers of this process need: requests, read one after the other.

use std::collections::BTreeMap;
use std::io::{BufRead, Error, Read};

/// The longest head of a request.
const HEAD_MAX: u64 = 64 * 1024;

/// A request of [HTTP/1.1](https://www.rfc-editor.org/rfc/rfc9112), read to its end.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    /// Whether the client waits for the connection's end, as it does in HTTP/1.0.
    pub(super) is_last: bool,
    headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// The next request; `None` where the client has gone away. A body has a length, and no more
    /// than this.
    pub(super) fn read(stream: &mut impl BufRead, most: usize) -> std::io::Result<Option<Self>> {
        let mut head = stream.by_ref().take(HEAD_MAX);
        let mut line = String::new();
        head.read_line(&mut line)?;
        let mut words = line.split_ascii_whitespace().map(str::to_owned);
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Ok(None);
        };
        let is_last = words.next().is_some_and(|version| version == "HTTP/1.0");
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            head.read_line(&mut line)?;
            match line.split_once(':') {
                Some((name, value)) => {
                    headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
                }
                None if line.trim_end().is_empty() && !line.is_empty() => break,
                None => return Err(Error::other("the head of a request is broken off")),
            }
        }
        let length = headers.get("content-length").map_or("0", String::as_str);
        let length: usize = length.parse().map_err(Error::other)?;
        if length > most || headers.contains_key("transfer-encoding") {
            return Err(Error::other("the body of a request is too long"));
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        Ok(Some(Self {
            method,
            target,
            is_last,
            headers,
            body,
        }))
    }

    /// All headers, their names in lower case.
    pub(super) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self.headers.iter();
        headers.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of a header, by its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}
