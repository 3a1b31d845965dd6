//! One invocation: from an event to a response.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use registry::credentials::aws::Aws;
use registry::remote::Registries;
use serde_json::value::RawValue;
use taskdef::report::Report;
use taskdef::settings::{Deployment, KnownAgent, OnUnresolved};
use taskdef::source::{Change, Source};
use taskdef::{DocumentError, DocumentKind, Rewritten};
use tokio::sync::OnceCell;

use crate::log::{self, Metrics};
use crate::params::Params;
use crate::problem::{Problem, of_report};
use crate::request::Request;
use crate::response::Response;
use crate::settings::Settings;
use crate::{images, recipes};

/// [Limits of CloudFormation](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html)
/// for a template: in a request, and in Amazon S3, in bytes.
const INLINE_LIMIT: usize = 51_200;
const TEMPLATE_LIMIT: usize = 1_000_000;
/// What is kept back of an invocation's time, for the answer.
const RESERVE: Duration = Duration::from_secs(2);

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
}

/// What became of a template.
struct Processed {
    report: Report,
    result: Result<Box<RawValue>, Vec<Problem>>,
}

impl From<Vec<Problem>> for Processed {
    fn from(problems: Vec<Problem>) -> Self {
        Self {
            report: Report::default(),
            result: Err(problems),
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

    /// Answers an event, within this time. It needs a tokio runtime with time and I/O.
    ///
    /// A panic is answered as a failure, too.
    pub async fn answer(self: &Arc<Self>, event: String, time: Duration) -> Answered {
        let event: Arc<str> = event.into();
        let (this, given) = (Arc::clone(self), Arc::clone(&event));
        let work = async move { this.answer_event(&given, time).await };
        guarded(work).await.unwrap_or_else(|| {
            let id = Request::parse(&event).map_or_else(|error| error.id, |request| request.id);
            let problem = Problem::new("the macro has an error of its own, and changed nothing")
                .hint("report it with the template; its log says where it happened");
            Answered {
                response: Response::failure(id, &[problem]),
                metrics: Metrics::of_panic(),
            }
        })
    }

    async fn answer_event(&self, event: &str, time: Duration) -> Answered {
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
            ..Metrics::of(&processed.report, processed.result.is_ok())
        };
        log::processed(&id, &processed.report, &processed.result, &metrics);
        let response = match processed.result {
            Ok(fragment) => Response::success(id, fragment),
            Err(problems) => Response::failure(id, &problems),
        };
        Answered { response, metrics }
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
        let aws = registries.source();
        let means = async {
            tokio::try_join!(recipes::bind(settings, &params, aws), async {
                images::lock_file(settings, aws)
                    .await
                    .map_err(|problem| vec![problem])
            },)
        };
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
        report.findings.extend(found.warnings());
        let result = match report.is_refused() && run.on_unresolved == OnUnresolved::Fail {
            true => Err(of_report(&report)),
            false => written(source, request.fragment, changes),
        };
        Ok(Processed { report, result })
    }
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
    let first = Problem::new("the macro is not set up, and its administrator has to mend this");
    let problems = problems.iter().cloned();
    std::iter::once(first).chain(problems).collect()
}

/// Runs this to its end; nothing if it panics.
async fn guarded<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    tokio::spawn(work).await.ok()
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
    source: Source<'_>,
    fragment: &str,
    changes: Vec<Change>,
) -> Result<Box<RawValue>, Vec<Problem>> {
    let text = match changes.is_empty() {
        true => fragment.to_owned(),
        false => {
            let spliced = source.splice(changes);
            let failed = |error| Problem::new(format!("the template cannot be written: {error}"));
            spliced.map_err(|error| vec![failed(error)])?.text
        }
    };
    let (before, after) = (fragment.len(), text.len());
    if after > TEMPLATE_LIMIT {
        let problem = Problem::new(format!(
            "the processed template has {after} bytes, and CloudFormation takes {TEMPLATE_LIMIT} (template-too-large)"
        ));
        return Err(vec![
            problem.hint("split it into nested stacks, each with the transform"),
        ]);
    }
    if after > INLINE_LIMIT && before <= INLINE_LIMIT {
        log::larger(after, INLINE_LIMIT);
    }
    RawValue::from_string(text).map_err(|_| vec![Problem::new("the processed template is no JSON")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_nothing_to_answer_with() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let guarded = |panics: bool| {
            runtime.block_on(guarded(async move {
                assert!(!panics, "a panic");
                1
            }))
        };
        assert_eq!(guarded(false), Some(1));
        assert_eq!(guarded(true), None);
    }
}
