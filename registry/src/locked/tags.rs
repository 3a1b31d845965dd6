//! The lock file first, then registries: for what it does not answer, and to see whether its tags
//! still name what it records.

use std::collections::{BTreeMap, BTreeSet};

use taskdef::image::{Answers, Credentials, ImageRequest, Platform};
use taskdef::report::{Code, Finding, Severity};

use super::Locked;
use crate::remote::{CredentialSource, ResolveError, Session};
use crate::{ImageConfigs, ImageReference, answered_by_tag};

/// What a lock file answers, and what is left for registries.
#[derive(Clone, Debug, Default)]
pub struct Division {
    answers: Answers,
    missing: BTreeSet<ImageRequest>,
    /// Digests that are recorded for a tag. The platform of the request plays no part.
    tags: BTreeMap<ImageRequest, BTreeSet<String>>,
    unchecked: BTreeSet<ImageRequest>,
}

/// Answers from a lock file and from registries.
#[derive(Clone, Debug, Default)]
pub struct Completed {
    /// An answer to every request.
    pub answers: Answers,
    /// Requests that the lock file answered for a tag that could not be compared: no digest is
    /// recorded, or nobody knows with which credentials to ask.
    pub unchecked: BTreeSet<ImageRequest>,
    /// Tags of the lock file that are not, or may not be, what is recorded.
    pub errors: Vec<TagError>,
}

/// A tag that the lock file answers, and that cannot be relied on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// The tag moved to another image.
    #[error(
        "image `{image}` has moved to `{found}` since the lock file was written, which records \
         {} (lock-outdated)", listed(.recorded)
    )]
    Outdated {
        /// The image, in canonical form.
        image: String,
        /// The digests in the lock file.
        recorded: BTreeSet<String>,
        /// The digest of what the tag names now.
        found: String,
    },
    /// The registry did not tell.
    #[error("the lock file's answer for a tag cannot be checked: {error} ({})", .error.code())]
    NotChecked {
        /// Why.
        error: Box<ResolveError>,
    },
}

impl TagError {
    /// The way out.
    pub fn hint(&self) -> String {
        match self {
            Self::Outdated { .. } => {
                "look at what changed in the image, then update the lock file: \
                 `cfn-filter lock` with the same options"
                    .to_owned()
            }
            Self::NotChecked { error } => {
                let way_out = "`--offline` takes the lock file as it is";
                match error.hint() {
                    Some(hint) => format!("{way_out}; else {hint}"),
                    None => way_out.to_owned(),
                }
            }
        }
    }
}

impl Completed {
    /// A warning for every image that was answered for a tag and not compared: it can name another
    /// image today. The warnings are about the document, because several task definitions may use
    /// one image.
    pub fn warnings(&self) -> Vec<(String, Finding)> {
        let mut findings: Vec<(String, Finding)> = Vec::new();
        for request in &self.unchecked {
            let image = Some(request.reference.clone());
            // Asked for on several platforms, it comes several times in a row.
            if findings.last().is_some_and(|(_, last)| last.image == image) {
                continue;
            }
            let finding = Finding {
                code: Code::MutableTag,
                severity: Severity::Warning,
                container: None,
                image,
                message: "the lock file answers for a tag, which can move to another image"
                    .to_owned(),
                hint: Some("pin the image by its digest (`name@sha256:...`)".to_owned()),
            };
            findings.push((String::new(), finding));
        }
        findings
    }
}

fn listed(digests: &BTreeSet<String>) -> String {
    let digests: Vec<String> = digests.iter().map(|digest| format!("`{digest}`")).collect();
    digests.join(", ")
}

impl Locked {
    /// Answers without registries: what the file does not answer is a failure.
    pub fn alone(&self, requests: &BTreeSet<ImageRequest>) -> Completed {
        let answers = self.answers(requests);
        Completed {
            unchecked: answered_by_tag(&answers).cloned().collect(),
            answers,
            errors: Vec::new(),
        }
    }

    /// Answers what the file answers.
    pub fn divide(&self, requests: &BTreeSet<ImageRequest>) -> Division {
        let mut division = Division::default();
        for (request, answer) in self.answers(requests) {
            match answer {
                Err(_) => {
                    division.missing.insert(request);
                }
                Ok(config) => {
                    division.answers.insert(request, Ok(config));
                }
            }
        }
        let by_tag: Vec<ImageRequest> = answered_by_tag(&division.answers).cloned().collect();
        for request in by_tag {
            let known = !matches!(request.credentials, Credentials::Unknown(_));
            match division.answers.get(&request) {
                Some(Ok(config)) if known && config.digest.is_some() => {
                    let any = ImageRequest {
                        platform: Platform::AnyLinux,
                        ..request
                    };
                    let digests = division.tags.entry(any).or_default();
                    digests.extend(config.digest.clone());
                }
                _ => {
                    division.unchecked.insert(request);
                }
            }
        }
        division
    }
}

impl Division {
    /// How many images registries are asked for, or about.
    pub fn questions(&self) -> usize {
        self.missing.len() + self.tags.len()
    }

    /// Without registries: what the file does not answer stays as it is.
    pub fn alone(self) -> Completed {
        Completed {
            answers: self.answers,
            unchecked: self.unchecked,
            errors: Vec::new(),
        }
    }

    /// Asks registries for the rest, and for what the tags name now.
    pub async fn complete<C: CredentialSource>(self, session: &Session<C>) -> Completed {
        let asked = self.tags.keys().cloned().collect();
        let (missing, tags) = (self.missing.clone(), self.tags.clone());
        let mut completed = self.alone();
        for (request, outcome) in session.digests(asked).await {
            let recorded = tags.get(&request).cloned().unwrap_or_default();
            match outcome {
                Ok(found) if recorded.iter().all(|digest| *digest == found) => {}
                Ok(found) => completed.errors.push(TagError::Outdated {
                    image: ImageReference::parse(&request.reference)
                        .map_or(request.reference, |reference| reference.to_string()),
                    recorded,
                    found,
                }),
                Err(error) => {
                    let error = Box::new(error);
                    completed.errors.push(TagError::NotChecked { error });
                }
            }
        }
        if completed.errors.is_empty() && !missing.is_empty() {
            completed
                .answers
                .extend(session.resolve_all(&missing).await);
        }
        completed
    }
}
