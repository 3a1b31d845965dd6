//! What is asked of [ECS](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/Welcome.html).

use std::sync::Arc;

use serde_json::{Value, json};

use crate::api::{Api, ApiError, ECS, Repeat, Tokens, all_pages};
use crate::concurrent::each;

/// `DescribeServices` takes so many.
const SERVICES: usize = 10;
/// `DescribeClusters` and `DescribeTasks` take so many.
const CLUSTERS_OR_TASKS: usize = 100;
/// Calls of one kind that are under way at once.
pub(crate) const AT_ONCE: usize = 8;

/// The text of a member.
pub(crate) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

/// The items of a member that is a list.
pub(crate) fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn texts(values: Vec<Value>) -> Vec<String> {
    let texts = values.into_iter().filter_map(|value| match value {
        Value::String(text) => Some(text),
        _ => None,
    });
    texts.collect()
}

fn items(answer: &Value, key: &str) -> Vec<Value> {
    list(answer, key).cloned().collect()
}

/// The ARNs of all clusters.
pub(crate) async fn list_clusters(api: &Api) -> Result<Vec<String>, ApiError> {
    let tokens = Tokens::ecs("clusterArns");
    let input = json!({"maxResults": 100});
    Ok(texts(
        all_pages(api, &ECS, "ListClusters", input, tokens).await?,
    ))
}

/// Clusters as they are described.
pub(crate) async fn describe_clusters(api: &Api, arns: &[String]) -> Result<Vec<Value>, ApiError> {
    let mut clusters = Vec::new();
    for arns in arns.chunks(CLUSTERS_OR_TASKS) {
        let input = json!({"clusters": arns});
        let answer = api
            .json(&ECS, "DescribeClusters", &input, Repeat::Always)
            .await?;
        clusters.extend(items(&answer, "clusters"));
    }
    Ok(clusters)
}

/// The ARNs of all services of a cluster, whatever they run on.
pub(crate) async fn list_services(api: &Api, cluster: &str) -> Result<Vec<String>, ApiError> {
    let tokens = Tokens::ecs("serviceArns");
    let input = json!({"cluster": cluster, "maxResults": 100});
    Ok(texts(
        all_pages(api, &ECS, "ListServices", input, tokens).await?,
    ))
}

/// Services of a cluster as they are described, with their tags; those that are gone are missing.
pub(crate) async fn describe_services(
    api: &Arc<Api>,
    cluster: &str,
    services: &[String],
) -> Result<Vec<Value>, ApiError> {
    let answers = each(AT_ONCE, services.chunks(SERVICES), |services| {
        let api = Arc::clone(api);
        let input = json!({"cluster": cluster, "services": services, "include": ["TAGS"]});
        async move {
            api.json(&ECS, "DescribeServices", &input, Repeat::Always)
                .await
        }
    });
    let mut described = Vec::new();
    for answer in answers.await {
        described.extend(items(&answer?, "services"));
    }
    Ok(described)
}

/// A task definition with its tags, by its ARN, or the latest active one of a family.
pub(crate) async fn describe_task_definition(api: &Api, name: &str) -> Result<Value, ApiError> {
    let input = json!({"taskDefinition": name, "include": ["TAGS"]});
    let answer = api
        .json(&ECS, "DescribeTaskDefinition", &input, Repeat::Always)
        .await?;
    let task = answer.get("taskDefinition").cloned();
    let tags = answer.get("tags").cloned().unwrap_or_else(|| json!([]));
    match task {
        Some(task @ Value::Object(_)) => Ok(json!({"taskDefinition": task, "tags": tags})),
        _ => Err(ApiError::unreadable("ecs:DescribeTaskDefinition")),
    }
}

/// The ARN of a task definition that was described.
pub(crate) fn definition_arn(described: &Value) -> Option<&str> {
    text(described.get("taskDefinition")?, "taskDefinitionArn")
}

/// Whether services can be given a task definition that was described.
pub(crate) fn is_active(described: &Value) -> bool {
    let task = described.get("taskDefinition");
    let status = task.and_then(|task| text(task, "status"));
    status.is_none_or(|status| status == "ACTIVE")
}

