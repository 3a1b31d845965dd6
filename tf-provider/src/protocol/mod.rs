//! Version 6 of [Terraform's plugin protocol](https://developer.hashicorp.com/terraform/plugin/terraform-plugin-protocol),
//! by hand: as much of it as a provider with resources, data sources and functions needs.
//!
//! ```text
//! Terraform starts the program --handshake--> a line on standard output: socket, certificate
//!      |
//!      '--unix socket, TLS with the one certificate (tls)--> HTTP/2, gRPC (server, grpc)
//!                                                                |
//!                    Provider <--Value, Schema-- messages <--calls-'
//! ```
//!
//! - [`serve`]: from the start of the program to its end.
//! - [`Provider`]: what a program implements.
//! - [`Value`] and [`Type`]: Terraform's values, in its form of MessagePack.
//! - [`schema`]: what a provider says of its configuration.
//!
//! Deliberately absent: import, moved state between types, ephemeral resources, deferred actions,
//! and TCP: a socket in a folder that only its owner can enter needs no port. What is absent is
//! answered as not implemented.

mod calls;
mod diagnostic;
mod grpc;
mod handshake;
mod messages;
mod msgpack;
mod provider;
pub mod schema;
mod server;
mod tls;
mod types;
mod value;

pub use diagnostic::{Diagnostic, FunctionError, Severity, Step};
pub use handshake::{Environment, ServeError, serve};
pub use provider::{Planned, Provider};
pub use types::{Type, TypeError};
pub use value::Value;
