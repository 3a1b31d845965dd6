//! A reading of Terraform's plans, to judge the product by.

use serde_json::{Value, json};

/// The type of a task definition.
pub const TASK_DEFINITION: &str = "aws_ecs_task_definition";

/// The value at a [JSON pointer](https://www.rfc-editor.org/rfc/rfc6901); null where there is none.
fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

/// What must be so after a run, whatever was rewritten: nothing else has changed, both places of a
/// task definition say the same, and the actions are what Terraform would say. Each broken rule is
/// a line.
pub fn judge(before: &Value, after: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    let mut plain = after.clone();
    restore(&mut plain, before);
    if plain != *before {
        broken.push("something else than task definitions has changed".to_owned());
    }
    each_change(after, &mut |change| {
        let address = at(change, "/address").as_str().unwrap_or_default();
        let new = at(change, "/change/after");
        let values = planned(at(after, "/planned_values/root_module"), address);
        if values.is_some_and(|values| values != new) {
            broken.push(format!("`{address}` is another one in `planned_values`"));
        }
        let old = attributes(before, address);
        if at(&old, "/container_definitions") != at(new, "/container_definitions") {
            broken.extend(replaced(address, change));
        }
    });
    broken
}

/// A task definition that changes is made: its ARN and the like are unknown, unless the actions
/// were to be kept.
fn replaced(address: &str, change: &Value) -> Option<String> {
    let change = at(change, "/change");
    let actions = at(change, "/actions");
    let makes = [
        json!(["create"]),
        json!(["delete", "create"]),
        json!(["create", "delete"]),
    ];
    let known = ["arn", "id", "revision"]
        .iter()
        .filter(|key| at(change, "/after").get(**key).is_some());
    let makes = makes.contains(actions);
    (makes && known.count() > 0).then(|| format!("`{address}` is made, and its ARN is known"))
}

/// Puts task definitions back as they were, but not in what is there, and what a person wrote.
fn restore(value: &mut Value, before: &Value) {
    const STAYS: [&str; 3] = ["prior_state", "resource_drift", "configuration"];
    match (value, before) {
        (Value::Object(map), Value::Object(old)) => {
            let is_task = old.get("type").is_some_and(|kind| kind == TASK_DEFINITION);
            let is_place = old.contains_key("change") || old.contains_key("values");
            if is_task && is_place && map.get("address") == old.get("address") {
                map.clone_from(old);
                return;
            }
            for (key, value) in map
                .iter_mut()
                .filter(|(key, _)| !STAYS.contains(&key.as_str()))
            {
                restore(value, old.get(key).unwrap_or(&Value::Null));
            }
        }
        (Value::Array(items), Value::Array(old)) => {
            items
                .iter_mut()
                .zip(old)
                .for_each(|(item, old)| restore(item, old));
        }
        _ => {}
    }
}

/// The planned values of a resource.
fn planned<'v>(module: &'v Value, address: &str) -> Option<&'v Value> {
    let resources = at(module, "/resources").as_array().into_iter().flatten();
    let mut here = resources.filter(|resource| {
        let is_task =
            at(resource, "/type") == TASK_DEFINITION && at(resource, "/mode") == "managed";
        is_task && at(resource, "/address") == address
    });
    let modules = at(module, "/child_modules")
        .as_array()
        .into_iter()
        .flatten();
    match here.next() {
        Some(resource) => Some(at(resource, "/values")),
        None => modules.filter_map(|module| planned(module, address)).next(),
    }
}

/// The attributes of a task definition, as it will be; null where there is none.
pub fn attributes(plan: &Value, address: &str) -> Value {
    let mut found = Value::Null;
    each_change(plan, &mut |change| {
        if at(change, "/address") == address {
            found = at(change, "/change/after").clone();
        }
    });
    found
}

/// Visits every change after which there is a task definition.
pub fn each_change(plan: &Value, visit: &mut dyn FnMut(&Value)) {
    let changes = at(plan, "/resource_changes")
        .as_array()
        .into_iter()
        .flatten();
    let tasks = changes.filter(|change| at(change, "/type") == TASK_DEFINITION);
    tasks
        .filter(|change| {
            at(change, "/mode") == "managed" && at(change, "/change/after").is_object()
        })
        .for_each(visit);
}

/// The container definitions of a plan's attributes; null where they are none.
pub fn definitions(attributes: &Value) -> Value {
    let text = at(attributes, "/container_definitions").as_str();
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// Values of the environment of all containers of a plan.
pub fn environment_values(plan: &Value) -> Vec<String> {
    let mut values = Vec::new();
    each_change(plan, &mut |change| {
        let definitions = definitions(at(change, "/change/after"));
        for container in definitions.as_array().into_iter().flatten() {
            let entries = at(container, "/environment")
                .as_array()
                .into_iter()
                .flatten();
            values.extend(
                entries.filter_map(|entry| at(entry, "/value").as_str().map(str::to_owned)),
            );
        }
    });
    values
}

#[cfg(test)]
mod tests {
    use super::judge;
    use serde_json::{Value, json};

    fn plan(after: &Value, values: &Value, actions: &Value) -> Value {
        let resource = |key: &str, value: Value| json!({"address": "a.b", "type": "aws_ecs_task_definition", "mode": "managed", key: value});
        json!({
            "planned_values": {"root_module": {"child_modules": [{"resources": [resource("values", values.clone())]}]}},
            "resource_changes": [resource("change", json!({"actions": actions, "after": after}))],
            "prior_state": {"values": [resource("values", json!({}))]},
        })
    }

    #[test]
    fn each_rule_can_break() {
        let (old, new) = (
            json!({"container_definitions": "[]", "arn": "x"}),
            json!({"container_definitions": "[1]"}),
        );
        let before = plan(&old, &old, &json!(["no-op"]));
        assert_eq!(
            judge(&before, &plan(&new, &new, &json!(["delete", "create"]))),
            [""; 0]
        );
        let mut other = before.clone();
        other["prior_state"]["values"][0]["values"] = json!(1);
        assert_eq!(judge(&before, &other).len(), 1);
        assert_eq!(
            judge(&before, &plan(&new, &old, &json!(["delete", "create"]))).len(),
            1
        );
        let known = json!({"container_definitions": "[1]", "arn": "x"});
        assert_eq!(
            judge(&before, &plan(&known, &known, &json!(["delete", "create"]))).len(),
            1
        );
    }
}
