//! `fleet status`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cli::network::Described;
use cli::settings::Layers;
use cli::{Console, Exit, Failure, Paint};

use super::outset::{self, enter, found, home, regions, shards};
use super::written::{RunReport, named, ready};
use crate::concurrent::each;
use crate::matched::{Seen, unmatched};
use crate::means::{Means, Purpose};
use crate::options::StatusArguments;
use crate::report::text;
use crate::shard::last;
use crate::status::{ShardStatus, State, status_shard};

pub(super) fn run(
    arguments: &StatusArguments,
    layers: &Layers,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let report = ("report", arguments.output.report_file.as_deref());
    let settings = ("settings file", layers.file.as_ref().map(Path::new));
    ready(&named([report]), &[], &named([settings]))?;
    console.terminals = console.terminals.with_color(arguments.output.color);
    super::runtime()?.block_on(look(arguments, console))
}

async fn look(arguments: &StatusArguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let means = Arc::new(means(arguments)?);
    let filters = Arc::new(outset::filters(&arguments.filters, &arguments.choices));
    let role = outset::role(&arguments.enter, console)?;
    let described = Described::read(&arguments.registries, console)?;
    let home = home(&described).await?;
    let regions = regions(&home, &arguments.accounts).await?;
    let found = found(&home, &arguments.accounts).await?;
    let at_once = arguments.enter.shards;
    let (open, mut troubles) = enter(&home, found.accounts, (role, at_once), &described).await;
    let looked = each(at_once, shards(open.keys(), &regions), |shard| {
        let (means, filters) = (means.clone(), filters.clone());
        let (entered, home) = (open.get(&shard.account).cloned(), home.clone());
        async move {
            let api = entered?.api(&shard, &home);
            Some(status_shard(&api, &shard, &filters, &means).await)
        }
    });
    let looked: Vec<ShardStatus> = looked.await.into_iter().flatten().collect();
    let seen: Vec<Seen> = looked.iter().map(ShardStatus::seen).collect();
    let whole = troubles.is_empty();
    let unmatched = unmatched(&filters, &arguments.choices, (&seen, whole));
    troubles.extend(unmatched.troubles);
    let told = (troubles.as_slice(), found.notes.as_slice());
    let calls = home.api().counts();
    RunReport::new("status", &looked, told, calls.clone())
        .write(arguments.output.report_file.as_deref(), console)?;
    let paint = console.terminals.stderr;
    let mut shown = String::new();
    for status in &looked {
        shown.push_str(&shown_status(status, arguments.output.quiet, paint));
    }
    text::push_troubles(&mut shown, &troubles, paint);
    if !arguments.output.quiet {
        for note in &found.notes {
            let label = paint.note("note:");
            shown.push_str(&format!("{label} {}\n", cli::text::lines(note, "  ")));
        }
        shown.push_str(&summary(&looked));
        let counts = looked.iter().map(|status| &status.calls).chain([&calls]);
        shown.push_str(&text::calls(counts));
    }
    console.tell(&shown);
    let troubled = looked.iter().any(|status| !status.troubles.is_empty());
    Ok(match troubled || !troubles.is_empty() {
        true => Exit::Failed,
        false => Exit::Done,
    })
}

/// The recipes to compare with; there need not be any.
fn means(arguments: &StatusArguments) -> Result<Means, Failure> {
    let purpose = match arguments.recipe.recipe.is_empty() {
        true => Purpose::Remove,
        false => Purpose::Instrument,
    };
    Means::new(purpose, &arguments.recipe, &arguments.choices)
}

fn shown_status(status: &ShardStatus, quiet: bool, paint: Paint) -> String {
    let mut shown = String::new();
    if !quiet {
        shown.push_str(&format!("{}\n", paint.strong(&status.shard)));
        for target in &status.targets {
            let words = target.state.name();
            let words = match target.state {
                State::Current | State::Instrumented => paint.good(words),
                State::Outdated | State::Drifted => paint.warning(words),
                State::NotInstrumented => paint.strong(words),
                State::LeftAlone => paint.faint(words),
            };
            let recipes = target.recipes.iter();
            let recipes: String = recipes
                .map(|(recipe, digest)| format!(", {recipe}@{digest}"))
                .collect();
            shown.push_str(&format!(
                "  {}: {words} ({}{})\n",
                cli::text::line(&target.target.to_string()),
                cli::text::line(last(&target.definition)),
                cli::text::line(&recipes),
            ));
        }
        for left in &status.left_alone {
            let target = left.target.to_string();
            let words = paint.faint("left alone:");
            shown.push_str(&format!(
                "  {}: {words} {}\n",
                cli::text::line(&target),
                cli::text::line(&left.message)
            ));
        }
    }
    text::push_troubles(&mut shown, &status.troubles, paint);
    if !shown.is_empty() {
        shown.push('\n');
    }
    shown
}

/// `12 targets: 10 current, 2 not-instrumented`.
fn summary(looked: &[ShardStatus]) -> String {
    let mut counts: BTreeMap<State, usize> = BTreeMap::new();
    for target in looked.iter().flat_map(|status| &status.targets) {
        *counts.entry(target.state).or_default() += 1;
    }
    let total = counts.values().sum();
    let each: Vec<String> = counts
        .iter()
        .map(|(state, count)| format!("{count} {}", state.name()))
        .collect();
    let total = cli::text::count(total, "target", "targets");
    match each.is_empty() {
        true => format!("{total}\n"),
        false => format!("{total}: {}\n", each.join(", ")),
    }
}
