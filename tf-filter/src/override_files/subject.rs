//! A resource with its instances: what a plan says of the one, and the module's files of the other.

use cli::Problem;
use serde_json::{Value, json};
use taskdef::image::ImageRequest;
use taskdef::terraform::{Definitions, PlannedResource};

use super::file::{Block, digest_of};
use super::hcl::{Expression, quoted};
use super::making::Making;
use super::source::Resource;

/// What recipes may ask of a task, as the ECS API spells it.
const OF_TASK: [&str; 8] = [
    "cpu",
    "memory",
    "pidMode",
    "ipcMode",
    "executionRoleArn",
    "taskRoleArn",
    "volumes",
    "ephemeralStorage",
];

/// An instance of a resource.
pub(crate) struct Instance<'p> {
    pub(crate) planned: PlannedResource<'p>,
    /// Its containers before and after; nothing while they are known only after apply.
    pub(crate) definitions: Option<&'p Definitions>,
    /// What the recipes ask of the task itself.
    pub(crate) asked: &'p [(&'static str, Value)],
    /// What has to be known of images.
    pub(crate) images: Vec<ImageRequest>,
}

/// A resource and its instances, in all modules that are called from one folder.
pub(crate) struct Subject<'p> {
    pub(crate) resource: &'p Resource,
    pub(crate) instances: Vec<Instance<'p>>,
}

/// What recipes ask of the task itself.
#[derive(Default)]
pub(crate) struct OfTask {
    /// Attributes with their new values.
    pub(crate) attributes: Vec<(String, Value)>,
    /// Names and members of volumes that are new.
    pub(crate) volumes: Vec<Vec<(String, Expression)>>,
}

