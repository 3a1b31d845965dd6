//! `docs/registries.md` explains every code with which a lookup can fail, and no other.

#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;

/// Files that give codes, and what stands before one.
const SOURCES: [(&str, &str); 7] = [
    ("../registry/src/remote/auth.rs", "code: \""),
    ("../registry/src/remote/error.rs", "=> \""),
    ("../registry/src/credentials/aws/error.rs", "=> \""),
    ("../registry/src/credentials/docker/error.rs", "=> \""),
    ("../registry/src/credentials/policy.rs", "code: \""),
    ("../registry/src/lock.rs", "code: \""),
    ("../registry/src/locked/tags.rs", " ("),
];

fn is_code(text: &str) -> bool {
    text.contains('-')
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[test]
fn every_code_is_explained() {
    let mut codes = BTreeSet::new();
    for (file, before) in SOURCES {
        let text = fs::read_to_string(file).unwrap();
        // Two arms may share a code, and rustfmt may put it on a line of its own.
        let text = text.replace("=> {\n", "=> ").replace("_ => \"", "=> \"");
        let found: Vec<String> = text
            .split(before)
            .skip(1)
            .filter_map(|rest| rest.split(['"', ')']).next())
            .filter(|code| is_code(code))
            .map(str::to_owned)
            .collect();
        assert!(!found.is_empty(), "{file} has no codes");
        codes.extend(found);
    }
    let document = fs::read_to_string("../docs/registries.md").unwrap();
    let rows: Vec<&str> = document
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|code| is_code(code) && !code.starts_with("--"))
        .collect();
    let listed: BTreeSet<String> = rows.iter().map(|code| (*code).to_owned()).collect();
    assert_eq!(listed, codes);
    assert!(rows.is_sorted(), "the codes are not in order");
}
