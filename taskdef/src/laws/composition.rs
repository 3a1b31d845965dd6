//! Several recipes on one task definition.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::{around, assignments, lacework, run, run_as_root, task_definition, template};
use crate::DocumentKind;
use crate::cloudformation::conditions::restrict;
use crate::cloudformation::intrinsic::Assignment;
use crate::recipe::{BoundRecipe, Recipe, Recipes};
use crate::report::{Outcome, Report};

/// A recipe that only adds a sidecar and a variable.
fn collector(name: &str) -> BoundRecipe {
    let text = format!(
        "recipe: 1\nname: {name}\ndescription: d\ndocumentation: []\nworkload:\n  - settings:\n      environment:\n        - {{name: {name}, value: \"{{{{ container.name }}}}\"}}\nsidecars:\n  - name: {name}\n    settings: {{essential: false, image: collector}}\n"
    );
    Recipe::parse(name, &text)
        .unwrap()
        .bind(BTreeMap::new())
        .unwrap()
}

/// The containers of a template's task definition by name, under an assignment, without the order of settings.
fn container_set(task: &Value, given: &Assignment) -> BTreeMap<String, BTreeMap<String, Value>> {
    let containers = restrict(&task["ContainerDefinitions"], given).unwrap_or(Value::Null);
    let mut found = BTreeMap::new();
    for container in containers.as_array().into_iter().flatten() {
        let Some(Value::Object(container)) = restrict(container, given) else {
            continue;
        };
        let name = container["Name"].as_str().unwrap().to_owned();
        let settings = container.into_iter().map(|(key, value)| {
            let value = restrict(&value, given).unwrap_or(Value::Null);
            let mut items: Vec<String> = match &value {
                Value::Array(items) => items.iter().map(Value::to_string).collect(),
                other => vec![other.to_string()],
            };
            if key == "Environment" {
                items.sort();
            }
            (key, Value::from(items))
        });
        found.insert(name, settings.collect());
    }
    found
}

proptest! {
    // Every case is many runs.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn recipes_that_only_add_sidecars_go_in_any_order(task in task_definition()) {
        let template = template(&task);
        let order = |names: [&str; 2]| {
            let recipes = Recipes::new(names.map(collector).into()).unwrap();
            run(&template, DocumentKind::Template, &recipes)
        };
        let (one, first) = order(["first", "second"]);
        let (other, second) = order(["second", "first"]);
        prop_assert_eq!(first.task_definitions[0].outcome, second.task_definitions[0].outcome);
        for given in assignments() {
            prop_assert_eq!(container_set(&one, &given), container_set(&other, &given));
        }
    }

    #[test]
    fn a_second_run_of_several_recipes_changes_nothing(task in task_definition()) {
        let recipes = Recipes::new(vec![collector("first"), run_as_root(), collector("second")]).unwrap();
        let (once, first) = run(&template(&task), DocumentKind::Template, &recipes);
        let again = around(&once);
        let (twice, second) = run(&again, DocumentKind::Template, &recipes);
        prop_assert_eq!(&once, &twice);
        if first.task_definitions[0].outcome == Outcome::Rewritten {
            prop_assert_eq!(second.task_definitions[0].outcome, Outcome::Unchanged);
        }
    }

    #[test]
    fn one_recipe_and_one_of_several_do_the_same(task in task_definition()) {
        // What the wrapping recipe does to a program does not depend on who is with it.
        let (alone, report) = run(&template(&task), DocumentKind::Template, lacework());
        let both = Recipes::new(vec![collector("first"), run_as_root()]).unwrap();
        let (together, other) = run(&template(&task), DocumentKind::Template, &both);
        let rewritten = |report: &Report| report.task_definitions[0].outcome == Outcome::Rewritten;
        if rewritten(&report) && rewritten(&other) {
            for given in assignments() {
                let (alone, together) = (container_set(&alone, &given), container_set(&together, &given));
                for (name, container) in alone {
                    for key in ["EntryPoint", "Command", "User", "Image"] {
                        prop_assert_eq!(container.get(key), together[&name].get(key));
                    }
                }
            }
        }
    }
}
