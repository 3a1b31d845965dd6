//! The program itself, against registries of this process: what it reads, locks and shows.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::images::{Images, config_of, platform, usual};
use crate::process::{CANARY, Ended, folder, on, one, program};
use crate::server::{Reply, Seen, Server};
use crate::{run, stable};

/// An image whose tag `1` can move.
async fn moving() -> (Server, Arc<AtomicBool>) {
    let moved = Arc::new(AtomicBool::new(false));
    let mut after = Images::default();
    let image = after.image(&config_of("amd64", "other-server"));
    after.tag("1", &image);
    let (before, flag) = (usual(), Arc::clone(&moved));
    let server = Server::plain(move |seen| match flag.load(Ordering::Relaxed) {
        false => before.reply(seen),
        true => after.reply(seen),
    });
    (server.await, moved)
}

#[test]
fn a_run_reads_what_the_lock_file_does_not_know() {
    run(async {
        let (server, _) = moving().await;
        let folder = one(&format!("{}/shop/api:1", server.host()));
        let ended = program(folder.path(), &on(&[&server], ""), &[]).await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stdout.contains("\"server\""), "{}", ended.stdout);
        assert!(!ended.stderr.contains("mutable-tag"), "{}", ended.stderr);
        assert_eq!(server.seen().len(), 3);
        let offline = on(&[&server], "--offline");
        let offline = program(folder.path(), &offline, &[]).await;
        assert_eq!((offline.code, server.seen().len()), (Some(1), 3));
    });
}

