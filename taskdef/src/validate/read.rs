//! Reads a task definition as it is under an assignment of conditions, before or after changes.
//!
//! Nothing is copied: what the changes bring is laid over what is there. A condition that the
//! assignment does not decide is remembered, so that the caller can decide it and read again.

use std::borrow::Cow;
use std::cell::RefCell;

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::{Assignment, as_if, is_no_value};
use crate::container::{has_generated_keys, shown};
use crate::dialect::Dialect;
use crate::source::{Change, New, Step};

/// A value as far as it is known. What is not known breaks no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact<T> {
    /// Not there, `null`, or `AWS::NoValue`.
    Absent,
    /// Only a deployment knows it, or ECS would not take it.
    Unknown,
    /// A literal.
    Known(T),
}

impl<T> Fact<T> {
    /// The value, where there is one that is known.
    pub(super) fn known(self) -> Option<T> {
        match self {
            Fact::Known(value) => Some(value),
            Fact::Absent | Fact::Unknown => None,
        }
    }

    fn and_then<U>(self, read: impl FnOnce(T) -> Option<U>) -> Fact<U> {
        match self {
            Fact::Absent => Fact::Absent,
            Fact::Unknown => Fact::Unknown,
            Fact::Known(value) => read(value).map_or(Fact::Unknown, Fact::Known),
        }
    }
}

/// The elements of a list that can be read.
#[derive(Clone, Debug)]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
    /// Whether these are all elements.
    pub(super) complete: bool,
}

/// An object whose keys are read by their canonical names, and the members that changes bring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object<'v> {
    map: &'v Map<String, Value>,
    over: &'v [(String, Value)],
    /// Whether a transform brings more members.
    open: bool,
}

impl<'v> Object<'v> {
    fn new(dialect: Dialect, map: &'v Map<String, Value>, over: &'v [(String, Value)]) -> Self {
        Object {
            map,
            over,
            open: dialect.has_functions() && has_generated_keys(map),
        }
    }

    /// An object that nothing is laid over.
    fn read(dialect: Dialect, value: &'v Value) -> Option<Self> {
        let map = value.as_object()?;
        Some(Object::new(dialect, map, &[]))
    }
}

/// The properties of a task definition, and changes to them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<'v> {
    pub(super) properties: &'v Map<String, Value>,
    pub(super) changes: &'v [Change],
}

/// A container definition.
#[derive(Debug)]
pub(super) struct Container<'v> {
    pub(super) name: Fact<Cow<'v, str>>,
    /// Its name as it is written, or its position.
    pub(super) label: Cow<'v, str>,
    pub(super) object: Object<'v>,
}

impl Container<'_> {
    /// Whether it has this name, as far as that is known.
    pub(super) fn is_named(&self, wanted: &str) -> bool {
        matches!(&self.name, Fact::Known(name) if name == wanted)
    }
}

/// A task definition under one assignment of conditions.
#[derive(Debug)]
pub(super) struct Definition<'v> {
    pub(super) task: Object<'v>,
    pub(super) containers: Vec<Container<'v>>,
    /// Whether these are all containers.
    pub(super) complete: bool,
}

impl<'v> Definition<'v> {
    /// The container of this name.
    pub(super) fn container(&self, name: &str) -> Option<&Container<'v>> {
        self.containers
            .iter()
            .find(|container| container.is_named(name))
    }

    /// Whether every container is there and has a name that is known.
    pub(super) fn all_names_are_known(&self) -> bool {
        let named = |container: &Container<'_>| matches!(container.name, Fact::Known(_));
        self.complete && self.containers.iter().all(named)
    }
}

/// Reads values under an assignment of conditions.
pub(super) struct Reader<'r> {
    dialect: Dialect,
    given: &'r Assignment,
    undecided: RefCell<Option<String>>,
}

impl<'r> Reader<'r> {
    pub(super) fn new(dialect: Dialect, given: &'r Assignment) -> Self {
        Reader {
            dialect,
            given,
            undecided: RefCell::default(),
        }
    }

    /// The first condition that was met and that the assignment does not decide.
    pub(super) fn undecided(self) -> Option<String> {
        self.undecided.into_inner()
    }

