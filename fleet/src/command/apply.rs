//! `fleet apply`.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use cli::network::Described;
use cli::options::RecipeOptions;
use cli::settings::Layers;
use cli::{Console, Exit, Failure};
use serde::Deserialize;
use tokio::sync::mpsc::unbounded_channel;

use super::outset::{self, enter, home};
use super::written::{RunReport, named, ready};
use crate::api::Counts;
use crate::apply::{Failures, Rollout, Terms, apply_shard};
use crate::concurrent::each;
use crate::digest::of_bytes;
use crate::journal::{Journal, JournalError};
use crate::means::Means;
use crate::options::{ApplyArguments, RolloutOptions};
use crate::plan::{Plan, PlanError};
use crate::report::{Applied, ShardApplied, TargetOutcome, text};
use crate::shard::Shard;
use crate::trouble::Trouble;

/// What came of it.
struct Done {
    shards: Vec<ShardApplied>,
    troubles: Vec<Trouble>,
    calls: Counts,
}

pub(super) fn run(
    arguments: &ApplyArguments,
    layers: &Layers,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    console.terminals = console.terminals.with_color(arguments.output.color);
    let journal_file = journal_file(arguments);
    let report_file = arguments.output.report_file.as_deref();
    ready_for(arguments, layers, &journal_file)?;
    let _held = hold(&arguments.plan)?;
    let (plan, digest) = read(&arguments.plan)?;
    let recipe = RecipeOptions {
        recipe: match arguments.recipe.recipe.is_empty() {
            true => plan.recipes.clone(),
            false => arguments.recipe.recipe.clone(),
        },
        set: arguments.recipe.set.clone(),
    };
    let means = Means::new(plan.purpose, &recipe, &plan.choices);
    let means = means.map_err(|failure| {
        // A file that is not there has no way out of its own.
        let last = failure.problems.last();
        let has_none = last.is_some_and(|problem| problem.hint.is_none());
        match arguments.recipe.recipe.is_empty() && failure.exit == Exit::Failed && has_none {
            true => failure.hint(OF_THE_PLAN),
            false => failure,
        }
    })?;
    let journal = journal(&journal_file, &digest)?;
    let done = super::runtime()?.block_on(done(arguments, plan, means, journal, console))?;
    let told = (done.troubles.as_slice(), &[][..]);
    let report = RunReport::new("apply", &done.shards, told, done.calls.clone());
    let exit = exit(&done);
    let paint = console.terminals.stderr;
    let mut shown = String::new();
    if !arguments.output.quiet || exit != Exit::Done {
        // What was done was told when it was done.
        for shard in &done.shards {
            shown.push_str(&text::not_done(shard, paint));
        }
    }
    text::push_troubles(&mut shown, &done.troubles, paint);
    if !arguments.output.quiet {
        shown.push_str(&text::apply_summary(&done.shards, &done.calls));
    }
    console.tell(&shown);
    report.write(report_file, console)?;
    Ok(exit)
}

/// The recipes that a plan names; nothing, where it cannot be read: that is told when it is applied.
pub(super) fn recipes(path: &Path) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Named {
        recipes: Vec<String>,
    }
    let is_file = path.is_file();
    let bytes = is_file.then(|| cli::input::read_file(path, PLAN_LIMIT).ok());
    let named: Named = serde_json::from_slice(&bytes.flatten()?).ok()?;
    Some(named.recipes)
}

/// Refuses files that could not be written, or that would replace others.
fn ready_for(
    arguments: &ApplyArguments,
    layers: &Layers,
    journal_file: &Path,
) -> Result<(), Failure> {
    let report = ("report", arguments.output.report_file.as_deref());
    let plan = ("plan", Some(arguments.plan.as_path()));
    let settings = ("settings file", layers.file.as_ref().map(Path::new));
    ready(
        &named([report]),
        &[("journal", journal_file)],
        &named([plan, settings]),
    )
}

/// Keeps every other apply of the plan out, whatever its journal is, as long as the file is open.
fn hold(path: &Path) -> Result<Option<File>, Failure> {
    // A network file system locks only what could be written.
    let writable = OpenOptions::new().read(true).write(true).open(path);
    // Why a plan cannot be read is told when it is.
    let Ok(file) = writable.or_else(|_| File::open(path)) else {
        return Ok(None);
    };
    let name = cli::text::line(&path.to_string_lossy()).to_string();
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(unusable(&name, &JournalError::Locked)),
        Err(TryLockError::Error(error)) => {
            let reason = cli::console::reason(&error);
            Err(Failure::failed(format!("cannot lock `{name}`: {reason}"))
                .hint("on a network file system the plan has to be writable"))
        }
    }
}

