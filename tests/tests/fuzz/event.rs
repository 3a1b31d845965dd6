//! What CloudFormation sends to the macro.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use macro_lambda::{Event, Macro};
use outrigger_tests::document::parse;
use outrigger_tests::servers::scripted::Server;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::answers::{NO_PROXY, Script};
use crate::documents::WORDS;
use crate::driver::{Seen, Target};
use crate::random::hash;
use crate::seeds;

/// More than an event takes.
const TIME: Duration = Duration::from_secs(110);
const MESSAGE_MAX: usize = 4_000;

pub(crate) fn target() -> Target {
    Target {
        name: "macro_event",
        inputs: 150,
        words: WORDS,
        seeds,
        check: || {
            let subject = Subject::new();
            Box::new(move |input: &[u8]| subject.check(input))
        },
    }
}

/// An event for each template that the filter is tested with, and for parts of some.
fn seeds() -> Vec<Vec<u8>> {
    let templates = seeds::templates().into_iter();
    let templates = templates.filter_map(|text| parse(&text).ok());
    let templates = templates.filter(|template| template.get("Resources").is_some());
    let params = [
        json!({}),
        json!({"Mode": "opt-in"}),
        json!({"Include": "$.Resources.*"}),
        json!({"Recipe": "alert-logic"}),
    ];
    let mut events = Vec::new();
    for (template, params) in templates.zip(params.iter().cycle()) {
        let part = template.pointer("/Resources/Task/Properties").cloned();
        for fragment in [Some(template), part].into_iter().flatten() {
            let event = json!({
                "requestId": "r-1", "region": "eu-central-1", "accountId": "123456789012",
                "transformId": "123456789012::Outrigger", "params": params,
                "templateParameterValues": {"Environment": "test", "Count": "2"}, "fragment": fragment,
            });
            events.push(event.to_string().into_bytes());
        }
    }
    events
}

struct Subject {
    runtime: Runtime,
    server: Server,
    outrigger: Arc<Macro>,
}

impl Subject {
    fn new() -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let script = Mutex::new(Script::usual());
        let server = Server::plain(move |asked| {
            script
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .reply(asked)
        });
        let server = runtime.block_on(server);
        let host = server.host();
        let (proxy, direct) = NO_PROXY;
        let mirror = format!("docker.io={host}");
        let inputs = json!({"lacework.accessToken": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:lacework-AbCdEf"}).to_string();
        let variables = [
            ("OUTRIGGER_RECIPE", "lacework"),
            ("OUTRIGGER_INPUTS", &inputs),
            ("OUTRIGGER_MIRRORS", &mirror),
            ("OUTRIGGER_INSECURE_REGISTRIES", &host),
            // Waiting for others is not what is tested.
            ("OUTRIGGER_ALLOWED_REGISTRIES", "docker.io"),
            ("OUTRIGGER_ALLOW_TEMPLATE_PARAMS", "*"),
            ("OUTRIGGER_PARAMETERIZED_IMAGES", "resolve"),
            ("OUTRIGGER_ON_UNRESOLVED", "skip"),
            ("OUTRIGGER_LAUNCH_TYPES", "any"),
            ("HTTPS_PROXY", proxy),
            ("NO_PROXY", direct),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            outrigger: Arc::new(Macro::new(variables)),
            runtime,
            server,
        }
    }

    fn answer(&self, event: &[u8]) -> Result<Value, String> {
        let answered = self
            .runtime
            .block_on(self.outrigger.answer(Event::from(event), TIME));
        let text = serde_json::to_string(&answered.response)
            .map_err(|error| format!("a response that cannot be written: {error}"))?;
        if text.len() > 6 << 20 {
            return Err(format!("a response of {} bytes", text.len()));
        }
        let response: Value = serde_json::from_str(&text)
            .map_err(|error| format!("a response that is no JSON: {error}"))?;
        match response["status"].as_str() {
            Some("success") => Ok(response),
            Some("failure") => {
                let message = response["errorMessage"].as_str().unwrap_or_default();
                let length = message.chars().count();
                if !(1..MESSAGE_MAX).contains(&length) || message.contains(['\n', '\r']) {
                    return Err(format!("a message: {message:?}"));
                }
                for own in ["an error of its own", "the time was over"] {
                    if message.contains(own) {
                        return Err(format!("the macro: {message}"));
                    }
                }
                Ok(response)
            }
            _ => Err(format!("a response without a status: {text}")),
        }
    }

    fn check(&self, input: &[u8]) -> Result<Seen, String> {
        self.server.forget();
        let response = self.answer(input)?;
        let event = serde_json::from_slice::<Value>(input);
        if let Ok(event) = &event
            && let Some(id) = event.get("requestId").filter(|id| id.is_string())
            && response["requestId"] != *id
            // Of two members with one name, each reader takes another one.
            && response["requestId"] != ""
        {
            return Err(format!(
                "the response is to another request: {}",
                response["requestId"]
            ));
        }
        let Some(fragment) = response.get("fragment") else {
            let message = response["errorMessage"].as_str().unwrap_or_default();
            let words: Vec<u8> = message
                .split('`')
                .step_by(2)
                .flat_map(str::bytes)
                .filter(u8::is_ascii_alphabetic)
                .collect();
            return Ok(hash(&words));
        };
        // What stands in a member that is not read may be no text at all.
        let Ok(mut event) = event else {
            return Ok(1);
        };
        let text = fragment.to_string();
        let grown = text
            .len()
            .saturating_sub(event["fragment"].to_string().len());
        event["fragment"] = fragment.clone();
        let again = self.answer(event.to_string().as_bytes())?;
        if again.get("fragment") != Some(fragment) {
            return Err(format!("a second run changes: {again}\nafter: {fragment}"));
        }
        let functions = text.matches("Fn::").count().min(20);
        Ok(hash(
            &[functions, grown / 64].map(usize::to_le_bytes).concat(),
        ))
    }
}
