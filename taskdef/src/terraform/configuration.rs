//! Which resources of the configuration refer to which task definitions.
//!
//! A plan does not hold expressions, but for each of them what it refers to, by names that count
//! in the module where it stands.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The resource type that the library is about, as a reference begins.
const PREFIX: &str = "aws_ecs_task_definition.";

/// References to task definitions: by the module's address without keys, the resource, and the
/// name of the task definition in the same module.
#[derive(Debug, Default)]
pub(super) struct References(BTreeMap<(String, String), BTreeSet<String>>);

#[derive(Deserialize)]
struct Configuration<'t> {
    #[serde(borrow, default)]
    root_module: Module<'t>,
}

#[derive(Default, Deserialize)]
struct Module<'t> {
    #[serde(borrow, default)]
    resources: Vec<Resource<'t>>,
    #[serde(borrow, default)]
    module_calls: BTreeMap<Cow<'t, str>, Call<'t>>,
}

#[derive(Deserialize)]
struct Call<'t> {
    #[serde(borrow, default)]
    module: Module<'t>,
}

#[derive(Deserialize)]
struct Resource<'t> {
    #[serde(borrow, default)]
    address: Cow<'t, str>,
    #[serde(borrow, default)]
    expressions: Option<&'t RawValue>,
}

impl References {
    /// Reads the member `configuration` of a plan; what cannot be read refers to nothing.
    pub(super) fn read(configuration: Option<&RawValue>) -> References {
        let mut references = References::default();
        let read = configuration.map(|text| serde_json::from_str::<Configuration<'_>>(text.get()));
        if let Some(Ok(Configuration { root_module })) = read {
            references.add(&root_module, "");
        }
        references
    }

    fn add(&mut self, module: &Module<'_>, address: &str) {
        for resource in &module.resources {
            let expressions = resource.expressions.map_or("", RawValue::get);
            if !expressions.contains(PREFIX) {
                continue;
            }
            let mut names = BTreeSet::new();
            if let Ok(expressions) = serde_json::from_str(expressions) {
                collect(&expressions, &mut names);
            }
            let key = (address.to_owned(), resource.address.clone().into_owned());
            self.0.entry(key).or_default().extend(names);
        }
        for (name, call) in &module.module_calls {
            let dot = if address.is_empty() { "" } else { "." };
            self.add(&call.module, &format!("{address}{dot}module.{name}"));
        }
    }

    /// The names of the task definitions that a resource refers to.
    pub(super) fn of(&self, module: &str, resource: &str) -> impl Iterator<Item = &str> {
        let key = (without_keys(module), resource.to_owned());
        self.0.get(&key).into_iter().flatten().map(String::as_str)
    }

    /// The resources that refer to a task definition, without keys.
    pub(super) fn dependents(&self, module: &str, name: &str) -> Vec<String> {
        let module = without_keys(module);
        let resources = self.0.iter().filter(|((at, resource), names)| {
            *at == module && names.contains(name) && *resource != format!("{PREFIX}{name}")
        });
        resources
            .map(|((at, resource), _)| match at.is_empty() {
                true => resource.clone(),
                false => format!("{at}.{resource}"),
            })
            .collect()
    }
}

/// Adds the names of task definitions from every list of references.
fn collect(expressions: &Value, names: &mut BTreeSet<String>) {
    match expressions {
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        Value::Object(map) => {
            let references = map.get("references").and_then(Value::as_array);
            let references = references.into_iter().flatten().filter_map(Value::as_str);
            names.extend(references.filter_map(|reference| {
                let rest = reference.strip_prefix(PREFIX)?;
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                rest.get(..end).map(str::to_owned)
            }));
            map.values().for_each(|value| collect(value, names));
        }
        _ => {}
    }
}

/// An address without the keys of `count` and `for_each`.
pub(super) fn without_keys(address: &str) -> String {
    let mut kept = String::with_capacity(address.len());
    let mut letters = address.chars();
    while let Some(letter) = letters.next() {
        if letter != '[' {
            kept.push(letter);
            continue;
        }
        let mut quoted = false;
        while let Some(letter) = letters.next() {
            match letter {
                '\\' if quoted => drop(letters.next()),
                '"' => quoted = !quoted,
                ']' if !quoted => break,
                _ => {}
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn addresses_lose_their_keys() {
        let table = [
            ("module.a[\"x.y[0]\"].module.b[0]", "module.a.module.b"),
            (r#"a.b["we\"ird]key"]"#, "a.b"),
            ("", ""),
        ];
        for (address, expected) in table {
            assert_eq!(without_keys(address), expected);
        }
    }

    #[test]
    fn references_count_in_their_module() {
        let service = json!({
            "address": "aws_ecs_service.app",
            "expressions": {"load_balancer": [{"x": {"references": ["aws_ecs_task_definition.other[0].arn"]}}],
                            "task_definition": {"references": ["aws_ecs_task_definition.app.arn", "aws_ecs_task_definition.app"]}},
        });
        let configuration = json!({"root_module": {"module_calls": {"a": {"module": {
            "resources": [service, {"address": "aws_ecs_task_definition.app", "expressions": {}}],
        }}}}});
        let text = configuration.to_string();
        let raw: &RawValue = serde_json::from_str(&text).unwrap();
        let references = References::read(Some(raw));
        let of: Vec<&str> = references
            .of("module.a[0]", "aws_ecs_service.app")
            .collect();
        assert_eq!(of, ["app", "other"]);
        assert_eq!(references.of("", "aws_ecs_service.app").count(), 0);
        assert_eq!(
            references.dependents("module.a[\"k\"]", "app"),
            ["module.a.aws_ecs_service.app"]
        );
    }
}
