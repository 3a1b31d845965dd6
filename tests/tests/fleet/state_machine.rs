//! The state machine of `deploy/`, executed by moto, with the function in the place of AWS Lambda.
//!
//! moto before 5.2.5 cannot begin a second run of a state machine; `scripts/requirements.txt` has one
//! that can.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use outrigger_tests::servers::Verdict;
use serde_json::{Value, json};

use crate::account::{Aws, OWN, REGION, plain};
use crate::function::{Subject, buckets, kept};

const OTHER: &str = "210987654321";
const ROLE: &str = "arn:aws:iam::123456789012:role/states";
/// Far longer than a run takes, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks at it.
const PAUSE: Duration = Duration::from_millis(100);

/// The definition with what the stack substitutes.
fn definition(values: &[(&str, &str)]) -> String {
    let text = std::fs::read_to_string("../deploy/fleet.asl.json").unwrap();
    let fixed = [
        ("ApprovalSeconds", "600"),
        ("Bucket", "results"),
        (
            "FunctionArn",
            "arn:aws:lambda:eu-central-1:123456789012:function:fleet",
        ),
        ("MaxConcurrency", "2"),
        ("Partition", "aws"),
        ("Region", REGION),
        ("ToleratedFailurePercentage", "0"),
    ];
    let all = fixed.iter().chain(values);
    let text = all.fold(text, |text, (name, value)| {
        text.replace(&format!("${{{name}}}"), value)
    });
    assert!(!text.contains("${"), "{text}");
    text
}

/// AWS with services in two accounts and two regions, and a state machine.
struct World {
    aws: Aws,
    machine: String,
    /// The events that the function was invoked with.
    events: Arc<Mutex<Vec<Value>>>,
}

impl World {
    fn start(values: &[(&str, &str)]) -> Option<World> {
        let aws = Aws::with_state_machines()?;
        buckets(&aws);
        let other = aws.moto.key_of(OTHER).unwrap();
        for (key, region) in [("key", REGION), (&other, REGION), (&other, "us-east-1")] {
            let as_key = |action: &str, input: &Value| aws.ecs_as(key, region, action, input);
            let cluster = as_key("CreateCluster", &json!({"clusterName": "prod"}));
            let registered = as_key("RegisterTaskDefinition", &plain("api"));
            let service = json!({
                "cluster": cluster["cluster"]["clusterArn"], "serviceName": "api", "desiredCount": 2,
                "taskDefinition": registered["taskDefinition"]["taskDefinitionArn"],
                "launchType": "FARGATE",
            });
            as_key("CreateService", &service);
        }
        let accounts = format!("{OWN} {OTHER}");
        let regions = format!("{REGION} us-east-1");
        let settings = [
            ("OUTRIGGER_ACCOUNTS", accounts.as_str()),
            ("OUTRIGGER_REGIONS", regions.as_str()),
            ("OUTRIGGER_ROLE_NAME", "OutriggerFleet"),
        ];
        let subject = Mutex::new(Subject::start(&aws, &settings));
        let events: Arc<Mutex<Vec<Value>>> = Arc::default();
        let told = Arc::clone(&events);
        aws.disturbed(move |call| {
            if !call.action.starts_with("lambda:POST ") {
                return None;
            }
            told.lock().unwrap().push(call.input.clone());
            let answer = subject.lock().unwrap().within(&call.input, PATIENCE);
            Some(match answer {
                Ok(answer) => Verdict::Answer(200, answer),
                Err(error) => Verdict::FunctionError(error),
            })
        });
        let world = World {
            aws,
            machine: String::new(),
            events,
        };
        let input = json!({"name": "fleet", "definition": definition(values), "roleArn": ROLE});
        let made = world.states("CreateStateMachine", &input);
        let machine = made["stateMachineArn"].as_str().unwrap().to_owned();
        Some(World { machine, ..world })
    }

    fn states(&self, action: &str, input: &Value) -> Value {
        let target = format!("AWSStepFunctions.{action}");
        let moto = &self.aws.moto;
        moto.json(("key", REGION), ("states", &target), input)
            .unwrap()
    }

    fn begin(&self, run: &str, input: &Value) -> Value {
        let input = json!({
            "stateMachineArn": self.machine, "name": run, "input": input.to_string(),
        });
        let begun = self.states("StartExecution", &input);
        json!({"executionArn": begun["executionArn"]})
    }

    /// Waits until this is so of an execution.
    fn until<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(seen) = look() {
                return seen;
            }
            assert!(Instant::now() < end, "{what}: not in time");
            // Whoever asks without a pause keeps moto from its work.
            std::thread::sleep(PAUSE);
        }
    }

    /// The end of an execution.
    fn end(&self, execution: &Value) -> Value {
        self.until("the end", || {
            let described = self.states("DescribeExecution", execution);
            (described["status"] != "RUNNING").then_some(described)
        })
    }

    fn run(&self, run: &str, input: &Value) -> Value {
        self.end(&self.begin(run, input))
    }

    /// What the services run, by account and region.
    fn services(&self) -> Vec<String> {
        let other = self.aws.moto.key_of(OTHER).unwrap();
        let places = [("key", REGION), (&other, REGION), (&other, "us-east-1")];
        let runs = places.map(|(key, region)| {
            let input = json!({"cluster": "prod", "services": ["api"]});
            let described = self.aws.ecs_as(key, region, "DescribeServices", &input);
            let runs = described["services"][0]["taskDefinition"].as_str().unwrap();
            runs.rsplit('/').next().unwrap().to_owned()
        });
        runs.into()
    }

    /// How often each action was asked for since the last time.
    fn actions(&self) -> Vec<(String, usize)> {
        let events = std::mem::take(&mut *self.events.lock().unwrap());
        let count = |action: &str| {
            events
                .iter()
                .filter(|event| event["action"] == action)
                .count()
        };
        ["shards", "plan", "summary", "apply"]
            .map(|action| (action.to_owned(), count(action)))
            .into()
    }
}

