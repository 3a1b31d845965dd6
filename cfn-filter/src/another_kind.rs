//! Documents that are not for this program: where they belong.

use serde_json::Value;

/// The way out for a document that holds no task definition in a form that is understood.
pub(crate) fn hint(document: &Value) -> Option<&'static str> {
    let has = |key: &str| document.get(key).is_some();
    if has("planned_values") || has("resource_changes") || has("terraform_version") {
        return Some("this is a Terraform plan, which `tf-filter` reads");
    }
    if has("resources") {
        return Some("CloudFormation spells it `Resources`");
    }
    if has("containers") || has("ContainerDefinitions") {
        return Some("the ECS API spells it `containerDefinitions`");
    }
    if has("Type") && has("Properties") {
        return Some("a resource stands under `Resources`, behind its logical ID");
    }
    if has("services") {
        return Some("this may be a Compose file: ECS needs a task definition");
    }
    let items = document.as_array()?;
    let are_containers = items
        .iter()
        .all(|item| item.get("image").is_some() || item.get("Image").is_some());
    (are_containers && !items.is_empty()).then_some(
        "these are container definitions: they stand under `containerDefinitions` of a task definition",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::hint;

    #[test]
    fn what_is_known_has_a_way_out() {
        for known in [
            json!({"format_version": "1.2", "terraform_version": "1.11.4", "planned_values": {}}),
            json!({"resources": {}}),
            json!({"ContainerDefinitions": []}),
            json!({"Type": "AWS::ECS::TaskDefinition", "Properties": {}}),
            json!({"services": {"web": {"image": "nginx"}}}),
            json!([{"name": "app", "image": "nginx"}]),
        ] {
            assert!(hint(&known).is_some(), "{known}");
        }
        for unknown in [
            json!(["a"]),
            json!([]),
            json!("text"),
            json!({}),
            Value::Null,
        ] {
            assert_eq!(hint(&unknown), None, "{unknown}");
        }
    }
}