    /// The branch of an `Fn::If` that is taken: its position among the arguments, and the value.
    fn branch<'v>(&self, value: &'v Value) -> Option<Fact<(usize, &'v Value)>> {
        let (condition, yes, no) = self.dialect.has_functions().then(|| as_if(value))??;
        Some(match self.given.get(condition) {
            Some(true) => Fact::Known((1, yes)),
            Some(false) => Fact::Known((2, no)),
            None => {
                let mut undecided = self.undecided.borrow_mut();
                undecided.get_or_insert_with(|| condition.to_owned());
                Fact::Unknown
            }
        })
    }

    /// The value, or the branch of an `Fn::If` that is taken; an `Fn::If` only where that is not decided.
    pub(super) fn taken<'v>(&self, value: &'v Value) -> &'v Value {
        let mut value = value;
        while let Some(Fact::Known((_, taken))) = self.branch(value) {
            value = taken;
        }
        value
    }

    /// A literal, or what an `Fn::If` gives.
    pub(super) fn settled<'v>(&self, value: &'v Value) -> Fact<&'v Value> {
        let value = self.taken(value);
        match (self.dialect.function(value), value) {
            (Some(_), value) if is_no_value(value) => Fact::Absent,
            (Some(_), _) => Fact::Unknown,
            (None, Value::Null) => Fact::Absent,
            (None, literal) => Fact::Known(literal),
        }
    }

    /// Whether a transform brings more members.
    pub(super) fn is_open(&self, map: &Map<String, Value>) -> bool {
        self.dialect.has_functions() && has_generated_keys(map)
    }

    /// The value of a canonical key, as it is written.
    pub(super) fn written<'v>(&self, object: Object<'v>, key: &str) -> Option<&'v Value> {
        let over = object.over.iter();
        let mut over = over.filter(|(found, _)| self.dialect.is_spelled(key, found));
        match over.next() {
            Some((_, value)) => Some(value),
            None => self.dialect.find(object.map, key),
        }
    }

    /// The value of a canonical key.
    pub(super) fn get<'v>(&self, object: Object<'v>, key: &str) -> Fact<&'v Value> {
        match self.written(object, key) {
            Some(value) => self.settled(value),
            None if object.open => Fact::Unknown,
            None => Fact::Absent,
        }
    }

    pub(super) fn text<'v>(&self, object: Object<'v>, key: &str) -> Fact<Cow<'v, str>> {
        self.get(object, key)
            .and_then(|value| literal_text(self.dialect, value))
    }

    pub(super) fn integer(&self, object: Object<'_>, key: &str) -> Fact<u64> {
        self.text(object, key)
            .and_then(|text| text.trim().parse().ok())
    }

    pub(super) fn boolean(&self, object: Object<'_>, key: &str) -> Fact<bool> {
        self.text(object, key).and_then(|text| match text.as_ref() {
            "true" | "True" => Some(true),
            "false" | "False" => Some(false),
            _ => None,
        })
    }

    pub(super) fn object<'v>(&self, object: Object<'v>, key: &str) -> Fact<Object<'v>> {
        self.get(object, key)
            .and_then(|value| Object::read(self.dialect, value))
    }

    fn list<'v, T>(
        &self,
        object: Object<'v>,
        key: &str,
        read: impl Fn(&'v Value) -> Option<T>,
    ) -> List<T> {
        let mut list = List {
            items: Vec::new(),
            complete: true,
        };
        match self.get(object, key) {
            Fact::Absent => {}
            Fact::Known(Value::Array(items)) => {
                for item in items {
                    match self.settled(item).and_then(&read) {
                        Fact::Absent => {}
                        Fact::Unknown => list.complete = false,
                        Fact::Known(item) => list.items.push(item),
                    }
                }
            }
            Fact::Unknown | Fact::Known(_) => list.complete = false,
        }
        list
    }

    /// A list of objects.
    pub(super) fn objects<'v>(&self, object: Object<'v>, key: &str) -> List<Object<'v>> {
        self.list(object, key, |item| Object::read(self.dialect, item))
    }

    /// A list of texts.
    pub(super) fn texts<'v>(&self, object: Object<'v>, key: &str) -> List<Cow<'v, str>> {
        self.list(object, key, |item| literal_text(self.dialect, item))
    }

    /// The task definition as it is in a version.
    pub(super) fn definition<'v>(&self, version: Version<'v>) -> Definition<'v> {
        let changed = version.changes.iter().find(|change| change.path.is_empty());
        let task = match changed.map(|change| &change.new) {
            Some(New::Members(over)) => Object::new(self.dialect, version.properties, over),
            Some(New::Value(Value::Object(map))) => Object::new(self.dialect, map, &[]),
            Some(New::Value(_)) | None => Object::new(self.dialect, version.properties, &[]),
        };
        let mut definition = Definition {
            task,
            containers: Vec::new(),
            complete: !task.open,
        };
        let key = self.dialect.key("", "containerDefinitions");
        let place = Place {
            up: None,
            part: Part::Key(&key),
        };
        if let Some(value) = self.written(task, "containerDefinitions") {
            self.containers(value, &place, version.changes, &mut definition);
        }
        definition
    }

    fn containers<'v>(
        &self,
        value: &'v Value,
        place: &Place<'_>,
        changes: &'v [Change],
        definition: &mut Definition<'v>,
    ) {
        if let Some(branch) = self.branch(value) {
            match branch {
                Fact::Known((position, taken)) => place.in_branch(position, |place| {
                    self.containers(taken, place, changes, definition);
                }),
                Fact::Absent | Fact::Unknown => definition.complete = false,
            }
            return;
        }
        let Value::Array(items) = value else {
            definition.complete &= matches!(self.settled(value), Fact::Absent);
            return;
        };
        for (position, item) in items.iter().enumerate() {
            self.element(item, &place.at(position), changes, definition);
        }
        for change in changes {
            let is_new = matches!(change.path.last(), Some(Step::Index(at)) if *at >= items.len());
            if let (true, Some((_, list)), New::Value(value)) =
                (is_new, change.path.split_last(), &change.new)
                && place.is(list)
            {
                self.element(value, &place.at(usize::MAX), &[], definition);
            }
        }
    }

    fn element<'v>(
        &self,
        value: &'v Value,
        place: &Place<'_>,
        changes: &'v [Change],
        definition: &mut Definition<'v>,
    ) {
        let change = changes.iter().find(|change| place.is(&change.path));
        let (value, over): (_, &[_]) = match change.map(|change| &change.new) {
            Some(New::Value(new)) => (new, &[]),
            Some(New::Members(over)) => (value, over),
            None => (value, &[]),
        };
        if let Some(branch) = self.branch(value) {
            match branch {
                Fact::Known((position, taken)) => place.in_branch(position, |place| {
                    self.element(taken, place, changes, definition);
                }),
                Fact::Absent | Fact::Unknown => definition.complete = false,
            }
            return;
        }
        match self.settled(value) {
            Fact::Absent => {}
            Fact::Known(Value::Object(map)) => {
                let object = Object::new(self.dialect, map, over);
                let label = match self.written(object, "name") {
                    Some(Value::String(name)) => Cow::Borrowed(name.as_str()),
                    Some(name) => Cow::Owned(shown(name)),
                    None => Cow::Owned(format!("number {}", definition.containers.len() + 1)),
                };
                definition.containers.push(Container {
                    name: self.text(object, "name"),
                    label,
                    object,
                });
            }
            Fact::Unknown | Fact::Known(_) => definition.complete = false,
        }
    }
}

