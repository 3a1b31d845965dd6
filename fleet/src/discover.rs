//! What runs task definitions in an account and region, and which.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cli::options::WhichLaunchTypes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::{Api, ApiError};
use crate::concurrent::each;
use crate::ecs::{self, AT_ONCE, list, text};
use crate::filter::{Families, Filters, Kind};
use crate::matched::Matched;
use crate::schedules::{self, Starts};
use crate::shard::{Target, family_and_revision, last};
use crate::trouble::Trouble;

/// Something in the account that is left alone, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeftAlone {
    /// What it is.
    pub target: Target,
    /// Why, by its name.
    pub code: LeftCode,
    /// Why, in words.
    pub message: String,
}

/// Why something is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftCode {
    /// Its deployments are CodeDeploy's, or an external program's.
    DeploymentController,
    /// It does not run on Fargate.
    NotOnFargate,
    /// It is being deleted.
    NotActive,
    /// It has no task definition by itself: its task sets have.
    NoTaskDefinition,
    /// What it runs was deregistered, and could not be given back.
    InactiveDefinition,
}

/// A target, and the task definition that it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runs {
    /// What runs it.
    pub target: Target,
    /// The revision's ARN.
    pub definition: String,
    /// Whether it names the family alone, and so runs the latest revision, whichever that is.
    pub latest: bool,
    /// The platform version of Fargate that it runs it on.
    pub platform_version: Option<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// What is in scope.
    pub runs: Vec<Runs>,
    /// What is not touched.
    pub left_alone: Vec<LeftAlone>,
    /// The task definitions, each described once, by ARN.
    pub definitions: BTreeMap<String, Value>,
    /// What could not be read. The rest is complete.
    pub troubles: Vec<Trouble>,
    /// What filters are given and that is here.
    pub matched: Matched,
}

/// A target before its task definition is known.
struct Named {
    target: Target,
    definition: String,
    platform_version: Option<String>,
}

/// Finds what runs task definitions.
///
/// # Errors
///
/// When clusters or services cannot be read. Rules and schedules that cannot be read are a problem
/// of their own.
pub async fn discover(api: &Arc<Api>, filters: &Filters) -> Result<Found, ApiError> {
    let mut found = Found::default();
    let mut named = Vec::new();
    let clusters = ecs::list_clusters(api).await?;
    let clusters: Vec<String> = clusters
        .into_iter()
        .filter(|arn| filters.takes_cluster(arn))
        .collect();
    for arn in &clusters {
        filters.match_cluster(arn, &mut found.matched);
    }
    let strategies = strategies(api, &clusters).await?;
    if filters.takes(Kind::Services) {
        let services = services(api, &clusters, filters).await?;
        for (cluster, service) in &services {
            filters.match_service(service, &mut found.matched);
            if !filters.takes_tags_of(service) {
                continue;
            }
            let default = strategies.get(cluster).map_or(&[][..], Vec::as_slice);
            match judged((cluster, default), service, filters) {
                Some(Ok(service)) => named.push(service),
                Some(Err(left)) => found.left_alone.push(left),
                None => {}
            }
        }
    }
    let started = started(api, &clusters, filters, &mut found.troubles).await;
    for mut starts in started {
        if starts.launch_type.is_none() && starts.providers.is_empty() {
            let default = strategies.get(&starts.cluster).cloned();
            starts.providers = default.unwrap_or_default();
        }
        if filters.takes_launch(starts.launch_type.as_deref(), &starts.providers) {
            named.push(Named {
                target: starts.target,
                definition: starts.definition,
                platform_version: starts.platform_version,
            });
        } else {
            found.left_alone.push(not_on_fargate(starts.target));
        }
    }
    named.extend(families(api, filters).await?);
    describe(api, named, filters, &mut found).await;
    found
        .runs
        .sort_by(|one, other| one.target.cmp(&other.target));
    found.left_alone.sort();
    Ok(found)
}

/// The default capacity provider strategy of each cluster.
async fn strategies(
    api: &Api,
    clusters: &[String],
) -> Result<BTreeMap<String, Vec<String>>, ApiError> {
    let described = ecs::describe_clusters(api, clusters).await?;
    let strategy = |cluster: &Value| {
        let arn = text(cluster, "clusterArn")?.to_owned();
        Some((arn, providers(cluster, "defaultCapacityProviderStrategy")))
    };
    Ok(described.iter().filter_map(strategy).collect())
}

fn providers(value: &Value, key: &str) -> Vec<String> {
    let names = list(value, key).filter_map(|one| text(one, "capacityProvider"));
    names.map(str::to_owned).collect()
}

/// All services of these clusters whose names the filters take, each with its cluster.
async fn services(
    api: &Arc<Api>,
    clusters: &[String],
    filters: &Filters,
) -> Result<Vec<(String, Value)>, ApiError> {
    let filters = Arc::new(filters.clone());
    let services = each(AT_ONCE, clusters.to_vec(), |cluster| {
        let (api, filters) = (Arc::clone(api), Arc::clone(&filters));
        async move {
            let mut arns = ecs::list_services(&api, &cluster).await?;
            arns.retain(|arn| filters.takes_service(arn));
            let services = ecs::describe_services(&api, &cluster, &arns).await?;
            let services = services
                .into_iter()
                .map(|service| (cluster.clone(), service));
            Ok(services.collect::<Vec<_>>())
        }
    });
    let services: Result<Vec<_>, ApiError> = services.await.into_iter().collect();
    Ok(services?.into_iter().flatten().collect())
}

