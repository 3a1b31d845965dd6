//! From an image reference to an image config.
//!
//! A task definition that leaves its program to the image names the image by a
//! [reference](mod@reference); what the image runs stands in its config. This crate answers such questions,
//! all those of a document at once, through the one trait [`ImageConfigs`]:
//!
//! ```text
//! BTreeSet<ImageRequest> --resolve_all--> Answers: a config, or a failure, for every request
//! ```
//!
//! [`remote`] reads them from registries, and is the only code that contacts one; [`credentials`]
//! finds what private ones want to see.
//! [`Locked`] answers from a [`lock`] file and nothing else, so that a pipeline runs without a
//! network and the same input gives the same output. A tag can move between the day it was
//! written down and the day it is deployed: [`Completed::unchecked`] tells which answers that
//! concerns.
//!
//! A question without an answer is a value of [`Answers`] and not an error: it concerns only
//! the task definitions that asked it. Deliberately absent: the environment (but for the
//! AWS SDK's own search), files (but for docker's configuration), and any opinion on what a
//! failure means for the run.

pub mod credentials;
pub mod lock;
mod locked;
pub mod reference;
pub mod remote;

use std::collections::BTreeSet;
use std::future::Future;

use taskdef::image::{Answers, ImageRequest};

pub use lock::LockFile;
pub use locked::{Completed, Division, Locked, TagError};
pub use reference::ImageReference;

/// Where image configs come from.
pub trait ImageConfigs {
    /// Answers every request, each with a config or with a failure.
    fn resolve_all(
        &self,
        requests: &BTreeSet<ImageRequest>,
    ) -> impl Future<Output = Answers> + Send;
}

/// The requests that were answered for a tag, in order: what it names can change, and the
/// answer is then that of another image. A digest says which image it is.
fn answered_by_tag(answers: &Answers) -> impl Iterator<Item = &ImageRequest> {
    answers
        .iter()
        .filter(|(request, answer)| {
            let reference = ImageReference::parse(&request.reference);
            answer.is_ok() && reference.is_ok_and(|reference| !reference.is_pinned())
        })
        .map(|(request, _)| request)
}
