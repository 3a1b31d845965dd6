//! Labels and tag come on, after a recipe has had its turn with a task definition.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cloudformation::conditions::{anywhere, combinations, fold, restrict};
use crate::cloudformation::intrinsic::{Assignment, function};
use crate::container::{Setting, View, shown};
use crate::edit::{self, Edit};
use crate::image::Answers;
use crate::plan::slots::{Slot, slots};
use crate::plan::{Note, Task};
use crate::report::{Code, TaskDefinitionReport};
use crate::source::{Path, Step};

use super::label::{Label, Node, Nodes, key, own_label};
use super::labels_in;
use super::origin::{DECIDING, origin};
use super::record::{self, Recorder, is_lost};
use super::tag::tag;

/// Why a turn cannot be marked.
struct Unmarkable(String, &'static str);

/// What a recipe made of a task definition, with its marker; as it is where that cannot be, with a finding.
pub(crate) fn mark(
    task: &Task<'_>,
    before: &Map<String, Value>,
    after: Map<String, Value>,
    report: &mut TaskDefinitionReport,
    answers: &Answers,
) -> Map<String, Value> {
    let marking = Marking::new(task, before, &after, report, answers);
    let (labels, lost) = match marking.and_then(|marking| marking.labels()) {
        Ok(labels) => labels,
        Err(Unmarkable(why, hint)) => {
            let recipe = task.recipe.recipe().name();
            let why = format!("the recipe `{recipe}` leaves no marker: {why}");
            let note = Note::new(Code::NotMarked, why).with_hint(Some(hint.to_owned()));
            report.findings.push(note.finding(None));
            return after;
        }
    };
    let mut marked = after;
    let key = task.dialect.key("", "containerDefinitions").into_owned();
    let line = format!(
        "dockerLabels {} added",
        self::key(task.recipe.recipe().name())
    );
    for (path, container) in labels {
        let name = View::new(task.dialect, &container).get("name").map(shown);
        let mut told = report.containers.iter_mut();
        let told = told.find(|told| !told.sidecar && Some(&told.name) == name.as_ref());
        if let Some(told) = told.filter(|told| !told.changes.contains(&line)) {
            told.changes.push(line.clone());
        }
        let path: Path = [Step::Key(key.clone())].into_iter().chain(path).collect();
        if let Some(place) = place_mut(&mut marked, &path) {
            *place = Value::Object(container);
        }
    }
    for (container, places) in lost {
        let why = format!(
            "the marker does not hold what stood in {places} before: it may be a secret, or is known only to a deployment"
        );
        let hint =
            "a removal will say so; without that variable in the task definition it can be exact";
        let mut finding = Note::new(Code::MarkerIncomplete, why)
            .with_hint(Some(hint.to_owned()))
            .finding(None);
        finding.container = Some(container);
        report.findings.push(finding);
    }
    tag(task, &mut marked, report);
    marked
}

/// A turn of a recipe that is to be marked.
struct Marking<'m, 't> {
    task: &'m Task<'t>,
    before: Vec<Slot<'m>>,
    after: Vec<Slot<'m>>,
    recorder: Recorder<'m>,
    order: u64,
    /// What has to be put back in the task definition.
    of_task: Nodes,
    /// What is known of images.
    answers: &'m Answers,
}

/// The containers with their labels by their place, and what is lost by container.
type Labelled = (Vec<(Path, Map<String, Value>)>, Vec<(String, String)>);

impl<'m, 't> Marking<'m, 't> {
    fn new(
        task: &'m Task<'t>,
        before: &'m Map<String, Value>,
        after: &'m Map<String, Value>,
        report: &TaskDefinitionReport,
        answers: &'m Answers,
    ) -> Result<Self, Unmarkable> {
        let recipe = task.recipe.recipe().name();
        let known = labels_in(task.dialect, before);
        let slots_of = |properties: &'m Map<String, Value>| {
            let definitions = task.dialect.find(properties, "containerDefinitions");
            let found = definitions.map(|definitions| slots(definitions, &task.given));
            found.and_then(Result::ok).unwrap_or_default()
        };
        let (slots_before, slots_after) = (slots_of(before), slots_of(after));
        if !known.contains_key(recipe) && is_carried(task, &slots_before, report) {
            return Err(Unmarkable(
                "it was there already without one, so what was there before is not known"
                    .to_owned(),
                "take it off first (`--remove`), and instrument again",
            ));
        }
        let others = known.iter().filter(|(name, _)| *name != recipe);
        let last = others
            .map(|(_, labels)| labels.order())
            .max()
            .unwrap_or_default();
        let order = known
            .get(recipe)
            .map_or(last + 1, super::label::Labels::order);
        let recorder = Recorder {
            dialect: task.dialect,
            secrets: &[],
            replaced: &[],
        };
        let mut marking = Marking {
            task,
            before: slots_before,
            after: slots_after,
            recorder,
            order,
            of_task: Nodes::new(),
            answers,
        };
        marking.recorder.secrets = task.rendered.clear_secrets();
        marking.recorder.replaced = task.replaced();
        let own = |properties: &Map<String, Value>| {
            let inside = ["containerDefinitions", "tags"].map(|key| task.dialect.key("", key));
            let members = properties
                .iter()
                .filter(|(key, _)| !inside.iter().any(|own| own == *key));
            members
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect::<Map<_, _>>()
        };
        marking.of_task = marking.recorder.object("", &own(before), &own(after));
        let tags = task.dialect.find(before, "tags").and_then(Value::as_array);
        if tags.is_some_and(Vec::is_empty) {
            let list = super::label::ListNode {
                empty: true,
                ..Default::default()
            };
            marking.of_task.insert("tags".to_owned(), Node::List(list));
        }
        Ok(marking)
    }

    fn labels(&self) -> Result<Labelled, Unmarkable> {
        let mut labelled = Vec::new();
        let mut lost = Vec::new();
        for (position, slot) in self.after.iter().enumerate() {
            let before = self.before.iter().find(|other| other.path == slot.path);
            let before = before.map(|slot| slot.container);
            if before == Some(slot.container) {
                continue;
            }
            let mut places = BTreeSet::new();
            let Some(value) = self.label(before, slot, &mut places)? else {
                continue;
            };
            if !places.is_empty() {
                let name = View::new(self.task.dialect, slot.container).label(position);
                lost.push((name, Vec::from_iter(places).join(", ")));
            }
            let path = [
                "dockerLabels".to_owned(),
                key(self.task.recipe.recipe().name()),
            ];
            let edit = Edit::Set(path.to_vec(), value);
            let mut container = slot.container.clone();
            edit::apply(&mut container, &[&edit], self.task.at(&slot.given)).map_err(|_| {
                Unmarkable(
                    "`dockerLabels` of a container is an intrinsic function, and takes no label"
                        .to_owned(),
                    "write the labels as an object",
                )
            })?;
            labelled.push((slot.path.clone(), container));
        }
        Ok((labelled, lost))
    }

    /// The label of a container, which may depend on conditions; none where nothing is to be put back.
    fn label(
        &self,
        before: Option<&Map<String, Value>>,
        slot: &Slot<'_>,
        lost: &mut BTreeSet<String>,
    ) -> Result<Option<Value>, Unmarkable> {
        let after = slot.container;
        let Some(before) = before else {
            let mut label = self.new_label();
            label.added = true;
            label.no_labels = false;
            return Ok(Some(Value::String(label.text())));
        };
        let mut conditions = BTreeSet::new();
        let always = DECIDING.map(|key| self.task.dialect.key("", key));
        let members = after.iter().chain(before);
        for (key, value) in members.filter(|_| self.task.dialect.has_functions()) {
            if before.get(key) != after.get(key) || always.iter().any(|always| always == key) {
                anywhere(value, &mut conditions);
            }
        }
        if conditions.is_empty() {
            let label = self.one(before, after, &slot.given, lost);
            return Ok(label.map(|label| Value::String(label.text())));
        }
        let rows = combinations(self.task.template, &conditions, &slot.given).ok_or_else(|| {
            Unmarkable(
                "too many conditions decide about a container".to_owned(),
                "use fewer conditions in it",
            )
        })?;
        // Where no combination can occur, the conditions decide nothing.
        if rows.is_empty() {
            let label = self.one(before, after, &slot.given, lost);
            return Ok(label.map(|label| Value::String(label.text())));
        }
        let table: Vec<(&Assignment, Option<Value>)> = rows
            .iter()
            .map(|given| {
                let label = self.one(&under(before, given), &under(after, given), given, lost);
                (given, label.map(|label| Value::String(label.text())))
            })
            .collect();
        Ok(fold(&table))
    }

    fn new_label(&self) -> Label {
        let mut label = Label::new(self.task.recipe.digest(), self.order);
        label.task = self.of_task.clone();
        label
    }

    /// The label under one combination of conditions.
    fn one(
        &self,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
        given: &Assignment,
        lost: &mut BTreeSet<String>,
    ) -> Option<Label> {
        let dialect = self.task.dialect;
        let recipe = self.task.recipe.recipe().name();
        let nodes = self.recorder.object("", before, after);
        let mut label = self.new_label();
        let known = own_label(dialect, before, recipe);
        if nodes.is_empty() && known.is_none() {
            return None;
        }
        collect_lost("", &nodes, lost);
        let was_stated = match View::new(dialect, before).words("entryPoint") {
            Setting::Absent => false,
            Setting::Known(words) => !words.is_empty(),
            Setting::Intrinsic(_) | Setting::Malformed => true,
        };
        let by_image = nodes.contains_key("entryPoint") && !was_stated;
        if by_image {
            let origin = origin(self.task, after, given, self.answers);
            (label.image, label.program) = origin
                .map(|origin| (Some(origin.image), origin.program))
                .unwrap_or_default();
        }
        let labels = dialect
            .find(before, "dockerLabels")
            .and_then(Value::as_object);
        label.no_labels = labels.is_some_and(Map::is_empty);
        match known {
            None => label.container = nodes,
            Some(mut known) => {
                if !known.added {
                    record::merge(&mut known.container, nodes);
                }
                record::merge(&mut known.task, label.task);
                label = Label {
                    digest: label.digest,
                    image: label.image.or(known.image.take()),
                    program: label.program.or(known.program.take()),
                    ..known
                };
            }
        }
        Some(label)
    }
}

