//! What expressions can read: `inputs`, `task`, `container` and `containers`.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value as Expr};
use serde_json::Value;

use super::error::RenderError;
use super::expression::{Compiled, Names as ReadNames};
use super::input::{BoundInputs, InputValue};
use super::value::{Kind, Reads, Slot};

/// What a recipe may know of a task definition. Any value may be an intrinsic function; null is
/// not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskFacts {
    /// `family`.
    pub family: Value,
    /// `runtimePlatform.cpuArchitecture`: `X86_64`, `ARM64`.
    pub cpu_architecture: Value,
    /// `runtimePlatform.operatingSystemFamily`: `LINUX` and its kin.
    pub operating_system: Value,
}

/// What a recipe may know of a container. Any value may be an intrinsic function; null is not
/// known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerFacts {
    /// `name`.
    pub name: Value,
    /// `image`, as the task definition gives it.
    pub image: Value,
    /// The user that the process runs as: `root` in whatever way that is spelled, or the text.
    pub user: Value,
    /// `readonlyRootFilesystem`; null counts as `false`, as ECS takes it.
    pub readonly_root_filesystem: Value,
    /// Whether the image itself starts the recipe's wrapper.
    pub wrapper_in_image: bool,
}

/// Which facts expressions read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FactsRead {
    task: [bool; 3],
    container: [bool; 5],
}

impl FactsRead {
    /// The facts that these names read, by themselves or as a whole: all of `task`, a list of `containers`.
    pub(super) fn of(names: &ReadNames) -> FactsRead {
        let reads = |holder: &str, fact: &str| {
            names.iter().any(|name| {
                let mut steps = name.split('.');
                match steps.next() {
                    Some("containers") => holder == "container",
                    first if first == Some(holder) => steps.next().is_none_or(|step| step == fact),
                    _ => false,
                }
            })
        };
        let mut read = FactsRead::default();
        for (read, fact) in read.task.iter_mut().zip(TASK) {
            *read = reads("task", fact);
        }
        for (read, fact) in read.container.iter_mut().zip(CONTAINER) {
            *read = reads("container", fact);
        }
        read
    }

    /// Whether the task definition's family is among them.
    pub(super) fn reads_family(&self) -> bool {
        let [family, ..] = self.task;
        family
    }

    /// These facts, null where they are not read.
    pub(super) fn of_task(&self, facts: &TaskFacts) -> TaskFacts {
        let [family, architecture, system] = self.task;
        TaskFacts {
            family: kept(family, &facts.family),
            cpu_architecture: kept(architecture, &facts.cpu_architecture),
            operating_system: kept(system, &facts.operating_system),
        }
    }

    /// These facts, null or false where they are not read.
    pub(super) fn of_container(&self, facts: &ContainerFacts) -> ContainerFacts {
        let [name, image, user, readonly, wrapper] = self.container;
        ContainerFacts {
            name: kept(name, &facts.name),
            image: kept(image, &facts.image),
            user: kept(user, &facts.user),
            readonly_root_filesystem: kept(readonly, &facts.readonly_root_filesystem),
            wrapper_in_image: wrapper && facts.wrapper_in_image,
        }
    }
}

fn kept(read: bool, fact: &Value) -> Value {
    match read {
        true => fact.clone(),
        false => Value::Null,
    }
}

/// The names under `task`.
pub(super) const TASK: &[&str] = &["family", "cpuArchitecture", "operatingSystem"];
/// The names under `container`, and under each of `containers`.
pub(super) const CONTAINER: &[&str] = &[
    "name",
    "image",
    "user",
    "readonlyRootFilesystem",
    "wrapperInImage",
];

/// The inputs as expressions see them.
pub(super) type InputSlots = BTreeMap<String, Slot>;

/// The inputs as expressions see them.
pub(super) fn input_slots(inputs: &BoundInputs) -> InputSlots {
    inputs
        .iter()
        .map(|(name, value)| {
            let slot = match value {
                None => Slot::Known(Expr::from(())),
                Some(InputValue::Plain(value)) => Slot::new(value),
                Some(InputValue::ValueFrom(value)) => {
                    Slot::Held(Kind::ValueFrom, Arc::new(value.clone()))
                }
            };
            (name.clone(), slot)
        })
        .collect()
}

/// What the expressions of one rendering read from. What is not asked for is not made.
pub(super) struct Scope<'a> {
    inputs: &'a Arc<InputSlots>,
    task: Option<&'a TaskFacts>,
    container: Option<&'a ContainerFacts>,
    containers: Option<&'a [ContainerFacts]>,
    made: OnceCell<(Expr, Arc<Reads>)>,
    /// Conditions that were judged here, by their address.
    judged: RefCell<Vec<(*const Compiled, bool)>>,
}

impl<'a> Scope<'a> {
    /// Only the inputs are known.
    pub(super) fn inputs(inputs: &'a Arc<InputSlots>) -> Scope<'a> {
        Scope {
            inputs,
            task: None,
            container: None,
            containers: None,
            made: OnceCell::new(),
            judged: RefCell::default(),
        }
    }

    /// A container of a task.
    pub(super) fn container(
        inputs: &'a Arc<InputSlots>,
        task: &'a TaskFacts,
        container: &'a ContainerFacts,
    ) -> Scope<'a> {
        Scope {
            task: Some(task),
            container: Some(container),
            ..Scope::inputs(inputs)
        }
    }

