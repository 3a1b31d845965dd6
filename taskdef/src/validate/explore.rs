//! Reads under every combination of conditions that can occur and that makes a difference.
//!
//! A reading that meets an undecided condition is done again for both of its sides, so conditions
//! that nobody asks about, and those of a branch that is not taken, multiply nothing.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cloudformation::conditions::{By, can_occur};
use crate::cloudformation::intrinsic::{Assignment, call, no_value};
use crate::cloudformation::template::Template;
use crate::dialect::Dialect;

use super::read::Reader;

/// How many combinations are looked at one by one.
pub(super) const MAX_COMBINATIONS: usize = 64;

/// How many conditions are decided one inside the other.
const MAX_DEPTH: usize = 32;

/// What decides how a task definition is read.
#[derive(Clone, Copy)]
pub(super) struct Setting<'s> {
    pub(super) dialect: Dialect,
    pub(super) template: &'s Template<'s>,
    /// The conditions under which the task definition is there at all.
    pub(super) given: &'s Assignment,
}

/// What was read, for every combination.
pub(super) enum Tree<T> {
    /// The same for all that is left.
    Leaf(T),
    /// A condition with its two sides; one that cannot occur is not there.
    Split(String, Option<Box<Tree<T>>>, Option<Box<Tree<T>>>),
}

/// What was read for every combination of conditions.
pub(super) struct Explored<T> {
    pub(super) tree: Tree<T>,
    /// Whether some combinations were read together, with the conditions that tell them apart left open.
    pub(super) partial: bool,
}

/// Reads under every combination that makes a difference, of those that can occur by what decides.
pub(super) fn explore<T>(
    setting: Setting<'_>,
    decided: By,
    read: &dyn Fn(&Reader<'_>) -> T,
) -> Explored<T> {
    let mut walk = Walk {
        setting,
        decided,
        // What stands under conditions that cannot be is read like anything else.
        narrows: can_occur(setting.template, setting.given, decided),
        leaves: 0,
        partial: false,
        read,
    };
    let tree = walk.from(setting.given, 0);
    Explored {
        tree,
        partial: walk.partial,
    }
}

struct Walk<'w, T> {
    setting: Setting<'w>,
    decided: By,
    narrows: bool,
    leaves: usize,
    partial: bool,
    read: &'w dyn Fn(&Reader<'_>) -> T,
}

impl<T> Walk<'_, T> {
    fn from(&mut self, given: &Assignment, depth: usize) -> Tree<T> {
        let reader = Reader::new(self.setting.dialect, given);
        let found = (self.read)(&reader);
        let Some(condition) = reader.undecided() else {
            self.leaves += 1;
            return Tree::Leaf(found);
        };
        // Each level above may still need a leaf for its other side.
        if depth >= MAX_DEPTH || self.leaves + 1 >= MAX_COMBINATIONS {
            self.partial = true;
            self.leaves += 1;
            return Tree::Leaf(found);
        }
        let mut side = |truth| {
            let mut given = given.clone();
            given.insert(condition.clone(), truth);
            let occurs = !self.narrows || can_occur(self.setting.template, &given, self.decided);
            occurs.then(|| Box::new(self.from(&given, depth + 1)))
        };
        match (side(true), side(false)) {
            (None, None) => Tree::Leaf(found),
            (yes, no) => Tree::Split(condition, yes, no),
        }
    }
}

impl<T> Tree<T> {
    /// Every combination with what was read, those where a condition is true first.
    pub(super) fn leaves(&self) -> Vec<(Assignment, &T)> {
        let mut found = Vec::new();
        self.add_leaves(&Assignment::new(), &mut found);
        found
    }

    fn add_leaves<'t>(&'t self, given: &Assignment, found: &mut Vec<(Assignment, &'t T)>) {
        match self {
            Tree::Leaf(leaf) => found.push((given.clone(), leaf)),
            Tree::Split(condition, yes, no) => {
                for (truth, side) in [(true, yes), (false, no)] {
                    if let Some(side) = side {
                        let mut given = given.clone();
                        given.insert(condition.clone(), truth);
                        side.add_leaves(&given, found);
                    }
                }
            }
        }
    }

    /// One value for every combination, written as nested `Fn::If`s over the conditions that matter.
    pub(super) fn folded(&self, value: &dyn Fn(&T) -> Option<Value>) -> Option<Value> {
        match self {
            Tree::Leaf(leaf) => value(leaf),
            Tree::Split(condition, yes, no) => {
                let side =
                    |side: &Option<Box<Tree<T>>>| side.as_deref().map(|side| side.folded(value));
                match (side(yes), side(no)) {
                    (Some(yes), Some(no)) if yes == no => yes,
                    (Some(yes), Some(no)) => {
                        let written = |side: Option<Value>| side.unwrap_or_else(no_value);
                        let condition = Value::String(condition.clone());
                        let items = vec![condition, written(yes), written(no)];
                        Some(call("Fn::If", Value::Array(items)))
                    }
                    (Some(one), None) | (None, Some(one)) => one,
                    (None, None) => None,
                }
            }
        }
    }
}

/// Fewest conditions of `leaf` under which all leaves are among `meant`, as text; none if that is always.
pub(super) fn conditions_text<T>(
    leaves: &[(Assignment, T)],
    meant: &BTreeSet<usize>,
    leaf: usize,
) -> Option<String> {
    let mut needed = leaves.get(leaf).map(|(given, _)| given.clone())?;
    let agrees = |needed: &Assignment, given: &Assignment| {
        needed
            .iter()
            .all(|(name, truth)| given.get(name).is_none_or(|known| known == truth))
    };
    let names: Vec<String> = needed.keys().cloned().collect();
    for name in names {
        let Some(truth) = needed.remove(&name) else {
            continue;
        };
        let mut all = leaves.iter().enumerate();
        let enough =
            all.all(|(position, (given, _))| meant.contains(&position) || !agrees(&needed, given));
        if !enough {
            needed.insert(name, truth);
        }
    }
    let texts: Vec<String> = needed
        .iter()
        .map(|(name, truth)| match truth {
            true => name.clone(),
            false => format!("not {name}"),
        })
        .collect();
    (!texts.is_empty()).then(|| texts.join(" and "))
}
