//! A recipe tried on built-in samples, for whoever writes one: what becomes of each kind of task,
//! and what is wrong with the recipe.
//!
//! The samples are task definitions that show everything an expression can see. They are rewritten
//! by [`crate::rewrite`] with the inputs that are given, and made-up ones where one is missing; then
//! once more for every other value that an input may have. What comes out is judged by what
//! the samples themselves say of their programs.

mod inputs;
mod promise;
mod remarks;
mod samples;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::image::{Answers, ImageConfig, ImageFailure};
use crate::recipe::{
    Block, BoundRecipe, ContainerFacts, ImageSecrets, InputErrors, Inputs, Recipe, Recipes,
    TaskFacts, Workload,
};
use crate::report::{Finding, Outcome, Severity, TaskDefinitionReport};
use crate::settings::{KnownAgent, OnUnresolved, Settings};
use crate::source::put;
use crate::{DocumentKind, images_needed, rewrite};

pub use remarks::Remark;
use samples::{Container, Sample, samples};

/// What a dry run shows.
pub struct DryRun {
    /// The inputs that were made up.
    pub placeholders: Vec<Placeholder>,
    /// What became of each sample.
    pub samples: Vec<Tried>,
    /// How many other values of inputs were tried as well.
    pub choices: usize,
    /// What is wrong with the recipe, or worth a thought.
    pub remarks: Vec<Remark>,
}

/// An input that was not given and is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    /// Its name.
    pub input: String,
    /// The value that was made up.
    pub value: String,
}

/// What became of one sample.
#[derive(Clone)]
pub struct Tried {
    /// What the sample shows.
    pub sample: &'static str,
    /// What became of it.
    pub report: TaskDefinitionReport,
    /// Whether it was refused by the recipe's own `requires`.
    pub refused_by_recipe: bool,
    /// The sidecars as the recipe asks for them, in the names of the ECS API, without credentials in
    /// the names of their images. May hold other values that were given.
    pub sidecars: Vec<Map<String, Value>>,
}

impl DryRun {
    /// Whether the recipe does not do what it has to.
    pub fn fails(&self) -> bool {
        self.remarks
            .iter()
            .any(|remark| remark.severity == Severity::Error)
    }
}

/// Tries a recipe on the samples.
///
/// # Errors
///
/// When an input that was given is not one that the recipe takes.
pub fn dry_run(recipe: &Recipe, given: Inputs) -> Result<DryRun, InputErrors> {
    let base = inputs::bind(recipe, given.clone())?;
    let choices = inputs::choices(recipe, &base, &given);
    let mut trial = Trial::default();
    trial.remarks.extend(remarks::shells(&base.recipe));
    let tried = trial.run(base.recipe, None);
    let number = choices.len();
    for (choice, bound) in choices {
        trial.run(bound, Some(&choice));
    }
    if !tried.is_empty() && tried.iter().all(|tried| tried.refused_by_recipe) {
        let remark = Remark::error("the recipe refuses every sample");
        let remark = remark.hint("give the inputs with which it refuses none by `--set`");
        trial.remarks.push(remark);
    } else if tried
        .iter()
        .all(|tried| tried.report.outcome == Outcome::Unchanged)
    {
        let remark = Remark::new(
            Severity::Warning,
            "the recipe changes nothing in any sample",
        );
        trial.remarks.push(remark);
    }
    let mut remarks = trial.remarks;
    remarks.extend(remarks::about(recipe, &trial.reached));
    remarks.sort_by_key(|remark| Reverse(remark.severity));
    Ok(DryRun {
        placeholders: base.placeholders,
        samples: tried,
        choices: number,
        remarks,
    })
}

/// What the runs have shown so far.
#[derive(Default)]
struct Trial {
    reached: BTreeSet<Block>,
    remarks: Vec<Remark>,
}

