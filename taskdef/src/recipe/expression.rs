//! Compiled expressions and texts, and what they give.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use minijinja::value::{Value as Expr, ValueKind};
use minijinja::{Environment, ErrorKind, Expression};
use serde_json::{Value, json};

use super::error::{Place, RenderError};
use super::language::{EXPRESSIONS, NotText, Own, TEXT_LIMIT};
use super::position::{Position, found};
use super::scan;
use super::scope::Scope;
use super::value::{Held, Kind, NotKnown, Reads, intrinsic_name};

/// The names that an expression reads, with dots.
pub(super) type Names = BTreeSet<String>;

/// An expression or a text, compiled.
pub(super) struct Compiled {
    pub(super) place: Place,
    pub(super) source: String,
    pub(super) names: Names,
    pub(super) position: Position,
    form: Form,
}

enum Form {
    Expression(Box<Expression<'static, 'static>>),
    /// The name of a template in the recipe's environment.
    Text(String),
}

/// What an expression gives.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Given {
    /// Nothing: an input that was not given.
    Nothing,
    /// A value.
    Value(Value),
    /// What an input gives as `valueFrom`.
    ValueFrom(Value),
}

impl Compiled {
    /// Compiles an expression.
    pub(super) fn expression(
        source: &str,
        place: Place,
        position: Position,
    ) -> Result<Compiled, String> {
        scan::expression(source)?;
        let expression = EXPRESSIONS
            .compile_expression_owned(source.to_owned())
            .map_err(|error| syntax(&error))?;
        let names = expression.undeclared_variables(true).into_iter().collect();
        let form = Form::Expression(Box::new(expression));
        Ok(Compiled {
            place,
            source: source.to_owned(),
            names,
            position,
            form,
        })
    }

    /// Compiles a text with expressions in it, and keeps it in the recipe's environment.
    pub(super) fn text(
        source: &str,
        place: Place,
        position: Position,
        texts: &mut Environment<'static>,
    ) -> Result<Compiled, String> {
        if source.len() > TEXT_LIMIT {
            return Err(format!("the text is longer than {TEXT_LIMIT} bytes"));
        }
        let name = format!("{}:{}", place.line, place.column);
        texts
            .add_template_owned(name.clone(), source.to_owned())
            .map_err(|error| syntax(&error))?;
        let template = texts.get_template(&name).map_err(|error| syntax(&error))?;
        let names = template.undeclared_variables(true).into_iter().collect();
        Ok(Compiled {
            place,
            source: source.to_owned(),
            names,
            position,
            form: Form::Text(name),
        })
    }

    /// Whether it can be evaluated when only the inputs are known.
    pub(super) fn only_inputs(&self) -> bool {
        self.names.iter().all(|name| name.starts_with("inputs."))
    }

    /// Whether it may read the user that a container runs as.
    pub(super) fn reads_user(&self) -> bool {
        self.names.contains("container.user")
            || (self.names.contains("containers") && self.source.contains("user"))
    }

    /// What it gives.
    pub(super) fn evaluate(
        &self,
        scope: &Scope<'_>,
        texts: &Environment<'static>,
    ) -> Result<Given, RenderError> {
        let (context, reads) = scope.context();
        let given = match &self.form {
            Form::Expression(expression) => expression
                .eval(context)
                .map_err(|error| self.failed(&error, reads))
                .and_then(|value| self.given(&value, reads))?,
            Form::Text(name) => {
                let text = self
                    .render(name, context, texts)
                    .map_err(|error| self.failed(&error, reads))?;
                Given::Value(self.with_marks(&text, reads)?)
            }
        };
        self.account(reads)?;
        Ok(given)
    }

