//! How many requests and connections it takes.

use std::collections::BTreeSet;
use std::sync::Mutex;

use registry::remote::{Credential, Registries, Secret, StaticCredentials};
use registry::{LockFile, Locked};
use serde_json::Value;
use taskdef::image::Platform;

use crate::images::{Images, config_of, platform, usual};
use crate::server::{Reply, Seen, Server};
use crate::{LONG, query, resolve, resolved, settings, shown, stable};

#[test]
fn three_requests_for_an_anonymous_image_behind_an_index() {
    crate::run(async {
        let images = usual();
        let server = Server::plain(move |seen| images.reply(seen)).await;
        let registries = Registries::new(settings(&[&server]), StaticCredentials::none());
        let session = registries.session(LONG);
        let reference = format!("{}/team/app:1", server.host());
        let found = resolve(&session, query(&reference, Platform::LinuxAmd64)).await;
        assert_eq!(
            shown(&found),
            "[] [server] user `` in `/srv` for linux/amd64"
        );
        assert_eq!(found.outcome.unwrap().env, ["PATH"]);
        assert_eq!(registries.counts().requests, 3);
        assert_eq!(server.seen().len(), 3);
        let steps: Vec<String> = found.steps.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(stable(&steps.join("\n"), &[("HOST", &server)]), @"
    GET https://HOST/v2/team/app/manifests/1 (anonymous): no answer, registry-without-tls
    GET http://HOST/v2/team/app/manifests/1 (anonymous): 200, 712 bytes
    index sha256:537230, 712 bytes
    GET http://HOST/v2/team/app/manifests/sha256:84c36c (anonymous): 200, 248 bytes
    manifest sha256:84c36c, 248 bytes
    GET http://HOST/v2/team/app/blobs/sha256:5bd855 (anonymous): 200, 105 bytes
    config sha256:5bd855, 105 bytes
    ");
    });
}

#[test]
fn one_image_of_many_containers_is_read_once() {
    crate::run(async {
        let images = usual();
        let server = Server::plain(move |seen| images.reply(seen)).await;
        let registries = Registries::new(settings(&[&server]), StaticCredentials::none());
        let session = std::sync::Arc::new(registries.session(LONG));
        let reference = format!("{}/team/app:1", server.host());
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let session = std::sync::Arc::clone(&session);
            let query = query(&reference, Platform::LinuxAmd64);
            tasks.spawn(async move { resolve(&session, query).await });
        }
        let answers = tasks.join_all().await;
        assert_eq!(answers.len(), 200);
        assert!(
            answers
                .iter()
                .all(|answer| answer == &answers[0] && answer.outcome.is_ok())
        );
        assert_eq!(server.seen().len(), 3);
        // The other platform shares the index, a platform that is not known the rest.
        for platform in [Platform::LinuxArm64, Platform::AnyLinux] {
            assert!(
                resolve(&session, query(&reference, platform))
                    .await
                    .outcome
                    .is_ok()
            );
        }
        assert_eq!(server.seen().len(), 5);
    });
}

/// An image of its own for each tag.
pub(crate) fn many(count: usize) -> Images {
    let mut images = Images::default();
    for number in 0..count {
        let image = images.image(&config_of("amd64", &format!("server-{number}")));
        let index = images.index(vec![(image, platform("linux", "amd64"))]);
        images.tag(&format!("v{number}"), &index);
    }
    images
}

async fn resolve_many(server: &Server, count: usize) -> u64 {
    let registries = Registries::new(settings(&[server]), StaticCredentials::none());
    let queries: BTreeSet<_> = (0..count)
        .map(|number| format!("{}/team/app-{number}:v{number}", server.host()))
        .map(|reference| query(&reference, Platform::LinuxAmd64))
        .collect();
    let answers = registries.session(LONG).resolve(queries).await;
    assert_eq!(answers.len(), count);
    for (query, answer) in answers {
        let number = query.reference.rsplit('v').next().unwrap();
        let found = answer.outcome.unwrap();
        assert_eq!(found.config.cmd, [format!("server-{number}")]);
    }
    registries.counts().requests
}

