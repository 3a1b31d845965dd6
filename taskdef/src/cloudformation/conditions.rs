//! Conditions as truth tables: which combinations can occur, and how a table is written back as `Fn::If`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::intrinsic::{Assignment, as_if, call, function, no_value};
use super::template::Template;

/// How many combinations of conditions are planned for one container.
pub(crate) const MAX_COMBINATIONS: usize = 16;

/// How many conditions are looked at to find the combinations that can occur.
const MAX_FREE_CONDITIONS: usize = 10;

/// How deep a condition is followed, within its definition and into those of others.
const MAX_DEPTH: usize = 200;

/// Adds the conditions of the `Fn::If`s that a value is made of: itself, and the branches of itself.
pub(crate) fn of_branches<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
    if let Some((condition, yes, no)) = as_if(value) {
        found.insert(condition);
        of_branches(yes, found);
        of_branches(no, found);
    }
}

/// Adds the conditions of every `Fn::If` anywhere in a value.
pub(crate) fn anywhere<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
    if let Some((condition, _, _)) = as_if(value) {
        found.insert(condition);
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| anywhere(item, found)),
        Value::Object(map) => map.values().for_each(|item| anywhere(item, found)),
        _ => {}
    }
}

/// Every assignment of `conditions` that agrees with `given` and that can occur, each with `given` in it.
///
/// `None` when there are more than [`MAX_COMBINATIONS`].
pub(crate) fn combinations(
    template: &Template<'_>,
    conditions: &BTreeSet<&str>,
    given: &Assignment,
) -> Option<Vec<Assignment>> {
    let free: Vec<&str> = conditions
        .iter()
        .copied()
        .filter(|name| !given.contains_key(*name))
        .collect();
    if free.len() > MAX_FREE_CONDITIONS {
        return None;
    }
    let count = 1_usize << free.len();
    // What stands under conditions that cannot be is planned like any other: a person may change them.
    let narrows = !free.is_empty() && can_occur(template, given);
    let possible: Vec<Assignment> = (0..count)
        .map(|bits| {
            let mut assignment = given.clone();
            for (position, name) in free.iter().enumerate() {
                // The first combination has every condition true.
                assignment.insert((*name).to_owned(), bits >> position & 1 == 0);
            }
            assignment
        })
        .filter(|assignment| !narrows || can_occur(template, assignment))
        .collect();
    (possible.len() <= MAX_COMBINATIONS).then_some(possible)
}

/// Whether the definitions of the conditions allow the assignment, as far as their logic shows it.
pub(crate) fn can_occur(template: &Template<'_>, assignment: &Assignment) -> bool {
    // Equal comparisons have equal results, whatever the parameters are.
    let mut atoms: Vec<(&Value, bool)> = Vec::new();
    for (name, value) in assignment {
        if let Some(definition) = template.condition(name)
            && let Some((atom, positive)) = as_atom(definition)
        {
            let truth = *value == positive;
            match atoms.iter().find(|(known, _)| *known == atom) {
                Some((_, known)) if *known != truth => return false,
                Some(_) => {}
                None => atoms.push((atom, truth)),
            }
        }
    }
    let mut known = Known {
        template,
        assignment,
        atoms: &atoms,
        found: BTreeMap::new(),
        depth: 0,
    };
    assignment.iter().all(|(name, value)| {
        template
            .condition(name)
            .and_then(|definition| truth(&mut known, definition))
            .is_none_or(|known| known == *value)
    })
}

/// A comparison, or the negation of one.
fn as_atom(definition: &Value) -> Option<(&Value, bool)> {
    match function(definition)? {
        ("Fn::Equals", _) => Some((definition, true)),
        ("Fn::Not", Value::Array(items)) => match items.as_slice() {
            [inner] => as_atom(inner).map(|(atom, positive)| (atom, !positive)),
            _ => None,
        },
        _ => None,
    }
}

/// What is known of conditions, to find the truth of others.
struct Known<'k> {
    template: &'k Template<'k>,
    assignment: &'k Assignment,
    atoms: &'k [(&'k Value, bool)],
    /// The truth of every condition that was looked at; none while it is looked at.
    found: BTreeMap<&'k str, Option<bool>>,
    depth: usize,
}

/// The truth of a condition's definition, where it follows from what is known.
///
/// A chain of conditions can be as long as a template; what is too deep is not known.
fn truth<'k>(known: &mut Known<'k>, definition: &'k Value) -> Option<bool> {
    if known.depth == MAX_DEPTH {
        return None;
    }
    known.depth += 1;
    let value = truth_of(known, definition);
    known.depth -= 1;
    value
}

