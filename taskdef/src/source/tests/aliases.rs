use insta::assert_snapshot;
use serde_json::json;

use super::splice::{push, remove, splice};

const ALIASES: &str = "\
A: &web
  Name: web
  Command: &c [a, b]
B: *web
C:
  - *c # a copy
  - &img nginx:1
D: {x: *img, y: *c}
";

#[test]
fn aliases_of_what_changes_are_replaced_by_copies() {
    let spliced = splice(ALIASES, |value| {
        push(&mut value["A"]["Command"], json!("c"))
    })
    .expect(ALIASES);
    assert_eq!(
        spliced.expanded_aliases,
        [
            ("web".to_owned(), 4),
            ("c".to_owned(), 6),
            ("c".to_owned(), 8)
        ]
    );
    assert_snapshot!(spliced.text, @r#"
    A: &web
      Name: web
      Command: &c [a, b, "c"]
    B:
      Name: "web"
      Command: ["a", "b"]
    C:
      - ["a", "b"] # a copy
      - &img nginx:1
    D: {x: *img, y: ["a", "b"]}
    "#);
    let spliced = splice(ALIASES, |value| value["B"]["Name"] = json!("b")).expect(ALIASES);
    assert_eq!(spliced.expanded_aliases, [("web".to_owned(), 4)]);
    assert_snapshot!(spliced.text, @r#"
    A: &web
      Name: web
      Command: &c [a, b]
    B:
      Name: "b"
      Command: ["a", "b"]
    C:
      - *c # a copy
      - &img nginx:1
    D: {x: *img, y: *c}
    "#);
}

#[test]
fn aliases_stay_as_long_as_they_are_right() {
    // Both the anchored value and its copy change in the same way.
    let spliced = splice(ALIASES, |value| {
        for key in ["A", "B"] {
            value[key]["Name"] = json!("both");
        }
    });
    assert_eq!(spliced.expect(ALIASES).expanded_aliases, []);
    // What held the anchor is replaced or goes.
    let spliced = splice(ALIASES, |value| value["C"] = json!("gone")).expect(ALIASES);
    assert_eq!(spliced.expanded_aliases, [("img".to_owned(), 8)]);
    let spliced = splice(ALIASES, |value| remove(value, "A")).expect(ALIASES);
    assert_snapshot!(spliced.text, @r#"
    B:
      Name: "web"
      Command: ["a", "b"]
    C:
      - ["a", "b"] # a copy
      - &img nginx:1
    D: {x: *img, y: ["a", "b"]}
    "#);
}

#[test]
fn an_alias_may_be_a_key() {
    let source = "&k a: &v x\n*v : 1\nb: *k\n";
    let spliced = splice(source, |value| value["a"] = json!("y")).expect(source);
    assert_snapshot!(spliced.text, @r#"
    &k a: "y"
    x : 1
    b: *k
    "#);
    assert_eq!(spliced.expanded_aliases, [("v".to_owned(), 2)]);
    let spliced = splice(source, |value| remove(value, "a")).expect(source);
    assert_snapshot!(spliced.text, @r#"
    x : 1
    b: "a"
    "#);
}
