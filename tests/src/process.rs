//! What a container runs, as words: the rule of ECS and of the container runtime, written once more.

use serde_json::{Map, Value, json};

use crate::conditions::intrinsic;
use crate::lock::Config;

/// Joins the words of an entry point that is an intrinsic function.
const DELIMITER: &str = "|outrigger|";

/// Words of a process; a whole list that is an intrinsic function is one word `{"splice": <list>}`.
pub type Words = Vec<Value>;

/// The words of `entryPoint` or `command`; `None` when absent or empty.
pub fn list(container: &Map<String, Value>, key: &str) -> Option<Words> {
    match container.get(key)? {
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) => Some(items.clone()),
        Value::Null => None,
        other => Some(composed(other).unwrap_or_else(|| vec![splice(other)])),
    }
}

fn splice(list: &Value) -> Value {
    json!({"splice": list})
}

/// `Fn::Split` over `Fn::Join` of words and one joined list: the words, and the list.
fn composed(value: &Value) -> Option<Words> {
    let ("Fn::Split", split) = intrinsic(value)? else {
        return None;
    };
    let words = joined(split.get(1)?).filter(|_| split.get(0) == Some(&json!(DELIMITER)))?;
    let Value::Array(words) = words else {
        return None;
    };
    Some(
        words
            .iter()
            .map(|word| joined(word).map_or_else(|| word.clone(), splice))
            .collect(),
    )
}

fn joined(value: &Value) -> Option<&Value> {
    let ("Fn::Join", join) = intrinsic(value)? else {
        return None;
    };
    join.get(1)
        .filter(|_| join.get(0) == Some(&json!(DELIMITER)))
}

/// What runs, by moby's `merge`; `None` when it is the image that decides and its config is not at hand.
pub fn effective(container: &Map<String, Value>, image: Option<&Config>) -> Option<Words> {
    let words = |texts: &[String]| texts.iter().map(|text| json!(text)).collect::<Words>();
    match (list(container, "entryPoint"), list(container, "command")) {
        (Some(entry_point), command) => Some([entry_point, command.unwrap_or_default()].concat()),
        (None, Some(command)) => Some([words(&image?.entrypoint), command].concat()),
        (None, None) => Some([words(&image?.entrypoint), words(&image?.cmd)].concat()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::effective;
    use crate::lock::Config;

    #[test]
    fn the_table_of_the_runtime() {
        let image = Config {
            entrypoint: vec!["/ie".into()],
            cmd: vec!["ic".into()],
        };
        for (container, expected) in [
            (
                json!({"entryPoint": ["e"], "command": ["c"]}),
                json!(["e", "c"]),
            ),
            (json!({"entryPoint": ["e"]}), json!(["e"])),
            (
                json!({"entryPoint": [], "command": ["c"]}),
                json!(["/ie", "c"]),
            ),
            (json!({"command": []}), json!(["/ie", "ic"])),
            (
                json!({"entryPoint": {"Fn::Split": ["|outrigger|", {"Fn::Join": ["|outrigger|", ["w", {"Fn::Join": ["|outrigger|", {"Ref": "L"}]}]]}]}}),
                json!(["w", {"splice": {"Ref": "L"}}]),
            ),
        ] {
            assert_eq!(
                json!(effective(container.as_object().unwrap(), Some(&image)).unwrap()),
                expected
            );
        }
    }
}
