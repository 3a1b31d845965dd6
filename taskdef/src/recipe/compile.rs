//! Compiles what a file holds: checks keys, types and names, and points at what is wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Environment;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::ecs::{NATURAL_KEYS, Shape};
use super::error::{Place, RecipeError};
use super::expression::Compiled;

use super::language::environment;
use super::node::{Content, Key, Node};
use super::position::Position;
use super::scan;
use super::scope::{CONTAINER, TASK};
use super::tree::{Entries, Tree};

/// What an expression may read at the place where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The inputs.
    Inputs,
    /// The inputs, the task and one container.
    Container,
    /// The inputs, the task and the list of containers.
    Task,
    /// All of it.
    Each,
}

impl Reach {
    fn roots(self) -> &'static [&'static str] {
        match self {
            Reach::Inputs => &["inputs"],
            Reach::Container => &["inputs", "task", "container"],
            Reach::Task => &["inputs", "task", "containers"],
            Reach::Each => &["inputs", "task", "container", "containers"],
        }
    }
}

/// Compiles the expressions of one file.
pub(super) struct Compiler {
    pub(super) file: Arc<str>,
    pub(super) inputs: Vec<String>,
    pub(super) texts: Environment<'static>,
    conditions: BTreeMap<String, Arc<Compiled>>,
}

impl Compiler {
    pub(super) fn new(file: Arc<str>) -> Compiler {
        Compiler {
            file,
            inputs: Vec::new(),
            texts: environment(),
            conditions: BTreeMap::new(),
        }
    }

    pub(super) fn place(&self, line: u64, column: u64) -> Place {
        Place {
            file: Arc::clone(&self.file),
            line,
            column,
        }
    }

    pub(super) fn place_of<T>(&self, spanned: &Spanned<T>) -> Place {
        self.place(spanned.referenced.line(), spanned.referenced.column())
    }

    /// A condition, or a list of conditions that all have to hold.
    pub(super) fn conditions(
        &mut self,
        node: &Node,
        reach: Reach,
    ) -> Result<Vec<Arc<Compiled>>, RecipeError> {
        match &node.content {
            Content::Scalar(Value::String(source)) => {
                let place = self.place(node.line, node.column);
                Ok(vec![self.condition(source, place, reach)?])
            }
            Content::List(items) => {
                let items = items.iter().map(|item| self.conditions(item, reach));
                Ok(items.collect::<Result<Vec<_>, _>>()?.concat())
            }
            _ => {
                let place = self.place(node.line, node.column);
                Err(RecipeError::new(
                    place,
                    "expected a condition, or a list of conditions",
                ))
            }
        }
    }

    /// A condition: an expression without braces. The same text is compiled once.
    pub(super) fn condition(
        &mut self,
        source: &str,
        place: Place,
        reach: Reach,
    ) -> Result<Arc<Compiled>, RecipeError> {
        let source = source.trim();
        if source.contains("{{") {
            return Err(RecipeError::new(
                place,
                "a condition is written without `{{` and `}}`",
            ));
        }
        let compiled = match self.conditions.get(source) {
            Some(known) => Arc::clone(known),
            None => Compiled::expression(source, place.clone(), Position::Condition)
                .map(Arc::new)
                .map_err(|message| RecipeError::new(place.clone(), message))?,
        };
        self.check_names(&compiled, &place, reach)?;
        self.conditions
            .insert(source.to_owned(), Arc::clone(&compiled));
        Ok(compiled)
    }

    /// A text for a person, in which expressions may stand.
    pub(super) fn message(
        &mut self,
        text: &Spanned<String>,
        reach: Reach,
    ) -> Result<Tree, RecipeError> {
        let place = self.place_of(text);
        self.text(&text.value, place, Position::Text, reach)
    }

    fn text(
        &mut self,
        text: &str,
        place: Place,
        position: Position,
        reach: Reach,
    ) -> Result<Tree, RecipeError> {
        let fail = |message| RecipeError::new(place.clone(), message);
        let compiled = match scan::shape(text).map_err(fail)? {
            scan::Shape::Constant => return Ok(Tree::Value(Value::from(text))),
            scan::Shape::Expression(source) => {
                Compiled::expression(source, place.clone(), position)
            }
            scan::Shape::Text => Compiled::text(text, place.clone(), position, &mut self.texts),
        };
        let compiled = compiled.map_err(fail)?;
        self.check_names(&compiled, &compiled.place, reach)?;
        Ok(Tree::Dynamic(Arc::new(compiled)))
    }

    fn check_names(
        &self,
        compiled: &Compiled,
        place: &Place,
        reach: Reach,
    ) -> Result<(), RecipeError> {
        for name in &compiled.names {
            let (root, rest) = name.split_once('.').unwrap_or((name, ""));
            let fail = |message: String| RecipeError::new(place.clone(), message);
            if !reach.roots().contains(&root) {
                let known = reach.roots().iter().copied();
                return Err(fail(format!("`{root}` is not known here")).near(root, known));
            }
            let field = rest.split('.').next().unwrap_or_default();
            let known: Vec<&str> = match root {
                "inputs" => self.inputs.iter().map(String::as_str).collect(),
                "task" => TASK.to_vec(),
                "container" => CONTAINER.to_vec(),
                _ => continue,
            };
            if !known.contains(&field) {
                let message = match (root, field) {
                    (root, "") => format!("`{root}` needs a name after it, with a dot"),
                    ("inputs", field) => format!("unknown input `{field}`"),
                    (root, field) => format!("unknown name `{root}.{field}`"),
                };
                return Err(fail(message).near(field, known));
            }
        }
        Ok(())
    }

