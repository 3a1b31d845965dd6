//! The road from a plan to a plan.

use std::collections::BTreeSet;
use std::fmt::Write;

use cli::conclude::{self, Run};
use cli::input::{Document, read_large_document};
use cli::network;
use cli::options::{ScopeOptions, WhenPinned};
use cli::output::{self, Pieces, Reads};
use cli::report::build::{Places, Subject};
use cli::report::delivery::{self, Telling};
use cli::report::run_report::{Kind, Tool};
use cli::report::{Purpose, Setting};
use cli::selection::selection;
use cli::settings::Layers;
use cli::{Console, Exit, Failure, Paint, diff, lock_update, recipes};
use serde_json::Value;
use taskdef::DocumentError;
use taskdef::dialect::Dialect;
use taskdef::image::ImageRequest;
use taskdef::recipe::{ImageSecrets, Recipes};
use taskdef::settings::{Deployment, KnownAgent, ParameterizedImages, Settings};
use taskdef::source::Step;
use taskdef::terraform::{Definitions, Plan, PlanError, RewrittenPlan, SENSITIVE};

use crate::options::{Arguments, LockArguments, PlanOptions};

/// This program, as reports name it.
pub(crate) const TOOL: Tool = Tool {
    name: env!("CARGO_PKG_NAME"),
    version: env!("CARGO_PKG_VERSION"),
};

/// The largest plan that is read. Memory is needed for the text, and for little else.
pub(crate) const LIMIT: u64 = 1 << 30;

/// A plan that was read, and what it is rewritten with.
struct Input<'i> {
    document: &'i Document,
    plan: Plan<'i>,
    recipes: &'i Recipes,
    settings: Settings,
    /// The settings file that took part.
    settings_file: Option<&'i str>,
}

/// The files that the run reads.
pub(crate) fn reads<'r>(arguments: &'r Arguments, layers: &'r Layers) -> Reads<'r> {
    Reads {
        document: arguments.plan.as_deref(),
        lock: Some(&arguments.images),
        settings: layers.file.as_deref(),
    }
}

/// Does what the arguments say, and gives the exit code.
pub(crate) fn filter(
    arguments: &Arguments,
    layers: &Layers,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    output::validate(&arguments.output, reads(arguments, layers))?;
    console.terminals.progress &= !arguments.output.quiet;
    let recipes = recipes::bind(&arguments.recipe)?;
    let settings = Settings {
        pin_digests: arguments.images.pin_digests.into(),
        assumptions: arguments.assumptions.assumptions.into(),
        confirmed: arguments.assumptions.confirmed.clone(),
        only_refusals: delivery::only_errors(&arguments.output),
        ..settings(&arguments.scope, arguments.planned, &recipes)?
    };
    let document = read_large_document(arguments.plan.as_deref(), "plan", LIMIT, console)?;
    let plan = Plan::from_bytes(&document.bytes).map_err(|error| unusable(&document, &error))?;
    let input = Input {
        document: &document,
        plan,
        recipes: &recipes,
        settings,
        settings_file: layers.file.as_deref(),
    };
    let rewritten = judge(arguments, &input, console)?;
    tell(arguments, &input, &rewritten, console)
}

/// Writes or compares the lock file, and gives the exit code.
pub(crate) fn lock(arguments: &LockArguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    console.terminals = console.terminals.with_color(arguments.color);
    console.terminals.progress &= !arguments.update.quiet;
    let recipes = recipes::bind(&arguments.recipe)?;
    let settings = Settings {
        pin_digests: arguments.images.pin_digests.into(),
        ..settings(&arguments.scope, PlanOptions::default(), &recipes)?
    };
    let document = read_large_document(arguments.plan.as_deref(), "plan", LIMIT, console)?;
    let unusable = |error: PlanError| unusable(&document, &error);
    let plan = Plan::from_bytes(&document.bytes).map_err(unusable)?;
    let requests = plan.images_to_show(&recipes, &settings).map_err(unusable)?;
    lock_update::update(
        &requests,
        document.path.as_deref(),
        (&arguments.images, &arguments.update),
        (&arguments.registries, settings.on_unresolved),
        console,
    )
}

/// The settings of a run, but for what concerns images and assumptions.
pub(crate) fn settings(
    scope: &ScopeOptions,
    planned: PlanOptions,
    recipes: &Recipes,
) -> Result<Settings, Failure> {
    Ok(Settings {
        on_unresolved: scope.on_unresolved.into(),
        launch_types: scope.launch_types.into(),
        selection: selection(scope, Dialect::Terraform)?,
        task_size: scope.task_size.into(),
        plan: planned.into(),
        known_agents: KnownAgent::besides(recipes),
        // A plan has neither parameters nor functions.
        parameterized_images: ParameterizedImages::Reject,
        deployment: Deployment::default(),
        ..Settings::default()
    })
}