fn counts(shards: usize, plan: usize, summary: usize, apply: usize) -> Vec<(String, usize)> {
    [
        ("shards", shards),
        ("plan", plan),
        ("summary", summary),
        ("apply", apply),
    ]
    .map(|(action, count)| (action.to_owned(), count))
    .into()
}

#[test]
fn a_run_over_accounts_and_regions_and_the_way_back() {
    let Some(world) = World::start(&[("Apply", "always"), ("ApprovalTopic", "none")]) else {
        return;
    };
    let ended = world.run("r-1", &json!({}));
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    assert_eq!(world.services(), ["api:2", "api:2", "api:2"]);
    assert_eq!(world.actions(), counts(1, 4, 2, 4));
    let sum = kept(&world.aws, "runs/r-1/apply-summary.json");
    assert_eq!(
        (&sum["exit"], &sum["counts"]["updated"]),
        (&json!(0), &json!(3))
    );

    // There is nothing to do any more.
    let ended = world.run("r-2", &json!({}));
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    assert_eq!(world.actions(), counts(1, 4, 1, 0));

    let ended = world.run("r-3", &json!({"purpose": "remove"}));
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    assert_eq!(world.services(), ["api:3", "api:3", "api:3"]);
    let before = world.aws.definition("api:1");
    assert_eq!(world.aws.definition("api:3"), before);
}

#[test]
fn nothing_is_applied_before_it_is_approved() {
    let topic = "arn:aws:sns:eu-central-1:123456789012:approve";
    let Some(world) = World::start(&[("Apply", "approval"), ("ApprovalTopic", topic)]) else {
        return;
    };
    let form = "Action=CreateTopic&Version=2010-03-31&Name=approve";
    world.aws.moto.form(("key", REGION), "sns", form).unwrap();
    let message = |execution: &Value| {
        let mut input = execution.clone();
        input["maxResults"] = json!(1000);
        world.until("the message", || {
            let history = world.states("GetExecutionHistory", &input);
            let events = history["events"].as_array().unwrap();
            let scheduled = events.iter().find_map(|event| {
                let details = &event["taskScheduledEventDetails"];
                (details["resourceType"] == "sns").then(|| details["parameters"].as_str().unwrap())
            })?;
            // It waits from then on.
            let waits = events.iter().any(|event| event["type"] == "TaskSubmitted");
            let parameters: Value = serde_json::from_str(scheduled).unwrap();
            waits.then(|| parameters["Message"].clone())
        })
    };
    let token = |message: &Value| {
        let command = message["approve"].as_str().unwrap();
        command.rsplit(' ').next().unwrap().to_owned()
    };
    let execution = world.begin("r-1", &json!({}));
    let told = message(&execution);
    assert_eq!(told["run"], "r-1");
    insta::assert_snapshot!(told["text"].as_str().unwrap(), @"4 accounts and regions, 3 targets: 3 revisions to register, 0 left alone, 0 refused");
    assert_eq!(world.services(), ["api:1", "api:1", "api:1"]);
    let refused = json!({"taskToken": token(&told), "error": "Outrigger.Refused"});
    world.states("SendTaskFailure", &refused);
    let ended = world.end(&execution);
    assert_eq!(ended["error"], "Outrigger.Refused", "{ended}");
    assert_eq!(world.actions(), counts(1, 4, 1, 0));

    let execution = world.begin("r-2", &json!({}));
    let approved = json!({"taskToken": token(&message(&execution)), "output": "true"});
    world.states("SendTaskSuccess", &approved);
    let ended = world.end(&execution);
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    assert_eq!(world.services(), ["api:2", "api:2", "api:2"]);
}

#[test]
fn a_service_that_does_not_become_steady_fails_the_run() {
    let Some(world) = World::start(&[("Apply", "always"), ("ApprovalTopic", "none")]) else {
        return;
    };
    world.aws.fails("api");
    let ended = world.run("r-1", &json!({}));
    assert_eq!(ended["status"], "FAILED", "{ended}");
    assert_eq!(ended["error"], "Outrigger.NotEverythingWasApplied");
    assert_eq!(world.services(), ["api:1", "api:1", "api:1"]);
}

#[test]
fn an_input_that_is_none_fails_the_run_with_a_reason() {
    let Some(world) = World::start(&[("Apply", "never"), ("ApprovalTopic", "none")]) else {
        return;
    };
    let ended = world.run("r-1", &json!({"recipe": "other"}));
    assert_eq!(ended["error"], "Outrigger.Event", "{ended}");
    let cause = ended["cause"].as_str().unwrap();
    assert!(cause.contains("unknown field `recipe`"), "{cause}");
    let ended = world.run("r-2", &json!({}));
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    assert_eq!(world.services(), ["api:1", "api:1", "api:1"]);
}
