//! What a person decides about a run, apart from the recipe's inputs.

use std::collections::BTreeMap;

use crate::recipe::{ImageSecret, Recipe, Recipes, Wrapping, builtin};
use crate::selector::Selector;

/// What to do with an image that depends on a template parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParameterizedImages {
    /// Refuse the task definition when the image config is needed.
    #[default]
    Reject,
    /// Evaluate the image with the parameters' values, and write it as the reference that was inspected.
    Resolve,
}

/// What to do when a task definition in scope cannot be instrumented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnresolved {
    /// The run fails, and names every problem.
    #[default]
    Fail,
    /// The task definitions concerned stay as they were; the others are rewritten.
    Skip,
}

/// Whether the image of a wrapped container is written with the digest that was inspected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PinDigests {
    /// The image stays as it is written.
    #[default]
    No,
    /// `name@sha256:...`, the form that ECS documents.
    Digest,
    /// `name:tag@sha256:...`.
    KeepTag,
}

/// What to do about what a recipe takes for granted of an image and nobody can see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Assumptions {
    /// Warn of each.
    #[default]
    Warn,
    /// Refuse a container whose image nobody has confirmed.
    Fail,
}

/// Whether what a recipe does is marked, so that it can be taken off again exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Marks {
    /// It is not; a task definition that is marked already stays so.
    #[default]
    No,
    /// It is: see [`mark`](crate::mark).
    Yes,
}

/// Which task definitions are in scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LaunchTypes {
    /// Those that can run on Fargate.
    #[default]
    Fargate,
    /// All.
    Any,
}

/// What is selected where no `include` and no tag says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Everything in scope.
    #[default]
    OptOut,
    /// Nothing.
    OptIn,
}

/// Whether the tags of a task definition take part in the selection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SelectionTags {
    /// They win over every other selection.
    #[default]
    Followed,
    /// They do not: who runs Outrigger decides alone.
    Ignored,
}

/// Which task definitions and containers in scope are meant.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// What is selected where nothing else says it.
    pub mode: Mode,
    /// If there are any, only what one of them matches is selected.
    pub include: Vec<Selector>,
    /// What one of these matches is not selected; wins over `include`.
    pub exclude: Vec<Selector>,
    /// Tags, which win over all of it.
    pub tags: SelectionTags,
}

/// What to do when a sidecar that the recipe adds reserves more than the task has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskSize {
    /// The task keeps its size, and is refused.
    #[default]
    Keep,
    /// The task gets the smallest size of Fargate that holds all its containers.
    Grow,
}

/// What to do about a plan's container definitions that are known only after apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownDefinitions {
    /// A warning: the task definition is left alone.
    #[default]
    Warn,
    /// The task definition is refused.
    Fail,
}

/// What becomes of a plan's action when a rewrite makes a replacement of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlannedActions {
    /// The plan says that the task definition is replaced.
    #[default]
    Replace,
    /// The plan says what it said.
    Keep,
}

/// What a person decides about a plan of Terraform's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanSettings {
    /// Container definitions that the plan does not hold yet: a warning, or a refusal.
    pub unknown_definitions: UnknownDefinitions,
    /// Actions: brought in line with what is rewritten, or kept.
    pub actions: PlannedActions,
}

/// Where the stack is deployed, as far as it is known: the values of
/// [pseudo parameters](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployment {
    /// `AWS::Region`; it also decides `AWS::Partition` and `AWS::URLSuffix`.
    pub region: Option<String>,
    /// `AWS::AccountId`.
    pub account_id: Option<String>,
}

/// The agent of a recipe that is known but not in use: its sidecars are never wrapped, and a
/// program that it wraps is not wrapped a second time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAgent {
    /// The recipe.
    pub recipe: String,
    /// The container names of its sidecars.
    pub sidecars: Vec<String>,
    /// The repositories of the vendor's agent.
    pub repositories: Vec<String>,
    /// The ways in which it wraps a program.
    pub wrappings: Vec<Wrapping>,
    /// The credentials that stand in the names of the vendor's images.
    pub image_secrets: Vec<ImageSecret>,
}

