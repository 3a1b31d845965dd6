//! What one session leaves to the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use registry::remote::{Limits, Registries, Settings, StaticCredentials};
use taskdef::image::{Credentials, ImageRequest, Platform};

use crate::images::{Images, config_of, usual};
use crate::server::{Reply, Server};
use crate::{LONG, query, resolve, run, settings, shown};

fn keeping(server: &Server) -> Settings {
    Settings {
        limits: Limits {
            kept: 1 << 20,
            ..Limits::default()
        },
        ..settings(&[server])
    }
}

/// The requests of a session that resolves this.
async fn asked(
    server: &Server,
    registries: &Registries<StaticCredentials>,
    request: &ImageRequest,
) -> (String, Vec<String>) {
    let before = server.seen().len();
    let resolution = resolve(&registries.session(LONG), request.clone()).await;
    let seen = server.seen();
    let seen = seen.iter().skip(before);
    let requests = seen.map(|seen| {
        let path = seen.path.rsplit('/').next().unwrap_or_default();
        format!(
            "{} {}",
            seen.method,
            path.split(':').next().unwrap_or_default()
        )
    });
    (shown(&resolution), requests.collect())
}

#[test]
fn a_tag_is_checked_again_and_a_digest_is_not() {
    run(async {
        let mut later = Images::default();
        let image = later.image(&config_of("amd64", "other-server"));
        later.tag("1", &image);
        let moved = Arc::new(AtomicBool::new(false));
        let (earlier, flag) = (usual(), Arc::clone(&moved));
        let server = Server::plain(move |seen| match flag.load(Ordering::Relaxed) {
            false => earlier.reply(seen),
            true => later.reply(seen),
        })
        .await;
        let registries = Registries::new(keeping(&server), StaticCredentials::none());
        let by_tag = query(&format!("{}/app:1", server.host()), Platform::LinuxAmd64);
        let (first, requests) = asked(&server, &registries, &by_tag).await;
        assert_eq!(requests.len(), 3, "{requests:?}");
        let (second, requests) = asked(&server, &registries, &by_tag).await;
        assert_eq!(
            (second, requests),
            (first.clone(), vec!["HEAD 1".to_owned()])
        );

        let digest = resolve(&registries.session(LONG), by_tag.clone()).await;
        let digest = digest.outcome.unwrap().config.digest.unwrap();
        let pinned = query(
            &format!("{}/app@{digest}", server.host()),
            Platform::LinuxAmd64,
        );
        let (third, requests) = asked(&server, &registries, &pinned).await;
        assert_eq!((third, requests), (first.clone(), vec![]));

        // What one container's secret opened is not for another one.
        let private = ImageRequest {
            credentials: Credentials::Secret("other".to_owned()),
            ..pinned
        };
        let (refused, _) = asked(&server, &registries, &private).await;
        assert!(refused.starts_with("credentials-unavailable"), "{refused}");

        moved.store(true, Ordering::Relaxed);
        let (after, requests) = asked(&server, &registries, &by_tag).await;
        assert!(after.contains("other-server"), "{after}");
        assert_eq!(requests.len(), 3, "{requests:?}");
        assert_eq!(requests[..2], ["HEAD 1", "GET 1"]);
    });
}

#[test]
fn a_registry_without_head_is_asked_in_full() {
    run(async {
        let images = usual();
        let server = Server::plain(move |seen| match seen.method.as_str() {
            "HEAD" => Reply::new(405),
            _ => images.reply(seen),
        })
        .await;
        let registries = Registries::new(keeping(&server), StaticCredentials::none());
        let by_tag = query(&format!("{}/app:1", server.host()), Platform::LinuxAmd64);
        let (first, _) = asked(&server, &registries, &by_tag).await;
        let (second, requests) = asked(&server, &registries, &by_tag).await;
        assert_eq!(second, first);
        assert_eq!(requests, ["HEAD 1", "GET 1"]);
    });
}

#[test]
fn nothing_is_kept_unless_it_is_wanted_and_no_more_than_that() {
    run(async {
        let images = usual();
        let server = Server::plain(move |seen| images.reply(seen)).await;
        let by_tag = query(&format!("{}/app:1", server.host()), Platform::LinuxAmd64);
        for kept in [0, 16] {
            let mut settings = keeping(&server);
            settings.limits.kept = kept;
            let registries = Registries::new(settings, StaticCredentials::none());
            for _ in 0..2 {
                let (_, requests) = asked(&server, &registries, &by_tag).await;
                assert_eq!(requests.len(), 3, "{kept}: {requests:?}");
            }
        }
    });
}

/// Requests of a second session for an image with this command, after `others` were read.
async fn asked_again(kept: u64, command: &[&str], others: usize) -> usize {
    let mut images = Images::default();
    let config = |cmd: &[&str]| {
        serde_json::json!({
            "os": "linux", "architecture": "amd64", "config": {"Cmd": cmd},
        })
    };
    let image = images.image(&config(command));
    images.tag("1", &image);
    for number in 0..others {
        let image = images.image(&config(&[&number.to_string()]));
        images.tag(&format!("other-{number}"), &image);
    }
    let server = Server::plain(move |seen| images.reply(seen)).await;
    let mut settings = keeping(&server);
    settings.limits.kept = kept;
    let registries = Registries::new(settings, StaticCredentials::none());
    let tagged = |tag: &str| {
        query(
            &format!("{}/app:{tag}", server.host()),
            Platform::LinuxAmd64,
        )
    };
    asked(&server, &registries, &tagged("1")).await;
    for number in 0..others {
        asked(&server, &registries, &tagged(&format!("other-{number}"))).await;
    }
    let (_, requests) = asked(&server, &registries, &tagged("1")).await;
    requests.len()
}

#[test]
fn what_is_kept_is_weighed_as_it_is_in_memory() {
    run(async {
        let blank = vec![""; 2_000];
        assert_eq!(asked_again(1 << 20, &["app"], 0).await, 1);
        // A few kilobytes as text, and many as a list.
        assert_eq!(asked_again(1 << 20, &blank, 0).await, 2);
    });
}

#[test]
fn full_shelves_are_emptied() {
    run(async {
        assert_eq!(asked_again(64 << 10, &["app"], 10).await, 1);
        assert_eq!(asked_again(64 << 10, &["app"], 30).await, 2);
    });
}
