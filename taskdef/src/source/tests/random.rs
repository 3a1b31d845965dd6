//! Random values and changes.

use serde_json::{Map, Value, json};

use super::super::{Change, New, Path, Step};

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

    pub(super) fn pick<'a>(&mut self, texts: &[&'a str]) -> &'a str {
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

fn value(dice: &mut Dice, depth: usize) -> Value {
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

pub(super) fn document(dice: &mut Dice) -> Value {
    let mut resources = Map::new();
    for index in 0..1 + dice.below(4) {
        let depth = 1 + dice.below(4);
        resources.insert(format!("R{index}"), object(dice, depth));
    }
    json!({"Version": "2010-09-09", "Resources": resources, "Outputs": {"O": {"Value": "x"}}})
}

pub(super) fn paths(value: &Value, at: &mut Path, out: &mut Vec<Path>) {
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
pub(super) fn mutate(dice: &mut Dice, root: &mut Value) {
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
pub(super) fn changes(dice: &mut Dice, old: &Value) -> (Vec<Change>, Value) {
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
        let members = at(&mut old.clone(), &path).as_object().and_then(|old| {
            let new = place.as_object()?;
            old.keys().all(|key| new.contains_key(key)).then(|| {
                let changed = new
                    .iter()
                    .filter(|(key, value)| old.get(*key) != Some(*value));
                changed
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect()
            })
        });
        let new = match members {
            Some(members) if dice.below(2) == 0 => New::Members(members),
            _ => New::Value(place.clone()),
        };
        changes.push(Change { path, new });
    }
    (changes, new)
}
