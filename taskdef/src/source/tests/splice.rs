use insta::assert_snapshot;
use serde_json::{Value, json};

use super::super::{Change, New, Source, SourceError, Spliced, Step};

pub(super) fn splice(text: &str, edit: impl FnOnce(&mut Value)) -> Result<Spliced, SourceError> {
    let source = Source::parse(text).expect(text);
    let mut value = source.value().clone();
    edit(&mut value);
    source.splice(vec![Change {
        path: vec![],
        new: New::Value(value),
    }])
}

/// The new text, with visible carriage returns.
pub(super) fn text(text: &str, edit: impl FnOnce(&mut Value)) -> String {
    splice(text, edit).expect(text).text.replace('\r', "␍")
}

pub(super) fn push(list: &mut Value, item: Value) {
    list.as_array_mut().expect("a list").push(item);
}

pub(super) fn insert(list: &mut Value, at: usize, item: Value) {
    list.as_array_mut().expect("a list").insert(at, item);
}

pub(super) fn remove(map: &mut Value, key: &str) {
    map.as_object_mut().expect("an object").shift_remove(key);
}

const TASK: &str = r#"# A service.
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition   # the task
    Properties:
      Family: 'web'
      Cpu: 256 # small
      ContainerDefinitions:
        # The web server.
        - Name: web
          Image: !Sub '${AWS::AccountId}.dkr.ecr/web:1'
          Command: [nginx, -g, 'daemon off;']
          # Variables.
          Environment:
            - Name: A
              Value: 012 # octal?
            # The last one.
            - {Name: B, Value: !Ref B}
        # The other one.
        - Name: other
          Image: x

  # Afterwards.
  Service:
    Type: AWS::ECS::Service
"#;

