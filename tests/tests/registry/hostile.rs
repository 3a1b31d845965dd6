//! Everything that a registry can do wrong.

use std::time::Duration;

use registry::remote::{Registries, Settings, StaticCredentials};
use serde_json::json;
use taskdef::image::Platform;

use crate::images::{Images, config_of, usual};
use crate::requests::with_password;
use crate::server::{Reply, ReplyBody, Seen, Server};
use crate::{LONG, query, resolve, resolved, settings, shown, stable};

pub(crate) type Case = (&'static str, Box<dyn Fn(&Seen) -> Reply + Send + Sync>);

pub(crate) fn case(
    name: &'static str,
    reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
) -> Case {
    (name, Box::new(reply))
}

/// A good registry, but for what `wrong` says of manifests or of blobs.
pub(crate) fn but(
    kind: &'static str,
    wrong: impl Fn(Reply) -> Reply + Send + Sync + 'static,
) -> Case {
    let images = usual();
    case(kind, move |seen| match seen.path.contains(kind) {
        true => wrong(images.reply(seen)),
        false => images.reply(seen),
    })
}

pub(crate) async fn table(cases: Vec<(&str, Case)>, change: impl Fn(&mut Settings)) -> String {
    let mut lines = Vec::new();
    for (name, (_, reply)) in cases {
        let server = Server::plain(reply).await;
        let mut settings = settings(&[&server]);
        change(&mut settings);
        let found = resolved(settings, &format!("{}/app:1", server.host())).await;
        let text = stable(&shown(&found), &[("HOST", &server)]);
        lines.push(format!("{name} ({} requests): {text}", server.seen().len()));
    }
    lines.join("\n")
}

#[test]
fn slow_and_broken_answers() {
    let part = || Some(hyper::body::Bytes::from_static(b"{\"schema"));
    let stalled = move |_: Reply| Reply::new(200).body(ReplyBody::Stalled(part()));
    let broken = move |_: Reply| Reply::new(200).body(ReplyBody::Broken(part()));
    let table = crate::run(table(
        vec![
            ("manifest, stalled", but("/manifests/1", stalled)),
            ("config, stalled", but("/blobs/", stalled)),
            ("manifest, broken", but("/manifests/1", broken)),
            ("config, broken", but("/blobs/", broken)),
        ],
        |settings| {
            settings.request_timeout = Duration::from_millis(150);
            settings.attempts = 2;
        },
    ));
    insta::assert_snapshot!(table, @"
    manifest, stalled (2 requests): registry-timeout: image `HOST/app:1` cannot be read from `HOST`: no whole answer within 1 s in 2 attempts: GET http://HOST/v2/app/manifests/1
      hint: try again
    config, stalled (4 requests): registry-timeout: image `HOST/app:1` cannot be read from `HOST`: no whole answer within 1 s in 2 attempts: GET http://HOST/v2/app/blobs/sha256:5bd855
      hint: try again
    manifest, broken (2 requests): answer-broken-off: image `HOST/app:1` cannot be read from `HOST`: the answer breaks off in 2 attempts: GET http://HOST/v2/app/manifests/1
      hint: try again
    config, broken (4 requests): answer-broken-off: image `HOST/app:1` cannot be read from `HOST`: the answer breaks off in 2 attempts: GET http://HOST/v2/app/blobs/sha256:5bd855
      hint: try again
    ");
}

#[test]
fn the_time_for_all_ends() {
    crate::run(async {
        let server = Server::plain(|_| Reply::new(200).body(ReplyBody::Stalled(None))).await;
        let registries = Registries::new(settings(&[&server]), StaticCredentials::none());
        let session = registries.session(Duration::from_millis(200));
        let reference = format!("{}/app:1", server.host());
        let found = resolve(&session, query(&reference, Platform::LinuxAmd64)).await;
        insta::assert_snapshot!(stable(&shown(&found), &[("HOST", &server)]), @"
    deadline-exceeded: image `HOST/app:1` cannot be read from `HOST`: the time for all images was over at GET http://HOST/v2/app/manifests/1
      hint: try again
    ");
    });
}

#[test]
fn failures_that_pass_are_waited_for() {
    let sometimes = |wrong: fn() -> Reply| {
        let images = usual();
        case("", move |seen: &Seen| match seen.earlier {
            0 | 1 => wrong(),
            _ => images.reply(seen),
        })
    };
    let table = crate::run(table(
        vec![
            ("503, then success", sometimes(|| Reply::new(503))),
            (
                "429, then success",
                sometimes(|| Reply::new(429).header("retry-after", "0")),
            ),
            (
                "429 without a time, then success",
                sometimes(|| Reply::new(429)),
            ),
            (
                "broken off, then success",
                sometimes(|| Reply::new(200).body(ReplyBody::Broken(None))),
            ),
            ("always 500", case("", |_| Reply::new(500))),
            ("always 429", case("", |_| Reply::new(429))),
            (
                "429 for an hour",
                case("", |_| Reply::new(429).header("retry-after", "3600")),
            ),
            ("501", case("", |_| Reply::new(501))),
        ],
        |_| {},
    ));
    insta::assert_snapshot!(table, @"
    503, then success (9 requests): [] [server] user `` in `/srv` for linux/amd64
    429, then success (9 requests): [] [server] user `` in `/srv` for linux/amd64
    429 without a time, then success (9 requests): [] [server] user `` in `/srv` for linux/amd64
    broken off, then success (9 requests): [] [server] user `` in `/srv` for linux/amd64
    always 500 (4 requests): registry-failed: image `HOST/app:1` cannot be read from `HOST`: the registry fails in 4 attempts: GET http://HOST/v2/app/manifests/1: 500
      hint: try again
    always 429 (4 requests): rate-limited: image `HOST/app:1` cannot be read from `HOST`: too many requests: GET http://HOST/v2/app/manifests/1: 429
      hint: credentials for `HOST` or a mirror raise the limit
    429 for an hour (1 requests): rate-limited: image `HOST/app:1` cannot be read from `HOST`: too many requests: GET http://HOST/v2/app/manifests/1: 429, try again in 3600 s
      hint: credentials for `HOST` or a mirror raise the limit
    501 (1 requests): unexpected-answer: image `HOST/app:1` cannot be read from `HOST`: an unexpected answer: GET http://HOST/v2/app/manifests/1: 501
    ");
}

pub(crate) fn redirect(location: &str) -> Reply {
    Reply::new(307).header("location", location)
}

#[test]
fn redirects_that_are_not_followed() {
    let to = |location: &'static str| but("/blobs/", move |_| redirect(location));
    let table = crate::run(table(
        vec![
            ("a loop", case("", |seen| redirect(&seen.path))),
            ("nowhere", but("/blobs/", |_| Reply::new(302))),
            ("no URL", to("http://")),
            ("a file", to("file:///etc/passwd")),
            (
                "link-local",
                to("http://169.254.169.254/latest/meta-data/?secret=1"),
            ),
            ("link-local, disguised", to("http://[::ffff:a9fe:a9fe]/")),
            ("loopback, disguised", to("http://2130706433:1/")),
            ("loopback, by name", to("http://localhost:1/x?y#z")),
            (
                "with a password",
                to("http://user:hunter2@127.0.0.1:1/x?token=hunter2"),
            ),
        ],
        |_| {},
    ));
    assert!(!table.contains("hunter2"), "{table}");
    insta::assert_snapshot!(table, @"
    a loop (6 requests): too-many-redirects: image `HOST/app:1` cannot be read from `HOST`: more than 5 redirects: GET http://HOST/v2/app/manifests/1
    nowhere (3 requests): redirect-not-allowed: image `HOST/app:1` cannot be read from `HOST`: a redirect to nowhere is not followed: GET http://HOST/v2/app/blobs/sha256:5bd855: 302
    no URL (3 requests): redirect-not-allowed: image `HOST/app:1` cannot be read from `HOST`: a redirect to nowhere is not followed: GET http://HOST/v2/app/blobs/sha256:5bd855: 307
    a file (3 requests): redirect-not-allowed: image `HOST/app:1` cannot be read from `HOST`: a redirect to nowhere is not followed: GET http://HOST/v2/app/blobs/sha256:5bd855: 307
    link-local (3 requests): address-not-allowed: image `HOST/app:1` cannot be read from `HOST`: `169.254.169.254` is a link-local address, which is not contacted
    link-local, disguised (3 requests): address-not-allowed: image `HOST/app:1` cannot be read from `HOST`: `[::ffff:a9fe:a9fe]` is a link-local address, which is not contacted
    loopback, disguised (3 requests): address-not-allowed: image `HOST/app:1` cannot be read from `HOST`: `127.0.0.1:1` is a loopback address, which is not contacted
      hint: for a registry on this machine: `--insecure-registry HOST`
    loopback, by name (3 requests): address-not-allowed: image `HOST/app:1` cannot be read from `HOST`: `localhost:1` is a loopback address, which is not contacted
    with a password (3 requests): address-not-allowed: image `HOST/app:1` cannot be read from `HOST`: `127.0.0.1:1` is a loopback address, which is not contacted
      hint: for a registry on this machine: `--insecure-registry HOST`
    ");
}

#[test]
fn a_redirect_does_not_leave_tls() {
    crate::run(async {
        let images = usual();
        let server = Server::tls(&["registry.test"], &[b"h2"], move |seen| {
            match seen.path.contains("/blobs/") {
                true => redirect("http://registry.test/x"),
                false => images.reply(seen),
            }
        })
        .await;
        let mut settings = settings(&[&server]);
        let reference = crate::network::as_if_elsewhere(&mut settings, &server);
        let found = resolved(settings, &reference).await;
        insta::assert_snapshot!(stable(&shown(&found), &[("HOST", &server)]), @"redirect-not-allowed: image `registry.test:PORT/app:1` cannot be read from `registry.test:PORT`: a redirect from https to http is not followed: GET https://registry.test:PORT/v2/app/blobs/sha256:5bd855: 307");
    });
}

/// A registry with a password that keeps configs on another host, which answers so.
pub(crate) async fn with_storage(
    storage: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
) -> [Server; 2] {
    let storage = Server::plain(storage).await;
    let (images, to) = (usual(), storage.host());
    let registry = Server::plain(move |seen| match with_password(&images, seen) {
        _ if seen.authorization.is_some() && seen.path.contains("/blobs/") => {
            redirect(&format!("http://{to}{}?signature=s3cret", seen.path))
        }
        reply => reply,
    });
    [registry.await, storage]
}

#[test]
fn a_redirect_to_another_host_takes_no_credentials_along() {
    crate::run(async {
        for foreign_status in [200, 401] {
            let images = usual();
            let [registry, storage] = with_storage(move |seen| match foreign_status {
                200 => images.reply(seen),
                _ => Reply::new(401).header("www-authenticate", "Basic"),
            })
            .await;
            let credential = registry::remote::Credential::password(
                "user",
                registry::remote::Secret::new("secret"),
            );
            let host = registry.host().parse().unwrap();
            let source = StaticCredentials::none().with(&host, credential);
            let session = Registries::new(settings(&[&registry, &storage]), source).session(LONG);
            let reference = format!("{}/app:1", registry.host());
            let found = resolve(&session, query(&reference, Platform::LinuxAmd64)).await;
            assert_eq!(storage.authorizations(), [""; 0]);
            let names = [("HOST", &registry), ("STORAGE", &storage)];
            let text = stable(&shown(&found), &names);
            let steps: Vec<String> = found.steps.iter().map(ToString::to_string).collect();
            assert!(!text.contains("s3cret") && !steps.concat().contains("s3cret"));
            match foreign_status {
                200 => assert!(found.outcome.is_ok(), "{text}"),
                _ => {
                    insta::assert_snapshot!(text, @"foreign-challenge: image `HOST/app:1` cannot be read from `HOST`: it redirects to `STORAGE`, which asks for credentials of its own: GET http://STORAGE/v2/app/blobs/sha256:5bd855: 401")
                }
            }
        }
    });
}

#[test]
fn a_registry_that_lists_one_image_for_ever_is_left() {
    let lists = |size: fn(u32) -> u32| {
        let mut images = Images::default();
        let image = images.image(&config_of("arm64", "x"));
        let entries = (0..200).map(|number| {
            let mut entry = image.clone();
            entry["size"] = json!(size(number));
            (entry, serde_json::Value::Null)
        });
        let same = images.index(entries.collect());
        images.tag("1", &same);
        case("", move |seen| images.reply(seen))
    };
    let table = crate::run(table(
        vec![
            ("one digest, many sizes", lists(|number| number)),
            ("one digest, one size", lists(|_| 248)),
        ],
        |_| {},
    ));
    insta::assert_snapshot!(table, @"
    one digest, many sizes (1 requests): too-many-platforms: image `HOST/app:1` cannot be read from `HOST`: the index holds more than 128 images to look at
    one digest, one size (1 requests): too-many-platforms: image `HOST/app:1` cannot be read from `HOST`: the index holds more than 128 images to look at
    ");
}
