//! The promise, judged from the output alone: every container that was wrapped runs
//! the wrapper and then what it ran before, whatever the template's conditions say.

use serde_json::{Map, Value, json};

use crate::conditions::{Assignment, intrinsic, possible, under, used};
use crate::document::{at, container_definitions, task_definitions};
use crate::process::{Words, effective, list};
use crate::{ecs, lock, shell};

/// What a recipe puts in front of a program.
#[derive(Clone, Copy, Debug)]
pub struct Wrapper<'a> {
    /// The words in front of the program's own.
    pub prefix: &'a [&'a str],
    /// The start of a shell's script, where the recipe joins for a shell; it ends in ` && exec `.
    pub script: Option<&'a str>,
    /// The name of the sidecar.
    pub sidecar: &'a str,
}

/// Lacework's wrapper.
pub const LACEWORK: Wrapper<'_> = Wrapper {
    prefix: &["/var/lib/lacework-backup/lacework-sidecar.sh"],
    script: Some("sudo -E /var/lib/lacework-backup/lacework-sidecar.sh && exec "),
    sidecar: "datacollector-sidecar",
};

/// Deepfence's wrapper.
pub const DEEPFENCE: Wrapper<'_> = Wrapper {
    prefix: &["/deepfence/usr/local/bin/deepfence-entry-point-scratch.sh"],
    script: None,
    sidecar: "deepfence-agent",
};

/// Sysdig's wrapper.
pub const SYSDIG: Wrapper<'_> = Wrapper {
    prefix: &["/opt/draios/bin/instrument"],
    script: None,
    sidecar: "SysdigInstrumentation",
};

/// Prisma Cloud's wrapper.
pub const PRISMA_CLOUD: Wrapper<'_> = Wrapper {
    prefix: &[
        "/var/lib/twistlock/fargate/defender",
        "fargate",
        "entrypoint",
    ],
    script: None,
    sidecar: "TwistlockDefender",
};

impl Wrapper<'static> {
    /// The wrapper of a built-in recipe that wraps.
    pub fn of(recipe: &str) -> Option<&'static Wrapper<'static>> {
        match recipe {
            "deepfence" => Some(&DEEPFENCE),
            "lacework" => Some(&LACEWORK),
            "prisma-cloud" => Some(&PRISMA_CLOUD),
            "sysdig" => Some(&SYSDIG),
            _ => None,
        }
    }
}

/// Keys of a container definition that a recipe may touch; the others stay.
const TOUCHED: [&str; 9] = [
    "entryPoint",
    "command",
    "environment",
    "secrets",
    "volumesFrom",
    "dependsOn",
    "linuxParameters",
    "user",
    "image",
];

/// What was found by [`judge`].
#[derive(Debug, Default)]
pub struct Verdict {
    /// Task definitions in the input.
    pub task_definitions: usize,
    /// Containers (counted once for every assignment of the conditions) that were compared.
    pub containers: usize,
    /// Containers (counted once for every assignment of the conditions) that carry the wrapper and keep the law.
    pub wrapped: usize,
    /// Containers whose image config is not at hand.
    pub not_judged: usize,
    /// Violations.
    pub broken: Vec<String>,
}

/// Compares the task definitions of two documents, under every assignment of the conditions used that
/// the template allows.
pub fn judge(input: &Value, output: &Value, lock: &Value, wrapper: &Wrapper<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    for (path, before) in task_definitions(input) {
        verdict.task_definitions += 1;
        let Some(after) = at(output, &path) else {
            verdict.broken.push(format!("{path}: gone"));
            continue;
        };
        let (old, new) = (container_definitions(before), container_definitions(after));
        let mut names = used(old);
        names.extend(used(new));
        let arm = text(after, &["Properties", "RuntimePlatform", "CpuArchitecture"]) == "ARM64";
        let place = Place {
            path: &path,
            lock,
            wrapper,
            architecture: if arm { "arm64" } else { "amd64" },
        };
        for assignment in possible(input, &names) {
            place.containers(old, new, &assignment, &mut verdict);
        }
    }
    verdict
}

fn text<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    path.iter()
        .try_fold(value, |value, key| value.get(key))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A text, or texts that are joined.