impl From<&Recipe> for KnownAgent {
    fn from(recipe: &Recipe) -> KnownAgent {
        let sidecars = recipe.sidecar_names().into_iter().map(str::to_owned);
        KnownAgent {
            recipe: recipe.name().to_owned(),
            sidecars: sidecars.collect(),
            repositories: recipe.agent_repositories().to_vec(),
            wrappings: recipe.literal_wrappings(),
            image_secrets: recipe.image_secrets().to_vec(),
        }
    }
}

impl KnownAgent {
    /// The agents of all built-in recipes. Reading a recipe takes half a millisecond, so all of them
    /// are read, and nothing has to be kept in step with them.
    pub fn all() -> Vec<KnownAgent> {
        // A built-in recipe that cannot be read is a failed test, not a failed run.
        let recipes = builtin().iter();
        let recipes = recipes.filter_map(|(name, text)| Recipe::parse(name, text).ok());
        recipes.map(|recipe| KnownAgent::from(&recipe)).collect()
    }

    /// Those that are not in use.
    pub fn besides(used: &Recipes) -> Vec<KnownAgent> {
        let mut others = KnownAgent::all();
        others.retain(|agent| !used.contains(&agent.recipe));
        others
    }
}

/// What a person decides about a run.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Parameterized images: rejected, or evaluated.
    pub parameterized_images: ParameterizedImages,
    /// Fail or skip.
    pub on_unresolved: OnUnresolved,
    /// Images of selected containers: written with their digests, or as they are.
    pub pin_digests: PinDigests,
    /// Marked, or not.
    pub marks: Marks,
    /// Scope.
    pub launch_types: LaunchTypes,
    /// Selection within the scope.
    pub selection: Selection,
    /// What a recipe takes for granted: a warning, or a refusal.
    pub assumptions: Assumptions,
    /// Images that a person has checked for what recipes take for granted: as the document gives
    /// them, or without tag and digest for all versions of an image.
    pub confirmed: Vec<String>,
    /// Tasks too small for the recipe's sidecar: kept, or made larger.
    pub task_size: TaskSize,
    /// What only Terraform's plans have.
    pub plan: PlanSettings,
    /// Region and account.
    pub deployment: Deployment,
    /// Platform versions of Fargate that services, rules and schedules outside the document run it on.
    pub platform_versions: Vec<String>,
    /// Whether the document is for that stack alone, as what a macro is given, and goes nowhere else.
    pub for_one_stack: bool,
    /// Values of template parameters, over their defaults.
    pub parameters: BTreeMap<String, String>,
    /// Values that SSM-typed parameters resolve to.
    pub resolved_parameters: BTreeMap<String, String>,
    /// Whether the report tells of nothing but refusals: what else it would hold takes memory.
    pub only_refusals: bool,
    /// Agents of recipes that are not in use.
    pub known_agents: Vec<KnownAgent>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::InputValue;

    #[test]
    fn the_agents_of_other_recipes_are_known() {
        let known = |name: &str, input: Option<&str>| {
            let (_, text) = builtin().iter().find(|(known, _)| *known == name).unwrap();
            let value = InputValue::parse("x").unwrap();
            let inputs = input.map(|input| (input.to_owned(), value));
            let recipe = Recipe::parse(name, text).unwrap();
            let bound = recipe.bind(inputs.into_iter().collect()).unwrap();
            KnownAgent::besides(&Recipes::from(bound))
        };
        let others = known("lacework", Some("accessToken"));
        assert!(
            others
                .iter()
                .any(|agent| agent.recipe == "alert-logic" && agent.sidecars == ["al-agent"])
        );
        assert!(others.iter().all(|agent| agent.recipe != "lacework"));
        let others = known("alert-logic", None);
        let lacework = others.iter().find(|agent| agent.recipe == "lacework");
        // Both wrappers are literal: the script itself, and the one that calls it with sudo.
        assert_eq!(lacework.unwrap().wrappings.len(), 2);
    }
}
