//! Laws and rules of the recipe format.

use super::*;
use serde_json::json;

fn builtin_recipe(name: &str) -> Recipe {
    let (_, text) = builtin().iter().find(|(known, _)| *known == name).unwrap();
    match Recipe::parse(&format!("templates/{name}.yaml"), text) {
        Ok(recipe) => recipe,
        Err(error) => panic!("{error} {:?}", error.hint),
    }
}

#[test]
fn lacework_root() {
    let recipe = builtin_recipe("lacework");
    let given = [("accessToken".to_owned(), InputValue::Plain(json!("token")))];
    let bound = recipe.bind(given.into()).unwrap();
    let task = TaskFacts::default();
    let container = ContainerFacts {
        user: json!("root"),
        ..Default::default()
    };
    let workload = bound.workload(&task, &container).unwrap();
    assert_eq!(workload.sidecars, [0]);
    assert_eq!(
        Value::Object(bound.sidecar(0, &task, &[container]).unwrap()),
        json!({"name": "datacollector-sidecar", "image": "lacework/datacollector:latest-sidecar", "essential": false}),
    );
}
