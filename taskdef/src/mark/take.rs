//! Labels are followed back: a task definition without what a recipe did to it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cloudformation::conditions::{anywhere, combinations};
use crate::cloudformation::intrinsic::{Assignment, as_if, call, is_no_value, no_value};
use crate::cloudformation::template::Template;
use crate::container::{Setting, View, shown};
use crate::dialect::Dialect;
use crate::edit::{self, Edit, Where};
use crate::plan::cannot_merge;
use crate::plan::slots::assumed;
use crate::plan::variant::{Row, folded};
use crate::plan::{About, Refusal};
use crate::report::{Code, ContainerReport, Finding, ProcessChange};

use super::label::{Label, Labels, Node, Nodes, key, own_label};
use super::labels_in;
use super::put::under;
use super::record::{is_hollow, is_lost, undo};
use super::tag::tag_edit;
use super::verify::{agrees, changes};

/// A document's dialect, its conditions, and those that a task definition stands under.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'g> {
    pub(crate) dialect: Dialect,
    pub(crate) template: &'g Template<'g>,
    pub(crate) given: &'g Assignment,
}

/// What a recipe is taken off for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// For good: everything has to be as the recipe wrote it.
    Removal,
    /// To be put on anew: the process has to be as the recipe wrote it.
    Upgrade,
}

/// A task definition without a recipe.
pub(crate) struct Taken {
    pub(crate) properties: Map<String, Value>,
    /// What became of the containers.
    pub(crate) containers: Vec<ContainerReport>,
    /// What became of the task definition, one line each.
    pub(crate) changes: Vec<String>,
}

/// Takes a recipe off by its labels, or says everything that keeps it from being taken off.
pub(crate) fn taken_off(
    ground: Ground<'_>,
    properties: &Map<String, Value>,
    recipe: &str,
    purpose: Purpose,
) -> Result<Taken, Vec<Finding>> {
    let labels = labels_in(ground.dialect, properties)
        .remove(recipe)
        .unwrap_or_default();
    if labels.unreadable {
        let refusal = Refusal::new(
            Code::CannotTakeApart,
            format!("a label of the recipe `{recipe}` has a form that this version does not know"),
            "take the version that wrote it, or a later one",
        );
        return Err(vec![refusal.finding(None)]);
    }
    let mut way = Way {
        ground,
        recipe,
        purpose,
        findings: Vec::new(),
        containers: Vec::new(),
    };
    let mut after = properties.clone();
    let definitions = ground.dialect.key("", "containerDefinitions").into_owned();
    if let Some(value) = properties.get(&definitions) {
        let value = rebuilt(
            ground.dialect,
            value,
            ground.given,
            &mut |container, given| way.container(container, given),
        );
        after.insert(
            definitions,
            value.unwrap_or_else(|| Value::Array(Vec::new())),
        );
    }
    let changes = way.task(&labels, &mut after);
    match way.findings.is_empty() {
        true => Ok(Taken {
            properties: after,
            containers: way.containers,
            changes,
        }),
        false => Err(way.findings),
    }
}

/// What becomes of a container, under these conditions; nothing where it goes away.
pub(super) type Visit<'v> =
    dyn FnMut(&Map<String, Value>, &Assignment) -> Option<Map<String, Value>> + 'v;

/// Container definitions with what becomes of each container; `None` is a container or a branch that goes away.
pub(super) fn rebuilt(
    dialect: Dialect,
    value: &Value,
    given: &Assignment,
    visit: &mut Visit<'_>,
) -> Option<Value> {
    if let Some((condition, yes, no)) = as_if(value).filter(|_| dialect.has_functions()) {
        let mut side = |branch: &Value, truth| match assumed(given, condition, truth) {
            Some(given) if !is_no_value(branch) => rebuilt(dialect, branch, &given, visit),
            _ => Some(branch.clone()),
        };
        let (yes, no) = (side(yes, true), side(no, false));
        let gone = |branch: &Option<Value>| branch.as_ref().is_none_or(is_no_value);
        // What was there under a condition goes with its condition.
        if (yes.is_none() || no.is_none()) && gone(&yes) && gone(&no) {
            return None;
        }
        let side = |branch: Option<Value>| branch.unwrap_or_else(no_value);
        let items = vec![Value::String(condition.to_owned()), side(yes), side(no)];
        return Some(call("Fn::If", Value::Array(items)));
    }
    match value {
        Value::Array(items) => {
            let items = items.iter();
            let items = items.filter_map(|item| rebuilt(dialect, item, given, visit));
            Some(Value::Array(items.collect()))
        }
        Value::Object(map) if dialect.function(value).is_none() => {
            visit(map, given).map(Value::Object)
        }
        other => Some(other.clone()),
    }
}

/// The way back of one recipe.
struct Way<'w> {
    ground: Ground<'w>,
    recipe: &'w str,
    purpose: Purpose,
    findings: Vec<Finding>,
    containers: Vec<ContainerReport>,
}

