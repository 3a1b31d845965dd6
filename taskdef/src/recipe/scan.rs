//! Looks through a text for expressions, and for what recipes may not use.

use super::language::{EXPRESSION_LIMIT, FILTERS, TESTS};

/// The statements that a text may use.
const STATEMENTS: &[&str] = &["for", "endfor", "if", "elif", "else", "endif"];

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape<'a> {
    /// No expression in it.
    Constant,
    /// Exactly one expression, and this is it.
    Expression(&'a str),
    /// A text with expressions in it.
    Text,
}

/// What a text is, or what is wrong with it.
pub(super) fn shape(text: &str) -> Result<Shape<'_>, String> {
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        return Err("the text holds a control character".to_owned());
    }
    let mut rest = text;
    let mut tags = 0_usize;
    let mut whole = None;
    while let Some((before, tag, after)) = next_tag(rest)? {
        tags += 1;
        if let Tag::Expression(inner) = tag
            && before.is_empty()
            && after.is_empty()
            && rest.len() == text.len()
        {
            whole = Some(inner);
        }
        tag.check()?;
        rest = after;
    }
    Ok(match (tags, whole) {
        (0, _) => Shape::Constant,
        (_, Some(expression)) => Shape::Expression(without_dashes(expression)),
        _ => Shape::Text,
    })
}

/// `{{- x -}}` takes the white space around it away; around a whole text there is none.
fn without_dashes(expression: &str) -> &str {
    let expression = expression.strip_prefix('-').unwrap_or(expression);
    expression.strip_suffix('-').unwrap_or(expression).trim()
}

/// What is wrong with an expression before it is compiled, if anything.
///
/// minijinja looks filters and tests up when it evaluates, which may be never; and it knows
/// operations with which a short expression makes a long text.
pub(super) fn expression(source: &str) -> Result<(), String> {
    if source.chars().count() > EXPRESSION_LIMIT {
        return Err(format!(
            "the expression is longer than {EXPRESSION_LIMIT} characters"
        ));
    }
    let tokens = tokens(source);
    let mut rest = tokens.as_slice();
    let mut after_dot = false;
    while let Some((token, tail)) = rest.split_first() {
        match (token, tail) {
            (Token::Symbol('*'), _) => return Err("`*` is not part of the recipe language".into()),
            (Token::Symbol(':'), _) => {
                return Err("slices and maps are not part of the recipe language".into());
            }
            (Token::Symbol('|'), [Token::Word(name), ..]) => known("filter", name, FILTERS)?,
            (Token::Word(word), [Token::Word(not), Token::Word(name), ..])
                if word == "is" && not == "not" && !after_dot =>
            {
                known("test", name, TESTS)?;
            }
            (Token::Word(word), [Token::Word(name), ..])
                if word == "is" && name != "not" && !after_dot =>
            {
                known("test", name, TESTS)?;
            }
            _ => {}
        }
        after_dot = matches!(token, Token::Symbol('.'));
        rest = tail;
    }
    Ok(())
}

fn known(what: &str, name: &str, names: &[&str]) -> Result<(), String> {
    if names.contains(&name) {
        return Ok(());
    }
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    Err(format!(
        "unknown {what} `{name}`; there are {}",
        names.join(", ")
    ))
}

enum Token {
    Word(String),
    Symbol(char),
}

/// The words and symbols of an expression; texts in quotes are one symbol.
fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut quotes = Quotes::default();
    for character in source.chars() {
        let quoted = quotes.inside(character);
        if !quoted && (character.is_alphanumeric() || character == '_') {
            word.push(character);
            continue;
        }
        if !word.is_empty() {
            tokens.push(Token::Word(std::mem::take(&mut word)));
        }
        if !quoted && !character.is_whitespace() {
            tokens.push(Token::Symbol(character));
        }
    }
    if !word.is_empty() {
        tokens.push(Token::Word(word));
    }
    tokens
}

