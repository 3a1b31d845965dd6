//! What carries which recipe. Reads, and asks no registry.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::api::{Api, Counts};
use crate::discover::{LeftAlone, discover};
use crate::filter::Filters;
use crate::matched::{Matched, Seen};
use crate::means::Means;
use crate::shard::{Shard, Target};
use crate::trouble::Trouble;

/// How a target stands to the recipes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It carries the recipes, with these inputs.
    Current,
    /// It carries a recipe; none was given to compare it with.
    Instrumented,
    /// It carries a recipe in another version, or with other inputs.
    Outdated,
    /// Its marker names the recipe, and it is not as the recipe would have it.
    Drifted,
    /// It carries none.
    NotInstrumented,
    /// It is not in scope, or not selected.
    LeftAlone,
}

impl State {
    /// The name of the state, as JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            State::Current => "current",
            State::Instrumented => "instrumented",
            State::Outdated => "outdated",
            State::Drifted => "drifted",
            State::NotInstrumented => "not-instrumented",
            State::LeftAlone => "left-alone",
        }
    }
}

/// How an account and region stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShardStatus {
    /// The account and the region.
    pub shard: Shard,
    /// What runs task definitions, and how it stands.
    pub targets: Vec<TargetStatus>,
    /// What is not touched.
    pub left_alone: Vec<LeftAlone>,
    /// What could not be looked at.
    pub troubles: Vec<Trouble>,
    /// Calls to AWS.
    pub calls: Counts,
    /// What filters are given and that is here.
    pub matched: Matched,
}

impl ShardStatus {
    /// What was seen here.
    pub(crate) fn seen(&self) -> Seen {
        Seen {
            matched: self.matched.clone(),
            whole: self.troubles.is_empty(),
            any_definition: !self.targets.is_empty(),
        }
    }
}

/// How a target stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetStatus {
    /// What it is.
    pub target: Target,
    /// The revision that it runs, by ARN.
    pub definition: String,
    /// How it stands.
    pub state: State,
    /// The digests of its markers, by recipe.
    pub recipes: BTreeMap<String, String>,
}

/// Looks at an account and region.
pub async fn status_shard(
    api: &Arc<Api>,
    shard: &Shard,
    filters: &Filters,
    means: &Means,
) -> ShardStatus {
    let mut status = ShardStatus {
        shard: shard.clone(),
        targets: Vec::new(),
        left_alone: Vec::new(),
        troubles: Vec::new(),
        calls: Counts::new(),
        matched: Matched::default(),
    };
    match discover(api, filters).await {
        Ok(found) => {
            let means = means.in_shard(shard);
            for runs in found.runs {
                let described = found.definitions.get(&runs.definition);
                let carried = described.and_then(|described| means.carried(described).ok());
                let (state, markers) = match carried {
                    Some(carried) => (carried.state, carried.markers),
                    None => (State::LeftAlone, Vec::new()),
                };
                let recipes = markers.into_iter();
                status.targets.push(TargetStatus {
                    target: runs.target,
                    definition: runs.definition,
                    state,
                    recipes: recipes.map(|it| (it.recipe, it.digest)).collect(),
                });
            }
            status.matched = found.matched;
            let described = found.definitions.values();
            described.for_each(|described| means.match_queries(described, &mut status.matched));
            status.left_alone = found.left_alone;
            status.troubles = found.troubles;
        }
        Err(error) => status.troubles.push(Trouble::from(&error)),
    }
    status.calls = api.counts();
    status
}
