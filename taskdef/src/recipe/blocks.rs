//! The parts of a recipe by their places, for whoever checks a recipe: which of them take part, and
//! which inputs are read at all.

use std::sync::Arc;

use super::error::{Place, RenderError};
use super::expression::Compiled;
use super::fold;
use super::load::{self, When};
use super::scope::{ContainerFacts, Scope, TaskFacts};
use super::tree::{Entries, Rendering};
use super::{BoundRecipe, Recipe, common};

/// What a part of a recipe is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlockKind {
    /// An entry of `requires`.
    Requirement,
    /// An entry of `assumes`.
    Assumption,
    /// A block of `workload`.
    Workload,
    /// A sidecar.
    Sidecar,
    /// A block of a sidecar.
    SidecarBlock,
    /// A block of `task`.
    Task,
}

/// A part of a recipe that takes part under conditions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Block {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub kind: BlockKind,
}

impl Block {
    fn new(kind: BlockKind, place: &Place) -> Block {
        let place = place.clone();
        Block { place, kind }
    }
}

impl Recipe {
    /// All of its parts that take part under conditions, in the order of the file's keys.
    pub fn blocks(&self) -> Vec<Block> {
        let loaded = &self.loaded;
        let mut blocks = Vec::new();
        let mut push = |kind, place| blocks.push(Block::new(kind, place));
        for item in &loaded.requires {
            push(BlockKind::Requirement, &item.place);
        }
        for item in &loaded.assumes {
            push(BlockKind::Assumption, &item.place);
        }
        for block in &loaded.workload {
            push(BlockKind::Workload, &block.place);
        }
        for sidecar in &loaded.sidecars {
            push(BlockKind::Sidecar, &sidecar.place);
            for block in &sidecar.blocks {
                push(BlockKind::SidecarBlock, &block.place);
            }
        }
        for block in &loaded.task {
            push(BlockKind::Task, &block.place);
        }
        blocks
    }

    /// Whether the file itself declares an input of this name.
    pub(crate) fn declares(&self, name: &str) -> bool {
        let mut declared = self.loaded.declared.iter();
        declared.any(|(known, _)| known == name)
    }

    /// The inputs that the file declares and that nothing reads, and where.
    pub fn unused_inputs(&self) -> Vec<(String, Place)> {
        let common = common::declarations(true, true);
        let acted_on = |name: &String| match name.as_str() {
            "image" => self.image_input_counts(),
            name => common.iter().any(|input| input.name == name),
        };
        let loaded = &self.loaded;
        let declared = loaded.declared.iter();
        let unused = declared.filter(|(name, _)| {
            let compared = loaded.compatibility.iter().any(|table| table.reads(name));
            !acted_on(name) && !compared && !self.reads_input(name)
        });
        unused.cloned().collect()
    }

    /// Whether the first sidecar takes its image from the input `image`.
    pub fn image_input_counts(&self) -> bool {
        let first = self.loaded.sidecars.first();
        first.is_some_and(|sidecar| {
            let states = sidecar.settings.iter().any(|(key, _)| key == "image");
            !states || self.reads_input("image")
        })
    }

    fn reads_input(&self, name: &str) -> bool {
        let name = format!("inputs.{name}");
        let below = format!("{name}.");
        let mut read = false;
        self.each_expression(&mut |compiled| {
            let mut names = compiled.names.iter();
            read |= names.any(|known| *known == name || known.starts_with(&below));
        });
        read
    }

    fn each_expression(&self, visit: &mut dyn FnMut(&Arc<Compiled>)) {
        let loaded = &self.loaded;
        for condition in &loaded.input_conditions {
            let conditions = condition.required.iter().chain(&condition.forbidden);
            conditions.for_each(&mut *visit);
        }
        for item in loaded.requires.iter().chain(&loaded.assumes) {
            in_conditions(&item.when, visit);
            item.that.iter().for_each(|that| in_conditions(that, visit));
            item.message.each_dynamic(visit);
            item.hint.iter().for_each(|hint| hint.each_dynamic(visit));
        }
        for block in &loaded.workload {
            in_conditions(&block.when, visit);
            in_entries(&block.settings, visit);
            if let Some(process) = &block.process {
                let trees = [&process.wrapper, &process.suffix];
                let trees = trees.into_iter().chain(&process.command);
                for tree in trees.chain(&process.script) {
                    tree.each_dynamic(visit);
                }
            }
        }
        for sidecar in &loaded.sidecars {
            in_conditions(&sidecar.when, visit);
            in_entries(&sidecar.settings, visit);
        }
        let blocks = loaded.sidecars.iter().flat_map(|sidecar| &sidecar.blocks);
        for block in blocks.chain(&loaded.task) {
            in_conditions(&block.when, visit);
            in_entries(&block.settings, visit);
        }
    }
}

