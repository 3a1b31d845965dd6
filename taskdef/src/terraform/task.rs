//! One task definition of a plan, as the library reads it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::dialect::terraform::{CONTAINER_DEFINITIONS, canonical, unknown};
use crate::source::{Format, Source};

use super::PlanError;
use super::json::Object;

/// What a resource says of itself, in `resource_changes` and in `planned_values`.
#[derive(serde::Deserialize)]
pub(super) struct Header<'t> {
    #[serde(borrow, default)]
    pub(super) address: Cow<'t, str>,
    #[serde(borrow, default)]
    pub(super) module_address: Option<Cow<'t, str>>,
    #[serde(borrow, default)]
    pub(super) mode: Option<Cow<'t, str>>,
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Cow<'t, str>,
    #[serde(borrow, default)]
    pub(super) name: Cow<'t, str>,
    #[serde(borrow, default)]
    pub(super) index: Option<&'t RawValue>,
    /// An object that was replaced and could not be destroyed.
    #[serde(default)]
    pub(super) deposed: Option<IgnoredAny>,
}

/// The type of a resource, where it stands before what is long in it, as Terraform writes it. A
/// plan holds thousands of resources that are of no interest, and nothing more of them is read.
pub(super) fn kind(element: &str) -> Option<Cow<'_, str>> {
    struct Kind<'k, 't>(&'k mut Option<Cow<'t, str>>);
    impl<'t> DeserializeSeed<'t> for Kind<'_, 't> {
        type Value = ();

        fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_map(self)
        }
    }
    impl<'t> Visitor<'t> for Kind<'_, 't> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a resource")
        }

        fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some(key) = map.next_key::<Text<'t>>()? {
                match key.0.as_ref() {
                    "type" => {
                        *self.0 = Some(map.next_value::<Text<'t>>()?.0);
                        break;
                    }
                    "change" | "values" => break,
                    _ => map.next_value::<IgnoredAny>()?,
                };
            }
            Ok(())
        }
    }
    let mut kind = None;
    // It ends before the object does, which is an error to the reader of JSON.
    let _ = Kind(&mut kind).deserialize(&mut serde_json::Deserializer::from_str(element));
    kind
}

/// A text, borrowed where it holds no escape.
#[derive(serde::Deserialize)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

impl Header<'_> {
    /// Whether Terraform makes it, rather than reads it.
    pub(super) fn is_managed(&self) -> bool {
        self.mode.as_deref().is_none_or(|mode| mode == "managed")
    }
}

/// A task definition of a plan.
pub(super) struct PlannedTask<'t> {
    /// Its resource address.
    pub(super) address: Cow<'t, str>,
    /// The address of its module, with keys.
    pub(super) module: String,
    /// Its name in the module, without a key.
    pub(super) name: String,
    /// Its key, as JSON.
    pub(super) index: Option<&'t str>,
    /// Its element in `resource_changes`.
    pub(super) change: Option<&'t str>,
    /// Its element in `planned_values`.
    pub(super) planned: Option<&'t str>,
    /// The task definition as the ECS API spells it.
    pub(super) canonical: Map<String, Value>,
    /// Texts by which a resource may name it.
    pub(super) names: Vec<String>,
    /// What of it is sensitive.
    pub(super) sensitive: Sensitive,
}

/// What a plan says will be there of a task definition.
pub(super) struct Attributes {
    /// The task definition as the ECS API spells it.
    pub(super) canonical: Map<String, Value>,
    /// As Terraform spells it, without what is unknown.
    pub(super) stated: Map<String, Value>,
}

impl Attributes {
    /// Reads attributes and the marks of what is unknown in them.
    pub(super) fn read(attributes: &str, unknown: Option<&str>) -> Option<Attributes> {
        let stated: Map<String, Value> = serde_json::from_str(attributes).ok()?;
        let unknown: Value = match unknown {
            Some(unknown) => serde_json::from_str(unknown).ok()?,
            None => Value::Null,
        };
        let merged = with_unknown(Some(&Value::Object(stated.clone())), &unknown);
        let mut canonical = match merged {
            Some(Value::Object(merged)) => canonical(&merged),
            _ => Map::new(),
        };
        if let Some(definitions) = canonical.get_mut("containerDefinitions")
            && let Value::String(text) = definitions
        {
            *definitions = decoded(text).unwrap_or_else(Value::String);
        }
        Some(Attributes { canonical, stated })
    }

