//! From the file to the recipe.

use std::sync::Arc;

use minijinja::Environment;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::Arrangement;
use super::compatibility::Compatibility;
use super::compile::{Compiler, Reach};
use super::declare;
use super::ecs;
use super::error::{Place, RecipeError};
use super::expression::Compiled;
use super::file::{
    ArrangementFile, AssumptionFile, BlockFile, NoteFile, PermissionsFile, ProcessFile, RecipeFile,
    RequirementFile, SidecarFile, WorkloadFile,
};
use super::image_secret::ImageSecret;
use super::input::InputDeclaration;
use super::node::{Content, Node};
use super::tree::{Entries, Tree};
use super::{Note, Permissions};

/// The version of the format that this program reads.
pub(super) const FORMAT: u64 = 1;

/// Conditions that all have to hold; none holds always.
pub(super) type When = Vec<Arc<Compiled>>;

/// A recipe, compiled.
pub(super) struct Loaded {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) documentation: Vec<String>,
    pub(super) agent_images: Vec<String>,
    pub(super) agent_programs: Vec<String>,
    pub(super) image_secrets: Vec<ImageSecret>,
    pub(super) declarations: Vec<InputDeclaration>,
    pub(super) input_conditions: Vec<InputCondition>,
    /// Where the file declares its own inputs.
    pub(super) declared: Vec<(String, Place)>,
    pub(super) requires: Vec<Requirement>,
    pub(super) assumes: Vec<Requirement>,
    pub(super) workload: Vec<Workload>,
    pub(super) sidecars: Vec<Sidecar>,
    pub(super) task: Vec<Block>,
    pub(super) permissions: Permissions,
    pub(super) compatibility: Vec<Compatibility>,
    pub(super) texts: Environment<'static>,
}

/// When an input is required, and when it is forbidden.
pub(super) struct InputCondition {
    pub(super) name: String,
    pub(super) required: Option<Arc<Compiled>>,
    pub(super) forbidden: Option<Arc<Compiled>>,
}

/// What has to hold (`requires`), or what is taken for granted (`assumes`, without `that`).
pub(super) struct Requirement {
    pub(super) place: Place,
    pub(super) name: Option<String>,
    pub(super) when: When,
    pub(super) that: Option<When>,
    pub(super) message: Tree,
    pub(super) hint: Option<Tree>,
}

/// A block of `workload`.
pub(super) struct Workload {
    pub(super) place: Place,
    pub(super) when: When,
    pub(super) process: Option<Process>,
    pub(super) settings: Entries,
}

/// How a process is wrapped.
#[derive(Clone)]
pub(super) struct Process {
    pub(super) place: Place,
    pub(super) arrangement: Arrangement,
    pub(super) wrapper: Tree,
    pub(super) suffix: Tree,
    pub(super) command: Option<Tree>,
    pub(super) script: Option<Tree>,
}

/// A container that is added.
pub(super) struct Sidecar {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) last: bool,
    pub(super) warns_of_mutable_image: bool,
    pub(super) when: When,
    pub(super) settings: Entries,
    pub(super) blocks: Vec<Block>,
}

/// Settings that hold under a condition, or once for each container.
pub(super) struct Block {
    pub(super) place: Place,
    pub(super) each: bool,
    pub(super) when: When,
    pub(super) settings: Entries,
}

/// Compiles a recipe.
pub(super) fn load(file: RecipeFile, compiler: Compiler) -> Result<Loaded, RecipeError> {
    let mut compiler = compiler;
    if file.recipe.value != FORMAT {
        let message = format!("this program reads version {FORMAT} of the format");
        return Err(RecipeError::new(compiler.place_of(&file.recipe), message));
    }
    check_name(&compiler, &file.name)?;
    let image_secrets = image_secrets(&compiler, &file.image_secrets)?;
    let (declarations, input_conditions) = declare::inputs(&mut compiler, &file)?;
    let own = file.inputs.0.iter();
    let declared = own.map(|(name, _)| (name.value.clone(), compiler.place_of(name)));
    let declared = declared.collect();
    let requires = file
        .requires
        .iter()
        .map(|item| requirement(&mut compiler, item));
    let requires = requires.collect::<Result<_, _>>()?;
    let assumes = file
        .assumes
        .iter()
        .map(|item| assumption(&mut compiler, item));
    let assumes = assumes.collect::<Result<_, _>>()?;
    let workload = file
        .workload
        .iter()
        .map(|item| workload(&mut compiler, item));
    let workload = workload.collect::<Result<_, _>>()?;
    let sidecars = sidecars(&mut compiler, &file.sidecars, &declarations)?;
    let task = file
        .task
        .iter()
        .map(|item| block(&mut compiler, item, ecs::TASK));
    let task = task.collect::<Result<_, _>>()?;
    let compatibility = file.compatibility.into_iter();
    let compatibility =
        compatibility.map(|table| Compatibility::load(&compiler, table, &declarations));
    let compatibility = compatibility.collect::<Result<Vec<_>, _>>()?;
    let mut permissions = permissions(file.permissions, file.prerequisites, file.network);
    permissions.compatibility = compatibility
        .iter()
        .flat_map(Compatibility::notes)
        .collect();
    Ok(Loaded {
        name: file.name.value,
        description: file.description,
        documentation: file.documentation,
        agent_images: file.agent_images,
        agent_programs: file.agent_programs,
        image_secrets,
        declarations,
        input_conditions,
        declared,
        requires,
        assumes,
        workload,
        sidecars,
        task,
        permissions,
        compatibility,
        texts: compiler.texts,
    })
}