/// A plan that cannot be used.
pub(crate) fn unusable(document: &Document, error: &PlanError) -> Failure {
    if let PlanError::Document(DocumentError::IntrinsicInput { .. }) = error {
        return Failure::usage(error.to_string()).hint("give the value itself");
    }
    let failure = document.failure(&error.to_string());
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// What becomes of each task definition, and of the plan's text: nothing when it is only checked.
fn judge(
    arguments: &Arguments,
    input: &Input<'_>,
    console: &mut Console<'_>,
) -> Result<RewrittenPlan, Failure> {
    let Input {
        document,
        plan,
        recipes,
        settings,
        ..
    } = input;
    let unusable = |error: PlanError| unusable(document, &error);
    let requests = plan.images_needed(recipes, settings).map_err(unusable)?;
    let images = network::answer(
        &requests,
        document.path.as_deref(),
        (&arguments.images, &arguments.offline),
        &arguments.registries,
        console,
    )?;
    let mut rewritten = match arguments.output.check {
        true => {
            let report = plan.check(recipes, settings, &images.answers);
            RewrittenPlan {
                report: report.map_err(unusable)?,
                ..RewrittenPlan::default()
            }
        }
        false => plan
            .rewrite(recipes, settings, &images.answers)
            .map_err(unusable)?,
    };
    let told = !settings.only_refusals && arguments.images.pin_digests == WhenPinned::No;
    let all_are_shown = || -> Result<BTreeSet<ImageRequest>, Failure> {
        plan.images_to_show(recipes, settings).map_err(unusable)
    };
    // A warning names its image.
    if told && all_are_shown()? == requests {
        rewritten.report.findings.extend(images.warnings());
    }
    Ok(rewritten)
}

/// Writes the plan and the report.
fn tell(
    arguments: &Arguments,
    input: &Input<'_>,
    rewritten: &RewrittenPlan,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let options = &arguments.output;
    let report = &rewritten.report;
    let run = Run {
        options,
        on_unresolved: input.settings.on_unresolved,
        changed: !rewritten.splices.is_empty(),
        settings_file: input.settings_file,
    };
    let purpose = Purpose::of(options, arguments.plan.as_deref());
    let telling = Telling {
        report,
        run,
        setting: Setting {
            document: &input.document.name,
            line: &|_| None,
            paint: console.terminals.stderr,
            purpose,
        },
        recipes: Some(input.recipes),
        subject: delivery::is_detailed(options).then(|| subject(input, rewritten, purpose)),
    };
    telling.write_file()?;
    if !options.check && !conclude::refused(report, run) {
        let pieces: Vec<&str> = input.plan.pieces(&rewritten.splices).collect();
        let pieces = Pieces {
            pieces: &pieces,
            changed: run.changed,
            diff: &|paint| difference(&rewritten.definitions, paint),
        };
        output::deliver_pieces(&pieces, input.document, options, console)?;
    }
    telling.print(console)?;
    Ok(conclude::exit(report, run))
}

/// What a detailed report tells of the plan.
fn subject<'s>(input: &'s Input<'_>, rewritten: &RewrittenPlan, purpose: Purpose) -> Subject<'s> {
    let mut places = Places::default();
    for (index, line) in input.plan.lines().into_iter().enumerate() {
        places.put(vec![Step::Index(index)], line);
    }
    let secrets = ImageSecrets::of(Some(input.recipes), &input.settings);
    Subject {
        tool: TOOL,
        document: &input.document.name,
        path: input.document.path.as_deref(),
        kind: Kind::Plan,
        purpose,
        outline: input.plan.outline(&rewritten.definitions, &secrets),
        places,
    }
}

/// The container definitions before and after, decoded, one task definition after the other.
fn difference(definitions: &[Definitions], paint: Paint) -> String {
    let mut shown = String::new();
    for one in definitions {
        if one.sensitive {
            // Writing to a text cannot fail.
            let _ = writeln!(shown, "--- {0}\n+++ {0}\n{SENSITIVE}", one.address);
            continue;
        }
        let [before, after] = [&one.before, &one.after].map(pretty);
        shown.push_str(&diff::unified(&one.address, &before, &after, paint));
    }
    shown
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
