//! Templates with task definitions whose values are intrinsic functions now and then.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// A template, and a lock file that answers all its images.
#[derive(Clone, Debug)]
pub(crate) struct Generated {
    /// The template.
    pub(crate) template: Value,
    /// The lock file.
    pub(crate) lock: Value,
    /// Its task definitions, by the IDs that a report gives them. All are in scope.
    pub(crate) tasks: Vec<String>,
}

const CONDITIONS: [&str; 3] = ["A", "B", "C"];
/// Texts that a shell, YAML, JSON or CloudFormation could take for something else.
const WORDS: [&str; 20] = [
    "serve",
    "--port",
    "8080",
    "a b",
    "",
    "$HOME",
    "it's",
    "\"q\"",
    "a && b > c",
    "012",
    "yes",
    "2012-10-17",
    "größe",
    "- x",
    "k: v",
    "#x",
    "${X}",
    "\\n",
    "\n",
    "{{x}}",
];
const IMAGES: [(&str, &str); 4] = [
    ("nginx:1.27", "docker.io/library/nginx:1.27"),
    ("team/app:2", "docker.io/team/app:2"),
    (
        "registry.example.com/worker:3",
        "registry.example.com/worker:3",
    ),
    ("plain", "docker.io/library/plain:latest"),
];

/// Any template of this kind.
pub(crate) fn generated() -> impl Strategy<Value = Generated> {
    let task = (task_definition(), proptest::bool::weighted(0.15));
    let tasks = proptest::collection::vec(task, 1..3);
    (tasks, conditions(), lock()).prop_map(|(tasks, conditions, lock)| {
        let mut resources = Map::new();
        let topic = json!({"Type": "AWS::SNS::Topic", "DeletionPolicy": "Retain"});
        resources.insert("Topic".to_owned(), topic);
        let mut ids = Vec::new();
        for (index, (task, looped)) in tasks.into_iter().enumerate() {
            if looped {
                let id = format!("Task{index}${{X}}");
                let body = json!(["X", ["a", "b"], {&id: task}]);
                resources.insert(format!("Fn::ForEach::Loop{index}"), body);
                ids.push(id);
            } else {
                let id = format!("Task{index}");
                resources.insert(id.clone(), task);
                ids.push(id);
            }
        }
        Generated {
            template: template(resources, conditions),
            lock,
            tasks: ids,
        }
    })
}

fn template(resources: Map<String, Value>, conditions: Map<String, Value>) -> Value {
    let flag = |name: &str| {
        (
            format!("{name}Flag"),
            json!({"Type": "String", "Default": "no"}),
        )
    };
    let mut parameters: Map<String, Value> = CONDITIONS.iter().map(|name| flag(name)).collect();
    parameters.insert("Words".to_owned(), json!({"Type": "CommaDelimitedList"}));
    json!({"Transform": "AWS::LanguageExtensions", "Description": "generated", "Parameters": parameters,
        "Conditions": conditions, "Resources": resources})
}

/// What the conditions are: independent, values of one parameter, a switch, or made of each other.
fn conditions() -> impl Strategy<Value = Map<String, Value>> {
    let definition = |name: &'static str| {
        let own = json!({"Fn::Equals": [{"Ref": format!("{name}Flag")}, "yes"]});
        let shared = json!({"Fn::Equals": [{"Ref": "AFlag"}, name]});
        let switch = json!({"Fn::Equals": ["blue", "green"]});
        let other = match name {
            "A" => shared.clone(),
            _ => json!({"Fn::Not": [{"Condition": "A"}]}),
        };
        prop_oneof![3 => Just(own), 2 => Just(shared), 1 => Just(switch), 1 => Just(other)]
            .prop_map(move |definition| (name.to_owned(), definition))
    };
    CONDITIONS
        .map(definition)
        .prop_map(|definitions| definitions.into_iter().collect())
}

