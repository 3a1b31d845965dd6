//! Image references, parsed once and then trusted.

mod host;
mod invalid;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

pub(crate) use host::check_bare;
pub use invalid::ReferenceError;
pub(crate) use invalid::{shown, shown_up_to};

/// The registry of a reference that names none.
pub(crate) const DEFAULT_REGISTRY: &str = "docker.io";
/// Other names of the same registry: the old index, and the host that serves it.
const DEFAULT_REGISTRY_ALIASES: [&str; 2] = ["index.docker.io", "registry-1.docker.io"];
/// Where that registry keeps repositories whose name has one part.
const OFFICIAL_IMAGES: &str = "library";
/// The tag of a reference that has neither tag nor digest.
const DEFAULT_TAG: &str = "latest";
const REPOSITORY_MAX: usize = 255;
const TAG_MAX: usize = 128;

/// The name of an image, in the form that the container runtime gives it before it pulls.
///
/// The grammar is that of
/// [`distribution/reference`](https://github.com/distribution/reference/blob/main/reference.go);
/// [`fmt::Display`] writes the canonical form, `docker.io/library/nginx:1.27`, which parses
/// to the same reference again.
///
/// We are stricter in four places, so that one text never means two registries: a first part
/// with upper-case letters but no dot or port is a mistake and not a host name, digests are
/// `sha256` or `sha512`, a port is a number from 1 to 65535, and a host that ends in a number
/// has to be an IPv4 address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageReference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl ImageReference {
    /// Parses a reference as a task definition, or `docker pull`, takes it.
    ///
    /// # Errors
    /// Says which part of the reference is wrong, and how.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.contains("://") {
            return Err(ReferenceError::Scheme);
        }
        let (named, digest) = match text.split_once('@') {
            // `user:password@host/name`: the text must not come back in a message.
            Some((_, after)) if after.contains('/') => return Err(ReferenceError::Credentials),
            Some((named, digest)) => (named, Some(digest)),
            None => (text, None),
        };
        if is_image_id(named) {
            return Err(ReferenceError::ImageId);
        }
        let (name, tag) = split_tag(named);
        let (registry, repository) = split_registry(name)?;
        let repository = canonical_repository(&registry, repository)?;
        tag.map_or(Ok(()), check_tag)?;
        digest.map_or(Ok(()), check_digest)?;
        let tag = match (tag, digest) {
            (None, None) => Some(DEFAULT_TAG),
            (tag, _) => tag,
        };
        Ok(Self {
            registry,
            repository,
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// Host of the registry, with its port where one is given: `docker.io`, `[::1]:5000`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Name of the repository in the registry: `library/nginx`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag; absent only where a digest stands alone.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, `sha256:...`, which outranks the tag.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// Whether a digest says which image it is: a tag alone can move.
    pub fn is_pinned(&self) -> bool {
        self.digest.is_some()
    }
}

impl FromStr for ImageReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// 64 hexadecimal digits, which `docker run` takes for the ID of a local image.
fn is_image_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(is_lower_hex)
}

/// Only the last part can carry a tag: a colon before it belongs to the registry's port.
fn split_tag(named: &str) -> (&str, Option<&str>) {
    let last = named.rsplit_once('/').map_or(named, |(_, last)| last);
    match last.split_once(':') {
        Some((_, tag)) => {
            let name = named
                .strip_suffix(tag)
                .and_then(|name| name.strip_suffix(':'));
            (name.unwrap_or(named), Some(tag))
        }
        None => (named, None),
    }
}

/// Registry, in canonical form, and repository, as written, of a name without tag and digest.
fn split_registry(name: &str) -> Result<(String, &str), ReferenceError> {
    match name.split_once('/') {
        Some((first, rest)) if names_host(first) => Ok((canonical_registry(first)?, rest)),
        _ => Ok((DEFAULT_REGISTRY.to_owned(), name)),
    }
}

/// A registry's host as references name it, whatever it is called.
pub(crate) fn canonical_registry(host: &str) -> Result<String, ReferenceError> {
    let registry = host::canonical(host)?;
    if DEFAULT_REGISTRY_ALIASES.contains(&registry.as_str()) {
        return Ok(DEFAULT_REGISTRY.to_owned());
    }
    Ok(registry)
}

