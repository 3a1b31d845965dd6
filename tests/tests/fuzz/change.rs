//! Makes an input out of another one: by its tree where it is a document, by its words, its lines,
//! or its bytes.

use outrigger_tests::document;
use outrigger_tests::yaml::{self, Style};
use serde_json::Value;

use crate::random::Random;
use crate::tree;

/// No input is longer, so that a run tries many.
pub(crate) const LENGTH_MAX: usize = 128 << 10;

/// Texts that readers of JSON, YAML and names have stumbled over somewhere.
pub(crate) const AWKWARD: &[&str] = &[
    "null",
    "~",
    "true",
    "yes",
    "0",
    "-0",
    "-1",
    "007",
    "0x1F",
    "1e3",
    "1E400",
    "1.0",
    "9007199254740993",
    "18446744073709551616",
    "1e-400",
    "123456789012345678901234567890",
    ".nan",
    "\"\"",
    "''",
    "\"",
    "'",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\udfff",
    "\u{0}",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{fffe}",
    "\u{200b}",
    "\u{202e}",
    "é",
    "e\u{301}",
    "\u{1f600}",
    "\t",
    "\r",
    "\r\n",
    "\n",
    " ",
    "\n\n",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "%TAG ! tag:x,2000:\n",
    "# c\n",
    "#",
    ":",
    ": ",
    ",",
    "-",
    "- ",
    "? ",
    "[",
    "]",
    "{",
    "}",
    "[]",
    "{}",
    "|",
    "|2-\n",
    ">+\n",
    "&a ",
    "*a",
    "<<: ",
    "!!binary ",
    "!!set ",
    "!Ref ",
    "!Sub ",
    "!If ",
    "!GetAtt a.b",
    "!Join ",
    "!Select ",
    "!Base64 ",
    "! ",
    "!<tag> ",
    "${",
    "${}",
    "${!a}",
    "${AWS::Region}",
    "{{resolve:ssm:a}}",
    "{{",
    "}}",
    "{%",
    "@",
    "`",
    "$",
    "<",
    "=",
    "/",
    "..",
    "&",
    "%41",
    "\u{1b}[31m",
];

/// Another input: most often a small change, now and then several.
pub(crate) fn changed(random: &mut Random, input: &[u8], other: &[u8], words: &[&str]) -> Vec<u8> {
    let mut changed = input.to_vec();
    let times = 1 + [0, 0, 1, 3, 8][random.below(5)];
    for _ in 0..times {
        changed = match random.below(8) {
            0..=3 => by_tree(random, &changed, other, words).unwrap_or(changed),
            4 => by_lines(random, &changed),
            5 | 6 => by_words(random, &changed, words),
            _ => by_bytes(random, changed, other),
        };
        if changed.len() > LENGTH_MAX {
            changed.truncate(random.below(LENGTH_MAX));
        }
    }
    changed
}

/// `None` where there is no tree.
fn by_tree(random: &mut Random, input: &[u8], other: &[u8], words: &[&str]) -> Option<Vec<u8>> {
    let is_json = serde_json::from_slice::<Value>(input).is_ok();
    let mut value = document::parse(input).ok()?;
    let other = document::parse(other).unwrap_or_default();
    for _ in 0..=random.below(3) {
        tree::change(random, &mut value, &other, words);
    }
    let text = match (is_json, random.below(8)) {
        (true, 0) | (false, 1..) => yaml::write(&value, &style(random)),
        (_, 1 | 2) => value.to_string(),
        _ => format!("{value:#}\n"),
    };
    Some(text.into_bytes())
}

fn style(random: &mut Random) -> Style {
    Style {
        indented: random.one_in(2),
        short_forms: random.one_in(2),
        flow: random.one_in(2),
        step: 1 + random.below(4),
        crlf: random.one_in(8),
        comments: random.one_in(4),
    }
}

fn by_lines(random: &mut Random, input: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = input
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    let part = random.part(lines.len());
    let to = random.below(lines.len());
    match random.below(6) {
        0 => drop(lines.drain(part)),
        1 => {
            let copied = lines[part].to_vec();
            lines.splice(to..to, copied);
        }
        2 => {
            let moved: Vec<_> = lines.drain(part).collect();
            let to = to.min(lines.len());
            lines.splice(to..to, moved);
        }
        3 => lines[part].iter_mut().for_each(|line| line.insert(0, b' ')),
        4 => lines[part].iter_mut().for_each(|line| {
            if line.first() == Some(&b' ') {
                line.remove(0);
            }
        }),
        _ => lines[part].iter_mut().for_each(|line| {
            line.splice(0..0, b"# ".iter().copied());
        }),
    }
    lines.concat()
}

/// Where words begin: runs of letters and digits, runs of blanks, and each other byte by itself.
fn words_of(input: &[u8]) -> Vec<&[u8]> {
    let kind = |byte: u8| match byte {
        b' ' | b'\n' | b'\t' => 1,
        byte if byte.is_ascii_alphanumeric() || byte >= 0x80 => 2,
        _ => 3,
    };
    input
        .chunk_by(|a, b| kind(*a) == kind(*b) && kind(*a) != 3)
        .collect()
}

fn by_words(random: &mut Random, input: &[u8], words: &[&str]) -> Vec<u8> {
    let mut found = words_of(input);
    if found.is_empty() {
        return random.pick(AWKWARD).as_bytes().to_vec();
    }
    let (one, two) = (random.below(found.len()), random.below(found.len()));
    let new = match random.one_in(2) {
        true if !words.is_empty() => *random.pick(words),
        _ => *random.pick(AWKWARD),
    };
    match random.below(7) {
        0 => found.swap(one, two),
        1 => drop(found.remove(one)),
        2 => found.insert(one, found[two]),
        3 => found[one] = found[two],
        4 => found[one] = new.as_bytes(),
        5 => found.insert(one, new.as_bytes()),
        _ => return nested(random, &found, one),
    }
    found.concat()
}

/// A word inside many brackets.
fn nested(random: &mut Random, words: &[&[u8]], at: usize) -> Vec<u8> {
    let (open, close) = *random.pick(&[
        ("[", "]"),
        ("{\"a\":", "}"),
        ("{a: ", "}"),
        ("- ", ""),
        ("{\"Fn::Base64\":", "}"),
        ("!Base64 ", ""),
        ("(", ")"),
    ]);
    let times = *random.pick(&[1, 2, 30, 126, 127, 128, 129, 1_000, 10_000]);
    let (before, after) = words.split_at(at);
    let (open, close) = (open.repeat(times), close.repeat(times));
    let (word, after) = after.split_at(1);
    [
        before.concat(),
        open.into_bytes(),
        word.concat(),
        close.into_bytes(),
        after.concat(),
    ]
    .concat()
}

fn by_bytes(random: &mut Random, mut input: Vec<u8>, other: &[u8]) -> Vec<u8> {
    let part = random.part(input.len());
    let at = random.below(input.len() + 1).min(input.len());
    match random.below(7) {
        0 => drop(input.drain(part)),
        1 => {
            let copied = input[part].to_vec();
            input.splice(at..at, copied);
        }
        2 => {
            let from = random.part(other.len());
            input.splice(part, other[from].iter().copied());
        }
        3 => {
            let from = random.part(other.len());
            input.splice(at..at, other[from].iter().copied());
        }
        4 => input.truncate(at),
        5 => input.insert(at, random.next() as u8),
        _ => {
            let bit = 1 << random.below(8);
            if let Some(byte) = input.get_mut(at) {
                *byte ^= bit;
            }
        }
    }
    input
}
