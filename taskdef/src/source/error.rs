//! Why a document cannot be read, or cannot be changed.

use thiserror::Error;

/// Why a document cannot be read, or cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The text is neither JSON nor YAML.
    #[error("line {line}, column {column}: {problem}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// An object has the same key twice.
    #[error("line {line}, column {column}: the key `{key}` stands twice in the same object")]
    DuplicateKey {
        /// The key.
        key: String,
        /// The line of the second one, from 1.
        line: usize,
        /// The column of the second one in characters, from 1.
        column: usize,
    },
    /// The bytes are not UTF-8.
    #[error("line {line}, column {column}: the text is not UTF-8")]
    NotUtf8 {
        /// The line of the first wrong byte, from 1.
        line: usize,
        /// The column of the first wrong byte in characters, from 1.
        column: usize,
    },
    /// There is no document.
    #[error("the document is empty")]
    Empty,
    /// The file holds several YAML documents.
    #[error("line {line}: a second document starts")]
    SeveralDocuments {
        /// The line where the second one starts, from 1.
        line: usize,
    },
    /// YAML's merge key, which CloudFormation does not know.
    #[error(
        "line {line}, column {column}: the merge key `<<` is not part of CloudFormation's YAML"
    )]
    MergeKey {
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// A tag that is neither a short form nor one of YAML's core tags, or that does not fit its value.
    #[error("line {line}, column {column}: the tag `{tag}` is not supported here")]
    UnsupportedTag {
        /// The tag as it is written.
        tag: String,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// A key that is a list, an object or nothing.
    #[error("line {line}, column {column}: a key has to be a text")]
    ComplexKey {
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// Values are nested too deep.
    #[error("line {line}, column {column}: values are nested more than {limit} levels deep")]
    TooDeep {
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// How deep they may be.
        limit: usize,
    },
    /// What the aliases stand for is too much.
    #[error("line {line}, column {column}: the aliases of the document stand for too much text")]
    AliasesTooLarge {
        /// The line of the alias that was one too many, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// An alias without an anchor before it.
    #[error("line {line}, column {column}: the alias `*{name}` has no anchor before it")]
    UnknownAlias {
        /// The name of the alias.
        name: String,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// The text is too long to be read.
    #[error("the document is larger than 4 GiB")]
    TooLong,
    /// A change was asked for where the document has nothing.
    #[error("the document has no `{path}` that could be changed")]
    NoSuchPath {
        /// The path, its steps separated by dots.
        path: String,
    },
    /// Two changes concern the same part of the document.
    #[error("two changes concern `{path}`")]
    OverlappingChanges {
        /// The path, its steps separated by dots.
        path: String,
    },
    /// The new text does not hold the value that was meant.
    #[error(
        "the change cannot be written into the text of the document without changing something else"
    )]
    Disagrees,
}

impl SourceError {
    /// The way out, if there is one that a person can take.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            SourceError::NotUtf8 { .. } => Some("save the file in the encoding UTF-8"),
            SourceError::SeveralDocuments { .. } => Some("give each document a file of its own"),
            SourceError::MergeKey { .. } => Some("write the merged keys where they are needed"),
            SourceError::UnsupportedTag { .. } => {
                Some("write a function in its long form, or a plain value without a tag")
            }
            SourceError::Disagrees => Some(
                "write the value to be changed in a plain form: keys without `?`, no single pairs in lists",
            ),
            _ => None,
        }
    }
}
