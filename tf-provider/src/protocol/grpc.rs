//! As much of [gRPC over HTTP/2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md)
//! as calls with one request and one response need.

use bytes::{BufMut, Bytes, BytesMut};
use h2::RecvStream;
use h2::server::SendResponse;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

/// The largest message that is read: as much as Terraform itself takes.
const MESSAGE_LIMIT: usize = 64 << 20;
/// Before each message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// Why a call has no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    code: u16,
    message: String,
}

impl Status {
    fn new(code: u16, message: &str) -> Self {
        Self {
            code,
            message: message.to_owned(),
        }
    }

    /// The request is not as it has to be.
    pub(crate) fn invalid(message: &str) -> Self {
        Self::new(3, message)
    }

    /// The request is larger than what is read.
    fn too_large() -> Self {
        Self::new(8, "a message is too large")
    }

    /// The method does not exist here.
    pub(crate) fn unimplemented() -> Self {
        Self::new(12, "not implemented")
    }

    /// The response is not as it has to be.
    pub(crate) fn internal(message: &str) -> Self {
        Self::new(13, message)
    }
}

/// The one message of a request.
pub(crate) async fn request(mut body: RecvStream) -> Result<Bytes, Status> {
    let mut bytes = BytesMut::new();
    while let Some(part) = body.data().await {
        let part = part.map_err(|_| Status::invalid("a request ended early"))?;
        if bytes.len() + part.len() > MESSAGE_LIMIT + PREFIX {
            return Err(Status::too_large());
        }
        bytes.extend_from_slice(&part);
        // The peer may send as much again.
        let released = body.flow_control().release_capacity(part.len());
        released.map_err(|_| Status::invalid("a request ended early"))?;
    }
    let mut bytes = bytes.freeze();
    if bytes.len() < PREFIX {
        return Err(Status::invalid("a request without a message"));
    }
    let prefix = bytes.split_to(PREFIX);
    match *prefix {
        [0, a, b, c, d] if usize::try_from(u32::from_be_bytes([a, b, c, d])) == Ok(bytes.len()) => {
            Ok(bytes)
        }
        [0, ..] => Err(Status::invalid("a request of another length than it says")),
        _ => Err(Status::unimplemented()),
    }
}

/// Answers a call. A peer that has gone away is no error of ours.
pub(crate) fn respond(mut stream: SendResponse<Bytes>, answer: Result<Vec<u8>, Status>) {
    let status = match answer {
        Ok(message) => {
            let Ok(mut body) = stream.send_response(head(), false) else {
                return;
            };
            if body.send_data(framed(&message), false).is_err() {
                return;
            }
            body.send_trailers(trailers(0, "")).ok();
            return;
        }
        Err(status) => status,
    };
    // Without a message the trailers are all there is.
    let mut head = head();
    head.headers_mut()
        .extend(trailers(status.code, &status.message));
    stream.send_response(head, true).ok();
}

/// Opens a stream of messages that never has one.
pub(crate) fn open(mut stream: SendResponse<Bytes>) -> Option<h2::SendStream<Bytes>> {
    stream.send_response(head(), false).ok()
}

/// Ends a stream of messages.
pub(crate) fn close(mut stream: h2::SendStream<Bytes>) {
    stream.send_trailers(trailers(0, "")).ok();
}

fn framed(message: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(PREFIX + message.len());
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    bytes.put_slice(message);
    bytes.freeze()
}

fn head() -> Response<()> {
    let mut head = Response::new(());
    *head.status_mut() = StatusCode::OK;
    let kind = HeaderValue::from_static("application/grpc");
    head.headers_mut().insert("content-type", kind);
    head
}

fn trailers(code: u16, message: &str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(code));
    if let Ok(message) = HeaderValue::from_str(message) {
        trailers.insert("grpc-message", message);
    }
    trailers
}
