use super::{Selector, SelectorError};
use crate::dialect::Dialect;
use serde_json::{Value, json};

fn error(query: &str) -> String {
    match Selector::parse(query) {
        Ok(_) => panic!("`{query}` is accepted"),
        Err(error) => format!("{error}\n  {}", error.hint(Dialect::CloudFormation)),
    }
}

fn document() -> Value {
    json!({"Resources": {"Api": {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {
            "Family": "api",
            "Cpu": 256,
            "ContainerDefinitions": [
                {"Name": "app", "Image": "app:1", "a b": 1, "Essential": true},
                {"Name": "envoy", "Image": "envoy:1", "DockerLabels": {"team": "mesh"}}
            ]
        }
    }}})
}

/// The names of the containers, or the types of other places, that a query selects.
fn selected(query: &str) -> Vec<String> {
    let document = document();
    let selector = Selector::parse(query).unwrap_or_else(|error| panic!("{error}"));
    let places = selector.matches(&document);
    let shown = |place: &&Value| match (place.get("Name"), place.get("Type")) {
        (Some(text), _) | (None, Some(text)) => text.as_str().unwrap_or_default().to_owned(),
        _ => place.to_string(),
    };
    places.iter().map(shown).collect()
}

const TASK: &str = "AWS::ECS::TaskDefinition";

#[test]
fn queries_select_what_the_rfc_says() {
    let table: &[(&str, &[&str])] = &[
        ("$.Resources[?@.Properties.Family == 'api']", &[TASK]),
        ("$.Resources[?@.Properties.Family == \"web\"]", &[]),
        (
            "$.Resources[?(@.Properties.Family=='api'&&@.Properties.Cpu<512)]",
            &[TASK],
        ),
        ("$.Resources[?!@.Condition]", &[TASK]),
        ("$.Resources.Api", &[TASK]),
        ("$['Resources']['Api']", &[TASK]),
        ("$.Resources.*", &[TASK]),
        ("$..ContainerDefinitions[?@.Name == 'envoy']", &["envoy"]),
        ("$..ContainerDefinitions[0]", &["app"]),
        ("$..ContainerDefinitions[-1:]", &["envoy"]),
        ("$..ContainerDefinitions[0, 1]", &["app", "envoy"]),
        ("$..[?@.DockerLabels.team]", &["envoy"]),
        ("$..[?@['a b'] == 1]", &["app"]),
        ("$..[?@['a b'] == 1 || @.Essential == true]", &["app"]),
        ("$..[?match(@.Image, 'env.*')]", &["envoy"]),
        ("$..[?search(@.Image, 'pp')]", &["app"]),
        ("$..[?length(@.Name) == 5]", &["envoy"]),
        ("$..[?count(@.DockerLabels.*) == 1]", &["envoy"]),
        ("$..[?value(@.DockerLabels.team) == 'mesh']", &["envoy"]),
        ("$..[?@.Name != 'app' && @.Image]", &["envoy"]),
        ("$.Resources[?@.Properties.Cpu == 256.0]", &[TASK]),
    ];
    for (query, expected) in table {
        assert_eq!(selected(query), *expected, "{query}");
    }
}

/// Each is accepted by the crate beneath, or would be if it stood alone.
#[test]
fn what_the_rfc_forbids_is_refused() {
    for query in [
        "",
        "Resources",
        "$.",
        "$.a b",
        "$.a\tb",
        "$.Resources.A pi",
        "$..[?@.a b == 1]",
        " $.a",
        "$.a ",
        "\n$",
        "$.a.",
        "$..",
        "$[",
        "$['a'",
        "$[a]",
        "$.'a'",
        "$[01]",
        "$[-0]",
        "$[1 2]",
        "$[9007199254740992]",
        "$[1:2:03]",
        "$['a\nb']",
        "$['\\x']",
        "$['\\uD800']",
        "$[?@.a == 01]",
        "$[?@.a = 1]",
        "$[?@.a === 1]",
        "$[?@.a == [1]]",
        "$[?@.* == 1]",
        "$[?@..a == 1]",
        "$[?true]",
        "$[?'a']",
        "$[?@.a == TRUE]",
        "$[?@.a and @.b]",
        "$[?nosuch(@.a)]",
        "$[?match(@.a)]",
        "$[?match(@.a, 'b') == true]",
        "$[?length (@.a) == 1]",
        "$[?@.a == 1e]",
        "$[?@.a == .5]",
        "$[?!@.a == 1]",
        "@.a",
        "$.a[",
        "$[?(@.a]",
        "$[?@.a == 'b]",
        "$[?]",
        "$[*",
        "$.-a",
        "$.1a",
    ] {
        assert_eq!(
            Selector::parse(query).err(),
            Some(SelectorError::Syntax(query.to_owned())),
            "{query:?}"
        );
    }
}

