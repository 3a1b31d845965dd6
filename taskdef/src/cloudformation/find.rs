//! Where task definitions hide in a template, and what else in it decides about them.

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::DocumentKind;
use crate::report::{Code, Finding, Severity};
use crate::source::{Path, Step};

use super::intrinsic::LoopItem;

/// A loop variable of `Fn::ForEach` around a task definition.
#[derive(Clone, Debug)]
pub(crate) struct Loop {
    /// The variable.
    pub(crate) variable: String,
    /// Its values, where the collection is a literal list of a size that is evaluated: shared by
    /// all task definitions within.
    pub(crate) items: Option<Rc<[String]>>,
}

/// One `AWS::ECS::TaskDefinition`.
#[derive(Clone, Debug)]
pub(crate) struct Found<'d> {
    /// Where its properties are.
    pub(crate) path: Path,
    /// Its logical ID.
    pub(crate) id: String,
    /// Its properties; `None` when there are none that can be read.
    pub(crate) properties: Option<&'d Map<String, Value>>,
    /// The resource's own condition.
    pub(crate) condition: Option<&'d str>,
    /// The loops around it, the outermost first.
    pub(crate) loops: Vec<Loop>,
}

/// Everything in a document that this crate has to know.
#[derive(Default)]
pub(crate) struct Survey<'d> {
    /// The task definitions.
    pub(crate) found: Vec<Found<'d>>,
    /// All other resources, for references to task definitions.
    pub(crate) others: Vec<&'d Value>,
    /// Findings about the document: `(logical ID, finding)`.
    pub(crate) findings: Vec<(String, Finding)>,
}

/// The way out for a transform that hands over too little.
pub(crate) const WHERE_A_TRANSFORM_MAY_STAND: &str =
    "put the transform at the top of the template, or beside `ContainerDefinitions`";

/// The type of resource that the library is about.
const TASK_DEFINITION: &str = "AWS::ECS::TaskDefinition";

/// Finds task definitions in a template (an object with `Resources`).
pub(crate) fn in_template(document: &Value) -> Option<Survey<'_>> {
    let resources = document.get("Resources")?.as_object()?;
    let mut survey = Survey::default();
    in_resources(
        resources,
        &vec![Step::Key("Resources".to_owned())],
        &[],
        &mut survey,
    );
    for (place, name) in transforms(document) {
        let finding = not_looked_at(format!(
            "the transform `{name}` may bring resources of its own, which were not looked at"
        ));
        survey.findings.push((place.to_owned(), finding));
    }
    Some(survey)
}

/// The [transforms](https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-reference.html)
/// of AWS at the top of a template that bring no task definitions and no mappings, by the beginnings of their names.
const HARMLESS_TRANSFORMS: &[&str] = &[
    "AWS::CodeDeployBlueGreen",
    "AWS::LanguageExtensions",
    "AWS::SecretsManager-",
    "AWS::Serverless-",
    "AWS::ServiceCatalog",
];

