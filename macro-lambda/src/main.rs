//! Wires the macro to the runtime of AWS Lambda; all else is in the library, where tests can call it.

use std::env;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use lambda_runtime::tower::util::{MapFutureLayer, MapRequestLayer};
use lambda_runtime::{Context, Error, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use macro_lambda::{Event, Macro, Response};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

fn main() -> ExitCode {
    if env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        eprintln!("error: this program is a function for AWS Lambda, and runs nowhere else");
        eprintln!(
            "  hint: `sam.yaml` deploys it, and `cfn-filter` does the same work at a command line"
        );
        return ExitCode::from(2);
    }
    log();
    // One thread for the work, and one that watches the time meanwhile.
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Error::from)
        .and_then(|runtime| runtime.block_on(serve()));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the runtime of AWS Lambda cannot be used: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The runtime's own work on one event, to the end of the response. Its type is too deep for the
/// compiler to look into.
type Answering = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// Answers events for as long as Lambda sends them.
async fn serve() -> Result<(), Error> {
    let outrigger = Arc::new(Macro::new(variables()));
    let overran = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&overran);
    let handler = service_fn(move |event: LambdaEvent<Event>| {
        let (outrigger, overran) = (Arc::clone(&outrigger), Arc::clone(&noted));
        async move { Ok::<Response, Error>(answer(&outrigger, event, &overran).await) }
    });
    // Work that goes on would take the time of the next invocation. It ends with the process, when
    // the answer has been sent; Lambda starts another one.
    let end = MapFutureLayer::new(move |answering| {
        let answering: Answering = Box::pin(answering);
        let overran = Arc::clone(&overran);
        async move {
            let answered = answering.await;
            if overran.load(Ordering::SeqCst) {
                std::process::exit(1);
            }
            answered
        }
    });
    Runtime::new(handler)
        .layer(MapRequestLayer::new(as_event))
        .layer(end)
        .run()
        .await
}

/// Variables that are no text are none of ours.
fn variables() -> impl Iterator<Item = (String, String)> {
    env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

async fn answer(
    outrigger: &Arc<Macro>,
    event: LambdaEvent<Event>,
    overran: &AtomicBool,
) -> Response {
    let answered = outrigger
        .answer(event.payload, time_left(&event.context))
        .await;
    let function = &event.context.env_config.function_name;
    println!("{}", answered.metrics.line(function, SystemTime::now()));
    overran.store(answered.overran, Ordering::SeqCst);
    answered.response
}

fn time_left(context: &Context) -> Duration {
    let left = context.deadline().duration_since(SystemTime::now());
    left.unwrap_or_default()
}

/// The event as it came. The runtime reads events before it calls the handler, and one that it
/// cannot read would be an error of the function, of which nobody who deploys sees the reason.
fn as_event(mut invocation: LambdaInvocation) -> LambdaInvocation {
    let event = Event::from(invocation.body.as_ref());
    // Texts and truth values can always be written.
    invocation.body = serde_json::to_vec(&event).unwrap_or_default().into();
    invocation
}

/// JSON, one object a line. The crates below are told to be silent: at their finest the runtime's
/// lines hold the event.
fn log() {
    let level = env::var("AWS_LAMBDA_LOG_LEVEL").ok();
    let own = match level.as_deref() {
        // Lambda knows one level more.
        Some("FATAL") => LevelFilter::ERROR,
        Some(level) => level.parse().unwrap_or(LevelFilter::INFO),
        None => LevelFilter::INFO,
    };
    let filter = Targets::new()
        .with_default(LevelFilter::ERROR)
        .with_target("macro_lambda", own);
    let format = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false);
    tracing_subscriber::registry()
        .with(format)
        .with(filter)
        .init();
    // What a panic says may hold what it was about; where it happened does not.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(target: "macro_lambda", place, "panic");
    }));
}
