//! Makes inputs for a target and tries them.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::io::{Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::change::changed;
use crate::memory::Gauge;
use crate::random::{Random, hash};
use crate::watch::Watch;

/// Memory that an input may take, whatever it is, and for each of its bytes.
const MEMORY: u64 = 64 << 20;
const MEMORY_FOR_A_BYTE: u64 = 2_000;
/// Different failures that a run looks for, before it ends.
const FAILURES_MAX: usize = 20;
/// How long an input is made smaller.
const SMALLER: Duration = Duration::from_secs(20);

/// What was seen of an input: the same number for the same.
pub(crate) type Seen = u64;
/// Tries an input; the error says which law is broken.
pub(crate) type Check = Box<dyn FnMut(&[u8]) -> Result<Seen, String>>;

/// Something that takes bytes from outside.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Inputs of a run that is not told how long it is to be.
    pub(crate) inputs: u64,
    /// Texts that mean something to it.
    pub(crate) words: &'static [&'static str],
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    pub(crate) check: fn() -> Check,
}

/// How a run is made.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    time: Option<Duration>,
    seed: u64,
    input: Option<PathBuf>,
}

impl Plan {
    pub(crate) fn from_environment() -> Self {
        let number = |name: &str| {
            let text = env::var(name).ok()?;
            Some(text.parse().unwrap_or_else(|_| fail(name)))
        };
        Self {
            time: number("OUTRIGGER_FUZZ_SECONDS").map(Duration::from_secs),
            seed: number("OUTRIGGER_FUZZ_SEED").unwrap_or(0),
            input: env::var_os("OUTRIGGER_FUZZ_INPUT").map(PathBuf::from),
        }
    }

    fn is_over(&self, target: &Target, tried: u64, started: Instant) -> bool {
        match self.time {
            Some(time) => started.elapsed() >= time,
            None => tried >= target.inputs,
        }
    }
}

fn fail(name: &str) -> u64 {
    eprintln!("{name} is not a number");
    std::process::exit(2)
}

/// What was found so far.
#[derive(Default)]
struct Found {
    tried: u64,
    kept: usize,
    slowest: Duration,
    largest: u64,
    failures: Vec<String>,
    /// Laws that were broken: each is told once.
    broken: BTreeSet<String>,
}

/// Tries inputs for as long as planned.
pub(crate) fn run(target: &Target, plan: &Plan) -> Result<(), String> {
    note_panics();
    let mut trial = Trial::new(target)?;
    if let Some(file) = &plan.input {
        let input = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        return trial.of(&input).map(|_| ());
    }
    let mut pool = (target.seeds)();
    if pool.is_empty() {
        return Err("no seeds: run from the package's folder".to_owned());
    }
    let (seeds, started) = (pool.len(), Instant::now());
    let (mut seen, mut found) = (BTreeSet::new(), Found::default());
    while !plan.is_over(target, found.tried, started) && found.failures.len() < FAILURES_MAX {
        let mut random = Random::new(plan.seed, target.name, found.tried);
        // What was kept last leads furthest.
        let newest = pool.len().saturating_sub(64).max(seeds.min(pool.len() - 1));
        let at = match random.below(3) {
            0 => newest + random.below(pool.len() - newest),
            _ => random.below(pool.len()),
        };
        let other = random.below(pool.len());
        let input = changed(&mut random, &pool[at], &pool[other], target.words);
        found.tried += 1;
        let tried = trial.of(&input);
        found.note_cost(&trial, target, &input);
        match tried {
            Ok(sight) => {
                if seen.insert(sight) && pool.len() < 20_000 {
                    pool.push(input);
                }
            }
            Err(law) => found.note_failure(&mut trial, input, &law),
        }
    }
    found.kept = pool.len() - seeds;
    trial.end();
    found.told(target, seeds, started.elapsed())
}

impl Found {
    fn note_cost(&mut self, trial: &Trial, target: &Target, input: &[u8]) {
        self.largest = self.largest.max(trial.memory);
        if trial.took > self.slowest {
            self.slowest = trial.took;
            let _ = fs::write(trial.folder.join(format!("{}.slowest", target.name)), input);
        }
    }

