//! JSON values inside expressions.
//!
//! An expression sees plain texts, booleans and whole numbers as themselves.
//! Everything else is a [`Held`] value: it passes through an expression
//! untouched, and is found again in what the expression gives. An intrinsic
//! function that an expression reads and that is *not* found again was part of
//! a condition, a comparison or a loop: there its value would have been needed.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::value::{Enumerator, Object, ObjectRepr, Value as Expr};
use serde_json::{Map, Number, Value};

use crate::nearest::nearest;
use crate::source::FUNCTIONS;

/// The intrinsic function that a value is, shown short and without its text: `Ref Name`, `Fn::Sub`.
pub(super) fn intrinsic_name(value: &Value) -> Option<String> {
    name_in(value.as_object()?)
}

/// Whether a map is an intrinsic function.
pub(super) fn is_intrinsic(map: &Map<String, Value>) -> bool {
    name_in(map).is_some()
}

fn name_in(map: &Map<String, Value>) -> Option<String> {
    let (key, argument) = map.iter().next()?;
    if map.len() != 1 {
        return None;
    }
    match (key.as_str(), argument) {
        ("Ref" | "Condition", Value::String(name)) => Some(format!("{key} {name}")),
        (key, _) if key.starts_with("Fn::") => Some(key.to_owned()),
        _ => None,
    }
}

/// A function anywhere in a value that CloudFormation does not have, and the one that was most likely
/// meant. One that is like none of today's may be one of tomorrow's.
pub(super) fn meant_function(value: &Value) -> Option<(String, &'static str)> {
    let map = match value {
        Value::Object(map) => map,
        Value::Array(items) => return items.iter().find_map(meant_function),
        _ => return None,
    };
    if let Some(function) = name_in(map)
        && let Some(name) = function.strip_prefix("Fn::")
    {
        let known = || FUNCTIONS.iter().copied().chain(["Ref", "Transform"]);
        let is_known = known().any(|known| known == name) || name.starts_with("ForEach::");
        if !is_known && let Some(meant) = nearest(name, known()) {
            return Some((function, meant));
        }
    }
    map.values().find_map(meant_function)
}

/// Whether a text anywhere in a value holds a NUL character, which no ECS field takes.
pub(super) fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(map) => map
            .iter()
            .any(|(key, item)| key.contains('\0') || holds_nul(item)),
        _ => false,
    }
}

/// Whether an intrinsic function stands anywhere in a value.
pub(super) fn holds_intrinsic(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(holds_intrinsic),
        Value::Object(map) => intrinsic_name(value).is_some() || map.values().any(holds_intrinsic),
        _ => false,
    }
}

/// What a held value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An intrinsic function: its value is not known.
    Intrinsic,
    /// What an input gives as `valueFrom`.
    ValueFrom,
    /// A number that no machine type holds exactly as it is spelled.
    Number,
    /// A list.
    List,
    /// A map.
    Map,
}

/// What one name stands for.
#[derive(Clone)]
pub(super) enum Slot {
    /// A value that expressions know as it is.
    Known(Expr),
    /// A value that passes through.
    Held(Kind, Arc<Value>),
    /// Nobody knows.
    Unknown,
}

impl Slot {
    /// What a JSON value is inside an expression.
    pub(super) fn new(value: &Value) -> Slot {
        match value {
            Value::Null => Slot::Known(Expr::from(())),
            Value::Bool(boolean) => Slot::Known(Expr::from(*boolean)),
            Value::String(text) if text.contains('\0') => Slot::Unknown,
            Value::String(text) => Slot::Known(Expr::from(text.as_str())),
            Value::Number(number) => match exact(number) {
                Some(integer) => Slot::Known(Expr::from(integer)),
                None => Slot::Held(Kind::Number, Arc::new(value.clone())),
            },
            Value::Array(_) => Slot::Held(Kind::List, Arc::new(value.clone())),
            Value::Object(_) => {
                let kind = if intrinsic_name(value).is_some() {
                    Kind::Intrinsic
                } else {
                    Kind::Map
                };
                Slot::Held(kind, Arc::new(value.clone()))
            }
        }
    }

    /// The same, for something that is unknown when it is null.
    pub(super) fn fact(value: &Value) -> Slot {
        match value {
            Value::Null => Slot::Unknown,
            value => Slot::new(value),
        }
    }
}

fn exact(number: &Number) -> Option<i64> {
    number
        .as_i64()
        .filter(|integer| integer.to_string() == number.to_string())
}

/// What an expression has read so far.
#[derive(Debug, Default)]
pub(super) struct Reads {
    entries: Mutex<Vec<Read>>,
}

/// A held value that was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) value: Arc<Value>,
    pub(super) accounted: bool,
    /// Read by a loop or by its position in a list: it may be compared and shown as well, so
    /// that finding it again proves nothing.
    pub(super) item: bool,
}

