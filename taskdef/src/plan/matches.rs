//! What the selectors of the settings match, for one task definition at a time.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::cloudformation::find::{Found, Survey};
use crate::cloudformation::intrinsic::as_if;
use crate::dialect::Dialect;
use crate::report::{Code, Finding, Severity};
use crate::selector::Selector;
use crate::settings::Selection;
use crate::source::{Path, Step};

use super::slots::{branch_path, value_at};

/// What a list of selectors matches in one task definition.
#[derive(Debug, Default)]
pub(crate) struct Matches {
    /// Something that is not inside one container.
    pub(crate) task: bool,
    /// Containers, or an `Fn::If` around some, from `ContainerDefinitions` inwards.
    places: Vec<Path>,
}

impl Matches {
    /// Whether the container at `path` is matched by itself.
    pub(crate) fn container(&self, path: &Path) -> bool {
        self.places.iter().any(|place| path.starts_with(place))
    }

    /// Whether nothing is matched.
    pub(crate) fn is_empty(&self) -> bool {
        !self.task && self.places.is_empty()
    }
}

/// What is matched in one task definition.
#[derive(Debug, Default)]
pub(crate) struct Matched {
    pub(crate) include: Matches,
    pub(crate) exclude: Matches,
}

/// What is matched in a document.
#[derive(Debug, Default)]
pub(crate) struct AllMatched {
    /// By the way to the properties; nothing when there are no selectors.
    by_path: BTreeMap<Path, Matched>,
    /// Selectors that matched nothing at all, with the setting that holds them.
    useless: Vec<(&'static str, String)>,
}

impl AllMatched {
    /// Evaluates every selector for every task definition of the document.
    pub(crate) fn new<'d>(
        survey: &Survey<'_>,
        selection: &Selection,
        alone: &dyn Fn(&Found<'_>) -> Alone<'d>,
    ) -> Self {
        let mut all = AllMatched::default();
        if selection.include.is_empty() && selection.exclude.is_empty() {
            return all;
        }
        let mut used = BTreeSet::new();
        for found in &survey.found {
            let alone = alone(found);
            let matched = Matched {
                include: alone.matches("include", &selection.include, &mut used),
                exclude: alone.matches("exclude", &selection.exclude, &mut used),
            };
            all.by_path.insert(found.path.clone(), matched);
        }
        let includes = selection.include.iter().map(|query| ("include", query));
        let excludes = selection.exclude.iter().map(|query| ("exclude", query));
        let named = includes.chain(excludes);
        let named = named.map(|(setting, query)| (setting, query.to_string()));
        // Where there is no task definition, nothing can be misspelt.
        all.useless = named
            .filter(|query| !survey.found.is_empty() && !used.contains(query))
            .collect();
        all
    }

    /// What is matched in one task definition.
    pub(crate) fn of(&self, found: &Found<'_>) -> Option<&Matched> {
        self.by_path.get(&found.path)
    }

    /// A warning for each selector that matched nothing: it is probably misspelt.
    pub(crate) fn findings(&self, dialect: Dialect) -> impl Iterator<Item = (String, Finding)> {
        self.useless.iter().map(move |(setting, query)| {
            let finding = Finding {
                code: Code::SelectorMatchedNothing,
                severity: Severity::Warning,
                container: None,
                image: None,
                message: format!(
                    "`{query}`, given to `{setting}`, matches nothing in any task definition"
                ),
                hint: Some(dialect.queried()),
            };
            (String::new(), finding)
        })
    }
}

/// A document that holds one task definition and nothing else.
pub(crate) struct Alone<'d> {
    document: Cow<'d, Value>,
    /// The way to its container definitions.
    definitions: Path,
}

impl<'d> Alone<'d> {
    /// A task definition of a document in the dialect of a template, or in the ECS API's.
    pub(crate) fn of(document: &'d Value, found: &Found<'_>, dialect: Dialect) -> Self {
        let key = |key: &str| Step::Key(key.to_owned());
        let definitions = Step::Key(dialect.key("", "containerDefinitions").into_owned());
        match dialect.has_functions() {
            false => Alone {
                document: Cow::Borrowed(value_at(document, &found.path).unwrap_or(document)),
                definitions: vec![definitions],
            },
            true => Alone {
                document: Cow::Owned(in_resources(document, found)),
                definitions: vec![
                    key("Resources"),
                    key(&found.id),
                    key("Properties"),
                    definitions,
                ],
            },
        }
    }

    /// A document that was made for this, and the way in it to the container definitions.
    pub(crate) fn made(document: Value, definitions: Path) -> Self {
        Alone {
            document: Cow::Owned(document),
            definitions,
        }
    }

