//! The form `hcl`: what the recipe adds, merged into the containers by Terraform's own functions.
//!
//! The expression that stands in the resource stays, with what is unknown or sensitive in it. What
//! the plan has said of each program is a condition: a container that is another one then fails.

use std::collections::BTreeSet;

use cli::Problem;
use serde_json::{Map, Value};

use super::hcl::{Expression, quoted};
use super::source::Copied;
use super::subject::Subject;

/// What decides which program runs.
const PROCESS: [&str; 3] = ["image", "entryPoint", "command"];
/// The provider does not mind the case of letters: none of these may be spelled otherwise.
const SPELLED: &str = r#"length([for key in keys(container) : key if contains(["image", "entrypoint", "command"], lower(key)) && !contains(["image", "entryPoint", "command"], key)]) == 0"#;
/// How the expression names a container.
const CONTAINER: &str = "container";

/// What a container becomes.
#[derive(Clone, Debug, PartialEq)]
struct Patch {
    /// What has to be as it was planned.
    planned: Vec<(String, Value)>,
    changes: Vec<(String, Change)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Change {
    Set(Value),
    Append(Vec<Value>),
    Merge(Vec<(String, Change)>),
}

/// What the containers of an instance become.
#[derive(Clone, Debug, Default, PartialEq)]
struct Arrangement {
    first: Vec<Value>,
    patches: Vec<(String, Option<Patch>)>,
    last: Vec<Value>,
}

/// The expression, as the value of `container_definitions`.
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
    let mut all: Option<Arrangement> = None;
    for known in subject.known() {
        let one = arrangement(&known.before, &known.after).map_err(|what| {
            subject.problem(
                &format!(
                    "{what} of `{}` cannot be written with Terraform's functions",
                    known.address
                ),
                "use the form `function`",
            )
        })?;
        match &mut all {
            None => all = Some(one),
            Some(all) => {
                if !all.joined(&one) {
                    return Err(subject.problem(
                        "the recipe does not do the same to each instance",
                        "use the form `function`",
                    ));
                }
            }
        }
    }
    Ok(all.unwrap_or_default().expression(definitions))
}

/// What makes of the containers before those after; or which part of them cannot be written so.
fn arrangement(before: &Value, after: &Value) -> Result<Arrangement, String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let name = |container: &Value| container["name"].as_str().unwrap_or_default().to_owned();
    let (before, after) = (list(before), list(after));
    let is_old = |container: &Value| before.iter().any(|old| name(old) == name(container));
    let mut arrangement = Arrangement::default();
    let mut stated = before.iter();
    for container in after {
        if !is_old(&container) {
            match arrangement.patches.is_empty() {
                true => arrangement.first.push(container),
                false if stated.len() == 0 => arrangement.last.push(container),
                false => return Err("the order of the containers".to_owned()),
            }
            continue;
        }
        match stated.next() {
            Some(old) if name(old) == name(&container) => {
                let patch = (old != &container).then(|| patch(old, &container));
                arrangement.patches.push((name(old), patch.transpose()?));
            }
            _ => return Err("the order of the containers".to_owned()),
        }
    }
    Ok(arrangement)
}

fn patch(before: &Value, after: &Value) -> Result<Patch, String> {
    let none = Map::new();
    let object = |value: &'_ Value| value.as_object().cloned().unwrap_or_else(|| none.clone());
    let (before, after) = (object(before), object(after));
    let stated = |key: &str| before.get(key).cloned().unwrap_or_default();
    let mut planned: Vec<(String, Value)> = PROCESS
        .iter()
        .map(|key| ((*key).to_owned(), stated(key)))
        .collect();
    let mut changes = Vec::new();
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    for key in gone {
        changes.push((key.clone(), Change::Set(Value::Null)));
    }
    for (key, new) in &after {
        let old = stated(key);
        if old == *new {
            continue;
        }
        let change = match PROCESS.contains(&key.as_str()) {
            true => Change::Set(new.clone()),
            false => change(&old, new).ok_or_else(|| format!("a change of `{key}`"))?,
        };
        changes.push((key.clone(), change));
    }
    for (key, change) in &changes {
        if matches!(change, Change::Set(_)) && !PROCESS.contains(&key.as_str()) {
            planned.push((key.clone(), stated(key)));
        }
    }
    Ok(Patch { planned, changes })
}

