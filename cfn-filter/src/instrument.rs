//! The road from a template to a template, and from a task definition to a task definition.

use std::collections::{BTreeMap, BTreeSet};

use cli::conclude::{self, Run};
use cli::input::{Document, read_document};
use cli::options::WhenPinned;
use cli::output::{self, Reads, Rewrite};
use cli::recipes::{self, Named};
use cli::report::build::{Places, Subject};
use cli::report::delivery::{self, Telling};
use cli::report::run_report::{Kind, Tool};
use cli::report::{Purpose, Setting};
use cli::selection::selection;
use cli::settings::Layers;
use cli::{Console, Exit, Failure, lock_update, network};
use serde_json::{Map, Value};
use taskdef::dialect::Dialect;
use taskdef::image::ImageRequest;
use taskdef::mark::Removal;
use taskdef::outline::outline;
use taskdef::recipe::{ImageSecrets, Recipes};
use taskdef::registration::{Shape, shape};
use taskdef::report::{Code, Finding, Outcome, Report, Severity, TaskDefinitionReport};
use taskdef::settings::{Deployment, KnownAgent, Marks, PlanSettings, Selection, Settings};
use taskdef::source::{Change, Source, Spliced, Step};
use taskdef::{DocumentError, DocumentKind, Rewritten};

use crate::options::{Arguments, LockArguments};
use crate::parameters::{self, Parameters};
use crate::{another_kind, bare};

/// This program, as reports name it.
pub(crate) const TOOL: Tool = Tool {
    name: env!("CARGO_PKG_NAME"),
    version: env!("CARGO_PKG_VERSION"),
};

/// What is rewritten.
struct Input<'i> {
    document: &'i Document,
    source: Source<'i>,
    /// Its text, as the source reads it.
    text: &'i str,
    kind: DocumentKind,
}

/// What the input is rewritten with, and what was left out of it already.
struct Means<'m> {
    /// None where recipes are taken off, and none of them is known by more than its name.
    recipes: Option<&'m Recipes>,
    /// The names of those that are to be taken off.
    names: &'m [String],
    settings: &'m Settings,
    left_out: Vec<(String, Finding)>,
}

/// The files that the run reads.
pub(crate) fn reads<'r>(arguments: &'r Arguments, layers: &'r Layers) -> Reads<'r> {
    Reads {
        document: arguments.template.as_deref(),
        lock: Some(&arguments.images),
        settings: layers.file.as_deref(),
    }
}

/// Does what the arguments say, and gives the exit code.
pub(crate) fn instrument(
    arguments: &Arguments,
    layers: &Layers,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    output::validate(&arguments.output, reads(arguments, layers))?;
    console.terminals.progress &= !arguments.output.quiet;
    with_input(arguments, layers, console, |input, means, console| {
        rewrite((arguments, layers), input, means, console)
    })
}

/// Writes or compares the lock file, and gives the exit code.
pub(crate) fn lock(
    arguments: &LockArguments,
    layers: &Layers,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    console.terminals = console.terminals.with_color(arguments.color);
    console.terminals.progress &= !arguments.update.quiet;
    with_input(
        &arguments.run(),
        layers,
        console,
        |input, means, console| {
            let requests = requests(&input, &means)?;
            lock_update::update(
                &requests,
                input.document.path.as_deref(),
                (&arguments.images, &arguments.update),
                (&arguments.registries, means.settings.on_unresolved),
                console,
            )
        },
    )
}

/// Reads the input, and has the work done on it.
fn with_input(
    arguments: &Arguments,
    layers: &Layers,
    console: &mut Console<'_>,
    work: impl FnOnce(Input<'_>, Means<'_>, &mut Console<'_>) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let named = match arguments.remove {
        true => recipes::named(&arguments.recipe)?,
        false => Named {
            names: Vec::new(),
            recipes: Some(recipes::bind(&arguments.recipe)?),
        },
    };
    let selection = selection(&arguments.scope, Dialect::CloudFormation)?;
    let parameters = parameters::parse(&arguments.deployment)?;
    let document = read_document(arguments.template.as_deref(), "template", console)?;
    let source = Source::template_from_bytes(&document.bytes)
        .map_err(|error| document.source_failure(&error))?;
    let shape = shape(source.value()).map_err(|error| {
        let failure = document.failure(&error.to_string());
        match another_kind::hint(source.value()) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })?;
    match shape {
        Shape::Document(DocumentKind::Template) => parameters::check(&parameters, source.value())?,
        _ => bare::check_options(&arguments.deployment, layers)?,
    }
    let settings = settings(arguments, selection, parameters, named.recipes.as_ref());
    let work = |source, text, kind, left_out, console: &mut Console<'_>| {
        let document = &document;
        let input = Input {
            document,
            source,
            text,
            kind,
        };
        let means = Means {
            recipes: named.recipes.as_ref(),
            names: &named.names,
            settings: &settings,
            left_out,
        };
        work(input, means, console)
    };
    match shape {
        Shape::Document(kind) => {
            let text = std::str::from_utf8(&document.bytes).unwrap_or_default();
            work(source, text, kind, Vec::new(), console)
        }
        Shape::Described => {
            let (text, left_out) = bare::registration(&document, source)?;
            let source =
                Source::parse_template(&text).map_err(|error| document.source_failure(&error))?;
            let kind = DocumentKind::TaskDefinition;
            work(source, &text, kind, left_out, console)
        }
    }
}

