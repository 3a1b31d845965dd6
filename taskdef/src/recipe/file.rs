//! The file as it is written: YAML with the place of everything that can be wrong.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::{Error, Spanned};

use super::error::{Place, RecipeError};

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RecipeFile {
    pub(super) recipe: Spanned<u64>,
    pub(super) name: Spanned<String>,
    pub(super) description: String,
    #[serde(default)]
    pub(super) documentation: Vec<String>,
    #[serde(default)]
    pub(super) agent_images: Vec<String>,
    #[serde(default)]
    pub(super) agent_programs: Vec<String>,
    #[serde(default)]
    pub(super) inputs: Ordered<InputFile>,
    #[serde(default)]
    pub(super) requires: Vec<RequirementFile>,
    #[serde(default)]
    pub(super) assumes: Vec<AssumptionFile>,
    #[serde(default)]
    pub(super) workload: Vec<WorkloadFile>,
    #[serde(default)]
    pub(super) sidecars: Vec<SidecarFile>,
    #[serde(default)]
    pub(super) task: Vec<BlockFile>,
    #[serde(default)]
    pub(super) permissions: PermissionsFile,
    #[serde(default)]
    pub(super) prerequisites: Vec<NoteFile>,
    #[serde(default)]
    pub(super) network: Vec<NoteFile>,
    #[serde(default)]
    pub(super) compatibility: Vec<CompatibilityFile>,
}

/// One input.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct InputFile {
    pub(super) description: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<TypeFile>,
    pub(super) default: Option<Node>,
    #[serde(default)]
    pub(super) required: bool,
    pub(super) required_when: Option<Spanned<String>>,
    pub(super) forbidden_when: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) secret: bool,
    pub(super) secret_key: Option<String>,
    pub(super) names: Option<NamesFile>,
    #[serde(default)]
    pub(super) allowed: Vec<String>,
    #[serde(default)]
    pub(super) may_be_empty: bool,
}

/// What the values of an input are names of.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) enum NamesFile {
    Containers,
}

/// An input's type.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "camelCase")]
pub(super) enum TypeFile {
    Text,
    Integer,
    Size,
    Port,
    Boolean,
    List,
}

/// What has to hold, or the container is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RequirementFile {
    pub(super) when: Option<Node>,
    pub(super) that: Node,
    pub(super) message: Spanned<String>,
    pub(super) hint: Option<Spanned<String>>,
}

/// What is taken for granted, because nobody can see it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct AssumptionFile {
    pub(super) name: String,
    pub(super) when: Option<Node>,
    pub(super) message: Spanned<String>,
    pub(super) hint: Option<Spanned<String>>,
}

/// What becomes of every selected container.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct WorkloadFile {
    pub(super) when: Option<Node>,
    pub(super) process: Option<Spanned<ProcessFile>>,
    pub(super) settings: Option<Node>,
}

/// How the process is wrapped.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ProcessFile {
    #[serde(default)]
    pub(super) arrangement: ArrangementFile,
    pub(super) wrapper: Option<Node>,
    pub(super) suffix: Option<Node>,
    pub(super) command: Option<Node>,
    pub(super) script: Option<Node>,
}

/// Where wrapper and program go.
#[derive(Deserialize, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ArrangementFile {
    #[default]
    Prefix,
    Command,
    EntryPoint,
    PrefixSuffix,
    ShellJoin,
    None,
}

/// A container that is added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SidecarFile {
    pub(super) name: Spanned<String>,
    pub(super) when: Option<Node>,
    pub(super) position: Option<PositionFile>,
    pub(super) mutable_image: Option<MutableImageFile>,
    pub(super) settings: Node,
    #[serde(default)]
    pub(super) blocks: Vec<BlockFile>,
}

/// Where a sidecar goes among the containers.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) enum PositionFile {
    Last,
}

/// What is done about an image whose tag moves with every release.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) enum MutableImageFile {
    Warn,
}

/// Settings that hold under a condition, or once for each selected container.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct BlockFile {
    pub(super) each: Option<EachFile>,
    pub(super) when: Option<Node>,
    pub(super) settings: Node,
}

/// What a block is repeated for.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) enum EachFile {
    Container,
}