fn in_conditions(when: &When, visit: &mut dyn FnMut(&Arc<Compiled>)) {
    when.iter().for_each(visit);
}

fn in_entries(entries: &Entries, visit: &mut dyn FnMut(&Arc<Compiled>)) {
    entries
        .iter()
        .for_each(|(_, item)| item.each_dynamic(visit));
}

impl BoundRecipe {
    /// The parts that take part in what becomes of a task with these containers: the requirements
    /// that it does not meet, or else all that is done to it.
    pub(crate) fn reached(
        &self,
        task: &TaskFacts,
        containers: &[ContainerFacts],
    ) -> Result<Vec<Block>, RenderError> {
        let loaded = &self.recipe().loaded;
        let unmet = self.unmet(task, containers)?;
        if !unmet.is_empty() {
            return Ok(unmet);
        }
        let mut reached = Vec::new();
        for container in containers {
            let scope = Scope::container(&self.slots, task, container);
            let rendering = self.rendering(&scope);
            for (item, loaded) in self.assumes.iter().zip(&loaded.assumes) {
                if item.when.holds(rendering)? {
                    reached.push(Block::new(BlockKind::Assumption, &loaded.place));
                }
            }
            for (block, loaded) in self.workload.iter().zip(&loaded.workload) {
                if block.when.holds(rendering)? {
                    reached.push(Block::new(BlockKind::Workload, &loaded.place));
                }
            }
        }
        for (sidecar, loaded) in self.sidecars.iter().zip(&loaded.sidecars) {
            let needing = self.needing(sidecar, task, containers)?;
            if !needing.is_empty() {
                reached.push(Block::new(BlockKind::Sidecar, &loaded.place));
                let blocks = (sidecar.blocks.as_slice(), loaded.blocks.as_slice());
                let kind = BlockKind::SidecarBlock;
                reached.extend(self.reached_blocks(kind, blocks, task, &needing)?);
            }
        }
        let blocks = (self.task.as_slice(), loaded.task.as_slice());
        reached.extend(self.reached_blocks(BlockKind::Task, blocks, task, containers)?);
        Ok(reached)
    }

    fn unmet(
        &self,
        task: &TaskFacts,
        containers: &[ContainerFacts],
    ) -> Result<Vec<Block>, RenderError> {
        let mut unmet = Vec::new();
        for container in containers {
            let scope = Scope::container(&self.slots, task, container);
            let rendering = self.rendering(&scope);
            for (item, loaded) in self.requires.iter().zip(&self.recipe().loaded.requires) {
                if item.refusal(rendering)?.is_some() {
                    unmet.push(Block::new(BlockKind::Requirement, &loaded.place));
                }
            }
        }
        Ok(unmet)
    }

    /// The containers that need a sidecar.
    fn needing(
        &self,
        sidecar: &fold::Sidecar,
        task: &TaskFacts,
        containers: &[ContainerFacts],
    ) -> Result<Vec<ContainerFacts>, RenderError> {
        let mut needing = Vec::new();
        for container in containers {
            let scope = Scope::container(&self.slots, task, container);
            if sidecar.when.holds(self.rendering(&scope))? {
                needing.push(container.clone());
            }
        }
        Ok(needing)
    }

    fn reached_blocks(
        &self,
        kind: BlockKind,
        (blocks, loaded): (&[fold::Block], &[load::Block]),
        task: &TaskFacts,
        containers: &[ContainerFacts],
    ) -> Result<Vec<Block>, RenderError> {
        let scope = Scope::task(&self.slots, task, containers);
        let mut reached = Vec::new();
        for (block, loaded) in blocks.iter().zip(loaded) {
            if block.holds_somewhere(self.rendering(&scope), containers)? {
                reached.push(Block::new(kind, &loaded.place));
            }
        }
        Ok(reached)
    }

    fn rendering<'a>(&'a self, scope: &'a Scope<'a>) -> Rendering<'a> {
        Rendering {
            scope,
            texts: &self.recipe().loaded.texts,
        }
    }
}
