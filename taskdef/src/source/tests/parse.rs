use serde_json::{Value, json};

use super::super::{Change, Format, New, Source, SourceError, Step};

fn value(text: &str) -> Value {
    Source::parse(text)
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
        .value()
        .clone()
}

fn error(text: &str) -> String {
    said(&Source::parse(text).expect_err(text))
}

/// An error with its place before it.
fn said(error: &SourceError) -> String {
    match error.place() {
        Some((line, Some(column))) => format!("{line}:{column}: {error}"),
        Some((line, None)) => format!("{line}: {error}"),
        None => error.to_string(),
    }
}

#[test]
fn short_forms_are_read_long() {
    assert_eq!(value("a: !Ref x"), json!({"a": {"Ref": "x"}}));
    assert_eq!(value("a: !Condition x"), json!({"a": {"Condition": "x"}}));
    assert_eq!(
        value("a: !GetAtt a.b.c"),
        json!({"a": {"Fn::GetAtt": ["a", "b.c"]}})
    );
    assert_eq!(
        value("a: !GetAtt [a, b.c]"),
        json!({"a": {"Fn::GetAtt": ["a", "b.c"]}})
    );
    assert_eq!(value("a: !GetAZs"), json!({"a": {"Fn::GetAZs": ""}}));
    assert_eq!(
        value("a: !Sub |\n  x\n  y\nb: 1"),
        json!({"a": {"Fn::Sub": "x\ny\n"}, "b": 1})
    );
    assert_eq!(value("a: !Ref 012"), json!({"a": {"Ref": "012"}}));
    assert_eq!(
        value("a: !If\n  - C\n  - !Join ['', [!Ref x, 1]]\n  - Fn::Sub: y\n"),
        json!({"a": {"Fn::If": ["C", {"Fn::Join": ["", [{"Ref": "x"}, 1]]}, {"Fn::Sub": "y"}]}})
    );
    assert_eq!(
        value("a: !Transform {Name: AWS::Include, Parameters: {Location: s3}}"),
        json!({"a": {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3"}}}})
    );
}

#[test]
fn plain_scalars_are_texts_unless_every_reader_agrees() {
    let text = "[true, false, null, ~, , 256, -1, 0.5, 012345678901, 2012-10-17, yes, True, 22:22, .5, 1e3, 0x1F, +1]";
    let text = text
        .replace(", ,", ", !!null '', ")
        .replace("!!null ''", "!!null");
    assert_eq!(
        value(&text),
        json!([
            true,
            false,
            null,
            null,
            null,
            256,
            -1,
            0.5,
            "012345678901",
            "2012-10-17",
            "yes",
            "True",
            "22:22",
            ".5",
            "1e3",
            "0x1F",
            "+1"
        ])
    );
    assert_eq!(value("'true'"), json!("true"));
    assert_eq!(
        value("yes: 1\n22:22: 2\n1: 3\n~: 4\nnull: 5"),
        json!({"yes": 1, "22:22": 2, "1": 3, "~": 4, "null": 5})
    );
}

/// As CloudFormation reads it.
fn in_template(text: &str) -> Value {
    Source::parse_template(text).unwrap().value().clone()
}

#[test]
fn plain_scalars_of_a_template_are_those_of_yaml_1_1() {
    let truths = "[true, True, TRUE, yes, Yes, YES, on, On, ON]";
    assert_eq!(in_template(truths), json!(vec![true; 9]));
    let lies = "[false, False, FALSE, no, No, NO, off, Off, OFF]";
    assert_eq!(in_template(lies), json!(vec![false; 9]));
    assert_eq!(
        in_template("[~, null, Null, NULL]"),
        json!([null, null, null, null])
    );
    assert_eq!(
        in_template("[010, 012345670123, -017, 00, 0x1F, 0x1_f, 0b101, 1_000, +1, +0, -0x10]"),
        json!([8, 1402433619, -15, 0, 31, 31, 5, 1000, 1, 0, -16])
    );
    let texts = [
        "y",
        "n",
        "Y",
        "N",
        "tRue",
        "nUll",
        "012345678901",
        "08",
        "2012-10-17",
        "22:22",
        "1:30",
        ".5",
        "1e3",
        "1.10.2",
        "_1",
        "0x",
        "0xg",
        "0b2",
        "+",
        "+_1",
        "0o10",
        "1_000.5",
        "yes please",
    ];
    for text in texts {
        assert_eq!(in_template(&format!("a: {text}"))["a"], json!(text));
    }
    for quoted in ["'yes'", "\"010\"", "!!str on"] {
        assert!(
            in_template(&format!("[{quoted}]"))[0].is_string(),
            "{quoted}"
        );
    }
    // No account has as many digits, and no number is lost.
    let long = "9".repeat(60);
    assert_eq!(
        in_template(&format!("[0x{}]", "f".repeat(60)))[0],
        json!("0x".to_owned() + &"f".repeat(60))
    );
    assert_eq!(in_template(&format!("[{long}]"))[0].to_string(), long);
    // A key is a text.
    assert_eq!(in_template("yes: 1\n010: 2"), json!({"yes": 1, "010": 2}));
}

#[test]
fn what_is_moved_in_a_template_stays_what_it_was() {
    let text = "a: [yes, 010, 'no', \"010\", 1.10]\nb: 1\n";
    let source = Source::parse_template(text).unwrap();
    let moved = source.value()["a"].clone();
    let path = vec![Step::Key("b".to_owned())];
    let new = New::Value(moved);
    let spliced = source.splice(vec![Change { path, new }]).unwrap();
    insta::assert_snapshot!(spliced.text, @r#"
    a: [yes, 010, 'no', "010", 1.10]
    b: [true, 8, "no", "010", 1.10]
    "#);
}

/// `22:22` is a text to us, and 1342 to others: it stays where it is, or has to be put in quotes by a person.
#[test]
fn what_readers_do_not_agree_on_is_not_put_in_quotes() {
    let moved = |word: &str| {
        let text = format!("a: [{word}]\nb: ['{}']\nc: 1\n", word.trim_matches('\''));
        let source = Source::parse_template(&text).unwrap();
        let moved = source.value()["a"].clone();
        let change = |key: &str, new: Value| Change {
            path: vec![Step::Key(key.to_owned())],
            new: New::Value(new),
        };
        let changes = vec![change("a", json!([])), change("c", moved)];
        source.splice(changes).map(|spliced| spliced.text)
    };
    for word in [
        "22:22", "1:30:00", "-1:30", "1e3", "1E-3", ".5", "1.", "1_0.5e1", "1:30.5",
    ] {
        let error = moved(word).expect_err(word);
        assert_eq!(
            said(&error),
            format!(
                "1:5: `{word}` has no quotes, YAML readers do not agree what it is, and it would have to be written elsewhere"
            )
        );
        assert!(error.hint().is_some());
    }
    for word in [
        "'22:22'",
        "22:61",
        "8080:80",
        "10.0.0.1",
        "1.10.2",
        "2012-10-17",
        "1.5",
        "word",
        "e3",
        "1e",
        ".",
        "a:b",
        "1:",
    ] {
        assert!(moved(word).is_ok(), "{word}");
    }
    // Elsewhere in the document it may stand.
    let source = Source::parse_template("a: [22:22]\nc: 1\n").unwrap();
    let path = vec![Step::Key("c".to_owned())];
    let new = New::Value(json!("x"));
    assert!(source.splice(vec![Change { path, new }]).is_ok());
}

#[test]
fn core_tags_are_read_and_others_refused() {
    assert_eq!(
        value(
            "[!!str 1, !!int 1, !!bool 'true', ! 2, !!float 0.5, !!null , !!str , !!seq [1], !!map {a: 1}]"
        ),
        json!(["1", 1, true, "2", 0.5, null, "", [1], {"a": 1}])
    );
    insta::assert_snapshot!(error("a: !!binary eA=="), @"1:4: the tag `!!binary` is not supported here");
    insta::assert_snapshot!(error("a: !!int x"), @"1:4: the tag `!!int` is not supported here");
    insta::assert_snapshot!(error("%TAG ! tag:x,2000:\n---\na: !Ref x"), @"3:4: the tag `!Ref` is not supported here");
    insta::assert_snapshot!(error("!Ref a: b"), @"1:1: the tag `!Ref` is not supported here");
}

#[test]
fn aliases_are_read_as_what_they_stand_for() {
    assert_eq!(
        value("a: &x {b: [1]}\nc: *x"),
        json!({"a": {"b": [1]}, "c": {"b": [1]}})
    );
    assert_eq!(
        value("a: &x !Ref b\nc: [*x]\nd: &x 1\ne: *x"),
        json!({"a": {"Ref": "b"}, "c": [{"Ref": "b"}], "d": 1, "e": 1})
    );
    assert_eq!(
        value("&k a: &v 1\nb: *k\n*v : c"),
        json!({"a": 1, "b": "a", "1": "c"})
    );
    insta::assert_snapshot!(error("a: *x"), @"1:4: the alias `*x` has no anchor before it");
    insta::assert_snapshot!(error("a: &x [*x]"), @"1:8: the alias `*x` has no anchor before it");
}

#[test]
fn many_aliases_stay_small() {
    let mut text = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..30 {
        let before = level - 1;
        text.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            vec![format!("*a{before}"); 9].join(", ")
        ));
    }
    assert!(matches!(
        Source::parse(&text),
        Err(SourceError::AliasesTooLarge { .. })
    ));
    let mut text = String::from("a0: &a0 []\n");
    for level in 1..200 {
        text.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(matches!(
        Source::parse(&text),
        Err(SourceError::TooDeep { .. })
    ));
}

#[test]
fn positions_count_from_one_and_in_characters() {
    let text = "\u{feff}Resources:\n  Ä: {ü: x, Y: !If [C, 1, 2]}\n  L:\n  - a\n  -   b: *x\n"
        .replace("*x", "&x 5\nM: *x");
    let source = Source::parse(&text).expect(&text);
    let at = |path: &[Step]| source.position(path);
    let key = |key: &str| Step::Key(key.to_owned());
    assert_eq!(at(&[]), Some((1, 1)));
    assert_eq!(at(&[key("Resources"), key("Ä"), key("Y")]), Some((2, 13)));
    assert_eq!(
        at(&[
            key("Resources"),
            key("Ä"),
            key("Y"),
            key("Fn::If"),
            Step::Index(1)
        ]),
        Some((2, 24))
    );
    assert_eq!(
        at(&[key("Resources"), key("L"), Step::Index(1), key("b")]),
        Some((5, 7))
    );
    assert_eq!(at(&[key("M")]), Some((6, 1)));
    assert_eq!(at(&[key("None")]), None);
}

#[test]
fn json_is_json_and_the_rest_is_yaml() {
    let format = |text: &str| Source::parse(text).map(|source| source.format());
    assert_eq!(format("\u{feff} {\"a\": 1e3}\r\n"), Ok(Format::Json));
    assert_eq!(format("{\"a\": [1,]}"), Ok(Format::Yaml));
    assert_eq!(format("a: 1"), Ok(Format::Yaml));
}

#[test]
fn errors_say_where_and_what() {
    insta::assert_snapshot!(error(""), @"the document is empty");
    insta::assert_snapshot!(error("# nothing\n"), @"the document is empty");
    insta::assert_snapshot!(error("---\n"), @"the document is empty");
    insta::assert_snapshot!(error("{\"a\": 1,\n  \"a\": 2}"), @"2:3: the key `a` stands twice in the same object");
    insta::assert_snapshot!(error("{\"a\": {\"b\": 1"), @"1:14: the text ends too early");
    insta::assert_snapshot!(error("{\"a\" 1}"), @"1:6: expected `:` after a key");
    insta::assert_snapshot!(error("{\"a\": 01x, }]"), @"1:7: expected a number without leading zeros");
    insta::assert_snapshot!(error("{\"a\": \"\\ud800\"}"), @"1:8: half of a surrogate pair in a string");
    insta::assert_snapshot!(error("a: 1\nb: 2\na: 3"), @"3:1: the key `a` stands twice in the same object");
    insta::assert_snapshot!(error("{a: 1, a: 2}"), @"1:8: the key `a` stands twice in the same object");
    insta::assert_snapshot!(error("a: \"x"), @"1:4: unclosed quote");
    insta::assert_snapshot!(error("a: 1\n---\nb: 2"), @"2: a second document starts");
    insta::assert_snapshot!(error("a:\n  <<: {b: 1}"), @"2:3: the merge key `<<` is not part of CloudFormation's YAML");
    insta::assert_snapshot!(error("? [a]\n: b"), @"1:3: a key has to be a text");
    insta::assert_snapshot!(error("a:\n\t- b"), @"2:2: tabs disallowed within this context (block indentation)");
    insta::assert_snapshot!(said(&Source::from_bytes(b"a: 1\nb: \xff").expect_err("latin 1")), @"2:4: the text is not UTF-8");
}

#[test]
fn deep_and_broken_texts_are_errors() {
    for (open, close) in [
        ("[", "]"),
        ("{\"a\":", "}"),
        ("- ", ""),
        ("{a: ", "}"),
        ("!If [", "]"),
    ] {
        let text = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        assert!(
            matches!(Source::parse(&text), Err(SourceError::TooDeep { .. })),
            "{open}: {:?}",
            Source::parse(&text).err()
        );
        let text = open.repeat(100);
        let _ = Source::parse(&text);
    }
    let deep: String = (0..10_000)
        .map(|level| format!("{}a:\n", " ".repeat(level.min(2_000))))
        .collect();
    assert!(Source::parse(&deep).is_err());
    let text = format!("{}1{}", "[".repeat(120), "]".repeat(120));
    assert!(Source::parse(&text).is_ok());
}

#[test]
fn a_member_is_a_document_by_itself() {
    let member = |text: &str| {
        let member = Source::parse(text).expect(text).member("m");
        member.map(|text| text.replace('\r', "␍"))
    };
    let table = [
        ("{\"m\":{\"a\":1}}", Some("{\"a\":1}")),
        (
            "{\n  \"b\": 0,\n  \"m\": {\n    \"a\": [\n      1 ]\n  }\n}\n",
            Some("{\n  \"a\": [\n    1 ]\n}\n"),
        ),
        (
            "m:\n  a: |\n    x\n\n    y\n  b: 1\nn: 2\n",
            Some("a: |\n  x\n\n  y\nb: 1\n"),
        ),
        ("m:\r\n  # first\r\n  - 1\r\n  - 2 # two", Some("- 1␍\n- 2")),
        ("m: !Sub x\n", Some("!Sub x\n")),
        ("\u{feff}m: [a]", Some("\u{feff}[a]")),
        ("n: &n 1\nm: {a: *n}", None),
        ("n: 1", None),
        ("- m", None),
    ];
    for (text, expected) in table {
        assert_eq!(member(text).as_deref(), expected, "{text}");
    }
}
