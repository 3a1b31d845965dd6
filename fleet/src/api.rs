//! Calls to the APIs of AWS, in one region and by one identity.
//!
//! Every call goes through [`Api`]: it keeps the pace that the service asks for, repeats what may
//! be repeated, and counts. Nothing else of this crate sends anything.

mod error;
mod pace;
mod pages;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use registry::credentials::aws::{ApiAnswer, ApiRequest, Aws, Service};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use error::{ApiError, ErrorKind};
pub(crate) use error::{element, shortened};
use pace::{Pace, jitter};
pub(crate) use pages::{Tokens, all_pages};

/// [Amazon ECS](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/Welcome.html).
pub(crate) const ECS: Service = Service::new("ecs", "AmazonEC2ContainerServiceV20141113", "ECS");
/// [Amazon EventBridge](https://docs.aws.amazon.com/eventbridge/latest/APIReference/Welcome.html).
pub(crate) const EVENTS: Service = Service::new("events", "AWSEvents", "EventBridge");
/// [EventBridge Scheduler](https://docs.aws.amazon.com/scheduler/latest/APIReference/Welcome.html).
pub(crate) const SCHEDULER: Service = Service::new("scheduler", "", "Scheduler");
/// [AWS Organizations](https://docs.aws.amazon.com/organizations/latest/APIReference/Welcome.html).
pub(crate) const ORGANIZATIONS: Service = Service::new(
    "organizations",
    "AWSOrganizationsV20161128",
    "Organizations",
);
/// [AWS STS](https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html).
pub(crate) const STS: Service = Service::new("sts", "", "STS");

/// How often a call is tried, and how long it waits between.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Tries of a call that the service throttles.
    pub attempts: u32,
    /// Tries of a call that gets no answer, or the answer that the service has failed.
    pub attempts_unanswered: u32,
    /// The longest pause before the second try; it doubles from try to try.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            attempts: 10,
            attempts_unanswered: 4,
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(20),
        }
    }
}

/// Whether a call may be made again when nobody knows whether it has taken effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It reads, or writes what it would write again.
    Always,
    /// Only where the service says that it did nothing.
    WhenThrottled,
}

/// How many calls of one action were made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// Requests sent, repetitions among them.
    pub calls: u64,
    /// Those that the service throttled.
    pub throttled: u64,
}

/// Counts by action, as policies write it (`ecs:DescribeServices`).
pub type Counts = BTreeMap<String, Count>;

/// The APIs of AWS in one region, as one identity may call them.
pub struct Api {
    aws: Arc<Aws>,
    region: String,
    patience: Patience,
    paces: Mutex<BTreeMap<&'static str, Arc<Pace>>>,
    counts: Mutex<Counts>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// What a service does to an answer of its protocol.
type Read<T> = fn(&str, &ApiAnswer) -> Result<T, ApiError>;

impl Api {
    /// The APIs of this region. Nothing is called yet.
    pub fn new(aws: Arc<Aws>, region: &str, patience: Patience) -> Api {
        Api {
            aws,
            region: region.to_owned(),
            patience,
            paces: Mutex::default(),
            counts: Mutex::default(),
        }
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// What was called so far.
    pub fn counts(&self) -> Counts {
        let counts = self.counts.lock();
        counts.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Calls an action of a service that speaks JSON.
    pub(crate) async fn json(
        &self,
        service: &'static Service,
        action: &'static str,
        input: &Value,
        repeat: Repeat,
    ) -> Result<Value, ApiError> {
        let request = ApiRequest::Json { action, input };
        self.call(service, action, request, repeat, error::read_json)
            .await
    }

    /// Reads from a service that speaks REST.
    pub(crate) async fn get(
        &self,
        service: &'static Service,
        action: &'static str,
        path: &str,
    ) -> Result<Value, ApiError> {
        let request = ApiRequest::Get { path };
        self.call(service, action, request, Repeat::Always, error::read_json)
            .await
    }

    /// Writes to a service that speaks REST.
    pub(crate) async fn put(
        &self,
        service: &'static Service,
        action: &'static str,
        (path, input): (&str, &Value),
    ) -> Result<Value, ApiError> {
        let request = ApiRequest::Put { path, input };
        self.call(service, action, request, Repeat::Always, error::read_json)
            .await
    }

    /// Calls an action of a service that takes forms and answers with XML.
    pub(crate) async fn form(
        &self,
        service: &'static Service,
        action: &'static str,
        form: &str,
    ) -> Result<String, ApiError> {
        let request = ApiRequest::Form { form };
        self.call(service, action, request, Repeat::Always, error::read_xml)
            .await
    }

    async fn call<T>(
        &self,
        service: &'static Service,
        action: &'static str,
        request: ApiRequest<'_>,
        repeat: Repeat,
        read: Read<T>,
    ) -> Result<T, ApiError> {
        let pace = self.pace(service);
        let name = format!("{}:{action}", service.name());
        let mut attempt = 1;
        loop {
            pace.wait().await;
            let sent = self.aws.request(service, &self.region, request).await;
            let outcome = match sent {
                Ok(answer) => read(&name, &answer),
                Err(problem) => Err(ApiError::unsent(&name, &problem)),
            };
            let error = match outcome {
                Ok(value) => {
                    self.count(&name, false);
                    pace.went_well();
                    return Ok(value);
                }
                Err(error) => error,
            };
            let throttled = error.kind == ErrorKind::Throttled;
            self.count(&name, throttled);
            if throttled {
                pace.throttled(tokio::time::Instant::now());
            }
            let most = match (error.kind, repeat) {
                (ErrorKind::Throttled, _) => self.patience.attempts,
                (ErrorKind::Unanswered, Repeat::Always) => self.patience.attempts_unanswered,
                _ => 0,
            };
            if attempt >= most {
                return Err(error);
            }
            tokio::time::sleep(self.pause(attempt)).await;
            attempt += 1;
        }
    }

    /// Anywhere between nothing and twice as much as the last time, so that many who were refused
    /// together do not come back together.
    fn pause(&self, attempt: u32) -> Duration {
        let doubled = 1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX);
        let longest = self.patience.first_pause.saturating_mul(doubled);
        longest.min(self.patience.longest_pause).mul_f64(jitter())
    }

    fn pace(&self, service: &'static Service) -> Arc<Pace> {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(paces.entry(service.name()).or_default())
    }

    fn count(&self, name: &str, throttled: bool) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(name.to_owned()).or_default();
        count.calls += 1;
        count.throttled += u64::from(throttled);
    }
}

/// Adds counts to others.
pub(crate) fn add_counts(to: &mut Counts, counts: &Counts) {
    for (name, count) in counts {
        let sum = to.entry(name.clone()).or_default();
        sum.calls += count.calls;
        sum.throttled += count.throttled;
    }
}
