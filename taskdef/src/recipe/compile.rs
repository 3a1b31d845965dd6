//! Compiles what a file holds: checks keys, types and names, and points at what is wrong.

use std::sync::Arc;

use minijinja::Environment;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::ecs::Shape;
use super::error::{Place, RecipeError};
use super::expression::{Compiled, Position};
use super::file::{Content, Key, Node};
use super::language::environment;
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
}

impl Compiler {
    pub(super) fn new(file: Arc<str>) -> Compiler {
        Compiler {
            file,
            inputs: Vec::new(),
            texts: environment(),
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

    /// A condition: an expression without braces.
    pub(super) fn condition(
        &self,
        source: &Spanned<String>,
        reach: Reach,
    ) -> Result<Arc<Compiled>, RecipeError> {
        let place = self.place_of(source);
        if source.value.contains("{{") {
            return Err(RecipeError::new(
                place,
                "a condition is written without `{{` and `}}`",
            ));
        }
        let compiled = Compiled::expression(source.value.trim(), place.clone(), Position::Typed)
            .map_err(|message| RecipeError::new(place, message))?;
        self.check_names(&compiled, reach)?;
        Ok(Arc::new(compiled))
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
        self.check_names(&compiled, reach)?;
        Ok(Tree::Dynamic(Arc::new(compiled)))
    }

    fn check_names(&self, compiled: &Compiled, reach: Reach) -> Result<(), RecipeError> {
        for name in &compiled.names {
            let (root, rest) = name.split_once('.').unwrap_or((name, ""));
            let fail = |message: String| RecipeError::new(compiled.place.clone(), message);
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
            _ => Err(self.wrong(node, "a map of settings")),
        }
    }

    fn wrong(&self, node: &Node, expected: &str) -> RecipeError {
        RecipeError::new(
            self.place(node.line, node.column),
            format!("expected {expected}"),
        )
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
                let Some((_, shape)) = known.iter().find(|(name, _)| *name == key.name) else {
                    let place = self.place(key.line, key.column);
                    let names = known.iter().map(|(name, _)| *name);
                    let message = format!("unknown key `{}`", key.name);
                    return Err(RecipeError::new(place, message).near(&key.name, names));
                };
                let position = match (key.name.as_str(), shape) {
                    ("valueFrom" | "credentialsParameter", _) => Position::Reference,
                    (_, shape) => position(shape),
                };
                Ok((key.name.clone(), self.node(node, shape, position, reach)?))
            })
            .collect()
    }

    fn node(
        &mut self,
        node: &Node,
        shape: &'static Shape,
        position: Position,
        reach: Reach,
    ) -> Result<Tree, RecipeError> {
        match (&node.content, shape) {
            (Content::Scalar(Value::String(text)), shape) => {
                let place = self.place(node.line, node.column);
                let tree = self.text(text, place, position, reach)?;
                self.check_constant(node, &tree, shape)?;
                Ok(tree)
            }
            (Content::Scalar(value @ Value::Bool(_)), Shape::Boolean)
            | (Content::Scalar(value @ Value::Number(_)), Shape::Integer) => {
                Ok(Tree::Value(value.clone()))
            }
            (Content::List(items), Shape::List(inner)) => self.list(items, inner, reach),
            (Content::Map(entries), Shape::Object(known) | Shape::OrInherit(known)) => {
                self.entries(entries, known, reach).map(Tree::Map)
            }
            (Content::Map(entries), Shape::Texts) => entries
                .iter()
                .map(|(key, node)| {
                    let item = self.node(node, &Shape::Text, Position::Text, reach)?;
                    Ok((key.name.clone(), item))
                })
                .collect::<Result<_, _>>()
                .map(Tree::Map),
            (_, shape) => Err(self.wrong(node, expected(shape))),
        }
    }

    fn list(
        &mut self,
        items: &[Node],
        shape: &'static Shape,
        reach: Reach,
    ) -> Result<Tree, RecipeError> {
        items
            .iter()
            .map(|item| {
                // An element that is one expression may give a whole list, which keeps its type.
                let position = position(shape);
                self.node(item, shape, position, reach)
            })
            .collect::<Result<_, _>>()
            .map(Tree::List)
    }

    /// A constant text stands only where a text may stand; an expression may give anything.
    fn check_constant(&self, node: &Node, tree: &Tree, shape: &Shape) -> Result<(), RecipeError> {
        let Tree::Value(Value::String(text)) = tree else {
            return Ok(());
        };
        match shape {
            Shape::Text => Ok(()),
            Shape::OrInherit(_) if text == "inherit" => Ok(()),
            shape => Err(self.wrong(node, expected(shape))),
        }
    }

    /// The words of a process.
    pub(super) fn words(&mut self, node: &Node) -> Result<Tree, RecipeError> {
        self.node(
            node,
            &Shape::List(&Shape::Text),
            Position::Typed,
            Reach::Inputs,
        )
    }

    /// A text that reads only inputs.
    pub(super) fn script(&mut self, node: &Node) -> Result<Tree, RecipeError> {
        self.node(node, &Shape::Text, Position::Text, Reach::Inputs)
    }
}

fn position(shape: &Shape) -> Position {
    match shape {
        Shape::Text => Position::Text,
        _ => Position::Typed,
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