    /// A task and its selected containers.
    pub(super) fn task(
        inputs: &'a Arc<InputSlots>,
        task: &'a TaskFacts,
        containers: &'a [ContainerFacts],
    ) -> Scope<'a> {
        Scope {
            task: Some(task),
            containers: Some(containers),
            ..Scope::inputs(inputs)
        }
    }

    /// The same, and one of the containers.
    pub(super) fn each(&self, container: &'a ContainerFacts) -> Scope<'a> {
        Scope {
            task: self.task,
            container: Some(container),
            containers: self.containers,
            ..Scope::inputs(self.inputs)
        }
    }

    /// The context of an expression, and the record of what it reads, emptied.
    pub(super) fn context(&self) -> (Expr, &Arc<Reads>) {
        let (context, reads) = self.made.get_or_init(|| self.make());
        reads.entries().clear();
        (context.clone(), reads)
    }

    /// Whether a condition holds, judged once.
    pub(super) fn holds(
        &self,
        condition: &Compiled,
        judge: impl FnOnce() -> Result<bool, RenderError>,
    ) -> Result<bool, RenderError> {
        let address = std::ptr::from_ref(condition);
        let known = self
            .judged
            .borrow()
            .iter()
            .find(|(known, _)| *known == address)
            .copied();
        if let Some((_, holds)) = known {
            return Ok(holds);
        }
        let holds = judge()?;
        self.judged.borrow_mut().push((address, holds));
        Ok(holds)
    }

    fn make(&self) -> (Expr, Arc<Reads>) {
        let reads = Arc::new(Reads::default());
        let inputs = Inputs {
            slots: Arc::clone(self.inputs),
            reads: Arc::clone(&reads),
        };
        let root = Root {
            inputs: Expr::from_object(inputs),
            task: self
                .task
                .map(|task| Expr::from_object(task_names(task, &reads))),
            container: self
                .container
                .map(|container| Expr::from_object(container_names(container, &reads, None))),
            containers: self.containers.map(|containers| {
                let names = |(index, container)| {
                    Expr::from_object(container_names(container, &reads, Some(index)))
                };
                Expr::from(containers.iter().enumerate().map(names).collect::<Vec<_>>())
            }),
        };
        (Expr::from_object(root), reads)
    }
}

#[derive(Debug)]
struct Root {
    inputs: Expr,
    task: Option<Expr>,
    container: Option<Expr>,
    containers: Option<Expr>,
}

impl Object for Root {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Expr> {
        match key {
            "inputs" => Some(self.inputs.clone()),
            "task" => self.task.clone(),
            "container" => self.container.clone(),
            "containers" => self.containers.clone(),
            _ => None,
        }
    }
}

struct Inputs {
    slots: Arc<InputSlots>,
    reads: Arc<Reads>,
}

impl std::fmt::Debug for Inputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inputs(..)")
    }
}

impl Object for Inputs {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Expr> {
        let slot = self.slots.get(key)?;
        Some(self.reads.read(slot, || format!("inputs.{key}")))
    }
}

/// The facts under `task` or `container`.
struct Names<const N: usize> {
    names: &'static [&'static str],
    slots: [Slot; N],
    prefix: &'static str,
    index: Option<usize>,
    reads: Arc<Reads>,
}

fn task_names(task: &TaskFacts, reads: &Arc<Reads>) -> Names<3> {
    let TaskFacts {
        family,
        cpu_architecture,
        operating_system,
    } = task;
    Names {
        names: TASK,
        slots: [family, cpu_architecture, operating_system].map(Slot::fact),
        prefix: "task",
        index: None,
        reads: Arc::clone(reads),
    }
}

fn container_names(
    container: &ContainerFacts,
    reads: &Arc<Reads>,
    index: Option<usize>,
) -> Names<5> {
    let readonly = match &container.readonly_root_filesystem {
        Value::Null => Slot::Known(Expr::from(false)),
        value => Slot::new(value),
    };
    Names {
        names: CONTAINER,
        slots: [
            Slot::fact(&container.name),
            Slot::fact(&container.image),
            Slot::fact(&container.user),
            readonly,
            Slot::Known(Expr::from(container.wrapper_in_image)),
        ],
        prefix: if index.is_some() {
            "containers"
        } else {
            "container"
        },
        index,
        reads: Arc::clone(reads),
    }
}

impl<const N: usize> std::fmt::Debug for Names<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}(..)", self.prefix)
    }
}

impl<const N: usize> Object for Names<N> {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(self.names)
    }

    fn get_value(self: &Arc<Self>, key: &Expr) -> Option<Expr> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Expr> {
        let at = self.names.iter().position(|name| *name == key)?;
        let slot = self.slots.get(at)?;
        Some(self.reads.read(slot, || match self.index {
            Some(index) => format!("{}[{index}].{key}", self.prefix),
            None => format!("{}.{key}", self.prefix),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_read_is_null() {
        let text = Value::from;
        let task = TaskFacts {
            family: text("f"),
            cpu_architecture: text("ARM64"),
            operating_system: text("LINUX"),
        };
        let container = ContainerFacts {
            name: text("n"),
            image: text("i"),
            user: text("u"),
            readonly_root_filesystem: Value::from(true),
            wrapper_in_image: true,
        };
        let read = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            let read = FactsRead::of(&names);
            (read.of_task(&task), read.of_container(&container))
        };
        let user = ContainerFacts {
            user: text("u"),
            ..ContainerFacts::default()
        };
        let family = TaskFacts {
            family: text("f"),
            ..TaskFacts::default()
        };
        assert_eq!(read(&["inputs.name"]), Default::default());
        assert_eq!(
            read(&["container.user", "task.family.x"]),
            (family, user.clone())
        );
        assert_eq!(
            read(&["task", "container"]),
            (task.clone(), container.clone())
        );
        assert_eq!(read(&["containers"]).1, container);
    }
}
