//! Values as the protocol carries them:
//! [MessagePack as cty has it](https://github.com/zclconf/go-cty/blob/main/docs/msgpack.md).

use rmpv::Value as Wire;

use super::types::Type;
use super::value::Value;

/// How deep a value may be nested.
const DEPTH: usize = 128;

/// Bytes that hold no value of the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MsgpackError {
    /// No MessagePack, or more than one value.
    #[error("a value is no MessagePack")]
    Malformed,
    /// Another type than the schema says.
    #[error("a value has another type than the schema says")]
    Mismatch,
}

/// Reads a value of a type.
pub(crate) fn decode(mut bytes: &[u8], kind: &Type) -> Result<Value, MsgpackError> {
    let wire = rmpv::decode::read_value_with_max_depth(&mut bytes, DEPTH)
        .map_err(|_| MsgpackError::Malformed)?;
    match bytes.is_empty() {
        true => from_wire(wire, kind),
        false => Err(MsgpackError::Malformed),
    }
}

/// Writes a value of a type.
pub(crate) fn encode(value: &Value, kind: &Type) -> Result<Vec<u8>, MsgpackError> {
    let mut bytes = Vec::new();
    let wire = to_wire(value, kind)?;
    rmpv::encode::write_value(&mut bytes, &wire).map_err(|_| MsgpackError::Malformed)?;
    Ok(bytes)
}

fn from_wire(wire: Wire, kind: &Type) -> Result<Value, MsgpackError> {
    let mismatch = MsgpackError::Mismatch;
    let value = match (wire, kind) {
        // What is known of an unknown value (that it is not null, say) stands in the extension.
        (Wire::Ext(..), _) => Value::Unknown,
        (Wire::Nil, _) => Value::Null,
        (Wire::Array(pair), Type::Dynamic) => return typed(pair),
        (Wire::Boolean(value), Type::Bool) => Value::Bool(value),
        (Wire::String(text), Type::String) => Value::String(text.into_str().ok_or(mismatch)?),
        (wire, Type::Number) => Value::Number(number(&wire).ok_or(mismatch)?),
        (Wire::Array(elements), Type::List(element) | Type::Set(element)) => {
            let elements = elements.into_iter().map(|wire| from_wire(wire, element));
            Value::List(elements.collect::<Result<_, _>>()?)
        }
        (Wire::Array(elements), Type::Tuple(kinds)) if elements.len() == kinds.len() => {
            let elements = elements.into_iter().zip(kinds);
            let elements = elements.map(|(wire, kind)| from_wire(wire, kind));
            Value::List(elements.collect::<Result<_, _>>()?)
        }
        (Wire::Map(entries), kind) => {
            let entry = |(key, wire): (Wire, Wire)| {
                let key = key.as_str().ok_or(mismatch)?.to_owned();
                let kind = attribute(kind, &key).ok_or(mismatch)?;
                Ok((key, from_wire(wire, kind)?))
            };
            Value::Object(entries.into_iter().map(entry).collect::<Result<_, _>>()?)
        }
        _ => return Err(mismatch),
    };
    Ok(value)
}

/// A value whose type travels with it.
fn typed(pair: Vec<Wire>) -> Result<Value, MsgpackError> {
    let Ok([kind, wire]) = <[Wire; 2]>::try_from(pair) else {
        return Err(MsgpackError::Mismatch);
    };
    let text = kind.as_slice().or_else(|| kind.as_str().map(str::as_bytes));
    let json = serde_json::from_slice(text.ok_or(MsgpackError::Mismatch)?);
    let json = json.map_err(|_| MsgpackError::Malformed)?;
    let kind = Type::from_json(&json).map_err(|_| MsgpackError::Mismatch)?;
    from_wire(wire, &kind)
}

fn attribute<'a>(kind: &'a Type, name: &str) -> Option<&'a Type> {
    match kind {
        Type::Map(element) => Some(element),
        Type::Object(attributes) => attributes.get(name),
        _ => None,
    }
}

/// Numbers that fit no number of MessagePack are texts.
fn number(wire: &Wire) -> Option<serde_json::Number> {
    match wire {
        Wire::Integer(integer) => match (integer.as_i64(), integer.as_u64()) {
            (Some(integer), _) => Some(integer.into()),
            (None, integer) => integer.map(Into::into),
        },
        Wire::F32(float) => serde_json::Number::from_f64(f64::from(*float)),
        Wire::F64(float) => serde_json::Number::from_f64(*float),
        Wire::String(text) => text.as_str()?.parse().ok(),
        _ => None,
    }
}

