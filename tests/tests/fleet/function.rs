//! The function of AWS Lambda, as a state machine invokes it.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use outrigger_tests::servers::{Call, Function, Verdict};
use serde_json::{Value, json};

use crate::account::{Aws, LOCK, OWN, REGION, from_image, plain};

/// More time than an event takes.
const LONG: Duration = Duration::from_secs(60);
/// So little that an invocation ends before a service is steady that never is.
const SHORT: Duration = Duration::from_secs(4);
const TOKEN: &str =
    r#"{"accessToken": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:agent-AbCdEf"}"#;

/// A process of the function.
pub(crate) struct Subject(Function);

impl Subject {
    /// Starts it with these settings besides those that it needs; the later of two counts.
    pub(crate) fn start(aws: &Aws, settings: &[(&str, &str)]) -> Subject {
        let url = aws.proxy.url();
        let home = aws.folder.path().to_string_lossy().into_owned();
        let own = [
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "canary-5ecret"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("HOME", home.as_str()),
            ("OUTRIGGER_RESULTS", "s3://results/fleet"),
            ("OUTRIGGER_RECIPE", "s3://recipes/agent.yaml"),
            ("OUTRIGGER_INPUTS", TOKEN),
            ("OUTRIGGER_LOCK", "s3://recipes/outrigger.lock"),
            ("OUTRIGGER_LOCKED", "true"),
            ("OUTRIGGER_REGIONS", REGION),
            ("OUTRIGGER_POLL", "0"),
            ("OUTRIGGER_EXTERNAL_ID", "canary-external"),
        ];
        let mut program = Command::new(env!("CARGO_BIN_EXE_fleet-function-under-test"));
        let settings = own.into_iter().chain(settings.iter().copied());
        Subject(Function::start(&mut program, settings).unwrap())
    }

    /// Hands over an event; gives the answer, or the error.
    pub(crate) fn within(&self, event: &Value, time: Duration) -> Result<Value, Value> {
        let answer = self.0.invoke(event.to_string().as_bytes(), time);
        let log = self.0.log();
        assert!(!log.contains("canary"), "{log}");
        match answer {
            Ok(answer) => Ok(serde_json::from_slice(&answer.payload).unwrap()),
            Err(said) => {
                let (_, error) = said
                    .split_once("/error: ")
                    .unwrap_or_else(|| panic!("{said}"));
                let error = error.lines().next().unwrap();
                Err(serde_json::from_str(error).unwrap())
            }
        }
    }

    fn answer(&self, event: &Value) -> Value {
        self.within(event, LONG).unwrap()
    }

    /// Name and text of the error with which an event ends.
    fn error(&self, event: &Value) -> String {
        let error = self.within(event, LONG).unwrap_err();
        let text = |key: &str| error[key].as_str().unwrap().to_owned();
        format!("{}: {}", text("errorType"), text("errorMessage"))
    }
}

/// Buckets, with a recipe and a lock file in one of them.
pub(crate) fn buckets(aws: &Aws) {
    let recipe = std::fs::read("../templates/lacework.yaml").unwrap();
    for (path, body) in [
        ("/results", &b""[..]),
        ("/recipes", b""),
        ("/recipes/agent.yaml", &recipe),
        ("/recipes/outrigger.lock", LOCK.as_bytes()),
    ] {
        aws.moto.s3_put(path, body).unwrap();
    }
}

pub(crate) fn kept(aws: &Aws, key: &str) -> Value {
    let bytes = aws.moto.s3_get(&format!("/results/fleet/{key}")).unwrap();
    serde_json::from_slice(&bytes.unwrap_or_else(|| panic!("no {key}"))).unwrap()
}

fn shard() -> Value {
    json!({"account": OWN, "region": REGION})
}

fn plan(run: &str) -> Value {
    json!({"action": "plan", "run": run, "purpose": "instrument", "shard": shard()})
}

fn apply(run: &str) -> Value {
    json!({"action": "apply", "run": run, "shard": shard()})
}

/// An account with two services, and where the function keeps things.
fn two_services() -> Option<(Aws, String)> {
    let aws = Aws::start()?;
    buckets(&aws);
    let cluster = aws.cluster("prod");
    for definition in [plain("api"), from_image("web")] {
        let name = definition["family"].as_str().unwrap();
        let arn = aws.register(&definition);
        aws.service(&cluster, name, &arn);
    }
    Some((aws, cluster))
}

