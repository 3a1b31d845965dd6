//! Other people's JSON: a few members are read, and all others skipped.
//!
//! Container runtimes are written in Go, whose decoder takes `entrypoint` for `Entrypoint`.
//! A reader that did not would find no entry point where a runtime finds one, so names are
//! compared as Go does. Of two equal names Go takes the last: such a document means one thing
//! to one reader and another to the next, and is refused.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What is read of an object.
pub(super) trait Members: Default {
    /// Reads the value of a member, whose name is folded, or says that it is not wanted.
    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        access: &mut A,
    ) -> Result<bool, A::Error>;
}

/// Said of a document that different readers read differently.
const TWICE: &str = "a name is there twice";
/// Said of a document that takes much more room once it is read.
const LONG: &str = "a list is too long";

/// An object with [`Members`].
#[derive(Debug, Default)]
pub(super) struct Read<T>(pub(super) T);

impl<'de, T: Members> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor(PhantomData))
    }
}

struct MembersVisitor<T>(PhantomData<T>);

impl<'de, T: Members> Visitor<'de> for MembersVisitor<T> {
    type Value = Read<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Read<T>, A::Error> {
        let mut read = T::default();
        while let Some(name) = access.next_key::<String>()? {
            if !read.member(&folded(&name), &mut access)? {
                access.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Read(read))
    }
}

/// A list of so many items at most. An item of two bytes can take a hundred once it is read, so
/// that a bound on a document's bytes is none on what they become.
#[derive(Debug)]
pub(super) struct List<T, const MAX: usize>(pub(super) Vec<T>);

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for ListVisitor<T, MAX> {
    type Value = List<T, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<List<T, MAX>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = access.next_element()? {
            if list.len() == MAX {
                return Err(A::Error::custom(LONG));
            }
            list.push(item);
        }
        Ok(List(list))
    }
}

/// Reads a member that may be there once, or be `null`.
pub(super) fn set<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    place: &mut Member<T>,
    access: &mut A,
) -> Result<bool, A::Error> {
    if place.seen {
        return Err(A::Error::custom(TWICE));
    }
    place.seen = true;
    place.value = access.next_value()?;
    Ok(true)
}

/// A member that may be missing.
#[derive(Debug)]
pub(super) struct Member<T> {
    seen: bool,
    pub(super) value: Option<T>,
}

impl<T> Default for Member<T> {
    fn default() -> Self {
        Self {
            seen: false,
            value: None,
        }
    }
}

/// The name in lower case. Go also takes the Kelvin sign for a `k` and the long s for an `s`.
fn folded(name: &str) -> String {
    name.chars()
        .map(|character| match character {
            '\u{212a}' => 'k',
            '\u{17f}' => 's',
            other => other.to_ascii_lowercase(),
        })
        .collect()
}

/// Reads a document. The reason it is none holds nothing of its text.
pub(super) fn read<T: Members>(body: &[u8]) -> Result<T, String> {
    match serde_json::from_slice(body) {
        Ok(Read(read)) => Ok(read),
        Err(error) => Err(reason(&error)),
    }
}

fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let own = [TWICE, LONG].into_iter().find(|own| text.starts_with(own));
    let what = own.unwrap_or_else(|| match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "it is no JSON",
        serde_json::error::Category::Data => "it does not have the form that it should have",
    });
    format!("{what} (line {}, column {})", error.line(), error.column())
}