    /// Whether it holds.
    pub(super) fn holds(
        &self,
        scope: &Scope<'_>,
        texts: &Environment<'static>,
    ) -> Result<bool, RenderError> {
        match self.evaluate(scope, texts)? {
            Given::Value(Value::Bool(holds)) => Ok(holds),
            Given::Value(value) => Err(self.wrong_type(found(&value))),
            Given::ValueFrom(_) => Err(self.wrong_type("what is given as `valueFrom`")),
            Given::Nothing => Err(self.wrong_type("nothing")),
        }
    }

    fn wrong_type(&self, found: &str) -> RenderError {
        RenderError::WrongType {
            place: self.place.clone(),
            expected: self.position.expected(),
            found: found.to_owned(),
        }
    }

    fn render(
        &self,
        name: &str,
        context: Expr,
        texts: &Environment<'static>,
    ) -> Result<String, minijinja::Error> {
        let mut bounded = Bounded(Vec::new());
        texts
            .get_template(name)?
            .render_captured_to(context, &mut bounded)?;
        String::from_utf8(bounded.0).map_err(|_| minijinja::Error::from(ErrorKind::WriteFailure))
    }

    fn given(&self, value: &Expr, reads: &Arc<Reads>) -> Result<Given, RenderError> {
        if value.is_undefined() {
            self.account(reads)?;
            return Err(RenderError::Undefined {
                place: self.place.clone(),
            });
        }
        if value.is_none() {
            return Ok(Given::Nothing);
        }
        if let Some(held) = value.downcast_object_ref::<Held>() {
            let is_condition = self.position == Position::Condition;
            if is_condition && matches!(held.kind, Kind::Intrinsic | Kind::ValueFrom) {
                return Err(self.misused(reads, held.index));
            }
            held.account();
            let value = Value::clone(&held.value);
            return match held.kind {
                Kind::ValueFrom => Ok(Given::ValueFrom(value)),
                _ => self.take(value),
            };
        }
        let value = self.json(value, reads, 0)?;
        self.take(value)
    }

    fn take(&self, value: Value) -> Result<Given, RenderError> {
        let taken = self.position.take(value).map(Given::Value);
        taken.map_err(|value| self.wrong_type(found(&value)))
    }

    fn json(&self, value: &Expr, reads: &Arc<Reads>, depth: usize) -> Result<Value, RenderError> {
        let failed = |message: &str| RenderError::Failed {
            place: self.place.clone(),
            message: message.to_owned(),
        };
        if depth > 20 {
            return Err(RenderError::TooBig {
                place: self.place.clone(),
            });
        }
        if let Some(held) = value.downcast_object_ref::<Held>() {
            if held.kind == Kind::ValueFrom {
                return Err(self.misused(reads, held.index));
            }
            held.account();
            return Ok(Value::clone(&held.value));
        }
        match value.kind() {
            ValueKind::Undefined => Err(RenderError::Undefined {
                place: self.place.clone(),
            }),
            ValueKind::None => Ok(Value::Null),
            ValueKind::Bool => Ok(Value::Bool(value.is_true())),
            ValueKind::String => self.with_marks(value.as_str().unwrap_or_default(), reads),
            ValueKind::Number => serde_json::from_str(&value.to_string())
                .map_err(|_| failed("the number has no JSON form")),
            ValueKind::Seq | ValueKind::Iterable => value
                .try_iter()
                .map_err(|_| failed("the expression gives a list that cannot be read"))?
                .map(|item| self.json(&item, reads, depth + 1))
                .collect(),
            _ => Err(failed(
                "the expression gives neither a text, a number, a list nor a boolean",
            )),
        }
    }

