use super::*;
use crate::settings::Settings;
use serde_json::{Map, json};

fn names<'a>(names: &[&'a str]) -> BTreeSet<&'a str> {
    names.iter().copied().collect()
}

/// How many combinations there are of conditions that are defined so.
fn count(conditions: &Value, used: &[&str]) -> Option<usize> {
    let document = json!({"Conditions": conditions});
    let settings = Settings::default();
    let template = Template::new(&document, &settings);
    combinations(&template, &names(used), &Assignment::new()).map(|possible| possible.len())
}

#[test]
fn combinations_that_contradict_the_definitions_are_left_out() {
    let conditions = json!({
        "IsProd": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
        "NotProd": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Env"}, "prod"]}]},
        "Both": {"Fn::And": [{"Condition": "IsProd"}, {"Condition": "Other"}]}
    });
    let count = |used: &[&str]| count(&conditions, used);
    assert_eq!(count(&["IsProd", "NotProd"]), Some(2));
    assert_eq!(count(&["IsProd", "Both"]), Some(3));
    assert_eq!(count(&[]), Some(1));
    assert_eq!(count(&["A", "B", "C", "D"]), Some(16));
    assert_eq!(count(&["A", "B", "C", "D", "E"]), None);
}

#[test]
fn a_value_equals_one_text_at_most() {
    let is = |text: &str| json!({"Fn::Equals": [{"Ref": "Env"}, text]});
    let conditions = json!({
        "Dev": is("dev"), "Test": is("test"), "Prod": {"Fn::Equals": ["prod", {"Ref": "Env"}]},
        "Other": {"Fn::Equals": [{"Ref": "Region"}, "dev"]},
        "Small": {"Fn::Or": [{"Condition": "Dev"}, {"Condition": "Test"}]},
        "DevOnly": {"Fn::And": [{"Condition": "Dev"}, {"Condition": "X"}]},
        "ProdOnly": {"Fn::And": [{"Condition": "Prod"}, {"Condition": "Y"}]},
        "Number": is("1"), "SameNumber": {"Fn::Equals": [{"Ref": "Env"}, 1]},
        "Fraction": {"Fn::Equals": [{"Ref": "Env"}, 1.5]},
        "Secret": {"Fn::Equals": [{"Ref": "Env"}, "{{resolve:ssm:/env}}"]}
    });
    let count = |used: &[&str]| count(&conditions, used);
    assert_eq!(count(&["Dev", "Test", "Prod"]), Some(4));
    assert_eq!(count(&["Dev", "Other"]), Some(4));
    assert_eq!(count(&["Small", "Prod"]), Some(3));
    assert_eq!(count(&["DevOnly", "ProdOnly"]), Some(3));
    assert_eq!(count(&["Number", "SameNumber"]), Some(2));
    assert_eq!(count(&["Number", "Fraction"]), Some(4));
    assert_eq!(count(&["Number", "Secret"]), Some(4));
}

#[test]
fn what_a_person_switches_stays_open() {
    let conditions = json!({
        "Never": {"Fn::Equals": ["a", "b"]}, "NeverToo": {"Fn::Equals": ["a", "b"]},
        "Always": {"Fn::Not": [{"Condition": "Never"}]}
    });
    assert_eq!(count(&conditions, &["Never"]), Some(2));
    assert_eq!(count(&conditions, &["Never", "NeverToo"]), Some(4));
    assert_eq!(count(&conditions, &["Never", "Always"]), Some(2));
}

