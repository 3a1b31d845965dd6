//! Wires the function to the runtime of AWS Lambda; all else is in the library, where tests can call it.

use std::env;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use fleet::{Answered, Function};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

fn main() -> ExitCode {
    if env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        eprintln!("error: this program is a function for AWS Lambda, and runs nowhere else");
        eprintln!(
            "  hint: `deploy/fleet.yaml` deploys it, and `fleet` does the same work at a command line"
        );
        return ExitCode::from(2);
    }
    log();
    // The journal is written while nothing else goes on in its thread.
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

/// Answers events for as long as Lambda sends them.
async fn serve() -> Result<(), Error> {
    let function = Arc::new(Function::new(variables()));
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let function = Arc::clone(&function);
        async move { answer(&function, event).await }
    }))
    .await
}

/// Variables that are no text are none of ours.
fn variables() -> impl Iterator<Item = (String, String)> {
    env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

async fn answer(function: &Function, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let left = event.context.deadline().duration_since(SystemTime::now());
    let answered = function.answer(
        event.payload,
        &event.context.request_id,
        left.unwrap_or_default(),
    );
    let Answered { result, metrics } = Box::pin(answered).await;
    let name = &event.context.env_config.function_name;
    println!("{}", metrics.line(name, SystemTime::now()));
    result.map_err(|refused| Diagnostic {
        error_type: refused.name().to_owned(),
        error_message: refused.to_string(),
    })
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
        .with_target("fleet", own)
        .with_target("fleet_function", own);
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
        tracing::error!(target: "fleet", place, "panic");
    }));
}
