//! A registry of whose answers three in ten are none: each image is found as it is, or reported.
//!
//! `OUTRIGGER_LOAD_IMAGES` says how many images there are.

use std::collections::{BTreeMap, BTreeSet};

use registry::remote::{Limits, Registries, Resolution, Settings, StaticCredentials};
use ring::digest::{SHA256, digest};
use taskdef::image::{ImageRequest, Platform};

use crate::images::Images;
use crate::requests::many;
use crate::server::{Reply, ReplyBody, Seen, Server};
use crate::{LONG, query, settings};

/// Of a hundred answers.
const FAILING: u8 = 30;
/// Whatever else is said is wrong: these are what happened.
const REASONS: [&str; 7] = [
    "answer-broken-off",
    "digest-mismatch",
    "manifest-invalid",
    "rate-limited",
    "registry-failed",
    "registry-unreachable",
    "size-mismatch",
];

fn images() -> usize {
    let asked = std::env::var("OUTRIGGER_LOAD_IMAGES").ok();
    asked.map_or(200, |text| text.parse().unwrap())
}

/// Bytes that follow from a seed and a request: each repetition of a request has its own.
fn dice(seed: u8, seen: &Seen) -> [u8; 2] {
    let text = format!("{seed} {} {} {}", seen.method, seen.path, seen.earlier);
    let hash = digest(&SHA256, text.as_bytes());
    [hash.as_ref()[0], hash.as_ref()[1]]
}

/// The answer of a registry, or none in one of the ways in which there can be none.
fn reply(images: &Images, seed: u8, seen: &Seen) -> Reply {
    let [whether, how] = dice(seed, seen);
    let whole = images.reply(seen);
    if u16::from(whether) * 100 >= u16::from(FAILING) * 256 {
        return whole;
    }
    match how % 6 {
        0 => Reply::new(429).header("retry-after", "0"),
        1 => Reply::new(500),
        2 => Reply::new(503),
        // The connection, or with HTTP/2 the stream, is reset before the first byte of the body.
        3 => whole.body(ReplyBody::Broken(None)),
        4 => broken_off(images, seen),
        _ => cut_short(images, seen),
    }
}

/// Half of a body; then nothing comes any more.
fn broken_off(images: &Images, seen: &Seen) -> Reply {
    let half = half(images, seen);
    images
        .reply(seen)
        .body(ReplyBody::Broken(Some(half.into())))
}

/// Half of a body, as if that were all.
fn cut_short(images: &Images, seen: &Seen) -> Reply {
    let half = half(images, seen);
    images.reply(seen).body(ReplyBody::Whole(Some(half.into())))
}

fn half(images: &Images, seen: &Seen) -> Vec<u8> {
    let name = seen.path.rsplit('/').next().unwrap();
    let bytes = images.bytes_of(name);
    bytes[..bytes.len() / 2].to_vec()
}

/// Images that were found, and how many were not, by reason.
type Outcome = (usize, BTreeMap<&'static str, usize>);

fn judged(answers: BTreeMap<ImageRequest, Resolution>, count: usize) -> Outcome {
    assert_eq!(answers.len(), count);
    let (mut found, mut reported) = (0, BTreeMap::new());
    for (request, answer) in answers {
        let number = request.reference.rsplit('v').next().unwrap();
        match answer.outcome {
            Ok(image) => {
                assert_eq!(image.config.cmd, [format!("server-{number}")]);
                assert_eq!(image.config.entrypoint, [""; 0]);
                assert_eq!(image.config.working_dir, "/srv");
                found += 1;
            }
            Err(error) => {
                assert!(REASONS.contains(&error.code()), "{}: {error}", error.code());
                *reported.entry(error.code()).or_default() += 1;
            }
        }
    }
    assert_eq!(found + reported.values().sum::<usize>(), count);
    (found, reported)
}

/// Three runs, of which each may keep what an earlier one read.
async fn runs(server: &Server, settings: Settings, what: &str) {
    let count = images();
    let settings = Settings {
        limits: Limits {
            kept: 16 << 20,
            ..Limits::default()
        },
        ..settings
    };
    let registries = Registries::new(settings, StaticCredentials::none());
    for run in 1..=3 {
        let requests: BTreeSet<_> = (0..count)
            .map(|number| format!("{}/team/app-{number}:v{number}", server.host()))
            .map(|reference| query(&reference, Platform::LinuxAmd64))
            .collect();
        let (found, reported) = judged(registries.session(LONG).resolve(requests).await, count);
        println!("{what}, run {run}: {found} of {count} found, reported {reported:?}");
        // A client that gave up at once would find a third.
        assert!(found * 2 > count, "{found} of {count}");
    }
    let requests = registries.counts().requests;
    println!(
        "{what}: {requests} requests, {} connections",
        server.connections()
    );
}

#[test]
fn over_http_1() {
    crate::run(async {
        let images = many(images());
        let server = Server::plain(move |seen| reply(&images, 1, seen)).await;
        runs(&server, settings(&[&server]), "HTTP/1.1").await;
    });
}

#[test]
fn over_http_2_with_tls() {
    crate::run(async {
        let images = many(images());
        let protocols: [&[u8]; 2] = [b"h2", b"http/1.1"];
        let server = Server::tls(&["127.0.0.1"], &protocols, move |seen| {
            reply(&images, 2, seen)
        })
        .await;
        runs(&server, settings(&[&server]), "HTTP/2").await;
    });
}
