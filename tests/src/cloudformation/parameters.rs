//! Values of a template's parameters, as a macro gets them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What a person gives, or else the default: lists as lists, `NoEcho` ones in clear, and of a
/// parameter in SSM its name there.
pub(super) fn values(
    template: &Value,
    given: &BTreeMap<String, String>,
) -> Result<Map<String, Value>, String> {
    let empty = Map::new();
    let declared = template.get("Parameters").and_then(Value::as_object);
    let declared = declared.unwrap_or(&empty);
    if let Some(unknown) = given.keys().find(|name| !declared.contains_key(*name)) {
        return Err(format!(
            "Parameters: [{unknown}] do not exist in the template"
        ));
    }
    let mut values = Map::new();
    for (name, declaration) in declared {
        let default = declaration.get("Default").map(|default| match default {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let Some(value) = given.get(name).cloned().or(default) else {
            return Err(format!("Parameters: [{name}] must have values"));
        };
        let kind = declaration.get("Type").and_then(Value::as_str);
        let list =
            kind.is_some_and(|kind| kind == "CommaDelimitedList" || kind.starts_with("List<"));
        let value = match list {
            true => value.split(',').map(str::trim).collect(),
            false => json!(value),
        };
        values.insert(name.clone(), value);
    }
    Ok(values)
}
