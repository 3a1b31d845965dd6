//! The containers of a document's task definitions as a report shows them: which of them is
//! started after which, whose volumes it mounts, and where it stands in the document.
//!
//! Apart from the rewrite, so that only a report that shows these things pays for them.

use serde_json::Value;

use crate::cloudformation::find::Found;
use crate::cloudformation::intrinsic::{Assignment, as_if, is_no_value};
use crate::container::{View, shown};
use crate::dialect::Dialect;
use crate::plan::slots::{Slot, slots};
use crate::recipe::ImageSecrets;
use crate::source::{Path, Step};
use crate::{DocumentKind, dialect, survey};

/// One task definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskOutline {
    /// Where it stands.
    pub path: Path,
    /// Its containers, in order; none where they cannot be read.
    pub containers: Vec<ContainerOutline>,
}

/// One container definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerOutline {
    /// Its name, or its position when it has none.
    pub name: String,
    /// Its image as text.
    pub image: String,
    /// Where it stands.
    pub path: Path,
    /// Under which conditions of the template it is there, as text.
    pub given: Option<String>,
    /// The containers that it waits for ([`dependsOn`]).
    ///
    /// [`dependsOn`]: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html
    pub depends_on: Vec<Dependency>,
    /// The containers whose volumes it mounts ([`volumesFrom`]).
    ///
    /// [`volumesFrom`]: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_VolumeFrom.html
    pub volumes_from: Vec<VolumesFrom>,
}

/// An entry of `dependsOn`. An intrinsic function is shown in its short form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The container that is waited for.
    pub container: String,
    /// What it has to reach: `START`, `HEALTHY`; nothing where the whole entry is an intrinsic function.
    pub condition: String,
    /// Under which conditions of the template this is so, as text.
    pub given: Option<String>,
}

/// An entry of `volumesFrom`. An intrinsic function is shown in its short form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumesFrom {
    /// The container whose volumes are mounted.
    pub container: String,
    /// Under which conditions of the template this is so, as text.
    pub given: Option<String>,
}

/// The task definitions of a document, in the order of its [report](crate::report::Report); none
/// where it is not of that kind. Without credentials in names of images.
pub fn outline(document: &Value, kind: DocumentKind, secrets: &ImageSecrets) -> Vec<TaskOutline> {
    let dialect = dialect(kind);
    let survey = survey(document, kind).unwrap_or_default();
    survey
        .found
        .iter()
        .map(|found| task(found, dialect, secrets))
        .collect()
}

pub(crate) fn task(found: &Found<'_>, dialect: Dialect, secrets: &ImageSecrets) -> TaskOutline {
    let mut path = found.path.clone();
    // A finding is about the resource, and not about a part of it.
    if path.last() == Some(&Step::Key("Properties".to_owned())) {
        path.pop();
    }
    let containers = found.properties.and_then(|properties| {
        let definitions = dialect.find(properties, "containerDefinitions")?;
        let slots = slots(definitions, &Assignment::new()).ok()?;
        let key = Step::Key(dialect.key("", "containerDefinitions").into_owned());
        let place = [found.path.as_slice(), &[key]].concat();
        let one = |(position, slot)| {
            let mut one = container(slot, position, dialect, &place);
            secrets.hide(&mut one.image);
            one
        };
        Some(slots.iter().enumerate().map(one).collect())
    });
    TaskOutline {
        path,
        containers: containers.unwrap_or_default(),
    }
}

fn container(
    slot: &Slot<'_>,
    position: usize,
    dialect: Dialect,
    place: &[Step],
) -> ContainerOutline {
    let view = View::new(dialect, slot.container);
    let mut depends_on = Vec::new();
    for_each_entry(view.get("dependsOn"), &Vec::new(), &mut |entry, given| {
        depends_on.push(Dependency {
            container: container_of(entry, "containerName", dialect),
            condition: member(entry, "condition", dialect).unwrap_or_default(),
            given,
        });
    });
    let mut volumes_from = Vec::new();
    for_each_entry(view.get("volumesFrom"), &Vec::new(), &mut |entry, given| {
        volumes_from.push(VolumesFrom {
            container: container_of(entry, "sourceContainer", dialect),
            given,
        });
    });
    let given = slot
        .given
        .iter()
        .map(|(name, truth)| (name.as_str(), *truth));
    ContainerOutline {
        name: view.label(position),
        image: view.get("image").map(shown).unwrap_or_default(),
        path: [place, &slot.path].concat(),
        given: conditions_text(&given.collect::<Vec<_>>()),
        depends_on,
        volumes_from,
    }
}

/// The container that an entry names; the entry itself where it is an intrinsic function.
fn container_of(entry: &Value, key: &str, dialect: Dialect) -> String {
    match dialect.function(entry) {
        Some(_) => shown(entry),
        None => member(entry, key, dialect).unwrap_or_default(),
    }
}

fn member(entry: &Value, key: &str, dialect: Dialect) -> Option<String> {
    dialect.find(entry.as_object()?, key).map(shown)
}

