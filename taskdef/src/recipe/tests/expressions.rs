//! What expressions and texts give, and what they refuse.

use super::*;

const INPUTS: &str = "  a: {description: d, mayBeEmpty: true}\n  b: {description: d}\n  list: {description: d, type: list}\n  flag: {description: d, type: boolean}\n  number: {description: d, type: integer}";

fn text(source: &str, given: &[(&str, &str)]) -> Result<Value, String> {
    let quoted = serde_json::to_string(source).unwrap();
    match value(INPUTS, &quoted, given) {
        Ok(settings) => Ok(settings
            .pointer("/environment/0/value")
            .cloned()
            .unwrap_or_default()),
        Err(error) => Err(shown(&error, error.hint())),
    }
}

#[test]
fn text_passes_unchanged() {
    for constant in [
        "",
        "$PLATFORM",
        "/.aquasec/bin/$PLATFORM/slklib.so",
        "$(hostname) && ${#name} #} `x`",
        "'single' \"double\" \\ back",
        "größer 漢字 🦀",
        "{ {a} } %} }}",
        "line\nline\n",
        " leading and trailing ",
        "yes",
        "012",
    ] {
        assert_eq!(text(constant, &[]), Ok(json!(constant)));
    }
}

#[test]
fn rendering_is_a_single_pass() {
    let nasty = "{{ inputs.b }}{% for x in y %}{# $x #}";
    for source in ["{{ inputs.a }}", "<{{ inputs.a }}>"] {
        let rendered = text(source, &[("a", nasty), ("b", "never")]);
        assert_eq!(rendered, Ok(json!(source.replace("{{ inputs.a }}", nasty))));
    }
    let recipe = recipe(
        "workload:\n  - settings:\n      environment:\n        - {name: A, value: 'n={{ container.name }}'}\n",
    );
    let app = ContainerFacts {
        name: json!("{{ task.family }}"),
        ..container("root")
    };
    assert_eq!(
        settings(&bind(&recipe, &[]), &app).pointer("/environment/0/value"),
        Some(&json!("n={{ task.family }}")),
    );
}

