//! A recipe with its inputs: what becomes of a container and of a task.

use std::fmt;
use std::sync::Arc;

use minijinja::Environment;
use serde_json::{Map, Value};

use super::error::RenderError;
use super::expression::{Compiled, Names, shown};
use super::fold::{Block, Condition, Requirement, Settings, Sidecar};
use super::input::BoundInputs;
use super::load;
use super::scope::{ContainerFacts, FactsRead, InputSlots, Scope, TaskFacts, input_slots};
use super::tree::{Rendering, Tree};
use super::{Arrangement, Permissions, Recipe, Workload, Wrapping, common};

/// A recipe whose inputs are known. Everything that depends on nothing else is already rendered.
pub struct BoundRecipe {
    recipe: Recipe,
    pub(super) inputs: BoundInputs,
    pub(super) slots: Arc<InputSlots>,
    pub(super) requires: Vec<Requirement>,
    pub(super) assumes: Vec<Requirement>,
    processes: Vec<Result<Wrapping, RenderError>>,
    pub(super) workload: Vec<Block>,
    pub(super) sidecars: Vec<Sidecar>,
    pub(super) task: Vec<Block>,
    /// What becomes of a container depends on these facts.
    workload_reads: FactsRead,
    /// The definition of each sidecar depends on these facts.
    sidecars_read: Vec<FactsRead>,
    /// What becomes of the task definition itself depends on these facts.
    task_reads: FactsRead,
}

impl fmt::Debug for BoundRecipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BoundRecipe({})", self.recipe.name())
    }
}

fn wrapping(
    process: &load::Process,
    inputs: &BoundInputs,
    rendering: Rendering<'_>,
) -> Result<Wrapping, RenderError> {
    let script = process
        .script
        .as_ref()
        .map(|script| script.render(rendering))
        .transpose()?;
    Ok(Wrapping {
        arrangement: common::arrangement(inputs, process.arrangement),
        wrapper: process.wrapper.render_words(rendering)?,
        suffix: process.suffix.render_words(rendering)?,
        command: process
            .command
            .as_ref()
            .map(|command| command.render_words(rendering))
            .transpose()?,
        script: script.flatten().as_ref().map(shown),
    })
}

/// Whether an image reference has no digest, and the tag `latest` or none.
fn is_mutable(image: &str) -> bool {
    let tag = image
        .rsplit_once('/')
        .map_or(image, |(_, name)| name)
        .split_once(':')
        .map(|(_, tag)| tag);
    !image.contains('@') && matches!(tag, None | Some("latest"))
}

/// A wrapping without the parts that inputs can change, where wrapper and script are literal.
pub(super) fn literal_wrapping(
    process: &load::Process,
    texts: &Environment<'static>,
) -> Option<Wrapping> {
    let mut literal = true;
    let mut visit = |_: &Arc<Compiled>| literal = false;
    process.wrapper.each_dynamic(&mut visit);
    process
        .script
        .iter()
        .for_each(|script| script.each_dynamic(&mut visit));
    let slots = Arc::default();
    let scope = Scope::inputs(&slots);
    let rendering = Rendering {
        scope: &scope,
        texts,
    };
    let bare = load::Process {
        suffix: Tree::Nothing,
        command: None,
        ..process.clone()
    };
    let wrapping = literal.then(|| wrapping(&bare, &BoundInputs::new(), rendering));
    wrapping?.ok()
}

impl BoundRecipe {
    pub(super) fn new(recipe: Recipe, inputs: BoundInputs) -> BoundRecipe {
        let slots = Arc::new(input_slots(&inputs));
        let loaded = &recipe.loaded;
        let scope = Scope::inputs(&slots);
        let rendering = Rendering {
            scope: &scope,
            texts: &loaded.texts,
        };
        let requirement = |item: &load::Requirement| Requirement::fold(item, rendering);
        let block = |item: &load::Block| Block::fold(item, rendering);
        let requires = loaded.requires.iter().map(requirement).collect();
        let assumes = loaded.assumes.iter().map(requirement).collect();
        let mut processes = Vec::new();
        let workload = loaded.workload.iter().map(|item| {
            let process = item.process.as_ref().map(|process| {
                processes.push(wrapping(process, &inputs, rendering));
                processes.len() - 1
            });
            Block {
                each: false,
                when: Condition::fold(&item.when, rendering),
                process,
                settings: Settings::fold(&item.settings, rendering),
            }
        });
        let workload = workload.collect();
        let sidecar = |item: &load::Sidecar| Sidecar {
            when: Condition::fold(&item.when, rendering),
            settings: Settings::fold(&item.settings, rendering),
            blocks: item.blocks.iter().map(block).collect(),
        };
        let sidecars = loaded.sidecars.iter().map(sidecar).collect();
        let task = loaded.task.iter().map(block).collect();
        let mut bound = BoundRecipe {
            requires,
            assumes,
            processes,
            workload,
            sidecars,
            task,
            recipe,
            inputs,
            slots,
            workload_reads: FactsRead::default(),
            sidecars_read: Vec::new(),
            task_reads: FactsRead::default(),
        };
        bound.workload_reads = FactsRead::of(&bound.names_of_workload());
        let reads = bound.sidecars.iter().map(|sidecar| {
            let mut names = Names::new();
            sidecar.each_dynamic(&mut |compiled| names.extend(compiled.names.iter().cloned()));
            FactsRead::of(&names)
        });
        bound.sidecars_read = reads.collect();
        bound.task_reads = FactsRead::of(&bound.names_of_task());
        bound
    }

