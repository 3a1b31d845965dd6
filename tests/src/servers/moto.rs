//! AWS, as [moto](https://docs.getmoto.org/) plays it: it takes any credentials.

use std::net::SocketAddr;
use std::process::Command;

use serde_json::{Value, json};

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
        Self::calling(None)
    }

    /// Starts one that executes state machines. What these call is called on this port, and not
    /// in moto itself.
    ///
    /// # Errors
    /// It is required and missing, or does not start.
    pub fn with_state_machines(port: u16) -> Result<Option<Self>, String> {
        let Some(moto) = Self::calling(Some(port))? else {
            return Ok(None);
        };
        let config = json!({"stepfunctions": {"execute_state_machine": true}}).to_string();
        let path = "POST /moto-api/config";
        let answer = send(moto.address, path, &[], config.as_bytes())?;
        match answer.status {
            201 => Ok(Some(moto)),
            status => Err(format!("{path}: {status}: {}", answer.text())),
        }
    }

    fn calling(port: Option<u16>) -> Result<Option<Self>, String> {
        let Some(program) = program("MOTO_SERVER", "moto_server")? else {
            return Ok(None);
        };
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", "0"]);
        if let Some(port) = port {
            command.env("MOTO_PORT", port.to_string());
        }
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

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Calls a service that speaks JSON, as whoever has this access key; gives the answer.
    ///
    /// # Errors
    /// What moto refuses.
    pub fn json(
        &self,
        (key, region): (&str, &str),
        (service, target): (&str, &str),
        input: &Value,
    ) -> Result<Value, String> {
        let authorization = authorization_of(key, region, service);
        let headers = [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("X-Amz-Target", target),
            ("Authorization", authorization.as_str()),
        ];
        let body = input.to_string();
        let answer = send(self.address, "POST /", &headers, body.as_bytes())?;
        if answer.status != 200 {
            return Err(format!("{target}: {}: {}", answer.status, answer.text()));
        }
        serde_json::from_slice(&answer.body).map_err(|error| format!("{target}: {error}"))
    }

    /// Calls a service that speaks REST; gives the answer.
    ///
    /// # Errors
    /// What moto refuses.
    pub fn rest(
        &self,
        (key, region): (&str, &str),
        (service, request): (&str, &str),
        input: &Value,
    ) -> Result<Value, String> {
        let authorization = authorization_of(key, region, service);
        let headers = [
            ("Content-Type", "application/json"),
            ("Authorization", authorization.as_str()),
        ];
        let body = match input {
            Value::Null => String::new(),
            input => input.to_string(),
        };
        let answer = send(self.address, request, &headers, body.as_bytes())?;
        if answer.status != 200 {
            return Err(format!("{request}: {}: {}", answer.status, answer.text()));
        }
        serde_json::from_slice(&answer.body).map_err(|error| format!("{request}: {error}"))
    }

    /// An access key for another account.
    ///
    /// # Errors
    /// What moto refuses.
    pub fn key_of(&self, account: &str) -> Result<String, String> {
        let form = format!(
            "Action=AssumeRole&Version=2011-06-15&RoleSessionName=setup&RoleArn=arn:aws:iam::{account}:role/setup"
        );
        let authorization = authorization_of("key", "us-east-1", "sts");
        let headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Authorization", authorization.as_str()),
        ];
        let answer = send(self.address, "POST /", &headers, form.as_bytes())?;
        let text = answer.text();
        let (_, rest) = text.split_once("<AccessKeyId>").ok_or(&text)?;
        let (key, _) = rest.split_once("</AccessKeyId>").ok_or(&text)?;
        Ok(key.to_owned())
    }

    /// Calls a service that takes forms; gives the answer.
    ///
    /// # Errors
    /// What moto refuses.
    pub fn form(
        &self,
        (key, region): (&str, &str),
        service: &str,
        form: &str,
    ) -> Result<String, String> {
        let authorization = authorization_of(key, region, service);
        let headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Authorization", authorization.as_str()),
        ];
        let answer = send(self.address, "POST /", &headers, form.as_bytes())?;
        match answer.status {
            200 => Ok(answer.text()),
            status => Err(format!("{service}: {status}: {}", answer.text())),
        }
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
        self.json(("key", region), ("secretsmanager", &target), input)
    }

    /// What is at a path of Amazon S3; nothing, where there is nothing.
    ///
    /// # Errors
    /// What moto refuses.
    pub fn s3_get(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let get = format!("GET {path}");
        let authorization = authorization_of("key", "us-east-1", "s3");
        let headers = [("Authorization", authorization.as_str())];
        let answer = send(self.address, &get, &headers, b"")?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 => Ok(None),
            status => Err(format!("{get}: {status}: {}", answer.text())),
        }
    }

    /// Puts something at a path of Amazon S3: a bucket (`/name`), an object (`/name/key`) or a
    /// bucket's policy (`/name?policy`).
    ///
    /// # Errors
    /// What moto refuses.
    pub fn s3_put(&self, path: &str, body: &[u8]) -> Result<(), String> {
        let put = format!("PUT {path}");
        let authorization = authorization_of("key", "us-east-1", "s3");
        let headers = [("Authorization", authorization.as_str())];
        let answer = send(self.address, &put, &headers, body)?;
        match answer.status {
            200 | 204 => Ok(()),
            status => Err(format!("{put}: {status}: {}", answer.text())),
        }
    }
}

/// Moto reads key, service and region from it, and does not look at the signature.
fn authorization_of(key: &str, region: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/{service}/aws4_request, \
         SignedHeaders=host, Signature=none"
    )
}
