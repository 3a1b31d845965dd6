//! What can be wrong with an image reference.

/// Why a text is not an image reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// There is no text.
    #[error("the image reference is empty")]
    Empty,
    /// A URL instead of a reference.
    #[error("an image reference does not begin with a scheme such as `https://`")]
    Scheme,
    /// `user:password@host/name`.
    #[error("an image reference holds no user name and no password")]
    Credentials,
    /// 64 hexadecimal digits, the ID of a local image.
    #[error("64 hexadecimal digits are the ID of a local image, which no registry knows")]
    ImageId,
    /// Nothing stands where the repository's name should be.
    #[error("the repository name is missing")]
    RepositoryMissing,
    /// The repository's name is longer than registries allow.
    #[error("the repository name is {length} characters long, more than 255")]
    RepositoryTooLong {
        /// Length in characters.
        length: usize,
    },
    /// A slash too many.
    #[error("the repository name `{name}` has an empty part")]
    RepositoryPartEmpty {
        /// The repository's name.
        name: String,
    },
    /// Upper-case letters.
    #[error("the repository name `{name}` has the upper-case letter `{letter}`")]
    RepositoryUpperCase {
        /// The repository's name.
        name: String,
        /// The first such letter.
        letter: char,
    },
    /// A character that no repository name has.
    #[error("the repository name `{name}` has the character `{character}`")]
    RepositoryCharacter {
        /// The repository's name.
        name: String,
        /// The first such character.
        character: String,
    },
    /// A part that begins or ends with a dot, an underscore or a dash.
    #[error("the part `{part}` of the repository name `{name}` begins or ends with a separator")]
    RepositoryPartEnds {
        /// The repository's name.
        name: String,
        /// The part between slashes.
        part: String,
    },
    /// Separators in a row that do not belong together.
    #[error(
        "the repository name `{name}` has the separator `{separator}`: \
         allowed are `.`, `_`, `__` and dashes"
    )]
    RepositorySeparator {
        /// The repository's name.
        name: String,
        /// The separators in a row.
        separator: String,
    },
    /// A URL instead of a host.
    #[error("a host does not begin with a scheme such as `https://`")]
    HostScheme,
    /// `user:password@host`.
    #[error("a host holds no user name and no password")]
    HostCredentials,
    /// Nothing stands before the port.
    #[error("the host of the registry is missing")]
    HostMissing,
    /// The host is longer than a DNS name can be.
    #[error("the host of the registry is {length} characters long, more than 253")]
    HostTooLong {
        /// Length in characters.
        length: usize,
    },
    /// Two dots in a row, or a dot at an end.
    #[error("the host `{host}` has an empty part")]
    HostPartEmpty {
        /// The host.
        host: String,
    },
    /// A part that begins or ends with a dash.
    #[error("the part `{part}` of the host `{host}` begins or ends with a dash")]
    HostPartEnds {
        /// The host.
        host: String,
        /// The part between dots.
        part: String,
    },
    /// A character that no host has.
    #[error("the host `{host}` has the character `{character}`")]
    HostCharacter {
        /// The host.
        host: String,
        /// The first such character.
        character: String,
    },
    /// The last part is a number, so it can only be an IPv4 address, and is none.
    #[error("the host `{host}` ends in a number and is not an IPv4 address")]
    HostNotIpv4 {
        /// The host.
        host: String,
    },
    /// Brackets without an IPv6 address.
    #[error("the host `{host}` is not an IPv6 address in brackets")]
    HostNotIpv6 {
        /// The host.
        host: String,
    },
    /// Several colons without brackets.
    #[error("the host `{host}` has more than one colon: an IPv6 address stands in brackets")]
    HostColons {
        /// The host.
        host: String,
    },
    /// Not a port.
    #[error("the port `{port}` of the host `{host}` is not a number from 1 to 65535")]
    Port {
        /// The host.
        host: String,
        /// What stands where the port should be.
        port: String,
    },
    /// A colon with nothing behind it.
    #[error("the tag is empty")]
    TagEmpty,
    /// The tag is longer than registries allow.
    #[error("the tag is {length} characters long, more than 128")]
    TagTooLong {
        /// Length in characters.
        length: usize,
    },
    /// A character that no tag has.
    #[error("the tag `{tag}` has the character `{character}`")]
    TagCharacter {
        /// The tag.
        tag: String,
        /// The first such character.
        character: String,
    },
    /// A dot or dash at the start.
    #[error("the tag `{tag}` does not begin with a letter, a digit or `_`")]
    TagStart {
        /// The tag.
        tag: String,
    },
    /// No algorithm before the digits.
    #[error("the digest `{digest}` is not of the form `sha256:` and 64 hexadecimal digits")]
    DigestForm {
        /// The digest.
        digest: String,
    },
    /// An algorithm that registries do not serve.
    #[error("the digest algorithm `{algorithm}` is not known: known are `sha256` and `sha512`")]
    DigestAlgorithm {
        /// The algorithm.
        algorithm: String,
    },
    /// Something other than a lower-case hexadecimal digit.
    #[error(
        "the digest `{digest}` has the character `{character}`, \
         which is no lower-case hexadecimal digit"
    )]
    DigestDigit {
        /// The digest.
        digest: String,
        /// The first such character.
        character: String,
    },
    /// Too few or too many digits.
    #[error("the digest `{digest}` has {length} hexadecimal digits and not {expected}")]
    DigestLength {
        /// The digest.
        digest: String,
        /// How many digits it has.
        length: usize,
        /// How many digits the algorithm gives.
        expected: usize,
    },
}

/// How much of a user's text a message repeats.
const SHOWN_MAX: usize = 96;

/// A user's text for a message: on one line, and not without end.
pub(crate) fn shown(text: &str) -> String {
    shown_up_to(SHOWN_MAX, text)
}

/// The same for a text that may be longer.
pub(crate) fn shown_up_to(length: usize, text: &str) -> String {
    let mut characters = text.chars();
    let mut shown: String = characters
        .by_ref()
        .take(length)
        .flat_map(escaped_unless_plain)
        .collect();
    if characters.next().is_some() {
        shown.push_str("...");
    }
    shown
}

/// Quotes stay as they are; what would break the line or cannot be seen is escaped.
fn escaped_unless_plain(character: char) -> Vec<char> {
    if matches!(character, '"' | '\'') {
        vec![character]
    } else {
        character.escape_debug().collect()
    }
}
