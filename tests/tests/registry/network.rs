//! Hosts: those that are not contacted, those that are not there, and whom to trust.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use registry::remote::{Registries, Secret, Settings, StaticCredentials};
use taskdef::image::Platform;
use tokio::net::TcpListener;

use crate::images::usual;
use crate::server::{Reply, Server};
use crate::{LONG, query, resolved, settings, shown, stable};

/// Settings for hosts that nobody vouches for.
fn strict() -> Settings {
    let address = |text: &str| -> SocketAddr { text.parse().unwrap() };
    let mut settings = settings(&[]);
    settings.attempts = 1;
    settings.hosts = [
        ("loopback.test", "127.0.0.1:0"),
        ("metadata.test", "169.254.169.254:0"),
        ("mapped.test", "[::ffff:169.254.169.254]:0"),
    ]
    .map(|(name, to)| (name.to_owned(), vec![address(to)]))
    .into();
    settings
}

#[test]
fn hosts_that_are_not_contacted() {
    crate::run(async {
        let mut lines = Vec::new();
        for reference in [
            "127.0.0.1/app",
            "127.1:5000/app",
            "0x7f.1/app",
            "localhost:5000/app",
            "[::1]:5000/app",
            "[::ffff:7f00:1]/app",
            "0.0.0.0/app",
            "169.254.169.254/app",
            "metadata.google.internal/app",
            "user:hunter2@registry.test/app",
        ] {
            let found = resolved(strict(), reference).await;
            assert!(!shown(&found).contains("hunter2"));
            let requests = found.steps.len();
            lines.push(format!("{reference} ({requests}): {}", shown(&found)));
        }
        insta::assert_snapshot!(lines.join("\n"), @"
    127.0.0.1/app (0): address-not-allowed: image `127.0.0.1/app:latest` cannot be read from `127.0.0.1`: `127.0.0.1` is a loopback address, which is not contacted
      hint: for a registry on this machine: `--insecure-registry 127.0.0.1`
    127.1:5000/app (0): address-not-allowed: image `127.0.0.1:5000/app:latest` cannot be read from `127.0.0.1:5000`: `127.0.0.1:5000` is a loopback address, which is not contacted
      hint: for a registry on this machine: `--insecure-registry 127.0.0.1:5000`
    0x7f.1/app (0): address-not-allowed: image `127.0.0.1/app:latest` cannot be read from `127.0.0.1`: `127.0.0.1` is a loopback address, which is not contacted
      hint: for a registry on this machine: `--insecure-registry 127.0.0.1`
    localhost:5000/app (0): address-not-allowed: image `localhost:5000/app:latest` cannot be read from `localhost:5000`: `localhost:5000` is a loopback address, which is not contacted
      hint: for a registry on this machine: `--insecure-registry localhost:5000`
    [::1]:5000/app (0): address-not-allowed: image `[::1]:5000/app:latest` cannot be read from `[::1]:5000`: `[::1]:5000` is a loopback address, which is not contacted
      hint: for a registry on this machine: `--insecure-registry [::1]:5000`
    [::ffff:7f00:1]/app (0): address-not-allowed: image `127.0.0.1/app:latest` cannot be read from `127.0.0.1`: `127.0.0.1` is a loopback address, which is not contacted
      hint: for a registry on this machine: `--insecure-registry 127.0.0.1`
    0.0.0.0/app (0): address-not-allowed: image `0.0.0.0/app:latest` cannot be read from `0.0.0.0`: `0.0.0.0` is a loopback address, which is not contacted
      hint: for a registry on this machine: `--insecure-registry 0.0.0.0`
    169.254.169.254/app (0): address-not-allowed: image `169.254.169.254/app:latest` cannot be read from `169.254.169.254`: `169.254.169.254` is a link-local address, which is not contacted
    metadata.google.internal/app (0): address-not-allowed: image `metadata.google.internal/app:latest` cannot be read from `metadata.google.internal`: `metadata.google.internal` is the address of a cloud's metadata service, which is not contacted
    user:hunter2@registry.test/app (0): image-reference: not an image reference: an image reference holds no user name and no password
    ");
    });
}

#[test]
fn names_of_hosts_that_are_not_contacted() {
    crate::run(async {
        let mut lines = Vec::new();
        for reference in ["loopback.test/app", "metadata.test/app", "mapped.test/app"] {
            let found = resolved(strict(), reference).await;
            lines.push(format!("{reference}: {}", shown(&found)));
        }
        insta::assert_snapshot!(lines.join("\n"), @"
    loopback.test/app: address-not-allowed: image `loopback.test/app:latest` cannot be read from `loopback.test`: `loopback.test` is `127.0.0.1`, a loopback address, which is not contacted
      hint: for a registry on this machine: `--insecure-registry loopback.test`
    metadata.test/app: address-not-allowed: image `metadata.test/app:latest` cannot be read from `metadata.test`: `metadata.test` is `169.254.169.254`, a link-local address, which is not contacted
    mapped.test/app: address-not-allowed: image `mapped.test/app:latest` cannot be read from `mapped.test`: `mapped.test` is `::ffff:169.254.169.254`, a link-local address, which is not contacted
    ");
    });
}

#[test]
fn only_allowed_registries_are_asked() {
    crate::run(async {
        let images = usual();
        let server = Server::plain(move |seen| images.reply(seen)).await;
        let mut settings = settings(&[&server]);
        settings.allowed_registries = Some(vec!["ghcr.io".parse().unwrap()]);
        let reference = format!("{}/app:1", server.host());
        let found = resolved(settings.clone(), &reference).await;
        assert_eq!(server.seen().len(), 0);
        insta::assert_snapshot!(stable(&shown(&found), &[("HOST", &server)]), @"
    registry-not-allowed: image `HOST/app:1` cannot be read from `HOST`: the registry is none of those that are allowed
      hint: whoever runs this can allow the registry `HOST`
    ");
        settings.allowed_registries = Some(vec![server.host().parse().unwrap()]);
        assert!(resolved(settings, &reference).await.outcome.is_ok());
    });
}

/// Lets a server pass for one on another machine, whose name is `registry.test`; gives the
/// reference of its image.
pub(crate) fn as_if_elsewhere(settings: &mut Settings, server: &Server) -> String {
    settings.insecure = Vec::new();
    let name = "registry.test".to_owned();
    settings.hosts.insert(name.clone(), vec![server.address]);
    // A proxy may be on this machine. This one is not used, and lends its place to the name.
    settings.proxies.http = Some(Secret::new("http://registry.test:1"));
    settings.proxies.no_proxy = Some(name);
    format!("registry.test:{}/app:1", server.address.port())
}

/// A port of this machine where nobody listens.
async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

#[test]
fn a_registry_that_is_down_is_tried_for_one_image_only() {
    crate::run(async {
        let address = nobody().await;
        let mut settings = settings(&[]);
        settings
            .hosts
            .insert("registry.test".to_owned(), vec![address]);
        settings.insecure = vec!["registry.test".parse().unwrap()];
        let queries: BTreeSet<_> = (0..50)
            .map(|number| format!("registry.test:{}/app:{number}", address.port()))
            .map(|reference| query(&reference, Platform::LinuxAmd64))
            .collect();
        let registries = Registries::new(settings.clone(), StaticCredentials::none());
        let answers = registries.session(LONG).resolve(queries).await;
        let codes: BTreeSet<&str> = answers
            .values()
            .map(|answer| answer.outcome.as_ref().unwrap_err().code())
            .collect();
        assert_eq!(codes, BTreeSet::from(["registry-unreachable"]));
        // Four times with TLS and four times without.
        assert_eq!(registries.counts().requests, 0);
        assert_eq!(answers.values().next().unwrap().steps.len(), 8);
        let first = answers.values().next().unwrap();
        let text = shown(first).replace(&address.port().to_string(), "PORT");
        insta::assert_snapshot!(text, @"
    registry-unreachable: image `registry.test:PORT/app:0` cannot be read from `registry.test:PORT`: no connection to `registry.test:PORT` in 4 attempts: it is refused
      hint: check network and proxy, or try again
    ");
    });
}

#[test]
fn certificates() {
    crate::run(async {
        let mut lines = Vec::new();
        for (names, own) in [
            (["registry.test"], true),
            (["registry.test"], false),
            (["other.test"], true),
        ] {
            let images = usual();
            let server = Server::tls(&names, &[b"http/1.1"], move |seen| images.reply(seen)).await;
            let mut settings = settings(&[&server]);
            settings.insecure = vec!["registry.test".parse().unwrap()];
            settings
                .hosts
                .insert("registry.test".to_owned(), vec![server.address]);
            if !own {
                settings.ca_bundle = None;
            }
            let reference = format!("registry.test:{}/app:1", server.address.port());
            let found = resolved(settings, &reference).await;
            let text = stable(&shown(&found), &[("HOST", &server)]);
            lines.push(format!(
                "{names:?} {own} ({} requests): {text}",
                server.seen().len()
            ));
        }
        for bundle in [
            "",
            "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n",
        ] {
            let mut settings = strict();
            settings.ca_bundle = Some(bundle.as_bytes().to_vec());
            lines.push(shown(&resolved(settings, "registry.test/app").await));
        }
        insta::assert_snapshot!(lines.join("\n"), @r#"
    ["registry.test"] true (3 requests): [] [server] user `` in `/srv` for linux/amd64
    ["registry.test"] false (0 requests): certificate-not-trusted: image `registry.test:PORT/app:1` cannot be read from `registry.test:PORT`: the certificate of `registry.test:PORT` is not trusted: nobody here knows its authority
      hint: give the certificate of its authority: `--ca-bundle FILE`
    ["other.test"] true (0 requests): certificate-not-trusted: image `registry.test:PORT/app:1` cannot be read from `registry.test:PORT`: the certificate of `registry.test:PORT` is not trusted: it is for another name
      hint: give the certificate of its authority: `--ca-bundle FILE`
    network-setup: image `registry.test/app:latest` cannot be read from `registry.test`: certificates and proxies cannot be set up: the CA file holds no certificate
      hint: check `--ca-bundle`, and the proxies' URLs in `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`
    network-setup: image `registry.test/app:latest` cannot be read from `registry.test`: certificates and proxies cannot be set up: the system has no CA certificates, or the CA file's are not valid
      hint: check `--ca-bundle`, and the proxies' URLs in `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`
    "#);
    });
}

#[test]
fn a_registry_without_tls_is_for_those_who_ask_for_it() {
    crate::run(async {
        let images = usual();
        let server = Server::plain(move |seen| images.reply(seen)).await;
        let mut settings = settings(&[]);
        let reference = as_if_elsewhere(&mut settings, &server);
        let found = resolved(settings, &reference).await;
        assert_eq!(server.seen().len(), 0);
        insta::assert_snapshot!(stable(&shown(&found), &[("HOST", &server)]), @"
    registry-without-tls: image `registry.test:PORT/app:1` cannot be read from `registry.test:PORT`: `registry.test:PORT` does not speak TLS
      hint: for a registry without TLS: `--insecure-registry registry.test:PORT`
    ");
    });
}

#[test]
fn a_proxy_is_asked_for_what_is_not_reached_directly() {
    crate::run(async {
        let images = usual();
        let proxy = Server::plain(move |seen| match seen.method.as_str() {
            "CONNECT" => Reply::new(403),
            _ => images.reply(seen),
        })
        .await;
        let mut settings = settings(&[]);
        settings.attempts = 1;
        settings.proxies = registry::remote::Proxies::from_variables(|name| match name {
            "https_proxy" | "HTTP_PROXY" => Some(format!("http://user:hunter2@{}", proxy.host())),
            "NO_PROXY" => Some("direct.test".to_owned()),
            _ => None,
        });
        settings.insecure = vec!["far.test".parse().unwrap()];
        // Without TLS the proxy sees the request, with TLS only the host.
        let found = resolved(settings.clone(), "far.test/app:1").await;
        assert!(found.outcome.is_ok(), "{}", shown(&found));
        let hosts: BTreeSet<String> = proxy.seen().into_iter().map(|seen| seen.host).collect();
        assert!(hosts.contains("far.test"), "{hosts:?}");
        settings.insecure = Vec::new();
        let found = resolved(settings, "far.test/app:1").await;
        assert!(!shown(&found).contains("hunter2"));
        insta::assert_snapshot!(stable(&shown(&found), &[("PROXY", &proxy)]), @"
    registry-unreachable: image `far.test/app:1` cannot be read from `far.test`: no connection to `far.test` in 1 attempt: the proxy refuses it
      hint: check network and proxy, or try again
    ");
    });
}
