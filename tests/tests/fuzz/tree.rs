//! Changes of a document's tree.

use serde_json::{Map, Value, json};

use crate::change::AWKWARD;
use crate::random::Random;

/// Changes one value, or what stands in it.
pub(crate) fn change(random: &mut Random, value: &mut Value, other: &Value, words: &[&str]) {
    let from = if random.one_in(2) { other } else { &*value };
    let mut at = random.below(count(from));
    let foreign = node(from, &mut at).cloned().unwrap_or_default();
    let mut at = random.below(count(value));
    let Some(chosen) = node_mut(value, &mut at) else {
        return;
    };
    match random.below(10) {
        0 => *chosen = foreign,
        1 => *chosen = scalar(random, words),
        2 => *chosen = wrapped(random, chosen.take(), foreign),
        3 => take_out(random, chosen),
        4 => put_in(random, chosen, foreign, words),
        5 => reorder(random, chosen),
        6 => rename(random, chosen, words),
        _ => edit(random, chosen, words),
    }
}

/// Values in a tree, itself included.
fn count(value: &Value) -> usize {
    let below: usize = match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    };
    1 + below
}

/// The value of this number, counted from the root downwards.
fn node<'v>(value: &'v Value, at: &mut usize) -> Option<&'v Value> {
    if *at == 0 {
        return Some(value);
    }
    *at -= 1;
    match value {
        Value::Array(items) => items.iter().find_map(|item| node(item, at)),
        Value::Object(map) => map.values().find_map(|item| node(item, at)),
        _ => None,
    }
}

fn node_mut<'v>(value: &'v mut Value, at: &mut usize) -> Option<&'v mut Value> {
    if *at == 0 {
        return Some(value);
    }
    *at -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| node_mut(item, at)),
        Value::Object(map) => map.values_mut().find_map(|item| node_mut(item, at)),
        _ => None,
    }
}

fn text(random: &mut Random, words: &[&str]) -> String {
    match random.below(4) {
        0 => (*random.pick(AWKWARD)).to_owned(),
        1 if !words.is_empty() => {
            format!("{}{}", random.pick(words), random.pick(AWKWARD))
        }
        2 => "x".repeat(*random.pick(&[0, 1, 127, 255, 256, 1_025, 5_000])),
        _ if !words.is_empty() => (*random.pick(words)).to_owned(),
        _ => String::new(),
    }
}

fn scalar(random: &mut Random, words: &[&str]) -> Value {
    const VALUES: &[&str] = &[
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1",
        "1",
        "256",
        "1e3",
        "1E400",
        "1.0",
        "1.50",
        "9007199254740993",
        "123456789012345678901234567890",
        "[]",
        "{}",
        "[null]",
        "[[]]",
        "[{}]",
        "\"\"",
    ];
    match random.one_in(2) {
        true => Value::String(text(random, words)),
        false => serde_json::from_str::<Value>(random.pick::<&str>(VALUES)).unwrap_or_default(),
    }
}

/// The value inside a function, a list or an object.
fn wrapped(random: &mut Random, value: Value, foreign: Value) -> Value {
    match random.below(14) {
        0 => json!([value]),
        1 => json!([value, foreign]),
        2 => json!({"a": value}),
        3 => json!({"Fn::If": ["C", value, foreign]}),
        4 => json!({"Fn::If": ["C", value, {"Ref": "AWS::NoValue"}]}),
        5 => json!({"Fn::Sub": value}),
        6 => json!({"Fn::Join": [",", [value, foreign]]}),
        7 => json!({"Fn::Split": [",", value]}),
        8 => json!({"Fn::Select": [0, [value, foreign]]}),
        9 => json!({"Ref": value}),
        10 => json!({"Fn::FindInMap": ["M", value, foreign]}),
        11 => json!({"Fn::ForEach::L": ["X", [foreign, "b"], value]}),
        12 => Value::String(value.to_string()),
        _ => (0..*random.pick(&[5, 50, 100])).fold(value, |value, _| json!([value])),
    }
}

fn take_out(random: &mut Random, value: &mut Value) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            items.remove(random.below(items.len()));
        }
        Value::Object(map) => {
            if let Some(key) = key(random, map) {
                map.shift_remove(&key);
            }
        }
        other => *other = Value::Null,
    }
}

fn put_in(random: &mut Random, value: &mut Value, foreign: Value, words: &[&str]) {
    match value {
        Value::Array(items) => {
            let again = match items.is_empty() {
                false if random.one_in(2) => items[random.below(items.len())].clone(),
                _ => foreign,
            };
            items.insert(random.below(items.len() + 1), again);
        }
        Value::Object(map) => {
            let (key, value) = match key(random, map).filter(|_| random.one_in(2)) {
                Some(key) => (format!("{key}2"), map[&key].clone()),
                None => (text(random, words), foreign),
            };
            map.insert(key, value);
        }
        other => *other = json!([other.take(), foreign]),
    }
}

fn reorder(random: &mut Random, value: &mut Value) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            let (one, two) = (random.below(items.len()), random.below(items.len()));
            items.swap(one, two);
        }
        Value::Object(map) => {
            let pair = (key(random, map), key(random, map));
            if let (Some(one), Some(two)) = pair {
                let first = map[&one].clone();
                let second = std::mem::replace(&mut map[&two], first);
                map[&one] = second;
            }
        }
        _ => {}
    }
}

fn rename(random: &mut Random, value: &mut Value, words: &[&str]) {
    let Value::Object(map) = value else {
        return edit(random, value, words);
    };
    let Some(old) = key(random, map) else {
        return;
    };
    let new = match random.below(4) {
        0 => flip(&old),
        1 => format!("{old}{}", random.pick(AWKWARD)),
        _ => text(random, words),
    };
    let renamed: Map<String, Value> = std::mem::take(map)
        .into_iter()
        .map(|(key, value)| (if key == old { new.clone() } else { key }, value))
        .collect();
    *map = renamed;
}

/// With the first letter in the other case.
fn flip(name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        Some(first) if first.is_ascii_uppercase() => {
            format!("{}{}", first.to_ascii_lowercase(), letters.as_str())
        }
        Some(first) => format!("{}{}", first.to_ascii_uppercase(), letters.as_str()),
        None => String::new(),
    }
}

fn edit(random: &mut Random, value: &mut Value, words: &[&str]) {
    match value {
        Value::String(content) => {
            let at = content
                .char_indices()
                .map(|(at, _)| at)
                .nth(random.below(content.chars().count()))
                .unwrap_or(0);
            match random.below(5) {
                0 => content.truncate(at),
                1 => *content = format!("{content}{content}"),
                2 => *content = flip(content),
                _ => {
                    let new = text(random, words);
                    content.insert_str(at, &new);
                }
            }
        }
        Value::Number(number) => {
            let text = format!("\"{number}\"");
            *value = match random.one_in(2) {
                true => serde_json::from_str(&text).unwrap_or_default(),
                false => scalar(random, words),
            };
        }
        Value::Bool(flag) => *flag = !*flag,
        _ => take_out(random, value),
    }
}

fn key(random: &mut Random, map: &Map<String, Value>) -> Option<String> {
    let at = random.below(map.len());
    map.keys().nth(at).cloned()
}