/// How often actions were called, of those that write.
fn writes(calls: &[Call]) -> (usize, usize) {
    let count = |action: &str| calls.iter().filter(|call| call.action == action).count();
    (
        count("ecs:RegisterTaskDefinition"),
        count("ecs:UpdateService"),
    )
}

#[test]
fn listed_planned_summed_up_applied_and_planned_again() {
    let Some((aws, cluster)) = two_services() else {
        return;
    };
    let subject = Subject::start(&aws, &[]);
    let shards = subject.answer(&json!({"action": "shards", "run": "r-1"}));
    assert_eq!(shards["purpose"], "instrument");
    assert_eq!(
        shards["shards"],
        json!({"bucket": "results", "key": "fleet/runs/r-1/shards.json"})
    );
    assert_eq!(kept(&aws, "runs/r-1/shards.json"), json!([shard()]));

    let planned = subject.answer(&plan("r-1"));
    let counts = |answer: &Value| {
        ["targets", "changes", "unchanged", "refused", "troubles"].map(|it| answer[it].clone())
    };
    assert_eq!(counts(&planned), [2, 2, 0, 0, 0]);
    let sum = json!({"action": "summary", "run": "r-1", "phase": "plan"});
    let sum = subject.answer(&sum);
    assert_eq!((&sum["apply"], &sum["exit"]), (&json!(true), &json!(0)));
    insta::assert_snapshot!(sum["text"].as_str().unwrap(), @"1 account and region, 2 targets: 2 revisions to register, 0 left alone, 0 refused");
    assert_eq!(writes(&aws.proxy.take_calls()), (0, 0));

    let applied = subject.answer(&apply("r-1"));
    assert_eq!(
        (&applied["done"], &applied["ok"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(applied["updated"], 2);
    assert_eq!(writes(&aws.proxy.take_calls()), (2, 2));
    assert_eq!(aws.runs(&cluster, "api"), "api:2");
    assert_eq!(aws.runs(&cluster, "web"), "web:2");
    // Whoever asks again is told the same, and nothing is done.
    assert_eq!(subject.answer(&apply("r-1"))["updated"], 2);
    assert_eq!(writes(&aws.proxy.take_calls()), (0, 0));
    let sum = json!({"action": "summary", "run": "r-1", "phase": "apply"});
    let sum = subject.answer(&sum);
    assert_eq!(sum["exit"], 0);
    insta::assert_snapshot!(sum["text"].as_str().unwrap(), @"1 account and region, 2 targets: 2 updated, 0 not touched, 0 failed, 0 not reached");

    let planned = subject.answer(&plan("r-2"));
    assert_eq!(counts(&planned), [2, 0, 2, 0, 0]);
    assert_eq!(subject.answer(&apply("r-2"))["targets"], 0);
    assert_eq!(writes(&aws.proxy.take_calls()), (0, 0));
    for name in ["plan", "plan-report", "apply-report"] {
        let text = kept(&aws, &format!("runs/r-1/{OWN}/{REGION}/{name}.json")).to_string();
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn the_way_back() {
    let Some((aws, cluster)) = two_services() else {
        return;
    };
    let before = [aws.definition("api:1"), aws.definition("web:1")];
    let subject = Subject::start(&aws, &[]);
    subject.answer(&plan("r-1"));
    subject.answer(&apply("r-1"));
    let back = json!({"action": "plan", "run": "r-2", "purpose": "remove", "shard": shard()});
    assert_eq!(subject.answer(&back)["changes"], 2);
    assert_eq!(subject.answer(&apply("r-2"))["updated"], 2);
    assert_eq!(aws.runs(&cluster, "web"), "web:3");
    assert_eq!([aws.definition("api:3"), aws.definition("web:3")], before);
}

/// Services whose deployments go on for as long as they are held.
fn held(aws: &Aws) -> Arc<AtomicBool> {
    let held = Arc::new(AtomicBool::new(true));
    let holds = Arc::clone(&held);
    aws.disturbed(move |call| {
        let holds = call.action == "ecs:DescribeServices" && holds.load(Ordering::SeqCst);
        holds.then(|| {
            Verdict::Change(Box::new(|mut answer| {
                for service in answer["services"].as_array_mut().unwrap() {
                    let runs = service["taskDefinition"].clone();
                    let is_first = runs.as_str().is_some_and(|runs| runs.ends_with(":1"));
                    let state = if is_first { "COMPLETED" } else { "IN_PROGRESS" };
                    let running = if is_first { 2 } else { 0 };
                    service["runningCount"] = json!(running);
                    service["deployments"] = json!([{
                        "id": "ecs-svc/1", "status": "PRIMARY", "taskDefinition": runs,
                        "rolloutState": state, "desiredCount": 2, "runningCount": running, "failedTasks": 0,
                    }]);
                }
                answer
            }))
        })
    });
    held
}

#[test]
fn an_invocation_whose_time_is_over_is_gone_on_with() {
    let Some((aws, cluster)) = two_services() else {
        return;
    };
    let subject = Subject::start(&aws, &[]);
    subject.answer(&plan("r-1"));
    subject.answer(&plan("r-2"));
    let held = held(&aws);
    aws.proxy.take_calls();
    let first = subject.within(&apply("r-1"), SHORT).unwrap();
    assert_eq!(first["done"], false);
    assert_eq!(
        (&first["finished"], &first["targets"]),
        (&json!(0), &json!(2))
    );
    // The first wave is one service.
    assert_eq!(writes(&aws.proxy.take_calls()), (1, 1));
    // Meanwhile nobody else may.
    let error = subject.error(&apply("r-2"));
    assert!(
        error.starts_with("Outrigger.Busy: another apply is at work"),
        "{error}"
    );
    assert!(
        error.contains("that of the run `r-1`; way out: wait for it"),
        "{error}"
    );

    held.store(false, Ordering::SeqCst);
    let second = subject.answer(&apply("r-1"));
    assert_eq!(
        (&second["done"], &second["updated"]),
        (&json!(true), &json!(2))
    );
    assert_eq!(writes(&aws.proxy.take_calls()), (1, 1));
    assert_eq!(aws.runs(&cluster, "api"), "api:2");
    assert_eq!(aws.revisions("api") + aws.revisions("web"), 4);
    // And now everybody may: there it is seen that nothing is as it was planned.
    let other = subject.answer(&apply("r-2"));
    assert_eq!((&other["ok"], &other["updated"]), (&json!(true), &json!(0)));
}

#[test]
fn a_second_apply_is_refused_while_one_is_at_work() {
    let Some((aws, _)) = two_services() else {
        return;
    };
    let subjects = [Subject::start(&aws, &[]), Subject::start(&aws, &[])];
    let [first, second] = &subjects;
    first.answer(&plan("r-1"));
    let held = held(&aws);
    std::thread::scope(|scope| {
        let working = scope.spawn(|| first.answer(&apply("r-1")));
        let updates = || {
            let calls = aws.proxy.calls();
            calls.iter().any(|call| call.action == "ecs:UpdateService")
        };
        while !updates() {
            std::thread::yield_now();
        }
        let error = second.error(&apply("r-1"));
        held.store(false, Ordering::SeqCst);
        assert!(error.starts_with("Outrigger.Busy: "), "{error}");
        let done = working.join().unwrap();
        assert_eq!((&done["done"], &done["updated"]), (&json!(true), &json!(2)));
    });
    assert_eq!(writes(&aws.proxy.take_calls()), (2, 2));
}

#[test]
fn what_a_killed_process_has_begun_is_gone_on_with_when_its_lease_is_over() {
    let Some((aws, cluster)) = two_services() else {
        return;
    };
    let subject = Subject::start(&aws, &[]);
    subject.answer(&plan("r-1"));
    let lost = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&lost);
    // The process is killed between an update and its answer.
    aws.disturbed(move |call| {
        let first = call.action == "ecs:UpdateService" && !told.load(Ordering::SeqCst);
        first.then(|| {
            told.store(true, Ordering::SeqCst);
            Verdict::Lost
        })
    });
    std::thread::scope(|scope| {
        let invoked = scope.spawn(|| subject.0.invoke(apply("r-1").to_string().as_bytes(), LONG));
        while !lost.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        subject.0.kill();
        assert!(invoked.join().unwrap().is_err());
    });
    aws.proxy.settle();
    aws.undisturbed();
    let next = Subject::start(&aws, &[]);
    let error = next.error(&apply("r-1"));
    assert!(
        error.contains("if it is gone, its lease ends in"),
        "{error}"
    );
    // As time would do it.
    let key = format!("leases/{OWN}/{REGION}.json");
    let mut lease = kept(&aws, &key);
    lease["until"] = json!(1);
    let path = format!("/results/fleet/{key}");
    aws.moto
        .s3_put(&path, lease.to_string().as_bytes())
        .unwrap();
    let done = next.answer(&apply("r-1"));
    assert_eq!((&done["done"], &done["updated"]), (&json!(true), &json!(2)));
    assert_eq!(aws.runs(&cluster, "api"), "api:2");
    assert_eq!(aws.runs(&cluster, "web"), "web:2");
    assert_eq!(aws.revisions("api") + aws.revisions("web"), 4);
}

#[test]
fn what_is_refused_is_told_with_a_way_out() {
    let Some(aws) = Aws::start() else { return };
    buckets(&aws);
    let refused = |settings: &[(&str, &str)], event: &Value| {
        let subject = Subject::start(&aws, settings);
        let error = subject.error(event);
        assert!(error.contains("; way out: "), "{error}");
        error
    };
    let shards = json!({"action": "shards", "run": "r"});
    let elsewhere = json!({"account": "210987654321", "region": REGION});
    let table = [
        refused(
            &[],
            &json!({"action": "apply", "run": "r", "shard": shard(), "recipe": "canary"}),
        ),
        refused(&[], &apply("r")),
        refused(
            &[],
            &json!({"action": "summary", "run": "r", "phase": "plan"}),
        ),
        refused(&[("OUTRIGGER_RECIPE", "s3://recipes/none.yaml")], &shards),
        refused(
            &[("OUTRIGGER_INPUTS", "{\"accessToken\": \"canary\"}")],
            &shards,
        ),
        refused(&[("OUTRIGGER_RESULTS", "s3://elsewhere")], &shards),
    ];
    insta::assert_snapshot!(table.join("\n"), @"
    Outrigger.Event: the event is none: unknown field `recipe`, expected `run` or `shard`; way out: `deploy/fleet.asl.json` has the events that it takes
    Outrigger.Failed: there is no plan `s3://results/fleet/runs/r/123456789012/eu-central-1/plan.json`; way out: start a new run, which plans first
    Outrigger.Failed: `s3://results/fleet/runs/r/shards.json` is no list of accounts and regions; way out: start a new run
    Outrigger.Failed: `s3://recipes/none.yaml` cannot be read: there is none of this name in `eu-central-1`; way out: check its name, its account, and the region
    Outrigger.Settings: recipe `lacework`: the input `accessToken` is a secret, and stands in clear text; way out: store it in Secrets Manager, and give its ARN
    Outrigger.Failed: `s3://elsewhere/runs/r/shards.json` cannot be written: there is none of this name in `eu-central-1`; way out: check its name, its account, and the region
    ");
    // An account that cannot be entered is in the report, and in the summary.
    let subject = Subject::start(&aws, &[("OUTRIGGER_ACCOUNTS", "210987654321")]);
    subject.answer(&shards);
    let event = json!({"action": "plan", "run": "r", "purpose": "instrument", "shard": elsewhere});
    assert_eq!(subject.answer(&event)["troubles"], 1);
    let sum = subject.answer(&json!({"action": "summary", "run": "r", "phase": "plan"}));
    assert_eq!((&sum["apply"], &sum["exit"]), (&json!(false), &json!(1)));
    insta::assert_snapshot!(sum["text"].as_str().unwrap(), @"1 account and region, 0 targets: 0 revisions to register, 0 left alone, 0 refused; something could not be done in 210987654321 eu-central-1");
}

#[test]
fn a_query_that_matches_nothing_applies_nothing() {
    let Some((aws, _)) = two_services() else {
        return;
    };
    let summed = |exclude: &str, run: &str| {
        let function = Subject::start(&aws, &[("OUTRIGGER_EXCLUDE", exclude)]);
        function.answer(&json!({"action": "shards", "run": run}));
        function.answer(&plan(run));
        function.answer(&json!({"action": "summary", "run": run, "phase": "plan"}))
    };
    let sum = summed("$.Resources[?@.Properties.Family == 'api']", "wrong");
    let told = "`$.Resources[?@.Properties.Family == 'api']`, given to `OUTRIGGER_EXCLUDE`, matches nothing in any task definition that was looked at";
    assert_eq!(sum["unmatched"], json!([told]));
    assert_eq!((&sum["apply"], &sum["exit"]), (&json!(false), &json!(1)));
    assert!(sum["text"].as_str().unwrap().ends_with(told), "{sum}");
    let sum = summed("$[?$.family == 'api']", "right");
    assert_eq!((&sum["apply"], &sum["exit"]), (&json!(true), &json!(0)));
    assert_eq!(sum["counts"]["changes"], 1);
}