impl Way<'_> {
    fn container(
        &mut self,
        container: &Map<String, Value>,
        given: &Assignment,
    ) -> Option<Map<String, Value>> {
        let dialect = self.ground.dialect;
        let texts = super::labels_of(dialect, container);
        if !texts.iter().any(|(recipe, _)| *recipe == self.recipe) {
            self.containers.push(self.report(container, Vec::new()));
            return Some(container.clone());
        }
        if let Some(label) = own_label(dialect, container, self.recipe) {
            return self.one(&label, container, given);
        }
        let mut conditions = BTreeSet::new();
        let mut labels = Labels::default();
        for (recipe, text) in &texts {
            if *recipe == self.recipe {
                labels.read(text);
            }
        }
        let mut touched: BTreeSet<String> = labels
            .read
            .iter()
            .flat_map(|label| label.container.keys().cloned())
            .collect();
        touched.insert("dockerLabels".to_owned());
        for key in &touched {
            if let Some(value) = dialect.find(container, key) {
                anywhere(value, &mut conditions);
            }
        }
        let Some(rows) = combinations(self.ground.template, &conditions, given) else {
            let refusal = Refusal::new(
                Code::TooManyConditions,
                "too many conditions decide what the recipe did to the container".to_owned(),
                "use fewer conditions in it",
            );
            self.refuse(container, refusal);
            return Some(container.clone());
        };
        self.folded(container, &rows)
    }

    /// A container whose label depends on conditions.
    fn folded(
        &mut self,
        container: &Map<String, Value>,
        rows: &[Assignment],
    ) -> Option<Map<String, Value>> {
        let before: Vec<Map<String, Value>> =
            rows.iter().map(|given| under(container, given)).collect();
        let dialect = self.ground.dialect;
        let label = |container| own_label(dialect, container, self.recipe);
        let labels_were_empty = before.iter().filter_map(label).any(|label| label.no_labels);
        let mut table: Vec<Row<'_>> = Vec::new();
        let count = self.containers.len();
        for (given, before) in rows.iter().zip(&before) {
            let after = match own_label(dialect, before, self.recipe) {
                Some(label) => self.one(&label, before, given)?,
                None => {
                    let mut after = before.clone();
                    let labels = dialect.key("", "dockerLabels");
                    // Under other conditions it holds the marker alone, and is there for it.
                    if !labels_were_empty && after.get(labels.as_ref()).is_some_and(is_hollow) {
                        after.shift_remove(labels.as_ref());
                    }
                    after
                }
            };
            table.push((given, before, after));
        }
        // Told once, not for every combination.
        let mut told: Vec<String> = Vec::new();
        for report in self.containers.drain(count..) {
            told.extend(report.changes);
        }
        told.sort();
        told.dedup();
        let report = self.report(container, told);
        self.containers.push(report);
        Some(folded(container, &table))
    }

    /// A container with a label that is one text.
    fn one(
        &mut self,
        label: &Label,
        container: &Map<String, Value>,
        given: &Assignment,
    ) -> Option<Map<String, Value>> {
        if label.added {
            let gone = self.report(container, vec!["container removed".to_owned()]);
            self.containers.push(ContainerReport {
                sidecar: true,
                ..gone
            });
            return None;
        }
        let dialect = self.ground.dialect;
        let mut nodes = label.container.clone();
        // The image is the user's: one that was changed since stays.
        let image = |node: &Node| !agrees(dialect, "image", node, container);
        if nodes.get("image").is_some_and(image) {
            nodes.remove("image");
        }
        self.check(container, &nodes);
        let mut edits = edits_of(dialect, &nodes);
        let labels = "dockerLabels".to_owned();
        edits.push(Edit::Remove(vec![labels.clone(), key(self.recipe)]));
        let mut after = container.clone();
        let edits: Vec<&Edit> = edits.iter().collect();
        let place = Where { dialect, given };
        match edit::apply(&mut after, &edits, place) {
            Ok(said) => {
                // What ECS fills in beside what a recipe wrote goes with it.
                for (key, _) in nodes.iter().filter(|(_, node)| matches!(node, Node::In(_))) {
                    let key = dialect.key("", key);
                    if after.get(key.as_ref()).is_some_and(is_hollow) {
                        after.shift_remove(key.as_ref());
                    }
                }
                if label.no_labels && dialect.find(&after, &labels).is_none() {
                    let spelled = dialect.key("", &labels).into_owned();
                    after.insert(spelled, Value::Object(Map::new()));
                }
                let report = ContainerReport {
                    processes: processes(dialect, container, &after),
                    ..self.report(container, said)
                };
                self.containers.push(report);
            }
            Err(place) => self.refuse(container, cannot_merge(dialect, &place)),
        }
        Some(after)
    }

    /// Says what was changed since it was marked, and what the marker does not hold.
    fn check(&mut self, container: &Map<String, Value>, nodes: &Nodes) {
        let mut changed = BTreeSet::new();
        let removal = self.purpose == Purpose::Removal;
        for (key, node) in nodes {
            let process = matches!(key.as_str(), "entryPoint" | "command");
            if process || removal {
                changes(self.ground.dialect, "", key, node, container, &mut changed);
            }
        }
        if !changed.is_empty() {
            let recipe = self.recipe;
            let places = Vec::from_iter(changed).join(", ");
            let refusal = Refusal::new(
                Code::ChangedSinceMarked,
                format!("what the recipe `{recipe}` wrote is not what stands there now: {places}"),
                "put it back as the recipe wrote it, or deploy the task definition from its source again",
            );
            self.refuse(container, refusal);
        }
        let lost: Vec<String> = nodes
            .iter()
            .filter(|(_, node)| is_lost(node))
            .map(|(key, _)| format!("`{key}`"))
            .collect();
        if !lost.is_empty() {
            let refusal = Refusal::new(
                Code::MarkerIncomplete,
                format!(
                    "the marker of the recipe `{}` does not hold all that stood in {} before",
                    self.recipe,
                    lost.join(", ")
                ),
                "deploy the task definition from its source again; what a secret held in clear is never copied",
            );
            self.refuse(container, refusal);
        }
    }

    /// What is to be put back in the task definition itself, and its tag.
    fn task(&mut self, labels: &Labels, after: &mut Map<String, Value>) -> Vec<String> {
        let dialect = self.ground.dialect;
        let empty = Nodes::new();
        let mut all = labels.read.iter().map(|label| &label.task);
        let mut nodes = all
            .find(|nodes| !nodes.is_empty())
            .unwrap_or(&empty)
            .clone();
        let no_tags = nodes.remove("tags").is_some();
        let mut changed = BTreeSet::new();
        for (key, node) in nodes.iter().filter(|_| self.purpose == Purpose::Removal) {
            changes(dialect, "", key, node, after, &mut changed);
        }
        let lost = nodes.values().any(is_lost);
        if lost || !changed.is_empty() {
            let places = match lost {
                true => nodes.keys().map(|key| format!("`{key}`")).collect(),
                false => Vec::from_iter(changed),
            };
            let (code, why) = match lost {
                true => (
                    Code::MarkerIncomplete,
                    "the marker does not hold what stood there before",
                ),
                false => (
                    Code::ChangedSinceMarked,
                    "what the recipe wrote is not what stands there now",
                ),
            };
            let message = format!("recipe `{}`: {why}: {}", self.recipe, places.join(", "));
            let hint = "put it back by hand, or deploy the task definition from its source again";
            self.findings
                .push(Refusal::new(code, message, hint).finding(None));
            return Vec::new();
        }
        let mut edits = edits_of(dialect, &nodes);
        edits.extend(tag_edit(dialect, after, self.recipe, no_tags));
        let edits: Vec<&Edit> = edits.iter().collect();
        let place = Where {
            dialect,
            given: self.ground.given,
        };
        match edit::apply(after, &edits, place) {
            Ok(said) => said,
            Err(place) => {
                self.findings
                    .push(cannot_merge(dialect, &place).finding(None));
                Vec::new()
            }
        }
    }

    fn about(&self, container: &Map<String, Value>) -> About {
        let view = View::new(self.ground.dialect, container);
        About {
            container: view.label(self.containers.len()),
            image: view.get("image").map(shown).unwrap_or_default(),
        }
    }

    fn refuse(&mut self, container: &Map<String, Value>, refusal: Refusal) {
        let finding = refusal.finding(Some(&self.about(container)));
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    fn report(&self, container: &Map<String, Value>, changes: Vec<String>) -> ContainerReport {
        let About { container, image } = self.about(container);
        ContainerReport {
            name: container,
            image,
            sidecar: false,
            wrapped: false,
            processes: Vec::new(),
            changes,
        }
    }
}

fn edits_of(dialect: Dialect, nodes: &Nodes) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (key, node) in nodes {
        undo(dialect, &mut vec![key.clone()], node, &mut edits);
    }
    edits
}

/// The process before and after, where both are stated.
pub(super) fn processes(
    dialect: Dialect,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Vec<ProcessChange> {
    let stated = |map| {
        let words = |key| match View::new(dialect, map).words(key) {
            Setting::Known(items) => Some(items.iter().map(shown).collect::<Vec<String>>()),
            Setting::Absent => Some(Vec::new()),
            Setting::Intrinsic(_) | Setting::Malformed => None,
        };
        let entry_point = words("entryPoint").filter(|words| !words.is_empty())?;
        Some([entry_point, words("command")?].concat())
    };
    let pair = stated(before).zip(stated(after));
    let pair = pair.filter(|(before, after)| before != after);
    pair.map(|(before, after)| ProcessChange {
        given: None,
        before,
        after,
    })
    .into_iter()
    .collect()
}
