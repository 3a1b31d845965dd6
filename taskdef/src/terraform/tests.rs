//! Plans that are small, and what becomes of them.

use serde_json::{Value, json};

use super::{Extent, Plan, PlanError, RewrittenPlan};
use crate::image::{Answers, ImageConfig};
use crate::laws::{bound, run_as_root};
use crate::recipe::Recipes;
use crate::report::{Outcome, Report};
use crate::settings::{PlanSettings, PlannedActions, Settings};

/// A task definition that is created, unless `over` says otherwise; with its place in planned values.
pub(crate) fn plan_of(definitions: &str, over: Value) -> Value {
    let mut after = json!({
        "container_definitions": definitions, "cpu": "256", "family": "app", "memory": "512",
        "network_mode": "awsvpc", "requires_compatibilities": ["FARGATE"], "volume": [], "tags": null,
        "execution_role_arn": "role", "pid_mode": null,
    });
    let mut unknown = json!({"arn": true, "id": true, "revision": true, "volume": []});
    for (key, value) in over["after"].as_object().into_iter().flatten() {
        after[key] = value.clone();
    }
    for (key, value) in over["after_unknown"].as_object().into_iter().flatten() {
        after.as_object_mut().unwrap().remove(key);
        unknown[key] = value.clone();
    }
    after.as_object_mut().unwrap().sort_keys();
    unknown.as_object_mut().unwrap().sort_keys();
    let actions = over.get("actions").cloned().unwrap_or(json!(["create"]));
    let known = over.get("known").cloned().unwrap_or(json!(false));
    let unknown = if known == true { json!({}) } else { unknown };
    let sensitive = over
        .get("sensitive")
        .cloned()
        .unwrap_or(json!({"volume": []}));
    let resource = json!({"address": "aws_ecs_task_definition.app", "mode": "managed", "type": "aws_ecs_task_definition",
        "name": "app", "provider_name": "registry.opentofu.org/hashicorp/aws"});
    let with = |key: &str, value: Value| {
        let mut resource = resource.clone();
        resource[key] = value;
        resource
    };
    let mut planned = with("values", after.clone());
    planned["sensitive_values"] = sensitive.clone();
    json!({
        "format_version": "1.2", "terraform_version": "1.11.4",
        "planned_values": {"root_module": {"resources": [planned]}},
        "resource_changes": [with("change", json!({
            "actions": actions, "before": null, "after": after, "after_unknown": unknown,
            "before_sensitive": false, "after_sensitive": sensitive,
        }))],
        "configuration": {"root_module": {"resources": [
            {"address": "aws_ecs_service.app", "expressions": {"task_definition": {"references": ["aws_ecs_task_definition.app.arn"]}}},
        ]}},
        "errored": false,
    })
}

const APP: &str =
    r#"[{"name":"web","image":"both","environment":[{"name":"A","value":"a<b>&c"}],"cpu":1e1}]"#;

fn recipes() -> Recipes {
    run_as_root().into()
}

fn run_with(text: &str, recipes: &Recipes, settings: &Settings) -> (String, RewrittenPlan) {
    let plan = Plan::from_bytes(text.as_bytes()).unwrap();
    let asked = plan.images_needed(recipes, settings).unwrap();
    let config = ImageConfig {
        entrypoint: vec!["/ie".to_owned()],
        cmd: vec!["<&>".to_owned()],
        ..ImageConfig::default()
    };
    let answers: Answers = asked
        .into_iter()
        .map(|request| (request, Ok(config.clone())))
        .collect();
    let rewritten = plan.rewrite(recipes, settings, &answers).unwrap();
    (plan.pieces(&rewritten.splices).collect(), rewritten)
}

fn run(plan: &Value) -> (Value, Report) {
    let (text, rewritten) = run_with(&plan.to_string(), &recipes(), &Settings::default());
    (serde_json::from_str(&text).unwrap(), rewritten.report)
}

