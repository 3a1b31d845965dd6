//! [`Fn::ForEach`](https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html),
//! expanded as `AWS::LanguageExtensions` does.

use serde_json::{Map, Value, json};

/// The template with every loop written out.
pub(super) fn expanded(value: Value, parameters: &Map<String, Value>) -> Result<Value, String> {
    match value {
        Value::Array(items) => {
            let items = items.into_iter();
            items.map(|item| expanded(item, parameters)).collect()
        }
        Value::Object(members) => {
            let mut done = Map::new();
            for (key, member) in members {
                if key.starts_with("Fn::ForEach::") {
                    done.extend(turns(&key, &member, parameters)?);
                } else {
                    done.insert(key, expanded(member, parameters)?);
                }
            }
            Ok(Value::Object(done))
        }
        value => Ok(value),
    }
}

/// What a loop stands for: its body, once for every item.
fn turns(
    key: &str,
    each: &Value,
    parameters: &Map<String, Value>,
) -> Result<Map<String, Value>, String> {
    let wrong = || format!("{key} is no loop");
    let Some([Value::String(variable), collection, body]) = each.as_array().map(Vec::as_slice)
    else {
        return Err(wrong());
    };
    let referred = collection.get("Ref").and_then(Value::as_str);
    let items = referred.map_or(Some(collection), |name| parameters.get(name));
    let items = items.and_then(Value::as_array).ok_or_else(wrong)?;
    let mut done = Map::new();
    for item in items {
        let item = item.as_str().ok_or_else(wrong)?;
        let turn = with(body, variable, item);
        if let Value::Object(members) = expanded(turn, parameters)? {
            done.extend(members);
        }
    }
    Ok(done)
}

/// The body with the item in the variable's place.
fn with(body: &Value, variable: &str, item: &str) -> Value {
    let forms = [format!("${{{variable}}}"), format!("&{{{variable}}}")];
    let said = |text: &str| {
        let forms = forms.iter();
        forms.fold(text.to_owned(), |text, form| text.replace(form, item))
    };
    if *body == json!({"Ref": variable}) {
        return json!(item);
    }
    match body {
        Value::String(text) => json!(said(text)),
        Value::Array(items) => items
            .iter()
            .map(|value| with(value, variable, item))
            .collect(),
        Value::Object(members) => {
            let members = members.iter();
            let done = members.map(|(key, value)| (said(key), with(value, variable, item)));
            Value::Object(done.collect())
        }
        other => other.clone(),
    }
}