    /// The text of the container definitions.
    pub(super) fn definitions(&self) -> &str {
        let text = self.stated.get(CONTAINER_DEFINITIONS);
        text.and_then(Value::as_str).unwrap_or_default()
    }
}

/// The container definitions that a text holds, or why it holds none.
fn decoded(text: &str) -> Result<Value, String> {
    match Source::parse(text) {
        Ok(source) if source.format() == Format::Json && source.value().is_array() => {
            Ok(source.value().clone())
        }
        Ok(_) => Err("it is not a list in JSON".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Puts a mark into each place that is known only after apply.
fn with_unknown(value: Option<&Value>, is_unknown: &Value) -> Option<Value> {
    match (is_unknown, value) {
        (Value::Bool(true), _) => Some(unknown()),
        (Value::Object(marks), Some(Value::Object(map))) => {
            let mut merged = map.clone();
            for (key, marks) in marks {
                if let Some(value) = with_unknown(map.get(key), marks) {
                    merged.insert(key.clone(), value);
                }
            }
            Some(Value::Object(merged))
        }
        (Value::Object(marks), None) => {
            let marked = marks.iter();
            let marked =
                marked.filter_map(|(key, marks)| Some((key.clone(), with_unknown(None, marks)?)));
            let marked: Map<String, Value> = marked.collect();
            (!marked.is_empty()).then_some(Value::Object(marked))
        }
        (Value::Array(marks), value) => {
            let mut items = value.and_then(Value::as_array).cloned().unwrap_or_default();
            for (index, marks) in marks.iter().enumerate() {
                match (with_unknown(items.get(index), marks), items.get_mut(index)) {
                    (Some(new), Some(item)) => *item = new,
                    (Some(new), None) => items.push(new),
                    (None, _) => {}
                }
            }
            match value {
                None if items.is_empty() => None,
                _ => Some(Value::Array(items)),
            }
        }
        _ => value.cloned(),
    }
}

/// The attributes of a task definition that hold sensitive values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sensitive {
    all: bool,
    attributes: BTreeSet<String>,
}

impl Sensitive {
    /// Whether there is any.
    pub(super) fn any(&self) -> bool {
        self.all || !self.attributes.is_empty()
    }

    /// Whether this attribute is one.
    pub(super) fn has(&self, attribute: &str) -> bool {
        self.all || self.attributes.contains(attribute)
    }

    /// Reads marks: a truth value, or objects and lists of such.
    fn read(&mut self, marks: Option<&str>) {
        fn is_marked(marks: &Value) -> bool {
            match marks {
                Value::Bool(marked) => *marked,
                Value::Array(items) => items.iter().any(is_marked),
                Value::Object(map) => map.values().any(is_marked),
                _ => false,
            }
        }
        match marks.map(serde_json::from_str) {
            None => {}
            Some(Ok(Value::Object(marks))) => {
                let marked = marks.into_iter().filter(|(_, marks)| is_marked(marks));
                self.attributes.extend(marked.map(|(name, _)| name));
            }
            Some(Ok(marks)) => self.all |= is_marked(&marks),
            // What cannot be read is taken for sensitive.
            Some(Err(_)) => self.all = true,
        }
    }
}

/// The texts by which a service may name a task definition: its ARN, its family, family and revision.
fn names(stated: &Map<String, Value>) -> Vec<String> {
    let text = |key: &str| stated.get(key).and_then(Value::as_str).map(str::to_owned);
    let revision = stated.get("revision").and_then(Value::as_number);
    let numbered = text("family")
        .zip(revision)
        .map(|(family, revision)| format!("{family}:{revision}"));
    let names = ["arn", "arn_without_revision", "family"].map(text);
    names
        .into_iter()
        .flatten()
        .chain(numbered)
        .filter(|name| !name.is_empty())
        .collect()
}

impl<'t> PlannedTask<'t> {
    /// Reads a task definition from its elements; none where nothing of it will be there.
    pub(super) fn read(
        header: &Header<'t>,
        change: Option<&'t str>,
        planned: Option<&'t str>,
    ) -> Result<Option<PlannedTask<'t>>, PlanError> {
        let broken = || PlanError::Resource(header.address.clone().into_owned());
        let mut sensitive = Sensitive::default();
        let mut found: Option<Attributes> = None;
        if let Some(element) = change {
            let element = Object::read(element).ok_or_else(broken)?;
            let change = element.object("change").ok_or_else(broken)?;
            match change.get("after") {
                None | Some("null") => return Ok(None),
                Some(after) => {
                    let read = Attributes::read(after, change.get("after_unknown"));
                    found = Some(read.ok_or_else(broken)?);
                    sensitive.read(change.get("after_sensitive"));
                }
            }
        }
        if let Some(element) = planned {
            let element = Object::read(element).ok_or_else(broken)?;
            let values = element.get("values").unwrap_or("{}");
            let read = Attributes::read(values, None).ok_or_else(broken)?;
            sensitive.read(element.get("sensitive_values"));
            match &found {
                Some(found) if !agree(&found.stated, &read.stated) => {
                    return Err(PlanError::Disagrees(header.address.clone().into_owned()));
                }
                Some(_) => {}
                None => found = Some(read),
            }
        }
        let module = header.module_address.as_deref().unwrap_or_default();
        Ok(found.map(|found| PlannedTask {
            address: header.address.clone(),
            module: module.to_owned(),
            name: header.name.clone().into_owned(),
            index: header.index.map(|index| index.get()),
            change,
            planned,
            names: names(&found.stated),
            canonical: found.canonical,
            sensitive,
        }))
    }
}

/// Whether two descriptions of one task definition say the same of what the library reads.
fn agree(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    one.get(CONTAINER_DEFINITIONS) == other.get(CONTAINER_DEFINITIONS)
        && canonical(one) == canonical(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_unknown_is_marked_in_its_place() {
        let value = json!({"a": 1, "list": [{"x": 1}, null]});
        let marks = json!({"a": false, "b": true, "list": [{"y": true}, true], "none": [], "deep": {"c": true}, "empty": {}});
        assert_eq!(
            with_unknown(Some(&value), &marks),
            Some(json!({
                "a": 1, "list": [{"x": 1, "y": unknown()}, unknown()], "b": unknown(), "deep": {"c": unknown()},
            }))
        );
        assert_eq!(with_unknown(Some(&value), &Value::Null), Some(value));
    }

    #[test]
    fn marks_of_every_shape_are_read() {
        let table = [
            (None, [false; 3]),
            (Some("false"), [false; 3]),
            (Some("true"), [true; 3]),
            (Some(r#"{"a":[false],"b":{}}"#), [false; 3]),
            (Some(r#"{"a":[{"b":true}]}"#), [true, true, false]),
            (Some("{"), [true; 3]),
        ];
        for (marks, expected) in table {
            let mut sensitive = Sensitive::default();
            sensitive.read(marks);
            let read = [sensitive.any(), sensitive.has("a"), sensitive.has("b")];
            assert_eq!(read, expected, "{marks:?}");
        }
    }

    #[test]
    fn container_definitions_are_a_list_in_json() {
        assert_eq!(decoded("[{\"name\": \"a\"}]"), Ok(json!([{"name": "a"}])));
        let table = ["{}", "- name: a", "[{\"a\": 1, \"a\": 2}]", "[", ""];
        let errors = table.map(|text| decoded(text).unwrap_err());
        insta::assert_snapshot!(errors.join("\n"), @"
        it is not a list in JSON
        it is not a list in JSON
        the key `a` stands twice in the same object
        the text ends too early
        the document is empty
        ");
    }
}