#[test]
fn an_empty_value_survives_and_a_missing_one_leaves_the_entry_out() {
    assert_eq!(text("{{ inputs.a }}", &[("a", "")]), Ok(json!("")));
    assert_eq!(value(INPUTS, "'{{ inputs.a }}'", &[]).unwrap(), json!({}));
    insta::assert_snapshot!(text("x{{ inputs.a }}", &[]).unwrap_err(), @"
    x.yaml:15:18: an input that was not given cannot stand inside a text
    give the input, or put the text into a block with a `when`
    ");
}

#[test]
fn an_expression_gives_text_where_text_belongs() {
    assert_eq!(
        text("{{ inputs.flag }}", &[("flag", "true")]),
        Ok(json!("true"))
    );
    assert_eq!(
        text("{{ inputs.number }}", &[("number", "7")]),
        Ok(json!("7"))
    );
    assert_eq!(text("{{- task.family -}}", &[]), Ok(json!("shop")));
    assert_eq!(
        text("{{ task.family }}/{{ container.name }}", &[]),
        Ok(json!("shop/app"))
    );
    assert_eq!(
        text("{{ task.family ~ '/' ~ container.name }}", &[]),
        Ok(json!("shop/app"))
    );
    assert_eq!(
        text("{{ 'on' if inputs.flag else 'off' }}", &[("flag", "false")]),
        Ok(json!("off")),
    );
    insta::assert_snapshot!(
        text("{{ inputs.list }}", &[("list", "a,b")]).unwrap_err(),
        @"x.yaml:15:18: the expression gives a list, and a text belongs here"
    );
    insta::assert_snapshot!(text("x{{ inputs.list }}", &[("list", "a,b")]).unwrap_err(), @"
    x.yaml:15:18: a list cannot stand inside a text
    give the input, or put the text into a block with a `when`
    ");
}

#[test]
fn an_intrinsic_stays_one_and_joins_inside_text() {
    let reference = "{value: !Ref Url}";
    assert_eq!(
        text("{{ inputs.a }}", &[("a", reference)]),
        Ok(json!({"Ref": "Url"}))
    );
    let joined = json!({"Fn::Join": ["", ["https://", {"Ref": "Url"}, "/v1"]]});
    assert_eq!(
        text("https://{{ inputs.a }}/v1", &[("a", reference)]),
        Ok(joined.clone())
    );
    assert_eq!(
        text("{{ 'https://' ~ inputs.a ~ '/v1' }}", &[("a", reference)]),
        Ok(joined)
    );
    assert_eq!(
        text("{{ inputs.a }}{{ inputs.a }}", &[("a", reference)]),
        Ok(json!({"Fn::Join": ["", [{"Ref": "Url"}, {"Ref": "Url"}]]})),
    );
    assert_eq!(
        text(
            "{{ inputs.list | join(',') }}",
            &[("list", "{value: [a, !Ref B, '3']}")]
        ),
        Ok(json!({"Fn::Join": ["", ["a,", {"Ref": "B"}, ",3"]]})),
    );
    let select = InputValue::parse(r#"{"value": {"Fn::Select": [0, ["1.10", 1.10]]}}"#).unwrap();
    let recipe = recipe(
        "inputs:\n  a: {description: d}\nworkload:\n  - settings: {user: 'u-{{ inputs.a }}'}\n",
    );
    let bound = recipe.bind([("a".to_owned(), select)].into()).unwrap();
    assert_eq!(
        settings(&bound, &container("root")).to_string(),
        r#"{"user":{"Fn::Join":["",["u-",{"Fn::Select":[0,["1.10",1.10]]}]]}}"#,
    );
}

#[test]
fn is_none_does_not_need_the_value() {
    let source = "{{ 'absent' if inputs.a is none else inputs.a }}";
    assert_eq!(text(source, &[]), Ok(json!("absent")));
    assert_eq!(text(source, &[("a", "x")]), Ok(json!("x")));
    assert_eq!(
        text(source, &[("a", "{value: !Ref Url}")]),
        Ok(json!({"Ref": "Url"}))
    );
    let source = "{% if inputs.a is not none %}[{{ inputs.a }}]{% endif %}";
    assert_eq!(text(source, &[]), Ok(json!("")));
    assert_eq!(
        text(source, &[("a", "{value: !Ref Url}")]),
        Ok(json!({"Fn::Join": ["", ["[", {"Ref": "Url"}, "]"]]})),
    );
}

#[test]
fn an_intrinsic_whose_value_is_needed_is_an_error_that_names_it() {
    let reference: &[(&str, &str)] = &[("a", "{value: !Ref Url}")];
    for source in [
        "{{ 'y' if inputs.a == 'x' else 'n' }}",
        "{{ 'y' if inputs.a else 'n' }}",
        "{{ 'y' if not inputs.a else 'n' }}",
        "{{ 'y' if inputs.a in ['x'] else 'n' }}",
        "{{ 'y' if 'x' in inputs.a else 'n' }}",
        "{{ 'y' if inputs.a ~ '' == 'x' else 'n' }}",
        "{{ inputs.a == 'x' }}",
        "{{ inputs.a and 'x' }}",
        "{{ inputs.a | upper }}",
        "{{ inputs.a | replace('a', 'b') }}",
        "{{ inputs.a | json }}",
        "{{ inputs.a | length }}",
        "{{ (inputs.a ~ 'x') | lower }}",
        "{{ inputs.a is startingwith('x') }}",
        "{{ inputs.a.Ref }}",
        "{% if inputs.a == 'x' %}y{% endif %}",
        "{% if inputs.a %}{{ inputs.a }}{% endif %}",
        "{% for x in inputs.a %}{{ x }}{% endfor %}",
    ] {
        let error = text(source, reference).unwrap_err();
        let name = "x.yaml:15:18: `inputs.a` is `Ref Url`, and its value is needed here\n";
        assert!(error.starts_with(name), "{source}: {error}");
    }
    insta::assert_snapshot!(
        text("{% for x in inputs.list %}{{ x }}{% endfor %}", &[("list", "[a, !Ref B]")]).unwrap_err(),
        @"
    x.yaml:15:18: `inputs.list[1]` is `Ref B`, and its value is needed here
    state the value itself in place of the intrinsic function
    "
    );
}

#[test]
fn what_is_given_as_value_from_is_whole_or_an_error() {
    let from: &[(&str, &str)] = &[("a", "{valueFrom: /name}")];
    assert_eq!(
        value(INPUTS, "'{{ inputs.a }}'", from).unwrap(),
        json!({"secrets": [{"name": "A", "valueFrom": "/name"}]}),
    );
    for source in [
        "x{{ inputs.a }}",
        "{{ inputs.a ~ 'x' }}",
        "{{ inputs.a == 'x' }}",
    ] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(
                text(source, from).unwrap_err(),
                @"x.yaml:15:18: `inputs.a` is given as `valueFrom`, and can only be the whole value of an environment variable"
            );
        }
    }
    // A value that only rendering knows becomes a secret as well.
    assert_eq!(
        value(
            INPUTS,
            "\"{{ inputs.a if container.user == 'root' else inputs.b }}\"",
            from
        )
        .unwrap(),
        json!({"secrets": [{"name": "A", "valueFrom": "/name"}]}),
    );
}

#[test]
fn lists_are_spliced() {
    let recipe = recipe(
        "inputs:\n  words: {description: d, type: list}\n  one: {description: d}\nsidecars:\n  - name: s\n    settings:\n      image: i\n      essential: true\n      entryPoint: [/wrap, '{{ inputs.words }}', '{{ inputs.one }}', end]\n      command: '{{ inputs.words }}'\n",
    );
    let sidecar = |inputs: &[(&str, &str)]| {
        let sidecar = bind(&recipe, inputs).sidecar(0, &task(), &[]).unwrap();
        json!([sidecar.get("entryPoint"), sidecar.get("command")])
    };
    assert_eq!(
        sidecar(&[("words", "[\"\", !Ref B, c d]"), ("one", "x")]),
        json!([["/wrap", "", {"Ref": "B"}, "c d", "x", "end"], ["", {"Ref": "B"}, "c d"]]),
    );
    assert_eq!(sidecar(&[]), json!([["/wrap", "end"], null]));
    assert_eq!(sidecar(&[("words", "")]), json!([["/wrap", "end"], []]));
    let split = "{value: !Split [',', !Ref B]}";
    let expected = json!({"Fn::Split": [",", {"Ref": "B"}]});
    assert_eq!(
        sidecar(&[("words", split)]),
        json!([["/wrap", expected, "end"], expected])
    );
}

#[test]
fn conditions_are_boolean() {
    let render = |when: &str, inputs: &[(&str, &str)]| {
        let recipe = recipe(&format!(
            "inputs:\n{INPUTS}\nworkload:\n  - when: {when}\n    settings: {{user: a}}\n"
        ));
        let workload = bind(&recipe, inputs).workload(&task(), &container("app"));
        match workload {
            Ok(workload) => Ok(workload.settings.contains_key("user")),
            Err(error) => Err(error.to_string()),
        }
    };
    assert_eq!(render("inputs.a is none", &[]), Ok(true));
    assert_eq!(
        render("inputs.a is not none", &[("a", "{value: !Ref A}")]),
        Ok(true)
    );
    assert_eq!(render("inputs.flag", &[("flag", "true")]), Ok(true));
    assert_eq!(
        render("container.user == 'app' and inputs.a is none", &[]),
        Ok(true)
    );
    assert_eq!(
        render("[container.user == 'app', inputs.a is not none]", &[]),
        Ok(false)
    );
    assert_eq!(render("[]", &[]), Ok(true));
    insta::assert_snapshot!(
        render("inputs.a", &[("a", "x")]).unwrap_err(),
        @"x.yaml:12:11: the expression gives a text, and `true` or `false` belongs here"
    );
    insta::assert_snapshot!(
        render("inputs.flag", &[]).unwrap_err(),
        @"x.yaml:12:11: the expression gives nothing, and `true` or `false` belongs here"
    );
    insta::assert_snapshot!(
        render("inputs.flag", &[("flag", "{value: !Ref Flag}")]).unwrap_err(),
        @"x.yaml:12:11: `inputs.flag` is `Ref Flag`, and its value is needed here"
    );
    insta::assert_snapshot!(
        render("inputs.a == 'x' or inputs.a is none", &[("a", "{value: !Sub 'secret-${A}'}")]).unwrap_err(),
        @"x.yaml:12:11: `inputs.a` is `Fn::Sub`, and its value is needed here"
    );
}

#[test]
fn facts_may_be_intrinsic_or_unknown() {
    let recipe = recipe(
        "workload:\n  - when: task.cpuArchitecture == 'ARM64'\n    settings: {user: arm}\n  - settings:\n      environment:\n        - {name: F, value: '{{ task.family }}'}\n        - {name: I, value: '<{{ container.image }}>'}\n",
    );
    let bound = bind(&recipe, &[]);
    let image = json!({"Fn::Sub": "${AWS::AccountId}.dkr.ecr/app"});
    let app = ContainerFacts {
        image: image.clone(),
        ..container("root")
    };
    assert_eq!(
        settings(&bound, &app),
        json!({"environment": [
            {"name": "F", "value": "shop"},
            {"name": "I", "value": {"Fn::Join": ["", ["<", image, ">"]]}},
        ]}),
    );
    let parameter = TaskFacts {
        cpu_architecture: json!({"Ref": "Arch"}),
        ..task()
    };
    insta::assert_snapshot!(
        bound.workload(&parameter, &app).unwrap_err(),
        @"x.yaml:6:11: `task.cpuArchitecture` is `Ref Arch`, and its value is needed here"
    );
    let unknown = TaskFacts {
        family: Value::Null,
        ..task()
    };
    insta::assert_snapshot!(
        bound.workload(&unknown, &app).unwrap_err(),
        @"x.yaml:10:28: `task.family` is not known"
    );
    // A text with a NUL is no text that ECS takes, and must not pass as a mark of ours.
    let nul = ContainerFacts {
        image: json!("a\u{0}0\u{0}"),
        ..container("root")
    };
    insta::assert_snapshot!(
        bound.workload(&task(), &nul).unwrap_err(),
        @"x.yaml:11:28: `container.image` is not known"
    );
}

#[test]
fn steps_and_output_are_bounded() {
    let long = "x".repeat(60_000);
    for source in [
        "{{ inputs.a }}{{ inputs.a }}",
        "{% for x in inputs.list %}{% for y in inputs.list %}{% for z in inputs.list %}{{ z }}{% endfor %}{% endfor %}{% endfor %}",
        "{{ inputs.a | replace('x', 'yyyy') }}",
        "{{ [inputs.a, inputs.a] | join(',') }}",
    ] {
        let list = "a,".repeat(500);
        let error = text(source, &[("a", &long), ("list", &list)]).unwrap_err();
        assert!(
            error.ends_with("takes too many steps or gives too much text"),
            "{error}"
        );
    }
}

#[test]
fn filters_and_tests() {
    for (source, expected) in [
        ("{{ inputs.list | length }}", "2"),
        ("{{ inputs.list | join('-') }}", "a-b \""),
        ("{{ inputs.list | json }}", "[\"a\",\"b \\\"\"]"),
        ("{{ inputs.a | json }}", "\"nginx:1\""),
        ("{{ inputs.b | json }}", "null"),
        ("{{ inputs.number | json }}", "5"),
        (
            "{{ inputs.a | upper | lower | replace(':', '_') }}",
            "nginx_1",
        ),
        ("{{ (inputs.a | split(':'))[0] }}", "nginx"),
        (
            "{{ inputs.a is startingwith('nginx') and inputs.a is endingwith('1') }}",
            "true",
        ),
        ("{{ 'a' in inputs.list and 'ngi' in inputs.a }}", "true"),
        (
            "{% for x in inputs.list %}{{ loop.index }}{{ x }};{% endfor %}",
            "1a;2b \";",
        ),
    ] {
        let inputs = [("a", "nginx:1"), ("list", "[a, 'b \"']"), ("number", "5")];
        assert_eq!(text(source, &inputs), Ok(json!(expected)), "{source}");
    }
    insta::assert_snapshot!(
        text("{{ inputs.number | upper }}", &[("number", "5")]).unwrap_err(),
        @"x.yaml:15:18: a filter or test needs a text, and this is a number or boolean"
    );
}

/// Each bound at its last value, and one more.
#[test]
fn bounds_are_exact() {
    const LIMIT: usize = 64 * 1024;
    let gives = |source: &str, size: usize| {
        let long = "x".repeat(size);
        text(source, &[("a", &long)]).is_ok()
    };
    for (source, most) in [
        ("{{ inputs.a }}y", LIMIT - 1),
        ("{{ inputs.a | replace('x', 'y') }}", LIMIT),
        ("{{ [inputs.a, 'y'] | join(',') }}", LIMIT - 2),
        // Two quotes.
        ("{{ inputs.a | json }}", LIMIT - 2),
    ] {
        assert!(gives(source, most), "{source}");
        assert!(!gives(source, most + 1), "{source}");
    }
    // What a replacement may take is bounded before it is made: `none` is found here.
    let replaced = |to: usize| {
        let long = "x".repeat(LIMIT);
        let source = format!("{{{{ inputs.a | replace('none', '{}') }}}}", "y".repeat(to));
        text(&source, &[("a", &long)]).is_ok()
    };
    assert!(replaced(16) && !replaced(17));
    let source = |size: usize| {
        let body = format!(
            "workload: [{{settings: {{user: \"{{{{ inputs.image }}}}{}\"}}}}]",
            "x".repeat(size)
        );
        let head = "inputs: {image: {description: d}}\n";
        Recipe::parse("x.yaml", &with_head(&format!("{head}{body}"))).is_ok()
    };
    let fits = LIMIT - "{{ inputs.image }}".len();
    assert!(source(fits) && !source(fits + 1));
}

/// What sources give with inputs that are functions, and with a list of texts.
fn told_of(sources: &[&str]) -> String {
    let functions = [("list", r#"["a", {"Ref": "B"}]"#), ("a", r#"{"Ref": "A"}"#)];
    let plain = [("list", "[a, b]")];
    let told = sources.iter().map(|source| {
        let told = [&functions[..], &plain[..]].map(|inputs| match text(source, inputs) {
            Ok(value) => value.to_string(),
            Err(error) => error,
        });
        format!("{source}\n  {}", told.join("\n  "))
    });
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_cannot_stand_in_a_text() {
    insta::assert_snapshot!(told_of(&[
        "-{{ inputs.list }}",
        "{% for x in [inputs.list] %}{{ x }}{% endfor %}",
        "-{{ [inputs.list] }}",
        "-{{ inputs.b }}",
        "{{ [inputs.list] | join('-') }}",
    ]), @"
    -{{ inputs.list }}
      x.yaml:15:18: a list cannot stand inside a text
    give the input, or put the text into a block with a `when`
      x.yaml:15:18: a list cannot stand inside a text
    give the input, or put the text into a block with a `when`
    {% for x in [inputs.list] %}{{ x }}{% endfor %}
      x.yaml:15:18: a list cannot stand inside a text
    give the input, or put the text into a block with a `when`
      x.yaml:15:18: a list cannot stand inside a text
    give the input, or put the text into a block with a `when`
    -{{ [inputs.list] }}
      x.yaml:15:18: a list cannot stand inside a text
    give the input, or put the text into a block with a `when`
      x.yaml:15:18: a list cannot stand inside a text
    give the input, or put the text into a block with a `when`
    -{{ inputs.b }}
      x.yaml:15:18: an input that was not given cannot stand inside a text
    give the input, or put the text into a block with a `when`
      x.yaml:15:18: an input that was not given cannot stand inside a text
    give the input, or put the text into a block with a `when`
    {{ [inputs.list] | join('-') }}
      x.yaml:15:18: a list cannot stand inside a text
    give the input, or put the text into a block with a `when`
      x.yaml:15:18: a list cannot stand inside a text
    give the input, or put the text into a block with a `when`
    ");
}

#[test]
fn what_filters_do_not_take() {
    insta::assert_snapshot!(told_of(&[
        "{{ inputs.list | json }}",
        "{{ inputs.a | json }}",
        "{{ inputs.a | length }}",
        "{{ inputs.b | length }}",
        "{{ inputs.a | join('-') }}",
        "{{ 'x' | join('-') }}",
        "{{ inputs.list | upper }}",
    ]), @r#"
    {{ inputs.list | json }}
      x.yaml:15:18: `json` needs the value of an intrinsic function
      "[\"a\",\"b\"]"
    {{ inputs.a | json }}
      x.yaml:15:18: `inputs.a` is `Ref A`, and its value is needed here
    state the value itself in place of the intrinsic function
      "null"
    {{ inputs.a | length }}
      x.yaml:15:18: `inputs.a` is `Ref A`, and its value is needed here
    state the value itself in place of the intrinsic function
      x.yaml:15:18: a filter needs a list
    {{ inputs.b | length }}
      x.yaml:15:18: a filter needs a list
      x.yaml:15:18: a filter needs a list
    {{ inputs.a | join('-') }}
      x.yaml:15:18: `inputs.a` is `Ref A`, and its value is needed here
    state the value itself in place of the intrinsic function
      x.yaml:15:18: a filter needs a list
    {{ 'x' | join('-') }}
      x.yaml:15:18: a filter needs a list
      x.yaml:15:18: a filter needs a list
    {{ inputs.list | upper }}
      x.yaml:15:18: a filter or test needs a text, and this is a list
      x.yaml:15:18: a filter or test needs a text, and this is a list
    "#);
}
