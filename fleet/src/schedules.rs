//! Tasks that are started by a rule of [EventBridge](https://docs.aws.amazon.com/eventbridge/latest/APIReference/Welcome.html)
//! or a schedule of [EventBridge Scheduler](https://docs.aws.amazon.com/scheduler/latest/APIReference/Welcome.html).

use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::api::{Api, ApiError, EVENTS, Repeat, SCHEDULER, Tokens, all_pages};
use crate::concurrent::each;
use crate::ecs::{AT_ONCE, text};
use crate::shard::Target;

/// A target that starts tasks, and the task definition that it names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Starts {
    pub(crate) target: Target,
    /// The cluster's ARN.
    pub(crate) cluster: String,
    /// By its ARN, or by its family's, for the latest revision.
    pub(crate) definition: String,
    pub(crate) launch_type: Option<String>,
    pub(crate) providers: Vec<String>,
    /// Of Fargate.
    pub(crate) platform_version: Option<String>,
}

/// Every target of a rule that starts tasks on one of these clusters.
pub(crate) async fn rules(api: &Arc<Api>, clusters: &[String]) -> Result<Vec<Starts>, ApiError> {
    let buses = all_pages(
        api,
        &EVENTS,
        "ListEventBuses",
        json!({}),
        Tokens::capital("EventBuses"),
    );
    let buses = buses.await?;
    let buses = buses.iter().filter_map(|bus| text(bus, "Name"));
    let places: Vec<(String, String)> = buses
        .flat_map(|bus| clusters.iter().map(move |it| (bus.to_owned(), it.clone())))
        .collect();
    // A rule knows the cluster as its target: rules that start nothing are not even listed.
    let names = each(AT_ONCE, places, |(bus, cluster)| {
        let api = Arc::clone(api);
        async move {
            let tokens = Tokens::capital("RuleNames");
            let input = json!({"TargetArn": cluster, "EventBusName": bus});
            let names = all_pages(&api, &EVENTS, "ListRuleNamesByTarget", input, tokens).await?;
            let names = names
                .into_iter()
                .filter_map(|name| Some(name.as_str()?.to_owned()));
            Ok(names.map(|name| (bus.clone(), name)).collect::<Vec<_>>())
        }
    });
    let names: Result<Vec<_>, ApiError> = names.await.into_iter().collect();
    let mut names: Vec<(String, String)> = names?.into_iter().flatten().collect();
    names.sort();
    names.dedup();
    let meant: Arc<[String]> = clusters.into();
    let targets = each(AT_ONCE, names, |(bus, rule)| {
        let (api, clusters) = (Arc::clone(api), Arc::clone(&meant));
        async move {
            let targets = rule_targets(&api, &bus, &rule).await?;
            // Its other targets may start tasks on clusters that were not asked for.
            let meant = targets.iter().filter(|it| {
                let arn = text(it, "Arn");
                arn.is_some_and(|arn| clusters.iter().any(|cluster| cluster == arn))
            });
            let starts = meant.filter_map(|it| starts_of_rule(&bus, &rule, it));
            Ok(starts.collect::<Vec<_>>())
        }
    });
    let targets: Result<Vec<_>, ApiError> = targets.await.into_iter().collect();
    Ok(targets?.into_iter().flatten().collect())
}

async fn rule_targets(api: &Api, bus: &str, rule: &str) -> Result<Vec<Value>, ApiError> {
    let input = json!({"Rule": rule, "EventBusName": bus});
    let tokens = Tokens::capital("Targets");
    all_pages(api, &EVENTS, "ListTargetsByRule", input, tokens).await
}

fn starts_of_rule(bus: &str, rule: &str, target: &Value) -> Option<Starts> {
    let id = text(target, "Id")?.to_owned();
    starts(
        target,
        Target::Rule {
            bus: bus.to_owned(),
            rule: rule.to_owned(),
            id,
        },
    )
}

fn starts(described: &Value, target: Target) -> Option<Starts> {
    let ecs = described.get("EcsParameters")?;
    let definition = text(ecs, "TaskDefinitionArn")?.to_owned();
    // EventBridge writes the members of a strategy as ECS does, and moto like all others.
    let strategy = ecs
        .get("CapacityProviderStrategy")
        .and_then(Value::as_array);
    let providers = strategy
        .into_iter()
        .flatten()
        .filter_map(|one| text(one, "capacityProvider").or_else(|| text(one, "CapacityProvider")));
    Some(Starts {
        target,
        cluster: text(described, "Arn").unwrap_or_default().to_owned(),
        definition,
        launch_type: text(ecs, "LaunchType").map(str::to_owned),
        platform_version: text(ecs, "PlatformVersion").map(str::to_owned),
        providers: providers.map(str::to_owned).collect(),
    })
}

