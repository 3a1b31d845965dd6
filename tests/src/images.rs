//! Which images a template names, by literals and the defaults of parameters.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::document::{container_definitions, task_definitions};
use crate::lock::canonical;

/// Every image that literals, pseudo parameters and parameter defaults name.
pub fn named(document: &Value) -> BTreeSet<String> {
    let tasks = task_definitions(document);
    let images = tasks.iter().flat_map(|(_, task)| images(document, task));
    images.flatten().collect()
}

/// What an image runs, wherever that is asked: something that no other image does.
pub fn process(image: &str) -> (Value, Value) {
    (json!(["/entry"]), json!(["run", "--it", image]))
}

/// A lock file that answers every image that is named.
pub fn lock_file(document: &Value) -> Value {
    let images = named(document).into_iter().map(|image| {
        let (entrypoint, cmd) = process(&image);
        let entry = json!({"entrypoint": entrypoint, "cmd": cmd, "user": "", "workingDir": ""});
        (image, json!({"linux/amd64": entry, "linux/arm64": entry}))
    });
    json!({"version": 1, "images": images.collect::<Map<_, _>>()})
}

/// The canonical references of a task definition's containers; `None` for one that cannot be known.
pub fn images(document: &Value, task: &Value) -> Vec<Option<String>> {
    let mut found = Vec::new();
    collect_images(document, container_definitions(task), &mut found);
    found
}

fn collect_images(document: &Value, value: &Value, found: &mut Vec<Option<String>>) {
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_images(document, item, found)),
        Value::Object(map) if map.contains_key("Image") => {
            let text = map.get("Image").and_then(|image| literal(document, image));
            found.push(text.map(|text| canonical(&text)));
        }
        Value::Object(map) => map
            .values()
            .for_each(|item| collect_images(document, item, found)),
        _ => {}
    }
}

fn literal(document: &Value, image: &Value) -> Option<String> {
    let default = |name: &str| {
        let parameter = document.get("Parameters")?.get(name)?;
        let ssm = parameter.get("Type")?.as_str()?.starts_with("AWS::SSM::");
        let text = parameter
            .get("Default")?
            .as_str()
            .filter(|_| !ssm && parameter.get("NoEcho").is_none())?;
        Some(text.to_owned())
    };
    match image {
        Value::String(text) if !text.contains("{{") => Some(text.clone()),
        Value::Object(map) => default(map.get("Ref")?.as_str()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_counts_what_can_be_resolved() {
        let document = json!({"Parameters": {"P": {"Type": "String", "Default": "app:1"}, "Q": {"Type": "String"}},
            "Resources": {"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [{"Image": {"Ref": "P"}}, {"Image": {"Ref": "Q"}}, {"Image": "nginx"}]}}}});
        let found = images(
            &document,
            crate::document::at(&document, "Resources/T").unwrap(),
        );
        assert_eq!(
            found,
            [
                Some("docker.io/library/app:1".to_owned()),
                None,
                Some("docker.io/library/nginx:latest".to_owned())
            ]
        );
    }
}
