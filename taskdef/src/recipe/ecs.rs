//! The settings that a recipe may state: names and types of the
//! [ECS API](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html).

/// What a setting's value has to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A list.
    List(&'static Shape),
    /// An object with these keys.
    Object(&'static [(&'static str, Shape)]),
    /// An object whose keys are the user's and whose values are texts.
    Texts,
    /// An object or a text: `logConfiguration` may be the word `inherit`.
    OrInherit(&'static [(&'static str, Shape)]),
}

/// Lists whose entries have a natural key.
pub(crate) const NATURAL_KEYS: &[(&str, &str)] = &[
    ("environment", "name"),
    ("secrets", "name"),
    ("volumesFrom", "sourceContainer"),
    ("dependsOn", "containerName"),
    ("mountPoints", "containerPath"),
    ("portMappings", "containerPort"),
    ("ulimits", "name"),
    ("extraHosts", "hostname"),
    ("systemControls", "namespace"),
    ("resourceRequirements", "type"),
    ("volumes", "name"),
];

/// Names in a container definition that differ from those of the ECS API in the case of letters
/// only, each with the right one.
pub(crate) fn other_letter_case(container: &serde_json::Value) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    collect(container, &Object(CONTAINER), &mut found);
    found
}

fn collect(value: &serde_json::Value, shape: &Shape, found: &mut Vec<(String, &'static str)>) {
    match (shape, value) {
        (List(shape), serde_json::Value::Array(items)) => {
            items.iter().for_each(|item| collect(item, shape, found));
        }
        (Object(known) | OrInherit(known), serde_json::Value::Object(map)) => {
            for (key, value) in map {
                let mut known = known.iter();
                match known.find(|(name, _)| name.eq_ignore_ascii_case(key)) {
                    Some((name, shape)) if name == key => collect(value, shape, found),
                    Some((name, _)) => found.push((key.clone(), name)),
                    None => {}
                }
            }
        }
        _ => {}
    }
}

use Shape::{Boolean, Integer, List, Object, OrInherit, Text, Texts};

const NAME_VALUE: Shape = Object(&[("name", Text), ("value", Text)]);
const NAME_VALUE_FROM: Shape = Object(&[("name", Text), ("valueFrom", Text)]);

/// A container definition.
pub(super) const CONTAINER: &[(&str, Shape)] = &[
    ("name", Text),
    ("image", Text),
    (
        "repositoryCredentials",
        Object(&[("credentialsParameter", Text)]),
    ),
    ("cpu", Integer),
    ("memory", Integer),
    ("memoryReservation", Integer),
    ("links", List(&Text)),
    ("portMappings", List(&PORT_MAPPING)),
    ("essential", Boolean),
    ("restartPolicy", RESTART_POLICY),
    ("entryPoint", List(&Text)),
    ("command", List(&Text)),
    ("environment", List(&NAME_VALUE)),
    (
        "environmentFiles",
        List(&Object(&[("value", Text), ("type", Text)])),
    ),
    ("mountPoints", List(&MOUNT_POINT)),
    (
        "volumesFrom",
        List(&Object(&[("sourceContainer", Text), ("readOnly", Boolean)])),
    ),
    ("linuxParameters", LINUX_PARAMETERS),
    ("secrets", List(&NAME_VALUE_FROM)),
    (
        "dependsOn",
        List(&Object(&[("containerName", Text), ("condition", Text)])),
    ),
    ("startTimeout", Integer),
    ("stopTimeout", Integer),
    ("versionConsistency", Text),
    ("hostname", Text),
    ("user", Text),
    ("workingDirectory", Text),
    ("disableNetworking", Boolean),
    ("privileged", Boolean),
    ("readonlyRootFilesystem", Boolean),
    ("dnsServers", List(&Text)),
    ("dnsSearchDomains", List(&Text)),
    (
        "extraHosts",
        List(&Object(&[("hostname", Text), ("ipAddress", Text)])),
    ),
    ("dockerSecurityOptions", List(&Text)),
    ("interactive", Boolean),
    ("pseudoTerminal", Boolean),
    ("dockerLabels", Texts),
    ("ulimits", List(&ULIMIT)),
    ("logConfiguration", OrInherit(LOG_CONFIGURATION)),
    ("healthCheck", HEALTH_CHECK),
    (
        "systemControls",
        List(&Object(&[("namespace", Text), ("value", Text)])),
    ),
    (
        "resourceRequirements",
        List(&Object(&[("value", Text), ("type", Text)])),
    ),
    (
        "firelensConfiguration",
        Object(&[("type", Text), ("options", Texts)]),
    ),
    ("credentialSpecs", List(&Text)),
];

const PORT_MAPPING: Shape = Object(&[
    ("containerPort", Integer),
    ("hostPort", Integer),
    ("protocol", Text),
    ("name", Text),
    ("appProtocol", Text),
    ("containerPortRange", Text),
]);

const RESTART_POLICY: Shape = Object(&[
    ("enabled", Boolean),
    ("ignoredExitCodes", List(&Integer)),
    ("restartAttemptPeriod", Integer),
]);

const MOUNT_POINT: Shape = Object(&[
    ("sourceVolume", Text),
    ("containerPath", Text),
    ("readOnly", Boolean),
]);

const LINUX_PARAMETERS: Shape = Object(&[
    (
        "capabilities",
        Object(&[("add", List(&Text)), ("drop", List(&Text))]),
    ),
    ("devices", List(&DEVICE)),
    ("initProcessEnabled", Boolean),
    ("sharedMemorySize", Integer),
    ("tmpfs", List(&TMPFS)),
    ("maxSwap", Integer),
    ("swappiness", Integer),
]);

const DEVICE: Shape = Object(&[
    ("hostPath", Text),
    ("containerPath", Text),
    ("permissions", List(&Text)),
]);

const TMPFS: Shape = Object(&[
    ("containerPath", Text),
    ("size", Integer),
    ("mountOptions", List(&Text)),
]);

const ULIMIT: Shape = Object(&[
    ("name", Text),
    ("softLimit", Integer),
    ("hardLimit", Integer),
]);

const LOG_CONFIGURATION: &[(&str, Shape)] = &[
    ("logDriver", Text),
    ("options", Texts),
    ("secretOptions", List(&NAME_VALUE_FROM)),
];

const HEALTH_CHECK: Shape = Object(&[
    ("command", List(&Text)),
    ("interval", Integer),
    ("timeout", Integer),
    ("retries", Integer),
    ("startPeriod", Integer),
]);

/// What the process and the recipe's own keys decide, and a workload's settings therefore cannot.
pub(super) const NOT_IN_WORKLOAD: &[&str] = &[
    "name",
    "image",
    "entryPoint",
    "command",
    "workingDirectory",
    "essential",
];

/// The part of a task definition that a recipe may state.
pub(super) const TASK: &[(&str, Shape)] = &[
    ("pidMode", Text),
    ("ipcMode", Text),
    ("volumes", List(&VOLUME)),
    ("ephemeralStorage", Object(&[("sizeInGiB", Integer)])),
];

const VOLUME: Shape = Object(&[
    ("name", Text),
    ("host", Object(&[("sourcePath", Text)])),
    ("configuredAtLaunch", Boolean),
    ("dockerVolumeConfiguration", DOCKER_VOLUME),
    ("efsVolumeConfiguration", EFS_VOLUME),
]);

const DOCKER_VOLUME: Shape = Object(&[
    ("scope", Text),
    ("autoprovision", Boolean),
    ("driver", Text),
    ("driverOpts", Texts),
    ("labels", Texts),
]);

const EFS_VOLUME: Shape = Object(&[
    ("fileSystemId", Text),
    ("rootDirectory", Text),
    ("transitEncryption", Text),
    ("transitEncryptionPort", Integer),
    (
        "authorizationConfig",
        Object(&[("accessPointId", Text), ("iam", Text)]),
    ),
]);
