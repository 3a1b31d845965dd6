//! Conditions as truth tables: which combinations can occur, and how a table is written back as `Fn::If`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::intrinsic::{Assignment, as_if, call, no_value};
use super::template::Template;

mod logic;

pub(crate) use logic::{By, can_occur, can_occur_with};

/// How many combinations of conditions are planned for one container.
pub(crate) const MAX_COMBINATIONS: usize = 16;

/// How many steps are taken to find the combinations that can occur: enough for as many conditions, each of which
/// excludes all others.
const MAX_STEPS: usize = 2 * MAX_COMBINATIONS * (MAX_COMBINATIONS + 1);

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
/// What a person switches in the template is open, so that neither side of it is lost.
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
    // But where some are others in other words, there are more combinations than conditions.
    if free.len() > MAX_COMBINATIONS {
        return None;
    }
    let mut search = Search {
        template,
        // What stands under conditions that cannot be is planned like any other: a person may change them.
        narrows: !free.is_empty() && can_occur(template, given, By::Logic),
        steps: 0,
        found: Vec::new(),
    };
    search.from(given, &free).then_some(search.found)
}

/// A search for the combinations that can occur.
struct Search<'s> {
    template: &'s Template<'s>,
    narrows: bool,
    steps: usize,
    found: Vec<Assignment>,
}

impl Search<'_> {
    /// Finds those that agree with `given`, the first with every condition true; false where they are too many.
    fn from(&mut self, given: &Assignment, free: &[&str]) -> bool {
        self.steps += 1;
        if self.steps > MAX_STEPS || self.found.len() > MAX_COMBINATIONS {
            return false;
        }
        let Some((name, rest)) = free.split_last() else {
            self.found.push(given.clone());
            return self.found.len() <= MAX_COMBINATIONS;
        };
        [true, false].into_iter().all(|truth| {
            let mut given = given.clone();
            given.insert((*name).to_owned(), truth);
            let occurs = !self.narrows || can_occur(self.template, &given, By::Logic);
            !occurs || self.from(&given, rest)
        })
    }
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
mod tests;
