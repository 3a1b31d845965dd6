//! Inputs: their forms, their types, and everything that can be wrong with them.

use super::*;

fn errors(recipe: &Recipe, inputs: &[(&str, &str)]) -> String {
    let errors = recipe.bind(given(inputs)).unwrap_err();
    let hints: Vec<_> = errors.errors.iter().filter_map(InputError::hint).collect();
    let hints = hints.join("\n");
    shown(&errors, (!hints.is_empty()).then_some(hints.as_str()))
}

#[test]
fn one_error_lists_everything() {
    let recipe = recipe(
        "inputs:\n  a: {description: first, required: true}\n  b: {description: second, required: true}\n  mode: {description: m, allowed: [on, off]}\n  n: {description: n, type: integer}\n  f: {description: f, type: boolean}\n",
    );
    let inputs = [
        ("moed", "on"),
        ("mode", "maybe"),
        ("n", "ten"),
        ("f", "yes"),
        ("zzz", "1"),
    ];
    insta::assert_snapshot!(errors(&recipe, &inputs), @"
    recipe `x`: missing inputs `a`, `b`; input `f` has to be `true` or `false`; input `mode` has to be one of `on`, `off`; unknown input `moed`; input `n` has to be a whole number; unknown input `zzz`
    `a`: first; `b`: second
    did you mean `mode`?
    ");
}

#[test]
fn a_size_and_a_port_have_their_bounds() {
    let recipe = recipe(
        "inputs:\n  port: {description: p, type: port}\n  size: {description: s, type: size}\n",
    );
    for (port, size) in [
        (json!(1), json!("1")),
        (json!(" 65535 "), json!(9_223_372_036_854_775_807_i64)),
        (json!({"Ref": "Port"}), json!({"Ref": "Size"})),
    ] {
        let inputs = [("port", port), ("size", size)];
        let inputs = inputs.map(|(name, value)| (name.to_owned(), InputValue::Plain(value)));
        assert!(recipe.bind(inputs.into()).is_ok());
    }
    for (port, size) in [
        (json!("0"), json!(0)),
        (json!(65536), json!("-1")),
        (json!("https"), json!("512 MB")),
        (json!(""), json!(1.5)),
    ] {
        let inputs = [("port", port), ("size", size)];
        let inputs = inputs.map(|(name, value)| (name.to_owned(), InputValue::Plain(value)));
        let error = recipe.bind(inputs.into()).unwrap_err();
        insta::allow_duplicates! {
            insta::assert_snapshot!(error, @"recipe `x`: input `port` has to be a port, from 1 to 65535; input `size` has to be a whole number over 0");
        }
    }
}

#[test]
fn an_empty_text_is_a_value_only_where_that_is_declared() {
    let recipe = recipe(
        "inputs:\n  a: {description: a}\n  b: {description: b, secret: true}\n  c: {description: c, required: true}\n  d: {description: d, mayBeEmpty: true}\n  e: {description: e, default: ''}\n  f: {description: f, allowed: [g, '']}\n  h: {description: h, type: list}\n",
    );
    let names = ["a", "b", "c", "d", "e", "f", "h"];
    insta::assert_snapshot!(errors(&recipe, &names.map(|name| (name, ""))), @"
    recipe `x`: missing input `c`; input `a` is empty; input `b` is empty
    `c`: c
    give it a value, or leave it out
    give it a value, or leave it out
    ");
    for name in ["d", "e", "f", "h"] {
        assert!(recipe.bind(given(&[("c", "c"), (name, "")])).is_ok());
    }
}

#[test]
fn a_null_is_not_given() {
    let recipe = recipe("inputs:\n  a: {description: first, required: true}\n");
    let null = [("a".to_owned(), InputValue::Plain(Value::Null))];
    let error = recipe.bind(null.into()).unwrap_err();
    insta::assert_snapshot!(error, @"recipe `x`: missing input `a`");
}

#[test]
fn required_when_another_has_a_value() {
    let recipe = recipe(
        "inputs:\n  host: {description: h, requiredWhen: inputs.other is none}\n  other: {description: o}\n",
    );
    insta::assert_snapshot!(errors(&recipe, &[]), @"
    recipe `x`: missing input `host`
    `host`: h
    ");
    assert!(recipe.bind(given(&[("other", "b")])).is_ok());
    assert!(
        recipe
            .bind(given(&[("other", "{value: !Ref Other}")]))
            .is_ok()
    );
}

#[test]
fn forms_of_a_value() {
    let plain = |value| InputValue::Plain(value);
    let from = |value| InputValue::ValueFrom(value);
    let sub = json!({"Fn::Sub": "${AWS::Region}-x"});
    for (text, expected) in [
        ("", plain(json!(""))),
        ("text", plain(json!("text"))),
        ("{{ inputs.a }}", plain(json!("{{ inputs.a }}"))),
        (r#"{"a": 1}"#, plain(json!(r#"{"a": 1}"#))),
        (
            r#"{"value": 1, "other": 2}"#,
            plain(json!(r#"{"value": 1, "other": 2}"#)),
        ),
        ("{}", plain(json!("{}"))),
        (
            "{valueFrom: arn:aws:x:KEY::}",
            from(json!("arn:aws:x:KEY::")),
        ),
        ("{value: text}", plain(json!("text"))),
        ("{value: true}", plain(json!(true))),
        (r#"{"value": 012}"#, plain(json!("012"))),
        ("{valueFrom: /app/token}", from(json!("/app/token"))),
        (
            r#" {"valueFrom": {"Ref": "Secret"}} "#,
            from(json!({"Ref": "Secret"})),
        ),
        ("{valueFrom: !Ref Secret}", from(json!({"Ref": "Secret"}))),
        ("{value: !Sub '${AWS::Region}-x'}", plain(sub.clone())),
        (" !Sub '${AWS::Region}-x'", plain(sub)),
        (r#"{"Ref": "Secret"}"#, plain(json!({"Ref": "Secret"}))),
        ("!", plain(json!("!"))),
        ("!important", plain(json!("!important"))),
    ] {
        assert_eq!(InputValue::parse(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn what_is_no_form_of_a_value_is_refused() {
    for text in ["{valueFrom: [a]}", "{valueFrom: ''}", "{valueFrom: {a: b}}"] {
        assert_eq!(
            InputValue::parse(text),
            Err(InputValueError::ValueFrom),
            "{text}"
        );
    }
    for text in [
        "{valuefrom: /a}",
        r#"{"ValueFrom": {"Ref": "A"}}"#,
        "{valueForm: /a}",
        "{Value: a}",
    ] {
        assert_eq!(
            InputValue::parse(text),
            Err(InputValueError::Misspelt),
            "{text}"
        );
    }
    for text in [
        "{valueFrom: !Sub a-${B}}",
        "{ \"valueFrom\": ",
        "{value: [}",
    ] {
        assert_eq!(
            InputValue::parse(text),
            Err(InputValueError::Syntax),
            "{text}"
        );
    }
    let both = InputValue::parse("{value: a, valueFrom: b}").unwrap_err();
    insta::assert_snapshot!(both, @"an input is given as `value` or as `valueFrom`, not as both");
}

#[test]
fn values_take_the_type_of_their_input() {
    let recipe = recipe(
        "inputs:\n  text: {description: d}\n  list: {description: d, type: list}\nworkload:\n  - settings:\n      environment:\n        - {name: T, value: '{{ inputs.text }}'}\n      dnsServers: '{{ inputs.list }}'\n",
    );
    let render = |text: Value, list: Value| {
        let inputs = [("text", text), ("list", list)];
        let inputs = inputs.map(|(name, value)| (name.to_owned(), InputValue::Plain(value)));
        settings(&recipe.bind(inputs.into()).unwrap(), &container("root"))
    };
    let expected = |text: &str, list: Value| json!({"environment": [{"name": "T", "value": text}], "dnsServers": list});
    let number: Value = serde_json::from_str("1.10").unwrap();
    assert_eq!(
        render(number, json!("a, b")),
        expected("1.10", json!(["a", "b"]))
    );
    let long: Value = serde_json::from_str("123456789012345678901234567890").unwrap();
    assert_eq!(
        render(long, json!("[1, \"b\"]")),
        expected("123456789012345678901234567890", json!(["1", "b"])),
    );
    let reference = json!({"Ref": "X"});
    assert_eq!(
        render(json!(false), json!([reference])),
        expected("false", json!([reference]))
    );
    assert_eq!(
        render(json!("e"), reference.clone()),
        expected("e", reference)
    );
}

#[test]
fn a_secret_is_a_reference_or_clear_text() {
    let recipe = recipe(
        "inputs:\n  key: {description: d, secret: true}\nworkload:\n  - settings:\n      environment:\n        - {name: KEY, value: '{{ inputs.key }}'}\n",
    );
    for reference in [
        "arn:aws:ssm:us-east-1:1:parameter/x",
        " arn:aws:ssm:us-east-1:1:parameter/x",
        "{valueFrom: arn:aws:secretsmanager:::secret:x:KEY::}",
    ] {
        let bound = bind(&recipe, &[("key", reference)]);
        assert!(bound.clear_secrets().is_empty());
        let settings = settings(&bound, &container("root"));
        assert_eq!(settings.pointer("/secrets/0/name"), Some(&json!("KEY")));
        assert_eq!(settings.get("environment"), None);
    }
    let bound = bind(&recipe, &[("key", "{valueFrom: !Ref AgentSecret}")]);
    assert_eq!(
        settings(&bound, &container("root")),
        json!({"secrets": [{"name": "KEY", "valueFrom": {"Ref": "AgentSecret"}}]}),
    );
    insta::assert_snapshot!(errors(&recipe, &[("key", "{value: !Ref AgentSecret}")]), @"
    recipe `x`: input `key` is secret, and `Ref AgentSecret` is not given as `valueFrom`
    give the secret's ARN as `{valueFrom: ...}`, for example `key={valueFrom: !Ref AgentSecret}`
    ");
}

#[test]
fn what_is_no_place_of_a_secret_is_refused() {
    let recipe = recipe(
        "inputs:\n  key: {description: d, secret: true}\nworkload:\n  - settings:\n      environment:\n        - {name: KEY, value: '{{ inputs.key }}'}\n",
    );
    let told = [
        "arn:aws:s3:::hunter2",
        "ARN:aws:secretsmanager:eu-west-1:1:secret:hunter2",
        "{valueFrom: not a name!}",
        "!Ref Token",
        "{valueFrom: !Reff Token}",
        r#"{"valueFrom": {"Fn::Join": ["", [{"Fn::Subb": "hunter2"}]]}}"#,
    ]
    .map(|value| errors(&recipe, &[("key", value)]));
    insta::assert_snapshot!(told.join("\n"), @"
    recipe `x`: input `key` is no place of a secret: neither an ARN of Secrets Manager or SSM, nor the name of an SSM parameter
    give the secret's ARN, as in `key=arn:aws:secretsmanager:...`, or a parameter's name, as in `key={valueFrom: /app/token}`
    recipe `x`: input `key` is no place of a secret: neither an ARN of Secrets Manager or SSM, nor the name of an SSM parameter
    give the secret's ARN, as in `key=arn:aws:secretsmanager:...`, or a parameter's name, as in `key={valueFrom: /app/token}`
    recipe `x`: input `key` is no place of a secret: neither an ARN of Secrets Manager or SSM, nor the name of an SSM parameter
    give the secret's ARN, as in `key=arn:aws:secretsmanager:...`, or a parameter's name, as in `key={valueFrom: /app/token}`
    recipe `x`: input `key` is secret, and `Ref Token` is not given as `valueFrom`
    give the secret's ARN as `{valueFrom: ...}`, for example `key={valueFrom: !Ref AgentSecret}`
    recipe `x`: input `key`: CloudFormation has no function `Fn::Reff`
    did you mean `Ref`?
    recipe `x`: input `key`: CloudFormation has no function `Fn::Subb`
    did you mean `Sub`?
    ");
}

#[test]
fn secret_values_are_never_shown() {
    let recipe = recipe(
        "inputs:\n  key: {description: d, secret: true, allowed: [a, b]}\n  other: {description: o, secret: true}\nworkload:\n  - settings:\n      environment:\n        - {name: KEY, value: '{{ inputs.other }}'}\n",
    );
    let inputs = given(&[("key", "hunter2"), ("oter", "hunter2")]);
    assert!(!format!("{inputs:?}").contains("hunter2"));
    let error = recipe.bind(inputs).unwrap_err();
    assert!(!format!("{error:?} {error}").contains("hunter2"));
    let bound = bind(&recipe, &[("other", "hunter2")]);
    let workload = bound.workload(&task(), &container("root")).unwrap();
    assert!(!format!("{bound:?} {workload:?} {:?}", bound.recipe()).contains("hunter2"));
    assert!(json!(workload.settings).to_string().contains("hunter2"));
}

#[test]
fn a_nul_is_refused() {
    let recipe = recipe("inputs:\n  a: {description: d}\n");
    let inputs = [("a".to_owned(), InputValue::Plain(json!("x\0y")))];
    let error = recipe.bind(inputs.into()).unwrap_err();
    insta::assert_snapshot!(error, @"recipe `x`: input `a` holds a NUL character");
}

#[test]
fn every_recipe_takes_the_common_inputs() {
    let names = |recipe: &Recipe| {
        let names = recipe.declarations().iter().map(|input| input.name.clone());
        names.collect::<Vec<_>>().join(" ")
    };
    insta::assert_snapshot!(names(&vendor("alert-logic")), @"deployment key image sidecarCpu sidecarMemory sidecarMemoryReservation sidecarEssential registryCredentials executionRole");
    insta::assert_snapshot!(names(&vendor("lacework")), @"accessToken serverUrl config verbose nonRoot embedded image sidecarCpu sidecarMemory sidecarMemoryReservation sidecarEssential registryCredentials executionRole arrangement");
    insta::assert_snapshot!(names(&recipe("")), @"executionRole");
}

#[test]
fn common_inputs_change_the_first_sidecar_and_the_task() {
    let inputs = [
        ("image", "registry.example/agent@sha256:0"),
        ("sidecarCpu", "64"),
        ("sidecarMemory", "128"),
        ("sidecarMemoryReservation", "32"),
        ("sidecarEssential", "false"),
        ("registryCredentials", "arn:aws:secretsmanager:x"),
        ("executionRole", "{value: !GetAtt Role.Arn}"),
    ];
    let bound = bind(&vendor("alert-logic"), &inputs);
    assert_eq!(
        Value::Object(bound.sidecar(0, &task(), &[]).unwrap()),
        json!({
            "name": "al-agent",
            "image": "registry.example/agent@sha256:0",
            "essential": false,
            "cpu": 64,
            "memory": 128,
            "memoryReservation": 32,
            "repositoryCredentials": {"credentialsParameter": "arn:aws:secretsmanager:x"},
        }),
    );
    assert_eq!(
        Value::Object(bound.task(&task(), &[]).unwrap()),
        json!({"executionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}),
    );
}

#[test]
fn arrangement_replaces_prefix_only() {
    for (text, expected) in [
        ("prefix", Arrangement::Prefix),
        ("command", Arrangement::Command),
        ("entry-point", Arrangement::EntryPoint),
        ("none", Arrangement::None),
    ] {
        let inputs = [
            ("accessToken", "t"),
            ("nonRoot", "sudo"),
            ("arrangement", text),
        ];
        let bound = bind(&vendor("lacework"), &inputs);
        let arrangement = |user: &str| {
            let workload = bound.workload(&task(), &container(user)).unwrap();
            workload.process.unwrap().arrangement
        };
        assert_eq!(arrangement("root"), expected);
        assert_eq!(arrangement("app"), Arrangement::ShellJoin);
    }
    insta::assert_snapshot!(
        errors(&vendor("lacework"), &[("accessToken", "t"), ("arrangement", "suffix")]),
        @"recipe `lacework`: input `arrangement` has to be one of `prefix`, `command`, `entry-point`, `none`"
    );
    insta::assert_snapshot!(
        errors(&vendor("lacework"), &[("accessToken", "t"), ("arrangement", "{value: !Ref A}")]),
        @"recipe `lacework`: input `arrangement` has to be a text, not an intrinsic function"
    );
}

/// A recipe about whose inputs there is much to say.
const SAID: &str = "inputs:
  key: {description: k, secret: true, secretKey: api_key}
  other: {description: o, secret: true}
  names: {description: n, type: list, names: containers}
  name: {description: n, names: containers}
  agent: {description: a}
  server: {description: s}
compatibility:
  - inputs: [agent, server]
    versions: [['4', '4.1'], ['5.1', '5']]
    link: https://vendor.example
sidecars:
  - name: s
    mutableImage: warn
    settings: {essential: true, image: \"{{ inputs.image if inputs.image is not none else 'r/agent:' ~ (inputs.agent if inputs.agent is not none else 'latest') }}\"}
";

/// What is said about inputs that are taken.
#[test]
fn inputs_may_be_better_otherwise() {
    let recipe = recipe(SAID);
    let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x";
    let bound = bind(
        &recipe,
        &[
            ("key", arn),
            ("other", arn),
            ("names", "a,b"),
            ("name", "c"),
        ],
    );
    assert_eq!(bound.whole_secrets(), [("key", "api_key")]);
    assert_eq!(
        bound.named_containers(),
        [("names", vec!["a", "b"]), ("name", vec!["c"])]
    );
    assert_eq!(bound.mutable_images(), ["r/agent:latest"]);
    assert!(bound.undocumented_versions().is_empty());
    let notes: Vec<_> = bound.permissions().compatibility.iter().collect();
    let texts: Vec<_> = notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(
        texts,
        ["`agent` 4 with `server` 4.1", "`agent` 5.1 with `server` 5"]
    );

    let keyed = bind(&recipe, &[("key", &format!("{arn}:api_key::"))]);
    assert!(keyed.whole_secrets().is_empty());
}

#[test]
fn images_may_be_mutable_and_versions_undocumented() {
    let recipe = recipe(SAID);
    for (image, mutable) in [
        ("r/a", true),
        ("r:5000/a", true),
        ("r:5000/a:latest", true),
        ("a:1", false),
        ("a:latest-sidecar", false),
        ("a:latest@sha256:00", false),
        ("{value: !Ref Image}", false),
    ] {
        let bound = bind(&recipe, &[("image", image)]);
        assert_eq!(!bound.mutable_images().is_empty(), mutable, "{image}");
    }
    for (agent, server, documented) in [
        ("4.2.0", "4.1.9", true),
        ("5.1.0", "5", true),
        ("5.10", "5", false),
        ("5.1", "4.1", false),
        ("{value: !Ref V}", "5", false),
    ] {
        let bound = bind(&recipe, &[("agent", agent), ("server", server)]);
        assert_eq!(bound.undocumented_versions().is_empty(), documented);
    }
}

#[test]
fn wrapping_nothing_is_not_wrapping() {
    let recipe = recipe("workload:\n  - process: {wrapper: [/w]}\n");
    assert!(bind(&recipe, &[]).wraps());
    assert!(bind(&recipe, &[("arrangement", "command")]).wraps());
    assert!(!bind(&recipe, &[("arrangement", "none")]).wraps());
}

#[test]
fn values_from_a_document() {
    let told = |value: Value| match InputValue::from_value(value) {
        Ok(InputValue::Plain(value)) => format!("value {value}"),
        Ok(InputValue::ValueFrom(value)) => format!("valueFrom {value}"),
        Err(error) => error.to_string(),
    };
    let table = [
        told(json!("{value: a}")),
        told(json!(["a"])),
        told(json!({"value": "a"})),
        told(json!({"valueFrom": "/a"})),
        told(json!({"valueFrom": ""})),
        told(json!({"value": "a", "valueFrom": "/a"})),
        told(json!({"ValueFrom": "/a"})),
        told(json!({"Ref": "A"})),
        told(json!({"other": "a", "value": "b"})),
    ];
    insta::assert_snapshot!(table.join("\n"), @r#"
    value "{value: a}"
    value ["a"]
    value "a"
    valueFrom "/a"
    `valueFrom` has to be an ARN, the name of an SSM parameter, or an intrinsic function
    an input is given as `value` or as `valueFrom`, not as both
    an input is given as `{value: ...}` or as `{valueFrom: ...}`, and its key is spelled otherwise
    value {"Ref":"A"}
    value {"other":"a","value":"b"}
    "#);
    let shown = format!(
        "{:?} {:?}",
        InputValue::Plain(json!("hunter2")),
        InputValue::ValueFrom(json!("/a"))
    );
    assert_eq!(shown, "Plain(..) ValueFrom(..)");
}

#[test]
fn no_input_holds_a_nul_and_no_list_a_hole() {
    let recipe = recipe("inputs: {a: {description: d}, l: {description: d, type: list}}");
    let told = |name: &str, value: InputValue| {
        let given = BTreeMap::from([(name.to_owned(), value)]);
        recipe
            .bind(given)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let mut table = Vec::new();
    for value in [
        json!("a\u{0}"),
        json!({"Fn::Sub": "a\u{0}"}),
        json!({"Fn::Join": ["", ["\u{0}"]]}),
    ] {
        table.push(told("a", InputValue::Plain(value.clone())).unwrap_err());
        table.push(told("a", InputValue::ValueFrom(value)).unwrap_err());
    }
    table.push(told("l", InputValue::Plain(json!(["a", "\u{0}"]))).unwrap_err());
    table.push(told("l", InputValue::Plain(json!(["a", null]))).unwrap_err());
    assert_eq!(
        told("l", InputValue::Plain(json!(["a", {"Ref": "B"}, 1]))),
        Ok(())
    );
    assert_eq!(told("l", InputValue::Plain(json!([]))), Ok(()));
    insta::assert_snapshot!(table.join("\n"), @"
    recipe `x`: input `a` holds a NUL character
    recipe `x`: input `a` holds a NUL character
    recipe `x`: input `a` holds a NUL character
    recipe `x`: input `a` holds a NUL character
    recipe `x`: input `a` holds a NUL character
    recipe `x`: input `a` holds a NUL character
    recipe `x`: input `l` holds a NUL character
    recipe `x`: input `l` has to be a list of texts
    ");
}
