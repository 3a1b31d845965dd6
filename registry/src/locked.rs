//! Answers from a lock file alone: no network, and the same answers every time.

mod tags;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::future::{Future, ready};

use taskdef::image::{Answers, ImageAnswer, ImageFailure, ImageRequest};

use crate::ImageConfigs;
use crate::lock::LockFile;
use crate::reference::ImageReference;
pub use tags::{Completed, Division, TagError};

/// Answers from a [`LockFile`] only; what is not in it is a failure that says so.
#[derive(Clone, Debug)]
pub struct Locked {
    lock: LockFile,
}

impl Locked {
    /// Answers from this lock file.
    pub fn new(lock: LockFile) -> Self {
        Self { lock }
    }

    /// The answers, for a caller that has nothing to wait for.
    pub fn answers(&self, requests: &BTreeSet<ImageRequest>) -> Answers {
        requests
            .iter()
            .map(|request| (request.clone(), self.answer(request)))
            .collect()
    }

    fn answer(&self, request: &ImageRequest) -> ImageAnswer {
        // The text itself is not repeated: it may hold a password.
        let reference =
            ImageReference::parse(&request.reference).map_err(|error| ImageFailure {
                code: "image-reference",
                message: format!("not an image reference: {error}"),
                hint: Some("write a valid reference".to_owned()),
            })?;
        self.lock.lookup(&reference, &request.platform)
    }
}

impl ImageConfigs for Locked {
    fn resolve_all(
        &self,
        requests: &BTreeSet<ImageRequest>,
    ) -> impl Future<Output = Answers> + Send {
        ready(self.answers(requests))
    }
}
