//! What tasks say of a program, over every image; before the rewrite and after it.

use std::collections::BTreeMap;
use std::fs;

use outrigger_tests::ecs;
use outrigger_tests::lock::{self, canonical};
use outrigger_tests::process::effective;
use outrigger_tests::run::cfn_filter;
use serde_json::{Map, Value, json};

use crate::subjects::{AWKWARD, Subject};
use crate::ways::Way;

/// The entry points and commands of tasks, each in every variant.
fn lists(first: &str) -> [Option<Value>; 5] {
    let several = [&["/probe", first], &AWKWARD[..]].concat();
    [
        None,
        Some(json!([])),
        Some(json!([""])),
        Some(json!(["/probe"])),
        Some(json!(several)),
    ]
}

/// The commands that replace a task's at run time.
pub(crate) fn overrides() -> Vec<Value> {
    let lists = lists("override").into_iter().flatten();
    lists.filter(|list| *list != json!([])).collect()
}

/// Who says something.
pub(crate) enum Owner {
    Task,
    Image,
}

/// One combination.
#[derive(Clone)]
pub(crate) struct Case<'s> {
    /// The logical ID of its task definition.
    pub(crate) id: String,
    pub(crate) subject: &'s Subject,
    /// The config of the image, as the engine tells it.
    image: &'s Value,
    /// The container definition, in CloudFormation's spelling.
    definition: Value,
}

/// Every combination of an image and a task's lists.
pub(crate) fn cases<'s>(subjects: &'s [(Subject, Value)]) -> Vec<Case<'s>> {
    let mut cases = Vec::new();
    for subject in subjects {
        for entry_point in lists("entry point") {
            for command in lists("command") {
                cases.push(Case::new(
                    cases.len(),
                    subject,
                    entry_point.as_ref(),
                    command.as_ref(),
                ));
            }
        }
    }
    cases
}

impl<'s> Case<'s> {
    fn new(
        number: usize,
        (subject, image): &'s (Subject, Value),
        entry_point: Option<&Value>,
        command: Option<&Value>,
    ) -> Self {
        let mut definition = subject.settings.clone();
        definition["Name"] = json!("app");
        definition["Image"] = json!(subject.image());
        for (key, list) in [("EntryPoint", entry_point), ("Command", command)] {
            if let Some(list) = list {
                definition[key] = list.clone();
            }
        }
        Self {
            id: format!("T{number}"),
            subject,
            image,
            definition,
        }
    }

    /// A task that states the whole program.
    pub(crate) fn of_program(subject: &'s (Subject, Value), program: &[&str]) -> Self {
        let (first, words) = program.split_at(1);
        Self::new(0, subject, Some(&json!(first)), Some(&json!(words)))
    }
}

impl Case<'_> {
    /// The container definition, in the API's spelling.
    pub(crate) fn container(&self) -> Map<String, Value> {
        registered(&self.definition)
    }

    /// The same, run with this command.
    pub(crate) fn with_command(&self, command: &Value) -> Self {
        let mut case = self.clone();
        case.definition["Command"] = command.clone();
        case
    }

    /// What runs, according to ECS; the engine drops an entry point of one empty word.
    pub(crate) fn process(&self) -> Vec<String> {
        let texts = |key| {
            let words = self.image[key].as_array().into_iter().flatten();
            words
                .map(|word| word.as_str().unwrap().to_owned())
                .collect()
        };
        let image = lock::Config {
            entrypoint: texts("Entrypoint"),
            cmd: texts("Cmd"),
        };
        let words = effective(&self.container(), Some(&image)).unwrap();
        let dropped = usize::from(self.empty_entry_point_word().is_some());
        let words = words.iter().skip(dropped);
        words
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    }

    /// Whose the entry point `[""]` is, where that is the one that counts.
    pub(crate) fn empty_entry_point_word(&self) -> Option<Owner> {
        let is_it = |list: &Value| *list == json!([""]);
        match self.definition.get("EntryPoint") {
            Some(list) if *list != json!([]) => is_it(list).then_some(Owner::Task),
            _ => is_it(&self.image["Entrypoint"]).then_some(Owner::Image),
        }
    }

    /// Whether the task states a variable with a name that shells do not have.
    pub(crate) fn has_variable_of_no_shell(&self) -> bool {
        let variables = ["Environment", "Secrets"].map(|list| self.definition[list].as_array());
        let mut names = variables.into_iter().flatten().flatten();
        names.any(|variable| variable["Name"].as_str().unwrap().contains(['.', '-']))
    }

    /// For messages.
    pub(crate) fn shown(&self) -> String {
        let list = |key: &str| {
            self.definition
                .get(key)
                .map_or("absent".to_owned(), Value::to_string)
        };
        format!(
            "{}: image `{}`, EntryPoint {}, Command {}",
            self.id,
            self.subject.name,
            list("EntryPoint"),
            list("Command")
        )
    }
}

