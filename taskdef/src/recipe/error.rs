//! What can be wrong with a recipe, with its inputs, and with rendering it.

use crate::nearest::nearest;
use std::fmt;
use std::sync::Arc;

/// A place in a recipe's file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// Line, from 1; 0 where it is not known.
    pub line: u64,
    /// Column in characters, from 1; 0 where it is not known.
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            return f.write_str(&self.file);
        }
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A recipe that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct RecipeError {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// The way out, where there is one.
    pub hint: Option<String>,
}

impl RecipeError {
    pub(super) fn new(place: Place, message: impl Into<String>) -> RecipeError {
        RecipeError {
            place,
            message: message.into(),
            hint: None,
        }
    }

    /// Adds `did you mean` when one of the names is near.
    pub(super) fn near<'a>(
        mut self,
        name: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> RecipeError {
        self.hint = nearest(name, names).map(|near| format!("did you mean `{near}`?"));
        self
    }
}

/// One thing that is wrong with the inputs that were given. Never shows a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputError {
    /// Required inputs that were not given: name and description of each.
    Missing(Vec<(String, String)>),
    /// An input that the recipe does not have.
    Unknown {
        /// The name that was given.
        name: String,
        /// The most similar name that the recipe has.
        nearest: Option<String>,
    },
    /// A value that is not one of those allowed.
    NotAllowed {
        /// The input.
        name: String,
        /// The values that are allowed.
        allowed: Vec<String>,
    },
    /// A value of the wrong type.
    WrongType {
        /// The input.
        name: String,
        /// What it has to be, with its article.
        expected: &'static str,
    },
    /// An empty text that is no value of the input.
    Empty {
        /// The input.
        name: String,
    },
    /// An input that another input's value excludes.
    Forbidden {
        /// The input.
        name: String,
        /// The condition under which it is forbidden.
        when: String,
    },
    /// An intrinsic function as the plain value of a secret input.
    SecretIntrinsic {
        /// The input.
        name: String,
        /// The intrinsic function, shown short.
        function: String,
    },
    /// A place of a secret that is none.
    NoSecret {
        /// The input.
        name: String,
    },
    /// A function that CloudFormation does not have.
    NoFunction {
        /// The input.
        name: String,
        /// The function, as it is given.
        function: String,
        /// The one that was most likely meant.
        meant: &'static str,
    },
    /// A text that holds a NUL character.
    Nul {
        /// The input.
        name: String,
    },
    /// The condition that makes an input required or forbidden cannot be judged.
    Condition {
        /// The input.
        name: String,
        /// Why.
        error: RenderError,
    },
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InputError::Missing(inputs) => {
                let names: Vec<_> = inputs.iter().map(|(name, _)| format!("`{name}`")).collect();
                let noun = if inputs.len() == 1 { "input" } else { "inputs" };
                write!(f, "missing {noun} {}", names.join(", "))
            }
            InputError::Unknown { name, .. } => write!(f, "unknown input `{name}`"),
            InputError::NotAllowed { name, allowed } => {
                let allowed: Vec<_> = allowed.iter().map(|value| format!("`{value}`")).collect();
                write!(f, "input `{name}` has to be one of {}", allowed.join(", "))
            }
            InputError::WrongType { name, expected } => {
                write!(f, "input `{name}` has to be {expected}")
            }
            InputError::Empty { name } => write!(f, "input `{name}` is empty"),
            InputError::Forbidden { name, when } => {
                write!(f, "input `{name}` cannot be given when `{when}`")
            }
            InputError::SecretIntrinsic { name, function } => {
                write!(
                    f,
                    "input `{name}` is secret, and `{function}` is not given as `valueFrom`"
                )
            }
            InputError::NoSecret { name } => write!(
                f,
                "input `{name}` is no place of a secret: neither an ARN of Secrets Manager or SSM, nor the name of an SSM parameter"
            ),
            InputError::NoFunction { name, function, .. } => {
                write!(
                    f,
                    "input `{name}`: CloudFormation has no function `{function}`"
                )
            }
            InputError::Nul { name } => write!(f, "input `{name}` holds a NUL character"),
            InputError::Condition { name, error } => {
                write!(f, "cannot tell whether input `{name}` is needed: {error}")
            }
        }
    }
}

impl InputError {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            InputError::Missing(inputs) => {
                let lines: Vec<_> = inputs
                    .iter()
                    .map(|(name, description)| format!("`{name}`: {description}"))
                    .collect();
                Some(lines.join("; "))
            }
            InputError::Unknown { nearest, .. } => nearest
                .as_ref()
                .map(|near| format!("did you mean `{near}`?")),
            InputError::Empty { .. } => Some("give it a value, or leave it out".to_owned()),
            InputError::SecretIntrinsic { name, .. } => Some(format!(
                "give the secret's ARN as `{{valueFrom: ...}}`, for example `{name}={{valueFrom: !Ref AgentSecret}}`"
            )),
            InputError::NoSecret { name } => Some(format!(
                "give the secret's ARN, as in `{name}=arn:aws:secretsmanager:...`, or a parameter's name, as in `{name}={{valueFrom: /app/token}}`"
            )),
            InputError::NoFunction { meant, .. } => Some(format!("did you mean `{meant}`?")),
            _ => None,
        }
    }
}

