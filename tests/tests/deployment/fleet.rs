//! `deploy/`: the stacks of `fleet`, its state machine, and its task.

use std::collections::BTreeSet;
use std::fs;

use fleet::{Function, VARIABLES};
use outrigger_tests::{botocore, cfn_lint};
use serde_json::{Value, json};

use crate::{object, path, read, template};

const STACK: &str = "deploy/fleet.yaml";
const ROLES: &str = "deploy/fleet-roles.yaml";

/// The parameter for a setting.
fn parameter(setting: &str) -> String {
    let words = setting.split('_').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_owned() + &rest.to_lowercase()
    });
    words.collect()
}

/// The state machine with what the stack substitutes, and with what it substitutes.
fn state_machine() -> (Value, BTreeSet<String>) {
    let mut text = String::from_utf8(read("deploy/fleet.asl.json")).unwrap();
    let mut names = BTreeSet::new();
    while let Some((_, rest)) = text.split_once("${") {
        let name = rest.split('}').next().unwrap().to_owned();
        let value = match name.as_str() {
            "Partition" => "aws",
            "FunctionArn" => "arn:aws:lambda:eu-central-1:123456789012:function:fleet",
            "ApprovalTopic" => "arn:aws:sns:eu-central-1:123456789012:approve",
            _ => "1",
        };
        text = text.replace(&format!("${{{name}}}"), value);
        names.insert(name);
    }
    (serde_json::from_str(&text).unwrap(), names)
}

#[test]
fn every_setting_is_a_parameter_and_a_variable_of_the_function() {
    let stack = template(STACK);
    let function = &stack["Resources"]["Function"]["Properties"];
    let variables = object(&function["Environment"]["Variables"]);
    let names = variables
        .keys()
        .filter_map(|name| name.strip_prefix("OUTRIGGER_"));
    assert_eq!(names.collect::<Vec<_>>(), VARIABLES);
    for setting in VARIABLES {
        let name = parameter(setting);
        let value = &variables[&format!("OUTRIGGER_{setting}")];
        match setting {
            "RESULTS" => assert_eq!(*value, json!({"Fn::Sub": "s3://${Results}"})),
            "SKIP_ACCOUNTS" => assert_eq!(value["Fn::If"][1], json!({"Ref": name})),
            _ => assert_eq!(*value, json!({"Ref": name})),
        }
        let described = &stack["Parameters"][&name]["Description"];
        assert_eq!(described.is_string(), setting != "RESULTS", "{name}");
    }
}

#[test]
fn the_page_names_every_setting_and_its_parameter() {
    let page = String::from_utf8(read("docs/fleet-deploy.md")).unwrap();
    for setting in VARIABLES {
        let mut names = vec![setting.to_owned()];
        if setting != "RESULTS" {
            names.push(parameter(setting));
        }
        for name in names {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }
}

/// What every parameter is where nobody says it, or could be.
fn values(stack: &Value) -> Vec<(String, String)> {
    let needed = [
        ("RECIPE", "alert-logic"),
        ("REGIONS", "eu-central-1"),
        ("EXTERNAL_ID", "id"),
        ("RESULTS", "s3://results"),
    ];
    let value = |setting: &str| {
        let given = needed.iter().find(|(name, _)| *name == setting);
        let default = &stack["Parameters"][&parameter(setting)]["Default"];
        match (given, default) {
            (Some((_, value)), _) => (*value).to_owned(),
            (None, Value::String(text)) => text.clone(),
            (None, Value::Number(number)) => number.to_string(),
            (None, other) => panic!("{setting}: {other}"),
        }
    };
    let all = VARIABLES.iter();
    all.map(|setting| (format!("OUTRIGGER_{setting}"), value(setting)))
        .collect()
}

/// Why the function does not take an environment.
fn refused(variables: Vec<(String, String)>) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    // No event: it is told first what is wrong with the settings.
    let answer = Function::new(variables);
    let answer = answer.answer(json!(null), "r", std::time::Duration::from_secs(1));
    let refused = runtime.unwrap().block_on(answer).result.unwrap_err();
    (refused.name() != "Outrigger.Event").then(|| refused.to_string())
}

#[test]
fn the_function_takes_what_the_stack_gives_it() {
    let stack = template(STACK);
    assert_eq!(refused(values(&stack)), None);
    let mut taken = 0;
    for setting in VARIABLES {
        let parameter = &stack["Parameters"][&parameter(setting)];
        let allowed = parameter["AllowedValues"].as_array().cloned();
        let limits = ["MinValue", "MaxValue"].map(|limit| parameter[limit].clone());
        let limits = limits.into_iter().filter(Value::is_number);
        for value in allowed.unwrap_or_default().into_iter().chain(limits) {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            let mut variables = values(&stack);
            variables.push((format!("OUTRIGGER_{setting}"), value.clone()));
            assert_eq!(refused(variables), None, "{setting}={value}");
            taken += 1;
        }
    }
    assert!(taken > 20, "only {taken} values");
    let mut variables = values(&stack);
    variables.push(("OUTRIGGER_MODE".to_owned(), "neither".to_owned()));
    assert!(refused(variables).unwrap().contains("OUTRIGGER_MODE"));
}

