//! Rules about what containers refer to: each other, and volumes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::report::Code;

use super::containers::is_essential;
use super::read::{Container, Definition, Fact, Reader};
use super::{Case, Violation};

/// A container that another one names.
pub(super) struct Reference<'v> {
    /// The position of the container that names it.
    from: usize,
    /// The setting that does.
    list: &'static str,
    name: Cow<'v, str>,
    /// The position of the container that is named, where there is one.
    to: Option<usize>,
}

/// Every container that another one names, as far as that is known.
pub(super) fn references<'v>(
    reader: &Reader<'_>,
    definition: &Definition<'v>,
) -> Vec<Reference<'v>> {
    let mut found = Vec::new();
    for (from, container) in definition.containers.iter().enumerate() {
        let mut push = |list, name: Cow<'v, str>| {
            let to = None;
            found.push(Reference {
                from,
                list,
                name,
                to,
            });
        };
        for (list, key) in [
            ("dependsOn", "containerName"),
            ("volumesFrom", "sourceContainer"),
        ] {
            for entry in reader.objects(container.object, list).items {
                if let Fact::Known(name) = reader.text(entry, key) {
                    push(list, name);
                }
            }
        }
        for link in reader.texts(container.object, "links").items {
            // `name:alias`
            let name = match link {
                Cow::Borrowed(link) => {
                    Cow::Borrowed(link.split_once(':').map_or(link, |(name, _)| name))
                }
                Cow::Owned(link) => Cow::Owned(link),
            };
            push("links", name);
        }
    }
    if found.is_empty() {
        return found;
    }
    let positions: BTreeMap<&str, usize> = definition
        .containers
        .iter()
        .enumerate()
        .filter_map(|(position, container)| match &container.name {
            Fact::Known(name) => Some((name.as_ref(), position)),
            Fact::Absent | Fact::Unknown => None,
        })
        .collect();
    for reference in &mut found {
        reference.to = positions.get(reference.name.as_ref()).copied();
    }
    found
}

/// `dependsOn`, `volumesFrom`, `links` and `mountPoints` that refer to nothing.
pub(super) fn to_nothing(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    let (reader, definition) = (case.reader, case.definition);
    let hint = "correct the name, or remove the entry";
    let mut push = |container: &Container<'_>, list: &str, name: &str, message: String| {
        let code = Code::RefersToNothing;
        let subject = format!("{} {list} {name}", container.label);
        found.push(Violation::new(code, subject, message, hint).of(container));
    };
    let all_known = definition.all_names_are_known();
    for reference in case.references.iter().filter(|_| all_known) {
        if let (None, Some(container)) = (reference.to, definition.containers.get(reference.from)) {
            let Reference { list, name, .. } = reference;
            let message = format!("`{list}` names the container `{name}`, which is not there");
            push(container, list, name, message);
        }
    }
    let mut volumes: Option<(BTreeSet<Cow<'_, str>>, bool)> = None;
    for container in &definition.containers {
        for mount in reader.objects(container.object, "mountPoints").items {
            let Fact::Known(name) = reader.text(mount, "sourceVolume") else {
                continue;
            };
            let (volumes, complete) = volumes.get_or_insert_with(|| volume_names(case));
            if *complete && !volumes.contains(&name) {
                let message =
                    format!("`mountPoints` names the volume `{name}`, which is not there");
                push(container, "mountPoints", &name, message);
            }
        }
    }
}

/// The names of the volumes, and whether these are all.
fn volume_names<'v>(case: &Case<'_, 'v>) -> (BTreeSet<Cow<'v, str>>, bool) {
    let volumes = case.reader.objects(case.definition.task, "volumes");
    let names = volumes.items.iter();
    let names: Vec<_> = names
        .map(|volume| case.reader.text(*volume, "name"))
        .collect();
    let complete = volumes.complete && names.iter().all(|name| *name != Fact::Unknown);
    (
        names.into_iter().filter_map(Fact::known).collect(),
        complete,
    )
}

/// Containers that wait for each other in a circle.
///
/// The ECS agent starts a container after those that it depends on, takes volumes from, or links to.
pub(super) fn cycles(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    let containers = &case.definition.containers;
    let mut waits: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for reference in case.references {
        if let Some(to) = reference.to {
            waits.entry(reference.from).or_default().insert(to);
        }
    }
    for circle in circles(waits) {
        let names: Vec<String> = circle
            .iter()
            .filter_map(|position| containers.get(*position))
            .map(|container| format!("`{}`", container.label))
            .collect();
        let message = match names.as_slice() {
            [one] => format!("{one} waits for itself"),
            several => format!(
                "the containers {} wait for each other in a circle",
                several.join(", ")
            ),
        };
        let mut subject = names;
        subject.sort();
        let hint = "remove one of the entries of `dependsOn`, `volumesFrom` or `links` that close the circle";
        found.push(Violation::new(
            Code::DependencyCycle,
            subject.join(" "),
            message,
            hint,
        ));
    }
}

/// Circles without a common member, in order of their first.
fn circles(mut waits: BTreeMap<usize, BTreeSet<usize>>) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    loop {
        // Who waits for nobody that waits is in no circle.
        let mut before = usize::MAX;
        while before > waits.len() {
            before = waits.len();
            let waiting: BTreeSet<usize> = waits.keys().copied().collect();
            for targets in waits.values_mut() {
                targets.retain(|target| waiting.contains(target));
            }
            waits.retain(|_, targets| !targets.is_empty());
        }
        // From anybody else a way leads into a circle.
        let Some(mut here) = waits.keys().next().copied() else {
            return found;
        };
        let mut way: Vec<usize> = Vec::new();
        while !way.contains(&here) {
            way.push(here);
            match waits.get(&here).and_then(BTreeSet::first) {
                Some(next) => here = *next,
                None => break,
            }
        }
        let mut circle: Vec<usize> = way
            .into_iter()
            .skip_while(|position| *position != here)
            .collect();
        circle.sort_unstable();
        for position in &circle {
            waits.remove(position);
        }
        for targets in waits.values_mut() {
            targets.retain(|target| !circle.contains(target));
        }
        found.push(circle);
    }
}

/// Dependencies whose condition can never be met, or not as ECS takes it.
pub(super) fn conditions(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    let reader = case.reader;
    for container in &case.definition.containers {
        for entry in reader.objects(container.object, "dependsOn").items {
            let (Fact::Known(name), Fact::Known(condition)) = (
                reader.text(entry, "containerName"),
                reader.text(entry, "condition"),
            ) else {
                continue;
            };
            let Some(target) = case.definition.container(&name) else {
                continue;
            };
            let subject = format!("{} {name} {condition}", container.label);
            match condition.as_ref() {
                "SUCCESS" | "COMPLETE" if is_essential(reader, target) == Some(true) => {
                    let message = format!(
                        "it waits until `{name}` has ended ({condition}), but `{name}` is essential, and its end is the end of the task"
                    );
                    let hint =
                        "make the other container not essential, or wait for `START` or `HEALTHY`";
                    let code = Code::WaitsForEssential;
                    found.push(Violation::new(code, subject, message, hint).of(container));
                }
                "HEALTHY" if reader.get(target.object, "healthCheck") == Fact::Absent => {
                    let message = format!(
                        "it waits until `{name}` is healthy, but that container has no health check in the task definition"
                    );
                    let hint = "give the other container a `healthCheck` (ECS does not look at the image's), or wait for `START`";
                    let code = Code::NoHealthCheck;
                    found.push(Violation::new(code, subject, message, hint).of(container));
                }
                _ => {}
            }
        }
    }
}