fn lock() -> impl Strategy<Value = Value> {
    let text = select(WORDS.to_vec());
    let list = proptest::collection::vec(text, 0..3);
    let program = select(vec!["/entry", "/bin/sh", "docker-entrypoint.sh"]);
    let config = (
        proptest::option::of(program),
        list.clone(),
        list,
        select(vec!["", "root", "0", "1000"]),
    );
    proptest::collection::vec(config, IMAGES.len()).prop_map(|configs| {
        let images: Map<String, Value> = IMAGES
            .iter()
            .zip(configs)
            .map(|((_, canonical), (program, more, cmd, user))| {
                let entrypoint: Vec<&str> = program.into_iter().flat_map(|program| [program].into_iter().chain(more.clone())).collect();
                let cmd: Vec<&str> = if entrypoint.is_empty() { ["run"].into_iter().chain(cmd).collect() } else { cmd };
                ((*canonical).to_owned(), json!({"linux/amd64": {"entrypoint": entrypoint, "cmd": cmd, "user": user, "workingDir": ""}}))
            })
            .collect();
        json!({"version": 1, "images": images})
    })
}

/// The value, sometimes under a condition: one of two values, or nothing.
fn conditional(value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let condition = select(CONDITIONS.to_vec());
    let nothing = Just(json!({"Ref": "AWS::NoValue"}));
    let branch = prop_oneof![5 => value.clone(), 2 => nothing.clone()];
    let one = (condition.clone(), value.clone(), branch.clone())
        .prop_map(|(name, yes, no)| json!({"Fn::If": [name, yes, no]}));
    let other = (condition.clone(), nothing, value.clone())
        .prop_map(|(name, yes, no)| json!({"Fn::If": [name, yes, no]}));
    let nested = (condition, one.clone(), branch)
        .prop_map(|(name, yes, no)| json!({"Fn::If": [name, yes, no]}));
    prop_oneof![8 => value, 2 => one, 1 => other, 1 => nested].boxed()
}

/// The value, sometimes one of two under a condition.
fn either(value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let one = (select(CONDITIONS.to_vec()), value.clone(), value.clone())
        .prop_map(|(name, yes, no)| json!({"Fn::If": [name, yes, no]}));
    prop_oneof![4 => value, 1 => one].boxed()
}

fn word() -> BoxedStrategy<Value> {
    let text = select(WORDS.to_vec()).prop_map(|text| json!(text));
    let intrinsic = select(vec![
        json!({"Ref": "AWS::StackName"}),
        json!({"Fn::Select": [0, ["x", "y"]]}),
        json!({"Fn::Sub": "${AWS::Region}-x"}),
        json!(7),
    ]);
    prop_oneof![6 => text, 1 => intrinsic].boxed()
}

fn words() -> BoxedStrategy<Value> {
    let element = prop_oneof![9 => word(), 1 => conditional(word())];
    let list = proptest::collection::vec(element, 0..4)
        .prop_map(Value::Array)
        .boxed();
    let whole = select(vec![
        json!({"Fn::Split": [" ", "go --fast"]}),
        json!({"Ref": "Words"}),
        json!({"Fn::Split": [",", {"Ref": "AWS::StackName"}]}),
    ]);
    conditional(prop_oneof![12 => list, 1 => whole].boxed())
}

fn image() -> BoxedStrategy<Value> {
    let text = select(IMAGES.to_vec()).prop_map(|(image, _)| json!(image));
    let joined = select(IMAGES[1..3].to_vec()).prop_map(|(image, _)| {
        let (name, tag) = image.split_once(':').unwrap_or((image, ""));
        json!({"Fn::Join": [":", [name, tag]]})
    });
    either(prop_oneof![5 => text, 1 => joined].boxed())
}

/// Entries of a list of objects, as objects or under conditions.
fn entries(key: &'static str, names: Vec<Value>, value: Value) -> BoxedStrategy<Value> {
    let names = proptest::sample::subsequence(names.clone(), 0..=names.len());
    let list = (
        names,
        proptest::collection::vec(
            proptest::option::weighted(0.2, select(CONDITIONS.to_vec())),
            4,
        ),
    )
        .prop_map(move |(names, conditions)| {
            let entry = |name: Value| {
                let mut entry = value.clone();
                entry[key] = name;
                entry
            };
            let items =
                names
                    .into_iter()
                    .zip(conditions)
                    .map(|(name, condition)| match condition {
                        Some(condition) => {
                            json!({"Fn::If": [condition, entry(name), {"Ref": "AWS::NoValue"}]})
                        }
                        None => entry(name),
                    });
            items.collect::<Value>()
        });
    conditional(list.boxed())
}

