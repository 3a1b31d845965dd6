//! What Terraform is told of the provider.

use crate::protocol::Type;
use crate::protocol::schema::{Attribute, Block, Function, Mode, Parameter, Schemas};

/// The data source that asks registries, and the one that reads a lock file.
pub(crate) const IMAGES: &str = "outrigger_images";
pub(crate) const LOCK: &str = "outrigger_lock";
/// The functions.
pub(crate) const INSTRUMENT: &str = "instrument";
pub(crate) const INSTRUMENT_TASK: &str = "instrument_task";

/// The container definitions, as JSON.
pub(crate) const CONTAINER_DEFINITIONS: &str = "container_definitions";

pub(crate) fn schemas() -> Schemas {
    Schemas {
        provider: configuration(),
        data_sources: [(IMAGES.to_owned(), images()), (LOCK.to_owned(), lock())].into(),
        functions: [
            (INSTRUMENT.to_owned(), instrument()),
            (INSTRUMENT_TASK.to_owned(), instrument_task()),
        ]
        .into(),
        ..Schemas::default()
    }
}

fn texts() -> Type {
    Type::list(Type::String)
}

/// Image configs in the form of a lock file's `images`: by reference, then by platform.
pub(crate) fn table() -> Type {
    Type::map(Type::map(Type::object([
        ("digest", Type::String),
        ("entrypoint", texts()),
        ("cmd", texts()),
        ("user", Type::String),
        ("workingDir", Type::String),
    ])))
}

/// What `instrument_task` returns.
pub(crate) fn task() -> Type {
    Type::object([
        (CONTAINER_DEFINITIONS, Type::String),
        ("cpu", Type::String),
        ("memory", Type::String),
        ("network_mode", Type::String),
        ("pid_mode", Type::String),
        ("ipc_mode", Type::String),
        ("execution_role_arn", Type::String),
        ("task_role_arn", Type::String),
        (
            "volumes",
            Type::list(Type::object([
                ("name", Type::String),
                ("host_path", Type::String),
            ])),
        ),
    ])
}

fn configuration() -> Block {
    let optional =
        |name, kind, description| Attribute::new(name, kind, Mode::Optional, description);
    Block {
        description: "How the data source `outrigger_images` asks registries. Functions do not see it.",
        attributes: vec![
            optional(
                "mirrors",
                texts(),
                "Hosts that are asked in place of a registry: `REGISTRY=HOST[/PREFIX]`",
            ),
            optional(
                "allowed_registries",
                texts(),
                "The only registries that are asked; all, when absent",
            ),
            optional(
                "allowed_realms",
                texts(),
                "Token servers on other hosts that may see a registry's credentials: `REGISTRY=HOST`",
            ),
            optional(
                "insecure_registries",
                texts(),
                "Registries that may be on this machine, and may be spoken to without TLS",
            ),
            optional(
                "ca_bundle",
                Type::String,
                "File of certificates (PEM) to trust besides those of the system",
            ),
            optional(
                "auth_file",
                Type::String,
                "File of credentials in the form of docker's `config.json`",
            ),
            optional(
                "timeout",
                Type::Number,
                "How many seconds all lookups of a data source may take together; 120, when absent",
            ),
        ],
        blocks: Vec::new(),
    }
}

fn images() -> Block {
    Block {
        description: "What images run, asked of their registries.",
        attributes: vec![
            Attribute::new(
                "images",
                texts(),
                Mode::Required,
                "Image references, as container definitions give them",
            ),
            Attribute::new(
                "cpu_architecture",
                Type::String,
                Mode::Optional,
                "`X86_64` or `ARM64`, as the task definition states it; when absent, all Linux platforms of an image have to agree",
            ),
            Attribute::new(
                "table",
                table(),
                Mode::Computed,
                "For `images` in the argument `config` of a function",
            ),
        ],
        blocks: Vec::new(),
    }
}

fn lock() -> Block {
    Block {
        description: "What images run, from a lock file that `cfn-filter lock` wrote.",
        attributes: vec![
            Attribute::new("path", Type::String, Mode::Required, "The lock file"),
            Attribute::new(
                "table",
                table(),
                Mode::Computed,
                "For `images` in the argument `config` of a function",
            ),
        ],
        blocks: Vec::new(),
    }
}

fn config_parameter() -> Parameter {
    Parameter {
        name: "config",
        kind: Type::Dynamic,
        description: "`{ recipe, inputs, images, policies }`",
    }
}

fn instrument() -> Function {
    Function {
        summary: "Instruments the container definitions of an ECS task",
        description: "Returns the container definitions, as JSON, with the recipe's sidecars, and with every program started by the recipe's wrapper with the arguments that it had; or fails and says why. Reads nothing: what images run is an argument.",
        parameters: vec![
            Parameter {
                name: CONTAINER_DEFINITIONS,
                kind: Type::String,
                description: "The container definitions as JSON",
            },
            Parameter {
                name: "task",
                kind: Type::Dynamic,
                description: "What the resource says beside them: `{ family, cpu, memory, network_mode, requires_compatibilities, cpu_architecture, ... }`",
            },
            config_parameter(),
        ],
        returns: Type::String,
    }
}

fn instrument_task() -> Function {
    Function {
        summary: "Instruments an ECS task definition",
        description: "Returns the container definitions, and what the recipe asks of the task itself, such as `pid_mode` and `volumes`.",
        parameters: vec![
            Parameter {
                name: "task",
                kind: Type::Dynamic,
                description: "As for `instrument`, with `container_definitions`",
            },
            config_parameter(),
        ],
        returns: task(),
    }
}
