//! One invocation: from an event to a response.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use registry::Locked;
use registry::credentials::aws::Aws;
use registry::remote::Registries;
use serde_json::value::RawValue;
use taskdef::recipe::Recipes;
use taskdef::report::Report;
use taskdef::settings::{Deployment, KnownAgent, OnUnresolved, PinDigests};
use taskdef::source::{Change, Source};
use taskdef::{DocumentError, DocumentKind, Rewritten};
use tokio::sync::OnceCell;

use crate::log::{self, Metrics};
use crate::params::Params;
use crate::problem::{Problem, of_report};
use crate::request::{Event, Request};
use crate::response::Response;
use crate::settings::Settings;
use crate::{images, recipes};

/// [Limits of CloudFormation](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html)
/// for a template: in a request, and in Amazon S3, in bytes.
const INLINE_LIMIT: usize = 51_200;
const TEMPLATE_LIMIT: usize = 1_000_000;
/// What [AWS Lambda](https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)
/// takes as a response, less what stands around the template.
const RESPONSE_LIMIT: usize = 6 * 1024 * 1024 - 1024;
/// What is kept back of an invocation's time, for rewriting and the answer.
const RESERVE: Duration = Duration::from_secs(2);
/// What of it is kept back for the answer alone.
const LAST_RESERVE: Duration = Duration::from_millis(500);

/// The macro, with the settings of its function.
#[derive(Debug)]
pub struct Macro {
    settings: Result<Settings, Vec<Problem>>,
    /// Built when it is first needed, and kept: connections, tokens, and configs by digest.
    registries: OnceCell<Result<Registries<Aws>, Problem>>,
}

/// A response, and what it took.
#[derive(Debug)]
pub struct Answered {
    /// For CloudFormation.
    pub response: Response,
    /// For CloudWatch.
    pub metrics: Metrics,
    /// Whether the work went on when the time was over. It cannot be stopped but with the process.
    pub overran: bool,
}

/// What became of a template: without a fragment it was not processed, for what the report and
/// the problems say.
#[derive(Default)]
pub(crate) struct Processed {
    pub(crate) report: Report,
    pub(crate) fragment: Option<Box<RawValue>>,
    pub(crate) problems: Vec<Problem>,
}

impl From<Vec<Problem>> for Processed {
    fn from(problems: Vec<Problem>) -> Self {
        Self {
            problems,
            ..Self::default()
        }
    }
}

impl From<Problem> for Processed {
    fn from(problem: Problem) -> Self {
        vec![problem].into()
    }
}

