//! Whose accounts are worked on, and as whom.

mod role;

use std::collections::BTreeSet;
use std::sync::Arc;

use registry::credentials::aws::Aws;
use serde_json::{Value, json};

use crate::api::{Api, ApiError, ORGANIZATIONS, Patience, STS, Tokens, all_pages, element};
use crate::ecs::text;
use crate::trouble::Trouble;
pub use role::{Role, RoleError};

/// Which accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Accounts {
    /// The one whose credentials are used.
    #[default]
    Own,
    /// These.
    Listed(Vec<String>),
    /// Those of the organization; of these organizational units and what is below them, if there are any.
    Organization {
        /// IDs of organizational units, or of the root.
        units: Vec<String>,
    },
}

/// The accounts that were found, and what was said on the way.
#[derive(Debug, Default)]
pub struct AccountsFound {
    /// Their numbers.
    pub accounts: Vec<String>,
    /// What is skipped, and why.
    pub notes: Vec<String>,
}

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account: String,
    /// The partition: `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
}

/// AWS, as whoever runs the program sees it.
#[derive(Debug)]
pub struct Home {
    aws: Arc<Aws>,
    api: Arc<Api>,
    patience: Patience,
    caller: Caller,
}

impl Home {
    /// Asks who is calling.
    ///
    /// # Errors
    ///
    /// When there are no credentials, or nobody answers.
    pub async fn open(aws: Aws, patience: Patience) -> Result<Home, ApiError> {
        let aws = Arc::new(aws);
        // A region is part of every address; who is calling is the same in all of them.
        let region = aws.region().await.ok().flatten();
        let region = region.unwrap_or_else(|| FIRST_REGION.to_owned());
        let api = Arc::new(Api::new(Arc::clone(&aws), &region, patience));
        let form = "Action=GetCallerIdentity&Version=2011-06-15";
        let answer = api.form(&STS, "GetCallerIdentity", form).await?;
        let unreadable = || ApiError::unreadable("sts:GetCallerIdentity");
        let account = element(&answer, "Account").ok_or_else(unreadable)?;
        let arn = element(&answer, "Arn").ok_or_else(unreadable)?;
        let partition = arn.split(':').nth(1).unwrap_or("aws").to_owned();
        Ok(Home {
            aws,
            api,
            patience,
            caller: Caller { account, partition },
        })
    }

    /// Who is calling.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The calls that were made here: to find accounts and to assume roles.
    pub fn api(&self) -> &Arc<Api> {
        &self.api
    }

    /// The region that is configured, if one is.
    pub async fn configured_region(&self) -> Option<String> {
        self.aws.region().await.ok().flatten()
    }

    /// How patient calls are.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// Finds the accounts.
    ///
    /// # Errors
    ///
    /// When the organization cannot be read.
    pub async fn accounts(&self, accounts: &Accounts) -> Result<AccountsFound, ApiError> {
        match accounts {
            Accounts::Own => Ok(AccountsFound {
                accounts: vec![self.caller.account.clone()],
                notes: Vec::new(),
            }),
            Accounts::Listed(accounts) => {
                let accounts: BTreeSet<&String> = accounts.iter().collect();
                Ok(AccountsFound {
                    accounts: accounts.into_iter().cloned().collect(),
                    notes: Vec::new(),
                })
            }
            Accounts::Organization { units } => self.of_organization(units).await,
        }
    }

    async fn of_organization(&self, units: &[String]) -> Result<AccountsFound, ApiError> {
        // The API of an organization is in one region of its partition.
        let region = match self.caller.partition.as_str() {
            "aws-cn" => "cn-northwest-1",
            "aws-us-gov" => "us-gov-west-1",
            _ => "us-east-1",
        };
        let api = Api::new(Arc::clone(&self.aws), region, self.patience);
        let listed = match units.is_empty() {
            true => list(&api, "ListAccounts", json!({}), "Accounts").await?,
            false => below(&api, units).await?,
        };
        let mut found = AccountsFound::default();
        let mut accounts = BTreeSet::new();
        for account in &listed {
            let Some(id) = text(account, "Id") else {
                continue;
            };
            // `State` says what `Status` said, and more.
            let status = text(account, "State").or_else(|| text(account, "Status"));
            match status {
                None | Some("ACTIVE") => {
                    accounts.insert(id.to_owned());
                }
                Some(status) => found
                    .notes
                    .push(format!("account `{id}` is skipped: it is `{status}`")),
            }
        }
        found.accounts = accounts.into_iter().collect();
        Ok(found)
    }

    /// AWS in another account, or in one's own.
    ///
    /// # Errors
    ///
    /// Says which account cannot be entered, and why.
    pub async fn enter(&self, account: &str, role: Option<&Role>) -> Result<Arc<Aws>, Trouble> {
        if *account == self.caller.account {
            return Ok(Arc::clone(&self.aws));
        }
        let trouble = |error: &ApiError| Trouble {
            message: format!("account `{account}` cannot be entered: {error}"),
            hint: Some(format!(
                "let {} assume the role there, with the external ID that it asks for",
                self.caller.account
            )),
        };
        let Some(role) = role else {
            return Err(Trouble {
                message: format!(
                    "account `{account}` cannot be entered: the credentials are those of `{}`",
                    self.caller.account
                ),
                hint: Some("name the role of its own with `--role-name`".to_owned()),
            });
        };
        let arn = role.arn(&self.caller.partition, account);
        let provider = role::assume(&self.api, role, &arn).await;
        let provider = provider.map_err(|error| trouble(&error))?;
        let aws = self.aws.as_identity(provider).await;
        aws.map(Arc::new).map_err(|problem| Trouble {
            message: format!("account `{account}` cannot be entered: {problem}"),
            hint: problem.hint().map(str::to_owned),
        })
    }
}

/// Where to ask when no region is configured.
const FIRST_REGION: &str = "us-east-1";

async fn list(
    api: &Api,
    action: &'static str,
    input: Value,
    key: &'static str,
) -> Result<Vec<Value>, ApiError> {
    all_pages(api, &ORGANIZATIONS, action, input, Tokens::capital(key)).await
}

/// The accounts in these units, and in those below them.
async fn below(api: &Api, units: &[String]) -> Result<Vec<Value>, ApiError> {
    let mut open: Vec<String> = units.to_vec();
    let mut seen = BTreeSet::new();
    let mut accounts = Vec::new();
    while let Some(unit) = open.pop() {
        if !seen.insert(unit.clone()) {
            continue;
        }
        let input = json!({"ParentId": unit});
        accounts.extend(list(api, "ListAccountsForParent", input.clone(), "Accounts").await?);
        let action = "ListOrganizationalUnitsForParent";
        let units = list(api, action, input, "OrganizationalUnits").await?;
        let units = units.iter().filter_map(|unit| text(unit, "Id"));
        open.extend(units.map(str::to_owned));
    }
    Ok(accounts)
}
