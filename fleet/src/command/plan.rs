//! `fleet plan` and `fleet remove`.

use std::path::Path;
use std::sync::Arc;

use cli::network::Described;
use cli::options::{LockOptions, WhenPinned};
use cli::output::is_stdout;
use cli::report::{Section, push_section};
use cli::settings::Layers;
use cli::{Console, Exit, Failure, Paint, lock, recipes};

use super::outset::{self, enter, found, home, regions, shards};
use super::written::{RunReport, named, ready, write};
use crate::api::Counts;
use crate::concurrent::each;
use crate::matched::{Seen, unmatched};
use crate::means::{Means, Purpose};
use crate::options::PlanArguments;
use crate::plan::{Plan, ShardPlan, VERSION};
use crate::planning::{Images, plan_shard};
use crate::report::{DefinitionOutcome, ShardReport, text};
use crate::trouble::Trouble;

/// What a plan is made of.
struct Planned {
    shards: Vec<ShardPlan>,
    reports: Vec<ShardReport>,
    troubles: Vec<Trouble>,
    /// A query matches nothing: what it was to select or exclude is not known.
    misdirected: bool,
    notes: Vec<String>,
    /// What a person has to arrange for the recipes to work.
    needs: Vec<Section>,
    calls: Counts,
}

impl Planned {
    /// How many task definitions had this outcome.
    fn count(&self, outcome: DefinitionOutcome) -> usize {
        self.reports
            .iter()
            .map(|report| report.count(outcome))
            .sum()
    }
}

pub(super) fn run(
    purpose: Purpose,
    (arguments, layers): (&PlanArguments, &Layers),
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    console.terminals = console.terminals.with_color(arguments.output.color);
    let plan_file = arguments.plan_file.as_deref();
    let report_file = arguments.output.report_file.as_deref();
    ready_for(arguments, layers)?;
    let planned = super::runtime()?.block_on(planned(purpose, arguments, console))?;
    let name = match purpose {
        Purpose::Instrument => "plan",
        Purpose::Remove => "remove",
    };
    let told = (planned.troubles.as_slice(), planned.notes.as_slice());
    let report = RunReport::new(name, &planned.reports, told, planned.calls.clone());
    report.write(report_file, console)?;
    let plan = Plan {
        version: VERSION,
        purpose,
        recipes: arguments.recipe.recipe.clone(),
        choices: arguments.choices.clone(),
        shards: planned
            .shards
            .iter()
            .filter(|shard| !shard.is_empty())
            .cloned()
            .collect(),
    };
    if let Some(path) = plan_file.filter(|_| !planned.misdirected) {
        write(path, plan.to_text().as_bytes(), console)?;
    }
    console.tell(&shown(
        &planned,
        purpose,
        arguments,
        console.terminals.stderr,
    ));
    let exit = exit(&planned, arguments.detailed_exitcode);
    Ok(match arguments.detailed_exitcode {
        true => exit.detailed(),
        false => exit,
    })
}

fn lock_options(arguments: &PlanArguments) -> LockOptions {
    LockOptions {
        lock: arguments.images.lock.clone(),
        pin_digests: WhenPinned::No,
    }
}

/// Refuses files that could not be written, or that would replace others.
fn ready_for(arguments: &PlanArguments, layers: &Layers) -> Result<(), Failure> {
    let lock = lock::path(&lock_options(arguments), None);
    let settings = layers.file.as_ref().map(Path::new);
    let read = [
        ("lock file", Some(lock.as_path())),
        ("settings file", settings),
    ];
    let plan = ("plan", arguments.plan_file.as_deref());
    let report = ("report", arguments.output.report_file.as_deref());
    ready(&named([plan, report]), &[], &named(read))
}