impl Reads {
    pub(super) fn entries(&self) -> MutexGuard<'_, Vec<Read>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives an expression what a name stands for.
    pub(super) fn read(self: &Arc<Self>, slot: &Slot, name: impl FnOnce() -> String) -> Expr {
        match slot {
            Slot::Known(value) => value.clone(),
            Slot::Held(kind, value) => self.hold(*kind, Arc::clone(value), name(), false),
            Slot::Unknown => Expr::from(
                minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, "not known")
                    .with_source(NotKnown(name())),
            ),
        }
    }

    fn hold(self: &Arc<Self>, kind: Kind, value: Arc<Value>, name: String, item: bool) -> Expr {
        let mut entries = self.entries();
        let index = entries.len();
        entries.push(Read {
            name,
            kind,
            value: Arc::clone(&value),
            accounted: false,
            item,
        });
        Expr::from_object(Held {
            kind,
            value,
            index,
            reads: Arc::clone(self),
        })
    }
}

/// The error of reading something that is not known; carries its name.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not known")]
pub(super) struct NotKnown(pub(super) String);

/// A JSON value that passes through an expression.
pub(super) struct Held {
    pub(super) kind: Kind,
    pub(super) value: Arc<Value>,
    pub(super) index: usize,
    reads: Arc<Reads>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({:?})", self.kind)
    }
}

impl Held {
    /// Notes that this value was found again, or that its value was not needed.
    pub(super) fn account(&self) {
        if let Some(read) = self.reads.entries().get_mut(self.index) {
            read.accounted = true;
        }
    }

    /// The items of a held list, for filters, which can say what became of each.
    pub(super) fn items(&self) -> Option<Vec<Expr>> {
        let items = self.value.as_array()?;
        let name = self.name();
        let item = |(index, item): (usize, &Value)| {
            self.reads
                .read(&Slot::new(item), || format!("{name}[{index}]"))
        };
        Some(items.iter().enumerate().map(item).collect())
    }

    fn name(&self) -> String {
        self.reads
            .entries()
            .get(self.index)
            .map(|read| read.name.clone())
            .unwrap_or_default()
    }

    fn child(&self, value: &Value, step: &str) -> Expr {
        let name = || format!("{}{step}", self.name());
        match Slot::new(value) {
            Slot::Held(kind, value) => {
                self.reads
                    .hold(kind, value, name(), self.kind == Kind::List)
            }
            slot => self.reads.read(&slot, name),
        }
    }
}

impl Object for Held {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.kind {
            Kind::List => ObjectRepr::Seq,
            Kind::Map => ObjectRepr::Map,
            _ => ObjectRepr::Plain,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Expr) -> Option<Expr> {
        match &*self.value {
            Value::Array(items) => {
                let index = key.as_usize()?;
                items
                    .get(index)
                    .map(|item| self.child(item, &format!("[{index}]")))
            }
            Value::Object(map) if self.kind == Kind::Map => {
                let key = key.as_str()?;
                map.get(key)
                    .map(|item| self.child(item, &format!(".{key}")))
            }
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match &*self.value {
            Value::Array(items) => Enumerator::Seq(items.len()),
            Value::Object(map) if self.kind == Kind::Map => {
                Enumerator::Values(map.keys().map(|key| Expr::from(key.as_str())).collect())
            }
            _ => Enumerator::NonEnumerable,
        }
    }

    /// Inside a text a held value is a mark, which the evaluation finds again.
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Number => write!(f, "{}", self.value),
            _ => write!(f, "\0{}\0", self.index),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_a_function() {
        for (value, name) in [
            (json!({"Ref": "A"}), Some("Ref A")),
            (json!({"Condition": "A"}), Some("Condition A")),
            (json!({"Fn::Sub": "a"}), Some("Fn::Sub")),
            (json!({"Fn::New": 1}), Some("Fn::New")),
            (json!({"Ref": 1}), None),
            (json!({"Ref": "A", "b": 1}), None),
            (json!({"a": "b"}), None),
            (json!({}), None),
            (json!("Ref"), None),
        ] {
            assert_eq!(intrinsic_name(&value).as_deref(), name, "{value}");
            assert_eq!(value.as_object().is_some_and(is_intrinsic), name.is_some());
            assert_eq!(holds_intrinsic(&json!([1, {"a": value}])), name.is_some());
        }
        assert!(!holds_intrinsic(&json!([{"a": [1, "b", null]}])));
    }

    #[test]
    fn what_was_meant_as_a_function() {
        let meant = |value: Value| meant_function(&value).map(|(_, meant)| meant);
        assert_eq!(meant(json!({"Fn::Joim": []})), Some("Join"));
        assert_eq!(meant(json!([1, {"a": {"Fn::Subs": "b"}}])), Some("Sub"));
        assert_eq!(
            meant(json!({"Fn::Join": [{"Fn::Splitt": "b"}]})),
            Some("Split")
        );
        for known in [
            json!({"Fn::Join": []}),
            json!({"Fn::ForEach::Fore": []}),
            json!({"Fn::Transform": {}}),
            json!({"Fn::SomethingNew": 1}),
            json!({"Joim": 1}),
            json!({"Fn::Joim": 1, "b": 2}),
            json!("Fn::Joim"),
        ] {
            assert_eq!(meant(known.clone()), None, "{known}");
        }
    }

    #[test]
    fn nul_is_found_wherever_it_stands() {
        assert!(holds_nul(&json!("a\u{0}")));
        assert!(holds_nul(&json!(["a", {"b": "\u{0}"}])));
        assert!(holds_nul(&json!({"a\u{0}": 1})));
        assert!(!holds_nul(&json!({"a": ["b", 0, null, false]})));
    }
}
