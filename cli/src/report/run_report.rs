//! A run as a program reads it: what JSON, markdown and SARIF are made of.
//!
//! `docs/report.schema.json` is derived from these types; a test fails when it is stale.

use serde::Serialize;

/// The version of the format: it changes when a program that reads it would have to.
pub const VERSION: u8 = 1;

/// A run: what was done with a document, what was left alone, and why.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunReport<'r> {
    /// The version of this format.
    pub version: u8,
    /// The program that ran.
    pub tool: Tool,
    /// The document's name: its path as it was given, or `<stdin>`.
    pub document: &'r str,
    /// What the document is; absent where it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The settings file that took part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings_file: Option<&'r str>,
    /// What the run does with the document.
    pub purpose: RunPurpose,
    /// How the run ended.
    pub outcome: RunOutcome,
    /// The exit code.
    pub exit: ExitCode,
    /// The run in one line.
    pub summary: String,
    /// How many task definitions had which outcome.
    pub counts: Counts,
    /// The names of the recipes.
    pub recipes: Vec<&'r str>,
    /// The task definitions, in the order of the document.
    pub task_definitions: Vec<TaskDefinition<'r>>,
    /// Findings about the document as a whole, or about other parts of it.
    pub findings: Vec<DocumentFinding<'r>>,
    /// What a person has to arrange for the recipes to work; none where nothing is rewritten.
    pub requirements: Vec<Requirements<'r>>,
    /// Why the job could not be done; none where it was.
    pub problems: Vec<Problem<'r>>,
}

/// The program that ran.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A CloudFormation template.
    Template,
    /// One task definition, as `RegisterTaskDefinition` takes it.
    TaskDefinition,
    /// A Terraform plan.
    Plan,
}

/// What a run does with the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum RunPurpose {
    /// It is rewritten.
    Rewrite,
    /// Only the changes are shown.
    DryRun,
    /// It is only looked at.
    Check,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum RunOutcome {
    /// Every task definition in scope carries the recipes, or would.
    Done,
    /// The others were rewritten, and at least one in scope was not (`--on-unresolved skip`).
    Incomplete,
    /// Nothing was written, because a task definition in scope was refused.
    Refused,
    /// A task definition in scope does not carry the recipes, or that cannot be judged (`--check`).
    CheckFailed,
    /// The job could not be done, and nothing is known of the task definitions: see `problems`.
    Failed,
}

/// An exit code.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExitCode {
    /// The number that the shell sees.
    pub code: u8,
    /// What it means.
    pub meaning: &'static str,
}

/// How many task definitions had which outcome.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Changed.
    pub rewritten: usize,
    /// They would have been changed, but nothing was written.
    pub would_be_rewritten: usize,
    /// They carried the recipes already.
    pub unchanged: usize,
    /// Not in scope, or not selected.
    pub left_alone: usize,
    /// In scope, and not instrumented.
    pub refused: usize,
}

/// What became of a task definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum TaskOutcome {
    /// It was changed.
    Rewritten,
    /// It would have been changed, but nothing was written.
    WouldBeRewritten,
    /// It carries the recipes already; nothing changed.
    Unchanged,
    /// It is not in scope, or not selected; nothing changed.
    LeftAlone,
    /// It is in scope and cannot be instrumented, or fails the check; nothing changed.
    Refused,
}

/// What became of one task definition.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TaskDefinition<'r> {
    /// Logical ID (CloudFormation), resource address (Terraform), or family.
    pub id: &'r str,
    /// What became of it.
    pub outcome: TaskOutcome,
    /// Where it stands in the document.
    #[serde(flatten)]
    pub position: Option<Position>,
    /// Its containers as they are written, in order.
    pub containers: Vec<Container<'r>>,
    /// What was added or changed outside of containers, one line each, without values.
    pub changes: &'r [String],
    /// Findings about it, in order.
    pub findings: Vec<Finding<'r>>,
}

/// What became of one container.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Container<'r> {
    /// Its name, or its position when it has none.
    pub name: &'r str,
    /// Its image as it is written.
    pub image: &'r str,
    /// Under which conditions of the template it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<&'r str>,
    /// Where it stands in the document; absent for one that was added.
    #[serde(flatten)]
    pub position: Option<Position>,
    /// Whether it is a recipe's sidecar; absent where the containers were not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sidecar: Option<bool>,
    /// Whether a recipe's wrapper starts its program; absent where the containers were not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrapped: Option<bool>,
    /// Its processes, one for each combination of conditions that differs; none where no recipe wraps.
    pub processes: Vec<Process<'r>>,
    /// What was added or changed, one line each, without values.
    pub changes: &'r [String],
    /// The containers that it waits for.
    pub depends_on: Vec<Dependency<'r>>,
    /// The containers whose volumes it mounts.
    pub volumes_from: Vec<VolumesFrom<'r>>,
}

