//! JSON of a plan that is read without becoming a value: objects with the places of their members.
//!
//! A part of the plan is a slice of its text, so that the place of each is the difference of two addresses.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Another text in the place of a part of the plan.
#[derive(Clone, PartialEq, Eq)]
pub struct Splice {
    /// The part, as bytes of the plan's text.
    pub range: Range<usize>,
    /// What takes its place.
    pub text: String,
}

/// Says nothing of the content, which may be secret.
impl fmt::Debug for Splice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Splice")
            .field("range", &self.range)
            .field("length", &self.text.len())
            .finish()
    }
}

/// Where a part of a text begins in it; the part is a slice of the text.
pub(super) fn offset(whole: &str, part: &str) -> usize {
    let [whole, part] = [whole, part].map(|text| text.as_ptr() as usize);
    part.saturating_sub(whole)
}

/// A text with splices put in, which stand in the order of their ranges. None where they overlap.
pub(super) fn spliced(text: &str, splices: &[Splice]) -> Option<String> {
    pieces(text, splices).collect()
}

/// The same piece by piece: what stays is not copied.
pub(super) fn pieces<'p>(
    text: &'p str,
    splices: &'p [Splice],
) -> impl Iterator<Item = Option<&'p str>> {
    let mut at = 0;
    let changed = splices.iter().flat_map(move |splice| {
        let kept = text.get(at..splice.range.start);
        at = splice.range.end;
        [kept, Some(splice.text.as_str())]
    });
    let rest = splices.last().map_or(0, |last| last.range.end);
    changed.chain(std::iter::once_with(move || text.get(rest..)))
}

/// The key of a member, borrowed where it holds no escape.
#[derive(serde::Deserialize)]
struct Key<'t>(#[serde(borrow)] Cow<'t, str>);

struct Pairs<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'t> Deserialize<'t> for Pairs<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'t> Visitor<'t> for Reader {
            type Value = Pairs<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Pairs<'t>, A::Error> {
                let mut pairs = Vec::new();
                while let Some((Key(key), value)) = map.next_entry::<Key<'t>, &'t RawValue>()? {
                    pairs.push((key, value));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// An object of the plan.
pub(super) struct Object<'t> {
    text: &'t str,
    members: Vec<(Cow<'t, str>, &'t str)>,
}

/// Where a member is added that is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// Where the order of names puts it.
    Sorted,
    /// After the member of this name, or at the end.
    After(&'static str),
}

/// What becomes of the members of an object.
#[derive(Default)]
pub(super) struct Edits {
    /// New values, as JSON.
    set: BTreeMap<&'static str, (String, At)>,
    removed: BTreeSet<&'static str>,
}

impl Edits {
    pub(super) fn set(&mut self, key: &'static str, json: String, at: At) {
        self.set.insert(key, (json, at));
    }

    /// The names of members that get a value.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.set.keys().copied()
    }

    /// Whether nothing is done.
    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.removed.is_empty()
    }

    pub(super) fn remove(&mut self, key: &'static str) {
        self.removed.insert(key);
    }
}

impl<'t> Object<'t> {
    /// Reads an object. None where the text is another value, or a name stands twice in it.
    pub(super) fn read(text: &'t str) -> Option<Object<'t>> {
        let Pairs(pairs) = serde_json::from_str(text).ok()?;
        let names: BTreeSet<&str> = pairs.iter().map(|(key, _)| key.as_ref()).collect();
        (names.len() == pairs.len()).then(|| Object {
            text: text.trim(),
            members: pairs
                .iter()
                .map(|(key, value)| (key.clone(), value.get()))
                .collect(),
        })
    }

    /// The text of a member's value.
    pub(super) fn get(&self, key: &str) -> Option<&'t str> {
        let mut members = self.members.iter();
        members
            .find(|(name, _)| name == key)
            .map(|(_, value)| *value)
    }