/// The properties of a container that may be there or not, each with how often it is.
fn properties() -> Vec<(&'static str, f64, BoxedStrategy<Value>)> {
    let environment = [
        json!("A"),
        json!("B"),
        json!("LaceworkServerUrl"),
        json!({"Ref": "AFlag"}),
    ];
    let secrets = [json!("DB"), json!("LaceworkAccessToken")];
    let user = select(vec![json!("root"), json!("0"), json!("1000")]).boxed();
    vec![
        (
            "DockerLabels",
            0.5,
            Just(json!({"com.Example": "X", "yes": "no"})).boxed(),
        ),
        ("Command", 0.5, words()),
        ("EntryPoint", 0.5, words()),
        (
            "Environment",
            0.5,
            entries("Name", environment.to_vec(), json!({"Value": "v"})),
        ),
        (
            "Secrets",
            0.3,
            entries("Name", secrets.to_vec(), json!({"ValueFrom": "/db"})),
        ),
        (
            "VolumesFrom",
            0.3,
            entries("SourceContainer", vec![json!("other")], json!({})),
        ),
        (
            "DependsOn",
            0.3,
            entries(
                "ContainerName",
                vec![json!("other")],
                json!({"Condition": "START"}),
            ),
        ),
        ("LinuxParameters", 0.2, linux_parameters()),
        ("User", 0.2, either(user)),
    ]
}

fn linux_parameters() -> BoxedStrategy<Value> {
    let capability = conditional(select(vec![json!("SYS_PTRACE"), json!("KILL")]).boxed());
    let list = proptest::collection::vec(capability, 0..2)
        .prop_map(Value::Array)
        .boxed();
    let capabilities = (conditional(list), any::<bool>()).prop_map(|(add, drop)| match drop {
        true => json!({"Drop": ["ALL"], "Add": add}),
        false => json!({"Add": add}),
    });
    let whole = conditional(capabilities.boxed())
        .prop_map(|capabilities| json!({"InitProcessEnabled": true, "Capabilities": capabilities}));
    conditional(whole.boxed())
}

fn container(name: String) -> impl Strategy<Value = Value> {
    let (keys, values): (Vec<_>, Vec<_>) = properties()
        .into_iter()
        .map(|(key, often, value)| (key, proptest::option::weighted(often, value)))
        .unzip();
    (image(), values).prop_map(move |(image, values)| {
        let mut container = Map::from_iter([
            ("Name".to_owned(), json!(name)),
            ("Image".to_owned(), image),
        ]);
        let present = keys
            .iter()
            .zip(values)
            .filter_map(|(key, value)| Some(((*key).to_owned(), value?)));
        container.extend(present);
        Value::Object(container)
    })
}

/// A container, or one under a condition; names differ.
fn element(index: usize) -> BoxedStrategy<Value> {
    conditional(container(format!("c{index}")).boxed())
}

fn container_definitions() -> BoxedStrategy<Value> {
    let list = (
        element(0),
        proptest::option::of(element(1)),
        proptest::option::weighted(0.2, element(2)),
    )
        .prop_map(|(first, second, third)| {
            [Some(first), second, third]
                .into_iter()
                .flatten()
                .collect::<Value>()
        })
        .boxed();
    let other = list.clone();
    let whole = (select(CONDITIONS.to_vec()), list.clone(), other)
        .prop_map(|(name, yes, no)| json!({"Fn::If": [name, yes, no]}));
    prop_oneof![5 => list, 1 => whole].boxed()
}

fn task_definition() -> impl Strategy<Value = Value> {
    (container_definitions(), any::<bool>(), any::<bool>()).prop_map(|(containers, platform, last)| {
        let mut properties = Map::from_iter([
            ("RequiresCompatibilities".to_owned(), json!(["FARGATE"])),
            ("NetworkMode".to_owned(), json!("awsvpc")),
            ("Cpu".to_owned(), json!(256)),
            ("Memory".to_owned(), json!("512")),
            ("ExecutionRoleArn".to_owned(), json!({"Ref": "ExecutionRole"})),
            ("ContainerDefinitions".to_owned(), containers),
        ]);
        if platform {
            properties.insert("RuntimePlatform".to_owned(), json!({"CpuArchitecture": "X86_64"}));
        }
        if last {
            properties.insert("Family".to_owned(), json!({"Ref": "AWS::StackName"}));
        }
        json!({"Type": "AWS::ECS::TaskDefinition", "Properties": properties, "Metadata": {"Team": "x"}})
    })
}