impl Macro {
    /// Reads the variables of the environment. What is wrong with them is told in the log, and to
    /// everybody whose template needs the macro.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let settings = Settings::read(variables);
        if let Err(problems) = &settings {
            log::settings(problems);
        }
        Self {
            settings,
            registries: OnceCell::new(),
        }
    }

    /// Answers an event, within this time, whatever it takes. It needs a tokio runtime with time
    /// and I/O, and with a thread of its own for the work, so that the time can end meanwhile.
    ///
    /// A panic is answered as a failure, too.
    pub async fn answer(self: &Arc<Self>, event: Event, time: Duration) -> Answered {
        let started = Instant::now();
        let event = Arc::new(event);
        let (this, given) = (Arc::clone(self), Arc::clone(&event));
        let work = async move { this.answer_event(&given, time).await };
        let time = time.saturating_sub(LAST_RESERVE.min(time / 4));
        let (problem, overran) = match guarded(work, time).await {
            Ok(answered) => return answered,
            Err(End::Panic) => {
                let problem =
                    Problem::new("the macro has an error of its own, and changed nothing");
                let hint = "report it with the template; its log says where it happened";
                (problem.hint(hint), false)
            }
            Err(End::Time) => {
                let problem = Problem::new("the time was over before the template was processed");
                let hint = "give the function more time or memory, or deploy a smaller template";
                (problem.hint(hint), true)
            }
        };
        let id = Request::parse(&event).map_or_else(|error| error.id, |request| request.id);
        let processed = Processed::from(problem);
        let metrics = Metrics {
            duration: started.elapsed(),
            ..Metrics::of(&processed)
        };
        log::processed(&id, &processed, &metrics);
        Answered {
            response: Response::failure(id, &processed.problems),
            metrics,
            overran,
        }
    }

    async fn answer_event(&self, event: &Event, time: Duration) -> Answered {
        let started = Instant::now();
        let requests = self.requests();
        let (id, processed) = match Request::parse(event) {
            Err(error) => (error.id, Problem::new(error.message).into()),
            Ok(request) => {
                let id = request.id.clone();
                let time = time.saturating_sub(RESERVE.min(time / 2));
                let processed = match self.process(request, time).await {
                    Ok(processed) | Err(processed) => processed,
                };
                (id, processed)
            }
        };
        let metrics = Metrics {
            registry_requests: self.requests().saturating_sub(requests),
            duration: started.elapsed(),
            ..Metrics::of(&processed)
        };
        log::processed(&id, &processed, &metrics);
        let response = match processed.fragment {
            Some(fragment) => Response::success(id, fragment),
            None => {
                let mut problems = processed.problems;
                problems.extend(of_report(&processed.report));
                Response::failure(id, &problems)
            }
        };
        Answered {
            response,
            metrics,
            overran: false,
        }
    }

    /// Requests to registries so far.
    fn requests(&self) -> u64 {
        match self.registries.get() {
            Some(Ok(registries)) => registries.counts().requests,
            _ => 0,
        }
    }

    async fn process(&self, request: Request<'_>, time: Duration) -> Result<Processed, Processed> {
        let started = Instant::now();
        let settings = self
            .settings
            .as_ref()
            .map_err(|problems| not_set_up(problems))?;
        let params = Params::read(request.params, &settings.allowed_params)?;
        let source = Source::parse(request.fragment)
            .map_err(|error| Problem::new(format!("the template cannot be read: {error}")))?;
        let registries = self
            .registries
            .get_or_init(async || images::registries(settings))
            .await;
        let registries = registries.as_ref().map_err(Problem::clone)?;
        let means = means(settings, &params, registries.source());
        let means = tokio::time::timeout(time, means).await;
        let (recipes, lock) = means.map_err(|_| {
            Problem::new("the time was over before the recipe and the lock file were read")
        })??;
        let deployment = Deployment {
            region: request.region,
            account_id: request.account_id,
        };
        let run = run_settings(settings, &params, deployment, request.parameter_values);
        let run = taskdef::settings::Settings {
            known_agents: KnownAgent::besides(&recipes),
            for_one_stack: true,
            ..run
        };
        let template = source.value();
        let kind = DocumentKind::of_fragment(template);
        let needed = taskdef::images_needed(template, kind, &recipes, &run).map_err(unusable)?;
        let left = time.saturating_sub(started.elapsed());
        let found = images::answer(&needed, &lock, settings, registries, left).await?;
        let Rewritten {
            mut report,
            changes,
        } = taskdef::rewrite(template, kind, &recipes, &run, &found.answers).map_err(unusable)?;
        // What is pinned cannot move.
        if run.pin_digests == PinDigests::No {
            report.findings.extend(found.warnings());
        }
        let mut processed = Processed {
            report,
            ..Processed::default()
        };
        if !processed.report.is_refused() || run.on_unresolved == OnUnresolved::Skip {
            match written(&request.id, source, request.fragment, changes) {
                Ok(fragment) => processed.fragment = Some(fragment),
                Err(problem) => processed.problems.push(problem),
            }
        }
        Ok(processed)
    }
}

/// What a template is rewritten with: read at the same time, where it is read at all.
async fn means(
    settings: &Settings,
    params: &Params,
    aws: &Aws,
) -> Result<(Recipes, Locked), Vec<Problem>> {
    let lock = async {
        let lock = images::lock_file(settings, aws).await;
        lock.map_err(|problem| vec![problem])
    };
    tokio::try_join!(recipes::bind(settings, params, aws), lock)
}

/// Why a document cannot be worked on at all.
fn unusable(error: DocumentError) -> Problem {
    let problem = Problem::new(error.to_string());
    match error.hint() {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

fn not_set_up(problems: &[Problem]) -> Vec<Problem> {
    let mut problems = problems.to_vec();
    if let Some(first) = problems.first_mut() {
        let whose = "the macro is not set up, and its administrator has to mend this";
        first.message = format!("{whose}: {}", first.message);
    }
    problems
}

/// Why some work has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Panic,
    Time,
}

/// Runs this to its end, on another thread where the runtime has one.
async fn guarded<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
    time: Duration,
) -> Result<T, End> {
    match tokio::time::timeout(time, tokio::spawn(work)).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(_)) => Err(End::Panic),
        Err(_) => Err(End::Time),
    }
}

/// How a template is rewritten.
fn run_settings(
    settings: &Settings,
    params: &Params,
    deployment: Deployment,
    parameters: BTreeMap<String, String>,
) -> taskdef::settings::Settings {
    let mut run = taskdef::settings::Settings {
        deployment,
        parameters,
        ..settings.run.clone()
    };
    let selection = &mut run.selection;
    selection.mode = params.mode.unwrap_or(selection.mode);
    if let Some(include) = &params.include {
        selection.include.clone_from(include);
    }
    if let Some(exclude) = &params.exclude {
        selection.exclude.clone_from(exclude);
    }
    run
}

