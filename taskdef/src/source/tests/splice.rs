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
fn text(text: &str, edit: impl FnOnce(&mut Value)) -> String {
    splice(text, edit).expect(text).text.replace('\r', "␍")
}

pub(super) fn push(list: &mut Value, item: Value) {
    list.as_array_mut().expect("a list").push(item);
}

fn insert(list: &mut Value, at: usize, item: Value) {
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
fn the_style_around_is_followed() {
    let indentless = "A:\n    B:\n    -   x: 1\n    -   x: 2";
    assert_snapshot!(text(indentless, |value| {
        push(&mut value["A"]["B"], json!({"x": 3, "y": [1, {"z": null}]}));
        value["A"]["C"] = json!({"d": {"e": true}});
    }), @r#"
    A:
        B:
        -   x: 1
        -   x: 2
        -   x: 3
            "y":
            -   1
            -   z: null
        C:
            d:
                e: true
    "#);
    let long_forms = "A:\n - Ref: x\n - - a\nB: {c: [a, b], d: {}}\n";
    assert_snapshot!(text(long_forms, |value| {
        push(&mut value["A"], json!({"Ref": "y"}));
        push(&mut value["A"][1], json!(["b"]));
        insert(&mut value["A"][1], 0, json!("0"));
        push(&mut value["B"]["c"], json!({"Ref": "z"}));
        value["B"]["d"]["e"] = json!([1]);
    }), @r#"
    A:
     - Ref: x
     - - "0"
       - a
       - - "b"
     - Ref: "y"
    B: {c: [a, b, {Ref: "z"}], d: {e: [1]}}
    "#);
}

#[test]
fn line_ends_and_json_inside_of_yaml_are_followed() {
    let windows = "A:\r\n  - x\r\n";
    assert_snapshot!(text(windows, |value| push(&mut value["A"], json!({"a": 1, "b": 2}))), @"
    A:␍
      - x␍
      - a: 1␍
        b: 2␍
    ");
    let json_in_yaml =
        "A:\n  {\n    \"a\": [\n      \"x\"\n    ],\n    \"b\": {}\n  }\nB: !Ref x\n";
    assert_snapshot!(text(json_in_yaml, |value| {
        push(&mut value["A"]["a"], json!({"Name": "y"}));
        value["A"]["b"]["c"] = json!(1);
        value["A"]["d"] = json!({"e": ["f"]});
    }), @r#"
    A:
      {
        "a": [
          "x",
          {
            "Name": "y"
          }
        ],
        "b": {
          "c": 1
        },
        "d": {
          "e": [
            "f"
          ]
        }
      }
    B: !Ref x
    "#);
}

#[test]
fn lists_of_scalars_follow_most_others() {
    assert_snapshot!(text("A: [a, b]\nB: [c]\nC:\n- d\n", |value| {
        value["D"] = json!(["x", {"Ref": "y"}]);
        value["E"] = json!([["x"]]);
    }), @r#"
    A: [a, b]
    B: [c]
    C:
    - d
    D:
    - "x"
    - Ref: "y"
    E:
    - ["x"]
    "#);
    assert_snapshot!(text("{\n  \"A\": [\"a\", \"b\"]\n}", |value| value["D"] = json!({"e": ["x", 1], "f": [[]]})), @r#"
    {
      "A": ["a", "b"],
      "D": {
        "e": ["x", 1],
        "f": [
          []
        ]
      }
    }
    "#);
}

#[test]
fn short_forms_keep_their_tags_and_never_stand_on_one_another() {
    let source = "A: !If [C, !Ref x, !GetAtt a.b]\nB: !Sub |\n  one\n  two\nC: !GetAtt\n  - a\n  - b\nD: !Ref\n";
    assert_snapshot!(text(source, |value| {
        value["A"]["Fn::If"][1] = json!({"Ref": "AWS::Region"});
        value["A"]["Fn::If"][2] = json!({"Fn::GetAtt": ["a", "c.d"]});
        value["B"]["Fn::Sub"] = json!("three");
        value["C"]["Fn::GetAtt"][1] = json!("c");
        value["D"]["Ref"] = json!("a b");
        value["E"] = json!({"Fn::Base64": {"Fn::Sub": "x"}});
        value["F"] = json!({"Fn::If": ["C", {"Fn::Base64": {"Ref": "x"}}, {"Ref": "AWS::NoValue"}]});
        value["G"] = json!({"Fn::Select": [0, {"Fn::Split": ["|", "x"]}]});
        value["H"] = json!([{"Condition": "x"}, {"Fn::GetAtt": "a.b"}, {"Ref": 1}]);
    }), @r#"
    A: !If [C, !Ref AWS::Region, !GetAtt a.c.d]
    B: !Sub "three"
    C: !GetAtt
      - a
      - "c"
    D: !Ref "a b"
    E:
      Fn::Base64: !Sub "x"
    F: !If
      - "C"
      - Fn::Base64: !Ref x
      - !Ref AWS::NoValue
    G: !Select
      - 0
      - !Split
        - "|"
        - "x"
    H:
      - Condition: "x"
      - Fn::GetAtt: "a.b"
      - Ref: 1
    "#);
}

#[test]
fn what_is_nothing_or_empty_is_filled() {
    let source = "Environment: # none yet\nSecrets:\nVolumes: []\nTags: ~ # no\nLast:\n  - \n  -\n";
    assert_snapshot!(text(source, |value| {
        value["Environment"] = json!([{"Name": "A", "Value": ""}]);
        value["Secrets"] = json!("x");
        push(&mut value["Volumes"], json!({"Name": "v"}));
        value["Tags"] = json!([{"Key": "k"}]);
        value["Last"][0] = json!({"a": 1});
        value["Last"][1] = json!("b");
    }), @r#"
    Environment: # none yet
      - Name: "A"
        Value: ""
    Secrets: "x"
    Volumes:
      - Name: "v"
    Tags: # no
      - Key: "k"
    Last:
      - a: 1 
      - "b"
    "#);
    assert_snapshot!(text("{a, b: , c: [], d: {  }, e: [ # c\n ]}", |value| {
        value["a"] = json!(1);
        value["b"] = json!([1]);
        push(&mut value["c"], json!(1));
        value["d"]["x"] = json!(1);
        push(&mut value["e"], json!(1));
    }), @"{a: 1, b: [1] , c: [1], d: {x: 1}, e: [1]}");
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
fn json_keeps_its_layout() {
    let pretty = "{\r\n\t\"a\": {\r\n\t\t\"b\": [\"x\"],\r\n\t\t\"c\": []\r\n\t}\r\n}\r\n";
    assert_snapshot!(text(pretty, |value| {
        push(&mut value["a"]["b"], json!({"d": 1}));
        push(&mut value["a"]["c"], json!({"d": [1]}));
        value["e"] = json!({"f": {}});
    }), @r#"
    {␍
    	"a": {␍
    		"b": ["x", {"d": 1}],␍
    		"c": [␍
    			{␍
    				"d": [1]␍
    			}␍
    		]␍
    	},␍
    	"e": {␍
    		"f": {}␍
    	}␍
    }␍
    "#);
    assert_snapshot!(text("{\"a\":[1,{\"b\":\"c\"}],\"d\":{}}", |value| {
        insert(&mut value["a"], 0, json!({"x": [1, 2]}));
        value["a"][2]["b"] = json!(null);
        value["d"]["e"] = json!("\u{7f}é");
    }), @r#"{"a":[{"x":[1,2]},1,{"b":null}],"d":{"e":"\u007fé"}}"#);
    assert_snapshot!(text("{\n \"a\": 1,\n \"b\": 2,\n \"c\": [\n  3,\n  4\n ]\n}", |value| {
        remove(value, "a");
        value["c"].as_array_mut().expect("a list").pop();
        value["c"][0] = json!(1e3);
    }), @r#"
    {
     "b": 2,
     "c": [
      1000.0
     ]
    }
    "#);
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
    let result = splice("? a\n: b\n? c\n: d\n", |value| remove(value, "a"));
    assert!(
        matches!(&result, Ok(_) | Err(SourceError::Disagrees)),
        "{result:?}"
    );
    let result = splice("[a: b, c]", |value| value[0]["d"] = json!(1)).expect("a new object");
    assert_snapshot!(result.text, @r#"[{a: "b", d: 1}, c]"#);
}
