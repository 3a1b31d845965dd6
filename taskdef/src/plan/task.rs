//! One task definition, and everything that decides about it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cloudformation::find::{Found, loop_items};
use crate::cloudformation::intrinsic::{Assignment, Evaluation, LoopItem};
use crate::cloudformation::launch::OldPlatform;
use crate::cloudformation::template::Template;
use crate::container::{Setting, View, shown};
use crate::dialect::Dialect;
use crate::edit;
use crate::image::Platform;
use crate::recipe::{BoundRecipe, TaskFacts};
use crate::settings::{ParameterizedImages, Settings};

use super::About;
use super::facts::replaced_texts;
use super::matches::{AllMatched, Matched};
use super::regions::pseudo_parameters;
use super::rendered::Rendered;
use super::slots::Slot;

/// A task definition and everything that decides about it.
pub(crate) struct Task<'t> {
    pub(crate) dialect: Dialect,
    pub(crate) view: View<'t>,
    /// As the document states it, without what another recipe of the run has added.
    pub(crate) stated: View<'t>,
    pub(crate) template: &'t Template<'t>,
    pub(crate) recipe: &'t BoundRecipe,
    pub(crate) rendered: &'t Rendered<'t>,
    pub(crate) settings: &'t Settings,
    /// What the selectors match here; `None` without selectors.
    pub(crate) matched: Option<&'t Matched>,
    /// The loops around it, item by item; one empty item without loops.
    pub(crate) items: Vec<LoopItem>,
    /// The conditions under which it is there at all.
    pub(crate) given: Assignment,
    pub(crate) platform: Platform,
    pub(crate) facts: TaskFacts,
    /// Texts that CloudFormation replaces wherever they stand: dynamic references and loop variables.
    replaced: Vec<String>,
}

/// What stays the same for all task definitions of a run.
#[derive(Clone, Copy)]
pub(crate) struct Run<'t> {
    pub(crate) dialect: Dialect,
    pub(crate) template: &'t Template<'t>,
    pub(crate) rendered: &'t Rendered<'t>,
    pub(crate) settings: &'t Settings,
    pub(crate) matched: &'t AllMatched,
    /// What runs task definitions on an old platform version.
    pub(crate) old_platforms: &'t [OldPlatform<'t>],
}

impl<'t> Run<'t> {
    pub(crate) fn recipe_name(&self) -> &'t str {
        self.rendered.recipe.recipe().name()
    }
}

impl<'t> Task<'t> {
    pub(crate) fn new(run: Run<'t>, found: &Found<'t>, properties: &'t Map<String, Value>) -> Self {
        let view = View::new(run.dialect, properties);
        let stated = found.properties.unwrap_or(properties);
        let mut task = Task {
            dialect: run.dialect,
            view,
            stated: View::new(run.dialect, stated),
            template: run.template,
            recipe: run.rendered.recipe,
            rendered: run.rendered,
            settings: run.settings,
            matched: run.matched.of(found),
            items: loop_items(&found.loops),
            given: found
                .condition
                .map(|condition| (condition.to_owned(), true))
                .into_iter()
                .collect(),
            platform: Platform::AnyLinux,
            facts: TaskFacts {
                family: family(view, found, run.dialect),
                cpu_architecture: Value::Null,
                operating_system: Value::Null,
            },
            replaced: Vec::new(),
        };
        task.replaced = replaced_texts(&task);
        (task.platform, task.facts.cpu_architecture) = task.architecture();
        task.facts.operating_system = Value::from("LINUX");
        task
    }

    /// Whether images may depend on template parameters.
    pub(crate) fn resolves_parameters(&self) -> bool {
        self.settings.parameterized_images == ParameterizedImages::Resolve
    }

    /// Whether it says that it runs on Fargate.
    pub(crate) fn requires_fargate(&self) -> bool {
        match self.view.list("requiresCompatibilities") {
            Setting::Known(kinds) => kinds.iter().any(|kind| kind == "FARGATE"),
            _ => false,
        }
    }