/// What becomes of a service; nothing, where it is described without its ARN.
fn judged(
    (cluster, default): (&str, &[String]),
    service: &Value,
    filters: &Filters,
) -> Option<Result<Named, LeftAlone>> {
    let target = Target::Service {
        cluster: cluster.to_owned(),
        service: text(service, "serviceArn")?.to_owned(),
    };
    let left = |code, message: String| {
        Some(Err(LeftAlone {
            target: target.clone(),
            code,
            message,
        }))
    };
    let launch_type = text(service, "launchType");
    let mut strategy = providers(service, "capacityProviderStrategy");
    if launch_type.is_none() && strategy.is_empty() {
        strategy = default.to_vec();
    }
    if !filters.takes_launch(launch_type, &strategy) {
        return Some(Err(not_on_fargate(target)));
    }
    let status = text(service, "status").unwrap_or("ACTIVE");
    if status != "ACTIVE" {
        return left(LeftCode::NotActive, format!("the service is `{status}`"));
    }
    if let Some(controller) = foreign_controller(service) {
        let message = format!(
            "its deployments are made by `{controller}`: deploy it there from an instrumented task definition"
        );
        return left(LeftCode::DeploymentController, message);
    }
    match text(service, "taskDefinition") {
        Some(definition) => Some(Ok(Named {
            definition: definition.to_owned(),
            platform_version: text(service, "platformVersion").map(str::to_owned),
            target,
        })),
        None => left(
            LeftCode::NoTaskDefinition,
            "the service names no task definition".to_owned(),
        ),
    }
}

/// The controller of a service whose deployments are not made by ECS itself.
pub(crate) fn foreign_controller(service: &Value) -> Option<&str> {
    let controller = text(service.get("deploymentController")?, "type")?;
    (controller != "ECS").then_some(controller)
}

fn not_on_fargate(target: Target) -> LeftAlone {
    LeftAlone {
        target,
        code: LeftCode::NotOnFargate,
        message: "it does not run on Fargate; `--launch-types any` takes it in".to_owned(),
    }
}

/// Rules and schedules. What cannot be read does not keep the services from being found.
async fn started(
    api: &Arc<Api>,
    clusters: &[String],
    filters: &Filters,
    troubles: &mut Vec<Trouble>,
) -> Vec<Starts> {
    let mut started = Vec::new();
    if clusters.is_empty() {
        return started;
    }
    if filters.takes(Kind::Rules) {
        match schedules::rules(api, clusters).await {
            Ok(rules) => started.extend(rules),
            Err(error) => troubles.push(Trouble::about("rules were not looked at", &error)),
        }
    }
    if filters.takes(Kind::Schedules) {
        match schedules::schedules(api, clusters).await {
            Ok(schedules) => started.extend(schedules),
            Err(error) => troubles.push(Trouble::about("schedules were not looked at", &error)),
        }
    }
    started
}

async fn families(api: &Api, filters: &Filters) -> Result<Vec<Named>, ApiError> {
    let families = match &filters.families {
        Families::None => Vec::new(),
        Families::Named(families) => families.clone(),
        Families::All => ecs::list_families(api).await?,
    };
    let named = families.into_iter().map(|family| Named {
        definition: family.clone(),
        platform_version: None,
        target: Target::Family { family },
    });
    Ok(named.collect())
}

/// Whether a definition that nothing here runs could run on what is in scope.
fn could_run(described: Option<&Value>, filters: &Filters) -> bool {
    let task = described.and_then(|described| described.get("taskDefinition"));
    let compatible = task.is_some_and(|task| {
        list(task, "compatibilities").any(|kind| kind.as_str() == Some("FARGATE"))
    });
    compatible || filters.launch_types == WhichLaunchTypes::Any
}

/// Describes each task definition once, and says which target runs which.
async fn describe(api: &Arc<Api>, named: Vec<Named>, filters: &Filters, found: &mut Found) {
    let names: BTreeSet<String> = named.iter().map(|named| named.definition.clone()).collect();
    let described = each(AT_ONCE, names, |name| {
        let api = Arc::clone(api);
        async move {
            let described = ecs::describe_task_definition(&api, &name).await;
            (name, described)
        }
    });
    let mut by_name = BTreeMap::new();
    for (name, described) in described.await {
        match described {
            Ok(described) => {
                let arn = ecs::definition_arn(&described).unwrap_or(&name).to_owned();
                found.definitions.insert(arn.clone(), described);
                by_name.insert(name, arn);
            }
            Err(error) => {
                let what = format!("the task definition `{}` was not looked at", last(&name));
                found.troubles.push(Trouble::about(&what, &error));
            }
        }
    }
    for named in named {
        let Named {
            target,
            definition,
            platform_version,
        } = named;
        // One that could not be described is among the troubles.
        if let Some(arn) = by_name.get(&definition) {
            let is_family = matches!(target, Target::Family { .. });
            if is_family && !could_run(found.definitions.get(arn), filters) {
                found.left_alone.push(not_on_fargate(target));
                continue;
            }
            found.runs.push(Runs {
                target,
                latest: family_and_revision(&definition).1.is_none(),
                definition: arn.clone(),
                platform_version,
            });
        }
    }
    found
        .definitions
        .retain(|arn, _| found.runs.iter().any(|runs| runs.definition == *arn));
    // A family that is asked for, and whose latest revision a target runs, is that target's.
    let taken: BTreeSet<String> = found
        .runs
        .iter()
        .filter(|runs| !matches!(runs.target, Target::Family { .. }))
        .map(|runs| runs.definition.clone())
        .collect();
    found.runs.retain(|runs| {
        !matches!(runs.target, Target::Family { .. }) || !taken.contains(&runs.definition)
    });
}