/// What makes one value of another; none where something in it would be replaced.
fn change(old: &Value, new: &Value) -> Option<Change> {
    match (old, new) {
        (Value::Null, Value::Array(new)) => Some(Change::Append(new.clone())),
        (Value::Array(old), Value::Array(new)) => {
            let added = new.strip_prefix(old.as_slice())?;
            Some(Change::Append(added.to_vec()))
        }
        (Value::Null, Value::Object(new)) => members(&Map::new(), new),
        (Value::Object(old), Value::Object(new)) => members(old, new),
        (Value::Array(_) | Value::Object(_), _) => None,
        (_, new) => Some(Change::Set(new.clone())),
    }
}

fn members(old: &Map<String, Value>, new: &Map<String, Value>) -> Option<Change> {
    let nothing = Value::Null;
    let mut changes = Vec::new();
    for (key, new) in new {
        let old = old.get(key).unwrap_or(&nothing);
        if old != new {
            match change(old, new)? {
                // Nothing would say what stood there when it was planned.
                Change::Set(_) => return None,
                change => changes.push((key.clone(), change)),
            }
        }
    }
    let is_gone = |key: &String| !new.contains_key(key);
    (!old.keys().any(is_gone)).then_some(Change::Merge(changes))
}

impl Arrangement {
    /// Takes the containers of another instance in; false where one name would mean two things.
    fn joined(&mut self, other: &Arrangement) -> bool {
        if (&self.first, &self.last) != (&other.first, &other.last) {
            return false;
        }
        for one in &other.patches {
            if self.patches.contains(one) {
                continue;
            }
            // Another program under the same name is told from it by what was planned; without
            // that, or with the same plan and another change, there is nothing to tell it by.
            let planned = |patch: &Option<Patch>| patch.as_ref().map(|patch| patch.planned.clone());
            let (name, patch) = one;
            let mut others = self.patches.iter().filter(|(known, _)| known == name);
            let is_alike = |(_, known): &(String, Option<Patch>)| {
                known.is_none() || patch.is_none() || planned(known) == planned(patch)
            };
            if others.any(is_alike) {
                return false;
            }
            self.patches.push(one.clone());
        }
        true
    }

    fn expression(&self, definitions: &Copied) -> Expression {
        let call = |name: &str, arguments| Expression::Call(name.to_owned(), arguments);
        let words = |words: &str| Expression::Words(words.to_owned());
        let cases = self.patches.iter().map(|(name, patch)| {
            let name = format!("{CONTAINER}.name == {}", quoted(name));
            match patch {
                None => (
                    Expression::Words(name),
                    call("jsonencode", vec![words(CONTAINER)]),
                ),
                Some(patch) => {
                    let merged = merged(CONTAINER, &patch.changes);
                    let condition = Expression::Words(patch.condition(name));
                    (condition, call("jsonencode", vec![merged]))
                }
            }
        });
        // What stands in a container must not stand in these texts: Terraform would print it even if
        // it is sensitive.
        let fails = |text: String| {
            let text = format!("{text}: run tf-filter override again");
            call("tobool", vec![Expression::Words(quoted(&text))])
        };
        let names: BTreeSet<&str> = self.patches.iter().map(|(name, _)| name.as_str()).collect();
        let others = names.into_iter().map(|name| {
            let differs =
                "has another image, entry point or command than planned, or an entry that was not";
            let text = format!("the container {name} {differs}");
            let name = format!("{CONTAINER}.name == {}", quoted(name));
            (Expression::Words(name), fails(text))
        });
        let otherwise = fails("a container has another name than planned".to_owned());
        let cases = cases.chain(others);
        let body = Expression::Cases(cases.collect(), Box::new(otherwise));
        let decoded = call("jsondecode", vec![Expression::Copied(definitions.clone())]);
        let each = Expression::For(
            CONTAINER.to_owned(),
            Box::new((decoded, call("jsondecode", vec![body]))),
        );
        let list =
            |items: &[Value]| Expression::List(items.iter().map(Expression::value).collect());
        let mut lists = Vec::new();
        if !self.first.is_empty() {
            lists.push(list(&self.first));
        }
        lists.push(each);
        if !self.last.is_empty() {
            lists.push(list(&self.last));
        }
        call("jsonencode", vec![call("concat", lists)])
    }
}