    /// What decides the value of an expression, for each item of the loops around the task definition.
    pub(crate) fn evaluations<'e>(
        &'e self,
        parameters: bool,
        given: &'e Assignment,
    ) -> impl Iterator<Item = Evaluation<'e>> {
        self.items.iter().map(move |item| Evaluation {
            template: self.template,
            parameters,
            given,
            item,
        })
    }

    /// An expression's value where it depends neither on parameters nor on where it is deployed.
    pub(crate) fn constant(&self, value: &Value, given: &Assignment) -> Option<Value> {
        if !self.settings.for_one_stack && !pseudo_parameters(value).is_empty() {
            return None;
        }
        let mut known: Option<Value> = None;
        for evaluation in self.evaluations(false, given) {
            let value = evaluation.value(value, &mut BTreeSet::new()).ok()?;
            if known.as_ref().is_some_and(|known| *known != value) {
                return None;
            }
            known = Some(value);
        }
        known
    }

    /// The platform of `runtimePlatform`; absent on Fargate means amd64.
    fn architecture(&self) -> (Platform, Value) {
        let (x86, arm) = (Value::from("X86_64"), Value::from("ARM64"));
        let runtime = match self.view.object("runtimePlatform") {
            Setting::Known(runtime) => runtime,
            Setting::Absent if self.may_run_on_fargate() => return (Platform::LinuxAmd64, x86),
            Setting::Intrinsic(value) => return (Platform::AnyLinux, value.clone()),
            _ => return (Platform::AnyLinux, Value::Null),
        };
        let stated = match runtime.text("cpuArchitecture") {
            Setting::Known(text) => Some(Value::String(text)),
            Setting::Intrinsic(value) => match self.constant(value, &self.given) {
                Some(known) => Some(known),
                None => return (Platform::AnyLinux, value.clone()),
            },
            _ => None,
        };
        match stated {
            Some(text) if text == x86 => (Platform::LinuxAmd64, x86),
            Some(text) if text == arm => (Platform::LinuxArm64, arm),
            Some(other) => (Platform::AnyLinux, other),
            None if self.may_run_on_fargate() => (Platform::LinuxAmd64, x86),
            None => (Platform::AnyLinux, Value::Null),
        }
    }

    fn may_run_on_fargate(&self) -> bool {
        match self.view.list("requiresCompatibilities") {
            Setting::Known(kinds) if !kinds.is_empty() => self.requires_fargate(),
            _ => self.view.text("networkMode") == Setting::Known("awsvpc".to_owned()),
        }
    }

    /// Texts that CloudFormation replaces wherever they stand.
    pub(crate) fn replaced(&self) -> &[String] {
        &self.replaced
    }

    /// Where an edit under these conditions works.
    pub(crate) fn at<'w>(&'w self, given: &'w Assignment) -> edit::Place<'w> {
        let place = edit::Where {
            dialect: self.dialect,
            given,
        };
        place.of(self.template)
    }

    pub(crate) fn about(&self, slot: &Slot<'_>, position: usize) -> About {
        let view = View::new(self.dialect, slot.container);
        About {
            container: view.label(position),
            image: view.get("image").map(shown).unwrap_or_default(),
        }
    }
}

/// The family; where none is stated, CloudFormation makes one of stack name and logical ID.
fn family(view: View<'_>, found: &Found<'_>, dialect: Dialect) -> Value {
    match (view.get("family"), dialect) {
        (Some(family), _) => family.clone(),
        (None, Dialect::CloudFormation) if found.loops.is_empty() => {
            let mut sub = Map::new();
            let text = format!("${{AWS::StackName}}-{}", found.id);
            sub.insert("Fn::Sub".to_owned(), Value::String(text));
            Value::Object(sub)
        }
        (None, _) => Value::Null,
    }
}
