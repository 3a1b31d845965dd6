//! A template's task definition and one by itself are rewritten alike.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{bound, codes, lacework, run, run_as_root, task_definition, template};
use crate::DocumentKind;
use crate::dialect::Dialect;
use crate::recipe::{BoundRecipe, InputError, InputType, InputValue, Recipe, Recipes, builtin};
use crate::report::Outcome;

/// The same without intrinsic functions: each is replaced by its first branch, or by a text.
fn literal(value: &Value) -> Option<Value> {
    match value {
        Value::Array(items) => Some(items.iter().filter_map(literal).collect()),
        Value::Object(map) => match (map.len(), map.iter().next()) {
            (1, Some((name, argument))) if name == "Fn::If" => {
                literal(&argument[1]).or_else(|| literal(&argument[2]))
            }
            (1, Some((name, argument))) if name == "Ref" && argument == "AWS::NoValue" => None,
            (1, Some((name, argument))) if name == "Fn::Split" => Some(json!([argument[0]])),
            (1, Some((name, _))) if name == "Ref" || name.starts_with("Fn::") => {
                Some(json!("both"))
            }
            _ => {
                let members = map.iter();
                let members = members.filter_map(|(key, item)| Some((key.clone(), literal(item)?)));
                Some(Value::Object(members.collect()))
            }
        },
        other => Some(other.clone()),
    }
}

/// A task definition without intrinsic functions.
fn written_out(task: &Value) -> Value {
    let mut task = literal(task).unwrap_or_default();
    if task.get("containerDefinitions").is_none() {
        task["containerDefinitions"] = json!([]);
    }
    task
}

/// Every built-in recipe, with inputs that fit, and two that are composed.
fn all_recipes() -> &'static [Recipes] {
    static RECIPES: LazyLock<Vec<Recipes>> = LazyLock::new(|| {
        let mut all: Vec<Recipes> = builtin()
            .iter()
            .map(|(name, _)| fitting(name).into())
            .collect();
        all.push(Recipes::new(vec![run_as_root(), bound("alert-logic", &[])]).unwrap());
        all
    });
    &RECIPES
}

/// A built-in recipe with a value for every input that it asks for.
fn fitting(name: &str) -> BoundRecipe {
    if name == "lacework" {
        return run_as_root();
    }
    let (_, text) = builtin().iter().find(|(known, _)| *known == name).unwrap();
    let recipe = Recipe::parse(name, text).unwrap();
    let mut inputs = BTreeMap::new();
    // Inputs that are asked for under conditions turn up one after the other.
    for _ in 0..4 {
        match recipe.bind(inputs.clone()) {
            Ok(bound) => return bound,
            Err(errors) => {
                let missing = errors.errors.into_iter().filter_map(|error| match error {
                    InputError::Missing(names) => Some(names),
                    _ => None,
                });
                for (name, _) in missing.flatten() {
                    let mut declared = recipe.declarations().iter();
                    let value = match declared.find(|input| input.name == name).unwrap().kind {
                        InputType::Port => json!(6443),
                        _ => json!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbCdEf"),
                    };
                    inputs.insert(name, InputValue::Plain(value));
                }
            }
        }
    }
    panic!("no inputs fit {name}");
}

proptest! {
    // Every case is many runs.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn dialects_commute(task in task_definition()) {
        let task = written_out(&task);
        for recipes in all_recipes() {
            let (here, report) = run(&task, DocumentKind::TaskDefinition, recipes);
            let (there, other) = run(&template(&task), DocumentKind::Template, recipes);
            prop_assert_eq!(Dialect::CloudFormation.spell("", &here), there);
            prop_assert_eq!(codes(&report), codes(&other));
            prop_assert_eq!(report.task_definitions[0].outcome, other.task_definitions[0].outcome);
        }
    }

    #[test]
    fn a_bare_task_definition_has_no_functions(task in task_definition()) {
        let literal = written_out(&task);
        let (after, report) = run(&task, DocumentKind::TaskDefinition, lacework());
        let refused = report.task_definitions[0].outcome == Outcome::Refused;
        prop_assert!(task == literal || (refused && after == task));
    }
}
