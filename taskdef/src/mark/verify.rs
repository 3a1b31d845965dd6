//! Whether what a recipe wrote stands there still.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cloudformation::intrinsic::{as_if, is_no_value, scalar_text};
use crate::dialect::Dialect;
use crate::digest;
use crate::edit::behind;

use super::label::Node;
use super::record::{GONE, natural_key};

/// Whether what a recipe wrote under a key stands there still, under whatever condition.
pub(super) fn agrees(dialect: Dialect, key: &str, node: &Node, map: &Map<String, Value>) -> bool {
    let mut found = BTreeSet::new();
    changes(dialect, "", key, node, map, &mut found);
    found.is_empty()
}

/// Collects the places where what a recipe wrote does not stand any more.
pub(super) fn changes(
    dialect: Dialect,
    parent: &str,
    key: &str,
    node: &Node,
    map: &Map<String, Value>,
    found: &mut BTreeSet<String>,
) {
    let holder = parent.rsplit('.').next().unwrap_or_default();
    let place = match parent {
        "" => key.to_owned(),
        parent => format!("{parent}.{key}"),
    };
    let current = map.get(dialect.key(holder, key).as_ref());
    let mut differs = |name: Option<&str>| {
        found.insert(match name {
            Some(name) => format!("`{place} {name}`"),
            None => format!("`{place}`"),
        });
    };
    let process = parent.is_empty() && matches!(key, "entryPoint" | "command");
    match node {
        Node::Behind(words) => {
            let mut stands = current.is_some();
            each_branch(dialect, current, &mut |value| {
                stands &= behind(value, words).is_some()
            });
            if !stands {
                differs(None);
            }
        }
        Node::Absent(now) | Node::Was(_, now) | Node::Lost(now) => {
            // What was removed by hand needs no removal, but where it was the process.
            let added = matches!(node, Node::Absent(_)) && !process;
            let mut stands = current.is_some() || added || now == GONE;
            each_branch(dialect, current, &mut |value| {
                let same = || digest::short(&dialect.canonical(key, value)) == *now;
                stands &= now != GONE && (now.is_empty() || same());
            });
            if !stands {
                differs(None);
            }
        }
        // ECS fills in ports.
        Node::List(_) if key == "portMappings" => {}
        Node::List(list) => {
            let natural = natural_key(key).map(|name| dialect.key(key, name));
            each_entry(dialect, current, &mut |entry| {
                let name = match &natural {
                    Some(natural) => entry.get(natural.as_ref()).and_then(scalar_text),
                    None => scalar_text(entry),
                };
                let now = name.as_ref().and_then(|name| list.now.get(name));
                if let (Some(name), Some(now)) = (&name, now)
                    && !now.is_empty()
                    && digest::short(&dialect.canonical(key, entry)) != *now
                {
                    differs(Some(name));
                }
            });
        }
        Node::In(nodes) => each_branch(dialect, current, &mut |value| {
            if let Some(inner) = value.as_object() {
                for (key, node) in nodes {
                    changes(dialect, &place, key, node, inner, found);
                }
            }
        }),
    }
}

/// Visits a value, or the branches of an `Fn::If` that are not `AWS::NoValue`.
pub(super) fn each_branch(dialect: Dialect, value: Option<&Value>, visit: &mut dyn FnMut(&Value)) {
    let Some(value) = value else { return };
    match as_if(value).filter(|_| dialect.has_functions()) {
        Some((_, yes, no)) => {
            each_branch(dialect, Some(yes), visit);
            each_branch(dialect, Some(no), visit);
        }
        None if dialect.has_functions() && is_no_value(value) => {}
        None => visit(value),
    }
}

/// Visits the entries of a list, under whatever condition.
pub(super) fn each_entry(dialect: Dialect, list: Option<&Value>, visit: &mut dyn FnMut(&Value)) {
    each_branch(dialect, list, &mut |list| {
        for item in list.as_array().into_iter().flatten() {
            each_branch(dialect, Some(item), visit);
        }
    });
}