#[test]
fn what_would_be_answered_wrongly_is_refused() {
    let errors = [
        "$.Resources[?@.Properties.ContainerDefinitions[?@.Name == 'app']]",
        "$..[?in(@.Name, $.names)]",
        "$..[?length(@.Name)]",
        "$..[?length(@.*) == 1]",
        "$..[?match(@.a, search(@.b, 'c'))]",
        "$..[?count(length(@.a)) == 1]",
        "Resources.Api",
        "$.Resources.A pi",
        &format!("$[?{}@.a{}]", "(".repeat(8), ")".repeat(8)),
        &format!("$.{}", "a".repeat(999)),
    ]
    .map(error)
    .join("\n");
    insta::assert_snapshot!(errors, @r"
    `$.Resources[?@.Properties.ContainerDefinitions[?@.Name == 'app']]` has a filter inside a filter
      begin one filter where the other one ends, as in `$..ContainerDefinitions[?@.Name == 'app']`
    `$..[?in(@.Name, $.names)]` calls `in`, which is not a function of JSONPath
      the functions are `length`, `count`, `match`, `search` and `value`
    `$..[?length(@.Name)]` calls a function that gives a value where a test is expected
      RFC 9535, section 2.4, says what each function takes
    `$..[?length(@.*) == 1]` gives a function several places where it takes one value
      RFC 9535, section 2.4, says what each function takes
    `$..[?match(@.a, search(@.b, 'c'))]` gives a function a test where it takes a value
      RFC 9535, section 2.4, says what each function takes
    `$..[?count(length(@.a)) == 1]` gives a function a value where it takes a query
      RFC 9535, section 2.4, says what each function takes
    `Resources.Api` is not a JSONPath query
      a query begins with `$`, as in `$.Resources[?@.Properties.Family == 'api']`
    `$.Resources.A pi` is not a JSONPath query
      RFC 9535 has the grammar; an example is `$.Resources[?@.Properties.Family == 'api']`
    `$[?((((((((@.a))))))))]` nests brackets and parentheses more than 8 deep
      give several shorter queries
    the JSONPath query has 1001 bytes; 1000 are the most
      give several shorter queries
    ");
    for query in [
        "$[?count(length(@.a)) == 1]",
        "$[?match(@.*, 'a')]",
        "$[?value('a') == 'a']",
        "$[?count(1) == 1]",
        "$[?@[?@.a]]",
        "$[?$.a[?@.b]]",
        "$[?count(@[?@.a]) == 1]",
        "$[?match(match(@.a, 'b'), 'c')]",
        "$[?value(@.a)]",
        "$[?(length(@.a))]",
        "$[?!count(@.a)]",
        "$[?search(@..a, 'b')]",
        "$[?subset_of(@.a, $.b)]",
    ] {
        assert!(Selector::parse(query).is_err(), "{query}");
    }
}

#[test]
fn costly_patterns_are_refused() {
    let costly = |query: &str| SelectorError::CostlyPatterns(query.to_owned());
    let many = vec![r"search(@, '\\w')"; 30].join(" || ");
    for query in [
        r"$..[?search(@, '\\w{400}')]",
        r"$..[?match(@, '((a{30}){30}){30}')]",
        r"$..[?search(@, '.{1000}')]",
        &format!(r"$..[?search(@, '{}')]", r"\\w".repeat(100)),
        &format!("$..[?{many}]"),
    ] {
        assert_eq!(Selector::parse(query).err(), Some(costly(query)), "{query}");
    }
    for query in [
        r"$..[?match(@.Image, '[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com/team/.*')]",
        r"$..[?search(@.Name, '^\\w+-\\w+$')]",
    ] {
        assert!(Selector::parse(query).is_ok(), "{query}");
    }
    let errors = [
        r"$..[?search(@, '\\w{400}')]",
        "$..[?search(@, '(')]",
        "$..[?search(@.Name, @.Image)]",
    ];
    insta::assert_snapshot!(errors.map(error).join("\n"), @r"
    the regular expressions of `$..[?search(@, '\\w{400}')]` are too large
      repeat less, with `*` or `+` instead of large counts, and write `[A-Za-z0-9_]` for `\w`
    `$..[?search(@, '(')]` has a text for `match` or `search` that is not a regular expression
      RFC 9485 has the grammar
    `$..[?search(@.Name, @.Image)]` takes a pattern of `match` or `search` from the document
      write the pattern in the query
    ");
}

#[test]
fn hostile_queries_end_soon() {
    for query in [
        "[".repeat(1000),
        format!("$[?{}", "length(".repeat(8)),
        format!("${}", "[*,*]".repeat(9)),
        format!("$[?{}@.a", "!(".repeat(8)),
        format!("${}", "..*".repeat(6)),
    ] {
        let parsed = Selector::parse(&query);
        if let Ok(selector) = parsed {
            assert!(selector.matches(&document()).len() < 100_000, "{query}");
        }
    }
}

#[test]
fn examples_are_spelled_as_the_document_is() {
    let dialects = [Dialect::CloudFormation, Dialect::Ecs, Dialect::Terraform];
    let told = dialects.map(|dialect| {
        let hint = |query| Selector::parse(query).unwrap_err().hint(dialect);
        let hints = [
            hint("api"),
            hint("$.a b"),
            hint("$[?@.a[?@.b]]"),
            dialect.queried(),
        ];
        // What is given as an example is a query.
        for example in [dialect.task_query(), dialect.container_query()] {
            Selector::parse(example).unwrap();
        }
        hints.join("\n")
    });
    insta::assert_snapshot!(told.join("\n\n"), @"
    a query begins with `$`, as in `$.Resources[?@.Properties.Family == 'api']`
    RFC 9535 has the grammar; an example is `$.Resources[?@.Properties.Family == 'api']`
    begin one filter where the other one ends, as in `$..ContainerDefinitions[?@.Name == 'app']`
    a query sees one task definition at a time, as the document spells it, with short forms written long: as in `$.Resources[?@.Properties.Family == 'api']` or `$..ContainerDefinitions[?@.Name == 'app']`

    a query begins with `$`, as in `$[?$.family == 'api']`
    RFC 9535 has the grammar; an example is `$[?$.family == 'api']`
    begin one filter where the other one ends, as in `$..containerDefinitions[?@.name == 'app']`
    a query sees the task definition itself, as ECS spells it: as in `$[?$.family == 'api']` or `$..containerDefinitions[?@.name == 'app']`

    a query begins with `$`, as in `$.resource_changes[?@.change.after.family == 'api']`
    RFC 9535 has the grammar; an example is `$.resource_changes[?@.change.after.family == 'api']`
    begin one filter where the other one ends, as in `$..container_definitions[?@.name == 'app']`
    a query sees one task definition at a time, as the plan has it: as in `$.resource_changes[?@.change.after.family == 'api']` or `$..container_definitions[?@.name == 'app']`
    ");
    let task = json!({"family": "api", "containerDefinitions": [{"name": "app"}]});
    let selects = |query| Selector::parse(query).unwrap().selects(&task);
    assert!(selects(Dialect::Ecs.task_query()) && selects(Dialect::Ecs.container_query()));
    assert!(!selects("$[?$.family == 'other']") && !selects("$.Resources"));
}
