//! Laws of splicing, on random documents in many styles.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::emit;
use super::{Change, Format, Path, Source, Step};

/// A small random number generator: a document, its style and its changes follow from one number.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn pick<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len())]
    }
}

const KEYS: [&str; 14] = [
    "Name",
    "Image",
    "Command",
    "Environment",
    "Value",
    "yes",
    "22:22",
    "a b",
    "Ü",
    "1",
    "null",
    "x-y_z",
    "#no",
    "a: b",
];
const TEXTS: [&str; 24] = [
    "",
    "nginx",
    "yes",
    "012345678901",
    "2012-10-17",
    "22:22",
    "null",
    "~",
    "a: b",
    "# no",
    "two\nlines\n",
    "two\nlines",
    "\"q\" 'q'",
    "\\",
    "*",
    "&a",
    "Ünï \u{1f600}",
    "- x",
    "trailing \n\n\n",
    "\u{85}\u{2028}\u{feff}\u{7f}",
    "1e3",
    ".5",
    "a.b",
    "${AWS::Region}",
];

fn scalar(dice: &mut Dice) -> Value {
    match dice.below(12) {
        0 => json!(true),
        1 => json!(false),
        2 => Value::Null,
        3 => json!(dice.below(3)),
        4 => json!(-0.5),
        _ => json!(dice.pick(&TEXTS)),
    }
}

fn function(dice: &mut Dice, depth: usize) -> Value {
    match dice.below(7) {
        0 => json!({"Ref": dice.pick(&["AWS::Region", "Param", "a b"])}),
        1 => json!({"Fn::Sub": dice.pick(&TEXTS)}),
        2 => json!({"Fn::GetAtt": ["Role", dice.pick(&["Arn", "a.b"])]}),
        3 => json!({"Fn::GetAtt": "Role.Arn"}),
        4 => json!({"Fn::If": ["C", value(dice, depth), {"Ref": "AWS::NoValue"}]}),
        5 => json!({"Fn::Base64": value(dice, depth)}),
        _ => json!({"Fn::Join": ["", [scalar(dice), {"Ref": "x"}]]}),
    }
}

pub(super) fn value(dice: &mut Dice, depth: usize) -> Value {
    if depth == 0 {
        return scalar(dice);
    }
    match dice.below(8) {
        0 | 1 => scalar(dice),
        2 => function(dice, depth - 1),
        3 | 4 => (0..dice.below(4)).map(|_| value(dice, depth - 1)).collect(),
        _ => object(dice, depth - 1),
    }
}

fn object(dice: &mut Dice, depth: usize) -> Value {
    let members = 1 + dice.below(4);
    Value::Object(
        (0..members)
            .map(|_| (dice.pick(&KEYS).to_owned(), value(dice, depth)))
            .collect(),
    )
}

fn document(dice: &mut Dice) -> Value {
    let mut resources = Map::new();
    for index in 0..1 + dice.below(4) {
        let depth = 1 + dice.below(4);
        resources.insert(format!("R{index}"), object(dice, depth));
    }
    json!({"Version": "2010-09-09", "Resources": resources, "Outputs": {"O": {"Value": "x"}}})
}

fn paths(value: &Value, at: &mut Path, out: &mut Vec<Path>) {
    out.push(at.clone());
    let steps: Vec<(Step, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (Step::Key(key.clone()), value))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(index, value)| (Step::Index(index), value))
            .collect(),
        _ => vec![],
    };
    for (step, value) in steps {
        at.push(step);
        paths(value, at, out);
        at.pop();
    }
}

fn at<'v>(value: &'v mut Value, path: &[Step]) -> &'v mut Value {
    path.iter().fold(value, |value, step| match step {
        Step::Key(key) => &mut value[key],
        Step::Index(index) => &mut value[index],
    })
}

/// Changes a value somewhere inside of it.
fn mutate(dice: &mut Dice, root: &mut Value) {
    let mut all = vec![];
    paths(root, &mut vec![], &mut all);
    let path = all.swap_remove(dice.below(all.len()));
    let place = at(root, &path);
    let fresh = value(dice, 2);
    match (place, dice.below(6)) {
        (Value::Object(map), 0 | 1) => {
            map.insert(
                dice.pick(&["New", "Secrets", "Name", "Image", "no"])
                    .to_owned(),
                fresh,
            );
        }
        (Value::Object(map), 2) if !map.is_empty() => {
            let key = map
                .keys()
                .nth(dice.below(map.len()))
                .cloned()
                .unwrap_or_default();
            map.shift_remove(&key);
        }
        (Value::Array(list), 0 | 1) => list.insert(dice.below(list.len() + 1), fresh),
        (Value::Array(list), 2) if !list.is_empty() => {
            list.remove(dice.below(list.len()));
        }
        (place, 3) => *place = json!({"Fn::If": ["C", place.take(), {"Ref": "AWS::NoValue"}]}),
        (place, 4) if !path.is_empty() => *place = fresh,
        (place, _) if !path.is_empty() => *place = scalar(dice),
        _ => {}
    }
}

/// A few changes at places that are not inside of one another, and the whole new value.
fn changes(dice: &mut Dice, old: &Value) -> (Vec<Change>, Value) {
    let (mut new, mut changes): (Value, Vec<Change>) = (old.clone(), vec![]);
    for _ in 0..1 + dice.below(4) {
        let mut all = vec![];
        paths(old, &mut vec![], &mut all);
        let path = all.swap_remove(dice.below(all.len()));
        if changes
            .iter()
            .any(|other| other.path.starts_with(&path) || path.starts_with(&other.path))
        {
            continue;
        }
        let place = at(&mut new, &path);
        for _ in 0..1 + dice.below(3) {
            mutate(dice, place);
        }
        changes.push(Change {
            path,
            value: place.clone(),
        });
    }
    (changes, new)
}

/// The law: the spliced text holds the new value, and a text without changes stays as it is.
pub(super) fn check(dice: &mut Dice, text: &str) {
    let source = Source::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let old = source.value().clone();
    let same = source.splice(vec![]).expect("no change");
    assert_eq!(same.text, text);
    let source = Source::parse(text).expect("parsed before");
    let unchanged = Change {
        path: vec![],
        value: old.clone(),
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
        value: old.clone(),
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
        .splice(vec![Change { path, value }])
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
