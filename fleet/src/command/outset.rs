//! What every command begins with: who is calling, which accounts, and with what they are rewritten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cli::network::{Described, Sources};
use cli::{Console, Failure};
use registry::credentials::aws::Aws;
use registry::remote::Registries;

use crate::accounts::{Accounts, AccountsFound, Home, Role};
use crate::api::{Api, ApiError, Patience};
use crate::concurrent::each;
use crate::filter::{Families, Filters};
use crate::options::{AccountOptions, Choices, EnterOptions, FilterOptions};
use crate::shard::Shard;
use crate::trouble::Trouble;

/// What is looked at.
pub(super) fn filters(options: &FilterOptions, choices: &Choices) -> Filters {
    let kinds: BTreeSet<_> = options.targets.iter().copied().collect();
    let default = Filters::default();
    Filters {
        clusters: options.cluster.clone(),
        services: options.service.clone(),
        tags: options.tag.iter().map(|tag| tag.as_str().into()).collect(),
        kinds: match kinds.is_empty() {
            true => default.kinds,
            false => kinds,
        },
        families: match (options.all_families, options.family.is_empty()) {
            (true, _) => Families::All,
            (false, false) => Families::Named(options.family.clone()),
            (false, true) => Families::None,
        },
        launch_types: choices.launch_types,
    }
}

/// The role that the options name.
pub(super) fn role(options: &EnterOptions, console: &Console<'_>) -> Result<Option<Role>, Failure> {
    let Some(name) = &options.role_name else {
        return Ok(None);
    };
    let variable = console.variables.get("OUTRIGGER_EXTERNAL_ID");
    let external_id = options.external_id.clone();
    let external_id = external_id.or_else(|| variable.map(str::to_owned));
    let external_id = external_id.filter(|id| !id.is_empty());
    let tags = options.session_tag.iter().map(|tag| {
        let (key, value) = tag.split_once('=')?;
        Some((key.to_owned(), value.to_owned()))
    });
    let tags: Option<Vec<_>> = tags.collect();
    let tags = tags.ok_or_else(|| Failure::usage("`--session-tag` takes KEY=VALUE"))?;
    let role = Role::new(name, external_id, tags);
    let role = role.map_err(|error| Failure::usage(format!("`--role-name`: {error}")))?;
    Ok(Some(role))
}

/// Which accounts the options name.
pub(super) fn accounts(options: &AccountOptions) -> Accounts {
    match (options.organization, options.account.is_empty()) {
        (true, _) => Accounts::Organization {
            units: options.organizational_unit.clone(),
        },
        (false, false) => Accounts::Listed(options.account.clone()),
        (false, true) => Accounts::Own,
    }
}

/// An account that can be worked on.
pub(super) struct Entered {
    pub(super) aws: Arc<Aws>,
    pub(super) registries: Registries<Sources>,
}

/// Who is calling.
pub(super) async fn home(described: &Described) -> Result<Arc<Home>, Failure> {
    let home = Home::open(described.aws(), Patience::default()).await;
    home.map(Arc::new).map_err(|error| failure(&error))
}

/// Finds the accounts that are worked on.
pub(super) async fn found(home: &Home, options: &AccountOptions) -> Result<AccountsFound, Failure> {
    let found = home.accounts(&accounts(options)).await;
    let mut found = found.map_err(|error| failure(&error))?;
    found
        .accounts
        .retain(|account| !options.skip_account.contains(account));
    Ok(found)
}

/// The regions: those that are named, or the one that is configured.
pub(super) async fn regions(home: &Home, options: &AccountOptions) -> Result<Vec<String>, Failure> {
    let mut regions = options.region.clone();
    regions.sort();
    regions.dedup();
    if regions.is_empty() {
        let configured = home.configured_region().await;
        regions.extend(configured);
    }
    match regions.is_empty() {
        true => Err(Failure::usage("no region is given")
            .hint("name regions with `--region`, or set `AWS_REGION`")),
        false => Ok(regions),
    }
}

/// Accounts that could be entered, by their numbers, and why others could not.
pub(super) async fn enter(
    home: &Arc<Home>,
    accounts: impl IntoIterator<Item = String>,
    (role, at_once): (Option<Role>, usize),
    described: &Described,
) -> (BTreeMap<String, Arc<Entered>>, Vec<Trouble>) {
    let role = Arc::new(role);
    let entered = each(at_once, accounts, |account| {
        let (home, role) = (Arc::clone(home), Arc::clone(&role));
        async move {
            let aws = home.enter(&account, role.as_ref().as_ref()).await;
            (account, aws)
        }
    });
    let (mut open, mut troubles) = (BTreeMap::new(), Vec::new());
    for (account, aws) in entered.await {
        match aws {
            Ok(aws) => {
                let registries = described.registries(Arc::clone(&aws));
                open.insert(account, Arc::new(Entered { aws, registries }));
            }
            Err(trouble) => troubles.push(trouble),
        }
    }
    (open, troubles)
}

impl Entered {
    /// The APIs of a region of the account.
    pub(super) fn api(&self, shard: &Shard, home: &Home) -> Arc<Api> {
        let aws = Arc::clone(&self.aws);
        Arc::new(Api::new(aws, &shard.region, home.patience()))
    }
}

/// The end of a run that could not begin.
pub(super) fn failure(error: &ApiError) -> Failure {
    let failure = Failure::failed(error.to_string());
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Accounts and regions.
pub(super) fn shards<'a>(
    accounts: impl Iterator<Item = &'a String>,
    regions: &[String],
) -> Vec<Shard> {
    let shards = accounts.flat_map(|account| {
        regions.iter().map(|region| Shard {
            account: account.clone(),
            region: region.clone(),
        })
    });
    shards.collect()
}