#[test]
fn as_the_template_stands_its_texts_and_allowed_values_decide() {
    let is = |text: &str| json!({"Fn::Equals": [{"Ref": "Env"}, text]});
    let document = json!({
        "Parameters": {
            "Env": {"Type": "String", "AllowedValues": ["dev", "prod"], "Default": "dev"},
            "List": {"Type": "CommaDelimitedList", "AllowedValues": ["dev"]}
        },
        "Conditions": {
            "Dev": is("dev"), "Prod": is("prod"), "Test": is("test"),
            "InList": {"Fn::Equals": [{"Ref": "List"}, "prod"]},
            "Never": {"Fn::Equals": ["a", "b"]}
        }
    });
    let settings = Settings::default();
    let template = Template::new(&document, &settings);
    let occurs = |all: &[(&str, bool)], decided| {
        let all = all.iter().map(|(name, truth)| ((*name).to_owned(), *truth));
        can_occur(&template, &all.collect(), decided)
    };
    for (assignment, by_logic, by_template, by_values) in [
        (&[("Dev", true)][..], true, true, true),
        (&[("Dev", true), ("Prod", true)], false, false, false),
        (&[("Dev", false), ("Prod", false)], true, false, false),
        (&[("Prod", true)], true, true, false),
        (&[("Test", true)], true, false, false),
        (&[("Test", false), ("Dev", true)], true, true, true),
        (&[("InList", true)], true, true, true),
        (&[("Never", true)], true, false, false),
        (&[("Never", false)], true, true, true),
    ] {
        assert_eq!(occurs(assignment, By::Logic), by_logic, "{assignment:?}");
        assert_eq!(
            occurs(assignment, By::Template),
            by_template,
            "{assignment:?}"
        );
        assert_eq!(occurs(assignment, By::Values), by_values, "{assignment:?}");
    }
}

#[test]
fn the_values_of_some_parameters_decide_by_themselves() {
    let document = json!({
        "Parameters": {"Image": {"Type": "String", "Default": ""}, "Stage": {"Type": "String", "Default": "dev"}},
        "Conditions": {
            "HasImage": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Image"}, ""]}]},
            "Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
            "Far": {"Fn::Equals": [{"Ref": "AWS::Region"}, "far"]}
        }
    });
    let mut settings = Settings::default();
    settings.deployment.region = Some("near".to_owned());
    let template = Template::new(&document, &settings);
    let occurs = |condition: &str, parameters: &[&str]| {
        let assignment = [(condition.to_owned(), true)].into();
        let parameters = parameters.iter().map(|name| (*name).to_owned()).collect();
        can_occur_with(&template, &assignment, &parameters)
    };
    assert!(!occurs("HasImage", &["Image"]));
    assert!(occurs("HasImage", &["Stage"]));
    assert!(occurs("Prod", &["Image"]));
    assert!(!occurs("Prod", &["Image", "Stage"]));
    assert!(occurs("Far", &[]) && occurs("Far", &["Image"]));
}

#[test]
fn no_more_is_counted_than_is_planned() {
    let many: Vec<String> = (0..60).map(|index| format!("C{index:02}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(count(&json!({}), &many), None);
    let stages = many.iter().map(|name| {
        let is = json!({"Fn::Equals": [{"Ref": "Env"}, name]});
        ((*name).to_owned(), is)
    });
    let stages = Value::Object(stages.collect());
    assert_eq!(count(&stages, many.get(..15).unwrap()), Some(16));
    assert_eq!(count(&stages, many.get(..16).unwrap()), None);
    assert_eq!(count(&stages, &many), None);
}

#[test]
fn conditions_are_followed_only_so_deep() {
    let chain = |length: usize| {
        let link = |index: usize| json!({"Condition": format!("C{}", index + 1)});
        let mut links: Map<String, Value> = (0..length)
            .map(|index| (format!("C{index}"), link(index)))
            .collect();
        links.insert(format!("C{length}"), json!({"Fn::Equals": ["a", "b"]}));
        let document = json!({"Conditions": links});
        let settings = Settings::default();
        let template = Template::new(&document, &settings);
        let first = [("C0".to_owned(), true)].into();
        can_occur(&template, &first, By::Template)
    };
    assert!(!chain(100));
    assert!(chain(100_000));
}

#[test]
fn a_table_is_written_over_the_conditions_that_matter() {
    let document = json!({});
    let settings = Settings::default();
    let template = Template::new(&document, &settings);
    let all = combinations(&template, &names(&["A", "B"]), &Assignment::new()).unwrap();
    let table = |value: fn(bool, bool) -> Option<Value>| {
        let rows: Vec<_> = all
            .iter()
            .map(|row| (row, value(row["A"], row["B"])))
            .collect();
        fold(&rows)
    };
    assert_eq!(table(|_, _| Some(json!(1))), Some(json!(1)));
    assert_eq!(table(|_, _| None), None);
    assert_eq!(
        table(|_, b| b.then(|| json!("x"))),
        Some(json!({"Fn::If": ["B", "x", {"Ref": "AWS::NoValue"}]}))
    );
    assert_eq!(
        table(|a, b| Some(json!(a && b))),
        Some(json!({"Fn::If": ["A", {"Fn::If": ["B", true, false]}, false]}))
    );
}