#[test]
fn many_images_share_one_connection_of_http_2() {
    crate::run(async {
        let images = many(100);
        let protocols: [&[u8]; 2] = [b"h2", b"http/1.1"];
        let server = Server::tls(&["127.0.0.1"], &protocols, move |seen| images.reply(seen)).await;
        assert_eq!(resolve_many(&server, 100).await, 300);
        assert_eq!(server.connections(), 1);
    });
}

#[test]
fn many_images_take_a_bounded_number_of_connections_of_http_1() {
    crate::run(async {
        let images = many(100);
        let server = Server::plain(move |seen| images.reply(seen)).await;
        assert_eq!(resolve_many(&server, 100).await, 300);
        // One that asks for TLS before it is known that there is none.
        assert!(server.connections() <= 33, "{}", server.connections());
    });
}

/// Asks for `user:secret` with Basic.
pub(crate) fn with_password(images: &Images, seen: &Seen) -> Reply {
    if seen.authorization.as_deref() == Some("Basic dXNlcjpzZWNyZXQ=") {
        return images.reply(seen);
    }
    Reply::new(401).header("www-authenticate", "Basic realm=\"registry\"")
}

#[test]
fn a_password_takes_one_request_more_unless_it_is_shown_at_once() {
    crate::run(async {
        for (preemptive, expected) in [(false, 4), (true, 3)] {
            let images = usual();
            let server = Server::plain(move |seen| with_password(&images, seen)).await;
            let mut credential = Credential::password("user", Secret::new("secret"));
            if preemptive {
                credential = credential.preemptive();
            }
            let host = server.host().parse().unwrap();
            let source = StaticCredentials::none().with(&host, credential);
            let registries = Registries::new(settings(&[&server]), source);
            let session = registries.session(LONG);
            let reference = format!("{}/team/app:1", server.host());
            let found = resolve(&session, query(&reference, Platform::LinuxAmd64)).await;
            assert!(found.outcome.is_ok(), "{}", shown(&found));
            assert_eq!(server.seen().len(), expected);
            // The next repository is asked in the way that was learnt.
            let reference = format!("{}/team/other:1", server.host());
            let found = resolve(&session, query(&reference, Platform::LinuxAmd64)).await;
            assert!(found.outcome.is_ok(), "{}", shown(&found));
            assert_eq!(server.seen().len(), expected + 3);
        }
    });
}

/// Asks for a token of a server of its own; `scopes` are those that open.
pub(crate) fn with_token(images: &Images, host: &str, seen: &Seen) -> Reply {
    if seen.path == "/token" {
        let token: Value = serde_json::json!({"token": format!("t-{}", seen.earlier)});
        return Reply::ok("application/json", token.to_string());
    }
    match &seen.authorization {
        Some(token) if token.starts_with("Bearer t-") => images.reply(seen),
        _ => Reply::new(401).header(
            "www-authenticate",
            &format!("Bearer realm=\"http://{host}/token\",service=\"it's mine\",scope=\"x\""),
        ),
    }
}