impl Trial {
    /// Rewrites all samples with these inputs.
    fn run(&mut self, bound: BoundRecipe, choice: Option<&str>) -> Vec<Tried> {
        let wrapper = bound.recipe().literal_wrappings().into_iter().next();
        let recipes = Recipes::from(bound);
        let settings = Settings {
            on_unresolved: OnUnresolved::Skip,
            known_agents: KnownAgent::besides(&recipes),
            ..Settings::default()
        };
        let mut tried = Vec::new();
        for sample in samples(wrapper.as_ref()) {
            let name = match choice {
                None => sample.name.to_owned(),
                Some(choice) => format!("{}, with {choice}", sample.name),
            };
            let Some(one) = attempt(&sample, &recipes, &settings) else {
                self.remark(Remark::error("the sample cannot be read"), &name);
                continue;
            };
            for remark in one.remarks {
                self.remark(remark, &name);
            }
            self.reached.extend(one.reached);
            tried.push(one.tried);
        }
        tried
    }

    /// Says each thing once, with all samples that show it.
    fn remark(&mut self, remark: Remark, sample: &str) {
        let known = self
            .remarks
            .iter_mut()
            .find(|known| (&known.message, &known.hint) == (&remark.message, &remark.hint));
        match known {
            Some(known) => known.samples.push(sample.to_owned()),
            None => self.remarks.push(Remark {
                samples: vec![sample.to_owned()],
                ..remark
            }),
        }
    }
}

/// One sample rewritten by a recipe, and judged.
struct Attempt {
    tried: Tried,
    reached: Vec<Block>,
    remarks: Vec<Remark>,
}

fn attempt(sample: &Sample, recipes: &Recipes, settings: &Settings) -> Option<Attempt> {
    let bound = recipes.iter().next()?;
    let template = sample.template();
    let (report, rewritten) = rewritten(&template, sample, recipes, settings)?;
    let (task, containers) = sample.facts();
    let asked = containers.iter().map(|facts| bound.workload(&task, facts));
    let asked: Vec<Workload> = asked.collect::<Result<_, _>>().unwrap_or_default();
    let refusals = asked.iter().flat_map(|workload| &workload.refusals);
    let refusals: Vec<&str> = refusals.map(|refusal| refusal.message.as_str()).collect();
    let errors = report.findings.iter();
    let errors = errors.filter(|finding| finding.severity == Severity::Error);
    let by_recipe = |finding: &&Finding| refusals.contains(&unconditional(finding));
    let mut remarks: Vec<Remark> = Vec::new();
    for finding in errors.clone().filter(|finding| !by_recipe(finding)) {
        remarks.push(Remark {
            hint: finding.hint.clone(),
            ..Remark::error(unconditional(finding))
        });
    }
    if report.outcome == Outcome::LeftAlone {
        remarks.push(Remark::error("a task definition in scope is left alone"));
    }
    if matches!(report.outcome, Outcome::Rewritten | Outcome::Unchanged) {
        for (container, workload) in sample.containers.iter().zip(&asked) {
            remarks.extend(broken_promise(&rewritten, container, workload));
        }
        remarks.extend(second_run(&rewritten, sample, recipes, settings));
    }
    let mut sidecars = sidecars(bound, &report, &task, &containers, &asked);
    let secrets = ImageSecrets::of(Some(recipes), settings);
    for sidecar in &mut sidecars {
        if let Some(Value::String(image)) = sidecar.get_mut("image") {
            secrets.hide(image);
        }
    }
    Some(Attempt {
        reached: bound.reached(&task, &containers).unwrap_or_default(),
        tried: Tried {
            sample: sample.name,
            sidecars,
            refused_by_recipe: report.outcome == Outcome::Refused && remarks.is_empty(),
            report,
        },
        remarks,
    })
}

/// A finding's message without the condition of the sample under which it holds.
fn unconditional(finding: &Finding) -> &str {
    let message = finding.message.as_str();
    match message.rsplit_once(" (when ") {
        Some((before, _)) => before,
        None => message,
    }
}