/// The fragment with the changes. Every byte outside of them stays.
fn written(
    id: &str,
    source: Source<'_>,
    fragment: &str,
    changes: Vec<Change>,
) -> Result<Box<RawValue>, Problem> {
    let text = match changes.is_empty() {
        true => fragment.to_owned(),
        false => {
            let spliced = source.splice(changes);
            let failed = |error| Problem::new(format!("the template cannot be written: {error}"));
            spliced.map_err(failed)?.text
        }
    };
    let (before, after) = (fragment.len(), text.len());
    let exceeds = |limit| after > limit && before <= limit;
    if exceeds(TEMPLATE_LIMIT) || after > RESPONSE_LIMIT {
        let limit = if after > RESPONSE_LIMIT {
            RESPONSE_LIMIT
        } else {
            TEMPLATE_LIMIT
        };
        let problem = Problem::new(format!(
            "the processed template has {after} bytes, and no more than {limit} are taken (template-too-large)"
        ));
        return Err(problem.hint("split it into nested stacks, each with the transform"));
    }
    if exceeds(INLINE_LIMIT) {
        log::larger(id, after, INLINE_LIMIT);
    }
    RawValue::from_string(text).map_err(|_| Problem::new("the processed template is no JSON"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use taskdef::settings::Mode;

    use super::*;

    #[test]
    fn work_that_panics_or_takes_too_long_has_no_result() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let long = Duration::from_secs(60);
        let panics = |panics: bool| async move {
            assert!(!panics, "a panic");
            1
        };
        assert_eq!(runtime.block_on(guarded(panics(false), long)), Ok(1));
        assert_eq!(
            runtime.block_on(guarded(panics(true), long)),
            Err(End::Panic)
        );
        // Work that never lets go of its thread, until it is told that its time was over.
        let (over, told) = std::sync::mpsc::channel::<()>();
        let busy = async move { told.recv().is_err() };
        let short = Duration::from_millis(10);
        assert_eq!(runtime.block_on(guarded(busy, short)), Err(End::Time));
        drop(over);
    }

    fn rewritten(bytes: usize, change: bool) -> Result<String, String> {
        let fragment = json!({"Resources": {}, "Description": "x".repeat(bytes)}).to_string();
        let source = Source::parse(&fragment).unwrap();
        let path = vec![taskdef::source::Step::Key("Resources".to_owned())];
        let new = json!({"Queue": {"Type": "AWS::SQS::Queue"}}).into();
        let changes = change.then_some(Change { path, new });
        let written = written("r", source, &fragment, changes.into_iter().collect());
        match written {
            Ok(text) => Ok(text.get().to_owned()),
            Err(problem) => Err(problem.message),
        }
    }

    #[test]
    fn only_what_the_rewrite_makes_too_large_is_refused() {
        assert!(rewritten(100, true).unwrap().contains("Queue"));
        let told = rewritten(TEMPLATE_LIMIT - 50, true).unwrap_err();
        insta::assert_snapshot!(told, @"the processed template has 1000017 bytes, and no more than 1000000 are taken (template-too-large)");
        assert!(rewritten(RESPONSE_LIMIT, false).is_err());
        // Another macro may take away again what another one brought.
        for change in [true, false] {
            assert!(rewritten(TEMPLATE_LIMIT + 50, change).is_ok());
        }
    }

    #[test]
    fn parameters_of_the_transform_replace_settings() {
        let variables = [
            ("OUTRIGGER_RECIPE", "alert-logic"),
            ("OUTRIGGER_MODE", "opt-in"),
            ("OUTRIGGER_EXCLUDE", "$.Resources.A"),
            ("OUTRIGGER_ALLOW_TEMPLATE_PARAMS", "*"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = Settings::read(variables).unwrap();
        let run = |params: Value| {
            let params = params.as_object().unwrap().clone();
            let params = Params::read(params, &settings.allowed_params).unwrap();
            run_settings(&settings, &params, Deployment::default(), BTreeMap::new()).selection
        };
        let settled = run(json!({}));
        assert_eq!((settled.mode, settled.exclude.len()), (Mode::OptIn, 1));
        let asked = run(json!({"Mode": "opt-out", "Exclude": [], "Include": "$.Resources.B"}));
        assert_eq!(
            (asked.mode, asked.exclude.len(), asked.include.len()),
            (Mode::OptOut, 0, 1)
        );
    }
}
