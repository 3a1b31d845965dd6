//! The task definitions of a dry run: what expressions may see of a task, in all its forms.
//!
//! Each says by itself what its containers start, so that the promise is judged by what stands here
//! and not by the code that keeps it.

use serde_json::{Value, json};

use crate::image::ImageConfig;
use crate::recipe::{ContainerFacts, TaskFacts, Wrapping};

/// A task definition with its images.
pub(super) struct Sample {
    /// What it shows.
    pub(super) name: &'static str,
    architecture: &'static str,
    pub(super) containers: Vec<Container>,
}

/// A container of a sample.
#[derive(Clone)]
pub(super) struct Container {
    pub(super) name: &'static str,
    pub(super) image: Image,
    /// What its definition says beside name and image, as CloudFormation spells it.
    settings: Value,
    /// What it starts where the condition holds.
    pub(super) program: Vec<String>,
    /// What it starts elsewhere.
    pub(super) otherwise: Vec<String>,
    /// Whether it is there only where the condition holds.
    pub(super) conditional: bool,
    /// Whether its image starts the wrapper itself.
    pub(super) wrapper_in_image: bool,
}

/// An image.
#[derive(Clone)]
pub(super) struct Image {
    pub(super) reference: &'static str,
    pub(super) entry_point: Vec<String>,
    pub(super) command: Vec<String>,
    user: &'static str,
}

/// The condition under which parts of a sample stand.
pub(super) const CONDITION: &str = "IsProd";

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn image(
    reference: &'static str,
    entry_point: &[&str],
    command: &[&str],
    user: &'static str,
) -> Image {
    Image {
        reference,
        entry_point: texts(entry_point),
        command: texts(command),
        user,
    }
}

/// An image with entry point and command, as most have.
fn usual(user: &'static str) -> Image {
    let entry_point = ["/docker-entrypoint.sh"];
    let command = ["serve", "--listen", "0.0.0.0:8080"];
    match user {
        "" => image("shop/web:1.4", &entry_point, &command, user),
        _ => image("shop/web:1.4-non-root", &entry_point, &command, user),
    }
}

/// What the usual image starts by itself.
const USUAL: [&str; 4] = ["/docker-entrypoint.sh", "serve", "--listen", "0.0.0.0:8080"];

/// Words that a shell, a template or a careless join would change.
const HARD: [&str; 7] = [
    "/app/start",
    "",
    "two words",
    "it's",
    "$HOME",
    "{{ x }}",
    "naïve",
];

fn container(
    name: &'static str,
    image: Image,
    settings: Value,
    program: &[impl AsRef<str>],
) -> Container {
    let program: Vec<String> = program.iter().map(|word| word.as_ref().into()).collect();
    Container {
        name,
        image,
        settings,
        otherwise: program.clone(),
        program,
        conditional: false,
        wrapper_in_image: false,
    }
}

fn sample(name: &'static str, containers: Vec<Container>) -> Sample {
    Sample {
        name,
        architecture: "X86_64",
        containers,
    }
}

/// The samples; one of them starts this wrapper in its image, where there is one.
pub(super) fn samples(wrapper: Option<&Wrapping>) -> Vec<Sample> {
    let mut samples = processes();
    samples.extend(surroundings());
    samples.push(two_containers());
    samples.push(under_conditions());
    samples.extend(wrapper.and_then(wrapper_in_image));
    samples
}

/// Every way in which a program is stated.
fn processes() -> Vec<Sample> {
    let none = || json!({});
    vec![
        sample(
            "image with entry point and command",
            vec![container("web", usual(""), none(), &USUAL)],
        ),
        sample(
            "image with an entry point alone",
            vec![container(
                "web",
                image("shop/api:7", &["/app/api"], &[], ""),
                none(),
                &["/app/api"],
            )],
        ),
        sample(
            "image with a command alone",
            vec![container(
                "web",
                image("shop/jobs:2", &[], &["node", "jobs.js"], ""),
                none(),
                &["node", "jobs.js"],
            )],
        ),
        sample(
            "entry point in the task definition",
            vec![container(
                "web",
                usual(""),
                json!({"EntryPoint": ["/app/start", ""], "Command": HARD.get(2..)}),
                &HARD,
            )],
        ),
        sample(
            "command in the task definition",
            vec![container(
                "web",
                usual(""),
                json!({"Command": ["migrate"]}),
                &["/docker-entrypoint.sh", "migrate"],
            )],
        ),
    ]
}