/// Rewrites or checks a document, and tells of it.
fn rewrite(
    (arguments, layers): (&Arguments, &Layers),
    input: Input<'_>,
    means: Means<'_>,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let (mut report, changes) = judge(arguments, &input, &means, console)?;
    report.findings.splice(0..0, means.left_out);
    let options = &arguments.output;
    let lines = lines(&input.source, &report, delivery::only_errors(options));
    let secrets = ImageSecrets::of(means.recipes, means.settings);
    let mut subject =
        delivery::is_detailed(options).then(|| subject(arguments, &input, &report, &secrets));
    let run = Run {
        options,
        on_unresolved: means.settings.on_unresolved,
        changed: !changes.is_empty(),
        settings_file: layers.file.as_deref(),
    };
    let document = input.document;
    let writes = !options.check && !conclude::refused(&report, run);
    let after = match writes && run.changed {
        true => Some(input.source.splice(changes)),
        false => None,
    };
    let after = after
        .transpose()
        .map_err(|error| document.source_failure(&error))?;
    report
        .findings
        .extend(after.iter().flat_map(alias_findings));
    if let (Some(subject), Some(after)) = (&mut subject, &after) {
        subject.outline = outline(&after.value, input.kind, &secrets);
    }
    let telling = Telling {
        report: &report,
        run,
        setting: Setting {
            document: &document.name,
            line: &|id| lines.get(id).copied(),
            paint: console.terminals.stderr,
            purpose: Purpose::of(options, arguments.template.as_deref()),
        },
        recipes: means.recipes.filter(|_| !arguments.remove),
        subject,
    };
    telling.write_file()?;
    if writes {
        let before = input.text;
        let after = after.as_ref().map_or(before, |after| &after.text);
        output::deliver(Rewrite { before, after }, document, options, console)?;
    }
    telling.print(console)?;
    // The process ends soon: to free every part of a large value by itself would only take time.
    std::mem::forget(after);
    Ok(conclude::exit(&report, run))
}

/// What a detailed report tells of the document, as it is before the rewrite.
fn subject<'s>(
    arguments: &Arguments,
    input: &Input<'s>,
    report: &Report,
    secrets: &ImageSecrets,
) -> Subject<'s> {
    let source = &input.source;
    let outline = outline(source.value(), input.kind, secrets);
    // Of a description, what can be registered is read, and not what stands in the file.
    let is_read = input.document.bytes == input.text.as_bytes();
    let mut places = Places::default();
    if is_read {
        places = Places::of(source, &outline);
        let ids = report.findings.iter().map(|(id, _)| id);
        for id in ids.filter(|id| !id.is_empty()) {
            if let Some(path) = path_in(source, id) {
                places.add(source, id, &path);
            }
        }
    }
    Subject {
        tool: TOOL,
        document: &input.document.name,
        path: input.document.path.as_deref(),
        kind: match input.kind {
            DocumentKind::TaskDefinition => Kind::TaskDefinition,
            DocumentKind::Template | DocumentKind::Snippet => Kind::Template,
        },
        purpose: Purpose::of(&arguments.output, arguments.template.as_deref()),
        outline,
        places,
    }
}

fn settings(
    arguments: &Arguments,
    selection: Selection,
    parameters: Parameters,
    recipes: Option<&Recipes>,
) -> Settings {
    let deployment = &arguments.deployment;
    Settings {
        parameterized_images: deployment.parameterized_images.into(),
        on_unresolved: arguments.scope.on_unresolved.into(),
        launch_types: arguments.scope.launch_types.into(),
        selection,
        task_size: arguments.scope.task_size.into(),
        pin_digests: arguments.images.pin_digests.into(),
        assumptions: arguments.assumptions.assumptions.into(),
        confirmed: arguments.assumptions.confirmed.clone(),
        deployment: Deployment {
            region: deployment.region.clone(),
            account_id: deployment.account_id.clone(),
        },
        platform_versions: Vec::new(),
        for_one_stack: false,
        plan: PlanSettings::default(),
        parameters: parameters.overrides,
        resolved_parameters: parameters.resolved,
        only_refusals: delivery::only_errors(&arguments.output),
        known_agents: match recipes {
            Some(recipes) => KnownAgent::besides(recipes),
            None => KnownAgent::all(),
        },
        marks: match arguments.marks.mark {
            true => Marks::Yes,
            false => Marks::No,
        },
    }
}

