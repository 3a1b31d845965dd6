//! The vendors' documented patterns, as far as the recipe decides them.

use super::*;

const SECRET: &str = "arn:aws:secretsmanager:us-east-1:111122223333:secret:lacework";

fn wrapper(workload: &Workload) -> Value {
    let process = workload.process.as_ref().unwrap();
    json!([
        format!("{:?}", process.arrangement),
        process.wrapper,
        process.script
    ])
}

#[test]
fn every_builtin_recipe_reads_and_says_what_it_is() {
    let names: Vec<_> = builtin().iter().map(|(name, _)| *name).collect();
    assert!(names.is_sorted());
    for name in names {
        let recipe = vendor(name);
        assert_eq!(recipe.name(), name);
        assert!(!recipe.documentation().is_empty());
        assert!(!recipe.agent_repositories().is_empty());
        assert!(!recipe.description().is_empty());
    }
}

#[test]
fn lacework_root_image() {
    let recipe = vendor("lacework");
    let bound = bind(
        &recipe,
        &[
            ("accessToken", SECRET),
            ("serverUrl", "https://api.lacework.net"),
        ],
    );
    let workload = bound.workload(&task(), &container("root")).unwrap();
    assert_eq!(
        wrapper(&workload),
        json!([
            "Prefix",
            ["/var/lib/lacework-backup/lacework-sidecar.sh"],
            null
        ]),
    );
    assert_eq!(
        Value::Object(workload.settings.clone()),
        json!({
            "secrets": [{"name": "LaceworkAccessToken", "valueFrom": SECRET}],
            "environment": [{"name": "LaceworkServerUrl", "value": "https://api.lacework.net"}],
            "volumesFrom": [{"sourceContainer": "datacollector-sidecar", "readOnly": true}],
            "dependsOn": [{"containerName": "datacollector-sidecar", "condition": "SUCCESS"}],
        }),
    );
    assert_eq!(
        (workload.sidecars.as_slice(), workload.refusals.len()),
        ([0].as_slice(), 0)
    );
    let names: Vec<_> = workload
        .warnings
        .iter()
        .filter_map(|w| w.name.as_deref())
        .collect();
    assert_eq!(names, ["shell", "certificates"]);
    assert_eq!(
        Value::Object(bound.sidecar(0, &task(), &[container("root")]).unwrap()),
        json!({
            "name": "datacollector-sidecar",
            "image": "lacework/datacollector:latest-sidecar",
            "essential": false,
        }),
    );
    assert!(
        bound
            .task(&task(), &[container("root")])
            .unwrap()
            .is_empty()
    );
    assert!(bound.clear_secrets().is_empty());
}

#[test]
fn lacework_non_root_image_fails_and_names_the_choices() {
    let bound = bind(&vendor("lacework"), &[("accessToken", SECRET)]);
    let workload = bound.workload(&task(), &container("nginx")).unwrap();
    assert_eq!(workload.process, None);
    let refusal = workload.refusals.first().unwrap();
    insta::assert_snapshot!(shown(&refusal.message, refusal.hint.as_deref()), @"
    the container runs as `nginx`, and Lacework's agent has to start as root
    set the input `nonRoot` to `run-as-root` (the container then runs as root), or to `sudo` (if the image has sudo that asks for no password)
    ");
}

#[test]
fn lacework_non_root_image_run_as_root() {
    let bound = bind(
        &vendor("lacework"),
        &[("accessToken", SECRET), ("nonRoot", "run-as-root")],
    );
    let workload = bound.workload(&task(), &container("nginx")).unwrap();
    assert_eq!(
        wrapper(&workload),
        json!([
            "Prefix",
            ["/var/lib/lacework-backup/lacework-sidecar.sh"],
            null
        ]),
    );
    assert_eq!(
        Value::Object(workload.settings),
        json!({
            "secrets": [{"name": "LaceworkAccessToken", "valueFrom": SECRET}],
            "volumesFrom": [{"sourceContainer": "datacollector-sidecar", "readOnly": true}],
            "dependsOn": [{"containerName": "datacollector-sidecar", "condition": "SUCCESS"}],
            "user": "root",
        }),
    );
    assert!(workload.refusals.is_empty());
    let root = bound.workload(&task(), &container("root")).unwrap();
    assert!(!root.settings.contains_key("user"));
}

#[test]
fn lacework_non_root_image_with_sudo() {
    let bound = bind(
        &vendor("lacework"),
        &[("accessToken", SECRET), ("nonRoot", "sudo")],
    );
    let workload = bound.workload(&task(), &container("nginx")).unwrap();
    assert_eq!(
        wrapper(&workload),
        json!([
            "ShellJoin",
            ["sh", "-c"],
            "sudo -E /var/lib/lacework-backup/lacework-sidecar.sh"
        ]),
    );
    assert_eq!(
        Value::Object(workload.settings),
        json!({
            "secrets": [{"name": "LaceworkAccessToken", "valueFrom": SECRET}],
            "volumesFrom": [{"sourceContainer": "datacollector-sidecar", "readOnly": true}],
            "dependsOn": [{"containerName": "datacollector-sidecar", "condition": "SUCCESS"}],
            "linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"]}},
        }),
    );
    let names: Vec<_> = workload
        .warnings
        .iter()
        .filter_map(|w| w.name.as_deref())
        .collect();
    assert_eq!(names, ["shell", "certificates", "sudo"]);
    // The choice is about images that are not root: a root image is wrapped as ever.
    let root = bound.workload(&task(), &container("root")).unwrap();
    assert_eq!(root.process.unwrap().arrangement, Arrangement::Prefix);
}