/// The sidecars that a sample gets, as the recipe asks for them.
fn sidecars(
    bound: &BoundRecipe,
    report: &TaskDefinitionReport,
    task: &TaskFacts,
    containers: &[ContainerFacts],
    asked: &[Workload],
) -> Vec<Map<String, Value>> {
    if report.outcome == Outcome::Refused {
        return Vec::new();
    }
    let indices = 0..bound.recipe().sidecar_names().len();
    let definitions = indices.filter_map(|index| {
        let needing = containers.iter().zip(asked);
        let needing = needing.filter(|(_, workload)| workload.sidecars.contains(&index));
        let needing: Vec<_> = needing.map(|(facts, _)| facts.clone()).collect();
        let definition = bound.sidecar(index, task, &needing);
        definition.ok().filter(|_| !needing.is_empty())
    });
    definitions.collect()
}

/// A template rewritten, and what is reported of its only task definition.
fn rewritten(
    template: &Value,
    sample: &Sample,
    recipes: &Recipes,
    settings: &Settings,
) -> Option<(TaskDefinitionReport, Value)> {
    let kind = DocumentKind::Template;
    let requests = images_needed(template, kind, recipes, settings).ok()?;
    let answers = requests.into_iter().map(|request| {
        let images = sample.containers.iter().map(|container| &container.image);
        let image = images
            .clone()
            .find(|image| image.reference == request.reference);
        let answer = image.map(ImageConfig::from).ok_or_else(|| ImageFailure {
            code: "not-found",
            message: "no sample has this image".to_owned(),
            hint: None,
        });
        (request, answer)
    });
    let answers: Answers = answers.collect();
    let done = rewrite(template, kind, recipes, settings, &answers).ok()?;
    let mut after = template.clone();
    put(&mut after, done.changes).ok()?;
    let report = done.report.task_definitions.into_iter().next()?;
    Some((report, after))
}

/// Whether a container starts something else than its program behind the wrapper.
fn broken_promise(rewritten: &Value, container: &Container, asked: &Workload) -> Option<Remark> {
    // An image that starts the wrapper itself is not wrapped again.
    let wrapping = asked.process.as_ref();
    let wrapping = wrapping.filter(|_| !container.wrapper_in_image);
    let cases = [(true, &container.program), (false, &container.otherwise)];
    let mut cases = cases
        .into_iter()
        .filter(|(holds, _)| *holds || !container.conditional);
    let broken = cases.any(|(holds, program)| {
        let starts = promise::starts(rewritten, container, holds);
        !starts.is_some_and(|starts| promise::is_kept(&starts, program, wrapping))
    });
    broken.then(|| {
        Remark::error(format!(
            "the container `{}` no longer starts its own program with all its arguments",
            container.name
        ))
    })
}

/// Whether a second run would change something, or not know what the first one did.
fn second_run(
    rewritten: &Value,
    sample: &Sample,
    recipes: &Recipes,
    settings: &Settings,
) -> Option<Remark> {
    let (report, _) = self::rewritten(rewritten, sample, recipes, settings)?;
    let finding = report.findings.iter();
    let finding = finding
        .clone()
        .find(|finding| finding.severity == Severity::Error);
    match report.outcome {
        Outcome::Unchanged => None,
        Outcome::Refused => {
            let why = finding
                .map(|finding| finding.message.clone())
                .unwrap_or_default();
            Some(Remark::error(format!(
                "a second run refuses what the first one wrote: {why}"
            )))
        }
        Outcome::Rewritten | Outcome::LeftAlone => {
            let containers = report.containers.iter().flat_map(|container| {
                container
                    .changes
                    .iter()
                    .map(|change| format!("{}: {change}", container.name))
            });
            let changes: Vec<String> = containers.chain(report.changes.iter().cloned()).collect();
            let hint = "a condition that asks what the recipe itself changes (`container.user`) holds no longer when the recipe is run again";
            let message = format!(
                "a second run changes something again: {}",
                changes.join(", ")
            );
            Some(Remark::error(message).hint(hint))
        }
    }
}
