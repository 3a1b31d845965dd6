//! An account with services, as moto plays it, behind a proxy that plays their deployments.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use outrigger_tests::servers::{AwsProxy, Call, Moto, Verdict, counted, paged};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const REGION: &str = "eu-central-1";
/// The account of whoever has a key that moto did not give out.
pub(crate) const OWN: &str = "123456789012";

/// What a run of the program left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: Option<i32>,
    pub(crate) stderr: String,
}

impl Ran {
    /// It ended with this code.
    pub(crate) fn ended(&self, code: i32) -> &Ran {
        assert_eq!(self.exit, Some(code), "{}", self.stderr);
        self
    }

    /// It said this.
    pub(crate) fn said(&self, text: &str) -> &Ran {
        assert!(self.stderr.contains(text), "{}", self.stderr);
        self
    }
}

/// AWS, and a folder for plans.
pub(crate) struct Aws {
    pub(crate) moto: Moto,
    pub(crate) proxy: AwsProxy,
    pub(crate) folder: TempDir,
    /// Services, by name, whose new tasks fail.
    failing: Arc<Mutex<BTreeSet<String>>>,
}

/// What images run that the definitions of these tests leave their program to.
pub(crate) const LOCK: &str = r#"{"version": 1, "images": {
  "docker.io/library/nginx:1.27": {"linux/amd64": {"digest": "sha256:1111111111111111111111111111111111111111111111111111111111111111",
    "entrypoint": ["/docker-entrypoint.sh"], "cmd": ["nginx", "-g", "daemon off;"]}},
  "docker.io/library/redis@sha256:2222222222222222222222222222222222222222222222222222222222222222": {"linux/amd64": {
    "digest": "sha256:2222222222222222222222222222222222222222222222222222222222222222",
    "entrypoint": ["docker-entrypoint.sh"], "cmd": ["redis-server"]}}}}"#;

impl Aws {
    /// Starts moto and a proxy; `None` where there is no moto.
    pub(crate) fn start() -> Option<Aws> {
        let moto = Moto::start().unwrap()?;
        let proxy = AwsProxy::start(&moto).unwrap();
        Some(Aws::of(moto, proxy))
    }