/// The families with an active task definition.
pub(crate) async fn list_families(api: &Api) -> Result<Vec<String>, ApiError> {
    let tokens = Tokens::ecs("families");
    let input = json!({"status": "ACTIVE", "maxResults": 100});
    Ok(texts(
        all_pages(api, &ECS, "ListTaskDefinitionFamilies", input, tokens).await?,
    ))
}

/// The ARNs of the active revisions of a family, the latest first.
pub(crate) async fn list_revisions(api: &Api, family: &str) -> Result<Vec<String>, ApiError> {
    let input = json!({
        "familyPrefix": family, "status": "ACTIVE", "sort": "DESC", "maxResults": 100,
    });
    // One page: the revisions that matter here are those of the last minutes.
    let answer = api
        .json(&ECS, "ListTaskDefinitions", &input, Repeat::Always)
        .await?;
    Ok(texts(items(&answer, "taskDefinitionArns")))
}

/// Registers a revision, and gives its ARN. A failure without an answer may have registered it.
pub(crate) async fn register(api: &Api, registration: &Value) -> Result<String, ApiError> {
    let registered = api
        .json(
            &ECS,
            "RegisterTaskDefinition",
            registration,
            Repeat::WhenThrottled,
        )
        .await?;
    definition_arn(&registered)
        .map(str::to_owned)
        .ok_or_else(|| ApiError::unreadable("ecs:RegisterTaskDefinition"))
}

/// Makes a revision inactive: what runs it goes on, and nothing new starts it by its family's name.
pub(crate) async fn deregister(api: &Api, arn: &str) -> Result<(), ApiError> {
    let input = json!({"taskDefinition": arn});
    api.json(&ECS, "DeregisterTaskDefinition", &input, Repeat::Always)
        .await
        .map(drop)
}

/// Has a service run another task definition; everything else about it stays.
pub(crate) async fn update_service(
    api: &Api,
    (cluster, service): (&str, &str),
    definition: &str,
) -> Result<(), ApiError> {
    let input = json!({"cluster": cluster, "service": service, "taskDefinition": definition});
    // The same update again starts no second deployment.
    api.json(&ECS, "UpdateService", &input, Repeat::Always)
        .await
        .map(drop)
}

/// Why tasks of a service have stopped lately, of those that ran this task definition.
pub(crate) async fn stop_reasons(
    api: &Api,
    (cluster, service): (&str, &str),
    definition: &str,
) -> Result<Vec<String>, ApiError> {
    let name = crate::shard::last(service);
    let input = json!({"cluster": cluster, "serviceName": name, "desiredStatus": "STOPPED"});
    let tasks = all_pages(api, &ECS, "ListTasks", input, Tokens::ecs("taskArns")).await?;
    let tasks: Vec<String> = texts(tasks).into_iter().take(CLUSTERS_OR_TASKS).collect();
    if tasks.is_empty() {
        return Ok(Vec::new());
    }
    let input = json!({"cluster": cluster, "tasks": tasks});
    let answer = api
        .json(&ECS, "DescribeTasks", &input, Repeat::Always)
        .await?;
    let mut reasons: Vec<String> = Vec::new();
    let of_definition =
        list(&answer, "tasks").filter(|task| text(task, "taskDefinitionArn") == Some(definition));
    for reason in of_definition.filter_map(stop_reason) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    Ok(reasons)
}

/// `Essential container in task exited (container app: exit code 127, ...)`.
fn stop_reason(task: &Value) -> Option<String> {
    let stopped = text(task, "stoppedReason")?;
    let containers = list(task, "containers").filter_map(|container| {
        let name = text(container, "name")?;
        let code = container.get("exitCode").and_then(Value::as_i64);
        let code = code.filter(|code| *code != 0);
        let code = code.map(|code| format!("exit code {code}"));
        let said = [code, text(container, "reason").map(str::to_owned)];
        let said: Vec<String> = said.into_iter().flatten().collect();
        (!said.is_empty()).then(|| format!("container {name}: {}", said.join(", ")))
    });
    let containers: Vec<String> = containers.collect();
    let reason = match containers.is_empty() {
        true => stopped.to_owned(),
        false => format!("{stopped} ({})", containers.join("; ")),
    };
    Some(crate::api::shortened(&reason))
}
