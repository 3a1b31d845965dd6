//! Which clusters, services, rules and schedules are meant.

use std::collections::BTreeSet;
use std::fmt;

use clap::ValueEnum;
use cli::options::WhichLaunchTypes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ecs::{list, text};
use crate::matched::Matched;
use crate::shard::last;

/// What starts tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Services of ECS.
    Services,
    /// Rules of EventBridge.
    Rules,
    /// Schedules of EventBridge Scheduler.
    Schedules,
}

/// A tag that a service has to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagFilter {
    /// Its key.
    pub key: String,
    /// Its value; any, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl From<&str> for TagFilter {
    fn from(text: &str) -> TagFilter {
        match text.split_once('=') {
            Some((key, value)) => TagFilter {
                key: key.to_owned(),
                value: Some(value.to_owned()),
            },
            None => TagFilter {
                key: text.to_owned(),
                value: None,
            },
        }
    }
}

/// As the option takes it.
impl fmt::Display for TagFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}={value}", self.key),
            None => f.write_str(&self.key),
        }
    }
}

impl TagFilter {
    /// Whether the service has the tag.
    fn is_on(&self, service: &Value) -> bool {
        list(service, "tags").any(|tag| {
            let value = text(tag, "value").unwrap_or_default();
            let wanted = self.value.as_deref();
            text(tag, "key") == Some(&self.key) && wanted.is_none_or(|wanted| wanted == value)
        })
    }
}

/// What is looked at in an account and region. An empty list of names is all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Filters {
    /// Clusters, by name or ARN.
    pub clusters: Vec<String>,
    /// Services, by name or ARN.
    pub services: Vec<String>,
    /// Tags that a service has to have, all of them.
    pub tags: Vec<TagFilter>,
    /// What starts tasks.
    pub kinds: BTreeSet<Kind>,
    /// Families that are looked at although nothing here starts them.
    pub families: Families,
    /// What tasks run on.
    pub launch_types: WhichLaunchTypes,
}

/// Families of task definitions that are looked at by themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Families {
    /// None.
    #[default]
    None,
    /// These.
    Named(Vec<String>),
    /// Every one that has an active revision.
    All,
}

impl Default for Filters {
    fn default() -> Filters {
        Filters {
            clusters: Vec::new(),
            services: Vec::new(),
            tags: Vec::new(),
            kinds: Kind::value_variants().iter().copied().collect(),
            families: Families::None,
            launch_types: WhichLaunchTypes::Fargate,
        }
    }
}

fn is_named(arn: &str, names: &[String]) -> bool {
    names.is_empty() || named(arn, names).next().is_some()
}

/// The names that are those of this ARN.
fn named<'n>(arn: &str, names: &'n [String]) -> impl Iterator<Item = &'n String> {
    names
        .iter()
        .filter(move |name| *name == arn || *name == last(arn))
}

impl Filters {
    /// Whether the cluster is meant.
    pub(crate) fn takes_cluster(&self, arn: &str) -> bool {
        is_named(arn, &self.clusters)
    }

    /// Whether the service is meant, by its name.
    pub(crate) fn takes_service(&self, arn: &str) -> bool {
        is_named(arn, &self.services)
    }

    /// Whether the service is meant, by its tags.
    pub(crate) fn takes_tags_of(&self, service: &Value) -> bool {
        self.tags.iter().all(|wanted| wanted.is_on(service))
    }

    /// Remembers what names this cluster.
    pub(crate) fn match_cluster(&self, arn: &str, matched: &mut Matched) {
        named(arn, &self.clusters).for_each(|name| matched.add("cluster", name));
    }

    /// Remembers what names this service, and which tags it has.
    pub(crate) fn match_service(&self, service: &Value, matched: &mut Matched) {
        let arn = text(service, "serviceArn").unwrap_or_default();
        named(arn, &self.services).for_each(|name| matched.add("service", name));
        let tags = self.tags.iter().filter(|tag| tag.is_on(service));
        tags.for_each(|tag| matched.add("tag", tag.to_string()));
    }

    /// Whether rules or schedules are meant: they have no names or tags of services.
    pub(crate) fn takes(&self, kind: Kind) -> bool {
        let of_services = !self.services.is_empty() || !self.tags.is_empty();
        self.kinds.contains(&kind) && (kind == Kind::Services || !of_services)
    }

    /// Whether what runs on this is in scope.
    pub(crate) fn takes_launch(&self, launch_type: Option<&str>, providers: &[String]) -> bool {
        let on_fargate = launch_type == Some("FARGATE")
            || providers
                .iter()
                .any(|provider| matches!(provider.as_str(), "FARGATE" | "FARGATE_SPOT"));
        match self.launch_types {
            WhichLaunchTypes::Any => true,
            WhichLaunchTypes::Fargate => on_fargate,
        }
    }
}