impl Subject<'_> {
    /// A problem of this resource.
    pub(crate) fn problem(&self, message: &str, hint: &str) -> Problem {
        Problem {
            message: format!("{}: {message}", self.resource.place()),
            hint: Some(hint.to_owned()),
        }
    }

    /// The containers of every instance that is known.
    pub(crate) fn known(&self) -> impl Iterator<Item = &Definitions> {
        self.instances.iter().filter_map(|one| one.definitions)
    }

    /// The first instance whose containers are known only after apply.
    pub(crate) fn unknown(&self) -> Option<&str> {
        let mut unknown = self
            .instances
            .iter()
            .filter(|one| one.definitions.is_none());
        unknown.next().map(|one| one.planned.address)
    }

    /// What identifies what the plan says of it.
    pub(crate) fn planned(&self) -> String {
        planned(&self.instances)
    }

    /// Whether every instance has this setting, and one only after apply.
    pub(crate) fn waits_for(&self, key: &str) -> bool {
        let is_stated = |one: &Instance<'_>| {
            one.planned
                .setting(key)
                .is_some_and(|value| !value.is_null())
        };
        let waits = |one: &Instance<'_>| one.planned.waits_for(key);
        self.instances.iter().any(waits)
            && self
                .instances
                .iter()
                .all(|one| waits(one) || is_stated(one))
    }

    /// What the recipes ask of the task: the same of every instance, because they share a file.
    pub(crate) fn of_task(&self) -> Result<OfTask, Problem> {
        let mut asked = self.instances.iter().map(|one| one.asked);
        let Some(first) = asked.next() else {
            return Ok(OfTask::default());
        };
        if asked.any(|other| other != first) {
            return Err(self.problem(
                "the recipe does not ask the same of each instance's task",
                "state in the resource what it asks for, or give the instances resources of their own",
            ));
        }
        let mut of_task = OfTask::default();
        for (name, value) in first {
            match (*name, value) {
                ("volume", Value::Array(volumes)) => {
                    for volume in volumes {
                        of_task.volumes.push(self.volume(volume)?);
                    }
                }
                (name, Value::Array(_) | Value::Object(_)) => {
                    return Err(self.problem(
                        &format!("the recipe asks for a block `{name}`, which is not written here"),
                        "state it in the resource",
                    ));
                }
                (name, value) => of_task.attributes.push((name.to_owned(), value.clone())),
            }
        }
        Ok(of_task)
    }

    fn volume(&self, volume: &Value) -> Result<Vec<(String, Expression)>, Problem> {
        let members = volume.as_object().into_iter().flatten();
        let stated = members.filter(|(_, value)| match value {
            Value::Null => false,
            Value::Array(items) => !items.is_empty(),
            _ => true,
        });
        let members = stated.map(|(name, value)| match value {
            Value::Array(_) | Value::Object(_) => Err(self.problem(
                &format!("the recipe asks for a volume with `{name}`, which is not written here"),
                "state the volume in the resource",
            )),
            value => Ok((name.clone(), Expression::value(value))),
        });
        members.collect()
    }

    /// All blocks `volume`, where the recipe adds one: a block in an override file takes the place
    /// of all blocks of its type.
    pub(crate) fn volumes(&self, of_task: &OfTask) -> Vec<Block> {
        if of_task.volumes.is_empty() {
            return Vec::new();
        }
        let stated = self.resource.volumes.iter();
        let stated = stated.map(|(copied, _)| Block::Copied(copied.clone()));
        let added = of_task.volumes.iter().cloned().map(Block::Volume);
        stated.chain(added).collect()
    }

    /// Refuses what would write a sensitive value to a file where it does not stand already. What
    /// recipes and inputs say is written anyway.
    pub(crate) fn keeps_secrets(
        &self,
        written: &[(String, Expression)],
        making: &Making,
    ) -> Result<(), Problem> {
        let mut literals = Vec::new();
        written
            .iter()
            .for_each(|(_, one)| one.literals(&mut literals));
        let in_file = |text: &str| literals.iter().any(|literal| literal.contains(text));
        let leaks = |text: &str| {
            let whole = quoted(text);
            let part = whole.trim_matches('"');
            [whole.as_str(), part]
                .into_iter()
                .any(|text| in_file(text) && !making.given.contains(text))
        };
        let hidden = |text: &&&str| !text.is_empty() && !self.resource.text.contains(**text);
        for instance in &self.instances {
            let planned = &instance.planned;
            let mut texts = Vec::new();
            planned
                .sensitive_settings()
                .for_each(|value| leaves(value, &mut texts));
            let images = match planned.has_sensitive_containers() {
                true => instance.images.as_slice(),
                false => &[],
            };
            let images: Vec<&str> = images
                .iter()
                .map(|image| image.reference.as_str())
                .collect();
            if texts.iter().filter(hidden).any(|text| leaks(text))
                || images.iter().filter(hidden).any(|image| in_file(image))
            {
                return Err(self.problem(
                    &format!("a sensitive value of `{}` would be written to the file", planned.address),
                    "use the form `function`, and state `entryPoint` and `command`, or write the image as a plain text in the resource",
                ));
            }
        }
        Ok(())
    }
}

/// What identifies what a plan says of these instances. The values themselves take part only where
/// they say what runs, and none of a sensitive one: nobody is to guess them.
pub(crate) fn planned(instances: &[Instance<'_>]) -> String {
    let one = |one: &Instance<'_>| {
        let planned = &one.planned;
        let containers = planned.setting("containerDefinitions");
        let of_task = OF_TASK.iter().filter(|key| {
            let value = planned.setting(key);
            value.is_some_and(|value| !value.is_null() && *value != json!([]))
        });
        json!([
            planned.address,
            containers.map(|containers| outline(containers, !planned.sensitive)),
            of_task.collect::<Vec<_>>(),
        ])
    };
    digest_of(&instances.iter().map(one).collect::<Value>().to_string())
}

/// The shape of containers, with the values that say what runs.
fn outline(value: &Value, shows_values: bool) -> Value {
    match value {
        Value::Array(items) => items
            .iter()
            .map(|item| outline(item, shows_values))
            .collect(),
        Value::Object(map) => {
            let members = map.iter().map(|(key, value)| {
                let runs = ["name", "image", "entryPoint", "command"].contains(&key.as_str());
                let value = match runs && shows_values {
                    true => value.clone(),
                    false => outline(value, shows_values),
                };
                (key.clone(), value)
            });
            Value::Object(members.collect())
        }
        Value::Null => Value::Null,
        _ => Value::Bool(true),
    }
}

/// Every text in a value.
fn leaves<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Value::Object(map) => map.values().for_each(|value| leaves(value, texts)),
        _ => {}
    }
}