#[test]
fn a_token_takes_two_requests_more() {
    crate::run(async {
        let images = usual();
        let server = Server::plain_at(|address| {
            move |seen: &Seen| with_token(&images, &address.to_string(), seen)
        })
        .await;
        let reference = format!("{}/team/app:1", server.host());
        let found = resolved(settings(&[&server]), &reference).await;
        assert!(found.outcome.is_ok(), "{}", shown(&found));
        let steps: Vec<String> = found.steps.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(stable(&steps.join("\n"), &[("HOST", &server)]), @"
    GET https://HOST/v2/team/app/manifests/1 (anonymous): no answer, registry-without-tls
    GET http://HOST/v2/team/app/manifests/1 (anonymous): 401, 0 bytes
    GET http://HOST/token (anonymous): 200, 15 bytes
    GET http://HOST/v2/team/app/manifests/1 (token): 200, 712 bytes
    index sha256:537230, 712 bytes
    GET http://HOST/v2/team/app/manifests/sha256:84c36c (token): 200, 248 bytes
    manifest sha256:84c36c, 248 bytes
    GET http://HOST/v2/team/app/blobs/sha256:5bd855 (token): 200, 105 bytes
    config sha256:5bd855, 105 bytes
    ");
        let query = &server.seen()[1].query;
        assert_eq!(
            query,
            "scope=repository%3Ateam%2Fapp%3Apull&service=it%27s+mine"
        );
    });
}

#[test]
fn many_repositories_are_refused_once_and_ask_for_their_tokens_at_once() {
    crate::run(async {
        const COUNT: usize = 20;
        let images = many(COUNT);
        let held = Mutex::new(Vec::new());
        let server = Server::plain_at(|address| {
            move |seen: &Seen| {
                let reply = with_token(&images, &address.to_string(), seen);
                if seen.path != "/token" {
                    return reply;
                }
                let (reply, hold) = reply.held();
                let mut held = held.lock().unwrap();
                held.push(hold);
                // None comes before all are asked for.
                if held.len() == COUNT {
                    held.clear();
                }
                reply
            }
        })
        .await;
        let requests = resolve_many(&server, COUNT).await;
        assert_eq!(requests, 1 + 20 + 3 * 20);
    });
}

#[test]
fn the_digest_of_a_tag_takes_one_head() {
    crate::run(async {
        let images = usual();
        let server = Server::plain(move |seen| match seen.path.ends_with("/silent") {
            true if seen.method == "HEAD" => Reply::new(200),
            true => images.reply(&Seen {
                path: "/v2/app/manifests/1".to_owned(),
                ..Seen::default()
            }),
            false => images.reply(seen),
        })
        .await;
        let registries = Registries::new(settings(&[&server]), StaticCredentials::none());
        let session = registries.session(LONG);
        let named = |tag: &str| query(&format!("{}/app:{tag}", server.host()), Platform::AnyLinux);
        let digests = session.digests(BTreeSet::from([named("1")])).await;
        assert_eq!(server.seen().len(), 1);
        assert_eq!(server.seen()[0].method, "HEAD");
        let expected = digests[&named("1")].clone().unwrap();
        let digests = session
            .digests(BTreeSet::from([named("silent"), named("2")]))
            .await;
        assert_eq!(digests[&named("silent")], Ok(expected));
        assert_eq!(
            digests[&named("2")].clone().unwrap_err().code(),
            "image-not-found"
        );
    });
}

#[test]
fn every_image_that_is_asked_about_is_counted_once() {
    crate::run(async {
        let images = usual();
        let digest = crate::images::sha256(images.bytes_of("1"));
        let server = Server::plain(move |seen| images.reply(seen)).await;
        let named = |image: &str, platform| query(&format!("{}/{image}", server.host()), platform);
        let locked = serde_json::json!({"digest": digest, "cmd": ["server"]});
        let locked = serde_json::json!({"version": 1, "images": {
            format!("{}/app:1", server.host()): {"linux/amd64": locked, "linux/arm64": locked},
        }});
        let locked = LockFile::parse("outrigger.lock", &locked.to_string()).unwrap();
        // One tag to check, for two platforms, and two images to read, of which one is missing.
        let division = Locked::new(locked).divide(&BTreeSet::from([
            named("app:1", Platform::LinuxAmd64),
            named("app:1", Platform::LinuxArm64),
            named("other:1", Platform::LinuxAmd64),
            named("other:2", Platform::LinuxAmd64),
        ]));
        let questions = division.questions();
        let registries = Registries::new(settings(&[&server]), StaticCredentials::none());
        let completed = division.complete(&registries.session(LONG)).await;
        assert_eq!(completed.errors, []);
        let answered = completed.answers.values().filter(|answer| answer.is_ok());
        assert_eq!(answered.count(), 3);
        assert_eq!((questions, registries.counts().images), (3, 3));
    });
}
