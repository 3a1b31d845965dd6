//! `macro-compare RUNS BOOTSTRAP`: starts the macro's program, and invokes it, as AWS Lambda would.
//!
//! Every template has to come back with a sidecar in each task definition; a run without is an
//! error.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bench::client::{beside, run};
use bench::delay::Delay;
use bench::images::{IMAGES, ROUND_TRIP, ROUND_TRIPS, ca, filled, rate, repository};
use bench::measure::{median, print_row};
use bench::task_definition;
use outrigger_tests::servers::image::Artifact;
use outrigger_tests::servers::{Function, Registry};
use serde_json::{Map, Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const INPUTS: &str =
    r#"{"accessToken": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:agent-AbCdEf"}"#;
/// How much an invocation may take.
const TIME: Duration = Duration::from_secs(60);
/// How large the template of the warm invocations is, in bytes.
const LARGE: usize = 850_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [runs, program] = arguments.as_slice() else {
        return Err("usage: macro-compare RUNS BOOTSTRAP".into());
    };
    let (runs, program) = (runs.parse()?, Path::new(program));
    println!("| what | median ms | compared with | median ms | ratio |");
    println!("|---|---|---|---|---|");
    cold(runs, program)?;
    let (registry, images) = filled()?;
    warm(runs, program, &registry, &images)?;
    many(runs, program, &registry, &images)
}

/// From the start of the process to the moment when it asks for its first event.
fn cold(runs: usize, program: &Path) -> Result<()> {
    let (mut ours, mut empty) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let started = Instant::now();
        Command::new("true").status()?;
        empty.push(started.elapsed());
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "outrigger"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_REGION", "eu-central-1"),
                ("OUTRIGGER_RECIPE", "lacework"),
                ("OUTRIGGER_INPUTS", INPUTS),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let started = Instant::now();
        let mut child = command.spawn()?;
        let (stream, _) = listener.accept()?;
        let mut asked = String::new();
        BufReader::new(stream).read_line(&mut asked)?;
        ours.push(started.elapsed());
        child.kill()?;
        child.wait()?;
        if !asked.starts_with("GET /2018-06-01/runtime/invocation/next") {
            return Err(format!("the function asked for something else: {asked}").into());
        }
    }
    print_row(
        "start to first poll",
        median(ours),
        "start and end of an empty process",
        median(empty),
    );
    Ok(())
}