fn check_name(compiler: &Compiler, name: &Spanned<String>) -> Result<(), RecipeError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.value.is_empty() && name.value.chars().all(fits) {
        return Ok(());
    }
    let message = "a recipe's name has lower-case letters, digits and hyphens only";
    Err(RecipeError::new(compiler.place_of(name), message))
}

fn image_secrets(
    compiler: &Compiler,
    texts: &[Spanned<String>],
) -> Result<Vec<ImageSecret>, RecipeError> {
    let each = texts.iter().map(|text| {
        ImageSecret::parse(&text.value).ok_or_else(|| {
            let message =
                "an entry of `imageSecrets` is some text, and one `*` where the credential stands";
            RecipeError::new(compiler.place_of(text), message)
        })
    });
    each.collect()
}

fn when(compiler: &mut Compiler, node: &Option<Node>, reach: Reach) -> Result<When, RecipeError> {
    match node {
        Some(node) => compiler.conditions(node, reach),
        None => Ok(Vec::new()),
    }
}

fn requirement(
    compiler: &mut Compiler,
    spanned: &Spanned<RequirementFile>,
) -> Result<Requirement, RecipeError> {
    let reach = Reach::Container;
    let item = &spanned.value;
    Ok(Requirement {
        place: compiler.place_of(spanned),
        name: None,
        when: when(compiler, &item.when, reach)?,
        that: Some(compiler.conditions(&item.that, reach)?),
        message: compiler.message(&item.message, reach)?,
        hint: item
            .hint
            .as_ref()
            .map(|hint| compiler.message(hint, reach))
            .transpose()?,
    })
}

fn assumption(
    compiler: &mut Compiler,
    spanned: &Spanned<AssumptionFile>,
) -> Result<Requirement, RecipeError> {
    let reach = Reach::Container;
    let item = &spanned.value;
    Ok(Requirement {
        place: compiler.place_of(spanned),
        name: Some(item.name.clone()),
        when: when(compiler, &item.when, reach)?,
        that: None,
        message: compiler.message(&item.message, reach)?,
        hint: item
            .hint
            .as_ref()
            .map(|hint| compiler.message(hint, reach))
            .transpose()?,
    })
}

fn workload(
    compiler: &mut Compiler,
    spanned: &Spanned<WorkloadFile>,
) -> Result<Workload, RecipeError> {
    let reach = Reach::Container;
    let item = &spanned.value;
    let settings = match &item.settings {
        Some(node) => {
            refuse_keys(compiler, node)?;
            compiler.settings(node, ecs::CONTAINER, reach)?
        }
        None => Vec::new(),
    };
    let process = match &item.process {
        Some(process) => Some(self::process(compiler, process)?),
        None => None,
    };
    Ok(Workload {
        place: compiler.place_of(spanned),
        when: when(compiler, &item.when, reach)?,
        process,
        settings,
    })
}

/// What only the process decides, and a workload's settings therefore cannot state.
fn refuse_keys(compiler: &Compiler, node: &Node) -> Result<(), RecipeError> {
    let Content::Map(entries) = &node.content else {
        return Ok(());
    };
    for (key, _) in entries {
        if ecs::NOT_IN_WORKLOAD.contains(&key.name.as_str()) {
            let place = compiler.place(key.line, key.column);
            let mut error = RecipeError::new(
                place,
                format!("a recipe cannot set `{}` of a workload", key.name),
            );
            if matches!(key.name.as_str(), "entryPoint" | "command") {
                error.hint = Some("use `process`".to_owned());
            }
            return Err(error);
        }
    }
    Ok(())
}