    fn names_of_task(&self) -> Names {
        let mut names = Names::new();
        let mut visit = |compiled: &Arc<Compiled>| names.extend(compiled.names.iter().cloned());
        self.task
            .iter()
            .for_each(|block| block.each_dynamic(&mut visit));
        names
    }

    fn names_of_workload(&self) -> Names {
        let mut names = Names::new();
        let mut visit = |compiled: &Arc<Compiled>| names.extend(compiled.names.iter().cloned());
        self.requires
            .iter()
            .chain(&self.assumes)
            .for_each(|item| item.each_dynamic(&mut visit));
        self.workload
            .iter()
            .for_each(|block| block.each_dynamic(&mut visit));
        self.sidecars
            .iter()
            .for_each(|sidecar| sidecar.when.each_dynamic(&mut visit));
        names
    }

    /// What [`BoundRecipe::workload`] reads of these facts; the others are null.
    pub(crate) fn read_by_workload(
        &self,
        task: &TaskFacts,
        container: &ContainerFacts,
    ) -> (TaskFacts, ContainerFacts) {
        let reads = &self.workload_reads;
        (reads.of_task(task), reads.of_container(container))
    }

    /// What [`BoundRecipe::sidecar`] reads of these facts; the others are null.
    pub(crate) fn read_by_sidecar(
        &self,
        index: usize,
        task: &TaskFacts,
        containers: &[ContainerFacts],
    ) -> (TaskFacts, Vec<ContainerFacts>) {
        match self.sidecars_read.get(index) {
            Some(reads) => {
                let containers = containers.iter();
                let containers = containers.map(|container| reads.of_container(container));
                (reads.of_task(task), containers.collect())
            }
            None => (task.clone(), containers.to_vec()),
        }
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Whether it changes what a container starts: not when the input `arrangement` says that it
    /// wraps nothing.
    pub fn wraps(&self) -> bool {
        self.processes.iter().any(|process| match process {
            Ok(wrapping) => wrapping.arrangement != Arrangement::None,
            Err(_) => true,
        })
    }

    /// Whether the task definition's family can matter.
    pub(crate) fn reads_family(&self) -> bool {
        let sidecars = self.sidecars_read.iter();
        sidecars
            .chain([&self.workload_reads, &self.task_reads])
            .any(FactsRead::reads_family)
    }

    /// The images of sidecars that move with every release, where the recipe wants that said: a tag
    /// `latest` or none, and no digest.
    pub fn mutable_images(&self) -> Vec<String> {
        let sidecars = self.sidecars.iter().zip(&self.recipe.loaded.sidecars);
        sidecars
            .enumerate()
            .filter(|(_, (_, loaded))| loaded.warns_of_mutable_image)
            .filter_map(|(index, (sidecar, _))| self.image_of(index, sidecar))
            .filter(|image| is_mutable(image))
            .collect()
    }

    /// A sidecar's image, as far as the inputs decide it and it is a text.
    fn image_of(&self, index: usize, sidecar: &Sidecar) -> Option<String> {
        let scope = Scope::inputs(&self.slots);
        let rendering = Rendering {
            scope: &scope,
            texts: &self.recipe.loaded.texts,
        };
        let image = match sidecar.settings.stated("image", rendering) {
            Some(image) => image,
            None if index == 0 => common::image(&self.inputs).cloned()?,
            None => return None,
        };
        image.as_str().map(str::to_owned)
    }

    /// Whether the user that a container runs as can matter, so that the image config is needed
    /// even where the task definition states the process.
    pub fn asks_user(&self) -> bool {
        let mut asks = false;
        let mut visit = |compiled: &Arc<Compiled>| asks |= compiled.reads_user();
        self.requires
            .iter()
            .chain(&self.assumes)
            .for_each(|item| item.each_dynamic(&mut visit));
        self.workload
            .iter()
            .chain(&self.task)
            .for_each(|block| block.each_dynamic(&mut visit));
        for sidecar in &self.sidecars {
            if matches!(sidecar.when, Condition::Never) {
                continue;
            }
            sidecar.when.each_dynamic(&mut visit);
            sidecar.each_dynamic(&mut visit);
        }
        asks
    }

    /// Every way in which the recipe can wrap a process, whatever the conditions: to recognise
    /// containers that are wrapped already.
    pub fn wrappings(&self) -> Result<Vec<&Wrapping>, RenderError> {
        self.processes
            .iter()
            .map(|process| process.as_ref().map_err(Clone::clone))
            .collect()
    }

    /// What becomes of a selected container.
    pub fn workload(
        &self,
        task: &TaskFacts,
        container: &ContainerFacts,
    ) -> Result<Workload, RenderError> {
        let scope = Scope::container(&self.slots, task, container);
        let rendering = Rendering {
            scope: &scope,
            texts: &self.recipe.loaded.texts,
        };
        let mut workload = Workload::default();
        for item in &self.requires {
            workload.refusals.extend(item.refusal(rendering)?);
        }
        for item in &self.assumes {
            workload.warnings.extend(item.refusal(rendering)?);
        }
        for block in &self.workload {
            if !block.when.holds(rendering)? {
                continue;
            }
            if let Some(process) = block.process {
                self.set_process(&mut workload, process)?;
            }
            block
                .settings
                .merge_into(&mut workload.settings, rendering)?;
        }
        for (index, sidecar) in self.sidecars.iter().enumerate() {
            if sidecar.when.holds(rendering)? {
                workload.sidecars.push(index);
            }
        }
        Ok(workload)
    }

    fn set_process(&self, workload: &mut Workload, index: usize) -> Result<(), RenderError> {
        let wrapping = match self.processes.get(index) {
            Some(wrapping) => wrapping.clone()?,
            None => return Ok(()),
        };
        if workload.process.is_some() {
            let processes = self
                .recipe
                .loaded
                .workload
                .iter()
                .filter_map(|b| b.process.as_ref());
            let place = processes.map(|process| process.place.clone()).nth(index);
            return Err(match place {
                Some(place) => RenderError::TwoProcesses { place },
                None => return Ok(()),
            });
        }
        workload.process = Some(wrapping);
        Ok(())
    }

    /// The definition of a sidecar, for the selected containers that need it.
    pub fn sidecar(
        &self,
        index: usize,
        task: &TaskFacts,
        containers: &[ContainerFacts],
    ) -> Result<Map<String, Value>, RenderError> {
        let mut definition = Map::new();
        let stated = self
            .sidecars
            .get(index)
            .zip(self.recipe.loaded.sidecars.get(index));
        let Some((sidecar, loaded)) = stated else {
            return Ok(definition);
        };
        let scope = Scope::task(&self.slots, task, containers);
        let rendering = Rendering {
            scope: &scope,
            texts: &self.recipe.loaded.texts,
        };
        definition.insert("name".to_owned(), Value::from(loaded.name.as_str()));
        if index == 0
            && !loaded.settings.iter().any(|(key, _)| key == "image")
            && let Some(image) = common::image(&self.inputs)
        {
            definition.insert("image".to_owned(), image.clone());
        }
        sidecar.settings.merge_into(&mut definition, rendering)?;
        for block in &sidecar.blocks {
            block.merge_into(&mut definition, rendering, containers)?;
        }
        if index == 0 {
            common::apply(&self.inputs, &mut definition);
        }
        Ok(definition)
    }

    /// What becomes of the task definition itself, for its selected containers.
    pub fn task(
        &self,
        task: &TaskFacts,
        containers: &[ContainerFacts],
    ) -> Result<Map<String, Value>, RenderError> {
        let scope = Scope::task(&self.slots, task, containers);
        let rendering = Rendering {
            scope: &scope,
            texts: &self.recipe.loaded.texts,
        };
        let mut settings = Map::new();
        for block in &self.task {
            block.merge_into(&mut settings, rendering, containers)?;
        }
        if let Some(role) = common::execution_role(&self.inputs) {
            settings.insert("executionRoleArn".to_owned(), role.clone());
        }
        Ok(settings)
    }

    /// What the roles need, and what has to be there before.
    pub fn permissions(&self) -> &Permissions {
        &self.recipe.loaded.permissions
    }
}