#[test]
fn a_lock_file_is_written_used_compared_and_outdated() {
    run(async {
        let (server, moved) = moving().await;
        let folder = one(&format!("{}/shop/api:1", server.host()));
        let path = folder.path();
        let shown = |ended: &Ended| stable(&ended.stderr, &[("registry", &server)]);
        let missing = program(path, &on(&[&server], "lock --check"), &[]).await;
        assert_eq!(missing.code, Some(3), "{}", missing.stderr);
        assert!(!path.join("outrigger.lock").exists());
        let read = program(path, &on(&[&server], ""), &[]).await;
        let lock = program(path, &on(&[&server], "lock"), &[]).await;
        assert_eq!(lock.code, Some(0), "{}", lock.stderr);
        insta::assert_snapshot!(shown(&lock), @r"
        registry/shop/api:1 for linux/amd64: new, sha256:537230
        outrigger.lock: 1 new, 0 changed, 0 unchanged
        ");
        let asked = server.seen().len();
        let locked = program(path, &on(&[], "--locked"), &[]).await;
        assert_eq!((locked.code, &locked.stdout), (Some(0), &read.stdout));
        assert!(locked.stderr.contains("mutable-tag"), "{}", locked.stderr);
        assert_eq!(server.seen().len(), asked);
        let checked = program(path, &on(&[&server], ""), &[]).await;
        assert_eq!((checked.code, &checked.stdout), (Some(0), &read.stdout));
        assert!(
            !checked.stderr.contains("mutable-tag"),
            "{}",
            checked.stderr
        );
        let last = server.seen().pop().unwrap();
        assert_eq!(
            (server.seen().len(), last.method.as_str()),
            (asked + 1, "HEAD")
        );
        let same = program(path, &on(&[&server], "lock --check"), &[]).await;
        assert_eq!(same.code, Some(0), "{}", same.stderr);

        moved.store(true, Ordering::Relaxed);
        let outdated = program(path, &on(&[&server], "--on-unresolved skip"), &[]).await;
        assert_eq!((outdated.code, outdated.stdout.as_str()), (Some(1), ""));
        insta::assert_snapshot!(shown(&outdated), @"
        error: image `registry/shop/api:1` has moved to `sha256:73699c` since the lock file was written, which records `sha256:537230` (lock-outdated)
          hint: look at what changed in the image, then update the lock file: `cfn-filter lock` with the same options
        error: nothing was written
        ");
        let check = program(path, &on(&[&server], "lock --check"), &[]).await;
        assert_eq!(check.code, Some(3));
        insta::assert_snapshot!(shown(&check), @r"
        registry/shop/api:1 for linux/amd64: moved from sha256:537230 to sha256:73699c
        outrigger.lock: 0 new, 1 changed, 0 unchanged (nothing was written)
        ");
        let update = program(path, &on(&[&server], "lock --quiet"), &[]).await;
        assert_eq!((update.code, update.stderr.as_str()), (Some(0), ""));
        let again = program(path, &on(&[&server], ""), &[]).await;
        assert!(again.stdout.contains("other-server"), "{}", again.stdout);
    });
}

#[test]
fn a_tag_that_cannot_be_checked_stops_the_run() {
    run(async {
        let (server, _) = moving().await;
        let folder = one(&format!("{}/shop/api:1", server.host()));
        let lock = program(folder.path(), &on(&[&server], "lock"), &[]).await;
        assert_eq!(lock.code, Some(0), "{}", lock.stderr);
        let forbidden = on(&[&server], "--allow-registry docker.io");
        let ended = program(folder.path(), &forbidden, &[]).await;
        assert_eq!(ended.code, Some(1));
        insta::assert_snapshot!(stable(&ended.stderr, &[("registry", &server)]), @"
        error: the lock file's answer for a tag cannot be checked: image `registry/shop/api:1` cannot be read from `registry`: the registry is none of those that are allowed (registry-not-allowed)
          hint: `--offline` takes the lock file as it is; else whoever runs this can allow the registry `registry`
        error: nothing was written
        ");
    });
}

/// What is tried: its name, the image, and the environment.
type Tried<'a> = (&'a str, String, &'a [(&'a str, &'a str)]);

#[test]
fn messages_name_image_registry_what_was_tried_and_the_way_out() {
    run(async {
        let images = usual();
        let open = Server::plain(move |seen: &Seen| images.reply(seen)).await;
        let private = Server::plain(|_: &Seen| {
            Reply::new(401).header("www-authenticate", "Basic realm=\"shop\"")
        })
        .await;
        let down = "127.0.0.1:9";
        let auth = format!(
            r#"{{"auths": {{"{}": {{"username": "shop", "password": "{CANARY}"}}}}}}"#,
            private.host()
        );
        let auth = [("DOCKER_AUTH_CONFIG", auth.as_str())];
        let servers = [("open", &open), ("private", &private)];
        let mut messages = String::new();
        let image = |host: &str, tag: &str| format!("{host}/shop/api:{tag}");
        let (private_host, open_host) = (private.host(), open.host());
        let tried: [Tried<'_>; 4] = [
            ("a wrong password", image(&private_host, "1"), &auth),
            ("a missing image", image(&open_host, "2"), &[]),
            ("no credentials", image(&private_host, "1"), &[]),
            ("a registry that is down", image(down, "1"), &[]),
        ];
        for (what, image, variables) in tried {
            let args = on(&[&open, &private], &format!("--insecure-registry {down}"));
            let ended = program(one(&image).path(), &args, variables).await;
            assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{what}");
            messages.push_str(&format!("{what}\n{}\n", stable(&ended.stderr, &servers)));
        }
        insta::assert_snapshot!(messages, @"
        a wrong password
        Api: refused (t.json:3)
          error[image-unresolved]: image `private/shop/api:1` cannot be read from `private`: the credentials from `DOCKER_AUTH_CONFIG` are refused, they are wrong or have expired: GET http://private/v2/shop/api/manifests/1: 401 (credentials-refused)
            container `app`, image `private/shop/api:1`
            hint: check what `DOCKER_AUTH_CONFIG` holds for `private`, or state `EntryPoint`, `Command` and `User` in the template

        error: nothing was written: 1 of 1 task definition refused

        a missing image
        Api: refused (t.json:3)
          error[image-unresolved]: image `open/shop/api:2` cannot be read from `open`: the image does not exist: GET http://open/v2/shop/api/manifests/2: 404 (image-not-found)
            container `app`, image `open/shop/api:2`
            hint: check the name and the tag of the image, or state `EntryPoint`, `Command` and `User` in the template

        error: nothing was written: 1 of 1 task definition refused

        no credentials
        Api: refused (t.json:3)
          error[image-unresolved]: image `private/shop/api:1` cannot be read from `private`: the image does not exist, or is private and no credentials were found: GET http://private/v2/shop/api/manifests/1: 401 (credentials-required)
            container `app`, image `private/shop/api:1`
            hint: check the name, or give credentials for `private`, or state `EntryPoint`, `Command` and `User` in the template

        error: nothing was written: 1 of 1 task definition refused

        a registry that is down
        Api: refused (t.json:3)
          error[image-unresolved]: image `127.0.0.1:9/shop/api:1` cannot be read from `127.0.0.1:9`: no connection to `127.0.0.1:9` in 4 attempts: it is refused (registry-unreachable)
            container `app`, image `127.0.0.1:9/shop/api:1`
            hint: check network and proxy, or try again, or state `EntryPoint`, `Command` and `User` in the template

        error: nothing was written: 1 of 1 task definition refused
        ");
    });
}

#[test]
fn a_platform_that_is_not_known_is_asked_for() {
    run(async {
        let mut images = usual();
        let amd64 = images.image(&config_of("amd64", "server"));
        let arm64 = images.image(&config_of("arm64", "server-for-arm"));
        let differ = images.index(vec![
            (amd64, platform("linux", "amd64")),
            (arm64, platform("linux", "arm64")),
        ]);
        images.tag("differ", &differ);
        let open = Server::plain(move |seen: &Seen| images.reply(seen)).await;
        let args = on(&[&open], "--launch-types any");
        let folder = one(&format!("{}/shop/api:differ", open.host()));
        let file = folder.path().join("t.json");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("FARGATE", "EC2")).unwrap();
        let ended = program(folder.path(), &args, &[]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
        insta::assert_snapshot!(stable(&ended.stderr, &[("open", &open)]), @"
        Api: refused (t.json:3)
          error[image-unresolved]: image `open/shop/api:differ` cannot be read from `open`: the image has a different entry point, command or user on `linux/amd64`, `linux/arm64`, and the task definition does not say where it runs (unknown-platform)
            container `app`, image `open/shop/api:differ`
            hint: state `RuntimePlatform` in the template, or state `EntryPoint`, `Command` and `User` in the template

        error: nothing was written: 1 of 1 task definition refused
        ");
    });
}

#[test]
fn each_container_is_read_with_its_own_secret() {
    run(async {
        let images = usual();
        let server = Server::plain(move |seen: &Seen| match &seen.authorization {
            Some(login) if seen.path.contains("/one/") && login == ONE => images.reply(seen),
            Some(login) if seen.path.contains("/two/") && login == TWO => images.reply(seen),
            _ => Reply::new(401).header("www-authenticate", "Basic realm=\"shop\""),
        })
        .await;
        let secrets = Server::plain(|seen: &Seen| {
            let asked: Value = serde_json::from_str(&seen.body).unwrap();
            let user = asked["SecretId"]
                .as_str()
                .unwrap()
                .rsplit(':')
                .next()
                .unwrap();
            let login = json!({"username": user, "password": CANARY}).to_string();
            let answer = json!({"SecretString": login}).to_string();
            Reply::ok("application/x-amz-json-1.1", answer)
        })
        .await;
        let arn =
            |name: &str| format!("arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}");
        let container = |name: &str| {
            json!({
                "Name": name,
                "Image": format!("{}/{name}/api:1", server.host()),
                "RepositoryCredentials": {"CredentialsParameter": arn(name)},
            })
        };
        let folder = folder(&json!([container("one"), container("two")]));
        let endpoint = format!("http://{}", secrets.host());
        let variables = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", CANARY),
        ];
        let ended = program(folder.path(), &on(&[&server], ""), &variables).await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(secrets.seen().len(), 2);
        let lock = program(folder.path(), &on(&[&server], "lock"), &variables).await;
        assert_eq!(lock.code, Some(0), "{}", lock.stderr);
        let inspect = format!(
            "image inspect {}/one/api:1 --secret {} --insecure-registry {}",
            server.host(),
            arn("one"),
            server.host()
        );
        let inspect = program(folder.path(), &inspect, &variables).await;
        assert_eq!(inspect.code, Some(0), "{}", inspect.stderr);
        let wrong = program(folder.path(), &on(&[&server], ""), &[]).await;
        assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(1), ""));
    });
}

/// `one:canary-hunter2` and `two:canary-hunter2`.
const ONE: &str = "Basic b25lOmNhbmFyeS1odW50ZXIy";
const TWO: &str = "Basic dHdvOmNhbmFyeS1odW50ZXIy";

#[test]
fn an_image_is_inspected_with_every_step() {
    run(async {
        let (server, _) = moving().await;
        let folder = tempfile::tempdir().unwrap();
        let host = server.host();
        let inspect =
            |rest: &str| format!("image inspect {host}/shop/api:{rest} --insecure-registry {host}");
        let shown = |text: &str| stable(text, &[("registry", &server)]);
        let found = program(folder.path(), &inspect("1 --platform linux/arm64"), &[]).await;
        assert_eq!((found.code, found.stderr.as_str()), (Some(0), ""));
        insta::assert_snapshot!(shown(&found.stdout), @"
        registry/shop/api:1 for linux/arm64
          digest       sha256:537230
          config of    linux/arm64
          entry point  (none)
          command      server
          user         (none)
          directory    /srv
          variables    PATH

        how it was read
          GET https://registry/v2/shop/api/manifests/1 (anonymous): no answer, registry-without-tls
          GET http://registry/v2/shop/api/manifests/1 (anonymous): 200, 712 bytes
          index sha256:537230, 712 bytes
          GET http://registry/v2/shop/api/manifests/sha256:ba45f3 (anonymous): 200, 248 bytes
          manifest sha256:ba45f3, 248 bytes
          GET http://registry/v2/shop/api/blobs/sha256:06ef58 (anonymous): 200, 105 bytes
          config sha256:06ef58, 105 bytes

        1 image read in 7 steps
        ");
        let missing = program(folder.path(), &inspect("2"), &[]).await;
        assert_eq!(missing.code, Some(1));
        insta::assert_snapshot!(shown(&missing.stdout), @"
        registry/shop/api:2 for linux/amd64

        how it was read
          GET https://registry/v2/shop/api/manifests/2 (anonymous): no answer, registry-without-tls
          GET http://registry/v2/shop/api/manifests/2 (anonymous): 404, 0 bytes

        no image read, after 2 steps
        ");
        insta::assert_snapshot!(shown(&missing.stderr), @r"
        error: image `registry/shop/api:2` cannot be read from `registry`: the image does not exist: GET http://registry/v2/shop/api/manifests/2: 404 (image-not-found)
          hint: check the name and the tag of the image
        ");
    });
}
