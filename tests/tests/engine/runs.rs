//! Container definitions given to the engine as ECS gives them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use outrigger_tests::servers::{Ended, Engine};
use serde_json::{Map, Value, json};

/// Several run at once: most of the time a container waits for its supervisors.
const AT_ONCE: usize = 4;

/// The containers of sidecars, which are made once and never run: a volume is all that is needed of them.
#[derive(Default)]
pub(crate) struct Sidecars(BTreeMap<String, String>);

impl Sidecars {
    /// The ID of the container with this definition.
    fn id(&mut self, engine: &Engine, definition: &Map<String, Value>) -> String {
        let request = request(definition, &[]);
        let made = || engine.create(&request).unwrap().unwrap();
        self.0
            .entry(request.to_string())
            .or_insert_with(made)
            .clone()
    }
}

/// What the engine is asked for the first of these containers; the others are its sidecars.
pub(crate) fn request_of_first(
    engine: &Engine,
    sidecars: &mut Sidecars,
    containers: &[Map<String, Value>],
) -> Value {
    let (container, others) = containers.split_first().unwrap();
    let volumes = container.get("volumesFrom").and_then(Value::as_array);
    let volumes = volumes.into_iter().flatten().map(|volume| {
        let is_source = |other: &&Map<String, Value>| other["name"] == volume["sourceContainer"];
        let id = sidecars.id(engine, others.iter().find(is_source).unwrap());
        match volume.get("readOnly") == Some(&json!(true)) {
            true => format!("{id}:ro"),
            false => id,
        }
    });
    let volumes: Vec<String> = volumes.collect();
    request(container, &volumes)
}

/// `POST /containers/create` for a container definition, as the ECS agent fills it in. An empty entry
/// point counts as absent; a secret's value is where it comes from.
fn request(container: &Map<String, Value>, volumes: &[String]) -> Value {
    let mut request = json!({
        "Hostname": "app",
        "Image": container["image"],
        "HostConfig": {"NetworkMode": "none", "VolumesFrom": volumes},
    });
    for (setting, key) in [
        ("entryPoint", "Entrypoint"),
        ("command", "Cmd"),
        ("user", "User"),
        ("workingDirectory", "WorkingDir"),
    ] {
        let empty = setting == "entryPoint" && container.get(setting) == Some(&json!([]));
        if let Some(value) = container.get(setting).filter(|_| !empty) {
            request[key] = value.clone();
        }
    }
    let variables = [("environment", "value"), ("secrets", "valueFrom")].map(|(list, value)| {
        let list = container
            .get(list)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        list.map(move |item| {
            format!(
                "{}={}",
                item["name"].as_str().unwrap(),
                item[value].as_str().unwrap()
            )
        })
    });
    request["Env"] = variables.into_iter().flatten().collect();
    if let Some(added) = container.get("linuxParameters") {
        request["HostConfig"]["CapAdd"] = added["capabilities"]["add"].clone();
    }
    request
}

/// What became of each container.
pub(crate) struct Runs(BTreeMap<String, Ended>);

impl Runs {
    /// Runs each of them once.
    pub(crate) fn of<'r>(engine: &Engine, requests: impl IntoIterator<Item = &'r Value>) -> Self {
        let requests: BTreeMap<String, &Value> = requests
            .into_iter()
            .map(|request| (request.to_string(), request))
            .collect();
        let ended = Mutex::new(BTreeMap::new());
        let left = Mutex::new(requests.into_iter());
        let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while let Some((key, request)) = next() {
                        let end = engine.run(request).unwrap();
                        ended
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .insert(key, end);
                    }
                });
            }
        });
        Self(ended.into_inner().unwrap())
    }

    pub(crate) fn ended(&self, request: &Value) -> &Ended {
        &self.0[&request.to_string()]
    }

    /// How many containers there were.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}
