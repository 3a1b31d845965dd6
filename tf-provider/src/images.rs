//! The data sources: what images run, from registries and from a lock file.

use std::collections::BTreeSet;
use std::fs;

use registry::lock::LockedPlatform;
use registry::remote::ImageFound;
use registry::{ImageReference, LockFile};
use taskdef::image::{Credentials, ImageFailure, ImageRequest, Platform};

use crate::network::Network;
use crate::protocol::{Diagnostic, Severity, Step, Value};

/// The largest lock file that is read.
const LOCK_LIMIT: u64 = 64 << 20;

/// The questions of `outrigger_images`: each with the place of its image. What is unknown is none.
pub(crate) fn requests(config: &Value) -> Result<Vec<(usize, ImageRequest)>, Vec<Diagnostic>> {
    let mut found = Vec::new();
    let platform = match config.get("cpu_architecture") {
        Value::String(name) => match name.as_str() {
            "X86_64" => Some(Platform::LinuxAmd64),
            "ARM64" => Some(Platform::LinuxArm64),
            _ => None,
        },
        _ => Some(Platform::AnyLinux),
    };
    if platform.is_none() {
        found.push(Diagnostic::error(
            "cpu_architecture",
            "not a CPU architecture of Amazon ECS".to_owned(),
            "There are X86_64 and ARM64.".to_owned(),
        ));
    }
    let images = match config.get("images") {
        Value::List(images) => images.as_slice(),
        _ => &[],
    };
    let mut requests = Vec::new();
    for (index, image) in images.iter().enumerate() {
        let Some(image) = image.as_str() else {
            continue;
        };
        match ImageReference::parse(image) {
            Ok(_) => requests.push((
                index,
                ImageRequest {
                    reference: image.to_owned(),
                    platform: platform.clone().unwrap_or(Platform::AnyLinux),
                    credentials: Credentials::Unstated,
                },
            )),
            // The text itself is not repeated: it may hold a password.
            Err(error) => found.push(of_image(
                index,
                "not an image reference".to_owned(),
                error.to_string(),
            )),
        }
    }
    match found.is_empty() {
        true => Ok(requests),
        false => Err(found),
    }
}

fn of_image(index: usize, summary: String, detail: String) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        summary,
        detail,
        path: vec![Step::Attribute("images".to_owned()), Step::Index(index)],
    }
}

/// Reads `outrigger_images`.
pub(crate) async fn asked(config: Value, network: &Network) -> Result<Value, Vec<Diagnostic>> {
    let requests = requests(&config)?;
    let questions: BTreeSet<ImageRequest> = requests
        .iter()
        .map(|(_, request)| request.clone())
        .collect();
    let mut lock = LockFile::new("outrigger_images");
    let mut found = Vec::new();
    if !questions.is_empty() {
        let session = network.open()?.session(network.time);
        let answers = session.resolve(questions).await;
        for (index, request) in &requests {
            match answers.get(request).map(|answer| &answer.outcome) {
                Some(Ok(image)) => record(&mut lock, request, image),
                Some(Err(error)) => {
                    let failure = ImageFailure::from(error);
                    let hint = failure.hint.unwrap_or_default();
                    found.push(of_image(*index, failure.message, hint));
                }
                None => {}
            }
        }
    }
    match found.is_empty() {
        true => with_table(config, &lock),
        false => Err(found),
    }
}

/// Records an image for the platform that was asked for, and for each that it was read for: a task
/// states one of them.
fn record(lock: &mut LockFile, request: &ImageRequest, image: &ImageFound) {
    let Ok(reference) = ImageReference::parse(&request.reference) else {
        return;
    };
    let read = image.platforms.iter();
    let read = read.filter_map(|named| named.to_string().parse().ok());
    for platform in read.chain([LockedPlatform::from(&request.platform)]) {
        lock.insert(&reference, platform, image.config.clone());
    }
}

/// Reads `outrigger_lock`.
pub(crate) fn locked(config: Value) -> Result<Value, Vec<Diagnostic>> {
    let path = config.get("path").as_str().unwrap_or_default();
    let wrong =
        |summary: String, detail: &str| vec![Diagnostic::error("path", summary, detail.to_owned())];
    let hint = "Write it with `cfn-filter lock`, and name it with `${path.module}/outrigger.lock`.";
    let cannot = |error: &std::io::Error| wrong(format!("cannot read `{path}`: {error}"), hint);
    let length = fs::metadata(path).map_err(|error| cannot(&error))?.len();
    if length > LOCK_LIMIT {
        return Err(wrong(
            format!("`{path}` is too large for a lock file"),
            hint,
        ));
    }
    let text = fs::read_to_string(path).map_err(|error| cannot(&error))?;
    let lock = LockFile::parse(path, &text).map_err(|error| wrong(error.to_string(), ""))?;
    with_table(config, &lock)
}

/// The state of a data source: its arguments, and the table.
fn with_table(config: Value, lock: &LockFile) -> Result<Value, Vec<Diagnostic>> {
    let json: Result<serde_json::Value, _> = serde_json::from_str(&lock.to_text());
    let json = json.map_err(|error| vec![Diagnostic::general(error.to_string())])?;
    let table = json.get("images").map_or(Value::Null, Value::from);
    let Value::Object(mut state) = config else {
        return Ok(Value::Null);
    };
    state.insert("table".to_owned(), table);
    Ok(Value::Object(state))
}
