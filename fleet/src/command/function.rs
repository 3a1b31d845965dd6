//! The program as a function of AWS Lambda, for a state machine of AWS Step Functions.
//!
//! ```text
//! shards --> a list of accounts and regions, in Amazon S3
//! plan     one of them --> its plan and report, in S3
//! summary  all of them --> counts, and whether there is something to apply
//! apply    one of them, again and again until it is done --> its report, in S3
//! ```
//!
//! What is done, and with which recipe, stands in the function's environment; an event says only
//! where. An account and region is worked on by [`plan_shard`](crate::planning::plan_shard) and
//! [`apply_shard`](crate::apply::apply_shard), as at a command line. A journal in S3 takes the place
//! of the file, and a lease that of the lock on it.
//!
//! What cannot be done is an error of the function, with a name that the state machine can catch.

mod event;
mod lease;
mod log;
mod refused;
mod settings;
mod shard_apply;
mod shard_journal;
mod shard_plan;
mod shards;
mod store;
mod summary;

use std::sync::Arc;
use std::time::{Duration, Instant};

use cli::Failure;
use cli::network::Described;
use serde_json::Value;

pub use log::Metrics;
pub use refused::Refused;
pub use settings::VARIABLES;

use super::outset::{self, Entered};
use crate::accounts::Home;
use crate::means::{Means, Purpose};
use crate::options::Choices;
use crate::shard::Shard;
use crate::trouble::Trouble;
use event::Event;
use settings::Settings;
use store::Store;

/// What is kept back of an invocation's time, for what has been begun and for the answer.
const RESERVE: Duration = Duration::from_secs(30);

/// The function, with the environment of one's choice.
#[derive(Debug)]
pub struct Function {
    settings: Result<Settings, Failure>,
}

/// What became of an event, and what it took.
#[derive(Debug)]
pub struct Answered {
    /// For the state machine.
    pub result: Result<Value, Refused>,
    /// For CloudWatch.
    pub metrics: Metrics,
}

/// An event that is being answered.
struct Invocation<'i> {
    settings: &'i Settings,
    /// Its ID, which no other has.
    id: &'i str,
    started: Instant,
    /// What it may take, less what is kept back.
    time: Duration,
    /// All that it may take.
    whole: Duration,
}

impl Function {
    /// Reads the variables of the environment. What is wrong with them is told in the log, and in
    /// answer to every event.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Function {
        let settings = Settings::read(variables.into_iter().collect());
        if let Err(failure) = &settings {
            log::failure("", failure);
        }
        Function { settings }
    }

    /// Answers an event, within this time. It needs a tokio runtime with several threads.
    pub async fn answer(&self, event: Value, id: &str, time: Duration) -> Answered {
        let started = Instant::now();
        let mut metrics = Metrics::default();
        let result = self.answer_event(event, id, time, &mut metrics).await;
        metrics.errors = usize::from(result.is_err());
        metrics.duration = started.elapsed();
        log::answered(id, &result, &metrics);
        Answered { result, metrics }
    }

    async fn answer_event(
        &self,
        event: Value,
        id: &str,
        time: Duration,
        metrics: &mut Metrics,
    ) -> Result<Value, Refused> {
        let settings = self.settings.as_ref();
        let settings = settings.map_err(|failure| Refused::settings(failure.clone()))?;
        let event = Event::read(event)?;
        let invocation = Invocation {
            settings,
            id,
            started: Instant::now(),
            time: time.saturating_sub(RESERVE.min(time / 4)),
            whole: time,
        };
        log::begun(id, &event);
        match event {
            Event::Shards { run, input } => shards::list(&invocation, &run, input).await,
            Event::Plan {
                run,
                purpose,
                shard,
            } => shard_plan::plan(&invocation, &run, purpose, &shard, metrics).await,
            Event::Apply { run, shard } => {
                shard_apply::apply(&invocation, &run, &shard, metrics).await
            }
            Event::Summary { run, phase } => summary::sum(&invocation, &run, phase).await,
        }
    }
}

impl Invocation<'_> {
    /// What is left of the time.
    fn left(&self) -> Duration {
        self.time.saturating_sub(self.started.elapsed())
    }

    /// What is left until AWS Lambda ends the process, whatever it does.
    fn left_to_live(&self) -> Duration {
        self.whole.saturating_sub(self.started.elapsed())
    }

    /// How long registries may be asked, so that there is time left for the work.
    fn lookups(&self, described: &Described) -> Duration {
        described.time().min(self.left() / 2)
    }

    /// Registries and AWS, as the settings describe them. Nothing is contacted.
    fn described(&self) -> Result<Described, Refused> {
        let registries = &self.settings.plan.registries;
        let (described, _) = settings::on_console(&self.settings.variables, |console| {
            Described::read(registries, console)
        });
        let described = described.map_err(Refused::settings)?;
        Ok(described.with_secrets(self.settings.secrets.clone()))
    }

    /// Where plans, journals and reports are.
    fn store(&self, described: &Described) -> Store {
        Store::new(described.aws(), &self.settings.results)
    }

    /// What task definitions are rewritten with.
    async fn means(
        &self,
        store: &Store,
        purpose: Purpose,
        choices: &Choices,
    ) -> Result<Means, Refused> {
        let recipe = settings::recipes(self.settings, store).await?;
        cli::recipes::no_secret_in_clear(&recipe).map_err(Refused::settings)?;
        Means::new(purpose, &recipe, choices).map_err(Refused::settings)
    }

    /// The account of a shard, as the function may work on it.
    async fn enter(
        &self,
        shard: &Shard,
        described: &Described,
    ) -> Result<(Arc<Home>, Result<Arc<Entered>, Vec<Trouble>>), Refused> {
        let role = self.settings.role.clone();
        let home = outset::home(described).await.map_err(Refused::failed)?;
        let accounts = [shard.account.clone()];
        let (mut open, troubles) = outset::enter(&home, accounts, (role, 1), described).await;
        let entered = open.remove(&shard.account).ok_or(troubles);
        Ok((home, entered))
    }
}