    /// Settings, checked against the names and types of the ECS API.
    pub(super) fn settings(
        &mut self,
        node: &Node,
        known: &'static [(&'static str, Shape)],
        reach: Reach,
    ) -> Result<Entries, RecipeError> {
        match &node.content {
            Content::Map(entries) => self.entries(entries, known, reach),
            _ => Err(self.wrong(node, "settings", "a map")),
        }
    }

    fn wrong(&self, node: &Node, key: &str, expected: &str) -> RecipeError {
        let place = self.place(node.line, node.column);
        RecipeError::new(place, format!("`{key}` has to be {expected}"))
    }

    fn entries(
        &mut self,
        entries: &[(Key, Node)],
        known: &'static [(&'static str, Shape)],
        reach: Reach,
    ) -> Result<Entries, RecipeError> {
        entries
            .iter()
            .map(|(key, node)| {
                let Some((name, shape)) = known.iter().find(|(name, _)| *name == key.name) else {
                    let place = self.place(key.line, key.column);
                    let names = known.iter().map(|(name, _)| *name);
                    let message = format!("unknown key `{}`", key.name);
                    return Err(RecipeError::new(place, message).near(&key.name, names));
                };
                let position = match *name {
                    "valueFrom" | "credentialsParameter" => Position::Reference,
                    _ => position(shape),
                };
                let item = self.node(name, node, shape, position, reach)?;
                Ok((key.name.clone(), item))
            })
            .collect()
    }

    fn node(
        &mut self,
        key: &str,
        node: &Node,
        shape: &'static Shape,
        position: Position,
        reach: Reach,
    ) -> Result<Tree, RecipeError> {
        match (&node.content, shape) {
            (Content::Scalar(Value::String(text)), shape) => {
                let place = self.place(node.line, node.column);
                let tree = self.text(text, place, position, reach)?;
                match (&tree, shape) {
                    (Tree::Dynamic(_), _) | (_, Shape::Text) => Ok(tree),
                    (_, Shape::OrInherit(_)) if text == "inherit" => Ok(tree),
                    (_, shape) => Err(self.wrong(node, key, expected(shape))),
                }
            }
            (Content::Scalar(value @ Value::Bool(_)), Shape::Boolean)
            | (Content::Scalar(value @ Value::Number(_)), Shape::Integer) => {
                Ok(Tree::Value(value.clone()))
            }
            (Content::List(items), Shape::List(inner)) => {
                let position = match inner {
                    Shape::Text => Position::Element,
                    inner => self::position(inner),
                };
                let items = items.iter().map(|item| {
                    self.check_key(key, item)?;
                    self.node(key, item, inner, position, reach)
                });
                items.collect::<Result<_, _>>().map(Tree::List)
            }
            (Content::Map(entries), Shape::Object(known) | Shape::OrInherit(known)) => {
                self.entries(entries, known, reach).map(Tree::Map)
            }
            (Content::Map(entries), Shape::Texts) => {
                let entries = entries.iter().map(|(key, node)| {
                    let item = self.node(&key.name, node, &Shape::Text, Position::Text, reach)?;
                    Ok((key.name.clone(), item))
                });
                entries.collect::<Result<_, _>>().map(Tree::Map)
            }
            (_, shape) => Err(self.wrong(node, key, expected(shape))),
        }
    }

    /// Refuses an entry that nothing tells from another one.
    fn check_key(&self, list: &str, item: &Node) -> Result<(), RecipeError> {
        let (Content::Map(entries), Some((_, key))) = (
            &item.content,
            NATURAL_KEYS.iter().find(|(known, _)| *known == list),
        ) else {
            return Ok(());
        };
        // A range of ports is known by all that it says.
        let names = [key, "containerPortRange"];
        if entries
            .iter()
            .any(|(key, _)| names.contains(&key.name.as_str()))
        {
            return Ok(());
        }
        let place = self.place(item.line, item.column);
        let message = format!("an entry of `{list}` needs `{key}`");
        Err(RecipeError::new(place, message))
    }

    /// The words of a process.
    pub(super) fn words(&mut self, key: &str, node: &Node) -> Result<Tree, RecipeError> {
        const WORDS: Shape = Shape::List(&Shape::Text);
        self.node(key, node, &WORDS, Position::Texts, Reach::Inputs)
    }

    /// A text that reads only inputs.
    pub(super) fn script(&mut self, node: &Node) -> Result<Tree, RecipeError> {
        self.node("script", node, &Shape::Text, Position::Text, Reach::Inputs)
    }
}

fn position(shape: &Shape) -> Position {
    match shape {
        Shape::Text => Position::Text,
        Shape::Integer => Position::Integer,
        Shape::Boolean => Position::Boolean,
        Shape::List(Shape::Text) => Position::Texts,
        Shape::List(_) => Position::Maps,
        Shape::Object(_) | Shape::Texts | Shape::OrInherit(_) => Position::Map,
    }
}

fn expected(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text => "a text; put numbers, `true` and `false` in quotes",
        Shape::Integer => "a whole number",
        Shape::Boolean => "`true` or `false`",
        Shape::List(_) => "a list",
        Shape::Object(_) | Shape::Texts => "a map",
        Shape::OrInherit(_) => "a map, or `inherit`",
    }
}
