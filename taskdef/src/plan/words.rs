//! The lists of a process: entry point and command, as a container and its image state them.

use serde_json::Value;

use crate::cloudformation::intrinsic::{Evaluation, as_if, call, function, is_no_value};
use crate::process::{Process, merge};
use crate::report::Code;

use super::Refusal;

/// A list of a process: its elements, or an intrinsic function that stands for all of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Words {
    /// The elements; each may be an intrinsic function.
    List(Vec<Value>),
    /// The whole list, and whether it cannot be empty.
    Whole(Value, bool),
}

impl Words {
    /// A list as an edit writes it.
    pub(crate) fn of(value: &Value) -> Words {
        match value {
            Value::Array(items) => Words::List(items.clone()),
            whole => Words::Whole(whole.clone(), true),
        }
    }

    /// With everything that is known written as its value.
    pub(crate) fn simplified(&self, evaluation: &Evaluation<'_>) -> Words {
        match self {
            Words::List(items) => {
                let items = items.iter().map(|item| simplified(item, evaluation));
                Words::List(items.filter(|item| !is_no_value(item)).collect())
            }
            Words::Whole(value, never_empty) => match evaluation.simplified(value) {
                Value::Array(items) => Words::List(items),
                whole => Words::Whole(whole, *never_empty),
            },
        }
    }

    /// Whether nothing is stated.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Words::List(items) if items.is_empty())
    }

    /// Whether the list may turn out empty at deployment although something is stated.
    pub(crate) fn may_be_empty(&self) -> bool {
        match self {
            Words::List(items) => !items.is_empty() && items.iter().all(may_vanish),
            Words::Whole(_, never_empty) => !never_empty,
        }
    }

    /// The elements that are known to stand first.
    pub(crate) fn head(&self) -> Vec<&Value> {
        match self {
            Words::List(items) => items.iter().collect(),
            Words::Whole(value, _) => joined_head(value),
        }
    }

    /// Everything that is stated.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        match self {
            Words::List(items) => items.iter(),
            Words::Whole(value, _) => std::slice::from_ref(value).iter(),
        }
    }

    pub(crate) fn elements(&self) -> Option<&[Value]> {
        match self {
            Words::List(items) => Some(items),
            Words::Whole(..) => None,
        }
    }

    /// As texts for a report.
    pub(crate) fn shown(&self) -> Vec<String> {
        match self {
            Words::List(items) => items.iter().map(crate::container::shown).collect(),
            Words::Whole(value, _) => vec![crate::container::shown(value)],
        }
    }
}

/// An element with everything that is known written as its value; one that may vanish stays so.
fn simplified(item: &Value, evaluation: &Evaluation<'_>) -> Value {
    match as_if(item) {
        Some((condition, yes, no)) if !evaluation.given.contains_key(condition) => {
            let branches = [yes, no].map(|branch| simplified(branch, evaluation));
            let condition = Value::from(condition);
            call(
                "Fn::If",
                [vec![condition], branches.to_vec()].concat().into(),
            )
        }
        _ => evaluation.simplified(item),
    }
}

/// Whether an element may be `AWS::NoValue`.
pub(crate) fn may_vanish(item: &Value) -> bool {
    match as_if(item) {
        Some((_, yes, no)) => may_vanish(yes) || may_vanish(no),
        None => is_no_value(item),
    }
}

/// The elements that a list composed by [`composed`] is known to start with.
pub(crate) fn joined_head(value: &Value) -> Vec<&Value> {
    let Some(("Fn::Split", Value::Array(split))) = function(value) else {
        return Vec::new();
    };
    let [separator, joined] = split.as_slice() else {
        return Vec::new();
    };
    let Some(("Fn::Join", Value::Array(join))) = function(joined) else {
        return Vec::new();
    };
    match join.as_slice() {
        [delimiter, Value::Array(parts)] if delimiter == separator => {
            parts.iter().take_while(|part| part.is_string()).collect()
        }
        _ => Vec::new(),
    }
}

/// What a container states, and what its image says (empty when it takes no part).
pub(crate) struct Stated<'s> {
    pub(crate) entry_point: &'s Words,
    pub(crate) command: &'s Words,
    pub(crate) image_entry_point: Vec<Value>,
    pub(crate) image_command: Vec<Value>,
    /// Texts that may become something that cannot be quoted.
    pub(crate) unquotable: &'s [String],
}

impl Stated<'_> {
    /// The effective lists; a whole intrinsic list counts as stated.
    pub(crate) fn effective(&self) -> (Words, Words) {
        match (self.entry_point, self.command) {
            (Words::List(entry_point), Words::List(command)) => {
                let Process {
                    entry_point,
                    command,
                } = merge(
                    entry_point,
                    command,
                    &self.image_entry_point,
                    &self.image_command,
                );
                (Words::List(entry_point), Words::List(command))
            }
            (entry_point, command) if entry_point.is_absent() => {
                (Words::List(self.image_entry_point.clone()), command.clone())
            }
            (entry_point, command) => (entry_point.clone(), command.clone()),
        }
    }

    /// Whether the first argument comes from the image.
    pub(crate) fn starts_in_image(&self) -> bool {
        self.entry_point.is_absent()
            && (!self.image_entry_point.is_empty() || self.command.is_absent())
    }

    /// Refuses a command that may turn out empty where the image's would take its place.
    pub(crate) fn command_is_certain(&self) -> Result<(), Refusal> {
        if self.entry_point.is_absent()
            && self.command.may_be_empty()
            && !self.image_command.is_empty()
        {
            return Err(may_be_empty("command"));
        }
        Ok(())
    }
}

pub(crate) fn may_be_empty(which: &str) -> Refusal {
    Refusal::new(
        Code::ListMayBeEmpty,
        format!(
            "the {which} is an intrinsic function that may give an empty list, so what runs cannot be kept"
        ),
        "write it as a literal list",
    )
}
