use insta::assert_snapshot;
use serde_json::json;

use super::splice::{insert, push, remove, text};

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