#[test]
fn lacework_embedded_in_a_root_image() {
    let seen = ContainerFacts {
        wrapper_in_image: true,
        ..container("root")
    };
    let by_image = bind(&vendor("lacework"), &[("accessToken", SECRET)]);
    let by_input = bind(
        &vendor("lacework"),
        &[("accessToken", SECRET), ("embedded", "true")],
    );
    for workload in [
        by_image.workload(&task(), &seen).unwrap(),
        by_input.workload(&task(), &container("root")).unwrap(),
    ] {
        assert_eq!(workload.process, None);
        assert!(workload.sidecars.is_empty() && workload.refusals.is_empty());
        assert_eq!(
            Value::Object(workload.settings),
            json!({"secrets": [{"name": "LaceworkAccessToken", "valueFrom": SECRET}]}),
        );
    }
}

#[test]
fn lacework_embedded_in_a_non_root_image() {
    let seen = ContainerFacts {
        wrapper_in_image: true,
        ..container("app")
    };
    let by_image = bind(&vendor("lacework"), &[("accessToken", SECRET)]);
    let by_input = bind(
        &vendor("lacework"),
        &[("accessToken", SECRET), ("embedded", "true")],
    );
    for workload in [
        by_image.workload(&task(), &seen).unwrap(),
        by_input.workload(&task(), &container("app")).unwrap(),
    ] {
        assert_eq!(workload.process, None);
        assert!(workload.sidecars.is_empty() && workload.refusals.is_empty());
        assert_eq!(
            Value::Object(workload.settings),
            json!({
                "secrets": [{"name": "LaceworkAccessToken", "valueFrom": SECRET}],
                "linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"]}},
            }),
        );
    }
}

#[test]
fn lacework_asks_for_the_user_and_is_recognised_by_both_wrappers() {
    let bound = bind(&vendor("lacework"), &[("accessToken", SECRET)]);
    assert!(bound.asks_user());
    assert!(bound.recipe().wraps());
    let wrappings = bound.wrappings().unwrap();
    let wrappers: Vec<_> = wrappings
        .iter()
        .map(|w| (&w.wrapper, w.script.as_deref()))
        .collect();
    assert_eq!(
        json!(wrappers),
        json!([
            [["/var/lib/lacework-backup/lacework-sidecar.sh"], null],
            [
                ["sh", "-c"],
                "sudo -E /var/lib/lacework-backup/lacework-sidecar.sh"
            ],
        ]),
    );
}

#[test]
fn lacework_optional_variables_stand_in_the_documented_order() {
    let inputs = [
        ("accessToken", "token"),
        ("serverUrl", "https://api.lacework.net"),
        ("config", r#"{"tags": {"env": "prod"}}"#),
        ("verbose", "true"),
    ];
    let bound = bind(&vendor("lacework"), &inputs);
    assert_eq!(
        settings(&bound, &container("root"))
            .get("environment")
            .unwrap(),
        &json!([
            {"name": "LaceworkAccessToken", "value": "token"},
            {"name": "LaceworkServerUrl", "value": "https://api.lacework.net"},
            {"name": "LaceworkConfig", "value": r#"{"tags": {"env": "prod"}}"#},
            {"name": "LaceworkVerbose", "value": "true"},
        ]),
    );
    assert_eq!(bound.clear_secrets(), ["accessToken"]);
}

#[test]
fn alert_logic_adds_its_entry_and_nothing_else() {
    let recipe = vendor("alert-logic");
    let bound = bind(&recipe, &[]);
    assert!(!recipe.wraps() && !bound.asks_user());
    let workload = bound.workload(&task(), &ContainerFacts::default()).unwrap();
    assert_eq!(
        workload,
        Workload {
            sidecars: vec![0],
            ..Workload::default()
        }
    );
    assert_eq!(
        Value::Object(bound.sidecar(0, &task(), &[container("root")]).unwrap()),
        json!({
            "name": "al-agent",
            "image": "alertlogic/al-agent-container:latest",
            "essential": true,
        }),
    );
    assert!(bound.task(&task(), &[]).unwrap().is_empty());
}

#[test]
fn alert_logic_key_belongs_to_the_minimal_policy() {
    let recipe = vendor("alert-logic");
    let minimal = [("deployment", "defender-minimal"), ("key", "clear")];
    let bound = bind(&recipe, &minimal);
    let sidecar = bound.sidecar(0, &task(), &[]).unwrap();
    assert_eq!(
        sidecar.get("environment").unwrap(),
        &json!([{"name": "KEY", "value": "clear"}])
    );
    assert_eq!(bound.clear_secrets(), ["key"]);

    let missing = recipe
        .bind(given(&[("deployment", "defender-minimal")]))
        .unwrap_err();
    insta::assert_snapshot!(missing, @"recipe `alert-logic`: missing input `key`");
    let forbidden = recipe.bind(given(&[("key", "clear")])).unwrap_err();
    insta::assert_snapshot!(
        forbidden,
        @r#"recipe `alert-logic`: input `key` cannot be given when `inputs.deployment != "defender-minimal"`"#
    );
}
