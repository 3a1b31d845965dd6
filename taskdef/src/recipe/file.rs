//! The file as it is written: YAML with the place of everything that can be wrong.
//!
//! `templates/recipe.schema.json` is generated from these types. Their comments are what an editor
//! shows beside a key, so they speak to whoever writes a recipe.

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::node::{Node, Ordered};
#[cfg(test)]
use super::schema;

/// What one vendor's agent needs of a task definition.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RecipeFile {
    /// Version of this format: `1`.
    #[cfg_attr(test, schemars(with = "schema::Format"))]
    pub(super) recipe: Spanned<u64>,
    /// Name of the recipe: lower-case letters, digits and hyphens.
    #[cfg_attr(test, schemars(with = "schema::Name"))]
    pub(super) name: Spanned<String>,
    /// What the recipe does, in one line.
    pub(super) description: String,
    /// Links to the pages on which the vendor documents all of this.
    #[serde(default)]
    pub(super) documentation: Vec<String>,
    /// Image repositories (`vendor/agent`) by which the agent is recognised under another container
    /// name. Such a container is never wrapped.
    #[serde(default)]
    pub(super) agent_images: Vec<String>,
    /// Programs by which the agent is recognised in a process, beside the wrappers of this recipe:
    /// those of older versions. A process that names one is refused.
    #[serde(default)]
    pub(super) agent_programs: Vec<String>,
    /// Credentials that stand in the names of the vendor's images (`key_*/vendor/agent`): what `*`
    /// stands for, within one segment, is not shown in any report or message.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(super) image_secrets: Vec<Spanned<String>>,
    /// What the user gives, by name. Every recipe also takes `image`, `sidecarCpu`, `sidecarMemory`,
    /// `sidecarMemoryReservation`, `sidecarEssential`, `registryCredentials` (if it adds sidecars),
    /// `executionRole`, and `arrangement` (if it wraps): declare one of them to give it a default, or
    /// to make it required.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "schema::Inputs"))]
    pub(super) inputs: Ordered<InputFile>,
    /// What has to hold for a container, or the task definition is refused.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<RequirementFile>"))]
    pub(super) requires: Vec<Spanned<RequirementFile>>,
    /// What is taken for granted of an image because nobody can see it there: a warning for every
    /// selected container.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<AssumptionFile>"))]
    pub(super) assumes: Vec<Spanned<AssumptionFile>>,
    /// What becomes of every selected container: blocks, each of which holds when its `when` holds.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<WorkloadFile>"))]
    pub(super) workload: Vec<Spanned<WorkloadFile>>,
    /// The containers that are added. The first one takes its image from the input `image`, unless
    /// its settings state one.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<SidecarFile>"))]
    pub(super) sidecars: Vec<Spanned<SidecarFile>>,
    /// What becomes of the task definition itself: blocks, each of which holds when its `when` holds.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<schema::TaskBlock>"))]
    pub(super) task: Vec<Spanned<BlockFile>>,
    /// What the roles need. Printed, and does nothing.
    #[serde(default)]
    pub(super) permissions: PermissionsFile,
    /// What has to be there before. Printed, and does nothing.
    #[serde(default)]
    pub(super) prerequisites: Vec<NoteFile>,
    /// What the task has to reach. Printed, and does nothing.
    #[serde(default)]
    pub(super) network: Vec<NoteFile>,
    /// Versions that the vendor documents to work together: others are a warning.
    #[serde(default)]
    pub(super) compatibility: Vec<CompatibilityFile>,
}

/// One input.
#[derive(Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct InputFile {
    /// What it is for, in one line.
    pub(super) description: Option<String>,
    /// What its value has to be; `text` unless stated. An intrinsic function is taken for any type.
    #[serde(rename = "type")]
    pub(super) kind: Option<TypeFile>,
    /// The value when it is not given.
    #[cfg_attr(test, schemars(with = "Option<schema::Plain>"))]
    pub(super) default: Option<Node>,
    /// `true`: it has to be given.
    #[serde(default)]
    pub(super) required: bool,
    /// A condition on other inputs under which it has to be given.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) required_when: Option<Spanned<String>>,
    /// A condition on other inputs under which it must not be given.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) forbidden_when: Option<Spanned<String>>,
    /// `true`: the value is never shown, and a warning says so when it is given in clear text.
    #[serde(default)]
    pub(super) secret: bool,
    /// The key under which the vendor keeps a `secret` input in a secret that holds JSON.
    pub(super) secret_key: Option<String>,
    /// What the values are names of: one that nothing has is a warning.
    pub(super) names: Option<NamesFile>,
    /// The values that are allowed; without it, all are.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<schema::Word>"))]
    pub(super) allowed: Vec<String>,
    /// `true`: the empty text is a value.
    #[serde(default)]
    pub(super) may_be_empty: bool,
}

/// What the values of an input are names of.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) enum NamesFile {
    /// Of containers of the task definition.
    Containers,
}

/// An input's type.
#[derive(Deserialize, Clone, Copy)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) enum TypeFile {
    /// A text; numbers, `true` and `false` are taken as they are spelled.
    Text,
    /// A whole number.
    Integer,
    /// How much of something: a whole number over 0.
    Size,
    /// A port: a whole number from 1 to 65535.
    Port,
    /// `true` or `false`.
    Boolean,
    /// A list of texts.
    List,
}

/// What has to hold, or the container is refused.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RequirementFile {
    /// Only then is it asked for.
    #[cfg_attr(test, schemars(with = "Option<schema::Condition>"))]
    pub(super) when: Option<Node>,
    /// What has to hold.
    #[cfg_attr(test, schemars(with = "schema::Condition"))]
    pub(super) that: Node,
    /// Why the container is refused: lower case, no full stop. May hold expressions.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) message: Spanned<String>,
    /// What to do about it. May hold expressions.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) hint: Option<Spanned<String>>,
}

