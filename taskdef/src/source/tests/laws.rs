//! Laws of splicing, on random documents in many styles.

use proptest::prelude::*;
use serde_json::Value;

use super::super::{Change, Format, New, Source, Step};
use super::emit;
use super::random::{Dice, changes, document, mutate, paths};

/// The law: the spliced text holds the new value, and a text without changes stays as it is.
pub(super) fn check(dice: &mut Dice, text: &str) {
    let source = Source::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let old = source.value().clone();
    let same = source.splice(vec![]).expect("no change");
    assert_eq!(same.text, text);
    let source = Source::parse(text).expect("parsed before");
    let unchanged = Change {
        path: vec![],
        new: New::Value(old.clone()),
    };
    assert_eq!(
        source.splice(vec![unchanged]).expect("no change").text,
        text
    );

    let source = Source::parse(text).expect("parsed before");
    let (changes, new) = changes(dice, &old);
    match source.splice(changes.clone()) {
        Ok(spliced) => {
            let read = Source::parse(&spliced.text).expect("checked by splice");
            assert_eq!(read.value(), &new, "{text}\n-----\n{}", spliced.text);
        }
        Err(error) => panic!("{error}\n{text}\n{changes:#?}\n{new:#}"),
    }
}

const TOKENS: [&str; 58] = [
    "a",
    "b",
    "c: ",
    "- ",
    "\n",
    "\n  ",
    "\n ",
    "\n    ",
    ": ",
    ":",
    "[",
    "]",
    "{",
    "}",
    ", ",
    ",",
    "# x",
    " # y\n",
    "&a ",
    "&b ",
    "*a",
    "*b",
    "*a : ",
    "!Ref ",
    "!GetAtt ",
    "!If ",
    "!!str ",
    "! ",
    "? ",
    "|\n",
    "|+\n",
    ">-\n",
    "\"x\"",
    "'y'",
    "\"",
    "'",
    "\r",
    "\r\n",
    "\t",
    "~",
    "null",
    "1",
    "<<: ",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "\u{feff}",
    "\u{85}",
    "\0",
    "@",
    "`",
    "=",
    "-",
    "\n-",
    "\n- ",
    "k: v\n",
    "!",
    "\\",
];

/// A text is no document, or its changes are refused, or they are right; it is never a panic.
fn refused_or_right(dice: &mut Dice, text: &str) {
    let Ok(source) = Source::parse(text) else {
        return;
    };
    let old = source.value().clone();
    let mut all = vec![];
    paths(&old, &mut vec![], &mut all);
    for path in &all {
        assert!(source.position(path).is_some());
    }
    let unchanged = Change {
        path: vec![],
        new: New::Value(old.clone()),
    };
    assert_eq!(
        source.splice(vec![unchanged]).expect("no change").text,
        text
    );
    let source = Source::parse(text).expect("parsed before");
    let (changes, new) = changes(dice, &old);
    if let Ok(spliced) = source.splice(changes) {
        assert_eq!(
            Source::parse(&spliced.text)
                .expect("checked by splice")
                .value(),
            &new,
            "{text:?}"
        );
    }
}

/// Where a resource stands, up to the end of its last line.
fn range_of_resource(source: &Source<'_>, path: &[Step]) -> Option<(usize, usize)> {
    let start = source.tree.locate(source.text, source.value(), path)?;
    // A mapping starts where its first key starts; the key is the later node.
    let nodes = (0..).take(source.tree.nodes.len());
    let key = nodes
        .filter(|id| source.tree.full_start(*id) == start)
        .last()?;
    let end = source.tree.end(source.tree.next(key));
    Some((start, source.text.line_end(end)))
}

/// The law: outside of the resource that changes, every byte stays.
pub(super) fn check_outside(dice: &mut Dice, text: &str) {
    let source = Source::parse(text).expect("parsed before");
    let Some(Value::Object(resources)) = source.value().get("Resources") else {
        return;
    };
    let Some(name) = resources.keys().nth(dice.below(resources.len())) else {
        return;
    };
    let path = vec![Step::Key("Resources".to_owned()), Step::Key(name.clone())];
    let mut value = resources[name].clone();
    mutate(dice, &mut value);
    let (start, end) = range_of_resource(&source, &path).expect("a resource");
    let mark = if source.has_mark { 3 } else { 0 };
    let spliced = source
        .splice(vec![Change {
            path,
            new: New::Value(value),
        }])
        .expect("checked before");
    if spliced.expanded_aliases.is_empty() {
        assert!(
            text.get(..start + mark)
                .is_some_and(|before| spliced.text.starts_with(before)),
            "{text}\n-----\n{}",
            spliced.text
        );
        assert!(
            text.get(end + mark..)
                .is_some_and(|after| spliced.text.ends_with(after)),
            "{text}\n-----\n{}",
            spliced.text
        );
    }
}

fn emit_json(dice: &mut Dice, value: &Value) -> String {
    use serde::Serialize;
    let text = match dice.below(5) {
        0 => return value.to_string(),
        choice => {
            let indent: &[u8] = match choice {
                1 => b"\t",
                2 => b" ",
                3 => b"  ",
                _ => b"    ",
            };
            let mut out = vec![];
            let formatter = serde_json::ser::PrettyFormatter::with_indent(indent);
            let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
            value.serialize(&mut serializer).expect("a value");
            String::from_utf8(out).expect("UTF-8")
        }
    };
    match dice.below(4) {
        0 => text.replace('\n', "\r\n"),
        1 => format!("\u{feff}{text}\n"),
        _ => text + "\n",
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn splicing_json_gives_the_new_value(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let value = document(&mut dice);
        let text = emit_json(&mut dice, &value);
        let source = Source::parse(&text).expect("JSON");
        prop_assert_eq!(source.format(), Format::Json);
        prop_assert_eq!(source.value(), &value);
        check(&mut dice, &text);
        check_outside(&mut dice, &text);
    }

    #[test]
    fn splicing_yaml_gives_the_new_value(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let value = document(&mut dice);
        let text = emit::yaml(&mut dice, &value);
        let source = Source::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        prop_assert_eq!(source.value(), &value, "{}", text);
        check(&mut dice, &text);
        check_outside(&mut dice, &text);
    }

    #[test]
    fn any_text_is_refused_or_right(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let text: String = (0..1 + dice.below(30)).map(|_| dice.pick(&TOKENS)).collect();
        refused_or_right(&mut dice, &text);
    }

    #[test]
    fn a_damaged_document_is_refused_or_right(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let value = document(&mut dice);
        let text = if dice.below(4) == 0 { emit_json(&mut dice, &value) } else { emit::yaml(&mut dice, &value) };
        let mut characters: Vec<char> = text.chars().collect();
        for _ in 0..1 + dice.below(3) {
            let at = dice.below(characters.len());
            match dice.below(4) {
                0 => characters.truncate(at.max(1)),
                1 => drop(characters.remove(at)),
                2 => {
                    let token = dice.pick(&TOKENS).chars();
                    drop(characters.splice(at..at, token));
                }
                _ => {
                    let other = dice.below(characters.len());
                    characters.swap(at, other);
                }
            }
            if characters.is_empty() {
                break;
            }
        }
        refused_or_right(&mut dice, &characters.into_iter().collect::<String>());
    }
}