    /// What the queries of one setting match; those that matched something are added to `used`.
    fn matches(
        &self,
        setting: &'static str,
        queries: &[Selector],
        used: &mut BTreeSet<(&'static str, String)>,
    ) -> Matches {
        // Each value of the document has its own address, so a set of them is a set of places.
        let mut marked: BTreeSet<*const Value> = BTreeSet::new();
        for query in queries {
            let found = query.matches(&self.document);
            if !found.is_empty() {
                used.insert((setting, query.to_string()));
            }
            marked.extend(found.into_iter().map(std::ptr::from_ref));
        }
        let mut matches = Matches::default();
        if marked.is_empty() {
            return matches;
        }
        let definitions = value_at(&self.document, &self.definitions);
        let inside = definitions.map_or(0, |definitions| {
            in_list(definitions, &Path::new(), &marked, &mut matches.places)
        });
        matches.task = marked.len() > inside;
        matches
    }
}

/// `{"Resources": {"<logical ID>": {...}}}`
fn in_resources(document: &Value, found: &Found<'_>) -> Value {
    let resource = found
        .path
        .split_last()
        .and_then(|(_, resource)| value_at(document, resource));
    let resource = resource.cloned().unwrap_or_else(|| {
        // A snippet may be the properties alone.
        let properties = found.properties.cloned().unwrap_or_default();
        Value::Object(
            [("Properties".to_owned(), Value::Object(properties))]
                .into_iter()
                .collect(),
        )
    });
    let one: Map<String, Value> = [(found.id.clone(), resource)].into_iter().collect();
    Value::Object(
        [("Resources".to_owned(), Value::Object(one))]
            .into_iter()
            .collect(),
    )
}

/// Adds the places of matched containers, and gives the number of marks that are inside of one.
fn in_list(
    value: &Value,
    path: &Path,
    marked: &BTreeSet<*const Value>,
    places: &mut Vec<Path>,
) -> usize {
    if let Some((_, yes, no)) = as_if(value) {
        return [(1, yes), (2, no)]
            .into_iter()
            .map(|(index, branch)| in_list(branch, &branch_path(path, index), marked, places))
            .sum();
    }
    let items = value.as_array().into_iter().flatten().enumerate();
    items
        .map(|(index, item)| {
            let mut here = path.clone();
            here.push(Step::Index(index));
            in_element(item, &here, marked, places)
        })
        .sum()
}

/// The same for an element of the list, which may be an `Fn::If`.
fn in_element(
    value: &Value,
    path: &Path,
    marked: &BTreeSet<*const Value>,
    places: &mut Vec<Path>,
) -> usize {
    let all = marks(value, marked);
    let mut inner = 0;
    if let Some((_, yes, no)) = as_if(value) {
        for (index, branch) in [(1, yes), (2, no)] {
            inner += in_element(branch, &branch_path(path, index), marked, places);
        }
    }
    // The container itself, or the function around its branches.
    if all > inner {
        places.push(path.clone());
    }
    all
}

/// How many marks are at a value or below it.
fn marks(value: &Value, marked: &BTreeSet<*const Value>) -> usize {
    let below: usize = match value {
        Value::Array(items) => items.iter().map(|item| marks(item, marked)).sum(),
        Value::Object(map) => map.values().map(|item| marks(item, marked)).sum(),
        _ => 0,
    };
    below + usize::from(marked.contains(&std::ptr::from_ref(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudformation::find::in_snippet;
    use serde_json::json;

    fn matched(
        document: &Value,
        survey: &Survey<'_>,
        dialect: Dialect,
        query: &str,
    ) -> Vec<String> {
        let selection = Selection {
            exclude: vec![Selector::parse(query).unwrap()],
            ..Selection::default()
        };
        let alone = |found: &Found<'_>| Alone::of(document, found, dialect);
        let all = AllMatched::new(survey, &selection, &alone);
        let matches = &all.of(&survey.found[0]).unwrap().exclude;
        let places = matches.places.iter().map(|place| format!("{place:?}"));
        matches
            .task
            .then(|| "task".to_owned())
            .into_iter()
            .chain(places)
            .collect()
    }

    #[test]
    fn a_bare_task_definition_is_its_own_document() {
        let document = json!({"family": "api", "containerDefinitions": [{"name": "a"}, {"name": "b", "image": "x"}]});
        let survey = Survey {
            found: vec![Found {
                path: Path::new(),
                id: "api".to_owned(),
                properties: document.as_object(),
                condition: None,
                loops: Vec::new(),
            }],
            ..Survey::default()
        };
        let matched = |query| matched(&document, &survey, Dialect::Ecs, query);
        assert_eq!(matched("$[?@ == 'api']"), ["task"]);
        assert_eq!(
            matched("$.containerDefinitions[?@.name == 'b'].image"),
            ["[Index(1)]"]
        );
        assert_eq!(matched("$.Resources.*"), [""; 0]);
    }

    #[test]
    fn a_snippet_stands_under_a_name_of_its_own() {
        let properties = json!({"Family": "api", "ContainerDefinitions": [{"Name": "a"}]});
        let resource = json!({"Type": "AWS::ECS::TaskDefinition", "Properties": properties});
        for snippet in [&properties, &resource] {
            let survey = in_snippet(snippet).unwrap();
            let matched = |query| matched(snippet, &survey, Dialect::CloudFormation, query);
            assert_eq!(
                matched("$.Resources[?@.Properties.Family == 'api']"),
                ["task"]
            );
            assert_eq!(matched("$..ContainerDefinitions[0].Name"), ["[Index(0)]"]);
            assert_eq!(matched("$..*"), ["task", "[Index(0)]"]);
        }
    }
}
