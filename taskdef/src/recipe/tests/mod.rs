//! Rules of the recipe format, and the vendors' documented patterns.

mod explore;

use super::*;
use serde_json::json;

/// A recipe that comes with the program.
fn vendor(name: &str) -> Recipe {
    let (_, text) = builtin().iter().find(|(known, _)| *known == name).unwrap();
    Recipe::parse(&format!("templates/{name}.yaml"), text).unwrap()
}
