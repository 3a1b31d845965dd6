//! The form `function`: the provider's function around the expression that stands in the resource.

use std::collections::BTreeMap;

use serde_json::Value;

use super::hcl::Expression;
use super::making::Making;
use super::source::{Copied, Repeated, Resource};
use super::subject::{OfTask, Subject};

/// The attributes that the function's argument `task` has under the same name.
const ATTRIBUTES: &[&str] = &[
    "family",
    "cpu",
    "memory",
    "network_mode",
    "pid_mode",
    "ipc_mode",
    "execution_role_arn",
    "task_role_arn",
    "requires_compatibilities",
];

/// Those of roles, with their spelling in the ECS API.
const ROLES: [(&str, &str); 2] = [
    ("execution_role_arn", "executionRoleArn"),
    ("task_role_arn", "taskRoleArn"),
];

/// The call, as the value of `container_definitions`.
pub(crate) fn containers(
    subject: &Subject<'_>,
    definitions: &Copied,
    of_task: &OfTask,
    making: &Making,
) -> Expression {
    Expression::Call(
        "provider::outrigger::instrument".to_owned(),
        vec![
            Expression::Copied(definitions.clone()),
            Expression::Object(task(subject, of_task, making)),
            Expression::Object(config(subject, making)),
        ],
    )
}

/// What the resource says beside its containers.
fn task(subject: &Subject<'_>, of_task: &OfTask, making: &Making) -> Vec<(String, Expression)> {
    let resource = subject.resource;
    let mut task = Vec::new();
    for name in ATTRIBUTES {
        let asked = of_task.attributes.iter().find(|(asked, _)| asked == name);
        let value = match (asked, resource.attributes.get(*name)) {
            (Some((_, value)), _) => Expression::value(value),
            // Of a role the function reads only that there is one, and it is to answer in the plan.
            (None, Some(_))
                if ROLES
                    .iter()
                    .any(|(role, key)| role == name && subject.waits_for(key)) =>
            {
                Expression::value(&Value::from("known after apply"))
            }
            (None, Some(stated)) => Expression::Copied(stated.clone()),
            (None, None) => continue,
        };
        task.push(((*name).to_owned(), value));
    }
    for name in ["cpu_architecture", "operating_system_family"] {
        let platform = resource.platform.as_ref();
        task.extend(platform.and_then(|one| Some((name.to_owned(), of_platform(one, name)?))));
    }
    if !(resource.volumes.is_empty() && of_task.volumes.is_empty()) {
        task.push(("volumes".to_owned(), volumes(resource, of_task)));
    }
    if let (true, Some(tags)) = (making.follows_tags, resource.attributes.get("tags")) {
        task.push(("tags".to_owned(), selecting(tags)));
    }
    task
}

/// The tags that select: another one that is known only after apply would make the containers so.
fn selecting(tags: &Copied) -> Expression {
    // Where there are no tags, their value is null.
    let tags = vec![
        Expression::Copied(tags.clone()),
        Expression::Object(Vec::new()),
    ];
    let tags = Expression::Call("merge".to_owned(), tags);
    let selects = r#"startswith(key, "outrigger:") || startswith(key, "kilt-")"#;
    Expression::Picked(Box::new(tags), selects)
}

fn of_platform(platform: &Repeated, name: &str) -> Option<Expression> {
    match platform {
        Repeated::One(members) => members.get(name).cloned().map(Expression::Copied),
        Repeated::Dynamic {
            for_each,
            iterator,
            content,
        } => {
            let value = Expression::Copied(content.get(name)?.clone());
            let made = generated(for_each, iterator, value);
            Some(Expression::Call("one".to_owned(), vec![made]))
        }
    }
}

/// What a `dynamic` block generates, as an expression: its iterator has a key and a value.
fn generated(for_each: &Copied, iterator: &str, value: Expression) -> Expression {
    let words = |words: &str| Expression::Words(words.to_owned());
    let pair = Expression::Object(vec![
        ("key".to_owned(), words("key")),
        ("value".to_owned(), words("value")),
    ]);
    let pairs = Expression::For(
        "key, value".to_owned(),
        Box::new((Expression::Copied(for_each.clone()), pair)),
    );
    Expression::For(iterator.to_owned(), Box::new((pairs, value)))
}

/// Names and folders of the host: the function reads no more of a volume.
fn volumes(resource: &Resource, of_task: &OfTask) -> Expression {
    let object = |members: &BTreeMap<String, Copied>| {
        let read = ["name", "host_path"].iter();
        let read = read.filter_map(|name| {
            let value = Expression::Copied(members.get(*name)?.clone());
            Some(((*name).to_owned(), value))
        });
        Expression::Object(read.collect())
    };
    let mut stated = Vec::new();
    let mut lists = Vec::new();
    for (_, volume) in &resource.volumes {
        match volume {
            Repeated::One(members) => stated.push(object(members)),
            Repeated::Dynamic {
                for_each,
                iterator,
                content,
            } => lists.push(generated(for_each, iterator, object(content))),
        }
    }
    stated.extend(of_task.volumes.iter().cloned().map(Expression::Object));
    if lists.is_empty() {
        return Expression::List(stated);
    }
    if !stated.is_empty() {
        lists.insert(0, Expression::List(stated));
    }
    Expression::Call("concat".to_owned(), lists)
}

/// Recipes, inputs, images and policies.
fn config(subject: &Subject<'_>, making: &Making) -> Vec<(String, Expression)> {
    let table = making.table(subject.instances.iter().flat_map(|one| &one.images));
    let config = making.config.iter();
    let config = config.map(|(name, value)| (name.clone(), Expression::value(value)));
    config
        .chain(table.map(|table| ("images".to_owned(), Expression::value(&table))))
        .collect()
}