/// Whether the first of several parts is a host and not a namespace of Docker Hub.
fn names_host(first: &str) -> bool {
    first.contains(['.', ':']) || first.eq_ignore_ascii_case("localhost")
}

/// Checks the parts of a repository's name.
pub(crate) fn check_repository(name: &str) -> Result<(), ReferenceError> {
    if name.is_empty() {
        return Err(ReferenceError::RepositoryMissing);
    }
    name.split('/')
        .try_for_each(|part| check_component(name, part))
}

/// Checks the name as it was written, and the length of what it stands for.
fn canonical_repository(registry: &str, written: &str) -> Result<String, ReferenceError> {
    check_repository(written)?;
    let repository = if registry == DEFAULT_REGISTRY && !written.contains('/') {
        format!("{OFFICIAL_IMAGES}/{written}")
    } else {
        written.to_owned()
    };
    match repository.len() {
        length if length > REPOSITORY_MAX => Err(ReferenceError::RepositoryTooLong { length }),
        _ => Ok(repository),
    }
}

/// `[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*`
fn check_component(repository: &str, part: &str) -> Result<(), ReferenceError> {
    let name = || shown(repository);
    if part.is_empty() {
        return Err(ReferenceError::RepositoryPartEmpty { name: name() });
    }
    let allowed = |c: &char| is_lower_alphanumeric(*c) || is_separator(*c);
    match part.chars().find(|c| !allowed(c)) {
        Some(letter) if letter.is_ascii_uppercase() => {
            return Err(ReferenceError::RepositoryUpperCase {
                name: name(),
                letter,
            });
        }
        Some(character) => {
            let character = shown(&character.to_string());
            return Err(ReferenceError::RepositoryCharacter {
                name: name(),
                character,
            });
        }
        None => {}
    }
    if part.starts_with(is_separator) || part.ends_with(is_separator) {
        return Err(ReferenceError::RepositoryPartEnds {
            name: name(),
            part: shown(part),
        });
    }
    let separator_allowed = |run: &str| {
        matches!(run, "" | "." | "_" | "__") || run.chars().all(|character| character == '-')
    };
    match part
        .split(is_lower_alphanumeric)
        .find(|run| !separator_allowed(run))
    {
        Some(run) => Err(ReferenceError::RepositorySeparator {
            name: name(),
            separator: run.to_owned(),
        }),
        None => Ok(()),
    }
}

/// `\w[\w.-]{0,127}`
fn check_tag(tag: &str) -> Result<(), ReferenceError> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let length = tag.chars().count();
    if tag.is_empty() {
        return Err(ReferenceError::TagEmpty);
    }
    if length > TAG_MAX {
        return Err(ReferenceError::TagTooLong { length });
    }
    if let Some(character) = tag
        .chars()
        .find(|c| !is_word(*c) && !matches!(c, '.' | '-'))
    {
        let character = shown(&character.to_string());
        return Err(ReferenceError::TagCharacter {
            tag: shown(tag),
            character,
        });
    }
    if !tag.starts_with(is_word) {
        return Err(ReferenceError::TagStart { tag: shown(tag) });
    }
    Ok(())
}

/// The [registered algorithms](https://github.com/opencontainers/image-spec/blob/main/descriptor.md#registered-algorithms)
/// that registries serve.
pub(crate) fn check_digest(digest: &str) -> Result<(), ReferenceError> {
    let Some((algorithm, hex)) = digest.split_once(':') else {
        return Err(ReferenceError::DigestForm {
            digest: shown(digest),
        });
    };
    let expected = match algorithm {
        "sha256" => 64,
        "sha512" => 128,
        _ => {
            return Err(ReferenceError::DigestAlgorithm {
                algorithm: shown(algorithm),
            });
        }
    };
    if let Some(character) = hex
        .chars()
        .find(|c| !c.is_ascii() || !is_lower_hex(*c as u8))
    {
        return Err(ReferenceError::DigestDigit {
            digest: shown(digest),
            character: shown(&character.to_string()),
        });
    }
    if hex.len() != expected {
        return Err(ReferenceError::DigestLength {
            digest: shown(digest),
            length: hex.len(),
            expected,
        });
    }
    Ok(())
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn is_lower_alphanumeric(character: char) -> bool {
    character.is_ascii_lowercase() || character.is_ascii_digit()
}

fn is_separator(character: char) -> bool {
    matches!(character, '.' | '_' | '-')
}
