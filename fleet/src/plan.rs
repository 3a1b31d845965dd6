//! The plan file: what `fleet apply` is to do, without a value of any task definition.
//!
//! A plan names revisions by their ARNs and says, as digests, what they hold and what is to be
//! registered in their place. To apply it, each is read and rewritten again: what is registered
//! is what was planned, or nothing. `docs/decisions.md` says why.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::error::Category;

use crate::means::Purpose;
use crate::options::Choices;
use crate::shard::{Shard, Target};

/// The version of the format: it changes when a program that reads it would have to.
pub const VERSION: u64 = 1;

/// What was planned, for every account and region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// The version of this format.
    pub version: u64,
    /// What is done.
    pub purpose: Purpose,
    /// The recipes, by name or file. What they are given is not part of a plan.
    pub recipes: Vec<String>,
    /// What a person decided about task definitions.
    pub choices: Choices,
    /// The accounts and regions in which there is something to do.
    pub shards: Vec<ShardPlan>,
}

/// What was planned for one account and region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShardPlan {
    /// The account and the region.
    pub shard: Shard,
    /// What the images run that had to be looked at: a lock file.
    pub images: Value,
    /// The task definitions of which there is to be a new revision, by ARN.
    pub definitions: BTreeMap<String, PlannedDefinition>,
    /// What is to run the new revisions.
    pub targets: Vec<PlannedTarget>,
}

/// A task definition before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedDefinition {
    /// The digest of what it holds, tags included.
    pub before: String,
    /// The digest of what is to be registered.
    pub after: String,
}

/// What is to run a new revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedTarget {
    /// What it is.
    pub target: Target,
    /// The revision that it runs, by ARN.
    pub definition: String,
    /// Whether it runs the latest revision, whichever that is, so that it has not to be changed.
    pub latest: bool,
}

impl PlannedTarget {
    /// Whether it is never changed itself: it takes the latest revision of a family.
    pub(crate) fn takes_latest(&self) -> bool {
        self.latest || matches!(self.target, Target::Family { .. })
    }
}

/// Why a text is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Not JSON, or not a plan.
    #[error("not a plan: {0}")]
    Syntax(String),
    /// Another version.
    #[error("a plan of version {0}, and this program reads version {VERSION}")]
    Version(u64),
    /// What is done once would be done twice.
    #[error("the plan has {0} twice")]
    Twice(String),
}

impl Plan {
    /// Reads the text of a plan file.
    ///
    /// # Errors
    ///
    /// When it is none, or one of another version; an unknown member is an error, too.
    pub fn parse(text: &[u8]) -> Result<Plan, PlanError> {
        let syntax = |error: serde_json::Error| {
            PlanError::Syntax(match error.classify() {
                Category::Data => error.to_string(),
                _ => "it is no JSON".to_owned(),
            })
        };
        let plan: Value = serde_json::from_slice(text).map_err(syntax)?;
        match plan.get("version").and_then(Value::as_u64) {
            Some(VERSION) => {
                let plan: Plan = serde_json::from_value(plan).map_err(syntax)?;
                match plan.twice() {
                    Some(what) => Err(PlanError::Twice(what)),
                    None => Ok(plan),
                }
            }
            Some(version) => Err(PlanError::Version(version)),
            None => Err(PlanError::Syntax("it has no `version`".to_owned())),
        }
    }

    /// An account and region, or a target in one, that the plan has more than once.
    fn twice(&self) -> Option<String> {
        let mut shards = BTreeSet::new();
        for plan in &self.shards {
            if !shards.insert(&plan.shard) {
                return Some(format!("`{}`", plan.shard));
            }
            let mut targets = BTreeSet::new();
            let mut of_shard = plan.targets.iter().map(|planned| &planned.target);
            if let Some(target) = of_shard.find(|target| !targets.insert(*target)) {
                return Some(format!("the {target}"));
            }
        }
        None
    }

    /// The text of the file: the same plan gives the same bytes.
    pub fn to_text(&self) -> String {
        // Texts, numbers and lists can always be written.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        text + "\n"
    }
}

impl ShardPlan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_plan() {
        let told = |text: &str| Plan::parse(text.as_bytes()).unwrap_err().to_string();
        let table = [
            told(""),
            told("{\"version\": 1"),
            told("{}"),
            told("[]"),
            told("{\"version\": 1}"),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        not a plan: it is no JSON
        not a plan: it is no JSON
        not a plan: it has no `version`
        not a plan: it has no `version`
        not a plan: missing field `purpose`
        ");
    }
}
