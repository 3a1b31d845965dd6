//! Rules about containers by themselves, and about what the task has to bring for them.

use std::collections::BTreeSet;

use crate::report::Code;

use super::read::{Container, Fact, Reader};
use super::{Case, Violation};

/// See [task definition quotas](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html).
const MAX_CONTAINERS: usize = 10;

/// Two containers of one name.
pub(super) fn names(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    let containers = &case.definition.containers;
    let mut seen = BTreeSet::new();
    let mut told = BTreeSet::new();
    for container in containers {
        if let Fact::Known(name) = &container.name
            && !seen.insert(name.as_ref())
            && told.insert(name.as_ref())
        {
            let message = format!("two containers have the name `{name}`");
            let hint = "give each container a name of its own";
            let code = Code::DuplicateContainerName;
            found.push(Violation::new(code, name.to_string(), message, hint).of(container));
        }
    }
}

/// More than ten containers.
pub(super) fn count(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    let count = case.definition.containers.len();
    if count > MAX_CONTAINERS {
        let message = format!(
            "the task definition has {count} containers, and ECS takes at most {MAX_CONTAINERS}"
        );
        let hint = "remove a container, or split the task";
        found.push(Violation::new(
            Code::TooManyContainers,
            String::new(),
            message,
            hint,
        ));
    }
}

/// Whether a container is essential, as far as that is known.
pub(super) fn is_essential(reader: &Reader<'_>, container: &Container<'_>) -> Option<bool> {
    match reader.boolean(container.object, "essential") {
        Fact::Absent => Some(true),
        Fact::Unknown => None,
        Fact::Known(essential) => Some(essential),
    }
}

/// No essential container.
pub(super) fn essential(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    let definition = case.definition;
    let mut containers = definition.containers.iter();
    let none = containers.all(|container| is_essential(case.reader, container) == Some(false));
    if none && definition.complete {
        let message = match definition.containers.is_empty() {
            true => "the task definition has no container".to_owned(),
            false => "no container of the task is essential".to_owned(),
        };
        let hint = "make at least one container essential";
        found.push(Violation::new(
            Code::NoEssentialContainer,
            String::new(),
            message,
            hint,
        ));
    }
}

/// A variable that stands both in `environment` and in `secrets`.
pub(super) fn variables(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    let reader = case.reader;
    for container in &case.definition.containers {
        let secrets = reader.objects(container.object, "secrets");
        if secrets.items.is_empty() {
            continue;
        }
        let environment = reader.objects(container.object, "environment");
        let names: BTreeSet<_> = environment
            .items
            .iter()
            .filter_map(|variable| reader.text(*variable, "name").known())
            .collect();
        let mut told = BTreeSet::new();
        for secret in &secrets.items {
            if let Fact::Known(name) = reader.text(*secret, "name")
                && names.contains(&name)
                && told.insert(name.clone())
            {
                let message =
                    format!("the variable `{name}` is both in the environment and in the secrets");
                let subject = format!("{} {name}", container.label);
                let hint = "remove one of them; ECS takes each name once";
                let code = Code::VariableTwice;
                found.push(Violation::new(code, subject, message, hint).of(container));
            }
        }
    }
}

/// Off Fargate, a container without memory in a task without memory.
pub(super) fn memory(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    let (reader, task) = (case.reader, case.definition.task);
    if case.surroundings.fargate || reader.get(task, "memory") != Fact::Absent {
        return;
    }
    for container in &case.definition.containers {
        let mut keys = ["memory", "memoryReservation"].iter();
        if keys.all(|key| reader.get(container.object, key) == Fact::Absent) {
            let message = "the container states no memory, and neither does the task".to_owned();
            let hint = "give the container `memory` or `memoryReservation` (for the recipe's sidecar: the input `sidecarMemory`), or the task `memory`";
            let code = Code::ContainerWithoutMemory;
            let subject = container.label.to_string();
            found.push(Violation::new(code, subject, message, hint).of(container));
        }
    }
}

/// Role and policies as text, for a person to copy.
const EXECUTION_ROLE: &str = r#"give the input `executionRole`, or the task definition's `executionRoleArn`, the ARN of a role with the trust policy {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}, the managed policy `service-role/AmazonECSTaskExecutionRolePolicy`, and the policy {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["secretsmanager:GetSecretValue","ssm:GetParameters","kms:Decrypt"],"Resource":["<the ARN of each secret, parameter and customer key>"]}]}"#;

/// Secrets without a role that may read them.
pub(super) fn execution_role(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    let (reader, task) = (case.reader, case.definition.task);
    match reader.text(task, "executionRoleArn") {
        Fact::Absent => {}
        Fact::Known(role) if role.is_empty() => {}
        Fact::Unknown | Fact::Known(_) => return,
    }
    let mut needs: Vec<String> = Vec::new();
    for container in &case.definition.containers {
        let what = match what_needs_a_role(reader, container) {
            Some(what) => what,
            None => continue,
        };
        needs.push(format!("`{}` ({what})", container.label));
    }
    if !needs.is_empty() {
        let message = format!(
            "the task definition has no execution role, and without one ECS cannot read what it needs for {}",
            needs.join(", ")
        );
        let code = Code::NeedsExecutionRole;
        found.push(Violation::new(code, String::new(), message, EXECUTION_ROLE));
    }
}

fn what_needs_a_role(reader: &Reader<'_>, container: &Container<'_>) -> Option<&'static str> {
    let object = container.object;
    if !reader.objects(object, "secrets").items.is_empty() {
        return Some("`secrets`");
    }
    if reader
        .object(object, "repositoryCredentials")
        .known()
        .is_some()
    {
        return Some("`repositoryCredentials`");
    }
    let log = reader.object(object, "logConfiguration").known()?;
    let secrets = reader.objects(log, "secretOptions");
    (!secrets.items.is_empty()).then_some("`secretOptions` of its log")
}
