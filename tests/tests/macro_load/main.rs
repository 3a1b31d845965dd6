//! The macro under load: many invocations of one process back to back, and of several at once.
//!
//! `OUTRIGGER_LOAD_INVOCATIONS` says how many each test makes. It is a test executable of its own,
//! so that no other test waits for the processor meanwhile.

#![cfg(test)]

#[path = "../macro_end_to_end/hosts.rs"]
#[expect(dead_code, reason = "the macro's other tests use the rest")]
mod hosts;
#[path = "../registry/images.rs"]
#[expect(dead_code, reason = "the tests of registries use the rest")]
mod images;
#[path = "../macro_end_to_end/service.rs"]
#[expect(dead_code, reason = "the macro's other tests use the rest")]
mod service;
#[path = "../macro_end_to_end/subject.rs"]
#[expect(dead_code, reason = "the macro's other tests use the rest")]
mod subject;

use outrigger_tests::servers::scripted as server;
use std::thread;
use std::time::{Duration, Instant};

use outrigger_tests::cloudformation::Deployment;
use serde_json::{Value, json};

use crate::hosts::Hosts;
use crate::images::{Images, config_of};
use crate::server::{Reply, ReplyBody, Server};
use crate::service::{lacework, program_of, task};
use crate::subject::Subject;

/// How much the memory of a process may grow from its first invocations to its last, in KiB. One
/// that kept a hundred bytes of each would not be seen, one that kept its template would.
const GROWTH_MAX: u64 = 2048;
/// How many more files and sockets may be open: a connection that two requests at once need.
const FILES_MAX: usize = 8;
const PROCESSES: usize = 8;
/// Images in a template.
const IMAGES: usize = 4;
/// Images of the registry: more than are kept from one invocation to the next need not be.
const ALL_IMAGES: usize = 40;
const TIME: Duration = Duration::from_secs(60);

fn invocations() -> usize {
    let asked = std::env::var("OUTRIGGER_LOAD_INVOCATIONS").ok();
    asked.map_or(400, |text| text.parse().unwrap())
}

/// A registry with an image for each of some tags; it breaks every fiftieth answer off.
fn registry(hosts: &Hosts) -> Server {
    let mut images = Images::default();
    for number in 0..ALL_IMAGES {
        let image = images.image(&config_of("amd64", &format!("server-{number}")));
        images.tag(&format!("v{number}"), &image);
    }
    let asked = std::sync::atomic::AtomicUsize::new(1);
    hosts.plain(move |seen| {
        let number = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        match number % 50 {
            0 => Reply::new(200).body(ReplyBody::Broken(None)),
            _ => images.reply(seen),
        }
    })
}

fn template(host: &str, number: usize) -> Value {
    let containers = (0..IMAGES).map(|index| {
        let tag = (number + index * 7) % ALL_IMAGES;
        json!({"Name": format!("app{index}"), "Image": format!("{host}/shop/app:v{tag}")})
    });
    task(containers.collect())
}

/// One invocation: most often of a template that is processed, now and then of something else.
fn invoke(subject: &Subject, host: &str, number: usize) {
    match number % 10 {
        3 => {
            let mut refused = template(host, number);
            let containers =
                &mut refused["Resources"]["Task"]["Properties"]["ContainerDefinitions"];
            containers[0]["Image"] = json!(format!("{host}/shop/none:1"));
            let processed = subject.process(&refused, &Deployment::default());
            assert!(processed.is_err(), "{processed:?}");
        }
        7 => {
            let (response, _) = subject.event(b"{\"requestId\": \"r\", \"fragment\": ", "", TIME);
            assert_eq!(response["status"], "failure");
        }
        _ => {
            let processed = subject.process(&template(host, number), &Deployment::default());
            let processed = processed.unwrap();
            for index in 0..IMAGES {
                let tag = (number + index * 7) % ALL_IMAGES;
                let program = json!([format!("server-{tag}")]);
                assert_eq!(program_of(&processed, index), program);
            }
        }
    }
}

/// Memory in KiB, and open files.
struct Held {
    memory: u64,
    files: Vec<String>,
}

impl Held {
    fn by(subject: &Subject) -> Option<Self> {
        let (Some(memory), Some(mut files)) = (subject.resident(), subject.open_files()) else {
            println!("note: this system does not tell what a process holds: not tested");
            return None;
        };
        files.sort();
        Some(Self { memory, files })
    }

    fn grew_little(&self, late: &Held, grew: u64) {
        assert!(
            late.memory <= self.memory + grew,
            "{} KiB have become {}",
            self.memory,
            late.memory
        );
        assert!(
            late.files.len() <= self.files.len() + FILES_MAX,
            "{:?} have become {:?}",
            self.files,
            late.files
        );
    }
}

#[test]
fn a_process_holds_no_more_after_many_invocations() {
    let hosts = Hosts::new();
    let server = registry(&hosts);
    let host = server.host();
    let subject = Subject::start(&lacework(&[("OUTRIGGER_INSECURE_REGISTRIES", &host)]));
    let (started, count) = (Instant::now(), invocations());
    let warm = (count / 10).max(50);
    (0..warm).for_each(|number| invoke(&subject, &host, number));
    let Some(early) = Held::by(&subject) else {
        return;
    };
    (warm..count).for_each(|number| invoke(&subject, &host, number));
    let Some(late) = Held::by(&subject) else {
        return;
    };
    println!(
        "{count} invocations in {:.1} s: {} KiB and {} files after {warm}, {} KiB and {} files at the end",
        started.elapsed().as_secs_f64(),
        early.memory,
        early.files.len(),
        late.memory,
        late.files.len()
    );
    early.grew_little(&late, GROWTH_MAX);
}

#[test]
fn processes_side_by_side_answer_each_its_own() {
    let hosts = Hosts::new();
    let server = registry(&hosts);
    let host = server.host();
    let subjects: Vec<Subject> = (0..PROCESSES)
        .map(|_| Subject::start(&lacework(&[("OUTRIGGER_INSECURE_REGISTRIES", &host)])))
        .collect();
    let (started, count) = (Instant::now(), invocations() / PROCESSES);
    let warm = (count / 4).max(20);
    let grown: Vec<_> = thread::scope(|scope| {
        let host = &host;
        let threads: Vec<_> = subjects
            .into_iter()
            .enumerate()
            .map(|(process, subject)| {
                scope.spawn(move || {
                    let first = process * 1_000;
                    (0..warm).for_each(|number| invoke(&subject, host, first + number));
                    let early = Held::by(&subject)?;
                    (warm..count).for_each(|number| invoke(&subject, host, first + number));
                    Some((early, Held::by(&subject)?))
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let took = started.elapsed().as_secs_f64();
    println!("{PROCESSES} processes, {count} invocations each, in {took:.1} s");
    for (early, late) in grown.into_iter().flatten() {
        println!(
            "{} KiB and {} files after {warm}, {} KiB and {} files at the end",
            early.memory,
            early.files.len(),
            late.memory,
            late.files.len()
        );
        early.grew_little(&late, GROWTH_MAX);
    }
}