fn process(compiler: &mut Compiler, item: &Spanned<ProcessFile>) -> Result<Process, RecipeError> {
    let place = compiler.place_of(item);
    let fail = |message: &str| Err(RecipeError::new(place.clone(), message));
    let file = &item.value;
    let arrangement = match file.arrangement {
        ArrangementFile::Prefix => Arrangement::Prefix,
        ArrangementFile::Command => Arrangement::Command,
        ArrangementFile::EntryPoint => Arrangement::EntryPoint,
        ArrangementFile::PrefixSuffix => Arrangement::PrefixSuffix,
        ArrangementFile::ShellJoin => Arrangement::ShellJoin,
        ArrangementFile::None => Arrangement::None,
    };
    let shell = arrangement == Arrangement::ShellJoin;
    if shell != file.script.is_some() {
        return fail("`script` belongs to the arrangement `shell-join`, and has to be there");
    }
    if arrangement != Arrangement::PrefixSuffix && (file.suffix.is_some() || file.command.is_some())
    {
        return fail("`suffix` and `command` belong to the arrangement `prefix-suffix`");
    }
    let wrapper = match &file.wrapper {
        Some(node) => compiler.words("wrapper", node)?,
        None if shell => Tree::Value(Value::from(vec!["sh", "-c"])),
        None => return fail("the key `wrapper` is missing"),
    };
    let mut words = |key: &str, node: &Option<Node>| {
        node.as_ref()
            .map(|node| compiler.words(key, node))
            .transpose()
    };
    let suffix = words("suffix", &file.suffix)?.unwrap_or(Tree::List(Vec::new()));
    let command = words("command", &file.command)?;
    let script = file
        .script
        .as_ref()
        .map(|node| compiler.script(node))
        .transpose()?;
    Ok(Process {
        place,
        arrangement,
        wrapper,
        suffix,
        command,
        script,
    })
}

fn sidecars(
    compiler: &mut Compiler,
    items: &[Spanned<SidecarFile>],
    declarations: &[InputDeclaration],
) -> Result<Vec<Sidecar>, RecipeError> {
    let mut sidecars: Vec<Sidecar> = Vec::new();
    for spanned in items {
        let item = &spanned.value;
        let place = compiler.place_of(&item.name);
        let fail = |message: &str| Err(RecipeError::new(place.clone(), message));
        if sidecars.iter().any(|known| known.name == item.name.value) {
            return fail("two sidecars have the same name");
        }
        let settings = compiler.settings(&item.settings, ecs::CONTAINER, Reach::Task)?;
        let has = |name: &str| settings.iter().any(|(key, _)| key == name);
        if has("name") {
            return fail("the name of a sidecar does not stand in its settings");
        }
        if !has("essential") {
            return fail("the setting `essential` has to be stated");
        }
        let image = declarations.iter().find(|input| input.name == "image");
        let image = image.is_some_and(|input| input.required || input.default.is_some());
        let default_image = sidecars.is_empty() && image;
        if !has("image") && !default_image {
            return fail("the sidecar has no image: state it, or give the input `image` a default");
        }
        let blocks = item
            .blocks
            .iter()
            .map(|item| block(compiler, item, ecs::CONTAINER));
        let blocks = blocks.collect::<Result<_, _>>()?;
        sidecars.push(Sidecar {
            place: compiler.place_of(spanned),
            name: item.name.value.clone(),
            last: item.position.is_some(),
            warns_of_mutable_image: item.mutable_image.is_some(),
            when: when(compiler, &item.when, Reach::Container)?,
            settings,
            blocks,
        });
    }
    Ok(sidecars)
}

fn block(
    compiler: &mut Compiler,
    spanned: &Spanned<BlockFile>,
    known: &'static [(&'static str, ecs::Shape)],
) -> Result<Block, RecipeError> {
    let item = &spanned.value;
    let reach = if item.each.is_some() {
        Reach::Each
    } else {
        Reach::Task
    };
    Ok(Block {
        place: compiler.place_of(spanned),
        each: item.each.is_some(),
        when: when(compiler, &item.when, reach)?,
        settings: compiler.settings(&item.settings, known, reach)?,
    })
}

fn permissions(
    file: PermissionsFile,
    prerequisites: Vec<NoteFile>,
    network: Vec<NoteFile>,
) -> Permissions {
    let notes = |notes: Vec<NoteFile>| {
        notes
            .into_iter()
            .map(|note| Note {
                text: note.text,
                link: note.link,
            })
            .collect()
    };
    Permissions {
        execution_role: notes(file.execution_role),
        task_role: notes(file.task_role),
        vendor: notes(file.vendor),
        prerequisites: notes(prerequisites),
        network: notes(network),
        compatibility: Vec::new(),
    }
}