/// A large template, whose images were read before.
fn warm(runs: usize, program: &Path, registry: &Registry, images: &[Artifact]) -> Result<()> {
    let host = registry.address().to_string();
    let function = function(program, registry, &host)?;
    let by_digest = |number: usize, image: &Artifact| {
        format!("{host}/{}@{}", repository(number), image.digest())
    };
    let by_tag = |number: usize, _: &Artifact| format!("{host}/{}:1", repository(number));
    type Naming<'n> = &'n dyn Fn(usize, &Artifact) -> String;
    let namings: [(&str, Naming<'_>); 2] = [("digest", &by_digest), ("tag", &by_tag)];
    for (name, naming) in namings {
        let numbered = images.iter().enumerate();
        let references: Vec<String> = numbered.map(|(n, image)| naming(n, image)).collect();
        let event = event(&references, LARGE)?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut bytes = 0;
        // The first invocation reads the images.
        for turn in 0..=runs {
            let answer = function.invoke(&event, TIME)?;
            bytes = check(&answer.payload, references.len())?;
            let started = Instant::now();
            let value: Value = serde_json::from_slice(&event)?;
            let written = serde_json::to_vec(&value)?;
            let round_trip = started.elapsed();
            if turn > 0 && !written.is_empty() {
                ours.push(answer.took);
                theirs.push(round_trip);
            }
        }
        let what = format!(
            "warm, {IMAGES} tasks with images by {name}, {:.2} MB that become {:.2} MB",
            event.len() as f64 / 1e6,
            bytes as f64 / 1e6
        );
        print_row(
            &what,
            median(ours),
            "the event read and written as a `serde_json::Value`",
            median(theirs),
        );
    }
    Ok(())
}

/// Many images, none of them known, on a network with a delay.
fn many(runs: usize, program: &Path, registry: &Registry, images: &[Artifact]) -> Result<()> {
    const TASKS: usize = 100;
    let proxy = Delay::start(registry.address(), ROUND_TRIP)?;
    let rate = rate(registry, images, proxy.address(), runs.min(5))?;
    let answering = TASKS as f64 * 3.0 / rate;
    let bound = answering.max((ROUND_TRIP * ROUND_TRIPS).as_secs_f64());
    let host = proxy.address().to_string();
    let references: Vec<String> = (0..TASKS)
        .map(|number| format!("{host}/{}:1", repository(number)))
        .collect();
    let event = event(&references, 0)?;
    let (mut times, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..runs.min(5) {
        let started = Instant::now();
        run(
            Command::new(beside("registries-outrigger")?).arg(ca(registry)),
            &references,
        )?;
        alone.push(started.elapsed());
        let function = function(program, registry, &host)?;
        let answer = function.invoke(&event, TIME)?;
        check(&answer.payload, TASKS)?;
        times.push(answer.took);
    }
    let what = format!(
        "first invocation, {TASKS} tasks with {TASKS} images, round trip {} ms",
        ROUND_TRIP.as_millis()
    );
    let peer = format!("lower bound: {ROUND_TRIPS} round trips, or {rate:.0} requests a second");
    let bound = Duration::from_secs_f64(bound);
    print_row(&what, median(times), &peer, bound);
    let alone = median(alone);
    print_row("the same images by the resolver alone", alone, &peer, bound);
    Ok(())
}

fn function(program: &Path, registry: &Registry, host: &str) -> Result<Function> {
    let ca = ca(registry);
    let variables = [
        ("OUTRIGGER_RECIPE", "lacework"),
        ("OUTRIGGER_INPUTS", INPUTS),
        ("OUTRIGGER_INSECURE_REGISTRIES", host),
        (
            "OUTRIGGER_CA_BUNDLE",
            ca.to_str().ok_or("a path that is no text")?,
        ),
    ];
    Ok(Function::start(&mut Command::new(program), variables)?)
}

/// A request with a task definition for each image, and about so many bytes.
fn event(references: &[String], bytes: usize) -> Result<Vec<u8>> {
    let filler = "x".repeat(bytes.saturating_sub(references.len() * 700) / references.len());
    let resources: Map<String, Value> = references
        .iter()
        .enumerate()
        .map(|(number, reference)| {
            let mut task = task_definition(number);
            if let Some(image) = task.pointer_mut("/Properties/ContainerDefinitions/0/Image") {
                *image = reference.as_str().into();
            }
            if let Some(task) = task.as_object_mut() {
                task.insert("Metadata".to_owned(), json!({"Notes": filler}));
            }
            (format!("Service{number:04}"), task)
        })
        .collect();
    let event = json!({
        "region": "eu-central-1",
        "accountId": "123456789012",
        "transformId": "123456789012::Outrigger",
        "requestId": "bench",
        "params": {},
        "templateParameterValues": {},
        "fragment": {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources},
    });
    Ok(serde_json::to_vec(&event)?)
}

/// The size of the processed template, in which each of the task definitions has two containers.
fn check(payload: &[u8], tasks: usize) -> Result<usize> {
    let response: Value = serde_json::from_slice(payload)?;
    if response.get("status") != Some(&"success".into()) {
        let told = response.get("errorMessage").unwrap_or(&Value::Null);
        return Err(format!("the macro fails: {told}").into());
    }
    let resources = response.pointer("/fragment/Resources");
    let resources = resources.and_then(Value::as_object).ok_or("no resources")?;
    let containers = |task: &Value| {
        let containers = task.pointer("/Properties/ContainerDefinitions");
        containers.and_then(Value::as_array).map(Vec::len)
    };
    match resources.len() == tasks && resources.values().all(|task| containers(task) == Some(2)) {
        true => Ok(payload.len()),
        false => Err("a task definition has no sidecar".into()),
    }
}