/// The transforms at the top of a template that may bring anything: where they stand, and their names.
pub(crate) fn transforms(document: &Value) -> Vec<(&'static str, &str)> {
    let mut found = Vec::new();
    for place in ["Transform", "Fn::Transform"] {
        let stated = match document.get(place) {
            Some(Value::Array(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        for one in stated {
            let name = one.as_str().or_else(|| one.get("Name")?.as_str());
            let name = name.unwrap_or("Fn::Transform");
            let harmless = HARMLESS_TRANSFORMS
                .iter()
                .any(|known| name.starts_with(known));
            // A macro's name may have the account before it.
            let own = name.rsplit("::").next() == Some("Outrigger");
            if !harmless && !own && !found.contains(&(place, name)) {
                found.push((place, name));
            }
        }
    }
    found
}

/// What an object is that CloudFormation hands to a macro: a whole template has `Resources`, and a
/// resource that is called so has a type.
pub(crate) fn kind_of_fragment(fragment: &Value) -> DocumentKind {
    match fragment.get("Resources") {
        Some(resources) if !resources.get("Type").is_some_and(Value::is_string) => {
            DocumentKind::Template
        }
        _ => DocumentKind::Snippet,
    }
}

/// Finds task definitions in what a snippet-level `Fn::Transform` hands over: the `Resources` map,
/// a resource, its properties, or something that is too small.
pub(crate) fn in_snippet(document: &Value) -> Option<Survey<'_>> {
    let map = document.as_object()?;
    let mut survey = Survey::default();
    if kind_of_fragment(document) == DocumentKind::Template {
        return in_template(document);
    }
    let is_resource = |resource: &Value| {
        // A property of this name has no such value.
        let kind = resource.get("Type").and_then(Value::as_str);
        kind.is_some_and(|kind| kind.contains("::"))
    };
    let brings_resources = |(id, value): (&String, &Value)| {
        id.starts_with("Fn::ForEach::") || id == "Fn::Transform" || is_resource(value)
    };
    if map.contains_key("ContainerDefinitions") {
        survey.found.push(Found {
            path: Path::new(),
            id: "snippet".to_owned(),
            properties: Some(map),
            condition: None,
            loops: Vec::new(),
        });
    } else if is_resource(document) {
        in_resource("snippet", document, &Path::new(), &[], &mut survey);
    } else if map.iter().any(brings_resources) {
        in_resources(map, &Path::new(), &[], &mut survey);
    } else {
        let finding = too_small(map);
        survey.findings.push(("snippet".to_owned(), finding));
    }
    Some(survey)
}

/// A snippet in which no task definition can be seen.
fn too_small(snippet: &Map<String, Value>) -> Finding {
    let is_container = snippet.contains_key("Image") && snippet.contains_key("Name");
    let message = match is_container {
        true => {
            "the transform stands inside one container definition, where no sidecar can be added"
        }
        false => {
            "the transform stands where no task definition can be seen: beside neither resources nor `ContainerDefinitions`"
        }
    };
    let name = snippet.get("Name").filter(|_| is_container);
    Finding {
        code: Code::SnippetTooSmall,
        severity: Severity::Error,
        container: name.and_then(Value::as_str).map(str::to_owned),
        image: None,
        message: message.to_owned(),
        hint: Some(WHERE_A_TRANSFORM_MAY_STAND.to_owned()),
    }
}

fn in_resources<'d>(
    resources: &'d Map<String, Value>,
    path: &Path,
    loops: &[Loop],
    survey: &mut Survey<'d>,
) {
    for (id, resource) in resources {
        let here = extended(path, Step::Key(id.clone()));
        if id.starts_with("Fn::ForEach::") {
            in_for_each(resource, &here, loops, survey);
        } else if id == "Fn::Transform" {
            nested(id, "Fn::Transform", survey);
        } else {
            in_resource(id, resource, &here, loops, survey);
        }
    }
}

/// [`Fn::ForEach`](https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html):
/// a variable, a collection, and one output key with a body.
fn in_for_each<'d>(value: &'d Value, path: &Path, loops: &[Loop], survey: &mut Survey<'d>) {
    let Some([Value::String(variable), collection, Value::Object(body)]) =
        value.as_array().map(Vec::as_slice)
    else {
        let why = "`Fn::ForEach` is not a variable, a collection and an output key with a body";
        let id = path.last().map(name_of).unwrap_or_default();
        survey.findings.push((id, unreadable(why)));
        return;
    };
    let items = collection
        .as_array()
        .filter(|items| items.len() <= MAX_LOOP_ITEMS);
    let items = items.and_then(|items| {
        let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
        texts.collect::<Option<Rc<[String]>>>()
    });
    let mut loops = loops.to_vec();
    loops.push(Loop {
        variable: variable.clone(),
        items,
    });
    in_resources(body, &extended(path, Step::Index(2)), &loops, survey);
}

