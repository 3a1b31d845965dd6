//! Recipes: what a vendor's agent needs of a task definition, as data.
//!
//! A recipe is a YAML file; `docs/recipes.md` is the reference of its format.
//! It goes three steps: [`Recipe::parse`] checks the file and compiles every
//! expression once, [`Recipe::bind`] checks the inputs and renders all that
//! depends on them alone, and the methods of [`BoundRecipe`] say what becomes
//! of one container or one task definition.

mod assign;
mod blocks;
mod bound;
mod common;
mod compatibility;
mod compile;
mod declare;
mod ecs;
mod error;
mod expression;
mod file;
mod fold;
mod given;
mod image_secret;
mod input;
mod language;
mod load;
mod node;
mod position;
mod read;
mod recipes;
mod scan;
#[cfg(test)]
mod schema;
mod scope;
mod secret;
#[cfg(test)]
mod tests;
mod tree;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

pub use assign::{AssignError, Inputs, assign};
pub use blocks::{Block, BlockKind};
pub use bound::BoundRecipe;
pub use error::{InputError, InputErrors, Place, RecipeError, RenderError};
pub use image_secret::{ImageSecret, ImageSecrets};
pub use input::{InputDeclaration, InputType, InputValue, InputValueError};
pub use recipes::{CombinationError, Recipes, conflicts};
pub use scope::{ContainerFacts, TaskFacts};

pub(crate) use ecs::{NATURAL_KEYS, other_letter_case};

use crate::digest;
use compile::Compiler;
use load::Loaded;
use scope::Scope;
use tree::Rendering;

/// The recipes that come with the program: name and text, sorted by name.
pub fn builtin() -> &'static [(&'static str, &'static str)] {
    include!(concat!(env!("OUT_DIR"), "/templates.rs"))
}

/// A recipe, checked and compiled. Cheap to clone.
#[derive(Clone)]
pub struct Recipe {
    loaded: Arc<Loaded>,
    /// Of its text.
    digest: Arc<str>,
}

impl fmt::Debug for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipe({})", self.name())
    }
}

impl Recipe {
    /// Reads a recipe; `file` is how errors name it.
    pub fn parse(file: &str, text: &str) -> Result<Recipe, RecipeError> {
        let file: Arc<str> = Arc::from(file);
        let read = read::read(&file, text)?;
        let loaded = load::load(read, Compiler::new(file))?;
        Ok(Recipe {
            loaded: Arc::new(loaded),
            digest: Arc::from(digest::of(&Value::from(text))),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.loaded.name
    }

    /// The digest of its text.
    pub(super) fn digest(&self) -> &str {
        &self.digest
    }

    /// What it does, in one line.
    pub fn description(&self) -> &str {
        &self.loaded.description
    }

    /// Links to the vendor's documentation.
    pub fn documentation(&self) -> &[String] {
        &self.loaded.documentation
    }

    /// Whether it wraps processes. At most one such recipe can be used at a time.
    pub fn wraps(&self) -> bool {
        self.loaded
            .workload
            .iter()
            .any(|block| block.process.is_some())
    }

    /// Its wrappers, as far as they do not depend on inputs: to recognise programs that it wraps.
    pub fn literal_wrappings(&self) -> Vec<Wrapping> {
        let blocks = self.loaded.workload.iter();
        blocks
            .filter_map(|block| {
                bound::literal_wrapping(block.process.as_ref()?, &self.loaded.texts)
            })
            .collect()
    }

    /// Its inputs: its own in the order of the file, then those that every recipe takes.
    pub fn declarations(&self) -> &[InputDeclaration] {
        &self.loaded.declarations
    }

    /// The names of inputs that are secret and given in clear text. What begins like an ARN is not; where
    /// it is none, [`Recipe::bind`] refuses it.
    pub fn secrets_in_clear<'i>(&self, inputs: &'i Inputs) -> impl Iterator<Item = &'i str> {
        let clear = inputs.iter().filter(|(_, value)| match value {
            InputValue::ValueFrom(_) | InputValue::Plain(Value::Null) => false,
            InputValue::Plain(Value::String(text)) => {
                !text.is_empty() && !secret::begins_like_an_arn(text)
            }
            InputValue::Plain(_) => true,
        });
        let is_secret = |name: &str| {
            let mut declared = self.declarations().iter();
            declared.any(|input| input.secret && input.name == name)
        };
        clear
            .map(|(name, _)| name.as_str())
            .filter(move |name| is_secret(name))
    }

    /// The names of the containers that it adds.
    pub fn sidecar_names(&self) -> Vec<&str> {
        self.loaded
            .sidecars
            .iter()
            .map(|sidecar| sidecar.name.as_str())
            .collect()
    }

    /// Whether a sidecar goes to the end of the containers (`position: last`).
    pub fn sidecar_is_last(&self, index: usize) -> bool {
        self.loaded
            .sidecars
            .get(index)
            .is_some_and(|sidecar| sidecar.last)
    }

    /// The image repositories by which the vendor's agent is known under any container name.
    pub fn agent_repositories(&self) -> &[String] {
        &self.loaded.agent_images
    }

    /// Programs by which the vendor's agent is known in a process, beside the recipe's own wrappers.
    pub fn agent_programs(&self) -> &[String] {
        &self.loaded.agent_programs
    }

