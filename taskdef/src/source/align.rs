//! Which items of an old list live on in a new one.

use serde_json::{Map, Value};

/// Lists whose middle parts have more pairs than this are compared item by item.
const MAX_PAIRS: usize = 40_000;

/// Pairs of positions in the old and the new list, both rising: items that are equal, or that one can be changed into.
pub(super) fn align(old: &[Value], new: &[Value]) -> Vec<(usize, usize)> {
    let shorter = old.len().min(new.len());
    let prefix = old
        .iter()
        .zip(new)
        .take_while(|(old, new)| old == new)
        .count();
    let suffix = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(|(old, new)| old == new)
        .count();
    let suffix = suffix.min(shorter - prefix);
    let middle = (
        old.get(prefix..old.len() - suffix).unwrap_or_default(),
        new.get(prefix..new.len() - suffix).unwrap_or_default(),
    );
    let mut pairs: Vec<(usize, usize)> = (0..prefix).map(|index| (index, index)).collect();
    pairs.extend(
        align_middle(middle.0, middle.1)
            .into_iter()
            .map(|(old, new)| (old + prefix, new + prefix)),
    );
    pairs.extend((0..suffix).map(|index| (old.len() - suffix + index, new.len() - suffix + index)));
    pairs
}

/// The alignment whose pairs are most similar in total, by dynamic programming.
fn align_middle(old: &[Value], new: &[Value]) -> Vec<(usize, usize)> {
    if old.is_empty() || new.is_empty() {
        return vec![];
    }
    if old.len().saturating_mul(new.len()) > MAX_PAIRS {
        return (0..old.len().min(new.len()))
            .map(|index| (index, index))
            .collect();
    }
    // best[i][j]: the best total from old[i..] and new[j..], and whether it pairs the two first.
    let mut best: Vec<Vec<(usize, bool)>> = vec![vec![(0, false); new.len() + 1]];
    for old in old.iter().rev() {
        let mut row = vec![(0, false)];
        for (new, below) in new.iter().rev().zip(below(&best, new.len())) {
            let right = row.last().map_or(0, |(total, _)| *total);
            let score = similarity(old, new);
            let paired = below.1 + score;
            let skipped = right.max(below.0);
            row.push(if score > 0 && paired >= skipped {
                (paired, true)
            } else {
                (skipped, false)
            });
        }
        best.push(row);
    }
    best.reverse();
    for row in &mut best {
        row.reverse();
    }
    let at = |i: usize, j: usize| {
        best.get(i)
            .and_then(|row| row.get(j))
            .copied()
            .unwrap_or_default()
    };
    let (mut i, mut j, mut pairs) = (0, 0, vec![]);
    while i < old.len() && j < new.len() {
        if at(i, j).1 {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if at(i + 1, j).0 >= at(i, j + 1).0 {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// Of the last row (its columns reversed): the totals below, and below to the right, of each column.
fn below(best: &[Vec<(usize, bool)>], columns: usize) -> Vec<(usize, usize)> {
    let row = best.last().map(Vec::as_slice).unwrap_or_default();
    row.iter()
        .skip(1)
        .zip(row)
        .take(columns)
        .map(|(below, diagonal)| (below.0, diagonal.0))
        .collect()
}

/// How much of an old value a new one keeps; zero if it would be replaced anyway.
fn similarity(old: &Value, new: &Value) -> usize {
    if old == new {
        return 1000;
    }
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => similarity_of_objects(old, new),
        (Value::Array(old), Value::Array(new)) => {
            2 + old
                .iter()
                .zip(new)
                .take(10)
                .filter(|(old, new)| old == new)
                .count()
                * 10
        }
        (Value::Array(_) | Value::Object(_), _) | (_, Value::Array(_) | Value::Object(_)) => 0,
        _ => 1,
    }
}

/// Objects are most of all similar by their name: the first member that both have with the same scalar.
fn similarity_of_objects(old: &Map<String, Value>, new: &Map<String, Value>) -> usize {
    let mut common = old
        .iter()
        .filter_map(|(key, value)| Some((key, value, new.get(key)?)))
        .peekable();
    if common.peek().is_none() {
        return 0;
    }
    let equal = |key: &str, old: &Value, new: &Value| match (old == new, key) {
        (false, _) => 0,
        (true, "Name" | "ContainerName" | "Key" | "SourceContainer" | "ContainerPath") => 400,
        (true, _) => 20,
    };
    2 + common
        .take(20)
        .map(|(key, old, new)| equal(key, old, new))
        .sum::<usize>()
        .min(900)
}
