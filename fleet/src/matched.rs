//! Which filters match something: one that matches nothing anywhere is probably misspelt.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use taskdef::dialect::Dialect;

use crate::filter::Filters;
use crate::options::Choices;
use crate::trouble::Trouble;

/// What filters are given and that matches something, by the name of the option.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Matched(BTreeMap<String, BTreeSet<String>>);

impl Matched {
    pub(crate) fn add(&mut self, option: &str, given: impl Into<String>) {
        let of_option = self.0.entry(option.to_owned()).or_default();
        of_option.insert(given.into());
    }

    fn has(&self, option: &str, given: &str) -> bool {
        let of_option = self.0.get(option);
        of_option.is_some_and(|of_option| of_option.contains(given))
    }
}

/// What was seen of an account and region.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) matched: Matched,
    /// Whether everything could be looked at.
    pub(crate) whole: bool,
    /// Whether there is a task definition at all.
    pub(crate) any_definition: bool,
}

/// What filters name and that is nowhere.
#[derive(Debug, Default)]
pub(crate) struct Unmatched {
    pub(crate) troubles: Vec<Trouble>,
    /// A query matches nothing, wherever one looks: what it was to select or exclude is not known, and
    /// nothing may be done without it.
    pub(crate) misdirected: bool,
}

/// Compares what filters are given with what was seen anywhere. Where something could not be looked at,
/// it may be there: `whole` says that every account could be entered.
pub(crate) fn unmatched(
    filters: &Filters,
    choices: &Choices,
    (seen, whole): (&[Seen], bool),
) -> Unmatched {
    let whole = whole && seen.iter().all(|seen| seen.whole);
    let nowhere = |option: &str, given: &str| !seen.iter().any(|it| it.matched.has(option, given));
    let named = |option: &'static str, names: &[String]| -> Vec<Trouble> {
        let names = names.iter().filter(|name| nowhere(option, name));
        let trouble = |name: &String| Trouble {
            message: format!("there is no {option} `{}` anywhere", cli::text::line(name)),
            hint: Some(format!("`--{option}` takes its name or its ARN")),
        };
        names.map(trouble).collect()
    };
    let tags = filters.tags.iter().map(ToString::to_string);
    let tags = tags.filter(|tag| nowhere("tag", tag)).map(|tag| Trouble {
        message: format!(
            "there is no service with the tag `{}` anywhere",
            cli::text::line(&tag)
        ),
        hint: Some("`--tag` takes KEY or KEY=VALUE; case matters".to_owned()),
    });
    let mut troubles = Vec::new();
    if whole {
        troubles.extend(named("cluster", &filters.clusters));
        troubles.extend(named("service", &filters.services));
        troubles.extend(tags);
    }
    let queries = [("include", &choices.include), ("exclude", &choices.exclude)];
    let queries = queries
        .into_iter()
        .flat_map(|(option, queries)| queries.iter().map(move |query| (option, query)));
    // Where there is no task definition, nothing can be misspelt.
    let judged = seen.iter().any(|seen| seen.any_definition);
    let queries = queries.filter(|(option, query)| judged && nowhere(option, query));
    let queries: Vec<Trouble> = queries
        .map(|(option, query)| Trouble {
            message: format!(
                "`{}`, given to `--{option}`, matches nothing in any task definition that was looked at",
                cli::text::line(query)
            ),
            hint: Some(Dialect::Ecs.queried()),
        })
        .collect();
    let misdirected = whole && !queries.is_empty();
    troubles.extend(queries);
    Unmatched {
        troubles,
        misdirected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(given: &[(&str, &str)], any_definition: bool) -> Seen {
        let mut matched = Matched::default();
        for (option, given) in given {
            matched.add(option, *given);
        }
        Seen {
            matched,
            whole: true,
            any_definition,
        }
    }

    #[test]
    fn what_is_nowhere_is_told() {
        let filters = Filters {
            clusters: vec!["prod".to_owned(), "prdo".to_owned()],
            services: vec!["api".to_owned()],
            tags: vec!["team=a".into(), "team".into()],
            ..Filters::default()
        };
        let choices = Choices {
            include: vec!["$.family".to_owned()],
            exclude: vec!["$.family".to_owned(), "$.name".to_owned()],
            ..Choices::default()
        };
        let told = |seen: &[Seen], whole| {
            let unmatched = unmatched(&filters, &choices, (seen, whole));
            let troubles = unmatched.troubles.iter();
            let troubles: Vec<&str> = troubles.map(|it| it.message.as_str()).collect();
            format!("{}\n{}\n", troubles.join("\n"), unmatched.misdirected)
        };
        let here = [
            ("cluster", "prod"),
            ("tag", "team"),
            ("include", "$.family"),
        ];
        let here = seen(&here, true);
        let there = seen(&[("service", "api"), ("exclude", "$.family")], false);
        let empty = seen(&[("cluster", "prod"), ("cluster", "prdo")], false);
        let table = [
            told(&[here.clone(), there], true),
            told(&[here], false),
            told(&[empty], true),
        ];
        insta::assert_snapshot!(table.concat(), @"
        there is no cluster `prdo` anywhere
        there is no service with the tag `team=a` anywhere
        `$.name`, given to `--exclude`, matches nothing in any task definition that was looked at
        true
        `$.family`, given to `--exclude`, matches nothing in any task definition that was looked at
        `$.name`, given to `--exclude`, matches nothing in any task definition that was looked at
        false
        there is no service `api` anywhere
        there is no service with the tag `team=a` anywhere
        there is no service with the tag `team` anywhere
        false
        ");
    }
}