fn said(report: &Report) -> String {
    let findings = report
        .task_definitions
        .iter()
        .flat_map(|task| &task.findings);
    let findings = findings.chain(report.findings.iter().map(|(_, finding)| finding));
    let lines = findings.map(|finding| {
        let hint = finding.hint.as_ref().map(|hint| format!("; hint: {hint}"));
        format!(
            "{} {}: {}{}",
            finding.severity,
            finding.code,
            finding.message,
            hint.unwrap_or_default()
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn definitions(plan: &Value) -> Value {
    let text = plan
        .pointer("/resource_changes/0/change/after/container_definitions")
        .unwrap();
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}

#[test]
fn both_places_are_rewritten_and_nothing_else() {
    let before = plan_of(APP, json!({}));
    for text in [
        before.to_string(),
        serde_json::to_string_pretty(&before).unwrap(),
    ] {
        let (after, rewritten) = run_with(&text, &recipes(), &Settings::default());
        assert_eq!(rewritten.splices.len(), 2);
        let mut expected = before.clone();
        let value: Value = serde_json::from_str(&after).unwrap();
        let new = &value["resource_changes"][0]["change"]["after"]["container_definitions"];
        expected["resource_changes"][0]["change"]["after"]["container_definitions"] = new.clone();
        expected["planned_values"]["root_module"]["resources"][0]["values"]["container_definitions"] =
            new.clone();
        assert_eq!(value, expected);
        // Outside of the two texts, the bytes stay.
        for splice in &rewritten.splices {
            let before = text.get(..splice.range.start).unwrap();
            assert!(before.trim_end().ends_with("\"container_definitions\":"));
            let range = text.get(splice.range.clone()).unwrap();
            assert_eq!(serde_json::from_str::<String>(range).unwrap(), APP);
        }
    }
}

#[test]
fn numbers_stay_and_texts_are_escaped_as_go_does() {
    let plan = plan_of(APP, json!({})).to_string();
    let (after, _) = run_with(&plan, &recipes(), &Settings::default());
    assert!(after.contains(r#"\"cpu\":1e1"#), "{after}");
    assert!(after.contains(r#"a\\u003cb\\u003e\\u0026c"#), "{after}");
    assert!(after.contains(r#"\\u003c\\u0026\\u003e"#), "{after}");
}

#[test]
fn a_second_run_changes_nothing() {
    let (once, _) = run_with(
        &plan_of(APP, json!({})).to_string(),
        &recipes(),
        &Settings::default(),
    );
    let (twice, second) = run_with(&once, &recipes(), &Settings::default());
    assert_eq!(once, twice);
    assert_eq!(
        second.report.task_definitions[0].outcome,
        Outcome::Unchanged
    );
}

#[test]
fn what_was_not_replaced_is_replaced() {
    let state = json!({"after": {"arn": "arn:1", "id": "app", "revision": 1, "arn_without_revision": "arn"}, "known": true, "actions": ["no-op"]});
    let plan = plan_of(APP, state);
    let (after, report) = run(&plan);
    let change = &after["resource_changes"][0];
    assert_eq!(change["action_reason"], "replace_because_cannot_update");
    assert_eq!(change["change"]["actions"], json!(["delete", "create"]));
    assert_eq!(
        change["change"]["replace_paths"],
        json!([["container_definitions"]])
    );
    let unknown = json!({"arn": true, "arn_without_revision": true, "id": true, "revision": true});
    assert_eq!(change["change"]["after_unknown"], unknown);
    for place in [
        &change["change"]["after"],
        &after["planned_values"]["root_module"]["resources"][0]["values"],
    ] {
        for gone in ["arn", "arn_without_revision", "id", "revision"] {
            assert!(place.get(gone).is_none(), "{gone}");
        }
        assert_eq!(place["family"], "app");
    }
    insta::assert_snapshot!(said(&report), @"
    note platform-default: no platform is stated; the image config of linux/amd64 was taken
    warning assumes-shell: the wrapper is a shell script, so the image needs `/bin/sh`
    warning assumes-certificates: the agent needs the root certificates of the image (package `ca-certificates` or its like)
    note becomes-replacement: the plan said `no-op`; a task definition cannot be changed in place, so it is replaced; `aws_ecs_service.app` refers to it and changes too, which this plan does not show
    ");
    let keep = Settings {
        plan: PlanSettings {
            actions: PlannedActions::Keep,
            ..PlanSettings::default()
        },
        ..Settings::default()
    };
    let (kept, _) = run_with(&plan.to_string(), &recipes(), &keep);
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(
        kept["resource_changes"][0]["change"]["actions"],
        json!(["no-op"])
    );
    assert_eq!(
        kept["resource_changes"][0]["change"]["after"]["arn"],
        "arn:1"
    );
}

#[test]
fn the_order_of_a_replacement_is_that_of_other_instances() {
    let state = json!({"after": {"arn": "arn:1"}, "known": true, "actions": ["update"]});
    let mut plan = plan_of(APP, state);
    let mut other = plan["resource_changes"][0].clone();
    other["address"] = json!("aws_ecs_task_definition.app[\"b\"]");
    other["index"] = json!("b");
    other["change"]["actions"] = json!(["create", "delete"]);
    other["change"]["replace_paths"] = json!([["family"]]);
    plan["resource_changes"].as_array_mut().unwrap().push(other);
    let (after, _) = run(&plan);
    let changes = &after["resource_changes"];
    assert_eq!(changes[0]["change"]["actions"], json!(["create", "delete"]));
    assert_eq!(
        changes[1]["change"]["replace_paths"],
        json!([["family"], ["container_definitions"]])
    );
    assert!(changes[1].get("action_reason").is_none());
}

#[test]
fn unknown_definitions_are_left_alone_or_refused() {
    let plan = plan_of(
        APP,
        json!({"after_unknown": {"container_definitions": true}}),
    );
    let text = plan.to_string();
    let (after, rewritten) = run_with(&text, &recipes(), &Settings::default());
    assert_eq!(after, text);
    assert_eq!(
        rewritten.report.task_definitions[0].outcome,
        Outcome::LeftAlone
    );
    insta::assert_snapshot!(said(&rewritten.report), @"warning unknown-definition: the container definitions are known only after apply, so they can be neither judged nor rewritten here; hint: build them of values that are known when the plan is made, or look at the task definition after apply");
    let read = Plan::from_bytes(text.as_bytes()).unwrap();
    let report = read
        .check(&recipes(), &Settings::default(), &Answers::new())
        .unwrap();
    assert_eq!(report.task_definitions[0].outcome, Outcome::Refused);
    // What is not in scope need not be judged.
    let elsewhere = plan_of(
        APP,
        json!({"after": {"requires_compatibilities": ["EC2"]}, "after_unknown": {"container_definitions": true}}),
    );
    let text = elsewhere.to_string();
    let read = Plan::from_bytes(text.as_bytes()).unwrap();
    let report = read
        .check(&recipes(), &Settings::default(), &Answers::new())
        .unwrap();
    assert_eq!(report.task_definitions[0].outcome, Outcome::LeftAlone);
    insta::assert_snapshot!(said(&report), @"note not-fargate: `requires_compatibilities` does not contain FARGATE");
}

#[test]
fn nothing_of_a_sensitive_definition_is_shown() {
    let definitions = r#"[{"name":"hunter2-name","image":"hunter2-image","command":["hunter2"],"dependsOn":[{"containerName":"hunter2-other","condition":"START"}]}]"#;
    for sensitive in [
        json!(true),
        json!({"container_definitions": true}),
        json!({"tags": {"a": true}}),
    ] {
        let plan = plan_of(definitions, json!({"sensitive": sensitive})).to_string();
        let (after, rewritten) = run_with(&plan, &recipes(), &Settings::default());
        assert!(
            !format!("{:?}", rewritten).contains("hunter2"),
            "{:?}",
            rewritten.report
        );
        assert_eq!(
            rewritten.report.task_definitions[0].outcome,
            Outcome::Rewritten
        );
        assert!(rewritten.definitions[0].sensitive);
        let after: Value = serde_json::from_str(&after).unwrap();
        assert_eq!(
            after["resource_changes"][0]["change"]["after_sensitive"],
            sensitive
        );
        insta::allow_duplicates! { insta::assert_snapshot!(said(&rewritten.report), @"
        note sensitive-definition: holds sensitive values, so that nothing read from it is shown; it is rewritten, and the plan keeps its marks
        note platform-default: not shown, because the task definition holds sensitive values; hint: `platform-default` is explained in `docs/findings.md`
        warning assumes-shell: not shown, because the task definition holds sensitive values; hint: `assumes-shell` is explained in `docs/findings.md`
        warning assumes-certificates: not shown, because the task definition holds sensitive values; hint: `assumes-certificates` is explained in `docs/findings.md`
        warning refers-to-nothing: not shown, because the task definition holds sensitive values; hint: `refers-to-nothing` is explained in `docs/findings.md`
        "); }
        let read = Plan::from_bytes(plan.as_bytes()).unwrap();
        assert_eq!(
            read.images_to_show(&recipes(), &Settings::default())
                .unwrap()
                .len(),
            0
        );
        let refused = read
            .rewrite(&recipes(), &Settings::default(), &Answers::new())
            .unwrap();
        assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
        assert_eq!(refused.report.task_definitions[0].outcome, Outcome::Refused);
    }
}

#[test]
fn settings_of_the_task_are_written_as_terraform_spells_them() {
    let recipe = crate::recipe::Recipe::parse(
        "own",
        "{recipe: 1, name: own, description: x, task: [{settings: {pidMode: task, volumes: [{name: own}]}}],
          inputs: {image: {default: 'agent:1'}}, sidecars: [{name: agent, settings: {essential: false}}]}",
    );
    let recipe = match recipe {
        Ok(recipe) => recipe.bind(Default::default()).unwrap(),
        Err(error) => panic!("{error}"),
    };
    let state = json!({"after": {"arn": "arn:1", "volume": [{"name": "theirs", "host_path": "", "efs_volume_configuration": []}]}, "known": true, "actions": ["update"]});
    let (after, rewritten) = run_with(
        &plan_of(APP, state).to_string(),
        &recipe.into(),
        &Settings::default(),
    );
    let after: Value = serde_json::from_str(&after).unwrap();
    let change = &after["resource_changes"][0]["change"];
    assert_eq!(
        change["after"]["pid_mode"], "task",
        "{:?}",
        rewritten.report
    );
    assert_eq!(
        change["after"]["volume"],
        json!([
            {"name": "theirs", "host_path": "", "efs_volume_configuration": []},
            {"name": "own", "docker_volume_configuration": [], "efs_volume_configuration": [],
             "fsx_windows_file_server_volume_configuration": [], "host_path": null},
        ])
    );
    assert_eq!(
        change["replace_paths"],
        json!([["container_definitions"], ["pid_mode"], ["volume"]])
    );
    assert_eq!(
        after["planned_values"]["root_module"]["resources"][0]["values"]["volume"],
        change["after"]["volume"]
    );
}

#[test]
fn an_unknown_role_is_a_role() {
    let (_, report) = run(&plan_of(
        APP,
        json!({"after_unknown": {"execution_role_arn": true}}),
    ));
    assert_eq!(
        report.task_definitions[0].outcome,
        Outcome::Rewritten,
        "{}",
        said(&report)
    );
    let (_, report) = run(&plan_of(APP, json!({"after": {"execution_role_arn": ""}})));
    assert_eq!(report.task_definitions[0].outcome, Outcome::Refused);
}

#[test]
fn names_in_other_letters_and_texts_that_are_no_lists_are_refused() {
    let table = [
        r#"[{"name":"a","image":"both","Command":["x"],"environment":[{"Name":"a","value":"b"}]}]"#,
        r#"[{"name":"a","image":"both","image":"both"}]"#,
        r#"{"name":"a"}"#,
        "- name: a",
        r#"[{"name":"a","image":{"Ref":"x"}}]"#,
    ];
    let said: Vec<String> = table
        .iter()
        .map(|text| said(&run(&plan_of(text, json!({}))).1))
        .collect();
    insta::assert_snapshot!(said.join("\n"), @"
    error cannot-read-containers: `Command` is not the name that the ECS API has, and is taken for `command` all the same; hint: write names as the ECS API does
    error cannot-read-containers: `Name` is not the name that the ECS API has, and is taken for `name` all the same; hint: write names as the ECS API does
    error cannot-read-containers: the container definitions cannot be read: the key `image` stands twice in the same object; hint: make the text with `jsonencode`
    error cannot-read-containers: the container definitions cannot be read: it is not a list in JSON; hint: make the text with `jsonencode`
    error cannot-read-containers: the container definitions cannot be read: it is not a list in JSON; hint: make the text with `jsonencode`
    error malformed: `containerDefinitions[0].image` is `Ref`, and there are no intrinsic functions in Terraform's container definitions; hint: write the value
    ");
}

#[test]
fn scope_follows_what_runs_it() {
    let bare = json!({"after": {"requires_compatibilities": null}});
    let service = |launch: &str, stated: Value| {
        json!({"address": "aws_ecs_service.app", "mode": "managed", "type": "aws_ecs_service", "name": "app",
               "change": {"actions": ["create"], "after": {"launch_type": launch, "task_definition": stated}, "after_unknown": {}}})
    };
    let outcome = |service: Option<Value>| {
        let mut plan = plan_of(APP, bare.clone());
        plan["resource_changes"]
            .as_array_mut()
            .unwrap()
            .extend(service);
        let (_, report) = run(&plan);
        (report.task_definitions[0].outcome, said(&report))
    };
    assert_eq!(outcome(None).0, Outcome::Rewritten);
    assert_eq!(
        outcome(Some(service("FARGATE", Value::Null))).0,
        Outcome::Rewritten
    );
    for stated in [Value::Null, json!("app")] {
        let (found, said) = outcome(Some(service("EC2", stated)));
        assert_eq!(found, Outcome::LeftAlone);
        insta::allow_duplicates! { insta::assert_snapshot!(said, @"note not-fargate: a resource runs it with the launch type `EC2`"); }
    }
}

#[test]
fn selectors_see_one_resource_change_with_its_definitions() {
    let select = |query: &str| {
        let mut settings = Settings::default();
        settings.selection.exclude = vec![crate::selector::Selector::parse(query).unwrap()];
        let (_, rewritten) = run_with(&plan_of(APP, json!({})).to_string(), &recipes(), &settings);
        rewritten.report.task_definitions[0].outcome
    };
    assert_eq!(
        select("$.resource_changes[?@.change.after.family == 'app']"),
        Outcome::LeftAlone
    );
    assert_eq!(
        select("$..container_definitions[?@.name == 'web']"),
        Outcome::LeftAlone
    );
    assert_eq!(
        select("$..container_definitions[?@.name == 'other']"),
        Outcome::Rewritten
    );
}

#[test]
fn provider_tags_select_too() {
    let (_, report) = run(&plan_of(
        APP,
        json!({"after": {"tags": {"a": "b"}, "tags_all": {"a": "b", "outrigger:instrument": "false"}}}),
    ));
    assert_eq!(report.task_definitions[0].outcome, Outcome::LeftAlone);
}

#[test]
fn places_that_differ_are_refused() {
    let mut plan = plan_of(APP, json!({}));
    plan["planned_values"]["root_module"]["resources"][0]["values"]["family"] = json!("other");
    let error = Plan::from_bytes(plan.to_string().as_bytes()).unwrap_err();
    assert_eq!(
        error,
        PlanError::Disagrees("aws_ecs_task_definition.app".to_owned())
    );
}

#[test]
fn one_place_is_enough_and_what_is_gone_is_not_looked_at() {
    let mut changes_only = plan_of(APP, json!({}));
    changes_only
        .as_object_mut()
        .unwrap()
        .remove("planned_values");
    assert_eq!(
        run(&changes_only).1.task_definitions[0].outcome,
        Outcome::Rewritten
    );
    let mut values_only = plan_of(APP, json!({}));
    values_only
        .as_object_mut()
        .unwrap()
        .remove("resource_changes");
    let nested = json!({"root_module": {"child_modules": [{"child_modules": [values_only["planned_values"]["root_module"]]}]}});
    values_only["planned_values"] = nested;
    let (after, report) = run(&values_only);
    assert_eq!(report.task_definitions[0].outcome, Outcome::Rewritten);
    assert_ne!(after, values_only);
    let mut gone = plan_of(APP, json!({}));
    gone["resource_changes"][0]["change"]["after"] = Value::Null;
    gone["planned_values"] = json!({"root_module": {}});
    assert_eq!(run(&gone).1.task_definitions.len(), 0);
    let mut read = plan_of(APP, json!({}));
    read["resource_changes"][0]["mode"] = json!("data");
    read["planned_values"] = json!({"root_module": {}});
    assert_eq!(run(&read).1.task_definitions.len(), 0);
}

#[test]
fn another_provider_is_named() {
    let mut plan = plan_of(APP, json!({}));
    let mut other = plan["resource_changes"][0].clone();
    other["type"] = json!("awscc_ecs_task_definition");
    other["address"] = json!("awscc_ecs_task_definition.app");
    plan["resource_changes"].as_array_mut().unwrap().push(other);
    let (_, report) = run(&plan);
    let named: Vec<String> = report
        .findings
        .iter()
        .map(|(id, finding)| format!("{id}: {}", finding.message))
        .collect();
    insta::assert_snapshot!(named.join("\n"), @"awscc_ecs_task_definition.app: `awscc_ecs_task_definition` is another kind of resource, which was not looked at");
}

#[test]
fn what_is_no_plan_is_named_with_the_command_to_run() {
    let mut errored = plan_of(APP, json!({}));
    errored["errored"] = json!(true);
    let mut newer = plan_of(APP, json!({}));
    newer["format_version"] = json!("2.0");
    let table: [&[u8]; 17] = [
        b"",
        b" \n",
        b"PK\x03\x04binary",
        b"\xff\xfe{\0",
        b"{\"a\":\n\"\xff\"}",
        br#"{"format_version":"1.0","terraform_version":"1.11.4","values":{"root_module":{}}}"#,
        br#"{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"x","resources":[]}"#,
        b"{\"@level\":\"info\",\"@message\":\"Terraform 1.11.4\",\"type\":\"version\"}\n{\"@message\":\"x\"}\n",
        br#"{"Resources":{}}"#,
        b"Description: x\nResources:\n  A: {}\n",
        br#"{"family":"a","containerDefinitions":[]}"#,
        b"Terraform used the selected providers to generate the following execution plan.",
        br#"{"planned_values":{"root_module":"hunter2"},"format_version":"1.2"}"#,
        br#"{"planned_values":{"#,
        b"[]",
        errored.to_string().leak().as_bytes(),
        newer.to_string().leak().as_bytes(),
    ];
    let said: Vec<String> = table
        .iter()
        .map(|bytes| {
            let error = Plan::from_bytes(bytes).unwrap_err();
            format!("{error} -- {}", error.hint().unwrap_or_default())
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @"
    the plan is empty -- make the plan's JSON with `terraform plan -out tfplan` and `terraform show -json tfplan`
    the plan is empty -- make the plan's JSON with `terraform plan -out tfplan` and `terraform show -json tfplan`
    a saved plan in Terraform's own format, and not its JSON -- give its JSON: `terraform show -json <plan> | tf-filter`, or `tofu show -json <plan> | tf-filter`
    the text is UTF-16 -- in PowerShell, write it with `terraform show -json tfplan | Out-File -Encoding utf8 plan.json`
    the text is not UTF-8: byte 2 of line 2 -- 
    a state, and not a plan -- a state holds what is deployed; `terraform plan -out tfplan`, then `terraform show -json tfplan | tf-filter`
    a state, and not a plan -- a state holds what is deployed; `terraform plan -out tfplan`, then `terraform show -json tfplan | tf-filter`
    the events of `terraform plan -json`, and not the plan itself -- `terraform plan -out tfplan`, then `terraform show -json tfplan | tf-filter`
    a CloudFormation template, and not a plan -- `cfn-filter` rewrites it
    a CloudFormation template, and not a plan -- `cfn-filter` rewrites it
    a task definition by itself, and not a plan -- `cfn-filter` rewrites it
    not JSON: it begins like what Terraform prints for people -- `terraform plan -out tfplan`, then `terraform show -json tfplan | tf-filter`
    the plan is not what Terraform writes: line 1, column 42 -- give the plan as `terraform show -json` prints it
    not JSON: line 1, column 19 -- make the plan's JSON with `terraform plan -out tfplan` and `terraform show -json tfplan`
    not a plan: it has no `format_version` and no `planned_values` -- make the plan's JSON with `terraform plan -out tfplan` and `terraform show -json tfplan`
    the plan is incomplete, because Terraform met an error when it made it (`errored`) -- correct what `terraform plan` reports, and make the plan again
    the format of the plan is `2.0`, and only `1.x` is understood -- use a version of Outrigger that knows this format
    ");
}

#[test]
fn two_recipes_take_turns() {
    let both = Recipes::new(vec![run_as_root(), bound("alert-logic", &[])]).unwrap();
    let (after, rewritten) = run_with(
        &plan_of(APP, json!({})).to_string(),
        &both,
        &Settings::default(),
    );
    assert_eq!(
        rewritten.report.task_definitions[0].outcome,
        Outcome::Rewritten
    );
    let after: Value = serde_json::from_str(&after).unwrap();
    assert_eq!(definitions(&after).as_array().unwrap().len(), 3);
}

#[test]
fn a_plan_says_how_much_it_speaks_of() {
    let whole = plan_of(APP, json!({}));
    let extent = |plan: &Value| {
        let text = plan.to_string();
        Plan::from_bytes(text.as_bytes()).map(|plan| plan.extent())
    };
    assert_eq!(extent(&whole), Ok(Extent::Whole));
    let mut part = whole.clone();
    part["complete"] = json!(false);
    assert_eq!(extent(&part), Ok(Extent::Part));
    let mut destroys = whole.clone();
    destroys["planned_values"] = json!({"root_module": {}});
    destroys["resource_changes"][0]["change"]["after"] = Value::Null;
    assert_eq!(extent(&destroys), Ok(Extent::Destroys));
    let nothing = json!({"format_version": "1.2", "planned_values": {"root_module": {}}});
    assert_eq!(extent(&nothing), Ok(Extent::Nothing));
    let mut refresh = nothing;
    refresh["prior_state"] = json!({"values": whole["planned_values"]});
    assert_eq!(extent(&refresh), Err(PlanError::RefreshOnly));
}

#[test]
fn a_task_definition_of_another_round_cannot_be_judged() {
    let mut plan = plan_of(APP, json!({}));
    let change = plan["resource_changes"][0].take();
    plan["resource_changes"] = json!([]);
    plan["planned_values"] = json!({"root_module": {}});
    plan["deferred_changes"] =
        json!([{"reason": "instance_count_unknown", "resource_change": change}]);
    let text = plan.to_string();
    let plan = Plan::from_bytes(text.as_bytes()).unwrap();
    let checked = plan.check(&recipes(), &Settings::default(), &Answers::new());
    let checked = checked.unwrap();
    assert!(checked.is_refused());
    let [(address, finding)] = checked.findings.as_slice() else {
        panic!("{:?}", checked.findings);
    };
    assert_eq!(address, "aws_ecs_task_definition.app");
    insta::assert_snapshot!(finding.message, @"it is planned in another round (`deferred_changes`), and not known yet");
    let (_, rewritten) = run_with(&text, &recipes(), &Settings::default());
    assert!(!rewritten.report.is_refused());
}

#[test]
fn what_is_asked_of_a_task_does_not_wait_for_its_containers() {
    let role = "arn:aws:iam::123456789012:role/execution";
    let token = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:token-AbCdEf";
    let inputs = [
        ("accessToken", token),
        ("nonRoot", "run-as-root"),
        ("executionRole", role),
    ];
    let recipe = bound("lacework", &inputs).into();
    let asked = |over: Value| {
        let text = plan_of(APP, over).to_string();
        let plan = Plan::from_bytes(text.as_bytes()).unwrap();
        let asked = plan.asked_of_unknown(0, &recipe, &Settings::default());
        asked.unwrap()
    };
    let unknown = json!({"container_definitions": true});
    let none = json!({"after": {"execution_role_arn": null}, "after_unknown": unknown});
    assert_eq!(asked(none), [("execution_role_arn", json!(role))]);
    assert_eq!(asked(json!({"after_unknown": unknown})), []);
    let waits = json!({"container_definitions": true, "execution_role_arn": true});
    assert_eq!(asked(json!({"after_unknown": waits})), []);
}
