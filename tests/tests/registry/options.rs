//! The options about registries, through the program: each works, and without it the run fails as
//! `docs/registries.md` says.

use std::fs;

use serde_json::json;

use crate::access::foreign;
use crate::images::usual;
use crate::process::{CANARY, on, one, program};
use crate::requests::with_password;
use crate::server::{Reply, ReplyBody, Seen, Server};
use crate::{run, stable};

/// A registry that shows its images to everybody.
async fn open() -> Server {
    let images = usual();
    Server::plain(move |seen: &Seen| images.reply(seen)).await
}

/// A docker configuration with `user:secret` for a host.
fn login(host: &str) -> String {
    json!({"auths": {host: {"username": "user", "password": "secret"}}}).to_string()
}

fn paths(server: &Server) -> Vec<String> {
    server.seen().into_iter().map(|seen| seen.path).collect()
}

/// A host of this machine where nobody listens.
const NOBODY: &str = "127.0.0.1:9";

#[test]
fn a_mirror_is_asked_in_place_of_the_registry() {
    run(async {
        let mirror = open().await;
        let folder = one(&format!("{NOBODY}/shop/api:1"));
        let args = on(&[&mirror], &format!("--insecure-registry {NOBODY}"));
        let without = program(folder.path(), &args, &[]).await;
        insta::assert_snapshot!(without.error(), @"
        error[image-unresolved]: image `127.0.0.1:9/shop/api:1` cannot be read from `127.0.0.1:9`: no connection to `127.0.0.1:9` in 4 attempts: it is refused (registry-unreachable)
        hint: check network and proxy, or try again, or state `EntryPoint`, `Command` and `User` in the template
        ");
        assert_eq!(paths(&mirror), [""; 0]);
        let mirrored = format!("{args} --mirror {NOBODY}={}", mirror.host());
        let with = program(folder.path(), &mirrored, &[]).await;
        assert_eq!(with.code, Some(0), "{}", with.stderr);
        assert_eq!(paths(&mirror)[0], "/v2/shop/api/manifests/1");

        let hub = open().await;
        let mirrored = on(
            &[&hub],
            &format!("--mirror docker.io={}/cache/hub", hub.host()),
        );
        let with = program(one("nginx:1").path(), &mirrored, &[]).await;
        assert_eq!(with.code, Some(0), "{}", with.stderr);
        assert_eq!(paths(&hub)[0], "/v2/cache/hub/library/nginx/manifests/1");
        // The registry's name is what has to be allowed, and what messages name is who was asked.
        let named = format!("{mirrored} --allow-registry");
        let with = program(one("nginx:1").path(), &format!("{named} docker.io"), &[]).await;
        assert_eq!(with.code, Some(0), "{}", with.stderr);
        let other = format!("{named} {}", hub.host());
        let other = program(one("nginx:1").path(), &other, &[]).await;
        assert!(other.error().contains("(registry-not-allowed)"));
        let missing = program(one("nginx:2").path(), &mirrored, &[]).await;
        insta::assert_snapshot!(stable(&missing.error(), &[("mirror", &hub)]), @"
        error[image-unresolved]: image `docker.io/library/nginx:2` cannot be read from `mirror`: the image does not exist: GET http://mirror/v2/cache/hub/library/nginx/manifests/2: 404 (image-not-found)
        hint: check the name and the tag of the image, or state `EntryPoint`, `Command` and `User` in the template
        ");
    });
}

#[test]
fn a_mirror_sees_its_own_credentials_only() {
    run(async {
        let images = usual();
        let mirror = Server::plain(move |seen: &Seen| with_password(&images, seen)).await;
        let mirrored = on(&[&mirror], &format!("--mirror docker.io={}", mirror.host()));
        let folder = one("nginx:1");
        let registrys = login("https://index.docker.io/v1/");
        let variables = [("DOCKER_AUTH_CONFIG", registrys.as_str())];
        let ended = program(folder.path(), &mirrored, &variables).await;
        assert!(ended.error().contains("(credentials-required)"));
        assert_eq!(mirror.authorizations(), [""; 0]);
        let own = login(&mirror.host());
        let variables = [("DOCKER_AUTH_CONFIG", own.as_str())];
        let ended = program(folder.path(), &mirrored, &variables).await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    });
}

#[test]
fn only_the_registries_that_are_named_are_asked() {
    run(async {
        let server = open().await;
        let folder = one(&format!("{}/shop/api:1", server.host()));
        let other = on(&[&server], "--allow-registry ghcr.io");
        let refused = program(folder.path(), &other, &[]).await;
        insta::assert_snapshot!(stable(&refused.error(), &[("registry", &server)]), @"
        error[image-unresolved]: image `registry/shop/api:1` cannot be read from `registry`: the registry is none of those that are allowed (registry-not-allowed)
        hint: whoever runs this can allow the registry `registry`, or state `EntryPoint`, `Command` and `User` in the template
        ");
        assert_eq!(server.connections(), 0);
        let both = format!("{other} --allow-registry {}", server.host());
        let allowed = program(folder.path(), &both, &[]).await;
        assert_eq!(allowed.code, Some(0), "{}", allowed.stderr);
    });
}

#[test]
fn another_token_server_sees_credentials_when_it_is_named() {
    run(async {
        let (registry, tokens) = foreign(false).await;
        let folder = one(&format!("{}/shop/api:1", registry.host()));
        let realm = format!("localhost:{}", tokens.address.port());
        let args = on(&[&registry], &format!("--insecure-registry {realm}"));
        let own = login(&registry.host());
        let variables = [("DOCKER_AUTH_CONFIG", own.as_str())];
        let without = program(folder.path(), &args, &variables).await;
        let names = [("registry", &registry), ("tokens", &tokens)];
        insta::assert_snapshot!(stable(&without.error(), &names), @"
        error[image-unresolved]: image `registry/shop/api:1` cannot be read from `registry`: its token server `localhost:PORT` is another host, gets no credentials, and does not give access without them: GET http://localhost:PORT/token: 401 (realm-not-allowed)
        hint: if that server may have them: `--allow-realm registry=localhost:PORT`, or state `EntryPoint`, `Command` and `User` in the template
        ");
        assert_eq!(tokens.authorizations(), [""; 0]);
        let named = format!("{args} --allow-realm {}={realm}", registry.host());
        let with = program(folder.path(), &named, &variables).await;
        assert_eq!(with.code, Some(0), "{}", with.stderr);
        assert_eq!(tokens.authorizations(), ["Basic dXNlcjpzZWNyZXQ="]);
    });
}

#[test]
fn certificates_of_ones_own_are_trusted_when_they_are_named() {
    run(async {
        let images = usual();
        let server = Server::tls(&["127.0.0.1"], &[b"h2"], move |seen| images.reply(seen)).await;
        let folder = one(&format!("{}/shop/api:1", server.host()));
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        write("ca.pem", server.ca.as_deref().unwrap());
        write("not.pem", CANARY.as_bytes());
        let args = on(&[&server], "");
        let mut told = Vec::new();
        for bundle in ["", "--ca-bundle no-such.pem", "--ca-bundle not.pem"] {
            let ended = program(folder.path(), &format!("{args} {bundle}"), &[]).await;
            let error = stable(&ended.error(), &[("registry", &server)]);
            told.push(format!("with `{bundle}`\n{error}"));
        }
        insta::assert_snapshot!(told.join("\n"), @"
        with ``
        error[image-unresolved]: image `registry/shop/api:1` cannot be read from `registry`: the certificate of `registry` is not trusted: nobody here knows its authority (certificate-not-trusted)
        hint: give the certificate of its authority: `--ca-bundle FILE`, or state `EntryPoint`, `Command` and `User` in the template
        with `--ca-bundle no-such.pem`
        error: cannot read `no-such.pem`: no such file or directory
        error: nothing was written
        with `--ca-bundle not.pem`
        error[image-unresolved]: image `registry/shop/api:1` cannot be read from `registry`: certificates and proxies cannot be set up: the CA file holds no certificate (network-setup)
        hint: check `--ca-bundle`, and the proxies' URLs in `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`, or state `EntryPoint`, `Command` and `User` in the template
        ");
        assert_eq!(server.seen().len(), 0);
        let with = format!("{args} --ca-bundle ca.pem");
        let with = program(folder.path(), &with, &[]).await;
        assert_eq!(with.code, Some(0), "{}", with.stderr);
        assert_eq!(server.seen().len(), 3);
    });
}

#[test]
fn the_time_for_all_lookups_is_limited() {
    run(async {
        let stalled = |_: &Seen| Reply::new(200).body(ReplyBody::Stalled(None));
        let silent = Server::plain(stalled).await;
        let folder = one(&format!("{}/shop/api:1", silent.host()));
        let ended = program(folder.path(), &on(&[&silent], "--timeout 1"), &[]).await;
        insta::assert_snapshot!(stable(&ended.error(), &[("registry", &silent)]), @"
        error[image-unresolved]: image `registry/shop/api:1` cannot be read from `registry`: the time for all images was over at GET http://registry/v2/shop/api/manifests/1 (deadline-exceeded)
        hint: try again, or state `EntryPoint`, `Command` and `User` in the template
        ");
    });
}

/// What is said of values that are wrong usage.
async fn misused(values: &[String]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut told = Vec::new();
    for value in values {
        let inspect = format!("image inspect a {value}");
        let ended = program(folder.path(), &inspect, &[]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
        let value = value.replace(CANARY, "PASSWORD");
        told.push(format!("{value}\n  {}", ended.stderr.trim_end()));
    }
    told.join("\n")
}

#[test]
fn values_that_are_not_understood_are_wrong_usage() {
    run(async {
        let values = [
            "--mirror docker.io",
            "--mirror docker.io=",
            "--mirror docker.io=mirror.example/",
            "--mirror docker.io=https://mirror.example",
            "--allow-registry ghcr.io/acme",
            "--allow-realm ghcr.io",
            "--allow-realm ghcr.io=https://ghcr.io/token",
            "--insecure-registry localhost:99999",
            "--timeout 0",
            "--timeout 1m",
        ];
        insta::assert_snapshot!(misused(&values.map(str::to_owned)).await, @"
        --mirror docker.io
          error: the value of `--mirror <REGISTRY=HOST[/PREFIX]>` is not valid: not of the form REGISTRY=HOST or REGISTRY=HOST/PREFIX
        --mirror docker.io=
          error: the value of `--mirror <REGISTRY=HOST[/PREFIX]>` is not valid: the host of the registry is missing
        --mirror docker.io=mirror.example/
          error: the value of `--mirror <REGISTRY=HOST[/PREFIX]>` is not valid: the repository name is missing
        --mirror docker.io=https://mirror.example
          error: the value of `--mirror <REGISTRY=HOST[/PREFIX]>` is not valid: a host does not begin with a scheme such as `https://`
        --allow-registry ghcr.io/acme
          error: the value of `--allow-registry <HOST>` is not valid: the host `ghcr.io/acme` has the character `/`
        --allow-realm ghcr.io
          error: the value of `--allow-realm <REGISTRY=HOST>` is not valid: not of the form REGISTRY=HOST
        --allow-realm ghcr.io=https://ghcr.io/token
          error: the value of `--allow-realm <REGISTRY=HOST>` is not valid: a host does not begin with a scheme such as `https://`
        --insecure-registry localhost:99999
          error: the value of `--insecure-registry <HOST>` is not valid: the port `99999` of the host `localhost` is not a number from 1 to 65535
        --timeout 0
          error: the value of `--timeout <SECONDS>` is not valid: a time is a whole number of seconds, at least 1
        --timeout 1m
          error: the value of `--timeout <SECONDS>` is not valid: a time is a whole number of seconds, at least 1
        ");
    });
}

#[test]
fn a_password_in_a_value_is_not_repeated() {
    run(async {
        let pair = format!("user:{CANARY}@host.example");
        let values = [
            format!("--mirror docker.io={pair}"),
            format!("--mirror docker.io={pair}/cache"),
            format!("--mirror docker.io=https://{pair}"),
            format!("--allow-registry https://{pair}"),
            format!("--allow-realm ghcr.io={pair}"),
            format!("--insecure-registry {pair}"),
        ];
        insta::assert_snapshot!(misused(&values).await, @"
        --mirror docker.io=user:PASSWORD@host.example
          error: the value of `--mirror <REGISTRY=HOST[/PREFIX]>` is not valid: a host holds no user name and no password
        --mirror docker.io=user:PASSWORD@host.example/cache
          error: the value of `--mirror <REGISTRY=HOST[/PREFIX]>` is not valid: a host holds no user name and no password
        --mirror docker.io=https://user:PASSWORD@host.example
          error: the value of `--mirror <REGISTRY=HOST[/PREFIX]>` is not valid: a host holds no user name and no password
        --allow-registry https://user:PASSWORD@host.example
          error: the value of `--allow-registry <HOST>` is not valid: a host holds no user name and no password
        --allow-realm ghcr.io=user:PASSWORD@host.example
          error: the value of `--allow-realm <REGISTRY=HOST>` is not valid: a host holds no user name and no password
        --insecure-registry user:PASSWORD@host.example
          error: the value of `--insecure-registry <HOST>` is not valid: a host holds no user name and no password
        ");
    });
}
