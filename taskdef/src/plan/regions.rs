//! Mappings by which another image is taken in another region or account.
//!
//! A template is written once and deployed in many places. `AWS::Region` in the host of a registry
//! leads to the same repository everywhere; in the key of a mapping it may lead to another image.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::{Unknown, call, function};
use crate::cloudformation::template::Template;

/// How many rows of mappings are looked at for one image.
const MAX_ROWS: usize = 64;

/// What the name of a pseudo parameter begins with.
const PSEUDO: &str = "AWS::";

/// The keys of mappings that depend on pseudo parameters, as texts, each with what it may be.
type Keys = BTreeMap<String, BTreeSet<String>>;

/// An expression for each row of the mappings that a pseudo parameter chooses from, with the row's
/// key in the place of the pseudo parameter; none where it chooses none.
pub(crate) fn rows(template: &Template<'_>, value: &Value) -> Result<Vec<Value>, Unknown> {
    let mut keys = Keys::new();
    collect(template, value, &mut keys)?;
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut choices = vec![BTreeMap::new()];
    for (key, candidates) in &keys {
        let more = choices.iter().flat_map(|choice| {
            candidates.iter().map(move |candidate| {
                let mut choice: BTreeMap<&str, &str> = BTreeMap::clone(choice);
                choice.insert(key, candidate);
                choice
            })
        });
        choices = more.take(MAX_ROWS + 1).collect();
    }
    match choices.len() <= MAX_ROWS {
        true => Ok(choices.iter().map(|choice| chosen(value, choice)).collect()),
        false => Err(Unknown::TooLarge),
    }
}

fn collect(template: &Template<'_>, value: &Value, keys: &mut Keys) -> Result<(), Unknown> {
    if let Some(("Fn::FindInMap", Value::Array(items))) = function(value)
        && let [name, first, second, rest @ ..] = items.as_slice()
    {
        let open = [first, second].map(|key| !pseudo_parameters(key).is_empty());
        if open != [false, false] || !pseudo_parameters(name).is_empty() {
            let entries = name.as_str().and_then(|name| template.mapping_named(name));
            let Some(entries) = entries.and_then(Value::as_object) else {
                return Err(Unknown::Function("Fn::FindInMap".to_owned()));
            };
            let second_keys = entries.values().filter_map(Value::as_object);
            let second_keys = second_keys.flat_map(Map::keys).cloned().collect();
            let candidates: [BTreeSet<String>; 2] =
                [entries.keys().cloned().collect(), second_keys];
            for ((key, open), candidates) in [first, second].into_iter().zip(open).zip(candidates) {
                if open {
                    let known = keys.entry(key.to_string()).or_default();
                    known.extend(candidates);
                    // In a place that has no row a default value is taken.
                    known.extend((!rest.is_empty()).then(String::new));
                }
            }
        }
    }
    match value {
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| collect(template, item, keys)),
        Value::Object(map) => map
            .values()
            .try_for_each(|item| collect(template, item, keys)),
        _ => Ok(()),
    }
}

fn chosen(value: &Value, choice: &BTreeMap<&str, &str>) -> Value {
    if let Some((name @ "Fn::FindInMap", Value::Array(items))) = function(value) {
        let items = items.iter().enumerate().map(|(position, item)| {
            let key = (position != 0).then(|| item.to_string());
            match key.and_then(|key| choice.get(key.as_str())) {
                Some(row) => Value::from(*row),
                None => chosen(item, choice),
            }
        });
        return call(name, Value::Array(items.collect()));
    }
    each(value, &|item| chosen(item, choice))
}

/// The pseudo parameters that an expression depends on.
pub(crate) fn pseudo_parameters(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    add_pseudo_parameters(value, &mut found);
    found
}

