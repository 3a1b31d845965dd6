//! The form `const`: the containers as they are planned, instrumented.
//!
//! What the resource says of each container's process is compared with what was planned, and
//! anything else fails: a variable or a local value may have changed, and another module that is
//! called from the same folder may come to the plan later.

use cli::Problem;
use serde_json::Value;
use taskdef::terraform::{Definitions, PlannedResource};

use super::hcl::Expression;
use super::source::Copied;
use super::subject::Subject;

/// What decides what a container does, with how it is read of one whose members are in lower case,
/// as the provider reads them. AWS may sort what has names, and takes nothing for an empty list.
const COMPARED: [(&str, &str); 8] = [
    ("name", "try(container.name, null)"),
    ("image", "try(container.image, null)"),
    (
        "entryPoint",
        "try([for word in container.entrypoint : word], [])",
    ),
    ("command", "try([for word in container.command : word], [])"),
    (
        "environment",
        "try(sort([for item in container.environment : jsonencode(item)]), [])",
    ),
    (
        "secrets",
        "try(sort([for item in container.secrets : jsonencode(item)]), [])",
    ),
    ("user", "try(container.user, null)"),
    ("workingDirectory", "try(container.workingdirectory, null)"),
];

/// The containers, as the value of `container_definitions`.
pub(crate) fn containers(
    subject: &Subject<'_>,
    definitions: &Copied,
) -> Result<Expression, Problem> {
    if let Some(address) = subject.unknown() {
        return Err(subject.problem(
            &format!("the containers of `{address}` are known only after apply"),
            "use the form `function`",
        ));
    }
    let mut planned = subject.instances.iter().map(|one| &one.planned);
    if planned.any(PlannedResource::has_sensitive_containers) {
        return Err(subject.problem(
            "it holds sensitive values, which would be written to the file",
            "use the form `function`",
        ));
    }
    let mut by_key: Vec<(Option<Value>, &Definitions)> = Vec::new();
    for instance in &subject.instances {
        let Some(definitions) = instance.definitions else {
            continue;
        };
        let key = &instance.planned.key;
        match by_key.iter().find(|(known, _)| known == key) {
            Some((_, known)) if known.after == definitions.after => {}
            Some((_, known)) => {
                return Err(subject.problem(
                    &format!(
                        "`{}` and `{}` share these files and have other containers",
                        known.address, definitions.address
                    ),
                    "use the form `function`",
                ));
            }
            None => by_key.push((key.clone(), definitions)),
        }
    }
    Ok(guarded(&by_key, definitions))
}

/// The containers after, where those before are as they were planned.
fn guarded(by_key: &[(Option<Value>, &Definitions)], definitions: &Copied) -> Expression {
    let words = |words: &str| Expression::Words(words.to_owned());
    let call = |name: &str, arguments| Expression::Call(name.to_owned(), arguments);
    let stated = call("jsondecode", vec![Expression::Copied(definitions.clone())]);
    let planned = chosen(by_key, &|definitions| {
        Expression::value(&compared(&definitions.before))
    });
    let instrumented = chosen(by_key, &|definitions| {
        call("jsonencode", vec![Expression::value(&definitions.after)])
    });
    let lower = words("{ for key, value in container : lower(key) => value }");
    let containers = Expression::For(
        "container".to_owned(),
        Box::new((words("containers"), lower)),
    );
    let members = COMPARED.map(|(_, member)| words(member));
    let members = Expression::For(
        "container".to_owned(),
        Box::new((containers, Expression::Lines(members.into()))),
    );
    let both = Expression::For(
        "containers".to_owned(),
        Box::new((
            Expression::Lines(vec![stated, planned]),
            call("jsonencode", vec![members]),
        )),
    );
    let different = call("length", vec![call("distinct", vec![both])]);
    let is_planned = Expression::Equal(Box::new((different, words("1"))));
    let otherwise =
        words("\"the containers are not as they were planned: run tf-filter override again\"");
    let otherwise = call("tobool", vec![otherwise]);
    let cases = Expression::Cases(vec![(is_planned, instrumented)], Box::new(otherwise));
    call("tostring", vec![cases])
}

/// What is compared of containers.
fn compared(containers: &Value) -> Value {
    let of_one = |container: &Value| {
        let stated = COMPARED.iter().filter_map(|(key, _)| {
            let value = container.get(*key).filter(|value| !value.is_null())?;
            Some(((*key).to_lowercase(), value.clone()))
        });
        Value::Object(stated.collect())
    };
    containers
        .as_array()
        .into_iter()
        .flatten()
        .map(of_one)
        .collect()
}

/// What is written for the one instance, or for each by its key.
fn chosen(
    by_key: &[(Option<Value>, &Definitions)],
    written: &dyn Fn(&Definitions) -> Expression,
) -> Expression {
    if let [(None, definitions)] = by_key {
        return written(definitions);
    }
    let index = match by_key.first() {
        Some((Some(Value::Number(_)), _)) => "[tostring(count.index)]",
        _ => "[each.key]",
    };
    let members = by_key.iter().map(|(key, definitions)| {
        let key = match key {
            Some(Value::String(key)) => key.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        (key, written(definitions))
    });
    Expression::Indexed(Box::new(Expression::Object(members.collect())), index)
}