/// Whether a task definition carries the recipe, by a wrapper or a sidecar of its own.
fn is_carried(task: &Task<'_>, slots: &[Slot<'_>], report: &TaskDefinitionReport) -> bool {
    let mut findings = report.findings.iter();
    let wrapped = findings.any(|finding| finding.code == Code::AlreadyInstrumented);
    let sidecars = task.recipe.recipe().sidecar_names();
    let named = |slot: &Slot<'_>| {
        let name = task
            .dialect
            .find(slot.container, "name")
            .and_then(Value::as_str);
        name.is_some_and(|name| sidecars.contains(&name))
    };
    wrapped || slots.iter().any(named)
}

/// The places whose former values are lost, as a person names them.
fn collect_lost(parent: &str, nodes: &Nodes, lost: &mut BTreeSet<String>) {
    for (key, node) in nodes.iter().filter(|(_, node)| is_lost(node)) {
        let place = match parent {
            "" => key.clone(),
            parent => format!("{parent}.{key}"),
        };
        match node {
            Node::In(nodes) => collect_lost(&place, nodes, lost),
            Node::List(list) => {
                let names = list.back.iter().filter_map(|(_, item)| item.as_str());
                lost.extend(names.map(|name| format!("`{place} {name}`")));
            }
            _ => drop(lost.insert(format!("`{place}`"))),
        }
    }
}

/// An object as it is under an assignment, to its depth.
pub(super) fn under(map: &Map<String, Value>, given: &Assignment) -> Map<String, Value> {
    let members = map.iter();
    let members = members.filter_map(|(key, value)| Some((key.clone(), deep(value, given)?)));
    members.collect()
}

fn deep(value: &Value, given: &Assignment) -> Option<Value> {
    match restrict(value, given)? {
        Value::Object(map) if function(&Value::Object(map.clone())).is_none() => {
            Some(Value::Object(under(&map, given)))
        }
        Value::Array(items) => Some(items.iter().filter_map(|item| deep(item, given)).collect()),
        other => Some(other),
    }
}

/// The place of a container.
fn place_mut<'v>(properties: &'v mut Map<String, Value>, path: &[Step]) -> Option<&'v mut Value> {
    let (first, rest) = path.split_first()?;
    let Step::Key(first) = first else { return None };
    rest.iter()
        .try_fold(properties.get_mut(first)?, |value, step| match step {
            Step::Key(key) => value.get_mut(key.as_str()),
            Step::Index(index) => value.get_mut(*index),
        })
}
