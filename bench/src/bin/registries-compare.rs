//! `registries-compare RUNS`: reads images from a real registry with this project's client, with
//! oci-client and with skopeo, on a network without and with a delay, and prints a table.
//!
//! Every program has to find what the images really run; a run that does not is an error.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bench::client::{beside, program, run};
use bench::delay::Delay;
use bench::images::{ROUND_TRIP, ROUND_TRIPS, ca, filled, rate, repository};
use outrigger_tests::servers::image::Artifact;
use outrigger_tests::servers::{Registry, program as installed};
use wait4::Wait4;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How the images of one measurement are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Client {
    Outrigger,
    /// oci-client, all images at once.
    Library,
    /// One process for each container, so many at once.
    Skopeo(usize),
}

/// What one reading cost.
#[derive(Clone, Copy, Default)]
struct Cost {
    time: Duration,
    requests: u64,
    connections: u64,
    /// Largest resident size of a process, in kB.
    memory: u64,
}

struct Bench {
    registry: Registry,
    images: Vec<Artifact>,
    runs: usize,
    skopeo: Option<PathBuf>,
}

fn main() -> Result<()> {
    let runs = std::env::args()
        .nth(1)
        .ok_or("usage: registries-compare RUNS")?;
    let (registry, images) = filled()?;
    let bench = Bench {
        registry,
        images,
        runs: runs.parse()?,
        skopeo: installed("SKOPEO", "skopeo")?,
    };
    for round_trip in [ROUND_TRIP, Duration::ZERO] {
        bench.network(round_trip)?;
    }
    Ok(())
}

impl Bench {
    fn network(&self, round_trip: Duration) -> Result<()> {
        let proxy = Delay::start(self.registry.address(), round_trip)?;
        let rate = rate(&self.registry, &self.images, proxy.address(), self.runs)?;
        println!(
            "\nround trip {} ms; the registry answers {rate:.0} requests a second at most\n",
            round_trip.as_millis()
        );
        println!(
            "| images | client | ms | requests | connections | peak MB | lower bound ms | ratio |"
        );
        println!("|---|---|---|---|---|---|---|---|");
        let distinct = |count: usize| (0..count).collect::<Vec<_>>();
        for (what, numbers) in [
            ("1", distinct(1)),
            ("50", distinct(50)),
            ("200", distinct(200)),
            ("200 times the same", vec![0; 200]),
        ] {
            let mut distinct = numbers.clone();
            distinct.dedup();
            let answering = distinct.len() as f64 * 3.0 / rate;
            let bound = answering.max((round_trip * ROUND_TRIPS).as_secs_f64());
            self.images(&proxy, what, &numbers, bound)?;
        }
        Ok(())
    }

    /// One group of lines of the table: all clients, in turn.
    fn images(&self, proxy: &Delay, what: &str, numbers: &[usize], bound: f64) -> Result<()> {
        let mut clients = vec![
            (Client::Outrigger, "outrigger"),
            (Client::Library, "oci-client, all at once"),
        ];
        if self.skopeo.is_some() {
            clients.push((Client::Skopeo(8), "skopeo, 8 at once"));
            clients.push((Client::Skopeo(1), "skopeo, one by one"));
        }
        let mut costs = vec![Vec::new(); clients.len()];
        for turn in 0..self.runs {
            for ((client, _), costs) in clients.iter().zip(&mut costs) {
                // It takes long, and the result is clear.
                if turn == 0 || !matches!(client, Client::Skopeo(_)) || numbers.len() == 1 {
                    costs.push(self.read(proxy, *client, numbers)?);
                }
            }
        }
        for ((_, name), mut costs) in clients.into_iter().zip(costs) {
            costs.sort_by_key(|cost| cost.time);
            let cost = costs.get(costs.len() / 2).copied().unwrap_or_default();
            let memory = costs.iter().map(|cost| cost.memory).max().unwrap_or(0);
            println!(
                "| {what} | {name} | {:.0} | {} | {} | {:.1} | {:.0} | {:.1} |",
                cost.time.as_secs_f64() * 1e3,
                cost.requests,
                cost.connections,
                memory as f64 * 1024.0 / 1e6,
                bound * 1e3,
                cost.time.as_secs_f64() / bound,
            );
        }
        Ok(())
    }

