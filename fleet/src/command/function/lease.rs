//! Who may apply in an account and region: one invocation at a time, and one run after the other.
//!
//! A lease is an object in Amazon S3, written by conditional requests. It ends by itself when the
//! process that took it has to have ended: AWS Lambda ends it at its deadline. Between two
//! invocations of the same run it is kept for that run, because services may be in motion that
//! nobody else knows of.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use registry::credentials::aws::WriteWhen;
use serde::{Deserialize, Serialize};

use super::refused::Refused;
use super::store::Store;
use crate::shard::Shard;

const VERSION: u64 = 1;
/// How long a run keeps what it has not done, while it does nothing.
const BETWEEN: Duration = Duration::from_secs(15 * 60);
/// Clocks differ.
const MARGIN: Duration = Duration::from_secs(10);

/// What is written there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Terms {
    version: u64,
    run: String,
    invocation: String,
    /// Whether the invocation is at work.
    working: bool,
    /// In seconds since 1970.
    until: u64,
}

/// A lease that was taken.
#[derive(Debug)]
pub(super) struct Lease<'s> {
    store: &'s Store,
    key: String,
    terms: Terms,
    version: String,
}

impl Terms {
    /// Why it cannot be taken now, in seconds that are left; nothing, where it can.
    fn bars(&self, run: &str, now: u64) -> Option<u64> {
        let left = self.until.saturating_sub(now);
        let ours = self.run == run && !self.working;
        (left > 0 && !ours).then_some(left)
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

fn text(terms: &Terms) -> Vec<u8> {
    // Texts and numbers can always be written.
    serde_json::to_vec(terms).unwrap_or_default()
}

impl<'s> Lease<'s> {
    /// Takes the lease of an account and region, for as long as the process has to live.
    pub(super) async fn take(
        store: &'s Store,
        shard: &Shard,
        (run, invocation): (&str, &str),
        life: Duration,
    ) -> Result<Lease<'s>, Refused> {
        let key = format!("leases/{}/{}.json", shard.account, shard.region);
        let there = store.read(&key).await?;
        if let Some(there) = &there {
            let terms: Terms = serde_json::from_slice(&there.bytes).map_err(|_| {
                Refused::broken(
                    format!("the lease `{}` cannot be read", store.shown(&key)),
                    "delete it when no run is at work, or use this version of the program",
                )
            })?;
            if let Some(left) = terms.bars(run, now()) {
                return Err(busy(shard, &terms.run, left));
            }
        }
        let terms = Terms {
            version: VERSION,
            run: run.to_owned(),
            invocation: invocation.to_owned(),
            working: true,
            until: now() + (life + MARGIN).as_secs(),
        };
        let when = match &there {
            Some(there) => WriteWhen::Unchanged(&there.version),
            None => WriteWhen::Missing,
        };
        match store.write_when(&key, &text(&terms), when).await? {
            Some(version) => Ok(Lease {
                store,
                key,
                terms,
                version,
            }),
            None => Err(busy(shard, "another", life.as_secs())),
        }
    }

    /// Gives it back: to everybody when the work is done, else to the same run for a while.
    pub(super) async fn give_back(self, done: bool) {
        let terms = Terms {
            working: false,
            until: match done {
                true => 0,
                false => now() + BETWEEN.as_secs(),
            },
            ..self.terms
        };
        let when = WriteWhen::Unchanged(&self.version);
        // Where that fails, it ends by itself.
        let _ = self.store.write_when(&self.key, &text(&terms), when).await;
    }
}

fn busy(shard: &Shard, run: &str, left: u64) -> Refused {
    Refused::busy(
        format!("another apply is at work in `{shard}`, that of the run `{run}`"),
        &format!("wait for it; if it is gone, its lease ends in {left} seconds"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_barred() {
        let terms = |working, until| Terms {
            version: VERSION,
            run: "a".to_owned(),
            invocation: "1".to_owned(),
            working,
            until,
        };
        // At work: nobody else, not even the same run, until it has to be dead.
        assert_eq!(terms(true, 200).bars("a", 100), Some(100));
        assert_eq!(terms(true, 200).bars("b", 100), Some(100));
        assert_eq!(terms(true, 200).bars("b", 200), None);
        // Between two invocations: the same run.
        assert_eq!(terms(false, 200).bars("a", 100), None);
        assert_eq!(terms(false, 200).bars("b", 100), Some(100));
        assert_eq!(terms(false, 0).bars("b", 100), None);
    }
}
