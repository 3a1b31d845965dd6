//! The resources of the stand-in.

use std::collections::BTreeMap;

use tf_provider::protocol::schema::{Attribute, Block, Mode, NestedBlock, Nesting};
use tf_provider::protocol::{Type, Value};

pub(super) const ACCOUNT: &str = "123456789012";

/// A resource, and how it changes.
pub(super) struct Resource {
    pub(super) name: &'static str,
    pub(super) version: i64,
    pub(super) block: Block,
    /// What cannot be changed in what exists.
    pub(super) forces_new: Vec<&'static str>,
    /// What AWS decides where nobody has given it.
    pub(super) made_by_aws: Vec<&'static str>,
    arn: fn(&Attributes, &str) -> String,
}

type Attributes = BTreeMap<String, Value>;

pub(super) fn resources() -> Vec<Resource> {
    vec![task_definition(), service(), repository(), log_group()]
}

fn attributes(mode: Mode, names: &[&'static str], kind: &Type) -> Vec<Attribute> {
    let attribute = |name: &&'static str| Attribute::new(name, kind.clone(), mode, "");
    names.iter().map(attribute).collect()
}

fn tags() -> [Attribute; 2] {
    let kind = Type::map(Type::String);
    [
        Attribute::new("tags", kind.clone(), Mode::Optional, ""),
        Attribute::new("tags_all", kind, Mode::OptionalComputed, ""),
    ]
}

fn nested(name: &'static str, nesting: Nesting, block: Block) -> NestedBlock {
    NestedBlock {
        name,
        nesting,
        block,
    }
}

fn strings(required: &[&'static str], optional: &[&'static str]) -> Block {
    let mut all = attributes(Mode::Required, required, &Type::String);
    all.extend(attributes(Mode::Optional, optional, &Type::String));
    Block {
        attributes: all,
        ..Block::default()
    }
}

fn task_definition() -> Resource {
    let optional = [
        "cpu",
        "execution_role_arn",
        "ipc_mode",
        "memory",
        "pid_mode",
        "task_role_arn",
    ];
    let made_by_aws = [
        "arn",
        "arn_without_revision",
        "enable_fault_injection",
        "id",
        "network_mode",
        "revision",
    ];
    let mut block = strings(&["container_definitions", "family"], &optional);
    block.attributes.extend(task_attributes());
    block.blocks = task_blocks();
    let mut forces_new = vec![
        "container_definitions",
        "family",
        "network_mode",
        "requires_compatibilities",
    ];
    forces_new.extend(optional);
    forces_new.extend(block.blocks.iter().map(|nested| nested.name));
    Resource {
        name: "aws_ecs_task_definition",
        version: 1,
        block,
        forces_new,
        made_by_aws: made_by_aws.to_vec(),
        arn: |made, region| {
            let family = text(made, "family");
            format!("arn:aws:ecs:{region}:{ACCOUNT}:task-definition/{family}")
        },
    }
}

/// The attributes of a task definition that are no texts, or that AWS may decide.
fn task_attributes() -> Vec<Attribute> {
    let compatibilities = Type::Set(Box::new(Type::String));
    let groups: [(Mode, &[&'static str], Type); 6] = [
        (
            Mode::Computed,
            &["arn", "arn_without_revision"],
            Type::String,
        ),
        (
            Mode::OptionalComputed,
            &["id", "network_mode", "region"],
            Type::String,
        ),
        (
            Mode::OptionalComputed,
            &["enable_fault_injection"],
            Type::Bool,
        ),
        (
            Mode::Optional,
            &["skip_destroy", "track_latest"],
            Type::Bool,
        ),
        (Mode::Computed, &["revision"], Type::Number),
        (
            Mode::Optional,
            &["requires_compatibilities"],
            compatibilities,
        ),
    ];
    let all = groups.into_iter();
    let all = all.flat_map(|(mode, names, kind)| attributes(mode, names, &kind));
    all.chain(tags()).collect()
}

fn task_blocks() -> Vec<NestedBlock> {
    let storage = with(
        Block::default(),
        attributes(Mode::Required, &["size_in_gib"], &Type::Number),
    );
    let properties = Type::map(Type::String);
    let proxy = with(
        strings(&["container_name"], &["type"]),
        attributes(Mode::Optional, &["properties"], &properties),
    );
    let efs = strings(
        &["file_system_id"],
        &["root_directory", "transit_encryption"],
    );
    let volume = Block {
        blocks: vec![nested("efs_volume_configuration", Nesting::List(1), efs)],
        ..with(
            strings(&["name"], &["host_path"]),
            attributes(Mode::Optional, &["configure_at_launch"], &Type::Bool),
        )
    };
    let platform = strings(&[], &["cpu_architecture", "operating_system_family"]);
    let constraints = strings(&["type"], &["expression"]);
    vec![
        nested("ephemeral_storage", Nesting::List(1), storage),
        nested("placement_constraints", Nesting::Set, constraints),
        nested("proxy_configuration", Nesting::List(1), proxy),
        nested("runtime_platform", Nesting::List(1), platform),
        nested("volume", Nesting::Set, volume),
    ]
}

/// A block with more attributes.
fn with(mut block: Block, more: Vec<Attribute>) -> Block {
    block.attributes.extend(more);
    block
}

fn service() -> Resource {
    let mut block = strings(&["name"], &[]);
    let all = &mut block.attributes;
    let decided = ["cluster", "id", "launch_type", "task_definition"];
    all.extend(attributes(Mode::OptionalComputed, &decided, &Type::String));
    all.extend(attributes(
        Mode::Optional,
        &["desired_count"],
        &Type::Number,
    ));
    all.extend(tags());
    let list = Type::Set(Box::new(Type::String));
    let mut network = attributes(Mode::Required, &["subnets"], &list);
    network.extend(attributes(Mode::Optional, &["security_groups"], &list));
    network.extend(attributes(
        Mode::Optional,
        &["assign_public_ip"],
        &Type::Bool,
    ));
    let network = with(Block::default(), network);
    block.blocks = vec![nested("network_configuration", Nesting::List(1), network)];
    Resource {
        name: "aws_ecs_service",
        version: 0,
        block,
        forces_new: vec!["cluster", "launch_type", "name"],
        made_by_aws: vec!["cluster", "id", "launch_type", "task_definition"],
        arn: |made, region| {
            format!(
                "arn:aws:ecs:{region}:{ACCOUNT}:service/{}",
                text(made, "name")
            )
        },
    }
}

fn repository() -> Resource {
    let mut block = strings(&["name"], &["image_tag_mutability"]);
    let computed = ["arn", "id", "registry_id", "repository_url"];
    block
        .attributes
        .extend(attributes(Mode::Computed, &computed, &Type::String));
    block.attributes.extend(tags());
    Resource {
        name: "aws_ecr_repository",
        version: 0,
        block,
        forces_new: vec!["name"],
        made_by_aws: computed.to_vec(),
        arn: |made, region| {
            format!(
                "arn:aws:ecr:{region}:{ACCOUNT}:repository/{}",
                text(made, "name")
            )
        },
    }
}

fn log_group() -> Resource {
    let mut block = strings(&["name"], &[]);
    let all = &mut block.attributes;
    all.extend(attributes(Mode::Computed, &["arn", "id"], &Type::String));
    all.extend(attributes(
        Mode::Optional,
        &["retention_in_days"],
        &Type::Number,
    ));
    all.extend(tags());
    Resource {
        name: "aws_cloudwatch_log_group",
        version: 0,
        block,
        forces_new: vec!["name"],
        made_by_aws: vec!["arn", "id"],
        arn: |made, region| {
            format!(
                "arn:aws:logs:{region}:{ACCOUNT}:log-group:{}",
                text(made, "name")
            )
        },
    }
}

fn text<'a>(made: &'a Attributes, name: &str) -> &'a str {
    made.get(name).and_then(Value::as_str).unwrap_or_default()
}

impl Resource {
    /// What the provider of AWS writes where nothing was given.
    pub(super) fn give_defaults(&self, planned: &mut Attributes, region: &str) {
        for name in ["skip_destroy", "track_latest"] {
            if planned.get(name) == Some(&Value::Null) {
                planned.insert(name.to_owned(), Value::Bool(false));
            }
        }
        if planned.get("region") == Some(&Value::Null) {
            planned.insert("region".to_owned(), Value::string(region));
        }
    }

    /// Whether the configuration gives what AWS would decide otherwise: a value that is not what
    /// was there before.
    pub(super) fn is_given(&self, name: &str, planned: &Attributes, prior: &Value) -> bool {
        let attributes = &self.block.attributes;
        let attribute = attributes.iter().find(|attribute| attribute.name == name);
        let may_be = attribute.is_some_and(|attribute| attribute.mode == Mode::OptionalComputed);
        let value = planned.get(name).unwrap_or(&Value::Null);
        may_be
            && !value.is_null()
            && (prior.is_null() || name == "network_mode" || value != prior.get(name))
    }

    /// Gives every attribute that is still unknown its value.
    pub(super) fn make(&self, made: &mut Attributes, region: &str) {
        let arn = (self.arn)(made, region);
        let revision = revision(text(made, "container_definitions"));
        let name = match self.name {
            "aws_ecs_task_definition" => text(made, "family").to_owned(),
            _ => text(made, "name").to_owned(),
        };
        let unknown: Vec<String> = made
            .iter()
            .filter(|(_, value)| **value == Value::Unknown)
            .map(|(name, _)| name.clone())
            .collect();
        for attribute in unknown {
            let value = match attribute.as_str() {
                "arn" if self.name == "aws_ecs_task_definition" => {
                    Value::String(format!("{arn}:{revision}"))
                }
                "arn" | "arn_without_revision" => Value::String(arn.clone()),
                "revision" => Value::Number(revision.into()),
                "enable_fault_injection" => Value::Bool(false),
                "cluster" => Value::string("default"),
                "launch_type" => Value::string("FARGATE"),
                "network_mode" => Value::string("bridge"),
                "registry_id" => Value::string(ACCOUNT),
                "repository_url" => {
                    Value::String(format!("{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/{name}"))
                }
                _ => Value::String(name.clone()),
            };
            made.insert(attribute, value);
        }
    }
}

/// ECS counts revisions; here there is nobody to count, so that other containers are another one.
fn revision(definitions: &str) -> u64 {
    let hash = definitions
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    hash % 1000 + 1
}
