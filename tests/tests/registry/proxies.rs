//! Proxies that the environment names, through the program.

use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::images::usual;
use crate::process::{CANARY, on, one, program};
use crate::server::{Reply, Seen, Server};
use crate::{run, stable};

/// `user:canary-hunter2`.
const LOGIN: &str = "Basic dXNlcjpjYW5hcnktaHVudGVyMg==";

/// A proxy that wants to know who asks, and whose world is one server.
pub(crate) struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub(crate) async fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            asked: Arc::default(),
        };
        let (asked, server) = (Arc::clone(&proxy.asked), server.address);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server, Arc::clone(&asked)));
            }
        });
        proxy
    }

    /// Its URL, with the password.
    pub(crate) fn url(&self) -> String {
        format!("http://user:{CANARY}@{}", self.address)
    }

    /// What it was asked for: methods and targets, each once.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.dedup();
        asked
    }
}

/// Passes one connection on. A client that goes away is no failure.
async fn pass(mut client: TcpStream, server: SocketAddr, asked: Arc<Mutex<Vec<String>>>) {
    let Some(head) = head(&mut client).await else {
        return;
    };
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    asked.lock().unwrap().push(format!("{method} {target}"));
    let login = head.lines().filter_map(|line| line.split_once(": "));
    let mut login = login.filter(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"));
    if login.next().is_none_or(|(_, value)| value != LOGIN) {
        let refused = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        let _ = client.write_all(refused).await;
        return;
    }
    let mut server = TcpStream::connect(server).await.unwrap();
    let _ = match method {
        "CONNECT" => client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await,
        _ => server.write_all(head.as_bytes()).await,
    };
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

/// The head of a request without a body.
async fn head(client: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

#[test]
fn a_proxy_connects_to_registries_with_tls() {
    run(async {
        let images = usual();
        let names = ["registry.test", "127.0.0.1"];
        let server = Server::tls(&names, &[b"h2"], move |seen| images.reply(seen)).await;
        let proxy = Proxy::to(&server).await;
        let url = proxy.url();
        // A name that nobody but the proxy knows.
        let folder = one("registry.test/shop/api:1");
        fs::write(folder.path().join("ca.pem"), server.ca.as_deref().unwrap()).unwrap();
        for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
            let before = server.seen().len();
            let args = on(&[], "--ca-bundle ca.pem");
            let ended = program(folder.path(), &args, &[(variable, &url)]).await;
            assert_eq!(ended.code, Some(0), "{variable}: {}", ended.stderr);
            assert_eq!(server.seen().len(), before + 3);
        }
        assert_eq!(proxy.asked(), ["CONNECT registry.test:443"]);
    });
}

#[test]
fn what_is_reached_directly_goes_past_the_proxy() {
    run(async {
        let images = usual();
        let secure = Server::tls(&["127.0.0.1"], &[b"h2"], move |seen| images.reply(seen)).await;
        let images = usual();
        let plain = Server::plain(move |seen: &Seen| images.reply(seen)).await;
        for (server, variable, asked) in [
            (&secure, "HTTPS_PROXY", format!("CONNECT {}", secure.host())),
            (
                &plain,
                "HTTP_PROXY",
                format!("GET http://{}/v2/shop/api/manifests/1", plain.host()),
            ),
        ] {
            let proxy = Proxy::to(server).await;
            let url = proxy.url();
            let folder = one(&format!("{}/shop/api:1", server.host()));
            let mut args = on(&[server], "");
            if let Some(ca) = &server.ca {
                fs::write(folder.path().join("ca.pem"), ca).unwrap();
                args.push_str(" --ca-bundle ca.pem");
            }
            let direct = [
                (variable, url.as_str()),
                ("NO_PROXY", "example.com,127.0.0.1"),
            ];
            let ended = program(folder.path(), &args, &direct).await;
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            assert_eq!(proxy.asked(), [""; 0]);
            let other = [(variable, url.as_str()), ("NO_PROXY", "example.com")];
            let ended = program(folder.path(), &args, &other).await;
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            assert_eq!(proxy.asked()[0], asked);
        }
    });
}

#[test]
fn a_proxy_that_does_not_help_is_named_as_the_reason() {
    run(async {
        let server = Server::plain(|_: &Seen| Reply::new(500)).await;
        let proxy = Proxy::to(&server).await;
        let folder = one("registry.test/shop/api:1");
        let address = proxy.address;
        let mut told = Vec::new();
        for (what, url) in [
            (
                "a wrong password",
                format!("http://{CANARY}:{CANARY}@{address}"),
            ),
            (
                "nobody is there",
                format!("http://user:{CANARY}@127.0.0.1:9"),
            ),
            ("no URL", format!("http://user:{CANARY}@")),
            ("another kind", format!("socks5://user:{CANARY}@{address}")),
        ] {
            let ended = program(folder.path(), &on(&[], ""), &[("HTTPS_PROXY", &url)]).await;
            told.push(format!("{what}\n{}", ended.error()));
        }
        insta::assert_snapshot!(stable(&told.join("\n"), &[]), @"
        a wrong password
        error[image-unresolved]: image `registry.test/shop/api:1` cannot be read from `registry.test`: no connection to `registry.test` in 4 attempts: the proxy wants another user name and password (registry-unreachable)
        hint: check network and proxy, or try again, or state `EntryPoint`, `Command` and `User` in the template
        nobody is there
        error[image-unresolved]: image `registry.test/shop/api:1` cannot be read from `registry.test`: no connection to `registry.test` in 4 attempts: the proxy cannot be reached (registry-unreachable)
        hint: check network and proxy, or try again, or state `EntryPoint`, `Command` and `User` in the template
        no URL
        error[image-unresolved]: image `registry.test/shop/api:1` cannot be read from `registry.test`: certificates and proxies cannot be set up: the proxy for https is no http or https URL (network-setup)
        hint: check `--ca-bundle`, and the proxies' URLs in `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`, or state `EntryPoint`, `Command` and `User` in the template
        another kind
        error[image-unresolved]: image `registry.test/shop/api:1` cannot be read from `registry.test`: certificates and proxies cannot be set up: the proxy for https is no http or https URL (network-setup)
        hint: check `--ca-bundle`, and the proxies' URLs in `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`, or state `EntryPoint`, `Command` and `User` in the template
        ");
        assert_eq!(server.connections(), 0);
    });
}
