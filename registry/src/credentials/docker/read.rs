//! The parts of the file that concern credentials.
//!
//! Read by hand from a JSON value: a typed reader repeats what it did not expect, and that may
//! be a password.

use serde_json::{Map, Value};

use super::error::DockerConfigError;
use super::key::Key;
use crate::credentials::{login, login_from_base64};
use crate::reference::shown;
use crate::remote::{Credential, Secret};

/// What the file says about credentials.
pub(super) struct Parts {
    pub(super) auths: Vec<(Key, Map<String, Value>)>,
    pub(super) helpers: Vec<(Key, String)>,
    pub(super) store: Option<String>,
}

pub(super) fn parts(file: &str, text: &str) -> Result<Parts, DockerConfigError> {
    let at = Place { file };
    let root = match serde_json::from_str(text) {
        Ok(Value::Object(root)) => root,
        Ok(_) => {
            let file = file.to_owned();
            return Err(DockerConfigError::NotObject { file });
        }
        Err(error) => {
            return Err(DockerConfigError::NotJson {
                file: file.to_owned(),
                line: error.line(),
                column: error.column(),
            });
        }
    };
    let mut auths = Vec::new();
    for (key, entry) in at.object(&root, "auths")? {
        let place = format!("auths.{}", shown(&key));
        match entry {
            Value::Object(fields) => auths.push((Key::parse(&key), fields)),
            Value::Null => {}
            _ => return Err(at.error(&place, OBJECT)),
        }
    }
    let mut helpers = Vec::new();
    for (key, helper) in at.object(&root, "credHelpers")? {
        let place = format!("credHelpers.{}", shown(&key));
        match helper {
            Value::String(helper) => helpers.push((Key::parse(&key), helper)),
            _ => return Err(at.error(&place, TEXT)),
        }
    }
    let store = at.text(&root, "credsStore", "credsStore")?;
    Ok(Parts {
        auths,
        helpers,
        store: store.map(str::to_owned),
    })
}

/// The credential in an entry of `auths`. Where a store holds it, the entry is empty.
pub(super) fn credential(
    file: &str,
    key: &Key,
    fields: &Map<String, Value>,
) -> Result<Option<Credential>, DockerConfigError> {
    let at = Place { file };
    let place = |field: &str| format!("auths.{}.{field}", shown(&key.written));
    let text = |field: &'static str| at.text(fields, field, &place(field));
    if let Some(token) = text("identitytoken")? {
        return Ok(Some(Credential::identity(Secret::new(token))));
    }
    if let Some(auth) = text("auth")? {
        let credential = login_from_base64(auth);
        let credential = credential.ok_or_else(|| at.error(&place("auth"), PAIR))?;
        return Ok(Some(credential));
    }
    let pair = text("username")?.zip(text("password")?);
    Ok(pair.map(|(username, password)| login(username, password)))
}

const OBJECT: &str = "a JSON object";
const TEXT: &str = "a text";
const PAIR: &str = "base64 of `user:password`";

/// The file, for messages.
struct Place<'a> {
    file: &'a str,
}

impl Place<'_> {
    fn error(&self, at: &str, expected: &'static str) -> DockerConfigError {
        DockerConfigError::Form {
            file: self.file.to_owned(),
            at: at.to_owned(),
            expected,
        }
    }

    fn object(
        &self,
        parent: &Map<String, Value>,
        key: &str,
    ) -> Result<Map<String, Value>, DockerConfigError> {
        match parent.get(key) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(object)) => Ok(object.clone()),
            Some(_) => Err(self.error(key, OBJECT)),
        }
    }

    /// A text; an empty one is as good as none.
    fn text<'v>(
        &self,
        parent: &'v Map<String, Value>,
        key: &str,
        place: &str,
    ) -> Result<Option<&'v str>, DockerConfigError> {
        match parent.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(self.error(place, TEXT)),
        }
    }
}
