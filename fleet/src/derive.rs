//! From a task definition as it is described to what is to be registered: the only place that has
//! the library rewrite anything.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;
use taskdef::image::{Answers, ImageRequest};
use taskdef::mark::{Marker, Removal, digest, markers};
use taskdef::recipe::BoundRecipe;
use taskdef::registration::{registrable, unknown};
use taskdef::report::{Code, Finding, Outcome, Report, Severity, TaskDefinitionReport};
use taskdef::settings::Deployment;
use taskdef::source::put;
use taskdef::{DocumentError, DocumentKind, Rewritten};

use crate::help::of_the_filters;
use crate::matched::Matched;
use crate::means::{Means, Purpose};
use crate::shard::Shard;
use crate::status::State;

/// What becomes of a task definition.
#[derive(Clone, Debug)]
pub(crate) struct Derived {
    /// What is registered now.
    pub before: Value,
    /// What is to be registered; nothing, where that would change nothing.
    pub after: Option<Value>,
    /// What was done, what was left alone, and why.
    pub report: TaskDefinitionReport,
}

impl Means {
    /// The same, in an account and region.
    #[must_use]
    pub(crate) fn in_shard(&self, shard: &Shard) -> Means {
        let mut means = self.clone();
        means.settings.deployment = Deployment {
            region: Some(shard.region.clone()),
            account_id: Some(shard.account.clone()),
        };
        means
    }

    /// The same, for what services run on these platform versions.
    pub(crate) fn on_platforms(&self, versions: Vec<String>) -> Cow<'_, Means> {
        if versions.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut means = self.clone();
        means.settings.platform_versions = versions;
        Cow::Owned(means)
    }

    /// What has to be known of images before [`Means::derive`].
    pub(crate) fn images_needed(
        &self,
        described: &Value,
    ) -> Result<BTreeSet<ImageRequest>, DocumentError> {
        let (task, _) = registrable(described);
        match (self.purpose, &self.recipes) {
            (Purpose::Instrument, Some(recipes)) => {
                taskdef::images_needed(&task, KIND, recipes, &self.settings)
            }
            _ => Ok(BTreeSet::new()),
        }
    }

    /// Remembers which queries match something in a task definition.
    pub(crate) fn match_queries(&self, described: &Value, matched: &mut Matched) {
        let selection = &self.settings.selection;
        let queries = [
            ("include", &selection.include),
            ("exclude", &selection.exclude),
        ];
        if queries.iter().all(|(_, queries)| queries.is_empty()) {
            return;
        }
        let (task, _) = registrable(described);
        for (option, queries) in queries {
            let matching = queries.iter().filter(|query| query.selects(&task));
            matching.for_each(|query| matched.add(option, query.to_string()));
        }
    }

    /// What is to be registered in place of a task definition, and why.
    pub(crate) fn derive(
        &self,
        described: &Value,
        answers: &Answers,
    ) -> Result<Derived, DocumentError> {
        let (before, left_out) = registrable(described);
        let Rewritten { changes, report } = self.rewrite(&before, answers)?;
        let mut after = before.clone();
        // Changes that do not fit would be the library's own mistake: nothing is registered then.
        let fits = put(&mut after, changes).is_ok();
        let mut report = one(report, left_out);
        let unknown = unknown(described);
        if report.outcome == Outcome::Rewritten && !unknown.is_empty() {
            refuse(&mut report, &unknown);
        }
        let rewritten = fits && report.outcome == Outcome::Rewritten && after != before;
        Ok(Derived {
            after: rewritten.then_some(after),
            before,
            report,
        })
    }

    fn rewrite(&self, task: &Value, answers: &Answers) -> Result<Rewritten, DocumentError> {
        match (self.purpose, &self.recipes) {
            (Purpose::Instrument, Some(recipes)) => {
                taskdef::rewrite(task, KIND, recipes, &self.settings, answers)
            }
            _ => {
                let removal = Removal {
                    names: &self.names,
                    recipes: self.recipes.as_deref(),
                };
                taskdef::remove(task, KIND, &removal, &self.settings)
            }
        }
    }

    /// How a task definition stands to the recipes, without a look at any image.
    pub(crate) fn carried(&self, described: &Value) -> Result<Carried, DocumentError> {
        let (task, _) = registrable(described);
        let markers = markers(&task);
        let Some(recipes) = &self.recipes else {
            let by_tag_alone = markers.iter().any(|marker| marker.containers.is_empty());
            let state = match (markers.is_empty(), by_tag_alone) {
                (true, _) => State::NotInstrumented,
                (false, true) => State::Drifted,
                (false, false) => State::Instrumented,
            };
            return Ok(Carried { state, markers });
        };
        let report = taskdef::check(&task, KIND, recipes, &self.settings, &Answers::new())?;
        let outcome = report.task_definitions.first().map(|task| task.outcome);
        let marked = |recipe: &BoundRecipe| {
            let name = recipe.recipe().name();
            markers.iter().find(|marker| marker.recipe == name)
        };
        let any = recipes.iter().any(|recipe| marked(recipe).is_some());
        let same = recipes
            .iter()
            .all(|recipe| marked(recipe).is_some_and(|marker| marker.digest == digest(recipe)));
        let state = match outcome {
            Some(Outcome::Unchanged) => State::Current,
            Some(Outcome::LeftAlone) | None => State::LeftAlone,
            _ if same => State::Drifted,
            _ if any => State::Outdated,
            _ => State::NotInstrumented,
        };
        Ok(Carried { state, markers })
    }
}

/// How a task definition stands to the recipes.
pub(crate) struct Carried {
    pub(crate) state: State,
    pub(crate) markers: Vec<Marker>,
}

const KIND: DocumentKind = DocumentKind::TaskDefinition;

/// The report of the one task definition that there is, with the findings about the document among its own.
fn one(report: Report, left_out: Vec<(String, Finding)>) -> TaskDefinitionReport {
    let mut tasks = report.task_definitions.into_iter();
    let mut task = tasks.next().unwrap_or(TaskDefinitionReport {
        id: String::new(),
        outcome: Outcome::LeftAlone,
        containers: Vec::new(),
        changes: Vec::new(),
        findings: Vec::new(),
    });
    let findings = left_out.into_iter().chain(report.findings);
    // What ECS fills in by itself is left out of every registration, and nothing to tell each time; what is
    // not known is refused. A query need not match every definition: whether it matches any is judged when
    // all are known.
    let told = findings.filter(|(_, finding)| {
        finding.severity > Severity::Note
            && !matches!(
                finding.code,
                Code::FieldRemoved | Code::SelectorMatchedNothing
            )
    });
    task.findings.extend(told.map(|(_, finding)| finding));
    for hint in task.findings.iter_mut().filter_map(|it| it.hint.as_mut()) {
        *hint = of_the_filters(hint);
    }
    task
}

/// A service would lose what a newer ECS knows of its task definition, and this program does not.
fn refuse(report: &mut TaskDefinitionReport, unknown: &[&str]) {
    let unknown: Vec<String> = unknown.iter().map(|field| format!("`{field}`")).collect();
    report.outcome = Outcome::Refused;
    report.containers.clear();
    report.changes.clear();
    report.findings.push(Finding {
        code: Code::FieldRemoved,
        severity: Severity::Error,
        container: None,
        image: None,
        message: format!(
            "not known, and would be lost in a new revision: {}",
            unknown.join(", ")
        ),
        hint: Some("a newer version of this program may know it".to_owned()),
    });
}