/// Every schedule that starts tasks on one of these clusters.
pub(crate) async fn schedules(
    api: &Arc<Api>,
    clusters: &[String],
) -> Result<Vec<Starts>, ApiError> {
    let mut found = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let query = next
            .as_deref()
            .map(|token| format!("&NextToken={}", encoded(token)));
        let path = format!("/schedules?MaxResults=100{}", query.unwrap_or_default());
        let answer = api.get(&SCHEDULER, "ListSchedules", &path).await?;
        let page = Tokens::capital("Schedules").read("scheduler:ListSchedules", &answer)?;
        found.extend(page.items);
        match page.next {
            // A service that repeats itself would be read for ever.
            Some(token) if next.as_ref() != Some(&token) => next = Some(token),
            _ => break,
        }
    }
    let names = found.iter().filter_map(|schedule| {
        let arn = text(schedule.get("Target")?, "Arn")?;
        let is_meant = clusters.iter().any(|cluster| cluster == arn);
        let name = (text(schedule, "GroupName")?, text(schedule, "Name")?);
        is_meant.then(|| (name.0.to_owned(), name.1.to_owned()))
    });
    let names: Vec<(String, String)> = names.collect();
    let schedules = each(AT_ONCE, names, |(group, name)| {
        let api = Arc::clone(api);
        async move {
            let schedule = schedule(&api, &group, &name).await?;
            let target = schedule.get("Target").cloned().unwrap_or_default();
            Ok(starts(&target, Target::Schedule { group, name }))
        }
    });
    let schedules: Result<Vec<_>, ApiError> = schedules.await.into_iter().collect();
    Ok(schedules?.into_iter().flatten().collect())
}

async fn schedule(api: &Api, group: &str, name: &str) -> Result<Value, ApiError> {
    let (group, name) = (encoded(group), encoded(name));
    let path = format!("/schedules/{name}?groupName={group}");
    api.get(&SCHEDULER, "GetSchedule", &path).await
}

/// The task definition that a rule's target or a schedule names now; nothing where it is gone.
pub(crate) async fn named_now(api: &Api, target: &Target) -> Result<Option<String>, ApiError> {
    let described = match target {
        Target::Rule { bus, rule, id } => {
            let targets = rule_targets(api, bus, rule).await?;
            targets.into_iter().find(|it| text(it, "Id") == Some(id))
        }
        Target::Schedule { group, name } => {
            schedule(api, group, name).await?.get("Target").cloned()
        }
        Target::Service { .. } | Target::Family { .. } => None,
    };
    let starts = described.and_then(|described| starts(&described, target.clone()));
    Ok(starts.map(|starts| starts.definition))
}

/// Has a rule's target or a schedule start another task definition; everything else of it stays.
pub(crate) async fn point_to(api: &Api, target: &Target, definition: &str) -> Result<(), ApiError> {
    match target {
        Target::Rule { bus, rule, id } => point_rule(api, (bus, rule, id), definition).await,
        Target::Schedule { group, name } => point_schedule(api, (group, name), definition).await,
        Target::Service { .. } | Target::Family { .. } => Ok(()),
    }
}

async fn point_rule(
    api: &Api,
    (bus, rule, id): (&str, &str, &str),
    definition: &str,
) -> Result<(), ApiError> {
    const ACTION: &str = "PutTargets";
    let targets = rule_targets(api, bus, rule).await?;
    let target = targets.into_iter().find(|it| text(it, "Id") == Some(id));
    let mut target = target.ok_or_else(|| ApiError::unreadable("events:ListTargetsByRule"))?;
    set_definition(&mut target, definition);
    let input = json!({"Rule": rule, "EventBusName": bus, "Targets": [target]});
    let answer = api.json(&EVENTS, ACTION, &input, Repeat::Always).await?;
    match answer.get("FailedEntryCount").and_then(Value::as_u64) {
        None | Some(0) => Ok(()),
        Some(_) => Err(ApiError::partial(
            "events:PutTargets",
            answer.get("FailedEntries").unwrap_or(&Value::Null),
        )),
    }
}

/// What `GetSchedule` gives beyond what `UpdateSchedule` takes.
const READ_ONLY: [&str; 4] = ["Arn", "CreationDate", "LastModificationDate", "Name"];

async fn point_schedule(
    api: &Api,
    (group, name): (&str, &str),
    definition: &str,
) -> Result<(), ApiError> {
    // An update replaces the whole schedule, so that all of it goes back.
    let schedule = schedule(api, group, name).await?;
    let members = schedule.as_object().into_iter().flatten();
    let members =
        members.filter(|(key, value)| !READ_ONLY.contains(&key.as_str()) && !value.is_null());
    let mut schedule: Map<String, Value> = members
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if let Some(target) = schedule.get_mut("Target") {
        set_definition(target, definition);
    }
    let path = format!("/schedules/{}", encoded(name));
    let schedule = Value::Object(schedule);
    api.put(&SCHEDULER, "UpdateSchedule", (&path, &schedule))
        .await
        .map(drop)
}

fn set_definition(target: &mut Value, definition: &str) {
    let parameters = target
        .get_mut("EcsParameters")
        .and_then(Value::as_object_mut);
    if let Some(parameters) = parameters {
        parameters.insert("TaskDefinitionArn".to_owned(), definition.into());
    }
}

/// A text as part of a path or query: everything but unreserved characters is encoded.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte));
            }
            byte => {
                // Writing to a text cannot fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
        text
    })
}
