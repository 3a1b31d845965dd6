//! What a recipe asks, rendered once for containers that it asks the same of.
//!
//! Nearly all containers of a large template differ only in what a recipe does not read, so the
//! last answer is kept.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::dialect::Dialect;
use crate::edit::Edit;
use crate::recipe::{
    BoundRecipe, ContainerFacts, Recipe, Recipes, RenderError, TaskFacts, Workload,
};

use super::merge;

/// A recipe with the answers that it gave last.
pub(crate) struct Rendered<'r> {
    pub(crate) recipe: &'r BoundRecipe,
    /// The other recipes of the run.
    pub(crate) siblings: Vec<&'r Recipe>,
    /// The values of secret inputs in clear.
    secrets: Vec<&'r str>,
    dialect: Dialect,
    additions: RefCell<Option<Last<ContainerFacts, Additions>>>,
    sidecars: RefCell<BTreeMap<usize, Last<Vec<ContainerFacts>, Sidecar>>>,
}

/// What was asked last, and the answer.
type Last<Facts, Answer> = (TaskFacts, Facts, Rc<Answer>);

/// What a recipe asks of a container.
#[derive(PartialEq)]
pub(crate) struct Additions {
    pub(crate) workload: Workload,
    /// The workload's settings.
    pub(crate) edits: Vec<Edit>,
}

/// The definition of a sidecar.
pub(crate) struct Sidecar {
    pub(crate) definition: Map<String, Value>,
    /// The same as the document spells it.
    pub(crate) spelled: Value,
}

impl<'r> Rendered<'r> {
    pub(crate) fn new(recipe: &'r BoundRecipe, recipes: &'r Recipes, dialect: Dialect) -> Self {
        let others = recipes.iter().map(BoundRecipe::recipe);
        let others = others.filter(|other| other.name() != recipe.recipe().name());
        Rendered {
            recipe,
            siblings: others.collect(),
            secrets: recipe.secret_texts(),
            dialect,
            additions: RefCell::default(),
            sidecars: RefCell::default(),
        }
    }

    /// The values of secret inputs in clear.
    pub(crate) fn clear_secrets(&self) -> &[&'r str] {
        &self.secrets
    }

    /// What becomes of a selected container.
    pub(crate) fn additions(
        &self,
        task: &TaskFacts,
        container: &ContainerFacts,
    ) -> Result<Rc<Additions>, RenderError> {
        let (task, container) = self.recipe.read_by_workload(task, container);
        let mut last = self.additions.borrow_mut();
        if let Some((last_task, last_container, additions)) = last.as_ref()
            && (last_task, last_container) == (&task, &container)
        {
            return Ok(Rc::clone(additions));
        }
        let workload = self.recipe.workload(&task, &container)?;
        let edits = merge::edits(self.dialect, &workload.settings);
        let additions = Rc::new(Additions { workload, edits });
        *last = Some((task, container, Rc::clone(&additions)));
        Ok(additions)
    }

    /// A sidecar for the selected containers that need it.
    pub(crate) fn sidecar(
        &self,
        index: usize,
        task: &TaskFacts,
        containers: &[ContainerFacts],
    ) -> Result<Rc<Sidecar>, RenderError> {
        let (task, containers) = self.recipe.read_by_sidecar(index, task, containers);
        let mut last = self.sidecars.borrow_mut();
        if let Some((last_task, last_containers, sidecar)) = last.get(&index)
            && (last_task, last_containers) == (&task, &containers)
        {
            return Ok(Rc::clone(sidecar));
        }
        let definition = self.recipe.sidecar(index, &task, &containers)?;
        let spelled = self.dialect.spell("", &Value::Object(definition.clone()));
        let sidecar = Rc::new(Sidecar {
            definition,
            spelled,
        });
        last.insert(index, (task, containers, Rc::clone(&sidecar)));
        Ok(sidecar)
    }
}
