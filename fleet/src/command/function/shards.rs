//! Which accounts and regions there are.

use serde_json::{Value, json};

use super::event::Input;
use super::refused::Refused;
use super::{Invocation, store};
use crate::command::outset;
use crate::means::Purpose;

/// Lists the accounts and regions, and writes the list for a Distributed Map.
pub(super) async fn list(
    invocation: &Invocation<'_>,
    run: &str,
    input: Input,
) -> Result<Value, Refused> {
    let accounts = &invocation.settings.plan.accounts;
    let purpose = input.purpose.unwrap_or(Purpose::Instrument);
    let described = invocation.described()?;
    let store = invocation.store(&described);
    // What would fail in every account and region is told here, once.
    let choices = &invocation.settings.plan.choices;
    invocation.means(&store, purpose, choices).await?;
    let home = outset::home(&described).await.map_err(Refused::failed)?;
    let regions = outset::regions(&home, accounts).await;
    let regions = regions.map_err(Refused::settings)?;
    let found = outset::found(&home, accounts).await;
    let found = found.map_err(Refused::failed)?;
    let shards = outset::shards(found.accounts.iter(), &regions);
    if shards.is_empty() {
        return Err(Refused::broken(
            "there is no account to work on".to_owned(),
            "see `OUTRIGGER_ACCOUNTS`, `OUTRIGGER_ORGANIZATIONAL_UNITS` and `OUTRIGGER_SKIP_ACCOUNTS`",
        ));
    }
    let key = store::of_run(run, "shards.json");
    store.write(&key, &shards).await?;
    let (bucket, key) = store.place_of(&key);
    Ok(json!({
        "run": run,
        "purpose": purpose,
        "count": shards.len(),
        "notes": found.notes,
        "shards": {"bucket": bucket, "key": key},
    }))
}