#[test]
fn an_invocation_takes_longer_than_a_service() {
    let stack = template(STACK);
    let timeout = &stack["Resources"]["Function"]["Properties"]["Timeout"];
    let longest = &stack["Parameters"]["SteadyTimeout"]["MaxValue"];
    // What starts at the beginning of an invocation is decided before it ends.
    assert_eq!(timeout, 900);
    assert!(longest.as_u64().unwrap() + 60 < 900);
}

#[test]
fn the_stack_runs_what_the_script_builds() {
    let script = String::from_utf8(read("scripts/build-lambda")).unwrap();
    let function = &template(STACK)["Resources"]["Function"]["Properties"];
    assert_eq!(function["CodeUri"], "../target/lambda/fleet.zip");
    assert!(script.contains("archive=fleet.zip"));
    assert!(script.contains(function["Runtime"].as_str().unwrap()));
}

/// Actions of a policy's statements.
fn actions<'v>(statements: impl Iterator<Item = &'v Value>) -> BTreeSet<String> {
    let statements = statements.map(|statement| match statement.get("Fn::If") {
        Some(branches) => &branches[1],
        None => statement,
    });
    let actions = statements.flat_map(|statement| match &statement["Action"] {
        Value::Array(actions) => actions.clone(),
        one => vec![one.clone()],
    });
    actions.map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// What the program asks of services, as its source has it.
fn asked() -> BTreeSet<String> {
    let mut asked = BTreeSet::new();
    for file in ["ecs.rs", "schedules.rs"] {
        let text = String::from_utf8(read(&format!("fleet/src/{file}"))).unwrap();
        for (service, name) in [
            ("ecs", "ECS"),
            ("events", "EVENTS"),
            ("scheduler", "SCHEDULER"),
        ] {
            for part in text.split(&format!("&{name},")).skip(1) {
                let action = part.trim_start();
                let action = match action.strip_prefix('"') {
                    Some(action) => action.split('"').next().unwrap(),
                    // The one that has a name, because it is used twice.
                    None => {
                        assert!(action.starts_with("ACTION"), "{action}");
                        assert!(text.contains("const ACTION: &str = \"PutTargets\""));
                        "PutTargets"
                    }
                };
                asked.insert(format!("{service}:{action}"));
            }
        }
    }
    asked
}

#[test]
fn the_role_may_do_what_the_program_asks_and_nothing_else() {
    let policy = &template(ROLES)["Resources"]["Policy"]["Properties"]["PolicyDocument"];
    let statements = policy["Statement"].as_array().unwrap();
    let allowed = actions(statements.iter());
    let asked = asked();
    assert!(asked.len() > 15, "{asked:?}");
    let missing: Vec<_> = asked.difference(&allowed).collect();
    assert!(missing.is_empty(), "not allowed: {missing:?}");
    // What comes with a registration, what images take, and what ECS asks for tags.
    let besides: Vec<_> = allowed.difference(&asked).map(String::as_str).collect();
    assert_eq!(
        besides,
        [
            "ecr:BatchGetImage",
            "ecr:GetAuthorizationToken",
            "ecr:GetDownloadUrlForLayer",
            "ecs:ListTagsForResource",
            "ecs:TagResource",
            "iam:PassRole",
            "kms:Decrypt",
            "secretsmanager:GetSecretValue",
        ]
    );
    // Whoever only plans writes nothing.
    let reads = statements.iter().filter(|it| it.get("Fn::If").is_none());
    for action in actions(reads) {
        let verb = action.split(':').nth(1).unwrap();
        let verbs = ["Describe", "List", "Get", "BatchGet"];
        assert!(verbs.iter().any(|it| verb.starts_with(it)), "{action}");
    }
}

#[test]
fn a_role_is_passed_to_the_services_that_take_one_and_nobody_else() {
    let policy = &template(ROLES)["Resources"]["Policy"]["Properties"]["PolicyDocument"];
    let statements = policy["Statement"].as_array().unwrap().iter();
    let mut passing = statements.filter_map(|statement| {
        let statement = &statement["Fn::If"][1];
        (statement["Action"] == "iam:PassRole").then_some(statement)
    });
    let services = &passing.next().unwrap()["Condition"]["StringEquals"]["iam:PassedToService"];
    let expected = ["ecs-tasks", "events", "scheduler"].map(|it| format!("{it}.amazonaws.com"));
    assert_eq!(*services, json!(expected));
    assert!(passing.next().is_none());
    let trust = &template(ROLES)["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"];
    let condition = &trust["Statement"][0]["Condition"];
    let external = json!({"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}});
    assert_eq!(*condition, external);
}

/// Every state that can be reached from the first one; what leads nowhere fails.
fn reached(states: &Value, first: &Value, machines: &mut Vec<Value>) {
    let states = object(states);
    let mut open = vec![first.as_str().unwrap().to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        let state = states
            .get(&name)
            .unwrap_or_else(|| panic!("no state {name}"));
        if !seen.insert(name) {
            continue;
        }
        let branches = ["Choices", "Catch"].map(|key| state[key].as_array());
        let branches = branches.into_iter().flatten().flatten();
        let next = branches.map(|branch| &branch["Next"]);
        let next = next.chain([&state["Next"], &state["Default"]]);
        open.extend(next.filter_map(|name| name.as_str().map(str::to_owned)));
        if state["ItemProcessor"].is_object() {
            machines.push(state["ItemProcessor"].clone());
        }
    }
    let all: BTreeSet<String> = states.keys().cloned().collect();
    assert_eq!(seen, all, "not all states can be reached");
}

#[test]
fn every_state_is_reached_and_leads_somewhere() {
    let mut machines = vec![state_machine().0];
    let mut looked = 0;
    while let Some(machine) = machines.pop() {
        reached(&machine["States"], &machine["StartAt"], &mut machines);
        looked += 1;
    }
    assert_eq!(looked, 3);
}

#[test]
fn the_stack_substitutes_what_the_state_machine_leaves_open() {
    let stack = template(STACK);
    let machine = &stack["Resources"]["StateMachine"]["Properties"];
    let substituted: BTreeSet<String> = object(&machine["DefinitionSubstitutions"])
        .keys()
        .cloned()
        .collect();
    assert_eq!(substituted, state_machine().1);
    assert_eq!(machine["DefinitionUri"], "fleet.asl.json");
}

#[test]
fn cfn_lint_finds_nothing_in_the_stacks_and_in_the_state_machine() {
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, definition: &Value| {
        let file = folder.path().join(name);
        let machine =
            json!({"RoleArn": "arn:aws:iam::123456789012:role/x", "Definition": definition});
        let machine = json!({"Type": "AWS::StepFunctions::StateMachine", "Properties": machine});
        fs::write(&file, json!({"Resources": {"M": machine}}).to_string()).unwrap();
        file
    };
    let (definition, _) = state_machine();
    let good = written("good.json", &definition);
    let Some(found) = cfn_lint::findings(&[path(STACK), path(ROLES), good]).unwrap() else {
        return;
    };
    assert!(found.is_empty(), "{found:?}");
    // It does look at what is in there.
    let mut wrong = definition;
    wrong["States"]["PlanShards"]["Typo"] = json!(1);
    let found = cfn_lint::findings(&[written("bad.json", &wrong)]).unwrap();
    assert!(!found.unwrap().is_empty());
}

#[test]
fn the_task_is_one_that_ecs_takes() {
    let task: Value = serde_json::from_slice(&read("deploy/fargate-task.json")).unwrap();
    let script = "\
import json, sys, botocore.session, botocore.validate
task = json.load(sys.stdin)
model = botocore.session.get_session().get_service_model('ecs')
shape = model.operation_model('RegisterTaskDefinition').input_shape
report = botocore.validate.ParamValidator().validate(task, shape)
unknown = sorted(set(task) - set(shape.members))
print(json.dumps({'errors': report.generate_report(), 'unknown': unknown}))";
    if let Some(said) = botocore::run(script, &task).unwrap() {
        assert_eq!(said, json!({"errors": "", "unknown": []}));
    }
    // Its commands are ones that the program has.
    for container in task["containerDefinitions"].as_array().unwrap() {
        let args = container["command"].as_array().unwrap().iter();
        let mut args: Vec<std::ffi::OsString> =
            args.map(|arg| arg.as_str().unwrap().into()).collect();
        args.push("--help".into());
        let (mut out, mut told) = (Vec::new(), Vec::new());
        let exit = fleet::run_on(
            &args,
            cli::Console {
                stdin: &mut std::io::empty(),
                stdout: &mut out,
                stderr: &mut told,
                terminals: cli::Terminals::default(),
                variables: cli::Variables::default(),
            },
        );
        assert_eq!(exit, cli::Exit::Done, "{}", String::from_utf8_lossy(&told));
    }
}

#[test]
fn the_image_has_no_root_and_no_shell() {
    let text = String::from_utf8(read("deploy/Dockerfile")).unwrap();
    let (_, last) = text.rsplit_once("FROM ").unwrap();
    assert!(last.starts_with("gcr.io/distroless/") && last.contains(":nonroot\n"));
    assert!(last.contains("USER nonroot") && !last.contains("RUN "));
}