    /// A text in which marks of held values stand becomes `Fn::Join`.
    fn with_marks(&self, text: &str, reads: &Arc<Reads>) -> Result<Value, RenderError> {
        if !text.contains('\0') {
            return Ok(Value::from(text));
        }
        let mut parts: Vec<Value> = Vec::new();
        for (index, piece) in text.split('\0').enumerate() {
            if index % 2 == 0 {
                if !piece.is_empty() {
                    parts.push(Value::from(piece));
                }
                continue;
            }
            let read = piece.parse::<usize>().unwrap_or(usize::MAX);
            let mut entries = reads.entries();
            match entries.get_mut(read) {
                Some(entry) if entry.kind == Kind::Intrinsic => {
                    entry.accounted = true;
                    parts.push(Value::clone(&entry.value));
                }
                Some(entry) if matches!(entry.kind, Kind::List | Kind::Map) => {
                    let found = if entry.kind == Kind::List {
                        "a list"
                    } else {
                        "a map"
                    };
                    return Err(RenderError::NotText {
                        place: self.place.clone(),
                        found: found.to_owned(),
                    });
                }
                _ => {
                    drop(entries);
                    return Err(self.misused(reads, read));
                }
            }
        }
        Ok(json!({"Fn::Join": ["", parts]}))
    }

    /// Whatever was read and is not in the result was needed for itself.
    fn account(&self, reads: &Arc<Reads>) -> Result<(), RenderError> {
        match self.unaccounted(reads) {
            Some(index) => Err(self.misused(reads, index)),
            None => Ok(()),
        }
    }

    fn unaccounted(&self, reads: &Arc<Reads>) -> Option<usize> {
        reads.entries().iter().position(|read| {
            matches!(read.kind, Kind::Intrinsic | Kind::ValueFrom) && (read.item || !read.accounted)
        })
    }

    fn misused(&self, reads: &Arc<Reads>, index: usize) -> RenderError {
        let place = self.place.clone();
        let entries = reads.entries();
        let Some(read) = entries.get(index) else {
            return RenderError::Failed {
                place,
                message: "a text holds a NUL character".to_owned(),
            };
        };
        let name = read.name.clone();
        match read.kind {
            Kind::ValueFrom => RenderError::ValueFrom { place, name },
            _ => RenderError::Intrinsic {
                place,
                name,
                function: intrinsic_name(&read.value)
                    .unwrap_or_else(|| "an intrinsic function".to_owned()),
            },
        }
    }

    fn failed(&self, error: &minijinja::Error, reads: &Arc<Reads>) -> RenderError {
        let place = self.place.clone();
        if let Some(NotKnown(name)) = source::<NotKnown>(error) {
            return RenderError::Unknown {
                place,
                name: name.clone(),
            };
        }
        if let Some(index) = self.unaccounted(reads) {
            return self.misused(reads, index);
        }
        if let Some(NotText(found)) = source::<NotText>(error) {
            return RenderError::NotText {
                place,
                found: (*found).to_owned(),
            };
        }
        match error.kind() {
            ErrorKind::UndefinedError => RenderError::Undefined { place },
            ErrorKind::OutOfFuel | ErrorKind::WriteFailure => RenderError::TooBig { place },
            kind => RenderError::Failed {
                place,
                message: match (source::<Own>(error), error.detail()) {
                    (Some(_), Some(detail)) => detail.to_owned(),
                    _ => format!("the expression cannot be evaluated: {kind}"),
                },
            },
        }
    }
}

/// What is wrong with an expression's syntax. The text is the recipe's own, so it may be shown.
fn syntax(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("the expression is not valid: {detail}"),
        None => format!("the expression is not valid: {}", error.kind()),
    }
}

fn source<T: std::error::Error + 'static>(error: &minijinja::Error) -> Option<&T> {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(found) = inner.downcast_ref::<T>() {
            return Some(found);
        }
        source = inner.source();
    }
    None
}

/// A buffer that refuses to grow beyond the limit of a text.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > TEXT_LIMIT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The text of what an expression gives, for a message: an intrinsic function is shown short.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(map) => match map.get("Fn::Join").and_then(|join| join.get(1)) {
            Some(Value::Array(parts)) => parts.iter().map(shown).collect(),
            _ => intrinsic_name(value).unwrap_or_else(|| "...".to_owned()),
        },
        other => other.to_string(),
    }
}