    /// Starts a moto that executes state machines, which call it through the proxy.
    pub(crate) fn with_state_machines() -> Option<Aws> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let moto = Moto::with_state_machines(port).unwrap()?;
        let proxy = AwsProxy::on(listener, &moto).unwrap();
        Some(Aws::of(moto, proxy))
    }

    fn of(moto: Moto, proxy: AwsProxy) -> Aws {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("outrigger.lock"), LOCK).unwrap();
        let aws = Aws {
            moto,
            proxy,
            folder,
            failing: Arc::default(),
        };
        aws.undisturbed();
        aws
    }

    /// Deployments become steady at once, or fail, and lists come in pages; nothing else is changed.
    pub(crate) fn undisturbed(&self) {
        self.disturbed(|_| None);
    }

    /// The same, but for the calls that are judged here.
    pub(crate) fn disturbed(
        &self,
        judge: impl Fn(&Call) -> Option<Verdict> + Send + Sync + 'static,
    ) {
        let failing = Arc::clone(&self.failing);
        self.proxy
            .judge(move |call| judge(call).unwrap_or_else(|| deployed(call, &failing)));
    }

    /// The new tasks of this service fail from now on.
    pub(crate) fn fails(&self, service: &str) {
        self.failing.lock().unwrap().insert(service.to_owned());
    }

    pub(crate) fn ecs(&self, action: &str, input: &Value) -> Value {
        self.ecs_as("key", REGION, action, input)
    }

    pub(crate) fn ecs_as(&self, key: &str, region: &str, action: &str, input: &Value) -> Value {
        let target = format!("AmazonEC2ContainerServiceV20141113.{action}");
        self.moto
            .json((key, region), ("ecs", &target), input)
            .unwrap()
    }

    pub(crate) fn cluster(&self, name: &str) -> String {
        let made = self.ecs("CreateCluster", &json!({"clusterName": name}));
        made["cluster"]["clusterArn"].as_str().unwrap().to_owned()
    }

    /// Registers a definition, and gives its ARN.
    pub(crate) fn register(&self, definition: &Value) -> String {
        let made = self.ecs("RegisterTaskDefinition", definition);
        made["taskDefinition"]["taskDefinitionArn"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A service on Fargate.
    pub(crate) fn service(&self, cluster: &str, name: &str, definition: &str) {
        let more = json!({"launchType": "FARGATE"});
        self.service_with(cluster, name, definition, &more);
    }

    pub(crate) fn service_with(&self, cluster: &str, name: &str, definition: &str, more: &Value) {
        let mut input = json!({
            "cluster": cluster, "serviceName": name, "taskDefinition": definition,
            "desiredCount": 2, "tags": [{"key": "team", "value": "a"}],
        });
        for (key, value) in more.as_object().unwrap() {
            input[key] = value.clone();
        }
        self.ecs("CreateService", &input);
    }

    /// The definition that a service runs.
    pub(crate) fn runs(&self, cluster: &str, service: &str) -> String {
        let input = json!({"cluster": cluster, "services": [service]});
        let described = self.ecs("DescribeServices", &input);
        let runs = described["services"][0]["taskDefinition"].as_str().unwrap();
        runs.rsplit('/').next().unwrap().to_owned()
    }

    /// A definition with its tags, without what ECS alone decides.
    pub(crate) fn definition(&self, name: &str) -> Value {
        let input = json!({"taskDefinition": name, "include": ["TAGS"]});
        let mut described = self.ecs("DescribeTaskDefinition", &input);
        let task = described["taskDefinition"].as_object_mut().unwrap();
        for own in [
            "taskDefinitionArn",
            "revision",
            "registeredAt",
            "registeredBy",
        ] {
            task.remove(own);
        }
        described.as_object_mut().unwrap().remove("failures");
        described
    }

    /// How many revisions a family has, inactive ones too.
    pub(crate) fn revisions(&self, family: &str) -> usize {
        let of = |status| {
            let input = json!({"familyPrefix": family, "status": status});
            let listed = self.ecs("ListTaskDefinitions", &input);
            listed["taskDefinitionArns"].as_array().unwrap().len()
        };
        of("ACTIVE") + of("INACTIVE")
    }

    /// The program, with nothing of this process's environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.alone(env!("CARGO_BIN_EXE_fleet-under-test"));
        command.args(args);
        command
    }

    /// Runs the program to its end, and gives how many megabytes it had, and how many milliseconds it took.
    pub(crate) fn measured(&self, args: &[&str]) -> (u64, u64) {
        let mut command = self.alone(env!("CARGO_BIN_EXE_peak-memory"));
        let program = env!("CARGO_BIN_EXE_fleet-under-test");
        command.args(["measured", program]).args(args);
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{stderr}");
        let measured = std::fs::read_to_string(self.path("measured")).unwrap();
        let (bytes, time) = measured.split_once(' ').unwrap();
        (bytes.parse::<u64>().unwrap() >> 20, time.parse().unwrap())
    }

    fn alone(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .envs(counted())
            .env("HOME", self.folder.path())
            .env("AWS_ENDPOINT_URL", self.proxy.url())
            .env("AWS_ACCESS_KEY_ID", "key")
            .env("AWS_SECRET_ACCESS_KEY", "canary-5ecret")
            .env("AWS_REGION", REGION)
            .env("OUTRIGGER_EXTERNAL_ID", "canary-external")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn fleet(&self, args: &[&str]) -> Ran {
        let output = self.command(args).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("canary"), "{stderr}");
        Ran {
            exit: output.status.code(),
            stderr,
        }
    }

    /// Plans with the recipe that wraps, and gives the plan.
    pub(crate) fn plan(&self, more: &[&str]) -> (Ran, Value) {
        let args = [&["plan", "-o", "plan.json"][..], LACEWORK, more].concat();
        let _ = std::fs::remove_file(self.path("plan.json.journal"));
        let ran = self.fleet(&args);
        assert!(self.path("plan.json").exists(), "{}", ran.stderr);
        (ran, self.json("plan.json"))
    }

    /// Applies the plan.
    pub(crate) fn apply(&self, more: &[&str]) -> Ran {
        self.fleet(&[&["apply", "plan.json", "--poll", "0"][..], SECRET, more].concat())
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        Path::new(self.folder.path()).join(name)
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }
}

