//! The secrets that [`repositoryCredentials`](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/private-auth.html)
//! names: `{"username": "...", "password": "..."}` in Secrets Manager.

use serde_json::{Map, Value, json};

use super::call::call;
use super::endpoint::{SECRETS_MANAGER, Variant};
use super::place::Region;
use super::{Aws, AwsProblem};
use crate::credentials::{SECRET_NAME_MAX, login};
use crate::remote::Credential;

const ACTION: &str = "GetSecretValue";

pub(super) async fn read(aws: &Aws, secret: &str) -> Result<Credential, AwsProblem> {
    let region = match Name::parse(secret)? {
        Name::InRegion(region) => region,
        Name::Plain => {
            let region = aws.config().await?.region();
            region
                .and_then(|region| Region::parse(region.as_ref()))
                .ok_or(AwsProblem::NoRegion)?
        }
    };
    let input = json!({"SecretId": secret});
    let service = &SECRETS_MANAGER;
    let answer = call(aws, service, &region, Variant::default(), (ACTION, &input)).await;
    match answer? {
        Value::Object(answer) => credential(&answer),
        _ => Err(AwsProblem::Answer { action: ACTION }),
    }
}

/// How a secret is named.
pub(super) enum Name {
    InRegion(Region),
    Plain,
}

impl Name {
    pub(super) fn parse(secret: &str) -> Result<Self, AwsProblem> {
        if secret.is_empty() || secret.len() > SECRET_NAME_MAX {
            return Err(AwsProblem::Name);
        }
        if !secret.starts_with("arn:") {
            return Ok(Self::Plain);
        }
        let parts: Vec<_> = secret.splitn(7, ':').collect();
        match parts.as_slice() {
            ["arn", _, "secretsmanager", region, _, "secret", name] if !name.is_empty() => {
                let region = Region::parse(region).ok_or(AwsProblem::Name)?;
                Ok(Self::InRegion(region))
            }
            _ => Err(AwsProblem::Name),
        }
    }
}

/// What the secret holds. No error repeats any of it.
pub(super) fn credential(answer: &Map<String, Value>) -> Result<Credential, AwsProblem> {
    let content = |problem| Err(AwsProblem::Content { problem });
    let text = match (answer.get("SecretString"), answer.get("SecretBinary")) {
        (Some(Value::String(text)), _) => text,
        (_, Some(_)) => return content("is binary"),
        _ => return Err(AwsProblem::Answer { action: ACTION }),
    };
    let Ok(Value::Object(fields)) = serde_json::from_str(text) else {
        return content("is not a JSON object");
    };
    let field = |key: &str| match fields.get(key) {
        Some(Value::String(text)) if !text.is_empty() => Some(text.as_str()),
        _ => None,
    };
    match (field("username"), field("password")) {
        (Some(username), Some(password)) => Ok(login(username, password)),
        (None, _) => content("has no text `username`"),
        (_, None) => content("has no text `password`"),
    }
}
