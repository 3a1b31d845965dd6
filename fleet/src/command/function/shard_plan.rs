//! One account and region: from nothing to a plan and a report in Amazon S3.

use serde_json::{Value, json};

use super::log::Metrics;
use super::refused::Refused;
use super::{Invocation, settings, store};
use crate::api::Counts;
use crate::command::outset;
use crate::command::written::RunReport;
use crate::means::Purpose;
use crate::plan::{Plan, ShardPlan, VERSION};
use crate::planning::{Images, ShardPlanned, plan_shard};
use crate::report::{DefinitionOutcome, ShardReport};
use crate::shard::Shard;
use crate::trouble::Trouble;

/// Plans an account and region.
pub(super) async fn plan(
    invocation: &Invocation<'_>,
    run: &str,
    purpose: Purpose,
    shard: &Shard,
    metrics: &mut Metrics,
) -> Result<Value, Refused> {
    let described = invocation.described()?;
    let store = invocation.store(&described);
    let arguments = &invocation.settings.plan;
    let means = invocation
        .means(&store, purpose, &arguments.choices)
        .await?;
    let locked = settings::locked(invocation.settings, &store).await?;
    let (home, entered) = invocation.enter(shard, &described).await?;
    let planned = match entered {
        Ok(entered) => {
            let api = entered.api(shard, &home);
            let filters = outset::filters(&arguments.filters, &arguments.choices);
            let images = Images {
                locked: &locked,
                registries: (!arguments.images.offline.locked).then_some(&entered.registries),
                time: invocation.lookups(&described),
            };
            let work = plan_shard(&api, shard, &filters, &means, images);
            tokio::time::timeout(invocation.left(), Box::pin(work))
                .await
                .map_err(|_| too_long(shard))?
        }
        Err(troubles) => not_entered(shard, troubles),
    };
    let ShardPlanned { plan, report } = planned;
    let plan = Plan {
        version: VERSION,
        purpose,
        recipes: arguments.recipe.recipe.clone(),
        choices: arguments.choices.clone(),
        shards: match plan.is_empty() {
            true => Vec::new(),
            false => vec![plan],
        },
    };
    let key = |name| store::of_shard(run, shard, name);
    store.write(&key("plan.json"), &plan).await?;
    let reports = [report];
    let told = (&[][..], &[][..]);
    let written = RunReport::new("plan", &reports, told, home.api().counts());
    store.write(&key("plan-report.json"), &written).await?;
    let [report] = reports;
    metrics.changes = report.count(DefinitionOutcome::Changes);
    metrics.refused = report.count(DefinitionOutcome::Refused);
    metrics.troubles = report.troubles.len();
    Ok(answer(
        shard,
        &report,
        &store.shown(&key("plan-report.json")),
    ))
}

fn answer(shard: &Shard, report: &ShardReport, place: &str) -> Value {
    json!({
        "done": true,
        "account": shard.account,
        "region": shard.region,
        "targets": report.targets.len(),
        "changes": report.count(DefinitionOutcome::Changes),
        "unchanged": report.count(DefinitionOutcome::Unchanged),
        "leftAlone": report.count(DefinitionOutcome::LeftAlone),
        "refused": report.count(DefinitionOutcome::Refused),
        "troubles": report.troubles.len(),
        "report": place,
    })
}

fn too_long(shard: &Shard) -> Refused {
    Refused::broken(
        format!("the time was over before `{shard}` was planned"),
        "name clusters or services with `OUTRIGGER_CLUSTERS` and `OUTRIGGER_SERVICES`",
    )
}

fn not_entered(shard: &Shard, troubles: Vec<Trouble>) -> ShardPlanned {
    let report = ShardReport {
        troubles,
        calls: Counts::new(),
        ..ShardReport::new(shard)
    };
    ShardPlanned {
        plan: ShardPlan {
            shard: shard.clone(),
            images: Value::Null,
            definitions: Default::default(),
            targets: Vec::new(),
        },
        report,
    }
}