/// Follows texts in quotes through an expression.
#[derive(Default)]
struct Quotes {
    open: Option<char>,
    escaped: bool,
}

impl Quotes {
    /// Whether the next character belongs to a text in quotes; the quotes do.
    fn inside(&mut self, character: char) -> bool {
        match self.open {
            Some(_) if self.escaped => self.escaped = false,
            Some(_) if character == '\\' => self.escaped = true,
            Some(open) if character == open => self.open = None,
            Some(_) => {}
            None if character == '"' || character == '\'' => self.open = Some(character),
            None => return false,
        }
        true
    }
}

#[derive(Clone, Copy)]
enum Tag<'a> {
    Expression(&'a str),
    Statement(&'a str),
}

impl Tag<'_> {
    fn check(self) -> Result<(), String> {
        match self {
            Tag::Expression(inner) => expression(inner),
            Tag::Statement(inner) => {
                let inner = inner.trim_start_matches(['-', '+']).trim_start();
                let word = inner
                    .split(|c: char| !c.is_alphanumeric())
                    .next()
                    .unwrap_or_default();
                if STATEMENTS.contains(&word) {
                    return expression(inner);
                }
                Err(format!(
                    "the statement `{word}` is not part of the recipe language"
                ))
            }
        }
    }
}

/// The text before the next tag, the tag, and the text after it.
fn next_tag(text: &str) -> Result<Option<(&str, Tag<'_>, &str)>, String> {
    let Some((before, opener, inside)) = next_opener(text) else {
        return Ok(None);
    };
    let closer = if opener == "{{" { "}}" } else { "%}" };
    let end = closing(inside, closer);
    let Some((inner, rest)) = end.and_then(|end| inside.split_at_checked(end)) else {
        return Err(format!("`{opener}` is not closed"));
    };
    let after = rest.strip_prefix(closer).unwrap_or_default();
    let tag = if opener == "{{" {
        Tag::Expression(inner)
    } else {
        Tag::Statement(inner)
    };
    Ok(Some((before, tag, after)))
}

fn next_opener(text: &str) -> Option<(&str, &str, &str)> {
    let (at, opener) = ["{{", "{%"]
        .iter()
        .filter_map(|opener| text.find(opener).map(|at| (at, *opener)))
        .min_by_key(|(at, _)| *at)?;
    let (before, rest) = text.split_at_checked(at)?;
    Some((before, opener, rest.strip_prefix(opener)?))
}