/// Every entry of a list, with the conditions of the `Fn::If` that the list or the entry stands in.
fn for_each_entry<'v>(
    list: Option<&'v Value>,
    given: &Vec<(&'v str, bool)>,
    take: &mut impl FnMut(&'v Value, Option<String>),
) {
    let Some(value) = list else { return };
    if let Some((condition, yes, no)) = as_if(value) {
        for (truth, branch) in [(true, yes), (false, no)] {
            let mut given = given.clone();
            given.push((condition, truth));
            for_each_entry(Some(branch), &given, take);
        }
        return;
    }
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|item| for_each_entry(Some(item), given, take)),
        Value::Null => {}
        none if is_no_value(none) => {}
        entry => take(entry, conditions_text(given)),
    }
}

fn conditions_text(given: &[(&str, bool)]) -> Option<String> {
    let texts = given.iter().map(|(name, truth)| match truth {
        true => (*name).to_owned(),
        false => format!("not {name}"),
    });
    let texts: Vec<String> = texts.collect();
    (!texts.is_empty()).then(|| texts.join(" and "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown_outline(document: &Value, kind: DocumentKind) -> String {
        let mut text = String::new();
        for task in outline(document, kind, &ImageSecrets::default()) {
            text.push_str(&format!("{}\n", place(&task.path)));
            for container in task.containers {
                let ContainerOutline {
                    name,
                    image,
                    path,
                    given,
                    depends_on,
                    volumes_from,
                } = container;
                text.push_str(&format!("  {name}: {image} {given:?} {}\n", place(&path)));
                for Dependency {
                    container,
                    condition,
                    given,
                } in depends_on
                {
                    text.push_str(&format!("    after {container} {condition} {given:?}\n"));
                }
                for VolumesFrom { container, given } in volumes_from {
                    text.push_str(&format!("    mounts {container} {given:?}\n"));
                }
            }
        }
        text
    }

    fn place(path: &[Step]) -> String {
        let steps = path.iter().map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::Index(index) => index.to_string(),
        });
        steps.collect::<Vec<_>>().join("/")
    }

    #[test]
    fn containers_and_entries_under_conditions_and_in_loops() {
        let document = json!({"Resources": {
            "Api": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [
                {"Name": "web", "Image": {"Ref": "Image"}, "DependsOn": [
                    {"ContainerName": "log", "Condition": "START"},
                    {"Fn::If": ["IsProd", {"ContainerName": {"Ref": "Agent"}, "Condition": "HEALTHY"}, {"Ref": "AWS::NoValue"}]},
                ]},
                {"Fn::If": ["IsProd", {"Fn::If": ["UseSpot", {"Ref": "AWS::NoValue"}, {"Name": "log"}]}, {"Image": "x"}]},
                {"Name": "db", "VolumesFrom": {"Fn::If": ["IsProd", [{"SourceContainer": "log"}], {"Ref": "AWS::NoValue"}]}},
                {"Name": "odd", "DependsOn": {"Fn::Split": [",", "a"]}, "VolumesFrom": 3},
            ]}},
            "Fn::ForEach::Stages": ["Stage", ["a", "b"], {"Task${Stage}": {
                "Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [{"Name": "app"}]},
            }}],
            "Broken": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": "none"}},
            "Empty": {"Type": "AWS::ECS::TaskDefinition"},
        }});
        insta::assert_snapshot!(shown_outline(&document, DocumentKind::Template), @r#"
        Resources/Api
          web: !Ref Image None Resources/Api/Properties/ContainerDefinitions/0
            after log START None
            after !Ref Agent HEALTHY Some("IsProd")
          log:  Some("IsProd and not UseSpot") Resources/Api/Properties/ContainerDefinitions/1/Fn::If/1/Fn::If/2
          number 3: x Some("not IsProd") Resources/Api/Properties/ContainerDefinitions/1/Fn::If/2
          db:  None Resources/Api/Properties/ContainerDefinitions/2
            mounts log Some("IsProd")
          odd:  None Resources/Api/Properties/ContainerDefinitions/3
            after !Split [,, a]  None
            mounts  None
        Resources/Fn::ForEach::Stages/2/Task${Stage}
          app:  None Resources/Fn::ForEach::Stages/2/Task${Stage}/Properties/ContainerDefinitions/0
        Resources/Broken
        Resources/Empty
        "#);
        assert_eq!(
            outline(&json!({}), DocumentKind::Template, &ImageSecrets::default()),
            []
        );
    }

    #[test]
    fn a_bare_task_definition_has_no_functions() {
        let document = json!({"containerDefinitions": [
            {"name": "web", "dependsOn": [{"containerName": "log", "condition": "START"}]},
            {"image": "log"},
        ]});
        insta::assert_snapshot!(shown_outline(&document, DocumentKind::TaskDefinition), @"
        web:  None containerDefinitions/0
          after log START None
        number 2: log None containerDefinitions/1
        ");
    }
}
