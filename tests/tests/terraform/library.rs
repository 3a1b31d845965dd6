//! Runs the library on a plan, and on the same task definition in the ECS API's spelling.

use std::collections::{BTreeMap, BTreeSet};

use outrigger_tests::plan::{self, attributes, definitions};
use serde_json::{Map, Value};
use taskdef::image::{Answers, ImageConfig, ImageRequest};
use taskdef::recipe::{InputValue, Recipe, Recipes, builtin};
use taskdef::report::{Outcome, Report};
use taskdef::settings::{KnownAgent, OnUnresolved, Settings};
use taskdef::terraform::{Plan, Splice};
use taskdef::{DocumentKind, images_needed, rewrite, source};

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:token-AbCdEf";
const ROLE: &str = "arn:aws:iam::123456789012:role/execution";

/// Recipes that wrap, that wrap and ask something of the task, and that only add a sidecar.
pub(crate) const RECIPES: [(&str, &[(&str, &str)]); 3] = [
    (
        "lacework",
        &[("accessToken", SECRET), ("executionRole", ROLE)],
    ),
    (
        "sysdig",
        &[
            ("accessKey", SECRET),
            ("collectorHost", "ingest.us4.sysdig.com"),
            ("collectorPort", "6443"),
            ("agentVersion", "5.2.0"),
            ("executionRole", ROLE),
        ],
    ),
    ("alert-logic", &[]),
];

/// A built-in recipe with its inputs.
pub(crate) fn recipe((name, inputs): (&str, &[(&str, &str)])) -> Recipes {
    let (_, text) = builtin().iter().find(|(known, _)| *known == name).unwrap();
    let recipe = Recipe::parse(name, text).unwrap();
    let inputs: BTreeMap<String, InputValue> = inputs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), InputValue::parse(value).unwrap()))
        .collect();
    recipe
        .bind(inputs)
        .unwrap_or_else(|errors| panic!("{name}: {errors:?}"))
        .into()
}

/// Takes as much as there is.
pub(crate) fn settings(recipes: &Recipes) -> Settings {
    Settings {
        on_unresolved: OnUnresolved::Skip,
        known_agents: KnownAgent::besides(recipes),
        ..Settings::default()
    }
}

/// Every image has an entry point and a command, with letters that JSON may escape.
pub(crate) fn answers(asked: BTreeSet<ImageRequest>) -> Answers {
    let config = ImageConfig {
        entrypoint: vec!["/docker-entrypoint.sh".to_owned()],
        cmd: vec![
            "nginx".to_owned(),
            "-g".to_owned(),
            "<&>\u{2028}".to_owned(),
        ],
        ..ImageConfig::default()
    };
    asked
        .into_iter()
        .map(|request| (request, Ok(config.clone())))
        .collect()
}

/// A plan after a run.
pub(crate) struct Ran {
    pub(crate) text: String,
    pub(crate) splices: Vec<Splice>,
    pub(crate) report: Report,
}

pub(crate) fn run(text: &str, recipes: &Recipes) -> Ran {
    let settings = settings(recipes);
    let plan = Plan::from_bytes(text.as_bytes()).unwrap();
    let answers = answers(plan.images_needed(recipes, &settings).unwrap());
    let rewritten = plan.rewrite(recipes, &settings, &answers).unwrap();
    Ran {
        text: plan.pieces(&rewritten.splices).collect(),
        splices: rewritten.splices,
        report: rewritten.report,
    }
}

/// The container definitions that the library makes of a task definition by itself, and the outcome.
pub(crate) fn by_itself(attributes: &Value, recipes: &Recipes) -> (Value, Outcome) {
    let names = [
        ("family", "family"),
        ("cpu", "cpu"),
        ("memory", "memory"),
        ("network_mode", "networkMode"),
        ("requires_compatibilities", "requiresCompatibilities"),
        ("execution_role_arn", "executionRoleArn"),
    ];
    let stated = names.iter().filter_map(|(terraform, ecs)| {
        let value = attributes
            .get(*terraform)
            .filter(|value| !value.is_null())?;
        Some(((*ecs).to_owned(), value.clone()))
    });
    let mut task: Map<String, Value> = stated.collect();
    task.insert("containerDefinitions".to_owned(), definitions(attributes));
    let mut task = Value::Object(task);
    let settings = settings(recipes);
    let kind = DocumentKind::TaskDefinition;
    let answers = answers(images_needed(&task, kind, recipes, &settings).unwrap());
    let rewritten = rewrite(&task, kind, recipes, &settings, &answers).unwrap();
    source::put(&mut task, rewritten.changes).unwrap();
    let outcome = rewritten.report.task_definitions[0].outcome;
    (task["containerDefinitions"].take(), outcome)
}

/// What is wrong with a rewritten plan: it is judged by its values, and by what the library makes
/// of each task definition by itself.
pub(crate) fn judge(before: &str, ran: &Ran, recipes: &Recipes) {
    let [before, after]: [Value; 2] =
        [before, &ran.text].map(|text| serde_json::from_str(text).unwrap());
    assert_eq!(plan::judge(&before, &after), [""; 0]);
    let tasks = ran.report.task_definitions.iter();
    let rewritten = tasks.filter(|task| task.outcome == Outcome::Rewritten);
    for task in rewritten {
        let (old, new) = (attributes(&before, &task.id), attributes(&after, &task.id));
        let (expected, outcome) = by_itself(&old, recipes);
        assert_eq!(outcome, Outcome::Rewritten, "{}", task.id);
        assert_eq!(
            definitions(&new),
            expected,
            "{}: not as it is by itself",
            task.id
        );
    }
}
