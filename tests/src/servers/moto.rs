//! AWS, as [moto](https://docs.getmoto.org/) plays it: it takes any credentials.

use std::net::SocketAddr;
use std::process::Command;

use serde_json::Value;

use super::plain_http::send;
use super::process::Process;
use super::program;

/// Behind this moto says where it listens.
const SIGN: &str = "Running on http://";

/// A server with all of moto's services.
#[derive(Debug)]
pub struct Moto {
    address: SocketAddr,
    _process: Process,
}

impl Moto {
    /// Starts moto; `None` where it is not installed.
    ///
    /// # Errors
    /// It is required and missing, or does not start.
    pub fn start() -> Result<Option<Self>, String> {
        let Some(program) = program("MOTO_SERVER", "moto_server")? else {
            return Ok(None);
        };
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", "0"]);
        let (process, address) = Process::start(&mut command, SIGN)?;
        Ok(Some(Self {
            address,
            _process: process,
        }))
    }

    /// For `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Calls Secrets Manager; gives the answer.
    ///
    /// # Errors
    /// What moto refuses.
    pub fn secrets_manager(
        &self,
        region: &str,
        action: &str,
        input: &Value,
    ) -> Result<Value, String> {
        let target = format!("secretsmanager.{action}");
        // Moto reads service and region from it, and does not look at the signature.
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=key/20260101/{region}/secretsmanager/aws4_request, \
             SignedHeaders=host, Signature=none"
        );
        let headers = [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("X-Amz-Target", target.as_str()),
            ("Authorization", authorization.as_str()),
        ];
        let body = input.to_string();
        let answer = send(self.address, "POST /", &headers, body.as_bytes())?;
        if answer.status != 200 {
            return Err(format!("{target}: {}: {}", answer.status, answer.text()));
        }
        serde_json::from_slice(&answer.body).map_err(|error| format!("{target}: {error}"))
    }
}