/// The text of a scalar, unless a deployment replaces something in it.
fn literal_text(dialect: Dialect, value: &Value) -> Option<Cow<'_, str>> {
    let is_replaced = |text: &str| {
        let forms = ["{{resolve:", "${", "&{"];
        dialect == Dialect::CloudFormation
            && text.contains('{')
            && forms.iter().any(|form| text.contains(form))
    };
    match value {
        Value::String(text) => (!is_replaced(text)).then_some(Cow::Borrowed(text.as_str())),
        Value::Number(number) => Some(Cow::Borrowed(number.as_str())),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        _ => None,
    }
}

/// Where a value stands, as a path that is compared and never built.
struct Place<'p> {
    up: Option<&'p Place<'p>>,
    part: Part<'p>,
}

#[derive(Clone, Copy)]
enum Part<'p> {
    Key(&'p str),
    Index(usize),
}

impl Place<'_> {
    fn at(&self, position: usize) -> Place<'_> {
        Place {
            up: Some(self),
            part: Part::Index(position),
        }
    }

    fn in_branch(&self, position: usize, work: impl FnOnce(&Place<'_>)) {
        let function = Place {
            up: Some(self),
            part: Part::Key("Fn::If"),
        };
        work(&function.at(position));
    }

    fn is(&self, path: &[Step]) -> bool {
        let Some((last, rest)) = path.split_last() else {
            return false;
        };
        let here = match (self.part, last) {
            (Part::Key(key), Step::Key(found)) => key == found,
            (Part::Index(index), Step::Index(found)) => index == *found,
            _ => false,
        };
        here && match self.up {
            Some(up) => up.is(rest),
            None => rest.is_empty(),
        }
    }
}