fn registered(definition: &Value) -> Map<String, Value> {
    let Value::Object(container) = ecs::registration(definition) else {
        panic!("no object: {definition}");
    };
    container
}

/// What became of a task definition.
pub(crate) enum Rewritten {
    /// Its containers, in the API's spelling.
    Containers(Vec<Map<String, Value>>),
    /// It stayed as it was, for the reasons with these codes.
    Refused(String),
}

/// Rewrites all of them in one template.
pub(crate) fn rewrite(cases: &[Case<'_>], way: &Way) -> Vec<Rewritten> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let template = template(cases);
    fs::write(path("template.json"), template.to_string()).unwrap();
    fs::write(path("outrigger.lock"), lock_file(cases).to_string()).unwrap();
    let mut args = way.arguments();
    args.extend(["--locked", "--on-unresolved", "skip", "--no-settings"].map(str::to_owned));
    args.push(path("template.json"));
    let ran = cfn_filter(&args, b"");
    assert!(matches!(ran.exit, 0 | 3), "{}: {}", way.name(), ran.stderr);
    let output: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let refused = refused(&ran.stderr);
    let rewritten = cases.iter().map(|case| {
        let pointer = format!("/Resources/{}/Properties/ContainerDefinitions", case.id);
        let (before, after) = (
            template.pointer(&pointer).unwrap(),
            output.pointer(&pointer).unwrap(),
        );
        match refused.get(&case.id) {
            Some(codes) => {
                assert_eq!(before, after, "{}, refused by {}", case.shown(), way.name());
                Rewritten::Refused(codes.clone())
            }
            None => {
                Rewritten::Containers(after.as_array().unwrap().iter().map(registered).collect())
            }
        }
    });
    rewritten.collect()
}

fn template(cases: &[Case<'_>]) -> Value {
    let tasks = cases.iter().map(|case| {
        let task = json!({"Type": "AWS::ECS::TaskDefinition", "Properties": {
            "Family": "app", "NetworkMode": "awsvpc", "RequiresCompatibilities": ["FARGATE"],
            "Cpu": "256", "Memory": "512",
            "RuntimePlatform": {"CpuArchitecture": "X86_64", "OperatingSystemFamily": "LINUX"},
            "ExecutionRoleArn": "arn:aws:iam::123456789012:role/execution",
            "ContainerDefinitions": [case.definition],
        }});
        (case.id.clone(), task)
    });
    json!({"Resources": tasks.collect::<Map<_, _>>()})
}

/// The image configs, as the engine tells them.
fn lock_file(cases: &[Case<'_>]) -> Value {
    let images = cases.iter().map(|case| {
        let config = |key: &str, none: Value| match &case.image[key] {
            Value::Null => none,
            value => value.clone(),
        };
        let platform = json!({
            "entrypoint": config("Entrypoint", json!([])),
            "cmd": config("Cmd", json!([])),
            "user": config("User", json!("")),
            "workingDir": config("WorkingDir", json!("")),
        });
        (
            canonical(&case.subject.image()),
            json!({"linux/amd64": platform}),
        )
    });
    json!({"version": 1, "images": images.collect::<Map<_, _>>()})
}

/// The codes of the errors for each task definition that a report calls refused.
fn refused(report: &str) -> BTreeMap<String, String> {
    let blocks = report.split("\n\n").filter_map(|block| {
        let (id, rest) = block.split_once(": refused (")?;
        let errors = rest.split("\n  error[").skip(1);
        let codes: Vec<&str> = errors
            .filter_map(|error| Some(error.split_once(']')?.0))
            .collect();
        Some((id.to_owned(), codes.join(" ")))
    });
    blocks.collect()
}
