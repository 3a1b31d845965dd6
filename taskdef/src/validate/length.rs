//! How long a task definition is: the limit of ECS is on its JSON.

use serde_json::{Map, Value};

use crate::report::Code;
use crate::source::{Change, New};

use super::read::{Fact, Reader};
use super::{Case, Violation};

/// See [service quotas](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html).
const LIMIT: usize = 64 * 1024;

/// A definition over 64 KiB.
pub(super) fn check(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    let Some(whole) = case.whole else { return };
    let length = of_object(case.reader, whole, &["tags", "Tags"]);
    if length > LIMIT {
        let message = format!(
            "the task definition is {length} bytes long as compact JSON, and ECS takes at most {LIMIT}"
        );
        let hint = "move values out of it: to files (`environmentFiles`), to a parameter store, or into the image";
        found.push(Violation::new(
            Code::DefinitionTooLong,
            String::new(),
            message,
            hint,
        ));
    }
}

/// Whether the properties may be over the limit after the changes, whatever the conditions are.
pub(super) fn may_be_over(properties: &Map<String, Value>, changes: &[Change]) -> bool {
    // Nearly all are so short that their escapes need not be counted.
    let escaped = |text: &str| text.len() * LONGEST_ESCAPE + 2;
    over(properties, changes, &escaped) && over(properties, changes, &of_text)
}

/// A byte of a text has up to this many bytes in JSON: `\u0001`.
const LONGEST_ESCAPE: usize = 6;

fn over(
    properties: &Map<String, Value>,
    changes: &[Change],
    of_text: &dyn Fn(&str) -> usize,
) -> bool {
    let member = |key: &str, value: &Value| of_text(key) + 2 + upper_bound(value, of_text);
    let added = changes.iter().map(|change| match &change.new {
        New::Value(value) => upper_bound(value, of_text) + 1,
        New::Members(members) => {
            let members = members.iter();
            members.map(|(key, value)| member(key, value)).sum()
        }
    });
    let stated = properties.iter();
    let stated: usize = stated.map(|(key, value)| member(key, value)).sum();
    stated + added.sum::<usize>() > LIMIT
}

/// At least as long as the value as compact JSON.
fn upper_bound(value: &Value, of_text: &dyn Fn(&str) -> usize) -> usize {
    match value {
        Value::String(text) => of_text(text),
        Value::Array(items) => {
            let items = items.iter().map(|item| upper_bound(item, of_text) + 1);
            items.sum::<usize>() + 2
        }
        Value::Object(map) => {
            let members = map.iter();
            let members =
                members.map(|(key, value)| of_text(key) + 2 + upper_bound(value, of_text));
            members.sum::<usize>() + 2
        }
        Value::Number(number) => number.as_str().len(),
        Value::Null | Value::Bool(_) => 5,
    }
}

/// The length as compact JSON, with nothing for what is not known.
fn of_value(reader: &Reader<'_>, value: &Value) -> Option<usize> {
    match reader.settled(value) {
        Fact::Absent => None,
        Fact::Unknown => Some(0),
        Fact::Known(Value::String(text)) => Some(of_text(text)),
        Fact::Known(Value::Array(items)) => {
            let items = items.iter().filter_map(|item| of_value(reader, item));
            Some(separated(items))
        }
        Fact::Known(Value::Object(map)) if reader.is_open(map) => Some(0),
        Fact::Known(Value::Object(map)) => Some(of_object(reader, map, &[])),
        Fact::Known(Value::Number(number)) => Some(number.as_str().len()),
        Fact::Known(Value::Bool(flag)) => Some(if *flag { 4 } else { 5 }),
        Fact::Known(Value::Null) => None,
    }
}

fn of_object(reader: &Reader<'_>, map: &Map<String, Value>, without: &[&str]) -> usize {
    let members = map
        .iter()
        .filter(|(key, _)| !without.contains(&key.as_str()));
    separated(
        members.filter_map(|(key, value)| {
            of_value(reader, value).map(|length| of_text(key) + 1 + length)
        }),
    )
}

/// Parts in brackets, with commas between them.
fn separated(parts: impl Iterator<Item = usize>) -> usize {
    let (count, sum) = parts.fold((0_usize, 0), |(count, sum), part| (count + 1, sum + part));
    2 + sum + count.saturating_sub(1)
}

fn of_text(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | 0x08 | 0x09 | 0x0a | 0x0c | 0x0d => 1,
        0..0x20 => 5,
        _ => 0,
    };
    text.len() + 2 + text.bytes().map(escaped).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudformation::intrinsic::Assignment;
    use crate::dialect::Dialect;
    use proptest::prelude::*;
    use serde_json::json;

    fn length(value: &Value) -> Option<usize> {
        let given = Assignment::from([("C".to_owned(), true)]);
        of_value(&Reader::new(Dialect::CloudFormation, &given), value)
    }

    #[test]
    fn only_what_is_known_counts() {
        assert_eq!(length(&json!({"a": {"Ref": "B"}, "c": 1})), Some(12));
        assert_eq!(length(&json!([{"Fn::If": ["C", "x", "yy"]}])), Some(5));
        assert_eq!(length(&json!({"a": {"Ref": "AWS::NoValue"}})), Some(2));
    }

    fn literal() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<String>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                proptest::collection::vec(("[a-z\"\n]{0,5}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_literal_is_as_long_as_its_json(value in literal()) {
            let json = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(length(&value), Some(json.len()));
            prop_assert!(upper_bound(&value, &of_text) >= json.len());
        }
    }
}
