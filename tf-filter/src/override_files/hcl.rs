//! Expressions in HCL, written as `terraform fmt` would.

use serde_json::Value;

use super::source::Copied;

/// An expression to be written.
#[derive(Clone, Debug)]
pub(crate) enum Expression {
    /// Words on one line, as they are.
    Words(String),
    /// A part of the module's own files.
    Copied(Copied),
    /// `[...]`
    List(Vec<Expression>),
    /// A list with each item on a line of its own.
    Lines(Vec<Expression>),
    /// `{...}`: names and values.
    Object(Vec<(String, Expression)>),
    /// A function with its arguments, each on lines of its own.
    Call(String, Vec<Expression>),
    /// `[for NAME in SOURCE : BODY]`
    For(String, Box<(Expression, Expression)>),
    /// `{for KEY, VALUE in SOURCE : ... if CONDITION}`: the members that a condition picks.
    Picked(Box<Expression>, &'static str),
    /// `ONE == OTHER`
    Equal(Box<(Expression, Expression)>),
    /// Conditions with what they stand for, and what stands where none holds.
    Cases(Vec<(Expression, Expression)>, Box<Expression>),
    /// A value, and what chooses a part of it: `[count.index]`.
    Indexed(Box<Expression>, &'static str),
}

use Expression::{Call, Cases, Equal, For, Indexed, Lines, List, Object, Picked, Words};

impl Expression {
    /// A value as HCL has it.
    pub(crate) fn value(value: &Value) -> Expression {
        match value {
            Value::Array(items) => List(items.iter().map(Expression::value).collect()),
            Value::Object(map) => {
                let members = map.iter();
                Object(
                    members
                        .map(|(key, value)| (key.clone(), Expression::value(value)))
                        .collect(),
                )
            }
            Value::String(text) => Words(quoted(text)),
            other => Words(other.to_string()),
        }
    }

    /// The texts in it that do not come from the module's own files.
    pub(crate) fn literals<'e>(&'e self, literals: &mut Vec<&'e str>) {
        match self {
            Words(words) => literals.push(words),
            Expression::Copied(_) => {}
            List(items) | Lines(items) | Call(_, items) => {
                items.iter().for_each(|item| item.literals(literals));
            }
            Object(members) => {
                for (key, value) in members {
                    literals.push(key);
                    value.literals(literals);
                }
            }
            Cases(cases, _) => {
                for (condition, value) in cases {
                    condition.literals(literals);
                    value.literals(literals);
                }
            }
            For(_, both) | Equal(both) => {
                both.0.literals(literals);
                both.1.literals(literals);
            }
            Indexed(value, _) | Picked(value, _) => value.literals(literals),
        }
    }

    /// The expression, its first line where the caller stands, the others indented so far or more.
    pub(crate) fn render(&self, indent: usize) -> String {
        let (inner, outer) = (" ".repeat(indent + 2), " ".repeat(indent));
        match self {
            Words(words) => words.clone(),
            Expression::Copied(copied) => copied.render(indent),
            List(items) if items.iter().all(|item| matches!(item, Words(_))) => {
                let items: Vec<String> = items.iter().map(|item| item.render(0)).collect();
                format!("[{}]", items.join(", "))
            }
            List(items) | Lines(items) => {
                let items = items.iter().map(|item| {
                    let item = item.render(indent + 2);
                    format!("{inner}{item},\n")
                });
                format!("[\n{}{outer}]", items.collect::<String>())
            }
            Object(members) if members.is_empty() => "{}".to_owned(),
            Object(members) => {
                format!("{{\n{}{outer}}}", assignments(members, indent + 2))
            }
            Call(name, arguments) => match arguments.as_slice() {
                [one] if !matches!(one, Cases(..)) => format!("{name}({})", one.render(indent)),
                _ => {
                    let arguments = arguments
                        .iter()
                        .map(|argument| format!("{inner}{},\n", argument.render(indent + 2)));
                    let arguments: String = arguments.collect();
                    format!("{name}(\n{arguments}{outer})")
                }
            },
            For(name, both) => {
                let (source, body) = &**both;
                let (source, body) = (source.render(indent + 2), body.render(indent + 2));
                format!("[\n{inner}for {name} in {source} :\n{inner}{body}\n{outer}]")
            }
            Picked(source, condition) => {
                let source = source.render(indent + 2);
                format!(
                    "{{\n{inner}for key, value in {source} :\n{inner}key => value if {condition}\n{outer}}}"
                )
            }
            Equal(both) => {
                let (one, other) = &**both;
                format!("{} == {}", one.render(indent), other.render(indent))
            }
            Cases(cases, otherwise) => {
                let cases = cases.iter().map(|(condition, value)| {
                    let (condition, value) = (condition.render(indent), value.render(indent));
                    format!("{condition} ?\n{outer}{value} :\n{outer}")
                });
                format!("{}{}", cases.collect::<String>(), otherwise.render(indent))
            }
            Indexed(value, index) => format!("{}{index}", value.render(indent)),
        }
    }
}

impl Copied {
    /// The text with its lines moved; those of heredocs stay. One that ends with a heredoc gets
    /// parentheses, because nothing may follow in that line.
    pub(crate) fn render(&self, indent: usize) -> String {
        let last = self.heredocs.iter().map(|heredoc| heredoc.end).max();
        if last.is_some_and(|end| end >= self.text.len()) {
            let (inner, outer) = (" ".repeat(indent + 2), " ".repeat(indent));
            return format!("(\n{inner}{}\n{outer})", self.moved(indent + 2));
        }
        self.moved(indent)
    }