/// What the recipe that wraps is given.
pub(crate) const SECRET: &[&str] = &["--set", "accessToken=canary-token", "--offline"];
/// A recipe that adds `SYS_PTRACE`, without a network.
pub(crate) const SYSDIG: &[&str] = &[
    "--recipe",
    "sysdig",
    "--set",
    "accessKey=canary",
    "--set",
    "collectorHost=h",
    "--set",
    "collectorPort=6443",
    "--locked",
];
/// The recipe that wraps, without a network.
pub(crate) const LACEWORK: &[&str] = &[
    "--recipe",
    "lacework",
    "--set",
    "accessToken=canary-token",
    "--locked",
];

/// Outcomes of a report's targets, by the name of the target.
pub(crate) fn outcomes(report: &Value) -> BTreeMap<String, String> {
    let shards = report["shards"].as_array().unwrap().iter();
    let targets = shards.flat_map(|shard| shard["targets"].as_array().unwrap());
    let one = |applied: &Value| {
        let target = &applied["target"];
        let name = ["service", "rule", "name", "family"];
        let name = name.iter().find_map(|key| target[key].as_str()).unwrap();
        let name = name.rsplit('/').next().unwrap().to_owned();
        (name, applied["outcome"].as_str().unwrap().to_owned())
    };
    targets.map(one).collect()
}

/// A definition whose program stands in it.
pub(crate) fn plain(family: &str) -> Value {
    json!({
        "family": family, "cpu": "512", "memory": "1024", "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
        "containerDefinitions": [{
            "name": "app", "image": "nginx:1.27", "entryPoint": ["/bin/app"], "command": ["serve", "--port", "80"],
            "environment": [{"name": "PASSWORD", "value": "canary-environment"}],
        }],
        "tags": [{"key": "team", "value": "a"}, {"key": "cost", "value": "7"}],
    })
}

/// A definition that leaves its program to its image.
pub(crate) fn from_image(family: &str) -> Value {
    let mut definition = plain(family);
    let container = definition["containerDefinitions"][0]
        .as_object_mut()
        .unwrap();
    container.remove("entryPoint");
    container.remove("command");
    definition
}

/// What registers a definition again as it is described.
pub(crate) fn registrable(described: &Value) -> Value {
    let mut task = described["taskDefinition"].clone();
    for own in ["status", "compatibilities", "requiresAttributes"] {
        task.as_object_mut().unwrap().remove(own);
    }
    task["tags"] = described["tags"].clone();
    task
}

/// What moto would not say of services: how their deployments stand.
fn deployed(call: &Call, failing: &Arc<Mutex<BTreeSet<String>>>) -> Verdict {
    let token = call.text("nextToken").to_owned();
    match call.action.as_str() {
        "ecs:ListServices" => Verdict::Change(Box::new(move |answer| {
            paged(answer, ("serviceArns", "nextToken"), &token, 100)
        })),
        "ecs:DescribeServices" => {
            let listed = call.input["services"].as_array().map_or(0, Vec::len);
            if listed > 10 {
                let error = json!({"__type": "InvalidParameterException", "message": "services can have at most 10 items"});
                return Verdict::Answer(400, error);
            }
            let failing = failing.lock().unwrap().clone();
            Verdict::Change(Box::new(move |mut answer| {
                for service in answer["services"].as_array_mut().unwrap() {
                    deploy(service, &failing);
                }
                answer
            }))
        }
        "ecs:ListTasks" => {
            let service = call.text("serviceName").to_owned();
            let tasks = match failing.lock().unwrap().contains(&service) {
                true => json!([format!("arn:aws:ecs:{REGION}:{OWN}:task/{service}/1")]),
                false => json!([]),
            };
            Verdict::Answer(200, json!({"taskArns": tasks}))
        }
        _ => Verdict::Pass,
    }
}

fn deploy(service: &mut Value, failing: &BTreeSet<String>) {
    let runs = service["taskDefinition"].clone();
    let name = service["serviceName"].as_str().unwrap_or_default();
    let first = runs.as_str().is_some_and(|runs| runs.ends_with(":1"));
    let fails = failing.contains(name) && !first;
    let desired = service["desiredCount"].clone();
    let (state, running, failed) = match fails {
        true => ("IN_PROGRESS", json!(0), 3),
        false => ("COMPLETED", desired.clone(), 0),
    };
    service["deployments"] = json!([{
        "id": "ecs-svc/1", "status": "PRIMARY", "taskDefinition": runs, "rolloutState": state,
        "desiredCount": desired, "runningCount": running, "failedTasks": failed,
    }]);
    service["runningCount"] = running;
}
