//! What vendors that come later need of the format: each adds YAML and no Rust.

use super::*;

const LOOPS: &str = "workload:
  - when: task.cpuArchitecture == 'X86_64'
    process: {wrapper: [/tmp/agent/lib64/ld-linux-x86-64.so.2, --library-path, /tmp/agent/lib64]}
  - when: task.cpuArchitecture == 'ARM64'
    process: {wrapper: [/tmp/agent/lib/ld-linux-aarch64.so.1]}
  - when: container.readonlyRootFilesystem
    settings:
      mountPoints:
        - {sourceVolume: 'private-{{ container.name }}', containerPath: /tmp/private, readOnly: false}
sidecars:
  - name: init
    settings:
      image: i
      essential: false
      entryPoint:
        - /bin/sh
        - -c
        - |
          set -e
          {% for c in containers if c.readonlyRootFilesystem -%}
          mkdir -p \"/private/{{ c.name }}\" && chmod $MODE \"/private/{{ c.name }}\"
          {% endfor -%}
          cp -R /opt/agent /tmp/agent
    blocks:
      - each: container
        when: container.readonlyRootFilesystem
        settings:
          mountPoints:
            - {sourceVolume: 'private-{{ container.name }}', containerPath: '/private/{{ container.name }}'}
task:
  - settings: {pidMode: task, volumes: [{name: agent}]}
  - each: container
    when: container.readonlyRootFilesystem
    settings: {volumes: [{name: 'private-{{ container.name }}'}]}
";

