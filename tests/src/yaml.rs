//! Writes a template as YAML in one of many styles, to be read by the product.

use serde_json::Value;

use crate::conditions::intrinsic;

/// How the YAML looks.
#[derive(Clone, Debug)]
pub struct Style {
    /// Whether sequences are indented below their key.
    pub indented: bool,
    /// Whether `Ref` and `Fn::If` are written as `!Ref` and `!If`.
    pub short_forms: bool,
    /// Whether lists of texts are written in flow style.
    pub flow: bool,
    /// Columns of one level.
    pub step: usize,
    /// Whether lines end in CR LF.
    pub crlf: bool,
    /// Whether comments stand between the lines.
    pub comments: bool,
}

/// The document as YAML.
pub fn write(document: &Value, style: &Style) -> String {
    let mut text = String::new();
    block(document, style, 0, &mut text);
    if style.comments {
        let lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| match index % 5 {
                1 => format!("{line} # line {index}\n"),
                3 => format!(
                    "{line}\n{}# below {index}\n",
                    " ".repeat(line.len() - line.trim_start().len())
                ),
                _ => format!("{line}\n"),
            });
        text = lines.collect();
    }
    if style.crlf {
        text.replace('\n', "\r\n")
    } else {
        text
    }
}

/// Writes a collection, each entry on its own line at this column.
fn block(value: &Value, style: &Style, column: usize, text: &mut String) {
    let indentation = " ".repeat(column);
    match value {
        Value::Object(map) => {
            for (key, item) in map {
                text.push_str(&format!("{indentation}{}:", scalar_key(key)));
                below(item, style, column, text);
            }
        }
        Value::Array(items) => {
            for item in items {
                text.push_str(&format!("{indentation}-"));
                // A dash counts as indentation of what stands below it.
                below(
                    item,
                    &Style {
                        indented: true,
                        ..style.clone()
                    },
                    column,
                    text,
                );
            }
        }
        _ => {}
    }
}

/// Writes a value after its key or dash.
fn below(value: &Value, style: &Style, column: usize, text: &mut String) {
    if let Some((tag, argument)) = short_form(value, style) {
        text.push_str(&format!(" {tag}"));
        return below(argument, style, column, text);
    }
    let words = value.as_array().is_some_and(|items| {
        items
            .iter()
            .all(|item| !item.is_object() && !item.is_array())
    });
    match value {
        Value::Object(map) if map.is_empty() => text.push_str(" {}\n"),
        Value::Array(items) if items.is_empty() => text.push_str(" []\n"),
        Value::Array(items) if words && style.flow => {
            let items: Vec<String> = items.iter().map(scalar).collect();
            text.push_str(&format!(" [{}]\n", items.join(", ")));
        }
        Value::Array(_) => {
            text.push('\n');
            block(
                value,
                style,
                if style.indented {
                    column + style.step
                } else {
                    column
                },
                text,
            );
        }
        Value::Object(_) => {
            text.push('\n');
            block(value, style, column + style.step, text);
        }
        other => text.push_str(&format!(" {}\n", scalar(other))),
    }
}

fn short_form<'a>(value: &'a Value, style: &Style) -> Option<(&'static str, &'a Value)> {
    let (key, argument) = intrinsic(value).filter(|_| style.short_forms)?;
    match key {
        "Ref" => Some(("!Ref", argument)),
        "Fn::If" => Some(("!If", argument)),
        "Fn::Sub" => Some(("!Sub", argument)),
        _ => None,
    }
}

fn scalar_key(key: &str) -> String {
    let plain = key.chars().all(|letter| letter.is_ascii_alphanumeric());
    if plain && key != "yes" {
        key.to_owned()
    } else {
        Value::String(key.to_owned()).to_string()
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text)
            if text.len() > 2
                && text.chars().all(|letter| letter.is_ascii_alphabetic())
                && text != "yes" =>
        {
            text.clone()
        }
        other => other.to_string(),
    }
}