fn literal(image: &Value) -> Option<String> {
    if let Some(("Fn::Join", join)) = intrinsic(image) {
        let parts: Option<Vec<&str>> = join.get(1)?.as_array()?.iter().map(Value::as_str).collect();
        return Some(parts?.join(join.get(0)?.as_str()?));
    }
    image.as_str().map(str::to_owned)
}

struct Place<'a> {
    path: &'a str,
    lock: &'a Value,
    wrapper: &'a Wrapper<'a>,
    architecture: &'static str,
}

impl Place<'_> {
    fn containers(&self, old: &Value, new: &Value, assignment: &Assignment, verdict: &mut Verdict) {
        let settle =
            |value| under(value, assignment).map(|value| ecs::container_definitions(&value));
        let (Some(Value::Array(old)), Some(Value::Array(new))) = (settle(old), settle(new)) else {
            return;
        };
        let new: Vec<&Map<String, Value>> = new.iter().filter_map(Value::as_object).collect();
        let old: Vec<&Map<String, Value>> = old.iter().filter_map(Value::as_object).collect();
        let sidecar = json!(self.wrapper.sidecar);
        let own = |containers: Vec<&'_ Map<String, Value>>| {
            let own = containers.into_iter();
            own.filter(|container| container.get("name") != Some(&sidecar))
                .cloned()
                .collect::<Vec<_>>()
        };
        let (old, new) = (own(old), own(new));
        // What other recipes of the run added stands behind.
        if old.len() > new.len() {
            verdict.broken.push(format!(
                "{}: {} containers have become {}",
                self.path,
                old.len(),
                new.len()
            ));
        }
        for (before, after) in old.iter().zip(&new) {
            self.container(before, after, assignment, verdict);
        }
    }

    fn container(
        &self,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
        assignment: &Assignment,
        verdict: &mut Verdict,
    ) {
        verdict.containers += 1;
        let name = before.get("name").map(Value::to_string).unwrap_or_default();
        let mut broken = |what: &str| {
            verdict.broken.push(format!(
                "{} container {name} under {assignment:?}: {what}",
                self.path
            ))
        };
        let (before, after) = (&without_markers(before), &without_markers(after));
        for key in before.keys().chain(after.keys()) {
            if !TOUCHED.contains(&key.as_str()) && before.get(key) != after.get(key) {
                broken(&format!("`{key}` has changed"));
            }
        }
        let process = |container| (list(container, "entryPoint"), list(container, "command"));
        if process(before) == process(after) && before.get("image") == after.get("image") {
            return;
        }
        let config = after
            .get("image")
            .and_then(literal)
            .and_then(|image| lock::config(self.lock, &image, self.architecture));
        let (Some(ran), Some(runs)) = (
            effective(before, config.as_ref()),
            effective(after, config.as_ref()),
        ) else {
            verdict.not_judged += 1;
            return;
        };
        if self.keeps(&ran, &runs) {
            verdict.wrapped += 1;
        } else {
            broken(&format!("ran {}, runs {}", json!(ran), json!(runs)));
        }
    }

    /// Whether the new process is the wrapper and then the old one.
    fn keeps(&self, ran: &Words, runs: &Words) -> bool {
        let prefix: Words = self.wrapper.prefix.iter().map(|word| json!(word)).collect();
        if *runs == [prefix, ran.clone()].concat() {
            return true;
        }
        let (Some(script), [shell, flag, line]) = (self.wrapper.script, runs.as_slice()) else {
            return false;
        };
        let joined = line
            .as_str()
            .and_then(|line| line.strip_prefix(script))
            .and_then(shell::words);
        [shell, flag] == [&json!("sh"), &json!("-c")]
            && joined.is_some_and(|words| json!(words) == json!(ran))
    }
}

/// A container without the labels that mark a recipe.
fn without_markers(container: &Map<String, Value>) -> Map<String, Value> {
    let mut container = container.clone();
    if let Some(Value::Object(labels)) = container.get_mut("dockerLabels") {
        labels.retain(|key, _| !key.starts_with("outrigger."));
        if labels.is_empty() {
            container.remove("dockerLabels");
        }
    }
    container
}
