//! What images run, and what else is read from elsewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use registry::credentials::aws::{Aws, ObjectUri};
use registry::remote::Registries;
use registry::{Completed, LockFile, Locked};
use taskdef::image::ImageRequest;

use crate::problem::Problem;
use crate::settings::Settings;

/// Registries with the administrator's settings. Nothing is contacted yet.
pub(crate) fn registries(settings: &Settings) -> Result<Registries<Aws>, Problem> {
    let mut registries = settings.registries.clone();
    registries.ca_bundle = settings.ca_bundle.as_deref().map(read).transpose()?;
    let aws = Aws::new(
        registries.clone(),
        settings.secrets.clone(),
        settings.aws.clone(),
    );
    Ok(Registries::new(registries, aws))
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    fs::read(path).map_err(|error| {
        let path = path.display();
        Problem::new(format!(
            "the setting `OUTRIGGER_CA_BUNDLE` names `{path}`, which cannot be read: {}",
            error.kind()
        ))
        .hint("files of a layer are in `/opt`")
    })
}

/// The text of an object in Amazon S3.
pub(crate) async fn object(aws: &Aws, uri: &ObjectUri) -> Result<String, Problem> {
    let bytes = aws.object(uri).await.map_err(|error| {
        let problem = Problem::new(error.to_string());
        match error.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    })?;
    String::from_utf8(bytes).map_err(|_| Problem::new(format!("`{uri}` is no text in UTF-8")))
}

/// The lock file that the settings name; an empty one where they name none.
pub(crate) async fn lock_file(settings: &Settings, aws: &Aws) -> Result<Locked, Problem> {
    let Some(uri) = &settings.lock else {
        return Ok(Locked::new(LockFile::new("outrigger.lock")));
    };
    let text = object(aws, uri).await?;
    let lock = LockFile::parse(&uri.to_string(), &text);
    let lock = lock.map_err(|error| Problem::new(error.to_string()));
    Ok(Locked::new(lock?))
}

/// Answers what images run: from the lock file, and from registries unless that is forbidden.
pub(crate) async fn answer(
    requests: &BTreeSet<ImageRequest>,
    lock: &Locked,
    settings: &Settings,
    registries: &Registries<Aws>,
    time: Duration,
) -> Result<Completed, Vec<Problem>> {
    if settings.locked {
        return Ok(lock.alone(requests));
    }
    let division = lock.divide(requests);
    if division.questions() == 0 {
        return Ok(division.alone());
    }
    let completed = division.complete(&registries.session(time)).await;
    match completed.errors.is_empty() {
        true => Ok(completed),
        false => {
            let errors = completed.errors.iter();
            Err(errors
                .map(|error| Problem::new(error.to_string()).hint(error.hint()))
                .collect())
        }
    }
}