    /// The credentials that stand in the names of the vendor's images.
    pub fn image_secrets(&self) -> &[ImageSecret] {
        &self.loaded.image_secrets
    }

    /// What the roles need, and what has to be there before.
    pub fn permissions(&self) -> &Permissions {
        &self.loaded.permissions
    }

    /// Checks the inputs, and renders everything that depends on nothing else.
    pub fn bind(&self, given: BTreeMap<String, InputValue>) -> Result<BoundRecipe, InputErrors> {
        let mut errors = Vec::new();
        let (inputs, names) = input::check(self.declarations(), given, &mut errors);
        if self.wraps() {
            errors.extend(common::check_arrangement(&inputs));
        }
        let unconditional = self.declarations().iter().filter(|input| input.required);
        let mut missing: Vec<_> = unconditional
            .filter(|input| !names.contains(&input.name))
            .map(|input| input.name.clone())
            .collect();
        let slots = Arc::new(scope::input_slots(&inputs));
        let scope = Scope::inputs(&slots);
        let rendering = Rendering {
            scope: &scope,
            texts: &self.loaded.texts,
        };
        for condition in &self.loaded.input_conditions {
            let given = names.contains(&condition.name);
            let (judged, wrong) = match (&condition.required, &condition.forbidden, given) {
                (Some(required), _, false) => (required, true),
                (_, Some(forbidden), true) => (forbidden, false),
                _ => continue,
            };
            let name = condition.name.clone();
            match (rendering.holds(judged), wrong) {
                (Ok(false), _) => {}
                (Ok(true), true) => missing.push(name),
                (Ok(true), false) => {
                    errors.push(InputError::Forbidden {
                        name,
                        when: judged.source.clone(),
                    });
                }
                (Err(error), _) => errors.push(InputError::Condition { name, error }),
            }
        }
        if !missing.is_empty() {
            errors.insert(0, InputError::Missing(self.described(missing)));
        }
        if !errors.is_empty() {
            return Err(InputErrors {
                recipe: self.name().to_owned(),
                errors,
            });
        }
        Ok(BoundRecipe::new(self.clone(), inputs))
    }

    fn described(&self, names: Vec<String>) -> Vec<(String, String)> {
        let description = |name: &String| {
            let input = self.declarations().iter().find(|input| input.name == *name);
            input
                .map(|input| input.description.clone())
                .unwrap_or_default()
        };
        names
            .into_iter()
            .map(|name| (name.clone(), description(&name)))
            .collect()
    }
}

/// Where wrapper and program go; see `docs/recipes.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrangement {
    /// Entry point: wrapper and the original entry point; the command stays.
    Prefix,
    /// Entry point: wrapper; command: original entry point and command.
    Command,
    /// Entry point: wrapper, original entry point and command; no command.
    EntryPoint,
    /// Entry point: wrapper, original entry point and command, suffix; command: the recipe's.
    PrefixSuffix,
    /// Entry point: `sh -c` with script and program in one text; no command.
    ShellJoin,
    /// The process stays as it is.
    None,
}

/// One way in which a recipe wraps a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapping {
    /// Where wrapper and program go.
    pub arrangement: Arrangement,
    /// The wrapper's words; for a shell join the shell's (`sh`, `-c`).
    pub wrapper: Vec<Value>,
    /// The words after the program.
    pub suffix: Vec<Value>,
    /// The recipe's own command, where it has one.
    pub command: Option<Vec<Value>>,
    /// For a shell join: the text before ` && exec `.
    pub script: Option<String>,
}

/// What becomes of a selected container. `Debug` does not show its settings.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Workload {
    /// How its process is wrapped, if it is.
    pub process: Option<Wrapping>,
    /// Settings to merge into it, in the names of the ECS API.
    pub settings: Map<String, Value>,
    /// Which of the recipe's sidecars it needs.
    pub sidecars: Vec<usize>,
    /// Why it cannot be instrumented.
    pub refusals: Vec<Refusal>,
    /// What the recipe takes for granted and nobody can see.
    pub warnings: Vec<Refusal>,
}

impl fmt::Debug for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workload")
            .field("process", &self.process)
            .field("settings", &self.settings.keys().collect::<Vec<_>>())
            .field("sidecars", &self.sidecars)
            .field("refusals", &self.refusals)
            .field("warnings", &self.warnings)
            .finish()
    }
}

/// What a recipe has to say about a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The name of the assumption (`shell`); none for a refusal.
    pub name: Option<String>,
    /// What is wrong, or taken for granted.
    pub message: String,
    /// The way out, where there is one.
    pub hint: Option<String>,
}

/// What a person has to arrange for a recipe to work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// What the task execution role needs.
    pub execution_role: Vec<Note>,
    /// What the task role needs.
    pub task_role: Vec<Note>,
    /// What the vendor's own role needs.
    pub vendor: Vec<Note>,
    /// What has to be there before.
    pub prerequisites: Vec<Note>,
    /// What the task has to reach.
    pub network: Vec<Note>,
    /// Versions that the vendor documents to work together.
    pub compatibility: Vec<Note>,
}

/// A text for a person, with a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The text.
    pub text: String,
    /// Where it is documented.
    pub link: Option<String>,
}
