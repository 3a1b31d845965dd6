//! Docker's [`config.json`](https://docs.docker.com/reference/cli/docker/login/#credential-stores):
//! what `docker login` and its relatives have written down.
//!
//! ```json
//! {
//!   "auths": {"registry.example.com": {"auth": "<base64 of user:password>"}},
//!   "credHelpers": {"gcr.io": "gcloud"},
//!   "credsStore": "desktop"
//! }
//! ```
//!
//! A helper program of its own for the registry is asked first, else the default store
//! (`credsStore`); when they know nothing, the entry under `auths` counts. `docker` itself asks
//! in this order, too, but ignores an entry with a password where there is a store.

mod error;
mod helper;
mod key;
mod read;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::{Map, Value};

use crate::reference::shown;
use crate::remote::{Credential, CredentialError, CredentialSource, Origin, Wanted};
pub use error::{DockerConfigError, HelperError, HelperProblem};
pub use helper::HelperPrograms;
use key::Key;

/// A docker configuration.
pub struct DockerConfig {
    file: String,
    auths: Vec<(Key, Map<String, Value>)>,
    helpers: Vec<(Key, String)>,
    store: Option<String>,
    programs: HelperPrograms,
    /// Whether it is the one that `docker login` writes.
    of_docker: bool,
}

impl DockerConfig {
    /// Reads the file `config.json` that `docker login` writes; `None` where there is none.
    ///
    /// # Errors
    /// The file cannot be read, or is no docker configuration.
    pub fn read(path: &Path, programs: HelperPrograms) -> Result<Option<Self>, DockerConfigError> {
        let file = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if is_absent(error.kind()) => return Ok(None),
            Err(error) => {
                let reason = error.to_string();
                return Err(DockerConfigError::Unreadable { file, reason });
            }
        };
        let config = Self::parse(&file, &text, programs)?;
        Ok(Some(Self {
            of_docker: true,
            ..config
        }))
    }

    /// Reads the text of a configuration; `file` is its name in messages.
    ///
    /// An entry under `auths` that makes no sense is an error only for its own registry.
    ///
    /// # Errors
    /// The text is not JSON, or a part of it has another form.
    pub fn parse(
        file: &str,
        text: &str,
        programs: HelperPrograms,
    ) -> Result<Self, DockerConfigError> {
        let parts = read::parts(file, text)?;
        Ok(Self {
            file: file.to_owned(),
            auths: parts.auths,
            helpers: parts.helpers,
            store: parts.store,
            programs,
            of_docker: false,
        })
    }

    /// What is known for a registry, by the name that
    /// [`ImageReference::registry`](crate::ImageReference::registry) gives it.
    ///
    /// # Errors
    /// Names file and key, or the helper that gave no answer.
    pub async fn lookup(&self, registry: &str) -> Result<Option<Credential>, DockerConfigError> {
        let entry = key::best(&self.auths, registry);
        let own = key::best(&self.helpers, registry);
        let told = match (own, &self.store) {
            // An empty name says that this registry is not in the default store.
            (Some((_, helper)), _) if helper.is_empty() => None,
            (Some((_, helper)), _) => self.ask(helper, key::server(registry)).await?,
            (None, Some(store)) => {
                let server = key::server(registry);
                match self.ask(store, server).await {
                    // A store that is not on this machine, as in a container that was given the
                    // host's file: it cannot hold what the file does not list.
                    Err(error) if error.is_missing() && entry.is_none() => None,
                    answer => answer?,
                }
            }
            (None, None) => None,
        };
        match (told, entry) {
            (Some(credential), _) => Ok(Some(credential)),
            (None, Some((key, fields))) => {
                let found = read::credential(&self.file, key, fields)?;
                Ok(found.map(|credential| credential.found_in(self.origin())))
            }
            (None, None) => Ok(None),
        }
    }

    async fn ask(&self, helper: &str, server: &str) -> Result<Option<Credential>, HelperError> {
        let answer = helper::ask(&self.programs, helper, server).await;
        let found = answer.map_err(|problem| HelperError {
            file: self.file.clone(),
            helper: shown(helper),
            server: server.to_owned(),
            problem,
        })?;
        let origin = Origin::Helper {
            program: format!("docker-credential-{helper}"),
            file: self.file.clone(),
        };
        Ok(found.map(|credential| credential.found_in(origin)))
    }

    /// Where the entries under `auths` stand.
    fn origin(&self) -> Origin {
        let file = self.file.clone();
        match self.of_docker {
            true => Origin::DockerLogin { file },
            false => Origin::AuthFile { name: file },
        }
    }
}

impl CredentialSource for DockerConfig {
    async fn credential(&self, wanted: &Wanted) -> Result<Option<Credential>, CredentialError> {
        if wanted.secret.is_some() {
            return Ok(None);
        }
        self.lookup(&wanted.registry)
            .await
            .map_err(CredentialError::from)
    }
}

impl fmt::Debug for DockerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing of what the file holds: passwords stand in it.
        let mut shown = f.debug_struct("DockerConfig");
        shown.field("file", &self.file).finish_non_exhaustive()
    }
}

/// No file, or no folder where it would be.
fn is_absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}
