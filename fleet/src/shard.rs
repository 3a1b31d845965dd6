//! One account and region: what is discovered, planned and applied by itself.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An account and a region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// The account's number.
    pub account: String,
    /// The region's name.
    pub region: String,
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.account, self.region)
    }
}

/// What runs a task definition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
pub enum Target {
    /// A service of ECS.
    Service {
        /// The cluster's ARN.
        cluster: String,
        /// The service's ARN.
        service: String,
    },
    /// A target of an EventBridge rule.
    Rule {
        /// The event bus, by its name.
        bus: String,
        /// The rule's name.
        rule: String,
        /// The ID of the target.
        id: String,
    },
    /// A schedule of EventBridge Scheduler.
    Schedule {
        /// Its group.
        group: String,
        /// Its name.
        name: String,
    },
    /// A family that was asked for by itself: whoever runs its latest revision.
    Family {
        /// Its name.
        family: String,
    },
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Service { cluster, service } => {
                write!(f, "service `{}/{}`", last(cluster), last(service))
            }
            Target::Rule { bus, rule, id } => write!(f, "rule `{bus}/{rule}`, target `{id}`"),
            Target::Schedule { group, name } => write!(f, "schedule `{group}/{name}`"),
            Target::Family { family } => write!(f, "family `{family}`"),
        }
    }
}

/// What stands behind the last slash of an ARN: the name of a cluster or service, or family and revision.
pub(crate) fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Family and revision of a task definition's ARN, or of what names one without either.
pub(crate) fn family_and_revision(name: &str) -> (&str, Option<u64>) {
    let name = last(name);
    match name.rsplit_once(':') {
        Some((family, revision)) => (family, revision.parse().ok()),
        None => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_task_definitions() {
        let arn = "arn:aws:ecs:eu-central-1:123456789012:task-definition/api:7";
        assert_eq!(family_and_revision(arn), ("api", Some(7)));
        assert_eq!(family_and_revision("api:7"), ("api", Some(7)));
        let arn = "arn:aws:ecs:eu-central-1:123456789012:task-definition/api";
        assert_eq!(family_and_revision(arn), ("api", None));
    }
}