    fn note_failure(&mut self, trial: &mut Trial, input: Vec<u8>, law: &str) {
        if !self.broken.insert(kind(law)) {
            return;
        }
        let input = smaller(trial, input, law);
        let law = trial.of(&input).err().unwrap_or_else(|| law.to_owned());
        let name = format!("{}-{:016x}.input", trial.target.name, hash(&input));
        let file = trial.folder.join(name);
        let _ = fs::write(&file, &input);
        let (file, name) = (file.display(), trial.target.name);
        let failure = format!(
            "{law}\n  the input: {file}\n  again: OUTRIGGER_FUZZ_INPUT={file} cargo test -p outrigger-tests --test fuzz -- --exact {name}"
        );
        println!("{failure}");
        self.failures.push(failure);
    }

    fn told(self, target: &Target, seeds: usize, took: Duration) -> Result<(), String> {
        println!(
            "{}: {} inputs from {seeds} seeds in {:.1} s, {} kept, the slowest {} ms, the largest {:.1} MB",
            target.name,
            self.tried,
            took.as_secs_f64(),
            self.kept,
            self.slowest.as_millis(),
            self.largest as f64 / 1e6
        );
        match self.failures.as_slice() {
            [] => Ok(()),
            failures => Err(failures.join("\n\n")),
        }
    }
}

/// The law without what it says of one input: up to the first `: `, and without numbers.
fn kind(law: &str) -> String {
    let line = law.lines().next().unwrap_or_default();
    let head = line.split(": ").take(2).collect::<Vec<_>>().join(": ");
    let letters = head.chars().filter(|letter| !letter.is_ascii_digit());
    letters.take(120).collect()
}

/// Tries inputs, one after the other.
struct Trial {
    target: Target,
    check: Check,
    folder: PathBuf,
    running: PathBuf,
    file: File,
    watch: Watch,
    took: Duration,
    memory: u64,
}

impl Trial {
    fn new(target: &Target) -> Result<Self, String> {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let running = folder.join(format!("{}.running", target.name));
        Ok(Self {
            target: *target,
            check: (target.check)(),
            watch: Watch::start(&running),
            file: File::create(&running).map_err(|error| error.to_string())?,
            folder,
            running,
            took: Duration::ZERO,
            memory: 0,
        })
    }

    fn of(&mut self, input: &[u8]) -> Result<Seen, String> {
        self.note(input).map_err(|error| error.to_string())?;
        self.watch.next();
        let gauge = Gauge::start();
        let started = Instant::now();
        let tried = catch_unwind(AssertUnwindSafe(|| (self.check)(input)));
        self.took = started.elapsed();
        self.memory = gauge.map_or(0, |gauge| gauge.grown());
        let place = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Wherever it was caught.
        if let Some(place) = place {
            return Err(format!("a panic: {place}"));
        }
        let seen = tried.map_err(|_| "a panic".to_owned())??;
        let limit = MEMORY + MEMORY_FOR_A_BYTE * input.len() as u64;
        if self.memory > limit {
            let (memory, length) = (self.memory, input.len());
            return Err(format!(
                "much memory: {memory} bytes for an input of {length}"
            ));
        }
        Ok(seen)
    }

    /// Writes down what is tried, into a file that stays open: this is done for every input.
    fn note(&mut self, input: &[u8]) -> std::io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(input)?;
        self.file.set_len(input.len() as u64)
    }

    fn end(&self) {
        let _ = fs::remove_file(&self.running);
    }
}

/// The place and the message of a panic that nobody has asked about yet.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

fn note_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let mut last = PANIC.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(panic.to_string().replace('\n', " "));
    }));
}

/// A part of the input that breaks the same law.
fn smaller(trial: &mut Trial, mut input: Vec<u8>, law: &str) -> Vec<u8> {
    let (started, law) = (Instant::now(), kind(law));
    let mut size = input.len() / 2;
    while size > 0 && started.elapsed() < SMALLER {
        let mut at = 0;
        while at < input.len() && started.elapsed() < SMALLER {
            let mut less = input.clone();
            less.drain(at..(at + size).min(input.len()));
            match trial.of(&less) {
                Err(other) if kind(&other) == law => input = less,
                _ => at += size,
            }
        }
        size /= 2;
    }
    input
}