    /// A member that is an object.
    pub(super) fn object(&self, key: &str) -> Option<Object<'t>> {
        Object::read(self.get(key)?)
    }

    /// What changes in the text `whole`, of which this object is a part.
    pub(super) fn edited(&self, whole: &str, edits: &Edits) -> Vec<Splice> {
        let is_kept = |name: &str| !edits.removed.contains(name);
        let kept: Vec<usize> = (0..self.members.len())
            .filter(|index| self.name(*index).is_some_and(is_kept))
            .collect();
        let new: Vec<_> = edits
            .set
            .iter()
            .filter(|(key, _)| self.get(key).is_none())
            .map(|(key, (json, at))| (*key, json.as_str(), *at))
            .collect();
        let mut splices = match kept.is_empty() {
            true => vec![self.written_anew(&new)],
            false => {
                let added = new.into_iter().map(|new| self.added(new, &kept));
                added.chain(self.removals(&kept)).collect()
            }
        };
        for (key, value) in &self.members {
            if let Some((json, _)) = edits.set.get(key.as_ref()) {
                let start = offset(self.text, value);
                splices.push(Splice {
                    range: start..start + value.len(),
                    text: json.clone(),
                });
            }
        }
        let base = offset(whole, self.text);
        for splice in &mut splices {
            splice.range.start += base;
            splice.range.end += base;
        }
        splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
        splices
    }

    fn name(&self, index: usize) -> Option<&str> {
        self.members.get(index).map(|(key, _)| key.as_ref())
    }

    /// Where the value of a member ends.
    fn end(&self, index: usize) -> usize {
        let member = self.members.get(index);
        member.map_or(0, |(_, value)| offset(self.text, value) + value.len())
    }

    /// Where a member begins, with the space before it: after the bracket, or after the comma.
    fn start(&self, index: usize) -> usize {
        let Some(before) = index.checked_sub(1).map(|before| self.end(before)) else {
            return 1;
        };
        let comma = self.text.get(before..).and_then(|rest| rest.find(','));
        before + comma.unwrap_or_default() + 1
    }

    /// An object of which nothing stays.
    fn written_anew(&self, new: &[(&str, &str, At)]) -> Splice {
        let members = new.iter().map(|(key, json, _)| format!("\"{key}\":{json}"));
        Splice {
            range: 1..self.text.len().saturating_sub(1),
            text: members.collect::<Vec<_>>().join(","),
        }
    }

    /// A member that is added, with the spaces of its neighbour.
    fn added(&self, (key, json, at): (&str, &str, At), kept: &[usize]) -> Splice {
        let next = match at {
            At::Sorted => kept.iter().find(|index| self.name(**index) > Some(key)),
            At::After(name) => {
                let before = kept
                    .iter()
                    .position(|index| self.name(*index) == Some(name));
                before.and_then(|before| kept.get(before + 1))
            }
        };
        let last = kept.last().copied().unwrap_or_default();
        let neighbour = next.copied().unwrap_or(last);
        let (before, after) = self.spaces(neighbour);
        let (place, text) = match next {
            Some(next) => (
                self.start(*next),
                format!("{before}\"{key}\":{after}{json},"),
            ),
            None => (self.end(last), format!(",{before}\"{key}\":{after}{json}")),
        };
        Splice {
            range: place..place,
            text,
        }
    }

    /// The space before the name of a member, and before its value.
    fn spaces(&self, index: usize) -> (&str, &str) {
        let value = self.members.get(index).map(|(_, value)| *value);
        let value = value.map_or(0, |value| offset(self.text, value));
        let head = self.text.get(self.start(index)..value).unwrap_or_default();
        let before = head.len() - head.trim_start().len();
        let after = head.trim_end().len();
        (
            head.get(..before).unwrap_or_default(),
            head.get(after..).unwrap_or_default(),
        )
    }

    /// Members that go away, with a comma for each; at least one stays.
    fn removals(&self, kept: &[usize]) -> Vec<Splice> {
        let mut removals = Vec::new();
        let mut from = 0;
        for index in kept.iter().copied() {
            if index > from {
                removals.push(self.start(from)..self.start(index));
            }
            from = index + 1;
        }
        if from < self.members.len()
            && let (Some(last), Some(end)) = (kept.last(), self.members.len().checked_sub(1))
        {
            removals.push(self.end(*last)..self.end(end));
        }
        let splice = |range| Splice {
            range,
            text: String::new(),
        };
        removals.into_iter().map(splice).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    fn edited(text: &str, edits: &Edits) -> String {
        let object = Object::read(text).unwrap();
        spliced(text, &object.edited(text, edits)).unwrap()
    }

    #[test]
    fn members_are_set_added_and_removed_with_the_spaces_that_are_there() {
        let mut edits = Edits::default();
        edits.set("b", "true".to_owned(), At::Sorted);
        edits.set("d", "[1]".to_owned(), At::Sorted);
        edits.set("z", "0".to_owned(), At::Sorted);
        edits.remove("a");
        edits.remove("y");
        let pretty = "{\n  \"a\": 1,\n  \"c\": {\"x\": 2},\n  \"d\": null,\n  \"y\": 4\n}";
        assert_eq!(
            edited(pretty, &edits),
            "{\n  \"b\": true,\n  \"c\": {\"x\": 2},\n  \"d\": [1],\n  \"z\": 0\n}"
        );
        assert_eq!(
            edited(r#"{"a":1,"c":{"x":2},"d":null,"y":4}"#, &edits),
            r#"{"b":true,"c":{"x":2},"d":[1],"z":0}"#
        );
        assert_eq!(edited("{}", &edits), r#"{"b":true,"d":[1],"z":0}"#);
        assert_eq!(
            edited(r#"{"a":1,"y":2}"#, &edits),
            r#"{"b":true,"d":[1],"z":0}"#
        );
        let mut edits = Edits::default();
        edits.set("new", "1".to_owned(), At::After("x"));
        assert_eq!(
            edited(r#"{"x":0,"a":2}"#, &edits),
            r#"{"x":0,"new":1,"a":2}"#
        );
        assert_eq!(edited(r#"{"a":2}"#, &edits), r#"{"a":2,"new":1}"#);
    }

    #[test]
    fn a_name_that_stands_twice_is_refused() {
        assert!(Object::read(r#"{"a":1,"\u0061":2}"#).is_none());
        assert!(Object::read("[]").is_none());
    }

    const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

    proptest! {
        #[test]
        fn text_and_value_agree(
            there in proptest::collection::btree_set(0..5_usize, 0..5),
            removed in proptest::collection::btree_set(0..5_usize, 0..5),
            set in proptest::collection::btree_set(0..5_usize, 0..5),
            pretty: bool,
        ) {
            let before: Map<String, Value> = there.iter().map(|index| (NAMES[*index].to_owned(), Value::from("x, }"))).collect();
            let text = match pretty {
                true => serde_json::to_string_pretty(&before).unwrap(),
                false => serde_json::to_string(&before).unwrap(),
            };
            let mut edits = Edits::default();
            let mut expected = before.clone();
            for index in removed.difference(&set) {
                edits.remove(NAMES[*index]);
                expected.shift_remove(NAMES[*index]);
            }
            for index in &set {
                edits.set(NAMES[*index], "7".to_owned(), At::Sorted);
                expected.insert(NAMES[*index].to_owned(), Value::from(7));
            }
            expected.sort_keys();
            let after: Map<String, Value> = serde_json::from_str(&edited(&text, &edits)).unwrap();
            prop_assert!(after.keys().eq(expected.keys()));
            prop_assert_eq!(after, expected);
        }
    }
}