/// CrowdStrike: a loop over the read-only containers inside one text, a private volume for each
/// of them, and a loader path that depends on the architecture.
#[test]
fn a_loop_over_containers_and_a_volume_for_each() {
    let bound = bind(&recipe(LOOPS), &[]);
    let container = |name: &str, readonly: bool| ContainerFacts {
        name: json!(name),
        readonly_root_filesystem: json!(readonly),
        ..container("root")
    };
    let all = [
        container("a", true),
        container("b", false),
        container("c", true),
    ];
    let sidecar = bound.sidecar(0, &task(), &all).unwrap();
    insta::assert_snapshot!(sidecar["entryPoint"][2].as_str().unwrap(), @r#"
    set -e
    mkdir -p "/private/a" && chmod $MODE "/private/a"
    mkdir -p "/private/c" && chmod $MODE "/private/c"
    cp -R /opt/agent /tmp/agent
    "#);
    assert_eq!(
        sidecar["mountPoints"],
        json!([
            {"sourceVolume": "private-a", "containerPath": "/private/a"},
            {"sourceVolume": "private-c", "containerPath": "/private/c"},
        ]),
    );
    assert_eq!(
        Value::Object(bound.task(&task(), &all).unwrap()),
        json!({
            "pidMode": "task",
            "volumes": [{"name": "agent"}, {"name": "private-a"}, {"name": "private-c"}],
        }),
    );
    let arm = TaskFacts {
        cpu_architecture: json!("ARM64"),
        ..task()
    };
    let workload = bound.workload(&arm, &all[0]).unwrap();
    assert_eq!(
        workload.process.unwrap().wrapper,
        [json!("/tmp/agent/lib/ld-linux-aarch64.so.1")]
    );
    assert_eq!(
        workload.settings["mountPoints"][0]["sourceVolume"],
        json!("private-a")
    );
    assert!(!bound.asks_user());

    let unknown = ContainerFacts {
        readonly_root_filesystem: json!({"Ref": "RO"}),
        ..all[0].clone()
    };
    insta::assert_snapshot!(
        bound.sidecar(0, &task(), &[all[1].clone(), unknown]).unwrap_err(),
        @"x.yaml:23:11: `containers[1].readonlyRootFilesystem` is `Ref RO`, and its value is needed here"
    );
}

/// Falco: words before and after the program, and a command of its own.
#[test]
fn prefix_and_suffix() {
    let recipe = recipe(
        "workload:\n  - process: {arrangement: prefix-suffix, wrapper: [/pdig, -a], suffix: [--, end], command: [run]}\n",
    );
    let wrapping = bind(&recipe, &[]).wrappings().unwrap().remove(0).clone();
    assert_eq!(
        json!([wrapping.wrapper, wrapping.suffix, wrapping.command]),
        json!([["/pdig", "-a"], ["--", "end"], ["run"]]),
    );
    assert_eq!(wrapping.arrangement, Arrangement::PrefixSuffix);
}

/// New Relic: an empty value, and JSON inside a text. Wiz: a secret with a JSON key. Sysdig:
/// what is essential depends on an input, and a port may be left out.
#[test]
fn values_that_are_easily_lost() {
    let recipe = recipe(
        "inputs:
  key: {description: d, secret: true}
  priority: {description: d, default: availability}
  port: {description: d, type: integer}
sidecars:
  - name: agent
    position: last
    settings:
      image: i
      essential: \"{{ inputs.priority == 'security' }}\"
      environment:
        - {name: EMPTY, value: ''}
        - {name: JSON, value: '{\"a\": {\"b\": [1, 2]}}'}
        - {name: KEY, value: '{{ inputs.key }}'}
      portMappings:
        - {containerPort: '{{ inputs.port }}', protocol: tcp}
      logConfiguration: inherit
      healthCheck: {command: [CMD, check], interval: 5}
",
    );
    assert!(recipe.sidecar_is_last(0));
    assert_eq!(recipe.sidecar_names(), ["agent"]);
    let key = "arn:aws:secretsmanager:us-east-1:1:secret:x:KEY::";
    let sidecar = |inputs: &[(&str, &str)]| {
        Value::Object(bind(&recipe, inputs).sidecar(0, &task(), &[]).unwrap())
    };
    assert_eq!(
        sidecar(&[("key", key), ("port", "80"), ("priority", "security")]),
        json!({
            "name": "agent",
            "image": "i",
            "essential": true,
            "environment": [
                {"name": "EMPTY", "value": ""},
                {"name": "JSON", "value": "{\"a\": {\"b\": [1, 2]}}"},
            ],
            "secrets": [{"name": "KEY", "valueFrom": key}],
            "portMappings": [{"containerPort": 80, "protocol": "tcp"}],
            "logConfiguration": "inherit",
            "healthCheck": {"command": ["CMD", "check"], "interval": 5},
        }),
    );
    let without = sidecar(&[]);
    assert_eq!(
        (without.get("portMappings"), &without["essential"]),
        (None, &json!(false))
    );
}

/// Architectures and operating systems are refused with the recipe's own explanation.
#[test]
fn requirements_are_judged_for_the_task() {
    let recipe = recipe(
        "requires:
  - that: task.operatingSystem == 'LINUX'
    message: the agent is for Linux
  - when: task.operatingSystem == 'LINUX'
    that: task.cpuArchitecture == 'X86_64'
    message: 'there is no agent for {{ task.cpuArchitecture }}'
    hint: use x86
",
    );
    let bound = bind(&recipe, &[]);
    let refusals = |system: &str, architecture: &str| {
        let task = TaskFacts {
            operating_system: json!(system),
            cpu_architecture: json!(architecture),
            ..task()
        };
        let refusals = bound.workload(&task, &container("root")).unwrap().refusals;
        let messages = refusals
            .into_iter()
            .map(|refusal| (refusal.message, refusal.hint));
        json!(messages.collect::<Vec<_>>())
    };
    assert_eq!(refusals("LINUX", "X86_64"), json!([]));
    assert_eq!(
        refusals("LINUX", "ARM64"),
        json!([["there is no agent for ARM64", "use x86"]])
    );
    assert_eq!(
        refusals("WINDOWS", "X86_64"),
        json!([["the agent is for Linux", null]])
    );
}

/// Blocks add up: lists are appended, maps are merged, the last text wins.
#[test]
fn blocks_are_merged_in_order() {
    let recipe = recipe(
        "workload:
  - settings:
      user: a
      linuxParameters: {initProcessEnabled: true, capabilities: {add: [SYS_PTRACE]}}
  - settings:
      user: b
      linuxParameters: {capabilities: {add: [NET_ADMIN], drop: [ALL]}}
",
    );
    assert_eq!(
        settings(&bind(&recipe, &[]), &container("root")),
        json!({
            "user": "b",
            "linuxParameters": {
                "initProcessEnabled": true,
                "capabilities": {"add": ["SYS_PTRACE", "NET_ADMIN"], "drop": ["ALL"]},
            },
        }),
    );
}

#[test]
fn two_processes_are_an_error() {
    let recipe = recipe(
        "workload:\n  - process: {wrapper: [a]}\n  - when: container.user == 'root'\n    process: {wrapper: [b]}\n",
    );
    let bound = bind(&recipe, &[]);
    assert!(bound.workload(&task(), &container("app")).is_ok());
    insta::assert_snapshot!(
        bound.workload(&task(), &container("root")).unwrap_err(),
        @"x.yaml:8:14: a second block states the process of this container"
    );
}

#[test]
fn asking_for_the_user_depends_on_the_inputs() {
    let recipe = recipe(
        "inputs:\n  f: {description: d, type: boolean, default: false}\nworkload:\n  - when: [inputs.f, container.user == 'root']\n    settings: {user: a}\n",
    );
    assert!(!bind(&recipe, &[]).asks_user());
    assert!(bind(&recipe, &[("f", "true")]).asks_user());
}