/// Where a tag ends, outside of the texts in quotes inside it.
fn closing(inside: &str, closer: &str) -> Option<usize> {
    let mut quotes = Quotes::default();
    for (at, character) in inside.char_indices() {
        let closes = || {
            inside
                .split_at_checked(at)
                .is_some_and(|(_, rest)| rest.starts_with(closer))
        };
        if !quotes.inside(character) && closes() {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        match shape(text) {
            Ok(shape) => format!("{text:?}: {shape:?}"),
            Err(error) => format!("{text:?}: error: {error}"),
        }
    }

    #[test]
    fn what_a_text_is() {
        let table = [
            "",
            "a } %} }} {",
            "a\tb\r\nc",
            "a\u{7}",
            "{{ a }}",
            "{{a}}",
            "{{- a -}}",
            "{{ -a- }}",
            " {{ a }}",
            "{{ a }} ",
            "{{ a }}{{ b }}",
            "x{% if a %}b{% endif %}",
            "{%- for a in b -%}{{ a }}{%+ endfor %}",
            "{{ a",
            "x {{ a %}",
            "{% if a }}",
            "{% set a = 1 %}",
            "{%+ iffy %}",
            "{% if(a) %}{% endif %}",
            "{% %}",
            "{% if a | nope %}{% endif %}",
        ];
        insta::assert_snapshot!(table.map(told).join("\n"), @r#"
        "": Constant
        "a } %} }} {": Constant
        "a\tb\r\nc": Constant
        "a\u{7}": error: the text holds a control character
        "{{ a }}": Expression("a")
        "{{a}}": Expression("a")
        "{{- a -}}": Expression("a")
        "{{ -a- }}": Expression("-a-")
        " {{ a }}": Text
        "{{ a }} ": Text
        "{{ a }}{{ b }}": Text
        "x{% if a %}b{% endif %}": Text
        "{%- for a in b -%}{{ a }}{%+ endfor %}": Text
        "{{ a": error: `{{` is not closed
        "x {{ a %}": error: `{{` is not closed
        "{% if a }}": error: `{%` is not closed
        "{% set a = 1 %}": error: the statement `set` is not part of the recipe language
        "{%+ iffy %}": error: the statement `iffy` is not part of the recipe language
        "{% if(a) %}{% endif %}": Text
        "{% %}": error: the statement `` is not part of the recipe language
        "{% if a | nope %}{% endif %}": error: unknown filter `nope`; there are `join`, `json`, `length`, `lower`, `replace`, `split`, `upper`
        "#);
    }

    #[test]
    fn quotes_hide_what_is_in_them() {
        let table = [
            "{{ '}}' }}",
            r#"{{ "a\"}}" }}"#,
            r"{{ 'a\\' }}",
            r"{{ 'a\' }}",
            r#"{{ 'a"' ~ "b'" }}"#,
            "{{ 'é}}' }}",
            "{{ 'is nope | nope * : ' }}",
        ];
        insta::assert_snapshot!(table.map(told).join("\n"), @r#"
        "{{ '}}' }}": Expression("'}}'")
        "{{ \"a\\\"}}\" }}": Expression("\"a\\\"}}\"")
        "{{ 'a\\\\' }}": Expression("'a\\\\'")
        "{{ 'a\\' }}": error: `{{` is not closed
        "{{ 'a\"' ~ \"b'\" }}": Expression("'a\"' ~ \"b'\"")
        "{{ 'é}}' }}": Expression("'é}}'")
        "{{ 'is nope | nope * : ' }}": Expression("'is nope | nope * : '")
        "#);
    }

    #[test]
    fn what_an_expression_may_hold() {
        let judged = |source: &str| match expression(source) {
            Ok(()) => format!("{source}: ok"),
            Err(error) => format!("{source}: {error}"),
        };
        let table = [
            "a",
            "a | upper",
            "a|nope",
            "a | _",
            "a is none",
            "a is not none",
            "a is nope",
            "a is not nope",
            "a.is in b",
            "a.is not in b",
            "a.b is nope",
            "is",
            "a is",
            "isx nope",
            "a not_is nope",
            "a * b",
            "a[1:2]",
            "{'a': 1}",
        ];
        insta::assert_snapshot!(table.map(judged).join("\n"), @"
        a: ok
        a | upper: ok
        a|nope: unknown filter `nope`; there are `join`, `json`, `length`, `lower`, `replace`, `split`, `upper`
        a | _: unknown filter `_`; there are `join`, `json`, `length`, `lower`, `replace`, `split`, `upper`
        a is none: ok
        a is not none: ok
        a is nope: unknown test `nope`; there are `endingwith`, `none`, `startingwith`
        a is not nope: unknown test `nope`; there are `endingwith`, `none`, `startingwith`
        a.is in b: ok
        a.is not in b: ok
        a.b is nope: unknown test `nope`; there are `endingwith`, `none`, `startingwith`
        is: ok
        a is: ok
        isx nope: ok
        a not_is nope: ok
        a * b: `*` is not part of the recipe language
        a[1:2]: slices and maps are not part of the recipe language
        {'a': 1}: slices and maps are not part of the recipe language
        ");
        // Characters, and not bytes.
        assert_eq!(expression(&"é".repeat(EXPRESSION_LIMIT)), Ok(()));
        assert!(expression(&"a".repeat(EXPRESSION_LIMIT + 1)).is_err());
    }
}