fn truth_of<'k>(known: &mut Known<'k>, definition: &'k Value) -> Option<bool> {
    if let Some(Value::String(name)) = definition.get("Condition") {
        if let Some(value) = known.assignment.get(name) {
            return Some(*value);
        }
        if let Some(value) = known.found.get(name.as_str()) {
            return *value;
        }
        let definition = known.template.condition(name)?;
        known.found.insert(name, None);
        let value = truth(known, definition);
        known.found.insert(name, value);
        return value;
    }
    match function(definition)? {
        ("Fn::Equals", Value::Array(items)) => match items.as_slice() {
            [Value::String(left), Value::String(right)] => Some(left == right),
            _ => known
                .atoms
                .iter()
                .find(|(atom, _)| *atom == definition)
                .map(|(_, value)| *value),
        },
        ("Fn::Not", Value::Array(items)) => truth(known, items.first()?).map(|value| !value),
        ("Fn::And", Value::Array(items)) => all(items.iter().map(|item| truth(known, item))),
        ("Fn::Or", Value::Array(items)) => {
            let not = |item| truth(known, item).map(|value| !value);
            all(items.iter().map(not)).map(|value| !value)
        }
        _ => None,
    }
}

/// Conjunction in three values.
fn all(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = Some(true);
    for value in values {
        match value {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = None,
        }
    }
    known
}

/// Writes a table of values as nested `Fn::If`s over the conditions that matter.
///
/// `None` stands for a value that is absent; combinations that cannot occur are not in the table.
pub(crate) fn fold(table: &[(&Assignment, Option<Value>)]) -> Option<Value> {
    let (_, first) = table.first()?;
    if table.iter().all(|(_, value)| value == first) {
        return first.clone();
    }
    let names = table.iter().flat_map(|(assignment, _)| assignment.keys());
    let takes = |name: &str, wanted| {
        let mut rows = table.iter();
        rows.any(|(assignment, _)| assignment.get(name) == Some(&wanted))
    };
    let open: BTreeSet<&String> = names
        .filter(|name| takes(name, true) && takes(name, false))
        .collect();
    let mut deciding = open.iter().filter(|name| matters(table, name));
    let deciding = *deciding.next().or(open.first())?;
    let side = |wanted| {
        let rows: Vec<_> = table
            .iter()
            .filter(|(assignment, _)| assignment.get(deciding) == Some(&wanted))
            .cloned()
            .collect();
        fold(&rows).unwrap_or_else(no_value)
    };
    let branches = vec![Value::String(deciding.clone()), side(true), side(false)];
    Some(call("Fn::If", Value::Array(branches)))
}

/// Whether two rows that differ in this condition alone have different values, or the rest does not tell them apart.
fn matters(table: &[(&Assignment, Option<Value>)], name: &str) -> bool {
    let without = |assignment: &Assignment| {
        let mut rest = assignment.clone();
        rest.remove(name);
        rest
    };
    let pairs = table
        .iter()
        .enumerate()
        .flat_map(|(index, left)| table.iter().skip(index + 1).map(move |right| (left, right)));
    let mut paired = false;
    for ((left, left_value), (right, right_value)) in pairs {
        if left.get(name) != right.get(name) && without(left) == without(right) {
            paired = true;
            if left_value != right_value {
                return true;
            }
        }
    }
    // With impossible combinations left out no pair may be there: then the condition is not ruled out.
    !paired
}

/// Replaces `Fn::If` by the branch that the assignment takes; `None` when that is `AWS::NoValue`.
///
/// Looks into branches and into the elements of a list, not into arguments of other functions.
pub(crate) fn restrict(value: &Value, given: &Assignment) -> Option<Value> {
    if let Some((condition, yes, no)) = as_if(value) {
        return match given.get(condition) {
            Some(true) => restrict(yes, given),
            Some(false) => restrict(no, given),
            None => Some(value.clone()),
        };
    }
    match value {
        Value::Array(items) => Some(
            items
                .iter()
                .filter_map(|item| restrict(item, given))
                .collect(),
        ),
        other => (!super::intrinsic::is_no_value(other)).then(|| other.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use serde_json::{Map, json};

    fn names<'a>(names: &[&'a str]) -> BTreeSet<&'a str> {
        names.iter().copied().collect()
    }

    #[test]
    fn combinations_that_contradict_the_definitions_are_left_out() {
        let document = json!({"Conditions": {
            "IsProd": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
            "NotProd": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Env"}, "prod"]}]},
            "Both": {"Fn::And": [{"Condition": "IsProd"}, {"Condition": "Other"}]},
            "Never": {"Fn::Equals": ["a", "b"]}
        }});
        let settings = Settings::default();
        let template = Template::new(&document, &settings);
        let count = |conditions: &[&str]| {
            combinations(&template, &names(conditions), &Assignment::new())
                .map(|possible| possible.len())
        };
        assert_eq!(count(&["IsProd", "NotProd"]), Some(2));
        assert_eq!(count(&["IsProd", "Both"]), Some(3));
        assert_eq!(count(&["Never"]), Some(1));
        assert_eq!(count(&[]), Some(1));
        assert_eq!(count(&["A", "B", "C", "D"]), Some(16));
        assert_eq!(count(&["A", "B", "C", "D", "E"]), None);
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
            combinations(&template, &names(&["C0"]), &Assignment::new())
                .map(|possible| possible.len())
        };
        assert_eq!(chain(100), Some(1));
        assert_eq!(chain(100_000), Some(2));
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
}
