//! A template's task definition and one by itself are rewritten alike.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    answers, bound, codes, lacework, run, run_as_root, settings, task_definition, template,
};
use crate::DocumentKind;
use crate::dialect::{Dialect, terraform};
use crate::recipe::{BoundRecipe, InputError, InputType, InputValue, Recipe, Recipes, builtin};
use crate::report::{Outcome, Report};
use crate::terraform::Plan;

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

/// The task definition after a run on a plan that holds it, and the report. Outside of what is
/// spliced the plan stays, and a second run changes nothing.
fn planned(task: &Value, pretty: bool, recipes: &Recipes) -> (Value, Report) {
    let plan = plan_of_task(task);
    let text = match pretty {
        true => serde_json::to_string_pretty(&plan).unwrap(),
        false => plan.to_string(),
    };
    let (after, report) = once(&text, recipes);
    let (again, _) = once(&after, recipes);
    assert_eq!(again, after);
    let mut read: Value = serde_json::from_str(&after).unwrap();
    let mut change = read["resource_changes"][0]["change"]["after"].take();
    let values = read["planned_values"]["root_module"]["resources"][0]["values"].take();
    assert_eq!(change, values);
    if report.task_definitions[0].outcome != Outcome::Rewritten {
        assert_eq!(after, text);
    }
    let definitions = change["container_definitions"].take();
    let mut attributes = change.as_object().unwrap().clone();
    let definitions = serde_json::from_str(definitions.as_str().unwrap()).unwrap();
    attributes.insert("container_definitions".to_owned(), definitions);
    let mut canonical = terraform::canonical(&attributes);
    for (key, value) in task.as_object().unwrap() {
        // An empty list of blocks is none.
        canonical.entry(key.clone()).or_insert(value.clone());
    }
    let order = task.as_object().unwrap().keys();
    let mut ordered: Map<String, Value> = order
        .map(|key| (key.clone(), canonical.shift_remove(key).unwrap()))
        .collect();
    ordered.extend(canonical);
    (Value::Object(ordered), report)
}

/// A plan that makes one task definition.
fn plan_of_task(task: &Value) -> Value {
    let mut attributes = Map::new();
    for (key, value) in task.as_object().unwrap() {
        let (name, value) = match key.as_str() {
            "containerDefinitions" => ("container_definitions", Value::from(value.to_string())),
            key => terraform::spelled(key, value, &Map::new()).unwrap(),
        };
        attributes.insert(name.to_owned(), value);
    }
    let resource = json!({"address": "family", "type": "aws_ecs_task_definition", "name": "app", "values": attributes});
    let change = json!({"actions": ["create"], "before": null, "after": attributes, "after_unknown": {"arn": true}});
    let change = json!({"address": "family", "type": "aws_ecs_task_definition", "name": "app", "change": change});
    json!({
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": [resource]}},
        "resource_changes": [change],
    })
}

fn once(text: &str, recipes: &Recipes) -> (String, Report) {
    let plan = Plan::from_bytes(text.as_bytes()).unwrap();
    let settings = settings();
    let answers = answers(&plan.images_needed(recipes, &settings).unwrap());
    let rewritten = plan.rewrite(recipes, &settings, &answers).unwrap();
    (plan.pieces(&rewritten.splices).collect(), rewritten.report)
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
    fn a_plan_is_rewritten_like_a_task_definition_by_itself(task in task_definition(), pretty: bool) {
        let task = written_out(&task);
        for recipes in all_recipes() {
            let (here, report) = run(&task, DocumentKind::TaskDefinition, recipes);
            let (there, other) = planned(&task, pretty, recipes);
            prop_assert_eq!(here, there);
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
