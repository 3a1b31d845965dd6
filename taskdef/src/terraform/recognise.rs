//! What was given in the place of a plan: decided by its content, with the command to run.

use super::PlanError;

/// The text of a plan, without its byte order mark; whether it has one.
pub(super) fn text(bytes: &[u8]) -> Result<(&str, bool), PlanError> {
    // https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.7
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(PlanError::Saved);
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(PlanError::Utf16);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = valid.iter().rposition(|byte| *byte == b'\n');
        let byte = valid.len() - start.map_or(0, |start| start + 1) + 1;
        PlanError::NotUtf8 { line, byte }
    })?;
    let (text, has_mark) = match text.strip_prefix('\u{feff}') {
        Some(text) => (text, true),
        None => (text, false),
    };
    match text.trim_start().as_bytes().first() {
        None => Err(PlanError::Empty),
        Some(b'{') => Ok((text, has_mark)),
        Some(_) => Err(no_object(text)),
    }
}

/// A text that does not begin as a plan does.
fn no_object(text: &str) -> PlanError {
    let mut lines = text.lines().take(1000).map(str::trim_end);
    if lines.any(|line| line == "Resources:") {
        return PlanError::Template;
    }
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => PlanError::Unknown,
        Err(error) if text.trim_start().starts_with('[') => syntax(&error),
        Err(_) => PlanError::ForPeople,
    }
}

/// The member names at the top of what is JSON and no plan.
#[derive(Default)]
pub(super) struct Names {
    pub(super) values: bool,
    pub(super) serial: bool,
    pub(super) resources: bool,
    pub(super) container_definitions: bool,
}

impl Names {
    /// What it is.
    pub(super) fn error(&self) -> PlanError {
        match self {
            Names {
                resources: true, ..
            } => PlanError::Template,
            Names { values: true, .. } | Names { serial: true, .. } => PlanError::State,
            Names {
                container_definitions: true,
                ..
            } => PlanError::TaskDefinition,
            _ => PlanError::Unknown,
        }
    }
}

/// JSON that cannot be read as one document. The message of the error may hold values.
pub(super) fn unreadable(text: &str, error: &serde_json::Error) -> PlanError {
    #[derive(serde::Deserialize)]
    struct Event {
        #[serde(rename = "@message")]
        _message: serde::de::IgnoredAny,
    }
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().map(serde_json::from_str::<Event>);
    if matches!(first, Some(Ok(_))) {
        return PlanError::Events;
    }
    match error.classify() {
        serde_json::error::Category::Data => PlanError::Malformed {
            line: error.line(),
            column: error.column(),
        },
        _ => syntax(error),
    }
}

fn syntax(error: &serde_json::Error) -> PlanError {
    PlanError::Syntax {
        line: error.line(),
        column: error.column(),
    }
}