async fn planned(
    purpose: Purpose,
    arguments: &PlanArguments,
    console: &Console<'_>,
) -> Result<Planned, Failure> {
    let means = Arc::new(Means::new(purpose, &arguments.recipe, &arguments.choices)?);
    let filters = Arc::new(outset::filters(&arguments.filters, &arguments.choices));
    let role = outset::role(&arguments.enter, console)?;
    let described = Described::read(&arguments.registries, console)?;
    let offline = arguments.images.offline;
    let locked = Arc::new(lock::load(&lock_options(arguments), offline.locked, None)?);
    let asks = !offline.locked && !offline.offline;
    let home = home(&described).await?;
    let regions = regions(&home, &arguments.accounts).await?;
    let found = found(&home, &arguments.accounts).await?;
    let at_once = arguments.enter.shards;
    let (open, mut troubles) = enter(&home, found.accounts, (role, at_once), &described).await;
    let time = described.time();
    let shards = shards(open.keys(), &regions);
    let results = each(at_once, shards, |shard| {
        let (means, filters, locked) = (means.clone(), filters.clone(), locked.clone());
        let (entered, home) = (open.get(&shard.account).cloned(), home.clone());
        async move {
            let entered = entered?;
            let api = entered.api(&shard, &home);
            let images = Images {
                locked: &locked,
                registries: asks.then_some(&entered.registries),
                time,
            };
            // On the heap: it is the largest future of all.
            Some(Box::pin(plan_shard(&api, &shard, &filters, &means, images)).await)
        }
    });
    let results = results.await.into_iter().flatten();
    let (shards, reports): (Vec<_>, Vec<_>) =
        results.map(|result| (result.plan, result.report)).unzip();
    let seen: Vec<Seen> = reports.iter().map(ShardReport::seen).collect();
    let whole = troubles.is_empty();
    let unmatched = unmatched(&filters, &arguments.choices, (&seen, whole));
    troubles.extend(unmatched.troubles);
    Ok(Planned {
        shards,
        reports,
        troubles,
        misdirected: unmatched.misdirected,
        notes: found.notes,
        needs: means
            .recipes
            .as_deref()
            .filter(|_| purpose == Purpose::Instrument)
            .map(recipes::all_sections)
            .unwrap_or_default(),
        calls: home.api().counts(),
    })
}

fn shown(planned: &Planned, purpose: Purpose, arguments: &PlanArguments, paint: Paint) -> String {
    let mut shown = String::new();
    let quiet = arguments.output.quiet;
    for report in &planned.reports {
        let bad = !report.troubles.is_empty() || report.count(DefinitionOutcome::Refused) > 0;
        if !quiet || bad {
            shown.push_str(&text::planned(report, quiet, paint));
        }
    }
    text::push_troubles(&mut shown, &planned.troubles, paint);
    if planned.misdirected && arguments.plan_file.is_some() {
        shown.push_str(&format!("{} no plan was written\n", paint.error("error:")));
    }
    if quiet {
        return shown;
    }
    if planned.count(DefinitionOutcome::Changes) > 0 {
        shown.push_str(&needs(&planned.needs, paint));
    }
    for note in &planned.notes {
        let label = paint.note("note:");
        shown.push_str(&format!("{label} {}\n", cli::text::lines(note, "  ")));
    }
    shown.push_str(&text::plan_summary(
        &planned.reports,
        purpose,
        &planned.calls,
    ));
    let plan_file = arguments.plan_file.as_ref();
    let written = plan_file.filter(|path| !planned.misdirected && !is_stdout(path));
    if let Some(path) = written {
        let path = path.to_string_lossy();
        shown.push_str(&format!("plan written to `{}`\n", cli::text::line(&path)));
    }
    shown
}

/// What has to be arranged, once for all: everything is given the same recipes.
fn needs(sections: &[Section], paint: Paint) -> String {
    let mut shown = String::new();
    for section in sections {
        push_section(&mut shown, section, paint);
    }
    shown
}

fn exit(planned: &Planned, detailed: bool) -> Exit {
    let mut reports = planned.reports.iter();
    let troubled = !planned.troubles.is_empty() || reports.any(|it| !it.troubles.is_empty());
    if troubled {
        Exit::Failed
    } else if planned.count(DefinitionOutcome::Refused) > 0 {
        Exit::NotInstrumented
    } else if detailed && planned.count(DefinitionOutcome::Changes) > 0 {
        Exit::Changed
    } else {
        Exit::Done
    }
}
