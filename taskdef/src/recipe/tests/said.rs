//! What a recipe, and a recipe with its inputs, says of itself.

use super::*;

const WHOLE: &str = r#"agentPrograms: [/opt/old]
documentation: [https://vendor.example/a, https://vendor.example/b]
inputs:
  key: {description: d, secret: true}
  token: {description: d, secret: true}
  flags: {description: d, type: list}
  size: {description: d, type: integer}
workload:
  - process: {arrangement: prefix-suffix, wrapper: [/wrap, --], suffix: ["{{ inputs.size }}"], command: ["{{ inputs.flags }}"]}
    when: inputs.key is none
  - process: {wrapper: ["{{ inputs.size }}"]}
    when: inputs.key is not none
  - settings:
      environment: [{name: KEY, value: "{{ inputs.key }}"}, {name: TOKEN, value: "{{ inputs.token }}"}]
"#;

#[test]
fn its_head() {
    let recipe = recipe(WHOLE);
    assert_eq!((recipe.name(), recipe.description()), ("x", "a test"));
    assert_eq!(
        recipe.documentation(),
        ["https://vendor.example/a", "https://vendor.example/b"]
    );
    assert_eq!(recipe.agent_repositories(), ["x/agent"]);
    assert_eq!(recipe.agent_programs(), ["/opt/old"]);
    assert_eq!(format!("{recipe:?}"), "Recipe(x)");
    assert_eq!(format!("{:?}", bind(&recipe, &[])), "BoundRecipe(x)");
}

#[test]
fn its_digest_is_that_of_its_text() {
    let digest = |body: &str| recipe(body).digest().to_owned();
    assert_eq!(digest(WHOLE), digest(WHOLE));
    assert_eq!(digest(WHOLE).len(), 16);
    assert_ne!(digest(WHOLE), digest(&format!("{WHOLE}# longer\n")));
}

#[test]
fn wrappers_are_known_where_no_input_decides_them() {
    let wrappings = recipe(WHOLE).literal_wrappings();
    let shown = format!("{wrappings:?}");
    insta::assert_snapshot!(shown, @r#"[Wrapping { arrangement: PrefixSuffix, wrapper: [String("/wrap"), String("--")], suffix: [], command: None, script: None }]"#);
}

#[test]
fn what_is_shown_of_a_workload() {
    let bound = bind(&recipe(WHOLE), &[("key", "hunter2"), ("size", "7")]);
    let workload = bound.workload(&task(), &container("root")).unwrap();
    let shown = format!("{workload:?}");
    insta::assert_snapshot!(shown, @r#"Workload { process: Some(Wrapping { arrangement: Prefix, wrapper: [String("7")], suffix: [], command: None, script: None }), settings: ["environment"], sidecars: [], refusals: [], warnings: [] }"#);
}

#[test]
fn secrets_in_clear() {
    let recipe = recipe(WHOLE);
    let in_clear = |inputs: &[(&str, InputValue)]| {
        let inputs = inputs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        let inputs: Inputs = inputs.collect();
        let names: Vec<String> = recipe
            .secrets_in_clear(&inputs)
            .map(str::to_owned)
            .collect();
        names.join(" ")
    };
    let plain = |value: Value| InputValue::Plain(value);
    let both = [("key", plain(json!("a"))), ("token", plain(json!("b")))];
    assert_eq!(in_clear(&both), "key token");
    assert_eq!(in_clear(&[("key", plain(json!(1)))]), "key");
    for (name, value) in [
        ("key", plain(json!(""))),
        ("key", plain(Value::Null)),
        (
            "key",
            plain(json!("arn:aws:ssm:eu-central-1:123456789012:parameter/x")),
        ),
        ("key", InputValue::ValueFrom(json!("/x"))),
        ("size", plain(json!("7"))),
    ] {
        assert_eq!(in_clear(&[(name, value.clone())]), "", "{name} {value:?}");
    }
}

#[test]
fn the_values_of_secrets_are_told_apart() {
    let recipe = recipe(WHOLE);
    let texts = |inputs: &[(&str, &str)]| {
        let bound = bind(&recipe, inputs);
        let texts: Vec<String> = bound
            .secret_texts()
            .into_iter()
            .map(str::to_owned)
            .collect();
        (texts, bound.clear_secrets().join(" "))
    };
    let names = |text: &[&str]| text.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        texts(&[("key", "a"), ("token", "b"), ("size", "7")]),
        (names(&["a", "b"]), "key token".to_owned())
    );
    let kept = [
        ("key", "arn:aws:ssm:eu-central-1:123456789012:parameter/x"),
        ("size", "7"),
    ];
    assert_eq!(texts(&kept), (names(&[]), String::new()));
}

#[test]
fn its_digest_with_inputs_holds_no_secret() {
    let recipe = recipe(WHOLE);
    let digest = |inputs: &[(&str, &str)]| bind(&recipe, inputs).digest();
    let secret = digest(&[("key", "a"), ("size", "7")]);
    assert_eq!(secret.len(), 16);
    assert_eq!(secret, digest(&[("key", "b"), ("size", "7")]));
    assert_ne!(secret, digest(&[("token", "a"), ("size", "7")]));
    assert_ne!(secret, digest(&[("key", "a"), ("size", "8")]));
    assert_ne!(secret, digest(&[("size", "7")]));
    assert_ne!(
        secret,
        digest(&[("key", "arn:aws:ssm:x:1:parameter/x"), ("size", "7")])
    );
    assert_ne!(
        digest(&[("key", "arn:aws:ssm:x:1:parameter/x")]),
        digest(&[("key", "arn:aws:ssm:x:1:parameter/y")])
    );
}

#[test]
fn inputs_that_are_functions() {
    let bound = bind(
        &recipe(WHOLE),
        &[
            ("key", r#"{"valueFrom": {"Ref": "Key"}}"#),
            ("size", r#"{"Ref": "Size"}"#),
            ("token", "b"),
        ],
    );
    assert_eq!(bound.intrinsic_inputs(), ["key", "size"]);
    assert_eq!(
        bind(&recipe(WHOLE), &[("token", "b")]).intrinsic_inputs(),
        [""; 0]
    );
}

#[test]
fn only_facts_that_are_read_count() {
    let bound = |body: &str| bind(&recipe(body), &[]);
    let all = ContainerFacts {
        readonly_root_filesystem: json!(true),
        wrapper_in_image: true,
        ..container("web")
    };
    let one = bound(
        "requires: [{that: container.readonlyRootFilesystem != \"x\", message: m}]\nassumes: [{name: shell, when: task.operatingSystem == \"LINUX\", message: m}]\nworkload:\n  - when: container.wrapperInImage\n    settings: {user: \"{{ container.name }}\"}\n",
    );
    assert!(!one.reads_family());
    let (read, of_container) = one.read_by_workload(&task(), &all);
    assert_eq!(
        read,
        TaskFacts {
            operating_system: json!("LINUX"),
            ..TaskFacts::default()
        }
    );
    assert_eq!(
        of_container,
        ContainerFacts {
            image: Value::Null,
            user: Value::Null,
            ..all.clone()
        }
    );
    let sidecars = "inputs: {image: {description: d, default: i}}\nsidecars:\n  - name: a\n    when: container.user == \"root\"\n    settings: {essential: false, user: \"{{ task.family }}\"}\n    blocks:\n      - each: container\n        settings: {environment: [{name: I, value: \"{{ container.image }}\"}]}\n  - name: b\n    settings: {image: i, essential: true}\n";
    let two = bound(sidecars);
    assert!(two.reads_family());
    let (_, of_container) = two.read_by_workload(&task(), &all);
    assert_eq!(of_container.user, json!("web"));
    assert_eq!(of_container.image, Value::Null);
    let containers = [all];
    let (read, of_containers) = two.read_by_sidecar(0, &task(), &containers);
    assert_eq!(
        (&read.family, &read.cpu_architecture),
        (&json!("shop"), &Value::Null)
    );
    let images: Vec<_> = of_containers
        .iter()
        .map(|it| (&it.image, &it.user))
        .collect();
    assert_eq!(images, [(&json!("nginx:1"), &Value::Null)]);
    let (read, of_containers) = two.read_by_sidecar(1, &task(), &containers);
    assert_eq!((read, of_containers.len()), (TaskFacts::default(), 1));
    assert_eq!(of_containers.first(), Some(&ContainerFacts::default()));
    let family = "task:\n  - settings: {pidMode: \"{{ task.family }}\"}\n";
    assert!(bound(family).reads_family());
}

#[test]
fn images_that_move() {
    let images = |first: &str, second: &str, given: &[(&str, &str)]| {
        let body = format!(
            "inputs: {{image: {{description: d, default: r/a}}}}\nsidecars:\n  - name: a\n    mutableImage: warn\n    settings: {{essential: false{first}}}\n  - name: b\n    mutableImage: warn\n    settings: {{essential: false, image: {second}}}\n"
        );
        bind(&recipe(&body), given).mutable_images()
    };
    assert_eq!(images("", "r/b:1", &[]), ["r/a"]);
    // What an input does not decide is not judged, and is not the first one's image.
    assert_eq!(images("", "\"{{ task.family }}\"", &[]), ["r/a"]);
    assert_eq!(
        images("", "r/b:latest", &[("image", "r/a:1")]),
        ["r/b:latest"]
    );
    // What is left to decide beside the image does not hide it.
    let user = ", user: \"{{ task.family }}\", image: r/c";
    assert_eq!(images(user, "r/b:1", &[]), ["r/c"]);
    assert_eq!(
        images(", image: r:5000/c", "r/b@sha256:0", &[]),
        ["r:5000/c"]
    );
}

/// What a condition on an expression fails with, in words, and the way out.
fn failed(expression: &str, facts: (TaskFacts, ContainerFacts), inputs: &[(&str, &str)]) -> String {
    let body = format!(
        "inputs: {{a: {{description: d}}, s: {{description: d, secret: true}}}}\nworkload:\n  - when: {expression} == \"x\"\n    settings: {{user: u}}\n"
    );
    match bind(&recipe(&body), inputs).workload(&facts.0, &facts.1) {
        Ok(_) => "no error".to_owned(),
        Err(error) => {
            let about = error.about_document().unwrap_or_else(|| "-".to_owned());
            format!("{about} ({})", error.hint().unwrap_or("-"))
        }
    }
}

#[test]
fn what_is_wrong_is_told_in_the_words_of_the_document() {
    let nothing = || (TaskFacts::default(), ContainerFacts::default());
    let value = || json!({"Ref": "X"});
    let function = || {
        let task = TaskFacts {
            family: value(),
            cpu_architecture: value(),
            operating_system: value(),
        };
        let container = ContainerFacts {
            name: value(),
            image: value(),
            user: value(),
            readonly_root_filesystem: value(),
            wrapper_in_image: false,
        };
        (task, container)
    };
    let facts = [
        "task.family",
        "task.cpuArchitecture",
        "task.operatingSystem",
        "container.name",
        "container.image",
        "container.user",
        "container.readonlyRootFilesystem",
    ];
    let mut table = Vec::from(facts.map(|fact| failed(fact, function(), &[])));
    let unknown = ["task.family", "task.cpuArchitecture", "container.user"];
    table.extend(unknown.map(|fact| failed(fact, nothing(), &[])));
    insta::assert_snapshot!(table.join("\n"), @"
    the task's family is `Ref X`, and the recipe needs its value (state the value itself in place of the intrinsic function)
    the task's CPU architecture is `Ref X`, and the recipe needs its value (state the value itself in place of the intrinsic function)
    the task's operating system is `Ref X`, and the recipe needs its value (state the value itself in place of the intrinsic function)
    the container's name is `Ref X`, and the recipe needs its value (state the value itself in place of the intrinsic function)
    the container's image is `Ref X`, and the recipe needs its value (state the value itself in place of the intrinsic function)
    the container's user is `Ref X`, and the recipe needs its value (state the value itself in place of the intrinsic function)
    the container's `readonlyRootFilesystem` is `Ref X`, and the recipe needs its value (state the value itself in place of the intrinsic function)
    the task's family is not known, and the recipe needs it (state it in the task definition)
    the task's CPU architecture is not known, and the recipe needs it (state the CPU architecture in the task definition's runtime platform)
    the container's user is not known, and the recipe needs it (state it in the task definition)
    ");
    let of_inputs = [
        failed("inputs.a", nothing(), &[("a", "{\"Ref\": \"A\"}")]),
        failed("inputs.s", nothing(), &[("s", "{\"valueFrom\": \"/s\"}")]),
        failed("(\"-\" ~ inputs.a)", nothing(), &[]),
    ];
    insta::assert_snapshot!(of_inputs.join("\n"), @"
    the input `a` is `Ref A`, and the recipe needs its value (state the value itself in place of the intrinsic function)
    the input `s` is given as `valueFrom`, and can only be the whole value of an environment variable (-)
    no error
    ");
}

#[test]
fn a_reference_takes_the_place_of_a_secret() {
    let recipe = recipe(
        "inputs: {key: {description: d, secret: true}}\nsidecars:\n  - name: a\n    settings:\n      essential: false\n      image: i\n      repositoryCredentials: {credentialsParameter: \"{{ inputs.key }}\"}\n      secrets: [{name: KEY, valueFrom: \"{{ inputs.key }}\"}]\n",
    );
    let bound = bind(&recipe, &[("key", "{\"valueFrom\": \"/key\"}")]);
    let sidecar = bound.sidecar(0, &task(), &[container("root")]).unwrap();
    assert_eq!(
        sidecar["repositoryCredentials"],
        json!({"credentialsParameter": "/key"})
    );
    assert_eq!(
        sidecar["secrets"],
        json!([{"name": "KEY", "valueFrom": "/key"}])
    );
}

#[test]
fn what_always_holds_asks_for_nothing() {
    let asks = |that: &str| {
        let body = format!(
            "inputs: {{a: {{description: d}}}}\nrequires: [{{that: {that}, message: \"{{{{ container.user }}}}\"}}]\n"
        );
        bind(&recipe(&body), &[]).asks_user()
    };
    assert!(!asks("inputs.a is none"));
    assert!(asks("inputs.a is not none"));
    assert!(asks("container.name == \"x\""));
}

#[test]
fn a_message_shows_functions_short() {
    let body = "inputs: {a: {description: d}}\nrequires: [{that: inputs.a is none, message: \"is `{{ inputs.a }}`, and {{ container.name }}\"}]\n";
    let told = |value: &str| {
        let bound = bind(&recipe(body), &[("a", value)]);
        let workload = bound.workload(&task(), &container("root")).unwrap();
        let messages: Vec<_> = workload
            .refusals
            .iter()
            .map(|it| it.message.clone())
            .collect();
        messages.join("; ")
    };
    let table = [
        told("x"),
        told("{\"Ref\": \"A\"}"),
        told("{\"Fn::Join\": [\"-\", [\"a\", {\"Ref\": \"B\"}, 1]]}"),
        told("{\"Fn::Join\": [\"-\", {\"Ref\": \"L\"}]}"),
    ];
    insta::assert_snapshot!(table.join("\n"), @"
    is `x`, and app
    is `Ref A`, and app
    is `aRef B1`, and app
    is `Fn::Join`, and app
    ");
}

#[test]
fn what_it_needs_is_told_in_its_own_words() {
    let body = "inputs: {a: {description: d}, b: {description: d}}\npermissions:\n  executionRole: [{text: e, link: l}]\n  taskRole: [{text: t}]\n  vendor: [{text: v}]\nprerequisites: [{text: p}]\nnetwork: [{text: n}]\ncompatibility: [{inputs: [a, b], versions: [['1', '2']], link: c}]\n";
    let recipe = recipe(body);
    let told = recipe.permissions();
    let one = |notes: &[Note]| {
        let notes = notes
            .iter()
            .map(|note| (note.text.clone(), note.link.clone()));
        format!("{:?}", notes.collect::<Vec<_>>())
    };
    let table = [
        one(&told.execution_role),
        one(&told.task_role),
        one(&told.vendor),
        one(&told.prerequisites),
        one(&told.network),
        one(&told.compatibility),
    ];
    insta::assert_snapshot!(table.join("\n"), @r#"
    [("e", Some("l"))]
    [("t", None)]
    [("v", None)]
    [("p", None)]
    [("n", None)]
    [("`a` 1 with `b` 2", Some("c"))]
    "#);
}

#[test]
fn a_block_for_each_container_reads_all_that_there_is() {
    let recipe = recipe(
        "inputs: {a: {description: d, default: x}}\nsidecars:\n  - name: s\n    settings: {essential: false, image: i}\n    blocks:\n      - each: container\n        settings:\n          environment: [{name: \"N_{{ container.name }}\", value: \"{{ task.family }} {{ containers | length }} {{ inputs.a }}\"}]\n",
    );
    let other = ContainerFacts {
        name: json!("other"),
        ..container("root")
    };
    let sidecar = bind(&recipe, &[]).sidecar(0, &task(), &[container("root"), other]);
    assert_eq!(
        sidecar.unwrap()["environment"],
        json!([{"name": "N_app", "value": "shop 2 x"}, {"name": "N_other", "value": "shop 2 x"}])
    );
}

#[test]
fn its_sidecars() {
    let recipe = recipe(
        "sidecars:\n  - {name: first, settings: {essential: false, image: i}}\n  - {name: second, position: last, settings: {essential: false, image: i}}\n",
    );
    assert_eq!(recipe.sidecar_names(), ["first", "second"]);
    assert_eq!(
        [0, 1, 2].map(|index| recipe.sidecar_is_last(index)),
        [false, true, false]
    );
}

#[test]
fn an_input_that_every_recipe_takes_may_allow_less() {
    let allowed = |declared: &str| {
        let body = format!(
            "inputs: {{arrangement: {declared}}}\nworkload:\n  - process: {{wrapper: [/w]}}\n"
        );
        let recipe = recipe(&body);
        let mut inputs = recipe.declarations().iter();
        let input = inputs.find(|input| input.name == "arrangement").unwrap();
        input.allowed.join(" ")
    };
    assert_eq!(allowed("{allowed: [command, none]}"), "command none");
    assert_eq!(
        allowed("{default: command}"),
        "prefix command entry-point none"
    );
}

#[test]
fn images_with_a_credential_are_known() {
    let recipe = vendor("prisma-cloud");
    let image = "registry-auth.twistlock.com/tw_k3y/twistlock/defender:1";
    let holds = |value: InputValue| recipe.holds_image_secret(&value);
    assert!(holds(InputValue::Plain(json!(image))));
    assert!(!holds(InputValue::Plain(json!("r/twistlock/defender:1"))));
    assert!(!holds(InputValue::Plain(json!([image]))));
    assert!(!holds(InputValue::ValueFrom(json!(image))));
    let given = |image: &str| {
        let given = [("image", image), ("installBundle", "b"), ("wsAddress", "a")];
        bind(&recipe, &given).image_secrets_given().join(" ")
    };
    assert_eq!(
        (given(image), given("r/twistlock/defender:1")),
        ("image".to_owned(), String::new())
    );
}
