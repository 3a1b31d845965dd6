//! The inputs that every recipe takes, and what they do.

use serde_json::{Map, Value, json};

use super::Arrangement;
use super::error::InputError;
use super::input::{BoundInputs, InputDeclaration, InputType, InputValue};

/// The inputs that a recipe has without declaring them. A recipe that declares one of these
/// names adds to it: a default, or that it is required.
pub(super) fn declarations(wraps: bool, sidecars: bool) -> Vec<InputDeclaration> {
    let input = |name: &str, kind, description: &str| InputDeclaration {
        name: name.to_owned(),
        description: description.to_owned(),
        kind,
        default: None,
        required: false,
        required_when: None,
        forbidden_when: None,
        secret: false,
        secret_key: None,
        names_containers: false,
        allowed: Vec::new(),
        may_be_empty: false,
    };
    let mut inputs = Vec::new();
    if sidecars {
        inputs.extend([
            input("image", InputType::Text, "image of the agent"),
            input("sidecarCpu", InputType::Size, "CPU units of the sidecar"),
            input(
                "sidecarMemory",
                InputType::Size,
                "memory limit of the sidecar, in MiB",
            ),
            input(
                "sidecarMemoryReservation",
                InputType::Size,
                "memory kept for the sidecar, in MiB",
            ),
            input(
                "sidecarEssential",
                InputType::Boolean,
                "whether the task stops when the sidecar stops",
            ),
            input(
                "registryCredentials",
                InputType::Text,
                "ARN of the secret with which ECS pulls the agent's image",
            ),
        ]);
    }
    inputs.push(input(
        "executionRole",
        InputType::Text,
        "ARN of the task execution role, for a task definition that has none",
    ));
    if wraps {
        let allowed = ["prefix", "command", "entry-point", "none"];
        inputs.push(InputDeclaration {
            allowed: allowed.map(str::to_owned).to_vec(),
            ..input(
                "arrangement",
                InputType::Text,
                "where the wrapper and the program go",
            )
        });
    }
    inputs
}

fn given<'a>(inputs: &'a BoundInputs, name: &str) -> Option<&'a Value> {
    match inputs.get(name)?.as_ref()? {
        InputValue::Plain(value) | InputValue::ValueFrom(value) => Some(value),
    }
}

/// The image of the first sidecar, when the recipe does not state it otherwise.
pub(super) fn image(inputs: &BoundInputs) -> Option<&Value> {
    given(inputs, "image")
}

/// Puts the common inputs into the definition of the first sidecar.
pub(super) fn apply(inputs: &BoundInputs, sidecar: &mut Map<String, Value>) {
    let settings = [
        ("sidecarCpu", "cpu"),
        ("sidecarMemory", "memory"),
        ("sidecarMemoryReservation", "memoryReservation"),
        ("sidecarEssential", "essential"),
    ];
    for (input, key) in settings {
        if let Some(value) = given(inputs, input) {
            sidecar.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(value) = given(inputs, "registryCredentials") {
        let credentials = json!({"credentialsParameter": value});
        sidecar.insert("repositoryCredentials".to_owned(), credentials);
    }
}

/// The execution role that the user gives to task definitions.
pub(super) fn execution_role(inputs: &BoundInputs) -> Option<&Value> {
    given(inputs, "executionRole")
}

/// The program itself acts on `arrangement`, so it has to know it.
pub(super) fn check_arrangement(inputs: &BoundInputs) -> Option<InputError> {
    let given = given(inputs, "arrangement")?;
    let name = "arrangement".to_owned();
    let expected = "a text, not an intrinsic function";
    (!given.is_string()).then_some(InputError::WrongType { name, expected })
}

/// The arrangement of a process: the user may choose another in place of `prefix`.
pub(super) fn arrangement(inputs: &BoundInputs, stated: Arrangement) -> Arrangement {
    match (stated, given(inputs, "arrangement").and_then(Value::as_str)) {
        (Arrangement::Prefix, Some("command")) => Arrangement::Command,
        (Arrangement::Prefix, Some("entry-point")) => Arrangement::EntryPoint,
        (Arrangement::Prefix, Some("none")) => Arrangement::None,
        (stated, _) => stated,
    }
}
