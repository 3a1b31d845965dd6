//! From an account and region to its part of a plan. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use registry::remote::{CredentialSource, Registries};
use registry::{ImageReference, LockFile, Locked};
use serde_json::Value;
use taskdef::image::{Answers, ImageFailure, ImageRequest};
use taskdef::report::Outcome;

use crate::api::Api;
use crate::derive::Derived;
use crate::digest::of_registration;
use crate::discover::{Found, LeftAlone, LeftCode, Runs, discover};
use crate::ecs::is_active;
use crate::filter::Filters;
use crate::help::of_the_filters;
use crate::means::Means;
use crate::plan::{PlannedDefinition, PlannedTarget, ShardPlan};
use crate::report::{DefinitionReport, ShardReport, name_of};
use crate::shard::Shard;
use crate::trouble::Trouble;

/// Where it is found out what images run.
#[derive(Clone, Copy, Debug)]
pub struct Images<'i, C> {
    /// What is known already.
    pub locked: &'i Locked,
    /// Whom to ask for the rest; nobody, where no network may be used.
    pub registries: Option<&'i Registries<C>>,
    /// How long all lookups may take together.
    pub time: Duration,
}

/// What was found out about an account and region.
#[derive(Clone, Debug)]
pub struct ShardPlanned {
    /// What is to be done.
    pub plan: ShardPlan,
    /// What was found, and what becomes of it.
    pub report: ShardReport,
}

/// Plans an account and region. What cannot be done is in the report, and concerns nothing else.
pub async fn plan_shard<C: CredentialSource + 'static>(
    api: &Arc<Api>,
    shard: &Shard,
    filters: &Filters,
    means: &Means,
    images: Images<'_, C>,
) -> ShardPlanned {
    let mut report = ShardReport::new(shard);
    let found = match discover(api, filters).await {
        Ok(found) => found,
        Err(error) => {
            report.troubles.push(Trouble::from(&error));
            report.calls = api.counts();
            return ShardPlanned {
                plan: nothing(shard),
                report,
            };
        }
    };
    let means = means.in_shard(shard);
    let answers = answers(&found.definitions, &means, images, &mut report.troubles).await;
    let plan = planned(shard, &found, &means, &answers, &mut report);
    report.targets = found.runs.iter().map(Runs::planned).collect();
    report.left_alone.extend(found.left_alone);
    report.left_alone.sort();
    report.troubles.extend(found.troubles);
    report.matched = found.matched;
    let described = found.definitions.values();
    described.for_each(|described| means.match_queries(described, &mut report.matched));
    report.calls = api.counts();
    ShardPlanned { plan, report }
}

fn nothing(shard: &Shard) -> ShardPlan {
    ShardPlan {
        shard: shard.clone(),
        images: lock_value(&LockFile::new("")),
        definitions: BTreeMap::new(),
        targets: Vec::new(),
    }
}

impl Runs {
    fn planned(&self) -> PlannedTarget {
        PlannedTarget {
            target: self.target.clone(),
            definition: self.definition.clone(),
            latest: self.latest,
        }
    }
}

/// Asks about all images of the shard at once.
async fn answers<C: CredentialSource + 'static>(
    definitions: &BTreeMap<String, Value>,
    means: &Means,
    images: Images<'_, C>,
    troubles: &mut Vec<Trouble>,
) -> Answers {
    // What is wrong with a definition is said when it is derived.
    let needed = definitions.values();
    let needed = needed.filter_map(|described| means.images_needed(described).ok());
    let needed: BTreeSet<ImageRequest> = needed.flatten().collect();
    let Some(registries) = images.registries else {
        return images.locked.answers(&needed);
    };
    let division = images.locked.divide(&needed);
    if division.questions() == 0 {
        return division.alone().answers;
    }
    let session = registries.session(images.time);
    let completed = division.complete(&session).await;
    if completed.errors.is_empty() {
        return completed.answers;
    }
    troubles.extend(completed.errors.iter().map(|error| Trouble {
        message: error.to_string(),
        hint: Some(of_the_filters(&error.hint())),
    }));
    // A lock file with an answer that is wrong by now is not taken for right in the others.
    let failure = ImageFailure {
        code: "lock-outdated",
        message: "the lock file does not say what its tags name now".to_owned(),
        hint: Some("update the lock file with `cfn-filter lock`".to_owned()),
    };
    let failed = needed.into_iter();
    failed
        .map(|request| (request, Err(failure.clone())))
        .collect()
}

/// What becomes of each task definition, and of what runs it.
fn planned(
    shard: &Shard,
    found: &Found,
    means: &Means,
    answers: &Answers,
    report: &mut ShardReport,
) -> ShardPlan {
    let mut plan = nothing(shard);
    let mut lock = LockFile::new("");
    for (arn, described) in &found.definitions {
        let runs = found.runs.iter().filter(|runs| runs.definition == *arn);
        let versions: Vec<String> = runs
            .filter_map(|runs| runs.platform_version.clone())
            .collect();
        let mut derived = match means.on_platforms(versions).derive(described, answers) {
            Ok(derived) => derived,
            Err(error) => {
                report.troubles.push(Trouble {
                    message: format!("the task definition `{}`: {error}", name_of(arn)),
                    hint: error.hint().map(str::to_owned),
                });
                continue;
            }
        };
        let definition = planned_definition(&derived);
        if definition.is_some() && !is_active(described) {
            report.left_alone.extend(without_way_back(arn, found));
            derived.report.outcome = Outcome::LeftAlone;
            derived.report.containers.clear();
            derived.report.changes.clear();
        } else if let Some(definition) = definition {
            plan.definitions.insert(arn.clone(), definition);
            // What was asked can be asked again.
            let needed = means.images_needed(described).unwrap_or_default();
            record(&mut lock, &needed, answers);
        }
        report
            .definitions
            .push(DefinitionReport::new(arn, derived.report));
    }
    plan.images = lock_value(&lock);
    let runs = found.runs.iter();
    let runs = runs.filter(|runs| plan.definitions.contains_key(&runs.definition));
    plan.targets = runs.map(Runs::planned).collect();
    plan
}

/// What runs a task definition that nothing can be given again.
fn without_way_back(arn: &str, found: &Found) -> impl Iterator<Item = LeftAlone> {
    let runs = found.runs.iter().filter(move |runs| runs.definition == arn);
    runs.map(move |runs| LeftAlone {
        target: runs.target.clone(),
        code: LeftCode::InactiveDefinition,
        message: format!(
            "`{}` is inactive, so that there would be no way back to it: register it again, and deploy that",
            name_of(arn)
        ),
    })
}

fn planned_definition(derived: &Derived) -> Option<PlannedDefinition> {
    let after = derived.after.as_ref()?;
    // A definition that is refused is never registered.
    (derived.report.outcome == Outcome::Rewritten).then(|| PlannedDefinition {
        before: of_registration(&derived.before),
        after: of_registration(after),
    })
}

/// Writes down the answers that a definition was rewritten with.
fn record(lock: &mut LockFile, needed: &BTreeSet<ImageRequest>, answers: &Answers) {
    for request in needed {
        let reference = ImageReference::parse(&request.reference);
        if let (Ok(reference), Some(Ok(config))) = (reference, answers.get(request)) {
            lock.insert(&reference, (&request.platform).into(), config.clone());
        }
    }
}

fn lock_value(lock: &LockFile) -> Value {
    // A lock file is JSON.
    serde_json::from_str(&lock.to_text()).unwrap_or_default()
}
