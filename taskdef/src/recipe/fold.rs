//! Conditions and settings, folded as far as the inputs decide.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Refusal;
use super::error::RenderError;
use super::expression::{Compiled, shown};
use super::load::{self, When};
use super::scope::ContainerFacts;
use super::tree::{self, Entries, Rendering, Tree};

/// A condition after folding.
pub(super) enum Condition {
    Never,
    /// All of these have to hold; none is always.
    When(When),
}

pub(super) struct Requirement {
    pub(super) name: Option<String>,
    pub(super) when: Condition,
    pub(super) that: Option<Condition>,
    pub(super) message: Tree,
    pub(super) hint: Option<Tree>,
}

pub(super) struct Block {
    pub(super) each: bool,
    pub(super) when: Condition,
    /// Index into the processes.
    pub(super) process: Option<usize>,
    pub(super) settings: Settings,
}

pub(super) struct Sidecar {
    pub(super) when: Condition,
    pub(super) settings: Settings,
    pub(super) blocks: Vec<Block>,
}

/// Settings after folding.
pub(super) enum Settings {
    Known(Map<String, Value>),
    Dynamic(Entries),
}

impl Condition {
    /// Judges what reads only inputs. What fails stays, to fail when it is needed.
    pub(super) fn fold(when: &When, rendering: Rendering<'_>) -> Condition {
        let mut left = Vec::new();
        for compiled in when {
            let judged = compiled.only_inputs().then(|| rendering.holds(compiled));
            match judged {
                Some(Ok(true)) => {}
                Some(Ok(false)) => return Condition::Never,
                Some(Err(_)) | None => left.push(Arc::clone(compiled)),
            }
        }
        Condition::When(left)
    }

    pub(super) fn holds(&self, rendering: Rendering<'_>) -> Result<bool, RenderError> {
        let Condition::When(conditions) = self else {
            return Ok(false);
        };
        for condition in conditions {
            if !rendering.holds(condition)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn always(&self) -> bool {
        matches!(self, Condition::When(conditions) if conditions.is_empty())
    }

    pub(super) fn each_dynamic(&self, visit: &mut dyn FnMut(&Arc<Compiled>)) {
        if let Condition::When(conditions) = self {
            conditions.iter().for_each(visit);
        }
    }
}

impl Settings {
    pub(super) fn fold(entries: &Entries, rendering: Rendering<'_>) -> Settings {
        let entries = tree::fold(entries, rendering);
        let mut dynamic = false;
        entries
            .iter()
            .for_each(|(_, item)| item.each_dynamic(&mut |_| dynamic = true));
        if !dynamic && let Ok(known) = tree::render_settings(&entries, rendering) {
            return Settings::Known(known);
        }
        Settings::Dynamic(entries)
    }

    pub(super) fn merge_into(
        &self,
        settings: &mut Map<String, Value>,
        rendering: Rendering<'_>,
    ) -> Result<(), RenderError> {
        let rendered = match self {
            Settings::Known(known) => known.clone(),
            Settings::Dynamic(entries) => tree::render_settings(entries, rendering)?,
        };
        if settings.is_empty() {
            *settings = rendered;
            return Ok(());
        }
        for (key, value) in rendered {
            tree::merge(settings, &key, value);
        }
        Ok(())
    }

    /// One of the settings, as far as the inputs decide it.
    pub(super) fn stated(&self, key: &str, rendering: Rendering<'_>) -> Option<Value> {
        match self {
            Settings::Known(known) => known.get(key).cloned(),
            Settings::Dynamic(entries) => {
                let (_, item) = entries.iter().find(|(name, _)| name == key)?;
                item.render(rendering).ok().flatten()
            }
        }
    }

    pub(super) fn each_dynamic(&self, visit: &mut dyn FnMut(&Arc<Compiled>)) {
        if let Settings::Dynamic(entries) = self {
            entries
                .iter()
                .for_each(|(_, item)| item.each_dynamic(visit));
        }
    }
}

impl Sidecar {
    /// Calls the function for every expression of its definition that is left.
    pub(super) fn each_dynamic(&self, visit: &mut dyn FnMut(&Arc<Compiled>)) {
        self.settings.each_dynamic(visit);
        self.blocks
            .iter()
            .for_each(|block| block.each_dynamic(visit));
    }
}

impl Block {
    pub(super) fn fold(block: &load::Block, rendering: Rendering<'_>) -> Block {
        Block {
            each: block.each,
            when: Condition::fold(&block.when, rendering),
            process: None,
            settings: Settings::fold(&block.settings, rendering),
        }
    }

    /// Merges the settings in, once or for each container.
    pub(super) fn merge_into(
        &self,
        settings: &mut Map<String, Value>,
        rendering: Rendering<'_>,
        containers: &[ContainerFacts],
    ) -> Result<(), RenderError> {
        if !self.each {
            if self.when.holds(rendering)? {
                self.settings.merge_into(settings, rendering)?;
            }
            return Ok(());
        }
        for container in containers {
            let scope = rendering.scope.each(container);
            let rendering = Rendering {
                scope: &scope,
                texts: rendering.texts,
            };
            if self.when.holds(rendering)? {
                self.settings.merge_into(settings, rendering)?;
            }
        }
        Ok(())
    }

    /// Whether it holds, or, where it is repeated for each container, whether it does for one.
    pub(super) fn holds_somewhere(
        &self,
        rendering: Rendering<'_>,
        containers: &[ContainerFacts],
    ) -> Result<bool, RenderError> {
        if !self.each {
            return self.when.holds(rendering);
        }
        for container in containers {
            let scope = rendering.scope.each(container);
            let texts = rendering.texts;
            let scope = &scope;
            if self.when.holds(Rendering { scope, texts })? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn each_dynamic(&self, visit: &mut dyn FnMut(&Arc<Compiled>)) {
        if !matches!(self.when, Condition::Never) {
            self.when.each_dynamic(visit);
            self.settings.each_dynamic(visit);
        }
    }
}

impl Requirement {
    pub(super) fn fold(item: &load::Requirement, rendering: Rendering<'_>) -> Requirement {
        Requirement {
            name: item.name.clone(),
            when: Condition::fold(&item.when, rendering),
            that: item
                .that
                .as_ref()
                .map(|that| Condition::fold(that, rendering)),
            message: item.message.fold(rendering),
            hint: item.hint.as_ref().map(|hint| hint.fold(rendering)),
        }
    }

    /// What is to be said, when it applies and what it asks for does not hold.
    pub(super) fn refusal(&self, rendering: Rendering<'_>) -> Result<Option<Refusal>, RenderError> {
        if !self.when.holds(rendering)? {
            return Ok(None);
        }
        if let Some(that) = &self.that
            && that.holds(rendering)?
        {
            return Ok(None);
        }
        let text = |tree: &Tree| {
            Ok(tree
                .render(rendering)?
                .as_ref()
                .map(shown)
                .unwrap_or_default())
        };
        Ok(Some(Refusal {
            name: self.name.clone(),
            message: text(&self.message)?,
            hint: self.hint.as_ref().map(text).transpose()?,
        }))
    }

    pub(super) fn each_dynamic(&self, visit: &mut dyn FnMut(&Arc<Compiled>)) {
        if matches!(self.when, Condition::Never)
            || self.that.as_ref().is_some_and(Condition::always)
        {
            return;
        }
        self.when.each_dynamic(visit);
        self.that.iter().for_each(|that| that.each_dynamic(visit));
        self.message.each_dynamic(visit);
        self.hint.iter().for_each(|hint| hint.each_dynamic(visit));
    }
}
