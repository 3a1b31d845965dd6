//! Digests of values: equal for values that mean the same to ECS.

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::scalar_text;

/// The digest of a value, 16 hexadecimal digits. The order of keys does not matter, nor whether a
/// scalar is written as a text.
pub(crate) fn of(value: &Value) -> String {
    let text = ordered(value).to_string();
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let bytes = digest.as_ref().iter().take(8);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// The first half of a digest, for what is only compared with itself.
pub(crate) fn short(value: &Value) -> String {
    of(value).chars().take(8).collect()
}

fn ordered(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(ordered).collect(),
        Value::Object(map) => {
            let mut members: Vec<(&String, &Value)> = map.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            let members = members.into_iter();
            let members = members.map(|(key, value)| (key.clone(), ordered(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        scalar => scalar_text(scalar).map_or(Value::Null, Value::String),
    }
}

#[cfg(test)]
mod tests {
    use super::{of, short};
    use serde_json::json;

    #[test]
    fn what_means_the_same_has_one_digest() {
        let one = json!({"name": "a", "value": 7, "on": true});
        let other = json!({"on": "true", "value": "7", "name": "a"});
        assert_eq!(of(&one), of(&other));
        assert_eq!((of(&one).len(), short(&one).len()), (16, 8));
        assert_ne!(of(&json!(["a", "b"])), of(&json!(["b", "a"])));
        assert_ne!(of(&json!(["a b"])), of(&json!(["a", "b"])));
        assert_ne!(of(&json!([])), of(&json!({})));
    }
}