fn add_pseudo_parameters(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let variables = text.split("${").skip(1);
            let names = variables.filter_map(|rest| rest.split_once('}').map(|(name, _)| name));
            let pseudo = names.filter(|name| name.starts_with(PSEUDO));
            found.extend(pseudo.map(str::to_owned));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| add_pseudo_parameters(item, found)),
        Value::Object(map) => match function(value) {
            Some(("Ref", Value::String(name))) => {
                let is_one = name.starts_with(PSEUDO) && name != "AWS::NoValue";
                found.extend(is_one.then(|| name.clone()));
            }
            _ => map
                .values()
                .for_each(|item| add_pseudo_parameters(item, found)),
        },
        _ => {}
    }
}

/// An expression with the names of pseudo parameters in the place of their values: the same
/// wherever it is deployed.
pub(crate) fn placeless(value: &Value) -> Value {
    match (value, function(value)) {
        (_, Some(("Ref", Value::String(name))))
            if name.starts_with(PSEUDO) && name != "AWS::NoValue" =>
        {
            Value::String(name.clone())
        }
        (Value::String(text), _) => {
            let mut text = text.clone();
            for name in pseudo_parameters(value) {
                text = text.replace(&format!("${{{name}}}"), &name);
            }
            Value::String(text)
        }
        _ => each(value, &placeless),
    }
}

/// A value with each of its parts made anew.
fn each(value: &Value, make: &dyn Fn(&Value) -> Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(make).collect(),
        Value::Object(map) => {
            let members = map.iter().map(|(key, item)| (key.clone(), make(item)));
            Value::Object(members.collect())
        }
        scalar => scalar.clone(),
    }
}

/// Whether two references name the same repository, and the same in it. A private registry of
/// [Amazon ECR](https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html) is taken
/// for a copy of the one of another region or account.
pub(crate) fn is_copy(one: &str, other: &str) -> bool {
    let in_ecr = |reference: &str| {
        let (host, rest) = reference.split_once('/')?;
        host.contains(".dkr.ecr.").then(|| rest.to_owned())
    };
    one == other || in_ecr(one).is_some_and(|rest| in_ecr(other) == Some(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use serde_json::json;

    #[test]
    fn each_row_is_an_expression() {
        let document = json!({"Mappings": {"M": {
            "eu-west-1": {"repo": "a", "tag": "1"},
            "us-east-1": {"repo": "b", "tag": "2"}
        }}});
        let settings = Settings::default();
        let template = Template::new(&document, &settings);
        let region = json!({"Ref": "AWS::Region"});
        let find = |key: &Value, second: &str| json!({"Fn::FindInMap": ["M", key, second]});
        let image = |key: &Value| json!({"Fn::Join": [":", [find(key, "repo"), find(key, "tag")]]});
        assert_eq!(
            rows(&template, &image(&region)),
            Ok(vec![image(&json!("eu-west-1")), image(&json!("us-east-1"))])
        );
        assert_eq!(rows(&template, &image(&json!("eu-west-1"))), Ok(Vec::new()));
        let with_default = json!({"Fn::FindInMap": ["M", region, "repo", {"DefaultValue": "c"}]});
        assert_eq!(rows(&template, &with_default).unwrap().len(), 3);
        let by_name = json!({"Fn::FindInMap": [region, "k", "i"]});
        assert!(rows(&template, &by_name).is_err());
    }

    #[test]
    fn a_registry_of_each_region_is_the_same_everywhere() {
        let image =
            json!({"Fn::Sub": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/app:${Tag}"});
        assert_eq!(
            placeless(&image),
            json!({"Fn::Sub": "AWS::AccountId.dkr.ecr.AWS::Region.amazonaws.com/app:${Tag}"})
        );
        let host = |region: &str| format!("123456789012.dkr.ecr.{region}.amazonaws.com/app:1");
        assert!(is_copy(&host("eu-west-1"), &host("us-east-1")));
        assert!(!is_copy(&host("eu-west-1"), "example.com/app:1"));
        assert!(!is_copy("one.example.com/app:1", "two.example.com/app:1"));
    }
}