fn unusable(input: &Input<'_>, error: DocumentError) -> Failure {
    match error {
        DocumentError::IntrinsicInput { .. } => {
            Failure::usage(error.to_string()).hint("give the value itself")
        }
        error => input.document.failure(&error.to_string()),
    }
}

/// What becomes of each task definition, and the changes to the document: none when it is only checked.
fn judge(
    arguments: &Arguments,
    input: &Input<'_>,
    means: &Means<'_>,
    console: &mut Console<'_>,
) -> Result<(Report, Vec<Change>), Failure> {
    if arguments.remove {
        return removed(input, means);
    }
    let (template, kind) = (input.source.value(), input.kind);
    let settings = means.settings;
    let unusable = |error| unusable(input, error);
    let images = network::answer(
        &requests(input, means)?,
        input.document.path.as_deref(),
        (&arguments.images, &arguments.offline),
        &arguments.registries,
        console,
    )?;
    let recipes = means.recipes.ok_or_else(no_recipe)?;
    let (mut report, changes) = if arguments.output.check {
        let report = taskdef::check(template, kind, recipes, settings, &images.answers);
        (report.map_err(unusable)?, Vec::new())
    } else {
        let rewritten = taskdef::rewrite(template, kind, recipes, settings, &images.answers);
        let Rewritten { report, changes } = rewritten.map_err(unusable)?;
        (report, changes)
    };
    let told = !delivery::only_errors(&arguments.output);
    if told && arguments.images.pin_digests == WhenPinned::No {
        report.findings.extend(images.warnings());
    }
    Ok((report, changes))
}

/// The questions about images that a rewrite has.
fn requests(input: &Input<'_>, means: &Means<'_>) -> Result<BTreeSet<ImageRequest>, Failure> {
    let recipes = means.recipes.ok_or_else(no_recipe)?;
    taskdef::images_needed(input.source.value(), input.kind, recipes, means.settings)
        .map_err(|error| unusable(input, error))
}

/// What a rewrite without recipes would end with; they are bound before.
fn no_recipe() -> Failure {
    Failure::usage("no recipe is given")
}

/// What becomes of each task definition from which the recipes are taken off.
fn removed(input: &Input<'_>, means: &Means<'_>) -> Result<(Report, Vec<Change>), Failure> {
    let removal = Removal {
        names: means.names,
        recipes: means.recipes,
    };
    let removed = taskdef::remove(input.source.value(), input.kind, &removal, means.settings);
    let Rewritten { report, changes } = removed.map_err(|error| unusable(input, error))?;
    Ok((report, changes))
}

/// Where the task definitions begin that the report will name; asked before the template is spliced.
fn lines(source: &Source<'_>, report: &Report, only_errors: bool) -> BTreeMap<String, usize> {
    let told = |task: &&TaskDefinitionReport| !only_errors || task.outcome == Outcome::Refused;
    let tasks = report
        .task_definitions
        .iter()
        .filter(told)
        .map(|task| &task.id);
    let findings = report.findings.iter().map(|(id, _)| id);
    // A finding that is about no resource has no line.
    let ids = tasks.chain(findings.filter(|id| !only_errors && !id.is_empty()));
    ids.filter_map(|id| {
        let line = source.line(&path_in(source, id)?)?;
        Some((id.clone(), line))
    })
    .collect()
}

/// The way from the document to a resource.
fn path_in(source: &Source<'_>, id: &str) -> Option<Vec<Step>> {
    let resources = source.value().get("Resources")?.as_object()?;
    let mut path = vec![Step::Key("Resources".to_owned())];
    path.extend(path_of(resources, id)?);
    Some(path)
}

/// The way to a resource, which may stand in the body of an `Fn::ForEach`.
fn path_of(resources: &Map<String, Value>, id: &str) -> Option<Vec<Step>> {
    if resources.contains_key(id) {
        return Some(vec![Step::Key(id.to_owned())]);
    }
    let loops = resources
        .iter()
        .filter(|(key, _)| key.starts_with("Fn::ForEach::"));
    loops.into_iter().find_map(|(key, each)| {
        let inner = path_of(each.get(2)?.as_object()?, id)?;
        let mut path = vec![Step::Key(key.clone()), Step::Index(2)];
        path.extend(inner);
        Some(path)
    })
}

fn alias_findings(spliced: &Spliced) -> impl Iterator<Item = (String, Finding)> {
    spliced.expanded_aliases.iter().map(|(name, line)| {
        let finding = Finding {
            code: Code::AliasExpanded,
            severity: Severity::Note,
            container: None,
            image: None,
            message: format!(
                "the alias `*{name}` in line {line} is replaced by a copy of what it stands for"
            ),
            hint: None,
        };
        (String::new(), finding)
    })
}