#[test]
fn a_task_definition_is_changed_where_it_changes() {
    let new = text(TASK, |value| {
        let properties = &mut value["Resources"]["Task"]["Properties"];
        properties["Cpu"] = json!("512");
        properties["PidMode"] = json!("task");
        let containers = &mut properties["ContainerDefinitions"];
        insert(&mut containers[0]["Command"], 0, json!("/wrap"));
        containers[0]["EntryPoint"] = json!(["/wrap", "sh"]);
        containers[0]["VolumesFrom"] = json!([{"SourceContainer": "agent", "ReadOnly": true}]);
        push(
            &mut containers[0]["Environment"],
            json!({"Name": "C", "Value": {"Ref": "AWS::Region"}}),
        );
        containers[1]["Image"] =
            json!({"Fn::If": ["C", containers[1]["Image"].take(), {"Ref": "AWS::NoValue"}]});
        push(
            containers,
            json!({"Name": "agent", "Image": {"Fn::Sub": "${X}\n"}, "Essential": false}),
        );
    });
    assert_snapshot!(new, @r#"
    # A service.
    Resources:
      Task:
        Type: AWS::ECS::TaskDefinition   # the task
        Properties:
          Family: 'web'
          Cpu: "512" # small
          ContainerDefinitions:
            # The web server.
            - Name: web
              Image: !Sub '${AWS::AccountId}.dkr.ecr/web:1'
              Command: ["/wrap", nginx, -g, 'daemon off;']
              # Variables.
              Environment:
                - Name: A
                  Value: 012 # octal?
                # The last one.
                - {Name: B, Value: !Ref B}
                - Name: "C"
                  Value: !Ref AWS::Region
              EntryPoint: ["/wrap", "sh"]
              VolumesFrom:
                - SourceContainer: "agent"
                  ReadOnly: true
            # The other one.
            - Name: other
              Image: !If ["C", "x", !Ref AWS::NoValue]
            - Name: "agent"
              Image: !Sub "${X}\n"
              Essential: false
          PidMode: "task"

      # Afterwards.
      Service:
        Type: AWS::ECS::Service
    "#);
}

#[test]
fn members_and_items_are_removed_with_their_lines() {
    let new = text(TASK, |value| {
        let task = &mut value["Resources"]["Task"];
        remove(task, "Type");
        let properties = &mut task["Properties"];
        remove(properties, "Cpu");
        remove(&mut properties["ContainerDefinitions"][0], "Name");
        remove(
            &mut properties["ContainerDefinitions"][0]["Environment"][1],
            "Name",
        );
        properties["ContainerDefinitions"][0]["Command"]
            .as_array_mut()
            .expect("a list")
            .pop();
        properties["ContainerDefinitions"][0]["Environment"]
            .as_array_mut()
            .expect("a list")
            .remove(0);
        properties["ContainerDefinitions"]
            .as_array_mut()
            .expect("a list")
            .pop();
    });
    assert_snapshot!(new, @"
    # A service.
    Resources:
      Task:
        Properties:
          Family: 'web'
          ContainerDefinitions:
            # The web server.
            - Image: !Sub '${AWS::AccountId}.dkr.ecr/web:1'
              Command: [nginx, -g]
              # Variables.
              Environment:
                # The last one.
                - {Value: !Ref B}
            # The other one.

      # Afterwards.
      Service:
        Type: AWS::ECS::Service
    ");
}

#[test]
fn comments_and_line_ends_stay() {
    let source = "A: # to be an object\n  - x # last\n# after\nB: | # text\n  one\n\n# after B\nC: [a, # first\n  b # second\n  ] # end\nD: x # d";
    assert_snapshot!(text(source, |value| {
        value["A"] = json!({"y": 1});
        value["B"] = json!("one line");
        push(&mut value["C"], json!("c"));
        value["D"] = json!({"z": [1]});
        value["E"] = json!(1);
    }), @r#"
    A: # to be an object
      "y": 1 # last
    # after
    B: "one line" # text

    # after B
    C: [a, # first
      b, # second
      "c"
      ] # end
    D: # d
      z:
        - 1
    E: 1
    "#);
    let source = "A: |+ # keep\n  x\n\nB: >-\n  y\n\n# end";
    assert_snapshot!(text(source, |value| {
        value["A"] = json!({"y": 1});
        value["C"] = json!(true);
    }), @r#"
    A: # keep
      "y": 1
    B: >-
      y
    C: true

    # end
    "#);
}

const LONG: &str = "\
A: one
  two # c
B: 'three
  four' # d
C: >- # e
  five
  six

  seven

D:
  - plain
    more
  - \"x\\
    y\" # f
E: { a: b,
  c: d } # g
F: last
";

#[test]
fn texts_of_several_lines_are_changed_as_a_whole() {
    assert_snapshot!(text(LONG, |value| {
        value["A"] = json!("1");
        value["B"] = json!({"a": 3});
        value["C"] = json!([5, 6]);
        value["D"][0] = json!({"a": {"b": 1}});
        value["D"][1] = json!(["x", ["y"]]);
        value["E"] = json!([7]);
    }), @r#"
    A: "1" # c
    B:
      a: 3 # d
    C: # e
      - 5
      - 6

    D:
      - a:
          b: 1
      - - "x"
        - - "y" # f
    E:
      - 7 # g
    F: last
    "#);
}

#[test]
fn texts_of_several_lines_are_stepped_over() {
    assert_snapshot!(text(LONG, |value| {
        push(&mut value["D"], json!("z"));
        insert(&mut value["D"], 0, json!("w"));
        value["E"]["f"] = json!({"g": 1});
        for key in ["A", "C", "F"] {
            remove(value, key);
        }
        value["G"] = json!("end");
    }), @r#"
    B: 'three
      four' # d

    D:
      - "w"
      - plain
        more
      - "x\
        y" # f
      - "z"
    E: { a: b,
      c: d, f: {g: 1} } # g
    G: "end"
    "#);
}

#[test]
fn a_marked_document_keeps_its_marks() {
    let source = "\u{feff}%YAML 1.1\n---\n# c\na: b # d\n...\n# after\n";
    assert_snapshot!(text(source, |value| value["c"] = json!([{}])), @"
    ﻿%YAML 1.1
    ---
    # c
    a: b # d
    c:
      - {}
    ...
    # after
    ");
    let source = "--- {a: b}\n";
    assert_snapshot!(text(source, |value| value["c"] = json!([{}])), @"--- {a: b, c: [{}]}");
    let source = "a: b\rc: d";
    assert_snapshot!(text(source, |value| value["c"] = json!({"e": 1})), @"a: b␍c:␍  e: 1");
}

#[test]
fn a_block_text_at_the_end_of_the_file_stays_the_same_text() {
    for (source, value) in [
        ("a: |\n  x", "x"),
        ("a: |+\n  x\n\n", "x\n\n"),
        ("a: >\n  x\n", "x\n"),
        ("a: |2\n   x", " x"),
    ] {
        assert_eq!(
            Source::parse(source).expect(source).value(),
            &json!({"a": value})
        );
        let new = text(source, |value| value["b"] = json!(1));
        assert_eq!(
            Source::parse(&new).expect(&new).value(),
            &json!({"a": value, "b": 1}),
            "{new}"
        );
    }
}

#[test]
fn changes_have_to_fit_the_document() {
    let refused = |paths: &[&[&str]]| {
        let source = Source::parse("{\"a\": {\"b\": [1]}}").expect("JSON");
        let step = |step: &&str| {
            step.parse()
                .map_or_else(|_| Step::Key((*step).to_owned()), Step::Index)
        };
        let change = |path: &&[&str]| Change {
            path: path.iter().map(step).collect(),
            new: New::Value(json!(2)),
        };
        source
            .splice(paths.iter().map(change).collect())
            .expect_err("refused")
            .to_string()
    };
    assert_snapshot!(refused(&[&["a", "x", "y"]]), @"the document has no `a.x.y` that could be changed");
    assert_snapshot!(refused(&[&["a", "b", "2"]]), @"the document has no `a.b.2` that could be changed");
    assert_snapshot!(refused(&[&["a", "b"], &["a", "b", "0"]]), @"two changes concern `a.b.0`");
    assert_snapshot!(refused(&[&["a", "b", "0"], &["a"]]), @"two changes concern `a.b.0`");
}

#[test]
fn a_member_may_be_added_by_its_path() {
    for (source, new) in [
        ("{\"a\": {}}", "{\"a\": {\"b\": [1]}}"),
        ("a:\n  c: 1\n", "a:\n  c: 1\n  b:\n    - 1\n"),
        ("a: !X {}\n", ""),
    ] {
        let parsed = Source::parse(source).expect(source);
        let path = vec![Step::Key("a".to_owned()), Step::Key("b".to_owned())];
        let spliced = parsed.splice(vec![Change {
            path,
            new: New::Value(json!([1])),
        }]);
        if !new.is_empty() {
            assert_eq!(spliced.expect(source).text, new);
        } else {
            let text = spliced.expect(source).text;
            assert_eq!(
                Source::parse(&text).expect(&text).value(),
                &json!({"a": {"Fn::X": {}, "b": [1]}})
            );
        }
    }
}

#[test]
fn an_item_may_be_added_after_the_last_one() {
    let source = "a:\n- b: [1]\n# end\n";
    let parsed = Source::parse(source).expect(source);
    let (key, index) = (|key: &str| Step::Key(key.to_owned()), Step::Index);
    let spliced = parsed.splice(vec![
        Change {
            path: vec![key("a"), index(1)],
            new: New::Value(json!({"c": null})),
        },
        Change {
            path: vec![key("a"), index(0), key("b"), index(0)],
            new: New::Value(json!(2)),
        },
        Change {
            path: vec![key("a"), index(0), key("b"), index(1)],
            new: New::Value(json!(3)),
        },
    ]);
    assert_eq!(
        spliced.expect(source).text,
        "a:\n- b: [2, 3]\n- c: null\n# end\n"
    );
}

#[test]
fn what_cannot_be_written_is_refused() {
    let refused = splice("? a\n: b\n? c\n: d\n", |value| {
        *value = json!({"a": "b", "z": 1})
    });
    let refused = refused.expect_err("keys with `?`");
    assert_eq!(refused, SourceError::Disagrees);
    assert_snapshot!(refused, @"the change cannot be written into the text of the document without changing something else");
    assert_snapshot!(refused.hint().unwrap_or_default(), @"write the value to be changed in a plain form: keys without `?`, no single pairs in lists");
    let result = splice("[a: b, c]", |value| value[0]["d"] = json!(1)).expect("a new object");
    assert_snapshot!(result.text, @r#"[{a: "b", d: 1}, c]"#);
}