fn in_resource<'d>(
    id: &str,
    resource: &'d Value,
    path: &Path,
    loops: &[Loop],
    survey: &mut Survey<'d>,
) {
    let kind = resource
        .get("Type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if resource.get("Fn::Transform").is_some() {
        nested(id, "Fn::Transform", survey);
    }
    if kind != TASK_DEFINITION && may_be_task_definition(kind, loops) {
        let why =
            "the type of the resource depends on a loop variable, and may be a task definition";
        survey.findings.push((id.to_owned(), unreadable(why)));
        return;
    }
    match kind {
        TASK_DEFINITION => survey.found.push(Found {
            path: extended(path, Step::Key("Properties".to_owned())),
            id: id.to_owned(),
            properties: resource.get("Properties").and_then(Value::as_object),
            condition: resource.get("Condition").and_then(Value::as_str),
            loops: loops.to_vec(),
        }),
        "AWS::CloudFormation::Stack"
        | "AWS::CloudFormation::StackSet"
        | "AWS::Serverless::Application" => nested(id, kind, survey),
        _ if kind.ends_with("::MODULE") => nested(id, kind, survey),
        _ => survey.others.push(resource),
    }
}

fn name_of(step: &Step) -> String {
    match step {
        Step::Key(key) => key.clone(),
        Step::Index(index) => index.to_string(),
    }
}

fn unreadable(why: &str) -> Finding {
    Finding {
        code: Code::CannotReadContainers,
        severity: Severity::Error,
        container: None,
        image: None,
        message: why.to_owned(),
        hint: Some("write the resource out".to_owned()),
    }
}

/// Loop variables stand in any string, a resource's type too.
fn may_be_task_definition(kind: &str, loops: &[Loop]) -> bool {
    let Some((before, _)) = kind.split_once("${").or(kind.split_once("&{")) else {
        return false;
    };
    TASK_DEFINITION.starts_with(before)
        && loop_items(loops).iter().any(|item| {
            let mut kind = kind.to_owned();
            for (name, value) in item {
                let Some(value) = value else { return true };
                for form in [format!("${{{name}}}"), format!("&{{{name}}}")] {
                    kind = kind.replace(&form, value);
                }
            }
            // A snippet within a loop does not hold the loop.
            kind == TASK_DEFINITION || kind.contains("${") || kind.contains("&{")
        })
}

fn nested(id: &str, kind: &str, survey: &mut Survey<'_>) {
    let message = format!("`{kind}` brings resources of its own, which were not looked at");
    let finding = not_looked_at(message);
    survey.findings.push((id.to_owned(), finding));
}

fn not_looked_at(message: String) -> Finding {
    Finding {
        code: Code::NestedTemplate,
        severity: Severity::Warning,
        container: None,
        image: None,
        message,
        hint: Some("run Outrigger on what it brings, too".to_owned()),
    }
}

fn extended(path: &Path, step: Step) -> Path {
    let mut path = path.clone();
    path.push(step);
    path
}

/// How many items of nested loops are evaluated one by one.
const MAX_LOOP_ITEMS: usize = 256;

/// Every combination of the loop variables' values; a variable without a literal collection has none.
pub(crate) fn loop_items(loops: &[Loop]) -> Vec<LoopItem> {
    let mut combinations = vec![LoopItem::new()];
    for each in loops {
        let values: Vec<Option<String>> = match &each.items {
            Some(items) if combinations.len() * items.len() <= MAX_LOOP_ITEMS => {
                items.iter().cloned().map(Some).collect()
            }
            _ => vec![None],
        };
        combinations = combinations
            .iter()
            .flat_map(|combination| {
                values.iter().map(|value| {
                    let mut extended = combination.clone();
                    extended.insert(each.variable.clone(), value.clone());
                    extended
                })
            })
            .collect();
    }
    combinations
}

#[cfg(test)]
mod tests;