/// What the roles need.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PermissionsFile {
    #[serde(default)]
    pub(super) execution_role: Vec<NoteFile>,
    #[serde(default)]
    pub(super) task_role: Vec<NoteFile>,
    #[serde(default)]
    pub(super) vendor: Vec<NoteFile>,
}

/// A text for a person, with a link.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NoteFile {
    pub(super) text: String,
    pub(super) link: Option<String>,
}

/// Versions that work together, as the vendor documents them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CompatibilityFile {
    pub(super) inputs: Spanned<Vec<String>>,
    pub(super) versions: Spanned<Vec<Vec<String>>>,
    pub(super) link: Option<String>,
}

/// A map in the order of the file.
pub(super) struct Ordered<T>(pub(super) Vec<(Spanned<String>, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Ordered(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// A value of any type, with its place.
pub(super) struct Node {
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) content: Content,
}

/// What a [`Node`] is.
pub(super) enum Content {
    /// A text, number, boolean or null.
    Scalar(Value),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<(Key, Node)>),
}

/// A key, with its place.
pub(super) struct Key {
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) name: String,
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Content>::deserialize(deserializer)?;
        let at = spanned.referenced;
        Ok(Node {
            line: at.line(),
            column: at.column(),
            content: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Content, E> {
        Ok(Content::Scalar(Value::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Content, E> {
        Ok(Content::Scalar(Value::from(value)))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Content, E> {
        Err(E::custom(
            "a number with a fraction or an exponent: put it in quotes",
        ))
    }

    fn visit_str<E>(self, value: &str) -> Result<Content, E> {
        Ok(Content::Scalar(Value::from(value)))
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Content, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Content::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<Spanned<String>, Node>()? {
            let at = key.referenced;
            let key = Key {
                line: at.line(),
                column: at.column(),
                name: key.value,
            };
            entries.push((key, value));
        }
        Ok(Content::Map(entries))
    }
}

/// Reads a file.
pub(super) fn read(file: &Arc<str>, text: &str) -> Result<RecipeFile, RecipeError> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| explain(file, &error))
}

fn explain(file: &Arc<str>, error: &Error) -> RecipeError {
    let (line, column) = error
        .location()
        .map_or((0, 0), |at| (at.line(), at.column()));
    let place = Place {
        file: Arc::clone(file),
        line,
        column,
    };
    match error.without_snippet() {
        Error::SerdeUnknownField {
            field, expected, ..
        } => RecipeError::new(place, format!("unknown key `{field}`"))
            .near(field, expected.iter().copied()),
        Error::SerdeUnknownVariant {
            variant, expected, ..
        } => {
            let expected: Vec<_> = expected.iter().map(|name| format!("`{name}`")).collect();
            let message = format!("`{variant}` is not one of {}", expected.join(", "));
            RecipeError::new(place, message)
        }
        Error::SerdeMissingField { field, .. } => {
            RecipeError::new(place, format!("the key `{field}` is missing"))
        }
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            RecipeError::new(place, format!("the key `{key}` stands here twice"))
        }
        Error::SerdeInvalidType { expected, .. } => {
            RecipeError::new(place, format!("expected {expected}"))
        }
        Error::Unexpected { expected, .. } => {
            RecipeError::new(place, format!("expected {}", in_words(expected)))
        }
        Error::InvalidScalar { .. } => RecipeError::new(place, "expected a whole number"),
        Error::InvalidBooleanStrict { .. } => RecipeError::new(place, "expected `true` or `false`"),
        Error::MultipleDocuments { .. } => RecipeError::new(place, "a file holds one recipe"),
        Error::Eof { .. } => RecipeError::new(place, "the file is empty"),
        other => RecipeError::new(place, without_place(&other.to_string())),
    }
}

fn in_words(expected: &str) -> &str {
    match expected {
        "string scalar" => "a text",
        "mapping start" => "a map",
        "sequence start" => "a list",
        other => other,
    }
}

/// The parser's message in one line; where it is stands before it already.
fn without_place(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text
        .rfind(" at line ")
        .and_then(|at| text.split_at_checked(at))
    {
        Some((message, _)) => message.to_owned(),
        None => text,
    }
}
