//! Laws that hold for any text.

use proptest::prelude::*;

use super::*;

const RECIPE: &str = "inputs:
  a: {description: d, mayBeEmpty: true}
  list: {description: d, type: list}
workload:
  - settings:
      environment:
        - {name: WHOLE, value: '{{ inputs.a }}'}
        - {name: INSIDE, value: '<{{ inputs.a }}>'}
        - {name: NAME, value: '<{{ container.name }}>'}
        - {name: JOINED, value: \"{{ inputs.list | join(',') }}\"}
";

/// What CloudFormation makes of a value when every `Ref` gives this text.
fn resolved(value: &Value, reference: &str) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(map) => match map.get("Fn::Join") {
            Some(join) => {
                let parts = join[1].as_array().unwrap();
                parts.iter().map(|part| resolved(part, reference)).collect()
            }
            None => reference.to_owned(),
        },
        other => panic!("{other}"),
    }
}

fn render(a: Value, list: Value, name: Value) -> Vec<Value> {
    let inputs = [("a", a), ("list", list)];
    let inputs = inputs.map(|(name, value)| (name.to_owned(), InputValue::Plain(value)));
    let bound = recipe(RECIPE).bind(inputs.into()).unwrap();
    let app = ContainerFacts {
        name,
        ..container("root")
    };
    let settings = bound.workload(&task(), &app).unwrap().settings;
    let variables = settings["environment"].as_array().unwrap();
    variables
        .iter()
        .map(|variable| variable["value"].clone())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_passes_unchanged(text in "[^\\x00]{0,40}", more in "[{}%#$'\"a ]{0,20}") {
        let text = format!("{text}{more}");
        let values = render(json!(text), json!([text]), json!(text));
        let inside = json!(format!("<{text}>"));
        prop_assert_eq!(values, vec![json!(text), inside.clone(), inside, json!(text)]);
    }

    #[test]
    fn an_intrinsic_inside_text_resolves_to_the_text(
        items in prop::collection::vec(prop::option::of("[^\\x00]{0,9}"), 1..6),
        reference in "[a-z]{0,4}",
    ) {
        let list: Value = items
            .iter()
            .map(|item| item.as_ref().map_or(json!({"Ref": "X"}), |text| json!(text)))
            .collect();
        let values = render(json!({"Ref": "X"}), list, json!({"Ref": "X"}));
        let texts: Vec<_> =
            items.iter().map(|item| item.clone().unwrap_or_else(|| reference.clone())).collect();
        let resolved: Vec<_> = values.iter().map(|value| resolved(value, &reference)).collect();
        let inside = format!("<{reference}>");
        prop_assert_eq!(resolved, vec![reference, inside.clone(), inside, texts.join(",")]);
    }

    #[test]
    fn a_damaged_recipe_is_an_error_with_a_place(at in 0_usize..4000, length in 1_usize..30) {
        let (_, text) = builtin().iter().find(|(name, _)| *name == "lacework").unwrap();
        let damaged: String = text
            .char_indices()
            .filter(|(index, _)| *index < at || *index >= at + length)
            .map(|(_, character)| character)
            .collect();
        if let Err(error) = Recipe::parse("x.yaml", &damaged) {
            prop_assert!(error.place.line > 0, "{error}");
            prop_assert!(!error.to_string().contains('\n'), "{error}");
        }
    }
}
