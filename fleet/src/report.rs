//! What is told of an account and region: for a program as JSON, and for a person (`text`).

pub(crate) mod text;

use serde::{Deserialize, Serialize};
use taskdef::report::{Finding, Outcome, TaskDefinitionReport};

use crate::api::Counts;
use crate::discover::LeftAlone;
use crate::matched::{Matched, Seen};
use crate::plan::PlannedTarget;
use crate::shard::{Shard, Target, last};
use crate::trouble::Trouble;

/// What was found in an account and region, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShardReport {
    /// The account and the region.
    pub shard: Shard,
    /// What runs task definitions, and which.
    pub targets: Vec<PlannedTarget>,
    /// The task definitions.
    pub definitions: Vec<DefinitionReport>,
    /// What is not touched.
    pub left_alone: Vec<LeftAlone>,
    /// What could not be done.
    pub troubles: Vec<Trouble>,
    /// Calls to AWS.
    pub calls: Counts,
    /// What filters are given and that is here.
    pub matched: Matched,
}

/// What becomes of a task definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DefinitionReport {
    /// Its ARN.
    pub definition: String,
    /// What becomes of it.
    pub outcome: DefinitionOutcome,
    /// What was added or changed, one line each, without values.
    pub changes: Vec<String>,
    /// What a person should know.
    pub findings: Vec<DefinitionFinding>,
    /// The library's report, for texts.
    #[serde(skip)]
    pub(crate) told: Option<TaskDefinitionReport>,
}

/// What becomes of a task definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DefinitionOutcome {
    /// There is to be a new revision.
    Changes,
    /// It is as it should be.
    Unchanged,
    /// It is not in scope, or not selected.
    LeftAlone,
    /// It is in scope, and cannot be done.
    Refused,
}

/// A finding of the library's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefinitionFinding {
    /// Its code: `docs/findings.md` explains each.
    pub code: String,
    /// `note`, `warning` or `error`.
    pub severity: String,
    /// The container that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// What was found.
    pub message: String,
    /// The way out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl From<&Finding> for DefinitionFinding {
    fn from(finding: &Finding) -> DefinitionFinding {
        DefinitionFinding {
            code: finding.code.to_string(),
            severity: finding.severity.to_string(),
            container: finding.container.clone(),
            message: finding.message.clone(),
            hint: finding.hint.clone(),
        }
    }
}

impl DefinitionReport {
    pub(crate) fn new(arn: &str, report: TaskDefinitionReport) -> DefinitionReport {
        let of_container = report.containers.iter().flat_map(|container| {
            let changes = container.changes.iter();
            changes.map(|change| format!("container `{}`: {change}", container.name))
        });
        DefinitionReport {
            definition: arn.to_owned(),
            outcome: report.outcome.into(),
            changes: of_container.chain(report.changes.iter().cloned()).collect(),
            findings: report
                .findings
                .iter()
                .map(DefinitionFinding::from)
                .collect(),
            told: Some(TaskDefinitionReport {
                id: name_of(arn).to_owned(),
                ..report
            }),
        }
    }
}

impl From<Outcome> for DefinitionOutcome {
    fn from(outcome: Outcome) -> DefinitionOutcome {
        match outcome {
            Outcome::Rewritten => DefinitionOutcome::Changes,
            Outcome::Unchanged => DefinitionOutcome::Unchanged,
            Outcome::LeftAlone => DefinitionOutcome::LeftAlone,
            Outcome::Refused => DefinitionOutcome::Refused,
        }
    }
}

/// Family and revision.
pub(crate) fn name_of(arn: &str) -> &str {
    last(arn)
}

impl ShardReport {
    pub(crate) fn new(shard: &Shard) -> ShardReport {
        ShardReport {
            shard: shard.clone(),
            targets: Vec::new(),
            definitions: Vec::new(),
            left_alone: Vec::new(),
            troubles: Vec::new(),
            calls: Counts::new(),
            matched: Matched::default(),
        }
    }

    /// What was seen here.
    pub(crate) fn seen(&self) -> Seen {
        Seen {
            matched: self.matched.clone(),
            whole: self.troubles.is_empty(),
            any_definition: !self.definitions.is_empty(),
        }
    }

    /// How many task definitions had this outcome.
    pub(crate) fn count(&self, outcome: DefinitionOutcome) -> usize {
        let definitions = self.definitions.iter();
        definitions.filter(|it| it.outcome == outcome).count()
    }
}

/// What was applied in an account and region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShardApplied {
    /// The account and the region.
    pub shard: Shard,
    /// What became of each target, in the order of the plan.
    pub targets: Vec<Applied>,
    /// What could not be done.
    pub troubles: Vec<Trouble>,
    /// Calls to AWS.
    pub calls: Counts,
}

/// What became of a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Applied {
    /// What it is.
    pub target: Target,
    /// What became of it.
    pub outcome: TargetOutcome,
    /// The new revision, where one was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Why, where it is not plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why tasks of the new revision have stopped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stopped: Vec<String>,
}

/// What became of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetOutcome {
    /// It runs the new revision, and is steady.
    Updated,
    /// It does not run any more what was planned, and was not touched.
    ChangedSincePlan,
    /// It was in the middle of another deployment, and was not touched.
    DeploymentInProgress,
    /// It was not steady before, and was not touched.
    NotSteady,
    /// It was updated, and somebody else deployed something before it was steady.
    Overtaken,
    /// It could not be updated, and runs what it ran.
    Failed,
    /// It did not become steady, and runs the revision before again.
    RolledBack,
    /// It did not become steady, and could not be taken back.
    RollbackFailed,
    /// The rollout stopped before its turn.
    NotReached,
}

impl TargetOutcome {
    /// The name of the outcome, as JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            TargetOutcome::Updated => "updated",
            TargetOutcome::ChangedSincePlan => "changed-since-plan",
            TargetOutcome::DeploymentInProgress => "deployment-in-progress",
            TargetOutcome::NotSteady => "not-steady",
            TargetOutcome::Overtaken => "overtaken",
            TargetOutcome::Failed => "failed",
            TargetOutcome::RolledBack => "rolled-back",
            TargetOutcome::RollbackFailed => "rollback-failed",
            TargetOutcome::NotReached => "not-reached",
        }
    }

    /// Whether it counts against the failures that a rollout bears.
    pub fn is_failure(self) -> bool {
        matches!(
            self,
            TargetOutcome::Failed | TargetOutcome::RolledBack | TargetOutcome::RollbackFailed
        )
    }
}
