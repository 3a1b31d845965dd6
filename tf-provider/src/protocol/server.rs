//! One connection: HTTP/2, and the services that [go-plugin](https://github.com/hashicorp/go-plugin)
//! expects beside the provider's own.

use std::sync::Arc;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::{Builder, SendResponse};
use http::Request;
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::calls::Calls;
use super::grpc::{self, Status};
use super::messages::{Empty, Health};
use super::provider::Provider;

/// How much a peer may send before it waits: arguments are a few kilobytes.
const WINDOW: u32 = 1 << 20;
/// `SERVING`
const SERVING: i32 = 1;

/// Serves a connection until the peer has closed it, or has asked for the end and has its answers.
pub(crate) async fn serve<P: Provider>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    calls: Arc<Calls<P>>,
) -> Result<(), h2::Error> {
    let mut builder = Builder::new();
    builder.initial_window_size(WINDOW);
    builder.initial_connection_window_size(WINDOW);
    let mut connection = builder.handshake(stream).await?;
    let (end, mut ended) = watch::channel(());
    let end = Arc::new(end);
    loop {
        tokio::select! {
            call = connection.accept() => match call {
                Some(call) => {
                    let (request, stream) = call?;
                    tokio::spawn(answer(request, stream, Arc::clone(&calls), Arc::clone(&end)));
                }
                None => return Ok(()),
            },
            Ok(()) = ended.changed() => connection.graceful_shutdown(),
        }
    }
}

async fn answer<P: Provider>(
    request: Request<RecvStream>,
    stream: SendResponse<Bytes>,
    calls: Arc<Calls<P>>,
    end: Arc<watch::Sender<()>>,
) {
    let path = request.uri().path().to_owned();
    let mut body = request.into_body();
    match path.as_str() {
        // Streams on which Terraform waits for what never comes: other connections, and what the
        // program prints. They are held open, because gRPC closes a connection that is idle.
        "/plugin.GRPCBroker/StartStream" | "/plugin.GRPCStdio/StreamStdio" => {
            let Some(stream) = grpc::open(stream) else {
                return;
            };
            let mut ended = end.subscribe();
            tokio::select! {
                _ = ended.changed() => grpc::close(stream),
                () = drained(&mut body) => grpc::close(stream),
            }
        }
        "/plugin.GRPCController/Shutdown" => {
            grpc::respond(stream, Ok(Empty {}.encode_to_vec()));
            end.send_replace(());
        }
        "/grpc.health.v1.Health/Check" => {
            let health = Health { status: SERVING };
            grpc::respond(stream, Ok(health.encode_to_vec()));
        }
        path => {
            let answer = match path.strip_prefix("/tfplugin6.Provider/") {
                None => Err(Status::unimplemented()),
                Some(method) => match grpc::request(body).await {
                    Ok(request) => calls.answer(method, &request).await,
                    Err(status) => Err(status),
                },
            };
            grpc::respond(stream, answer);
        }
    }
}

/// Waits for the broken end of a stream that says nothing of interest.
async fn drained(body: &mut RecvStream) {
    loop {
        match body.data().await {
            Some(Ok(part)) => {
                body.flow_control().release_capacity(part.len()).ok();
            }
            // The peer has said all: it may wait for us all the same.
            None => return std::future::pending().await,
            Some(Err(_)) => return,
        }
    }
}