/// Everything that is wrong with the inputs of one recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputErrors {
    /// The recipe's name.
    pub recipe: String,
    /// All of them, in the order of the names.
    pub errors: Vec<InputError>,
}

impl fmt::Display for InputErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "recipe `{}`: ", self.recipe)?;
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for InputErrors {}

/// A recipe that cannot be rendered for a task or a container. Never shows a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// An intrinsic function where its value is needed.
    #[error("{place}: `{name}` is `{function}`, and its value is needed here")]
    Intrinsic {
        /// The expression.
        place: Place,
        /// What the expression reads, for example `task.cpuArchitecture`.
        name: String,
        /// The intrinsic function, shown short.
        function: String,
    },
    /// An input given as `valueFrom` where its value is needed.
    #[error(
        "{place}: `{name}` is given as `valueFrom`, and can only be the whole value of an environment variable"
    )]
    ValueFrom {
        /// The expression.
        place: Place,
        /// The input, for example `inputs.accessToken`.
        name: String,
    },
    /// Something that nobody could find out.
    #[error("{place}: `{name}` is not known")]
    Unknown {
        /// The expression.
        place: Place,
        /// What the expression reads, for example `container.user`.
        name: String,
    },
    /// An expression that reads something that does not exist.
    #[error("{place}: the expression reads something that is not defined")]
    Undefined {
        /// The expression.
        place: Place,
    },
    /// An expression that gives something else than belongs there.
    #[error("{place}: the expression gives {found}, and {expected} belongs here")]
    WrongType {
        /// The expression.
        place: Place,
        /// What belongs there, with its article.
        expected: &'static str,
        /// What it gives, with its article.
        found: String,
    },
    /// Something inside a text that has no text.
    #[error("{place}: {found} cannot stand inside a text")]
    NotText {
        /// The text.
        place: Place,
        /// What it is, with its article.
        found: String,
    },
    /// More steps or more text than an expression may take.
    #[error("{place}: the expression takes too many steps or gives too much text")]
    TooBig {
        /// The expression.
        place: Place,
    },
    /// Two blocks that both state the process.
    #[error("{place}: a second block states the process of this container")]
    TwoProcesses {
        /// The second block.
        place: Place,
    },
    /// An expression that fails otherwise.
    #[error("{place}: {message}")]
    Failed {
        /// The expression.
        place: Place,
        /// What failed.
        message: String,
    },
}

impl RenderError {
    /// What is wrong for whoever writes the document and gives the inputs, without the place in
    /// the recipe; `None` where the recipe itself is wrong.
    pub fn about_document(&self) -> Option<String> {
        match self {
            RenderError::Intrinsic { name, function, .. } => Some(format!(
                "{} is `{function}`, and the recipe needs its value",
                in_words(name)
            )),
            RenderError::ValueFrom { name, .. } => Some(format!(
                "{} is given as `valueFrom`, and can only be the whole value of an environment variable",
                in_words(name)
            )),
            RenderError::Unknown { name, .. } => Some(format!(
                "{} is not known, and the recipe needs it",
                in_words(name)
            )),
            _ => None,
        }
    }

    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            RenderError::Intrinsic { .. } => {
                Some("state the value itself in place of the intrinsic function")
            }
            RenderError::Unknown { name, .. } if name == "task.cpuArchitecture" => {
                Some("state the CPU architecture in the task definition's runtime platform")
            }
            RenderError::Unknown { .. } => Some("state it in the task definition"),
            RenderError::NotText { .. } => {
                Some("give the input, or put the text into a block with a `when`")
            }
            _ => None,
        }
    }
}

/// What an expression reads, in the words of whoever writes the document and gives the inputs.
fn in_words(name: &str) -> String {
    let fact = match name.split_once('.') {
        Some(("inputs", input)) => return format!("the input `{input}`"),
        Some(("task", "cpuArchitecture")) => "the task's CPU architecture",
        Some(("task", "operatingSystem")) => "the task's operating system",
        Some(("task", "family")) => "the task's family",
        Some((_, "name")) => "the container's name",
        Some((_, "image")) => "the container's image",
        Some((_, "user")) => "the container's user",
        Some((_, "readonlyRootFilesystem")) => "the container's `readonlyRootFilesystem`",
        _ => return format!("`{name}`"),
    };
    fact.to_owned()
}