/// Everything else that expressions can see.
fn surroundings() -> Vec<Sample> {
    let usual = |name, user, settings| {
        let container = container("web", usual(user), settings, &USUAL);
        sample(name, vec![container])
    };
    let on_arm = |sample| Sample {
        architecture: "ARM64",
        ..sample
    };
    vec![
        usual("image that is not root's", "1000:1000", json!({})),
        usual("read-only root file system", "", read_only()),
        on_arm(usual("ARM64", "", json!({}))),
        on_arm(usual(
            "ARM64, read-only, not root's",
            "1000:1000",
            read_only(),
        )),
    ]
}

fn read_only() -> Value {
    json!({"ReadonlyRootFilesystem": true})
}

fn two_containers() -> Sample {
    let worker = image("shop/jobs:2", &[], &["node", "jobs.js"], "");
    sample(
        "two containers",
        vec![
            container("web", usual(""), read_only(), &USUAL),
            container(
                "jobs",
                worker,
                json!({"Essential": false}),
                &["node", "jobs.js"],
            ),
        ],
    )
}

/// A command, and a whole container, that are there only where a condition holds.
fn under_conditions() -> Sample {
    let command =
        json!({"Command": {"Fn::If": [CONDITION, ["serve", "--fast"], {"Ref": "AWS::NoValue"}]}});
    let worker = image("shop/jobs:2", &[], &["node", "jobs.js"], "");
    sample(
        "under conditions",
        vec![
            Container {
                otherwise: texts(&USUAL),
                ..container(
                    "web",
                    usual(""),
                    command,
                    &["/docker-entrypoint.sh", "serve", "--fast"],
                )
            },
            Container {
                conditional: true,
                ..container(
                    "jobs",
                    worker,
                    json!({"Essential": false}),
                    &["node", "jobs.js"],
                )
            },
        ],
    )
}

/// An image that starts the wrapper by itself, as far as that is a list of words.
fn wrapper_in_image(wrapper: &Wrapping) -> Option<Sample> {
    let words = wrapper.wrapper.iter().map(|word| word.as_str());
    let words: Vec<&str> = words.collect::<Option<_>>()?;
    if wrapper.script.is_some() || words.is_empty() {
        return None;
    }
    let program = [words.as_slice(), &["/app/api"]].concat();
    let image = image("shop/api:7-with-agent", &program, &[], "");
    Some(sample(
        "image that starts the wrapper itself",
        vec![Container {
            wrapper_in_image: true,
            ..container("web", image, json!({}), &program)
        }],
    ))
}

impl Sample {
    /// A template with this task definition.
    pub(super) fn template(&self) -> Value {
        let containers: Vec<Value> = self.containers.iter().map(Container::definition).collect();
        json!({
            "Parameters": {"Stage": {"Type": "String"}},
            "Conditions": {CONDITION: {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
            "Resources": {"Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {
                "Family": "shop",
                "RequiresCompatibilities": ["FARGATE"],
                "NetworkMode": "awsvpc",
                "Cpu": "1024",
                "Memory": "4096",
                "RuntimePlatform": {
                    "CpuArchitecture": self.architecture,
                    "OperatingSystemFamily": "LINUX",
                },
                "ExecutionRoleArn": "arn:aws:iam::123456789012:role/execution",
                "ContainerDefinitions": containers,
            }}},
        })
    }

    /// What expressions see of it.
    pub(super) fn facts(&self) -> (TaskFacts, Vec<ContainerFacts>) {
        let task = TaskFacts {
            family: "shop".into(),
            cpu_architecture: self.architecture.into(),
            operating_system: "LINUX".into(),
        };
        let containers = self.containers.iter().map(Container::facts);
        (task, containers.collect())
    }
}

impl Container {
    fn definition(&self) -> Value {
        let mut definition = json!({
            "Name": self.name,
            "Image": self.image.reference,
            "LogConfiguration": {
                "LogDriver": "awslogs",
                "Options": {"awslogs-group": "shop", "awslogs-stream-prefix": self.name},
            },
        });
        if let (Value::Object(all), Value::Object(own)) = (&mut definition, &self.settings) {
            all.extend(own.clone());
        }
        match self.conditional {
            true => json!({"Fn::If": [CONDITION, definition, {"Ref": "AWS::NoValue"}]}),
            false => definition,
        }
    }

    fn facts(&self) -> ContainerFacts {
        let user = match self.image.user {
            "" => "root",
            user => user,
        };
        ContainerFacts {
            name: self.name.into(),
            image: self.image.reference.into(),
            user: user.into(),
            readonly_root_filesystem: (self.settings == read_only()).into(),
            wrapper_in_image: self.wrapper_in_image,
        }
    }
}

impl From<&Image> for ImageConfig {
    fn from(image: &Image) -> ImageConfig {
        ImageConfig {
            digest: None,
            entrypoint: image.entry_point.clone(),
            cmd: image.command.clone(),
            user: image.user.to_owned(),
            working_dir: String::new(),
        }
    }
}
