//! A process that answers one invocation after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use outrigger_tests::cloudformation::Deployment;
use serde_json::json;

use crate::hosts::Hosts;
use crate::images::{Images, config_of, usual};
use crate::server::Server;
use crate::service::{deployment, lacework, listed, program_of, service, task};
use crate::subject::Subject;

/// What a server was asked after so many requests.
fn asked(server: &Server, after: usize) -> Vec<String> {
    let seen = server.seen().into_iter().skip(after);
    seen.map(|seen| {
        let kind = match seen.path.contains("sha256:") {
            true if seen.path.contains("/blobs/") => "blob",
            true => "manifest by digest",
            false => "manifest by tag",
        };
        format!("{} {kind}", seen.method)
    })
    .collect()
}

#[test]
fn what_has_a_digest_is_read_once_and_a_tag_is_compared_again() {
    let hosts = Hosts::new();
    let mut before = usual();
    let pinned = before.image(&config_of("amd64", "pinned-server"));
    let mut after = Images::default();
    let image = after.image(&config_of("amd64", "other-server"));
    after.tag("1", &image);
    let moved = Arc::new(AtomicBool::new(false));
    let is_moved = Arc::clone(&moved);
    let server = hosts.plain(move |seen| match is_moved.load(Ordering::SeqCst) {
        false => before.reply(seen),
        true => after.reply(seen),
    });
    let host = server.host();
    let subject = Subject::start(&lacework(&[("OUTRIGGER_INSECURE_REGISTRIES", &host)]));
    let processed = |image: &str| {
        let image = format!("{host}/shop/api{image}");
        let template = task(json!([
            {"Name": "api", "Image": image}, {"Name": "worker", "Image": image, "Command": ["work"]},
        ]));
        let already = server.seen().len();
        let processed = subject.process(&template, &Deployment::default()).unwrap();
        let programs = [0, 1].map(|index| program_of(&processed, index));
        (programs, asked(&server, already).join(", "))
    };
    let by_digest = format!("@{}", pinned["digest"].as_str().unwrap());
    let runs = |program: &str| [json!([program]), json!(["work"])];
    let in_full = "GET manifest by tag, GET manifest by digest, GET blob";
    assert_eq!(processed(":1"), (runs("server"), in_full.to_owned()));
    assert_eq!(
        processed(":1"),
        (runs("server"), "HEAD manifest by tag".to_owned())
    );
    let read = "GET manifest by digest, GET blob";
    assert_eq!(
        processed(&by_digest),
        (runs("pinned-server"), read.to_owned())
    );
    assert_eq!(
        processed(&by_digest),
        (runs("pinned-server"), String::new())
    );
    moved.store(true, Ordering::SeqCst);
    let again = "HEAD manifest by tag, GET manifest by tag, GET blob";
    assert_eq!(processed(":1"), (runs("other-server"), again.to_owned()));
    assert_eq!(
        processed(":1"),
        (runs("other-server"), "HEAD manifest by tag".to_owned())
    );
}

/// How much the memory of a process may grow from its 20th to its 100th invocation, in KiB.
const GROWTH_MAX: u64 = 1024;

#[test]
fn memory_stays_as_it_is_over_a_hundred_invocations() {
    let hosts = Hosts::new();
    let images = usual();
    let server = hosts.plain(move |seen| images.reply(seen));
    let host = server.host();
    let subject = Subject::start(&lacework(&[("OUTRIGGER_INSECURE_REGISTRIES", &host)]));
    let mut template = listed(service(), json!("Outrigger"));
    // As much as is allowed: one copy that is kept each time would show.
    template["Metadata"] = json!({"Text": "x".repeat(45_000)});
    let containers = "/Resources/Task/Properties/ContainerDefinitions";
    for container in template
        .pointer_mut(containers)
        .unwrap()
        .as_array_mut()
        .unwrap()
    {
        container["Image"] = json!(format!("{host}/shop/api:1"));
    }
    let (mut memory, mut files) = (Vec::new(), Vec::new());
    for number in 0..100 {
        // Every third one is refused.
        let name = if number % 3 == 2 { "none" } else { "api" };
        let image = json!(format!(
            "{host}/shop/{name}:{}",
            if name == "api" { "1" } else { "2" }
        ));
        template.pointer_mut(containers).unwrap()[1]["Image"] = image;
        let processed = subject.process(&template, &deployment());
        assert_eq!(processed.is_ok(), name == "api", "{processed:?}");
        let (Some(resident), Some(open)) = (subject.resident(), subject.open_files()) else {
            println!("note: this system does not tell what a process holds: not tested");
            return;
        };
        memory.push(resident);
        files.push(open.len());
    }
    let (early, late) = (memory[19], memory[99]);
    println!(
        "{} KiB after 1 invocation, {early} after 20, {late} after 100",
        memory[0]
    );
    assert!(late <= early + GROWTH_MAX, "{memory:?}");
    // Connections: as many as two requests at once need.
    assert!(files[99] <= files[19] + 4, "{files:?}");
}