fn to_wire(value: &Value, kind: &Type) -> Result<Wire, MsgpackError> {
    Ok(match (value, kind) {
        (Value::Unknown, _) => Wire::Ext(0, vec![0]),
        (Value::Null, _) => Wire::Nil,
        (value, Type::Dynamic) => {
            let kind = type_of(value);
            let text = kind.to_json().to_string().into_bytes();
            Wire::Array(vec![Wire::Binary(text), to_wire(value, &kind)?])
        }
        (Value::Bool(value), Type::Bool) => Wire::Boolean(*value),
        (Value::String(text), Type::String) => Wire::from(text.as_str()),
        (Value::Number(number), Type::Number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => Wire::from(integer),
            (None, Some(integer)) => Wire::from(integer),
            (None, None) => Wire::from(number.to_string()),
        },
        (Value::List(elements), Type::List(element) | Type::Set(element)) => {
            let elements = elements.iter().map(|value| to_wire(value, element));
            Wire::Array(elements.collect::<Result<_, _>>()?)
        }
        (Value::List(elements), Type::Tuple(kinds)) if elements.len() == kinds.len() => {
            let elements = elements.iter().zip(kinds);
            let elements = elements.map(|(value, kind)| to_wire(value, kind));
            Wire::Array(elements.collect::<Result<_, _>>()?)
        }
        (Value::Object(entries), Type::Map(element)) => {
            let entry = |(key, value): (&String, _)| {
                Ok((Wire::from(key.as_str()), to_wire(value, element)?))
            };
            Wire::Map(entries.iter().map(entry).collect::<Result<_, _>>()?)
        }
        (Value::Object(entries), Type::Object(attributes)) => {
            if entries.keys().any(|key| !attributes.contains_key(key)) {
                return Err(MsgpackError::Mismatch);
            }
            // Every attribute is there; one that nobody gave is null.
            let attribute = |(name, kind): (&String, _)| {
                Ok((Wire::from(name.as_str()), to_wire(value.get(name), kind)?))
            };
            Wire::Map(attributes.iter().map(attribute).collect::<Result<_, _>>()?)
        }
        _ => return Err(MsgpackError::Mismatch),
    })
}

/// The type that a value has by itself.
fn type_of(value: &Value) -> Type {
    match value {
        Value::Unknown | Value::Null => Type::Dynamic,
        Value::Bool(_) => Type::Bool,
        Value::Number(_) => Type::Number,
        Value::String(_) => Type::String,
        Value::List(elements) => Type::Tuple(elements.iter().map(type_of).collect()),
        Value::Object(attributes) => {
            let attributes = attributes.iter();
            Type::Object(
                attributes
                    .map(|(name, value)| (name.clone(), type_of(value)))
                    .collect(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{MsgpackError, decode, encode};
    use crate::protocol::{Type, Value};

    #[test]
    fn values_come_back_from_their_bytes() {
        let kind = Type::object([
            ("name", Type::String),
            ("unknown", Type::String),
            ("null", Type::Bool),
            ("list", Type::list(Type::Number)),
            ("map", Type::map(Type::Bool)),
            ("any", Type::Dynamic),
        ]);
        let numbers = json!([1, -1, 18446744073709551615u64]);
        let mut value = Value::from(&json!({
            "name": "app", "null": null, "list": numbers, "map": {"b": true, "a": false},
            "any": {"image": "i", "cpu": 1, "list": ["a", 1, {}], "none": null},
        }));
        if let Value::Object(attributes) = &mut value {
            attributes.insert("unknown".to_owned(), Value::Unknown);
        }
        let bytes = encode(&value, &kind).unwrap();
        assert_eq!(decode(&bytes, &kind), Ok(value));
    }

    #[test]
    fn numbers_are_not_rounded() {
        let long: serde_json::Number = "3.141592653589793238462643383279502884".parse().unwrap();
        let bytes = encode(&Value::Number(long.clone()), &Type::Number).unwrap();
        assert_eq!(decode(&bytes, &Type::Number), Ok(Value::Number(long)));
        // 1.5, as Terraform writes it
        let half = [0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0];
        let value = decode(&half, &Type::Number).unwrap();
        assert_eq!(value, Value::Number("1.5".parse().unwrap()));
    }

    #[test]
    fn what_terraform_says_of_an_unknown_value_leaves_it_unknown() {
        // Extension 12 with {1: false}: unknown, and not null.
        let refined = [0xc7, 0x03, 0x0c, 0x81, 0x01, 0xc2];
        for bytes in [&refined[..], &[0xd4, 0, 0]] {
            assert_eq!(decode(bytes, &Type::String), Ok(Value::Unknown));
            assert_eq!(decode(bytes, &Type::Dynamic), Ok(Value::Unknown));
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let text = encode(&Value::string("a"), &Type::String).unwrap();
        assert_eq!(decode(&text, &Type::Bool), Err(MsgpackError::Mismatch));
        assert_eq!(decode(&[], &Type::Bool), Err(MsgpackError::Malformed));
        assert_eq!(
            decode(&[0xc0, 0xc0], &Type::Bool),
            Err(MsgpackError::Malformed)
        );
        let deep = vec![0x91; 4096];
        assert_eq!(decode(&deep, &Type::Dynamic), Err(MsgpackError::Malformed));
        let stranger = Value::object([("b", Value::Null)]);
        let kind = Type::object([("a", Type::Bool)]);
        assert_eq!(encode(&stranger, &kind), Err(MsgpackError::Mismatch));
        assert_eq!(
            encode(&Value::Bool(true), &Type::String),
            Err(MsgpackError::Mismatch)
        );
    }
}
