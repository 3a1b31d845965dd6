//! Which values may stand where, and what becomes of them on the way.

use super::*;

const INPUTS: &str = "inputs: {a: {description: d}, n: {description: d, type: integer}, f: {description: d, type: boolean}, l: {description: d, type: list}, s: {description: d, secret: true}}\n";
const GIVEN: &[(&str, &str)] = &[
    ("a", r#"{"Ref": "A"}"#),
    ("n", "5"),
    ("f", "true"),
    ("l", "[x]"),
    ("s", r#"{"valueFrom": "/s"}"#),
];

/// What a setting of a sidecar becomes.
fn of_sidecar(setting: &str, written: &Value, given: &[(&str, &str)]) -> String {
    let body = format!(
        "{INPUTS}sidecars: [{{name: s, settings: {{essential: false, image: i, {setting}: {written}}}}}]\n"
    );
    match bind(&recipe(&body), given).sidecar(0, &task(), &[container("root")]) {
        Ok(sidecar) => sidecar[setting].to_string(),
        Err(error) => error.to_string(),
    }
}

/// The same of each expression, with all inputs given.
fn table(setting: &str, expressions: &[&str]) -> String {
    let one = |expression: &&str| {
        let told = of_sidecar(setting, &json!(expression), GIVEN);
        format!("{expression}: {told}")
    };
    expressions.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// One of each kind of place.
const SETTINGS: [&str; 6] = [
    "user",
    "cpu",
    "privileged",
    "command",
    "environment",
    "linuxParameters",
];
/// One of each kind of value.
const KINDS: [&str; 6] = [
    "{{ inputs.a }}",
    "{{ inputs.n }}",
    "{{ inputs.f }}",
    "{{ inputs.l }}",
    "{{ 'x' }}",
    "{{ '7' }}",
];

#[test]
fn what_stands_in_the_wrong_place_is_named() {
    let told = SETTINGS.map(|setting| format!("# {setting}\n{}", table(setting, &KINDS)));
    insta::assert_snapshot!(told.join("\n"), @r#"
    # user
    {{ inputs.a }}: {"Ref":"A"}
    {{ inputs.n }}: "5"
    {{ inputs.f }}: "true"
    {{ inputs.l }}: x.yaml:6:67: the expression gives a list, and a text belongs here
    {{ 'x' }}: "x"
    {{ '7' }}: "7"
    # cpu
    {{ inputs.a }}: {"Ref":"A"}
    {{ inputs.n }}: 5
    {{ inputs.f }}: x.yaml:6:66: the expression gives `true` or `false`, and a whole number belongs here
    {{ inputs.l }}: x.yaml:6:66: the expression gives a list, and a whole number belongs here
    {{ 'x' }}: x.yaml:6:66: the expression gives a text, and a whole number belongs here
    {{ '7' }}: 7
    # privileged
    {{ inputs.a }}: {"Ref":"A"}
    {{ inputs.n }}: x.yaml:6:73: the expression gives a number, and `true` or `false` belongs here
    {{ inputs.f }}: true
    {{ inputs.l }}: x.yaml:6:73: the expression gives a list, and `true` or `false` belongs here
    {{ 'x' }}: x.yaml:6:73: the expression gives a text, and `true` or `false` belongs here
    {{ '7' }}: x.yaml:6:73: the expression gives a text, and `true` or `false` belongs here
    # command
    {{ inputs.a }}: {"Ref":"A"}
    {{ inputs.n }}: x.yaml:6:70: the expression gives a number, and a list of texts belongs here
    {{ inputs.f }}: x.yaml:6:70: the expression gives `true` or `false`, and a list of texts belongs here
    {{ inputs.l }}: ["x"]
    {{ 'x' }}: x.yaml:6:70: the expression gives a text, and a list of texts belongs here
    {{ '7' }}: x.yaml:6:70: the expression gives a text, and a list of texts belongs here
    # environment
    {{ inputs.a }}: {"Ref":"A"}
    {{ inputs.n }}: x.yaml:6:74: the expression gives a number, and a list of maps belongs here
    {{ inputs.f }}: x.yaml:6:74: the expression gives `true` or `false`, and a list of maps belongs here
    {{ inputs.l }}: x.yaml:6:74: the expression gives a list, and a list of maps belongs here
    {{ 'x' }}: x.yaml:6:74: the expression gives a text, and a list of maps belongs here
    {{ '7' }}: x.yaml:6:74: the expression gives a text, and a list of maps belongs here
    # linuxParameters
    {{ inputs.a }}: {"Ref":"A"}
    {{ inputs.n }}: x.yaml:6:78: the expression gives a number, and a map belongs here
    {{ inputs.f }}: x.yaml:6:78: the expression gives `true` or `false`, and a map belongs here
    {{ inputs.l }}: x.yaml:6:78: the expression gives a list, and a map belongs here
    {{ 'x' }}: x.yaml:6:78: the expression gives a text, and a map belongs here
    {{ '7' }}: x.yaml:6:78: the expression gives a text, and a map belongs here
    "#);
}

#[test]
fn what_is_no_condition_is_named() {
    let told = |condition: &str| {
        let body =
            format!("{INPUTS}workload: [{{when: \"{condition}\", settings: {{user: u}}}}]\n");
        let error = bind(&recipe(&body), GIVEN).workload(&task(), &container("root"));
        format!("{condition}: {}", error.unwrap_err())
    };
    let table = ["inputs.n", "inputs.l", "'x'", "inputs.a ~ 'x'"].map(told);
    insta::assert_snapshot!(table.join("\n"), @"
    inputs.n: x.yaml:6:19: the expression gives a number, and `true` or `false` belongs here
    inputs.l: x.yaml:6:19: the expression gives a list, and `true` or `false` belongs here
    'x': x.yaml:6:19: the expression gives a text, and `true` or `false` belongs here
    inputs.a ~ 'x': x.yaml:6:19: the expression gives an intrinsic function, and `true` or `false` belongs here
    ");
}

#[test]
fn a_list_of_texts_holds_nothing_else() {
    insta::assert_snapshot!(table("command", &[
        "{{ [inputs.n, 'x', true] }}",
        "{{ [] }}",
        "{{ [inputs.a] }}",
        "{{ [none] }}",
        "{{ [['x']] }}",
        "{{ [inputs.l[9]] }}",
        "{{ [inputs.s] }}",
    ]), @r#"
    {{ [inputs.n, 'x', true] }}: ["5","x","true"]
    {{ [] }}: []
    {{ [inputs.a] }}: [{"Ref":"A"}]
    {{ [none] }}: x.yaml:6:70: the expression gives a list, and a list of texts belongs here
    {{ [['x']] }}: x.yaml:6:70: the expression gives a list, and a list of texts belongs here
    {{ [inputs.l[9]] }}: x.yaml:6:70: the expression reads something that is not defined
    {{ [inputs.s] }}: x.yaml:6:70: `inputs.s` is given as `valueFrom`, and can only be the whole value of an environment variable
    "#);
}

#[test]
fn lists_nest_to_a_depth() {
    let nested = |depth: usize| {
        let expression = format!("{{{{ {}'x'{} }}}}", "[".repeat(depth), "]".repeat(depth));
        of_sidecar("command", &json!([expression]), GIVEN)
    };
    assert_eq!(nested(1), r#"["x"]"#);
    insta::assert_snapshot!(nested(20), @"x.yaml:6:71: the expression gives a list, and a text or a list of texts belongs here");
    insta::assert_snapshot!(nested(21), @"x.yaml:6:71: the expression takes too many steps or gives too much text");
}

#[test]
fn entries_may_be_functions() {
    let given = [("l", r#"[{"Ref": "X"}]"#)];
    let environment = of_sidecar("environment", &json!("{{ inputs.l }}"), &given);
    assert_eq!(environment, r#"[{"Ref":"X"}]"#);
}

#[test]
fn what_is_kept_elsewhere_stands_by_itself() {
    insta::assert_snapshot!(table("user", &["{{ inputs.s }}", "-{{ inputs.s }}"]), @"
    {{ inputs.s }}: x.yaml:6:67: `inputs.s` is given as `valueFrom`, and can only be the whole value of an environment variable
    -{{ inputs.s }}: x.yaml:6:67: `inputs.s` is given as `valueFrom`, and can only be the whole value of an environment variable
    ");
}

#[test]
fn names_of_containers() {
    insta::assert_snapshot!(table("user", &[
        "{{ containers[0].image }}",
        "{{ containers[0]['image'] }}",
        "{{ containers[0]['family'] }}",
        "{{ containers[0][1] }}",
        "{{ containers[1].image }}",
        "{% for c in containers %}{{ c }}{% endfor %}",
        "{% for c in containers %}{{ c['user'] }}{% endfor %}",
        "{% for c in containers %}{% for name in c %}{{ name }};{% endfor %}{% endfor %}",
    ]), @r#"
    {{ containers[0].image }}: "nginx:1"
    {{ containers[0]['image'] }}: "nginx:1"
    {{ containers[0]['family'] }}: x.yaml:6:67: the expression reads something that is not defined
    {{ containers[0][1] }}: x.yaml:6:67: the expression reads something that is not defined
    {{ containers[1].image }}: x.yaml:6:67: the expression reads something that is not defined
    {% for c in containers %}{{ c }}{% endfor %}: x.yaml:6:67: a map cannot stand inside a text
    {% for c in containers %}{{ c['user'] }}{% endfor %}: "root"
    {% for c in containers %}{% for name in c %}{{ name }};{% endfor %}{% endfor %}: "name;image;user;readonlyRootFilesystem;wrapperInImage;"
    "#);
    let errors = ["{{ inputs['a'] }}", "{{ task['family'] }}"].map(|source| {
        let body = format!("{INPUTS}task: [{{settings: {{pidMode: \"{source}\"}}}}]\n");
        Recipe::parse("x.yaml", &with_head(&body))
            .unwrap_err()
            .to_string()
    });
    insta::assert_snapshot!(errors.join("\n"), @"
    x.yaml:6:29: `inputs` needs a name after it, with a dot
    x.yaml:6:29: `task` needs a name after it, with a dot
    ");
}

/// What an expression gives of a fact in which anything may stand.
fn of_fact(expression: &str, fact: Value) -> String {
    let body = format!(
        "sidecars: [{{name: s, when: container.name is not none, settings: {{essential: false, image: i}}}}]\nworkload: [{{settings: {{environment: [{{name: A, value: {}}}]}}}}]\n",
        json!(expression)
    );
    let container = ContainerFacts {
        readonly_root_filesystem: fact,
        ..container("root")
    };
    match bind(&recipe(&body), &[]).workload(&task(), &container) {
        Ok(workload) => {
            let settings = Value::Object(workload.settings);
            format!("{expression}: {}", settings["environment"][0]["value"])
        }
        Err(error) => format!("{expression}: {error}"),
    }
}

#[test]
fn values_pass_through_as_they_are() {
    let fact = || json!({"a": {"Ref": "X"}, "b": [1.50, {"Ref": "Y"}, "c", null], "d": true, "e": 7, "p": ["x", "y"]});
    let sources = [
        "{{ container.readonlyRootFilesystem.a }}",
        "{{ container.readonlyRootFilesystem.b[0] }}",
        "-{{ container.readonlyRootFilesystem.b[0] }}-{{ container.readonlyRootFilesystem.b[1] }}",
        "{{ container.readonlyRootFilesystem.b[2] }}",
        "{{ container.readonlyRootFilesystem.b[4] }}",
        "{{ container.readonlyRootFilesystem.d }}",
        "-{{ container.readonlyRootFilesystem.e }}",
        "{{ container.readonlyRootFilesystem.f }}",
        "-{{ container.readonlyRootFilesystem }}",
        "-{{ container.readonlyRootFilesystem.b }}",
        "{{ container.readonlyRootFilesystem }}",
        "{{ container.readonlyRootFilesystem.a.b }}",
        "{{ container.readonlyRootFilesystem.a.Ref }}",
        "{% for x in container.readonlyRootFilesystem.p %}{{ loop.length }}{{ x }};{% endfor %}",
        "{% for x in container.readonlyRootFilesystem %}{{ loop.length }}{{ x }};{% endfor %}",
    ];
    insta::assert_snapshot!(sources.map(|source| of_fact(source, fact())).join("\n"), @r#"
    {{ container.readonlyRootFilesystem.a }}: {"Ref":"X"}
    {{ container.readonlyRootFilesystem.b[0] }}: "1.5"
    -{{ container.readonlyRootFilesystem.b[0] }}-{{ container.readonlyRootFilesystem.b[1] }}: x.yaml:6:55: `container.readonlyRootFilesystem.b[1]` is `Ref Y`, and its value is needed here
    {{ container.readonlyRootFilesystem.b[2] }}: "c"
    {{ container.readonlyRootFilesystem.b[4] }}: x.yaml:6:55: the expression reads something that is not defined
    {{ container.readonlyRootFilesystem.d }}: "true"
    -{{ container.readonlyRootFilesystem.e }}: "-7"
    {{ container.readonlyRootFilesystem.f }}: x.yaml:6:55: the expression reads something that is not defined
    -{{ container.readonlyRootFilesystem }}: x.yaml:6:55: a map cannot stand inside a text
    -{{ container.readonlyRootFilesystem.b }}: x.yaml:6:55: a list cannot stand inside a text
    {{ container.readonlyRootFilesystem }}: x.yaml:6:55: the expression gives a map, and a text belongs here
    {{ container.readonlyRootFilesystem.a.b }}: x.yaml:6:55: `container.readonlyRootFilesystem.a` is `Ref X`, and its value is needed here
    {{ container.readonlyRootFilesystem.a.Ref }}: x.yaml:6:55: `container.readonlyRootFilesystem.a` is `Ref X`, and its value is needed here
    {% for x in container.readonlyRootFilesystem.p %}{{ loop.length }}{{ x }};{% endfor %}: "2x;2y;"
    {% for x in container.readonlyRootFilesystem %}{{ loop.length }}{{ x }};{% endfor %}: "5a;5b;5d;5e;5p;"
    "#);
}

#[test]
fn what_needs_the_value_of_a_function_is_refused() {
    let fact = || json!({"a": {"Ref": "X"}, "b": ["c", {"Ref": "Y"}], "m": {"k": "v"}});
    let sources = [
        "{{ 'y' if container.readonlyRootFilesystem.a == 'x' else 'n' }}",
        "{{ 'y' if container.readonlyRootFilesystem.a is none else 'n' }}",
        "{{ 'y' if container.readonlyRootFilesystem.b is none else 'n' }}",
        "{{ container.readonlyRootFilesystem.b | join('-') }}",
        "{{ container.readonlyRootFilesystem.b | length }}",
        "{{ container.readonlyRootFilesystem.m | length }}",
        "{{ container.readonlyRootFilesystem.m | json }}",
        "{{ container.readonlyRootFilesystem.m.k }}",
        "{% for x in container.readonlyRootFilesystem.b %}{{ x }};{% endfor %}",
        "{% for x in container.readonlyRootFilesystem.m %}{{ x }};{% endfor %}",
        "{% for x in container.readonlyRootFilesystem.a %}{{ x }};{% endfor %}",
        "{% for x in container.readonlyRootFilesystem.b %}{{ loop.length }};{% endfor %}",
        "{% for x in container.readonlyRootFilesystem.b %}{% if x == 'c' %}{{ x }}{% endif %}{% endfor %}",
        "{{ 'y' if 'k' in container.readonlyRootFilesystem.m else 'n' }}",
        "{{ 'y' if 'c' in container.readonlyRootFilesystem.b else 'n' }}",
        "{{ 'y' if 'd' in container.readonlyRootFilesystem.b else 'n' }}",
        "{{ 'y' if container.readonlyRootFilesystem.b == ['c', 'd'] else 'n' }}",
        "{{ 'y' if container.readonlyRootFilesystem.m == 'v' else 'n' }}",
    ];
    insta::assert_snapshot!(sources.map(|source| of_fact(source, fact())).join("\n"), @r#"
    {{ 'y' if container.readonlyRootFilesystem.a == 'x' else 'n' }}: x.yaml:6:55: `container.readonlyRootFilesystem.a` is `Ref X`, and its value is needed here
    {{ 'y' if container.readonlyRootFilesystem.a is none else 'n' }}: "n"
    {{ 'y' if container.readonlyRootFilesystem.b is none else 'n' }}: "n"
    {{ container.readonlyRootFilesystem.b | join('-') }}: {"Fn::Join":["",["c-",{"Ref":"Y"}]]}
    {{ container.readonlyRootFilesystem.b | length }}: x.yaml:6:55: `container.readonlyRootFilesystem.b[1]` is `Ref Y`, and its value is needed here
    {{ container.readonlyRootFilesystem.m | length }}: x.yaml:6:55: a filter needs a list
    {{ container.readonlyRootFilesystem.m | json }}: "{\"k\":\"v\"}"
    {{ container.readonlyRootFilesystem.m.k }}: "v"
    {% for x in container.readonlyRootFilesystem.b %}{{ x }};{% endfor %}: x.yaml:6:55: `container.readonlyRootFilesystem.b[1]` is `Ref Y`, and its value is needed here
    {% for x in container.readonlyRootFilesystem.m %}{{ x }};{% endfor %}: "k;"
    {% for x in container.readonlyRootFilesystem.a %}{{ x }};{% endfor %}: x.yaml:6:55: `container.readonlyRootFilesystem.a` is `Ref X`, and its value is needed here
    {% for x in container.readonlyRootFilesystem.b %}{{ loop.length }};{% endfor %}: x.yaml:6:55: `container.readonlyRootFilesystem.b[1]` is `Ref Y`, and its value is needed here
    {% for x in container.readonlyRootFilesystem.b %}{% if x == 'c' %}{{ x }}{% endif %}{% endfor %}: x.yaml:6:55: `container.readonlyRootFilesystem.b[1]` is `Ref Y`, and its value is needed here
    {{ 'y' if 'k' in container.readonlyRootFilesystem.m else 'n' }}: "y"
    {{ 'y' if 'c' in container.readonlyRootFilesystem.b else 'n' }}: "y"
    {{ 'y' if 'd' in container.readonlyRootFilesystem.b else 'n' }}: x.yaml:6:55: `container.readonlyRootFilesystem.b[1]` is `Ref Y`, and its value is needed here
    {{ 'y' if container.readonlyRootFilesystem.b == ['c', 'd'] else 'n' }}: x.yaml:6:55: `container.readonlyRootFilesystem.b[1]` is `Ref Y`, and its value is needed here
    {{ 'y' if container.readonlyRootFilesystem.m == 'v' else 'n' }}: "n"
    "#);
}

#[test]
fn numbers_keep_their_spelling() {
    let told = |number: &str| {
        let fact: Value = serde_json::from_str(number).unwrap();
        let sources = [
            "{{ container.readonlyRootFilesystem }}",
            "-{{ container.readonlyRootFilesystem }}",
            "{{ 'y' if container.readonlyRootFilesystem == 5 else 'n' }}",
        ];
        sources
            .map(|source| of_fact(source, fact.clone()))
            .join("\n")
    };
    let numbers = ["5", "1.50", "-0", "1e3", "12345678901234567890"];
    insta::assert_snapshot!(numbers.map(told).join("\n"), @r#"
    {{ container.readonlyRootFilesystem }}: "5"
    -{{ container.readonlyRootFilesystem }}: "-5"
    {{ 'y' if container.readonlyRootFilesystem == 5 else 'n' }}: "y"
    {{ container.readonlyRootFilesystem }}: "1.50"
    -{{ container.readonlyRootFilesystem }}: "-1.50"
    {{ 'y' if container.readonlyRootFilesystem == 5 else 'n' }}: "n"
    {{ container.readonlyRootFilesystem }}: "-0"
    -{{ container.readonlyRootFilesystem }}: "--0"
    {{ 'y' if container.readonlyRootFilesystem == 5 else 'n' }}: "n"
    {{ container.readonlyRootFilesystem }}: "1e+3"
    -{{ container.readonlyRootFilesystem }}: "-1e+3"
    {{ 'y' if container.readonlyRootFilesystem == 5 else 'n' }}: "n"
    {{ container.readonlyRootFilesystem }}: "12345678901234567890"
    -{{ container.readonlyRootFilesystem }}: "-12345678901234567890"
    {{ 'y' if container.readonlyRootFilesystem == 5 else 'n' }}: "n"
    "#);
}
