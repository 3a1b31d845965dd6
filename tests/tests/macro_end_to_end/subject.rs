//! The function under test, and what has to be true of everything that it says.

use std::cell::Cell;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use outrigger_tests::cloudformation::Deployment;
use outrigger_tests::servers::Function;
use serde_json::{Value, json};

/// Stands in every value that must not be seen: of the environment, of parameters, of secrets, and
/// of a template's text that is none of the macro's business.
pub(crate) const CANARY: &str = "canary";
/// More time than a test takes.
const LONG: Duration = Duration::from_secs(60);
/// The most characters of a message.
const MESSAGE_MAX: usize = 4000;

/// The macro's function with the settings of a test.
pub(crate) struct Subject {
    function: Function,
    /// Bytes of the log that belong to earlier invocations.
    read: Cell<u64>,
}

impl Subject {
    /// Starts it with these settings; the later of two with one name counts.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        let own = [
            // Nothing leaves this machine: a registry that is not on it is asked for by a proxy,
            // and there is none.
            ("HTTPS_PROXY", "http://127.0.0.1:9"),
            ("NO_PROXY", "127.0.0.1"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "canary-of-the-secret-key"),
            ("AWS_SESSION_TOKEN", "canary-of-the-session"),
        ];
        let mut program = Command::new(env!("CARGO_BIN_EXE_bootstrap-under-test"));
        let settings = own.into_iter().chain(settings.iter().copied());
        Self {
            function: Function::start(&mut program, settings).unwrap(),
            read: Cell::new(0),
        }
    }

    /// Hands over a request; gives the response.
    pub(crate) fn request(&self, request: &Value) -> Value {
        let id = request["requestId"].as_str().unwrap_or_default();
        let (response, _) = self.event(request.to_string().as_bytes(), id, LONG);
        if response["status"] == "success" {
            let canaries = |value: &Value| value["fragment"].to_string().matches(CANARY).count();
            assert_eq!(canaries(request), canaries(&response), "{response}");
        }
        response
    }

    /// Hands over an event, whatever it is, with the ID that its response has to repeat and the
    /// time that the function has; gives the time that it took, too.
    pub(crate) fn event(&self, event: &[u8], id: &str, time: Duration) -> (Value, Duration) {
        let answer = self.function.invoke(event, time).unwrap();
        let response: Value = serde_json::from_slice(&answer.payload).unwrap();
        check_response(id, &response);
        let lines = self.function.log_after(self.read.get());
        self.read.set(self.read.get() + lines.len() as u64);
        check_log(&response, &lines);
        (response, answer.took)
    }

    /// Hands over an event to a process that has ended, or is about to; gives what becomes of it.
    pub(crate) fn ends(&self, event: &[u8]) -> String {
        self.function.invoke(event, LONG).unwrap_err()
    }

    /// Has a template processed, as CloudFormation does it.
    pub(crate) fn process(
        &self,
        template: &Value,
        deployment: &Deployment,
    ) -> Result<Value, String> {
        let mut outrigger = |request: &Value| {
            let response = self.request(request);
            Ok(response.to_string().into_bytes())
        };
        deployment.process(template.to_string().as_bytes(), &mut outrigger)
    }

    /// The log so far.
    pub(crate) fn log(&self) -> String {
        self.function.log()
    }

    /// What its process has open.
    pub(crate) fn open_files(&self) -> Option<Vec<String>> {
        self.function.open_files()
    }

    /// The memory of its process, in KiB.
    pub(crate) fn resident(&self) -> Option<u64> {
        self.function.resident()
    }
}

/// A response is well-formed, is one to its request, and a message shows no value.
fn check_response(id: &str, response: &Value) {
    let shown = response.to_string();
    assert_eq!(response["requestId"], id, "{shown}");
    assert_eq!(response.as_object().unwrap().len(), 3, "{shown}");
    match response["status"].as_str().unwrap() {
        "success" => assert!(response["fragment"].is_object(), "{shown}"),
        "failure" => {
            let message = response["errorMessage"].as_str().unwrap();
            let length = message.chars().count();
            assert!((1..MESSAGE_MAX).contains(&length), "{length}: {message}");
            assert!(!message.contains(['\n', '\r']), "{message}");
            assert!(!message.contains(CANARY), "{message}");
        }
        other => panic!("{other}"),
    }
}

/// The lines of one invocation: JSON, with the request's ID, without a value, and at the end the
/// summary and the metrics.
fn check_log(response: &Value, lines: &str) {
    assert!(!lines.contains(CANARY), "{lines}");
    let parsed: Result<Vec<Value>, _> = lines.lines().map(serde_json::from_str).collect();
    let parsed = parsed.unwrap_or_else(|error| panic!("{error}: {lines}"));
    let [told @ .., summary, metrics] = parsed.as_slice() else {
        panic!("no summary and no metrics: {lines}");
    };
    for line in told {
        assert!(["ERROR", "WARN", "INFO", "DEBUG"].contains(&line["level"].as_str().unwrap()));
        assert!(!line["message"].as_str().unwrap().is_empty());
        let of_the_start = line.get("request_id").is_none() && line.get("resource").is_none();
        let own = line["request_id"] == response["requestId"];
        assert!(own || (of_the_start && line["level"] == "ERROR"), "{line}");
    }
    let failed = response["status"] == "failure";
    let outcome = if failed { "failed" } else { "processed" };
    assert_eq!(summary["message"], outcome, "{lines}");
    assert_eq!(summary["request_id"], response["requestId"], "{lines}");
    let errors = told.iter().any(|line| line["level"] == "ERROR");
    assert!(errors || !failed, "{lines}");
    check_metrics(metrics);
    for (metric, count) in [
        ("TaskDefinitions", "task_definitions"),
        ("Rewritten", "rewritten"),
        ("LeftAlone", "left_alone"),
        ("Refused", "refused"),
        ("RegistryRequests", "registry_requests"),
    ] {
        assert_eq!(metrics[metric], summary[count], "{lines}");
    }
    assert_eq!(metrics["Failures"], json!(u8::from(failed)));
}

/// What CloudWatch asks of the
/// [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
fn check_metrics(line: &Value) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let stamp = Duration::from_millis(line["_aws"]["Timestamp"].as_u64().unwrap());
    assert!(now.abs_diff(stamp) < Duration::from_secs(3600), "{line}");
    let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
    assert_eq!(directives.len(), 1);
    let directive = &directives[0];
    assert_eq!(directive["Namespace"], "Outrigger");
    for set in directive["Dimensions"].as_array().unwrap() {
        for name in set.as_array().unwrap() {
            let value = line[name.as_str().unwrap()].as_str().unwrap();
            assert!((1..=1024).contains(&value.len()), "{line}");
        }
    }
    let metrics = directive["Metrics"].as_array().unwrap();
    assert_eq!(metrics.len(), 7);
    for metric in metrics {
        assert!(line[metric["Name"].as_str().unwrap()].is_u64(), "{line}");
        let unit = metric["Unit"].as_str().unwrap();
        assert!(["Count", "Milliseconds"].contains(&unit), "{line}");
    }
}
