//! How many bytes of an answer are read, and what becomes of a larger one.

use std::collections::BTreeSet;
use std::time::Duration;

use hyper::body::Bytes;
use registry::remote::{Registries, Settings, StaticCredentials};
use taskdef::image::{ImageRequest, Platform};

use crate::hostile::{but, case, table};
use crate::images::{INDEX, Images, usual};
use crate::server::{Reply, ReplyBody, Seen, Server};
use crate::{LONG, query, resolve, settings, shown, stable};

/// Of the config that [`usual`] has for `linux/amd64`.
const CONFIG_BYTES: u64 = 105;
/// More than a body may have that does not wait for other large ones (`transport.rs`).
const LARGE: usize = 2 << 20;

/// An answer that announces so many bytes, and sends none.
fn announces(bytes: &str) -> impl Fn(Reply) -> Reply + Send + Sync + use<> {
    let bytes = bytes.to_owned();
    move |_| {
        let reply = Reply::new(200).header("content-length", &bytes);
        reply.body(ReplyBody::Stalled(None))
    }
}

#[test]
fn what_is_announced_to_be_wrong_is_not_waited_for() {
    let (root, config) = ("/manifests/1", "/blobs/");
    let table = crate::run(table(
        vec![
            ("an index of 5 MiB", but(root, announces("5242880"))),
            ("a config of more bytes", but(config, announces("106"))),
            ("a config of fewer bytes", but(config, announces("104"))),
            ("a config of 9 MiB", but(config, announces("9437184"))),
        ],
        |settings| settings.request_timeout = LONG,
    ));
    insta::assert_snapshot!(table, @"
    an index of 5 MiB (1 requests): answer-too-large: image `HOST/app:1` cannot be read from `HOST`: the answer has more than 4194304 bytes: GET http://HOST/v2/app/manifests/1: 200
    a config of more bytes (3 requests): size-mismatch: image `HOST/app:1` cannot be read from `HOST`: the config has 106 bytes where 105 are announced: GET http://HOST/v2/app/blobs/sha256:5bd855: 200
    a config of fewer bytes (3 requests): size-mismatch: image `HOST/app:1` cannot be read from `HOST`: the config has 104 bytes where 105 are announced: GET http://HOST/v2/app/blobs/sha256:5bd855: 200
    a config of 9 MiB (3 requests): size-mismatch: image `HOST/app:1` cannot be read from `HOST`: the config has 9437184 bytes where 105 are announced: GET http://HOST/v2/app/blobs/sha256:5bd855: 200
    ");
}

/// The usual images; each answer says how long it is, or none does.
fn registry(announced: bool) -> impl Fn(&Seen) -> Reply + Send + Sync {
    let images = usual();
    move |seen| {
        let reply = images.reply(seen);
        if announced {
            return reply;
        }
        // What is held is sent without its length; what it is held for is dropped here.
        reply.held().0
    }
}

#[test]
fn an_answer_may_have_as_many_bytes_as_the_limit() {
    let index = usual().bytes_of("1").len() as u64;
    crate::run(async {
        for announced in [true, false] {
            let mut found = Vec::new();
            for (manifest, config) in [
                (index, CONFIG_BYTES),
                (index - 1, CONFIG_BYTES),
                (index, CONFIG_BYTES - 1),
            ] {
                let server = Server::plain(registry(announced)).await;
                let mut settings = settings(&[&server]);
                settings.limits.manifest = manifest;
                settings.limits.config = config;
                let reference = format!("{}/app:1", server.host());
                let session = Registries::new(settings, StaticCredentials::none()).session(LONG);
                let resolution = resolve(&session, query(&reference, Platform::LinuxAmd64)).await;
                let requests = server.seen().len();
                let text = stable(&shown(&resolution), &[("HOST", &server)]);
                found.push(format!("({requests} requests) {text}"));
            }
            insta::allow_duplicates! {
                insta::assert_snapshot!(found.join("\n"), @"
                (3 requests) [] [server] user `` in `/srv` for linux/amd64
                (1 requests) answer-too-large: image `HOST/app:1` cannot be read from `HOST`: the answer has more than 711 bytes: GET http://HOST/v2/app/manifests/1: 200
                (2 requests) answer-too-large: image `HOST/app:1` cannot be read from `HOST`: the answer has more than 104 bytes: GET http://HOST/v2/app/blobs/sha256:5bd855
                ");
            }
        }
    });
}

/// Indexes, each of its own and of this many bytes.
fn large(count: usize) -> Images {
    let mut images = Images::default();
    for number in 0..count {
        let index = usual();
        let mut bytes = index.bytes_of("1").to_vec();
        bytes.resize(LARGE - number, b' ');
        let descriptor = images.add(INDEX, &bytes);
        images.tag(&format!("v{number}"), &descriptor);
    }
    images
}

/// Limits that the tests of large answers do not meet.
fn patient(server: &Server) -> Settings {
    Settings {
        request_timeout: LONG,
        attempts: 1,
        ..settings(&[server])
    }
}

/// The images `v0` and up.
fn requests(server: &Server, count: usize) -> BTreeSet<ImageRequest> {
    let requests = (0..count).map(|number| {
        let reference = format!("{}/app:v{number}", server.host());
        query(&reference, Platform::LinuxAmd64)
    });
    requests.collect()
}

#[test]
fn large_answers_are_all_read() {
    crate::run(async {
        let (roots, images) = (large(8), usual());
        let server = Server::plain(move |seen| match seen.path.contains("/manifests/v") {
            true => roots.reply(seen),
            false => images.reply(seen),
        })
        .await;
        let registries = Registries::new(patient(&server), StaticCredentials::none());
        let session = registries.session(LONG);
        let resolved = session.resolve(requests(&server, 8)).await;
        let texts: BTreeSet<String> = resolved.values().map(shown).collect();
        let server = String::from("[] [server] user `` in `/srv` for linux/amd64");
        assert_eq!((resolved.len(), texts), (8, BTreeSet::from([server])));
    });
}

#[test]
fn of_large_answers_that_do_not_end_four_are_in_memory() {
    crate::run(async {
        let images = usual();
        let server = Server::plain(move |seen| match seen.path.contains("/manifests/v") {
            true => {
                let body = Bytes::from(vec![b' '; LARGE]);
                Reply::new(200).body(ReplyBody::Stalled(Some(body)))
            }
            false => images.reply(seen),
        })
        .await;
        let registries = Registries::new(patient(&server), StaticCredentials::none());
        let session = registries.session(LONG);
        // The first request to a host is alone.
        let reference = format!("{}/app:1", server.host());
        let first = resolve(&session, query(&reference, Platform::LinuxAmd64)).await;
        assert!(first.outcome.is_ok(), "{}", shown(&first));
        let before = registries.counts().bytes;
        // Four whole answers; of each other one what shows that it is large, and at most a buffer more.
        let least = 4 * LARGE as u64 + 4 * (256 << 10);
        let most = least + 4 * (1 << 20);
        let read = async {
            while registries.counts().bytes - before < least {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            // Whoever reads on does it now.
            tokio::time::sleep(Duration::from_millis(200)).await;
            registries.counts().bytes - before
        };
        tokio::select! {
            bytes = read => assert!((least..most).contains(&bytes), "{bytes}"),
            _ = session.resolve(requests(&server, 8)) => panic!("no answer ends"),
        }
    });
}

#[test]
fn a_refusal_is_read_so_that_its_connection_is_used_again() {
    crate::run(async {
        let images = usual();
        let (_, reply) = case("", move |seen: &Seen| match seen.earlier {
            0 => Reply::new(503).body(ReplyBody::Whole(Some(Bytes::from(vec![b' '; 60_000])))),
            _ => images.reply(seen),
        });
        let server = Server::plain(reply).await;
        let reference = format!("{}/app:1", server.host());
        let found = crate::resolved(settings(&[&server]), &reference).await;
        assert!(found.outcome.is_ok(), "{}", shown(&found));
        assert_eq!((server.seen().len(), server.connections()), (6, 2));
    });
}

#[test]
fn a_refusal_without_end_is_left() {
    let endless = |status| case("", move |_| Reply::new(status).body(ReplyBody::Endless));
    let table = crate::run(table(
        vec![("400", endless(400)), ("503", endless(503))],
        |settings| settings.request_timeout = LONG,
    ));
    insta::assert_snapshot!(table, @"
    400 (1 requests): unexpected-answer: image `HOST/app:1` cannot be read from `HOST`: an unexpected answer: GET http://HOST/v2/app/manifests/1: 400
    503 (4 requests): registry-failed: image `HOST/app:1` cannot be read from `HOST`: the registry fails in 4 attempts: GET http://HOST/v2/app/manifests/1: 503
      hint: try again
    ");
}