/// What is taken for granted, because nobody can see it.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct AssumptionFile {
    /// What kind: `shell` becomes the warning `assumes-shell`; `certificates`, `libc`, `shell` and
    /// `sudo` have names of their own, anything else is `assumes-of-image`.
    pub(super) name: String,
    /// Only then is it taken for granted.
    #[cfg_attr(test, schemars(with = "Option<schema::Condition>"))]
    pub(super) when: Option<Node>,
    /// What is taken for granted: lower case, no full stop. May hold expressions.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) message: Spanned<String>,
    /// What to do about it. May hold expressions.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) hint: Option<Spanned<String>>,
}

/// What becomes of every selected container.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct WorkloadFile {
    /// The block holds only then; without it, always.
    #[cfg_attr(test, schemars(with = "Option<schema::Condition>"))]
    pub(super) when: Option<Node>,
    /// How the container's program is wrapped. At most one block that holds for a container may
    /// have it.
    #[cfg_attr(test, schemars(with = "Option<ProcessFile>"))]
    pub(super) process: Option<Spanned<ProcessFile>>,
    /// What is merged into the container definition: lists are appended to, maps are merged,
    /// anything else is replaced.
    #[cfg_attr(test, schemars(with = "Option<schema::WorkloadSettings>"))]
    pub(super) settings: Option<Node>,
}

/// How the process is wrapped. Its texts may read inputs only.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::process))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ProcessFile {
    /// Where wrapper and program go; `prefix` unless stated.
    #[serde(default)]
    pub(super) arrangement: ArrangementFile,
    /// The words that stand before the program, which has to start it with all its arguments.
    #[cfg_attr(test, schemars(with = "Option<schema::Words>"))]
    pub(super) wrapper: Option<Node>,
    /// The words that stand after the program (`prefix-suffix`).
    #[cfg_attr(test, schemars(with = "Option<schema::Words>"))]
    pub(super) suffix: Option<Node>,
    /// The command, in place of the program's (`prefix-suffix`).
    #[cfg_attr(test, schemars(with = "Option<schema::Words>"))]
    pub(super) command: Option<Node>,
    /// What the shell runs before the program (`shell-join`).
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) script: Option<Node>,
}

/// Where wrapper and program go.
#[derive(Deserialize, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum ArrangementFile {
    /// Entry point: wrapper and the original entry point. The command stays.
    #[default]
    Prefix,
    /// Entry point: wrapper. Command: original entry point and command.
    Command,
    /// Entry point: wrapper, original entry point and command. No command.
    EntryPoint,
    /// Entry point: wrapper, original entry point and command, suffix. Command: the recipe's own,
    /// if any.
    PrefixSuffix,
    /// Entry point: `sh -c "<script> && exec <program>"`. No command.
    ShellJoin,
    /// The process stays as it is: the image starts the wrapper itself.
    None,
}

/// A container that is added.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SidecarFile {
    /// Name of the container; literal.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) name: Spanned<String>,
    /// Judged for each selected container; one that needs the sidecar is enough. Without it, the
    /// sidecar is always added.
    #[cfg_attr(test, schemars(with = "Option<schema::Condition>"))]
    pub(super) when: Option<Node>,
    /// `last`: after all other containers, when it is added.
    pub(super) position: Option<PositionFile>,
    /// `warn`: warn of an image with the tag `latest`, or none.
    pub(super) mutable_image: Option<MutableImageFile>,
    /// The container definition.
    #[cfg_attr(test, schemars(with = "schema::SidecarSettings"))]
    pub(super) settings: Node,
    /// Settings that hold under a condition, or once for each selected container.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<BlockFile>"))]
    pub(super) blocks: Vec<Spanned<BlockFile>>,
}

/// Where a sidecar goes among the containers.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) enum PositionFile {
    /// After all other containers.
    Last,
}

/// What is done about an image whose tag moves with every release.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) enum MutableImageFile {
    /// A warning.
    Warn,
}

/// Settings that hold under a condition, or once for each selected container.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct BlockFile {
    /// `container`: the block is repeated for each selected container, and sees it as `container`.
    pub(super) each: Option<EachFile>,
    /// The block holds only then; without it, always.
    #[cfg_attr(test, schemars(with = "Option<schema::Condition>"))]
    pub(super) when: Option<Node>,
    /// What is merged in.
    #[cfg_attr(test, schemars(with = "schema::ContainerSettings"))]
    pub(super) settings: Node,
}

/// What a block is repeated for.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) enum EachFile {
    /// Each selected container.
    Container,
}

/// What the roles need.
#[derive(Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PermissionsFile {
    /// What the task execution role needs.
    #[serde(default)]
    pub(super) execution_role: Vec<NoteFile>,
    /// What the task role needs.
    #[serde(default)]
    pub(super) task_role: Vec<NoteFile>,
    /// What the vendor's own role needs.
    #[serde(default)]
    pub(super) vendor: Vec<NoteFile>,
}

/// A text for a person, with a link.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NoteFile {
    /// The text, in one line.
    pub(super) text: String,
    /// Where it is documented.
    pub(super) link: Option<String>,
}

/// Versions that work together, as the vendor documents them.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CompatibilityFile {
    /// The inputs that hold the versions.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(super) inputs: Spanned<Vec<String>>,
    /// A row for each combination that is documented: `"4.1"` stands for 4.1 and 4.1.2.
    #[cfg_attr(test, schemars(with = "Vec<Vec<schema::Word>>"))]
    pub(super) versions: Spanned<Vec<Vec<String>>>,
    /// Where it is documented.
    pub(super) link: Option<String>,
}
