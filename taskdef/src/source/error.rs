//! Why a document cannot be read, or cannot be changed.

use thiserror::Error;

/// Why a document cannot be read, or cannot be changed. The text does not say where: [`SourceError::place`] does.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The text is neither JSON nor YAML.
    #[error("{problem}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// An object has the same key twice.
    #[error("the key `{key}` stands twice in the same object")]
    DuplicateKey {
        /// The key.
        key: String,
        /// The line of the second one, from 1.
        line: usize,
        /// The column of the second one in characters, from 1.
        column: usize,
    },
    /// The bytes are not UTF-8.
    #[error("the text is not UTF-8")]
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
    #[error("a second document starts")]
    SeveralDocuments {
        /// The line where the second one starts, from 1.
        line: usize,
    },
    /// YAML's merge key, which CloudFormation does not know.
    #[error("the merge key `<<` is not part of CloudFormation's YAML")]
    MergeKey {
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// A tag that is neither a short form nor one of YAML's core tags, or that does not fit its value.
    #[error("the tag `{tag}` is not supported here")]
    UnsupportedTag {
        /// The tag as it is written.
        tag: String,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// A key that is a list, an object or nothing.
    #[error("a key has to be a text")]
    ComplexKey {
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// Values are nested too deep.
    #[error("values are nested more than {limit} levels deep")]
    TooDeep {
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// How deep they may be.
        limit: usize,
    },
    /// What the aliases stand for is too much.
    #[error("the aliases of the document stand for too much text")]
    AliasesTooLarge {
        /// The line of the alias that was one too many, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// An alias without an anchor before it.
    #[error("the alias `*{name}` has no anchor before it")]
    UnknownAlias {
        /// The name of the alias.
        name: String,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// A text without quotes that would have to be written in quotes elsewhere.
    #[error(
        "`{text}` has no quotes, YAML readers do not agree what it is, and it would have to be written elsewhere"
    )]
    Ambiguous {
        /// The text.
        text: String,
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
    /// Where in the document, if it is at one place: the line and, where it is known, the column in characters, both
    /// from 1.
    pub fn place(&self) -> Option<(usize, Option<usize>)> {
        match self {
            SourceError::Syntax { line, column, .. }
            | SourceError::DuplicateKey { line, column, .. }
            | SourceError::NotUtf8 { line, column }
            | SourceError::MergeKey { line, column }
            | SourceError::UnsupportedTag { line, column, .. }
            | SourceError::ComplexKey { line, column }
            | SourceError::TooDeep { line, column, .. }
            | SourceError::Ambiguous { line, column, .. }
            | SourceError::AliasesTooLarge { line, column }
            | SourceError::UnknownAlias { line, column, .. } => Some((*line, Some(*column))),
            SourceError::SeveralDocuments { line } => Some((*line, None)),
            SourceError::Empty
            | SourceError::TooLong
            | SourceError::NoSuchPath { .. }
            | SourceError::OverlappingChanges { .. }
            | SourceError::Disagrees => None,
        }
    }

    /// The way out, if there is one that a person can take.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            SourceError::Syntax { problem, .. } if problem.starts_with("tabs ") => {
                Some("indent with spaces")
            }
            // The place is where the text begins, and the tab may be further down.
            SourceError::Syntax { problem, .. } if problem.ends_with("found a tab") => {
                Some("indent with spaces, in the lines below, too")
            }
            SourceError::Syntax { problem, .. }
                if problem.starts_with("illegal placement of")
                    || problem.contains("did not find expected ','") =>
            {
                Some("see whether a bracket is closed, here or in the lines before")
            }
            SourceError::Syntax { problem, .. }
                if problem.starts_with("invalid indentation in multiline quoted") =>
            {
                Some("see whether a quotation mark is closed, here or in the lines before")
            }
            SourceError::Syntax { problem, .. }
                if problem.starts_with("mapping values are not allowed")
                    || problem.contains("did not find expected key") =>
            {
                Some(
                    "see whether this line and the one before are indented as they should be, and quote a text that holds `: `",
                )
            }
            SourceError::DuplicateKey { .. } => Some("remove one of them"),
            SourceError::Ambiguous { .. } => Some("put it in quotes, if it is a text"),
            SourceError::Empty => Some("if another program wrote it, see whether that one failed"),
            SourceError::UnknownAlias { .. } => {
                Some("an anchor (`&name`) stands before its aliases")
            }
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
