//! Rules about the size of a task on Fargate, and what its containers reserve of it.

use std::borrow::Cow;

use crate::report::Code;
use crate::settings::TaskSize;

use super::read::{Container, Definition, Fact, Reader};
use super::size::{Kind, Size, is_offered, memory_with, smallest};
use super::{Case, Violation};

/// What a container reserves of the task: of memory the reservation, where there is one, else the limit.
pub(super) fn reserved(reader: &Reader<'_>, container: &Container<'_>, kind: Kind) -> u64 {
    let amount = match kind {
        Kind::Cpu => reader.integer(container.object, "cpu"),
        Kind::Memory => match reader.integer(container.object, "memoryReservation") {
            Fact::Absent => reader.integer(container.object, "memory"),
            reservation => reservation,
        },
    };
    amount.known().unwrap_or_default()
}

/// What all containers reserve together, and what none of them may go over by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Needed {
    pub(super) cpu: u64,
    pub(super) memory: u64,
    /// The largest memory limit of a container.
    limit: u64,
}

impl Needed {
    /// The memory that a task needs.
    pub(super) fn task_memory(self) -> u64 {
        self.memory.max(self.limit)
    }
}

pub(super) fn needed(reader: &Reader<'_>, definition: &Definition<'_>) -> Needed {
    let sum = |kind| {
        let each = definition.containers.iter();
        each.fold(0_u64, |sum, container| {
            sum.saturating_add(reserved(reader, container, kind))
        })
    };
    let limits = definition.containers.iter();
    let limits = limits.filter_map(|container| reader.integer(container.object, "memory").known());
    Needed {
        cpu: sum(Kind::Cpu),
        memory: sum(Kind::Memory),
        limit: limits.max().unwrap_or_default(),
    }
}

/// A size of the task, in CPU units or MiB.
pub(super) fn of_task(reader: &Reader<'_>, definition: &Definition<'_>, kind: Kind) -> Fact<u64> {
    match reader.text(definition.task, kind.key()) {
        Fact::Absent => Fact::Absent,
        Fact::Unknown => Fact::Unknown,
        Fact::Known(text) => {
            Size::parse(kind, &text).map_or(Fact::Unknown, |size| Fact::Known(size.amount))
        }
    }
}

/// A combination of CPU and memory that Fargate does not offer.
pub(super) fn task_size(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    if !case.surroundings.fargate {
        return;
    }
    let of = |kind| of_task(case.reader, case.definition, kind);
    let (cpu, memory) = (of(Kind::Cpu), of(Kind::Memory));
    let mut push = |subject: &str, message, hint| {
        let code = Code::FargateTaskSize;
        let mut violation = Violation::new(code, subject.to_owned(), message, "");
        violation.hint = hint;
        found.push(violation);
    };
    let sizes = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size";
    for (kind, size) in [(Kind::Cpu, cpu), (Kind::Memory, memory)] {
        if size == Fact::Absent {
            let key = kind.key();
            let message = format!("the task states no `{key}`, and Fargate needs it");
            let hint = format!("give the task `{key}`, see {sizes}");
            push(key, message, Cow::Owned(hint));
        }
    }
    if let (Fact::Known(cpu), Fact::Known(memory)) = (cpu, memory)
        && !is_offered(cpu, memory)
    {
        let message = format!("Fargate does not offer {cpu} CPU units with {memory} MiB of memory");
        let hint = match memory_with(cpu) {
            Some(memory) => format!("with {cpu} CPU units it offers {memory} MiB, see {sizes}"),
            None => format!("take a size that it offers, see {sizes}"),
        };
        push(&format!("{cpu} {memory}"), message, Cow::Owned(hint));
    }
}

/// Containers that reserve more than the task has, or that may use more memory by themselves.
pub(super) fn sums(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    if !case.surroundings.fargate {
        return;
    }
    let (reader, definition) = (case.reader, case.definition);
    let needed = needed(reader, definition);
    for (kind, sum) in [(Kind::Cpu, needed.cpu), (Kind::Memory, needed.memory)] {
        let Fact::Known(has) = of_task(reader, definition, kind) else {
            continue;
        };
        let unit = kind.unit();
        if sum > has {
            let each: Vec<String> = definition
                .containers
                .iter()
                .map(|container| (container, reserved(reader, container, kind)))
                .filter(|(_, amount)| *amount > 0)
                .map(|(container, amount)| format!("`{}` {amount}", container.label))
                .collect();
            let message = format!(
                "the containers reserve {sum} {unit} ({}), and the task has {has}",
                each.join(", ")
            );
            found.push(over(case, needed, kind.key().to_owned(), message));
        } else if kind == Kind::Memory && needed.limit > has {
            for container in &definition.containers {
                let limit = reader.integer(container.object, "memory").known();
                if let Some(limit) = limit.filter(|limit| *limit > has) {
                    let message = format!("it may use {limit} {unit}, and the task has {has}");
                    let subject = format!("memory {}", container.label);
                    found.push(over(case, needed, subject, message).of(container));
                }
            }
        }
    }
}

/// A container that reserves more memory than it may use.
pub(super) fn reservations(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    for container in &case.definition.containers {
        let of = |key| case.reader.integer(container.object, key).known();
        if let (Some(reservation), Some(limit)) = (of("memoryReservation"), of("memory"))
            && reservation > limit
        {
            let subject = format!("{} {reservation} {limit}", container.label);
            let message =
                format!("it reserves {reservation} MiB of memory, and may use {limit} MiB");
            let hint = "make `memoryReservation` smaller than `memory` (for the recipe's sidecar: the inputs `sidecarMemoryReservation` and `sidecarMemory`)";
            let code = Code::ReservationOverMemory;
            found.push(Violation::new(code, subject, message, hint).of(container));
        }
    }
}

fn over(case: &Case<'_, '_>, needed: Needed, subject: String, message: String) -> Violation {
    let fits = smallest(needed.cpu, needed.task_memory()).is_some();
    let hint = match (fits, case.surroundings.settings.task_size) {
        (false, _) => "let the containers reserve less: no size of Fargate holds them",
        (true, TaskSize::Keep) => {
            "give the task more, or let a container reserve less; where the recipe's sidecar reserves some, set `task-size` to `grow`, and the task gets the smallest size that holds all containers"
        }
        (true, TaskSize::Grow) => {
            "give the task more, or let a container reserve less; the task grows only where the recipe's sidecar reserves some, and where its `cpu` and `memory` are known"
        }
    };
    Violation::new(Code::OverTaskSize, subject, message, hint)
}
