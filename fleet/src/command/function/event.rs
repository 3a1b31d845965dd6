//! What the state machine asks. `deploy/fleet.asl.json` writes these.

use serde::Deserialize;
use serde_json::Value;

use super::refused::Refused;
use crate::means::Purpose;
use crate::shard::Shard;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "action", rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Event {
    /// Which accounts and regions are there?
    Shards {
        run: String,
        /// What whoever has started the state machine gave it.
        #[serde(default)]
        input: Input,
    },
    /// Plan one of them.
    Plan {
        run: String,
        purpose: Purpose,
        shard: Shard,
    },
    /// Apply the plan of one of them, or go on with that.
    Apply { run: String, shard: Shard },
    /// Sum up.
    Summary { run: String, phase: Phase },
}

/// What a run of the state machine may be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// What is done; to instrument, where nothing is said.
    pub(super) purpose: Option<Purpose>,
}

/// What is summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Phase {
    /// All plans.
    Plan,
    /// All that was applied.
    Apply,
}

impl Event {
    /// Reads an event. No message repeats more of it than the names of its members.
    pub(super) fn read(event: Value) -> Result<Event, Refused> {
        if !event.is_object() {
            return Err(Refused::event("the event is no JSON object".to_owned()));
        }
        let wrong =
            |error: serde_json::Error| Refused::event(format!("the event is none: {error}"));
        let event: Event = serde_json::from_value(event).map_err(wrong)?;
        let run = match &event {
            Event::Shards { run, .. }
            | Event::Plan { run, .. }
            | Event::Apply { run, .. }
            | Event::Summary { run, .. } => run,
        };
        if !is_run(run) {
            return Err(Refused::event(
                "the event's `run` has other characters than letters, digits, `-` and `_`, or more than 80"
                    .to_owned(),
            ));
        }
        match event.shard() {
            Some(shard) if !is_shard(shard) => Err(Refused::event(
                "the event's `shard` is no account and region".to_owned(),
            )),
            _ => Ok(event),
        }
    }

    /// The account and region that it is about, if it is about one.
    pub(super) fn shard(&self) -> Option<&Shard> {
        match self {
            Event::Plan { shard, .. } | Event::Apply { shard, .. } => Some(shard),
            Event::Shards { .. } | Event::Summary { .. } => None,
        }
    }

    /// Its name.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Event::Shards { .. } => "shards",
            Event::Plan { .. } => "plan",
            Event::Apply { .. } => "apply",
            Event::Summary { .. } => "summary",
        }
    }
}

/// The name of an execution, which becomes part of an object's key.
fn is_run(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=80).contains(&text.len()) && text.bytes().all(fits)
}

fn is_shard(shard: &Shard) -> bool {
    let (account, region) = (&shard.account, &shard.region);
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=40).contains(&region.len())
        && region.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_event() {
        let shard = json!({"account": "123456789012", "region": "eu-central-1"});
        let told = |event: Value| match Event::read(event) {
            Ok(event) => format!("{event:?}"),
            Err(refused) => format!("{}: {refused}", refused.name()),
        };
        let table = [
            told(json!({"action": "shards", "run": "r-1"})),
            told(json!({"action": "shards", "run": "r-1", "input": {"purpose": "remove"}})),
            told(json!({"action": "shards", "run": "r-1", "input": {"recipe": "canary"}})),
            told(json!({"action": "apply", "run": "../r", "shard": shard})),
            told(
                json!({"action": "apply", "run": "r", "shard": {"account": "1/2", "region": "x"}}),
            ),
            told(json!({"action": "plan", "run": "r", "shard": shard})),
            told(json!({"action": "destroy", "run": "r"})),
            told(json!("text")),
        ];
        insta::assert_snapshot!(table.join("\n"), @r#"
        Shards { run: "r-1", input: Input { purpose: None } }
        Shards { run: "r-1", input: Input { purpose: Some(Remove) } }
        Outrigger.Event: the event is none: unknown field `recipe`, expected `purpose`; way out: `deploy/fleet.asl.json` has the events that it takes
        Outrigger.Event: the event's `run` has other characters than letters, digits, `-` and `_`, or more than 80; way out: `deploy/fleet.asl.json` has the events that it takes
        Outrigger.Event: the event's `shard` is no account and region; way out: `deploy/fleet.asl.json` has the events that it takes
        Outrigger.Event: the event is none: missing field `purpose`; way out: `deploy/fleet.asl.json` has the events that it takes
        Outrigger.Event: the event is none: unknown variant `destroy`, expected one of `shards`, `plan`, `apply`, `summary`; way out: `deploy/fleet.asl.json` has the events that it takes
        Outrigger.Event: the event is no JSON object; way out: `deploy/fleet.asl.json` has the events that it takes
        "#);
    }
}