/// What a container runs: entry point and command. An intrinsic function is shown in its short form.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Process<'r> {
    /// Under which conditions of the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<&'r str>,
    /// What ran before.
    pub before: &'r [String],
    /// What runs after.
    pub after: &'r [String],
}

/// An entry of `dependsOn`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Dependency<'r> {
    /// The container that is waited for.
    pub container_name: &'r str,
    /// What it has to reach.
    pub condition: &'r str,
    /// Under which conditions of the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<&'r str>,
}

/// An entry of `volumesFrom`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct VolumesFrom<'r> {
    /// The container whose volumes are mounted.
    pub source_container: &'r str,
    /// Under which conditions of the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<&'r str>,
}

/// A place in the document as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

/// One thing that a person should know.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Finding<'r> {
    /// The stable name of its kind: see `docs/findings.md`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: FindingSeverity,
    /// The container that it is about, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<&'r str>,
    /// The image that it is about, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<&'r str>,
    /// What was found; the document's own text stands in backticks.
    pub message: &'r str,
    /// The way out, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<&'r str>,
    /// Where it is in the document: at the container, or else at the task definition.
    #[serde(flatten)]
    pub position: Option<Position>,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum FindingSeverity {
    /// Good to know.
    Note,
    /// The rewrite was done; a person should look at this.
    Warning,
    /// The task definition was refused.
    Error,
}

/// A finding about the document as a whole, or about another part of it than a task definition.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DocumentFinding<'r> {
    /// The resource that it is about, where it is not the document as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<&'r str>,
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding<'r>,
}

/// What a person has to arrange for a recipe to work.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Requirements<'r> {
    /// The recipe.
    pub recipe: &'r str,
    /// What the task execution role needs.
    pub execution_role: Vec<Requirement<'r>>,
    /// What the task role needs.
    pub task_role: Vec<Requirement<'r>>,
    /// What the vendor's own role needs.
    pub vendor_role: Vec<Requirement<'r>>,
    /// What has to be there before.
    pub prerequisites: Vec<Requirement<'r>>,
    /// What the task has to reach.
    pub network: Vec<Requirement<'r>>,
    /// Versions that the vendor documents to work together.
    pub compatibility: Vec<Requirement<'r>>,
}

/// One thing that a recipe needs.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Requirement<'r> {
    /// The text.
    pub text: &'r str,
    /// Where it is documented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<&'r str>,
}

/// Why the job could not be done.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Problem<'r> {
    /// What is wrong.
    pub message: &'r str,
    /// The way out, where there is one; may have several lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<&'r str>,
    /// Where it is in the document, where it is there.
    #[serde(flatten)]
    pub position: Option<Position>,
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use schemars::Schema;
    use schemars::generate::SchemaSettings;
    use schemars::transform::RecursiveTransform;
    use serde_json::{Value, json};

    use super::{RunReport, VERSION};

    /// What is absent is left out, and never null.
    fn without_null(schema: &mut Schema) {
        if let Some(Value::Array(kinds)) = schema.get("type") {
            let kind = kinds.iter().find(|kind| *kind != "null").cloned();
            schema.insert("type".to_owned(), kind.unwrap());
        }
        if let Some(Value::Array(ways)) = schema.remove("anyOf") {
            let way = ways.into_iter().find_map(|way| way.get("$ref").cloned());
            schema.insert("$ref".to_owned(), way.unwrap());
        }
    }

    /// `UPDATE_EXPECTED=1` writes the schema.
    #[test]
    fn the_schema_is_that_of_the_types() {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        let settings = settings.with_transform(RecursiveTransform(without_null));
        let mut schema = settings
            .into_generator()
            .into_root_schema_for::<RunReport<'_>>();
        schema.insert("title".to_owned(), "Outrigger's report of a run".into());
        let version = schema.pointer_mut("/properties/version").unwrap();
        *version = json!({"description": "The version of this format.", "const": VERSION});
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/report.schema.json");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap();
        assert_eq!(
            written, text,
            "docs/report.schema.json is stale: UPDATE_EXPECTED=1 writes it"
        );
    }
}