    fn moved(&self, indent: usize) -> String {
        let mut moved = String::with_capacity(self.text.len());
        let mut at = 0;
        for (number, line) in self.text.split_inclusive('\n').enumerate() {
            let stays = self
                .heredocs
                .iter()
                .any(|heredoc| heredoc.start < at && at < heredoc.end);
            at += line.len();
            if number == 0 || stays || line.trim().is_empty() {
                moved.push_str(line);
                continue;
            }
            let spaces = line.len() - line.trim_start_matches(' ').len();
            let spaces = (spaces + indent).saturating_sub(self.indent);
            moved.push_str(&" ".repeat(spaces));
            moved.push_str(line.trim_start_matches(' '));
        }
        moved
    }
}

/// Lines `name = value`; what stands in one line is aligned with its neighbours.
pub(crate) fn assignments(members: &[(String, Expression)], indent: usize) -> String {
    let rendered: Vec<(String, String)> = members
        .iter()
        .map(|(key, value)| (name(key), value.render(indent)))
        .collect();
    let is_long = |value: &str| value.contains('\n');
    let mut lines = String::new();
    for group in rendered.chunk_by(|(_, one), (_, other)| !is_long(one) && !is_long(other)) {
        let width = group.iter().map(|(key, _)| key.chars().count()).max();
        for (key, value) in group {
            let gap = width.unwrap_or_default() - key.chars().count();
            let (start, gap) = (" ".repeat(indent), " ".repeat(gap));
            lines.push_str(&format!("{start}{key}{gap} = {value}\n"));
        }
    }
    lines
}

/// The name of a member: bare where it can be.
fn name(key: &str) -> String {
    let mut letters = key.chars();
    let bare = letters
        .next()
        .is_some_and(|letter| letter.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !matches!(key, "for" | "if" | "null" | "true" | "false");
    match bare {
        true => key.to_owned(),
        false => quoted(key),
    }
}

/// A text in quotes. [Templates](https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-expressions)
/// begin with `${` and `%{`, which are written so that they stand for themselves.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut letters = text.chars().peekable();
    let mut before = None;
    while let Some(letter) = letters.next() {
        let begins_template = matches!(letter, '$' | '%') && letters.peek() == Some(&'{');
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            // After another one a doubled sign would be read otherwise.
            _ if begins_template && before == Some(letter) => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            _ if begins_template => quoted.extend([letter, letter]),
            _ if letter.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(letter))),
            _ => quoted.push(letter),
        }
        before = Some(letter);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Expression, quoted};

    #[test]
    fn values_are_written_as_terraform_formats_them() {
        let value = json!({
            "recipe": "lacework", "inputs": {"a-b": "x", "accessToken": {"valueFrom": "arn"}, "long": 1},
            "images": {}, "words": ["a", 1, null], "list": [{"a": true}, []],
        });
        insta::assert_snapshot!(Expression::value(&value).render(2), @r#"
        {
            recipe = "lacework"
            inputs = {
              "a-b" = "x"
              accessToken = {
                valueFrom = "arn"
              }
              long = 1
            }
            images = {}
            words  = ["a", 1, null]
            list = [
              {
                a = true
              },
              [],
            ]
          }
        "#);
    }

    #[test]
    fn texts_stand_for_themselves() {
        insta::assert_snapshot!(quoted("a \"b\" \\ ${c} $${d} %{e} $ {\n\u{7f}é"), @r#""a \"b\" \\ $${c} $\u0024{d} %%{e} $ {\n\u007fé""#);
    }
}