    fn read(&self, proxy: &Delay, client: Client, numbers: &[usize]) -> Result<Cost> {
        let wanted: Vec<(String, String)> = numbers
            .iter()
            .map(|number| {
                let name = format!("{}/{}:1", proxy.address(), repository(*number));
                (name, format!("/entry amd64 {number}"))
            })
            .collect();
        let references: Vec<String> = wanted.iter().map(|(name, _)| name.clone()).collect();
        let (requests, connections) = (self.answered(), proxy.connections());
        let started = Instant::now();
        let (found, memory) = match client {
            Client::Outrigger => self.ask("registries-outrigger", &references)?,
            Client::Library => self.ask("registries-oci-client", &references)?,
            Client::Skopeo(at_once) => self.skopeo(&references, at_once)?,
        };
        let time = started.elapsed();
        let mut wanted = wanted;
        wanted.sort();
        if found != wanted {
            return Err("a client did not find what the images run".into());
        }
        Ok(Cost {
            time,
            requests: self.answered() - requests,
            connections: proxy.connections() - connections,
            memory,
        })
    }

    /// The registry's log comes a moment after its answers.
    fn answered(&self) -> u64 {
        let mut last = self.registry.answered();
        loop {
            std::thread::sleep(Duration::from_millis(100));
            let now = self.registry.answered();
            if now == last {
                return now;
            }
            last = now;
        }
    }

    fn ask(&self, name: &str, references: &[String]) -> Result<(Vec<(String, String)>, u64)> {
        let (output, memory) = run(
            Command::new(beside(name)?).arg(ca(&self.registry)),
            references,
        )?;
        let mut found: Vec<(String, String)> = output
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(name, program)| (name.to_owned(), program.to_owned()))
            .collect();
        found.sort();
        Ok((found, memory))
    }

    fn skopeo(
        &self,
        references: &[String],
        at_once: usize,
    ) -> Result<(Vec<(String, String)>, u64)> {
        let skopeo = self.skopeo.as_deref().ok_or("skopeo is missing")?;
        let next = std::sync::Mutex::new(references.iter());
        let worker = || {
            let mut found = Vec::new();
            loop {
                let reference = next.lock().map_err(|error| error.to_string())?.next();
                let Some(reference) = reference else {
                    return Ok::<_, String>(found);
                };
                let one = inspect(skopeo, self.registry.folder(), reference);
                found.push(one.map_err(|error| error.to_string())?);
            }
        };
        let mut all = BTreeMap::<String, (String, usize)>::new();
        let mut memory = 0;
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..at_once).map(|_| scope.spawn(worker)).collect();
            for worker in workers {
                let found = worker.join().map_err(|_| "a thread panicked")??;
                for (name, words, peak) in found {
                    all.entry(name).or_insert((words, 0)).1 += 1;
                    memory = memory.max(peak);
                }
            }
            Ok::<(), Box<dyn Error>>(())
        })?;
        let found = all
            .into_iter()
            .flat_map(|(name, (words, times))| std::iter::repeat_n((name, words), times));
        Ok((found.collect(), memory))
    }
}

/// One image with skopeo: its name, what it runs, and the memory that it took.
fn inspect(skopeo: &Path, folder: &Path, reference: &str) -> Result<(String, String, u64)> {
    let mut child = Command::new(skopeo)
        .args(["--override-os", "linux", "--override-arch", "amd64"])
        .args(["inspect", "--config", "--cert-dir"])
        .arg(folder)
        .arg(format!("docker://{reference}"))
        .stdout(Stdio::piped())
        .spawn()?;
    let mut output = child.stdout.take().ok_or("no output")?;
    let config = serde_json::from_reader(&mut output)?;
    let used = child.wait4()?;
    match used.status.success() {
        true => Ok((
            reference.to_owned(),
            program(&config),
            used.rusage.maxrss / 1024,
        )),
        false => Err(format!("skopeo: {}", used.status).into()),
    }
}