impl Patch {
    fn condition(&self, name: String) -> String {
        let planned = self.planned.iter().map(|(key, value)| {
            let value = Expression::value(value).render(0);
            match key.as_str() {
                "image" => format!("{CONTAINER}.image == {value}"),
                key => format!("try({CONTAINER}.{key}, null) == {value}"),
            }
        });
        let absent = self.added().into_iter().map(|(key, field, names)| {
            let names = Expression::value(&Value::Array(names)).render(0);
            format!("length(try([for item in {CONTAINER}.{key} : item if try(contains({names}, item.{field}), false)], [])) == 0")
        });
        let all: Vec<String> = [name]
            .into_iter()
            .chain(planned)
            .chain(absent)
            .chain([SPELLED.to_owned()])
            .collect();
        all.join(" && ")
    }

    /// What must not be there yet: by list, the member that names its items, and the names that are
    /// added. A variable must not be there as a secret either, nor a secret as a variable.
    fn added(&self) -> Vec<(&str, &'static str, Vec<Value>)> {
        let variables = ["environment", "secrets"];
        let mut absent = Vec::new();
        let mut of_variables = Vec::new();
        for (key, change) in &self.changes {
            let Change::Append(items) = change else {
                continue;
            };
            let named = ["name", "containerPath", "containerName", "sourceContainer"];
            for field in named {
                let names = items.iter().filter_map(|item| item.get(field).cloned());
                let names: Vec<Value> = names.collect();
                if names.is_empty() {
                    continue;
                }
                match variables.contains(&key.as_str()) {
                    true => of_variables.extend(names),
                    false => absent.push((key.as_str(), field, names)),
                }
                break;
            }
        }
        if !of_variables.is_empty() {
            absent.extend(variables.map(|key| (key, "name", of_variables.clone())));
        }
        absent
    }
}

/// `merge(PLACE, {...})`
fn merged(place: &str, changes: &[(String, Change)]) -> Expression {
    let words = |words: String| Expression::Words(words);
    let members = changes.iter().map(|(key, change)| {
        let inner = format!("{place}.{key}");
        let value = match change {
            Change::Set(value) => Expression::value(value),
            Change::Append(added) => Expression::Call(
                "concat".to_owned(),
                vec![
                    words(format!("try([for item in {inner} : item], [])")),
                    Expression::value(&Value::Array(added.clone())),
                ],
            ),
            Change::Merge(changes) => merged(&inner, changes),
        };
        (key.clone(), value)
    });
    let members = Expression::Object(members.collect());
    let place = match place == CONTAINER {
        true => place.to_owned(),
        false => format!("try({place}, null)"),
    };
    Expression::Call("merge".to_owned(), vec![words(place), members])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::arrangement;

    /// The containers of an instance before and after: one, and a variable that is added to it.
    fn instance(image: &str, family: &str) -> [Value; 2] {
        let container = json!([{"name": "web", "image": image}]);
        let mut after = container.clone();
        after[0]["environment"] = json!([{"name": "FAMILY", "value": family}]);
        [container, after]
    }

    #[test]
    fn what_nothing_tells_apart_is_not_joined() {
        let of = |image, family| {
            let [before, after] = instance(image, family);
            arrangement(&before, &after).unwrap()
        };
        let mut joined = of("a", "x");
        assert!(joined.joined(&of("a", "x")));
        assert!(joined.joined(&of("b", "y")));
        assert!(joined.joined(&of("b", "y")));
        assert_eq!(joined.patches.len(), 2);
        // The image of the second, and another value.
        assert!(!joined.joined(&of("b", "z")));
        assert!(!joined.joined(&of("a", "z")));
        let untouched = json!([{"name": "web", "image": "c"}]);
        assert!(!joined.joined(&arrangement(&untouched, &untouched).unwrap()));
    }
}