/// The plan, and the digest of its file.
fn read(path: &Path) -> Result<(Plan, String), Failure> {
    let bytes = cli::input::read_file(path, PLAN_LIMIT)?;
    let name = cli::text::line(&path.to_string_lossy()).to_string();
    let plan = Plan::parse(&bytes).map_err(|error| {
        let failure = Failure::failed(format!("`{name}`: {error}"));
        match error {
            PlanError::Version(_) => failure.hint("plan again with this version of the program"),
            PlanError::Twice(_) => failure.hint("plan again"),
            PlanError::Syntax(_) => failure.hint("`fleet plan -o FILE` writes one"),
        }
    })?;
    Ok((plan, of_bytes(&bytes)))
}

/// The way out where a recipe is not to be read.
const OF_THE_PLAN: &str = "the plan names it: apply the plan in the folder where it was made, or name the recipe with `--recipe`";

/// The largest plan that is read: some hundred bytes for each service.
const PLAN_LIMIT: u64 = 256 << 20;

fn journal_file(arguments: &ApplyArguments) -> PathBuf {
    let path = arguments.rollout.journal.clone();
    path.unwrap_or_else(|| {
        let mut name = arguments.plan.clone().into_os_string();
        name.push(".journal");
        PathBuf::from(name)
    })
}

fn journal(path: &Path, digest: &str) -> Result<Journal, Failure> {
    let name = cli::text::line(&path.to_string_lossy()).to_string();
    Journal::open(path, digest).map_err(|error| unusable(&name, &error))
}

/// A plan that is being applied, or a journal that cannot be used.
fn unusable(name: &str, error: &JournalError) -> Failure {
    let failure = Failure::failed(format!("`{name}`: {error}"));
    match error {
        JournalError::Locked => failure.hint("wait for it"),
        JournalError::OtherPlan | JournalError::Foreign => {
            failure.hint("name another file with `--journal`, or move this one away")
        }
        _ => failure,
    }
}

/// How the options say that services are updated.
pub(super) fn rollout(options: &RolloutOptions) -> Rollout {
    Rollout {
        canary: options.canary,
        wave: options.wave,
        in_motion: options.in_motion,
        poll: options.poll,
        patience: options.steady_timeout,
    }
}

async fn done(
    arguments: &ApplyArguments,
    plan: Plan,
    means: Means,
    journal: Journal,
    console: &mut Console<'_>,
) -> Result<Done, Failure> {
    let paint = console.terminals.stderr;
    let role = outset::role(&arguments.enter, console)?;
    let described = Described::read(&arguments.registries, console)?;
    let home = home(&described).await?;
    let accounts = plan.shards.iter().map(|plan| plan.shard.account.clone());
    let accounts: BTreeSet<String> = accounts.collect();
    let at_once = arguments.enter.shards;
    let (open, troubles) = enter(&home, accounts, (role, at_once), &described).await;
    let rollout = rollout(&arguments.rollout);
    let failures = Failures::up_to(arguments.rollout.max_failures, &journal);
    let (sender, mut lines) = unbounded_channel();
    let several = plan.shards.len() > 1;
    let tell = move |shard: &Shard, applied: &Applied| {
        let line = text::one(several.then_some(shard), applied, paint);
        // Nobody listens any more only when everything is over.
        let _ = sender.send(line);
    };
    let shared = Arc::new((means, failures, journal, tell));
    let (offline, time) = (arguments.offline, described.time());
    let shards = each(at_once, plan.shards, |plan| {
        let (entered, home) = (open.get(&plan.shard.account).cloned(), home.clone());
        let shared = shared.clone();
        async move {
            let (means, failures, journal, tell) = shared.as_ref();
            let entered = entered?;
            let api = entered.api(&plan.shard, &home);
            let terms = Terms {
                rollout: &rollout,
                failures,
                journal,
                registries: (!offline).then_some(&entered.registries),
                time,
                tell,
            };
            Some(Box::pin(apply_shard(&api, &plan, means, terms)).await)
        }
    });
    let mut shards = pin!(shards);
    let quiet = arguments.output.quiet;
    let shards = loop {
        let looked = tokio::time::timeout(TICK, shards.as_mut()).await;
        while let Ok(line) = lines.try_recv() {
            if !quiet {
                console.tell(&line);
            }
        }
        if let Ok(shards) = looked {
            break shards;
        }
    };
    Ok(Done {
        shards: shards.into_iter().flatten().collect(),
        troubles,
        calls: home.api().counts(),
    })
}

/// How often somebody who watches is told what is done.
const TICK: Duration = Duration::from_millis(200);

fn exit(done: &Done) -> Exit {
    let outcomes = done.shards.iter().flat_map(|shard| &shard.targets);
    let mut outcomes = outcomes.map(|applied| applied.outcome);
    let troubled = done.shards.iter().any(|shard| !shard.troubles.is_empty());
    let failed =
        |outcome: TargetOutcome| outcome.is_failure() || outcome == TargetOutcome::NotReached;
    if troubled || !done.troubles.is_empty() || outcomes.clone().any(failed) {
        Exit::Failed
    } else if outcomes.any(|outcome| outcome != TargetOutcome::Updated) {
        Exit::NotInstrumented
    } else {
        Exit::Done
    }
}
